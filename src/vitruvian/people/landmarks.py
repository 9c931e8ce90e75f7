"""BlazePose's landmarks of one detected person: crops, passes, averaging and how far to trust."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.networks.blazepose import (
    CROP_CENTER,
    CROP_RADIUS,
    BlazePose,
    BlazePoseOutput,
    mirrored,
)
from vitruvian.people.crops import Crop
from vitruvian.people.detection import Detection
from vitruvian.types.keypoints import (
    COCO_HIPS,
    COCO_JOINTS,
    COCO_SHOULDERS,
    JOINTS,
    LANDMARK_NAMES,
    MIRROR,
)

_SWAPPED = MIRROR[JOINTS]
_COUNT = len(LANDMARK_NAMES)  # BlazePose's own crop landmarks come after them
CROP_MARGIN = 1.25
SUSPECT_DISAGREEMENT = 0.06
_GREY = 128  # in place of what is not to be seen


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
        features: (2, FEATURES) float32 of BlazePose in ``crop``, straight and in the mirror; (1,
            FEATURES) of the only pass where there was one.
        alone: neighbours were greyed out first. They are not in the mask, but neither is what the
            person carries beyond the detector's box.
        reflected: whether the only pass was in the mirror.
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
    reflected: bool = False

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
        retry: try other crops where the result contradicts the detection.
    """
    own = _without_neighbours(image, person) if _overlapped(person, neighbours) else image
    estimate = _passes(own, crop_of_detection(person), person, follow=follow)
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
    output = _in_mirror(crop, image) if reflected else BlazePose()(crop.extract(image))
    features = output.features[None]
    return replace(_estimate([output], crop, person, features), reflected=reflected)


def _trustworthy(estimate: LandmarkEstimate) -> bool:
    return _loss(estimate) <= SUSPECT_DISAGREEMENT


def _loss(estimate: LandmarkEstimate) -> float:
    # Sides that the two networks name differently do not make the crop wrong.
    return min(estimate.disagreement, estimate.swapped_disagreement)


def crop_of_detection(person: Detection) -> Crop:
    """First crop: hips in the centre, hip to shoulder upwards, reaching every keypoint seen."""
    hips = person.keypoints[COCO_HIPS].mean(axis=0)
    shoulders = person.keypoints[COCO_SHOULDERS].mean(axis=0)
    torso = shoulders - hips
    length = np.linalg.norm(torso)
    up = torso / length if length > 1 else np.array([0.0, -1.0])
    seen = person.keypoints[person.keypoint_scores > 0.15]
    reach = np.linalg.norm(seen - hips, axis=1).max() if len(seen) else 0.0
    radius = max(reach, 0.45 * person.size)
    return Crop(hips, up, 2 * radius * CROP_MARGIN)


def crop_of_box(person: Detection) -> Crop:
    """An upright crop around the box, for when the keypoints cannot be trusted."""
    center = (person.box[:2] + person.box[2:]) / 2
    return Crop(center, np.array([0.0, -1.0]), person.size * CROP_MARGIN)


def crop_of_output(output: BlazePoseOutput, crop: Crop) -> Crop:
    """The next crop, from the two auxiliary landmarks."""
    center, rim = crop.to_image(output.points[[CROP_CENTER, CROP_RADIUS]])
    radius = float(np.linalg.norm(rim - center))
    up = (rim - center) / radius if radius > 1 else crop.up
    return Crop(center, up, 2 * max(radius, 8.0) * CROP_MARGIN)


def _passes(
    image: np.ndarray, first: Crop, person: Detection, *, follow: bool = True
) -> LandmarkEstimate:
    """Up to three passes, each from the crop the last one asks for, then one in the mirror."""
    network = BlazePose()
    crop = first
    output = network(crop.extract(image))
    for _ in range(2 if follow else 0):
        following = crop_of_output(output, crop)
        if _nearly_same(following, crop) or not _plausible(following, first):
            break
        crop = following
        output = network(crop.extract(image))
    reflection = _in_mirror(crop, image)
    points, reflected = (crop.to_image(one.points[:_COUNT]) for one in (output, reflection))
    agree = _same_pose(points, reflected, crop)
    features = np.stack([output.features, reflection.features])
    return _estimate([output, reflection] if agree else [output], crop, person, features)


def _in_mirror(crop: Crop, image: np.ndarray) -> BlazePoseOutput:
    """A pass over the mirror image of a crop, in the pixels of the crop."""
    return mirrored(BlazePose()(np.ascontiguousarray(crop.extract(image)[:, ::-1])))


def _estimate(
    passes: Sequence[BlazePoseOutput], crop: Crop, person: Detection, features: np.ndarray
) -> LandmarkEstimate:
    """The mean of some passes over one crop; the belief that somebody is there is the first's."""

    def mean(values: Sequence[np.ndarray]) -> np.ndarray:
        return values[0] if len(values) == 1 else (values[0] + values[1]) / 2

    points = mean([crop.to_image(one.points[:_COUNT]) for one in passes])
    world = mean([one.world for one in passes])[:_COUNT].copy()
    world[:, :2] = world[:, :2] @ crop.rotation.T
    size = crop.side / CROP_MARGIN
    return LandmarkEstimate(
        points=points,
        visibility=mean([one.visibility for one in passes])[:_COUNT],
        presence=mean([one.presence for one in passes])[:_COUNT],
        world=world,
        crop=crop,
        score=passes[0].score,
        disagreement=_disagreement(points[JOINTS], person, size),
        swapped_disagreement=_disagreement(points[_SWAPPED], person, size),
        mask=mean([one.mask for one in passes]),
        features=features,
    )


def _nearly_same(a: Crop, b: Crop) -> bool:
    """Crops so close that another pass would not move the landmarks."""
    moved = np.linalg.norm(a.center - b.center) / b.side
    return bool(moved < 0.03 and abs(np.log(a.side / b.side)) < 0.06 and a.up @ b.up > 0.995)


def _plausible(crop: Crop, first: Crop) -> bool:
    """Whether a crop still looks at the person detected, not at nothing or at everything."""
    moved = np.linalg.norm(crop.center - first.center) / first.side
    return bool(moved < 0.5 and 0.4 < crop.side / first.side < 2.5)


def _same_pose(points: np.ndarray, reflected: np.ndarray, crop: Crop) -> bool:
    """Whether straight and mirrored pass agree on which side is left: only then average them."""
    straight = np.median(np.linalg.norm((points - reflected)[JOINTS], axis=1))
    swapped = np.median(np.linalg.norm(points[_SWAPPED] - reflected[JOINTS], axis=1))
    return bool(straight <= swapped and straight < 0.1 * crop.side)


def _disagreement(points: np.ndarray, person: Detection, size: float) -> float:
    """Median distance of 12 points to the detector's keypoints, in units of ``size``."""
    seen = person.keypoint_scores[COCO_JOINTS] > 0.3
    if not seen.any():
        return 1.0
    distance = np.linalg.norm(points - person.keypoints[COCO_JOINTS], axis=1)[seen]
    return float(np.median(distance) / size)


def _overlapped(person: Detection, neighbours: Sequence[Detection]) -> bool:
    a = person.box
    return any(
        min(a[2], b.box[2]) > max(a[0], b.box[0]) and min(a[3], b.box[3]) > max(a[1], b.box[1])
        for b in neighbours
    )


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
