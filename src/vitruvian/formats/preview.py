"""``preview.png``: the photograph, the meshes over it, and every person from three sides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.axes import in_file_axes
from vitruvian.formats.images import encode_png
from vitruvian.geometry.mesh import Mesh
from vitruvian.geometry.render import render_mesh
from vitruvian.image.camera import Camera

MAX_WIDTH = 1600
MAX_PEOPLE = 24
# Front, the person's left side, back.
VIEW_YAWS = (0.0, 90.0, 180.0)
VIEW_NAMES = ("front", "side", "back")

_PAPER, _INK, _SOFT = (250, 249, 246), (30, 30, 34), (105, 105, 112)
_GAP, _TITLE_SIZE, _CAPTION_SIZE = 20, 18, 14
_TITLE_ROOM, _CAPTION_ROOM = 28, 22
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


@dataclass(frozen=True)
class _Block:
    """A titled row of pictures that stays together."""

    title: str
    images: Sequence[np.ndarray]
    captions: Sequence[str]

    @property
    def width(self) -> int:
        return sum(image.shape[1] for image in self.images)

    @property
    def height(self) -> int:
        captions = _CAPTION_ROOM if any(self.captions) else 0
        return _TITLE_ROOM + max(image.shape[0] for image in self.images) + captions


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
    width, height = size
    upright = in_file_axes(mesh).vertices.astype(np.float64)
    low, high = upright.min(0), upright.max(0)
    centred = upright - (low + high) / 2
    extent = float(np.linalg.norm(high - low))
    facing = float(np.degrees(np.arctan2(forward[0], forward[2])))
    seen = [
        centred @ _view_rotation(facing + yaw, elevation_deg).T + [0, 0, 2.5 * extent]
        for yaw in yaw_degrees
    ]
    flat = [points[:, :2] / points[:, 2:] for points in seen]
    lows = np.array([points.min(0) for points in flat])
    highs = np.array([points.max(0) for points in flat])
    # One scale and one ground line, so that the views can be compared.
    vertical = float(highs[:, 1].max() - lows[:, 1].min())
    horizontal = float((highs[:, 0] - lows[:, 0]).max())
    room = 2 * _MARGIN * height
    focal = min((height - room) / vertical, (width - room) / horizontal)
    row = height / 2 - focal * (highs[:, 1].max() + lows[:, 1].min()) / 2
    textured = mesh.vertex_colors is not None or mesh.texture is not None
    pictures = []
    for points, left, right in zip(seen, lows[:, 0], highs[:, 0], strict=True):
        if crop:
            width = math.ceil(focal * (right - left) + 2 * _MARGIN * height)
        column = width / 2 - focal * (left + right) / 2
        camera = Camera(focal, width, height, (float(column), float(row)), "given")
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
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    everyone = Mesh(
        vertices=np.concatenate([mesh.vertices for mesh in meshes]).astype(np.float32),
        faces=np.concatenate(
            [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
        ).astype(np.int32),
        frame="camera",
    )
    height, width = photo.shape[:2]
    drawn = render_mesh(everyone, camera, width, height, mode="clay", closed=True)
    weight = drawn[..., 3:] * np.float32(opacity / 255)
    return (photo + (drawn[..., :3] - photo.astype(np.float32)) * weight + 0.5).astype(np.uint8)


def fit_photo(photo: np.ndarray, people: int) -> np.ndarray:
    """The photograph (H, W, 3) shrunk to the size that ``write_preview`` gives it."""
    _, row_height = view_size(people)
    limit_width = (MAX_WIDTH - 3 * _GAP) // 2
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
    people: Sequence[PersonViews],
) -> Path:
    """Write one picture that shows the whole result; at most ``MAX_WIDTH`` pixels wide.

    Args:
        path: where the PNG goes.
        photo: (H, W, 3) uint8 sRGB.
        overlay: the same with the meshes over it (``overlay_meshes``; drawing on the result of
            ``fit_photo`` saves time).
        people: pictures of everyone (``person_views``); the first ``MAX_PEOPLE`` are shown.

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    blocks = [
        _Block("Photograph", [fit_photo(photo, len(people))], [""]),
        _Block("Reconstruction over it", [fit_photo(overlay, len(people))], [""]),
    ]
    for person in people[:MAX_PEOPLE]:
        captions = VIEW_NAMES[: len(person.views)]
        blocks.append(_Block(person.label, [_on_paper(view) for view in person.views], captions))
    note = ""
    if not people:
        note = "Nobody was found in this picture."
    elif len(people) > MAX_PEOPLE:
        note = f"{len(people) - MAX_PEOPLE} more people are not shown here."
    return write_bytes(path, encode_png(_compose(blocks, note)))


def _compose(blocks: Sequence[_Block], note: str) -> np.ndarray:
    """The blocks from left to right in rows, as (H, W, 3) uint8."""
    rows: list[list[_Block]] = [[]]
    for block in blocks:
        used = sum(other.width + _GAP for other in rows[-1])
        if rows[-1] and _GAP + used + block.width + _GAP > MAX_WIDTH:
            rows.append([])
        rows[-1].append(block)
    width = max(_GAP + sum(block.width + _GAP for block in row) for row in rows)
    width = max(width, 360)  # room for the note
    height = _GAP + sum(max(block.height for block in row) + _GAP for row in rows)
    canvas = Image.new("RGB", (width, height + (_TITLE_ROOM if note else 0)), _PAPER)
    draw = ImageDraw.Draw(canvas)
    y = _GAP
    for row in rows:
        x = _GAP
        for block in row:
            _paste(canvas, draw, block, x, y)
            x += block.width + _GAP
        y += max(block.height for block in row) + _GAP
    if note:
        draw.text((_GAP, y), note, _INK, font=_font(_TITLE_SIZE))
    return np.asarray(canvas)


def _paste(canvas: Image.Image, draw: ImageDraw.ImageDraw, block: _Block, x: int, y: int) -> None:
    draw.text((x, y), block.title, _INK, font=_font(_TITLE_SIZE))
    y += _TITLE_ROOM
    for image, caption in zip(block.images, block.captions, strict=True):
        canvas.paste(Image.fromarray(image), (x, y))
        middle = x + image.shape[1] / 2
        draw.text(
            (middle, y + image.shape[0] + 4), caption, _SOFT, font=_font(_CAPTION_SIZE), anchor="ma"
        )
        x += image.shape[1]


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _on_paper(image: np.ndarray) -> np.ndarray:
    if image.shape[2] == 3:
        return image
    alpha = image[..., 3:].astype(np.float32) / 255
    return (image[..., :3] * alpha + np.array(_PAPER, np.float32) * (1 - alpha) + 0.5).astype(
        np.uint8
    )


def _view_rotation(yaw_deg: float, elevation_deg: float) -> np.ndarray:
    """(3, 3) from y-up axes to those of a camera that looks at the origin from that side."""
    yaw, elevation = np.radians([yaw_deg, elevation_deg])
    backward = np.array(
        [np.sin(yaw) * np.cos(elevation), np.sin(elevation), np.cos(yaw) * np.cos(elevation)]
    )
    right = np.array([np.cos(yaw), 0.0, -np.sin(yaw)])
    return np.stack([right, -np.cross(backward, right), -backward])
