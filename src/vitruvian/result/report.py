"""``report.json``: what was found, where the files are, and how far to trust them.

The shape is ``report.schema.json`` beside this module (JSON Schema, draft 2020-12).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.anthropometry.one_view import Guess
from vitruvian.image.names import readable
from vitruvian.types.avatar import Avatar
from vitruvian.types.figure import LeftOut
from vitruvian.types.seen import Seen

REPORT_VERSION = 1


def person_report(
    *,
    id: int,
    box: Sequence[float] | np.ndarray,
    score: float,
    seen: Seen,
    height_m: float,
    height_sd_m: float,
    silhouette_iou: float | None,
    keypoint_error: float | None,
    image_similarity: float | None = None,
    warnings: Sequence[str] = (),
    files: Mapping[str, str | Path] | None = None,
    avatar: Avatar | None = None,
    measures: Mapping[str, Guess] | None = None,
) -> dict[str, Any]:
    """One entry of the report's ``people``, as plain values.

    Args:
        id: from 1, left to right in the picture.
        box: (4,) x0, y0, x1, y1 in pixels of the picture.
        score: 0..1, how sure the detection is.
        seen: what the picture shows of the person.
        height_m: stature in metres, as if standing upright.
        height_sd_m: its standard deviation; 0 where it was given.
        silhouette_iou: rendered mesh against the matte, 0..1; None or NaN when not measured.
        keypoint_error: mean reprojection error / person's height in the picture; None or NaN
            when not measured.
        image_similarity: SSIM of rendered texture and photograph, at most 1; None or NaN when
            not measured.
        warnings: sentences for the user.
        files: what a file is for -> its path relative to the report, such as
            ``{"mesh": "person-1/mesh.obj"}``.
        avatar: the person made to move, if one was made.
        measures: what the photograph suggests of the body's measures, by name.
    """
    entry: dict[str, Any] = {
        "id": int(id),
        "box": _rounded(box),
        "score": round(float(score), 4),
        "complete": seen.complete,
        "seen": {
            "extent": seen.extent,
            "share": round(float(seen.share), 2),
            "cut": list(seen.cut),
            "hidden": list(seen.hidden),
            "guessed": list(seen.guessed),
        },
        "height_m": round(float(height_m), 4),
        "height_sd_m": round(float(height_sd_m), 4),
        "measurements_cm": None
        if measures is None
        else {
            name: {
                "value": round(one.cm, 1),
                "low": round(one.low_cm, 1),
                "high": round(one.high_cm, 1),
            }
            for name, one in measures.items()
        },
        "checks": {
            "silhouette_iou": _measured(silhouette_iou),
            "keypoint_error": _measured(keypoint_error),
            "image_similarity": _measured(image_similarity),
        },
        "warnings": list(warnings),
        "files": _relative_paths(files or {}),
    }
    if avatar is not None:
        entry["avatar"] = {
            "layers": list(avatar.layers),
            "torn": _measured(avatar.torn),
            "severed": int(avatar.severed),
            "silhouette_iou": _measured(avatar.silhouette_iou),
            "image_similarity": _measured(avatar.image_similarity),
        }
    return entry


def scene_report(
    *,
    path: str | Path | None,
    width: int,
    height: int,
    focal_px: float,
    focal_source: str,
    world_from_camera: np.ndarray,
    timings_s: Mapping[str, float],
    people: Sequence[Mapping[str, Any]],
    warnings: Sequence[str] = (),
    albedo: bool = False,
    left_out: Sequence[LeftOut] = (),
) -> dict[str, Any]:
    """The whole report as plain values, ready for ``write_json``.

    Args:
        path: the picture as the user named it; None when it did not come from a file.
        width, height: of the upright picture, in pixels.
        focal_px: focal length in pixels.
        focal_source: ``exif``, ``given`` or ``assumed``.
        world_from_camera: (4, 4) rigid matrix from the camera frame (OpenCV axes) to the world.
        timings_s: seconds by stage, in the order of the stages.
        people: ``person_report`` of each.
        warnings: sentences about the picture as a whole.
        albedo: whether the photograph's light was taken out of the textures.
        left_out: who is seen but not reconstructed.
    """
    return {
        "version": REPORT_VERSION,
        "image": {
            "path": None if path is None else readable(str(path)),
            "width": int(width),
            "height": int(height),
        },
        "camera": {
            "focal_px": round(float(focal_px), 2),
            "source": focal_source,
            "world_from_camera": np.asarray(world_from_camera, float).round(6).tolist(),
        },
        "timings_s": {stage: round(float(value), 4) for stage, value in timings_s.items()},
        "people": [dict(person) for person in people],
        "warnings": list(warnings),
        "albedo": bool(albedo),
        "left_out": [
            {
                "id": one.number,
                "box": _rounded(one.box),
                "reason": one.reason,
                "sentence": one.sentence,
            }
            for one in left_out
        ],
    }


def report_schema() -> dict[str, Any]:
    """The JSON Schema that every report meets."""
    text = resources.files(__package__).joinpath("report.schema.json").read_text(encoding="utf-8")
    return json.loads(text)


def _rounded(box: Sequence[float] | np.ndarray) -> list[float]:
    return [round(float(value), 2) for value in box]


def _measured(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(float(value), 4)


def _relative_paths(paths: Mapping[str, str | Path]) -> dict[str, str]:
    return {use: Path(path).as_posix() for use, path in paths.items()}
