"""Where rays are inside a solid, against balls, whose answer is a formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from surface_people import CAMERA, mask_of, sphere, standing_body
from vitruvian.surface.volume.ray_spans import ray_spans, without_gaps
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

WINDOW = Camera.centered(200, 80, 60)


def joined(*meshes: Mesh) -> Mesh:
    offsets = np.cumsum([0, *(len(m.vertices) for m in meshes)])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.faces + o for m, o in zip(meshes, offsets, strict=False)]),
        "camera",
    )


def chord(radius: float, depth: float) -> tuple[np.ndarray, np.ndarray]:
    """Entry and exit depths (60, 80) of the rays through a ball on the axis; nan beside it."""
    pixels = np.stack(np.meshgrid(np.arange(80) + 0.5, np.arange(60) + 0.5), -1)
    rays = WINDOW.rays(pixels)
    a = (rays**2).sum(-1)
    with np.errstate(invalid="ignore"):
        root = np.sqrt(depth**2 - a * (depth**2 - radius**2))
    return (depth - root) / a, (depth + root) / a


def test_a_ball_is_entered_and_left_where_it_should():
    spans = ray_spans(sphere(0.3, (0, 0, 3)), WINDOW)
    entry, leave = chord(0.3, 3.0)
    surely = np.isfinite(chord(0.29, 3.0)[0])
    assert surely.sum() > 500
    assert (spans.count[surely] == 1).all()
    np.testing.assert_allclose(spans.front[surely], entry[surely], atol=0.004)
    np.testing.assert_allclose(spans.back[surely], leave[surely], atol=0.004)
    outside = ~np.isfinite(chord(0.3, 3.0)[0])
    assert not spans.mask[outside].any()
    assert np.isinf(spans.front[outside]).all()


def test_two_balls_one_behind_the_other_are_two_spans():
    spans = ray_spans(joined(sphere(0.2, (0, 0, 3)), sphere(0.2, (0, 0, 4))), WINDOW)
    middle = 30, 40
    assert spans.count[middle] == 2
    np.testing.assert_allclose(spans.entries[middle][:2], [2.8, 3.8], atol=0.003)
    np.testing.assert_allclose(spans.exits[middle][:2], [3.2, 4.2], atol=0.003)


def test_gaps_are_filled_where_they_are_to_be():
    spans = ray_spans(joined(sphere(0.2, (0, 0, 3)), sphere(0.2, (0, 0, 4))), WINDOW)
    left = np.zeros(spans.mask.shape, bool)
    left[:, :40] = True
    filled = without_gaps(spans, left)
    both = spans.count == 2
    assert (filled.count[both & left] == 1).all()
    assert (filled.count[both & ~left] == 2).all()
    np.testing.assert_array_equal(filled.front, spans.front)
    np.testing.assert_array_equal(filled.back, spans.back)


def test_balls_that_overlap_are_one():
    spans = ray_spans(joined(sphere(0.3, (0, 0, 3)), sphere(0.3, (0, 0, 3.4))), WINDOW)
    middle = 30, 40
    assert spans.count[middle] == 1
    np.testing.assert_allclose([spans.front[middle], spans.back[middle]], [2.7, 3.7], atol=0.003)


def test_the_body_is_whole():
    """Eyes and tongue are within the head, and have no spans of their own."""
    window = CAMERA.scaled(0.4, 256, 360)
    spans = ray_spans(standing_body().as_mesh(), window)
    used = np.arange(spans.entries.shape[2]) < spans.count[..., None]
    assert (spans.exits[used] > spans.entries[used]).all()
    later = used[..., 1:]
    assert (spans.entries[..., 1:][later] > spans.exits[..., :-1][later]).all()
    # Mouth and spread fingers make a few more.
    assert (spans.count > 2).sum() < 0.02 * spans.mask.sum()
    assert (spans.mask == mask_of(standing_body().as_mesh(), window)).mean() > 0.999


def test_hollows_of_one_part_are_filled():
    """A hollow ball is solid if both walls are of the head."""
    outer, inner = sphere(0.2, (0, 0, 3)), sphere(0.03, (0, 0, 3))
    shell = joined(outer, replace(inner, faces=inner.faces[:, ::-1]))
    middle = 30, 40
    assert ray_spans(shell, WINDOW).count[middle] == 2
    head = np.ones(len(shell.faces), np.int16)
    filled = ray_spans(shell, WINDOW, head)
    assert filled.count[middle] == 1
    np.testing.assert_allclose([filled.front[middle], filled.back[middle]], [2.8, 3.2], atol=0.003)
    # A hand before the face is not of the head.
    apart = joined(sphere(0.02, (0, 0, 2.74)), outer)
    walls = np.ones(len(apart.faces), np.int16)
    walls[: -len(outer.faces)] = 0
    assert ray_spans(apart, WINDOW, walls).count[middle] == 2
