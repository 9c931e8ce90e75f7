"""The skin of the avatar: the body's, softer where clothes hang over it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.body.model.hanging import Skeleton
from vitruvian.body.model.model import DATA, JointMotion
from vitruvian.errors import WeightsError
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.chains import Chains
from vitruvian.types.mesh import Mesh

_FILE = "soft_skin.npz"


@lru_cache(maxsize=4)
def soft_skin(model: ParametricModel) -> tuple[np.ndarray, np.ndarray]:
    """The body's skin spread over trunk and limbs: (V, 4) uint16 joints, (V, 4) float32 weights.

    The body's own is made for bare skin: it folds within a finger's breadth at armpits, crotch and
    knees, where cloth goes over it. Hands, feet and head keep it. Written by
    ``scripts/bake_soft_skin.py``. Raises ``WeightsError`` when the package is damaged.
    """
    baked = _baked(len(model.template))
    weights = baked["weights"].astype(np.float32)
    return baked["joints"].astype(np.uint16), weights / weights.sum(1, keepdims=True)


@lru_cache(maxsize=4)
def folds(model: ParametricModel) -> np.ndarray:
    """(V,) float32 0..1: where cloth is pressed together when arms and legs hang down, so that it
    is drawn out when they are raised: armpits and crotch. From the same file."""
    return np.asarray(_baked(len(model.template))["folds"], np.float32) / 255


def _baked(count: int) -> dict[str, np.ndarray]:
    try:
        with np.load(DATA / _FILE) as archive:
            baked = {key: archive[key] for key in ("joints", "weights", "folds")}
        if any(len(values) != count for values in baked.values()):
            raise ValueError
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"The skin {DATA / _FILE} cannot be read: reinstall the package."
        ) from error
    return baked


def photographed_motion(body: Body, chains: Chains | None = None) -> JointMotion:
    """How the photograph's pose moves a mesh at rest into the camera frame.

    ``chains`` are those of an avatar made from this photograph.
    """
    rotations = matrix_from_axis_angle(body.pose)
    if chains is not None:
        rotations = np.concatenate([rotations, chains.rotations.reshape(-1, 3, 3)])
    skeleton = Skeleton.of(body.model.parents, body.rest()[1], chains)
    return skeleton.motion(rotations, body.translation)


def blended_rotations(
    motion: JointMotion, skin_joints: np.ndarray, skin_weights: np.ndarray
) -> np.ndarray:
    """(V, 3, 3) float32, how each vertex's surroundings turn."""
    rotations = motion.rotations.astype(np.float32)
    return np.asarray(
        sum(
            weights[:, None, None] * rotations[joints]
            for joints, weights in zip(skin_joints.T, skin_weights.T, strict=True)
        )
    )


def photographed(
    rest: Mesh, body: Body, chains: Chains | None = None, *, other: bool = False
) -> Mesh:
    """A mesh at rest in the pose and place of a photograph, camera frame.

    Args:
        rest: frame ``body``, with its skin.
        body: as fitted to the photograph.
        chains: of the avatar that the mesh is of.
        other: the photograph is another one than that which the avatar is made from, so that its
            chains are where they would hang.
    """
    if rest.skin_joints is None or rest.skin_weights is None:
        raise ValueError("a mesh without a skin cannot be posed")
    if other:
        skeleton = Skeleton.of(body.model.parents, body.rest()[1], chains)
        turns = matrix_from_axis_angle(body.pose)
        motion = skeleton.still(turns, body.translation)
    else:
        motion = photographed_motion(body, chains)
    return rest.with_vertices(
        motion.skinned(rest.vertices, rest.skin_joints, rest.skin_weights), "camera"
    )


def unposed(
    motion: JointMotion, posed: np.ndarray, skin_joints: np.ndarray, skin_weights: np.ndarray
) -> np.ndarray:
    """Points (N, 3) of a pose, at rest; their skin (N, 4)."""
    turns = blended_rotations(motion, skin_joints, skin_weights).astype(np.float64)
    shift = (skin_weights[..., None] * motion.shift[skin_joints]).sum(1)
    return np.asarray(np.linalg.solve(turns, (posed - shift)[..., None])[..., 0])
