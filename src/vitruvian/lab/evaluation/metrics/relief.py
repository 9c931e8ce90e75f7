"""Normals of a surface as it is drawn, its normal map included, against the true ones."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.geometry.normal_map import surface_normals
from vitruvian.geometry.normals import vertex_normals
from vitruvian.networks.maps import draw_body
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

FINE_PX = 6  # of a window of 512: relief is what is left without a blur of this sigma
_JUMP_M = 0.03  # between neighbouring pixels: another layer begins
_BESIDE_M = 0.03  # so near a jump or an outline, normals say more of place than of relief


@dataclass(frozen=True)
class DrawnSides:
    """The nearest and the farthest surface along the rays of a window of S x S pixels.

    Attributes:
        front, back: (S, S, 3) float32 unit normals, camera frame; 0 beside the surface.
        front_depth, back_depth: (S, S) float32 metres.
        mask: (S, S) bool, where the surface is.
    """

    front: np.ndarray
    back: np.ndarray
    front_depth: np.ndarray
    back_depth: np.ndarray
    mask: np.ndarray


def drawn_sides(mesh: Mesh, camera: Camera, normals: np.ndarray | None = None) -> DrawnSides:
    """Both sides of a camera-frame mesh.

    Its normal map is on, unless ``normals`` (V, 3) of its vertices are given. Those may look either
    way, as an open shell's do: every normal is turned to the side that it is seen from.
    """
    own = vertex_normals(mesh.vertices, mesh.faces) if normals is None else normals
    drawn = draw_body(mesh.vertices, mesh.faces, own, camera, 0.0, 1.0)
    front, back = drawn.front_normals, drawn.back_normals
    if normals is None:
        front, back = (surface_normals(mesh, side) for side in (drawn.front, drawn.back))
    else:
        rows, columns = np.mgrid[: camera.height, : camera.width]
        rays = camera.rays(np.stack([columns, rows], -1) + 0.5)
        front, back = (
            np.where((sign * np.einsum("hwc,hwc->hw", side, rays) < 0)[..., None], -side, side)
            for side, sign in ((front, -1), (back, 1))
        )
    return DrawnSides(
        np.asarray(front, np.float32),
        np.asarray(back, np.float32),
        drawn.front_depth,
        drawn.back_depth,
        drawn.covered,
    )


def relief_figures(found: DrawnSides, truth: DrawnSides, pixel_m: float) -> dict[str, float]:
    """How the drawn normals of a surface agree with the true ones, pixel by pixel.

    ``front_deg`` and ``back_deg``: mean angle over the pixels that both cover, in degrees.
    ``front_relief`` and ``back_relief``: correlation of what is finer than ``FINE_PX``, at least
    3 cm from the truth's outlines and jumps of depth; NaN where nothing is.

    Args:
        found, truth: of windows with the same pixels.
        pixel_m: metres per pixel at the true surface.
    """
    both = found.mask & truth.mask
    numbers = {}
    for name, ours, true, depth in (
        ("front", found.front, truth.front, truth.front_depth),
        ("back", found.back, truth.back, truth.back_depth),
    ):
        cosine = np.clip(np.einsum("nc,nc->n", ours[both], true[both]), -1, 1)
        mean = np.arccos(cosine).mean() if len(cosine) else np.nan
        numbers[f"{name}_deg"] = float(np.rad2deg(mean))
        inner = both & _away_from_jumps(truth.mask, depth, pixel_m)
        numbers[f"{name}_relief"] = _correlation(
            *(_fine(normals, inner)[inner] for normals in (ours, true))
        )
    return numbers


def _away_from_jumps(mask: np.ndarray, depth: np.ndarray, pixel_m: float) -> np.ndarray:
    """(S, S) bool: the pixels of the mask with nothing but one smooth layer around them."""
    broken = ~mask
    for axis in (0, 1):
        jump = np.abs(np.diff(depth, axis=axis)) > _JUMP_M
        broken |= np.pad(jump, [(0, 1) if axis == k else (0, 0) for k in (0, 1)])
    distance = cv2.distanceTransform((~broken).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(distance * pixel_m > _BESIDE_M)


def _fine(normals: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The normals (S, S, 3) less their blur within the mask (S, S)."""
    weight = mask.astype(np.float32)
    sums = cv2.GaussianBlur(normals * weight[..., None], (0, 0), FINE_PX)
    counts = cv2.GaussianBlur(weight, (0, 0), FINE_PX)
    return np.asarray(normals - sums / np.maximum(counts, 1e-6)[..., None])


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's, over all components of vectors (N, 3)."""
    if len(a) < 2:
        return float("nan")
    a, b = a - a.mean(0), b - b.mean(0)
    spread = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / spread if spread > 0 else float("nan")
