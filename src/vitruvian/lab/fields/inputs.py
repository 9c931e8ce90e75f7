"""What a learnt field is told of a person, pixel by pixel and point by point.

Depths are behind the fitted body's root joint, in units of its stature, so that neither the
distance nor the size of a person matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.lab.fields.networks import GAIN, PICTURES, POINT_FEATURES
from vitruvian.networks.maps import PART_CLASSES, PersonMaps, draw_body
from vitruvian.surface.maps import figure_box, warped, window_alpha
from vitruvian.surface.volume.ray_spans import Spans
from vitruvian.surface.volume.separation import signed_distance
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh

LAYERS = 3
BEYOND = 0.06  # statures of the range of depths before the front and behind the back
_FARTHEST = 0.1  # statures at which distances end
_GROUPS = (("skin",), ("top", "dress", "coat"), ("bottom",), ("hair", "accessory", "bag"))


@dataclass(frozen=True)
class FieldInputs:
    """What is known of a person in one window of the photograph.

    Attributes:
        camera: of the window, H x W pixels.
        root_m: z of the fitted body's root joint; stature_m: its stature; metres.
        layers: (2, 3, H, W) float32 entries and exits of the surface at hand, at most three spans
            (the last reaches to the last exit), in statures behind the root; where there are
            fewer, both lie at the end of the range.
        covered: (H, W) bool, rays of the figure that meet the surface at hand.
        span: least and greatest depth in statures behind the root that the field is about.
        pictures: (26, H, W) float32, see ``networks.field.PICTURES``.
        body: fitted, camera frame.
    """

    camera: Camera
    root_m: float
    stature_m: float
    layers: np.ndarray
    covered: np.ndarray
    span: tuple[float, float]
    pictures: np.ndarray
    body: Mesh

    def picture(self, name: str) -> np.ndarray:
        """(H, W) one of ``PICTURES``."""
        picture: np.ndarray = self.pictures[PICTURES.index(name)]
        return picture

    def in_range(self, depth: np.ndarray) -> np.ndarray:
        """Depths in statures as shares 0..1 of the range."""
        low, high = self.span
        return np.clip((depth - low) / (high - low), 0, 1)


def field_inputs(
    spans: Spans,
    rim_m: np.ndarray,
    window: Camera,
    camera: Camera,
    *,
    alpha: Alpha,
    photo_camera: Camera,
    maps: PersonMaps,
    body: Mesh,
    root_m: float,
    stature_m: float,
) -> FieldInputs:
    """Gather what is known of a person.

    Args:
        spans: the surface at hand along the rays of ``window``.
        rim_m: (h, w) float32 of ``window``, distance to the outline, metres, positive inside.
        window: a window of the photograph.
        camera: that of the pixels wanted, another window.
        alpha: the person's matte; photo_camera: of the photograph that it belongs to.
        maps: what the maps network says.
        body: fitted, camera frame; root_m, stature_m: its root's z and its stature, metres.
    """

    def relative(depth: np.ndarray) -> np.ndarray:
        return (depth - np.float32(root_m)) / np.float32(stature_m)

    rows, columns, inside = nearest_pixels(window, camera)
    distance = np.where(inside, rim_m[rows, columns] / stature_m, -_FARTHEST)
    covered = (spans.count[rows, columns] > 0) & (distance > 0)
    count = spans.count[rows, columns]
    entries = relative(spans.entries[rows, columns])[..., :LAYERS]
    exits = relative(spans.exits[rows, columns])
    last = np.take_along_axis(exits, np.maximum(count - 1, 0)[..., None], 2)[..., 0]
    exits = np.ascontiguousarray(exits[..., :LAYERS])
    exits[..., -1] = np.where(count > LAYERS, last, exits[..., -1])
    there = (np.arange(LAYERS) < count[..., None]) & covered[..., None]
    if covered.any():
        low, high = float(entries[there].min()) - BEYOND, float(exits[there].max()) + BEYOND
    else:
        low, high = -BEYOND, BEYOND
    layers = np.stack([np.where(there, entries, high), np.where(there, exits, high)])
    crop = maps.crop.camera(photo_camera)
    drawn = draw_body(
        body.vertices,
        body.faces,
        vertex_normals(body.vertices, body.faces),
        camera,
        root_m,
        stature_m,
    )

    def seen(picture: np.ndarray) -> np.ndarray:
        return warped(picture, crop, camera, smooth=True)

    parts = np.stack(
        [np.isin(maps.parts, [PART_CLASSES.index(name) for name in group]) for group in _GROUPS],
        axis=2,
    )
    front = np.where(covered, layers[0, ..., 0], 0)
    back = np.where(covered, last, 0)
    pictures = [
        window_alpha(alpha, photo_camera, camera)[..., None],
        np.clip(distance, -_FARTHEST, _FARTHEST)[..., None],
        seen(maps.front_normals),
        seen(maps.back_normals),
        seen(np.stack([maps.front_depth, maps.back_depth], 2)),
        drawn.front_normals,
        drawn.back_normals,
        np.stack([drawn.front_depth, drawn.back_depth, drawn.covered], 2),
        seen(parts.astype(np.float32)),
        np.stack([front, back, np.minimum(count, LAYERS) * covered], 2),
    ]
    stacked = np.concatenate(pictures, 2, dtype=np.float32).transpose(2, 0, 1)
    return FieldInputs(
        camera,
        root_m,
        stature_m,
        np.ascontiguousarray(layers.transpose(0, 3, 1, 2), np.float32),
        covered,
        (low, high),
        np.ascontiguousarray(stacked),
        body,
    )


def nearest_pixels(window: Camera, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows, columns (H, W) of ``window`` nearest to the pixels of ``camera``, and (H, W) bool
    where they are inside it."""
    scale = window.focal_px / camera.focal_px
    (cx, cy), (ox, oy) = window.principal_point, camera.principal_point
    x = np.floor(scale * (np.arange(camera.width) + 0.5 - ox) + cx).astype(int)
    y = np.floor(scale * (np.arange(camera.height) + 0.5 - oy) + cy).astype(int)
    inside = ((y >= 0) & (y < window.height))[:, None] & ((x >= 0) & (x < window.width))
    x, y = np.clip(x, 0, window.width - 1), np.clip(y, 0, window.height - 1)
    rows, columns = np.broadcast_arrays(y[:, None], x)
    return rows, columns, inside


def signed_along_ray(
    inputs: FieldInputs, rows: np.ndarray, columns: np.ndarray, depth: np.ndarray
) -> np.ndarray:
    """Signed distance (N,) in statures to the surface at hand, at most that to the outline.

    Args:
        rows, columns: (N,) pixels.
        depth: (N,) statures behind the root.
    """
    entries, exits = inputs.layers[:, :, rows, columns]
    signed = np.minimum(depth - entries, exits - depth).max(0)
    signed = np.where(inputs.covered[rows, columns], signed, -_FARTHEST)
    return np.minimum(signed, inputs.picture("rim")[rows, columns])


def point_features(
    inputs: FieldInputs, rows: np.ndarray, columns: np.ndarray, depth: np.ndarray
) -> np.ndarray:
    """``POINT_FEATURES`` (N, 32) float32 of points on the rays of pixels.

    Args:
        rows, columns: (N,) pixels, int.
        depth: (N,) float32 statures behind the root.
    """
    camera, root, stature = inputs.camera, inputs.root_m, inputs.stature_m
    z = root + stature * depth
    cx, cy = camera.principal_point
    x = (columns + 0.5 - cx) / camera.focal_px * z
    y = (rows + 0.5 - cy) / camera.focal_px * z
    points = np.stack([x, y, z], axis=1).astype(np.float32)
    normals = vertex_normals(inputs.body.vertices, inputs.body.faces)
    everything = np.ones(len(normals), bool)
    distance, nearest = signed_distance(body_model(), points, inputs.body, normals, everything)
    entries, exits = inputs.layers[:, :, rows, columns]
    # Its own layer is the one whose middle is nearest.
    own = np.abs(depth - 0.5 * (entries + exits)).argmin(0)
    at = np.arange(len(rows))
    of = dict(zip(PICTURES, inputs.pictures[:, rows, columns], strict=True))
    center = inputs.body.vertices[:, 1].mean()
    values = {
        **of,
        "signed": GAIN * signed_along_ray(inputs, rows, columns, depth),
        "to_front": GAIN * (depth - of["front"]),
        "to_back": GAIN * (of["back"] - depth),
        "to_layer_front": GAIN * (depth - entries[own, at]),
        "to_layer_back": GAIN * (exits[own, at] - depth),
        "first_layer": own == 0,
        "to_body_front": GAIN * (depth - of["body_front_depth"]),
        "to_body_back": GAIN * (of["body_back_depth"] - depth),
        "body_distance": GAIN * distance / stature,
        **{f"body_{axis}": normals[nearest, k] for k, axis in enumerate("xyz")},
        "to_network_front": GAIN * (depth - of["front_depth"]),
        "to_network_back": GAIN * (of["back_depth"] - depth),
        # How far the seen normals are turned from the fitted body's.
        **{
            f"{side}_turn": sum(of[f"{side}_{a}"] * of[f"body_{side}_{a}"] for a in "xyz")
            for side in ("front", "back")
        },
        "rim": GAIN * of["rim"],
        "height": (y - center) / stature * 2,
        "depth": 4 * depth,
    }
    features = np.stack([values[name] for name in POINT_FEATURES], axis=1)
    return np.clip(features, -4, 4).astype(np.float32)


def resized_series(series: np.ndarray, own: Camera, camera: Camera) -> np.ndarray:
    """Coefficients (16, h, w) of the window ``own`` as another window shows them (16, H, W)."""
    picture = np.ascontiguousarray(series.transpose(1, 2, 0), np.float32)
    # OpenCV warps at most four channels at once.
    pieces = [
        warped(np.ascontiguousarray(picture[..., k : k + 4]), own, camera)
        for k in range(0, picture.shape[2], 4)
    ]
    return np.concatenate(pieces, 2).transpose(2, 0, 1)


def square_camera(
    mesh: Mesh, alpha: Alpha, camera: Camera, size: int, margin: float = 0.06
) -> Camera:
    """A square window of ``size`` pixels around body and matte, with a share of it as margin."""
    low, high = figure_box(mesh, alpha, camera)
    side = float((high - low).max()) / (1 - 2 * margin)
    x, y = (low + high - side) / 2
    return camera.window(float(x), float(y), size / side, size, size)
