"""A smooth field of displacements over a mesh, from what is known at some of its vertices."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.adjacency import Neighbors

_ENOUGH = 1e-8  # of the first residual's square


@kernel(
    "void(float32[:,::1],float32[:,::1],int32[::1],int32[::1],float32[::1],float32[:,::1],"
    "float32[:,::1])"
)
def _apply(
    field: np.ndarray,
    normals: np.ndarray,
    first: np.ndarray,
    members: np.ndarray,
    stiffness: np.ndarray,
    weights: np.ndarray,
    out: np.ndarray,
) -> None:
    """The normal equations' matrix times a field."""
    for v in range(field.shape[0]):
        x, y, z = field[v, 0], field[v, 1], field[v, 2]
        along = weights[v, 0] * (normals[v, 0] * x + normals[v, 1] * y + normals[v, 2] * z)
        free = weights[v, 1]
        sx = along * normals[v, 0] + free * x
        sy = along * normals[v, 1] + free * y
        sz = along * normals[v, 2] + free * z
        for n in range(first[v], first[v + 1]):
            other = members[n]
            s = stiffness[n]
            sx += s * (x - field[other, 0])
            sy += s * (y - field[other, 1])
            sz += s * (z - field[other, 2])
        out[v, 0], out[v, 1], out[v, 2] = sx, sy, sz


def smooth_field(
    targets: np.ndarray,
    normals: np.ndarray,
    weights: np.ndarray,
    around: Neighbors,
    stiffness: np.ndarray,
    start: np.ndarray,
    *,
    iterations: int = 30,
) -> np.ndarray:
    """The field d (V, 3) float32 that is least in

    sum over vertices of a (n·(d - t))² + b |d - t|² plus sum over edges of s |d_i - d_j|²,

    by conjugate gradients, preconditioned by the diagonal (Shewchuk, 1994).

    Args:
        targets: (V, 3) t, displacements that are known.
        normals: (V, 3) n, unit directions in which they are.
        weights: (V, 2) a and b, 0 where nothing is known.
        around: the mesh's neighbours.
        stiffness: (P,) s of each of the neighbours, the same from both sides.
        start: (V, 3) a field to begin with.
        iterations: at most.
    """
    targets, normals, weights, out = (
        np.array(values, np.float32, order="C") for values in (targets, normals, weights, start)
    )
    stiffness = np.ascontiguousarray(stiffness, np.float32)
    wanted = weights[:, :1] * (normals * targets).sum(1, keepdims=True) * normals
    wanted += weights[:, 1:] * targets
    image = np.empty_like(out)
    arguments = normals, around.first, around.members, stiffness, weights
    total = np.add.reduceat(np.append(stiffness, np.float32(0)), around.first[:-1])
    total[np.diff(around.first) == 0] = 0
    diagonal = total + weights[:, 1] + 1e-6
    scale = 1 / (diagonal[:, None] + weights[:, :1] * normals * normals)
    _apply(out, *arguments, image)
    residual = wanted - image
    direction = scale * residual
    power = first_power = float(np.vdot(residual, direction))
    for _ in range(iterations):
        if power <= _ENOUGH * first_power:
            break
        _apply(direction, *arguments, image)
        step = np.float32(power / float(np.vdot(direction, image)))
        out += step * direction
        residual -= step * image
        conditioned = scale * residual
        before, power = power, float(np.vdot(residual, conditioned))
        direction = conditioned + np.float32(power / before) * direction
    return out
