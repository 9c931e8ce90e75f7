"""What a body wears, whose outline mattes show: where it is known, outlines tell the pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.hanging import Skeleton
from vitruvian.body.model.model import BodyModel, PointSet
from vitruvian.types.avatar import Avatar


@dataclass(frozen=True, eq=False)
class Clothes:
    """The outer surface of somebody at rest: the body's vertices moved to their clothes, shoes and
    hair, and layers of their own, such as skirts, behind them.

    Attributes:
        vertices: (N, 3) float32, frame ``body``; the first V are those of the body's topology.
        faces: (F, 3) int32 of all that can be seen.
        skin_joints, skin_weights: (N, 4).
        skeleton: that carries it.
        count: V.
    """

    vertices: np.ndarray
    faces: np.ndarray
    skin_joints: np.ndarray
    skin_weights: np.ndarray
    skeleton: Skeleton
    count: int

    def posed(self, rotations: np.ndarray, translation: np.ndarray) -> np.ndarray:
        """(N, 3) float32 where the surface is in a pose.

        Args:
            rotations: (J, 3, 3) local.
            translation: (3,) of the root joint.
        """
        moved = self.skeleton.still(rotations, translation)
        return moved.skinned(self.vertices, self.skin_joints, self.skin_weights)

    def points(self, vertices: np.ndarray, shapes: int | None = None) -> PointSet:
        """Some of the body's vertices (N,), clothed; none of so many betas moves them.

        The arguments are those of ``BodyModel.vertex_points``.
        """
        return PointSet(
            self.vertices[vertices],
            np.zeros((shapes or 0, len(vertices), 3)),
            self.skin_joints[vertices],
            self.skin_weights[vertices],
        )


def clothes_of(model: BodyModel, joints: np.ndarray, avatar: Avatar) -> Clothes | None:
    """The clothes that an avatar wears; None where it is not made of the body's vertices.

    Args:
        model: of the body.
        joints: (J, 3) of the person's body at rest.
        avatar: of the person.
    """
    mesh = avatar.mesh
    if "body" not in avatar.layers:
        return None
    assert mesh.skin_joints is not None
    assert mesh.skin_weights is not None
    return Clothes(
        mesh.vertices,
        mesh.faces,
        mesh.skin_joints,
        mesh.skin_weights,
        Skeleton.of(model.parents, joints, avatar.chains),
        len(model.template),
    )
