"""A body that was fitted to somebody: the frozen result that later stages build upon."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from vitruvian.hints import Direction
from vitruvian.types.face import FaceShape
from vitruvian.types.mesh import Mesh
from vitruvian.types.record import Record
from vitruvian.types.regions import Regions
from vitruvian.types.seen import WHOLE, Seen


class ParametricModel(Hashable, Protocol):
    """What other stages ask of the body model that a body is of.

    Rest frame: glTF axes (y up, right-handed), facing +z, standing on y = 0, metres. Caches of what
    follows from a model alone are keyed by the model.

    Attributes:
        joint_names: names of the J joints; ``.L`` is the subject's left.
        joint_index: their numbers.
        parents: (J,) int, -1 for the root; parents come before their children.
        joint_mirror: (J,) int32 index of the joint on the other side.
        joint_template: (J, 3) float64 rest joints of the mean adult.
        template: (V, 3) float32 rest vertices of the mean adult.
        faces: (F, 3) int32, closed, counter-clockwise from outside.
        uvs, uv_faces: (T, 2) float32 with the origin at the lower left, (F, 3) int32.
        skin_joints, skin_weights: (V, 4) uint16 and float32, rows summing to 1.
        vertex_mirror: (V,) int32 index of the vertex on the other side.
        components: (V,) uint8 connected part: 0 skin, above that what lies inside the head.
    """

    joint_names: tuple[str, ...]
    joint_index: dict[str, int]
    parents: np.ndarray
    joint_mirror: np.ndarray
    joint_template: np.ndarray
    template: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray
    uv_faces: np.ndarray
    skin_joints: np.ndarray
    skin_weights: np.ndarray
    vertex_mirror: np.ndarray
    components: np.ndarray

    @property
    def regions(self) -> Regions:
        """What the vertices are."""
        ...

    def rest(self, betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) float32 and joints (J, 3) float64 of a shape (K',) at rest."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class Body(Record):
    """Shape, pose and place of one person, and the mesh they give.

    Attributes:
        model: that the shape and the pose are of.
        betas: (K',) float64 shape coefficients.
        pose: (J, 3) float64 local axis-angle rotations in radians; the root's also turns the
            body's frame into the camera's.
        translation: (3,) float64 position of the root joint, camera frame, metres.
        height_m: stature when standing upright, metres.
        vertices: (V, 3) float32, camera frame, metres.
        joints: (J, 3) float64, camera frame, metres.
        keypoint_error: mean reprojection error of the visible landmarks / height in pixels; nan
            when nothing is visible.
        phenotype: what the shape suggests of the person, see ``BodyModel.describe_shape``, and how
            far that may be off; an estimate that shaped the body, no fact about the person.
        seen: what the photographs show of the person.
        height_sd_m: standard deviation of ``height_m``, metres; 0 where it was given.
        face: the person's own, where the picture shows one large enough; None for that of the
            shape. ``rest``, ``vertices`` and ``joints`` have it.
        alternatives: other poses that are about as likely, of a picture by itself.
    """

    model: ParametricModel
    betas: np.ndarray
    pose: np.ndarray
    translation: np.ndarray
    height_m: float
    vertices: np.ndarray
    joints: np.ndarray
    keypoint_error: float = float("nan")
    phenotype: dict[str, float | str] | None = None
    seen: Seen = WHOLE
    height_sd_m: float = 0.0
    face: FaceShape | None = None
    alternatives: tuple[Alternative, ...] = ()

    def rest(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) float32 and joints (J, 3) float64 at rest, body frame, metres: of the
        shape, with the person's own face."""
        vertices, joints = self.model.rest(self.betas)
        if self.face is None:
            return vertices, joints
        return vertices + self.face.offsets, joints + self.face.joint_offsets

    def joint(self, name: str) -> np.ndarray:
        """Position (3,) of a joint by its name, such as ``head`` or ``wrist.L``, camera frame."""
        return self.joints[self.model.joint_index[name]]

    def as_mesh(self) -> Mesh:
        """The body as a ``Mesh`` in the camera frame, with texture coordinates and skin."""
        model = self.model
        return Mesh(
            vertices=self.vertices,
            faces=model.faces,
            frame="camera",
            uvs=model.uvs,
            uv_faces=model.uv_faces,
            skin_joints=model.skin_joints,
            skin_weights=model.skin_weights,
        )


@dataclass(frozen=True, eq=False, repr=False)
class Alternative(Record):
    """Another pose of somebody that is about as likely: a limb points the other way.

    Attributes:
        limb, direction: that would make it so in ``Hint.limbs``.
        probability: 0..1 that the limb points that way.
        body: fitted so.
    """

    limb: str
    direction: Direction
    probability: float
    body: Body
