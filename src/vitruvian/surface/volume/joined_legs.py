"""Down to where cloth joins the legs, as the normals in the picture tell it.

Across the two legs of trousers the normals look left, right, left and right again; across a skirt
or coat they turn from left to right once. So a skirt has no groove between the legs, whether or not
it shows anything beside them.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from vitruvian.surface.maps import SurfaceMaps
from vitruvian.surface.volume.limbs import FREE, LEG_L, LEG_R, bone_rings
from vitruvian.types.body import ParametricModel
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

ANKLE, BEYOND = 2.0, 3.0  # how far down cloth joins the legs: to the ankles; over the feet
_GROOVE = 0.65  # change of the normals' component across the legs, from which they are two
_PLACES = 49  # along the legs, from hip to ankle
_IN_A_ROW, _LEAST_IN_A_ROW = 6, 3  # of them with a groove, where two legs begin; at the ankles
_HALF, _SPACING_M, _LEAST_REACH = 20, 0.005, 0.4  # samples to either side; share of the legs' room
_BESIDE = 7  # samples of a groove to either side
# Places that say nothing: a leg is before the other, crosses it, or points at the camera.
_LEAST_APART_M, _LEAST_ACROSS, _MOST_AHEAD = 0.1, 0.65, 0.7
_LEAST_KNOWN = 0.5  # share of the thigh's places, or of the feet's
_FOOT, _COVERED = 0.9, 0.7  # what is a foot; share of it over which cloth lies


def joined_down_to(
    model: ParametricModel, body: Mesh, maps: SurfaceMaps, figure: np.ndarray, window: Camera
) -> float | None:
    """How far down the legs cloth joins them: 0 at the hip, 1 at the knee, 2 at the ankle.

    Args:
        model: the body model.
        body: fitted, camera frame.
        maps: the normals of front and back.
        figure: (H, W) bool, pixels of ``window`` that show the person.
        window: of the photograph.

    Returns:
        2 where no groove is seen at all, 3 where garments are seen even over the feet; None where
        one leg hides the other.
    """
    (left, ahead_l), (right, ahead_r) = (_line(model, body, label) for label in (LEG_L, LEG_R))
    across = right - left
    start = window.project(left)
    step = window.project(right) - start
    length = np.linalg.norm(step, axis=1)
    pixel_m = 0.5 * (left[:, 2] + right[:, 2]) / window.focal_px
    apart = length * pixel_m
    known = (apart > _LEAST_APART_M) & (apart > _LEAST_ACROSS * np.linalg.norm(across, axis=1))
    known &= np.maximum(ahead_l, ahead_r) < _MOST_AHEAD
    thigh = slice(_PLACES // 20, _PLACES // 2)
    if known[thigh].mean() < _LEAST_KNOWN:
        return None
    # Samples a few millimetres apart, from the middle between the legs to either side.
    spacing = np.maximum(_SPACING_M, apart * _LEAST_REACH / _HALF) / pixel_m
    direction = step / np.maximum(length, 1e-6)[:, None]
    offsets = np.arange(-_HALF, _HALF + 1)[None, :] * spacing[:, None]
    pixels = (start + 0.5 * step)[:, None] + offsets[..., None] * direction[:, None]
    shown = _sampled(figure.astype(np.float32), pixels)[..., None]
    scale = maps.camera.focal_px / window.focal_px
    moved = (pixels - window.principal_point) * scale + maps.camera.principal_point
    depth = np.zeros(_PLACES)
    for normals in (maps.front_normals, maps.back_normals):
        seen = _sampled(normals, moved)[..., :2] * shown
        depth += 0.5 * _deepest(np.einsum("psc,pc->ps", seen, direction))
    # A groove is one wherever it is seen; that there is none counts where both legs are in sight.
    grooved = depth > _GROOVE
    for place in range(thigh.start, _PLACES):
        following = grooved[place : place + _IN_A_ROW]
        if following.all() and len(following) >= _LEAST_IN_A_ROW:
            return (2 * place - 1) / (_PLACES - 1)
    return BEYOND if _over_the_feet(model, body, maps, figure, window) else ANKLE


def _over_the_feet(
    model: ParametricModel, body: Mesh, maps: SurfaceMaps, figure: np.ndarray, window: Camera
) -> bool:
    """Whether garments are seen where the body has its feet."""
    if maps.cloth is None:
        return False
    feet = window.project(body.vertices[model.regions.foot > _FOOT])[None]
    shown = _sampled(figure.astype(np.float32), feet)
    cloth = _sampled(maps.resampled(maps.cloth, window), feet)
    return bool(shown.mean() > _LEAST_KNOWN and (cloth * shown).sum() > _COVERED * shown.sum())


def _sampled(picture: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Values of a picture at places (P, S, 2); 0 beyond it."""
    x, y = (np.ascontiguousarray(pixels[..., k] - 0.5, np.float32) for k in (0, 1))
    return cv2.remap(picture, x, y, cv2.INTER_LINEAR)


def _line(model: ParametricModel, body: Mesh, label: int) -> tuple[np.ndarray, np.ndarray]:
    """Places (N, 3) along a leg's bones from hip to ankle, and how far (N,) 0..1 the bones there
    point along the line of sight."""
    start, knee, ankle, _ = (
        body.vertices[ring].mean(0, dtype=np.float64) for ring in bone_rings(model, label)
    )
    hip = knee + (start - knee) / (1 - FREE)
    along = np.linspace(0, 2, _PLACES)[:, None]
    places = np.where(along < 1, hip + along * (knee - hip), knee + (along - 1) * (ankle - knee))
    bones = np.where(along < 1, knee - hip, ankle - knee)
    return places, np.abs(bones[:, 2]) / np.maximum(np.linalg.norm(bones, axis=1), 1e-6)


def _deepest(across: np.ndarray) -> np.ndarray:
    """(P,) how deep the deepest groove of each row (P, S) is: the largest of the samples before a
    place less the smallest of those after it, at places between the legs."""
    windows = sliding_window_view(across, _BESIDE + 1, axis=1)
    falls = windows[:, :-_BESIDE].max(2) - windows[:, _BESIDE:].min(2)
    return np.asarray(falls.max(1))
