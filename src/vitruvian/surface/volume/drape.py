"""Cloth that stands off the body hides its relief: no navel or crotch shows through a coat.

The layers of a ray start from the inflated body, whose navel, breasts, buttocks and legs are still
there. Cloth that stands off spans their hollows. So where it does, middle and squared half
thickness of trunk and legs lose what is narrower than a hand's breadth: for a round or oval section
the latter is a parabola, which the smoothing leaves as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vitruvian.body.model.skeleton import LEFT, LEGS, RIGHT
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize, rasterize_both
from vitruvian.networks.maps import carried_on
from vitruvian.surface.envelope.inflate import smooth_over_mesh
from vitruvian.surface.volume.joined_legs import ANKLE
from vitruvian.surface.volume.limbs import along_legs, to_the_hem
from vitruvian.surface.volume.ray_spans import Spans
from vitruvian.surface.volume.taut import dent
from vitruvian.surface.volume.thickness import unseen_stand_off
from vitruvian.types.body import ParametricModel
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TRUNK

_STANDS_OFF_M = (0.008, 0.022)  # from the body, from which relief fades, at which it is gone
_SLEEVE = 0.8  # of what sleeves stand off, the garment does on the trunk, where arms hide its sides
_SMOOTHING_M = 0.06  # sigma; of relief 12 cm long a hundredth is left
_SPAN_M = 0.24  # from side to side, such as between two legs
_MOST_M, _MOST_BRIDGED_M = 0.025, 0.1  # that a surface moves; under what bridges two legs
_RIM_M = (0.01, 0.04)  # from the outline: there the matte tells the shape
_BRIDGED_M = 0.02  # off the bare body: what is between two legs is cloth
_FLARED_M = (0.03, 0.045)  # off a leg: a hem, not trousers
_THIGH = (0.35, 0.55)  # along the upper leg, to which its top reaches, and fades
_SKIRT, _HEM = 0.6, 0.1  # of a thigh: what joins legs farther down than trousers; where it fades
_LAP_M = 0.1  # above the hips, where what a skirt hides of the trunk fades
_ROUNDS = 15  # of smoothing the share over the mesh
_NONE = 255


def hidden_share(model: ParametricModel, inflated: Mesh, fitted: Mesh) -> np.ndarray:
    """(V,) float32 0..1: how far cloth over a vertex of trunk and legs hides the body's relief.

    Args:
        model: the body model.
        inflated: the body inflated to its outline, camera frame.
        fitted: the bare body, likewise.
    """
    regions = model.regions
    share = _ramp(_stands_off(model, inflated, fitted), *_STANDS_OFF_M)
    cloth = np.isin(regions.part, (TRUNK, LEFT_LEG, RIGHT_LEG))
    bare = np.maximum.reduce([regions.head, regions.throat, regions.hand, regions.foot])
    share = smooth_over_mesh(share[:, None], regions.edges, _ROUNDS)[:, 0]
    return np.asarray(share * cloth * (1 - bare), np.float32)


def _stands_off(model: ParametricModel, inflated: Mesh, fitted: Mesh) -> np.ndarray:
    """(V,) metres: how far cloth stands off the body on both of its sides."""
    regions = model.regions
    normals = vertex_normals(fitted.vertices, fitted.faces)
    off = np.einsum("vc,vc->v", inflated.vertices - fitted.vertices, normals)
    sleeves = [
        float(np.median(off[(regions.part == arm) & (regions.hand < 0.1)]))
        for arm in (LEFT_ARM, RIGHT_ARM)
    ]
    off = np.where(regions.part == TRUNK, np.maximum(off, _SLEEVE * min(sleeves)), off)
    return np.minimum(off, off[regions.mirror])  # a bag stands off on one side alone


@dataclass(frozen=True)
class Hidden:
    """Where in a window cloth hides the body.

    Attributes:
        share: (H, W) float32 0..1.
        cloth: (H, W) bool, pixels whose ray meets nothing but trunk, legs and what stands off them.
        bridged: (H,) bool, rows in which cloth bridges the legs.
        skirt: (H, W) bool, where a skirt is around both legs.
        unseen: (H, W, 2) float32, metres that cloth stands off in front and behind, beyond what it
            does at the sides, which alone the outline shows.
    """

    share: np.ndarray
    cloth: np.ndarray
    bridged: np.ndarray
    skirt: np.ndarray
    unseen: np.ndarray


def hidden_pixels(
    model: ParametricModel,
    inflated: Mesh,
    fitted: Mesh,
    figure: np.ndarray,
    window: Camera,
    pixel_m: float,
    joined: float | None = None,
) -> Hidden:
    """``hidden_share`` in a window around the person.

    Legs count where a skirt or coat bridges them, and high up, where they touch and only a hem can
    stand off; trousers stay two. A skirt that joins the legs hides them, however tight it is.

    Args:
        model: the body model; inflated, fitted: as there.
        figure: (H, W) bool, the pixels that show the person.
        window: of the photograph.
        pixel_m: metres per pixel at the body.
        joined: how far down the legs cloth joins them, see ``joined_legs``.
    """
    size = window.width, window.height
    pixels, depth = window.project(inflated.vertices), inflated.vertices[:, 2]
    part = np.append(model.regions.part[inflated.faces[:, 0]], np.uint8(_NONE))
    front, back = rasterize_both(pixels, depth, inflated.faces, *size)
    first, last = part[front.face], part[back.face]
    bare = rasterize(window.project(fitted.vertices), fitted.vertices[:, 2], fitted.faces, *size)
    away = cv2.distanceTransform((~bare.mask).astype(np.uint8), cv2.DIST_L2, 3) * pixel_m
    off = _stands_off(model, inflated, fitted).astype(np.float32)
    # Trousers beside a body that does not fit well bridge legs, too, but do not stand off them.
    of_leg = (first == LEFT_LEG) | (first == RIGHT_LEG)
    beside = front.interpolate(off[:, None], inflated.faces)[..., 0] * of_leg
    wide = beside.sum(1) > _FLARED_M[0] * of_leg.sum(1)
    bridges = figure & (away > _BRIDGED_M) & wide[:, None]
    legs = _skirt_rows(part[bare.face], bridges)
    known = np.isin(first, (TRUNK, LEFT_LEG, RIGHT_LEG)) & np.isin(
        last, (TRUNK, LEFT_LEG, RIGHT_LEG)
    )
    share = hidden_share(model, inflated, fitted)
    values = front.interpolate(share[:, None], inflated.faces)
    flared = _upper_thigh(model) * _ramp(off, *_FLARED_M)
    thigh = front.interpolate(flared[:, None], inflated.faces)[..., 0]
    values *= np.where(of_leg, np.maximum(legs[:, None], thigh), 1)[..., None]
    around = np.zeros(front.mask.shape, bool)
    if joined is not None and joined > _SKIRT:
        # Interpolated are not steps at the hem, but how far above it a pixel is.
        above = joined - along_legs(model)
        if joined == ANKLE:  # the hem is not seen, but shoes are below it
            above = above + _HEM * (1 - 2 * model.regions.foot)
        above = front.interpolate(above[:, None].astype(np.float32), inflated.faces)[..., 0]
        skirt = np.where(of_leg, _ramp(above, 0, _HEM), 0)
        lap = front.interpolate(_lap(model)[:, None], inflated.faces)[..., 0]
        values = np.maximum(values, np.maximum(skirt, lap)[..., None])
        rows = np.asarray((skirt > 0.5).any(1))
        legs = legs | rows
        around = rows[:, None] & (known | ~front.mask)
    spread = carried_on(values, known)[..., 0]
    around &= spread > 0.5
    unseen = unseen_stand_off(model, off, (front, back), inflated.faces)
    return Hidden(np.asarray(spread, np.float32), known | ~front.mask, legs, around, unseen)


def _skirt_rows(part: np.ndarray, loose: np.ndarray) -> np.ndarray:
    """(H,) bool, the rows from the crotch to the hem of what bridges the legs.

    Args:
        part: (H, W) uint8, what a ray meets first of the bare body.
        loose: (H, W) bool, pixels of the figure away from the bare body.
    """
    columns = np.arange(part.shape[1])
    ends = []
    for leg in (LEFT_LEG, RIGHT_LEG):
        mine = part == leg
        ends.append((np.where(mine, columns, 10**6).min(1), np.where(mine, columns, -1).max(1)))
    (low_a, high_a), (low_b, high_b) = ends
    both = (high_a >= 0) & (high_b >= 0)
    left = np.where(low_a < low_b, high_a, high_b)
    right = np.where(low_a < low_b, low_b, low_a)
    between = (columns > left[:, None]) & (columns < right[:, None])
    bridged = both & (between & loose).any(1)
    return to_the_hem(both, bridged)


@lru_cache(maxsize=4)
def _upper_thigh(model: ParametricModel) -> np.ndarray:
    """(V,) float32: 1 at the top of the legs, 0 from the middle of the thigh downwards."""
    out = np.zeros(len(model.template), np.float32)
    for region, joints in ((LEFT_LEG, LEGS[LEFT]), (RIGHT_LEG, LEGS[RIGHT])):
        upper, knee = (model.joint_template[model.joint_index[name]] for name in joints[:2])
        axis = knee - upper
        along = (model.template - upper) @ axis / (axis @ axis)
        mine = model.regions.part == region
        start, end = _THIGH
        out[mine] = np.clip((end - along[mine]) / (end - start), 0, 1)
    return out


@lru_cache(maxsize=4)
def _lap(model: ParametricModel) -> np.ndarray:
    """(V,) float32: 1 on the trunk below the hips, 0 from a hand's breadth above them."""
    hips = np.mean([model.joint_template[model.joint_index[LEGS[side][0]]] for side in (0, 1)], 0)
    above = (model.template[:, 1] - hips[1]) / _LAP_M
    return np.asarray((model.regions.part == TRUNK) * np.clip(1 - above, 0, 1), np.float32)


def draped(
    spans: Spans, hidden: Hidden, rim_m: np.ndarray, pixel_m: float
) -> tuple[np.ndarray, np.ndarray]:
    """Front and back depth (H, W) float32 of spans, without the body's relief under cloth, and as
    thick as clothes are.

    Args:
        spans: completed to the figure.
        hidden: where cloth hides the body.
        rim_m: (H, W) float32 distance to the outline, metres, positive inside.
        pixel_m: metres per pixel.
    """
    first, last = _without_relief(spans, hidden, rim_m, pixel_m)
    thicker = _ramp(rim_m, *_RIM_M)[..., None] * hidden.unseen
    return first - thicker[..., 0], last + thicker[..., 1]


def _without_relief(
    spans: Spans, hidden: Hidden, rim_m: np.ndarray, pixel_m: float
) -> tuple[np.ndarray, np.ndarray]:
    where = spans.mask & hidden.cloth & (rim_m > 0)
    weight = (where * hidden.share**2).astype(np.float32)
    amount = np.sqrt(weight) * _ramp(rim_m, *_RIM_M)
    if not amount.any():
        return spans.front, spans.back
    share = np.sqrt(weight)
    most = np.where(hidden.bridged, _MOST_BRIDGED_M, _MOST_M)
    front = -_spanned(-spans.front, where, share, most, pixel_m)
    back = _spanned(spans.back, where, share, most, pixel_m)
    skirt = where & hidden.skirt
    if skirt.any():
        front, back = front - share * dent(-front, skirt), back + share * dent(back, skirt)
    middle, half2 = np.zeros_like(front), np.zeros_like(front)
    middle[where] = 0.5 * (front[where] + back[where])
    half2[where] = (0.5 * (back[where] - front[where])) ** 2
    sigma = _SMOOTHING_M / pixel_m
    values = np.stack([middle, half2], axis=2)
    once = _mean(values, weight, sigma)
    # Twice, with what the first left over (Tukey, 1977): slopes and parabolas stay what they are.
    smooth = once + _mean(values - once, weight, sigma)
    half, smooth_half = (
        np.sqrt(np.maximum(one, (0.5 * pixel_m) ** 2)) for one in (half2, smooth[..., 1])
    )
    # What would move farther is no relief of the body but a limb before or behind another.
    far = np.maximum(np.abs(smooth[..., 0] - middle), np.abs(smooth_half - half))
    amount = amount * np.clip(2 - far / most[:, None], 0, 1)
    middle += amount * (smooth[..., 0] - middle)
    half += amount * (smooth_half - half)
    moved = amount > 0
    return (
        np.where(moved, middle - half, spans.front).astype(np.float32),
        np.where(moved, middle + half, spans.back).astype(np.float32),
    )


def _spanned(
    outwards: np.ndarray,
    where: np.ndarray,
    share: np.ndarray,
    most_m: np.ndarray,
    pixel_m: float,
) -> np.ndarray:
    """A surface (H, W) whose hollows between left and right are spanned by taut cloth.

    A closing: what lies behind the straight line between two places no farther apart than
    ``_SPAN_M`` comes forward, as far as ``share`` says, but no farther than ``most_m`` (H,).
    """
    deep = float(outwards[where].min()) - 1
    values = np.where(where, outwards, np.float32(deep)).astype(np.float32)
    line = np.ones((1, 2 * round(0.5 * _SPAN_M / pixel_m) + 1), np.uint8)
    hollow = cv2.morphologyEx(values, cv2.MORPH_CLOSE, line) - values
    share = share * where * np.clip(2 - hollow / most_m[:, None], 0, 1)
    return np.asarray(values + share * hollow, np.float32)


def _ramp(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """From 0 at ``start`` to 1 at ``end``."""
    return np.asarray(np.clip((values - start) / (end - start), 0, 1))


def _mean(values: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """Weighted means (H, W, C) around each pixel; a pixel without weight around it gets 0."""
    weight = np.asarray(weight, np.float32)
    sums = cv2.GaussianBlur(values * weight[..., None], (0, 0), sigma)
    counts = cv2.GaussianBlur(weight, (0, 0), sigma)
    return np.asarray(sums / np.maximum(counts, 1e-6)[..., None])
