"""Levenberg-Marquardt on one shape in one or several poses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.body.fit.coupling import Coupling, banded_solution
from vitruvian.compute import kernel
from vitruvian.geometry.rotations import matrix_from_axis_angle


@dataclass(frozen=True)
class FitState:
    """The unknowns of a fit: a pose and a place at each of T times, and what all times share.

    Attributes:
        rotations: (T, J, 3, 3) local joint rotations; the root's also turns the body's frame into
            the result's.
        translation: (T, 3) of the root joint in the result's frame, metres.
        betas: (K,) shape coefficients.
        landmark_scale: factor on the metric landmarks, about 1.
    """

    rotations: np.ndarray
    translation: np.ndarray
    betas: np.ndarray
    landmark_scale: float = 1.0

    @property
    def times(self) -> int:
        """T."""
        return len(self.rotations)

    def stepped(self, own: np.ndarray, shared: np.ndarray, active: np.ndarray) -> FitState:
        """The state after a step of each time, (T, 3 A + 3), and of what they share, (K + 1,).

        Rotations of the ``active`` joints are multiplied from the left by exp(step), the rest is
        added.
        """
        turns = 3 * len(active)
        rotations = self.rotations.copy()
        increments = matrix_from_axis_angle(own[:, :turns].reshape(self.times, -1, 3))
        rotations[:, active] = increments @ rotations[:, active]
        return FitState(
            rotations,
            self.translation + own[:, turns:],
            self.betas + shared[:-1],
            self.landmark_scale + float(shared[-1]),
        )


@kernel("void(float64[:,::1],float64[::1],float64[:,::1],float64[::1],int64)", fastmath=True)
def _accumulate(
    hessian: np.ndarray, gradient: np.ndarray, rows: np.ndarray, residual: np.ndarray, first: int
) -> None:
    """Add J^T J (lower triangle) and J^T r of ``rows`` (M, n), columns from ``first`` on.

    By hand: rows are short and half zero (joints that do not move a point), where a threaded
    matrix product spends its time on waking threads.
    """
    for m in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            value = rows[m, i]
            if value == 0.0:
                continue
            gradient[first + i] += value * residual[m]
            for j in range(i + 1):
                hessian[first + i, first + j] += value * rows[m, j]


class NormalEquations:
    """Accumulates residual blocks into J^T J, J^T r and the robust cost.

    A block concerns a run of consecutive unknowns that begins at ``first``.
    """

    def __init__(self, unknowns: int) -> None:
        self.cost = 0.0
        self._lower = np.zeros((unknowns, unknowns))
        self.gradient = np.zeros(unknowns)

    @property
    def hessian(self) -> np.ndarray:
        """J^T J (n, n)."""
        both = self._lower + self._lower.T
        both.flat[:: len(both) + 1] *= 0.5
        return both

    def add(self, residual: np.ndarray, jacobian: np.ndarray, first: int = 0) -> None:
        """Add squared residuals (M,) with derivatives (M, n)."""
        self.cost += float(residual @ residual)
        self._add_rows(jacobian, residual, first)

    def add_robust(
        self,
        residual: np.ndarray,
        jacobian: np.ndarray,
        weights: np.ndarray,
        scale: float,
        first: int = 0,
    ) -> None:
        """Add Cauchy-robust residual vectors (M, D), jacobian (M, D, n), weights (M,).

        The cost of a vector r is w^2 c^2 log(1 + |r|^2 / c^2) with c = ``scale``; it enters the
        normal equations by iteratively reweighted least squares.
        """
        squared = np.einsum("md,md->m", residual, residual)
        self.cost += float(weights**2 @ np.log1p(squared / scale**2) * scale**2)
        reweighted = weights / np.sqrt(1 + squared / scale**2)
        rows = (jacobian * reweighted[:, None, None]).reshape(-1, jacobian.shape[-1])
        self._add_rows(rows, (residual * reweighted[:, None]).ravel(), first)

    def _add_rows(self, rows: np.ndarray, residual: np.ndarray, first: int) -> None:
        _accumulate(
            self._lower,
            self.gradient,
            np.ascontiguousarray(rows, np.float64),
            np.ascontiguousarray(residual, np.float64),
            first,
        )


class ArrowEquations:
    """Normal equations of several times that share some unknowns: J^T J has the form of an arrow.

    Args:
        times: of each time, in its unknowns: rotations (``turns``), betas, translation, scale.
        shared: of betas and scale alone.
        turns: number of the rotations' unknowns.
        coupling: of what ties successive times together, in each time's own unknowns.
    """

    def __init__(
        self,
        times: Sequence[NormalEquations],
        shared: NormalEquations,
        turns: int,
        coupling: Coupling | None = None,
    ) -> None:
        self.cost = sum(system.cost for system in times) + shared.cost
        self._beside = None
        if coupling is not None:
            self.cost += coupling.cost
        unknowns, own = len(times[0].gradient), turns + 3
        order = np.r_[:turns, unknowns - 4 : unknowns - 1, turns : unknowns - 4, unknowns - 1]
        hessians = np.stack([system.hessian[order[:, None], order] for system in times])
        gradients = np.stack([system.gradient[order] for system in times])
        self._own = hessians[:, :own, :own]  # (T, B, B)
        self._cross = hessians[:, :own, own:]  # (T, B, S)
        self._common = hessians[:, own:, own:].sum(0) + shared.hessian
        self.own_gradient = gradients[:, :own]
        self.shared_gradient = gradients[:, own:].sum(0) + shared.gradient
        if coupling is not None:
            self._own = self._own + coupling.blocks[0]
            self._beside = coupling.blocks[1:]
            self.own_gradient = self.own_gradient + coupling.gradient

    def step(self, damping: float) -> tuple[np.ndarray, np.ndarray]:
        """The damped step of each time (T, B) and of what is shared (S,), by Schur complement."""
        own, common = _damped(self._own, damping), _damped(self._common[None], damping)[0]
        sides = np.concatenate([self._cross, self.own_gradient[..., None]], axis=2)
        if self._beside is None:
            solved = np.linalg.solve(own, sides)  # (T, B, S + 1)
        else:
            solved = banded_solution(own, self._beside, sides)
        reduced = np.tensordot(self._cross, solved, ((0, 1), (0, 1)))
        shared = -np.linalg.solve(common - reduced[:, :-1], self.shared_gradient - reduced[:, -1])
        return -(solved[..., -1] + solved[..., :-1] @ shared), shared


def _damped(hessians: np.ndarray, damping: float) -> np.ndarray:
    """Matrices (N, n, n) with their diagonals raised, after Marquardt."""
    out = hessians.copy()
    diagonal = np.einsum("tii->ti", out)
    diagonal += damping * (diagonal + 1e-6)
    return out


def levenberg_marquardt(
    state: FitState,
    active: np.ndarray,
    evaluate: Callable[[FitState], ArrowEquations],
    *,
    max_iterations: int,
    tolerance: float = 1e-4,
) -> FitState:
    """Minimise the cost of ``evaluate`` from ``state``.

    Marquardt's diagonal damping (SIAM J. Appl. Math. 11, 1963). No joint turns by more than one
    radian in a step. Stops when the cost falls by less than ``tolerance`` of itself.
    """
    damping = 1e-3
    system = evaluate(state)
    cost = system.cost
    for _ in range(max_iterations):
        accepted = False
        for _ in range(6):
            own, shared = system.step(damping)
            limit = min(1.0, 1.0 / max(np.abs(own[:, : 3 * len(active)]).max(), 1e-9))
            candidate = state.stepped(limit * own, limit * shared, active)
            candidate_system = evaluate(candidate)  # nearly every step is accepted
            if candidate_system.cost < cost:
                accepted = True
                damping = max(damping * 0.3, 1e-7)
                break
            damping *= 5
        if not accepted:
            break
        decrease = (cost - candidate_system.cost) / cost
        state, system, cost = candidate, candidate_system, candidate_system.cost
        if decrease < tolerance:
            break
    return state
