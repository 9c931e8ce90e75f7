"""Shapes with known answers for the file formats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.formats.rig import Rig
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.mesh import Mesh

# Colours of the quarters of the atlas: as seen in an image, so row 0 is the top.
TOP_LEFT, TOP_RIGHT = (220, 30, 30), (30, 200, 30)
BOTTOM_LEFT, BOTTOM_RIGHT = (30, 30, 220), (230, 210, 20)


def quarter_atlas(size: int = 64) -> np.ndarray:
    """An (size, size, 3) uint8 picture with a colour of its own in each quarter."""
    half = size // 2
    atlas = np.empty((size, size, 3), np.uint8)
    atlas[:half, :half], atlas[:half, half:] = TOP_LEFT, TOP_RIGHT
    atlas[half:, :half], atlas[half:, half:] = BOTTOM_LEFT, BOTTOM_RIGHT
    return atlas


def bumps(size: int = 64) -> np.ndarray:
    """A normal map (size, size, 3) uint8 that leans right in the left half, up in the right."""
    out = np.empty((size, size, 3), np.uint8)
    out[:, : size // 2], out[:, size // 2 :] = (198, 128, 234), (128, 198, 234)
    return out


def tube(rings: int = 12, sides: int = 10, *, frame: str = "world") -> Mesh:
    """A closed cylinder from y = 0 to 1, radius 0.15, with a texture seam down its side.

    The sides' texture runs around (u) and from the bottom (v = 0) to the top (v = 1); the caps
    use one texture coordinate each, so cap corners share a coordinate between vertices.
    """
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    height = np.linspace(0, 1, rings)
    ring = np.stack([0.15 * np.sin(angle), 0 * angle, 0.15 * np.cos(angle)], 1)
    vertices = np.concatenate(
        [ring + np.array([0, y, 0]) for y in height] + [[[0, 0, 0], [0, 1, 0]]]
    )
    u, v = np.meshgrid(np.linspace(0, 1, sides + 1), height)
    uvs = np.concatenate([np.stack([u.ravel(), v.ravel()], 1), [[0.25, 0.25], [0.75, 0.75]]])
    faces, uv_faces = [], []
    bottom, top = rings * sides, rings * sides + 1
    for r in range(rings - 1):
        for s in range(sides):
            a, b = r * sides + s, r * sides + (s + 1) % sides
            ta = r * (sides + 1) + s
            faces += [(a, b, b + sides), (a, b + sides, a + sides)]
            uv_faces += [(ta, ta + 1, ta + sides + 2), (ta, ta + sides + 2, ta + sides + 1)]
    for s in range(sides):
        n = (s + 1) % sides
        faces += [(bottom, n, s), (top, (rings - 1) * sides + s, (rings - 1) * sides + n)]
        uv_faces += [(len(uvs) - 2,) * 3, (len(uvs) - 1,) * 3]
    return Mesh(
        vertices=vertices.astype(np.float32),
        faces=np.array(faces, np.int32),
        frame=frame,  # type: ignore[arg-type]
        uvs=uvs.astype(np.float32),
        uv_faces=np.array(uv_faces, np.int32),
        texture=quarter_atlas(),
    )


JOINT_HEIGHTS = np.array([0.1, 0.4, 0.7])


def rigged_tube(*, seed: int = 0) -> tuple[Mesh, Rig]:
    """The tube on a chain of three joints, bent at random, with smooth weights."""
    rng = np.random.default_rng(seed)
    mesh = tube()
    near = np.exp(-(((mesh.vertices[:, 1:2] - JOINT_HEIGHTS) / 0.15) ** 2))  # (V, 3)
    weights = np.concatenate([near, np.zeros((len(near), 1))], 1)
    weights /= weights.sum(1, keepdims=True)
    joints = np.tile(np.array([0, 1, 2, 0], np.uint16), (len(near), 1))
    mesh = replace(mesh, frame="body", skin_joints=joints, skin_weights=weights.astype(np.float32))
    rig = Rig(
        joint_names=("root", "spine05", "head"),
        parents=np.array([-1, 0, 1], np.int32),
        joints=np.stack([0 * JOINT_HEIGHTS, JOINT_HEIGHTS, 0.02 * JOINT_HEIGHTS], 1),
        rotations=matrix_from_axis_angle(rng.normal(0, 0.6, (3, 3))),
        root_translation=rng.normal(0, 1, 3),
    )
    return mesh, rig


def linear_blend(mesh: Mesh, rig: Rig) -> np.ndarray:
    """The posed vertices (V, 3), the slow and obvious way."""
    assert mesh.skin_joints is not None
    assert mesh.skin_weights is not None
    world = np.zeros((len(rig.joint_names), 4, 4))
    for j, parent in enumerate(rig.parents):
        local = np.eye(4)
        local[:3, :3] = rig.rotations[j]
        if parent < 0:
            local[:3, 3] = rig.root_translation
            world[j] = local
        else:
            local[:3, 3] = rig.joints[j] - rig.joints[parent]
            world[j] = world[parent] @ local
    posed = np.zeros_like(mesh.vertices, dtype=float)
    for v, vertex in enumerate(mesh.vertices):
        for j, weight in zip(mesh.skin_joints[v], mesh.skin_weights[v], strict=True):
            posed[v] += weight * (world[j, :3, :3] @ (vertex - rig.joints[j]) + world[j, :3, 3])
    return posed
