"""Bags are slabs beside and before the body: thinner than cloth there would be, never behind it."""

from __future__ import annotations

import numpy as np
import pytest

from surface_people import (
    CAMERA,
    arms_down_body,
    figure_of,
    iou,
    is_closed_manifold,
    mask_of,
    photo_with,
)
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.surface import reconstruct_surface
from vitruvian.surface.volume.ray_spans import MOST_SPANS, Spans
from vitruvian.surface.volume.things import things_of, with_things
from vitruvian.types.carried import Carried
from vitruvian.types.mesh import Mesh

PIXEL_M = 0.004
SHAPE = 120, 160
TRUNK_HALF_M = 0.12
ROWS, COLUMNS = np.mgrid[: SHAPE[0], : SHAPE[1]]


def trunk() -> Spans:
    """A box whose right side is at column 60, between z = 2.88 and 3.12."""
    entries = np.full((*SHAPE, MOST_SPANS), np.inf, np.float32)
    exits, count = entries.copy(), np.zeros(SHAPE, np.int32)
    inside = COLUMNS < 60
    entries[inside, 0], exits[inside, 0] = 3 - TRUNK_HALF_M, 3 + TRUNK_HALF_M
    count[inside] = 1
    return Spans(entries, exits, count)


def with_bag(first_column: int) -> tuple[Spans, np.ndarray, np.ndarray, np.ndarray]:
    """Spans and depths of the trunk with a bag from a column to the 110th, and where that is."""
    spans = trunk()
    bag = (abs(ROWS - 60) < 30) & (first_column <= COLUMNS) & (COLUMNS < 110)
    things = things_of(bag, spans.mask, spans.mask | bag)
    assert things is not None
    first, last = (np.where(spans.mask, one, 0) for one in (spans.front, spans.back))
    return (*with_things(spans, first, last, things, PIXEL_M), bag)


@pytest.mark.parametrize("first_column", [30, 60])
def test_a_bag_is_as_thick_as_bags_are(first_column: int):
    spans, first, last, bag = with_bag(first_column)
    beside = bag & (COLUMNS >= 60)
    assert spans.mask[beside].all()
    thickness = (last - first)[60, 62:108]
    assert thickness.max() == pytest.approx(0.11, abs=0.005)  # half of the trunk's
    assert thickness[-1] < 0.6 * thickness.max()  # its edges are round
    np.testing.assert_array_equal(spans.front[beside], first[beside])
    np.testing.assert_array_equal(spans.back[beside], last[beside])


def test_it_hangs_before_the_body_where_it_covers_it_and_leaves_the_back_alone():
    _, first, last, bag = with_bag(30)
    over = bag & (COLUMNS < 60)
    assert first[60, 45] < 3 - TRUNK_HALF_M - 0.02
    assert (last[over] == np.float32(3 + TRUNK_HALF_M)).all()
    assert first[60, 80] == pytest.approx(first[60, 45], abs=0.01)


def test_beside_the_body_it_is_as_far_as_that():
    _, first, last, _ = with_bag(60)
    assert 0.5 * (first + last)[60, 80] == pytest.approx(3, abs=0.005)
    assert (first[:, :56] == np.float32(3 - TRUNK_HALF_M)).all()
    assert (last[:, :56] == np.float32(3 + TRUNK_HALF_M)).all()


def test_what_only_a_thing_joins_to_the_body_is_of_it():
    body = COLUMNS < 60
    bag = (abs(ROWS - 60) < 30) & (COLUMNS >= 60) & (COLUMNS < 100)
    fringe = (abs(ROWS - 60) < 4) & (COLUMNS >= 100) & (COLUMNS < 120)
    sleeve = (ROWS < 10) & (COLUMNS >= 60) & (COLUMNS < 70)
    things = things_of(bag, body, body | bag | fringe | sleeve)
    assert things is not None
    np.testing.assert_array_equal(things.beside, bag | fringe)
    assert things_of(bag & body, body, body | sleeve) is None


def depth_behind(mesh: Mesh) -> np.ndarray:
    points, near = CAMERA.project(mesh.vertices), 1 / mesh.vertices[:, 2]
    found = rasterize(points, near, mesh.faces, CAMERA.width, CAMERA.height)
    return np.where(found.mask, 1 / np.maximum(found.depth, 1e-6), 0)


def test_somebody_with_a_bag_has_the_back_that_they_have_without():
    alone = mask_of(arms_down_body().as_mesh())
    rows, columns = np.nonzero(alone)
    y = int(rows.min() + 0.62 * np.ptp(rows))
    edge = columns[abs(rows - y) < 4].max()
    size = 0.07 * np.ptp(rows)
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    bag = (abs(v - y) < size) & (abs(u - edge - size) < size)
    carried = Carried(255 * bag.astype(np.uint8), CAMERA)
    cloth, thing, without = (
        reconstruct_surface(
            photo_with(), figure_of(shown), arms_down_body(), maps=False, carried=what
        )
        for shown, what in ((alone | bag, None), (alone | bag, carried), (alone, None))
    )
    assert is_closed_manifold(thing.faces)
    assert iou(mask_of(thing), alone | bag) > 0.96
    as_cloth, as_thing, bare = (depth_behind(mesh) for mesh in (cloth, thing, without))
    near = alone & (abs(v - y) < 2 * size) & (bare > 0) & (as_thing > 0) & (u < edge - 3)
    assert np.median((as_thing - bare)[near]) < 0.005
    assert (as_cloth - bare)[near].max() > (as_thing - bare)[near].max()
    beside = bag & ~alone & (as_cloth > 0) & (as_thing > 0)
    assert np.median((as_cloth - as_thing)[beside]) > 0.005
