"""Taking the pose out of a surface that lies over the body."""

from __future__ import annotations

from dataclasses import replace

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
        mesh: camera frame, vertices in one-to-one correspondence with the body's, or with
            ``body_vertices`` and a skin of its own.
        body: the fitted body underneath.

    Returns:
        The mesh in the frame ``body`` with its skin.
    """
    model = body_model()
    skin_joints, skin_weights = model.skin_joints, model.skin_weights
    rest_vertices, rest_joints = model.rest(body.betas)
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
    posed = model.forward_rotations(body.betas, matrix_from_axis_angle(body.pose), body.translation)
    shift = posed.joints - np.einsum("jab,jb->ja", posed.rotations, rest_joints)
    weights = skin_weights[:, :, None, None]
    linear = (posed.rotations[skin_joints] * weights).sum(1)  # (V, 3, 3)
    offset = (shift[skin_joints] * weights[..., 0]).sum(1)
    collapsed = np.linalg.det(linear) < _LEAST_VOLUME
    invertible = np.where(collapsed[:, None, None], np.eye(3), linear)
    vertices = np.linalg.solve(invertible, (mesh.vertices - offset)[:, :, None])[:, :, 0]
    strongest = skin_joints[np.arange(len(skin_joints)), skin_weights.argmax(1)]
    turned_back = np.einsum(
        "vba,vb->va", posed.rotations[strongest], mesh.vertices - posed_vertices
    )
    vertices = np.where(collapsed[:, None], rest_vertices + turned_back, vertices)
    skinned = mesh.with_vertices(vertices, "body")
    return replace(skinned, skin_joints=skin_joints, skin_weights=skin_weights)
