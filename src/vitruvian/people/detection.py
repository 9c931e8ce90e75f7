"""Where people are: MoveNet at several scales, tiles and NanoDet for crowds, merged.

MoveNet MultiPose lists six people at most and works for people of about 40 to 260 pixels in its
input: larger ones come out with low scores, split or not at all. So the image is looked at in
several sizes, each of which answers for the people of its own range.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from vitruvian.networks.movenet import MoveNet, MoveNetPeople
from vitruvian.networks.nanodet import Boxes, NanoDet, box_iou

SCORE_THRESHOLD = 0.25
# Scores below the threshold that make it worth to look with the second network, too.
FAINT_SCORE = 0.12
# NanoDet's boxes count from these scores on, if they are at least so large in parts of the largest
# person found: passers-by far behind are nobody's concern. Of the less sure ones only those in the
# foreground count, of a fifth of the picture's longer side.
BOX_SCORE, LARGE_BOX_SCORE = 0.4, 0.28
# From these on they are looked into: among several people hardly any are missed then, and whoever
# is there both networks see.
FAINT_BOX_SCORE, FAINT_POSE_SCORE = 0.2, 0.1
BOX_SIZE, LARGE_BOX_SIZE = 0.35, 0.5
FOREGROUND = 0.2
# A person above this many pixels of network input is left to a smaller scale.
LARGEST_INPUT_PX = 260.0
# MoveNet's six slots are nearly used up: look again at parts of the image.
CROWD = 5
MIN_PERSON_PX = 40.0
_THEIRS = 0.6  # IoU of a box with that of somebody known, above which it is theirs


@dataclass(frozen=True)
class Detection:
    """One person as the detectors see them.

    Attributes:
        box: (4,) float64 x0, y0, x1, y1 in pixels.
        score: 0..1.
        keypoints: (17, 2) float64 pixels, order of ``networks.movenet.COCO_KEYPOINTS``.
        keypoint_scores: (17,) float64 in 0..1.
    """

    box: np.ndarray
    score: float
    keypoints: np.ndarray
    keypoint_scores: np.ndarray

    @property
    def size(self) -> float:
        """The longer side of the box in pixels."""
        return float(max(self.box[2] - self.box[0], self.box[3] - self.box[1]))


@dataclass(frozen=True)
class Sightings:
    """What the detectors see.

    Attributes:
        people: surest first, each of them once.
        boxes: (n, 4) float64 around people whom NanoDet alone sees, pixels.
    """

    people: list[Detection]
    boxes: np.ndarray


def detect(image: np.ndarray) -> Sightings:
    """People of an (H, W, 3) uint8 RGB image."""
    coarse, faint = _sure(_look(image, 256, FAINT_SCORE))
    fine, fainter = _sure(_look(image, 384, FAINT_SCORE))
    found = coarse + fine
    crowd = max(len(coarse), len(fine)) >= CROWD
    longest = max(image.shape[:2])
    if crowd or not found or _finer_may_find_more(coarse, fine, longest):
        finest = _look(image, 640)
        found += finest
        crowd |= len(finest) >= CROWD
    if not found:
        # A person larger than the picture: make them small enough for the network.
        found = _look(image, 160)
    people = merge(found)
    if crowd:
        people = merge(people + _look_in_tiles(image))
    if len(people) == 1 and not any(
        person.size > BOX_SIZE * people[0].size and not same_person(person, people[0])
        for person in faint + fainter
    ):
        return Sightings(people, np.zeros((0, 4)))
    boxes = NanoDet()(image, FAINT_BOX_SCORE)
    confirmed, others = _confirmed(image, people, merge(faint + fainter), boxes)
    return Sightings(merge(people + confirmed), others)


def _sure(people: list[Detection]) -> tuple[list[Detection], list[Detection]]:
    """Those above the threshold, and those below."""
    sure = [person for person in people if person.score >= SCORE_THRESHOLD]
    return sure, [person for person in people if person.score < SCORE_THRESHOLD]


def _finer_may_find_more(coarse: list[Detection], fine: list[Detection], longest: int) -> bool:
    """Whether a pass at 640 could change what 256 and 384 found.

    It can where the finer of the two saw someone whom the coarser one did not, or where a person
    is so small that others like them would have been missed.
    """
    if any(person.size * 384 / longest < 110 for person in coarse + fine):
        return True
    return any(not any(same_person(person, other) for other in coarse) for person in fine)


def _look(image: np.ndarray, size: int, threshold: float = SCORE_THRESHOLD) -> list[Detection]:
    """One pass of MoveNet, without the people who are too large for it."""
    people = MoveNet(size)(image, threshold)
    return [person for person in _detections(people) if person.size * people.scale <= _limit(size)]


def _limit(size: int) -> float:
    # The smallest pass answers for everyone larger: nobody else would.
    return np.inf if size <= 256 else LARGEST_INPUT_PX


def _detections(people: MoveNetPeople) -> list[Detection]:
    rows = zip(people.boxes, people.scores, people.keypoints, people.keypoint_scores, strict=True)
    return [
        Detection(box, float(score), keypoints, keypoint_scores)
        for box, score, keypoints, keypoint_scores in rows
    ]


def _shifted(person: Detection, offset: np.ndarray) -> Detection:
    return replace(person, box=person.box + np.tile(offset, 2), keypoints=person.keypoints + offset)


def _look_in_tiles(image: np.ndarray) -> list[Detection]:
    """Three overlapping half-width tiles (half-height where the image is upright)."""
    height, width = image.shape[:2]
    along = 0 if width >= height else 1
    length = (width, height)[along]
    found = []
    for start in (0, length // 4, length // 2):
        stop = min(start + length // 2, length)
        tile = image[:, start:stop] if along == 0 else image[start:stop]
        offset = np.zeros(2)
        offset[along] = start
        for person in _look(np.ascontiguousarray(tile), 512):
            low, high = person.box[along], person.box[along + 2]
            cut = (low < 4 and start > 0) or (high > stop - start - 4 and stop < length)
            shifted = _shifted(person, offset)
            # Cut by the tile's edge: a neighbouring tile or the whole image shows them better.
            found.append(replace(shifted, score=shifted.score * 0.6) if cut else shifted)
    return [person for person in found if person.score >= SCORE_THRESHOLD]


def _confirmed(
    image: np.ndarray, people: list[Detection], faint: list[Detection], boxes: Boxes
) -> tuple[list[Detection], np.ndarray]:
    """People in boxes of NanoDet's in which MoveNet sees a pose, faintly, and the other boxes."""
    added: list[Detection] = []
    others: list[np.ndarray] = []
    largest = max((person.size for person in people), default=0.0)
    for box, score in zip(boxes.boxes, boxes.scores, strict=True):
        size = max(box[2:] - box[:2])
        known = max((box_iou(box, one.box) for one in (*people, *added)), default=0.0)
        if known > _THEIRS:
            continue
        seen = [one for one in faint if box_iou(box, one.box) > 0.5]
        if not seen and size >= max(MIN_PERSON_PX, 0 if score >= BOX_SCORE else BOX_SIZE * largest):
            seen = look_into(image, box, FAINT_POSE_SCORE)
        new = [one for one in seen if not any(_duplicate(one, p) for p in (*people, *added))]
        best = max(new, key=lambda person: box_iou(box, person.box), default=None)
        if best is not None and box_iou(box, best.box) > 0.5:
            added.append(replace(best, score=max(best.score, 0.5 * float(score))))
        elif known <= 0.35 and (
            size >= BOX_SIZE * largest
            if score >= BOX_SCORE
            # Of the less sure ones only those in the foreground count.
            else score >= LARGE_BOX_SCORE
            and people
            and size >= max(FOREGROUND * max(image.shape[:2]), LARGE_BOX_SIZE * largest)
        ):
            others.append(box)
    return added, np.array(others).reshape(-1, 4)


def look_into(image: np.ndarray, box: np.ndarray, threshold: float) -> list[Detection]:
    """People whom MoveNet sees in a box (4,) and a margin around it, surer than ``threshold``."""
    height, width = image.shape[:2]
    margin = 0.15 * (box[2:] - box[:2])
    x0, y0 = np.maximum(box[:2] - margin, 0).astype(int)
    x1, y1 = np.minimum(box[2:] + margin, [width, height]).astype(int)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return []
    offset = np.array([x0, y0], dtype=np.float64)
    seen = _look(np.ascontiguousarray(image[y0:y1, x0:x1]), 224, threshold)
    return [_shifted(person, offset) for person in seen]


def merge(people: list[Detection]) -> list[Detection]:
    """Keep the surest of every group of detections of one person."""
    kept: list[Detection] = []
    for person in sorted(people, key=lambda p: -p.score):
        if not any(_duplicate(person, other) for other in kept):
            kept.append(person)
    return kept


def _duplicate(a: Detection, b: Detection) -> bool:
    """Whether two detections in one picture are of one person.

    Two detections of somebody are hardly ever farther apart; two people who stand one behind the
    other are nearly always.
    """
    return keypoint_distance(a, b) < 0.1 or box_iou(a.box, b.box) > 0.8


def same_person(a: Detection, b: Detection) -> bool:
    """Whether two detections show one person: poses that agree, or boxes that coincide."""
    return keypoint_distance(a, b) < 0.2 or box_iou(a.box, b.box) > 0.75


def keypoint_distance(a: Detection, b: Detection) -> float:
    """Median distance of the keypoints seen in both, in units of the smaller person's size."""
    seen = np.minimum(a.keypoint_scores, b.keypoint_scores) > 0.1
    if seen.sum() < 3:
        seen = np.ones(17, dtype=bool)
    areas = [(p.box[2] - p.box[0]) * (p.box[3] - p.box[1]) for p in (a, b)]
    size = np.sqrt(max(min(areas), 1.0))
    return float(np.median(np.linalg.norm((a.keypoints - b.keypoints)[seen], axis=1)) / size)
