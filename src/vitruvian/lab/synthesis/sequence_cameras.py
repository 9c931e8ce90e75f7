"""Cameras that stand, turn or travel while somebody moves before them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from vitruvian.lab.synthesis.cameras import View, look
from vitruvian.types.camera import Camera

CameraKind = Literal["still", "turning", "travelling"]
CAMERA_KINDS: tuple[CameraKind, ...] = get_args(CameraKind)
_ASPECTS = (16 / 9, 4 / 3, 9 / 16)
_FOV_DEG = 38, 68  # across the longer side
_EYE_M = 0.5, 2.2  # lowest and highest
_ROOM = 0.55  # metres that a person reaches beside the root
_SWAY_DEG = 1.6, 0.8, 0.5  # of a camera held by hand: yaw, pitch, roll
_SWAY_S = 0.7, 1.9  # shortest and longest period
_ARC_DEG = 15, 45  # that a travelling camera goes around the person


@dataclass(frozen=True)
class CameraPath:
    """A camera in every frame of a clip, in a world with y up and the floor at y = 0.

    Attributes:
        kind: whether it stands still, turns on the spot or changes its place.
        views: of every frame; the lens is the same in all of them.
    """

    kind: CameraKind
    views: tuple[View, ...]


def camera_path(
    rng: np.random.Generator,
    kind: CameraKind,
    places: np.ndarray,
    stature: float,
    size: int,
    fps: float,
) -> CameraPath:
    """A random camera that has somebody in view for a whole clip.

    Args:
        rng: random numbers.
        kind: how it moves.
        places: (F, 3) where the person is in every frame, on the floor, metres.
        stature: of the person, metres.
        size: longer side of the frames in pixels; both sides are even.
        fps: frames a second.
    """
    aspect = _ASPECTS[int(rng.integers(len(_ASPECTS)))]
    width, height = (_even(size * min(1.0, side)) for side in (aspect, 1 / aspect))
    camera = Camera.from_fov(float(rng.uniform(*_FOV_DEG)), width, height)
    azimuth = rng.uniform(-np.pi, np.pi)
    back = np.array([np.sin(azimuth), 0, np.cos(azimuth)])
    middle = (places[0] + places[-1]) / 2
    eye_m = float(np.clip(rng.normal(1.4, 0.25), *_EYE_M))
    # The person fills so much of the height, and the whole way fits into the width.
    away = stature * camera.focal_px / height / rng.uniform(0.5, 0.8)
    offsets = places - middle
    if kind == "still":
        right = np.cross((0, 1, 0), back)
        wide = float(np.abs(offsets @ right).max()) + _ROOM
        away = max(away, wide * 2 * camera.focal_px / width)
    if kind != "travelling":
        away += float((offsets @ back).max())  # whoever comes nearer stays whole
    seconds = np.arange(len(places)) / fps
    share = np.linspace(-0.5, 0.5, len(places))
    eyes = np.tile(middle + away * back, (len(places), 1))
    if kind == "travelling":
        arc = np.deg2rad(rng.uniform(*_ARC_DEG)) * rng.choice([-1, 1])
        angle = azimuth + arc * share
        around = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=1)
        nearer = away * (1 + rng.uniform(-0.2, 0.2) * share)
        eyes = places + nearer[:, None] * around
    eyes[:, 1] = eye_m
    if kind == "travelling":
        eyes[:, 1] += 0.02 * _waves(rng, seconds)
    targets = np.tile(middle, (len(places), 1)) if kind == "still" else places
    aim = targets + [0, 0.52 * stature, 0] - eyes
    yaw = np.rad2deg(np.arctan2(-aim[:, 0], -aim[:, 2]))
    pitch = np.rad2deg(np.arctan2(-aim[:, 1], np.hypot(aim[:, 0], aim[:, 2])))
    roll = np.full(len(places), rng.normal(0, 1.0))
    if kind != "still":
        yaw, pitch, roll = (
            angle + amount * _waves(rng, seconds)
            for angle, amount in zip((yaw, pitch, roll), _SWAY_DEG, strict=True)
        )
    views = []
    for eye, *angles in zip(eyes, yaw, pitch, roll, strict=True):
        matrix = np.eye(4)
        matrix[:3, :3] = look(*map(float, angles))
        matrix[:3, 3] = -matrix[:3, :3] @ eye
        views.append(View(camera, matrix, float(angles[1]), float(angles[2])))
    return CameraPath(kind, tuple(views))


def _waves(rng: np.random.Generator, seconds: np.ndarray) -> np.ndarray:
    """Values about 0, mostly within 1, that wander smoothly."""
    out = np.zeros_like(seconds)
    for _ in range(3):
        period, phase = rng.uniform(*_SWAY_S), rng.uniform(0, 2 * np.pi)
        out += np.sin(2 * np.pi * seconds / period + phase) / 2
    return out


def _even(pixels: float) -> int:
    return 2 * round(pixels / 2)
