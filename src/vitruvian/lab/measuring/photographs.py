"""Photographs of people in tight clothes, front and side, to test measuring from end to end.

``python -m vitruvian.lab.measuring.photographs --count 20``

The people are the generator's own, so their shapes follow the body model's population and not the
surveyed people that the network learnt from; the mattes are those of the pipeline.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.tape import measures_of_shape
from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.lab.synthesis.assets import AssetLibrary, find_assets
from vitruvian.lab.synthesis.cameras import View
from vitruvian.lab.synthesis.garments import Garment
from vitruvian.lab.synthesis.people import build_person
from vitruvian.lab.synthesis.places import random_place
from vitruvian.lab.synthesis.sample import Arrangement, draw_sample
from vitruvian.lab.synthesis.sampling import random_look, random_recipe
from vitruvian.lab.synthesis.silhouettes import a_pose, random_cameras
from vitruvian.pipeline.measuring import measure
from vitruvian.types.camera import Camera
from vitruvian.types.record import Record

SIZE = 640
_STREAM = 0x7A9E
_MARGIN = 0.94  # of the camera's focal length: hands and hair stay in the picture


@dataclass(frozen=True, eq=False, repr=False)
class PhotographedPair(Record):
    """Two photographs of somebody whose shape is known.

    Attributes:
        front, side: (S, S, 3) uint8 sRGB.
        betas: (K,) of the body model; woman: their population.
    """

    front: np.ndarray
    side: np.ndarray
    betas: np.ndarray
    woman: bool


def photographed_pairs(seed: int, count: int, library: AssetLibrary) -> Iterator[PhotographedPair]:
    """Pairs of a seed; each depends on seed and number alone."""
    for number in range(count):
        yield _photographed(np.random.default_rng([seed, _STREAM, number]), library)


def _photographed(rng: np.random.Generator, library: AssetLibrary) -> PhotographedPair:
    woman = bool(rng.random() < 0.5)
    prior = body_model().shape_prior("women" if woman else "men")
    betas = prior.mean + np.linalg.solve(prior.whitening, rng.normal(0, 0.8, len(prior.mean)))
    legs, sleeves = float(rng.uniform(0.3, 0.97)), float(rng.choice([-1.0, 0.3, 0.95]))
    bottom = Garment(
        "bottom", random_look(rng, dyed=True), top=0.0, legs=legs, offset=0.004, smooth=2
    )
    top = Garment(
        "top", random_look(rng, dyed=True), arms=sleeves, bottom=0.4, offset=0.007, smooth=4
    )
    drawn = random_recipe(rng, library)
    recipe = replace(
        drawn, betas=betas, outfit=None, hat=None, shoes=None, looks={}, wraps=(), accessories=(),
        garments=(bottom, top), expression=None,
    )  # fmt: skip
    focal, cameras = random_cameras(rng, body_model().stature(betas), SIZE)
    camera = Camera.centered(_MARGIN * focal, SIZE, SIZE, "given")
    pictures, there = [], int(rng.integers(2**31))
    for matrix in cameras:
        person = build_person(replace(recipe, pose=a_pose(rng)), library)
        view = View(camera, matrix, 0.0, 0.0)
        # It is the person who turns: place and light stay.
        around = np.random.default_rng(there)
        parts = [(0, part, matrix) for part in random_place(around, matrix)]
        parts += [(1, part, matrix) for part in person.parts]
        arrangement = Arrangement(view, ((person, np.eye(4)),), tuple(parts))
        pictures.append(draw_sample(around, arrangement).image)
    return PhotographedPair(pictures[0], pictures[1], betas, woman)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure people in synthetic photographs.")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1_000_000_018)
    parser.add_argument("--assets", type=Path, help="MakeHuman's assets")
    parser.add_argument("--pictures", type=Path, help="folder for the photographs")
    arguments = parser.parse_args()
    library = find_assets(arguments.assets)
    errors, held, refused = [], [], 0
    for number, pair in enumerate(photographed_pairs(arguments.seed, arguments.count, library)):
        if arguments.pictures is not None:
            _keep(arguments.pictures / f"{number:03d}.jpg", pair)
        truth = measures_of_shape(body_model(), pair.betas)
        try:
            measured = measure(
                pair.front,
                pair.side,
                height_cm=100 * truth["stature"],
                sex="woman" if pair.woman else "man",
            )
        except InputError as refusal:
            print(f"{number}: {refusal}")
            refused += 1
            continue
        true_cm = np.array([100 * truth[measure.name] for measure in MEASURES])
        errors.append([one.cm for one in measured.values] - true_cm)
        bands = np.array([(one.low_cm, one.high_cm) for one in measured.values])
        held.append((bands[:, 0] <= true_cm) & (true_cm <= bands[:, 1]))
        print(f"{number}: {np.abs(errors[-1][1:]).mean():.2f} cm", *measured.warnings, flush=True)
    error, inside = np.array(errors), np.array(held)
    for column, one in enumerate(MEASURES):
        values = error[:, column]
        print(f"{one.name:18} {np.abs(values).mean():6.2f} cm {values.mean():+6.2f}")
    print(
        f"mean {np.abs(error[:, 1:]).mean():.2f} cm, inside the bands {inside[:, 1:].mean():.2f}, "
        f"{refused} refused"
    )


def _keep(path: Path, pair: PhotographedPair) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate([pair.front, pair.side], 1)).save(path, quality=92)


if __name__ == "__main__":
    main()
