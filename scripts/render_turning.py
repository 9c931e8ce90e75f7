"""Make the page's first picture: examples/person.jpg and its own result, from all around.

    python scripts/render_turning.py [PICTURE] [-o web/src/assets]

Writes ``turning.webp``, FRAMES views of the reconstruction side by side over nothing, and
``turning-photo.webp``, the part of the photograph that the person is in. Run it when results look
otherwise than before.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

import vitruvian
from vitruvian.formats.atomic import write_bytes
from vitruvian.result.preview import lineup

ROOT = Path(__file__).resolve().parents[1]
FRAMES = 36
SIZE = (280, 440)  # of each view, pixels
_AROUND = 0.03  # of the person's height, left around the person in the photograph


def webp(pixels: np.ndarray, quality: int) -> bytes:
    """Pixels (H, W, 3 or 4) uint8 sRGB as WebP."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=6)
    return buffer.getvalue()


def main() -> None:
    """Reconstruct, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", nargs="?", type=Path, default=ROOT / "examples/person.jpg")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "web/src/assets")
    options = parser.parse_args()
    scene = vitruvian.reconstruct(options.picture)
    person = scene.people[0]
    yaws = [360 * number / FRAMES for number in range(FRAMES)]
    views = lineup([person.mesh] * FRAMES, yaws, SIZE, crop=False)
    strip = np.concatenate(views, axis=1)
    x0, y0, x1, y1 = person.figure.box
    height = (1 + 2 * _AROUND) * (y1 - y0)
    width = height * SIZE[0] / SIZE[1]
    left, top = (x0 + x1 - width) / 2, (y0 + y1 - height) / 2
    photo = Image.fromarray(scene.photo.pixels)
    part = photo.crop((round(left), round(top), round(left + width), round(top + height)))
    part = part.resize((2 * SIZE[0], 2 * SIZE[1]), Image.Resampling.LANCZOS)
    for name, data in (
        ("turning.webp", webp(strip, 82)),
        ("turning-photo.webp", webp(np.asarray(part), 80)),
    ):
        print(write_bytes(options.output / name, data), f"{len(data) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
