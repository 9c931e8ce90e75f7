"""The result of measuring: values with their bands, and the body that has them."""

from __future__ import annotations

import json
from collections import Counter
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
BAND_TABLES = ("factor", "children", "common")
ODDS_TABLE = "least_log_odds"
# Of photographs the colours of clothes count, log odds for each unit of
# ``colours.clothes_apart``; one of 60 rendered pairs of one person has less than the least.
_COLOURS, _LEAST_WITH_COLOURS = 20.0, -4.9
_UNSURE = 1.5  # times the band, where the silhouettes say little

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
        views: (N, 2, h, w) uint8, the pairs of silhouettes that were measured.
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
        children: (M,) the same of children.
        common: (M,) share of an error's variance that all captures of one person have in common.
        least_odds, least_odds_child: log odds that both views are of one person below which they
            are doubted; one of 200 pairs of adults, or of children, has less.
    """

    factors: np.ndarray
    children: np.ndarray
    common: np.ndarray
    least_odds: float
    least_odds_child: float


@lru_cache(maxsize=1)
def _bands() -> _Bands:
    try:
        data = json.loads(BANDS.read_text(encoding="utf-8"))
        names = [measure.name for measure in MEASURES]
        factors, children, common = (
            np.array([data[key][name] for name in names]) for key in BAND_TABLES
        )
        least = (float(data[ODDS_TABLE][who]) for who in ("adults", "children"))
        return _Bands(factors, children, common, *least)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"The bands {BANDS} cannot be read: reinstall the package.") from error


def measure_pairs(
    pairs: Sequence[JudgedPair], subject: Subject, warnings: Sequence[str] = ()
) -> Measured:
    """Read somebody's measures from their silhouettes.

    Args:
        pairs: front and side, as often as they were taken, once or more.
        subject: what they told of themselves.
        warnings: what is to be said before what the pairs give reason to say.
    """
    network, bands = MeasuringNetwork(), _bands()
    said = [network(pair.views, subject.known) for pair in pairs]
    doubts = list(dict.fromkeys(doubt for pair in pairs for doubt in pair.warnings))
    least = bands.least_odds if subject.child is None else bands.least_odds_child
    odds = float(np.mean([one.same for one in said]))
    apart = [pair.clothes_apart for pair in pairs if pair.clothes_apart is not None]
    if apart:
        odds, least = odds - _COLOURS * float(np.mean(apart)), _LEAST_WITH_COLOURS
    widen = 1.0
    if odds < least:
        doubts.append(DISAGREE)
        widen = _UNSURE
    metres = np.exp(np.mean([np.log(one.metres) for one in said], axis=0))
    # What pose, camera and cloth did to one capture, others need not have done.
    share = bands.common + (1 - bands.common) / len(said)
    sd = np.sqrt(np.mean([one.sd**2 for one in said], axis=0) * share)
    shaped = shape_with(metres, sd, subject.child)
    factors = bands.factors if subject.child is None else bands.children
    # Sure is what half of the pairs or more show.
    unsure = Counter(name for pair in pairs for name in pair.unsure)
    values = []
    for number, measure in enumerate(MEASURES):
        sure = 2 * unsure[measure.name] <= len(pairs) and unsure[measure.name] < len(pairs)
        half = sd[number] * factors[number] * widen * (1 if sure else _UNSURE)
        cm = 100 * float(metres[number])
        if measure.name == "stature":
            cm, half = subject.height_cm, 0.0
        values.append(Value(measure, cm, cm * float(np.exp(-half)), cm * float(np.exp(half)), sure))
    model = body_model()
    mesh = Mesh(shaped.vertices, model.faces, "body", uvs=model.uvs, uv_faces=model.uv_faces)
    views = np.stack([pair.views for pair in pairs])
    return Measured(subject, tuple(values), mesh, shaped.taken, views, (*warnings, *doubts))
