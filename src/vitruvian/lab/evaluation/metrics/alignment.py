"""Similarity transforms between point sets and between surfaces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.lab.evaluation.metrics.closest import ClosestPointTree
from vitruvian.lab.evaluation.metrics.sampling import sample_surface
from vitruvian.types.mesh import Mesh


@dataclass(frozen=True)
class Similarity:
    """``x -> scale * rotation @ x + translation``.

    Attributes:
        scale: positive.
        rotation: (3, 3).
        translation: (3,).
    """

    scale: float
    rotation: np.ndarray
    translation: np.ndarray

    def apply(self, points: np.ndarray) -> np.ndarray:
        """Transformed points (..., 3)."""
        return self.scale * points @ self.rotation.T + self.translation

    @property
    def matrix(self) -> np.ndarray:
        """The (4, 4) matrix."""
        out = np.eye(4)
        out[:3, :3], out[:3, 3] = self.scale * self.rotation, self.translation
        return out


def similarity_alignment(source: np.ndarray, target: np.ndarray) -> Similarity:
    """The similarity that best maps points (N, 3) onto others, in the least-squares sense.

    Closed form of Umeyama, "Least-squares estimation of transformation parameters between two
    point patterns" (1991); never a reflection.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    source_mean, target_mean = source.mean(0), target.mean(0)
    a, b = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd(b.T @ a)
    signs = np.array([1.0, 1.0, 1.0 if np.linalg.det(u @ vt) > 0 else -1.0])
    rotation = (u * signs) @ vt
    spread = float((a**2).sum())
    scale = float((singular * signs).sum()) / spread if spread > 0 else 1.0
    return Similarity(scale, rotation, target_mean - scale * rotation @ source_mean)


def align_surfaces(
    source: Mesh,
    target: Mesh,
    *,
    iterations: int = 40,
    samples: int = 4000,
    trim: float = 0.9,
    seed: int = 0,
) -> Similarity:
    """The similarity that lays one surface on another: iterated closest points.

    Besl and McKay (1992), with pairs from source to target *and* from target to source, for one
    direction alone lets the scale shrink; the farthest 1 - ``trim`` of either are left out of the
    estimate (Chetverikov et al. 2002). Starts from equal centroids and equal spread, with the
    orientation as it is, so the surfaces must be within some 40 degrees of each other.

    Args:
        source, target: meshes in one frame.
        iterations: at most.
        samples: points drawn from each surface.
        trim: share of the pairs that are kept.
        seed: of the draw.
    """
    a = sample_surface(source, samples, seed=seed).points
    b = sample_surface(target, samples, seed=seed + 1).points
    on_target = ClosestPointTree(target.vertices, target.faces)
    # Queries from the target go to the source at rest: they are moved back into its frame.
    on_source = ClosestPointTree(source.vertices, source.faces)
    spread = np.sqrt(((b - b.mean(0)) ** 2).sum() / ((a - a.mean(0)) ** 2).sum())
    current = Similarity(float(spread), np.eye(3), b.mean(0) - spread * a.mean(0))
    previous = np.inf
    for _ in range(iterations):
        forward = on_target.query(current.apply(a))
        back = (b - current.translation) @ current.rotation / current.scale
        backward = on_source.query(back)
        forward_keep = forward.distances <= np.quantile(forward.distances, trim)
        backward_keep = backward.distances <= np.quantile(backward.distances, trim)
        current = similarity_alignment(
            np.concatenate([a[forward_keep], backward.points[backward_keep]]),
            np.concatenate([forward.points[forward_keep], b[backward_keep]]),
        )
        error = float(
            forward.distances[forward_keep].mean()
            + backward.distances[backward_keep].mean() * current.scale
        )
        if abs(previous - error) < 1e-5 * error:
            break
        previous = error
    return current
