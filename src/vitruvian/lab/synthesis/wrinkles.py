"""Folds and wrinkles: periodic noise in rest space that bends normals alike for light and label."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

SIZE = 40


@lru_cache(maxsize=1)
def wrinkle_volumes() -> np.ndarray:
    """Noise volumes (7, 40, 40, 40, 4) float32: unit-variance height and its gradient.

    The gradient is per unit of the volume's period. Volume 0 is smooth and modulates the others;
    1 and 2 are ridged creases, 3 parallel folds, 4 sharp tension folds, 5 fine weave, 6 broad
    lumps. Band-limited noise by filtering white noise in the Fourier domain.
    """
    rng = np.random.default_rng(20)
    k = np.fft.fftfreq(SIZE) * SIZE
    kx, ky, kz = np.meshgrid(k, k, k, indexing="ij")
    radius = np.sqrt(kx**2 + ky**2 + kz**2)

    def band(low: float, high: float, squash: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
        r = np.sqrt((kx * squash[0]) ** 2 + (ky * squash[1]) ** 2 + (kz * squash[2]) ** 2)
        keep = np.exp(-(((r - (low + high) / 2) / ((high - low) / 2 + 0.3)) ** 2))
        keep[0, 0, 0] = 0
        noise = np.fft.ifftn(np.fft.fftn(rng.standard_normal(radius.shape)) * keep).real
        return noise / noise.std()

    phase = np.arange(SIZE) / SIZE * 2 * np.pi
    x = np.broadcast_to(phase[:, None, None], radius.shape)
    heights = [
        band(1, 3),
        -np.sqrt(band(2, 4) ** 2 + 0.05),
        -np.sqrt(band(3, 5, (1, 2.5, 2.5)) ** 2 + 0.08),
        np.sin(3 * x + 1.1 * band(1, 2) + 0.4 * band(2, 4)) * (0.6 + 0.4 * np.tanh(band(1, 2))),
        -(np.abs(np.sin(2 * x + band(1, 2))) ** 0.8) * (0.5 + 0.5 * np.tanh(band(1, 3))),
        band(7, 11),
        band(1, 2),
    ]
    out = np.empty((len(heights), *radius.shape, 4), np.float32)
    smooth = np.exp(-((radius / 10) ** 2))
    for volume, height in zip(out, heights, strict=True):
        height = np.fft.ifftn(np.fft.fftn(height) * smooth).real
        spectrum = np.fft.fftn((height - height.mean()) / height.std())
        volume[..., 0] = np.fft.ifftn(spectrum).real
        for axis, wave in enumerate((kx, ky, kz)):
            volume[..., 1 + axis] = np.fft.ifftn(2j * np.pi * wave * spectrum).real
    return out


@lru_cache(maxsize=1)
def gradient_spread() -> np.ndarray:
    """Mean outer products (7, 3, 3) of the volumes' gradients."""
    gradients = wrinkle_volumes()[..., 1:].reshape(-1, SIZE**3, 3)
    return np.einsum("vni,vnj->vij", gradients, gradients) / SIZE**3


def random_wrinkles(
    rng: np.random.Generator, strength: float, layers: int = 2
) -> tuple[np.ndarray, np.ndarray]:
    """Layers of wrinkles: volumes (3,) int32 (-1 = none) and maps (3, 3, 5) float32.

    ``maps[m, :, :3]`` takes rest positions in metres to periods, ``maps[m, :, 3]`` shifts them and
    ``maps[m, 0, 4]`` is the height in metres for a unit of noise. ``strength`` is the RMS slope.
    """
    volumes = np.full(3, -1, np.int32)
    maps = np.zeros((3, 3, 5), np.float32)
    spread = gradient_spread()
    for m in range(layers):
        volume = int(rng.integers(1, 5))
        length = float(np.exp(rng.uniform(np.log(0.10), np.log(0.5))))  # metres per period
        turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        matrix = turn * np.exp(rng.normal(0, 0.3, 3)) / length
        kind = rng.random()
        if kind < 0.35:  # folds that fall
            matrix = np.diag([1.0, rng.uniform(0.15, 0.45), 1.0]) / length
        elif kind < 0.5:  # folds around a limb
            matrix = np.array([[0, 1, 0], [0.3, 0.1, 0], [0, 0, 0.3]]) / length + 0.1 * matrix
        rms = float(np.sqrt(np.trace(matrix.T @ spread[volume] @ matrix)))
        volumes[m] = volume
        maps[m, :, :3] = matrix
        maps[m, :, 3] = rng.random(3)
        maps[m, 0, 4] = strength * np.exp(rng.normal(-0.2, 0.4)) / rms
    return volumes, maps
