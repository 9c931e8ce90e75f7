"""BlazePose's landmarks of one detected person: crops, passes, averaging and how far to trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.networks.nanodet import boxes_meet
from vitruvian.people.crops import Crop
from vitruvian.people.detection import Detection
from vitruvian.people.passes import (
    CROP_MARGIN,
    SWAPPED,
    Pass,
    crop_of_box,
    crop_of_detection,
    crop_of_output,
    look_at,
    nearly_same,
    plausible,
    same_pose,
    varied,
)
from vitruvian.people.sides import Dispute, agreeing, disputes, exchanged
from vitruvian.types.keypoints import (
    COCO_JOINTS,
    JOINTS,
)

SUSPECT_DISAGREEMENT = 0.06
_GREY = 128  # in place of what is not to be seen
# Further crops where looks contradict each other: sides of the first one's, and degrees of turn.
_FURTHER = ((0.87, 0.0), (1.0, 12.0), (1.0, -12.0))


@dataclass(frozen=True)
class LandmarkEstimate:
    """Landmarks of one person in pixels of the image that was given.

    Attributes:
        points: (33, 2) float64 continuous pixels.
        visibility: (33,) float64 in 0..1.
        presence: (33,) float64 in 0..1, belief that the point lies inside the crop.
        world: (33, 3) float64 metres, hips at the origin, the camera frame's axes (turned back by
            the crop's rotation, not by the viewing ray).
        crop: the crop of the last pass.
        score: BlazePose's belief that there is a person.
        disagreement: median distance to the detector's keypoints / size of the person.
        swapped_disagreement: the same with BlazePose's left and right exchanged.
        mask: (256, 256) float32 logits of the person in ``crop``, straight and mirrored pass
            averaged as the landmarks are.
        features: (N, FEATURES) float32 of BlazePose, of each pass that is believed: mostly of
            ``crop``, straight and in the mirror.
        alone: neighbours were greyed out first. They are not in the mask, but neither is what the
            person carries beyond the detector's box.
        reflected: (N) which of these passes were in the mirror.
        spread: (33,) float64 pixels, root mean square distance of several passes' points to their
            mean; None of one pass.
    """

    points: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    world: np.ndarray
    crop: Crop
    score: float
    disagreement: float
    swapped_disagreement: float
    mask: np.ndarray | None = None
    features: np.ndarray | None = None
    alone: bool = False
    reflected: tuple[bool, ...] = (False, True)
    spread: np.ndarray | None = None

    @property
    def sides_in_doubt(self) -> bool:
        """The detector sees left where BlazePose sees right."""
        return self.disagreement > 0.03 and self.swapped_disagreement < 0.6 * self.disagreement


def estimate_landmarks(
    image: np.ndarray,
    person: Detection,
    neighbours: Sequence[Detection],
    *,
    follow: bool = True,
    retry: bool = True,
) -> LandmarkEstimate:
    """Landmarks of a detected person.

    Args:
        image: (H, W, 3) uint8 RGB.
        person: whom to look at.
        neighbours: the other detections; where a box overlaps this person's, everything outside
            of the person's own box is greyed out first, lest the crop settle on the neighbour.
        follow: read again from the crop that the network asks for.
        retry: try other crops where the result contradicts the detection, or passes contradict
            each other on which leg or arm is the left one.
    """
    crowded = any(boxes_meet(person.box, other.box) for other in neighbours)
    own = _without_neighbours(image, person) if crowded else image
    estimate = _passes(own, crop_of_detection(person), person, follow=follow, settle=retry)
    if not retry:
        return replace(estimate, alone=own is not image)
    attempts = [estimate]
    if not _trustworthy(estimate):
        attempts.append(_passes(own, crop_of_box(person), person, follow=False))
    if own is not image:
        return replace(min(attempts, key=_loss), alone=True)
    if not _trustworthy(estimate):
        alone = _passes(_without_neighbours(image, person), crop_of_detection(person), person)
        attempts.append(replace(alone, alone=True))
    return min(attempts, key=_loss)


def expected_landmarks(
    image: np.ndarray, person: Detection, *, reflected: bool
) -> LandmarkEstimate:
    """Landmarks of somebody of whom it is known where they should be, from a single pass.

    Args:
        image: (H, W, 3) uint8 RGB.
        person: as they should be.
        reflected: look at the mirror image. What the two views err by is mostly opposite, so who
            looks at many frames takes turns.
    """
    crop = crop_of_detection(person)
    only = look_at(crop, image, reflected=reflected)
    return _estimate([only], crop, person, [only], only.output.mask)


def _trustworthy(estimate: LandmarkEstimate) -> bool:
    return _loss(estimate) <= SUSPECT_DISAGREEMENT


def _loss(estimate: LandmarkEstimate) -> float:
    # Sides that the two networks name differently do not make the crop wrong.
    return min(estimate.disagreement, estimate.swapped_disagreement)


def _passes(
    image: np.ndarray, first: Crop, person: Detection, *, follow: bool = True, settle: bool = True
) -> LandmarkEstimate:
    """Up to three passes, each from the crop the last one asks for, then one in the mirror; with
    ``settle`` more where they contradict each other or the detector on sides."""
    straight = look_at(first, image)
    for _ in range(2 if follow else 0):
        following = crop_of_output(straight.output, straight.crop)
        if nearly_same(following, straight.crop) or not plausible(following, first):
            break
        straight = look_at(following, image)
    crop = straight.crop
    mirror = look_at(crop, image, reflected=True)
    agree = same_pose(straight.points, mirror.points, crop)
    believed = [straight, mirror] if agree else [straight]
    mask = np.mean([one.output.mask for one in believed], axis=0)
    if settle:
        points, size = [straight.points, mirror.points], crop.side / CROP_MARGIN
        disputed = disputes(points, person, size)
        if disputed:
            return _settled(image, [straight, mirror], disputed, person, mask)
    return _estimate(believed, crop, person, [straight, mirror], mask)


def _settled(
    image: np.ndarray,
    passes: Sequence[Pass],
    disputed: Sequence[Dispute],
    person: Detection,
    mask: np.ndarray,
) -> LandmarkEstimate:
    """The landmarks of the passes that name sides rightly, after more of them: on other crops, the
    network often sees what it took for the other leg. Where none does, but the detector is sure,
    the limbs' landmarks are exchanged."""
    crop = passes[0].crop
    further = [varied(crop, factor, degrees) for factor, degrees in _FURTHER]
    looks = [*passes, *(look_at(one, image, reflected=r) for one in further for r in (False, True))]
    points, size = [one.points for one in looks], crop.side / CROP_MARGIN
    kept = [looks[number] for number in agreeing(points, disputed, person, size)]
    if kept:
        return _estimate(kept, crop, person, kept, mask)
    estimate = _estimate(passes, crop, person, passes, mask)
    wrong = [one for one in disputed if one.sure and one.trunk_agrees]
    return replace(
        estimate,
        points=exchanged(estimate.points, wrong),
        spread=None if estimate.spread is None else exchanged(estimate.spread, wrong),
        visibility=exchanged(estimate.visibility, wrong),
        presence=exchanged(estimate.presence, wrong),
        world=exchanged(estimate.world, wrong),
    )


def _estimate(
    passes: Sequence[Pass],
    crop: Crop,
    person: Detection,
    featured: Sequence[Pass],
    mask: np.ndarray,
) -> LandmarkEstimate:
    """The mean of some passes; the belief that somebody is there is the first's. ``featured``:
    passes whose features are kept; ``mask``: in ``crop``."""
    seen = np.stack([one.points for one in passes])
    points = seen.mean(0)
    spread = np.sqrt(((seen - points) ** 2).sum(-1).mean(0))
    size = crop.side / CROP_MARGIN
    return LandmarkEstimate(
        points=points,
        visibility=np.mean([one.visibility for one in passes], axis=0),
        presence=np.mean([one.presence for one in passes], axis=0),
        world=np.mean([one.world for one in passes], axis=0),
        crop=crop,
        score=passes[0].output.score,
        disagreement=_disagreement(points[JOINTS], person, size),
        swapped_disagreement=_disagreement(points[SWAPPED], person, size),
        mask=mask,
        features=np.stack([one.output.features for one in featured]),
        reflected=tuple(one.reflected for one in featured),
        spread=spread if len(passes) > 1 else None,
    )


def _disagreement(points: np.ndarray, person: Detection, size: float) -> float:
    """Median distance of 12 points to the detector's keypoints, in units of ``size``."""
    seen = person.keypoint_scores[COCO_JOINTS] > 0.3
    if not seen.any():
        return 1.0
    distance = np.linalg.norm(points - person.keypoints[COCO_JOINTS], axis=1)[seen]
    return float(np.median(distance) / size)


def _without_neighbours(image: np.ndarray, person: Detection) -> np.ndarray:
    """The image, grey outside the person's box and a margin of 6 %."""
    height, width = image.shape[:2]
    margin = 0.06 * (person.box[2:] - person.box[:2])
    x0, y0 = np.clip(person.box[:2] - margin, 0, [width, height]).astype(int)
    x1, y1 = np.clip(person.box[2:] + margin, 0, [width, height]).astype(int)
    grey = np.full_like(image, _GREY)
    grey[y0:y1, x0:x1] = image[y0:y1, x0:x1]
    return grey


def without_people(image: np.ndarray, estimates: Sequence[LandmarkEstimate]) -> np.ndarray:
    """The image (H, W, 3), grey where the masks of some people are: what is behind them is left."""
    height, width = image.shape[:2]
    out = image.copy()
    for estimate in estimates:
        if estimate.mask is not None:
            mask = estimate.crop.paste(estimate.mask, (0, 0, width, height), 1.0, -1.0)
            out[mask > 0] = _GREY
    return out
