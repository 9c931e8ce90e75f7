"""Bodies with the measures of real people: our shapes fitted to every person of ANSUR II.

``python -m vitruvian.lab.measuring.people ANTHROPOMETRY -o people.npz``

Around each sex's mean body the measures are nearly linear in the shape, so a person is one linear
least-squares step from the mean, with the population's shapes as prior, and one more from there.
Where the tape on a body and the calliper on a person differ in the mean, by definition or by flesh,
people are fitted to their differences from the mean. What the survey does not tell, such as how
thick a knee is or where a belly sits, is drawn from what the prior leaves open.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.measured_body import MeasuredBody
from vitruvian.anthropometry.tape import taken_of
from vitruvian.body.model.model import body_model
from vitruvian.lab.measuring.shapes import Shapes, measuring_shapes
from vitruvian.lab.measuring.survey import COLUMNS, Surveyed, as_surveyed, mass_kg, surveyed
from vitruvian.types.record import Record

GROUPS = ("men", "women")
_STEP = 0.3  # of a coefficient, for derivatives
_LOCAL_SD = 0.5  # prior of a local direction, in its own units
_SD_M = 0.004  # with which a measure is fitted
_LOOSE_SD_M = {
    "headcircumference": 0.01, "neckcircumference": 0.01, "biacromialbreadth": 0.01,
    "acromialheight": 0.01, "axillaheight": 0.01, "cervicaleheight": 0.01,
    "suprasternaleheight": 0.01, "weightkg": 0.02,
}  # fmt: skip
_MEAN_ROUNDS = 3
_OPEN_SHARE = 0.6  # of the prior's spread: MakeHuman's directions alone would make lumps


@dataclass(frozen=True, eq=False, repr=False)
class FittedPeople(Record):
    """Shapes of surveyed people.

    Attributes:
        coefficients: (N, S) float32 of ``measuring_shapes``.
        measures_m: (N, M) float32 of ``anthropometry.definitions.MEASURES``, metres.
        mass_kg: (N,) float32.
        residuals_m: (N, C) float32, what is left of ``survey.COLUMNS`` after the mean's.
        group: (N,) uint8 index of ``GROUPS``.
        age: (N,) float32 years.
    """

    coefficients: np.ndarray
    measures_m: np.ndarray
    mass_kg: np.ndarray
    residuals_m: np.ndarray
    group: np.ndarray
    age: np.ndarray

    def save(self, path: Path) -> None:
        """Write as ``.npz``."""
        np.savez_compressed(path, **{name: getattr(self, name) for name in _FIELDS})

    @classmethod
    def load(cls, path: Path) -> FittedPeople:
        """Read what ``save`` wrote."""
        with np.load(path) as archive:
            return cls(*(archive[name] for name in _FIELDS))


_FIELDS = ("coefficients", "measures_m", "mass_kg", "residuals_m", "group", "age")


class _Fit:
    """The linear map from one sex's shapes to measures, and its regularised inverse."""

    def __init__(self, shapes: Shapes, group: str, mean: np.ndarray) -> None:
        self._model, self._shapes = body_model(), shapes
        prior = self._model.shape_prior(group)
        count = len(shapes.names)
        self._expected = np.zeros(count)
        self._expected[: shapes.own] = prior.mean
        self._precision = np.eye(count) / _LOCAL_SD**2
        own = slice(shapes.own)
        self._precision[own, own] = prior.whitening.T @ prior.whitening
        self._sd = np.array([_LOOSE_SD_M.get(name, _SD_M) for name in COLUMNS])
        self.middle = self._expected
        for _ in range(_MEAN_ROUNDS):
            self._linearise()
            wanted = mean - self.measured(self.middle)
            self.middle = self.middle + self._step(wanted, self.middle - self._expected)
        self._linearise()
        self._at_middle = self.measured(self.middle)
        # Of what the measures leave open: rows times normal numbers have that covariance.
        self._open = np.linalg.inv(np.linalg.cholesky(self._system)).T
        self.bias = self._at_middle - mean

    def measured(self, coefficients: np.ndarray) -> np.ndarray:
        """The survey's columns (C,) of a shape."""
        return self._taken(coefficients)[0]

    def _taken(self, coefficients: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The survey's columns (C,) of a shape, and the tape's measures (M,)."""
        vertices, joints = self._shapes.rest(self._model, coefficients)
        body = MeasuredBody(self._model, vertices.astype(np.float64), joints)
        taken = taken_of(body)
        measures = np.array([taken[measure.name].metres for measure in MEASURES])
        return as_surveyed(body, taken), measures

    def _linearise(self) -> None:
        base = self.measured(self.middle)
        columns = []
        for direction in range(len(self.middle)):
            moved = self.middle.copy()
            moved[direction] += _STEP
            columns.append((self.measured(moved) - base) / _STEP)
        self._weighted = np.stack(columns, 1) / self._sd[:, None]
        self._system = self._weighted.T @ self._weighted + self._precision

    def _step(self, wanted: np.ndarray, from_prior: np.ndarray) -> np.ndarray:
        pull = (wanted / self._sd) @ self._weighted - from_prior @ self._precision
        return np.linalg.solve(self._system, pull.T).T

    def people(
        self, values: np.ndarray, numbers: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Coefficients (S,), measures (M,) and residuals (C,) of people with values (N, C); their
        numbers (N,) seed what the survey does not tell."""
        for number, wanted in zip(numbers, values + self.bias, strict=True):
            drawn = np.random.default_rng(number).normal(0, _OPEN_SHARE, len(self.middle))
            found = self.middle + self._step(wanted - self._at_middle, 0 * self.middle)
            left = wanted - self.measured(found)
            found = found + self._step(left, found - self.middle) + self._open @ drawn
            measured, measures = self._taken(found)
            yield found, measures, wanted - measured


def fit_people(
    folder: Path, *, limit: int | None = None, beyond: int | None = None
) -> FittedPeople:
    """Fit the survey's people, or some of each sex.

    Args:
        folder: of ANSUR II's two files.
        limit: people of each sex.
        beyond: a limit; fit those whom it leaves out.
    """
    from rich.progress import track

    shapes = measuring_shapes()
    found, groups, ages = [], [], []
    for number, group in enumerate(GROUPS):
        people: Surveyed = surveyed(folder, group)
        fit = _Fit(shapes, group, people.values.mean(0))
        chosen = _spread(len(people.age), limit)
        first = 0
        if beyond is not None:
            first, chosen = beyond, np.setdiff1d(chosen, _spread(len(people.age), beyond))
        values, numbers = people.values[chosen], first + np.arange(len(chosen))
        found += list(track(fit.people(values, numbers), description=group, total=len(values)))
        groups += [number] * len(values)
        ages.append(people.age[chosen])
    coefficients, measures, residuals = (
        np.array(part, np.float32) for part in zip(*found, strict=True)
    )
    mass = mass_of(coefficients)
    return FittedPeople(
        coefficients,
        measures,
        mass,
        residuals,
        np.array(groups, np.uint8),
        np.concatenate(ages).astype(np.float32),
    )


def _spread(count: int, limit: int | None) -> np.ndarray:
    """Numbers of so many people over the file, which is sorted by where they were measured."""
    return np.linspace(0, count, limit or count, endpoint=False).astype(int)


def mass_of(coefficients: np.ndarray) -> np.ndarray:
    """Masses (N,) float32 of shapes (N, S), kilograms."""
    model, shapes = body_model(), measuring_shapes()
    bodies = (shapes.rest(model, one)[0] for one in coefficients)
    return np.array([mass_kg(model, vertices) for vertices in bodies], np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit bodies to the people of ANSUR II.")
    parser.add_argument("survey", type=Path, help="folder of the two files of ANSUR II")
    parser.add_argument("-o", "--output", type=Path, default=Path("people.npz"))
    parser.add_argument("--limit", type=int, help="people of each sex, spread over the survey")
    parser.add_argument("--beyond", type=int, help="those whom such a limit leaves out")
    arguments = parser.parse_args()
    people = fit_people(arguments.survey, limit=arguments.limit, beyond=arguments.beyond)
    people.save(arguments.output)
    error = np.abs(people.residuals_m)
    for name, values in zip(COLUMNS, error.T, strict=True):
        print(f"{name:28} {100 * values.mean():6.2f} cm")
    print(f"mean of all {100 * error.mean():.2f} cm, {len(people.age)} people")


if __name__ == "__main__":
    main()
