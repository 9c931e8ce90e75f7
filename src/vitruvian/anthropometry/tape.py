"""The tape: girths, breadths, lengths and heights of a body at rest, each with its line.

What is measured is in ``definitions``. The body stands at rest, arms some 45 degrees from the
trunk. A tape lies on the convex hull of what it surrounds, as a real one bridges the hollow between
the breasts; it never surrounds two parts of the body at once, arms and trunk or both legs.
"""

from __future__ import annotations

import numpy as np

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.girths import GIRTHS
from vitruvian.anthropometry.lengths import LENGTHS
from vitruvian.anthropometry.measured_body import MeasuredBody, Taken
from vitruvian.body.model.model import BodyModel

_TAKEN = {**GIRTHS, **LENGTHS}


def measures_of(model: BodyModel, vertices: np.ndarray, joints: np.ndarray) -> dict[str, Taken]:
    """All measures of ``definitions.MEASURES``, by their names.

    Args:
        model: the body model.
        vertices: (V, 3) of a body of its topology at rest, metres, y up, facing +z.
        joints: (J, 3) of the same body.
    """
    return taken_of(
        MeasuredBody(model, np.asarray(vertices, np.float64), np.asarray(joints, np.float64))
    )


def taken_of(body: MeasuredBody) -> dict[str, Taken]:
    """``measures_of`` a body."""
    return {measure.name: _TAKEN[measure.name](body) for measure in MEASURES}


def taken_by(body: MeasuredBody, name: str) -> Taken:
    """One measure of a body, by its name."""
    return _TAKEN[name](body)


def measures_of_shape(model: BodyModel, betas: np.ndarray) -> dict[str, float]:
    """All measures of a shape (K,) in metres, by their names."""
    return {name: one.metres for name, one in measures_of(model, *model.rest(betas)).items()}
