"""Which pixels of a picture are bags and other things that a person carries.

Clothes stand off a body on both sides; what stands off much further on one side alone, and has
another colour than the clothes, is carried. It goes on before the body as far as its colours do.
"""

from __future__ import annotations

from dataclasses import dataclass
from weakref import ReferenceType, WeakKeyDictionary, ref

import cv2
import numpy as np

from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.disc import disc
from vitruvian.texture.colors import SKIN_TONE, apart, main_colors, skin_of, weighted_lab
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.carried import Carried
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import HEAD, LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG

_ROWS = 288  # of the small picture in which things are sought
_ONE_SIDED_M = 0.05  # by which something stands off further than on the other side
_WIDER_M, _INWARDS_M = 0.01, 0.12  # likewise, of the rest of such a thing, and how far that reaches
_BAND_M = 0.04  # slices of a limb that are compared
_BELOW_CHIN_M, _ABOVE_FEET_M = 0.25, 0.12  # hair hangs above, shoes are below
_LEAST_M2, _LEAST_DOUBTFUL_M2 = 0.0045, 0.003  # of what stands off
_LARGE_M2 = 0.014  # likewise, which clothes of one colour with it do not
_NEAR_M, _REACH_M = 0.28, 0.3  # what may be of the thing itself; how far it goes on
_RIM_M = 0.1  # around what was found of it, likewise
_ROUNDS = 2
_CONVEX = 1.5  # of what was found of it: a hull that is larger is not that of a bag
_AROUND_M = 0.8  # where the clothes are with which it is compared
_OTHER_COLOR = 7.0  # CIELAB units, weighted, from all main colours of the clothes
_SKIN = 13.0  # likewise, from the skin's: an arm that is not quite where the fit has it
_SHARE = 0.45  # of what stands off that must be of another colour
_ALIKE = 12.0  # CIELAB units, weighted, within which it goes on before the body
_FACE = 0.8  # weight from which on a place is of the face
_LEAST_SIDE = 16  # pixels
_CLOTHES, _THING = 8, 4  # how many main colours
_MARGIN_M = 0.008  # around it
_LIMBS = {LEFT_ARM: 1, RIGHT_ARM: 1, LEFT_LEG: 2, RIGHT_LEG: 2}


@dataclass
class _Known:
    """What was found of a body in a matte of a photograph, by ``doubtful``."""

    photo: ReferenceType[Photo]
    alpha: ReferenceType[Alpha]
    found: dict[bool, Carried | None]


_KNOWN: WeakKeyDictionary[Body, _Known] = WeakKeyDictionary()


def carried_by(photo: Photo, alpha: Alpha, body: Body, *, doubtful: bool = False) -> Carried | None:
    """``find_carried`` of a fitted body; surface, colours and avatar ask alike, and it looks once.

    Where nothing is found that is doubtful, nothing sure is, either.
    """
    known = _KNOWN.get(body)
    if known is None or known.photo() is not photo or known.alpha() is not alpha:
        known = _KNOWN[body] = _Known(ref(photo), ref(alpha), {})
    if doubtful not in known.found:
        if True in known.found and known.found[True] is None:
            return None
        known.found[doubtful] = find_carried(
            photo, alpha, body.model, body.as_mesh(), doubtful=doubtful
        )
    return known.found[doubtful]


def find_carried(
    photo: Photo, alpha: Alpha, model: ParametricModel, bare: Mesh, *, doubtful: bool = False
) -> Carried | None:
    """What a person carries; None where that is nothing that can be told.

    Args:
        photo: the picture.
        alpha: matte of the person.
        model: the body model.
        bare: the fitted body, camera frame, in the model's topology.
        doubtful: count what stands off so far on one side alone even in the clothes' colours: for
            shapes it matters little whether that is a bag or the end of a cape.
    """
    points = photo.camera.project(bare.vertices)
    high, wide = alpha.values.shape
    low = np.minimum(points.min(0), [alpha.x, alpha.y])
    high_end = np.maximum(points.max(0), [alpha.x + wide, alpha.y + high])
    x0, y0 = np.maximum(np.floor(low), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high_end), [photo.width, photo.height]).astype(int)
    if x1 - x0 < _LEAST_SIDE or y1 - y0 < _LEAST_SIDE:
        return None
    scale = min(1.0, _ROWS / (y1 - y0))
    size = max(4, round((x1 - x0) * scale)), max(4, round((y1 - y0) * scale))
    camera = photo.camera.window(x0, y0, scale, *size)
    pixels, matte = photo.pixels[y0:y1, x0:x1], alpha.window(x0, y0, x1, y1)
    rgb, matte = (cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in (pixels, matte))
    shown = cv2.erode(matte, np.ones((3, 3), np.uint8)) > 128  # its rim has something of both
    points = camera.project(bare.vertices)
    fragments = rasterize(points, bare.vertices[:, 2], bare.faces, *size)
    if not fragments.mask.any() or not shown.any():
        return None
    pixel_m = float(np.median(bare.vertices[:, 2])) / camera.focal_px
    seeds, wider, sleeves = _standing_off(model, bare, fragments.face, shown, points, pixel_m)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(seeds.astype(np.uint8))
    least = _LEAST_DOUBTFUL_M2 if doubtful else _LEAST_M2
    large = stats[1:, cv2.CC_STAT_AREA] * pixel_m**2 >= least
    if not large.any():
        return None
    lab = weighted_lab(rgb)
    vertex = np.append(bare.faces[:, 0], np.int32(-1))[fragments.face]
    on_face = np.append(model.regions.face > _FACE, False)[vertex] & shown
    skin = None
    if on_face.sum() >= _LEAST_SIDE:
        skin = np.median(lab[on_face][skin_of(lab[on_face])], axis=0)[None]
        if (skin[0, 1:] < SKIN_TONE).any():
            skin = None  # dark glasses
    # A head and what hangs from it is never carried.
    possible = shown & (np.append(model.regions.part, np.uint8(255))[vertex] != HEAD)
    out = np.zeros_like(shown)
    for number in np.flatnonzero(large) + 1:
        seed = labels == number
        area = 0.0 if sleeves[seed].mean() > 0.5 else seed.sum() * pixel_m**2
        if doubtful:
            away = cv2.distanceTransform((~seed).astype(np.uint8), cv2.DIST_L2, 5) * pixel_m
            out |= _joined(wider & (away < _INWARDS_M), seed)
        out |= _thing(seed, lab, fragments.mask & shown, possible, skin, pixel_m, area > _LARGE_M2)
    if not out.any():
        return None
    margin = max(1, round(_MARGIN_M / pixel_m))
    kernel = disc(margin)
    return Carried(cv2.dilate(255 * out.astype(np.uint8), kernel), camera)


def _standing_off(
    model: ParametricModel,
    bare: Mesh,
    face: np.ndarray,
    shown: np.ndarray,
    points: np.ndarray,
    pixel_m: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(h, w) bool, what is much farther beside the body than anything on its other side is, what is
    farther at all, and where the nearest of the body is an arm above the hand."""
    regions, template = model.regions, model.template
    beside = (face < 0).astype(np.uint8)
    distance, labels = cv2.distanceTransformWithLabels(
        beside, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(beside == 0)
    vertex_of = np.zeros(labels.max() + 1, int)
    vertex_of[labels[rows, columns]] = bare.faces[face[rows, columns], 0]
    vertex = vertex_of[labels]
    kind = np.zeros(len(template), int)
    for part, number in _LIMBS.items():
        kind[regions.part == part] = number
    along = np.where(kind == 1, np.abs(template[:, 0]), template[:, 1])
    band = (along / _BAND_M).astype(int)
    bands = int(band.max()) + 1
    side = (template[:, 0] > 0).astype(int)
    out = shown & (beside > 0)
    chin = points[(regions.face > 0.5) & (model.components == 0), 1].max()
    out[: max(0, int(chin + _BELOW_CHIN_M / pixel_m))] = False
    feet = points[regions.foot > 0.5, 1]
    out[max(0, int(feet.min() - _ABOVE_FEET_M / pixel_m)) :] = False
    out &= (regions.part != HEAD)[vertex] & (regions.foot < 0.5)[vertex]
    off = distance * pixel_m
    table = np.zeros((3, 2, bands), np.float32)
    np.maximum.at(table, (kind[vertex[out]], side[vertex[out]], band[vertex[out]]), off[out])
    even = np.stack([cv2.dilate(one, np.ones((1, 5), np.uint8)) for one in table])
    other = even[kind[vertex], 1 - side[vertex], band[vertex]]
    wider = out & (off > other + _WIDER_M)
    out &= off > other + _ONE_SIDED_M
    opened = cv2.morphologyEx(out.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return opened > 0, wider, ((kind == 1) & (regions.hand < 0.5))[vertex]


def _thing(
    seed: np.ndarray,
    lab: np.ndarray,
    body: np.ndarray,
    possible: np.ndarray,
    skin: np.ndarray | None,
    pixel_m: float,
    large: bool,
) -> np.ndarray:
    """(h, w) bool, one thing, from what of it stands off; empty where that is cloth or skin."""
    nothing = np.zeros_like(seed)
    colors = main_colors(lab[seed], _THING)
    own = apart(lab, colors)
    away = cv2.distanceTransform((~seed).astype(np.uint8), cv2.DIST_L2, 5) * pixel_m
    thing = seed
    for step in range(_ROUNDS):
        beside = cv2.distanceTransform((~thing).astype(np.uint8), cv2.DIST_L2, 5) * pixel_m
        around = body & (beside > (_NEAR_M if step == 0 else _RIM_M)) & (away < _AROUND_M)
        clothes = main_colors(lab[around], _CLOTHES, least=0.03)
        if len(clothes) == 0:
            break
        if skin is not None:
            clothes = np.concatenate([clothes, skin])
        from_clothes = apart(lab, clothes)
        if step == 0 and not _no_cloth(lab[seed], from_clothes[seed], skin, large):
            return nothing
        alike = possible & (away < _REACH_M) & (own < _ALIKE) & (own < from_clothes)
        thing = _joined(alike, seed)
    points = np.argwhere(thing)[:, ::-1].astype(np.int32)
    hull = np.zeros(seed.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    # Bags are convex, and a hand before one is not of it.
    whole = (hull > 0) & possible if hull.sum() < _CONVEX * thing.sum() else thing
    if skin is not None:
        whole &= thing | (apart(lab, skin) > _SKIN / 2)
    return np.asarray(whole)


def _no_cloth(
    lab: np.ndarray, from_clothes: np.ndarray, skin: np.ndarray | None, large: bool
) -> bool:
    """Whether colours (N, 3), so far (N,) from the clothes', are neither cloth nor skin."""
    if not large and (from_clothes > _OTHER_COLOR).mean() < _SHARE:
        return False
    least = _SKIN / 2 if large else _SKIN
    return skin is None or bool(np.median(apart(lab, skin)) >= least)


def _joined(alike: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """(h, w) bool, the seed and what is alike and joined to it."""
    whole = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(whole | seed.astype(np.uint8))
    joined = np.zeros(count, bool)
    joined[np.unique(labels[seed])] = True
    joined[0] = False
    return np.asarray(joined[labels])
