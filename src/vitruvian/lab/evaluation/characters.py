"""Clothed 3D characters and scans: reading them, and photographing them in a made-up place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vitruvian.errors import InputError, MissingExtraError
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.lab.evaluation.metrics.sampling import parallel_view, view_rotation
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

CHARACTER_SUFFIXES = (".glb", ".gltf", ".obj", ".ply", ".stl", ".off")
_MIN_OPACITY = 0.5
_PLASTER = np.array([0.55, 0.52, 0.48])


@dataclass(frozen=True)
class Character:
    """A true surface with its colours.

    Attributes:
        mesh: world frame (y up), metres, standing at the origin with its lowest point at y = 0.
        normals: (V, 3) smooth unit normals.
        uvs: (V, 2) texture coordinates, origin at the lower left; 0 where there are none.
        face_part: (F,) which of ``textures`` a face wears.
        textures: (h, w, 3) float32 linear RGB 0..1 each.
        stature_m: how tall the person would stand, in metres.
    """

    mesh: Mesh
    normals: np.ndarray
    uvs: np.ndarray
    face_part: np.ndarray
    textures: tuple[np.ndarray, ...]
    stature_m: float


def load_character(
    path: Path,
    *,
    scale: float = 1.0,
    stature_m: float | None = None,
    cut_below_m: float = 0.0,
    up: str = "y",
) -> Character:
    """Read a character with its textures.

    Args:
        path: glTF, OBJ, PLY or STL.
        scale: metres per unit of the file.
        stature_m: how tall the person would stand; by default the height of the mesh.
        cut_below_m: leave out faces below this height over the lowest point (a plinth).
        up: the file's upward axis, ``y`` or ``z``.

    Raises:
        InputError: the file cannot be read or has no surface.
        MissingExtraError: trimesh is not installed.
    """
    try:
        import trimesh
    except ImportError as error:
        raise MissingExtraError(
            f"Reading {path} needs trimesh: install it with pip install 'vitruvian[dev]'."
        ) from error
    try:
        scene: Any = trimesh.load(path, force="scene", process=False)
    except Exception as error:  # trimesh raises whatever its parsers raise
        raise InputError(f"Cannot read the 3D model {path}: give a glTF, OBJ or PLY.") from error
    vertices, faces, uvs, face_part = [], [], [], []
    textures: list[np.ndarray] = []
    count = 0
    for node in scene.graph.nodes_geometry:
        matrix, name = scene.graph[node]
        part = scene.geometry[name]
        if not isinstance(part, trimesh.Trimesh) or len(part.faces) == 0:
            continue
        color, opacity = _material(part)
        if opacity < _MIN_OPACITY:
            continue
        uv = getattr(part.visual, "uv", None)
        vertices.append(trimesh.transform_points(part.vertices, matrix))
        faces.append(np.asarray(part.faces) + count)
        uvs.append(np.zeros((len(part.vertices), 2)) if uv is None else np.asarray(uv)[:, :2])
        face_part.append(np.full(len(part.faces), len(textures)))
        textures.append(color)
        count += len(part.vertices)
    if not faces:
        raise InputError(f"The 3D model {path} has no surface: give one with faces.")
    points = np.concatenate(vertices) * scale
    if up == "z":
        points = points[:, [0, 2, 1]] * [1, 1, -1]
    corners, parts = np.concatenate(faces), np.concatenate(face_part)
    points[:, 1] -= points[:, 1].min()
    if cut_below_m > 0:
        keep = points[corners, 1].min(1) >= cut_below_m
        corners, parts = corners[keep], parts[keep]
    used = np.unique(corners)
    low, high = points[used].min(0), points[used].max(0)
    points = points - [(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2]
    mesh = Mesh(points.astype(np.float32), corners.astype(np.int32), "world")
    return Character(
        mesh,
        _smooth_normals(mesh),
        np.concatenate(uvs).astype(np.float32),
        parts,
        tuple(textures),
        float(stature_m or high[1] - low[1]),
    )


def _material(part: Any) -> tuple[np.ndarray, float]:
    """The texture (h, w, 3) in linear RGB and the opacity of a trimesh part."""
    material = getattr(part.visual, "material", None)
    image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
    factor = getattr(material, "baseColorFactor", None)
    factor = np.ones(4) if factor is None else np.asarray(factor, float)[:4]
    if factor.max() > 1:  # trimesh hands on 0..255
        factor = factor / 255
    opacity = float(factor[3]) if len(factor) == 4 else 1.0
    if image is None:
        plain = _PLASTER if material is None else factor[:3]
        return np.float32(plain).reshape(1, 1, 3), opacity
    linear = (np.arange(256, dtype=np.float32) / 255) ** 2.2
    return linear[np.asarray(image.convert("RGB"))] * np.float32(factor[:3]), opacity


def _smooth_normals(mesh: Mesh) -> np.ndarray:
    """Normals (V, 3) averaged over vertices at the same place: glTF splits them at seams."""
    keys = np.round(mesh.vertices * 1e5).astype(np.int64)
    _, first, index = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    index = index.reshape(-1)
    merged = Mesh(mesh.vertices[first], index[mesh.faces].astype(np.int32), mesh.frame)
    return vertex_normals(merged.vertices, merged.faces)[index]


@dataclass(frozen=True)
class Shot:
    """A picture of a character, and where it was taken from.

    Attributes:
        pixels: (H, W, 3) uint8 sRGB.
        mask: (H, W) bool, where the character is.
        camera: the true camera, which a reconstruction from the picture does not get.
        camera_from_world: (4, 4).
    """

    pixels: np.ndarray
    mask: np.ndarray
    camera: Camera
    camera_from_world: np.ndarray


def photograph(
    character: Character, yaw_deg: float, *, seed: int = 0, width: int = 720, height: int = 960
) -> Shot:
    """Render a character in a place with ground, wall, sun, shadows and a little noise.

    Args:
        character: what to photograph.
        yaw_deg: from where: 0 looks at its +z side, 90 at its +x side.
        seed: of lens, distance, light and surroundings.
        width, height: of the picture in pixels.
    """
    rng = np.random.default_rng(seed)
    camera = Camera.from_fov(rng.uniform(38, 62), width, height)
    camera_from_world = _viewpoint(character, yaw_deg, camera, rng)
    # Rendered at twice the size and averaged down, against jagged edges.
    fine = camera.scaled(2, 2 * width, 2 * height)
    linear, mask = _shade(character, fine, camera_from_world, rng)
    linear = cv2.resize(linear, (width, height), interpolation=cv2.INTER_AREA)
    linear = cv2.GaussianBlur(linear, (0, 0), rng.uniform(0.3, 0.7))
    linear = linear / max(np.quantile(linear, 0.97), 1e-3) * rng.uniform(0.75, 0.95)
    pixels = 255 * np.clip(linear, 0, 1) ** (1 / 2.2) + rng.normal(0, 2.0, linear.shape)
    cover = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return Shot(
        np.clip(pixels + 0.5, 0, 255).astype(np.uint8), cover >= 0.5, camera, camera_from_world
    )


def _viewpoint(
    character: Character, yaw_deg: float, camera: Camera, rng: np.random.Generator
) -> np.ndarray:
    """A camera (4, 4) at about eye or chest height that has the whole character in view."""
    vertices = character.mesh.vertices.astype(np.float64)
    top = float(vertices[character.mesh.faces.ravel(), 1].max())
    yaw = np.deg2rad(yaw_deg)
    toward = np.array([np.sin(yaw), 0, np.cos(yaw)])
    eye_height = rng.uniform(0.6, 1.0) * top
    distance = 1.2
    while True:
        position = toward * distance + [0, eye_height, 0]
        rotation = view_rotation(np.array([0, top / 2, 0]) - position, np.array([0.0, 1, 0]))
        view = (vertices - position) @ rotation.T
        if (view[:, 2] > 0.2).all():
            pixels = camera.project(view)
            size = np.array([camera.width, camera.height])
            if (pixels > 0.06 * size).all() and (pixels < 0.94 * size).all():
                break
        distance += 0.05
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = rotation, -rotation @ position
    return matrix


def _shade(
    character: Character,
    camera: Camera,
    camera_from_world: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Linear RGB (H, W, 3) float32 of the character in its place, and its mask."""
    rotation, translation = camera_from_world[:3, :3], camera_from_world[:3, 3]
    mesh = character.mesh
    view = mesh.vertices.astype(np.float64) @ rotation.T + translation
    fragments = rasterize(camera.project(view), view[:, 2], mesh.faces, camera.width, camera.height)
    mask = fragments.mask
    sun = _sun(rotation, rng)
    shadow = _ShadowMap(mesh, sun)
    sun_color = rng.uniform(1.2, 2.4) * np.array([1.0, rng.uniform(0.88, 1), rng.uniform(0.7, 1)])
    sky_color = rng.uniform(0.35, 0.8) * np.array([rng.uniform(0.8, 1), 0.95, 1.0])
    ground_color = rng.uniform(0.15, 0.4, 3)

    picture = np.zeros((*mask.shape, 3), np.float32)
    pixels = np.argwhere(mask)[:, ::-1] + 0.5
    eye_points = camera.rays(pixels) * fragments.depth[mask][:, None]
    points = (eye_points - translation) @ rotation
    normals = fragments.interpolate(character.normals, mesh.faces)[mask].astype(np.float64)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    # Open shells are seen from behind, too: light the side that is looked at.
    away = np.sum(normals * (points - (-rotation.T @ translation)), axis=1) > 0
    normals[away] *= -1
    lit = shadow.lit(points + 0.004 * normals)
    direct = (np.clip(normals @ sun, 0, 1) * lit)[:, None] * sun_color
    up = (normals[:, 1:2] + 1) / 2
    ambient = up * sky_color + (1 - up) * ground_color
    picture[mask] = _albedo(character, fragments, mask) * (direct + ambient)
    _paint_surroundings(picture, ~mask, camera, rotation, translation, shadow, sun_color, rng)
    return picture, mask


def _sun(rotation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Unit vector to the sun, in the world: from above and mostly from the camera's side."""
    across, height, toward = rng.uniform(-1, 1), rng.uniform(0.5, 1.4), rng.uniform(-0.2, 1.0)
    right, backward = rotation[0], -rotation[2] * [1, 0, 1]
    vector = across * right + toward * backward + [0, height, 0]
    return vector / np.linalg.norm(vector)


def _albedo(character: Character, fragments: Any, mask: np.ndarray) -> np.ndarray:
    """Linear RGB (N, 3) of the pixels of the mask."""
    uv = fragments.interpolate(character.uvs, character.mesh.faces)[mask]
    part = character.face_part[fragments.face[mask]]
    out = np.zeros((len(uv), 3), np.float32)
    for number, texture in enumerate(character.textures):
        chosen = part == number
        if not chosen.any():
            continue
        height, width = texture.shape[:2]
        column = uv[chosen, 0] % 1 * width - 0.5
        row = (1 - uv[chosen, 1]) % 1 * height - 0.5
        # cv2.remap takes at most 32767 columns, so the list of pixels is folded.
        count = -(-len(column) // 1024) * 1024
        columns, rows = (
            np.resize(values, count).reshape(-1, 1024).astype(np.float32)
            for values in (column, row)
        )
        color = cv2.remap(texture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        out[chosen] = color.reshape(-1, 3)[: len(column)]
    return out


class _ShadowMap:
    """Which points a distant lamp reaches, past a mesh."""

    def __init__(self, mesh: Mesh, toward: np.ndarray, size: int = 1024) -> None:
        vertices = mesh.vertices.astype(np.float64)
        self._center = (vertices.min(0) + vertices.max(0)) / 2
        self._half = float(np.linalg.norm(vertices.max(0) - vertices.min(0))) * 0.55
        self._rotation = view_rotation(-toward, np.array([0.0, 1.0, 0.0]))
        self._size = size
        view = parallel_view(vertices, mesh.faces, self._rotation, self._center, self._half, size)
        # Back to metres from the centre, as :func:`parallel_view` adds its own distance.
        near = float((vertices - self._center).dot(self._rotation[2]).min())
        seen = view.depth[view.mask]
        self._depth = view.depth - (float(seen.min()) - near if seen.size else 0.0)

    def lit(self, points: np.ndarray) -> np.ndarray:
        """0..1 (N,) for world points (N, 3), soft over some texels."""
        view = (points - self._center) @ self._rotation.T
        pixel = (view[:, :2] / self._half + 1) * (self._size / 2)
        total = np.zeros(len(points))
        offsets = [(0, 0), (-2, 0), (2, 0), (0, -2), (0, 2)]
        for dx, dy in offsets:
            column = np.floor(pixel[:, 0] + dx).astype(int)
            row = np.floor(pixel[:, 1] + dy).astype(int)
            inside = (column >= 0) & (row >= 0) & (column < self._size) & (row < self._size)
            depth = np.full(len(points), np.inf)
            depth[inside] = self._depth[row[inside], column[inside]]
            total += view[:, 2] < depth + 0.012
        return total / len(offsets)


def _paint_surroundings(
    picture: np.ndarray,
    where: np.ndarray,
    camera: Camera,
    rotation: np.ndarray,
    translation: np.ndarray,
    shadow: _ShadowMap,
    sun_color: np.ndarray,
    rng: np.random.Generator,
) -> None:
    """Fill the pixels of ``where`` with a ground that takes shadows and a mottled wall or sky."""
    pixels = np.argwhere(where)[:, ::-1] + 0.5
    rays = camera.rays(pixels) @ rotation  # world directions
    position = -rotation.T @ translation
    wall_distance = rng.uniform(2.5, 9.0)
    forward = rotation[2] * [1, 0, 1]
    forward /= np.linalg.norm(forward)
    wall_t = (wall_distance + np.linalg.norm(position[[0, 2]])) / np.maximum(rays @ forward, 1e-3)
    ground_t = np.where(rays[:, 1] < -1e-4, -position[1] / np.minimum(rays[:, 1], -1e-4), np.inf)
    is_ground = ground_t < wall_t
    points = position + rays * np.minimum(ground_t, wall_t)[:, None]
    tones = rng.uniform(0.12, 0.75, (2, 1)) * rng.uniform(0.75, 1.0, (2, 3))
    right = np.cross(forward, [0, 1, 0])
    along = points @ right
    other = np.where(is_ground, points @ forward, points[:, 1])
    pattern = _noise(along, other, rng, 0.35) * 0.6 + _noise(along, other, rng, 0.03) * 0.25
    base = np.where(is_ground[:, None], tones[0], tones[1])
    light = np.where(is_ground, 0.35 + 0.5 * shadow.lit(points), 0.7)[:, None]
    picture[where] = base * (1 + 0.5 * pattern[:, None]) * light * (0.4 + 0.6 * sun_color)


def _noise(x: np.ndarray, y: np.ndarray, rng: np.random.Generator, cell: float) -> np.ndarray:
    """Smooth value noise (N,) in about -1..1, with features of ``cell`` metres."""
    table = rng.normal(size=(256, 256))
    u, v = x / cell, y / cell
    column, row = np.floor(u).astype(int), np.floor(v).astype(int)
    a, b = u - column, v - row
    a, b = a * a * (3 - 2 * a), b * b * (3 - 2 * b)
    value = np.zeros(len(x))
    for dy, wy in ((0, 1 - b), (1, b)):
        for dx, wx in ((0, 1 - a), (1, a)):
            value += wx * wy * table[(row + dy) % 256, (column + dx) % 256]
    return np.clip(value, -2, 2) / 2
