"""``smpl.npz``: somebody in a photograph as a body of the user's own model file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.exchange.registered import correspondence, load_smpl
from vitruvian.exchange.smpl_arrays import camera_arrays, smpl_arrays
from vitruvian.exchange.smpl_fit import to_smpl
from vitruvian.formats.atomic import write_bytes
from vitruvian.types.scene import Person, Scene


def save_smpl(scene: Scene, person: Person, body_model: Path, path: Path) -> Path:
    """Write a person as a body of the model in the file ``body_model``; see docs/exchange.md.

    Raises:
        InputError: the model file cannot be used, or the place cannot be written.
    """
    other, ours = load_smpl(body_model), person.body.model
    assert isinstance(ours, BodyModel)
    poses = to_smpl(other, ours, correspondence(other, ours), [person.body.vertices])
    width, height = scene.photo.original_size
    scale = width / scene.photo.width
    cx, cy = scene.camera.principal_point
    arrays = smpl_arrays(other, poses, world=scene.world_from_camera_of(person))
    arrays |= camera_arrays(scene.camera.focal_px * scale, (cx * scale, cy * scale), width, height)
    return write_arrays(arrays, path)


def write_arrays(arrays: dict[str, np.ndarray], path: Path) -> Path:
    """Write arrays as ``.npz``. Raises ``InputError`` when the place cannot be written."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return write_bytes(path, buffer.getvalue())
