"""From detected people with landmarks to figures: mattes shared out, body estimates and faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from vitruvian.compute import SideBySide
from vitruvian.networks.nanodet import boxes_meet
from vitruvian.people.bags import with_bags
from vitruvian.people.belonging import own_colors
from vitruvian.people.completeness import THRESHOLD, completeness
from vitruvian.people.detection import Detection
from vitruvian.people.faces import read_face
from vitruvian.people.given import given_masks
from vitruvian.people.landmarks import SUSPECT_DISAGREEMENT, LandmarkEstimate
from vitruvian.people.matte import CoarseMask, coarse_mask, refine, share_out
from vitruvian.people.pose import PoseEstimator
from vitruvian.types.estimate import BodyEstimate
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.given import GivenMask

if TYPE_CHECKING:
    from vitruvian.networks.sam import Sam
    from vitruvian.types.photo import Photo

_Before = TypeVar("_Before")
_After = TypeVar("_After")


@dataclass(frozen=True, eq=False)
class Candidate:
    """Somebody who may be in the picture, in pixels of the working image."""

    person: Detection
    estimate: LandmarkEstimate


@dataclass(frozen=True, eq=False)
class Look:
    """A photograph and what it is looked at with.

    Attributes:
        photo: the photograph.
        image: (H, W, 3) uint8 RGB, the same at working size.
        scale: pixels of ``image`` per pixel of the photograph.
        pose: tells how people stand.
        sam: the user's own SAM networks.
        masks: of people, that the user brings along, in pixels of the photograph.
        traits: what people are built like is told, too.
        passing: it is one of many frames, of which less will do: nobody's face is read, and mattes
            are those that come with the landmarks.
    """

    photo: Photo
    image: np.ndarray
    scale: float
    pose: PoseEstimator
    sam: Sam | None = None
    masks: Sequence[GivenMask] = ()
    traits: bool = True
    passing: bool = False


def draw(look: Look, candidates: Sequence[Candidate]) -> list[Figure | None]:
    """The figure of each candidate; None where nothing of the picture is theirs."""
    photo, image, scale = look.photo, look.image, look.scale
    height, width = photo.pixels.shape[:2]
    drawn = side_by_side(lambda one: _mask(look, one), candidates)
    present = [index for index, mask in enumerate(drawn) if mask is not None]
    estimates = [candidates[index].estimate for index in present]
    coarse = [mask for mask in drawn if mask is not None]
    said: list[tuple[str, ...]] = [() for _ in present]
    if look.sam is not None:
        from vitruvian.people.sam import prompted_masks

        coarse, said = prompted_masks(image, look.sam, estimates, coarse)
    coarse = given_masks(look.masks, scale, coarse)
    colors = None if look.passing else own_colors(image, coarse)
    masks = share_out(coarse, estimates, colors)
    # A lens that was only assumed says nothing of the perspective.
    known = photo.camera.source != "assumed"
    focal = photo.camera.focal_px * scale if known else None
    alphas = side_by_side(lambda mask: refine(image, mask), masks)
    figures = []
    for index, mask, alpha, more in zip(present, masks, alphas, said, strict=True):
        one = candidates[index]
        placed = _to_photo(alpha, mask.window, scale, width, height)
        body = look.pose.body(image, one.estimate, focal) if look.traits else None
        figure = _figure(one.person, one.estimate, placed, scale, image.shape[:2], body)
        figures.append(replace(figure, warnings=figure.warnings + more))
    figures = with_overlaps(figures)
    # In the photograph's own pixels: of a face there are none to spare.
    faces = look.traits and not look.passing
    out: list[Figure | None] = [None] * len(candidates)
    read = side_by_side(
        lambda one: read_face(photo.pixels, one.landmarks, one.alpha) if faces else None, figures
    )
    for index, figure, face in zip(present, figures, read, strict=True):
        out[index] = replace(figure, face=face)
    return out


def with_overlaps(figures: Sequence[Figure]) -> list[Figure]:
    """The figures of one picture, marked where somebody else's box overlaps theirs."""
    boxes = [figure.box for figure in figures]
    return [
        replace(
            figure,
            overlapped=any(
                boxes_meet(box, other) for place, other in enumerate(boxes) if place != index
            ),
        )
        for index, (figure, box) in enumerate(zip(figures, boxes, strict=True))
    ]


def _mask(look: Look, one: Candidate) -> CoarseMask | None:
    """Somebody's mask with what they carry."""
    mask = coarse_mask(look.image, one.estimate, passing=look.passing)
    return mask if mask is None or look.passing else with_bags(look.image, mask)


def side_by_side(work: Callable[[_Before], _After], items: Sequence[_Before]) -> list[_After]:
    """What ``work`` makes of each item, in their order.

    The passes of one person's networks are too small to fill several processors; two people's are
    not.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    with SideBySide() as pool:
        return pool.map(work, items)


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
            spread=None if estimate.spread is None else estimate.spread / scale,
        ),
        alpha=alpha,
        complete=score >= THRESHOLD,
        completeness=score,
        warnings=_warnings(estimate),
        estimate=body,
    )


def _warnings(estimate: LandmarkEstimate) -> tuple[str, ...]:
    sentences = []
    if estimate.sides_in_doubt:
        sentences.append("Left and right are in doubt, so the person may be turned about.")
    elif estimate.disagreement > SUSPECT_DISAGREEMENT:
        sentences.append("The pose is uncertain: two networks disagree on where the joints are.")
    return tuple(sentences)
