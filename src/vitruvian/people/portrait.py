"""People of whom the picture shows little more than a face: detectors of whole people miss them.

A face that is large in the picture is found by the detector of faces, and the rest of a detection
is put where it usually is under a face; BlazePose then sees for itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitruvian.networks.faces import DETECTOR_SIZE, DetectedFace, FaceDetector
from vitruvian.people.crops import Crop
from vitruvian.people.detection import Detection
from vitruvian.people.figures import Candidate
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.people.passes import CROP_MARGIN
from vitruvian.people.pose import PoseEstimator
from vitruvian.types.keypoints import COCO_NAMES, EYES, MOUTH

_LEAST_SCORE = 0.7  # of the detector of faces: animals, dolls and patterns have less
_LEAST_FACE = 0.2  # of the picture's longer side; whoever is smaller shows more than a face
_SIDES = (1.0, 1.5)  # of what the detector is shown, in longer sides of the picture
# Where other points are below the middle of a face (brows to chin), in its heights; of pairs, half
# their distance across.
_BELOW = {
    "nose": (0.1, 0.0),
    "eye": (-0.2, 0.22),
    "ear": (-0.1, 0.45),
    "shoulder": (1.15, 1.15),
    "hip": (3.5, 0.75),
}
_GUESSED = 0.2  # score of these points: enough to be in the crop, too little to be compared with
_HEAD_TOP, _HALF_BOX = 0.95, 1.7  # of somebody's box, above and beside the middle of the face
_OWN = 0.6  # of the distance from eyes to mouth, within which landmarks are of the same face
_LEAST_PRESENCE = 0.4


def portraits(
    pose: PoseEstimator, image: np.ndarray, known: Sequence[Candidate]
) -> list[Candidate]:
    """Whose face is large in a picture and who is not ``known``; one at most.

    Args:
        pose: reads the landmarks.
        image: (H, W, 3) uint8 RGB.
        known: who was found as a whole person.
    """
    if not FaceDetector.available():
        return []
    # Where somebody was found, a face that fills the picture is theirs more often than not.
    face = _large_face(image, _SIDES[:1] if known else _SIDES)
    if face is None:
        return []
    points = np.stack([face.points[:2].mean(0), face.points[3]])
    reach = float(np.linalg.norm(np.subtract(*points)))
    for one in known:
        if np.linalg.norm(_eyes_and_mouth(one.estimate) - points, axis=1).max() < _OWN * reach:
            return []
    person = _detection(face.box, image.shape[1], image.shape[0])
    estimate = pose.landmarks(image, person, [])
    apart = float(np.linalg.norm(_eyes_and_mouth(estimate) - points, axis=1).max())
    if apart > _OWN * reach or estimate.score < _LEAST_PRESENCE:
        return []
    # No keypoints of another network: the face is what they agree on.
    disagreement = apart / (estimate.crop.side / CROP_MARGIN)
    return [Candidate(person, replace(estimate, disagreement=disagreement))]


def _eyes_and_mouth(estimate: LandmarkEstimate) -> np.ndarray:
    """(2, 2) between the eyes and the middle of the mouth."""
    return np.stack([estimate.points[EYES].mean(0), estimate.points[MOUTH].mean(0)])


def _large_face(image: np.ndarray, sides: Sequence[float]) -> DetectedFace | None:
    """A face in pixels of the picture, looked for in squares of these sides."""
    height, width = image.shape[:2]
    for side in sides:
        longest = max(height, width)
        look = Crop(np.array([width, height]) / 2, np.array([0.0, -1.0]), side * longest)
        found = FaceDetector()(look.extract(image, DETECTOR_SIZE))
        if found.score < _LEAST_SCORE:
            continue
        corners = look.to_image(found.box.reshape(2, 2), 1)
        if corners[1, 1] - corners[0, 1] >= _LEAST_FACE * longest:
            return replace(found, box=corners.ravel(), points=look.to_image(found.points, 1))
    return None


def _detection(face: np.ndarray, width: int, height: int) -> Detection:
    """Somebody upright with a face in a box (4,), in a picture of this size, pixels."""
    center, tall = (face[:2] + face[2:]) / 2, face[3] - face[1]
    points, scores = np.zeros((len(COCO_NAMES), 2)), np.zeros(len(COCO_NAMES))
    for number, name in enumerate(COCO_NAMES):
        side, _, stem = name.rpartition("_")
        if stem in _BELOW:
            (below, beside), scores[number] = _BELOW[stem], _GUESSED
            # The subject's left is at the right of the picture.
            across = {"left": beside, "right": -beside}.get(side, 0.0)
            points[number] = center + np.array([across, below]) * tall
    box = np.array(
        [
            max(center[0] - _HALF_BOX * tall, 0),
            max(center[1] - _HEAD_TOP * tall, 0),
            min(center[0] + _HALF_BOX * tall, width),
            height,
        ]
    )
    return Detection(box, _LEAST_SCORE, points, scores)
