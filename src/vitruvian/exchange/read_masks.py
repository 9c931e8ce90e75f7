"""Masks of people: COCO's run lengths and polygons, label maps, one picture a person."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from vitruvian.errors import InputError, shortened
from vitruvian.exchange.given_file import GivenFile
from vitruvian.exchange.picture import Picture, entries_of
from vitruvian.exchange.rle import decode_rle
from vitruvian.image.limits import MAX_PIXELS
from vitruvian.types.given import GivenMask

_MOST_PEOPLE = 200
_PERSON = 1  # COCO's category
_FINER = 4  # times, in which polygons are drawn
_BAND = 256  # rows of a picture that are drawn at once: sixteen times a large one is too much
_SHIFT = 4  # fractional bits of their corners
_LOSSLESS = ("PNG", "TIFF", "BMP", "GIF", "WEBP")
PICTURE_SUFFIXES = (".png", ".tif", ".tiff", ".bmp", ".gif", ".webp")


def read_masks(source: str | Path | bytes, picture: Picture) -> tuple[GivenMask, ...]:
    """Masks of the people in a picture, in pixels of the decoded picture.

    Args:
        source: COCO's annotations or results (JSON) with run lengths, compressed or not, or
            polygons; a label map (PNG) in which every person has a value or colour of their own
            and 0 or black is nobody; the content of either; or a folder with ``NAME.png``, a label
            map, or ``NAME_1.png``, ``NAME_2.png`` ..., a mask a person.
        picture: they are of.

    Raises:
        InputError: they cannot be read, are of another size, or show nobody.
    """
    file = GivenFile.of("masks", source)
    if isinstance(file.source, Path) and file.source.is_dir():
        found = _folder(file.source, picture, file)
    elif _is_picture(file):
        found = _label_map(file, picture)
    else:
        found = _coco(entries_of(file.json(), picture, file), picture, file)
    masks = _people(found, picture)
    if not masks:
        raise file.refused(f"show nobody in {picture.stem}: leave them out, and they are drawn")
    return masks


def annotated_masks(
    entries: Sequence[dict[str, Any]], picture: Picture, file: GivenFile
) -> tuple[GivenMask, ...]:
    """The same from COCO's entries of the picture in ``file``; empty where they show nobody."""
    return _people(_coco(entries, picture, file), picture)


def label_map(file: GivenFile, picture: Picture) -> tuple[GivenMask, ...]:
    """The same from a label map; empty where it shows nobody."""
    return _people(_label_map(file, picture), picture)


def _people(found: Iterator[np.ndarray], picture: Picture) -> tuple[GivenMask, ...]:
    cut = (_cut(mask, picture) for mask in islice(found, _MOST_PEOPLE))
    return tuple(mask for mask in cut if mask is not None)


def _is_picture(file: GivenFile) -> bool:
    if isinstance(file.source, bytes):
        return not file.source.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    return file.source.suffix.lower() in PICTURE_SUFFIXES


def _coco(
    entries: Sequence[dict[str, Any]], picture: Picture, file: GivenFile
) -> Iterator[np.ndarray]:
    for entry in entries:
        if entry.get("category_id", _PERSON) != _PERSON or entry.get("iscrowd") == 1:
            continue
        shape = entry.get("segmentation")
        if shape is None:
            continue
        try:
            yield _segmentation(shape, picture)
        except (ValueError, TypeError, OverflowError) as error:
            raise file.refused(
                f"do not go with {picture.stem} ({shortened(str(error))}): give those of this "
                "picture, COCO's run lengths or polygons"
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
    for top in range(int(y0), int(y1), _BAND):
        rows, columns = min(_BAND, int(y1) - top), int(x1 - x0)
        fine = np.zeros((rows * _FINER, columns * _FINER), np.uint8)
        places = (corners - [x0, top]) * _FINER - 0.5
        cv2.fillPoly(fine, [np.round(places * (1 << _SHIFT)).astype(np.int32)], 255, shift=_SHIFT)
        covered = cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_AREA) > 127
        mask[top : top + rows, x0:x1][covered] = 1


def _label_map(file: GivenFile, picture: Picture) -> Iterator[np.ndarray]:
    labels = _labels(file, picture)
    values = np.unique(labels)
    values = values[values != 0]
    if len(values) > _MOST_PEOPLE:
        raise file.refused(
            f"have {len(values)} values, too many for people: give a label map, in which every "
            "person has one"
        )
    for value in values:
        yield labels == value


def _folder(path: Path, picture: Picture, folder: GivenFile) -> Iterator[np.ndarray]:
    files = sorted(one for one in path.iterdir() if one.suffix.lower() in PICTURE_SUFFIXES)
    maps = [one for one in files if one.stem == picture.stem]
    single = [one for one in files if one.stem.startswith((f"{picture.stem}_", f"{picture.stem}-"))]
    if not maps and not single:
        raise folder.refused(
            f"have none of {picture.stem}: name them {picture.stem}.png or {picture.stem}_1.png",
            code="missing-file",
        )
    for one in maps:
        yield from _label_map(GivenFile("masks", one), picture)
    for one in single:
        yield _labels(GivenFile("masks", one), picture) > 0


def _labels(file: GivenFile, picture: Picture) -> np.ndarray:
    """(height, width) int32, 0 where nobody is."""
    source = file.source
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
            if image.width * image.height > MAX_PIXELS:
                raise file.refused("are too large: save a smaller copy", code="too-large")
            if image.format not in _LOSSLESS:
                raise file.refused("are no PNG: save them without loss, as PNG")
            if image.size != (picture.width, picture.height):
                raise file.refused(
                    f"are {image.width} x {image.height} pixels, the picture {picture.width} x "
                    f"{picture.height}: give masks of its size"
                )
            plain = image.mode in ("1", "L", "P", "I", "I;16", "F")
            values = np.asarray(image if plain else image.convert("RGB"))
    except (InputError, MemoryError):
        raise
    except FileNotFoundError as error:
        raise file.absent() from error
    except Exception as error:  # as many kinds as there are decoders and ways to damage a file
        raise file.refused("cannot be read: give a PNG") from error
    if values.ndim == 3:
        red, green, blue = np.moveaxis(values.astype(np.int32), -1, 0)
        return np.asarray((red << 16) | (green << 8) | blue)
    if values.dtype.kind == "f":
        values = np.clip(np.nan_to_num(values), 0, 1e9)
    return values.astype(np.int32)


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
