"""Where the bodies of a solved clip are, as its cameras see them."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.geometry.rotations import transformed
from vitruvian.video.together import Solved


class Placing:
    """Tells the bodies of a solution.

    Args:
        model: of the bodies.
        found: the solution.
    """

    def __init__(self, model: BodyModel, found: Solved) -> None:
        self._model, self._found = model, found

    @cached_property
    def _times(self) -> list[dict[int, int]]:
        tracks = self._found.tracks
        return [{int(number): t for t, number in enumerate(one.numbers)} for one in tracks]

    def __call__(self, person: int, which: int, number: int) -> np.ndarray | None:
        """(V, 3) a person's body in a clip's frame, by their numbers, in its camera's frame; None
        where it is not known."""
        time, motion = self._times[person].get(number), self._found.tracks[person].motion
        if time is None:
            return None
        pose, where = motion.pose[time], motion.translation[time]
        vertices = self._model.forward(motion.betas, pose, where).vertices
        return transformed(vertices, self._found.eyes.place(which, number))
