"""Ground and walls, as parts that are drawn and that receive shadows."""

from __future__ import annotations

import numpy as np

from vitruvian.lab.synthesis.materials import Tile, periodic_noise, random_tile, warm_or_cool
from vitruvian.lab.synthesis.parts import LABEL, Part, Surface


def plane_part(
    name: str,
    tile: Tile,
    corner: tuple[float, float, float],
    along: tuple[float, float, float],
    across: tuple[float, float, float],
    *,
    cells: int = 24,
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0),
    gloss: float = 0.02,
) -> Part:
    """A rectangle in the world frame, textured by repeating ``tile``.

    ``along`` x ``across`` points to the side that is seen. Cut into cells, so that what reaches
    behind the camera can be left out cell by cell.
    """
    s = np.linspace(0, 1, cells + 1)
    grid = np.stack(np.meshgrid(s, s, indexing="ij"), -1).reshape(-1, 2)
    vertices = (
        np.asarray(corner) + grid[:, :1] * np.asarray(along) + grid[:, 1:] * np.asarray(across)
    )
    lengths = np.array([np.linalg.norm(along), np.linalg.norm(across)])
    index = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]
    faces = np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)], 2).reshape(-1, 3)
    faces = faces.astype(np.int32)
    surface = Surface(
        texture=tile.color, normal_map=tile.normal, tint=tint, gloss=gloss, shininess=20.0
    )
    return Part(
        name, LABEL["background"], vertices.astype(np.float32), vertices.astype(np.float32), faces,
        (grid * lengths / tile.size).astype(np.float32), faces, surface, solid=False,
    )  # fmt: skip


def random_place(rng: np.random.Generator, view: np.ndarray) -> list[Part]:
    """Ground, perhaps a wall behind, in the world frame.

    ``view``: camera_from_world (4, 4), so that the wall stands behind what is looked at.
    """
    eye = -view[:3, :3].T @ view[:3, 3]
    forward = view[2, :3] * [1, 0, 1]
    forward = forward / max(float(np.linalg.norm(forward)), 1e-6)
    right = np.cross(forward, [0, 1, 0])
    tile = random_tile(rng, ground=True)
    reach, width = 34.0, 50.0
    start = eye * [1, 0, 1] - right * width / 2 + forward * 0.05
    tone = rng.uniform(0.6, 1.4) * warm_or_cool(rng, 0.05)
    tint = (float(tone[0]), float(tone[1]), float(tone[2]))
    # right x forward points up: the side that is seen.
    parts = [
        plane_part("ground", tile, tuple(start), tuple(right * width), tuple(forward * reach),
                   cells=40, tint=tint)
    ]  # fmt: skip
    if rng.random() < 0.6:
        wall = random_tile(rng, ground=False)
        behind = rng.uniform(0.8, 4.0)
        turn = np.deg2rad(rng.normal(0, 18))
        c, s = np.cos(turn), np.sin(turn)
        along = np.array([c * right[0] + s * right[2], 0, -s * right[0] + c * right[2]])
        target = eye + forward * np.linalg.norm(view[:3, 3] * [0, 0, 1])
        corner = target * [1, 0, 1] + forward * behind - along * width / 2
        height = rng.uniform(2.2, 8)
        parts.append(
            plane_part(
                "wall",
                wall,
                tuple(corner),
                tuple(along * width),
                (0, float(height), 0),
                tint=tint[::-1],
            )
        )
    return parts


def backdrop(rng: np.random.Generator, size: int, horizon: float) -> np.ndarray:
    """What is seen beyond: sky over a blurred distance, linear (size, size, 3) float32.

    ``horizon``: row of the horizon in pixels.
    """
    rows = np.arange(size, dtype=np.float32)[:, None]
    single = np.float32  # halves the time
    blue = rng.uniform(0, 1)
    high = np.exp(rng.normal(-0.4, 0.4)) * np.array([1 - 0.55 * blue, 1 - 0.3 * blue, 1.0])
    low = np.exp(rng.normal(-0.3, 0.3)) * np.array([1, 0.98, 0.95])
    t = np.clip((horizon - rows) / size, 0, 1)[..., None]  # (S, 1, 1)
    sky = (low + (high - low) * np.sqrt(t)).astype(single)
    noise = periodic_noise(rng, 128, float(rng.uniform(0.9, 1.8)), 1)
    noise = np.stack([noise, np.roll(noise, 9, 1), np.roll(noise, 23, 0)], -1).astype(single)
    tiled = np.repeat(np.repeat(noise, -(-size // 128), 0), -(-size // 128), 1)[:size, :size]
    if size > 128:
        import cv2

        tiled = cv2.GaussianBlur(tiled, (0, 0), size / 128)
    tiled = tiled.mean(2, keepdims=True) + 0.25 * (tiled - tiled.mean(2, keepdims=True))
    cloud = np.exp(float(rng.uniform(0, 0.35)) * tiled[..., :1])
    tone = np.exp(rng.normal(-1.6, 0.5)) * warm_or_cool(rng, 0.09)
    distance = tone.astype(single) * np.exp(single(0.45) * tiled)
    edge = horizon - size * rng.uniform(0, 0.35) * (1 + 0.3 * tiled[0, :, 0])
    steep = np.clip((rows - edge[None].astype(single)) / single(0.01 * size), -60, 60)
    far = (1 / (1 + np.exp(-steep)))[..., None]
    out = sky * cloud * (1 - far) + distance * far
    return np.maximum(out, 0)
