"""Masks read from every kind of file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.exchange.picture import Picture
from vitruvian.exchange.read_masks import read_masks
from vitruvian.exchange.rle import encode_rle

PICTURE = Picture("street", 64, 48)


def shapes() -> tuple[np.ndarray, np.ndarray]:
    first, second = np.zeros((48, 64), bool), np.zeros((48, 64), bool)
    first[10:40, 5:20] = True
    second[5:45, 30:50] = True
    return first, second


def full(mask: Any) -> np.ndarray:
    out = np.zeros((48, 64), bool)
    height, width = mask.values.shape
    out[mask.y : mask.y + height, mask.x : mask.x + width] = mask.values
    return out


def written(segmentation: Any, tmp_path: Path, **more: Any) -> Path:
    path = tmp_path / "masks.json"
    entry = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation} | more
    images = [{"id": 1, "file_name": "a/street.jpg"}]
    path.write_text(json.dumps({"images": images, "annotations": [entry]}))
    return path


def test_run_lengths(tmp_path: Path) -> None:
    first, _ = shapes()
    packed = {"size": [48, 64], "counts": encode_rle(first)}
    flat = first.T.reshape(-1).astype(int)
    edges = np.flatnonzero(np.diff(flat)) + 1
    listed = {"size": [48, 64], "counts": np.diff([0, *edges, len(flat)]).tolist()}
    for one in (packed, listed):
        (mask,) = read_masks(written(one, tmp_path), PICTURE)
        assert np.array_equal(full(mask), first)
        assert mask.box.tolist() == [5, 10, 20, 40]


def test_polygons(tmp_path: Path) -> None:
    first, _ = shapes()
    polygon = [5, 10, 20, 10, 20, 40, 5, 40]
    (mask,) = read_masks(written([polygon], tmp_path), PICTURE)
    assert np.array_equal(full(mask), first)
    triangle = [0, 0, 64, 0, 0, 48]
    (mask,) = read_masks(written([triangle], tmp_path), PICTURE)
    assert full(mask).sum() == pytest.approx(64 * 48 / 2, rel=0.02)


def test_label_maps(tmp_path: Path) -> None:
    first, second = shapes()
    labels = (first * 3 + second * 200).astype(np.uint8)
    colours = np.zeros((48, 64, 3), np.uint8)
    colours[first], colours[second] = (255, 0, 0), (0, 0, 255)
    indexed = Image.fromarray(labels).convert("P")
    indexed.putdata(labels.reshape(-1).tolist())
    for index, image in enumerate((Image.fromarray(labels), indexed, Image.fromarray(colours))):
        image.save(tmp_path / f"{index}.png")
        masks = read_masks(tmp_path / f"{index}.png", PICTURE)
        found = sorted((full(mask) for mask in masks), key=lambda one: one.sum())
        assert np.array_equal(found[0], first)
        assert np.array_equal(found[1], second)


def test_a_folder(tmp_path: Path) -> None:
    for number, shape in enumerate(shapes(), 1):
        Image.fromarray(shape.astype(np.uint8) * 255).save(tmp_path / f"street_{number}.png")
    masks = read_masks(tmp_path, PICTURE)
    assert [np.array_equal(full(m), s) for m, s in zip(masks, shapes(), strict=True)] == [True] * 2
    with pytest.raises(InputError, match="have none of lake"):
        read_masks(tmp_path, Picture("lake", 64, 48))


def test_a_reduced_picture(tmp_path: Path) -> None:
    first, _ = shapes()
    Image.fromarray(first.astype(np.uint8)).save(tmp_path / "map.png")
    (mask,) = read_masks(tmp_path / "map.png", Picture("street", 64, 48, 0.5))
    assert mask.values.sum() == pytest.approx(first.sum() / 4, rel=0.1)


@pytest.mark.parametrize(
    ("segmentation", "sentence"),
    [
        ({"size": [64, 48], "counts": [3072]}, "they are 48 x 64, the picture 64 x 48"),
        ({"size": [48, 64], "counts": [5, 6]}, "do not fill"),
        ({"size": [48, 64]}, "do not fill"),
        ({"size": "big"}, "do not go with street"),
        ([[1, 2, 3, 4]], "fewer than three corners"),
        ([[float("1e30")] * 6], "outside the picture"),
        ([["a"] * 6], "do not go with street"),
        (5, "neither runs nor polygons"),
        ({"size": [48, 64], "counts": [3072]}, "show nobody in street"),
    ],
)
def test_wrong_masks(segmentation: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        read_masks(written(segmentation, tmp_path), PICTURE)
    assert "\n" not in str(caught.value)


def test_crowds_and_other_things_are_nobody(tmp_path: Path) -> None:
    runs = {"size": [48, 64], "counts": encode_rle(shapes()[0])}
    for more in ({"iscrowd": 1}, {"category_id": 18}):
        with pytest.raises(InputError, match="show nobody"):
            read_masks(written(runs, tmp_path, **more), PICTURE)


def test_pictures_that_are_no_masks(tmp_path: Path) -> None:
    path = tmp_path / "masks.png"
    with pytest.raises(InputError, match="There are no masks"):
        read_masks(path, PICTURE)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"cannot be read: give a PNG"):
        read_masks(path, PICTURE)
    Image.new("L", (10, 10)).save(path)
    with pytest.raises(InputError, match="are 10 x 10 pixels, the picture 64 x 48"):
        read_masks(path, PICTURE)
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    Image.fromarray(noise).save(path)
    with pytest.raises(InputError, match="values, too many for people"):
        read_masks(path, PICTURE)
