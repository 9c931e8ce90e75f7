"""Which picture a file of keypoints or masks is read for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitruvian.errors import InputError
from vitruvian.image.names import readable
from vitruvian.types.photo import Photo

MAX_JSON_BYTES = 256 << 20  # all of COCO's person keypoints of 2017 have 240 MB


@dataclass(frozen=True)
class Picture:
    """What other programs' files know of a picture.

    Attributes:
        stem: its name without suffix.
        width, height: of the upright file, in pixels; coordinates in files are in these.
        scale: pixels of the decoded picture per pixel of the file.
    """

    stem: str
    width: int
    height: int
    scale: float = 1.0

    @staticmethod
    def of(photo: Photo) -> Picture:
        """Of a photograph."""
        width, height = photo.original_size
        return Picture(photo.name, width, height, photo.width / width)


def read_json(path: Path, what: str) -> Any:
    """What a JSON file holds; ``what`` is what sentences call it.

    Raises:
        InputError: it cannot be read, or is no JSON.
    """
    label = readable(str(path))
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise InputError(f"The {what} {label} are too large: keep the picture's own.")
        return json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(
            f"There are no {what} {label}: check the path.", code="missing-file"
        ) from error
    except OSError as error:
        raise InputError(
            f"The {what} {label} cannot be read: give a file that may be read.",
            code="unreadable-file",
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"The {what} {label} are no JSON: give a file as its program wrote it."
        ) from error


def entries_of(content: Any, picture: Picture, label: str, what: str) -> list[dict[str, Any]]:
    """COCO's entries of one picture, from annotations or from a list of results.

    Where the file tells of several pictures, the one counts whose ``file_name`` has its stem.

    Raises:
        InputError: it tells of others only, or is laid out otherwise.
    """
    images: list[Any] = []
    if isinstance(content, dict):
        images, content = content.get("images") or [], content.get("annotations")
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise InputError(f"The {what} {label} hold no list of COCO annotations: check the file.")
    if not isinstance(images, list) or not all(isinstance(one, dict) for one in images):
        raise InputError(f'The {what} {label} have no usable "images": check the file.')
    named = {
        str(one.get("id"))
        for one in images
        if Path(str(one.get("file_name", "")).replace("\\", "/")).stem == picture.stem
    }
    found = {str(one.get("image_id")) for one in content}
    if named:
        found = named
    elif len(images) == 1 and len(found) <= 1:
        found = {str(images[0].get("id"))} | found
    elif len(found) > 1 or len(images) > 1:
        numbers = {one for one in found if one.lstrip("0") == picture.stem.lstrip("0")}
        if not numbers:
            raise InputError(
                f"The {what} {label} tell of other pictures, none of them {picture.stem}: give a "
                'file whose "images" name it.'
            )
        found = numbers
    return [one for one in content if str(one.get("image_id")) in found]
