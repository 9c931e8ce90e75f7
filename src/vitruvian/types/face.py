"""What a person's face says of them before anything is fitted."""

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
    """

    box: np.ndarray
    score: float
    woman_log_odds: float
    age: float
    age_sd: float

    @property
    def width_px(self) -> float:
        """Width of the face in pixels of the photograph."""
        return float(self.box[2] - self.box[0])
