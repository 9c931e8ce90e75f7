"""A picture of a body with its tape lines: front, right side and back."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from vitruvian.compute import SideBySide
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.render import render_mesh
from vitruvian.result.preview import view_rotation
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

YAWS = (0.0, -90.0, 180.0)  # degrees: from the front, the subject's right, from behind
_FAR = 6.0  # body heights between viewer and body: nearly parallel
_STEP_M = 0.004  # between points of a line
_NEAR_M = 0.006  # behind the surface that still counts as on it
_PAPER = (248, 247, 244)
_COLORS = ((196, 60, 44), (28, 104, 176), (30, 130, 84), (150, 80, 160))


def tape_sheet(
    mesh: Mesh, lines: Mapping[str, np.ndarray], *, height: int = 720, supersample: int = 2
) -> np.ndarray:
    """Draw a body at rest as clay with lines on it.

    Args:
        mesh: frame ``body`` (y up, facing +z), metres.
        lines: points (N, 3) of each line, by name, in the frame of the mesh.
        height: of the picture in pixels.
        supersample: samples per pixel along each axis.

    Returns:
        (height, W, 3) uint8 sRGB; parts of lines that the body hides are left out.
    """
    low, high = mesh.vertices.min(0), mesh.vertices.max(0)
    middle = (low + high) / 2
    size = float(high[1] - low[1])
    panels = []
    for yaw in YAWS:
        turn = view_rotation(yaw, 0.0)
        offset = np.array([0, 0, _FAR * size])
        points = (mesh.vertices - middle) @ turn.T + offset
        drawn_lines = {name: (line - middle) @ turn.T + offset for name, line in lines.items()}
        focal = 0.94 * height * (_FAR - 0.5)
        reach = focal * np.abs(points[:, 0] / points[:, 2]).max()
        width = 2 * int(np.ceil(reach + 0.02 * height))
        camera = Camera.centered(focal, width, height, "given")
        panels.append((mesh.with_vertices(points, "camera"), drawn_lines, camera, supersample))
    with SideBySide() as pool:
        return np.concatenate([*pool.map(lambda panel: _panel(*panel), panels)], 1)


def _panel(
    mesh: Mesh, lines: Mapping[str, np.ndarray], camera: Camera, supersample: int
) -> np.ndarray:
    """One view (h, w, 3) uint8 of a camera-frame mesh and camera-frame lines."""
    width, height = camera.width, camera.height
    picture = render_mesh(
        mesh, camera, width, height, mode="clay", background=_PAPER, supersample=supersample,
        closed=True,
    )[..., :3].copy()  # fmt: skip
    depth = rasterize(
        camera.project(mesh.vertices), mesh.vertices[:, 2], mesh.faces, width, height
    ).depth
    for number, line in enumerate(lines.values()):
        _draw(picture, _densely(line), depth, camera, _COLORS[number % len(_COLORS)])
    return picture


def _densely(line: np.ndarray) -> np.ndarray:
    """The line with points every few millimetres, so that it can end where it is hidden."""
    way = np.concatenate([[0.0], np.linalg.norm(np.diff(line, axis=0), axis=1).cumsum()])
    along = np.union1d(way, np.arange(0.0, way[-1], _STEP_M))  # corners stay
    return np.stack([np.interp(along, way, line[:, axis]) for axis in range(3)], 1)


def _draw(
    picture: np.ndarray,
    line: np.ndarray,
    depth: np.ndarray,
    camera: Camera,
    color: tuple[int, int, int],
) -> None:
    """Draw the visible pieces of a camera-frame line into a picture."""
    pixels = camera.project(line)
    columns = np.clip(pixels[:, 0].astype(int), 0, camera.width - 1)
    rows = np.clip(pixels[:, 1].astype(int), 0, camera.height - 1)
    shown = line[:, 2] <= depth[rows, columns] + _NEAR_M
    corners = np.round(pixels * 8).astype(np.int32)
    for first in np.flatnonzero(shown[:-1] & shown[1:]):
        a, b = corners[first], corners[first + 1]
        cv2.line(picture, a.tolist(), b.tolist(), color, 1, cv2.LINE_AA, 3)
