"""Which leg is the left one, where looks at somebody contradict each other."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.image.photo import load_photo
from vitruvian.networks.blazepose import BlazePoseOutput
from vitruvian.people import landmarks
from vitruvian.people.crops import Crop
from vitruvian.people.detection import Detection, detect
from vitruvian.people.finder import find_people, working_image
from vitruvian.people.passes import Pass, look_at
from vitruvian.people.sides import agreeing, contradiction, disputes, exchanged
from vitruvian.types.keypoints import (
    ANKLES,
    COCO_LANDMARKS,
    HEELS,
    HIPS,
    KNEES,
    SHOULDERS,
    TOES,
)

SIZE = 400.0
LEGS = np.stack([KNEES, ANKLES, HEELS, TOES])
TRUNK = np.stack([SHOULDERS, HIPS])


def walking() -> np.ndarray:
    """Landmarks (33, 2) of somebody who strides from right to left, seen from the side."""
    points = np.tile([200.0, 100.0], (33, 1)) + np.random.default_rng(0).normal(0, 3, (33, 2))
    for pair, left, right in (
        (SHOULDERS, (198, 130), (204, 130)),
        (HIPS, (198, 240), (204, 240)),
        (KNEES, (170, 320), (222, 325)),
        (ANKLES, (140, 400), (270, 390)),
        (HEELS, (148, 410), (280, 398)),
        (TOES, (115, 415), (255, 405)),
    ):
        points[pair[0]], points[pair[1]] = left, right
    return points


def other_legs(points: np.ndarray) -> np.ndarray:
    out = points.copy()
    out[LEGS] = points[LEGS[:, ::-1]]
    return out


def detected(points: np.ndarray, legs: float, trunk: float = 0.9) -> Detection:
    """As the detector would see these landmarks; scores of legs and trunk."""
    scores = np.full(33, 0.7)
    scores[LEGS], scores[TRUNK] = legs, trunk
    box = np.array([100.0, 90, 290, 420])
    return Detection(box, 0.9, points[COCO_LANDMARKS], scores[COCO_LANDMARKS])


def test_a_contradiction_is_as_large_as_the_sides_are_apart() -> None:
    points = walking()
    apart = np.linalg.norm(points[LEGS[:, 0]] - points[LEGS[:, 1]], axis=1).mean() / SIZE
    assert contradiction(points, points, LEGS, SIZE) == pytest.approx(-apart)
    assert contradiction(other_legs(points), points, LEGS, SIZE) == pytest.approx(apart)
    both = (points + other_legs(points)) / 2
    assert contradiction(both, points, LEGS, SIZE) == pytest.approx(0)


def test_who_agrees_disputes_nothing() -> None:
    points = walking()
    near = points + np.random.default_rng(1).normal(0, 4, (33, 2))
    assert disputes([points, near], detected(points, legs=0.9), SIZE) == []
    # A detector that is not sure may say what it likes.
    assert disputes([points, near], detected(other_legs(points), legs=0.4), SIZE) == []


def test_a_sure_detector_is_believed() -> None:
    points = walking()
    wrong, person = other_legs(points), detected(points, legs=0.6)
    looks = [wrong, wrong, points, wrong, (points + wrong) / 2 + 1]
    (found,) = disputes(looks[:2], person, SIZE)
    assert found.sure
    assert found.trunk_agrees
    np.testing.assert_array_equal(found.pairs, LEGS)
    assert agreeing(looks, [found], person, SIZE)[0] == 2
    assert not {0, 1, 3} & set(agreeing(looks, [found], person, SIZE))
    np.testing.assert_array_equal(exchanged(wrong, [found]), points)
    # Whoever it has turned about has all sides exchanged: of that it must be surer.
    points[SHOULDERS], points[HIPS] = [[240, 130], [160, 130]], [[230, 240], [172, 240]]
    turned = other_legs(points)
    turned[TRUNK] = points[TRUNK[:, ::-1]]
    assert disputes([turned, turned], detected(points, 0.6, trunk=0.3), SIZE) == []
    (found,) = disputes([turned, turned], detected(points, 0.6, trunk=0.6), SIZE)
    assert not found.trunk_agrees


@pytest.mark.parametrize("first_is_wrong", [False, True])
def test_else_most_looks_are_right(first_is_wrong: bool) -> None:
    points = walking()
    wrong = other_legs(points)
    looks = [wrong, points] if first_is_wrong else [points, wrong]
    looks += [points, points, wrong, points]
    right = [number for number, look in enumerate(looks) if look is points]
    person = detected(wrong, legs=0.3)  # one voice of many
    found = disputes(looks[:2], person, SIZE)
    assert [one.sure for one in found] == [False]
    assert agreeing(looks, found, person, SIZE) == right


def test_the_spread_is_how_far_looks_are_from_their_mean(shared_data) -> None:
    photo = load_photo(shared_data("photos") / "s060_tfjsmodels.jpg")
    image, scale = working_image(photo.pixels)
    (person,) = detect(image).people[:1]
    estimate = landmarks.estimate_landmarks(image, person, ())
    straight, mirror = (look_at(estimate.crop, image, reflected=r) for r in (False, True))
    half = np.linalg.norm(straight.points - mirror.points, axis=1) / 2
    assert estimate.spread is not None
    np.testing.assert_allclose(estimate.spread, half, atol=1e-3)
    assert landmarks.expected_landmarks(image, person, reflected=True).spread is None
    figure = max(find_people(photo), key=lambda one: one.size)
    np.testing.assert_allclose(figure.landmarks.spread, half / scale, rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(("told_from", "legs"), [("further crops", 0.2), ("nothing", 0.8)])
def test_the_landmarks_are_those_of_the_right_leg(
    monkeypatch: pytest.MonkeyPatch, told_from: str, legs: float
) -> None:
    """The network takes one leg for the other in its first crop, in the mirror or both ways; in
    others it may see better."""
    points, person = walking(), detected(walking(), legs)
    first = landmarks.crop_of_detection(person)
    asked = []

    def scripted(crop: Crop, image: np.ndarray, *, reflected: bool = False) -> Pass:
        known = told_from == "further crops"
        here = crop.side == first.side and np.allclose(crop.up, first.up)
        wrong = here and reflected if known else True
        inverse = np.linalg.inv(np.vstack([crop.image_from_crop(), [0, 0, 1]]))[:2]
        seen = (other_legs(points) if wrong else points) @ inverse[:, :2].T + inverse[:, 2]
        rim = np.array([[128.0, 128], [128, 128 - 128 / 1.25]])
        seen = np.concatenate([seen, rim, np.zeros((4, 2))])
        asked.append(reflected)
        world = np.zeros((len(seen), 3))
        ones = np.ones(len(seen))
        features = np.full(8, float(len(asked)), np.float32)
        mask, heatmaps = np.zeros((256, 256), np.float32), np.zeros((64, 64, 39), np.float32)
        output = BlazePoseOutput(seen, ones, ones, world, 1.0, mask, heatmaps, features)
        return Pass(crop, output, reflected)

    monkeypatch.setattr(landmarks, "look_at", scripted)
    estimate = landmarks.estimate_landmarks(np.zeros((500, 400, 3), np.uint8), person, ())
    np.testing.assert_allclose(estimate.points, points, atol=1e-6)
    assert len(asked) == 8
    assert estimate.features is not None
    believed = estimate.features[:, 0].tolist()
    # Features of the passes that saw the right leg; those of all where none did.
    assert believed == ([1, 3, 4, 5, 6, 7, 8] if told_from == "further crops" else [1, 2])
    assert estimate.spread is not None
    np.testing.assert_allclose(estimate.spread, 0, atol=1e-6)
    assert estimate.reflected == tuple(asked[int(number) - 1] for number in believed)
    # Where nothing asks for it, nothing more is looked at.
    asked.clear()
    landmarks.estimate_landmarks(np.zeros((500, 400, 3), np.uint8), person, (), retry=False)
    assert len(asked) == 2
