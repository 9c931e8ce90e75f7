"""The user's own photographs as backgrounds behind synthetic people."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.errors import InputError
from vitruvian.image.color import srgb_decoded

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
SMALLEST_CROP = 0.45  # of the longest square that fits


@dataclass(frozen=True)
class Backgrounds:
    """A folder of photographs and the share of samples that use one.

    Attributes:
        folder: searched with everything below it.
        share: 0..1 of the samples; the others get a procedural place.
    """

    folder: Path
    share: float = 0.5

    @property
    def paths(self) -> tuple[Path, ...]:
        """The photographs, sorted by name. Raises ``InputError`` where there are none."""
        return _photographs(self.folder)

    @property
    def digest(self) -> str:
        """Names the set of pictures: changes with their names, their sizes in bytes, the share."""
        text = hashlib.sha256(f"{self.share}".encode())
        for path in self.paths:
            name = path.relative_to(self.folder).as_posix()
            text.update(f"\n{name} {path.stat().st_size}".encode())
        return text.hexdigest()[:16]

    def chosen(self, rng: np.random.Generator) -> Path | None:
        """One of the photographs, or None for a procedural place."""
        use, number = rng.random() < self.share, int(rng.integers(len(self.paths)))
        return self.paths[number] if use else None


@lru_cache(maxsize=4)
def _photographs(folder: Path) -> tuple[Path, ...]:
    found = (p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    paths = tuple(sorted(found))
    if not paths:
        raise InputError(
            f"There are no pictures in {folder}: name a folder of photographs with --backgrounds."
        )
    return paths


def photo_backdrop(rng: np.random.Generator, path: Path, size: int) -> np.ndarray:
    """A random square of a photograph in linear light, (size, size, 3) float32.

    Cropped, perhaps mirrored, perhaps out of focus; its colours stay. Raises ``InputError`` where
    the file cannot be read.
    """
    import cv2
    from PIL import Image, ImageOps

    # All random numbers first: what is random does not depend on the picture.
    crop, across, down = rng.uniform(SMALLEST_CROP, 1.0), rng.random(), rng.random()
    mirrored, focused = rng.random() < 0.5, rng.random() < 0.4
    sigma = float(np.exp(rng.uniform(np.log(0.002), np.log(0.015)))) * size
    try:
        with Image.open(path) as file:
            # JPEG decoders halve cheaply; what is left still has more pixels than are wanted.
            file.draft("RGB", (round(size / crop), round(size / crop)))
            picture = ImageOps.exif_transpose(file).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"Cannot read the background {path}: remove it from the folder or save it anew."
        ) from error
    side = max(1.0, crop * min(picture.size))
    left, top = across * (picture.width - side), down * (picture.height - side)
    box = (left, top, left + side, top + side)
    pixels = np.array(picture.resize((size, size), Image.Resampling.BILINEAR, box=box))
    if mirrored:
        pixels = pixels[:, ::-1]
    linear = srgb_decoded(pixels.astype(np.float32) / 255)
    if not focused and sigma > 0.3:
        linear = cv2.GaussianBlur(linear, (0, 0), sigma)
    return np.ascontiguousarray(linear, np.float32)


def in_the_light(
    rng: np.random.Generator, backdrop: np.ndarray, person: np.ndarray, alpha: np.ndarray
) -> np.ndarray:
    """The backdrop (S, S, 3) as bright as if lit like the person (S, S, 3): one factor for all.

    ``alpha`` (S, S): where the person is seen. Cameras expose for what they see; without this a
    dark picture behind somebody in the sun would always be black.
    """
    weights = np.array([0.25, 0.65, 0.1], np.float32)
    lit = float((person @ weights * alpha).sum() / max(float(alpha.sum()), 1e-6))
    own = float((backdrop @ weights).mean())
    factor = max(lit, 0.02) / max(own, 0.01) * float(np.exp(rng.normal(0.1, 0.35)))
    return (backdrop * np.float32(min(factor, 20.0))).astype(np.float32)
