"""Patches of the body's skin, the same in every pose."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.body.model.model import BodyModel


@lru_cache(maxsize=4)
def patches_of(model: BodyModel, side_m: float) -> np.ndarray:
    """(F,) int, of each face the patch that it is in: those of one cube of the mean adult.

    Args:
        model: of the body.
        side_m: of the cubes, metres.
    """
    middles = model.template[model.faces].mean(1)
    cubes = np.floor(middles / side_m).astype(int)
    return np.asarray(np.unique(cubes, axis=0, return_inverse=True)[1]).ravel()
