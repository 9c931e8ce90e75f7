"""Keypoints of OpenPose, COCO and BlazePose, read as our landmarks.

The layout is told by what a file holds. Coordinates count pixels of the upright picture; those of
COCO and OpenPose name the middle of a pixel by its index, which ours put at one half.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.errors import InputError
from vitruvian.exchange.given_file import GivenFile
from vitruvian.exchange.layouts import BODY_25, COCO_18, to_landmarks
from vitruvian.exchange.picture import Picture, entries_of
from vitruvian.types.given import GivenPose
from vitruvian.types.keypoints import COCO_NAMES, LANDMARK_NAMES

_LEAST = 4  # keypoints that tell where somebody is
_COCO_SEEN = {0: 0.0, 1: 0.5, 2: 1.0}  # not labelled; labelled but hidden; visible
_MOST_PEOPLE = 200
_FARTHEST = 1e6  # pixels; compared as it is: the largest whole numbers are no floats


def read_keypoints(source: str | Path | bytes, picture: Picture) -> tuple[GivenPose, ...]:
    """Everybody's keypoints in a picture, in pixels of the decoded picture.

    Args:
        source: a JSON file of OpenPose (BODY_25 or COCO's 18), COCO (annotations, or a list of
            results) or BlazePose (MediaPipe's or TensorFlow's 33), or its content; or a folder in
            which OpenPose wrote ``NAME_keypoints.json``.
        picture: they are of.

    Raises:
        InputError: the file cannot be read, has another layout, or tells of nobody.
    """
    file = GivenFile.of("keypoints", source)
    if isinstance(file.source, Path) and file.source.is_dir():
        path = file.source / f"{picture.stem}_keypoints.json"
        if not path.is_file():
            path = path.with_name(f"{picture.stem}.json")
        file = GivenFile("keypoints", path)
    poses = poses_of(file.json(), picture, file)
    if not poses:
        raise file.refused(
            f"tell of nobody in {picture.stem}: leave them out, and people are looked for"
        )
    return poses


def poses_of(content: Any, picture: Picture, file: GivenFile) -> tuple[GivenPose, ...]:
    """The same from what ``file`` holds; empty where it tells of nobody."""
    return _poses(_people(content, picture, file), picture)


def annotated_poses(
    entries: Sequence[dict[str, Any]], picture: Picture, file: GivenFile, flags: bool
) -> tuple[GivenPose, ...]:
    """The same from COCO's entries of the picture in ``file``; empty where they tell of nobody.

    ``flags`` says that they are annotations, which tell what is visible, not results, which tell
    how sure they are.
    """
    return _poses(_annotated(entries, file, flags), picture)


def _poses(
    people: Sequence[tuple[np.ndarray, tuple[str, ...]]], picture: Picture
) -> tuple[GivenPose, ...]:
    poses = []
    for rows, names in people[:_MOST_PEOPLE]:
        points, confidence = to_landmarks(rows, names)
        if (confidence > 0).sum() >= _LEAST:
            poses.append(GivenPose(points * picture.scale, confidence))
    return tuple(poses)


def _people(
    content: Any, picture: Picture, file: GivenFile
) -> list[tuple[np.ndarray, tuple[str, ...]]]:
    if isinstance(content, dict) and isinstance(content.get("people"), list):
        return [_openpose(one, file) for one in content["people"]]
    marked = _blazepose(content)
    if marked is not None:
        return [(_marks(one, picture, file), LANDMARK_NAMES) for one in marked]
    if isinstance(content, list) or (isinstance(content, dict) and "annotations" in content):
        entries = entries_of(content, picture, file)
        return _annotated(entries, file, isinstance(content, dict))
    raise _unknown(file)


def _annotated(
    entries: Sequence[dict[str, Any]], file: GivenFile, flags: bool
) -> list[tuple[np.ndarray, tuple[str, ...]]]:
    return [(_coco(one, file, flags), COCO_NAMES) for one in entries if one.get("keypoints")]


def _openpose(person: Any, file: GivenFile) -> tuple[np.ndarray, tuple[str, ...]]:
    values = None
    if isinstance(person, dict):
        values = person.get("pose_keypoints_2d", person.get("pose_keypoints"))
    rows = _rows(values, file)
    names = {len(layout): layout for layout in (BODY_25, COCO_18)}.get(len(rows))
    if names is None:
        raise file.refused(
            f"have {len(rows)} points a person: write them with OpenPose's model BODY_25 or COCO"
        )
    rows[:, :2] += 0.5
    return rows, names


def _coco(entry: dict[str, Any], file: GivenFile, flags: bool) -> np.ndarray:
    rows = _rows(entry.get("keypoints"), file)
    if len(rows) < len(COCO_NAMES):
        raise _unknown(file)
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


def _marks(points: list[Any], picture: Picture, file: GivenFile) -> np.ndarray:
    if len(points) != len(LANDMARK_NAMES) or not all(isinstance(one, dict) for one in points):
        raise _unknown(file)
    rows = []
    for one in points:
        seen = one.get("visibility", one.get("score", 1.0))
        rows += [one.get("x"), one.get("y"), seen]
    found = _rows(rows, file)
    if "name" not in points[0] and "score" not in points[0]:  # MediaPipe's are parts of the picture
        found[:, :2] *= [picture.width, picture.height]
    return found


def _rows(values: Any, file: GivenFile) -> np.ndarray:
    """(N, 3) of a flat list of numbers."""
    good = isinstance(values, list) and len(values) and len(values) % 3 == 0
    if not good or not all(
        isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= _FARTHEST
        for one in values
    ):
        raise _unknown(file)
    return np.array(values, float).reshape(-1, 3)


def _unknown(file: GivenFile) -> InputError:
    return file.refused(
        "are laid out neither as OpenPose's nor as COCO's or BlazePose's: see the page on other "
        "programs' files"
    )
