"""Photograph in, figures out: detection, landmarks, matte and completeness in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from vitruvian.compute import SideBySide
from vitruvian.people.completeness import THRESHOLD, completeness
from vitruvian.people.detection import Detection, detect, same_person
from vitruvian.people.faces import read_face
from vitruvian.people.landmarks import SUSPECT_DISAGREEMENT, LandmarkEstimate
from vitruvian.people.matte import coarse_mask, refine, share_out
from vitruvian.people.pose import PoseEstimator, pose_estimator
from vitruvian.types.estimate import BodyEstimate
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.keypoints import CORE

if TYPE_CHECKING:
    from vitruvian.networks.sam import Sam
    from vitruvian.types.photo import Photo

# Nobody is easier to find in more pixels than these.
WORKING_LONG_SIDE = 1600
REJECT_DISAGREEMENT = 0.2
MIN_PRESENCE = 0.4

_Before = TypeVar("_Before")
_After = TypeVar("_After")


def find_people(
    photo: Photo,
    *,
    max_people: int | None = None,
    pose: PoseEstimator | None = None,
    sam: Sam | None = None,
    sam_everything: bool = False,
) -> list[Figure]:
    """The people of a photograph, largest first.

    Args:
        photo: what to look at: its pixels, and its focal length if that is known.
        max_people: keep only this many of the largest; None keeps everyone.
        pose: tells how people stand and what they are like; by default the package's own.
        sam: the user's own SAM networks, which then draw the masks.
        sam_everything: let them look for whole people that the detectors miss, too.

    Returns:
        Figures in pixels of the photograph; an empty list when nobody is found.

    Raises:
        InputError: the SAM networks refuse their input.
    """
    image, scale = _working_image(photo.pixels)
    pose = pose or pose_estimator()
    found = _landmarks(pose, image, detect(image))
    if sam is not None and sam_everything:
        found += _missed(pose, image, sam, found)
    found.sort(key=lambda pair: -pair[0].size)
    if max_people is not None:
        found = found[:max_people]
    height, width = photo.pixels.shape[:2]
    drawn = _side_by_side(lambda pair: coarse_mask(image, pair[1]), found)
    claimed = [(*pair, mask) for pair, mask in zip(found, drawn, strict=True)]
    present = [(person, estimate, mask) for person, estimate, mask in claimed if mask is not None]
    estimates = [estimate for _, estimate, _ in present]
    coarse = [mask for _, _, mask in present]
    said: list[tuple[str, ...]] = [() for _ in present]
    if sam is not None:
        from vitruvian.people.sam import prompted_masks

        coarse, said = prompted_masks(image, sam, estimates, coarse)
    masks = share_out(coarse, estimates)
    # A lens that was only assumed says nothing of the perspective.
    known = photo.camera.source != "assumed"
    focal = photo.camera.focal_px * scale if known else None
    alphas = _side_by_side(lambda mask: refine(image, mask), masks)
    figures = []
    for (person, estimate, mask), alpha, more in zip(present, alphas, said, strict=True):
        placed = _to_photo(alpha, mask.window, scale, width, height)
        body = pose.body(image, estimate, focal)
        figure = _figure(person, estimate, placed, scale, image.shape[:2], body)
        figures.append(replace(figure, warnings=figure.warnings + more))
    # In the photograph's own pixels: of a face there are none to spare.
    faces = _side_by_side(lambda one: read_face(photo.pixels, one.landmarks, one.alpha), figures)
    return [replace(figure, face=face) for figure, face in zip(figures, faces, strict=True)]


def _side_by_side(work: Callable[[_Before], _After], items: Sequence[_Before]) -> list[_After]:
    """What ``work`` makes of each item, in their order.

    The passes of one person's networks are too small to fill several processors; two people's are
    not.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    with SideBySide() as pool:
        return pool.map(work, items)


def _missed(
    pose: PoseEstimator,
    image: np.ndarray,
    sam: Sam,
    found: list[tuple[Detection, LandmarkEstimate]],
) -> list[tuple[Detection, LandmarkEstimate]]:
    """Whole people among all that SAM cuts out, without those who are known."""
    from vitruvian.people.sam import everything, whole_people

    added: list[tuple[Detection, LandmarkEstimate]] = []
    for person, estimate in whole_people(pose, image, everything(image, sam)):
        known = [*found, *added]
        if not any(same_person(person, other) or _same(estimate, e) for other, e in known):
            added.append((person, estimate))
    return added


def _working_image(pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """The photograph at working size and working pixels per photograph pixel."""
    height, width = pixels.shape[:2]
    scale = WORKING_LONG_SIDE / max(height, width)
    if scale >= 1:
        return pixels, 1.0
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), scale


def _landmarks(
    pose: PoseEstimator, image: np.ndarray, detections: list[Detection]
) -> list[tuple[Detection, LandmarkEstimate]]:
    """Landmarks of every detection, without those that show nobody or somebody twice."""

    def look(person: Detection) -> tuple[Detection, LandmarkEstimate]:
        neighbours = [other for other in detections if other is not person]
        return person, pose.landmarks(image, person, neighbours)

    pairs = _side_by_side(look, detections)
    pairs.sort(key=lambda pair: -_trust(*pair))
    kept: list[tuple[Detection, LandmarkEstimate]] = []
    for person, estimate in pairs:
        if estimate.score < MIN_PRESENCE or estimate.disagreement > REJECT_DISAGREEMENT:
            continue
        if not any(_same(estimate, other) for _, other in kept):
            kept.append((person, estimate))
    return kept


def _trust(person: Detection, estimate: LandmarkEstimate) -> float:
    return person.score * (1 - min(estimate.disagreement, 0.9)) * min(estimate.score, 1.0)


def _same(a: LandmarkEstimate, b: LandmarkEstimate) -> bool:
    distance = np.median(np.linalg.norm((a.points - b.points)[CORE], axis=1))
    return bool(distance < 0.12 * min(a.crop.side, b.crop.side))


def _to_photo(
    values: np.ndarray, window: tuple[int, int, int, int], scale: float, width: int, height: int
) -> Alpha:
    """The matte cut to where it is not zero, in pixels of the photograph."""
    x0, y0, x1, y1 = window
    if scale != 1.0:
        x0, y0 = round(x0 / scale), round(y0 / scale)
        x1, y1 = min(round(x1 / scale), width), min(round(y1 / scale), height)
        values = cv2.resize(values, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    rows, columns = np.flatnonzero(values.any(axis=1)), np.flatnonzero(values.any(axis=0))
    if len(rows) == 0:
        return Alpha(np.zeros((1, 1), np.uint8), x0, y0, width, height)
    top, left = int(rows[0]), int(columns[0])
    values = np.ascontiguousarray(values[top : rows[-1] + 1, left : columns[-1] + 1])
    return Alpha(values, x0 + left, y0 + top, width, height)


def _figure(
    person: Detection,
    estimate: LandmarkEstimate,
    alpha: Alpha,
    scale: float,
    working_size: tuple[int, ...],
    body: BodyEstimate | None,
) -> Figure:
    score = completeness(estimate, working_size[1], working_size[0], body)
    h, w = alpha.values.shape
    return Figure(
        box=np.array([alpha.x, alpha.y, alpha.x + w, alpha.y + h], dtype=np.float64),
        score=float(person.score),
        landmarks=Landmarks(
            points=estimate.points / scale,
            visibility=estimate.visibility,
            world=estimate.world,
            disagreement=estimate.disagreement,
        ),
        alpha=alpha,
        complete=score >= THRESHOLD,
        completeness=score,
        warnings=_warnings(estimate, score),
        estimate=body,
    )


def _warnings(estimate: LandmarkEstimate, score: float) -> tuple[str, ...]:
    sentences = []
    if score < THRESHOLD:
        sentences.append("Not the whole figure is in view, so the hidden part is a guess.")
    if estimate.sides_in_doubt:
        sentences.append("Left and right are in doubt, so the person may be turned about.")
    elif estimate.disagreement > SUSPECT_DISAGREEMENT:
        sentences.append("The pose is uncertain: two networks disagree on where the joints are.")
    return tuple(sentences)
