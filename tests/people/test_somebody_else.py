"""Two pictures that should show one person: when they plainly show two."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vitruvian.people.somebody_else import other_person
from vitruvian.types.camera import Camera
from vitruvian.types.estimate import CHILDREN, GROUPS, BodyEstimate
from vitruvian.types.face import Face
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.keypoints import ANKLES, HIPS, SHOULDERS
from vitruvian.types.photo import Photo

SIZE = 300
RED, BLUE, GREEN, BEIGE = (170, 40, 40), (40, 60, 150), (50, 130, 60), (200, 180, 150)
Shown = tuple[Photo, Figure]


def somebody(upper: tuple[int, int, int], lower: tuple[int, int, int], light: float = 1.0) -> Shown:
    """Somebody who stands upright, in two colours."""
    pixels = np.full((SIZE, SIZE, 3), 128, np.float64)
    pixels[60:150, 110:190], pixels[150:280, 110:190] = upper, lower
    pixels = 255 * (light * (pixels / 255) ** 2.2).clip(0, 1) ** (1 / 2.2)
    pixels += np.random.default_rng(0).normal(0, 4, pixels.shape)
    matte = np.zeros((SIZE, SIZE), np.uint8)
    matte[30:280, 110:190] = 255
    points = np.full((33, 2), 150.0)
    points[SHOULDERS, 1], points[HIPS, 1], points[ANKLES, 1] = 70, 150, 275
    photo = Photo(
        pixels.clip(0, 255).astype(np.uint8),
        "one",
        None,
        Camera.centered(400, SIZE, SIZE),
        None,
        (SIZE, SIZE),
    )
    figure = Figure(
        np.array([110.0, 30, 190, 280]),
        0.9,
        Landmarks(points, np.ones(33), np.zeros((33, 3)), 0.0),
        Alpha(matte, 0, 0, SIZE, SIZE),
        True,
        1.0,
    )
    return photo, figure


def faced(shown: Shown, odds: float, width: float = 40.0) -> Shown:
    face = Face(np.array([130.0, 35, 130 + width, 35 + width]), 0.9, odds, 30.0, 5.0)
    return shown[0], replace(shown[1], face=face)


def aged(shown: Shown, child: float) -> Shown:
    groups = np.zeros(len(GROUPS))
    groups[GROUPS.index(CHILDREN[0])], groups[GROUPS.index("men")] = child, 1 - child
    nothing = np.zeros(0)
    estimate = BodyEstimate(groups, 1.5, 0.1, *[nothing] * 8)
    return shown[0], replace(shown[1], estimate=estimate)


@pytest.mark.parametrize("light", [0.5, 1.0, 1.8])
def test_the_same_clothes_in_another_light_are_the_same(light: float) -> None:
    assert other_person(*somebody(RED, BLUE), *somebody(RED, BLUE, light)) == ()


def test_other_clothes_on_both_halves_are_told() -> None:
    (why,) = other_person(*somebody(RED, BLUE), *somebody(GREEN, BEIGE))
    assert "clothes" in why


def test_an_open_jacket_or_other_trousers_alone_say_nothing() -> None:
    assert other_person(*somebody(RED, BLUE), *somebody(GREEN, BLUE)) == ()
    assert other_person(*somebody(RED, BLUE), *somebody(RED, BEIGE)) == ()


def test_faces_are_believed_where_they_are_sure_and_large() -> None:
    man, woman = (faced(somebody(RED, BLUE), odds) for odds in (-5.0, 5.0))
    (why,) = other_person(*man, *woman)
    assert "woman" in why
    assert other_person(*man, *man) == ()
    assert other_person(*man, *faced(somebody(RED, BLUE), 1.0)) == ()
    assert other_person(*man, *faced(somebody(RED, BLUE), 5.0, width=12.0)) == ()


def test_a_child_is_no_adult() -> None:
    child, adult = (aged(somebody(RED, BLUE), share) for share in (0.97, 0.01))
    (why,) = other_person(*child, *adult)
    assert "child" in why
    assert other_person(*child, *aged(somebody(RED, BLUE), 0.4)) == ()
    assert other_person(*child, *somebody(RED, BLUE)) == ()
