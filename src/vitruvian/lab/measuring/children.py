"""Bodies of children with the heights and weights of growth charts.

``python -m vitruvian.lab.measuring.children -o children.npz --count 1000``

No survey with girths of children is public as ANSUR II is of adults. A child is drawn from the body
model's own children and brought to the stature and the body mass index that are drawn from WHO's
growth reference; how its girths go with them is the body model's guess, not a measurement.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.measured_body import MeasuredBody
from vitruvian.anthropometry.subject import CHILDREN, GROWN_AGE, LEAST_AGE
from vitruvian.anthropometry.tape import taken_of
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.lab.measuring.people import FittedPeople
from vitruvian.lab.measuring.shapes import Shapes, measuring_shapes
from vitruvian.lab.measuring.survey import COLUMNS, mass_kg

FIRST_AGE, LAST_AGE = int(LEAST_AGE), int(GROWN_AGE)
# WHO growth reference for 5 to 19 years (de Onis et al., Bulletin of the WHO 85, 2007), each year
# from 5 to 17: L, M and S (Cole and Green, 1992) of stature in centimetres (L is 1) and of the body
# mass index.
_HEIGHT = {
    "boys": ((109.7265, 115.9509, 121.7338, 127.2651, 132.5652, 137.7795, 143.1126, 149.0807,
              156.0426, 163.1816, 168.9580, 172.8967, 175.1609),
             (0.04156, 0.04249, 0.04342, 0.04438, 0.04535, 0.04626, 0.04703, 0.04753, 0.04760,
              0.04714, 0.04619, 0.04495, 0.04364)),
    "girls": ((109.0725, 115.1244, 120.8105, 126.5558, 132.4944, 138.6363, 144.9929, 151.2327,
               156.3748, 159.7890, 161.6692, 162.5156, 162.8545),
              (0.04346, 0.04447, 0.04525, 0.04581, 0.04612, 0.04614, 0.04584, 0.04523, 0.04439,
               0.04345, 0.04255, 0.04176, 0.04109)),
}  # fmt: skip
_BMI = {
    "boys": ((-0.7151, -0.9921, -1.2460, -1.4629, -1.6318, -1.7407, -1.7862, -1.7751, -1.7168,
              -1.6211, -1.4961, -1.3529, -1.1962),
             (15.2679, 15.3062, 15.4832, 15.7368, 16.0490, 16.4433, 16.9392, 17.5334, 18.2330,
              19.0050, 19.7744, 20.4951, 21.1423),
             (0.08366, 0.08682, 0.09068, 0.09526, 0.10038, 0.10566, 0.11070, 0.11522, 0.11898,
              0.12191, 0.12412, 0.12579, 0.12715)),
    "girls": ((-0.8702, -1.0794, -1.2565, -1.3880, -1.4650, -1.4864, -1.4606, -1.4006, -1.3195,
               -1.2266, -1.1311, -1.0368, -0.9423),
              (15.2453, 15.2697, 15.4036, 15.6810, 16.0964, 16.6133, 17.2459, 17.9966, 18.8012,
               19.5647, 20.2125, 20.7008, 21.0367),
              (0.09646, 0.10195, 0.10746, 0.11291, 0.11816, 0.12307, 0.12748, 0.13129, 0.13445,
               0.13700, 0.13904, 0.14070, 0.14208)),
}  # fmt: skip
_SEXES = ("boys", "girls")
_MOST_Z = 2.5  # of standard scores: beyond, the index's skewed tail leaves what bodies can be
_LOCAL_SD = 0.3  # of MakeHuman's local directions, of a child as tall as the model
_SPREAD = 0.8  # of the model's children, who are drawn from MakeHuman's sliders
_ROUNDS = 4
_STEP = 0.1


def drawn_height_m(sex: str, age: float, z: float) -> float:
    """Stature at a standard score, metres, of ``boys`` or ``girls``."""
    median, spread = (_at(age, row) for row in _HEIGHT[sex])
    return median * (1 + spread * z) / 100


def drawn_bmi(sex: str, age: float, z: float) -> float:
    """Body mass index at a standard score, kg/m2, of ``boys`` or ``girls``."""
    power, median, spread = (_at(age, row) for row in _BMI[sex])
    return float(median * (1 + power * spread * z) ** (1 / power))


def _at(age: float, yearly: tuple[float, ...]) -> float:
    return float(np.interp(age, np.arange(FIRST_AGE, LAST_AGE + 1), yearly))


class _Band:
    """Children of one group of the body model: how stature, mass and sex go with their shapes."""

    def __init__(self, group: str, model: BodyModel, shapes: Shapes) -> None:
        self._model, self._shapes = model, shapes
        prior = model.shape_prior(group)
        self._mean, self._spread = prior.mean, np.linalg.inv(prior.whitening)
        self._gender = model.trait("gender")
        middle = np.zeros(len(shapes.names))
        middle[: shapes.own] = prior.mean
        base, columns = self._said(middle), []
        for direction in self._spread.T:
            moved = middle.copy()
            moved[: shapes.own] += _STEP * direction
            columns.append((self._said(moved) - base) / _STEP)
        # The likeliest change that gives them: along the population's own covariance.
        self._inverse = np.linalg.pinv(np.stack(columns, 1))

    def _said(self, coefficients: np.ndarray) -> np.ndarray:
        """Logarithms of stature and mass, and the sex, 0 to 1, of coefficients (S,)."""
        vertices, _ = self._shapes.rest(self._model, coefficients)
        skin = vertices[self._model.components == 0, 1]
        slope, offset = self._gender
        gender = float(slope @ coefficients[: self._shapes.own] + offset)
        return np.array([np.log(np.ptp(skin)), np.log(mass_kg(self._model, vertices)), gender])

    def child(self, rng: np.random.Generator, sex: str, age: float) -> np.ndarray:
        """Coefficients (S,) of ``measuring_shapes`` of a child of an age."""
        z = np.clip(rng.normal(0, 1, 2), -_MOST_Z, _MOST_Z)
        stature = drawn_height_m(sex, age, z[0])
        mass = drawn_bmi(sex, age, z[1]) * stature**2
        own = self._shapes.own
        out = np.zeros(len(self._shapes.names))
        out[:own] = self._mean + self._spread @ rng.normal(0, _SPREAD, own)
        out[own:] = rng.normal(0, _LOCAL_SD * stature / 1.7, len(out) - own)
        wanted = np.array([np.log(stature), np.log(mass), float(sex == "girls")])
        for _ in range(_ROUNDS):
            out[:own] += self._spread @ (self._inverse @ (wanted - self._said(out)))
        return out


def draw_children(count: int, seed: int) -> FittedPeople:
    """So many children, ages spread evenly, boys and girls in turn; ``residuals_m`` are nan."""
    from rich.progress import track

    model, shapes = body_model(), measuring_shapes()
    bands = {group: _Band(group, model, shapes) for _, group in CHILDREN}
    coefficients, measures, masses, ages = [], [], [], []
    for number in track(range(count), description="children"):
        rng = np.random.default_rng([seed, number])
        age = float(rng.uniform(FIRST_AGE, LAST_AGE))
        group = next(group for limit, group in CHILDREN if age < limit)
        found = bands[group].child(rng, _SEXES[number % 2], age)
        vertices, joints = shapes.rest(model, found)
        taken = taken_of(MeasuredBody(model, vertices.astype(np.float64), joints))
        coefficients.append(found)
        measures.append([taken[measure.name].metres for measure in MEASURES])
        masses.append(mass_kg(model, vertices))
        ages.append(age)
    return FittedPeople(
        np.array(coefficients, np.float32),
        np.array(measures, np.float32),
        np.array(masses, np.float32),
        np.full((count, len(COLUMNS)), np.nan, np.float32),
        (np.arange(count) % 2).astype(np.uint8),
        np.array(ages, np.float32),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw children by growth charts.")
    parser.add_argument("-o", "--output", type=Path, default=Path("children.npz"))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw_children(arguments.count, arguments.seed).save(arguments.output)


if __name__ == "__main__":
    main()
