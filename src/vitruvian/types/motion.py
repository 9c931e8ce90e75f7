"""How one person moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.types.mesh import Frame
from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class Motion(Record):
    """Poses of one body at T times.

    Attributes:
        times_s: (T,) float64 seconds, ascending.
        pose: (T, J, 3) float64 local axis-angle rotations in radians; the root's also turns the
            body's frame into ``frame``.
        translation: (T, 3) float64 position of the root joint in ``frame``, metres.
        betas: (K',) float64 shape coefficients, the same at all times.
        joint_names: names of the J joints.
        frame: ``camera`` (OpenCV axes) or ``world`` (glTF axes), see ``Mesh``.
    """

    times_s: np.ndarray
    pose: np.ndarray
    translation: np.ndarray
    betas: np.ndarray
    joint_names: tuple[str, ...]
    frame: Frame = "camera"

    def __post_init__(self) -> None:
        times = len(self.times_s)
        for name, shape in (
            ("times_s", (times,)),
            ("pose", (times, len(self.joint_names), 3)),
            ("translation", (times, 3)),
        ):
            if np.shape(getattr(self, name)) != shape:
                found = np.shape(getattr(self, name))
                raise ValueError(f"{name} must have shape {shape}, got {found}")
        if (np.diff(self.times_s) <= 0).any():
            raise ValueError("times_s must ascend")
