"""Fitting the parametric body to one person at many times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vitruvian.body.fit.clothes import Clothes
from vitruvian.body.fit.dynamics import Dynamics
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.schedule import solve
from vitruvian.body.fit.solver import FitState
from vitruvian.body.fit.views import View, check_times, given_height
from vitruvian.body.model.fingers import pose_of
from vitruvian.body.model.model import BodyModel
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.motion import Motion


def fit_motion(
    model: BodyModel,
    views: Sequence[View],
    times_s: Sequence[float] | np.ndarray,
    *,
    height_m: float | None = None,
    silhouette: bool = True,
    options: FitOptions | None = None,
    betas: np.ndarray | None = None,
    dynamics: Dynamics | None = None,
    begin: Motion | None = None,
    clothes: Clothes | None = None,
) -> Motion:
    """Fit one person at many times; as ``fit_views``, without the meshes.

    Args:
        model, height_m, silhouette, options: as of ``fit_body``.
        views: as of ``fit_views``; with ``dynamics`` there may be times without one, but the last
            needs one.
        times_s: (T,) seconds of the times, ascending.
        betas: (K,) of the shape where it is known; it stays as it is.
        dynamics: how people move, over the same times; by default each time is by itself.
        begin: a motion at these times to set out from.
        clothes: whose outline the mattes show; None where they are not known.

    Raises:
        ValueError: a time without a view where there must be one.
    """
    times = np.asarray(times_s, np.float64)
    if dynamics is None:
        check_times(views, len(times))
    else:
        last = max((view.time for view in views), default=-1)
        if last != len(times) - 1:
            raise ValueError(f"the last of {len(times)} times needs a view, the last has {last}")
    state = solve(
        model,
        views,
        options or FitOptions(),
        height_m=given_height(views) if height_m is None else height_m,
        silhouette=silhouette,
        betas=betas,
        dynamics=dynamics,
        begin=None if begin is None else _state(begin),
        clothes=clothes,
    ).state
    return Motion(
        times_s=times,
        pose=np.stack([pose_of(model, rotations) for rotations in state.rotations]),
        translation=state.translation,
        betas=state.betas if betas is None else betas,
        joint_names=model.joint_names,
        frame="camera",
    )


def _state(motion: Motion) -> FitState:
    return FitState(matrix_from_axis_angle(motion.pose), motion.translation, motion.betas)
