"""Where on their own body people put their hands, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import LEFT
from vitruvian.geometry.normals import vertex_normals
from vitruvian.types.regions import HEAD, LEFT_LEG, RIGHT_ARM, TRUNK

_ANY = (-9.0, 9.0)
Range = tuple[float, float]


@dataclass(frozen=True)
class Gesture:
    """A place for the left hand, by the mean body at rest (y up, faces +z, left at +x, metres).

    Attributes:
        name: of the gesture.
        share: relative, among all.
        parts: ``types.regions`` that the place is on.
        x, y: from and to; normal_x, normal_z: which way the skin there looks.
        both: share of those who do it with both hands, each on its own side.
        held: share whose hand is not at the place but before it, around something.
        sits: whether only people do so who sit, or only who do not.
    """

    name: str
    share: float
    parts: tuple[int, ...]
    x: Range
    y: Range
    normal_x: Range = _ANY
    normal_z: Range = _ANY
    both: float = 0.2
    held: float = 0.0
    sits: bool | None = None


GESTURES = (
    Gesture("hip", 2.0, (TRUNK,), (0.05, 1), (0.93, 1.07), normal_x=(0.5, 1), both=0.4, sits=False),
    Gesture("pocket", 3.0, (TRUNK, LEFT_LEG), (0.09, 1), (0.76, 0.9), normal_x=(0.35, 1),
            normal_z=(-0.4, 1), both=0.5, sits=False),
    Gesture("belt", 1.6, (TRUNK,), (-0.06, 0.16), (0.92, 1.08), normal_z=(0.5, 1), both=0.35,
            held=0.45),
    Gesture("clasped before", 1.0, (TRUNK,), (-0.03, 0.08), (0.83, 0.98), normal_z=(0.5, 1),
            both=1.0, held=0.2, sits=False),
    Gesture("chest", 2.0, (TRUNK,), (-0.14, 0.14), (1.12, 1.38), normal_z=(0.3, 1), both=0.2,
            held=0.4),
    Gesture("strap", 1.5, (TRUNK,), (0.05, 0.17), (1.26, 1.41), normal_z=(0.0, 1), both=0.25),
    Gesture("other shoulder", 0.7, (TRUNK,), (-0.17, -0.06), (1.26, 1.4), normal_z=(0.1, 1),
            both=0.1),
    Gesture("other arm", 1.5, (RIGHT_ARM,), (-0.38, -0.18), (1.1, 1.33), normal_z=(-0.5, 1),
            both=0.4),
    Gesture("chin", 1.2, (HEAD,), (-0.02, 0.06), (1.45, 1.51), normal_z=(0.1, 1), both=0.1,
            held=0.3),
    Gesture("ear", 1.4, (HEAD,), (0.04, 1), (1.5, 1.62), normal_x=(0.5, 1), normal_z=(-0.6, 0.7),
            both=0.05),
    Gesture("brow", 0.8, (HEAD,), (-0.02, 0.08), (1.56, 1.64), normal_z=(0.3, 1), both=0.15,
            held=0.25),
    Gesture("hair", 1.2, (HEAD,), (-0.03, 1), (1.6, 1.75), normal_x=(-0.2, 1), normal_z=(-1, 0.6),
            both=0.25),
    Gesture("neck", 0.6, (HEAD, TRUNK), (0.0, 0.1), (1.4, 1.48), both=0.15),
    Gesture("behind", 1.0, (TRUNK,), (-0.05, 0.15), (0.85, 1.1), normal_z=(-1, -0.5), both=0.6,
            sits=False),
    Gesture("thigh", 3.0, (LEFT_LEG,), (0.05, 0.2), (0.55, 0.8), normal_z=(0.4, 1), both=0.6,
            sits=True),
    Gesture("knee", 2.0, (LEFT_LEG,), (0.05, 0.22), (0.46, 0.56), normal_z=(0.3, 1), both=0.6,
            sits=True),
)  # fmt: skip


@lru_cache(maxsize=64)
def place_vertices(gesture: Gesture, side: int) -> np.ndarray:
    """Vertices (N,) of the body where a gesture's palm of that side may lie."""
    body = body_model()
    rest = body.template
    normals = vertex_normals(rest, body.faces)
    inside = (body.components == 0) & np.isin(body.regions.part, gesture.parts)
    inside &= body.regions.hand < 0.1
    for values, (low, high) in (
        (rest[:, 0], gesture.x), (rest[:, 1], gesture.y),
        (normals[:, 0], gesture.normal_x), (normals[:, 2], gesture.normal_z),
    ):  # fmt: skip
        inside &= (values >= low) & (values <= high)
    chosen = np.flatnonzero(inside)
    return chosen if side == LEFT else body.vertex_mirror[chosen]
