"""Looking at a clip frame by frame: everyone is detected now and then, and followed between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.networks.nanodet import box_iou
from vitruvian.people.detection import Detection, detect, same_person
from vitruvian.people.figures import Candidate, Look, draw
from vitruvian.people.finder import working_image
from vitruvian.people.landmarks import LandmarkEstimate, estimate_landmarks
from vitruvian.people.pose import pose_estimator
from vitruvian.pipeline.stages import find
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import COCO_LANDMARKS
from vitruvian.types.photo import Photo
from vitruvian.video.clip import Frame
from vitruvian.video.looks import Looks
from vitruvian.video.tracking import Sighting, Track, Tracker


@dataclass(frozen=True, eq=False)
class Glance:
    """What an observer has learnt in some successive frames, and all that it needs to go on.

    Attributes:
        frames: number and seconds of those frames.
        sightings: in them, each with the id of its track.
        looks: of every track by its id.
        expected: ids of those who were there in the last of the frames.
        detected_s: when people were last detected.
        searched_s: when the whole frame was last searched as a photograph is.
    """

    frames: tuple[tuple[int, float], ...]
    sightings: tuple[tuple[int, Sighting], ...]
    looks: Mapping[int, Looks | None]
    expected: tuple[int, ...]
    detected_s: float
    searched_s: float


DETECT_S = 0.5  # seconds after which people are detected again, and looked at carefully
_SEARCH_S = 2.0  # seconds after which the whole frame is searched as a photograph is
_TOUCHING = 0.05  # IoU of boxes from which on people are told apart in the whole frame only
_LEAST_PRESENCE = 0.5
_MOST_STRAYED = 0.1  # of the person's size: landmarks from where they were expected


class Observer:
    """Finds and tracks the people of successive frames.

    Frames in which nobody is lost, hides another or is new for long are not searched: whoever was
    there is looked at where they should be by now, in passing. Now and then people are detected;
    where these are those who were expected, they are looked at carefully and nothing is searched.

    Args:
        camera: of all frames.
        detect_s: seconds after which people are detected again.
    """

    def __init__(self, camera: Camera, *, detect_s: float = DETECT_S) -> None:
        self.tracker = Tracker()
        self._camera = camera
        self._detect_s = detect_s
        self._detected_s = self._searched_s = -np.inf
        self._expected: list[Track] = []

    def look(self, frame: Frame) -> list[tuple[Track, Sighting]]:
        """The people of the next frame with their tracks."""
        photo = frame.as_photo(self._camera)
        figures = self._followed(photo, frame)
        if figures is None:
            figures = list(find(photo).figures)
            self._detected_s = self._searched_s = frame.time_s
        self._expected = self.tracker.update(frame.number, frame.time_s, figures, frame.pixels)
        return [(track, track.last) for track in self._expected]

    def glance(self, frames: Sequence[tuple[int, float]]) -> Glance:
        """What was learnt in the latest frames."""
        first = frames[0][0]
        tracks = self.tracker.tracks
        new = [(t.id, one) for t in tracks for one in t.sightings if one.number >= first]
        return Glance(
            tuple(frames),
            tuple(new),
            {track.id: track.looks for track in tracks},
            tuple(track.id for track in self._expected),
            self._detected_s,
            self._searched_s,
        )

    def recall(self, glance: Glance) -> None:
        """Go on from behind the frames of a glance; what was before them is known already."""
        tracks = {track.id: track for track in self.tracker.tracks}
        for number in sorted(glance.looks):
            if number not in tracks:
                tracks[number] = Track(number)
                self.tracker.tracks.append(tracks[number])
            tracks[number].looks = glance.looks[number]
        for number, sighting in glance.sightings:
            tracks[number].sightings.append(sighting)
        self._expected = [tracks[number] for number in glance.expected]
        self._detected_s = glance.detected_s
        self._searched_s = glance.searched_s

    def _followed(self, photo: Photo, frame: Frame) -> list[Figure] | None:
        """Those who were there in the last frame; None where the frame must be searched."""
        expected = self._expected
        if not expected or frame.time_s - self._searched_s >= _SEARCH_S:
            return None
        boxes = [track.last.figure.box for track in expected]
        for index, box in enumerate(boxes):
            if any(box_iou(box, other) > _TOUCHING for other in boxes[:index]):
                return None
        image, scale = working_image(photo.pixels)
        people = [_expected_person(track, frame.time_s, scale) for track in expected]
        passing = frame.time_s - self._detected_s < self._detect_s
        if not passing:
            detected = _same_people(people, detect(image).people)
            if detected is None:
                return None
            people = detected
            self._detected_s = frame.time_s
        candidates = []
        for person in people:
            estimate = estimate_landmarks(image, person, (), follow=False, retry=False)
            if estimate.score < _LEAST_PRESENCE or estimate.disagreement > _MOST_STRAYED:
                return None
            candidates.append(Candidate(_seen_person(person, estimate), estimate))
        look = Look(photo, image, scale, pose_estimator(), passing=passing)
        figures = [figure for figure in draw(look, candidates) if figure is not None]
        return figures if len(figures) == len(candidates) else None


def _same_people(
    expected: Sequence[Detection], detected: Sequence[Detection]
) -> list[Detection] | None:
    """The detection of each who was expected; None where it is not these and nobody else."""
    found = []
    for person in expected:
        same = [one for one in detected if same_person(person, one)]
        if len(same) != 1:
            return None
        found += same
    return found if len({id(one) for one in found}) == len(detected) else None


def _expected_person(track: Track, time_s: float, scale: float) -> Detection:
    """Where a tracked person should be, in pixels of the working image."""
    figure = track.last.figure
    shift = track.expected_shift(time_s)
    return Detection(
        box=(figure.box + np.tile(shift, 2)) * scale,
        score=figure.score,
        keypoints=(figure.landmarks.points[COCO_LANDMARKS] + shift) * scale,
        keypoint_scores=figure.landmarks.visibility[COCO_LANDMARKS],
    )


def _seen_person(expected: Detection, estimate: LandmarkEstimate) -> Detection:
    """The detection that the landmarks make of somebody who was expected."""
    points = estimate.points
    box = np.concatenate([points.min(0), points.max(0)])
    return replace(expected, box=box, keypoints=points[COCO_LANDMARKS])
