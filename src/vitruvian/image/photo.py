"""A photograph as every stage sees it: upright sRGB pixels and the camera that took them."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.image.decode import Decoded, decode_bytes, decode_file, decode_image
from vitruvian.image.names import expanded, readable
from vitruvian.options import OPTIONS
from vitruvian.types.camera import Camera
from vitruvian.types.photo import Photo

PhotoSource: TypeAlias = "str | Path | bytes | bytearray | memoryview | Image.Image | np.ndarray"


def load_photo(
    source: PhotoSource | Photo, *, fov_deg: float | None = None, name: str | None = None
) -> Photo:
    """Read a picture, whatever holds it.

    Args:
        source: a path, the bytes of an image file, a Pillow image, or an (H, W, 3) uint8 array
            of sRGB values. A ``Photo`` is handed back as it is (``fov_deg`` and ``name`` apply).
        fov_deg: field of view across the longer side, in degrees. Without it the focal length is
            taken from EXIF, and assumed where EXIF does not say.
        name: what results are called after; the file's stem, or ``"photo"``, by default.

    Raises:
        InputError: the source is not a usable picture, with the reason in one sentence.
        MissingExtraError: HEIC without the extra ``heic``.
    """
    OPTIONS["fov_deg"].check(fov_deg)
    if isinstance(source, Photo):
        camera = source.camera
        if fov_deg is not None:
            camera = Camera.from_fov(fov_deg, source.width, source.height)
        return Photo(
            source.pixels,
            name or source.name,
            source.path,
            camera,
            source.alpha,
            source.original_size,
            source.warnings,
        )
    decoded, path, default_name = _decode(source, name)
    return Photo(
        pixels=decoded.pixels,
        name=name or default_name,
        path=path,
        camera=_camera(decoded, fov_deg),
        alpha=decoded.alpha,
        original_size=decoded.original_size,
        warnings=decoded.warnings,
    )


def _decode(source: PhotoSource, name: str | None) -> tuple[Decoded, Path | None, str]:
    """The decoded source, its path if it has one, and its default name."""
    if isinstance(source, str | Path):
        label = readable(str(source))
        if label.split("://")[0].lower() in ("http", "https", "ftp", "data"):
            raise InputError(
                f"{label} is a web address; download the picture and give its path.",
                code="unreadable-file",
            )
        if "\0" in label or not label:
            raise InputError(
                "The path of the picture is empty or holds a null; check the path.",
                code="missing-file",
            )
        path = expanded(source)
        return decode_file(path, label), path, readable(path.stem)
    if isinstance(source, bytes | bytearray | memoryview):
        return decode_bytes(bytes(source), name or "The picture"), None, "photo"
    if isinstance(source, Image.Image):
        filename = getattr(source, "filename", "")
        file = Path(filename) if isinstance(filename, str) and filename else None
        label = name or (readable(file.name) if file else "The picture")
        return decode_image(source, label), file, readable(file.stem) if file else "photo"
    if isinstance(source, np.ndarray):
        image = _image_from_array(source)
        return decode_image(image, name or "The picture"), None, "photo"
    raise InputError(
        f"A picture cannot be read from {type(source).__name__}; give a path, bytes, a Pillow "
        "image or an (H, W, 3) uint8 array.",
        code="not-a-picture",
    )


def _image_from_array(array: np.ndarray) -> Image.Image:
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8:
        raise InputError(
            f"An array must be (H, W, 3) uint8 sRGB, but this one is {array.shape} {array.dtype}; "
            "convert it first.",
            code="not-a-picture",
        )
    if array.size == 0:
        raise InputError(
            f"The array has no pixels, its shape is {array.shape}; check how it was cut or read.",
            code="too-small",
        )
    return Image.fromarray(np.ascontiguousarray(array))


def _camera(decoded: Decoded, fov_deg: float | None) -> Camera:
    height, width = decoded.pixels.shape[:2]
    if fov_deg is not None:
        return Camera.from_fov(fov_deg, width, height)
    focal = decoded.exif.focal_px(width, height)
    if focal is not None:
        return Camera.centered(focal, width, height, "exif")
    return Camera.assumed(width, height)
