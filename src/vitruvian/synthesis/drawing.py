"""From people, ground and light to pictures and buffers: the arrays that the kernels want."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.image.camera import Camera
from vitruvian.synthesis import raster, shading
from vitruvian.synthesis.lights import Light
from vitruvian.synthesis.parts import Part, vertex_normals
from vitruvian.synthesis.wrinkles import wrinkle_volumes

# 0..255 in sixteenths to linear light (sRGB's curve, IEC 61966-2-1).
_LEVELS = np.arange(256 * 16) / 16 / 255
GAMMA = np.where(_LEVELS <= 0.04045, _LEVELS / 12.92, ((_LEVELS + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)


@dataclass(frozen=True)
class Geometry:
    """Everything to draw, in the camera frame, with one index per vertex and texture corner.

    Attributes:
        points, rest, normals: (N, 3) float32; uvs: (N, 2) float32.
        faces: (F, 3) int32; part, instance: (F,) int32; label: (F,) uint8; solid: (F,) bool.
        cutout: (P,) uint8; texels: (M, 4) uint8; texture, normal_texture: (P, 3) int32.
        surface: (P, 24) float32; wrinkle_volume: (P, 3) int32; wrinkle_map: (P, 3, 3, 5) float32.
    """

    points: np.ndarray
    rest: np.ndarray
    normals: np.ndarray
    uvs: np.ndarray
    faces: np.ndarray
    part: np.ndarray
    instance: np.ndarray
    label: np.ndarray
    solid: np.ndarray
    cutout: np.ndarray
    texels: np.ndarray
    texture: np.ndarray
    normal_texture: np.ndarray
    surface: np.ndarray
    wrinkle_volume: np.ndarray
    wrinkle_map: np.ndarray

    def only(self, keep: np.ndarray) -> Geometry:
        """The geometry with the faces ``keep`` (F,) bool alone."""
        return replace(
            self,
            faces=np.ascontiguousarray(self.faces[keep]),
            part=np.ascontiguousarray(self.part[keep]),
            instance=self.instance[keep],
            label=self.label[keep],
            solid=self.solid[keep],
        )


def gather(parts: Sequence[tuple[int, Part, np.ndarray]]) -> Geometry:
    """Join parts, each with its instance (0 = scenery) and its ``camera_from_part`` (4, 4)."""
    blocks: dict[str, list[np.ndarray]] = {
        n: []
        for n in ("points", "rest", "normals", "uvs", "faces", "part", "instance", "label", "solid")
    }
    textures: dict[int, tuple[int, int, int]] = {}
    texels: list[np.ndarray] = []
    used = 0
    table = np.zeros((len(parts), shading.COLUMNS), np.float32)
    texture = np.zeros((len(parts), 3), np.int32)
    normal_texture = np.zeros((len(parts), 3), np.int32)
    volume = np.full((len(parts), 3), -1, np.int32)
    maps = np.zeros((len(parts), 3, 3, 5), np.float32)

    def store(image: np.ndarray) -> tuple[int, int, int]:
        nonlocal used
        if id(image) not in textures:
            textures[id(image)] = (used, image.shape[0], image.shape[1])
            texels.append(image.reshape(-1, 4))
            used += image.shape[0] * image.shape[1]
        return textures[id(image)]

    offset = 0
    for k, (instance, part, matrix) in enumerate(parts):
        vertices = part.vertices @ matrix[:3, :3].T + matrix[:3, 3]
        normals = vertex_normals(vertices, part.faces)
        place, where, faces = _corners(part.faces, part.uv_faces, len(part.uvs))
        blocks["points"].append(vertices[place])
        blocks["rest"].append(part.rest[place])
        blocks["normals"].append(normals[place])
        blocks["uvs"].append(part.uvs[where])
        blocks["faces"].append(faces + offset)
        count = len(faces)
        blocks["part"].append(np.full(count, k))
        blocks["instance"].append(np.full(count, instance))
        blocks["label"].append(np.full(count, part.label))
        blocks["solid"].append(np.full(count, part.solid))
        offset += len(place)
        look = part.surface
        texture[k] = store(look.texture)
        if look.normal_map is not None:
            normal_texture[k] = store(look.normal_map)
        row = table[k]
        row[0:3] = look.tint
        row[shading.GLOSS], row[shading.SHININESS] = look.gloss, look.shininess
        row[shading.SCATTER], row[shading.RECOLOR] = look.scatter, look.recolor
        row[shading.MEAN] = _mean_luminance(look.texture)
        row[shading.CONTRAST] = look.contrast
        if look.pattern is not None:
            kind, frequency, duty, second, direction = look.pattern
            row[shading.PATTERN], row[shading.FREQUENCY], row[shading.DUTY] = kind, frequency, duty
            row[10:13], row[14:17] = second, direction
        if look.wrinkles is not None:
            volume[k], maps[k] = look.wrinkles
    joined = {name: np.concatenate(values) for name, values in blocks.items()}

    def array(name: str, kind: type) -> np.ndarray:
        return np.ascontiguousarray(joined[name], dtype=kind)

    return Geometry(
        points=array("points", np.float32),
        rest=array("rest", np.float32),
        normals=array("normals", np.float32),
        uvs=array("uvs", np.float32),
        faces=array("faces", np.int32),
        part=array("part", np.int32),
        instance=array("instance", np.int32),
        label=array("label", np.uint8),
        solid=array("solid", np.uint8),
        cutout=np.array([p.surface.cutout for _, p, _ in parts], np.uint8),
        texels=np.concatenate(texels),
        texture=texture,
        normal_texture=normal_texture,
        surface=table,
        wrinkle_volume=volume,
        wrinkle_map=maps,
    )


# Parts are drawn many times: their pairs of vertex and texture corner are kept.
_CORNERS: dict[
    tuple[int, int], tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray]]
] = {}


def _corners(
    faces: np.ndarray, uv_faces: np.ndarray, uv_count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distinct (vertex, texture corner) pairs and the faces over them."""
    name = (id(faces), id(uv_faces))
    known = _CORNERS.get(name)
    if known is None or known[0] is not faces or known[1] is not uv_faces:
        key = faces.astype(np.int64).ravel() * uv_count + uv_faces.ravel()
        distinct, inverse = np.unique(key, return_inverse=True)
        found = (distinct // uv_count, distinct % uv_count, inverse.reshape(-1, 3))
        if len(_CORNERS) > 200:
            _CORNERS.clear()
        known = _CORNERS[name] = (faces, uv_faces, found)
    return known[2]


_MEANS: dict[int, tuple[np.ndarray, float]] = {}


def _mean_luminance(image: np.ndarray) -> float:
    """Mean linear luminance of the opaque texels (cached: textures are shared)."""
    known = _MEANS.get(id(image))
    if known is None or known[0] is not image:
        flat = image.reshape(-1, 4)[:: max(1, image.size // 4 // 16384)]
        flat = flat[flat[:, 3] > 100]
        linear = GAMMA[flat[:, :3].astype(np.int64) * 16] if len(flat) else np.ones((1, 3))
        known = (image, max(0.01, float((linear @ [0.25, 0.65, 0.1]).mean())))
        if len(_MEANS) > 400:
            _MEANS.clear()
        _MEANS[id(image)] = known
    return known[1]


@dataclass(frozen=True)
class Samples:
    """What each of supersample**2 samples per pixel sees.

    Attributes:
        depth: (S, S') float32 metres, inf where empty (-inf for the farthest surface).
        face: (S, S') int32, -1 where empty.
        weight: (S, S', 2) float32 weights of corners 1 and 2.
        supersample: samples per pixel and axis.
    """

    depth: np.ndarray
    face: np.ndarray
    weight: np.ndarray
    supersample: int


def rasterize(
    geometry: Geometry,
    camera: Camera,
    supersample: int,
    *,
    far: bool = False,
    only: np.ndarray | None = None,
) -> Samples:
    """The nearest (or farthest) surface at every sample; ``only`` (F,) bool selects faces."""
    height, width = camera.height * supersample, camera.width * supersample
    z = np.ascontiguousarray(geometry.points[:, 2])
    safe = np.where(z > 0.01, z, 1)
    points = geometry.points[:, :2] / safe[:, None] * camera.focal_px + camera.principal_point
    faces, part = geometry.faces, geometry.part
    index = None
    if only is not None:
        index = np.flatnonzero(only).astype(np.int32)
        faces, part = np.ascontiguousarray(faces[index]), np.ascontiguousarray(part[index])
    depth = np.full((height, width), -np.inf if far else np.inf, np.float32)
    face = np.full((height, width), -1, np.int32)
    weight = np.zeros((height, width, 2), np.float32)
    raster.rasterize_surface(
        np.ascontiguousarray(points * supersample, np.float32), z, faces, geometry.uvs, part,
        geometry.cutout, geometry.texels, geometry.texture, far, depth, face, weight,
    )  # fmt: skip
    if index is not None and len(index):
        face = np.where(face >= 0, index[face], -1).astype(np.int32)
    return Samples(depth, face, weight, supersample)


@dataclass(frozen=True)
class Shaded:
    """Averages over the samples that hit something.

    Attributes:
        color: (H, W, 3) float32 linear light, times the coverage.
        coverage: (H, W) float32 share of samples that hit something.
        normals: (H, W, 3) float32 unit, camera frame; 0 where empty.
        albedo: (H, W, 3) float32 linear, times the coverage.
    """

    color: np.ndarray
    coverage: np.ndarray
    normals: np.ndarray
    albedo: np.ndarray


def shade(
    geometry: Geometry,
    samples: Samples,
    light: Light,
    shadows: Shadows,
    *,
    far: bool = False,
    share: bool = False,
    threads: int = 1,
) -> Shaded:
    """Light the samples; ``share`` shades a part once per pixel (small pictures)."""
    n = samples.supersample
    height, width = samples.face.shape[0] // n, samples.face.shape[1] // n
    color, normals, albedo = (np.zeros((height, width, 3), np.float32) for _ in range(3))

    def rows(start: int, stop: int) -> None:
        shading.shade_rows(
            start, stop, n, samples.depth, samples.face, samples.weight, geometry.points,
            geometry.rest, geometry.normals, geometry.uvs, geometry.faces, geometry.part,
            geometry.texels, geometry.texture, geometry.normal_texture, geometry.surface,
            geometry.wrinkle_volume, geometry.wrinkle_map, wrinkle_volumes(), GAMMA,
            light.harmonics, light.lamp_directions, light.lamp_colors, shadows.lamp_radius,
            shadows.views, shadows.maps, shadows.bias, far, share, color, normals, albedo,
        )  # fmt: skip

    if threads <= 1:
        rows(0, height)
    else:
        edges = np.linspace(0, height, 8 * threads + 1).astype(int)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(rows, edges[:-1].tolist(), edges[1:].tolist()))
    coverage = pixel_share(samples.face >= 0, n)
    length = np.linalg.norm(normals, axis=2, keepdims=True)
    return Shaded(color / n**2, coverage, normals / np.maximum(length, 1e-9), albedo / n**2)


def pixel_share(hit: np.ndarray, supersample: int) -> np.ndarray:
    """Share of each pixel's samples that are set, (H, W) float32."""
    n = supersample
    total = np.zeros((hit.shape[0] // n, hit.shape[1] // n), np.float32)
    for row in range(n):
        for column in range(n):
            total += hit[row::n, column::n]
    return total / np.float32(n * n)


@dataclass(frozen=True)
class Shadows:
    """Depth maps from the lamps and from directions over the sky.

    Attributes:
        views: (M, 3, 7) float32: rows to map x, map y, map depth of a camera-frame point (the
            fourth column shifts); in the last row columns 4-6 are the light's direction of travel.
        maps: (M, R, R) float32 depths.
        bias: (M,) float32 metres.
        lamp_radius: (L,) float32 radius of a lamp's penumbra in map pixels; 0 = one tap.
    """

    views: np.ndarray
    maps: np.ndarray
    bias: np.ndarray
    lamp_radius: np.ndarray


def cast_shadows(
    geometry: Geometry,
    light: Light,
    casters: np.ndarray,
    *,
    resolution: int,
    softness: float = 0.0,
    threads: int = 1,
) -> Shadows:
    """Shadow maps of the faces ``casters`` (F,) bool, for every lamp and sky direction.

    ``softness``: radius of a penumbra in metres.
    """
    faces = np.ascontiguousarray(geometry.faces[casters])
    part = np.ascontiguousarray(geometry.part[casters])
    used = geometry.points[np.unique(faces)]
    directions = np.concatenate([light.lamp_directions, light.sky_directions])
    views = np.zeros((len(directions), 3, 7), np.float32)
    maps = np.full((len(directions), resolution, resolution), np.inf, np.float32)
    scale = np.zeros(len(directions))

    def one(m: int) -> None:
        travel = -directions[m] / np.linalg.norm(directions[m])
        other = np.eye(3)[np.abs(travel).argmin()]
        right = np.cross(other, travel)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(travel, right), travel])
        seen = used @ axes.T
        low, high = seen[:, :2].min(0), seen[:, :2].max(0)
        scale[m] = (resolution - 4) / max(float((high - low).max()), 1e-3)
        views[m, :2, :3] = axes[:2] * scale[m]
        views[m, :2, 3] = 2 - low * scale[m]
        views[m, 2, :3] = axes[2]
        views[m, 2, 4:] = travel
        mapped = geometry.points @ views[m, :, :3].T + views[m, :, 3]
        raster.rasterize_shadow(
            np.ascontiguousarray(mapped[:, :2], np.float32),
            np.ascontiguousarray(mapped[:, 2], np.float32),
            faces, geometry.uvs, part, geometry.cutout, geometry.texels, geometry.texture, maps[m],
        )  # fmt: skip

    if threads <= 1:
        for m in range(len(directions)):
            one(m)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, range(len(directions))))
    bias = (2.0 / scale + 0.006).astype(np.float32)
    lamps = len(light.lamp_directions)
    return Shadows(views, maps, bias, (softness * scale[:lamps]).astype(np.float32))
