"""Make the picture of the README: the preview of examples/people.jpg, and everyone as clay.

    python scripts/render_readme.py [PICTURE] [-o docs/images/people-preview.jpg]

Run it when results look otherwise than before.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import vitruvian
from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.images import encode_jpeg
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.result.preview import lineup
from vitruvian.result.sheet import Block, compose, on_paper
from vitruvian.types.scene import Person, Scene

ROOT = Path(__file__).resolve().parents[1]
SIZE = (300, 400)  # at most, of each view, pixels
YAWS = {"front": -12.0, "side": 55.0}  # a little from beside, where a lamp shows most


def main() -> None:
    """Reconstruct, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=ROOT / "examples/people.jpg")
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "docs/images/people-preview.jpg"
    )
    options = parser.parse_args()
    scene = vitruvian.reconstruct(options.picture)
    with tempfile.TemporaryDirectory() as folder:
        scene.save(folder)
        preview = np.asarray(Image.open(Path(folder) / "preview.png").convert("RGB"))
    sheet = stacked(preview, clay_row(scene))
    data = encode_jpeg(sheet, quality=88)
    print(write_bytes(options.output, data), f"{len(data) / 1000:.0f} kB")


def clay_row(scene: Scene) -> np.ndarray:
    """Everyone without their colours, (H, W, 3)."""
    bare = [replace(person.mesh, texture=None) for person in scene.people]
    views = {}
    for name, yaw in YAWS.items():
        facing = [forward_deg(scene, person) + yaw for person in scene.people]
        views[name] = lineup(bare, facing, SIZE, crop=True)
    pictures = [on_paper(views[name][k]) for k in range(len(bare)) for name in YAWS]
    return compose([Block("The surfaces alone", pictures, [""] * len(pictures))], "")


def forward_deg(scene: Scene, person: Person) -> float:
    """Where somebody faces in the world, as ``lineup`` counts."""
    forward = matrix_from_axis_angle(person.body.pose[0]) @ np.array([0.0, 0.0, 1.0])
    x, _, z = scene.world_from_camera[:3, :3] @ forward
    return float(np.degrees(np.arctan2(x, z)))


def stacked(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Two sheets (H, W, 3), one below the other, on paper as wide as the wider."""
    width = max(above.shape[1], below.shape[1])
    paper = above[0, 0]
    out = np.empty((len(above) + len(below), width, 3), np.uint8)
    out[:] = paper
    out[: len(above), : above.shape[1]] = above
    out[len(above) :, : below.shape[1]] = below
    return out


if __name__ == "__main__":
    main()
