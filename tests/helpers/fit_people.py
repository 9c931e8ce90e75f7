"""Bodies whose truth is known, and the figures that a network would find of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.body.fit import observations
from vitruvian.body.fit.pose_prior import pose_prior
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.rotations import matrix_from_axis_angle, rotation_between
from vitruvian.types.camera import Camera
from vitruvian.types.estimate import GROUPS, BodyEstimate
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.keypoints import HIPS, marks_of_joints

CAMERA = Camera.centered(1200, 800, 1000)


def random_body(seed, yaw=0.0):
    """Betas, local rotations and translation of somebody in view, in a plausible pose."""
    rng = np.random.default_rng(seed)
    model = body_model()
    betas = rng.normal(size=10)
    pose = np.zeros((len(model.parents), 3))
    prior = pose_prior()
    pose[model.active[1:]] = (prior.mean + 0.15 * rng.normal(size=len(prior.mean))).reshape(-1, 3)
    rotations = matrix_from_axis_angle(pose)
    upright = matrix_from_axis_angle(np.array([np.pi, 0, 0]))
    rotations[0] = upright @ matrix_from_axis_angle(np.array([0, yaw, 0]))
    return betas, rotations, np.array([0.2, 0.1, 3.4])


def photograph(betas, rotations, translation, noise_px=0.0, seed=0):
    """The figure that a network with its known biases would find of a body."""
    model = body_model()
    points, _ = model.evaluate(
        model.keypoints(), betas, rotations, translation, model.active, jacobian=False
    )
    hips = points[observations.HIPS].mean(0)
    ray = CAMERA.rays(CAMERA.project(points[observations.HIPS])).mean(0)
    world = (points - hips) @ rotation_between(np.array([0.0, 0, 1]), ray) * 0.86
    ears = world[observations.EARS].mean(0) - world[observations.SHOULDERS].mean(0)
    world[observations.FACE, 2] -= observations.FACE_DEPTH_BIAS * np.linalg.norm(ears[:2])
    pixels = CAMERA.project(marks_of_joints(points))
    pixels += noise_px * np.random.default_rng(seed).normal(size=pixels.shape)
    vertices = model.forward_rotations(betas, rotations, translation).vertices
    mask = rasterize(
        CAMERA.project(vertices), vertices[:, 2], model.faces, CAMERA.width, CAMERA.height
    ).mask
    alpha = Alpha((mask * 255).astype(np.uint8), 0, 0, CAMERA.width, CAMERA.height)
    landmarks = Landmarks(pixels, np.ones(33), world, 0.01)
    rows, columns = np.nonzero(mask)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
    return Figure(box, 0.9, landmarks, alpha, True, 0.95), vertices


def intersection_over_union(vertices, alpha):
    model = body_model()
    mask = rasterize(
        CAMERA.project(vertices), vertices[:, 2], model.faces, CAMERA.width, CAMERA.height
    ).mask
    truth = alpha.full() > 127
    return (mask & truth).sum() / (mask | truth).sum()


def estimate_of(betas, rotations, translation, *, group="men", stature_sd=0.03, **changes):
    """A ``BodyEstimate`` that tells a body as it is."""
    model = body_model()
    points, _ = model.evaluate(
        model.keypoints(), betas, rotations, translation, model.active, jacobian=False
    )
    hips = points[HIPS].mean(0)
    straight = rotation_between(np.array([0.0, 0, 1]), hips)
    stature = model.stature(betas)
    turns = rotations[model.active].copy()
    turns[0] = straight.T @ turns[0]
    found = BodyEstimate(
        groups=np.array([0.98 if name == group else 0.005 for name in GROUPS]),
        stature_m=stature,
        stature_sd=stature_sd,
        betas=np.asarray(betas[:10], float),
        betas_sd=np.full(10, 0.5),
        keypoints=(points - hips) @ straight / stature,
        keypoint_sd=np.full((33, 2), 0.02),
        rotations=turns,
        rotation_sd=np.full(22, 0.2),
        parts=np.tile([0.9, 0.05, 0.05], (5, 1)),
        whole=np.array([0.9, 0.05, 0.05]),
    )
    return replace(found, **changes)
