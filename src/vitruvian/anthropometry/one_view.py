"""Measures of the body that a single photograph suggests: guesses, with bands that say how rough.

One view does not show how deep a body is, and clothes hide how wide: what is not seen is the body
model's most usual. The bands hold nine in ten of generated people in ordinary clothes and poses
(``python -m vitruvian.lab.measuring.one_view``).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.measured_body import MeasuredBody
from vitruvian.anthropometry.tape import taken_by
from vitruvian.body.model.model import BodyModel
from vitruvian.errors import WeightsError
from vitruvian.types.body import Body

BANDS = Path(__file__).parent / "data" / "one_view.json"
# Those that sizes of clothes go by; small girths tell nothing in a photograph from afar.
NAMES = (
    "neck", "chest", "waist", "hip", "thigh", "shoulder_breadth", "arm_length", "inside_leg",
)  # fmt: skip
_ADULT_M = 1.45  # children are built otherwise, and nothing says how far they are off
_NINE_IN_TEN = 1.645  # standard deviations


@dataclass(frozen=True)
class Guess:
    """A measure that a photograph suggests; in nine cases of ten it lies between the bounds."""

    cm: float
    low_cm: float
    high_cm: float


def shape_ratios(model: BodyModel, betas: np.ndarray) -> dict[str, float]:
    """Each of ``NAMES`` over the stature, for a shape (K,)."""
    vertices, joints = model.rest(betas)
    body = MeasuredBody(model, vertices.astype(np.float64), np.asarray(joints, np.float64))
    stature = float(np.ptp(body.points[:, 1]))
    return {name: taken_by(body, name).metres / stature for name in NAMES}


@lru_cache(maxsize=1)
def _doubts() -> dict[str, float]:
    """Half a band of each measure over the stature, as a logarithm."""
    try:
        data = json.loads(BANDS.read_text(encoding="utf-8"))
        return {name: float(data[name]) for name in NAMES}
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"The bands {BANDS} cannot be read: reinstall the package.") from error


def guessed_measures(body: Body) -> dict[str, Guess] | None:
    """What the body of a photograph comes to; None where too little is seen, and of children."""
    adult = body.height_m >= _ADULT_M
    if not (adult and body.seen.complete and isinstance(body.model, BodyModel)):
        return None
    found = {}
    height_doubt = _NINE_IN_TEN * body.height_sd_m / body.height_m
    for name, ratio in shape_ratios(body.model, body.betas).items():
        half = math.hypot(_doubts()[name], height_doubt)
        cm = 100 * ratio * body.height_m
        found[name] = Guess(cm, cm * math.exp(-half), cm * math.exp(half))
    return found
