"""Taking the pose out of a surface that lies over the body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.body.model.model import joint_motion
from vitruvian.compute import kernel
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.body import Body
from vitruvian.types.mesh import Mesh

_LEAST_VOLUME = 0.2  # of a blended matrix; below, joints blend so hard that it cannot be inverted


def rest_mesh(mesh: Mesh, body: Body) -> Mesh:
    """The surface in the body's rest pose.

    Every vertex is moved by the inverse of its blended skinning matrix, so that skinning the
    result with the body's pose gives ``mesh`` back. Where the blend nearly collapses (sharply
    bent joints) the body's own rest vertex plus the offset turned back is used instead.

    Args:
        mesh: camera frame, vertices in one-to-one correspondence with the body's, or with
            ``body_vertices`` and a skin of its own.
        body: the fitted body underneath.

    Returns:
        The mesh in the frame ``body`` with its skin.
    """
    model = body.model
    skin_joints, skin_weights = model.skin_joints, model.skin_weights
    rest_vertices, rest_joints = body.rest()
    posed_vertices = body.vertices
    if mesh.body_vertices is not None:
        if mesh.skin_joints is None or mesh.skin_weights is None:
            raise ValueError("a mesh with body_vertices needs skin_joints and skin_weights")
        skin_joints, skin_weights = mesh.skin_joints, mesh.skin_weights
        rest_vertices = rest_vertices[mesh.body_vertices]
        posed_vertices = posed_vertices[mesh.body_vertices]
    elif len(mesh.vertices) != len(body.vertices):
        raise ValueError(
            f"the mesh must have the body's {len(body.vertices)} vertices, got {len(mesh.vertices)}"
        )
    rotations = matrix_from_axis_angle(body.pose)
    motion = joint_motion(model.parents, rest_joints, rotations, body.translation)
    vertices = np.empty((len(mesh.vertices), 3), np.float32)
    _unposed(
        mesh.vertices.astype(np.float64),
        np.ascontiguousarray(skin_joints, np.int64),
        np.ascontiguousarray(skin_weights, np.float64),
        motion.rotations,
        motion.shift,
        np.ascontiguousarray(rest_vertices, np.float64),
        np.ascontiguousarray(posed_vertices, np.float64),
        vertices,
    )
    skinned = mesh.with_vertices(vertices, "body")
    return replace(skinned, skin_joints=skin_joints, skin_weights=skin_weights)


@kernel(
    "void(float64[:,::1],int64[:,::1],float64[:,::1],float64[:,:,::1],float64[:,::1],"
    "float64[:,::1],float64[:,::1],float32[:,::1])"
)
def _unposed(
    vertices: np.ndarray,
    joints: np.ndarray,
    weights: np.ndarray,
    rotations: np.ndarray,
    shift: np.ndarray,
    rest: np.ndarray,
    posed: np.ndarray,
    out: np.ndarray,
) -> None:
    """Solve for each vertex by the adjugate of its blended matrix."""
    m = np.empty((3, 3))
    d = np.empty(3)
    for v in range(vertices.shape[0]):
        m[:] = 0
        for c in range(3):
            d[c] = vertices[v, c]
        strongest = 0
        for k in range(joints.shape[1]):
            j, w = joints[v, k], weights[v, k]
            if w > weights[v, strongest]:
                strongest = k
            for a in range(3):
                d[a] -= w * shift[j, a]
                for b in range(3):
                    m[a, b] += w * rotations[j, a, b]
        c00 = m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1]
        c01 = m[1, 2] * m[2, 0] - m[1, 0] * m[2, 2]
        c02 = m[1, 0] * m[2, 1] - m[1, 1] * m[2, 0]
        volume = m[0, 0] * c00 + m[0, 1] * c01 + m[0, 2] * c02
        if volume < _LEAST_VOLUME:
            j = joints[v, strongest]
            for b in range(3):
                out[v, b] = rest[v, b]
                for a in range(3):
                    out[v, b] += rotations[j, a, b] * (vertices[v, a] - posed[v, a])
            continue
        c10 = m[0, 2] * m[2, 1] - m[0, 1] * m[2, 2]
        c11 = m[0, 0] * m[2, 2] - m[0, 2] * m[2, 0]
        c12 = m[0, 1] * m[2, 0] - m[0, 0] * m[2, 1]
        c20 = m[0, 1] * m[1, 2] - m[0, 2] * m[1, 1]
        c21 = m[0, 2] * m[1, 0] - m[0, 0] * m[1, 2]
        c22 = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]
        out[v, 0] = (c00 * d[0] + c10 * d[1] + c20 * d[2]) / volume
        out[v, 1] = (c01 * d[0] + c11 * d[1] + c21 * d[2]) / volume
        out[v, 2] = (c02 * d[0] + c12 * d[1] + c22 * d[2]) / volume
