"""A person's face: what it says of them before anything is fitted, and the face of a body."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class Face(Record):
    """A face that is really seen, and what networks make of it.

    Evidence that shapes a body, not a fact about a person.

    Attributes:
        box: (4,) float64 x0, y0, x1, y1 from the brows to the chin, pixels of the photograph.
        score: 0..1, how sure the detector is that there is a face.
        woman_log_odds: logarithm of the odds that it is a woman's, calibrated: were men and women
            equally frequent, a share of ``1 / (1 + exp(-woman_log_odds))`` of such faces would be
            women's.
        age: expected age in years; age_sd: how far it is off, years.
        points: (478, 3) float64 of ``networks.face_mesh``: pixels of the photograph, and how far
            behind the face's middle, on the same scale; None where the face is too small.
    """

    box: np.ndarray
    score: float
    woman_log_odds: float
    age: float
    age_sd: float
    points: np.ndarray | None = None

    @property
    def width_px(self) -> float:
        """Width of the face in pixels of the photograph."""
        return float(self.box[2] - self.box[0])


@dataclass(frozen=True, eq=False, repr=False)
class FaceShape(Record):
    """How somebody's own head and face depart from those that the shape of their body has.

    Attributes:
        offsets: (V, 3) float32 of the body's rest vertices, metres, rest frame; zero off head and
            neck.
        joint_offsets: (J, 3) float64 of the rest joints, likewise; zero but for the eyes'.
        error: mean distance in the picture of the fitted points from where the face shows them,
            as a share of the distance between the eyes.
    """

    offsets: np.ndarray
    joint_offsets: np.ndarray
    error: float
