"""The result of measuring: values with their bands, and the body that has them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.definitions import MEASURES, Measure
from vitruvian.anthropometry.judging import JudgedPair
from vitruvian.anthropometry.measured_body import Taken
from vitruvian.anthropometry.shape import shape_with
from vitruvian.anthropometry.subject import Subject
from vitruvian.body.model.model import body_model
from vitruvian.errors import WeightsError
from vitruvian.networks.measuring import MeasuringNetwork
from vitruvian.types.mesh import Mesh
from vitruvian.types.record import Record

BANDS = Path(__file__).parent / "data" / "bands.json"
_UNSURE = 1.5  # times the band, where the silhouettes say little
_APART = 3.5  # mean disagreement of front and side, in usual ones, from which on they are doubted

DISAGREE = (
    "Front and side do not fit each other: check that both show the same person in the same "
    "clothes, upright and whole."
)


@dataclass(frozen=True)
class Value:
    """One measure of somebody.

    Attributes:
        measure: what is measured.
        cm: its value in centimetres.
        low_cm, high_cm: in nine cases of ten it lies between these.
        sure: the silhouettes show what it is read from.
    """

    measure: Measure
    cm: float
    low_cm: float
    high_cm: float
    sure: bool


@dataclass(frozen=True, eq=False, repr=False)
class Measured(Record):
    """Somebody's measures.

    Attributes:
        subject: what was told.
        values: in the order of ``definitions.MEASURES``.
        mesh: the body at rest, arms off the trunk, frame ``body``, metres.
        taken: where the tape lies on it, by name; its lengths are the mesh's own, which differ a
            little from the values.
        views: (2, h, w) uint8, the silhouettes that were measured.
        warnings: sentences for people.
    """

    subject: Subject
    values: tuple[Value, ...]
    mesh: Mesh
    taken: dict[str, Taken]
    views: np.ndarray
    warnings: tuple[str, ...]

    def __getitem__(self, name: str) -> Value:
        """The measure of that name."""
        for value in self.values:
            if value.measure.name == name:
                return value
        raise KeyError(name)


@dataclass(frozen=True)
class _Bands:
    """What held-out people taught of the network's own doubts.

    Attributes:
        factors: (M,) of the standard deviation to half a band that holds nine in ten.
        disagreement: (M,) standard deviation of front minus side, of log ratios.
    """

    factors: np.ndarray
    disagreement: np.ndarray


@lru_cache(maxsize=1)
def _bands() -> _Bands:
    try:
        data = json.loads(BANDS.read_text(encoding="utf-8"))
        names = [measure.name for measure in MEASURES]
        return _Bands(
            *(np.array([data[key][name] for name in names]) for key in ("factor", "disagreement"))
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"The bands {BANDS} cannot be read: reinstall the package.") from error


def measure_pair(pair: JudgedPair, subject: Subject, warnings: Sequence[str] = ()) -> Measured:
    """Read somebody's measures from their silhouettes.

    Args:
        pair: front and side.
        subject: what they told of themselves.
        warnings: what is to be said before what the pair gives reason to say.
    """
    said = MeasuringNetwork()(pair.views, subject.known)
    bands = _bands()
    doubts = list(pair.warnings)
    apart = np.sqrt(np.mean(((said.front - said.side) / bands.disagreement)[1:] ** 2))
    widen = 1.0
    if apart > _APART:
        doubts.append(DISAGREE)
        widen = _UNSURE
    shaped = shape_with(said.metres, said.sd)
    values = []
    for number, measure in enumerate(MEASURES):
        sure = measure.name not in pair.unsure
        half = said.sd[number] * bands.factors[number] * widen * (1 if sure else _UNSURE)
        cm = 100 * float(said.metres[number])
        if measure.name == "stature":
            cm, half = subject.height_cm, 0.0
        values.append(Value(measure, cm, cm * float(np.exp(-half)), cm * float(np.exp(half)), sure))
    model = body_model()
    mesh = Mesh(shaped.vertices, model.faces, "body", uvs=model.uvs, uv_faces=model.uv_faces)
    return Measured(subject, tuple(values), mesh, shaped.taken, pair.views, (*warnings, *doubts))
