"""What the user brings along about a picture: keypoints and masks of other programs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class GivenPose(Record):
    """Somebody's keypoints in a picture, told in our landmarks.

    Attributes:
        points: (33, 2) float64 pixels, in the order of ``types.keypoints.LANDMARK_NAMES``; NaN
            where the other program says nothing.
        confidence: (33,) float64 in 0..1, 0 there.
    """

    points: np.ndarray
    confidence: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """(33,) bool, of which landmarks something is told."""
        return np.asarray(self.confidence > 0)

    @property
    def box(self) -> np.ndarray:
        """(4,) float64 around what is told, x0, y0, x1, y1."""
        told = self.points[self.known]
        return np.concatenate([told.min(0), told.max(0)])

    def scaled(self, scale: float) -> GivenPose:
        """The same in a picture that is ``scale`` times as large."""
        return GivenPose(self.points * scale, self.confidence)


@dataclass(frozen=True, eq=False, repr=False)
class GivenMask(Record):
    """Somebody's pixels in a picture.

    Attributes:
        values: (h, w) bool, true where the person is.
        x, y: left and top of these pixels in the picture.
    """

    values: np.ndarray
    x: int
    y: int

    @property
    def box(self) -> np.ndarray:
        """(4,) float64 around the person, x0, y0, x1, y1 in pixels."""
        h, w = self.values.shape
        return np.array([self.x, self.y, self.x + w, self.y + h], float)


@dataclass(frozen=True, eq=False, repr=False)
class Given(Record):
    """All that is brought along about one picture.

    Attributes:
        poses: of whoever shall be reconstructed, and nobody else; None where the picture's people
            are to be found.
        masks: of some of the people, in any order.
    """

    poses: tuple[GivenPose, ...] | None = None
    masks: tuple[GivenMask, ...] = ()
