"""Looking at a clip frame by frame: everyone is detected now and then, and followed between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.compute.processes import Tick
from vitruvian.exchange.given_frames import GivenFrames
from vitruvian.networks.nanodet import box_iou
from vitruvian.people.detection import Detection, detect, same_person
from vitruvian.people.figures import Candidate, Look, draw
from vitruvian.people.finder import working_image
from vitruvian.people.landmarks import LandmarkEstimate, estimate_landmarks, expected_landmarks
from vitruvian.people.pose import pose_estimator
from vitruvian.pipeline.stages import find
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import COCO_LANDMARKS, HIPS, KNEES, SHOULDERS
from vitruvian.types.photo import Photo
from vitruvian.video.clip import Frame
from vitruvian.video.looks import Looks, looks_of
from vitruvian.video.spans import Span, reader_of
from vitruvian.video.tracking import Track, Tracker
from vitruvian.video.turning import small_grey


@dataclass(frozen=True, eq=False)
class Glance:
    """What a span of a clip shows.

    Attributes:
        index: of the span.
        frames: number and seconds of its frames.
        figures: of each frame, the people in it.
        looks: of each of them, what they look like.
        careful: of each frame, whether it was looked at with more care than in passing.
        greys: of each frame, as ``turning.small_grey`` makes it.
        next_s: seconds of the frame behind the span; None where the clip has ended.
    """

    index: int
    frames: tuple[tuple[int, float], ...]
    figures: tuple[tuple[Figure, ...], ...]
    looks: tuple[tuple[Looks, ...], ...]
    careful: tuple[bool, ...]
    greys: tuple[np.ndarray, ...]
    next_s: float | None


DETECT_S = 0.5  # seconds after which people are detected again, and looked at carefully
# The same while somebody is missing, and how long they are: who comes out from behind another is
# seen at once then.
_SEEK_S, _MISSING_S = 0.12, 1.0
_TOUCHING = 0.05  # IoU of boxes from which on people are told apart in the whole frame only
_LEAST_PRESENCE = 0.5
_HIDDEN = 0.5  # visibility of landmarks that something hides
_MOST_STRAYED = 0.1  # of the person's size: landmarks from where they were expected


def look_at(span: Span, tick: Tick) -> Glance:
    """Look at every frame of a span; nothing is known of what was before.

    The first frame is searched as a photograph is, so whoever was overlooked is found with the next
    span.

    Args:
        span: to look at.
        tick: called for every frame.
    """
    observer, reader = Observer(span.camera, given=span.given), reader_of(span)
    frames, figures, looks, careful, greys = [], [], [], [], []
    for frame in reader.frames(span):
        seen = observer.look(frame)
        frames.append((frame.number, frame.time_s))
        figures.append(tuple(figure for figure, _ in seen))
        looks.append(tuple(look for _, look in seen))
        careful.append(not observer.passing)
        greys.append(small_grey(frame.pixels, span.camera))
        tick()
    every = tuple(frames), tuple(figures), tuple(looks), tuple(careful), tuple(greys)
    return Glance(span.index, *every, reader.next_s)


class Observer:
    """Finds and tracks the people of successive frames.

    Frames in which nobody is lost, hides another or is new are not searched: whoever was
    there is looked at where they should be by now, in passing. Now and then people are detected;
    where these are those who were expected, they are looked at carefully and nothing is searched.

    In passing, the picture and its mirror image take turns from frame to frame: what the landmarks
    of the two err by is mostly opposite, and the motion is the mean over frames.

    Args:
        camera: of all frames.
        detect_s: seconds after which people are detected again.
        given: keypoints and masks that are brought along; every frame is then searched, for them.

    Attributes:
        passing: whether the last frame was looked at in passing.
    """

    def __init__(
        self, camera: Camera, *, detect_s: float = DETECT_S, given: GivenFrames | None = None
    ) -> None:
        self._tracker = Tracker()
        self._camera = camera
        self._detect_s = detect_s
        self._given = given
        self._detected_s = -np.inf
        self._expected: list[Track] = []
        self._reflected = False
        self.passing = False

    def look(self, frame: Frame) -> list[tuple[Figure, Looks]]:
        """The people of the next frame, and what they look like."""
        photo = frame.as_photo(self._camera)
        figures = self._followed(photo, frame) if self._given is None else None
        if figures is None:
            given = None if self._given is None else self._given.of(frame.number)
            figures = list(find(photo, given=given).figures)
            self._detected_s, self.passing = frame.time_s, False
        looks = [looks_of(frame.pixels, figure) for figure in figures]
        self._expected = self._tracker.update(
            frame.number, frame.time_s, figures, looks, careful=not self.passing
        )
        return list(zip(figures, looks, strict=True))

    def _followed(self, photo: Photo, frame: Frame) -> list[Figure] | None:
        """Those who were there in the last frame; None where the frame must be searched."""
        expected = self._expected
        if not expected:
            return None
        boxes = [track.last.figure.box for track in expected]
        for index, box in enumerate(boxes):
            if any(box_iou(box, other) > _TOUCHING for other in boxes[:index]):
                return None
        image, scale = working_image(photo.pixels)
        people = [_expected_person(track, frame.time_s, scale) for track in expected]
        again_s = _SEEK_S if self._missing(frame.time_s) else self._detect_s
        self.passing = frame.time_s - self._detected_s < min(again_s, self._detect_s)
        self._reflected = not self._reflected
        if not self.passing:
            detected = _same_people(people, detect(image).people)
            if detected is None:
                return None
            people = detected
            self._detected_s = frame.time_s
        candidates = []
        for person in people:
            if self.passing:
                estimate = expected_landmarks(image, person, reflected=self._reflected)
            else:
                estimate = estimate_landmarks(image, person, (), follow=False, retry=False)
            if estimate.score < _LEAST_PRESENCE or estimate.disagreement > _MOST_STRAYED:
                return None
            candidates.append(Candidate(_seen_person(person, estimate), estimate))
        look = Look(photo, image, scale, pose_estimator(), passing=self.passing)
        figures = [figure for figure in draw(look, candidates) if figure is not None]
        return figures if len(figures) == len(candidates) else None

    def _missing(self, time_s: float) -> bool:
        """Whether somebody who was there a moment ago is not."""
        return any(
            track not in self._expected and time_s - track.last.time_s <= _MISSING_S
            for track in self._tracker.tracks
        )


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
    """Where a tracked person should be, in pixels of the working image.

    What was hidden is expected where the last careful look had it, as far from the shoulders:
    landmarks of hidden limbs are squeezed onto what is seen, the more the smaller the crop, which
    would be made of these.
    """
    figure = track.last.figure
    shift = track.expected_shift(time_s)
    points, box = figure.landmarks.points + shift, figure.box + np.tile(shift, 2)
    hidden = figure.landmarks.visibility < _HIDDEN
    hidden[HIPS] = hidden[KNEES].all()  # always marked as visible
    careful = next((one.figure for one in reversed(track.sightings) if one.careful), None)
    if careful is not None and hidden.any():
        before = careful.landmarks.points
        moved = points[SHOULDERS].mean(0) - before[SHOULDERS].mean(0)
        points[hidden] = before[hidden] + moved
        low, high = points[hidden].min(0), points[hidden].max(0)
        box = np.concatenate([np.minimum(box[:2], low), np.maximum(box[2:], high)])
    return Detection(
        box=box * scale,
        score=figure.score,
        keypoints=points[COCO_LANDMARKS] * scale,
        keypoint_scores=figure.landmarks.visibility[COCO_LANDMARKS],
    )


def _seen_person(expected: Detection, estimate: LandmarkEstimate) -> Detection:
    """The detection that the landmarks make of somebody who was expected."""
    points = estimate.points
    box = np.concatenate([points.min(0), points.max(0)])
    return replace(expected, box=box, keypoints=points[COCO_LANDMARKS])
