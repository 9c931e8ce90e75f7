"""How much nearer to the true colours a texture is without the photograph's light.

    python benchmarks/albedo.py --assets DIR [--seed 1000000500] [--blocks 6] [--size 384]

Draws synthetic people, reconstructs them from the picture alone, renders their textures over the
picture and compares them with the true albedo, in linear light, up to one factor per person.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import vitruvian
from vitruvian.body.model.model import body_model
from vitruvian.geometry.render import render_mesh
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.sample import Sample, block_samples
from vitruvian.texture import texture_mesh
from vitruvian.texture.light import linear_from_srgb

LEAST_IOU = 0.6  # of the matte: below, somebody else was found


def errors(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Mean absolute difference of logarithms about its median, and the relative RMS error at the
    best factor, of linear colours (N, 3)."""
    logs = np.log(np.maximum(found, 0.01)) - np.log(np.maximum(true, 0.01))
    factor = float((found * true).sum() / (found * found).sum())
    rms = float(np.sqrt(((factor * found - true) ** 2).mean()) / true.mean())
    return float(np.abs(logs - np.median(logs)).mean()), rms


def compare(sample: Sample) -> list[float] | None:
    """Errors of the texture as photographed and of that without light; None when not found."""
    scene = vitruvian.reconstruct(sample.image, check=False)
    true = sample.alpha > 127

    def iou(person: vitruvian.Person) -> float:
        found = person.figure.alpha.full() > 127
        return float((found & true).sum() / max((found | true).sum(), 1))

    person = max(scene.people, key=iou, default=None)
    if person is None or iou(person) < LEAST_IOU:
        return None
    without = texture_mesh(
        body_model(), scene.photo, person.figure, person.mesh_camera, albedo=True
    )
    height, width = sample.image.shape[:2]
    out: list[float] = []
    for mesh in (person.mesh_camera, without):
        drawn = render_mesh(mesh, scene.camera, width, height)
        inside = (sample.alpha > 250) & (drawn[..., 3] > 250)
        albedo = linear_from_srgb(sample.front_albedo[inside])
        out += errors(linear_from_srgb(drawn[..., :3][inside]), albedo)
    return out


def main() -> None:
    """Draw, compare and print the means."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--assets", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1_000_000_500)
    parser.add_argument("--blocks", type=int, default=6)
    parser.add_argument("--size", type=int, default=384)
    arguments = parser.parse_args()
    library = AssetLibrary(arguments.assets)
    rows = []
    for block in range(arguments.blocks):
        for sample in block_samples(
            arguments.seed, block, arguments.size, library, wanted=(0, 2, 4, 6)
        ):
            row = compare(sample)
            if row is not None:
                rows.append(row)
                print(len(rows), *(f"{value:.3f}" for value in row), flush=True)
    table = np.array(rows)
    means = table.mean(0)
    print(f"{len(table)} people; logarithms {means[0]:.3f} -> {means[2]:.3f}, ", end="")
    print(f"relative RMS {means[1]:.3f} -> {means[3]:.3f}; ", end="")
    print(f"nearer: {(table[:, 2] < table[:, 0]).sum()} and {(table[:, 3] < table[:, 1]).sum()}")


if __name__ == "__main__":
    main()
