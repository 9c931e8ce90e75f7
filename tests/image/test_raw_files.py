"""TIFF files whose first page is not the picture: camera RAW, and reduced copies."""

from __future__ import annotations

import contextlib
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.image.photo import load_photo
from vitruvian.image.tiff import choose_page

SHORT, LONG = 3, 4
MOSAIC = 32803


def picture(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[0:height, 0:width]
    values = np.stack([x * 255 // width, y * 255 // height, 255 - x * 255 // width], axis=-1)
    return Image.fromarray(values.astype(np.uint8))


def jpeg(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    picture(width, height).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


class Tiff:
    """A TIFF file, written page by page with all that our writers never write."""

    def __init__(self) -> None:
        self.data = bytearray(b"II*\0\0\0\0\0")

    def put(self, data: bytes) -> int:
        at = len(self.data)
        self.data += data + b"\0" * (len(data) % 2)
        return at

    def page(self, tags: dict[int, tuple[int, list[int]]]) -> int:
        fields = []
        for tag, (kind, values) in sorted(tags.items()):
            packed = struct.pack(f"<{len(values)}{'H' if kind == SHORT else 'I'}", *values)
            if len(packed) > 4:
                packed = struct.pack("<I", self.put(packed))
            fields.append(struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0"))
        return self.put(struct.pack("<H", len(fields)) + b"".join(fields) + b"\0\0\0\0")

    def link(self, at: int, to: int) -> None:
        """Make the page ``to`` the one after the page at ``at``."""
        (count,) = struct.unpack_from("<H", self.data, at)
        struct.pack_into("<I", self.data, at + 2 + 12 * count, to)

    def file(self, first: int) -> bytes:
        struct.pack_into("<I", self.data, 4, first)
        return bytes(self.data)

    def rgb(self, width: int, height: int, **more: int) -> dict[int, tuple[int, list[int]]]:
        pixels = np.asarray(picture(width, height)).tobytes()
        reduced, turned = more.get("reduced", 0), more.get("orientation", 1)
        return {
            254: (LONG, [reduced]), 256: (LONG, [width]), 257: (LONG, [height]),
            258: (SHORT, [8, 8, 8]), 259: (SHORT, [1]), 262: (SHORT, [2]),
            273: (LONG, [self.put(pixels)]), 274: (SHORT, [turned]), 277: (SHORT, [3]),
            278: (LONG, [height]), 279: (LONG, [len(pixels)]),
        }  # fmt: skip

    def mosaic(self, width: int, height: int) -> dict[int, tuple[int, list[int]]]:
        values = np.full((height, width), 9000, np.uint16).tobytes()
        return {
            254: (LONG, [0]), 256: (LONG, [width]), 257: (LONG, [height]), 258: (SHORT, [16]),
            259: (SHORT, [1]), 262: (SHORT, [MOSAIC]), 273: (LONG, [self.put(values)]),
            277: (SHORT, [1]), 278: (LONG, [height]), 279: (LONG, [len(values)]),
        }  # fmt: skip


def raw_file(preview: tuple[int, int] | None, *, orientation: int = 1) -> bytes:
    """As Nikon writes them: a thumbnail, and below it the mosaic and a JPEG preview."""
    tiff = Tiff()
    below = [tiff.page(tiff.mosaic(1200, 800))]
    if preview is not None:
        data = jpeg(*preview)
        below.append(tiff.page({513: (LONG, [tiff.put(data)]), 514: (LONG, [len(data)])}))
    first = tiff.rgb(160, 106, reduced=1, orientation=orientation)
    return tiff.file(tiff.page({**first, 330: (LONG, below)}))


def test_the_preview_of_a_raw_file_is_used_and_said(tmp_path: Path) -> None:
    (tmp_path / "DSC_0001.NEF").write_bytes(raw_file((900, 600)))
    photo = load_photo(tmp_path / "DSC_0001.NEF")
    assert (photo.width, photo.height) == photo.original_size == (900, 600)
    assert photo.warnings == (
        "The file is a camera's RAW file: the preview in it, 900 x 600 pixels, was used; export a "
        "JPEG for all that the camera saw.",
    )
    error = np.abs(photo.pixels.astype(int) - np.asarray(picture(900, 600)))
    assert error.mean() < 2


def test_the_file_says_how_the_camera_was_held() -> None:
    assert load_photo(raw_file((900, 600), orientation=6)).pixels.shape == (900, 600, 3)


@pytest.mark.parametrize("preview", [None, (300, 200)])
def test_a_thumbnail_is_not_reconstructed(preview: tuple[int, int] | None) -> None:
    with pytest.raises(InputError) as caught:
        load_photo(raw_file(preview), name="DSC_0001.NEF")
    assert caught.value.code == "not-a-picture"
    assert str(caught.value) == (
        "DSC_0001.NEF is a camera's RAW file without a picture that can be read; export it as JPEG."
    )


@pytest.mark.parametrize("magic", [b"FUJIFILMCCD-RAW 0201", b"IIRO\x08\0", b"\0\0\0\x18ftypcrx \0"])
def test_other_raw_files_are_called_so(magic: bytes) -> None:
    with pytest.raises(InputError, match="camera's RAW file"):
        load_photo(magic + b"\0" * 100)


def test_a_reduced_copy_first_and_the_picture_behind() -> None:
    tiff = Tiff()
    first = tiff.page(tiff.rgb(120, 80, reduced=1))
    tiff.link(first, tiff.page(tiff.rgb(600, 400)))
    photo = load_photo(tiff.file(first))
    np.testing.assert_array_equal(photo.pixels, np.asarray(picture(600, 400)))
    assert photo.warnings == ()


def test_further_pages_are_no_matter() -> None:
    tiff = Tiff()
    first = tiff.page(tiff.rgb(120, 80))
    tiff.link(first, tiff.page(tiff.rgb(600, 400)))
    assert load_photo(tiff.file(first)).pixels.shape == (80, 120, 3)


def test_nothing_but_a_reduced_copy_is_said() -> None:
    tiff = Tiff()
    photo = load_photo(tiff.file(tiff.page(tiff.rgb(600, 400, reduced=1))))
    assert photo.warnings == (
        "The file has nothing but a reduced copy of a picture, 600 x 400 pixels.",
    )


@pytest.mark.parametrize("seed", range(20))
def test_damage_raises_nothing_else(seed: int) -> None:
    data = bytearray(raw_file((900, 600)))
    rng = np.random.default_rng(seed)
    start = 0 if seed % 2 else len(data) - 400  # the pages lie at the end
    for at in rng.integers(start, len(data), 40):
        data[at] = rng.integers(0, 256)
    choose_page(bytes(data))
    choose_page(bytes(data[: rng.integers(0, len(data))]))
    with contextlib.suppress(InputError):  # a sentence, or a picture after all
        load_photo(bytes(data))
