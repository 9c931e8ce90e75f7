"""Turn people, ground and light into the arrays that the drawing kernels take."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.image.color import srgb_decoded
from vitruvian.lab.synthesis import raster, shading
from vitruvian.lab.synthesis.lights import Light
from vitruvian.lab.synthesis.parts import Part, Surface
from vitruvian.lab.synthesis.wrinkles import wrinkle_volumes
from vitruvian.types.camera import Camera

# 0..255 in sixteenths to linear light.
GAMMA = srgb_decoded(np.arange(256 * 16) / 16 / 255).astype(np.float32)


@dataclass(frozen=True)
class Geometry:
    """Everything to draw, in the camera frame, with one index per vertex and texture corner.

    Attributes:
        points, rest, normals: (N, 3) float32; uvs: (N, 2) float32; folds: (N, 4) float32.
        faces: (F, 3) int32; part, instance: (F,) int32; label: (F,) uint8; solid: (F,) bool.
        cutout: (P,) uint8; texels: (M, 4) uint8; texture, normal_texture: (P, 3) int32.
        surface: (P, 24) float32; wrinkle_volume: (P, 3) int32; wrinkle_map: (P, 3, 3, 5) float32.
    """

    points: np.ndarray
    rest: np.ndarray
    normals: np.ndarray
    uvs: np.ndarray
    folds: np.ndarray
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
    corners = [_corners(p.faces, p.uv_faces, len(p.uvs)) for _, p, _ in parts]
    vertex_count = sum(len(place) for place, _, _ in corners)
    face_count = sum(len(faces) for _, _, faces in corners)
    points, rest, normals = (np.empty((vertex_count, 3), np.float32) for _ in range(3))
    uvs = np.empty((vertex_count, 2), np.float32)
    folds = np.zeros((vertex_count, 4), np.float32)
    joined = np.empty((face_count, 3), np.int32)
    part_of, instance_of = np.empty(face_count, np.int32), np.empty(face_count, np.int32)
    label, solid = np.empty(face_count, np.uint8), np.empty(face_count, np.uint8)
    at, face_at = 0, 0
    for k, ((instance, part, matrix), (place, where, faces)) in enumerate(
        zip(parts, corners, strict=True)
    ):
        rotation = matrix[:3, :3].T.astype(np.float32)
        stop, face_stop = at + len(place), face_at + len(faces)
        points[at:stop] = (part.vertices @ matrix[:3, :3].T + matrix[:3, 3])[place]
        normals[at:stop] = (part.normals @ rotation)[place]
        rest[at:stop] = part.rest[place]
        uvs[at:stop] = part.uvs[where]
        if part.folds is not None:
            folds[at:stop] = part.folds[place]
        np.add(faces, at, out=joined[face_at:face_stop], casting="unsafe")
        part_of[face_at:face_stop], instance_of[face_at:face_stop] = k, instance
        label[face_at:face_stop], solid[face_at:face_stop] = part.label, part.solid
        at, face_at = stop, face_stop
    looks = [part.surface for _, part, _ in parts]
    images = [image for look in looks for image in (look.texture, look.normal_map)]
    texels, places = _TEXELS.hold([image for image in images if image is not None])
    nowhere = (0, 0, 0)
    texture = [places[id(look.texture)] for look in looks]
    normal_texture = [
        nowhere if look.normal_map is None else places[id(look.normal_map)] for look in looks
    ]
    table, volume, maps = _surfaces(looks)
    return Geometry(
        points=points, rest=rest, normals=normals, uvs=uvs, folds=folds, faces=joined, part=part_of,
        instance=instance_of, label=label, solid=solid,
        cutout=np.array([look.cutout for look in looks], np.uint8), texels=texels,
        texture=np.array(texture, np.int32), normal_texture=np.array(normal_texture, np.int32),
        surface=table, wrinkle_volume=volume, wrinkle_map=maps,
    )  # fmt: skip


def _surfaces(looks: Sequence[Surface]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The table of surfaces, and volumes and maps of their wrinkles."""
    table = np.zeros((len(looks), shading.COLUMNS), np.float32)
    volume = np.full((len(looks), 3), -1, np.int32)
    maps = np.zeros((len(looks), 3, 3, 5), np.float32)
    for k, look in enumerate(looks):
        row = table[k]
        row[0:3] = look.tint
        row[shading.GLOSS], row[shading.SHININESS] = look.gloss, look.shininess
        row[shading.SCATTER], row[shading.RECOLOR] = look.scatter, look.recolor
        row[shading.MEAN] = _mean_luminance(look.texture)
        row[shading.CONTRAST], row[shading.CREASE] = look.contrast, look.crease
        if look.pattern is not None:
            kind, frequency, duty, second, direction = look.pattern
            row[shading.PATTERN], row[shading.FREQUENCY], row[shading.DUTY] = kind, frequency, duty
            row[10:13], row[14:17] = second, direction
        if look.wrinkles is not None:
            volume[k], maps[k] = look.wrinkles
    return table, volume, maps


class _Texels:
    """Textures end to end in one array, kept from picture to picture: copying them costs more."""

    MOST = 16 << 20  # texels; 64 MiB

    def __init__(self) -> None:
        self._texels = np.empty((0, 4), np.uint8)
        self._known: dict[int, tuple[np.ndarray, tuple[int, int, int]]] = {}
        self._used = 0

    def hold(
        self, images: Sequence[np.ndarray]
    ) -> tuple[np.ndarray, dict[int, tuple[int, int, int]]]:
        """All texels (M, 4) uint8, and by id offset, height and width of each image (h, w, 4)."""
        wanted = {id(image): image for image in images}
        new = [image for name, image in wanted.items() if not self._has(name, image)]
        needed = self._used + sum(image.size // 4 for image in new)
        if new and needed > max(self.MOST, len(self._texels)):
            # Begin anew: what was handed out before keeps its own array.
            self._known, self._used, new = {}, 0, list(wanted.values())
            needed = sum(image.size // 4 for image in new)
            self._texels = np.empty((needed, 4), np.uint8)
        if needed > len(self._texels):
            grown = np.empty((max(needed, min(2 * len(self._texels), self.MOST)), 4), np.uint8)
            grown[: self._used] = self._texels[: self._used]
            self._texels = grown
        for image in new:
            stop = self._used + image.size // 4
            self._texels[self._used : stop] = image.reshape(-1, 4)
            # The image is kept, too, as its id could pass to another.
            self._known[id(image)] = (image, (self._used, image.shape[0], image.shape[1]))
            self._used = stop
        return self._texels, {name: self._known[name][1] for name in wanted}

    def _has(self, name: int, image: np.ndarray) -> bool:
        known = self._known.get(name)
        return known is not None and known[0] is image


_TEXELS = _Texels()

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
    points = np.empty_like(geometry.points)
    raster.project(geometry.points, camera.focal_px, *camera.principal_point, supersample, points)
    chosen = np.arange(len(geometry.faces)) if only is None else np.flatnonzero(only)
    depth = np.full((height, width), -np.inf if far else np.inf, np.float32)
    face = np.full((height, width), -1, np.int32)
    weight = np.zeros((height, width, 2), np.float32)
    raster.rasterize_surface(
        points, chosen.astype(np.int32), geometry.faces, geometry.uvs, geometry.part,
        geometry.cutout, geometry.texels, geometry.texture, far, depth, face, weight,
    )  # fmt: skip
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
    lit: np.ndarray | bool = True,
    threads: int = 1,
) -> Shaded:
    """Light the samples; ``share`` shades a part once per pixel (small pictures).

    ``lit``: all, none, or (H, W) bool pixels whose colour is wanted, not their normals and albedo
    alone.
    """
    n = samples.supersample
    height, width = samples.face.shape[0] // n, samples.face.shape[1] // n
    color, normals, albedo = (np.zeros((height, width, 3), np.float32) for _ in range(3))
    wanted = np.ascontiguousarray(np.broadcast_to(lit, (height, width)), np.uint8)

    def rows(start: int, stop: int) -> None:
        shading.shade_rows(
            start, stop, n, samples.depth, samples.face, samples.weight, geometry.points,
            geometry.rest, geometry.normals, geometry.uvs, geometry.folds, geometry.faces,
            geometry.part, geometry.texels, geometry.texture, geometry.normal_texture,
            geometry.surface,
            geometry.wrinkle_volume, geometry.wrinkle_map, wrinkle_volumes(), GAMMA,
            light.harmonics, light.lamp_directions, light.lamp_colors, shadows.lamp_radius,
            shadows.views, shadows.maps, shadows.bias, far, share, wanted, color, normals, albedo,
        )  # fmt: skip

    if threads <= 1:
        rows(0, height)
    else:
        edges = np.linspace(0, height, 8 * threads + 1).astype(int)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(rows, edges[:-1].tolist(), edges[1:].tolist()))
    coverage = pixel_share(samples.face >= 0, n)
    length = np.sqrt(np.einsum("ijk,ijk->ij", normals, normals))[..., None]
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
    used = np.zeros(len(geometry.points), np.uint8)
    used[faces] = 1
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
        low, high = np.empty(2), np.empty(2)
        raster.extent(geometry.points, used, axes, low, high)
        scale[m] = (resolution - 4) / max(float((high - low).max()), 1e-3)
        views[m, :2, :3] = axes[:2] * scale[m]
        views[m, :2, 3] = 2 - low * scale[m]
        views[m, 2, :3] = axes[2]
        views[m, 2, 4:] = travel
        mapped = np.empty_like(geometry.points)
        raster.map_points(geometry.points, views[m], mapped)
        raster.rasterize_shadow(
            mapped, faces, geometry.uvs, part, geometry.cutout, geometry.texels,
            geometry.texture, maps[m],
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
