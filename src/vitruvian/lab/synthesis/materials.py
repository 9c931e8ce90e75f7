"""Procedural surfaces of places: paving, bricks, plaster, grass, boards, carpet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass(frozen=True)
class Tile:
    """A repeating texture.

    Attributes:
        color: (n, n, 4) uint8 sRGB; normal: (n, n, 4) uint8 tangent-space normals.
        size: metres that it spans.
    """

    color: np.ndarray
    normal: np.ndarray
    size: float


def periodic_noise(
    rng: np.random.Generator, size: int, slope: float = 1.0, low: float = 1.0
) -> np.ndarray:
    """Noise (size, size) that repeats, unit variance, spectrum ``1 / f**slope`` above ``low``."""
    f = np.fft.fftfreq(size) * size
    radius = np.hypot(*np.meshgrid(f, f))
    gain = np.where(radius < low, 0, np.maximum(radius, 1e-9) ** -slope)
    noise = np.fft.ifft2(np.fft.fft2(rng.standard_normal((size, size))) * gain).real
    return (noise - noise.mean()) / noise.std()


def warm_or_cool(rng: np.random.Generator, spread: float) -> np.ndarray:
    """Factors (3,) of a colour that things out of doors have: warmer or cooler, hardly pink."""
    warmth, green, shade = rng.normal(0, spread, 3)
    return 1 + shade / 3 + warmth * np.array([1, 0, -1]) + 0.25 * green * np.array([-0.5, 1, -0.5])


def _tile(color: np.ndarray, height: np.ndarray, size: float) -> Tile:
    """Pack linear colour (n, n, 3) and height (n, n) in metres."""
    n = len(height)
    step = size / n
    dx = (np.roll(height, -1, 1) - np.roll(height, 1, 1)) / (2 * step)
    dy = (np.roll(height, 1, 0) - np.roll(height, -1, 0)) / (2 * step)  # v runs up
    normal = np.stack([-dx, -dy, np.ones_like(dx)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    packed = np.full((n, n, 4), 255, np.uint8)
    packed[..., :3] = np.round(normal * 127.5 + 127.5)
    out = np.full((n, n, 4), 255, np.uint8)
    out[..., :3] = np.round(np.clip(color, 0, 1) ** (1 / 2.2) * 255)
    return Tile(out, packed, size)


def blocks(
    rng: np.random.Generator,
    *,
    size: float,
    rows: int,
    columns: int,
    joint: float,
    base: tuple[float, float, float],
    joint_color: tuple[float, float, float],
    variation: float,
    depth: float,
    pixels: int = 1024,
) -> Tile:
    """Bricks or slabs in running bond: ``rows`` x ``columns`` on ``size`` metres."""
    wobble = 0.0012 * periodic_noise(rng, pixels, 1.2, 4)
    grid = (np.arange(pixels) + 0.5) / pixels * size
    x = grid[None] + wobble
    y = grid[:, None] + np.roll(wobble, 37, 0)
    high, wide = size / rows, size / columns
    row = np.floor(y / high).astype(int)
    x = x + (row % 2) * wide / 2
    column = np.floor(x / wide).astype(int)
    inside = np.minimum(
        np.minimum(x - column * wide, (column + 1) * wide - x),
        np.minimum(y - row * high, (row + 1) * high - y),
    )
    stone = np.clip((inside - joint / 2) / 0.004, 0, 1)
    tone = np.exp(variation * rng.standard_normal((rows, columns)))[row % rows, column % columns]
    hue = 1 + 0.35 * variation * rng.standard_normal((rows, columns, 3))
    grain = np.exp(0.10 * periodic_noise(rng, pixels, 0.5, 8))
    stain = np.exp(0.12 * periodic_noise(rng, pixels, 1.6, 1))
    color = np.array(base) * hue[row % rows, column % columns] * (tone * grain)[..., None]
    mortar = np.array(joint_color) * grain[..., None]
    color = (stone[..., None] * color + (1 - stone[..., None]) * mortar) * stain[..., None]
    height = depth * stone + 0.0012 * periodic_noise(rng, pixels, 0.9, 6)
    return _tile(color, height, size)


def rough(
    rng: np.random.Generator,
    *,
    size: float,
    base: tuple[float, float, float],
    spread: float,
    bump: float,
    slope: float = 1.1,
    stretch: int = 1,
    pixels: int = 512,
) -> Tile:
    """Plaster, asphalt, carpet, grass or boards: noise of a colour. ``stretch`` draws grain."""
    noise = periodic_noise(rng, pixels, slope, 2)
    if stretch > 1:
        noise = np.repeat(noise, stretch, axis=1)[:, :pixels]
        noise = 0.5 * (noise + np.roll(noise, stretch // 2, 1))
    large = periodic_noise(rng, pixels, 1.8, 1)
    tone = np.exp(spread * noise + 0.5 * spread * large)
    tint = 1 + 0.15 * spread * np.stack([large, 0 * large, -large], -1)
    return _tile(np.array(base) * tone[..., None] * tint, bump * noise, size)


def _paving(rng: np.random.Generator) -> Tile:
    grey = rng.uniform(0.16, 0.34)
    tint = 1 + rng.normal(0, 0.05, 3)
    return blocks(
        rng, size=float(rng.uniform(1.6, 3.2)), rows=4, columns=int(rng.integers(2, 6)),
        joint=0.008, base=tuple(grey * tint), joint_color=(0.07, 0.065, 0.06), variation=0.13,
        depth=0.004, pixels=512,
    )  # fmt: skip


def _bricks(rng: np.random.Generator) -> Tile:
    base = ((0.25, 0.09, 0.05), (0.33, 0.2, 0.12), (0.4, 0.37, 0.33))[rng.integers(3)]
    return blocks(
        rng, size=1.2, rows=16, columns=5, joint=0.01, base=base, joint_color=(0.35, 0.33, 0.3),
        variation=0.18, depth=0.005, pixels=512,
    )  # fmt: skip


def _plain(rng: np.random.Generator) -> Tile:
    base = np.exp(rng.normal(np.log(0.25), 0.6)) * warm_or_cool(rng, 0.09)
    return rough(
        rng, size=float(rng.uniform(0.8, 3)), base=tuple(np.clip(base, 0.02, 0.85)),
        spread=float(rng.uniform(0.02, 0.3)), bump=float(rng.uniform(0, 0.003)),
        slope=float(rng.uniform(0.5, 1.5)),
    )  # fmt: skip


def _grass(rng: np.random.Generator) -> Tile:
    base = (rng.uniform(0.05, 0.14), rng.uniform(0.1, 0.2), rng.uniform(0.02, 0.05))
    return rough(rng, size=1.0, base=base, spread=0.45, bump=0.012, slope=0.35)


def _boards(rng: np.random.Generator) -> Tile:
    base = np.array([0.32, 0.19, 0.1]) * rng.uniform(0.4, 1.5)
    return rough(rng, size=1.6, base=tuple(base), spread=0.25, bump=0.0008, slope=0.8, stretch=24)


@lru_cache(maxsize=64)
def stock_tile(ground: bool, number: int) -> Tile:
    """One of 16 grounds or 16 walls, made when first asked for; the same everywhere."""
    rng = np.random.default_rng([number, int(ground)])
    makers = GROUNDS if ground else WALLS
    return makers[number % len(makers)](rng)


def random_tile(rng: np.random.Generator, *, ground: bool) -> Tile:
    """A tile from stock."""
    return stock_tile(ground, int(rng.integers(16)))


GROUNDS: tuple[Callable[[np.random.Generator], Tile], ...] = (_paving, _plain, _grass, _boards)
WALLS: tuple[Callable[[np.random.Generator], Tile], ...] = (_bricks, _plain, _plain, _boards)
