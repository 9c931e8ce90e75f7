"""Keypoints of a scene's people as other programs lay theirs out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vitruvian.exchange.write_keypoints import (
    Keypoints,
    blazepose_json,
    coco_json,
    fitted_keypoints,
    openpose_json,
    seen_keypoints,
)
from vitruvian.formats.atomic import write_json
from vitruvian.image.names import readable
from vitruvian.types.scene import Scene


def save_keypoints(scene: Scene, directory: Path, layouts: Sequence[str]) -> list[Path]:
    """Write ``keypoints-LAYOUT.json``, what was seen, and ``keypoints-LAYOUT-fitted.json``.

    Coordinates are pixels of the upright file, even where the picture was reduced.

    Raises:
        InputError: the place cannot be written.
    """
    photo = scene.photo
    width, height = photo.original_size
    scale = width / photo.width
    name = readable(photo.path.name) if photo.path is not None else photo.name
    seen = [seen_keypoints(person.figure, scale) for person in scene.people]
    fitted = [
        fitted_keypoints(person.figure, person.body, photo.camera, scale) for person in scene.people
    ]

    def content(layout: str, people: list[Keypoints]) -> dict[str, Any]:
        if layout == "openpose":
            return openpose_json(people)
        if layout == "coco":
            return coco_json(people, name, width, height)
        return blazepose_json(people, width, height)

    written = []
    for layout in layouts:
        for people, suffix in ((seen, ""), (fitted, "-fitted")):
            path = directory / f"keypoints-{layout}{suffix}.json"
            written.append(write_json(path, content(layout, people)))
    return written
