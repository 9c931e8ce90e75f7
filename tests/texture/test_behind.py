"""The back guessed from the front: openings and what hangs there are closed over, cloth is left."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.texture.behind import closed_over
from vitruvian.types.regions import LEFT_ARM, LEFT_LEG, RIGHT_LEG, TRUNK

HEIGHT, WIDTH = 600, 300
COAT, SHIRT, SKIN = (60, 70, 110), (225, 225, 215), (205, 160, 135)
LEFT, RIGHT, TOP, HIPS, END = 80, 220, 60, 300, 580


def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels of somebody in a plain coat before a green wall, their matte and parts."""
    pixels = np.full((HEIGHT, WIDTH, 3), (40, 160, 60), np.uint8)
    part = np.full((HEIGHT, WIDTH), 255, np.uint8)
    part[TOP:HIPS, LEFT:RIGHT] = TRUNK
    part[HIPS:END, LEFT:150] = RIGHT_LEG
    part[HIPS:END, 150:RIGHT] = LEFT_LEG
    part[TOP:HIPS, RIGHT : RIGHT + 30] = LEFT_ARM
    person = part < 255
    pixels[person] = COAT
    return pixels, np.where(person, 255, 0).astype(np.uint8), part


def closed(pixels: np.ndarray, alpha: np.ndarray, part: np.ndarray, skin=None) -> np.ndarray:
    given = pixels.copy()
    out = closed_over(pixels, alpha, part, None if skin is None else np.array(skin, float))
    assert (pixels == given).all()
    return out


def test_plain_cloth_stays_as_it_is():
    pixels, alpha, part = scene()
    noise = np.random.default_rng(0).integers(-6, 7, pixels.shape)
    pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    assert (closed(pixels, alpha, part) == pixels).all()


def test_an_open_coat_is_closed():
    pixels, alpha, part = scene()
    pixels[TOP + 20 : HIPS, 125:175] = SHIRT
    out = closed(pixels, alpha, part)
    middle = out[TOP + 40 : HIPS - 20, 130:170].astype(int)
    assert np.abs(middle - COAT).max() <= 8
    outside = np.ones(alpha.shape, bool)
    outside[TOP:HIPS, 110:190] = False
    assert (out[outside] == pixels[outside]).all()


def test_a_coat_that_hardly_shows_beside_the_shirt_is_closed():
    pixels, alpha, part = scene()
    pixels[TOP + 20 : HIPS, 97:203] = SHIRT
    middle = closed(pixels, alpha, part)[TOP + 40 : HIPS - 20, 120:180].astype(int)
    assert np.abs(middle - COAT).mean() < 12


def test_a_bag_at_one_edge_goes():
    pixels, alpha, part = scene()
    pixels[220:280, LEFT:140] = (230, 210, 40)
    out = closed(pixels, alpha, part)[235:265, 90:130].astype(int)
    assert np.abs(out - COAT).mean() < 12


@pytest.mark.parametrize("plain", [True, False])
def test_what_is_carried_is_not_on_the_back(plain: bool):
    pixels, alpha, part = scene()
    if not plain:  # cloth of many colours
        colors = np.random.default_rng(0).integers(0, 256, (40, 20, 3), np.uint8)
        cloth = np.repeat(np.repeat(colors, 15, 0), 15, 1)
        pixels[alpha > 0] = cloth[alpha > 0]
    bag = np.zeros(alpha.shape, bool)
    bag[340:440, LEFT - 40 : 170] = True
    pixels[bag], alpha[bag], part[bag] = (250, 20, 240), 255, RIGHT_LEG
    out = closed_over(pixels, alpha, part, None, bag)
    inner = out[350:430, LEFT - 30 : 160]
    assert np.linalg.norm(inner.astype(int) - (250, 20, 240), axis=2).min() > 60
    if plain:
        assert np.abs(inner.astype(int) - COAT).mean() < 12
    far = np.ones(alpha.shape, bool)
    far[320:460] = False
    assert (out[far] == closed_over(pixels, alpha, part, None)[far]).mean() > 0.99


def test_pleats_go_on_where_something_was_carried():
    pixels, alpha, part = scene()
    person = alpha > 0
    pleats = np.where(np.arange(WIDTH)[None] // 9 % 2, 200, 150) * person
    pixels[person] = pleats[person][:, None]
    bag = np.zeros(alpha.shape, bool)
    bag[340:440, LEFT - 40 : 150] = True
    pixels[bag], alpha[bag], part[bag] = (20, 20, 240), 255, RIGHT_LEG
    inner = closed_over(pixels, alpha, part, None, bag)[360:420, LEFT:140].mean(2)
    across = np.ptp(inner, axis=1)
    assert np.median(across) > 30  # of 50 levels


def test_folds_and_shadows_stay():
    pixels, alpha, part = scene()
    lighter = np.clip(np.array(COAT) * 1.25, 0, 255).astype(np.uint8)
    pixels[TOP:HIPS, 140:155] = lighter
    assert (closed(pixels, alpha, part) == pixels).all()


def test_stripes_across_stay():
    pixels, alpha, part = scene()
    for y in range(TOP, HIPS, 40):
        pixels[y : y + 20, LEFT:RIGHT] = SHIRT
    out = closed(pixels, alpha, part).astype(int)
    assert np.abs(out - pixels)[TOP:HIPS, LEFT:RIGHT].mean() < 3


def test_cloth_of_many_colours_stays():
    pixels, alpha, part = scene()
    rng = np.random.default_rng(1)
    blocks = rng.integers(0, 256, (HEIGHT // 12, WIDTH // 12, 3)).repeat(12, 0).repeat(12, 1)
    person = alpha > 0
    pixels[person] = blocks[person].astype(np.uint8)
    out = closed(pixels, alpha, part).astype(int)
    assert np.abs(out - pixels)[person].mean() < 10


@pytest.mark.parametrize("known", [True, False])
def test_a_top_between_bare_shoulders_stays_where_the_face_is_seen(known: bool):
    pixels, alpha, part = scene()
    pixels[TOP : TOP + 60, LEFT:110] = SKIN
    pixels[TOP : TOP + 60, 190:RIGHT] = SKIN
    out = closed(pixels, alpha, part, SKIN if known else None)
    same = (out == pixels)[TOP : TOP + 30, 120:180].all()
    assert same == known


def test_nobody_and_somebody_tiny():
    pixels, alpha, part = scene()
    assert (closed(pixels, np.zeros_like(alpha), part) == pixels).all()
    small = closed_over(pixels[:7, :5], alpha[:7, :5], part[:7, :5], None)
    assert (small == pixels[:7, :5]).all()


def test_the_back_is_made_of_even_light_and_openings_are_told_by_the_picture():
    pixels, alpha, part = scene()
    pixels[TOP + 20 : HIPS, 125:175] = SHIRT
    even = np.minimum(pixels, 190)  # where coat and shirt are nearer to each other
    even[alpha > 0] //= 2
    even[alpha > 0] += 30
    out = closed_over(pixels, alpha, part, None, None, even).astype(int)
    coat = np.array(COAT) // 2 + 30
    assert np.abs(out[TOP + 40 : HIPS - 20, 130:170] - coat).max() <= 8
    assert np.abs(out[HIPS + 20 : END - 20, LEFT + 10 : 140] - coat).max() <= 2
