"""A sheet of reconstructions for the documentation, with the photographs blurred.

Each tile shows the largest person of a picture, blurred beyond recognition, and as clay from the
front, from the side and from behind. Photographs that may be looked at but not passed on can
be shown this way::

    python scripts/contact_sheet.py PICTURES... -o sheet.jpg [--columns 6]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

import vitruvian
from vitruvian.formats.images import encode_jpeg
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.result.preview import turntable
from vitruvian.types.scene import Person, Scene

TILE_HEIGHT = 150
BLURRED_WIDTH = 100
TILE_WIDTH = 300
PAPER = (250, 249, 245)


def blurred(pixels: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The box of the picture (TILE_HEIGHT, w, 3), with nothing smaller than a tenth of it left."""
    x0, y0 = np.maximum(box[:2], 0).astype(int)
    x1, y1 = np.minimum(box[2:], pixels.shape[1::-1]).astype(int)
    scale = min(TILE_HEIGHT / (y1 - y0), BLURRED_WIDTH / (x1 - x0))
    size = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    small = cv2.resize(pixels[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    out = np.full((TILE_HEIGHT, size[0], 3), PAPER, np.uint8)
    out[: size[1]] = cv2.GaussianBlur(small, (0, 0), TILE_HEIGHT / 20)
    return out


def views(scene: Scene, person: Person) -> list[np.ndarray]:
    """Clay pictures (TILE_HEIGHT, w, 3) uint8 from the front, the side and behind."""
    forward = matrix_from_axis_angle(person.body.pose[0]) @ np.array([0.0, 0.0, 1.0])
    forward = scene.world_from_camera[:3, :3] @ forward
    size = round(TILE_HEIGHT * 0.7), TILE_HEIGHT
    drawn = turntable(person.mesh, (0, 90, 180), size, forward=forward, crop=True)
    pictures = []
    for view in drawn:
        alpha = view[..., 3:] / 255
        pictures.append((view[..., :3] * alpha + np.array(PAPER) * (1 - alpha)).astype(np.uint8))
    return pictures


def tile(path: Path) -> np.ndarray:
    """One picture's (TILE_HEIGHT, TILE_WIDTH, 3) tile; empty but for paper when nobody is found."""
    scene = vitruvian.reconstruct(path, max_people=1, texture=False)
    out = np.full((TILE_HEIGHT, TILE_WIDTH, 3), PAPER, np.uint8)
    for person in scene.people:
        parts = [blurred(scene.photo.pixels, person.figure.box), *views(scene, person)]
        row = np.concatenate(parts, axis=1)
        if row.shape[1] > TILE_WIDTH:
            height = round(TILE_HEIGHT * TILE_WIDTH / row.shape[1])
            row = cv2.resize(row, (TILE_WIDTH, height), interpolation=cv2.INTER_AREA)
        out[: row.shape[0], : row.shape[1]] = row
    return out


def main() -> None:
    """Read the arguments and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("pictures", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--columns", type=int, default=6)
    arguments = parser.parse_args()
    tiles = [tile(path) for path in arguments.pictures]
    blank = np.full_like(tiles[0], PAPER)
    while len(tiles) % arguments.columns:
        tiles.append(blank)
    step = arguments.columns
    rows = [np.concatenate(tiles[i : i + step], axis=1) for i in range(0, len(tiles), step)]
    arguments.output.write_bytes(encode_jpeg(np.concatenate(rows, axis=0), quality=80))


if __name__ == "__main__":
    main()
