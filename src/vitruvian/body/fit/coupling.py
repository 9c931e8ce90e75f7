"""What ties successive times of a motion together: normal equations, and their solution."""

from __future__ import annotations

import numpy as np


class Coupling:
    """Normal equations of residuals that tie up to three successive times together.

    Attributes:
        cost: robust.
        blocks: (3, T, B, B), of J^T J that of the unknowns of times t + d and t at ``[d, t]``.
        gradient: (T, B).
    """

    def __init__(self, times: int, unknowns: int) -> None:
        self.cost = 0.0
        self.blocks = np.zeros((3, times, unknowns, unknowns))
        self.gradient = np.zeros((times, unknowns))

    def add_robust(
        self,
        first: int,
        residual: np.ndarray,
        rows: np.ndarray,
        factors: np.ndarray,
        weight: float,
        scale: float,
    ) -> None:
        """Add Cauchy-robust residual vectors (M, D), as ``NormalEquations.add_robust`` does.

        Args:
            first: time from which on they concern as many times as there are ``factors``.
            residual: (M, D).
            rows: (N, M, D, B), the derivative by the unknowns of time ``first`` + n is
                ``factors[n] * rows[n]``.
            factors: (N,).
            weight: of all of them.
            scale: from where on they stop counting.
        """
        reweighted = self._reweighted(residual[None], np.array([weight]), scale)[0]
        value = (residual * reweighted[:, None]).ravel()
        flat = (rows * reweighted[:, None, None]).reshape(len(factors), value.size, -1)
        for n, factor in enumerate(factors):
            self.gradient[first + n] += factor * (value @ flat[n])
            for m in range(n + 1):
                self.blocks[n - m, first + m] += factor * factors[m] * (flat[n].T @ flat[m])

    def add_differences(
        self,
        residual: np.ndarray,
        slopes: np.ndarray,
        sds: np.ndarray,
        factors: np.ndarray,
        weights: np.ndarray,
        scale: float,
    ) -> None:
        """Add what three successive times each differ by, Cauchy-robust, of all times at once.

        Args:
            residual: (N, M, D), in standard deviations.
            slopes: (N + 2, M, D, B), the derivative of residual n by the unknowns of time n + k is
                ``factors[n, k] / sds[n] * slopes[n + k]``.
            sds: (N, M).
            factors: (N, 3).
            weights: (N,).
            scale: from where on they stop counting.
        """
        reweighted = self._reweighted(residual, weights, scale)
        count = len(residual)
        value = (residual * reweighted[..., None]).reshape(count, 1, -1)
        rows = []
        for n in range(3):
            share = reweighted / sds * factors[:, n, None]
            own = slopes[n : n + count] * share[..., None, None]
            rows.append(own.reshape(count, value.shape[-1], -1))
            self.gradient[n : n + count] += (value @ rows[n])[:, 0]
            for m in range(n + 1):
                self.blocks[n - m, m : m + count] += rows[n].transpose(0, 2, 1) @ rows[m]

    def add_turns(
        self,
        residual: np.ndarray,
        sds: np.ndarray,
        factors: np.ndarray,
        weights: np.ndarray,
        scale: float,
    ) -> None:
        """The same for differences (N, M, 3) of rotations, which are the first 3 M unknowns
        themselves; ``sds`` (N,)."""
        reweighted = self._reweighted(residual, weights, scale)
        count, unknowns = len(residual), residual[0].size
        share = np.repeat(reweighted / sds[:, None], 3, axis=1)  # (N, 3 M)
        value = (residual * reweighted[..., None]).reshape(count, -1)
        diagonals = np.einsum("dtuu->dtu", self.blocks)[:, :, :unknowns]
        for n in range(3):
            own = share * factors[:, n, None]
            self.gradient[n : n + count, :unknowns] += value * own
            for m in range(n + 1):
                diagonals[n - m, m : m + count] += own * share * factors[:, m, None]

    def _reweighted(self, residual: np.ndarray, weights: np.ndarray, scale: float) -> np.ndarray:
        """Count the cost of residual vectors (N, M, D), and how much each weighs now (N, M)."""
        relative = np.einsum("nmd,nmd->nm", residual, residual) / scale**2
        self.cost += float((weights * scale) ** 2 @ np.log1p(relative).sum(1))
        return weights[:, None] / np.sqrt(1 + relative)


def banded_solution(own: np.ndarray, beside: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Solve a symmetric system of blocks with two further blocks on either side of the diagonal.

    Block elimination from the first time to the last, and back.

    Args:
        own: (T, B, B) on the diagonal.
        beside: (2, T, B, B), the block of times t + 1 + d and t at ``[d, t]``.
        sides: (T, B, S) right-hand sides.
    """
    times, size, count = sides.shape
    diagonal, right = own.copy(), sides.copy()
    next_to = beside[0].copy()
    both = np.empty((size, 2 * size + count))  # by the time after the next, the next, sides
    eliminated = []
    for t in range(times):
        # Blocks above the diagonal are the transposes of those below.
        both[:, :size], both[:, size:-count] = beside[1, t].T, next_to[t].T
        both[:, -count:] = right[t]
        # Left alone, what rounding makes unlike its transpose grows from time to time.
        solved = np.linalg.solve((diagonal[t] + diagonal[t].T) / 2, both)
        eliminated.append(solved)
        if t + 1 < times:
            change = next_to[t] @ solved[:, size:]
            diagonal[t + 1] -= change[:, :size]
            right[t + 1] -= change[:, size:]
        if t + 2 < times:
            change = beside[1, t] @ solved
            diagonal[t + 2] -= change[:, :size]
            next_to[t + 1] -= change[:, size:-count]
            right[t + 2] -= change[:, -count:]
    for t in range(times - 1, -1, -1):
        right[t] = eliminated[t][:, -count:]
        if t + 1 < times:
            right[t] -= eliminated[t][:, size:-count] @ right[t + 1]
        if t + 2 < times:
            right[t] -= eliminated[t][:, :size] @ right[t + 2]
    return right
