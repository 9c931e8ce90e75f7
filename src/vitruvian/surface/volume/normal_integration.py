"""Depth that follows normals: relief from the normals, place from a rough depth.

Over a perspective picture a surface z with unit normal n at the ray r (z = 1 component) obeys
``dz/du = -z n_x / (f n.r)``, likewise for v (Cao et al., "Bilateral normal integration", 2022,
eq. 8). Neighbouring pixels are tied by the slope that their normals ask for, unless the rough depth
jumps there, and each pixel is tied softly to its rough depth: ECON (Xiu et al., 2023) ties to the
body in the same way. A tie of weight ``1 / reach**2`` lets normals decide on what is smaller
than ``reach`` pixels and the rough depth on what is larger.
"""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.types.camera import Camera

REACH_M = 0.07
_JUMP_M = 0.02  # between neighbours, beyond the slope: another layer
_STEEPEST = 0.12  # cosine to the ray below which a normal says nothing of the slope
_ITERATIONS, _OVER = 48, 1.8  # of the relaxation


@kernel("void(float32[:,:,::1],float32[:,::1],float32,float32,float32,float32,float32[:,:,::1])")
def _slopes(
    normals: np.ndarray,
    depth: np.ndarray,
    focal: float,
    cx: float,
    cy: float,
    steepest: float,
    out: np.ndarray,
) -> None:
    """Slopes per pixel to the right and down, and how far they can be trusted (0: not)."""
    height, width = depth.shape
    for y in range(height):
        for x in range(width):
            out[y, x, 2] = 0
            z = depth[y, x]
            nx, ny, nz = normals[y, x, 0], normals[y, x, 1], normals[y, x, 2]
            if not (z > 0 and z < 1e6) or nx * nx + ny * ny + nz * nz < 0.25:
                continue
            across = nx * (x + 0.5 - cx) / focal + ny * (y + 0.5 - cy) / focal + nz
            if abs(across) < steepest:
                continue
            out[y, x, 0] = -z * nx / (focal * across)
            out[y, x, 1] = -z * ny / (focal * across)
            out[y, x, 2] = across * across


@kernel("void(float32[:,::1],float32[:,:,::1],float32,float32[:,:,::1],float32[:,:,::1])")
def _ties(
    depth: np.ndarray,
    slopes: np.ndarray,
    jump: float,
    weights: np.ndarray,
    steps: np.ndarray,
) -> None:
    """Weight and step of the tie of each pixel to its right and lower neighbour."""
    height, width = depth.shape
    for y in range(height):
        for x in range(width):
            for axis in range(2):
                weights[y, x, axis] = 0
                v, u = (y, x + 1) if axis == 0 else (y + 1, x)
                if v >= height or u >= width:
                    continue
                a, b = slopes[y, x, 2], slopes[v, u, 2]
                if a <= 0 or b <= 0:
                    continue
                step = (a * slopes[y, x, axis] + b * slopes[v, u, axis]) / (a + b)
                off = (depth[v, u] - depth[y, x] - step) / jump
                steps[y, x, axis] = step
                weights[y, x, axis] = 0.5 * (a + b) * np.exp(-off * off)


@kernel(
    "void(float32[:,::1],float32[:,:,::1],float32[:,:,::1],float32,float32,float32[:,::1],"
    "float32[:,::1])"
)
def _prepare(
    rough: np.ndarray,
    weights: np.ndarray,
    steps: np.ndarray,
    tie: float,
    over: float,
    share: np.ndarray,
    base: np.ndarray,
) -> None:
    """What of a step of relaxation is always the same: ``over`` by the weight that holds a pixel
    (0 where nothing is known), and as much of where its rough depth and its slopes ask it to be.

    The pictures have a border, 1 pixel wide, where ``rough`` is not finite.
    """
    height, width = rough.shape
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            share[y, x], base[y, x] = 0, 0
            if not np.isfinite(rough[y, x]):
                continue
            right, below = weights[y, x, 0], weights[y, x, 1]
            left, above = weights[y, x - 1, 0], weights[y - 1, x, 1]
            total = tie * rough[y, x]
            total -= right * steps[y, x, 0] + below * steps[y, x, 1]
            total += left * steps[y, x - 1, 0] + above * steps[y - 1, x, 1]
            share[y, x] = over / (tie + right + below + left + above)
            base[y, x] = share[y, x] * total


@kernel(
    "void(float32[:,::1],float32[:,:,::1],float32[:,::1],float32[:,::1],float32,int64)",
    fastmath=True,
)
def _solve(
    depth: np.ndarray,
    weights: np.ndarray,
    share: np.ndarray,
    base: np.ndarray,
    over: float,
    iterations: int,
) -> None:
    """Successive over-relaxation, black and white pixels in turn."""
    height, width = depth.shape
    kept = np.float32(1) - over
    for iteration in range(2 * iterations):
        for y in range(1, height - 1):
            for x in range(1 + (y + iteration) % 2, width - 1, 2):
                if share[y, x] > 0:
                    total = weights[y, x, 0] * depth[y, x + 1] + weights[y, x, 1] * depth[y + 1, x]
                    total += weights[y, x - 1, 0] * depth[y, x - 1]
                    total += weights[y - 1, x, 1] * depth[y - 1, x]
                    depth[y, x] = kept * depth[y, x] + base[y, x] + share[y, x] * total


def integrate_normals(
    rough: np.ndarray,
    normals: np.ndarray,
    camera: Camera,
    pixel_m: float,
    *,
    reach_m: float = REACH_M,
    iterations: int = _ITERATIONS,
) -> np.ndarray:
    """Depth near ``rough`` whose slopes follow ``normals``.

    Args:
        rough: (H, W) float32 depth in metres, not finite where there is no surface.
        normals: (H, W, 3) float32 camera frame; shorter than a half where unknown.
        camera: of the picture.
        pixel_m: metres per pixel at the surface.
        reach_m: relief narrower than this follows the normals, the rest the rough depth.
        iterations: of the relaxation.

    Returns:
        (H, W) float32, not finite where ``rough`` is not.
    """
    height, width = rough.shape
    inner = slice(1, -1)
    known = np.full((height + 2, width + 2), np.inf, np.float32)
    known[inner, inner] = rough
    cx, cy = camera.principal_point
    slopes = np.zeros((*known.shape, 3), np.float32)
    padded = np.zeros((*known.shape, 3), np.float32)
    padded[inner, inner] = normals
    _slopes(padded, known, camera.focal_px, cx + 1, cy + 1, _STEEPEST, slopes)
    weights, steps = (np.zeros((*known.shape, 2), np.float32) for _ in range(2))
    _ties(known, slopes, _JUMP_M, weights, steps)
    share, base = np.zeros_like(known), np.zeros_like(known)
    _prepare(known, weights, steps, (pixel_m / reach_m) ** 2, _OVER, share, base)
    finite = np.isfinite(known)
    depth = np.where(finite, known, np.float32(0))
    _solve(depth, weights, share, base, _OVER, iterations)
    return np.where(finite, depth, known)[inner, inner]
