"""What was brought along about a picture, written so that it can be read for it again.

Nothing is lost: numbers are whole doubles, masks run lengths, both in pixels of the decoded
picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vitruvian.exchange.rle import encode_rle
from vitruvian.types.figure import Alpha
from vitruvian.types.given import GivenMask, GivenPose
from vitruvian.types.keypoints import LANDMARK_NAMES


def given_keypoints_json(poses: Sequence[GivenPose]) -> list[dict[str, Any]]:
    """As TensorFlow's BlazePose answers: 33 points by name, in pixels; score 0 for what is not
    known."""
    people = []
    for pose in poses:
        rows = zip(
            LANDMARK_NAMES, pose.points.tolist(), pose.confidence.tolist(), pose.known, strict=True
        )
        points = [
            {"name": name, "x": x if known else 0.0, "y": y if known else 0.0, "score": seen}
            for name, (x, y), seen, known in rows
        ]
        people.append({"keypoints": points})
    return people


def given_masks_json(masks: Sequence[GivenMask], width: int, height: int) -> list[dict[str, Any]]:
    """As COCO lists results: run lengths in a picture of ``width`` x ``height`` pixels."""
    return [
        {
            "image_id": 1,
            "category_id": 1,
            "segmentation": {
                "size": [height, width],
                "counts": encode_rle(Alpha(one.values, one.x, one.y, width, height).full() > 0),
            },
        }
        for one in masks
    ]
