"""Random lighting: ambient light as spherical harmonics, and one or two lamps.

Half of it is made up, half photographed: high-dynamic-range pictures of places, baked by
``scripts/bake_environments.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

PHOTOGRAPHED = 0.5  # share of the light that is not made up


@dataclass(frozen=True)
class Light:
    """Light in the camera frame (x right, y down, z forward).

    Attributes:
        harmonics: (9, 3) float32 irradiance over pi as a quadratic in the normal: coefficients of
            1, y, z, x, xy, yz, 3z^2 - 1, xz, x^2 - y^2.
        lamp_directions: (L, 3) float32 unit vectors towards the lamps.
        lamp_colors: (L, 3) float32 linear radiance over pi.
        sky_directions: (M, 3) float32 unit vectors that sample where ambient light comes from.
    """

    harmonics: np.ndarray
    lamp_directions: np.ndarray
    lamp_colors: np.ndarray
    sky_directions: np.ndarray


def gradient_harmonics(
    up: np.ndarray, above: np.ndarray, below: np.ndarray, extra: np.ndarray | None = None
) -> np.ndarray:
    """Harmonics (9, 3) of light that fades from ``above`` (3,) along ``up`` to ``below``.

    ``extra`` (8, 3) is added to the coefficients after the first.
    """
    out = np.zeros((9, 3), np.float32)
    out[0] = (np.asarray(above) + below) / 2
    slope = (np.asarray(above) - below) / 2
    for row, axis in ((1, 1), (2, 2), (3, 0)):
        out[row] = slope * up[axis]
    if extra is not None:
        out[1:] += extra
    return out


def sky_directions(up: np.ndarray, count: int) -> np.ndarray:
    """Directions (count, 3) spread over the hemisphere about ``up`` (golden spiral, cosine)."""
    up = np.asarray(up, float) / np.linalg.norm(up)
    other = np.eye(3)[np.abs(up).argmin()]
    east = np.cross(up, other)
    east /= np.linalg.norm(east)
    north = np.cross(up, east)
    k = np.arange(count) + 0.5
    height = np.sqrt(1 - 0.97 * k / count)
    across = np.sqrt(1 - height**2)
    angle = 2.399963229728653 * k
    out = (
        across[:, None] * (np.cos(angle)[:, None] * east + np.sin(angle)[:, None] * north)
        + height[:, None] * up
    )
    return out.astype(np.float32)


def quadratic(normals: np.ndarray) -> np.ndarray:
    """What the coefficients of ``Light.harmonics`` multiply, (N, 9), at unit normals (N, 3)."""
    x, y, z = np.asarray(normals, float).T
    one = np.ones_like(x)
    return np.stack([one, y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], 1)


@dataclass(frozen=True)
class Environments:
    """Photographed light about y up, each so bright that what faces the lamp gets about 1.

    Attributes:
        harmonics: (E, 9, 3) as of ``Light``.
        lamp_directions: (E, 3) unit vectors; lamp_colors: (E, 3).
    """

    harmonics: np.ndarray
    lamp_directions: np.ndarray
    lamp_colors: np.ndarray


@lru_cache(maxsize=1)
def environments() -> Environments:
    """The photographed light of the package."""
    with np.load(Path(__file__).with_name("environments.npz")) as stored:
        return Environments(stored["harmonics"], stored["lamp_directions"], stored["lamp_colors"])


def photographed_light(rng: np.random.Generator, up: np.ndarray, sky: int) -> Light:
    """The light of some real place, turned about ``up`` at random, brighter or darker."""
    places = environments()
    chosen = int(rng.integers(len(places.harmonics)))
    up = np.asarray(up, float) / np.linalg.norm(up)
    ahead = rng.standard_normal(3)
    ahead -= up * (ahead @ up)
    ahead /= np.linalg.norm(ahead)
    camera_from_place = np.stack([np.cross(up, ahead), up, ahead], 1)
    brightness = float(np.exp(rng.normal(-0.35, 0.45)))
    # Quadratics of the normal stay such when they are turned: a few normals determine them.
    normals = sky_directions(np.array([0, 0, 1.0]), 24)
    normals = np.concatenate([normals, -normals])
    values = quadratic(normals @ camera_from_place) @ places.harmonics[chosen]
    harmonics = np.linalg.lstsq(quadratic(normals), values, rcond=None)[0]
    return Light(
        (brightness * harmonics).astype(np.float32),
        (camera_from_place @ places.lamp_directions[chosen])[None].astype(np.float32),
        (brightness * places.lamp_colors[chosen])[None].astype(np.float32),
        sky_directions(up, sky),
    )


def random_light(rng: np.random.Generator, up: np.ndarray, sky: int = 4) -> Light:
    """Ambient light of some sky or room and one or two lamps; ``up`` in the camera frame."""
    if rng.random() < PHOTOGRAPHED:
        return photographed_light(rng, up, sky)
    warm = rng.normal(0, 0.12)
    ambient = np.exp(rng.normal(-0.95, 0.45))
    above = ambient * np.array([1 - warm, 1, 1 + warm])
    below = ambient * rng.uniform(0.2, 0.8) * np.array([1 + warm, 1, 1 - warm])
    # Rather of one hue: coloured ripples would take a channel below nothing.
    extra = rng.normal(0, 0.1 * ambient, (8, 1)) * (1 + rng.normal(0, 0.12, (8, 3)))
    extra[5] /= 2  # 3 z^2 - 1 reaches twice as far as the others
    harmonics = gradient_harmonics(up, above, below, extra)
    lamps = int(rng.choice([1, 2], p=[0.7, 0.3]))
    directions = np.empty((lamps, 3))
    colors = np.empty((lamps, 3))
    for k in range(lamps):
        toward = rng.standard_normal(3) * [1, 0.6, 1]
        toward[2] -= 0.6  # rather from the camera's side
        toward = toward / np.linalg.norm(toward) + up * rng.uniform(0.15, 1.6)
        directions[k] = toward / np.linalg.norm(toward)
        tone = rng.normal(0, 0.12)
        strength = np.exp(rng.normal(-0.35 - 0.8 * k, 0.6))
        colors[k] = strength * np.array([1 + tone, 1, 1 - tone])
    return Light(
        harmonics.astype(np.float32),
        directions.astype(np.float32),
        np.maximum(colors, 0).astype(np.float32),
        sky_directions(up, sky),
    )
