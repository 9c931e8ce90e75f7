"""Parts of the body that the texture treats differently, from the body model alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.model import BodyModel, body_model

TRUNK, HEAD, LEFT_ARM, RIGHT_ARM, LEFT_LEG, RIGHT_LEG = range(6)


@dataclass(frozen=True)
class Regions:
    """What the vertices of the body are.

    Attributes:
        part: (V,) uint8, one of ``TRUNK`` to ``RIGHT_LEG``.
        head: (V,) float32, 1 on the head, falling to 0 down the neck.
        face: (V,) float32, 1 on the face: never a colour for the back of the head.
        mirror: (V,) int32, the vertex on the other side.
        edges: (E, 2) int32, every edge of the mesh once.
    """

    part: np.ndarray
    head: np.ndarray
    face: np.ndarray
    mirror: np.ndarray
    edges: np.ndarray


def _smooth_step(values: np.ndarray, start: float, end: float) -> np.ndarray:
    t = np.clip((values - start) / (end - start), 0, 1)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def _descendants(model: BodyModel, name: str) -> np.ndarray:
    """(J,) bool, the joint and all below it."""
    below = np.zeros(len(model.parents), bool)
    below[model.joint_index[name]] = True
    for joint, parent in enumerate(model.parents):
        below[joint] |= parent >= 0 and below[parent]
    return below


def _weight_of(model: BodyModel, joints: np.ndarray) -> np.ndarray:
    """(V,) skinning weight that the joints (J,) bool have on each vertex."""
    return (model.skin_weights * joints[model.skin_joints]).sum(1)


@lru_cache(maxsize=1)
def body_regions() -> Regions:
    """The regions of the package's body model."""
    model = body_model()
    part = np.full(len(model.template), TRUNK, np.uint8)
    limbs = {
        LEFT_ARM: "upperarm01.L",
        RIGHT_ARM: "upperarm01.R",
        LEFT_LEG: "upperleg01.L",
        RIGHT_LEG: "upperleg01.R",
        HEAD: "neck01",
    }
    for label, name in limbs.items():
        part[_weight_of(model, _descendants(model, name)) > 0.5] = label

    head_joint = model.joint_template[model.joint_index["head"]]
    on_head = _weight_of(model, _descendants(model, "neck01"))
    height = model.template[:, 1] - head_joint[1]
    head = on_head * _smooth_step(height, -0.06, 0.0)
    skull = model.template[on_head > 0.99]
    crown, front, back = skull[:, 1].max(), skull[:, 2].max(), skull[:, 2].min()
    # The face: the front of the skull up to where hair begins.
    forward = (model.template[:, 2] - back) / (front - back)
    brow = head_joint[1] + 0.72 * (crown - head_joint[1])
    face = head * _smooth_step(forward, 0.50, 0.62)
    face = face * (1 - _smooth_step(model.template[:, 1], brow, crown))

    edges = np.concatenate([model.faces[:, [0, 1]], model.faces[:, [1, 2]], model.faces[:, [2, 0]]])
    edges = np.unique(np.sort(edges, axis=1), axis=0).astype(np.int32)
    return Regions(
        part, head.astype(np.float32), face.astype(np.float32), model.vertex_mirror, edges
    )
