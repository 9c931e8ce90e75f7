"""Rotations in three dimensions: exponential map, logarithm, alignment."""

from __future__ import annotations

import numpy as np


def skew(vectors: np.ndarray) -> np.ndarray:
    """Cross-product matrices (..., 3, 3) with ``skew(a) @ b == cross(a, b)``."""
    vectors = np.asarray(vectors)
    out = np.zeros((*vectors.shape[:-1], 3, 3), vectors.dtype)
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    out[..., 0, 1], out[..., 0, 2] = -z, y
    out[..., 1, 0], out[..., 1, 2] = z, -x
    out[..., 2, 0], out[..., 2, 1] = -y, x
    return out


def matrix_from_axis_angle(axis_angle: np.ndarray) -> np.ndarray:
    """Rotation matrices (..., 3, 3) of axis-angle vectors (..., 3) in radians (Rodrigues)."""
    axis_angle = np.asarray(axis_angle, dtype=np.float64)
    angle = np.linalg.norm(axis_angle, axis=-1)[..., None, None]
    matrix = skew(axis_angle)
    small = angle < 1e-6
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 1 - angle**2 / 6, np.sin(safe) / safe)
    second = np.where(small, 0.5 - angle**2 / 24, (1 - np.cos(safe)) / safe**2)
    return np.eye(3) + first * matrix + second * (matrix @ matrix)


def axis_angle_from_matrix(matrix: np.ndarray) -> np.ndarray:
    """Axis-angle vectors (..., 3) in radians, of angle at most pi, of rotations (..., 3, 3).

    By way of quaternions, stable near 0 and pi.
    """
    quaternion = quaternion_from_matrix(matrix)
    vector = quaternion[..., :3]
    sine = np.linalg.norm(vector, axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, quaternion[..., 3:])
    return vector * np.where(sine < 1e-9, 2.0, angle / np.maximum(sine, 1e-12))


def quaternion_from_matrix(matrix: np.ndarray) -> np.ndarray:
    """Unit quaternions (..., 4) as (x, y, z, w), w >= 0, of rotations (..., 3, 3).

    Divides by the largest component (Shepperd, 1978), so that no turn is badly conditioned.
    """
    m = np.asarray(matrix, dtype=np.float64)
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    choices = np.stack([m[..., 0, 0], m[..., 1, 1], m[..., 2, 2], trace], axis=-1)
    best = choices.argmax(-1)
    # Rows of the symmetric matrix 4 q q^T; the one with the largest diagonal is normalised.
    k = np.empty((*m.shape[:-2], 4, 4))
    k[..., 3, 3] = 1 + trace
    for i in range(3):
        j, n = (i + 1) % 3, (i + 2) % 3
        k[..., 3, i] = k[..., i, 3] = m[..., n, j] - m[..., j, n]
        k[..., i, i] = 1 + 2 * m[..., i, i] - trace
        k[..., i, j] = k[..., j, i] = m[..., i, j] + m[..., j, i]
    quaternion = np.take_along_axis(k, best[..., None, None], axis=-2)[..., 0, :]
    quaternion = quaternion / np.linalg.norm(quaternion, axis=-1, keepdims=True)
    return np.where(quaternion[..., 3:] < 0, -quaternion, quaternion)


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
