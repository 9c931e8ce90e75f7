"""The page that shows a scene in any browser, from disk and without a network."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vitruvian.formats.atomic import json_text, write_text
from vitruvian.formats.images import encode_jpeg

_PHOTO_SIDE = 1024  # pixels; the page shows it at a third of a screen
_PHOTO_QUALITY = 82


def write_viewer(
    path: str | Path,
    scene_glb: bytes,
    photo: np.ndarray | None,
    people: Sequence[Mapping[str, Any]],
    *,
    title: str = "Vitruvian",
) -> Path:
    """Write one HTML file that holds the scene, the photograph and the program to show them.

    Args:
        path: where the page goes.
        scene_glb: what ``vitruvian.formats.scene_glb`` returns.
        photo: (H, W, 3) uint8 sRGB shown beside the scene (as a small JPEG), or None.
        people: for each person ``name`` (the node's name in the scene) and optionally ``label``
            (shown; made from the name when absent), ``height_m`` (shown when not None),
            ``height_sd_m`` (its standard deviation, shown when not None) and ``box`` (x0, y0, x1,
            y1 in pixels of ``photo``: makes the person clickable there).
        title: heading of the page, such as the picture's file name.

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    parts = {
        "title": html.escape(title),
        "photo": _photo_tag(photo) if photo is not None else "",
        # Inside a script element only "<" could end it.
        "people": json_text([_person(person, photo) for person in people], indent=None).replace(
            "<", "\\u003c"
        ),
        "scene": base64.b64encode(scene_glb).decode(),
    }
    page = re.sub(r"\{\{(title|photo|people|scene)\}\}", lambda m: parts[m[1]], _template())
    return write_text(path, page)


@cache
def _template() -> str:
    return files(__name__).joinpath("viewer.html").read_text(encoding="utf-8")


def _photo_tag(photo: np.ndarray) -> str:
    height, width = photo.shape[:2]
    scale = min(1.0, _PHOTO_SIDE / max(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    data = base64.b64encode(encode_jpeg(photo, quality=_PHOTO_QUALITY)).decode()
    return f'<img alt="The photograph" src="data:image/jpeg;base64,{data}">'


def _person(person: Mapping[str, Any], photo: np.ndarray | None) -> dict[str, Any]:
    name, height, box = person["name"], person.get("height_m"), person.get("box")
    off = person.get("height_sd_m")
    shown_box = None
    if box is not None and photo is not None:
        rows, columns = photo.shape[:2]
        corners = np.asarray(box, dtype=np.float64) / (columns, rows, columns, rows)
        shown_box = np.clip(corners, 0, 1).round(5).tolist()
    return {
        "name": name,
        "label": person.get("label") or str(name).replace("-", " ").capitalize(),
        "height": None if height is None else _metres(height, off),
        "box": shown_box,
    }


def _metres(height: float, off: float | None) -> str:
    return f"{height:.2f} m" if off is None else f"{height:.2f} ± {off:.2f} m"
