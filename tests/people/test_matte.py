"""Sharing pixels among people, and the edge's refinement."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vitruvian.people.belonging import own_colors
from vitruvian.people.crops import Crop
from vitruvian.people.landmarks import LandmarkEstimate
from vitruvian.people.matte import CoarseMask, refine, share_out
from vitruvian.people.voting import vote


def standing(x: float) -> LandmarkEstimate:
    """A stick figure 200 px tall whose every landmark lies on the line at ``x``."""
    points = np.stack([np.full(33, x), np.linspace(20, 200, 33)], axis=1)
    crop = Crop(np.array([x, 110.0]), np.array([0.0, -1.0]), 250.0)
    ones = np.ones(33)
    return LandmarkEstimate(points, ones, ones, np.zeros((33, 3)), crop, 1.0, 0.0, 1.0)


def box_mask(x0: int, x1: int, window=(0, 0, 200, 220)) -> CoarseMask:
    """Logits +4 between two columns of the image, -4 elsewhere."""
    columns = np.arange(window[0], window[2])
    row = np.where((columns >= x0) & (columns < x1), 4.0, -4.0).astype(np.float32)
    logits = np.repeat(row[None], window[3] - window[1], axis=0)
    return CoarseMask(logits, window, 1.0, 200.0)


def test_a_contested_strip_goes_to_the_nearer_skeleton():
    masks = share_out([box_mask(20, 120), box_mask(80, 180)], [standing(60), standing(140)])
    left, right = (mask.logits[100] > 0 for mask in masks)
    assert not (left & right).any()
    assert left[20:98].all()
    assert right[102:180].all()


def test_colours_tell_whose_a_contested_strip_is():
    image = np.full((220, 200, 3), (200, 60, 40), np.uint8)
    image[:, 112:] = (40, 60, 200)  # the left one's coat reaches beyond the middle
    masks = [box_mask(20, 120), box_mask(80, 180)]
    colors = own_colors(image, masks)
    found = share_out(masks, [standing(60), standing(140)], colors)
    left, right = (mask.logits[100] > 0 for mask in found)
    assert not (left & right).any()
    assert left[20:108].all()
    assert right[116:180].all()


def test_colours_say_nothing_of_people_apart():
    image = np.zeros((220, 200, 3), np.uint8)
    assert not np.any(own_colors(image, [box_mask(20, 80), box_mask(120, 180)]))


def test_windows_need_not_coincide():
    first = box_mask(20, 120, (0, 0, 130, 220))
    second = box_mask(80, 180, (70, 10, 200, 210))
    left, right = share_out([first, second], [standing(60), standing(140)])
    claimed = np.zeros((220, 200), int)
    claimed[:, :130] += left.logits > 0
    claimed[10:210, 70:] += right.logits > 0
    assert claimed.max() == 1
    assert (claimed[100, 20:180] == 1).all()


def test_far_from_ones_own_skeleton_is_kept_when_nobody_else_claims_it():
    masks = share_out([box_mask(20, 120), box_mask(130, 180)], [standing(40), standing(125)])
    assert (masks[0].logits[100, 20:120] > 0).all()


def test_alone_nothing_changes():
    mask = box_mask(20, 120)
    (alone,) = share_out([mask], [standing(60)])
    np.testing.assert_array_equal(alone.logits, mask.logits)


def test_refinement_moves_the_edge_to_the_colours():
    rng = np.random.default_rng(0)
    image = np.full((220, 200, 3), (30, 60, 160), np.uint8)
    image[20:200, 62:118] = (200, 90, 40)
    image = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
    logits = np.full((220, 200), -4, np.float32)
    logits[20:200, 60:120] = 4
    alpha = refine(image, CoarseMask(logits, (0, 0, 200, 220), 1.0, 180.0))
    assert alpha.dtype == np.uint8
    truth = np.zeros((220, 200), bool)
    truth[20:200, 62:118] = True
    assert np.mean((alpha > 127) != truth) < 0.2 * np.mean((logits > 0) != truth)


def test_refined_people_who_touch_do_not_share_pixels():
    rng = np.random.default_rng(1)
    image = rng.integers(90, 110, (220, 200, 3)).astype(np.uint8)
    image[:, 20:180] += 80
    masks = share_out([box_mask(20, 120), box_mask(80, 180)], [standing(60), standing(140)])
    first, second = (refine(image, mask) > 127 for mask in masks)
    assert not (first & second).any()
    assert (first | second)[100, 25:175].mean() > 0.97


def test_a_scaled_window_comes_back_in_image_pixels():
    image = np.zeros((400, 300, 3), np.uint8)
    logits = np.full((200, 150), -6, np.float32)
    alpha = refine(image, CoarseMask(logits, (0, 0, 300, 400), 0.5, 180.0))
    assert alpha.shape == (400, 300)
    assert not alpha.any()


def disc(center, radius, size=(240, 200)) -> np.ndarray:
    rows, columns = np.mgrid[: size[0], : size[1]]
    return np.hypot(columns - center[0], rows - center[1]) < radius


def noisy_figure(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A figure of two colours on two others, its true mask, and logits with a wobbling edge."""
    rng = np.random.default_rng(seed)
    truth = disc((100, 50), 28)
    truth[60:220, 70:130] = True
    image = np.full((*truth.shape, 3), (90, 120, 80), np.uint8)
    image[:, 110:] = (150, 150, 160)
    image[truth] = (190, 60, 50)
    image[150:][truth[150:]] = (40, 40, 110)
    image = np.clip(image + rng.normal(0, 8, image.shape), 0, 255).astype(np.uint8)
    wobble = cv2.GaussianBlur(rng.normal(0, 1, truth.shape), (0, 0), 6)
    signed = cv2.distanceTransform(truth.astype(np.uint8), cv2.DIST_L2, 5)
    signed -= cv2.distanceTransform((~truth).astype(np.uint8), cv2.DIST_L2, 5)
    logits = signed + 2 * wobble / wobble.std()
    return image, truth, np.clip(logits, -8, 8).astype(np.float32)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_refinement_quarters_the_error_of_a_noisy_mask(seed):
    image, truth, logits = noisy_figure(seed)
    alpha = refine(image, CoarseMask(logits, (0, 0, 200, 240), 1.0, 200.0))
    assert np.mean((alpha > 127) != truth) < 0.25 * np.mean((logits > 0) != truth)


def test_colours_that_tell_nothing_leave_the_mask_alone():
    _, _, logits = noisy_figure(0)
    flat = np.full((240, 200, 3), 120, np.uint8)
    alpha = refine(flat, CoarseMask(logits, (0, 0, 200, 240), 1.0, 200.0))
    assert np.mean((alpha > 127) != (logits > 0)) < 0.02


def test_votes_leave_what_is_decided():
    image, truth, logits = noisy_figure(0)
    decided = np.full(truth.shape, np.nan, np.float32)
    decided[:, :100] = 0
    probability = vote(image, logits, np.ones_like(truth), decided, 200.0)
    assert (probability[:, :100] == 0).all()
    assert (probability[100:200, 110:125] > 0.5).all()
    assert probability.min() >= 0
    assert probability.max() <= 1


def test_the_edge_of_an_enlarged_matte_stays_steep():
    image, _, logits = noisy_figure(0)
    large = cv2.resize(image, (800, 960), interpolation=cv2.INTER_CUBIC)
    alpha = refine(large, CoarseMask(logits, (0, 0, 800, 960), 0.25, 200.0))
    partial = ((alpha > 12) & (alpha < 243))[440:840].sum(axis=1)
    assert 1 <= partial.mean() <= 6  # both edges of the trunk together
