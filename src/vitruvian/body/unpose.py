"""Taking the pose out of a surface that shares the body's topology."""

from __future__ import annotations

import numpy as np

from vitruvian.body.body import Body
from vitruvian.body.model import body_model
from vitruvian.geometry.mesh import Mesh
from vitruvian.geometry.rotations import matrix_from_axis_angle

_LEAST_VOLUME = 0.2  # of a blended matrix; below, joints blend so hard that it cannot be inverted


def rest_mesh(mesh: Mesh, body: Body) -> Mesh:
    """The surface in the body's rest pose.

    Every vertex is moved by the inverse of its blended skinning matrix, so that skinning the
    result with the body's pose gives ``mesh`` back. Where the blend nearly collapses (sharply
    bent joints) the body's own rest vertex plus the offset turned back is used instead.

    Args:
        mesh: camera frame, vertices in one-to-one correspondence with the body's.
        body: the fitted body underneath.

    Returns:
        The mesh in the frame ``body`` with its skin.
    """
    model = body_model()
    if len(mesh.vertices) != len(body.vertices):
        raise ValueError(
            f"the mesh must have the body's {len(body.vertices)} vertices, got {len(mesh.vertices)}"
        )
    rest_vertices, rest_joints = model.rest(body.betas)
    posed = model.forward_rotations(body.betas, matrix_from_axis_angle(body.pose), body.translation)
    shift = posed.joints - np.einsum("jab,jb->ja", posed.rotations, rest_joints)
    weights = model.skin_weights[:, :, None, None]
    linear = (posed.rotations[model.skin_joints] * weights).sum(1)  # (V, 3, 3)
    offset = (shift[model.skin_joints] * weights[..., 0]).sum(1)
    collapsed = np.linalg.det(linear) < _LEAST_VOLUME
    invertible = np.where(collapsed[:, None, None], np.eye(3), linear)
    vertices = np.linalg.solve(invertible, (mesh.vertices - offset)[:, :, None])[:, :, 0]
    strongest = model.skin_joints[np.arange(len(rest_vertices)), model.skin_weights.argmax(1)]
    turned_back = np.einsum("vba,vb->va", posed.rotations[strongest], mesh.vertices - body.vertices)
    vertices = np.where(collapsed[:, None], rest_vertices + turned_back, vertices)
    skinned = mesh.with_vertices(vertices, "body")
    return Mesh(
        skinned.vertices,
        skinned.faces,
        "body",
        skinned.uvs,
        skinned.uv_faces,
        skinned.texture,
        skinned.vertex_colors,
        model.skin_joints,
        model.skin_weights,
    )
