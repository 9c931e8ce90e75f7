"""A body with given measures: the most usual shape that has them.

The shapes are 64 directions around the mean of 2,000 bodies that were fitted to surveyed people
(``scripts/bake_measuring_shapes.py``), finer than the photograph's 32. Near the mean the measures
are linear in them, so a shape is a regularised least-squares step, and another from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.measured_body import MeasuredBody, Taken
from vitruvian.anthropometry.tape import taken_of
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.errors import WeightsError
from vitruvian.types.record import Record

DATA = Path(__file__).parent / "data" / "shapes.npz"
CHILDREN_DATA = DATA.with_name("children.npz")
_ROUNDS = 2  # a third moves the tape by a twentieth of a centimetre at most
_LEAST_SD = 0.004  # relative, with which a measure is met
_MET = 0.3  # of the measures' own doubts: they outweigh what is usual


@dataclass(frozen=True, eq=False, repr=False)
class MeasuringShapes(Record):
    """Shapes around a mean body, one unit being a standard deviation of people.

    Attributes:
        mean: (V, 3) float32 and joint_mean (J, 3) float64, metres, at rest.
        directions: (S, V, 3) float32; joint_directions: (S, J, 3) float64.
        measures: (M,) of the mean; slopes: (M, S) metres per unit.
    """

    mean: np.ndarray
    joint_mean: np.ndarray
    directions: np.ndarray
    joint_directions: np.ndarray
    measures: np.ndarray
    slopes: np.ndarray

    def body(self, model: BodyModel, coefficients: np.ndarray) -> MeasuredBody:
        """The body with coefficients (S,), at rest."""
        flat = self.directions.reshape(len(self.directions), -1)
        points = self.mean + (coefficients.astype(np.float32) @ flat).reshape(-1, 3)
        joints = self.joint_mean + np.tensordot(coefficients, self.joint_directions, 1)
        return MeasuredBody(model, points.astype(np.float64), joints)


@lru_cache(maxsize=1)
def measuring_shapes() -> MeasuringShapes:
    """The shapes that come with the package.

    Raises:
        WeightsError: the package is damaged.
    """
    model = body_model()
    try:
        with np.load(DATA) as archive:
            data = {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise WeightsError(f"The shapes {DATA} cannot be read: reinstall the package.") from error
    # One half of the body is kept, in 8 bits; the other is its mirror image.
    half = data["directions"].astype(np.float32) * data["scale"][:, None, None]
    directions = np.zeros((len(half), *model.template.shape), np.float32)
    kept = data["kept"]
    other = model.vertex_mirror[kept]
    directions[:, other] = half * np.array([-1, 1, 1], np.float32)
    directions[:, kept] = half
    return MeasuringShapes(
        data["mean"].astype(np.float32),
        data["joint_mean"].astype(np.float64),
        directions,
        data["joint_directions"].astype(np.float64),
        data["measures"].astype(np.float64),
        data["slopes"].astype(np.float64),
    )


@lru_cache(maxsize=1)
def child_shapes(group: str) -> MeasuringShapes:
    """Shapes of a group of children: the body model's own, for no survey of children is public.

    Raises:
        WeightsError: the package is damaged.
    """
    model = body_model()
    prior = model.shape_prior(group)
    spread = np.linalg.inv(prior.whitening)
    mean, joint_mean = model.rest(prior.mean)
    key = group.replace(" ", "_")
    try:
        with np.load(CHILDREN_DATA) as archive:
            measures, slopes = archive[f"{key}_measures"], archive[f"{key}_slopes"]
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"The shapes {CHILDREN_DATA} cannot be read: reinstall the package."
        ) from error
    return MeasuringShapes(
        mean.astype(np.float32),
        joint_mean.astype(np.float64),
        np.tensordot(spread.T.astype(np.float32), model.shape_directions, 1),
        np.tensordot(spread.T, model.joint_directions, 1),
        measures.astype(np.float64),
        slopes.astype(np.float64),
    )


@dataclass(frozen=True, eq=False, repr=False)
class ShapedBody(Record):
    """A body and its measures.

    Attributes:
        vertices: (V, 3) float32 at rest, metres, y up, facing +z, the soles on y = 0.
        taken: what the tape says of it, by name.
    """

    vertices: np.ndarray
    taken: dict[str, Taken]


def shape_with(metres: np.ndarray, sd: np.ndarray, child: str | None = None) -> ShapedBody:
    """The most usual body that has some measures.

    Args:
        metres: (M,) wanted, in the order of ``definitions.MEASURES``.
        sd: (M,) relative standard deviations: what is less sure may differ more.
        child: group of children of ``subject.CHILDREN`` that it is one of; None for adults.
    """
    model, shapes = body_model(), measuring_shapes() if child is None else child_shapes(child)
    scale = metres * np.maximum(_MET * sd, _LEAST_SD)
    # The stature is known: it is met to the millimetre.
    scale[[measure.name for measure in MEASURES].index("stature")] = 0.001
    weighted = shapes.slopes / scale[:, None]
    system = weighted.T @ weighted + np.eye(weighted.shape[1])
    coefficients = np.zeros(weighted.shape[1])
    measured = shapes.measures
    for _ in range(_ROUNDS):
        pull = ((metres - measured) / scale) @ weighted - coefficients
        coefficients = coefficients + np.linalg.solve(system, pull)
        body = shapes.body(model, coefficients)
        taken = taken_of(body)
        measured = np.array([taken[measure.name].metres for measure in MEASURES])
    lift = np.array([0, body.floor, 0])
    return ShapedBody(
        (body.points - lift).astype(np.float32),
        {name: Taken(one.metres, one.line - lift) for name, one in taken.items()},
    )
