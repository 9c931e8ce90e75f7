"""Masks of people: COCO's run lengths and polygons, label maps, one picture a person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from vitruvian.errors import InputError
from vitruvian.exchange.picture import Picture, entries_of, read_json
from vitruvian.exchange.rle import decode_rle
from vitruvian.image.limits import MAX_PIXELS
from vitruvian.image.names import readable
from vitruvian.types.given import GivenMask

_WHAT = "masks"
_MOST_PEOPLE = 200
_PERSON = 1  # COCO's category
_FINER = 4  # times, in which polygons are drawn
_SHIFT = 4  # fractional bits of their corners
_LOSSLESS = ("PNG", "TIFF", "BMP", "GIF", "WEBP")
_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif", ".webp")


def read_masks(path: str | Path, picture: Picture) -> tuple[GivenMask, ...]:
    """Masks of the people in a picture, in pixels of the decoded picture.

    Args:
        path: COCO's annotations or results (JSON) with run lengths, compressed or not, or
            polygons; a label map (PNG) in which every person has a value or colour of their own
            and 0 or black is nobody; or a folder with ``NAME.png``, a label map, or ``NAME_1.png``,
            ``NAME_2.png`` ..., a mask a person.
        picture: they are of.

    Raises:
        InputError: they cannot be read, are of another size, or show nobody.
    """
    path = Path(path).expanduser()
    label = readable(str(path))
    if path.is_dir():
        found = list(_folder(path, picture, label))
    elif path.suffix.lower() in _SUFFIXES:
        found = list(_label_map(path, picture))
    else:
        found = list(_coco(read_json(path, _WHAT), picture, label))
    masks = [one for one in (_cut(mask, picture) for mask in found[:_MOST_PEOPLE]) if one]
    if not masks:
        raise InputError(
            f"The masks {label} show nobody in {picture.stem}: leave them out, and they are drawn."
        )
    return tuple(masks)


def _coco(content: Any, picture: Picture, label: str) -> Iterator[np.ndarray]:
    for entry in entries_of(content, picture, label, _WHAT):
        if entry.get("category_id", _PERSON) != _PERSON or entry.get("iscrowd") == 1:
            continue
        shape = entry.get("segmentation")
        if shape is None:
            continue
        try:
            yield _segmentation(shape, picture)
        except (ValueError, TypeError, OverflowError) as error:
            raise InputError(
                f"The masks {label} do not go with {picture.stem} ({error}): give those of this "
                "picture, COCO's run lengths or polygons."
            ) from error


def _segmentation(shape: Any, picture: Picture) -> np.ndarray:
    if isinstance(shape, dict):
        height, width = (int(one) for one in shape.get("size", (0, 0)))
        if (width, height) != (picture.width, picture.height):
            raise ValueError(
                f"they are {width} x {height}, the picture {picture.width} x {picture.height}"
            )
        return decode_rle(shape.get("counts", ""), height, width)
    if not isinstance(shape, list) or not shape:
        raise ValueError("a segmentation is neither runs nor polygons")
    mask = np.zeros((picture.height, picture.width), np.uint8)
    for polygon in shape:
        corners = np.array(polygon, float)
        if corners.ndim != 1 or len(corners) < 6 or len(corners) % 2:
            raise ValueError("a polygon has fewer than three corners")
        if not np.isfinite(corners).all() or np.abs(corners).max() > 1e5:
            raise ValueError("a polygon lies outside the picture")
        _fill(mask, corners.reshape(-1, 2))
    return mask > 0


def _fill(mask: np.ndarray, corners: np.ndarray) -> None:
    """Set the pixels of ``mask`` of which a polygon (N, 2), continuous pixels, covers half.

    Drawn finer, because OpenCV also draws all that its outline touches.
    """
    height, width = mask.shape
    x0, y0 = np.clip(np.floor(corners.min(0)), 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(0)), 0, [width, height]).astype(int)
    if x1 <= x0 or y1 <= y0:
        return
    fine = np.zeros(((y1 - y0) * _FINER, (x1 - x0) * _FINER), np.uint8)
    places = (corners - [x0, y0]) * _FINER - 0.5
    cv2.fillPoly(fine, [np.round(places * (1 << _SHIFT)).astype(np.int32)], 255, shift=_SHIFT)
    covered = cv2.resize(fine, (int(x1 - x0), int(y1 - y0)), interpolation=cv2.INTER_AREA) > 127
    mask[y0:y1, x0:x1][covered] = 1


def _label_map(path: Path, picture: Picture) -> Iterator[np.ndarray]:
    labels = _labels(path, picture)
    values = np.unique(labels)
    values = values[values != 0]
    if len(values) > _MOST_PEOPLE:
        raise InputError(
            f"The masks {readable(str(path))} have {len(values)} values, too many for people: give "
            "a label map, in which every person has one."
        )
    for value in values:
        yield labels == value


def _folder(path: Path, picture: Picture, label: str) -> Iterator[np.ndarray]:
    files = sorted(one for one in path.iterdir() if one.suffix.lower() in _SUFFIXES)
    maps = [one for one in files if one.stem == picture.stem]
    single = [one for one in files if one.stem.startswith((f"{picture.stem}_", f"{picture.stem}-"))]
    if not maps and not single:
        raise InputError(
            f"The folder {label} has no masks of {picture.stem}: name them {picture.stem}.png or "
            f"{picture.stem}_1.png.",
            code="missing-file",
        )
    for one in maps:
        yield from _label_map(one, picture)
    for one in single:
        yield _labels(one, picture) > 0


def _labels(path: Path, picture: Picture) -> np.ndarray:
    """(height, width) int64, 0 where nobody is."""
    label = readable(str(path))
    try:
        with Image.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InputError(f"The masks {label} are too large: save a smaller copy.")
            if image.format not in _LOSSLESS:
                raise InputError(f"The masks {label} are no PNG: save them without loss, as PNG.")
            if image.size != (picture.width, picture.height):
                raise InputError(
                    f"The masks {label} are {image.width} x {image.height} pixels, the picture "
                    f"{picture.width} x {picture.height}: give masks of its size."
                )
            plain = image.mode in ("1", "L", "P", "I", "I;16", "F")
            values = np.asarray(image if plain else image.convert("RGB"))
    except FileNotFoundError as error:
        raise InputError(
            f"There are no masks {label}: check the path.", code="missing-file"
        ) from error
    except (OSError, UnidentifiedImageError, ValueError, SyntaxError) as error:
        raise InputError(f"The masks {label} cannot be read: give a PNG.") from error
    if values.ndim == 3:
        values = values.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    return values.astype(np.int64)


def _cut(mask: np.ndarray, picture: Picture) -> GivenMask | None:
    """The mask in pixels of the decoded picture, cut to where it is; None where it is nowhere."""
    if picture.scale != 1.0:
        size = (round(picture.width * picture.scale), round(picture.height * picture.scale))
        small = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)
        mask = small > 127
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    values = np.ascontiguousarray(mask[top : rows[-1] + 1, left : columns[-1] + 1])
    return GivenMask(values, left, top)
