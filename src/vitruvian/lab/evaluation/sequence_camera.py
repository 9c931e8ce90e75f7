"""The camera of a clip, as whoever made meshes for its frames tells it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.errors import InputError
from vitruvian.types.camera import Camera
from vitruvian.video.clip import Clip


@dataclass(frozen=True, eq=False)
class SequenceCamera:
    """A pinhole camera and where it is in every frame.

    Attributes:
        camera: of the clip's frames, as they are read.
        from_world: (4, 4) float64 rigid matrix from the meshes' axes to the camera's (OpenCV: x
            right, y down, z forward), in the meshes' unit.
        by_number: the same in frames of their own, by the number of the frame.
    """

    camera: Camera
    from_world: np.ndarray
    by_number: Mapping[int, np.ndarray]

    def at(self, number: int) -> np.ndarray:
        """(4, 4) from the meshes' axes to those of the camera in frame ``number``."""
        return self.by_number.get(number, self.from_world)


def read_sequence_camera(path: Path, clip: Clip) -> SequenceCamera:
    """Read ``motion.npz`` or ``motion.json`` of ``vitruvian video``, or JSON of this kind.

    ``{"intrinsics": 3 x 3, "camera_from_world": 4 x 4 or {"12": 4 x 4, ...}}``: pixels of the full
    frame; without ``camera_from_world`` meshes are in the camera's axes.

    Raises:
        InputError: it cannot be read, or its matrices are none.
    """
    sentence = (
        f"{path} tells no camera: give motion.npz of vitruvian video, or JSON with intrinsics "
        "(3 x 3) and camera_from_world (4 x 4)."
    )
    try:
        if path.suffix.lower() == ".npz":
            with np.load(path) as arrays:
                matrix = np.asarray(arrays["intrinsics"], np.float64)
                whole = np.asarray(arrays["camera_from_world"], np.float64)
                many = {}
                if "cameras_from_world" in arrays:
                    rows = arrays["frame_numbers"], arrays["cameras_from_world"]
                    many = {
                        int(n): np.asarray(one, np.float64) for n, one in zip(*rows, strict=True)
                    }
            scale = 1.0  # these are of the frames as they are read
        else:
            content = json.loads(path.read_text("utf-8"))
            own = "camera" in content
            matrix, whole, many = _from_json(content["camera"] if own else content)
            scale = 1.0 if own else clip.width / clip.full_width
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise InputError(sentence) from error
    shapes = [matrix.shape == (3, 3), *(one.shape == (4, 4) for one in (whole, *many.values()))]
    values = [matrix, whole, *many.values()]
    if not all(shapes) or not all(np.isfinite(one).all() for one in values) or matrix[0, 0] <= 0:
        raise InputError(sentence)
    centre = float(scale * matrix[0, 2]), float(scale * matrix[1, 2])
    focal = float(scale * (matrix[0, 0] + matrix[1, 1]) / 2)
    camera = Camera(focal, clip.width, clip.height, centre, "given")
    return SequenceCamera(camera, whole, many)


def _from_json(content: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, dict[int, np.ndarray]]:
    told = content.get("camera_from_world", np.eye(4).tolist())
    many: dict[int, np.ndarray] = {}
    if isinstance(told, dict):
        many = {int(number): np.array(one, np.float64) for number, one in told.items()}
        told = next(iter(many.values()))
    for number, one in content.get("cameras_from_world", {}).items():  # of motion.json
        many[int(number)] = np.array(one, np.float64)
    return np.array(content["intrinsics"], np.float64), np.array(told, np.float64), many
