"""A body at rest under the tape: its landmarks, joints and parts, and the tapes around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from vitruvian.anthropometry.landmarks import find_landmarks
from vitruvian.anthropometry.sections import Plane, length_of, tape_around, tape_over
from vitruvian.body.model.model import BodyModel
from vitruvian.types.record import Record
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG, TRUNK

UP = np.array([0.0, 1.0, 0.0])
_STEP_M = 0.006  # between the places that are tried for a largest or smallest girth


@dataclass(frozen=True, eq=False, repr=False)
class Taken(Record):
    """One measure of one body.

    Attributes:
        metres: its value.
        line: (N, 3) float64 where the tape lies, metres, in the frame of the vertices; a girth's
            ends where it begins.
    """

    metres: float
    line: np.ndarray

    @classmethod
    def along(cls, line: Sequence[np.ndarray] | np.ndarray) -> Taken:
        """The length of a line through points (N, 3)."""
        line = np.asarray(line, np.float64)
        return cls(length_of(line), line)

    @classmethod
    def around(cls, line: np.ndarray) -> Taken:
        """The length of a closed line through points (N, 3), the first not repeated."""
        if len(line) == 0:
            raise ValueError("the plane of a girth does not cut the body where it should")
        return cls.along(np.concatenate([line, line[:1]]))

    @classmethod
    def down(cls, top: np.ndarray, level: float) -> Taken:
        """The height of a point (3,) above a level."""
        return cls.along([top, np.array([top[0], level, top[2]])])


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredBody(Record):
    """A body at rest.

    Attributes:
        model: the body model.
        points: (V, 3) float64 its vertices, metres, y up, facing +z.
        joints: (J, 3) float64 its joints.
    """

    model: BodyModel
    points: np.ndarray
    joints: np.ndarray

    def __post_init__(self) -> None:
        if self.points.shape != self.model.template.shape:
            raise ValueError(
                f"vertices must have shape {self.model.template.shape}, got {self.points.shape}"
            )

    @cached_property
    def floor(self) -> float:
        """Level of the soles."""
        return float(self.points[self.model.components == 0, 1].min())

    @cached_property
    def buttock(self) -> np.ndarray:
        """The rearmost point (3,) between crotch and waist."""
        inside = np.isin(self.model.regions.part, (TRUNK, RIGHT_LEG)) & (self.points[:, 0] <= 0)
        inside &= self.points[:, 1] > self.level("crotch")
        inside &= self.points[:, 1] < self.level("waist")
        among = self.points[inside]
        return np.asarray(among[among[:, 2].argmin()])

    def at(self, landmark: str, *, left: bool = False) -> np.ndarray:
        """Position (3,) of a landmark of the right side, or of the one mirrored on the left."""
        vertex = getattr(find_landmarks(self.model), landmark)
        return np.asarray(self.points[self.model.vertex_mirror[vertex] if left else vertex])

    def level(self, landmark: str) -> float:
        """Height of a landmark."""
        return float(self.at(landmark)[1])

    def joint(self, name: str) -> np.ndarray:
        """Position (3,) of a joint."""
        return np.asarray(self.joints[self.model.joint_index[name]])

    @cached_property
    def waist(self) -> Taken:
        """The girth of the waist, which lengths begin at, too."""
        return self.flat_girth(self.level("waist"), TRUNK)

    @cached_property
    def hip(self) -> Taken:
        """The girth where the buttocks stand out the farthest."""
        return self.flat_girth(float(self.buttock[1]), TRUNK, LEFT_LEG, RIGHT_LEG)

    def flat_girth(self, level: float, *parts: int) -> Taken:
        """The horizontal girth of parts of the body (of ``types.regions``) at a level."""
        return self.girth(np.array([0.0, level, 0.0]), UP, *parts)

    def girth(self, place: np.ndarray, axis: np.ndarray, *parts: int) -> Taken:
        """The girth of parts at right angles to an axis (3,) through a point (3,)."""
        plane = Plane.through(place, axis)
        return Taken.around(tape_around(self.points, _faces_of(self.model, parts), plane))

    def largest(self, start: np.ndarray, end: np.ndarray, *parts: int) -> Taken:
        """The largest girth across the way from one point (3,) to another."""
        return max(self._girths(start, end, parts), key=lambda one: one.metres)

    def smallest(self, start: np.ndarray, end: np.ndarray, *parts: int) -> Taken:
        """The smallest girth across the way from one point (3,) to another."""
        return min(self._girths(start, end, parts), key=lambda one: one.metres)

    def over(self, start: np.ndarray, end: np.ndarray, out: np.ndarray, *parts: int) -> np.ndarray:
        """A taut tape (N, 3) over parts from one point to another, on the side ``out`` (3,)."""
        return tape_over(self.points, _faces_of(self.model, parts), (start, end), out)

    def _girths(self, start: np.ndarray, end: np.ndarray, parts: tuple[int, ...]) -> list[Taken]:
        count = max(2, round(float(np.linalg.norm(end - start)) / _STEP_M))
        shares = np.linspace(0, 1, count)
        return [self.girth(start + (end - start) * share, end - start, *parts) for share in shares]


@lru_cache(maxsize=32)
def _faces_of(model: BodyModel, parts: tuple[int, ...]) -> np.ndarray:
    """The faces (F, 3) of the skin whose corners are all of some parts."""
    skin = model.components[model.faces[:, 0]] == 0
    return np.asarray(model.faces[skin & np.isin(model.regions.part[model.faces], parts).all(1)])
