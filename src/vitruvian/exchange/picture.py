"""Which picture a file of keypoints or masks is read for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitruvian.exchange.given_file import GivenFile
from vitruvian.types.photo import Photo


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


def annotations_of(content: Any, file: GivenFile) -> tuple[list[dict[str, Any]], list[Any]]:
    """COCO's entries of all pictures, from annotations or from a list of results, and its
    ``images``, none in results.

    Raises:
        InputError: it is laid out otherwise.
    """
    images: Any = []
    if isinstance(content, dict):
        images, content = content.get("images") or [], content.get("annotations")
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise file.refused("hold no list of COCO annotations: check the file")
    if not isinstance(images, list) or not all(isinstance(one, dict) for one in images):
        raise file.refused('have no usable "images": check the file')
    return content, images


def stem_in(image: dict[str, Any]) -> str:
    """A picture's name without suffix, as COCO's ``images`` tell it; empty where they do not."""
    return Path(str(image.get("file_name", "")).replace("\\", "/")).stem


def entries_of(content: Any, picture: Picture, file: GivenFile) -> list[dict[str, Any]]:
    """COCO's entries of one picture, from annotations or from a list of results.

    Where the file tells of several pictures, the one counts whose ``file_name`` has its stem.

    Raises:
        InputError: it tells of others only, or is laid out otherwise.
    """
    entries, images = annotations_of(content, file)
    named = {str(one.get("id")) for one in images if stem_in(one) == picture.stem}
    found = {str(one.get("image_id")) for one in entries}
    if named:
        found = named
    elif len(images) == 1 and len(found) <= 1:
        found = {str(images[0].get("id"))} | found
    elif len(found) > 1 or len(images) > 1:
        numbers = {one for one in found if one.lstrip("0") == picture.stem.lstrip("0")}
        if not numbers:
            raise file.refused(
                f"tell of other pictures, none of them {picture.stem}: give a file whose "
                '"images" name it'
            )
        found = numbers
    return [one for one in entries if str(one.get("image_id")) in found]
