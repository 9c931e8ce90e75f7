"""Places for people to stand in: a paved square before blurred house fronts, under a plain sky.

Every pixel's ray is followed to what it meets, and its colour computed there: nothing is stored,
and joints and windows fade out by themselves where they become smaller than a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.lab.synthesis.parts import LABEL, WHITE, Part, Surface
from vitruvian.types.camera import Camera

FRONT_COLORS = (
    (0.48, 0.40, 0.31), (0.38, 0.29, 0.23), (0.54, 0.50, 0.44), (0.34, 0.33, 0.34),
    (0.50, 0.36, 0.27), (0.44, 0.44, 0.40), (0.58, 0.47, 0.34),
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """What is seen where no person is, in linear light.

    Attributes:
        paving: (H, W, 3) float32 albedo of the ground; to be multiplied by the light on it.
        ground: (H, W) float32, 1 where the ground is seen.
        beyond: (H, W, 3) float32 light from sky and houses.
        blur: (H, W) float32 0..1, how far out of focus: 0 near the origin, 1 at the houses.
    """

    paving: np.ndarray
    ground: np.ndarray
    beyond: np.ndarray
    blur: np.ndarray


def ground_part(near: float, far: float, half_width: float, cells: int = 48) -> Part:
    """The ground y = 0 as a white part, for the light and the shadows that fall on it.

    Spans z from ``-far`` to ``near`` and x from ``-half_width`` to ``half_width`` (metres); cut
    into cells so that those behind the camera can be dropped one by one.
    """
    x, z = np.meshgrid(
        np.linspace(-half_width, half_width, cells + 1), np.linspace(-far, near, cells + 1)
    )
    vertices = np.stack([x.ravel(), np.zeros(x.size), z.ravel()], 1).astype(np.float32)
    row = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)).ravel()
    a, b, c, d = row, row + 1, row + cells + 2, row + cells + 1
    faces = np.concatenate([np.stack([a, c, b], 1), np.stack([a, d, c], 1)]).astype(np.int32)
    uvs = np.zeros((1, 2), np.float32)
    return Part(
        "ground", LABEL["background"], vertices, vertices, faces, uvs, np.zeros_like(faces),
        Surface(WHITE, gloss=0.0), solid=False,
    )  # fmt: skip


def paved_square(
    camera: Camera,
    camera_from_world: np.ndarray,
    rng: np.random.Generator,
    *,
    distance: float = 26.0,
    slab: float = 0.6,
) -> Place:
    """A square of slabs with a row of houses ``distance`` metres behind the origin.

    ``camera_from_world`` (4, 4); the world is y up with the ground at y = 0 and is looked at along
    -z. ``slab``: metres between joints. Seeded by ``rng``.
    """
    rotation = camera_from_world[:3, :3]
    origin = -rotation.T @ camera_from_world[:3, 3]
    column, row = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    rays = camera.rays(np.stack([column, row], 2)) @ rotation  # (H, W, 3), world
    with np.errstate(divide="ignore", invalid="ignore"):
        down = np.where(rays[..., 1] < -1e-6, -origin[1] / rays[..., 1], np.inf)
    wall = (origin[2] + distance) / np.maximum(-rays[..., 2], 1e-6)
    ground = (down < wall).astype(np.float32)
    reach = np.where(ground > 0, down, 0)
    ground_x = origin[0] + rays[..., 0] * reach
    ground_z = origin[2] + rays[..., 2] * reach
    footprint = reach / camera.focal_px
    # Rays graze the ground: a pixel is longer along them than across.
    along = footprint * reach / max(origin[1], 0.1)
    paving = _paving(ground_x, ground_z, footprint, along, slab, rng)
    front_x = origin[0] + rays[..., 0] * wall
    front_y = origin[1] + rays[..., 1] * wall
    beyond = _houses(front_x, front_y, rays, rng)
    # Out of focus grows with the difference of inverse distances (thin lens).
    focus = float(np.linalg.norm(origin))
    away = np.where(ground > 0, np.maximum(reach, 0.1), wall)
    blur = np.clip((1 / focus - 1 / away) / (1 / focus - 1 / (origin[2] + distance)), 0, 1)
    return Place(paving, ground, beyond, blur.astype(np.float32))


def defocused(image: np.ndarray, blur: np.ndarray, sigma: float) -> np.ndarray:
    """The image (H, W, 3) blurred by Gaussians of ``sigma`` pixels times ``blur`` (H, W)."""
    import cv2

    levels = (0.0, 0.25, 0.5, 0.75, 1.0)
    out = np.zeros_like(image)
    for level in levels:
        share = np.clip(1 - np.abs(blur - level) / 0.25, 0, 1)[..., None]
        soft = image if level == 0 else cv2.GaussianBlur(image, (0, 0), level * sigma)
        out += share * soft
    return out


def _paving(
    x: np.ndarray,
    z: np.ndarray,
    across: np.ndarray,
    along: np.ndarray,
    slab: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Albedo (H, W, 3) of slabs in running bond at ground points ``x``, ``z`` (H, W)."""
    rank = np.floor(z / slab)
    shifted = x / (1.5 * slab) + 0.5 * (rank % 2)
    file = np.floor(shifted)
    tone = _hashed(file, rank, int(rng.integers(1 << 30)))
    warm = _hashed(file, rank, int(rng.integers(1 << 30)))
    # A joint narrower than the pixel darkens it by its share.
    gap = 0.008
    joint = np.maximum(
        _line((shifted - file) * 1.5 * slab, 1.5 * slab, gap, across),
        _line(z - rank * slab, slab, gap, along),
    )
    spots = 0.5 * _fractal(x, z, 1.3, 4, rng) + 0.5 * _fractal(x, z, 0.12, 3, rng) / (
        1 + (along / 0.03) ** 2
    )
    fade = 1 / (1 + (along / slab) ** 2)
    value = 0.30 * (1 + 0.16 * (tone - 0.5) * fade) * (1 + 0.16 * spots) * (1 - 0.55 * joint)
    tint = np.array([1.03, 1.0, 0.94]) + 0.03 * (warm[..., None] - 0.5) * [1, 0, -1]
    return (value[..., None] * tint).astype(np.float32)


def _line(place: np.ndarray, period: float, width: float, pixel: np.ndarray) -> np.ndarray:
    """Share of a pixel of size ``pixel`` covered by a line of ``width`` at multiples of period."""
    distance = np.minimum(place, period - place)
    half = (width + pixel) / 2
    near = np.clip((half - distance) / np.maximum(pixel, 1e-6), 0, 1)
    sharp = near * np.minimum(1, width / np.maximum(pixel, 1e-6))
    mixed = np.clip(pixel / (0.5 * period), 0, 1)
    return sharp * (1 - mixed) + mixed * width / period


def _houses(x: np.ndarray, y: np.ndarray, rays: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Light (H, W, 3) from house fronts in a plane, the trees before them and the sky."""
    elevation = np.clip(rays[..., 1] / np.linalg.norm(rays, axis=2), 0, 1)[..., None]
    out = np.array([0.74, 0.82, 0.92]) * (1 - elevation) + np.array([0.30, 0.48, 0.80]) * elevation
    left = float(x.min()) - rng.uniform(0, 6)
    while left < x.max():
        width, height = rng.uniform(7, 12), rng.uniform(8.5, 15)
        storey, bay = rng.uniform(2.9, 3.5), rng.uniform(1.9, 2.7)
        color = np.array(FRONT_COLORS[int(rng.integers(len(FRONT_COLORS)))])
        u, inside = x - left, (x >= left) & (x < left + width) & (y < height)
        base = 3.6
        sill, post = (y - base) % storey, u % (width / round(width / bay))
        bay_width = width / round(width / bay)
        window = (
            (y > base) & (y < height - 1) & (sill > 0.8) & (sill < 0.8 + 0.5 * storey)
            & (np.abs(post - bay_width / 2) < 0.27 * bay_width)
        )  # fmt: skip
        shop = (y < 2.7) & (y > 0.4) & (u % (width / 3) > 0.5) & (u % (width / 3) < width / 3 - 0.5)
        glass = np.array([0.10, 0.13, 0.17]) * rng.uniform(0.7, 1.6)
        stain = 1 + 0.1 * _fractal(x, y, 2.5, 3, rng)
        front = np.where((window | shop)[..., None], glass, color * stain[..., None])
        ledge = (np.abs(y - base + 0.3) < 0.14) | (y > height - 0.35)
        front = np.where(ledge[..., None], color * 1.3, front)
        out = np.where(inside[..., None], front, out)
        left += width
    for _ in range(4):
        middle = rng.uniform(x.min(), x.max())
        size, tall = rng.uniform(1.7, 2.5), rng.uniform(3.8, 5.0)
        radius = np.hypot((x - middle) / size, (y - tall) / (size * 1.1))
        ragged = radius + 0.22 * _fractal(x, y, 0.6, 4, rng) < 0.9
        trunk = (np.abs(x - middle) < 0.14) & (y < tall)
        leaf = 1 + 0.5 * _fractal(x, y, 0.35, 3, rng) + 0.25 * (y - tall)
        out = np.where(trunk[..., None], np.array([0.10, 0.08, 0.06]), out)
        green = np.array([0.075, 0.13, 0.045]) * np.maximum(leaf, 0.2)[..., None]
        out = np.where(ragged[..., None], green, out)
    return out.astype(np.float32)


def _hashed(i: np.ndarray, j: np.ndarray, seed: int) -> np.ndarray:
    """A number in 0..1 for every pair of whole numbers."""
    h = i.astype(np.int64).astype(np.uint32) * np.uint32(0x9E3779B1)
    h ^= j.astype(np.int64).astype(np.uint32) * np.uint32(0x85EBCA77)
    h ^= np.uint32(seed & 0xFFFFFFFF)
    h = (h ^ (h >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    h = (h ^ (h >> np.uint32(12))) * np.uint32(0x297A2D39)
    return (h >> np.uint32(8)) / float(1 << 24)


def _fractal(
    x: np.ndarray, y: np.ndarray, length: float, octaves: int, rng: np.random.Generator
) -> np.ndarray:
    """Smooth noise of about unit range: value noise summed over halving lengths (metres)."""
    out = np.zeros(x.shape)
    for octave in range(octaves):
        u, v = x / length * 2**octave, y / length * 2**octave
        i, j = np.floor(u), np.floor(v)
        a, b = u - i, v - j
        a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
        seed = int(rng.integers(1 << 30))
        low = _hashed(i, j, seed) * (1 - a) + _hashed(i + 1, j, seed) * a
        high = _hashed(i, j + 1, seed) * (1 - a) + _hashed(i + 1, j + 1, seed) * a
        out += (2 * (low * (1 - b) + high * b) - 1) / 2**octave
    return out
