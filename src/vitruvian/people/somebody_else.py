"""Whether two pictures plainly show two people, though they should show one."""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.image.cielab import cielab
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import ANKLES, HIPS, SHOULDERS
from vitruvian.types.photo import Photo

_ROWS = 160  # pixels of the person that are enough
_UPPER, _LOWER = (0.1, 0.85), (1.15, 2.2)  # trunk lengths from the shoulders down
_LIGHTNESS = 0.4  # of a difference in lightness that counts: light differs between pictures
_LEAST_PIXELS = 60
_MAIN, _TRIED = 4, 300  # main colours of either half, pixels among which they are sought
_LEAST_SHARE = 0.15  # that is a main colour
_OTHER_CLOTHES = 14.0  # CIELAB units between the nearest main colours of either half
_SURE_LOG_ODDS = 3.0  # of a face being a woman's, or a man's
_LEAST_FACE_PX = 24.0
_CHILD, _ADULT = 0.9, 0.1  # probability of being a child

_CLOTHES = "the clothes have other colours"
_KIND = "one is a child"
_SEX = "the faces are a woman's and a man's"


def other_person(
    photo: Photo, figure: Figure, other_photo: Photo, other: Figure
) -> tuple[str, ...]:
    """Reasons, as clauses, to believe that two figures are two people; none where they may be one.

    Faces and builds count where they are told surely, clothes where both halves differ by more
    than light can make.
    """
    reasons = []
    if _other_clothes(photo, figure, other_photo, other):
        reasons.append(_CLOTHES)
    children = [0.5 if one.estimate is None else one.estimate.child for one in (figure, other)]
    if max(children) > _CHILD and min(children) < _ADULT:
        reasons.append(_KIND)
    faces = [one.face for one in (figure, other)]
    odds = [
        one.woman_log_odds for one in faces if one is not None and one.width_px >= _LEAST_FACE_PX
    ]
    if len(odds) == 2 and min(odds) < -_SURE_LOG_ODDS and max(odds) > _SURE_LOG_ODDS:
        reasons.append(_SEX)
    return tuple(reasons)


def _other_clothes(photo: Photo, figure: Figure, other_photo: Photo, other: Figure) -> bool:
    halves = zip(_halves(photo, figure), _halves(other_photo, other), strict=True)
    apart = [_apart(a, b) for a, b in halves if len(a) and len(b)]
    return len(apart) == 2 and min(apart) > _OTHER_CLOTHES


def _apart(a: np.ndarray, b: np.ndarray) -> float:
    """Distance of the nearest of two sets (N, 3) of colours."""
    return float(np.linalg.norm(a[:, None] - b[None], axis=2).min())


def _halves(photo: Photo, figure: Figure) -> list[np.ndarray]:
    """The main colours (K, 3) of the upper and the lower half, CIELAB, lightness weighted."""
    alpha, points = figure.alpha, figure.landmarks.points
    height, width = alpha.values.shape
    window = photo.pixels[alpha.y : alpha.y + height, alpha.x : alpha.x + width]
    scale = min(1.0, _ROWS / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    lab = cielab(cv2.resize(window, size, interpolation=cv2.INTER_AREA))
    lab = lab * np.array([_LIGHTNESS, 1, 1], np.float32)
    mask = cv2.resize(alpha.values, size, interpolation=cv2.INTER_AREA) > 200
    # Along the trunk, whichever way it points.
    shoulders, hips = points[SHOULDERS].mean(0), points[HIPS].mean(0)
    length = max(float(np.linalg.norm(hips - shoulders)), 1.0)
    axis = (hips - shoulders) / length
    rows, columns = np.mgrid[: size[1], : size[0]]
    along = (np.stack([columns, rows], 2) / scale + [alpha.x, alpha.y] - shoulders) @ axis / length
    reach = float((points[ANKLES].mean(0) - shoulders) @ axis / length)
    parts = (_UPPER, (_LOWER[0], max(min(_LOWER[1], reach), _LOWER[0] + 0.2)))
    return [_main(lab[mask & (along > low) & (along < high)]) for low, high in parts]


def _main(colors: np.ndarray) -> np.ndarray:
    """The main ones (K, 3) of colours (N, 3); none of too few."""
    if len(colors) < _LEAST_PIXELS:
        return np.zeros((0, 3), np.float32)
    some = colors[np.random.default_rng(0).permutation(len(colors))[:_TRIED]]
    # As k-means, from colours that lie far apart.
    centers = some[:1]
    for _ in range(_MAIN - 1):
        far = np.linalg.norm(some[:, None] - centers, axis=2).min(1).argmax()
        centers = np.concatenate([centers, some[[far]]])
    for _ in range(6):
        near = np.linalg.norm(some[:, None] - centers, axis=2).argmin(1)
        centers = np.stack([
            some[near == k].mean(0) if (near == k).any() else centers[k] for k in range(_MAIN)
        ])  # fmt: skip
    share = np.bincount(near, minlength=_MAIN) / len(some)
    return np.asarray(centers[share >= _LEAST_SHARE], np.float32)
