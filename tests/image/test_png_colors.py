"""What a PNG says of its colours without a profile: gAMA, cHRM, sRGB and cICP."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from vitruvian.image.color import srgb_decoded, srgb_encoded
from vitruvian.image.photo import load_photo
from vitruvian.image.to_srgb import PRIMARIES, read_cicp

BT709 = [0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06]
P3 = [0.3127, 0.3290, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06]


def colours() -> np.ndarray:
    """(64, 64, 3) uint8: grey in the upper half, soft colours below."""
    y, x = np.mgrid[0:64, 0:64]
    grey = np.repeat((x * 4)[..., None], 3, axis=2)
    soft = np.stack([90 + x, 140 - x // 2, 100 + y // 2], axis=-1)
    return np.where((y < 32)[..., None], grey, soft).astype(np.uint8)


def chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png(pixels: np.ndarray, *chunks: bytes) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    data = buffer.getvalue()
    return data[:33] + b"".join(chunks) + data[33:]  # behind the header


def gama(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 1e5)))


def chrm(values: list[float]) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 1e5) for value in values)))


def read(pixels: np.ndarray, *chunks: bytes) -> np.ndarray:
    return load_photo(png(pixels, *chunks)).pixels.astype(int)


@pytest.mark.parametrize(
    "chunks",
    [
        [],
        [gama(0.45455)],
        [gama(0.45455), chrm(BT709)],
        [chunk(b"sRGB", b"\0"), gama(1.0)],  # sRGB counts before gAMA
        [chunk(b"cICP", bytes([1, 13, 0, 1])), gama(1.0)],
        [chunk(b"cICP", bytes([1, 1, 0, 1]))],
        [chunk(b"cICP", bytes([2, 2, 0, 1]))],  # unspecified
    ],
)
def test_srgb_stays(chunks: list[bytes]) -> None:
    np.testing.assert_array_equal(read(colours(), *chunks), colours())


@pytest.mark.parametrize("chunks", [[gama(1.0)], [chunk(b"cICP", bytes([1, 8, 0, 1]))]])
def test_linear_light(chunks: list[bytes]) -> None:
    expected = srgb_encoded(colours() / 255.0) * 255
    assert np.abs(read(colours(), *chunks) - expected).max() <= 1


def test_other_powers() -> None:
    expected = srgb_encoded((colours() / 255.0) ** 1.8) * 255
    assert np.abs(read(colours(), gama(1 / 1.8)) - expected).max() <= 1
    rgba = np.dstack([colours(), np.full((64, 64), 255, np.uint8)])
    assert np.abs(read(rgba, gama(1 / 1.8)) - expected).max() <= 1


@pytest.mark.parametrize(
    "chunks", [[gama(0.45455), chrm(P3)], [chunk(b"cICP", bytes([12, 13, 0, 1]))]]
)
def test_wide_colours_come_back(chunks: list[bytes]) -> None:
    # From sRGB to Display P3; the matrix is that of CSS Color 4.
    p3_from_srgb = np.array(
        [[0.82246, 0.17754, 0], [0.03320, 0.96680, 0], [0.01708, 0.07240, 0.91052]]
    )
    in_p3 = srgb_encoded(srgb_decoded(colours() / 255.0) @ p3_from_srgb.T) * 255
    assert np.abs(in_p3.round() - colours()).max() > 3
    assert np.abs(read(in_p3.round().astype(np.uint8), *chunks) - colours()).max() <= 3


def test_high_dynamic_range_keeps_white_white() -> None:
    """ST 2084 puts 203 cd/m2, the white of BT.2408, at 58 %; HLG at 75 %."""
    for transfer, white in ((16, 0.58), (18, 0.75)):
        values = np.full((64, 64, 3), round(white * 255), np.uint8)
        shown = read(values, chunk(b"cICP", bytes([9, transfer, 0, 1])))
        assert np.abs(shown - 255).max() <= 4
        darker = read(values // 2, chunk(b"cICP", bytes([9, transfer, 0, 1])))
        assert 20 < darker.mean() < 200


def test_white_is_white_in_all_primaries() -> None:
    for number in PRIMARIES:
        shown = read(np.full((64, 64, 3), 255, np.uint8), chunk(b"cICP", bytes([number, 13, 0, 1])))
        assert shown.min() >= 254


def test_damaged_chunks_are_no_cicp() -> None:
    data = png(colours(), chunk(b"cICP", bytes([9, 16, 0, 1])))
    assert read_cicp(io.BytesIO(data)) == (9, 16)
    assert read_cicp(io.BytesIO(data[:42])) is None
    assert read_cicp(io.BytesIO(b"")) is None
    assert read_cicp(io.BytesIO(png(colours()))) is None
