"""Photograph in, people out: who is there, who is meant by the user's hints, who is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vitruvian.hints import LARGEST, Hint, Who, together
from vitruvian.people.asked import seek, whom
from vitruvian.people.detection import Detection, detect, same_person
from vitruvian.people.figures import Candidate, Look, draw, side_by_side
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.people.pose import PoseEstimator, pose_estimator
from vitruvian.types.figure import Figure, Found, LeftOut
from vitruvian.types.keypoints import CORE

if TYPE_CHECKING:
    from vitruvian.networks.sam import Sam
    from vitruvian.types.photo import Photo

# Nobody is easier to find in more pixels than these.
WORKING_LONG_SIDE = 1600
REJECT_DISAGREEMENT = 0.2
MIN_PRESENCE = 0.4

NOT_A_PERSON = "You said that this is not a person."
NO_POSE = "Nobody could be made out in this box; draw it around the whole person."
KNOWN = "Only somebody who was found anyway could be made out in this box."
OVER_LIMIT = "There are more people in the picture than the {count} that were asked for."


def find_people(
    photo: Photo,
    *,
    max_people: int | None = None,
    pose: PoseEstimator | None = None,
    sam: Sam | None = None,
    sam_everything: bool = False,
) -> list[Figure]:
    """The people of a photograph who can be reconstructed; see ``look_for_people``."""
    found = look_for_people(
        photo, max_people=max_people, pose=pose, sam=sam, sam_everything=sam_everything
    )
    return list(found.figures)


def look_for_people(
    photo: Photo,
    *,
    hints: Mapping[Who, Hint] | None = None,
    max_people: int | None = None,
    pose: PoseEstimator | None = None,
    sam: Sam | None = None,
    sam_everything: bool = False,
) -> Found:
    """The people of a photograph, largest first, and who is left out.

    Args:
        photo: what to look at: its pixels, and its focal length if that is known.
        hints: what the user knows of people. Whoever is in a box with nobody in it is sought
            there; numbers are those of the people with these, but with whoever the numbers call
            no person.
        max_people: keep only this many: those in the user's boxes, then the largest; None keeps
            everyone.
        pose: tells how people stand and what they are like; by default the package's own.
        sam: the user's own SAM networks, which then draw the masks.
        sam_everything: let them look for whole people that the detectors miss, too.

    Returns:
        Figures in pixels of the photograph, numbered; none when nobody is found.

    Raises:
        InputError: the SAM networks refuse their input.
    """
    hints = hints or {}
    image, scale = _working_image(photo.pixels)
    pose = pose or pose_estimator()
    look = Look(photo, image, scale, pose, sam)
    everyone = _landmarks(pose, image, detect(image))
    if sam is not None and sam_everything:
        everyone += _missed(pose, image, sam, everyone)
    everyone.sort(key=lambda one: -one.person.size)
    kept = everyone[:max_people]
    drawn = draw(look, kept)
    boxes = [who for who in hints if isinstance(who, tuple)]
    left_out: list[LeftOut] = []
    by_box: dict[Candidate, Hint] = {}
    if boxes:
        by_box, left_out = _follow_boxes(look, everyone, dict(zip(kept, drawn, strict=True)), hints)
        everyone += [one for one in by_box if one not in everyone]
        everyone = [one for one in everyone if not by_box.get(one, Hint()).not_a_person]
        everyone.sort(key=lambda one: -one.person.size)
        first = sorted(everyone, key=lambda one: one not in by_box)[:max_people]
        wanted = [one for one in everyone if one in first]
        if wanted != kept:
            kept, drawn = wanted, draw(look, wanted)
    figures = {one: figure for one, figure in zip(kept, drawn, strict=True) if figure is not None}
    numbers = {one: number for number, one in enumerate(figures, 1)}
    largest = max(figures, key=lambda one: one.person.size, default=None)
    known = {
        one: together(
            hints.get(LARGEST, Hint()) if one is largest else Hint(),
            hints.get(numbers[one], Hint()),
            by_box.get(one, Hint()),
        )
        for one in figures
    }
    left_out += [
        LeftOut(one.person.box / scale, "no-pose", NO_POSE)
        for one in by_box
        if one in kept and one not in figures
    ]
    nobodies = [one for one in figures if known[one].not_a_person]
    left_out += [_not_a_person(figures[one].box, numbers[one]) for one in nobodies]
    left_out += [
        LeftOut(one.person.box / scale, "over-limit", OVER_LIMIT.format(count=len(kept)))
        for one in everyone
        if one not in kept
    ]
    if nobodies:  # what they claimed may be somebody's
        kept = [one for one in figures if one not in nobodies]
        figures = {
            one: figure
            for one, figure in zip(kept, draw(look, kept), strict=True)
            if figure is not None
        }
    return Found(
        tuple(
            replace(
                figure,
                number=numbers[one],
                hint=None if known[one] == Hint() else known[one],
            )
            for one, figure in figures.items()
        ),
        tuple(left_out),
    )


def _follow_boxes(
    look: Look,
    everyone: Sequence[Candidate],
    drawn: Mapping[Candidate, Figure | None],
    hints: Mapping[Who, Hint],
) -> tuple[dict[Candidate, Hint], list[LeftOut]]:
    """Whom the user's boxes mean, those among them who are found only now, and who is not there."""
    boxes = [who for who in hints if isinstance(who, tuple)]
    outlines = []
    for one in everyone:
        figure = drawn.get(one)
        outlines.append([one.person.box / look.scale, *([figure.box] if figure else [])])
    meant: dict[Candidate, Hint] = {}
    left_out = []
    for box, index in zip(boxes, whom(boxes, outlines), strict=True):
        hint = hints[box]
        if index is not None:
            meant[everyone[index]] = hint
            if hint.not_a_person:
                left_out.append(_not_a_person(outlines[index][-1]))
            continue
        if hint.not_a_person:
            continue
        neighbours = [one.person for one in (*everyone, *meant)]
        sought = seek(look.pose, look.image, np.array(box) * look.scale, neighbours)
        if sought is None:
            left_out.append(LeftOut(np.array(box), "no-pose", NO_POSE))
            continue
        known = [one for one in everyone if _same(sought[1], one.estimate)]
        if known and hint == Hint():
            left_out.append(LeftOut(np.array(box), "no-pose", KNOWN))
            continue
        one = known[0] if known else Candidate(*sought)
        meant[one] = together(meant.get(one, Hint()), hint)
    return meant, left_out


def _not_a_person(box: np.ndarray, number: int | None = None) -> LeftOut:
    return LeftOut(box, "not-a-person", NOT_A_PERSON, number)


def _missed(
    pose: PoseEstimator,
    image: np.ndarray,
    sam: Sam,
    found: list[Candidate],
) -> list[Candidate]:
    """Whole people among all that SAM cuts out, without those who are known."""
    from vitruvian.people.sam import everything, whole_people

    added: list[Candidate] = []
    for person, estimate in whole_people(pose, image, everything(image, sam)):
        known = [*found, *added]
        if not any(
            same_person(person, other.person) or _same(estimate, other.estimate) for other in known
        ):
            added.append(Candidate(person, estimate))
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
) -> list[Candidate]:
    """Landmarks of every detection, without those that show nobody or somebody twice."""

    def look(person: Detection) -> Candidate:
        neighbours = [other for other in detections if other is not person]
        return Candidate(person, pose.landmarks(image, person, neighbours))

    candidates = side_by_side(look, detections)
    candidates.sort(key=lambda one: -_trust(one))
    kept: list[Candidate] = []
    for one in candidates:
        if one.estimate.score < MIN_PRESENCE or one.estimate.disagreement > REJECT_DISAGREEMENT:
            continue
        if not any(_same(one.estimate, other.estimate) for other in kept):
            kept.append(one)
    return kept


def _trust(one: Candidate) -> float:
    estimate = one.estimate
    return one.person.score * (1 - min(estimate.disagreement, 0.9)) * min(estimate.score, 1.0)


def _same(a: LandmarkEstimate, b: LandmarkEstimate) -> bool:
    distance = np.median(np.linalg.norm((a.points - b.points)[CORE], axis=1))
    return bool(distance < 0.12 * min(a.crop.side, b.crop.side))
