"""Silhouettes of bodies, to measure them by."""

from __future__ import annotations

import numpy as np

from vitruvian.body.model.model import body_model, joint_motion
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.camera import Camera

SIZE = 640


def silhouette(betas: np.ndarray, yaw: float) -> np.ndarray:
    """(640, 640) uint8 of a body at rest, seen from three metres away, ``yaw`` degrees aside."""
    model = body_model()
    vertices, joints = model.rest(betas)
    turns = np.zeros((len(model.joint_names), 3))
    turns[0, 1] = -np.deg2rad(yaw)
    if yaw:  # arms along the body
        for side, sign in (("L", 1), ("R", -1)):
            turns[model.joint_index[f"upperarm01.{side}"], 2] = -sign * 0.5
    motion = joint_motion(model.parents, joints, matrix_from_axis_angle(turns), np.zeros(3))
    points = motion.skinned(vertices, model.skin_joints, model.skin_weights)
    middle = (points.min(0) + points.max(0)) / 2
    points = (points - middle) * [1, -1, -1] + [0, 0, 3]
    camera = Camera.centered(1.6 * SIZE, SIZE, SIZE, "given")
    found = rasterize(camera.project(points), points[:, 2], model.faces, SIZE, SIZE)
    return np.asarray(255 * found.mask, np.uint8)


def usual_pair(sex: str = "women") -> tuple[np.ndarray, np.ndarray]:
    """Front and left side of the most usual woman or man."""
    betas = body_model().shape_prior(sex).mean
    return silhouette(betas, 0), silhouette(betas, 90)
