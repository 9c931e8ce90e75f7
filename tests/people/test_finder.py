"""The people stage as a whole on real photographs (and on pictures of nobody)."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from helpers.groups import paste_group
from PIL import Image

from vitruvian.image.photo import load_photo
from vitruvian.people import find_people
from vitruvian.people.crops import Crop
from vitruvian.people.detection import Detection
from vitruvian.people.finder import _landmarks
from vitruvian.people.landmarks import LandmarkEstimate


def overlap(figures) -> float:
    """Largest share of one person's pixels that another person owns as well."""
    masks = [figure.alpha.full() > 127 for figure in figures]
    shares = [
        (a & b).sum() / max(min(a.sum(), b.sum()), 1)
        for i, a in enumerate(masks)
        for b in masks[:i]
    ]
    return max(shares, default=0.0)


def test_nobody():
    assert find_people(load_photo(np.full((120, 90, 3), 130, np.uint8))) == []


def test_a_very_small_picture():
    assert find_people(load_photo(np.zeros((32, 40, 3), np.uint8))) == []


@pytest.mark.parametrize(
    ("name", "at_least", "at_most"),
    [
        ("s060_tfjsmodels.jpg", 1, 1),
        ("m013_u2net.jpg", 5, 5),
        ("m015_u2net.jpg", 2, 2),
        ("m027_projectposenet.jpg", 2, 2),
        ("m028_rtmlib.jpg", 3, 5),
        ("m002_4dhumans.png", 11, 14),
    ],
)
def test_everyone_once(shared_data, name, at_least, at_most):
    photo = load_photo(shared_data("photos") / name)
    figures = find_people(photo)
    assert at_least <= len(figures) <= at_most
    assert overlap(figures) < 0.02
    middles = [figure.box[0] + figure.box[2] for figure in figures]
    assert middles == sorted(middles)
    assert [figure.number for figure in figures] == list(range(1, len(figures) + 1))
    for figure in figures:
        assert figure.alpha.full().shape == photo.pixels.shape[:2]
        assert figure.landmarks.points.shape == (33, 2)


def test_max_people_keeps_the_largest(shared_data):
    photo = load_photo(shared_data("photos") / "m013_u2net.jpg")
    assert len(find_people(photo, max_people=2)) == 2


def test_a_half_body_is_not_complete(shared_data):
    half = find_people(load_photo(shared_data("photos") / "s071_idmvton.jpg"))
    whole = find_people(load_photo(shared_data("photos") / "s045_lhm.png"))
    assert not half[0].complete
    assert whole[0].complete


@pytest.mark.parametrize("number", [4, 21, 78])
def test_matte_against_the_true_mask(shared_data, number):
    ccp = shared_data("ccp")
    truth = np.asarray(Image.open(ccp / "labels" / f"{number:04d}.png")) > 0
    figures = find_people(load_photo(ccp / "photos" / f"{number:04d}.jpg"))
    mine = figures[0].alpha.full() > 127
    assert (mine & truth).sum() / (mine | truth).sum() > 0.9


def test_a_turned_picture_turns_the_landmarks(shared_data):
    """Pixels and metres both follow the picture: mirrored input gives the mirrored person."""
    pixels = load_photo(shared_data("photos") / "s060_tfjsmodels.jpg").pixels
    (straight,) = find_people(load_photo(pixels))
    (mirror,) = find_people(load_photo(np.ascontiguousarray(pixels[:, ::-1])))
    left, right = [11, 13, 15, 23, 25, 27], [12, 14, 16, 24, 26, 28]
    expected = straight.landmarks.points[left] * [-1, 1] + [pixels.shape[1], 0]
    size = np.ptp(straight.landmarks.points, axis=0).max()
    away = np.linalg.norm(mirror.landmarks.points[right] - expected, axis=1)
    assert np.median(away) < 0.02 * size
    world = straight.landmarks.world[left] * [-1, 1, 1]
    assert np.median(np.linalg.norm(mirror.landmarks.world[right] - world, axis=1)) < 0.05


def test_people_who_hide_each_other_keep_their_own_pixels(shared_data):
    """BlazePose's mask of one of several is at times a neighbour's: .72 for the second then."""
    people = [(388, 230, 680), (412, 410, 690), (172, 320, 720)]
    picture, seen, _ = paste_group(shared_data("ccp"), people)
    figures = find_people(load_photo(picture))
    assert len(figures) == 3
    mattes = [figure.alpha.full() > 127 for figure in figures]
    for true in seen:
        assert max((a & true).sum() / (a | true).sum() for a in mattes) > 0.85


def test_whom_blazepose_takes_for_who_stands_before_them_is_looked_at_again():
    image = np.full((200, 200, 3), 255, np.uint8)
    people = [standing(80.0, 0.9), standing(100.0, 0.6)]

    def landmarks(seen, person, neighbours):
        # The one before is read again and again, until they are not to be seen.
        hidden = (seen[100, 75:85] == 128).all()
        where = person.keypoints[0, 0] if hidden else 80.0
        points = np.stack([np.full(33, where), np.linspace(20, 180, 33)], axis=1)
        mask = np.full((256, 256), -5.0, np.float32)
        mask[:, 108:148] = 5  # 25 pixels of the picture
        ones = np.ones(33)
        crop = Crop(np.array([where, 100.0]), np.array([0.0, -1.0]), 160.0)
        return LandmarkEstimate(
            points, ones, ones, np.zeros((33, 3)), crop, 1.0, 0.0, 1.0, mask=mask
        )

    kept, doubtful = _landmarks(SimpleNamespace(landmarks=landmarks), image, people)
    assert [one.estimate.points[0, 0] for one in kept] == [80.0, 100.0]
    assert doubtful == []


def standing(x: float, score: float) -> Detection:
    keypoints = np.stack([np.full(17, x), np.linspace(20, 180, 17)], axis=1)
    box = np.array([x - 15, 20, x + 15, 180])
    return Detection(box, score, keypoints, np.full(17, 0.9))
