"""How much thicker clothes make a trunk than its outline shows.

The outline shows how far clothes stand off at the sides, and the body inflates by as much all
round. In front and behind they stand off farther: measured on synthetic people with known surfaces,
and seen on real ones who turn (``docs/experiments/cuts.md``).
"""

from __future__ import annotations

import numpy as np

from vitruvian.geometry.rasterizer import Fragments
from vitruvian.surface.envelope.inflate import smooth_over_mesh
from vitruvian.types.body import ParametricModel
from vitruvian.types.regions import TRUNK

_FRONT_M, _BACK_M = 0.010, 0.013  # beyond what the sides show
_WORN_M = (0.002, 0.008)  # off the skin, from which cloth is told from it, and surely
_WIDE_M = (0.025, 0.035)  # off it at the sides, from which as much is in front; more is not
_ROUNDS = 15  # of smoothing over the mesh


def unseen_stand_off(
    model: ParametricModel,
    off_m: np.ndarray,
    sides: tuple[Fragments, Fragments],
    faces: np.ndarray,
) -> np.ndarray:
    """(H, W, 2) float32 metres that cloth on a trunk stands off in front and behind, beyond the
    inflated body.

    Args:
        model: the body model.
        off_m: (V,) how far cloth stands off the body on both of its sides.
        sides: the inflated body's nearest and farthest surface in a window.
        faces: (F, 3) of that body.
    """
    regions = model.regions
    bare = np.maximum.reduce([regions.head, regions.throat, regions.hand])
    start, end = _WORN_M
    worn = np.clip((off_m - start) / (end - start), 0, 1) * (regions.part == TRUNK) * (1 - bare)
    start, end = _WIDE_M
    worn = worn * np.clip((end - off_m) / (end - start), 0, 1)
    worn = smooth_over_mesh(worn[:, None].astype(np.float32), regions.edges, _ROUNDS)
    return np.concatenate(
        [
            metres * side.interpolate(worn, faces)
            for metres, side in zip((_FRONT_M, _BACK_M), sides, strict=True)
        ],
        axis=2,
    )
