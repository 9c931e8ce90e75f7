"""Putting a clothed surface into other poses: what an animation program does with the avatar."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.model.hanging import Skeleton
from vitruvian.body.model.model import DATA
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.errors import WeightsError
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.chains import Chains
from vitruvian.types.mesh import Mesh


@dataclass(frozen=True)
class ShownPose:
    """A pose in which people are shown.

    Attributes:
        name: for people, such as ``walking``.
        rotations: (J, 3) axis-angle of the body model's joints, radians; the root's faces +z.
    """

    name: str
    rotations: np.ndarray


@lru_cache(maxsize=4)
def shown_poses(model: ParametricModel) -> tuple[ShownPose, ...]:
    """A T-pose and three poses from motion capture: walking, arms raised, sitting.

    Written by ``scripts/bake_shown_poses.py``. Raises ``WeightsError`` when the package is damaged.
    """
    path = DATA / "shown_poses.json"
    index = model.joint_index
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))["poses"]
        found = []
        for entry in entries:
            rotations = np.zeros((len(index), 3))
            for joint, turn in entry["rotations"].items():
                rotations[index[joint]] = turn
            rotations.flags.writeable = False
            found.append(ShownPose(entry["name"], rotations))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"The poses {path} cannot be read: reinstall the package.") from error
    return tuple(found)


def reposed(rest: Mesh, body: Body, pose: np.ndarray, chains: Chains | None = None) -> Mesh:
    """A person in another pose, by linear blend skinning of the surface's own skin.

    Args:
        rest: the surface at rest in the frame ``body``, as ``unpose.rest_mesh`` returns it.
        body: beneath it; its shape places the joints.
        pose: (J, 3) axis-angle, radians; relative to rest, as everywhere.
        chains: of an avatar, which hang as they do in that pose.

    Returns:
        The mesh in the frame ``body`` (y up, metres), its lowest vertex on y = 0 and the root
        joint above the origin.
    """
    if rest.frame != "body" or rest.skin_joints is None or rest.skin_weights is None:
        raise ValueError("the mesh must be at rest in the frame 'body' and have a skin")
    _, joints = body.rest()
    turns = matrix_from_axis_angle(np.asarray(pose, np.float64))
    motion = Skeleton.of(body.model.parents, joints, chains).still(turns, np.zeros(3))
    vertices = motion.skinned(rest.vertices, rest.skin_joints, rest.skin_weights)
    vertices[:, 1] -= vertices[:, 1].min()
    return rest.with_vertices(vertices)


def in_shown_poses(mesh: Mesh, body: Body) -> list[Mesh]:
    """A surface in every pose of ``shown_poses``, as of ``reposed``.

    Args:
        mesh: camera frame, over the body, with its skin.
        body: the fitted body underneath.
    """
    rest = rest_mesh(mesh, body)
    return [reposed(rest, body, pose.rotations) for pose in shown_poses(body.model)]
