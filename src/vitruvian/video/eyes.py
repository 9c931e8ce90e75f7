"""The cameras that see a scene: one that stays or turns, or several that stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.body.fit.kind import Kind
from vitruvian.body.fit.views import View
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.record import Record
from vitruvian.video.turning import Turning
from vitruvian.video.verticals import Edges


@dataclass(frozen=True, eq=False, repr=False)
class Eyes(Record):
    """The lenses and places of the cameras of a scene.

    Attributes:
        cameras: (V) lens of each.
        places: (V) rigid matrices (4, 4) from the frame of the result to each camera's; None for
            the camera whose frame that is.
        axes: (N, 3) unit vectors in the frame of the result, one of which may be up; None where
            nothing tells.
        turning: how a single camera moves, the result's frame being that of the first frame's
            camera; None where cameras stand still.
        edges: behind the people, in the frame of the result; None where nothing is known of them.
    """

    cameras: tuple[Camera, ...]
    places: tuple[np.ndarray | None, ...] = (None,)
    axes: np.ndarray | None = None
    turning: Turning | None = None
    edges: Edges | None = None

    def view(
        self, which: int, figure: Figure, number: int, *, time: int = 0, kind: Kind | None = None
    ) -> View:
        """What camera ``which`` sees in frame ``number``, for the fit."""
        return View(figure, self.camera(which, number), time, self.place(which, number), kind)

    def place(self, which: int, number: int) -> np.ndarray | None:
        """(4, 4) from the frame of the result to that of camera ``which`` in frame ``number``; None
        where they are the same."""
        return self.places[which] if self.turning is None else self.turning.matrix(number)

    def camera(self, which: int, number: int) -> Camera:
        """The lens of camera ``which`` in frame ``number``."""
        lens = self.cameras[which]
        return lens if self.turning is None else self.turning.lens(lens, number)

    def matrix(self, which: int) -> np.ndarray:
        """(4, 4) from the frame of the result to that of camera ``which``, which stands still."""
        place = self.places[which]
        return np.eye(4) if place is None else place

    def seats(self, numbers: Sequence[int] | np.ndarray) -> np.ndarray | None:
        """(N, 3) where a single camera is in frames, in the frame of the result; None where there
        are several."""
        if len(self.cameras) > 1:
            return None
        if self.turning is None:
            return np.zeros((len(numbers), 3))
        places = np.stack([self.turning.matrix(int(number)) for number in numbers])
        return np.asarray(-np.einsum("nji,nj->ni", places[:, :3, :3], places[:, :3, 3]))
