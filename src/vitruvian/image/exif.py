"""Orientation and focal length from a picture's EXIF tags."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from PIL import Image

from vitruvian.image.limits import FOCAL_PER_LONG_SIDE, MAX_ASPECT_CHANGE

_EXIF_IFD = 0x8769
_ORIENTATION = 0x0112
_FOCAL_LENGTH = 0x920A
_FOCAL_LENGTH_35MM = 0xA405
_PIXEL_X, _PIXEL_Y = 0xA002, 0xA003
_FOCAL_PLANE_X, _FOCAL_PLANE_Y, _FOCAL_PLANE_UNIT = 0xA20E, 0xA20F, 0xA210

# Millimetres in one FocalPlaneResolutionUnit: inch, centimetre, millimetre, micrometre.
_UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}

# Diagonal of a 36 x 24 mm frame: CIPA DCG-001 defines the equivalent focal length by it.
_DIAGONAL_35MM = math.hypot(36, 24)


@dataclass(frozen=True)
class Exif:
    """The EXIF tags that matter here.

    Attributes:
        orientation: 1..8 as in EXIF; 1 when absent or wrong.
        focal_mm: real focal length, or None.
        focal_35mm: focal length in 35 mm terms, or None.
        size: (width, height) that the camera says it wrote, or None.
        pixels_per_mm: sensor resolution at that size, or None.
    """

    orientation: int = 1
    focal_mm: float | None = None
    focal_35mm: float | None = None
    size: tuple[float, float] | None = None
    pixels_per_mm: float | None = None

    def focal_px(self, width: int, height: int) -> float | None:
        """Focal length in pixels of the picture resized to ``width`` x ``height``, or None.

        Either orientation of the size will do. None also when the tags contradict the picture
        (it was cropped since) or say what no lens can be.
        """
        if self.size is not None:
            was = max(self.size) / min(self.size)
            now = max(width, height) / min(width, height)
            if max(was / now, now / was) > MAX_ASPECT_CHANGE:
                return None
        focal = None
        if self.focal_35mm is not None:
            focal = self.focal_35mm / _DIAGONAL_35MM * math.hypot(width, height)
        elif self.focal_mm is not None and self.pixels_per_mm is not None and self.size is not None:
            focal = self.focal_mm * self.pixels_per_mm * max(width, height) / max(self.size)
        low, high = FOCAL_PER_LONG_SIDE
        if focal is None or not low <= focal / max(width, height) <= high:
            return None
        return focal


def read_exif(image: Image.Image) -> Exif:
    """The tags of an opened picture; broken or absent ones read as their defaults."""
    try:
        tags = image.getexif()
        lens: dict[int, Any] = dict(tags.get_ifd(_EXIF_IFD))
        orientation = tags.get(_ORIENTATION, 1)
    except Exception:  # whatever a malformed block makes the parser raise, the pixels are fine
        return Exif()
    width, height = _positive(lens.get(_PIXEL_X)), _positive(lens.get(_PIXEL_Y))
    return Exif(
        orientation=orientation if orientation in range(1, 9) else 1,
        focal_mm=_positive(lens.get(_FOCAL_LENGTH)),
        focal_35mm=_positive(lens.get(_FOCAL_LENGTH_35MM)),
        size=(width, height) if width and height else None,
        pixels_per_mm=_pixels_per_mm(lens),
    )


def _pixels_per_mm(lens: dict[int, Any]) -> float | None:
    resolution = _positive(lens.get(_FOCAL_PLANE_X)) or _positive(lens.get(_FOCAL_PLANE_Y))
    # EXIF's default unit is the inch.
    unit = _UNIT_MM.get(lens.get(_FOCAL_PLANE_UNIT, 2))
    return resolution / unit if resolution and unit else None


def _positive(value: object) -> float | None:
    """``value`` as a finite number above zero, or None."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None
