"""Parts of the body that surface and texture treat differently."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.types.record import Record

TRUNK, HEAD, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG = range(6)


@dataclass(frozen=True, eq=False, repr=False)
class Regions(Record):
    """What the vertices of the body are.

    Attributes:
        part: (V,) uint8, one of ``TRUNK`` to ``RIGHT_LEG``.
        head: (V,) float32, 1 on the head, falling to 0 down the neck.
        skull: (V,) bool, what the bone of the head carries alone, outside and inside.
        face: (V,) float32, 1 on the face: never a colour for the back of the head.
        throat: (V,) float32, 1 on the front of the neck and under the chin.
        hair: (V,) float32, 1 where hair grows: the skull behind the face and above the ears.
        hand: (V,) float32, 1 on the hands, falling to 0 at the wrists.
        foot: (V,) float32, 1 on the feet, falling to 0 above the ankles.
        axis: (V, 3) float32 unit direction of the bone inside, rest frame.
        mirror: (V,) int32, the vertex on the other side.
        edges: (E, 2) int32, every edge of the mesh once.
    """

    part: np.ndarray
    head: np.ndarray
    skull: np.ndarray
    face: np.ndarray
    throat: np.ndarray
    hair: np.ndarray
    hand: np.ndarray
    foot: np.ndarray
    axis: np.ndarray
    mirror: np.ndarray
    edges: np.ndarray
