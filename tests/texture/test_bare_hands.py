"""What hands look like that the photograph shows as something else."""

from __future__ import annotations

import numpy as np

from vitruvian.texture.bare_hands import bare_hands
from vitruvian.texture.view import View
from vitruvian.types.camera import Camera
from vitruvian.types.regions import LEFT_ARM, LEFT_LEG, RIGHT_ARM, TRUNK

SKIN, JEANS, SHIRT, GLOVE = (205, 160, 140), (60, 80, 130), (240, 240, 240), (120, 20, 30)


def view_of(left: tuple[int, int, int], right: tuple[int, int, int]) -> View:
    """Vertices 0 and 1 are hands, each a square of the picture; 2 and 3 trunk and leg."""
    pixels = np.zeros((20, 20, 3), np.uint8)
    vertex = np.zeros((20, 20), np.int32)
    for number, color in enumerate((left, right, SHIRT, JEANS)):
        rows = slice(10 * (number // 2), 10 * (number // 2) + 10)
        columns = slice(10 * (number % 2), 10 * (number % 2) + 10)
        pixels[rows, columns], vertex[rows, columns] = color, number
    part = np.array([LEFT_ARM, RIGHT_ARM, TRUNK, LEFT_LEG], np.uint8)[vertex]
    full = np.full((20, 20), 255, np.uint8)
    nothing = np.zeros((20, 20), np.float32)
    camera = Camera.centered(20, 20, 20)
    return View(pixels, pixels, full, nothing, nothing, part, vertex, 0 * full, camera)


def found(left: tuple[int, int, int], right: tuple[int, int, int]) -> tuple:
    hand = np.array([1, 1, 0, 0], np.float32)
    part = np.array([LEFT_ARM, RIGHT_ARM, TRUNK, LEFT_LEG], np.uint8)
    return bare_hands(view_of(left, right), hand, part, np.array(SKIN, np.float64))


def test_a_hand_in_a_pocket_is_skin() -> None:
    view, colors, told = found((190, 150, 128), JEANS)
    assert (view.alpha[:10, :10] == 255).all()
    assert (view.alpha[:10, 10:] == 0).all()
    assert (view.alpha[10:] == 255).all()
    assert told.tolist() == [True, True, False, False]
    np.testing.assert_array_equal(colors[1], (190, 150, 128))  # of the other hand


def test_gloves_stay() -> None:
    view, _, told = found(GLOVE, GLOVE)
    assert (view.alpha == 255).all()
    assert not told.any()


def test_hands_are_not_printed_on_what_is_behind() -> None:
    view = view_of(SKIN, SKIN)
    wide = [
        np.ascontiguousarray(np.kron(values, np.ones((4, 4), values.dtype)))
        for values in (view.alpha, view.depth, view.arms, view.part, view.vertex, view.hair)
    ]
    pixels = np.repeat(np.repeat(view.pixels, 4, 0), 4, 1)
    pixels[40:42, 8:16] = SKIN  # the hand reaches farther down than it is said to
    pixels[70:72, 8:16] = SKIN  # bare skin elsewhere
    large = View(pixels, pixels, *wide, Camera.centered(80, 80, 80))
    hand = np.array([1, 1, 0, 0], np.float32)
    part = np.array([LEFT_ARM, RIGHT_ARM, TRUNK, LEFT_LEG], np.uint8)
    out, *_ = bare_hands(large, hand, part, np.array(SKIN, np.float64))
    assert (out.alpha[40:42, 8:16] == 0).all()
    assert (out.alpha[70:72, 8:16] == 255).all()
    assert (out.alpha[:40] == 255).all()
    assert (out.alpha[41, 30:38] == 255).all()  # cloth beside the hand


def test_what_one_hand_alone_has_on_is_a_bag() -> None:
    view, colors, told = found((190, 150, 128), GLOVE)
    assert (view.alpha[:10, 10:] == 0).all()
    assert told.tolist() == [True, True, False, False]
    np.testing.assert_array_equal(colors[1], (190, 150, 128))


def test_grey_is_not_skin() -> None:
    grey = (128, 128, 128)  # as light as the face, in a pocket of the same trousers
    view = view_of(grey, grey)
    view.pixels[10:] = grey
    out, colors, told = bare_hands(
        view,
        np.array([1, 1, 0, 0], np.float32),
        np.array([LEFT_ARM, RIGHT_ARM, TRUNK, LEFT_LEG], np.uint8),
        np.array((150, 122, 110), np.float64),
    )
    assert (out.alpha[:10] == 0).all()
    assert told.tolist() == [True, True, False, False]
    np.testing.assert_array_equal(colors[0], (150, 122, 110))
