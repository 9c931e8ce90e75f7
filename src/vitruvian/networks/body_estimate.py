"""Body estimate: what one person's build, age and pose are like, and how much of them is in view.

A small network of our own, learnt from synthetic people, that reads what BlazePose already worked
out: its inner features and its landmarks. It costs no further look at the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.networks.session import run, shipped
from vitruvian.types.estimate import BETAS, BodyEstimate
from vitruvian.types.keypoints import (
    ANKLES,
    CORE,
    EARS,
    ELBOWS,
    EYES,
    HIPS,
    INDEX_FINGERS,
    KNEES,
    LANDMARK_NAMES,
    MIRROR,
    MOUTH,
    NOSE,
    SHOULDERS,
    TOES,
    WRISTS,
    limb_length,
)

JOINT_MIRROR = np.array(
    [0, 1, 2, 3, 4, 5, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14, 17, 16, 19, 18, 21, 20]
)
LANDMARKS = len(LANDMARK_NAMES)
# Lengths whose proportions tell a child's body from an adult's, and a man's from a woman's. Two
# landmarks each; their counterparts on the other side come by the mirror.
_LENGTHS = np.array(
    [
        EYES, EARS, MOUTH, (NOSE, MOUTH[0]), (NOSE, MOUTH[1]), *zip(EYES, MOUTH, strict=True),
        *zip(EARS, MOUTH, strict=True), (NOSE, SHOULDERS[0]), (NOSE, SHOULDERS[1]),
        *zip(EARS, SHOULDERS, strict=True), SHOULDERS, HIPS, *zip(SHOULDERS, HIPS, strict=True),
        *zip(SHOULDERS, ELBOWS, strict=True), *zip(ELBOWS, WRISTS, strict=True),
        *zip(WRISTS, INDEX_FINGERS, strict=True), *zip(HIPS, KNEES, strict=True),
        *zip(KNEES, ANKLES, strict=True), *zip(ANKLES, TOES, strict=True),
    ]
)  # fmt: skip
INPUTS = 7 * LANDMARKS + 2 * len(_LENGTHS) + 6


@dataclass(frozen=True)
class FramedLandmarks:
    """Landmarks of N people in frames of their own: hips at the origin, chest upwards.

    Attributes:
        points: (N, 33, 2) in the unit ``size_px``, x right and y down.
        visibility: (N, 33) in 0..1.
        world: (N, 33, 3) over the sum of limb lengths, about the hips' middle, the same axes.
        border: (N, 33) distance of each point to the picture's border in the unit ``size_px``,
            negative outside.
        up: (N, 2) the frame's up direction in the picture.
        size_px: (N,) root mean square distance of 13 body landmarks to the hips, pixels.
        perspective: (N,) ``size_px`` / focal length, nan where the focal length is not known.
        disagreement: (N,) as in ``Landmarks``.
    """

    points: np.ndarray
    visibility: np.ndarray
    world: np.ndarray
    border: np.ndarray
    up: np.ndarray
    size_px: np.ndarray
    perspective: np.ndarray
    disagreement: np.ndarray

    @property
    def rotation(self) -> np.ndarray:
        """(N, 3, 3) from the frames' axes to the picture's (the camera's)."""
        return in_plane(self.up)

    def mirrored(self) -> FramedLandmarks:
        """As they would be in the mirror image."""
        return replace(
            self,
            points=self.points[:, MIRROR] * [-1, 1],
            visibility=self.visibility[:, MIRROR],
            world=self.world[:, MIRROR] * [-1, 1, 1],
            border=self.border[:, MIRROR],
            up=self.up * [-1, 1],
        )

    def encoded(self) -> np.ndarray:
        """The network's input ``landmarks``, (N, INPUTS) float32."""
        known = np.isfinite(self.perspective)
        perspective = np.log1p(np.where(known, self.perspective, 0.0))
        count = len(self.points)
        scalars = np.stack([perspective, known, self.disagreement, np.zeros(count)], axis=1)
        parts = (
            np.clip(self.world, -1, 1),
            np.clip(self.points, -5, 5),
            self.visibility,
            np.clip(self.border, -1, 1),
            _log_lengths(self.points, 0.02),
            _log_lengths(self.world, 0.005),
            self.up,
            scalars,
        )
        flat = [np.asarray(part, np.float32).reshape(count, -1) for part in parts]
        return np.concatenate(flat, axis=1)


def framed(
    points: np.ndarray,
    visibility: np.ndarray,
    world: np.ndarray,
    disagreement: np.ndarray,
    size: tuple[int, int],
    focal_px: np.ndarray,
) -> FramedLandmarks:
    """Landmarks of N people, turned and scaled into frames of their own.

    Args:
        points: (N, 33, 2) pixels; visibility: (N, 33); world: (N, 33, 3) metres, the camera's
            axes; disagreement: (N,): as in ``Landmarks``.
        size: width and height of the picture in pixels.
        focal_px: (N,) nan where it is not known.
    """
    points = np.asarray(points, np.float64)
    hips = points[:, HIPS].mean(1)
    torso = points[:, SHOULDERS].mean(1) - hips
    length = np.linalg.norm(torso, axis=1, keepdims=True)
    up = np.where(length > 1, torso / np.maximum(length, 1e-9), [0.0, -1.0])
    size_px = np.sqrt(((points[:, CORE] - hips[:, None]) ** 2).sum(-1).mean(-1))
    size_px = np.maximum(size_px, 1.0)
    inside = np.minimum(points, np.array(size, np.float64) - points).min(-1)
    turn = in_plane(up)
    about = np.asarray(world, np.float64) - np.asarray(world)[:, HIPS].mean(1, keepdims=True)
    return FramedLandmarks(
        points=(points - hips[:, None]) @ turn[:, :2, :2] / size_px[:, None, None],
        visibility=np.clip(visibility, 0, 1),
        world=about @ turn / np.maximum(limb_length(about), 1e-3)[:, None, None],
        border=inside / size_px[:, None],
        up=up,
        size_px=size_px,
        perspective=size_px / focal_px,
        disagreement=np.asarray(disagreement, np.float64),
    )


def in_plane(up: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) about the view from frames whose up is (0, -1) to those of ``up``."""
    out = np.zeros((len(up), 3, 3))
    out[:, 0, 0], out[:, 0, 1] = -up[:, 1], -up[:, 0]
    out[:, 1, 0], out[:, 1, 1] = up[:, 0], -up[:, 1]
    out[:, 2, 2] = 1
    return out


def _log_lengths(points: np.ndarray, least: float) -> np.ndarray:
    lengths = np.linalg.norm(points[:, _LENGTHS[:, 0]] - points[:, _LENGTHS[:, 1]], axis=-1)
    return np.asarray(np.log(lengths + least))


class BodyEstimateNetwork:
    """Landmarks and inner features of BlazePose to ``BodyEstimate``.

    Inputs: ``features`` (N, FEATURES) float32 of ``BlazePoseOutput`` and ``landmarks`` (N, INPUTS)
    float32 of ``FramedLandmarks.encoded``. Source: ``vitruvian train cues``.
    """

    name = "cues"
    outputs = (
        "groups", "stature", "betas", "keypoints", "keypoint_sd", "rotations", "rotation_sd",
        "parts", "whole",
    )  # fmt: skip

    @staticmethod
    def available() -> bool:
        """Whether the weights are there; without them the fit does as it can."""
        return shipped(BodyEstimateNetwork.name)

    def __call__(
        self,
        features: np.ndarray,
        landmarks: FramedLandmarks,
        reflected: Sequence[bool] = (False, True),
    ) -> BodyEstimate:
        """BodyEstimate of one person: the mean over the picture and its mirror image.

        Args:
            features: (N, FEATURES) of BlazePose for the picture or its mirror image, mostly
                one of each.
            landmarks: of the one person.
            reflected: for each row of ``features`` whether it is of the mirror image.
        """
        rows = [landmarks.mirrored() if mirror else landmarks for mirror in reflected]
        inputs = {
            "features": np.ascontiguousarray(features, np.float32),
            "landmarks": np.concatenate([one.encoded() for one in rows]),
        }
        raw = dict(zip(self.outputs, run(self.name, inputs, self.outputs), strict=True))
        return combined(raw, landmarks.rotation[0], reflected)


def combined(
    raw: dict[str, np.ndarray], rotation: np.ndarray, reflected: Sequence[bool] = (False, True)
) -> BodyEstimate:
    """A body estimate from the outputs for a picture and its mirror image, a row each.

    ``rotation`` (3, 3) leads from the axes of the landmarks' frame to the camera's; ``reflected``
    says which rows are of the mirror image.
    """
    flip = np.diag([-1.0, 1.0, 1.0])
    log_stature, log_sd = raw["stature"].astype(np.float64).mean(0)
    betas = raw["betas"].astype(np.float64).mean(0)
    points = raw["keypoints"].astype(np.float64)
    points = _unmirrored(points, reflected, lambda one: one[MIRROR] * [-1, 1, 1]).mean(0)
    point_sd = np.exp(raw["keypoint_sd"].astype(np.float64))
    turns = matrix_from_six(raw["rotations"].astype(np.float64))
    turns = _unmirrored(turns, reflected, lambda one: flip @ one[JOINT_MIRROR] @ flip)
    turns = nearest_rotations(turns.sum(0))
    turns[0] = rotation @ turns[0]
    turn_sd = np.exp(raw["rotation_sd"].astype(np.float64))
    return BodyEstimate(
        groups=_softmax(raw["groups"]).mean(0),
        stature_m=float(np.exp(log_stature)),
        stature_sd=float(np.exp(log_sd)),
        betas=betas[:BETAS],
        betas_sd=np.exp(betas[BETAS:]),
        keypoints=points @ rotation.T,
        keypoint_sd=_unmirrored(point_sd, reflected, lambda one: one[MIRROR]).mean(0),
        rotations=turns,
        rotation_sd=_unmirrored(turn_sd, reflected, lambda one: one[JOINT_MIRROR]).mean(0),
        parts=_softmax(raw["parts"]).mean(0),
        whole=_softmax(raw["whole"]).mean(0),
    )


def _unmirrored(
    rows: np.ndarray, reflected: Sequence[bool], turned: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Rows with those of the mirror image turned back."""
    both = zip(rows, reflected, strict=True)
    return np.stack([turned(row) if mirror else row for row, mirror in both])


def matrix_from_six(values: np.ndarray) -> np.ndarray:
    """Rotations (..., 3, 3) of their first two columns (..., 6), made orthonormal.

    Zhou et al., "On the Continuity of Rotation Representations in Neural Networks" (2019).
    """
    first, second = values[..., :3], values[..., 3:]
    x = first / np.maximum(np.linalg.norm(first, axis=-1, keepdims=True), 1e-9)
    second = second - (x * second).sum(-1, keepdims=True) * x
    y = second / np.maximum(np.linalg.norm(second, axis=-1, keepdims=True), 1e-9)
    return np.stack([x, y, np.cross(x, y)], axis=-1)


def nearest_rotations(matrices: np.ndarray) -> np.ndarray:
    """The rotations (..., 3, 3) nearest to any matrices, such as sums of rotations."""
    u, _, vt = np.linalg.svd(matrices)
    sign = np.ones(matrices.shape[:-1])
    sign[..., 2] = np.sign(np.linalg.det(u @ vt))
    return np.asarray(u @ (sign[..., None] * vt))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(-1, keepdims=True)).astype(np.float64)
    return np.asarray(powers / powers.sum(-1, keepdims=True))
