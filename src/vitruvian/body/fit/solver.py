"""Levenberg-Marquardt on the parameters of one body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.rotations import matrix_from_axis_angle


@dataclass(frozen=True)
class FitState:
    """The unknowns of a fit.

    Attributes:
        rotations: (J, 3, 3) local joint rotations; the root's also turns body into camera frame.
        betas: (K,) shape coefficients.
        translation: (3,) of the root joint in the camera frame, metres.
        landmark_scale: factor from the network's world landmarks to metres.
    """

    rotations: np.ndarray
    betas: np.ndarray
    translation: np.ndarray
    landmark_scale: float

    def stepped(self, step: np.ndarray, active: np.ndarray) -> FitState:
        """The state after ``step`` (3A + K + 3 + 1,): rotations of the ``active`` joints are
        multiplied from the left by exp(step), the rest is added."""
        count, betas = len(active), len(self.betas)
        rotations = self.rotations.copy()
        turns = matrix_from_axis_angle(step[: 3 * count].reshape(count, 3))
        rotations[active] = turns @ rotations[active]
        tail = step[3 * count :]
        return replace(
            self,
            rotations=rotations,
            betas=self.betas + tail[:betas],
            translation=self.translation + tail[betas : betas + 3],
            landmark_scale=self.landmark_scale + float(tail[betas + 3]),
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

    With ``jacobian`` false only the cost is kept. A block concerns a run of consecutive unknowns
    that begins at ``first``.
    """

    def __init__(self, unknowns: int, jacobian: bool) -> None:
        self.cost = 0.0
        self.jacobian = jacobian
        if jacobian:
            self._lower = np.zeros((unknowns, unknowns))
            self.gradient = np.zeros(unknowns)

    @property
    def hessian(self) -> np.ndarray:
        """J^T J (n, n)."""
        return self._lower + np.tril(self._lower, -1).T

    def add(self, residual: np.ndarray, jacobian: np.ndarray | None, first: int = 0) -> None:
        """Add squared residuals (M,) with derivatives (M, n)."""
        self.cost += float(residual @ residual)
        if jacobian is not None:
            self._add_rows(jacobian, residual, first)

    def add_robust(
        self,
        residual: np.ndarray,
        jacobian: np.ndarray | None,
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
        if jacobian is None:
            return
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


def levenberg_marquardt(
    state: FitState,
    active: np.ndarray,
    evaluate: Callable[[FitState, bool], NormalEquations],
    *,
    max_iterations: int,
    tolerance: float = 1e-4,
) -> tuple[FitState, float]:
    """Minimise the cost of ``evaluate`` from ``state``; returns the state and its cost.

    Marquardt's diagonal damping (SIAM J. Appl. Math. 11, 1963). No joint turns by more than one
    radian in a step. Stops when the cost falls by less than ``tolerance`` of itself.
    """
    damping = 1e-3
    system = evaluate(state, True)
    cost = system.cost
    unknowns = len(system.gradient)
    for _ in range(max_iterations):
        accepted = False
        hessian = system.hessian
        diagonal = np.diag(hessian) + 1e-6
        for _ in range(6):
            damped = hessian.copy()
            damped.flat[:: unknowns + 1] += damping * diagonal
            step = -np.linalg.solve(damped, system.gradient)
            step *= min(1.0, 1.0 / max(np.abs(step[: 3 * len(active)]).max(), 1e-9))
            candidate = state.stepped(step, active)
            candidate_cost = evaluate(candidate, False).cost
            if candidate_cost < cost:
                accepted = True
                damping = max(damping * 0.3, 1e-7)
                break
            damping *= 5
        if not accepted:
            break
        decrease = (cost - candidate_cost) / cost
        state, cost = candidate, candidate_cost
        if decrease < tolerance:
            break
        system = evaluate(state, True)
    return state, cost
