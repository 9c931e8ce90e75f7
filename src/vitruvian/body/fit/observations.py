"""What the fit believes of a figure's landmarks: targets and how much each counts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vitruvian.geometry.rotations import axis_angle_from_matrix, rotation_between
from vitruvian.types.camera import Camera
from vitruvian.types.estimate import BodyEstimate
from vitruvian.types.figure import Landmarks
from vitruvian.types.keypoints import (
    EARS,
    EYES,
    FACE,
    FEET,
    HANDS,
    HIPS,
    LEGS,
    NOSE,
    SHOULDERS,
    joints_of_marks,
)

# The face's less telling landmarks: corners of the eyes and the mouth.
_MINOR_FACE = np.setdiff1d(FACE, [NOSE, *EYES, *EARS])
_HIPS_TO_ANKLES = np.unique(LEGS)

FACE_DEPTH_BIAS = 0.55  # of the distance from shoulders to ears
OUTSIDE_WEIGHT = 0.2  # of world landmarks beyond the frame, which are mere guesses
KNEE_DEPTH_BIAS = 0.22  # of the thigh
# Factors on a body estimate's standard deviations across and along the view: they are those of
# synthetic people, real ones surprise it more, and across the view the landmarks know better.
_DOUBT = np.array([3.0, 1.5])
_LEAST_KEYPOINT_SD = 0.008  # statures
_LEAST_ROTATION_SD = 0.1  # radians


@dataclass(frozen=True)
class Observations:
    """Targets of the fit for one figure.

    Attributes:
        rays: (33, 2) float64, (x / z, y / z) of the landmarks in the camera frame, where the body
            model has them.
        image_weights: (33,) weight of each ray.
        world: (33, 3) float64, the network's metric landmarks relative to the hips' middle,
            turned into the camera frame.
        world_weights: (33,) weight of each.
        world_sd: (33, 3) standard deviations in the unit of ``world`` where they are known for
            each, else None.
        points_px: (33, 2) the landmarks in pixels, as ``rays``.
        visibility: as in ``Landmarks``.
        ray_spread: (33,) the landmarks' spread between looks in the unit of ``rays``; None where
            nothing tells it.
    """

    rays: np.ndarray
    image_weights: np.ndarray
    world: np.ndarray
    world_weights: np.ndarray
    points_px: np.ndarray
    visibility: np.ndarray
    world_sd: np.ndarray | None = None
    ray_spread: np.ndarray | None = None


def observe(landmarks: Landmarks, camera: Camera) -> Observations:
    """Turn landmarks into targets in the camera frame.

    The network sees a crop as if it were taken straight on, so its world landmarks are turned by
    the angle between the optical axis and the ray to the hips. Hands and feet of the world
    landmarks are far too short and count in the image only; points outside the picture are
    extrapolations and count little. Shoulders and hips are marked above the body model's.
    """
    points = joints_of_marks(landmarks.points)
    visibility = np.clip(landmarks.visibility, 0, 1)
    rays = camera.rays(points)
    world = _without_depth_bias(landmarks.world)
    world = (world - world[HIPS].mean(0)) @ camera_from_centred(rays[:, :2]).T

    image_weights = np.sqrt(np.maximum(visibility, 0.02))
    world_weights = np.sqrt(np.maximum(visibility, 0.25))
    image_weights[HANDS] *= 0.5
    image_weights[_MINOR_FACE] *= 0.5
    world_weights[FACE] *= 0.3
    world_weights[HANDS] = 0
    world_weights[FEET] = 0
    outside = (points < 0).any(1) | (points > [camera.width, camera.height]).any(1)
    image_weights[outside] *= 0.3
    world_weights[outside] *= OUTSIDE_WEIGHT
    spread = None if landmarks.spread is None else landmarks.spread / camera.focal_px
    return Observations(
        rays[:, :2], image_weights, world, world_weights, points, visibility, ray_spread=spread
    )


def camera_from_centred(rays: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) from a camera that looks straight at the hips to the real one.

    rays: (33, 2), as in ``Observations``.
    """
    return rotation_between(np.array([0.0, 0, 1]), np.append(rays[HIPS].mean(0), 1.0))


def _angle_between(a: np.ndarray, b: np.ndarray) -> float:
    cosine = a @ b / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)
    return float(np.arccos(np.clip(cosine, -1, 1)))


def _without_depth_bias(world: np.ndarray) -> np.ndarray:
    """Take two constant errors along the view out of the network's world landmarks (33, 3).

    Measured on rendered characters of known pose seen from eight sides and confirmed on street
    photographs: from every side the face lies some 30 degrees (seen from the shoulders) too near
    the camera, and knees of straight legs lie nearer by .22 of the thigh when their owner faces
    the camera, which bends standing people's knees by some 25 degrees.
    """
    world = np.array(world, dtype=np.float64)
    shoulders, ears = world[SHOULDERS].mean(0), world[EARS].mean(0)
    world[FACE, 2] += FACE_DEPTH_BIAS * np.linalg.norm((ears - shoulders)[:2])
    across = world[HIPS[0]] - world[HIPS[1]] + world[SHOULDERS[0]] - world[SHOULDERS[1]]
    facing = np.clip(across[0] / max(float(np.linalg.norm(across)), 1e-9), 0, 1)
    for hip, knee, ankle in LEGS:
        thigh, shank = world[knee] - world[hip], world[ankle] - world[knee]
        bend = np.rad2deg(_angle_between(thigh, shank))
        straight = np.clip((75 - bend) / 35, 0, 1)
        world[knee, 2] += KNEE_DEPTH_BIAS * facing * straight * np.linalg.norm(thigh)
    return world


def translation_guess(observed: Observations) -> np.ndarray:
    """Position (3,) of the hips' middle that best explains rays and metric landmarks (linear)."""
    world, rays, weights = observed.world, observed.rays, observed.image_weights
    # For each landmark: t_x - u t_z = u w_z - w_x, and the same for y.
    rows, values = [], []
    for axis in (0, 1):
        block = np.zeros((len(rays), 3))
        block[:, axis] = 1
        block[:, 2] = -rays[:, axis]
        rows.append(block * weights[:, None])
        values.append((rays[:, axis] * world[:, 2] - world[:, axis]) * weights)
    guess = np.linalg.lstsq(np.concatenate(rows), np.concatenate(values), rcond=None)[0]
    guess[2] = max(guess[2], 0.5)
    return guess


@dataclass(frozen=True)
class PoseTarget:
    """Rotations that a body estimate suggests.

    Attributes:
        rotations: (A, 3, 3) of the active joints; the root's leads into the camera frame.
        sd: (A,) radians.
    """

    rotations: np.ndarray
    sd: np.ndarray

    def residual(self, rotations: np.ndarray) -> np.ndarray:
        """(A, 3) rotation vectors from the target to ``rotations`` (A, 3, 3), over ``sd``.

        Their derivative with respect to ``R <- exp(w) R`` is about 1 / sd where they are small.
        """
        away = axis_angle_from_matrix(rotations @ self.rotations.transpose(0, 2, 1))
        return away / self.sd[:, None]


def with_estimate(
    observed: Observations, estimate: BodyEstimate, shown: tuple[float, float]
) -> Observations:
    """Observations whose metric landmarks are those of a body estimate, in statures.

    Where something hides the legs, landmarks of legs and hips are squeezed onto what is seen, hips
    as if they were visible. They count in the picture as far as legs and feet are ``shown``, 0..1.
    """
    world = estimate.keypoints @ camera_from_centred(observed.rays).T
    across, along = np.maximum(_DOUBT * estimate.keypoint_sd, _LEAST_KEYPOINT_SD).T
    sd = np.stack([across, across, along], axis=1)
    world = world - world[HIPS].mean(0)
    legs, feet = shown
    image_weights = observed.image_weights.copy()
    image_weights[_HIPS_TO_ANKLES] *= legs**2
    image_weights[FEET] *= feet**2
    return replace(
        observed,
        image_weights=image_weights,
        world=world,
        world_weights=np.ones(len(world)),
        world_sd=sd,
    )


def pose_target(observed: Observations, estimate: BodyEstimate) -> PoseTarget:
    """The pose of a body estimate in the camera frame."""
    rotations = estimate.rotations.copy()
    rotations[0] = camera_from_centred(observed.rays) @ rotations[0]
    return PoseTarget(rotations, np.maximum(estimate.rotation_sd, _LEAST_ROTATION_SD))
