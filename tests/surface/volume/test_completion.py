"""Spans beyond the body: cloth between the legs, hidden parts, surfaces that maps ask for."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.surface.volume.completion import complete_spans, put_surfaces, trusted_matte
from vitruvian.surface.volume.ray_spans import MOST_SPANS, Spans

PIXEL_M = 0.004
SHAPE = 120, 140


def empty() -> Spans:
    entries = np.full((*SHAPE, MOST_SPANS), np.inf, np.float32)
    return Spans(entries, entries.copy(), np.zeros(SHAPE, np.int32))


def with_posts(*centers: int, radius: int = 15) -> Spans:
    """Upright cylinders, seen from far away, centred at z = 3."""
    spans = empty()
    x = np.arange(SHAPE[1]) + 0.5
    for center in centers:
        half = np.sqrt(np.clip(radius**2 - (x - center) ** 2, 0, None)) * PIXEL_M
        columns = half > 0
        spans.entries[:, columns, 0] = 3 - half[columns]
        spans.exits[:, columns, 0] = 3 + half[columns]
        spans.count[:, columns] = 1
    return spans


def block(x0: int, x1: int) -> np.ndarray:
    figure = np.zeros(SHAPE, bool)
    figure[10:110, x0:x1] = True
    return figure


def test_cloth_closes_the_room_between_two_legs():
    """A skirt over two legs is nearly as thick between them as they are."""
    spans = with_posts(50, 90)
    figure = block(35, 105)
    full = complete_spans(spans, figure, PIXEL_M)
    assert (full.count[figure] >= 1).all()
    middle = full.front[60, 70], full.back[60, 70]
    leg = 15 * PIXEL_M
    assert middle[0] == pytest.approx(3 - leg, abs=0.02)
    assert middle[1] == pytest.approx(3 + leg, abs=0.02)
    # Without a ledge where body and cloth meet.
    assert np.abs(np.diff(full.front[60, 50:90])).max() < 0.008


def test_beyond_the_body_the_figure_is_round():
    """A wide sleeve: thick beside the arm, nothing at the outline."""
    full = complete_spans(with_posts(50), block(35, 85), PIXEL_M)
    with np.errstate(invalid="ignore"):
        half = np.where(full.mask, full.back - full.front, 0)[60] / 2
    assert half[87] < 0.02  # in the ring outside
    assert half[68] > 0.03
    # Beyond the arm's own roundness, which ends at 65, it falls off steadily.
    assert (np.diff(half[66:85]) < 0.001).all()


def test_covered_pixels_keep_the_body():
    spans = with_posts(70)
    figure = spans.mask & block(0, 140)
    full = complete_spans(spans, figure, PIXEL_M)
    inner = slice(30, 90), slice(60, 80)  # away from the ends, which are cut
    np.testing.assert_array_equal(full.front[inner], spans.front[inner])
    np.testing.assert_array_equal(full.back[inner], spans.back[inner])
    assert not full.mask[:, :40].any()


def test_what_is_cut_off_is_round_again():
    """A leg thinner in the matte than in the body has no flat side."""
    figure = block(58, 140) & with_posts(70).mask
    full = complete_spans(with_posts(70), figure, PIXEL_M)
    with np.errstate(invalid="ignore"):
        thickness = np.where(figure, full.back - full.front, 0)[60]
    own = with_posts(70).back[60, 58] - with_posts(70).front[60, 58]
    assert thickness[58] < 0.7 * own
    assert thickness[58] < 0.6 * thickness[61] < thickness[66]


def test_layers_behind_the_first_stay_in_the_band():
    """An arm before a trunk, beside cloth: the air between them stays."""
    spans = with_posts(70, radius=40)
    spans.entries[:, 60:80, 1] = spans.entries[:, 60:80, 0]
    spans.exits[:, 60:80, 1] = spans.exits[:, 60:80, 0]
    spans.entries[:, 60:80, 0], spans.exits[:, 60:80, 0] = 2.5, 2.58
    spans.count[:, 60:80] = 2
    full = complete_spans(spans, block(20, 120), PIXEL_M)
    assert (full.count[60, 62:78] == 2).all()


def test_a_limb_behind_does_not_come_forward():
    """An arm behind a trunk, with cloth beside it: where the arm alone is seen, it stays as far
    behind, and no wall goes from the trunk's edge to it."""
    spans = with_posts(50, radius=30)
    arm = with_posts(78, radius=8)
    columns = arm.count[0] > 0
    arm.entries[:, columns, 0] += 0.2
    arm.exits[:, columns, 0] += 0.2
    behind = columns & (spans.count[0] > 0)
    spans.entries[:, behind, 1], spans.exits[:, behind, 1] = (
        one[:, behind, 0] for one in (arm.entries, arm.exits)
    )
    alone = columns & ~behind
    for one, other in ((spans.entries, arm.entries), (spans.exits, arm.exits)):
        one[:, alone, 0] = other[:, alone, 0]
    spans.count[:, behind], spans.count[:, alone] = 2, 1
    full = complete_spans(spans, block(15, 100), PIXEL_M)
    assert full.front[60, 80:86].min() > 3.08


def test_what_stands_out_far_is_hidden_and_stays():
    body = block(30, 60)
    matte = body.copy()
    matte[80:] = False  # a table hides 12 cm
    assert (trusted_matte(matte, body, PIXEL_M) == body).all()


def test_what_stands_out_little_goes():
    body = block(30, 60)
    matte = block(36, 60)
    assert (trusted_matte(matte, body, PIXEL_M) == matte).all()


def test_islands_and_far_matte_go():
    body = block(10, 30)
    matte = block(10, 32)
    matte[20:40, 36:44] = True  # connected with nothing
    matte[60:64, 32:140] = True  # an outstretched pole
    found = trusted_matte(matte, body, PIXEL_M)
    assert not found[20:40, 36:44].any()
    assert found[60:64, 32:90].all()
    assert not found[60:64, 115:].any()


def test_maps_move_front_and_back():
    spans = with_posts(70)
    front = np.where(spans.mask, spans.front - 0.02, np.inf).astype(np.float32)
    back = np.where(spans.mask, spans.back + 0.01, np.inf).astype(np.float32)
    moved = put_surfaces(spans, front, back, 0.004)
    np.testing.assert_array_equal(moved.front, front)
    np.testing.assert_array_equal(moved.back, back)


def test_a_limb_that_is_elsewhere_is_no_web():
    spans = with_posts(70, radius=40)
    front = spans.front.copy()
    front[40:60, 65:75] = spans.front[40:60, 65:75] - 0.3  # an arm stretched to the camera
    moved = put_surfaces(spans, front, spans.back, 0.004)
    assert (moved.count[40:60, 65:75] == 2).all()
    assert (moved.count[70:80, 65:75] == 1).all()
    thickness = moved.exits[50, 70, 0] - moved.entries[50, 70, 0]
    assert 0.05 < thickness < 0.12


def test_layers_before_the_front_go():
    spans = with_posts(70, radius=40)
    spans.entries[:, :, 1], spans.exits[:, :, 1] = spans.entries[:, :, 0], spans.exits[:, :, 0]
    spans.entries[:, 60:80, 0], spans.exits[:, 60:80, 0] = 2.5, 2.58
    spans.count[:, 60:80] = 2
    spans.entries[:, 80:, 1] = spans.exits[:, 80:, 1] = np.inf
    spans.entries[:, :60, 1] = spans.exits[:, :60, 1] = np.inf
    front = np.where(spans.mask, spans.back - 0.2, np.inf).astype(np.float32)
    moved = put_surfaces(spans, front, spans.back, 0.004)
    assert (moved.count[:, 62:78] == 1).all()
    np.testing.assert_allclose(moved.front[60, 62:78], front[60, 62:78])


def test_surfaces_that_cross_keep_some_thickness():
    spans = with_posts(70)
    moved = put_surfaces(spans, spans.back, spans.front, 0.004)
    thickness = moved.back[spans.mask] - moved.front[spans.mask]
    np.testing.assert_allclose(thickness, 0.004, atol=1e-5)


def test_nothing_of_the_body_in_the_matte():
    """All unknown: somewhere near the body, and no error."""
    spans = with_posts(30, radius=5)
    full = complete_spans(spans, block(80, 110), PIXEL_M)
    assert np.isfinite(full.front[block(80, 110)]).all()
