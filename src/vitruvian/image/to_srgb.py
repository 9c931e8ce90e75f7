"""From what a file says of its colours to sRGB: ICC profiles, and PNG's gAMA, cHRM and cICP."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from vitruvian.image.color import srgb_decoded, srgb_encoded

_SAME = 2  # of 255: a profile that changes nothing by more is sRGB, whatever it is called
_D65 = (0.3127, 0.3290)
# Chromaticities of red, green, blue and white by the numbers of ITU-T H.273.
PRIMARIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),  # BT.709, sRGB
    5: ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060), _D65),  # PAL
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),  # NTSC
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),  # BT.2020
    11: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),  # DCI P3
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),  # Display P3
}
_LINEAR, _SRGB, _PQ, _HLG = 8, 13, 16, 18
_POWERS = {4: 2.2, 5: 2.8}
_SDR_WHITE_NITS = 203.0  # BT.2408
_HLG_PEAK_NITS = 1000.0
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_ROWS = 256  # rows at a time, which bounds the memory

_Primaries = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class _Encoding:
    """Colours as light: how values 0..1 become light with 1 for white, and of which colours."""

    decoded: Callable[[np.ndarray], np.ndarray]
    primaries: _Primaries


def read_cicp(stream: BinaryIO) -> tuple[int, int] | None:
    """Primaries and transfer characteristics of a PNG's cICP chunk; None where it has none.

    Pillow does not read it. The stream is left at its start.
    """
    try:
        if stream.read(8) != b"\x89PNG\r\n\x1a\n":
            return None
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"cICP" and length == 4:
                primaries, transfer, _, _ = stream.read(4)
                return primaries, transfer
            if kind in (b"IDAT", b"IEND"):
                return None
            stream.seek(length + 4, io.SEEK_CUR)
        return None
    except ValueError:  # fewer than four bytes were left
        return None
    finally:
        stream.seek(0)


def to_srgb(image: Image.Image, cicp: tuple[int, int] | None = None) -> Image.Image:
    """RGB or RGBA in sRGB.

    Args:
        image: L, RGB, RGBA, CMYK, YCbCr or LAB, with what Pillow read of its colours in ``info``.
        cicp: of ``read_cicp``; it counts before the profile, and that before gAMA and cHRM.
    """
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    encoding = None
    if cicp is not None:
        encoding = _of_cicp(*cicp)
    elif image.info.get("icc_profile"):
        if image.mode in ("RGB", "RGBA", "CMYK", "L"):
            converted = _apply_profile(image, image.info["icc_profile"], target)
            if converted is not None:
                return converted
    elif "srgb" not in image.info:
        encoding = _of_png(image.info)
    image = image if image.mode == target else image.convert(target)
    return image if encoding is None else _apply_encoding(image, encoding)


def _apply_profile(image: Image.Image, profile: bytes, target: str) -> Image.Image | None:
    """The image taken from ``profile`` to sRGB; None when it is sRGB already, or unreadable."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), image.mode, target
        )
        if image.mode != "CMYK" and _changes_nothing(transform, image.mode, target):
            return None
        return ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        # A profile for another colour space, or a broken one: the plain values are closer to
        # the truth than a refusal.
        return None


def _changes_nothing(transform: Any, mode: str, target: str) -> bool:
    """Whether a transform leaves colours from all over the cube where they are.

    Names say little: a profile called "sRGB, linear" is not sRGB, and many that are have others.
    """
    from PIL import ImageCms

    steps = np.array([0, 32, 64, 128, 192, 255], np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(1, -1, 3)
    probe = Image.fromarray(cube if mode != "L" else cube[..., 0])
    expected = np.asarray(probe.convert("RGB")).astype(int)
    changed = ImageCms.applyTransform(probe.convert(mode), transform)
    assert changed is not None
    return bool(np.abs(np.asarray(changed.convert("RGB")) - expected).max() <= _SAME)


def _of_cicp(primaries: int, transfer: int) -> _Encoding | None:
    """What cICP means; None for sRGB, and for what is neither known nor common."""
    decoders: dict[int, Callable[[np.ndarray], np.ndarray]] = {
        _LINEAR: lambda v: v,
        _PQ: _from_pq,
        _HLG: _from_hlg,
        **{number: _power(exponent) for number, exponent in _POWERS.items()},
    }
    # The television curves (1, 6, 14, 15) are shown as sRGB's is.
    decoded = decoders.get(transfer, srgb_decoded)
    if primaries not in PRIMARIES or (primaries == 1 and decoded is srgb_decoded):
        return None
    return _Encoding(decoded, PRIMARIES[primaries])


def _of_png(info: dict[Any, Any]) -> _Encoding | None:
    """What gAMA and cHRM mean; None for sRGB or without them."""
    gamma, chromaticity = info.get("gamma"), info.get("chromaticity")
    primaries: _Primaries = PRIMARIES[1]
    if chromaticity is not None and min(chromaticity) > 0:
        white, *colours = zip(chromaticity[::2], chromaticity[1::2], strict=True)
        if np.abs(np.array([*colours, white]) - PRIMARIES[1]).max() > 0.005:
            primaries = (*colours, white)
    # 1/2.2 is what programs write for sRGB.
    decoded = srgb_decoded if not gamma or abs(gamma * 2.2 - 1) < 0.02 else _power(1 / gamma)
    if decoded is srgb_decoded and primaries is PRIMARIES[1]:
        return None
    return _Encoding(decoded, primaries)


def _power(exponent: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: np.asarray(values**exponent)


def _from_pq(values: np.ndarray) -> np.ndarray:
    """Light of SMPTE ST 2084, white at 203 cd/m2."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    root = values ** (1 / m2)
    nits = 10000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return np.asarray(nits / _SDR_WHITE_NITS)


def _from_hlg(values: np.ndarray) -> np.ndarray:
    """Light of BT.2100 HLG on a display of 1000 cd/m2, white at 203."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)
    return np.asarray(scene**1.2 * _HLG_PEAK_NITS / _SDR_WHITE_NITS)


def _xyz(primaries: _Primaries) -> np.ndarray:
    """(3, 3) from linear RGB to XYZ relative to D65."""
    points = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries]).T
    colours, white = points[:, :3], points[:, 3]
    matrix = colours * np.linalg.solve(colours, white)
    d65 = np.array([_D65[0] / _D65[1], 1.0, (1 - sum(_D65)) / _D65[1]])
    gain = np.diag((_BRADFORD @ d65) / (_BRADFORD @ white))
    return np.asarray(np.linalg.inv(_BRADFORD) @ gain @ _BRADFORD @ matrix)


def _apply_encoding(image: Image.Image, encoding: _Encoding) -> Image.Image:
    """An RGB or RGBA image in sRGB; what is brighter or more colourful than sRGB is clipped."""
    light = encoding.decoded(np.arange(256, dtype=np.float64) / 255).astype(np.float32)
    matrix = (np.linalg.inv(_xyz(PRIMARIES[1])) @ _xyz(encoding.primaries)).astype(np.float32)
    back = srgb_encoded(np.arange(4096, dtype=np.float64) / 4095) * 255
    back = (back + 0.5).astype(np.uint8)
    pixels = np.array(image)
    for start in range(0, len(pixels), _ROWS):
        rows = pixels[start : start + _ROWS, :, :3]
        linear = (light[rows] @ matrix.T).clip(0, 1)
        rows[...] = back[(linear * 4095 + np.float32(0.5)).astype(np.int16)]
    return Image.fromarray(pixels)
