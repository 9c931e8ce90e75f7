"""People whose keypoints or masks the user brings along, in place of what the networks see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from vitruvian.geometry.pairing import best_pairs
from vitruvian.people.asked import guessed_keypoints
from vitruvian.people.detection import Detection
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.people.matte import MAX_REFINED_PX, CoarseMask
from vitruvian.types.given import GivenMask, GivenPose
from vitruvian.types.keypoints import (
    ANKLES,
    COCO_LANDMARKS,
    EARS,
    FEET,
    HANDS,
    LANDMARK_NAMES,
    NOSE,
    SHOULDERS,
    WRISTS,
)

_LEAST_CONFIDENCE = 0.05  # below, the network's own landmark is as good
_TRUSTED = 0.1  # median distance / size up to which the network looks at the same person
_HEAD, _BELOW = 0.75, 0.06  # of ear to shoulder above the ears; of the height below the ankles
_LEAST_OVERLAP = 0.3  # IoU of a mask and the person whose it is
_SLOPE, _MOST = 1.5, 20.0  # logits a pixel from the edge, and the most
_FOLLOWERS = np.zeros(len(LANDMARK_NAMES), int)  # whom landmarks that are not told of follow
for _side, _wrist in enumerate(WRISTS):
    _FOLLOWERS[HANDS[_side::2]] = _wrist
for _side, _ankle in enumerate(ANKLES):
    _FOLLOWERS[FEET[_side::2]] = _ankle
_FOLLOWERS[: SHOULDERS[0]] = NOSE
_FOLLOWERS[SHOULDERS[0] : HANDS[0]] = np.arange(SHOULDERS[0], HANDS[0])
_FOLLOWERS[HANDS[-1] + 1 : FEET[0]] = np.arange(HANDS[-1] + 1, FEET[0])


def detection_of(pose: GivenPose) -> Detection:
    """Where somebody is whose keypoints are given, in their pixels."""
    told = pose.known
    x0, y0, x1, y1 = pose.box
    if told[[*EARS, *SHOULDERS]].all():
        ears, shoulders = pose.points[EARS].mean(0), pose.points[SHOULDERS].mean(0)
        y0 = min(y0, float((ears + _HEAD * (ears - shoulders))[1]))
    if told[ANKLES].any():
        y1 += _BELOW * (y1 - y0)
    side = 0.1 * (x1 - x0)
    box = np.array([x0 - side, y0, max(x1, x0 + 1) + side, max(y1, y0 + 1)])
    keypoints = guessed_keypoints(box)
    scores = pose.confidence[COCO_LANDMARKS]
    keypoints[scores > 0] = pose.points[COCO_LANDMARKS][scores > 0]
    return Detection(
        box, float(scores[scores > 0].mean()) if scores.any() else 0.5, keypoints, scores
    )


def told(estimate: LandmarkEstimate, pose: GivenPose) -> LandmarkEstimate:
    """A person's landmarks with those that are given in place of the network's.

    What is not given follows the wrist, the ankle or the nose that is; where the network looks at
    somebody else, it counts as unseen.
    """
    given = pose.confidence >= _LEAST_CONFIDENCE
    moved = np.where(given[:, None], pose.points - estimate.points, 0.0)
    points = estimate.points + moved[_FOLLOWERS]
    points[given] = pose.points[given]
    visibility, presence = estimate.visibility.copy(), estimate.presence.copy()
    agreement = min(estimate.disagreement, estimate.swapped_disagreement)
    if agreement > _TRUSTED:
        visibility[~given], presence[~given] = 0.0, 0.0
    visibility[given] = np.clip(pose.confidence[given], 0, 1)
    presence[given] = 1.0
    return replace(
        estimate,
        points=points,
        visibility=visibility,
        presence=presence,
        score=1.0,
        disagreement=agreement,
        swapped_disagreement=1.0,
        spread=None,
    )


def given_masks(
    masks: Sequence[GivenMask], scale: float, coarse: Sequence[CoarseMask]
) -> list[CoarseMask]:
    """Everybody's mask, the user's in place of ours for those whom they cover.

    Args:
        masks: the user's, in pixels of the photograph.
        scale: pixels of the image per pixel of the photograph.
        coarse: ours, in windows of the image.
    """
    if not masks or not coarse:
        return list(coarse)
    overlaps = np.array([[_overlap(ours, mask, scale) for mask in masks] for ours in coarse])
    pairs = best_pairs(overlaps, _LEAST_OVERLAP)
    return [
        _instead(ours, masks[pairs[index]], scale) if index in pairs else ours
        for index, ours in enumerate(coarse)
    ]


def _overlap(ours: CoarseMask, mask: GivenMask, scale: float) -> float:
    """IoU of a mask of ours and one of the user's."""
    x0, y0, x1, y1 = ours.window
    given = _window(mask, scale, (x0, y0, x1, y1), ours.logits.shape)
    drawn = ours.logits > 0
    both = float((given & drawn).sum())
    whole = float(mask.values.sum()) * (scale * ours.scale) ** 2
    return both / max(whole + float(drawn.sum()) - both, 1.0)


def _window(
    mask: GivenMask, scale: float, window: tuple[int, int, int, int], shape: tuple[int, ...]
) -> np.ndarray:
    """The user's mask (h, w) bool in a window of the image."""
    x0, y0, x1, y1 = window
    height, width = shape
    across, down = (x1 - x0) / width / scale, (y1 - y0) / height / scale
    # From the middle of a pixel of the window to the pixel of the mask, as OpenCV counts them.
    matrix = np.array(
        [
            [across, 0, x0 / scale - mask.x + across / 2 - 0.5],
            [0, down, y0 / scale - mask.y + down / 2 - 0.5],
        ]
    )
    values: np.ndarray = mask.values.astype(np.uint8) * 255
    if max(across, down) > 2:  # fewer pixels: do not skip any
        size = (
            max(round(mask.values.shape[1] / across), 1),
            max(round(mask.values.shape[0] / down), 1),
        )
        values = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        matrix[0] *= size[0] / mask.values.shape[1]
        matrix[1] *= size[1] / mask.values.shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(values, matrix, (width, height), flags=flags) > 127)


def _instead(ours: CoarseMask, mask: GivenMask, scale: float) -> CoarseMask:
    """The user's mask as a mask of ours: logits grow with the distance from its edge."""
    x0, y0, x1, y1 = ours.window
    left, top, right, bottom = mask.box * scale
    margin = 0.05 * max(right - left, bottom - top) + 2
    window = (
        min(x0, int(max(left - margin, 0))),
        min(y0, int(max(top - margin, 0))),
        max(x1, int(right + 1)),
        max(y1, int(bottom + 1)),
    )
    size = ours.size / ours.scale
    per_pixel = min(1.0, MAX_REFINED_PX / size)
    shape = (
        max(round((window[3] - window[1]) * per_pixel), 1),
        max(round((window[2] - window[0]) * per_pixel), 1),
    )
    inside = _window(mask, scale, window, shape).astype(np.uint8)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    beyond = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 3)
    logits = np.clip(_SLOPE * np.where(inside, within - 0.5, 0.5 - beyond), -12, _MOST)
    return CoarseMask(logits.astype(np.float32), window, per_pixel, size * per_pixel)
