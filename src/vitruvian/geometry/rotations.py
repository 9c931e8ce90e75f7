"""Rotations in three dimensions: exponential map, logarithm, alignment."""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel

_VECTORS = "Array(float64, 2, 'C', readonly=True)"
_MATRICES = "Array(float64, 3, 'C', readonly=True)"


@kernel(f"void({_VECTORS},float64[:,:,::1])")
def _exponentials(vectors: np.ndarray, out: np.ndarray) -> None:
    for n in range(len(vectors)):
        x, y, z = vectors[n, 0], vectors[n, 1], vectors[n, 2]
        square = x * x + y * y + z * z
        angle = np.sqrt(square)
        if angle < 1e-6:
            first, second = 1 - square / 6, 0.5 - square / 24
        else:
            first, second = np.sin(angle) / angle, (1 - np.cos(angle)) / square
        out[n, 0, 0] = 1 - second * (y * y + z * z)
        out[n, 1, 1] = 1 - second * (x * x + z * z)
        out[n, 2, 2] = 1 - second * (x * x + y * y)
        out[n, 0, 1], out[n, 1, 0] = second * x * y - first * z, second * x * y + first * z
        out[n, 0, 2], out[n, 2, 0] = second * x * z + first * y, second * x * z - first * y
        out[n, 1, 2], out[n, 2, 1] = second * y * z - first * x, second * y * z + first * x


@kernel(f"void({_MATRICES},float64[:,::1])")
def _quaternions(matrices: np.ndarray, out: np.ndarray) -> None:
    for n in range(len(matrices)):
        m, q = matrices[n], out[n]
        trace = m[0, 0] + m[1, 1] + m[2, 2]
        best, most = 3, trace
        for i in range(3):
            if m[i, i] > most or (best == 3 and m[i, i] == most):
                best, most = i, m[i, i]
        # A row of the symmetric matrix 4 q q^T: the one with the largest diagonal.
        if best == 3:
            q[0], q[1], q[2] = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
            q[3] = 1 + trace
        else:
            i, j, k = best, (best + 1) % 3, (best + 2) % 3
            q[i] = 1 + 2 * m[i, i] - trace
            q[j], q[k] = m[i, j] + m[j, i], m[i, k] + m[k, i]
            q[3] = m[k, j] - m[j, k]
        length = np.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3])
        if q[3] < 0:
            length = -length
        for i in range(4):
            q[i] /= length


@kernel(f"void({_VECTORS},float64[:,::1])")
def _logarithms(quaternions: np.ndarray, out: np.ndarray) -> None:
    for n in range(len(quaternions)):
        q = quaternions[n]
        sine = np.sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2])
        factor = 2.0 if sine < 1e-9 else 2 * np.arctan2(sine, q[3]) / sine
        for i in range(3):
            out[n, i] = factor * q[i]


def matrix_from_axis_angle(axis_angle: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) of axis-angle vectors (..., 3) in radians (Rodrigues)."""
    vectors = np.ascontiguousarray(axis_angle, np.float64)
    out = np.empty((*vectors.shape, 3))
    _exponentials(vectors.reshape(-1, 3), out.reshape(-1, 3, 3))
    return out


def axis_angle_from_matrix(matrix: np.ndarray) -> np.ndarray:
    """Axis-angle vectors (..., 3) in radians, of angle at most pi, of rotations (..., 3, 3).

    By way of quaternions, stable near 0 and pi.
    """
    quaternion = quaternion_from_matrix(matrix)
    out = np.empty((*quaternion.shape[:-1], 3))
    _logarithms(quaternion.reshape(-1, 4), out.reshape(-1, 3))
    return out


def quaternion_from_matrix(matrix: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4) as (x, y, z, w), w >= 0, of rotations (..., 3, 3).

    Divides by the largest component (Shepperd, 1978), so that no turn is badly conditioned.
    """
    m = np.ascontiguousarray(matrix, np.float64)
    out = np.empty((*m.shape[:-2], 4))
    _quaternions(m.reshape(-1, 3, 3), out.reshape(-1, 4))
    return out


def rotation_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The smallest rotation (3, 3) that turns direction ``a`` (3,) into ``b`` (3,)."""
    a = np.asarray(a, float) / np.linalg.norm(a)
    b = np.asarray(b, float) / np.linalg.norm(b)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis)
    if sine < 1e-9:
        if a @ b > 0:
            return np.eye(3)
        other = np.eye(3)[np.abs(a).argmin()]
        axis = np.cross(a, other)
        return matrix_from_axis_angle(axis / np.linalg.norm(axis) * np.pi)
    return matrix_from_axis_angle(axis / sine * np.arctan2(sine, a @ b))


def rigid_alignment(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rotation (3, 3) that best turns centred points (N, 3) onto others (Kabsch, 1976)."""
    source = source - source.mean(0)
    target = target - target.mean(0)
    u, _, vt = np.linalg.svd(target.T @ source)
    sign = np.sign(np.linalg.det(u @ vt))
    return u @ np.diag([1.0, 1.0, sign]) @ vt


def turn_between(before: np.ndarray, after: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) of directions (N, 3) onto others, least squares (Kabsch, 1976)."""
    left, _, right = np.linalg.svd((after * weight[:, None]).T @ before)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.asarray((left * sign) @ right)


def shortest_turns(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(..., 3, 3) the shortest turns of directions (..., 3) into others; none for opposite ones."""
    start, end = (
        way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9) for way in (start, end)
    )
    axis = np.cross(start, end)
    sine = np.linalg.norm(axis, axis=-1)
    angle = np.arctan2(sine, (start * end).sum(-1))
    return matrix_from_axis_angle(axis * (angle / np.maximum(sine, 1e-9))[..., None])


def transformed(points: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Points (N, 3) of one frame in another, by the matrix (4, 4) from it; None of the same."""
    if matrix is None:
        return points
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])
