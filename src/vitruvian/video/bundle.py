"""Cameras and points that together explain where points were seen: bundle adjustment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.rotations import matrix_from_axis_angle

_ROBUST = 2.0  # standard deviations from which on residuals stop counting (Cauchy)
_NEAREST = 1e-3  # in front of a camera, in the unit of the points


@dataclass(frozen=True, eq=False)
class Seen:
    """Points seen by cameras.

    Attributes:
        cameras, points: (M,) indices.
        rays: (M, 2) x / z and y / z in the camera's frame.
    """

    cameras: np.ndarray
    points: np.ndarray
    rays: np.ndarray

    def of(self, kept: np.ndarray) -> Seen:
        """Those for which ``kept`` (M,) is true."""
        return Seen(self.cameras[kept], self.points[kept], self.rays[kept])


@dataclass(frozen=True, eq=False)
class Bundle:
    """Cameras and points in one frame.

    Attributes:
        rotations: (K, 3, 3), and ``shifts``: (K, 3), from that frame to each camera's.
        points: (N, 3).
    """

    rotations: np.ndarray
    shifts: np.ndarray
    points: np.ndarray

    @property
    def places(self) -> np.ndarray:
        """(K, 3) where the cameras are."""
        return np.asarray(-np.einsum("kji,kj->ki", self.rotations, self.shifts))

    def before(self, seen: Seen) -> np.ndarray:
        """(M, 3) the points in the frames of the cameras that see them."""
        turned = np.einsum("mij,mj->mi", self.rotations[seen.cameras], self.points[seen.points])
        return np.asarray(turned + self.shifts[seen.cameras])

    def away(self, seen: Seen) -> np.ndarray:
        """(M,) distances of where points were seen from where they are, in units of rays."""
        before = self.before(seen)
        z = np.maximum(before[:, 2:], _NEAREST)
        distance = np.linalg.norm(before[:, :2] / z - seen.rays, axis=1)
        return np.where(before[:, 2] > _NEAREST, distance, np.inf)


def intersect(bundle: Bundle, seen: Seen) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 3) nearest to the rays that see them, and (N,) how far these spread.

    The spread is about half of the angle between two rays, radians; 0 where fewer than two see it.
    """
    count = len(bundle.points)
    rays = np.concatenate([seen.rays, np.ones((len(seen.rays), 1))], axis=1)
    rays = np.einsum("mji,mj->mi", bundle.rotations[seen.cameras], rays)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    across = np.eye(3) - rays[:, :, None] * rays[:, None]
    places = bundle.places[seen.cameras]
    system, values, number = np.zeros((count, 3, 3)), np.zeros((count, 3)), np.zeros(count)
    np.add.at(system, seen.points, across)
    np.add.at(values, seen.points, np.einsum("mij,mj->mi", across, places))
    np.add.at(number, seen.points, 1)
    least = np.linalg.eigvalsh(system)[:, 0] / np.maximum(number, 1)
    spread = np.sqrt(np.maximum(least, 0)) * (number > 1)
    # Rays that hardly spread meet far away.
    ridge = 1e-9 * np.maximum(number, 1)[:, None, None] * np.eye(3)
    return np.linalg.solve(system + ridge, values[..., None])[..., 0], spread


def adjust(bundle: Bundle, seen: Seen, sd: float, free: np.ndarray, iterations: int) -> Bundle:
    """The bundle that explains best what was seen (Levenberg-Marquardt, points eliminated).

    Args:
        bundle: to set out from.
        seen: of it; every point at least twice.
        sd: standard deviation of rays.
        free: (K,) bool, cameras that may move.
        iterations: at most.
    """
    damping = 1e-3
    cost = _cost(bundle, seen, sd)
    for _ in range(iterations):
        system = _normal_equations(bundle, seen, sd)
        for _ in range(5):
            candidate = _stepped(bundle, system, free, damping)
            found = _cost(candidate, seen, sd)
            if found < cost:
                break
            damping *= 8
        else:
            return bundle
        small = (cost - found) < 1e-4 * cost
        bundle, cost, damping = candidate, found, max(damping * 0.2, 1e-8)
        if small:
            break
    return bundle


_System = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _cost(bundle: Bundle, seen: Seen, sd: float) -> float:
    before = bundle.before(seen)
    z = np.maximum(before[:, 2:], _NEAREST)
    squared = (((before[:, :2] / z - seen.rays) / sd) ** 2).sum(1)
    return float(np.log1p(squared / _ROBUST**2).sum())


def _normal_equations(bundle: Bundle, seen: Seen, sd: float) -> _System:
    """J^T J of cameras (K, 6, 6), of points (N, 3, 3), of both (K, 6, N, 3), and the gradients."""
    before = bundle.before(seen)
    turned = before - bundle.shifts[seen.cameras]
    z = np.maximum(before[:, 2:], _NEAREST)
    flat = before[:, :2] / z
    residual = (flat - seen.rays) / sd
    weight = 1 / (1 + (residual**2).sum(1) / _ROBUST**2)
    slope = np.zeros((len(z), 2, 3))
    slope[:, [0, 1], [0, 1]] = 1
    slope[:, :, 2] = -flat
    slope /= (z * sd)[..., None]
    x, y, depth = turned.T
    nil = np.zeros_like(x)
    by_turn = np.stack([nil, depth, -y, -depth, nil, x, y, -x, nil], axis=1).reshape(
        -1, 3, 3
    )  # minus the cross product with the turned point
    of_camera = np.concatenate([slope @ by_turn, slope], axis=2)
    of_point = slope @ bundle.rotations[seen.cameras]
    weighted_camera = of_camera * weight[:, None, None]
    weighted_point = of_point * weight[:, None, None]
    cameras, points = len(bundle.rotations), len(bundle.points)
    own, theirs = np.zeros((cameras, 6, 6)), np.zeros((points, 3, 3))
    own_side, their_side = np.zeros((cameras, 6)), np.zeros((points, 3))
    np.add.at(own, seen.cameras, weighted_camera.transpose(0, 2, 1) @ of_camera)
    np.add.at(theirs, seen.points, weighted_point.transpose(0, 2, 1) @ of_point)
    np.add.at(own_side, seen.cameras, np.einsum("mij,mi->mj", weighted_camera, residual))
    np.add.at(their_side, seen.points, np.einsum("mij,mi->mj", weighted_point, residual))
    both = np.zeros((cameras, 6, points, 3))
    both[seen.cameras, :, seen.points] = weighted_camera.transpose(0, 2, 1) @ of_point
    return own, theirs, both, own_side, their_side


def _stepped(bundle: Bundle, system: _System, free: np.ndarray, damping: float) -> Bundle:
    own, theirs, both, own_side, their_side = system
    own, theirs = own.copy(), theirs.copy()
    for blocks in (own, theirs):
        diagonal = np.einsum("nii->ni", blocks)
        diagonal += damping * diagonal + 1e-9
    chosen = np.flatnonzero(free)
    size, count = 6 * len(chosen), len(theirs)
    inverse = np.linalg.inv(theirs)
    wide = both[chosen].reshape(size, count, 3)
    solved = np.matmul(wide.transpose(1, 0, 2), inverse).transpose(1, 0, 2).reshape(size, -1)
    flat = wide.reshape(size, -1)
    reduced = -(solved @ flat.T)
    for place, camera in enumerate(chosen):
        part = slice(6 * place, 6 * place + 6)
        reduced[part, part] += own[camera]
    side = own_side[chosen].ravel() - solved @ their_side.ravel()
    step = -np.linalg.solve(reduced, side) if size else np.zeros(0)
    moved = their_side + (flat.T @ step).reshape(count, 3)
    points = bundle.points - np.einsum("nij,nj->ni", inverse, moved)
    rotations, shifts = bundle.rotations.copy(), bundle.shifts.copy()
    own_step = step.reshape(-1, 6)
    rotations[chosen] = matrix_from_axis_angle(own_step[:, :3]) @ rotations[chosen]
    shifts[chosen] += own_step[:, 3:]
    return Bundle(rotations, shifts, points)
