"""The sculpture's relief on the avatar: wrinkles as a normal map in the avatar's own atlas."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from vitruvian.geometry.atlas import TexelMap, texel_map
from vitruvian.geometry.normal_map import surface_normals
from vitruvian.geometry.normals import vertex_normals
from vitruvian.networks.maps import draw_body
from vitruvian.surface.finish.normal_map import SIZE, with_normal_map
from vitruvian.surface.maps import SurfaceMaps
from vitruvian.types.body import ParametricModel
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

_LONGER_PX = 384  # of the figure, in the pictures that relief is carried over in


@lru_cache(maxsize=2)
def _body_texels(model: ParametricModel) -> TexelMap:
    return texel_map(model.uvs, model.uv_faces, SIZE)


def relief_of(
    mesh: Mesh, sculpture: Mesh, camera: Camera, model: ParametricModel
) -> np.ndarray | None:
    """A normal map (H, W, 3) uint8 that gives a layer what of the sculpture it is too coarse for.

    Both surfaces are drawn from the camera, their nearest and their farthest side. Where they are
    the same to a few centimetres, what is fine of the difference of their normals goes into the
    map; a hand before a skirt does not.

    Args:
        mesh: the avatar in the photograph's pose, camera frame: in the body model's topology and
            texture coordinates, or with ``body_vertices`` and coordinates of its own.
        sculpture: the surface that the photograph shows, camera frame, with or without a normal
            map.
        camera: of the photograph.
        model: the body model.

    Returns:
        None where nothing of it is in view.
    """
    pixels = camera.project(sculpture.vertices)
    low = np.maximum(np.floor(pixels.min(0)), 0).astype(int)
    high = np.minimum(np.ceil(pixels.max(0)), [camera.width, camera.height]).astype(int)
    if (high - low).min() < 8:
        return None
    scale = _LONGER_PX / float((high - low).max())
    width, height = (max(8, round(float(side) * scale)) for side in high - low)
    window = camera.window(int(low[0]), int(low[1]), scale, width, height)
    normals = vertex_normals(sculpture.vertices, sculpture.faces)
    drawn = draw_body(sculpture.vertices, sculpture.faces, normals, window, 0.0, 1.0)
    near, far = (surface_normals(sculpture, one) for one in (drawn.front, drawn.back))
    beneath, texels = mesh.body_vertices, None
    if beneath is None:
        beneath = np.arange(len(mesh.vertices), dtype=np.int32)
        texels = _body_texels(model)
    return with_normal_map(
        replace(mesh, body_vertices=beneath),
        SurfaceMaps(window, near, far),
        model,
        depths=np.stack([drawn.front_depth, drawn.back_depth]),
        texels=texels,
    ).normal_map
