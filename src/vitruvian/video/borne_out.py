"""Feet that a matte bears out where a motion has them elsewhere: a kick, not a glitch.

A landmark far from where the motion has it stops counting, for most such are wrong. But where all
three of a foot are on the person, where the motion puts it there is nobody, and the rest of the
person is where the motion has them, it is the motion that is wrong: smoothness alone decided. One
landmark of an arm says less: of those more were wrong than right.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import ANKLES, CORE, HEELS, TOES, marks_of_joints

_FEET = np.stack([ANKLES, HEELS, TOES], axis=1)
_SEEN = 0.7  # visibility
_NOBODY_M = 0.03  # from the matte's rim to where the motion has a landmark of the foot
_APART_M = 0.06  # between that and the landmark
_REST, _AGREES_M = 0.8, 0.05  # share of trunk and limbs that is not farther from the motion


def borne_out(figure: Figure, camera: Camera, points: np.ndarray) -> np.ndarray:
    """(33,) bool, landmarks of feet that are on the matte while the motion has the foot off it.

    Args:
        figure: of the person in a frame.
        camera: of the frame.
        points: (33, 3) where the motion has the landmarks, in the camera's frame.
    """
    out = np.zeros(len(points), bool)
    depth = points[:, 2]
    if (depth < 0.1).any():
        return out
    marks = figure.landmarks
    solved = camera.project(marks_of_joints(points))
    metre_px = camera.focal_px / depth
    apart = np.linalg.norm(solved - marks.points, axis=1) / metre_px
    if np.quantile(apart[CORE], _REST) > _AGREES_M:
        return out
    inside = ((solved >= 0) & (solved < [camera.width, camera.height])).all(1)
    far = np.asarray(apart > _APART_M) & (marks.visibility > _SEEN) & inside
    feet = _FEET[far[_FEET].all(1)]
    if not len(feet):
        return out
    for foot in feet:
        found = _off_the_matte(figure, marks.points[foot])
        has = _off_the_matte(figure, solved[foot]) / metre_px[foot]
        out[foot] = not found.any() and (has > _NOBODY_M).any()
    return out


def _off_the_matte(figure: Figure, pixels: np.ndarray) -> np.ndarray:
    """(N,) how many pixels places (N, 2) in the picture are off the matte, 0 on it."""
    alpha = figure.alpha
    height, width = alpha.values.shape
    low = np.minimum(np.floor(pixels.min(0)), [alpha.x, alpha.y]).astype(int) - 1
    high = np.maximum(np.ceil(pixels.max(0)), [alpha.x + width, alpha.y + height]).astype(int) + 1
    matte = alpha.window(*low.tolist(), *high.tolist()) > 127
    far = cv2.distanceTransform((~matte).astype(np.uint8), cv2.DIST_L2, 3)
    columns, rows = (np.floor(pixels).astype(int) - low).T
    return np.asarray(far[rows, columns], np.float64)
