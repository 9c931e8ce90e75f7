"""Random cameras: viewpoint, lens, and where the frame cuts the person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.types.camera import Camera


@dataclass(frozen=True)
class View:
    """A camera in the world (y up, ground y = 0).

    Attributes:
        camera: the pinhole.
        camera_from_world: (4, 4).
        pitch_deg: how far it looks down; roll_deg: how far the horizon turns.
    """

    camera: Camera
    camera_from_world: np.ndarray
    pitch_deg: float
    roll_deg: float


def look(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """World to camera rotation (3, 3) of a camera that looks along -z at yaw 0 (degrees)."""
    a, b, c = np.deg2rad([yaw, pitch, roll])
    forward = np.array([-np.sin(a) * np.cos(b), -np.sin(b), -np.cos(a) * np.cos(b)])
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    level = np.stack([right, np.cross(forward, right), forward])
    turn = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return turn @ level


def random_view(rng: np.random.Generator, points: np.ndarray, size: int) -> View:
    """A camera (size x size pixels) that sees the person whose vertices (N, 3) are given.

    Field of view 14 to 62 degrees, mostly at eye level and little tilted; the whole person in the
    frame in four of five pictures, else the frame cuts it.
    """
    yaw = rng.normal(0, 35) if rng.random() < 0.55 else rng.uniform(-180, 180)
    pitch = rng.normal(4, 7) if rng.random() < 0.85 else rng.uniform(-20, 45)
    roll = rng.normal(0, 3) if rng.random() < 0.8 else rng.normal(0, 12)
    rotation = look(float(yaw), float(pitch), float(roll))
    fov = np.deg2rad(np.exp(rng.uniform(np.log(14), np.log(62))))
    low, high = points.min(0), points.max(0)
    middle = (low + high) / 2
    whole = rng.random() < 0.8
    extent = float(np.linalg.norm(high - low))
    if not whole:
        middle = middle + [0, rng.uniform(-0.1, 0.35) * (high[1] - low[1]), 0]
        extent *= rng.uniform(0.35, 0.75)
    distance = max(0.5 * extent / np.tan(fov / 2) * 1.1, 0.6 + 0.5 * extent)
    # Not from under the ground: climb, and look down accordingly.
    eye = middle - distance * rotation[2]
    if eye[1] < 0.15:
        pitch = np.rad2deg(np.arcsin(np.clip((0.15 - middle[1]) / distance, -0.9, 0.9)))
        rotation = look(float(yaw), float(pitch), float(roll))
    seen = (points - middle) @ rotation.T + [0, 0, distance]
    seen = seen[seen[:, 2] > 0.15]
    flat = seen[:, :2] / seen[:, 2:]
    if whole:
        left, right = flat.min(0), flat.max(0)
        span = float((right - left).max()) / rng.uniform(0.6, 0.95)
        slack = (span - (right - left)) / 2
        centre = (left + right) / 2 + rng.uniform(-0.85, 0.85, 2) * slack
    else:
        span = float(extent / distance)
        centre = rng.normal(0, 0.06, 2) * span
    # The picture is a crop of a wider one: the principal point need not be its middle.
    focal = size / span
    principal = size / 2 - centre * focal
    camera = Camera(float(focal), size, size, (float(principal[0]), float(principal[1])), "given")
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = np.array([0, 0, distance]) - rotation @ middle
    return View(camera, matrix, float(pitch), float(roll))
