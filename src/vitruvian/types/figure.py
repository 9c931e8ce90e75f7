"""What the people stage hands on: figures found in a photograph."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vitruvian.hints import Hint
from vitruvian.types.estimate import BodyEstimate
from vitruvian.types.face import Face
from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class Landmarks(Record):
    """Body landmarks of one person.

    Attributes:
        points: (33, 2) float64 pixels of the photograph (continuous; see ``Camera``).
        visibility: (33,) float64 in 0..1, the network's belief that the point is in view.
        world: (33, 3) float64 metres, centred on the hips, axes as the camera frame's (x right,
            y down, z forward), already turned back by the crop's rotation but not by the viewing
            ray. About 16 % too small; see ``body.fit``.
        disagreement: median distance to the detector's keypoints / crop size; above .06 the
            landmarks are suspect.
        spread: (33,) float64 pixels, how far several looks at the person put each landmark from
            their mean, which ``points`` is; None where there was one look.
    """

    points: np.ndarray
    visibility: np.ndarray
    world: np.ndarray
    disagreement: float
    spread: np.ndarray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Alpha(Record):
    """A person's matte, stored as a window of the photograph.

    Attributes:
        values: (h, w) uint8, 255 = wholly this person.
        x, y: left and top of the window in whole pixels of the photograph.
        width, height: size of the photograph in pixels.
    """

    values: np.ndarray
    x: int
    y: int
    width: int
    height: int

    @property
    def box(self) -> np.ndarray:
        """x0, y0, x1, y1 of the window."""
        height, width = self.values.shape
        return np.array([self.x, self.y, self.x + width, self.y + height])

    def full(self) -> np.ndarray:
        """The matte (height, width) uint8 at the size of the photograph."""
        return self.window(0, 0, self.width, self.height)

    def window(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """The matte (y1 - y0, x1 - x0) uint8 of a window of the photograph, 0 where it has none."""
        out = np.zeros((y1 - y0, x1 - x0), np.uint8)
        h, w = self.values.shape
        left, top = max(self.x, x0), max(self.y, y0)
        right, bottom = min(self.x + w, x1), min(self.y + h, y1)
        if right > left and bottom > top:
            out[top - y0 : bottom - y0, left - x0 : right - x0] = self.values[
                top - self.y : bottom - self.y, left - self.x : right - self.x
            ]
        return out

    def without(self, other: Alpha) -> Alpha:
        """This matte less another of the same photograph."""
        height, width = self.values.shape
        taken = other.window(self.x, self.y, self.x + width, self.y + height)
        return replace(self, values=np.minimum(self.values, 255 - taken))


@dataclass(frozen=True, eq=False, repr=False)
class Figure(Record):
    """One person found in a photograph, before anything is known in 3D.

    Attributes:
        box: (4,) float64 x0, y0, x1, y1 in pixels.
        score: 0..1, how sure the detection is.
        landmarks: the body landmarks.
        alpha: the matte of this person only.
        complete: the whole figure is in view (head to feet, inside the frame).
        completeness: 0..1 score behind ``complete``.
        warnings: sentences for the user.
        estimate: build, age, pose and which parts are in view, as a network sees them; None without
            its weights.
        face: of the person, where one is seen well enough to tell something.
        hint: what the user knows of the person; it overrules what is estimated.
        number: in the report, from 1, left to right.
        overlapped: somebody else's box overlaps theirs.
    """

    box: np.ndarray
    score: float
    landmarks: Landmarks
    alpha: Alpha
    complete: bool
    completeness: float
    warnings: tuple[str, ...] = ()
    estimate: BodyEstimate | None = None
    face: Face | None = None
    hint: Hint | None = None
    number: int = 0
    overlapped: bool = False

    @property
    def size(self) -> float:
        """The longer side of the box in pixels."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))


# Why people are seen but not reconstructed; the keys stay when sentences change.
LEFT_OUT_REASONS = {
    "not-a-person": "the user said that it is not a person",
    "no-pose": "somebody seems to be there, but how they stand could not be made out",
    "no-outline": "which pixels are theirs could not be made out",
    "hidden": "somebody else hides most of them",
    "too-small": "they have too few pixels",
    "over-limit": "there are more people than were asked for",
}


@dataclass(frozen=True, eq=False, repr=False)
class LeftOut(Record):
    """Somebody who is seen in a photograph but not reconstructed.

    Attributes:
        box: (4,) float64 x0, y0, x1, y1 in pixels of the photograph.
        reason: a key of ``LEFT_OUT_REASONS``.
        sentence: the reason for the user.
        number: that the person had; None where they have none.
    """

    box: np.ndarray
    reason: str
    sentence: str
    number: int | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Found(Record):
    """Who is in a photograph.

    Attributes:
        figures: who can be reconstructed, left to right.
        left_out: who cannot, or shall not.
    """

    figures: tuple[Figure, ...]
    left_out: tuple[LeftOut, ...] = ()
