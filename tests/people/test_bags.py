"""Bags that the mask leaves out."""

from __future__ import annotations

import numpy as np
from PIL import Image

from vitruvian.image.photo import load_photo
from vitruvian.lab.evaluation.metrics.silhouette import iou
from vitruvian.networks.nanodet import Boxes
from vitruvian.people import bags, find_people
from vitruvian.people.bags import with_bags
from vitruvian.people.matte import CoarseMask

SIZE = 300


def scene() -> tuple[np.ndarray, CoarseMask, np.ndarray]:
    """A blue person before green, with a red bag that is not in the mask."""
    image = np.full((SIZE, SIZE, 3), (60, 140, 60), np.uint8)
    image += np.random.default_rng(0).integers(0, 12, image.shape, dtype=np.uint8)
    image[20:280, 120:170] = (40, 40, 160)
    image[150:210, 165:215] = (170, 40, 40)
    bag = np.zeros((SIZE, SIZE), bool)
    bag[150:210, 170:215] = True
    logits = np.full((SIZE, SIZE), -5, np.float32)
    # A strap and a corner of the bag are in it.
    logits[20:280, 120:170] = logits[150:160, 170:190] = 5
    return image, CoarseMask(logits, (0, 0, SIZE, SIZE), 1.0, 260.0), bag


def detector(scores: list[float]):
    """A network that sees what is red, with these scores look by look."""
    left = list(scores)

    class Fake:
        def __call__(self, look, threshold, overlap, classes):
            red = (look[..., 0] > 150) & (look[..., 2] < 100)
            rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
            box = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], float)
            return Boxes(box, np.array([left.pop(0)]))

    return Fake


def test_a_bag_that_three_looks_see_is_added(monkeypatch):
    image, mask, bag = scene()
    monkeypatch.setattr(bags, "NanoDet", detector([0.4, 0.4, 0.3]))
    found = with_bags(image, mask).logits > 0
    assert iou(found, (mask.logits > 0) | bag) > 0.97


def test_a_bag_that_one_look_sees_is_none(monkeypatch):
    image, mask, _ = scene()
    monkeypatch.setattr(bags, "NanoDet", detector([0.5, 0.1, 0.1]))
    assert with_bags(image, mask) is mask


def test_a_bag_that_is_in_the_mask_is_left_and_so_are_small_people(monkeypatch):
    image, mask, bag = scene()
    whole = CoarseMask(np.where(bag, 3, mask.logits), mask.window, mask.scale, mask.size)
    monkeypatch.setattr(bags, "NanoDet", detector([0.9]))
    assert with_bags(image, whole) is whole
    small = CoarseMask(mask.logits, mask.window, 1.0, 100.0)
    assert with_bags(image, small) is small  # nobody looks


def test_a_bag_in_a_photograph(shared_data):
    folder = shared_data("ccp")
    true = np.asarray(Image.open(folder / "labels" / "0455.png")) > 0
    figure = find_people(load_photo(folder / "photos" / "0455.jpg"), max_people=1)[0]
    assert iou(figure.alpha.full() > 127, true) > 0.94  # .89 without the bag
