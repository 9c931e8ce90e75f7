"""The cameras that see a scene: one that stays, or several."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.fit.kind import Kind
from vitruvian.body.fit.views import View
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class Eyes(Record):
    """The lenses and places of the cameras of a scene.

    Attributes:
        cameras: (V) lens of each.
        places: (V) rigid matrices (4, 4) from the frame of the result to each camera's; None for
            the camera whose frame that is.
        axes: (N, 3) unit vectors in the frame of the result, one of which may be up; None where
            nothing tells.
    """

    cameras: tuple[Camera, ...]
    places: tuple[np.ndarray | None, ...] = (None,)
    axes: np.ndarray | None = None

    def view(self, which: int, figure: Figure, time: int = 0, kind: Kind | None = None) -> View:
        """What camera ``which`` sees, for the fit."""
        return View(figure, self.cameras[which], time, self.places[which], kind)

    def matrix(self, which: int) -> np.ndarray:
        """(4, 4) from the frame of the result to that of camera ``which``."""
        place = self.places[which]
        return np.eye(4) if place is None else place
