"""Everybody's keypoints as OpenPose, COCO and BlazePose write theirs.

``seen`` are what was found in the picture, ``fitted`` the body's own points, projected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.exchange.layouts import BODY_25, from_landmarks
from vitruvian.exchange.rle import encode_rle
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import (
    COCO_LANDMARKS,
    COCO_NAMES,
    HIPS,
    LANDMARK_NAMES,
    limb_length,
)
from vitruvian.types.record import Record

_VISIBLE = 0.5
# COCO's bones, as its categories list them, from 1.
_BONES = (
    (16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9),
    (8, 10), (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7),
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Keypoints(Record):
    """Somebody's landmarks in a picture.

    Attributes:
        figure: whose they are, in pixels of the picture.
        points: (33, 2) float64 pixels of the file.
        confidence: (33,) float64 in 0..1.
        world: (33, 3) float64 metres about the hips' middle, axes of the camera.
        scale: pixels of the file per pixel of the picture.
    """

    figure: Figure
    points: np.ndarray
    confidence: np.ndarray
    world: np.ndarray
    scale: float


def seen_keypoints(figure: Figure, scale: float) -> Keypoints:
    """What was found; ``scale`` is pixels of the file per pixel of the picture."""
    marks = figure.landmarks
    return Keypoints(figure, marks.points * scale, marks.visibility, marks.world, scale)


def fitted_keypoints(figure: Figure, body: Body, camera: Camera, scale: float) -> Keypoints:
    """The body's own, projected. What is not in view keeps its low confidence."""
    model = body.model
    if not isinstance(model, BodyModel):
        raise TypeError("only bodies of the package's own model have landmarks")
    points, _ = model.evaluate(
        model.keypoints(),
        body.betas,
        matrix_from_axis_angle(body.pose),
        body.translation,
        model.active,
        jacobian=False,
    )
    world = points - points[HIPS].mean(0)
    pixels = camera.project(points)
    return Keypoints(figure, pixels * scale, figure.landmarks.visibility, world, scale)


def openpose_json(people: Sequence[Keypoints]) -> dict[str, Any]:
    """As OpenPose writes BODY_25; what we do not know, the small toes, is 0, 0, 0."""
    entries = []
    for one in people:
        rows = from_landmarks(one.points - 0.5, one.confidence, BODY_25)
        rows[rows[:, 2] == 0] = 0
        entries.append(
            {
                "person_id": [one.figure.number],
                "pose_keypoints_2d": rows.round(3).reshape(-1).tolist(),
                "face_keypoints_2d": [],
                "hand_left_keypoints_2d": [],
                "hand_right_keypoints_2d": [],
                "pose_keypoints_3d": [],
                "face_keypoints_3d": [],
                "hand_left_keypoints_3d": [],
                "hand_right_keypoints_3d": [],
            }
        )
    return {"version": 1.3, "people": entries}


def coco_json(people: Sequence[Keypoints], name: str, width: int, height: int) -> dict[str, Any]:
    """As COCO annotates people: keypoints, box, and the mask as compressed run lengths.

    Args:
        people: whose keypoints.
        name: of the picture's file.
        width, height: of that file.
    """
    annotations = []
    for one in people:
        rows = from_landmarks(one.points - 0.5, one.confidence, COCO_NAMES)
        flags = np.where(one.confidence[COCO_LANDMARKS] >= _VISIBLE, 2, 1)
        rows = np.concatenate([rows[:, :2].round(2), flags[:, None]], axis=1)
        x0, y0, x1, y1 = one.figure.box * one.scale
        entry = {
            "id": one.figure.number,
            "image_id": 1,
            "category_id": 1,
            "iscrowd": 0,
            "keypoints": [_whole(value) for value in rows.reshape(-1).tolist()],
            "num_keypoints": len(rows),
            "bbox": [round(float(value), 2) for value in (x0, y0, x1 - x0, y1 - y0)],
            "score": round(float(one.figure.score), 4),
        }
        if one.scale == 1.0:  # the picture was reduced, else: its masks are not of the file's size
            mask = one.figure.alpha.full() > 127
            entry["area"] = int(mask.sum())
            entry["segmentation"] = {"size": [height, width], "counts": encode_rle(mask)}
        annotations.append(entry)
    category = {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(COCO_NAMES),
        "skeleton": [list(bone) for bone in _BONES],
    }
    image = {"id": 1, "file_name": name, "width": width, "height": height}
    return {"images": [image], "annotations": annotations, "categories": [category]}


def blazepose_json(people: Sequence[Keypoints], width: int, height: int) -> dict[str, Any]:
    """As MediaPipe's pose landmarker answers: parts of the picture, z in its width, and metres."""
    landmarks, world = [], []
    for one in people:
        per_metre = limb_length(one.points) / max(float(limb_length(one.world[:, :2])), 1e-6)
        depth = (one.world[:, 2] - one.world[HIPS, 2].mean()) * per_metre / width
        rows = np.column_stack([one.points / [width, height], depth])
        landmarks.append(_marks(rows, one.confidence))
        world.append(_marks(one.world, one.confidence))
    return {"landmarks": landmarks, "worldLandmarks": world}


def _marks(rows: np.ndarray, confidence: np.ndarray) -> list[dict[str, float]]:
    assert len(rows) == len(LANDMARK_NAMES)
    return [
        {"x": round(x, 6), "y": round(y, 6), "z": round(z, 6), "visibility": round(seen, 4)}
        for (x, y, z), seen in zip(rows.tolist(), confidence.tolist(), strict=True)
    ]


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value
