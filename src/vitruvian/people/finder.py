"""Photograph in, people out: who is there, who is meant by the user's hints, who is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vitruvian.hints import LARGEST, Hint, Who, together
from vitruvian.networks.nanodet import box_iou
from vitruvian.people.asked import SAME_IOU, seek, whom
from vitruvian.people.detection import Detection, detect, same_person
from vitruvian.people.figures import Candidate, Look, draw, side_by_side
from vitruvian.people.given import detection_of, told
from vitruvian.people.landmarks import SUSPECT_DISAGREEMENT, LandmarkEstimate, without_people
from vitruvian.people.leaving_out import (
    KNOWN,
    NOT_A_PERSON,
    NOT_IN_BOX,
    OVER_LIMIT,
    judge,
    unseen,
)
from vitruvian.people.portrait import portraits
from vitruvian.people.pose import PoseEstimator, pose_estimator
from vitruvian.types.figure import Figure, Found, LeftOut
from vitruvian.types.given import Given, GivenPose
from vitruvian.types.keypoints import CORE

if TYPE_CHECKING:
    from vitruvian.networks.sam import Sam
    from vitruvian.types.photo import Photo

# Nobody is easier to find in more pixels than these.
WORKING_LONG_SIDE = 1600
REJECT_DISAGREEMENT = 0.2
MIN_PRESENCE = 0.4
# Scores of detections, and their size next to the largest, below which an uncertain pose is none.
_FAINT, _BACKGROUND = 0.3, 0.6
# Median distance of the landmarks of one person, seen twice, at most, per side of the crop.
_SAME_DISTANCE = 0.06
_NOTHING_GIVEN = Given()


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
    given: Given = _NOTHING_GIVEN,
    traits: bool = True,
) -> Found:
    """The people of a photograph, left to right, and who is left out.

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
        given: keypoints and masks that the user brings along. Where there are keypoints, theirs
            are the people.
        traits: read faces and builds; without, figures have neither, and somebody of whom only a
            face is seen is not found.

    Returns:
        Figures in pixels of the photograph, numbered; none when nobody is found.

    Raises:
        InputError: the SAM networks refuse their input.
    """
    hints = hints or {}
    image, scale = working_image(photo.pixels)
    look = Look(photo, image, scale, pose or pose_estimator(), sam, given.masks, traits)
    doubtful: list[np.ndarray] = []
    if given.poses is not None:
        everyone = _told_of(look, given.poses)
    else:
        seen = detect(image)
        everyone, doubtful = _landmarks(look.pose, image, seen.people)
        doubtful += list(seen.boxes)
        if traits:
            everyone += portraits(look.pose, image, everyone)
        if sam is not None and sam_everything:
            everyone += _missed(look.pose, image, sam, everyone)
    kept = _largest(everyone, {}, max_people)
    figures = _figures(look, kept)
    left_out: list[LeftOut] = []
    by_box: dict[Candidate, Hint] = {}
    if any(isinstance(who, tuple) for who in hints):
        by_box, left_out = _follow_boxes(look, everyone, figures, hints)
        everyone += [one for one in by_box if one not in everyone]
        everyone = [one for one in everyone if not by_box.get(one, Hint()).not_a_person]
        again = _largest(everyone, by_box, max_people)
        if again != kept:
            kept, figures = again, _figures(look, again)
    left_out += [
        LeftOut(one.person.box / scale, "no-pose", NOT_IN_BOX)
        for one in kept
        if one in by_box and one not in figures
    ]
    left_out += [
        LeftOut(one.person.box / scale, "over-limit", OVER_LIMIT.format(count=len(kept)))
        for one in everyone
        if one not in kept
    ]
    verdicts = {
        one: verdict
        for one, verdict in zip(figures, judge(list(figures.values())), strict=True)
        if verdict is not None and one not in by_box  # the user wants them
    }
    known = _numbered({o: f for o, f in figures.items() if o not in verdicts}, hints, by_box)
    order = {one: index for index, one in enumerate(figures)}
    numbers = {order[one]: figure.number for one, figure in known.items()}
    left_out += [verdict.left_out(figures[one].box, numbers) for one, verdict in verdicts.items()]
    height, width = photo.pixels.shape[:2]
    boxes = [np.clip(box / scale, 0, [width, height] * 2) for box in doubtful]
    told = [*(one.box for one in left_out), *(figure.box for figure in figures.values())]
    left_out += [
        verdict.left_out(box, numbers)
        for box, verdict in unseen(boxes, list(figures.values()))
        if all(box_iou(box, other) < SAME_IOU for other in told)
    ]
    nobodies = [one for one, figure in known.items() if figure.hint and figure.hint.not_a_person]
    left_out += [_not_a_person(known[one].box, known[one].number) for one in nobodies]
    if nobodies:  # what they claimed may be somebody's
        others = [one for one in kept if one not in nobodies]
        known = {
            one: replace(figure, number=known[one].number, hint=known[one].hint)
            for one, figure in _figures(look, others).items()
            if one in known
        }
    figures_in_order = sorted(known.values(), key=lambda figure: figure.number)
    return Found(tuple(figures_in_order), tuple(left_out))


def _largest(
    everyone: Sequence[Candidate], first: Mapping[Candidate, Hint], most: int | None
) -> list[Candidate]:
    """At most so many people, those of ``first`` before others; the largest come first."""
    ordered = sorted(everyone, key=lambda one: -one.person.size)
    kept = sorted(ordered, key=lambda one: one not in first)[:most]
    return [one for one in ordered if one in kept]


def _figures(look: Look, candidates: Sequence[Candidate]) -> dict[Candidate, Figure]:
    """Those of whom something is to be seen, drawn."""
    drawn = zip(candidates, draw(look, candidates), strict=True)
    return {one: figure for one, figure in drawn if figure is not None}


def _numbered(
    figures: Mapping[Candidate, Figure],
    hints: Mapping[Who, Hint],
    by_box: Mapping[Candidate, Hint],
) -> dict[Candidate, Figure]:
    """Figures with numbers, left to right, and what is known of each."""
    ordered = sorted(figures, key=lambda one: float(figures[one].box[0] + figures[one].box[2]))
    largest = max(figures, key=lambda one: figures[one].size, default=None)
    out = {}
    for number, one in enumerate(ordered, 1):
        hint = together(
            hints.get(LARGEST, Hint()) if one is largest else Hint(),
            hints.get(number, Hint()),
            by_box.get(one, Hint()),
        )
        out[one] = replace(figures[one], number=number, hint=None if hint == Hint() else hint)
    return out


def _follow_boxes(
    look: Look,
    everyone: Sequence[Candidate],
    drawn: Mapping[Candidate, Figure],
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
            left_out.append(LeftOut(np.array(box), "no-pose", NOT_IN_BOX))
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


def working_image(pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """The photograph at working size and working pixels per photograph pixel."""
    height, width = pixels.shape[:2]
    scale = WORKING_LONG_SIDE / max(height, width)
    if scale >= 1:
        return pixels, 1.0
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), scale


def _landmarks(
    pose: PoseEstimator, image: np.ndarray, detections: list[Detection]
) -> tuple[list[Candidate], list[np.ndarray]]:
    """Landmarks of every detection, each person once, and boxes (4,) with no pose in them."""

    def look(person: Detection) -> Candidate:
        neighbours = [other for other in detections if other is not person]
        return Candidate(person, pose.landmarks(image, person, neighbours))

    candidates = side_by_side(look, detections)
    candidates.sort(key=lambda one: -_trust(one))
    largest = max((one.person.size for one in candidates), default=0.0)
    kept: list[Candidate] = []
    again: list[Candidate] = []
    doubtful = []
    for one in candidates:
        if _in_doubt(one, largest):
            doubtful.append(one.person.box)
        elif any(_same(one.estimate, other.estimate) for other in kept):
            again.append(one)
        else:
            kept.append(one)
    for one in again:
        # The detector sees two people, and BlazePose twice the one before the other.
        rivals = [other for other in kept if _same(one.estimate, other.estimate)]
        own = without_people(image, [other.estimate for other in rivals])
        neighbours = [other for other in detections if other is not one.person]
        looked = replace(one, estimate=pose.landmarks(own, one.person, neighbours))
        if not _in_doubt(looked, largest) and not any(
            _same(looked.estimate, other.estimate) for other in kept
        ):
            kept.append(looked)
    return kept, doubtful


def _in_doubt(one: Candidate, largest: float) -> bool:
    """Whether there seems to be nobody, or somebody else. ``largest``: size of the largest."""
    estimate, person = one.estimate, one.person
    # Out of focus in the background, hardly seen by the detectors.
    faint = person.score < _FAINT and person.size < _BACKGROUND * largest
    most = SUSPECT_DISAGREEMENT if faint else REJECT_DISAGREEMENT
    return estimate.score < MIN_PRESENCE or estimate.disagreement > most


def _told_of(look: Look, poses: Sequence[GivenPose]) -> list[Candidate]:
    """Everybody whose keypoints the user brings along."""
    scaled = [pose.scaled(look.scale) for pose in poses]
    people = [detection_of(pose) for pose in scaled]

    def one(index: int) -> Candidate:
        others = [other for at, other in enumerate(people) if at != index]
        estimate = look.pose.landmarks(look.image, people[index], others)
        return Candidate(people[index], told(estimate, scaled[index]))

    return side_by_side(one, range(len(people)))


def _trust(one: Candidate) -> float:
    estimate = one.estimate
    return one.person.score * (1 - min(estimate.disagreement, 0.9)) * min(estimate.score, 1.0)


def _same(a: LandmarkEstimate, b: LandmarkEstimate) -> bool:
    distance = np.median(np.linalg.norm((a.points - b.points)[CORE], axis=1))
    return bool(distance < _SAME_DISTANCE * min(a.crop.side, b.crop.side))
