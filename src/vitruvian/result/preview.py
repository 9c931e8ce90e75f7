"""``preview.png``: the photograph, the meshes over it, and every person from three sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.axes import in_file_axes
from vitruvian.formats.images import encode_png
from vitruvian.geometry.normal_map import FLAT
from vitruvian.geometry.render import render_mesh
from vitruvian.result.sheet import GAP, MAX_WIDTH, Block, compose, on_paper
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

MAX_PEOPLE = 24
# Front, the person's left side, back.
VIEW_YAWS = (0.0, 90.0, 180.0)
VIEW_NAMES = ("front", "side", "back")

_MARGIN = 0.04


@dataclass(frozen=True)
class PersonViews:
    """Pictures of one person.

    Attributes:
        label: shown above, such as "Person 1, 1.72 m".
        views: (h, w, 4) or (h, w, 3) uint8 sRGB: front, side and back, of one height.
    """

    label: str
    views: Sequence[np.ndarray]


def view_size(people: int) -> tuple[int, int]:
    """Greatest width, and height, in pixels of one view when that many people are shown."""
    height = 480 if people <= 1 else 400 if people <= 4 else 260
    return round(height * 0.62), height


def person_views(
    label: str, mesh: Mesh, people: int, *, forward: Sequence[float] | np.ndarray = (0.0, 0.0, 1.0)
) -> PersonViews:
    """Front, side and back of a person for ``write_preview``, when ``people`` are shown.

    ``mesh`` and ``forward`` are as for ``turntable``.
    """
    views = turntable(mesh, VIEW_YAWS, view_size(people), forward=forward, crop=True)
    return PersonViews(label, views)


def turntable(
    mesh: Mesh,
    yaw_degrees: Sequence[float],
    size: tuple[int, int],
    *,
    forward: Sequence[float] | np.ndarray = (0.0, 0.0, 1.0),
    elevation_deg: float = 4.0,
    crop: bool = False,
    supersample: int = 2,
) -> list[np.ndarray]:
    """Pictures of a person from around them, the whole figure in each, at one scale.

    Args:
        mesh: frame ``world`` or ``body`` (y up); a camera-frame one is turned to y up first.
        yaw_degrees: where the viewer stands: 0 before the person, 90 at their left.
        size: width and height of each picture in pixels.
        forward: (3,) where the person faces, in the frame of ``mesh``; only the direction on
            the ground counts.
        elevation_deg: how far above the horizon the viewer stands.
        crop: make each picture only as wide as the figure in it needs.
        supersample: samples per pixel along each axis.

    Returns:
        For each yaw (height, width, 4) uint8 sRGB, transparent around the person; textured when
        the mesh has colours, else as clay.
    """
    facing = float(np.degrees(np.arctan2(forward[0], forward[2])))
    return lineup(
        [mesh] * len(yaw_degrees),
        [facing + yaw for yaw in yaw_degrees],
        size,
        elevation_deg=elevation_deg,
        crop=crop,
        supersample=supersample,
    )


def lineup(
    meshes: Sequence[Mesh],
    yaw_degrees: Sequence[float],
    size: tuple[int, int],
    *,
    elevation_deg: float = 4.0,
    crop: bool = False,
    supersample: int = 2,
) -> list[np.ndarray]:
    """Pictures of several meshes at one scale and on one ground, each whole.

    Args:
        meshes: as for ``turntable``; a mesh stands on its lowest vertex.
        yaw_degrees: for each mesh where the viewer stands: 0 looks at what faces +z, 90 at +x.
        size, elevation_deg, crop, supersample: as for ``turntable``.

    Returns:
        For each mesh (height, width, 4) uint8 sRGB, as ``turntable`` does.
    """
    if not meshes:
        return []
    width, height = size
    upright = [in_file_axes(mesh).vertices.astype(np.float64) for mesh in meshes]
    lows3 = [points.min(0) for points in upright]
    highs3 = [points.max(0) for points in upright]
    extents = [high - low for low, high in zip(lows3, highs3, strict=True)]
    extent = float(np.linalg.norm(extents, axis=1).max())
    middle = float(max(extent[1] for extent in extents)) / 2
    seen = []
    for points, low, high, yaw in zip(upright, lows3, highs3, yaw_degrees, strict=True):
        center = [(low[0] + high[0]) / 2, low[1] + middle, (low[2] + high[2]) / 2]
        turn = view_rotation(yaw, elevation_deg)
        seen.append((points - center) @ turn.T + [0, 0, 2.5 * extent])
    flat = [points[:, :2] / points[:, 2:] for points in seen]
    lows = np.array([points.min(0) for points in flat])
    highs = np.array([points.max(0) for points in flat])
    vertical = float(highs[:, 1].max() - lows[:, 1].min())
    horizontal = float((highs[:, 0] - lows[:, 0]).max())
    room = 2 * _MARGIN * height
    focal = min((height - room) / vertical, (width - room) / horizontal)
    row = height / 2 - focal * (highs[:, 1].max() + lows[:, 1].min()) / 2
    pictures = []
    for mesh, points, left, right in zip(meshes, seen, lows[:, 0], highs[:, 0], strict=True):
        if crop:
            width = math.ceil(focal * (right - left) + 2 * _MARGIN * height)
        column = width / 2 - focal * (left + right) / 2
        camera = Camera(focal, width, height, (float(column), float(row)), "given")
        textured = mesh.vertex_colors is not None or mesh.texture is not None
        pictures.append(
            render_mesh(
                mesh.with_vertices(points, "camera"),
                camera,
                width,
                height,
                mode="texture" if textured else "clay",
                supersample=supersample,
                closed=True,
            )
        )
    return pictures


def overlay_meshes(
    photo: np.ndarray, meshes: Sequence[Mesh], camera: Camera, *, opacity: float = 0.8
) -> np.ndarray:
    """The photograph with the meshes drawn over it as clay, nearer ones before farther ones.

    Their normal maps are on.

    Args:
        photo: (H, W, 3) uint8 sRGB, of any size with the proportions of ``camera``'s picture.
        meshes: in the camera frame; they need not share a topology.
        camera: of the photograph.
        opacity: of the clay, 0..1.

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    if not meshes:
        return photo.copy()
    everyone = _in_one(meshes)
    height, width = photo.shape[:2]
    drawn = render_mesh(everyone, camera, width, height, mode="clay", closed=True)
    weight = drawn[..., 3:] * np.float32(opacity / 255)
    return (photo + (drawn[..., :3] - photo.astype(np.float32)) * weight + 0.5).astype(np.uint8)


def _in_one(meshes: Sequence[Mesh]) -> Mesh:
    """The geometry of camera-frame meshes as one, with their normal maps one below another."""
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    together = Mesh(
        vertices=np.concatenate([mesh.vertices for mesh in meshes]).astype(np.float32),
        faces=np.concatenate(
            [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
        ).astype(np.int32),
        frame="camera",
    )
    maps = [mesh.normal_map for mesh in meshes]
    size = max((len(one) for one in maps if one is not None), default=0)
    if not size:
        return together
    uvs, uv_faces, count = [], [], 0
    atlas: list[np.ndarray] = []
    for number, mesh in enumerate(meshes):
        own, corners = mesh.uvs, mesh.uv_faces
        if mesh.normal_map is None or own is None or corners is None:
            own, corners = np.full((1, 2), 0.5, np.float32), np.zeros_like(mesh.faces)
            atlas.append(np.full((size, size, 3), FLAT, np.uint8))
        else:
            atlas.append(
                np.asarray(cv2.resize(mesh.normal_map, (size, size), interpolation=cv2.INTER_AREA))
            )
        below = len(meshes) - 1 - number
        uvs.append(np.stack([own[:, 0], (own[:, 1] + below) / len(meshes)], axis=1))
        uv_faces.append(corners + count)
        count += len(own)
    return replace(
        together,
        uvs=np.concatenate(uvs).astype(np.float32),
        uv_faces=np.concatenate(uv_faces).astype(np.int32),
        normal_map=np.concatenate(atlas),
    )


def fit_photo(photo: np.ndarray, people: int) -> np.ndarray:
    """The photograph (H, W, 3) shrunk to the size that ``write_preview`` gives it."""
    _, row_height = view_size(people)
    limit_width = (MAX_WIDTH - 3 * GAP) // 2
    height, width = photo.shape[:2]
    scale = min(max(row_height, 400) / height, limit_width / width, 1.0)
    if scale == 1:
        return photo
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def write_preview(
    path: str | Path,
    photo: np.ndarray,
    overlay: np.ndarray,
    views: Sequence[PersonViews],
    *,
    people: int,
) -> Path:
    """Write one picture that shows the whole result; at most ``MAX_WIDTH`` pixels wide.

    Args:
        path: where the PNG goes.
        photo: (H, W, 3) uint8 sRGB.
        overlay: the same with the meshes over it (``overlay_meshes``; drawing on the result of
            ``fit_photo`` saves time).
        views: pictures of everyone, or of ``MAX_PEOPLE`` (``person_views``).
        people: how many there are.

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    blocks = [
        Block("Photograph", [fit_photo(photo, people)], [""]),
        Block("Reconstruction over it", [fit_photo(overlay, people)], [""]),
    ]
    for person in views:
        captions = VIEW_NAMES[: len(person.views)]
        blocks.append(Block(person.label, [on_paper(view) for view in person.views], captions))
    note = ""
    if not views:
        note = "Nobody was found in this picture."
    elif len(views) < people:
        note = f"{people - len(views)} more people are not shown here."
    return write_bytes(path, encode_png(compose(blocks, note)))


def view_rotation(yaw_deg: float, elevation_deg: float) -> np.ndarray:
    """(3, 3) from y-up axes to those of a camera that looks at the origin from that side."""
    yaw, elevation = np.radians([yaw_deg, elevation_deg])
    backward = np.array(
        [np.sin(yaw) * np.cos(elevation), np.sin(elevation), np.cos(yaw) * np.cos(elevation)]
    )
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    return np.stack([right, -np.cross(backward, right), -backward])
