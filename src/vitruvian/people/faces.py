"""The face of a person whose landmarks are known: is one seen, and what does it tell?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vitruvian.networks.face_mesh import (
    EYELIDS,
    LEFT_EYE,
    LIPS,
    MESH_SIZE,
    RIGHT_EYE,
    FaceMesh,
)
from vitruvian.networks.faces import (
    AGE_SIZE,
    DEEP_SIZE,
    DETECTOR_SIZE,
    SEX_SIZE,
    TEMPLATE,
    FaceAge,
    FaceDeep,
    FaceDetector,
    FaceSex,
)
from vitruvian.people.crops import Crop
from vitruvian.types.face import Face
from vitruvian.types.figure import Alpha, Landmarks
from vitruvian.types.keypoints import EARS, FACE, MOUTH, indices_of

# Pixels of the photograph that a face must be wide: at 20, 97 of 100 street faces get the right
# sex, at 16, 95, at 13, 92.
LEAST_WIDTH_PX = 14.0
# What the detector must be sure of. Street faces of 20 pixels and more reach it in 99 of 100; of
# heads under boxes, umbrellas and hair 1 in 100 does.
LEAST_SCORE = 0.55
_EYE_CORNERS = indices_of(
    [f"{side}_eye{part}" for side in ("right", "left") for part in ("_inner", "", "_outer")]
)
LEAST_MESH_WIDTH_PX = 60.0  # below, a point is off by more than faces differ
_MESH_LOOK = 1.5  # side of ``FaceMesh``'s crop, in widths of the face
_LEAST_MESH_SCORE = 0.5
_FARTHEST_MESH = 0.35  # that its eyes and mouth may be from the detector's, from eyes to mouth
_LOOK = 3.0  # side of the detector's crop, in widths of the face
_DEEP_LOOK = 3.8  # side of ``FaceDeep``'s crop, in distances from eyes to mouth
_FARTHEST = 0.8  # that the two networks' eyes and mouth may be apart, in those distances
_MOST_AGE_SD = 18.0  # years; of faces that are drawn, blurred or masked any age may be
_OWN = 0.5  # of the face that must be in the person's own matte


@dataclass(frozen=True)
class FacePoints:
    """The middle of the eyes and of the mouth, pixels.

    Attributes:
        points: (3, 2) float64: the eye at the left of an upright picture (the subject's right),
            the other one, the mouth.
    """

    points: np.ndarray

    @property
    def reach(self) -> float:
        """Distance from between the eyes to the mouth."""
        return float(np.linalg.norm(self.points[:2].mean(0) - self.points[2]))

    def aligned(self) -> Crop:
        """The crop that brings the points nearest to ``TEMPLATE``, by turn, size and shift."""
        about, wanted = TEMPLATE - TEMPLATE.mean(0), self.points - self.points.mean(0)
        a, b = about @ [1, 1j], wanted @ [1, 1j]
        factor = (np.conj(a) * b).sum() / (np.abs(a) ** 2).sum()
        turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
        center = turn @ (np.full(2, 0.5) - TEMPLATE.mean(0)) + self.points.mean(0)
        side = max(abs(factor), 1e-6)
        return Crop(center, -turn[:, 1] / side, side)

    def level(self) -> Crop:
        """The crop for ``FaceDeep``: between eyes and mouth, the eyes level."""
        right, left, mouth = self.points
        x, y = (left - right) / max(float(np.linalg.norm(left - right)), 1e-6)
        center = ((right + left) / 2 + mouth) / 2
        return Crop(center, np.array([y, -x]), _DEEP_LOOK * self.reach)


def read_face(pixels: np.ndarray, landmarks: Landmarks, alpha: Alpha) -> Face | None:
    """What the face of a person tells.

    Args:
        pixels: (H, W, 3) uint8 RGB of the photograph.
        landmarks: of the person, in its pixels.
        alpha: the person's matte: a face outside of it is somebody else's.

    Returns:
        None where no face is seen: turned away, covered, too small, or not of this person; and
        where the weights are absent.
    """
    networks = (FaceDetector, FaceSex, FaceAge, FaceDeep)
    if not all(network.available() for network in networks):
        return None
    guess = _guess(landmarks)
    if guess.reach < 1:
        return None
    across = float(np.linalg.norm(np.subtract(*landmarks.points[EARS])))
    up = (guess.points[:2].mean(0) - guess.points[2]) / guess.reach
    center = landmarks.points[FACE].mean(0)
    look = Crop(center, up, _LOOK * max(2.2 * guess.reach, across))
    if look.side < LEAST_WIDTH_PX or not _inside(look, pixels):
        return None
    found = FaceDetector()(look.extract(pixels, DETECTOR_SIZE))
    width = (found.box[2] - found.box[0]) * look.side
    seen = look.to_image(found.points[[0, 1, 3]], 1)
    apart = np.linalg.norm(seen - guess.points, axis=1).max()
    if found.score < LEAST_SCORE or width < LEAST_WIDTH_PX or apart > _FARTHEST * guess.reach:
        return None
    corners = look.to_image(found.box[[0, 1, 2, 1, 2, 3, 0, 3]].reshape(4, 2), 1)
    box = np.concatenate([corners.min(0), corners.max(0)])
    if _share(alpha, box) < _OWN:
        return None
    # The mean of two networks' points gives better sexes and ages than either's alone.
    points = FacePoints((seen + guess.points) / 2)
    face = _face(pixels, points, box, found.score, width)
    if face.age_sd > _MOST_AGE_SD:
        return None
    return replace(face, points=_mesh(pixels, FacePoints(seen), box, width))


def _mesh(pixels: np.ndarray, seen: FacePoints, box: np.ndarray, width: float) -> np.ndarray | None:
    """The points (478, 3) of a face, see ``Face.points``; None where it is too small for them, or
    they are not where the detector sees eyes and mouth."""
    if width < LEAST_MESH_WIDTH_PX or not FaceMesh.available():
        return None
    right, left, _ = seen.points
    x, y = (left - right) / max(float(np.linalg.norm(left - right)), 1e-6)
    crop = Crop((box[:2] + box[2:]) / 2, np.array([y, -x]), _MESH_LOOK * width)
    found = FaceMesh()(crop.extract(pixels, MESH_SIZE))
    points = crop.to_image(found.points[:, :2], 1)
    parts = (RIGHT_EYE[:EYELIDS], LEFT_EYE[:EYELIDS], LIPS)
    apart = np.stack([points[part].mean(0) for part in parts]) - seen.points
    if found.score < _LEAST_MESH_SCORE or np.linalg.norm(apart, axis=1).max() > (
        _FARTHEST_MESH * seen.reach
    ):
        return None
    return np.concatenate([points, found.points[:, 2:] * crop.side], axis=1)


def _face(
    pixels: np.ndarray, points: FacePoints, box: np.ndarray, score: float, width: float
) -> Face:
    aligned = points.aligned()
    small = FaceSex()(aligned.extract(pixels, SEX_SIZE))
    age = FaceAge()(aligned.extract(pixels, AGE_SIZE))
    woman, deep_age, deep_sd = FaceDeep()(points.level().extract(pixels, DEEP_SIZE))
    fused, deviation = fused_age(age, (deep_age, deep_sd))
    return Face(
        box=box,
        score=score,
        woman_log_odds=woman_log_odds(small, woman, width),
        age=fused,
        age_sd=deviation,
    )


# Factors on the logarithms of the odds of ``FaceSex``, which is too sure, and of ``FaceDeep``,
# which is not sure enough: by likelihood on the labelled street faces (men and women weighing
# alike), where they stay the same from 66 pixels of face down to 20. Below, both know less.
_SEX_FACTOR, _DEEP_FACTOR = 0.25, 1.25
_FULL_WIDTH_PX = 20.0
_MOST_LOG_ODDS = 6.0


def woman_log_odds(small: float, deep: float, width_px: float) -> float:
    """Calibrated logarithm of the odds of a woman's face, from what the two networks say.

    Args:
        small, deep: probabilities of ``FaceSex`` and ``FaceDeep``.
        width_px: of the face.
    """
    factors = np.array([_SEX_FACTOR, _DEEP_FACTOR])
    told = np.clip([small, deep], 1e-4, 1 - 1e-4)
    value = float(factors @ np.log(told / (1 - told))) * min(1.0, width_px / _FULL_WIDTH_PX)
    return float(np.clip(value, -_MOST_LOG_ODDS, _MOST_LOG_ODDS))


def fused_age(small: tuple[float, float], deep: tuple[float, float]) -> tuple[float, float]:
    """Age and how far it is off, from the expected ages and deviations of the two networks.

    ``FaceDeep`` counts twice: it tells children from adults better, and in small faces, too.
    """
    age = (small[0] + 2 * deep[0]) / 3
    return age, float(np.hypot((small[0] - deep[0]) / 3, deep[1]))


def _guess(landmarks: Landmarks) -> FacePoints:
    eyes = landmarks.points[_EYE_CORNERS].reshape(2, 3, 2).mean(1)
    return FacePoints(np.stack([*eyes, landmarks.points[MOUTH].mean(0)]))


def _inside(crop: Crop, pixels: np.ndarray) -> bool:
    """Whether the middle of a crop lies in the picture."""
    height, width = pixels.shape[:2]
    return bool((crop.center >= 0).all() and (crop.center < [width, height]).all())


def _share(alpha: Alpha, box: np.ndarray) -> float:
    """Mean of a matte over a box, 0..1."""
    x0, y0, x1, y1 = np.round(box).astype(int)
    return float(alpha.window(x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)).mean() / 255)
