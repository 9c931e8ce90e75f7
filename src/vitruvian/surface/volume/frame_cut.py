"""Ending a volume where the photograph ends: a bust, a half figure, with a flat base."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.model.parts import part_of_vertex
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.surface.volume.field import TRUNCATION_VOXELS
from vitruvian.surface.volume.ray_spans import Spans
from vitruvian.surface.volume.volume import Volume
from vitruvian.types.body import ParametricModel
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh
from vitruvian.types.seen import BODY_PARTS, Seen

_LEAST_CONTACT_M = 0.03  # of somebody with the lower border, for a base
_ARMS = [
    [f"{side} {part}" for part in ("upper arm", "forearm", "hand")] for side in ("left", "right")
]
_UPRIGHT = np.cos(np.deg2rad(40))  # between up and the picture's: a base is no side


@dataclass(frozen=True)
class FrameCut:
    """A surface ends at the frame.

    Attributes:
        up: (3,) unit vector in the camera's frame. What the lower border cuts ends on a plane
            across it, where the figure stands like a bust; None ends it along the border's rays.
        beyond: (V,) bool, vertices of the body that are beyond the frame, wherever the fit has
            them; None for none.
    """

    up: np.ndarray | None = None
    beyond: np.ndarray | None = None


def arms_beyond(model: ParametricModel, seen: Seen) -> np.ndarray | None:
    """(V,) bool, the arms that the frame cuts off: the fit knows nothing of forearm and hand.

    None where that is neither arm. ``seen`` is what the picture shows.
    """
    cut = set(seen.cut)
    gone = [part for arm in _ARMS if cut.issuperset(arm[1:]) for part in arm]
    if not gone:
        return None
    numbers = [BODY_PARTS.index(part) for part in gone]
    return np.asarray(np.isin(part_of_vertex(model), numbers))


def rays_at(members: np.ndarray, body: Mesh, window: Camera) -> np.ndarray:
    """(H, W) bool, the rays of a window that first meet one of the body's vertices (V,) bool."""
    face = rasterize(
        window.project(body.vertices),
        body.vertices[:, 2],
        body.faces,
        window.width,
        window.height,
    ).face
    return np.append(members[body.faces[:, 0]], False)[face]


def frame_distance(window: Camera, photo: Camera, pixel_m: float) -> np.ndarray:
    """(H, W) float32: how far each ray of a window is inside the photograph's frame, metres.

    Args:
        window: of the photograph; it may reach beyond.
        photo: the photograph's camera.
        pixel_m: metres per pixel of the window at the person.
    """
    scale = window.focal_px / photo.focal_px
    left, top = np.subtract(window.principal_point, np.multiply(photo.principal_point, scale))
    x = np.arange(window.width) + 0.5 - left
    y = np.arange(window.height) + 0.5 - top
    across = np.minimum(x, photo.width * scale - x)
    down = np.minimum(y, photo.height * scale - y)
    return np.asarray(np.minimum(across, down[:, None]) * pixel_m, np.float32)


def base_level(
    spans: Spans, figure: np.ndarray, inside_m: np.ndarray, window: Camera, pixel_m: float,
    up: np.ndarray,
) -> float | None:  # fmt: skip
    """The level along ``up`` of the base of somebody whom the lower border cuts, metres.

    It is where the border cuts the middle of what it shows: farther behind, the border's rays run
    deeper, where nothing is seen. None where the lower border cuts nobody, or is no lower one.

    Args:
        spans, figure: of the person, in pixels (H, W) of ``window``.
        inside_m: of ``frame_distance``.
        window, pixel_m: as there.
        up: as of ``FrameCut``.
    """
    rows = np.flatnonzero(inside_m.max(1) > 0)
    if -up[1] < _UPRIGHT or len(rows) == 0 or rows[-1] == len(figure) - 1:
        return None
    last = rows[-1]
    cut = np.flatnonzero(figure[last] & spans.mask[last] & (inside_m[last] > 0))
    if len(cut) * pixel_m < _LEAST_CONTACT_M:
        return None
    pixels = np.stack([cut + 0.5, np.full(len(cut), last + 1.0)], axis=1)
    points = window.rays(pixels) * spans.front[last, cut, None]
    return float(np.median(points @ up))


def standing_on(volume: Volume, up: np.ndarray, level: float) -> Volume:
    """The volume without what is below ``level`` along ``up``."""
    grid = volume.grid
    rows, columns = np.mgrid[: grid.camera.height, : grid.camera.width] + 0.5
    rays = grid.camera.rays(np.stack([columns, rows], axis=-1)) @ up
    depths = grid.near_m + np.arange(grid.slices) * grid.step_m
    above = (rays[..., None] * depths - level) / (TRUNCATION_VOXELS * grid.step_m)
    field = np.minimum(volume.field, np.clip(above, -1, 1)).astype(np.float32)
    return replace(volume, field=field)
