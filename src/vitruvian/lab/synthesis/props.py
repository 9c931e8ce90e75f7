"""Occluders: objects that stand between the camera and a person."""

from __future__ import annotations

import numpy as np

from vitruvian.lab.synthesis.cameras import View
from vitruvian.lab.synthesis.materials import random_tile
from vitruvian.lab.synthesis.parts import LABEL, Part, Surface


def random_occluder(rng: np.random.Generator, points: np.ndarray, view: View) -> Part:
    """A post, box or rail before the person whose vertices (N, 3, world frame) are given."""
    eye = -view.camera_from_world[:3, :3].T @ view.camera_from_world[:3, 3]
    middle = (points.min(0) + points.max(0)) / 2
    toward = (eye - middle) * [1, 0, 1]
    distance = float(np.linalg.norm(toward))
    toward = toward / max(distance, 1e-6)
    right = np.cross([0, 1, 0], toward)
    reach = 0.5 * float(np.ptp(points[:, [0, 2]], axis=0).max())
    place = middle * [1, 0, 1] + toward * min(reach + rng.uniform(0.1, 0.8), 0.8 * distance)
    place = place + right * rng.normal(0, 0.35)
    kind = rng.random()
    if kind < 0.35:  # post
        half = np.array([rng.uniform(0.02, 0.12), rng.uniform(0.8, 2.5), 0.05])
    elif kind < 0.75:  # box, table, wall
        half = np.array([rng.uniform(0.15, 0.9), rng.uniform(0.15, 0.55), rng.uniform(0.1, 0.3)])
    else:  # rail
        half = np.array([1.6, rng.uniform(0.015, 0.05), 0.03])
        place = place + [0, rng.uniform(0.5, 1.1), 0]
    sides = max(4, int(rng.choice([4, 4, 14])))
    angle = (np.arange(sides) + 0.5) / sides * 2 * np.pi
    ring = np.stack([np.cos(angle) * half[0], np.zeros(sides), np.sin(angle) * half[2]], 1)
    ring = ring * np.sqrt(2)
    turn = rng.normal(0, 0.5)
    axes = np.stack([np.cos(turn) * right + np.sin(turn) * toward, np.array([0, 1.0, 0]),
                     -np.sin(turn) * right + np.cos(turn) * toward])  # fmt: skip
    low, high = ring @ axes + place, ring @ axes + place + [0, 2 * half[1], 0]
    vertices = np.concatenate([low, high, [low.mean(0), high.mean(0)]]).astype(np.float32)
    k = np.arange(sides)
    n = (k + 1) % sides
    faces = np.concatenate([
        np.stack([k, k + sides, n], 1), np.stack([n, k + sides, n + sides], 1),
        np.stack([np.full(sides, 2 * sides), k, n], 1),
        np.stack([np.full(sides, 2 * sides + 1), n + sides, k + sides], 1),
    ]).astype(np.int32)  # fmt: skip
    tile = random_tile(rng, ground=bool(rng.random() < 0.5))
    uvs = (vertices[:, :2] + vertices[:, 2:] * [0.7, 0.3]) / tile.size
    surface = Surface(texture=tile.color, gloss=float(rng.uniform(0, 0.1)))
    return Part(
        "occluder", LABEL["occluder"], vertices, vertices, faces, uvs.astype(np.float32), faces,
        surface, solid=False,
    )  # fmt: skip
