"""Find the data of a suite."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from vitruvian.errors import InputError

DATA_VARIABLE = "VITRUVIAN_DATA"
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".tif", ".tiff", ".bmp")


def data_folder(data: Path | None) -> Path:
    """The folder given, or that of the environment variable. Raises ``InputError`` without one."""
    text = os.environ.get(DATA_VARIABLE, "")
    folder = data or (Path(text) if text else None)
    if folder is None:
        raise InputError(f"No data folder is known: give --data DIR or set {DATA_VARIABLE}.")
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder: give --data the folder that holds the data.")
    return folder


def suite_folder(data: Path, name: str, needed: Sequence[str]) -> Path:
    """The folder of a suite: ``data/name`` if it holds ``needed``, else ``data`` if that does.

    ``needed`` are names of files or folders; ``a|b`` means that either will do. Raises
    ``InputError`` when neither folder holds them all.
    """
    for folder in (data / name, data):
        if all(any((folder / part).exists() for part in item.split("|")) for item in needed):
            return folder
    wanted = " and ".join(item.replace("|", " or ") for item in needed)
    raise InputError(f"The folder {data} holds no data for the suite {name}: it needs {wanted}.")


def images_in(folder: Path) -> list[Path]:
    """The pictures of a folder by name. Raises ``InputError`` when there are none."""
    found = sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )
    if not found:
        raise InputError(f"{folder} holds no pictures: put photographs (JPEG, PNG...) into it.")
    return found
