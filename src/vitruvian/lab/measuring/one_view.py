"""How far measures from a single photograph are off, and the bands that say so.

``python -m vitruvian.lab.measuring.one_view --count 80 -o one_view.json`` reconstructs generated
people of seeds that training must not use, in ordinary clothes and poses, and compares their shapes
with the true ones. What is kept is the quantile of nine in ten of each measure's error, over the
stature: how far the stature is off is known besides.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.one_view import NAMES, shape_ratios
from vitruvian.body.model.model import body_model
from vitruvian.lab.synthesis.assets import AssetLibrary, find_assets
from vitruvian.lab.synthesis.sample import BLOCK_PEOPLE, Sample, block_samples
from vitruvian.pipeline.photo import reconstruct
from vitruvian.types.scene import Person

SEED = 1_000_000_019
SIZE = 512
_CHILD_M = 1.45
_LEAST_OVERLAP = 0.5  # IoU of mattes from which on somebody is the sample's subject


def _samples(count: int, library: AssetLibrary) -> Iterator[Sample]:
    """Each person of each block once."""
    for block in range(-(-count // BLOCK_PEOPLE)):
        yield from block_samples(SEED, block, SIZE, library, range(BLOCK_PEOPLE))


def _subject(people: tuple[Person, ...], sample: Sample) -> Person | None:
    """The reconstructed person whose matte is the subject's."""
    true = sample.alpha >= 128
    for person in people:
        seen = person.figure.alpha.full() >= 128
        if (seen & true).sum() > _LEAST_OVERLAP * (seen | true).sum():
            return person
    return None


def errors(count: int, library: AssetLibrary) -> np.ndarray:
    """(N, M) logarithms of measures over stature, found minus true, of adults seen whole."""
    rows = []
    for sample in _samples(count, library):
        if sample.height_m < _CHILD_M:
            continue
        scene = reconstruct(sample.image, detail="body", texture=False, check=False)
        person = _subject(scene.people, sample)
        if person is None or not person.body.seen.complete:
            continue
        model = body_model()
        found = shape_ratios(model, person.body.betas)
        true = shape_ratios(model, sample.betas.astype(float))
        rows.append([np.log(found[name] / true[name]) for name in NAMES])
        print(len(rows), f"{np.abs(rows[-1]).mean():.3f}", flush=True)
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description="Calibrate measures from one photograph.")
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--assets", type=Path, help="MakeHuman's assets")
    parser.add_argument("-o", "--output", type=Path, required=True)
    arguments = parser.parse_args()
    found = errors(arguments.count, find_assets(arguments.assets))
    half = np.quantile(np.abs(found), 0.9, axis=0)
    # Bands of every second person, on the others.
    held = [
        np.abs(found[1 - part :: 2]) <= np.quantile(np.abs(found[part::2]), 0.9, axis=0)
        for part in (0, 1)
    ]
    inside = np.concatenate(held).mean(0)
    for number, name in enumerate(NAMES):
        error = 100 * found[:, number]
        print(
            f"{name:18} {np.abs(error).mean():5.1f} %  mean {error.mean():+5.1f} %  "
            f"band ±{100 * half[number]:4.1f} %  held {inside[number]:.2f}"
        )
    print(f"{len(found)} people, held {inside.mean():.2f}")
    table = {name: round(float(value), 4) for name, value in zip(NAMES, half, strict=True)}
    arguments.output.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
