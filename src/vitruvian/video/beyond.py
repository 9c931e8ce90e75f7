"""What a matte has beyond the body that the motion puts there, frame by frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.disc import disc
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import (
    ANKLES,
    EARS,
    ELBOWS,
    HEELS,
    HIPS,
    INDEX_FINGERS,
    KNEES,
    SHOULDERS,
    TOES,
    WRISTS,
)
from vitruvian.video.tracking import Sighting

_STATURE_PX = 160.0  # at which mattes are looked at
_NEAR_M, _FAR_M = 0.05, 0.12  # from the body: clothes are nearer, and what is asked ends
_KEPT_M = 0.02  # of what is beside the body stays
_LEAST_AREA_M2, _LEAST_HALF_M = 0.004, 0.018  # of what is left out, of somebody of 1.7 m
_SEEN = 0.3  # visibility of landmarks
_MARGIN_M = 0.15
# Bones by their landmarks, and metres around them: feet are blurred where they kick.
_BONES = (
    (np.array([EARS, SHOULDERS, HIPS]), 0.13),
    (np.stack([SHOULDERS, HIPS], 1), 0.10),
    (np.stack([HIPS, KNEES], 1), 0.10),
    (np.stack([SHOULDERS, ELBOWS], 1), 0.07),
    (np.stack([ELBOWS, WRISTS], 1), 0.06),
    (np.stack([WRISTS, INDEX_FINGERS], 1), 0.07),
    (np.stack([KNEES, ANKLES], 1), 0.08),
    (np.stack([ANKLES, HEELS], 1), 0.11),
    (np.stack([HEELS, TOES], 1), 0.11),
)


@dataclass(frozen=True, eq=False)
class Piece:
    """Something that a matte has beyond the body.

    Attributes:
        number: of the frame.
        window: of the picture that was looked at: x, y, scale.
        shape: (h, w) of it, at that scale.
        bits: packed (``np.packbits``), of the window's pixels, those that would be left out.
        patches: (N,) patches of the body beyond which it begins.
    """

    number: int
    window: tuple[int, int, float]
    shape: tuple[int, int]
    bits: np.ndarray
    patches: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(h, w) uint8 of 0 and 1."""
        height, width = self.shape
        return np.unpackbits(self.bits, count=height * width).reshape(height, width)


@dataclass(frozen=True, eq=False)
class Beyond:
    """What a frame says.

    Attributes:
        asked: (P,) of each patch how many pixels are beside it.
        found: (P,) on how many of them the matte goes on.
        pieces: what it has there.
    """

    asked: np.ndarray
    found: np.ndarray
    pieces: tuple[Piece, ...] = ()


def beyond_body(
    one: Sighting,
    vertices: np.ndarray,
    camera: Camera,
    model: BodyModel,
    patches: np.ndarray,
    stature_m: float,
) -> Beyond:
    """How the matte of somebody goes on beyond their body.

    Args:
        one: of them in a frame.
        vertices: (V, 3) of their body, in the frame of its ``camera``.
        camera: of the frame.
        model: of the body.
        patches: (F,) of each of its faces.
        stature_m: of the person.
    """
    figure = one.figure
    metre_px = camera.focal_px / max(float(vertices[:, 2].mean()), 0.1)
    scale = min(1.0, _STATURE_PX / (stature_m * metre_px))
    metre_px *= scale
    margin = _MARGIN_M * metre_px / scale
    pixels, alpha = camera.project(vertices), figure.alpha
    rows, columns = alpha.values.shape
    low = np.minimum(pixels.min(0) - margin, [alpha.x, alpha.y])
    high = np.maximum(pixels.max(0) + margin, [alpha.x + columns, alpha.y + rows])
    x0, y0 = (int(v) for v in np.maximum(np.floor(low), 0))
    x1, y1 = (int(v) for v in np.minimum(np.ceil(high), [camera.width, camera.height]))
    count = int(patches.max()) + 1
    nothing = Beyond(np.zeros(count), np.zeros(count))
    if x1 - x0 < 8 or y1 - y0 < 8:
        return nothing
    size = max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale))
    drawn = rasterize((pixels - [x0, y0]) * scale, vertices[:, 2], model.faces, *size)
    if not drawn.mask.any():
        return nothing
    matte = cv2.resize(alpha.window(x0, y0, x1, y1), size, interpolation=cv2.INTER_AREA) > 127
    far, label = cv2.distanceTransformWithLabels(
        (~drawn.mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(int(label.max()) + 1, int)
    of_label[label[drawn.mask]] = patches[drawn.face[drawn.mask]]
    away = np.asarray(far) / metre_px
    marks = _around_marks(figure, (x0, y0, scale), size, metre_px)
    ring = (away > _NEAR_M) & (away < _FAR_M) & ~marks
    asked = np.bincount(of_label[label[ring]], minlength=count)
    found = np.bincount(of_label[label[ring & matte]], minlength=count)
    tall = stature_m / 1.7
    pieces = []
    outside = (matte & ~marks & (away > _NEAR_M)).astype(np.uint8)
    number, labels, stats, _ = cv2.connectedComponentsWithStats(outside, connectivity=4)
    for piece in range(1, number):
        if stats[piece, cv2.CC_STAT_AREA] < _LEAST_AREA_M2 * (tall * metre_px) ** 2:
            continue
        own = labels == piece
        depth = cv2.distanceTransform(np.pad(own, 1).astype(np.uint8), cv2.DIST_L2, 3).max()
        if depth < _LEAST_HALF_M * tall * metre_px:
            continue
        reach = disc(max(1, round(_NEAR_M * metre_px)))
        grown = cv2.dilate(own.astype(np.uint8), reach) > 0
        left_out = grown & ~marks & (away > _KEPT_M)
        touching = np.unique(of_label[label[own & ring]])
        if len(touching):
            bits = np.packbits(left_out & matte)
            place = x0, y0, scale
            pieces.append(Piece(one.number, place, left_out.shape, bits, touching))
    return Beyond(asked, found, tuple(pieces))


def _around_marks(
    figure: Figure, window: tuple[int, int, float], size: tuple[int, int], metre_px: float
) -> np.ndarray:
    """(h, w) bool, around the landmarks of trunk and limbs."""
    x0, y0, scale = window
    points = (figure.landmarks.points - [x0, y0]) * scale
    seen = figure.landmarks.visibility > _SEEN
    out = np.zeros(size[::-1], np.uint8)
    for bones, radius_m in _BONES:
        for bone in bones[seen[bones].all(1)]:
            first, second = (tuple(end) for end in np.round(points[bone]).astype(int).tolist())
            cv2.line(out, first, second, 1, max(1, round(2 * radius_m * metre_px)))
    return out > 0
