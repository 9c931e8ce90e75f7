"""``smpl.npz`` of a video: somebody's motion as a body of the user's own model file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.exchange.registered import correspondence, load_smpl
from vitruvian.exchange.smpl_arrays import camera_arrays, smpl_arrays
from vitruvian.exchange.smpl_fit import to_smpl
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.result.smpl_file import write_arrays
from vitruvian.video.scene import Mover, MovingScene


def write_smpl_motion(scene: MovingScene, mover: Mover, body_model: Path, path: Path) -> Path:
    """Write somebody's motion as that of a body of the model in the file ``body_model``.

    Raises:
        InputError: the model file cannot be used, or the place cannot be written.
    """
    other, ours = load_smpl(body_model), mover.body.model
    assert isinstance(ours, BodyModel)
    poses = to_smpl(other, ours, correspondence(other, ours), _surfaces(ours, mover))
    cameras = np.stack([scene.camera_from_reference(int(n)) for n in mover.numbers])
    arrays = smpl_arrays(other, poses, camera=cameras, world=scene.world_from_camera)
    camera = scene.camera
    arrays |= camera_arrays(camera.focal_px, camera.principal_point, camera.width, camera.height)
    arrays |= {
        "frame_numbers": mover.numbers,
        "times_s": mover.motion.times_s,
        "mocap_frame_rate": np.array(scene.fps),
    }
    return write_arrays(arrays, path)


def _surfaces(model: BodyModel, mover: Mover) -> Iterator[np.ndarray]:
    """Our posed vertices (V, 3) at each time, in the frame of motions."""
    vertices, joints = mover.body.rest()
    for pose, place in zip(mover.motion.pose, mover.motion.translation, strict=True):
        motion = model.joint_motion(joints, matrix_from_axis_angle(pose), place)
        yield motion.skinned(vertices, model.skin_joints, model.skin_weights)
