"""The step that all fits of bodies to bodies take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.model import ShapePrior
from vitruvian.geometry.rotations import matrix_from_axis_angle


@dataclass(frozen=True)
class State:
    """A posed body.

    Attributes:
        betas: (K,) float64 shape.
        rotations: (J, 3, 3) float64 local rotations.
        root: (3,) float64 position of the root joint, metres.
    """

    betas: np.ndarray
    rotations: np.ndarray
    root: np.ndarray

    def stepped(
        self,
        rows: np.ndarray,
        residual: np.ndarray,
        active: np.ndarray,
        stiff: float,
        prior: ShapePrior | None,
    ) -> State:
        """The state after one damped Gauss-Newton step.

        Args:
            rows: (R, 3 A + K + 3) derivatives of what is fitted by turns of the active joints,
                betas and root; without the K of the betas, these stay.
            residual: (R,) what is wanted less what is there, both over their standard deviation.
            active: (A,) joints that turn.
            stiff: damping of the turns.
            prior: of the betas; None where they stay.
        """
        turns = 3 * len(active)
        normal, gradient = rows.T @ rows, rows.T @ residual
        if prior is not None:
            shapes = slice(turns, turns + len(self.betas))
            normal[shapes, shapes] += prior.whitening.T @ prior.whitening
            gradient[shapes] -= prior.whitening.T @ (prior.whitening @ (self.betas - prior.mean))
        damping = np.full(len(normal), 1e-6)
        damping[:turns] = stiff
        step = np.linalg.solve(normal + np.diag(damping), gradient)
        rotations = self.rotations.copy()
        moved = matrix_from_axis_angle(step[:turns].reshape(-1, 3)) @ rotations[active]
        rotations[active] = moved
        betas = self.betas if prior is None else self.betas + step[turns:-3]
        return State(betas, rotations, self.root + step[-3:])
