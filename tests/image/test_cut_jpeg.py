"""JPEG files that end too early: read with a sentence where little is missing."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.image.jpeg import has_all_scans, rows_missing
from vitruvian.image.photo import load_photo


def picture() -> Image.Image:
    """Smooth colours with some noise, as photographs have."""
    y, x = np.mgrid[0:320, 0:240]
    values = np.stack([x, y * 0.7, 255 - x], axis=-1) * 0.8
    values += np.random.default_rng(0).normal(0, 12, values.shape)
    return Image.fromarray(values.clip(0, 255).astype(np.uint8))


def jpeg(**options: object) -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, "JPEG", quality=92, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
def test_no_end_marker(progressive: bool, tmp_path: Path) -> None:
    data = jpeg(progressive=progressive)
    whole = load_photo(data)
    assert whole.warnings == ()
    for source in (data[:-2], data[:-1]):
        photo = load_photo(source)
        np.testing.assert_array_equal(photo.pixels, whole.pixels)
        assert photo.warnings == (
            "The JPEG file lacks its end; the picture was read as far as it goes.",
        )
    (tmp_path / "a.jpg").write_bytes(data[:-2])
    np.testing.assert_array_equal(load_photo(tmp_path / "a.jpg").pixels, whole.pixels)


def test_last_rows_missing() -> None:
    data = jpeg()
    photo = load_photo(data[: int(len(data) * 0.95)])
    (said,) = photo.warnings
    assert said.startswith("The JPEG file is cut short: the last ")
    missing = float(said.split("last ")[1].split("%")[0]) / 100
    assert 0.01 < missing < 0.08
    whole = load_photo(data).pixels
    kept = int(320 * (1 - missing)) - 18  # those above blend with what follows
    np.testing.assert_array_equal(photo.pixels[:kept], whole[:kept])
    assert (photo.pixels[-4:] == 128).all()


def test_turned_and_cut() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn: the rows that are missing end up at the left
    data = jpeg(exif=exif)
    photo = load_photo(data[: int(len(data) * 0.95)])
    assert "cut short" in photo.warnings[0]
    assert (photo.pixels[:, :4] == 128).all()


@pytest.mark.parametrize(("share", "progressive"), [(0.3, True), (0.3, False), (0.7, False)])
def test_much_missing_is_damaged(share: float, progressive: bool) -> None:
    data = jpeg(progressive=progressive)
    with pytest.raises(InputError) as caught:
        load_photo(data[: int(len(data) * share)])
    assert caught.value.code == "damaged-picture"


def test_progressive_counts_its_scans() -> None:
    data = jpeg(progressive=True)
    # In the first scan everything has a colour, but it is a blur.
    scans = [at for at in range(len(data) - 1) if data[at : at + 2] == b"\xff\xda"]
    assert len(scans) > 4
    assert not has_all_scans(data[: scans[1]])
    assert has_all_scans(data[:-2])
    assert has_all_scans(jpeg()[:-2])
    assert not has_all_scans(b"\xff\xd8")
    assert not has_all_scans(b"")


def test_rows_missing_counts_from_below() -> None:
    pixels = np.zeros((10, 4, 3), np.uint8)
    assert rows_missing(pixels) == 0
    pixels[7:] = 128
    pixels[2] = 128
    assert rows_missing(pixels) == 3
    assert rows_missing(np.full((5, 4), 128, np.uint8)) == 5
