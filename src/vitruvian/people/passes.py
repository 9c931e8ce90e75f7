"""Passes of BlazePose over crops of somebody: where to look, and what a pass says."""

from __future__ import annotations

from dataclasses import dataclass

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
from vitruvian.types.keypoints import COCO_HIPS, COCO_SHOULDERS, JOINTS, LANDMARK_NAMES, MIRROR

CROP_MARGIN = 1.25
SWAPPED = MIRROR[JOINTS]  # the joints with left and right exchanged
_COUNT = len(LANDMARK_NAMES)  # BlazePose's own crop landmarks come after them


@dataclass(frozen=True)
class Pass:
    """What the network says of a crop, in the crop's pixels; reflected: of its mirror image."""

    crop: Crop
    output: BlazePoseOutput
    reflected: bool

    @property
    def points(self) -> np.ndarray:
        """(33, 2) pixels of the image."""
        return self.crop.to_image(self.output.points[:_COUNT])

    @property
    def visibility(self) -> np.ndarray:
        """(33,) as of ``LandmarkEstimate``."""
        return self.output.visibility[:_COUNT]

    @property
    def presence(self) -> np.ndarray:
        """(33,) as of ``LandmarkEstimate``."""
        return self.output.presence[:_COUNT]

    @property
    def world(self) -> np.ndarray:
        """(33, 3) metres, as of ``LandmarkEstimate``."""
        world = self.output.world[:_COUNT].copy()
        world[:, :2] = world[:, :2] @ self.crop.rotation.T
        return world


def look_at(crop: Crop, image: np.ndarray, *, reflected: bool = False) -> Pass:
    """A pass over a crop or its mirror image."""
    pixels = crop.extract(image)
    if not reflected:
        return Pass(crop, BlazePose()(pixels), reflected)
    return Pass(crop, mirrored(BlazePose()(np.ascontiguousarray(pixels[:, ::-1]))), reflected)


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


def varied(crop: Crop, factor: float, degrees: float) -> Crop:
    """A crop with another side, turned about its middle."""
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return Crop(crop.center, turn @ crop.up, factor * crop.side)


def nearly_same(a: Crop, b: Crop) -> bool:
    """Crops so close that another pass would not move the landmarks."""
    moved = np.linalg.norm(a.center - b.center) / b.side
    return bool(moved < 0.03 and abs(np.log(a.side / b.side)) < 0.06 and a.up @ b.up > 0.995)


def plausible(crop: Crop, first: Crop) -> bool:
    """Whether a crop still looks at the person detected, not at nothing or at everything."""
    moved = np.linalg.norm(crop.center - first.center) / first.side
    return bool(moved < 0.5 and 0.4 < crop.side / first.side < 2.5)


def same_pose(points: np.ndarray, reflected: np.ndarray, crop: Crop) -> bool:
    """Whether straight and mirrored pass agree on which side is left: only then average them."""
    straight = np.median(np.linalg.norm((points - reflected)[JOINTS], axis=1))
    swapped = np.median(np.linalg.norm(points[SWAPPED] - reflected[JOINTS], axis=1))
    return bool(straight <= swapped and straight < 0.1 * crop.side)
