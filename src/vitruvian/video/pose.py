"""Somebody at one time of their motion: joints and surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.body.model.hanging import Skeleton
from vitruvian.body.model.model import joint_motion
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.types.mesh import Mesh
from vitruvian.types.motion import Motion
from vitruvian.video.scene import Mover, MovingScene


def joints_of(mover: Mover, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Positions (T, J, 3) and global rotations (T, J, 3, 3) of joints, in the motion's frame."""
    model = mover.body.model
    turns = matrix_from_axis_angle(motion.pose)
    moved = [
        joint_motion(model.parents, mover.rest_joints, local, where)
        for local, where in zip(turns, motion.translation, strict=True)
    ]
    return np.stack([m.heads for m in moved]), np.stack([m.rotations for m in moved])


def surface_at(mover: Mover, time: int) -> Mesh:
    """The avatar in its pose at one of the motion's times, in the frame of motions."""
    mesh, motion = mover.avatar.mesh, mover.motion
    assert mesh.skin_joints is not None
    assert mesh.skin_weights is not None
    turns = matrix_from_axis_angle(motion.pose[time])
    skeleton = Skeleton.of(mover.body.model.parents, mover.rest_joints, mover.avatar.chains)
    moved = skeleton.still(turns, motion.translation[time])
    vertices = moved.skinned(mesh.vertices, mesh.skin_joints, mesh.skin_weights)
    return mesh.with_vertices(vertices, "camera")


def seen_at(scene: MovingScene, mover: Mover, time: int) -> Mesh:
    """``surface_at`` as the frame's camera sees it, which may have turned."""
    mesh = surface_at(mover, time)
    if scene.turning is None:
        return mesh
    return mesh.transformed(scene.camera_from_reference(int(mover.numbers[time])), "camera")


def in_world(motion: Motion, world_from_camera: np.ndarray) -> Motion:
    """The motion (camera frame) in the world frame."""
    turn = world_from_camera[:3, :3]
    pose = motion.pose.copy()
    pose[:, 0] = axis_angle_from_matrix(turn @ matrix_from_axis_angle(pose[:, 0]))
    where = motion.translation @ turn.T + world_from_camera[:3, 3]
    return replace(motion, pose=pose, translation=where, frame="world")
