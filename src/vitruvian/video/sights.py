"""What a camera that moves sees of the background, and the path that this tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Sight:
    """Features of the background in one frame.

    Attributes:
        number: of the frame; time_s: its seconds.
        ids: (N,) the same for the same feature in all frames.
        points: (N, 2) float32 pixels.
    """

    number: int
    time_s: float
    ids: np.ndarray
    points: np.ndarray


@dataclass(frozen=True, eq=False)
class Path:
    """Where a camera was, and which way it looked.

    Attributes:
        rotations: (3, 3) by the number of the frame, from the first frame's camera axes to its own.
        places: (3,) of the camera in the first frame's camera axes, in a unit of its own in which
            what is behind the people is about 1 away.
        points: (N, 3) what is behind the people, in the same axes and unit.
        explained: share of what was seen that the path explains.
        misfit: robust mean of what it does not explain.
    """

    rotations: dict[int, np.ndarray]
    places: dict[int, np.ndarray]
    points: np.ndarray
    explained: float
    misfit: float
