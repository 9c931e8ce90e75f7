"""Quantise what a sample stores: depths in 0.1 mm steps, colours and coverage in bytes."""

# Compiled functions state their types as Numba signatures.
# mypy: disallow-untyped-defs=False

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.compute import kernel
from vitruvian.image.color import srgb_encoded

DEPTH_UNIT = 1e-4  # metres per step of the stored depths
NO_DEPTH = np.int16(32767)


def stored_depth(depth: np.ndarray, root: float) -> np.ndarray:
    """Steps of ``DEPTH_UNIT`` (int16) from ``root`` of depths in metres; infinite: ``NO_DEPTH``."""
    out = np.empty(depth.shape, np.int16)
    _steps(np.ascontiguousarray(depth, np.float32).reshape(-1), root, out.reshape(-1))
    return out


@kernel("void(float32[::1],float32,int16[::1])")
def _steps(depth, root, out):
    unit = np.float32(1e-4)
    for k in range(len(depth)):
        if np.isfinite(depth[k]):
            step = np.rint((depth[k] - root) / unit)
            out[k] = np.int16(min(max(step, np.float32(-32766)), np.float32(32766)))
        else:
            out[k] = 32767


def stored_share(values: np.ndarray) -> np.ndarray:
    """Shares 0..1 as uint8."""
    return np.round(values * 255).astype(np.uint8)


def stored_normals(normals: np.ndarray) -> np.ndarray:
    """Unit normals as int8, times 127."""
    return np.round(normals * 127).astype(np.int8)


@lru_cache(maxsize=1)
def _srgb_bytes() -> np.ndarray:
    """uint8 (65536,) sRGB of the squares of 0..1: even steps of roots suit the curve."""
    return np.round(srgb_encoded((np.arange(65536) / 65535) ** 2) * 255).astype(np.uint8)


def stored_albedo(albedo: np.ndarray, coverage: np.ndarray) -> np.ndarray:
    """sRGB bytes (H, W, 3) of linear albedo times coverage (H, W); 0 where that is 0."""
    out = np.empty(albedo.shape, np.uint8)
    _albedo_bytes(albedo, coverage, _srgb_bytes(), out)
    return out


@kernel("void(float32[:,:,::1],float32[:,::1],uint8[::1],uint8[:,:,::1])")
def _albedo_bytes(albedo, coverage, table, out):
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            share = coverage[y, x]
            for k in range(3):
                if share > 0:
                    linear = min(max(albedo[y, x, k] / share, np.float32(0)), np.float32(1))
                    out[y, x, k] = table[int(np.sqrt(linear) * np.float32(65535) + np.float32(0.5))]
                else:
                    out[y, x, k] = 0
