"""Colours that spread over a graph."""

from __future__ import annotations

import numpy as np

from vitruvian.geometry.adjacency import Neighbors, neighbors_of_edges
from vitruvian.texture.diffuse import diffuse_colors


def chain(count: int) -> Neighbors:
    edges = np.stack([np.arange(count - 1), np.arange(1, count)], axis=1)
    return neighbors_of_edges(edges, count)


def test_between_two_known_colours_it_is_a_ramp():
    known = np.zeros((11, 3))
    known[10] = (100, 50, 200)
    weights = np.zeros(11)
    weights[[0, 10]] = 1
    colors = diffuse_colors(known, weights, chain(11), iterations=600)
    np.testing.assert_allclose(colors, np.linspace(0, 1, 11)[:, None] * known[10], atol=0.5)


def test_known_colours_stay_and_unknown_take_their_neighbours():
    known = np.random.default_rng(0).uniform(0, 255, (40, 3))
    weights = np.zeros(40)
    weights[::4] = 1
    colors = diffuse_colors(known, weights, chain(40))
    np.testing.assert_allclose(colors[::4], known[::4], rtol=1e-5)
    assert colors.min() >= known[::4].min() - 1e-3
    assert colors.max() <= known[::4].max() + 1e-3


def test_a_part_out_of_reach_gets_the_mean():
    known = np.zeros((6, 3))
    known[0], known[1] = (90, 0, 0), (30, 0, 0)
    weights = np.array([1.0, 1, 0, 0, 0, 0])
    edges = np.array([[0, 1], [3, 4], [4, 5]])
    colors = diffuse_colors(known, weights, neighbors_of_edges(edges, 6))
    np.testing.assert_allclose(colors[2:], np.tile([60, 0, 0], (4, 1)), atol=1e-3)


def test_bands_come_before_the_mean_of_all():
    known = np.zeros((40, 3))
    known[:10], known[20:30] = 200, 40
    weights = np.zeros(40)
    weights[:10] = weights[20:30] = 1
    bands = np.repeat([0, 1], 20)
    colors = diffuse_colors(known, weights, neighbors_of_edges(np.zeros((0, 2)), 40), bands=bands)
    assert (colors[10:20] > 180).all()
    assert (colors[30:] < 60).all()


def test_nothing_known_is_grey():
    np.testing.assert_array_equal(
        diffuse_colors(np.zeros((5, 3)), np.zeros(5), chain(5)), np.full((5, 3), 128)
    )


def test_colours_stay_within_their_region():
    known = np.zeros((12, 3))
    known[0], known[11] = 100, 200
    weights = np.zeros(12)
    weights[[0, 11]] = 1
    within = np.arange(12) < 6
    colors = diffuse_colors(known, weights, chain(12), within=within, iterations=600)
    np.testing.assert_allclose(colors[:6], 100, atol=0.5)
    np.testing.assert_allclose(colors[6:11], 150, atol=1e-3)  # the mean, as they began


def test_a_mirrored_problem_has_a_mirrored_answer():
    """The order of the vertices does not show."""
    known = np.zeros((30, 3))
    known[0], known[29] = 50, 200
    weights = np.zeros(30)
    weights[[0, 29]] = 1
    colors = diffuse_colors(known, weights, chain(30), iterations=61)
    backward = diffuse_colors(known[::-1], weights, chain(30), iterations=61)
    np.testing.assert_allclose(colors, backward[::-1], rtol=1e-5)
