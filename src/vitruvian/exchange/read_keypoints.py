"""Keypoints of OpenPose, COCO and BlazePose, read as our landmarks.

The layout is told by what a file holds. Coordinates count pixels of the upright picture; those of
COCO and OpenPose name the middle of a pixel by its index, which ours put at one half.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.errors import InputError
from vitruvian.exchange.layouts import BODY_25, COCO_18, to_landmarks
from vitruvian.exchange.picture import Picture, entries_of, read_json
from vitruvian.image.names import readable
from vitruvian.types.given import GivenPose
from vitruvian.types.keypoints import COCO_NAMES, LANDMARK_NAMES

_WHAT = "keypoints"
_LEAST = 4  # keypoints that tell where somebody is
_COCO_SEEN = {0: 0.0, 1: 0.5, 2: 1.0}  # not labelled; labelled but hidden; visible
_MOST_PEOPLE = 200


def read_keypoints(path: str | Path, picture: Picture) -> tuple[GivenPose, ...]:
    """Everybody's keypoints in a picture, in pixels of the decoded picture.

    Args:
        path: a JSON file of OpenPose (BODY_25 or COCO's 18), COCO (annotations, or a list of
            results) or BlazePose (MediaPipe's or TensorFlow's 33); or a folder in which OpenPose
            wrote ``NAME_keypoints.json``.
        picture: they are of.

    Raises:
        InputError: the file cannot be read, has another layout, or tells of nobody.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        path = path / f"{picture.stem}_keypoints.json"
        if not path.is_file():
            path = path.with_name(f"{picture.stem}.json")
    label = readable(str(path))
    content = read_json(path, _WHAT)
    people = _people(content, picture, label)
    poses = []
    for rows, names in people[:_MOST_PEOPLE]:
        points, confidence = to_landmarks(rows, names)
        if (confidence > 0).sum() >= _LEAST:
            poses.append(GivenPose(points * picture.scale, confidence))
    if not poses:
        raise InputError(
            f"The keypoints {label} tell of nobody in {picture.stem}: leave them out, and people "
            "are looked for."
        )
    return tuple(poses)


def _people(content: Any, picture: Picture, label: str) -> list[tuple[np.ndarray, tuple[str, ...]]]:
    if isinstance(content, dict) and isinstance(content.get("people"), list):
        return [_openpose(one, label) for one in content["people"]]
    marked = _blazepose(content)
    if marked is not None:
        return [(_marks(one, picture, label), LANDMARK_NAMES) for one in marked]
    if isinstance(content, list) or (isinstance(content, dict) and "annotations" in content):
        entries = entries_of(content, picture, label, _WHAT)
        flags = isinstance(content, dict)
        return [(_coco(one, label, flags), COCO_NAMES) for one in entries if one.get("keypoints")]
    raise _unknown(label)


def _openpose(person: Any, label: str) -> tuple[np.ndarray, tuple[str, ...]]:
    values = None
    if isinstance(person, dict):
        values = person.get("pose_keypoints_2d", person.get("pose_keypoints"))
    rows = _rows(values, label)
    names = {len(layout): layout for layout in (BODY_25, COCO_18)}.get(len(rows))
    if names is None:
        raise InputError(
            f"The keypoints {label} have {len(rows)} points a person: write them with OpenPose's "
            "model BODY_25 or COCO."
        )
    rows[:, :2] += 0.5
    return rows, names


def _coco(entry: dict[str, Any], label: str, flags: bool) -> np.ndarray:
    rows = _rows(entry.get("keypoints"), label)
    if len(rows) < len(COCO_NAMES):
        raise _unknown(label)
    rows = rows[: len(COCO_NAMES)]  # of the whole body's 133, these come first
    if flags and set(rows[:, 2]) <= set(_COCO_SEEN):
        rows[:, 2] = [_COCO_SEEN[int(value)] for value in rows[:, 2]]
    rows[:, :2] += 0.5
    return rows


def _blazepose(content: Any) -> list[Any] | None:
    """Lists of 33 points with names, one a person; None where the file holds none."""
    if isinstance(content, dict):
        for name in ("landmarks", "pose_landmarks", "poseLandmarks", "keypoints"):
            if isinstance(content.get(name), list):
                content = content[name]
                break
        else:
            return None
    if not isinstance(content, list) or not content:
        return None
    if all(isinstance(one, dict) and "x" in one for one in content):
        return [content]
    if all(isinstance(one, dict) for one in content):  # TensorFlow's poses
        content = [one.get("keypoints") for one in content]
    if all(isinstance(one, list) and one and isinstance(one[0], dict) for one in content):
        return content
    return None


def _marks(points: list[Any], picture: Picture, label: str) -> np.ndarray:
    if len(points) != len(LANDMARK_NAMES) or not all(isinstance(one, dict) for one in points):
        raise _unknown(label)
    rows = []
    for one in points:
        seen = one.get("visibility", one.get("score", 1.0))
        rows += [one.get("x"), one.get("y"), seen]
    found = _rows(rows, label)
    if "name" not in points[0] and "score" not in points[0]:  # MediaPipe's are parts of the picture
        found[:, :2] *= [picture.width, picture.height]
    return found


def _rows(values: Any, label: str) -> np.ndarray:
    """(N, 3) of a flat list of numbers."""
    good = isinstance(values, list) and len(values) and len(values) % 3 == 0
    if not good or not all(
        isinstance(one, int | float) and not isinstance(one, bool) and math.isfinite(one)
        for one in values
    ):
        raise _unknown(label)
    rows = np.array(values, float).reshape(-1, 3)
    if np.abs(rows[:, :2]).max() > 1e6:
        raise _unknown(label)
    return rows


def _unknown(label: str) -> InputError:
    return InputError(
        f"The keypoints {label} are laid out neither as OpenPose's nor as COCO's or BlazePose's: "
        "see the page on files."
    )
