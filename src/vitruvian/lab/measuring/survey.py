"""ANSUR II: what 6,068 people measure, with the tape and the calliper."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.measured_body import MeasuredBody, Taken
from vitruvian.body.model.model import DENSITY, BodyModel
from vitruvian.errors import InputError
from vitruvian.types.record import Record

FILES = {"men": "ANSUR_II_MALE_Public.csv", "women": "ANSUR_II_FEMALE_Public.csv"}

# What was measured besides the tape's measures, as extents along an axis (0 across, 2 from front to
# back) of a girth's line, and as levels of landmarks.
_EXTENTS = {
    "chestdepth": ("chest", 2),
    "waistbreadth": ("waist_navel", 0),
    "waistdepth": ("waist_navel", 2),
    "buttockdepth": ("hip", 2),
}
_LEVELS = {
    "acromialheight": "acromion",
    "axillaheight": "axilla",
    "cervicaleheight": "cervicale",
    "suprasternaleheight": "suprasternale",
    "waistheightomphalion": "navel",
}
_MASS = "weightkg"
# Flexed in the survey, relaxed on our bodies: shares of the survey's (our estimate).
_RELAXED = {"bicepscircumferenceflexed": 0.95}
# Columns that are defined too differently to be fitted: a flexed forearm, hips of feet together.
_NOT_FITTED = ("forearmcircumferenceflexed", "hipbreadth", "neckcircumferencebase")

COLUMNS: tuple[str, ...] = (
    *(m.ansur for m in MEASURES if m.ansur is not None and m.ansur not in _NOT_FITTED),
    *_EXTENTS,
    *_LEVELS,
    _MASS,
)


@dataclass(frozen=True, eq=False, repr=False)
class Surveyed(Record):
    """People of one sex.

    Attributes:
        values: (N, C) float64 of ``COLUMNS``, metres; of the mass kilograms / 100.
        age: (N,) years.
    """

    values: np.ndarray
    age: np.ndarray


def surveyed(folder: Path, group: str) -> Surveyed:
    """The survey's ``men`` or ``women``, from the folder of its two public files.

    Raises:
        InputError: the file is not there.
    """
    path = folder / FILES[group]
    if not path.is_file():
        raise InputError(f"There is no {path}: give the folder with the files of ANSUR II.")
    with path.open(encoding="latin-1", newline="") as lines:
        rows = list(csv.DictReader(lines))
    values = np.array(
        [[float(row[name]) / 1000 * _RELAXED.get(name, 1) for name in COLUMNS] for row in rows]
    )
    return Surveyed(values, np.array([float(row["Age"]) for row in rows]))


def as_surveyed(body: MeasuredBody, taken: Mapping[str, Taken]) -> np.ndarray:
    """What a body measures by the survey's ``COLUMNS`` (C,), in the units of ``Surveyed``.

    ``taken``: ``anthropometry.tape.taken_of`` the body.
    """
    column = {m.ansur: taken[m.name].metres for m in MEASURES if m.ansur is not None}
    for name, (girth, axis) in _EXTENTS.items():
        column[name] = _extent(taken[girth], axis)
    for name, landmark in _LEVELS.items():
        column[name] = body.level(landmark) - body.floor
    column[_MASS] = mass_kg(body.model, body.points) / 100
    return np.array([column[name] for name in COLUMNS])


def mass_kg(model: BodyModel, vertices: np.ndarray) -> float:
    """Mass of a closed body (V, 3), in kilograms."""
    a, b, c = (vertices[model.faces[:, i]].astype(np.float64) for i in range(3))
    return float(np.einsum("fi,fi->", np.cross(a, b), c)) / 6 * DENSITY


def _extent(taken: Taken, axis: int) -> float:
    return float(np.ptp(taken.line[:, axis]))
