"""From a file, bytes or a Pillow image to upright 8-bit sRGB, within limits."""

from __future__ import annotations

import io
import re
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from vitruvian.errors import InputError, MissingExtraError
from vitruvian.image.exif import Exif, read_exif
from vitruvian.image.jpeg import END, MOST_MISSING, has_all_scans, rows_missing
from vitruvian.image.limits import MAX_BYTES, MAX_PIXELS, MAX_WORKING_SIDE, MIN_SIDE
from vitruvian.image.tiff import Chosen, choose_page
from vitruvian.image.to_srgb import read_cicp, to_srgb

# Only these decoders are ever tried: the others that Pillow carries (PostScript, PSD, FPX...)
# are not photographs, and some are dangerous on files of strangers. (JPEG's opens MPO too.)
_FORMATS = ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"]
_MAGIC = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}

# Camera RAW files that are no TIFF, or call themselves none: Fujifilm, Panasonic, Olympus, Sigma.
_RAW_MAGIC = (b"FUJIFILMCCD", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb")
_RAW_BRANDS = {b"crx "}  # Canon's CR3

# Pixels of a RAW file's preview on its longer side below which it is a thumbnail.
SMALLEST_PREVIEW = 400

_JPEGS = {"JPEG", "MPO"}  # an MPO is a JPEG with more pictures behind

# Formats whose further frames make an animation. (MPO's are a thumbnail or a second lens, and
# TIFF's are pages: their first frame is the picture.)
_ANIMATED_FORMATS = {"GIF", "PNG", "WEBP", "AVIF"}

# What shows through transparent pixels, whose own colour is arbitrary. Mid-grey, because it is
# what the people stage paints over everything that is not the person it looks at: white would
# join pale clothes to the background, black dark ones.
BACKDROP = (127, 127, 127)


@dataclass(frozen=True)
class Decoded:
    """A decoded picture.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB, upright, composited over ``BACKDROP``.
        alpha: (H, W) uint8, or None when the picture is opaque throughout.
        exif: its tags.
        original_size: upright (width, height) before any reduction.
        warnings: sentences about a file that could be read, but not as it should be.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    exif: Exif
    original_size: tuple[int, int]
    warnings: tuple[str, ...] = ()


def decode_file(path: Path, label: str) -> Decoded:
    """Decode a file. ``label`` is how error sentences call it.

    Raises:
        InputError: the file cannot be used; nothing of it was decoded if it is over a limit.
        MissingExtraError: it is HEIC and the extra ``heic`` is not installed.
    """
    try:
        if path.is_dir():
            raise InputError(
                f"{label} is a folder; give the pictures in it, for example {label}/*.jpg.",
                code="unreadable-file",
            )
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device: it has no size
            with path.open("rb") as stream:
                return decode_bytes(stream.read(MAX_BYTES + 1), label)
        _check_bytes(status.st_size, label)
        with path.open("rb") as stream:
            return _decode_stream(stream, label)
    except FileNotFoundError:
        raise InputError(f"{label} does not exist; check the path.", code="missing-file") from None
    except PermissionError:
        raise InputError(
            f"{label} may not be read; check its permissions.", code="unreadable-file"
        ) from None
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise InputError(
            f"{label} cannot be read ({reason}); check the path.", code="unreadable-file"
        ) from None


def decode_bytes(data: bytes, label: str) -> Decoded:
    """Decode the content of an image file held in memory; errors as ``decode_file``."""
    _check_bytes(len(data), label)
    return _decode_stream(io.BytesIO(data), label)


def decode_image(image: Image.Image, label: str) -> Decoded:
    """Convert a Pillow image, which is left as it is; errors as ``decode_file``."""
    if _is_closed(image):
        raise InputError(
            f"{label} was closed before it was read; give its path, or the image while it is open.",
            code="unreadable-file",
        )
    return _convert(image, label, own=False)


def _is_closed(image: Image.Image) -> bool:
    try:
        image.load()
    except (ValueError, AssertionError, AttributeError):  # as versions of Pillow have it
        return getattr(image, "fp", None) is None
    except Exception:  # damaged, which is said later
        return False
    return False


class _Damaged(InputError):
    """What a decoder cannot make sense of."""


def _damaged(label: str) -> InputError:
    return _Damaged(
        f"{label} is damaged or cut short; export or download it again.", code="damaged-picture"
    )


def _not_a_picture(label: str) -> InputError:
    return InputError(
        f"{label} is not a picture in a format that can be read; give a JPEG, PNG, WebP or HEIC "
        "file.",
        code="not-a-picture",
    )


def _check_bytes(size: int, label: str) -> None:
    if size == 0:
        raise InputError(f"{label} is empty; export or download it again.", code="damaged-picture")
    if size > MAX_BYTES:
        raise InputError(
            f"{label} has {size / 2**20:.0f} MB, over the limit of {MAX_BYTES // 2**20} MB; "
            "save a smaller copy.",
            code="too-large",
        )


def _decode_stream(stream: BinaryIO, label: str) -> Decoded:
    with warnings.catch_warnings():
        # What Pillow warns of (odd tags, more than 89 megapixels) either stops us below, in our
        # own words, or does not matter to the user.
        warnings.simplefilter("ignore")
        return _open_and_convert(stream, label)


def _open_and_convert(stream: BinaryIO, label: str) -> Decoded:
    formats = _formats_for(stream, label)
    cicp = read_cicp(stream)
    page = _page_of_tiff(stream, label)
    if page is not None:
        with Image.open(stream, formats=["TIFF"]) as first:
            exif = read_exif(first)
        with Image.open(io.BytesIO(page.data), formats=[page.kind]) as image:
            return _convert(image, label, own=True, exif=exif, warned=_of_page(page))
    try:
        image = Image.open(stream, formats=formats)
    except Image.DecompressionBombError as error:
        found = re.search(r"\((\d+) pixels\)", str(error))
        raise _too_many_pixels(int(found.group(1)) if found else 2 * MAX_PIXELS, label) from None
    except UnidentifiedImageError:
        stream.seek(0)
        known = formats != _FORMATS or stream.read(4).startswith(_MAGIC)
        raise (_damaged(label) if known else _not_a_picture(label)) from None
    except Exception as error:  # OSError, SyntaxError, struct.error... on damaged headers
        raise _damaged(label) from error
    with image:
        try:
            return _convert(image, label, own=True, cicp=cicp)
        except _Damaged:
            if image.format not in _JPEGS:
                raise
    stream.seek(0)
    return _convert_cut_jpeg(stream.read(), label)


def _page_of_tiff(stream: BinaryIO, label: str) -> Chosen | None:
    """The page to read of a TIFF that is a camera's RAW file or begins with a reduced copy."""
    is_tiff = stream.read(4) in (b"II*\0", b"MM\0*")
    stream.seek(0)
    page = choose_page(stream.read()) if is_tiff else None
    stream.seek(0)
    if page is not None and max(page.size) < SMALLEST_PREVIEW:
        if page.raw:
            raise _raw(label)
        return None
    return page


def _of_page(page: Chosen) -> tuple[str, ...]:
    """The sentence about a picture that is not the one that the file is about."""
    size = f"{page.size[0]} x {page.size[1]} pixels"
    if page.raw:
        return (
            f"The file is a camera's RAW file: the preview in it, {size}, was used; export a JPEG "
            "for all that the camera saw.",
        )
    return (f"The file has nothing but a reduced copy of a picture, {size}.",) * page.reduced


def _raw(label: str) -> InputError:
    return InputError(
        f"{label} is a camera's RAW file without a picture that can be read; export it as JPEG.",
        code="not-a-picture",
    )


def _convert_cut_jpeg(data: bytes, label: str) -> Decoded:
    """A JPEG that ends too early, with what it lacks in grey, if that is little.

    Every viewer shows those, and cameras write them without their two-byte end marker.
    """
    if not has_all_scans(data):
        raise _damaged(label)
    with Image.open(io.BytesIO(data + END), formats=["JPEG"]) as image:
        return _convert(image, label, own=True, cut=True)


def _of_cut_jpeg(image: Image.Image) -> str:
    """The sentence for a JPEG without its end. Raises ``ValueError`` where too much is missing."""
    missing = rows_missing(np.asarray(image)) / image.height
    if missing > MOST_MISSING:
        raise ValueError("too much is missing")
    if missing:
        return f"The JPEG file is cut short: the last {missing:.1%} of the picture is missing."
    return "The JPEG file lacks its end; the picture was read as far as it goes."


def _formats_for(stream: BinaryIO, label: str) -> list[str]:
    """The decoders to try, by the first bytes; the suffix of the name means nothing."""
    head = stream.read(12)
    stream.seek(0)
    if head.startswith(_RAW_MAGIC):
        raise _raw(label)
    if head[4:8] != b"ftyp":
        return _FORMATS
    if head[8:12] in _RAW_BRANDS:
        raise _raw(label)
    if head[8:12] in (b"avif", b"avis"):
        if not features.check("avif"):
            raise _not_a_picture(label)
        return ["AVIF"]
    if head[8:12] not in HEIC_BRANDS:
        raise InputError(f"{label} is a video or another media file; give a picture.", code="video")
    try:
        import pillow_heif
    except ImportError:
        raise MissingExtraError(
            f"{label} is a HEIC picture; run pip install 'vitruvian[heic]' to read it, or save it "
            "as JPEG."
        ) from None
    pillow_heif.register_heif_opener()
    return ["HEIF"]


def _too_many_pixels(count: int, label: str) -> InputError:
    return InputError(
        f"{label} declares {count / 1e6:.0f} megapixels, over the limit of "
        f"{MAX_PIXELS // 1_000_000}; save a smaller copy.",
        code="too-large",
    )


def _too_small(width: int, height: int, label: str) -> InputError:
    return InputError(
        f"{label} is {width} x {height} pixels; give a picture of at least {MIN_SIDE} pixels on "
        "each side.",
        code="too-small",
    )


def _reduction(size: tuple[int, int]) -> int:
    """The whole number by which a picture is reduced to fit the working size.

    Whole factors cost a tenth of a resampling filter, and JPEG's are free.
    """
    return -(-max(size) // MAX_WORKING_SIDE)


def _convert(
    image: Image.Image,
    label: str,
    *,
    own: bool,
    cut: bool = False,
    cicp: tuple[int, int] | None = None,
    exif: Exif | None = None,
    warned: tuple[str, ...] = (),
) -> Decoded:
    """Limits, then pixels.

    Args:
        image: opened, and not loaded yet.
        label: how sentences call it.
        own: whether the image may be changed in place.
        cut: whether a JPEG's end was missing.
        cicp: what a PNG says of its colours, see ``read_cicp``.
        exif: its tags, where they lie somewhere else in the file.
        warned: sentences about the file.
    """
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(width * height, label)
    if image.format in _ANIMATED_FORMATS and getattr(image, "n_frames", 1) > 1:
        raise InputError(
            f"{label} is an animation; save the frame you want as JPEG or PNG.", code="animation"
        )
    if (
        min(width, height) < MIN_SIDE
        or min(width, height) // _reduction((width, height)) < MIN_SIDE
    ):
        raise _too_small(width, height, label)

    try:
        factor = _reduction(image.size)
        if own and factor > 1:
            image.draft(None, (width // factor, height // factor))  # JPEG: decodes at 1/2, 1/4, 1/8
        image.load()
        warned += (_of_cut_jpeg(image),) if cut else ()
        exif = exif or read_exif(image)  # after load: PNG may carry it behind the pixels
        image = _to_8_bit(image)
        factor = _reduction(image.size)
        if factor > 1:
            image = image.reduce(factor)
        image = to_srgb(image, cicp)
    except MemoryError:
        raise InputError(
            f"{label} does not fit in memory; save a smaller copy.", code="too-large"
        ) from None
    except Exception as error:  # as many kinds as there are decoders and ways to damage a file
        raise _damaged(label) from error

    image = _upright(image, exif.orientation)
    if exif.orientation >= 5:
        width, height = height, width
    alpha = None
    if image.mode == "RGBA":
        band = image.getchannel("A")
        if band.getextrema() != (255, 255):
            alpha = np.array(band)
            image = Image.alpha_composite(Image.new("RGBA", image.size, BACKDROP), image)
        image = image.convert("RGB")
    return Decoded(np.array(image), alpha, exif, (width, height), warned)


def _to_8_bit(image: Image.Image) -> Image.Image:
    """The image in a mode that can be resized smoothly: L, RGB, RGBA, CMYK, YCbCr or LAB."""
    if image.mode in ("RGB", "RGBA", "L", "CMYK", "YCbCr", "LAB"):
        if image.mode in ("RGB", "L") and "transparency" in image.info:
            return image.convert("RGBA")
        return image
    if image.mode == "1":
        return image.convert("L")
    if image.mode.startswith("I") or image.mode == "F":
        return _grey_from_numbers(image)
    if image.mode in ("P", "PA", "LA", "La", "RGBa"):
        return image.convert("RGBA")
    return image.convert("RGB")


def _grey_from_numbers(image: Image.Image) -> Image.Image:
    """8-bit grey from 16- or 32-bit integers or floating point."""
    values = np.asarray(image)
    if values.dtype == np.uint16:
        # The high byte, as decoders take it from 16-bit colour: no copies of four bytes a pixel.
        grey = Image.fromarray((values >> 8).astype(np.uint8))
    else:
        scaled = values * np.float32(255 / _white(values)) + np.float32(0.5)
        grey = Image.fromarray(scaled.clip(0, 255).astype(np.uint8))
    grey.info = dict(image.info)
    return grey


def _white(values: np.ndarray) -> float:
    """The value that stands for white: floating point has no range of its own, 0..1 by custom."""
    if values.dtype.kind != "f":
        return 65535.0
    if not np.isfinite(values).all():
        raise ValueError("pixels are not finite")
    top = float(values.max())
    return next((white for white in (1.0, 255.0) if top <= white), 65535.0)


_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _TRANSPOSE.get(orientation)
    return image if method is None else image.transpose(method)
