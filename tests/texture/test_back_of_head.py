"""The back of a head guessed from its front: hair goes on, no face shows, long hair hangs down."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.texture.back_of_head import BackOfHead, back_of_head
from vitruvian.texture.view import View
from vitruvian.types.camera import Camera
from vitruvian.types.regions import HEAD, TRUNK

SIZE = 320
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE]
SKIN, HAIR, SHIRT, LIPS = (215, 170, 145), (60, 40, 30), (60, 90, 170), (170, 60, 60)
CENTRE, WIDE, HIGH = (110, 160), 42, 60
CHIN = 160  # the face's lowest row; it begins at about 86


def oval(row: float, column: float, high: float, wide: float) -> np.ndarray:
    return ((ROWS - row) / high) ** 2 + ((COLUMNS - column) / wide) ** 2 < 1


SKULL = oval(*CENTRE, HIGH, WIDE)
FACE = oval(123, 160, 38, 30)
NECK = (ROWS > 150) & (ROWS < 190) & (abs(COLUMNS - 160) < 20)
BODY = ROWS >= 190
OF_FACE = np.array([1, 0], np.float32)  # of two vertices, the face's and another


def view(
    *, hair: tuple[int, int, int] = HAIR, long: bool = False, skull: np.ndarray = SKULL
) -> View:
    """Somebody who faces the camera; the picture's grain is that of a photograph."""
    hanging = (abs(COLUMNS - 160) < 52) & (abs(COLUMNS - 160) > 22) & (ROWS > 100) & (ROWS < 240)
    hanging &= long
    person = skull | NECK | BODY | hanging
    pixels = np.full((SIZE, SIZE, 3), (150, 160, 150), float)
    pixels[BODY] = SHIRT
    pixels[NECK | FACE] = SKIN
    pixels[skull & ~FACE] = SKIN
    pixels[(skull & ~FACE & (ROWS < 145)) | hanging] = hair
    pixels[oval(115, 145, 4, 8) | oval(115, 175, 4, 8)] = (40, 40, 40)
    pixels[oval(145, 160, 3, 10)] = LIPS
    pixels += np.random.default_rng(0).normal(0, 3, (SIZE, SIZE, 1))
    pixels = np.clip(pixels, 0, 255).astype(np.uint8)
    head = (skull | NECK | (hanging & (ROWS < 190))) & ~BODY
    part = np.where(head, HEAD, np.where(person, TRUNK, 255)).astype(np.uint8)
    return View(
        pixels=pixels,
        back=pixels,
        alpha=np.where(person, 255, 0).astype(np.uint8),
        depth=np.where(person, 3, np.inf).astype(np.float32),
        arms=np.full((SIZE, SIZE), np.inf, np.float32),
        part=part,
        vertex=np.where(FACE, 0, np.where(person, 1, -1)).astype(np.int32),
        hair=np.zeros((SIZE, SIZE), np.uint8),
        camera=Camera.centered(400, SIZE, SIZE),
    )


def behind(seen: View) -> BackOfHead:
    given = seen.back.copy()
    out = back_of_head(seen, seen.back, OF_FACE)
    assert out is not None
    assert (seen.back == given).all()
    return out


def away(pixels: np.ndarray, color: tuple[int, int, int]) -> float:
    return float(np.abs(pixels.astype(int) - color).mean())


def test_hair_takes_the_place_of_the_face():
    seen = view()
    out = behind(seen)
    inner = oval(115, 160, 25, 25)
    assert away(seen.pixels[inner], HAIR) > 80
    assert away(out.pixels[inner], HAIR) < 10
    assert (out.share[inner] == 255).all()


def lit_from_behind(seen: View, where: np.ndarray) -> View:
    """The sun at the rim of the hair, where its colour cannot be told."""
    rim = SKULL & ~FACE & (ROWS < 145) & where
    seen.pixels[rim] = (253, 250, 240)
    return seen


def test_light_from_behind_does_not_shine_through():
    out = behind(lit_from_behind(view(), COLUMNS > 172))
    inner = oval(115, 160, 25, 25)
    assert away(out.pixels[inner], HAIR) < 15
    white = behind(lit_from_behind(view(), ROWS > 0))  # hair that is itself so bright
    assert away(white.pixels[inner], (253, 250, 240)) < 15


def test_the_neck_below_short_hair_is_skin_without_the_mouth():
    out = behind(view())
    neck = (ROWS > 164) & (ROWS < 185) & (abs(COLUMNS - 160) < 14)
    assert away(out.pixels[neck], SKIN) < 10
    assert (out.share[neck] == 255).all()
    lips = oval(145, 160, 3, 8)
    assert away(out.pixels[lips], LIPS) > 40


def test_the_shirt_stays_as_it_is():
    seen = view()
    out = behind(seen)
    assert (out.pixels[BODY] == seen.pixels[BODY]).all()
    assert (out.share[200:] == 0).all()


def test_long_hair_covers_neck_and_shoulders():
    out = behind(view(long=True))
    back = (ROWS > 165) & (ROWS < 225) & (abs(COLUMNS - 160) < 40)
    assert away(out.pixels[back], HAIR) < 12
    assert (out.share[back] > 240).all()
    assert (out.share[260:] == 0).all()


def test_long_hair_before_one_shoulder_hangs_behind_both():
    seen = view(long=True)
    cut = (COLUMNS > 160) & (ROWS > 165)
    seen.pixels[cut & (ROWS < 190)] = (150, 160, 150)
    seen.alpha[cut & (ROWS < 190) & ~NECK] = 0
    seen.pixels[cut & BODY] = SHIRT
    out = behind(seen)
    other = (ROWS > 170) & (ROWS < 185) & (COLUMNS > 160) & (COLUMNS < 185)
    assert away(out.pixels[other], HAIR) < 15


def test_a_hat_is_a_hat_from_behind():
    hat = (150, 30, 40)
    seen = view()
    crown = SKULL & (ROWS < 84)
    seen.pixels[crown] = hat
    out = behind(seen)
    assert away(out.pixels[crown & (ROWS > 60)], hat) < 12


def test_a_shorn_head_is_of_its_own_colour():
    out = behind(view(hair=(205, 160, 135)))
    assert away(out.pixels[oval(115, 160, 25, 25)], SKIN) < 20


def test_strands_go_on_where_the_face_was():
    seen = view()
    stripes = np.where((COLUMNS // 3) % 2, 25, -15)[..., None]
    painted = (seen.part == HEAD) & ~FACE & ~NECK
    seen.pixels[painted] = np.clip(np.array(HAIR) + stripes[painted], 0, 255)
    out = behind(seen)
    edge = FACE & (ROWS > 100) & (ROWS < 130) & (abs(COLUMNS - 160) > 20)
    assert out.pixels[edge].astype(float).std(0).min() > 5


def test_a_forehead_in_the_sun_is_no_hair():
    seen = view()
    forehead = oval(92, 160, 12, 18) & FACE
    seen.pixels[forehead] = (240, 200, 178)
    out = behind(seen)
    assert away(out.pixels[oval(92, 160, 9, 14)], HAIR) < 15


def test_a_high_forehead_does_not_go_on_behind():
    """Above the model's face, in the sun, below a narrow strip of hair."""
    seen = view()
    seen.pixels[oval(84, 160, 24, 30) & (ROWS < 100)] = (225, 190, 175)
    out = behind(seen)
    assert away(out.pixels[oval(115, 160, 25, 25)], HAIR) < 10


def test_hair_of_the_colour_of_a_shaded_cheek_goes_on_behind():
    brown, shade = (120, 82, 62), (150, 108, 88)
    seen = view(hair=brown)
    seen.pixels[FACE & (COLUMNS > 172) & (ROWS > 120)] = shade
    out = behind(seen)
    assert away(out.pixels[oval(115, 160, 25, 25)], brown) < 14


def test_strands_laid_behind_go_down():
    seen = view(long=True)
    stripes = np.where((COLUMNS // 3) % 2, 25, -15)[..., None]
    hair = (abs(seen.pixels.astype(int) - HAIR).sum(2) < 40) & (seen.alpha > 0)
    seen.pixels[hair] = np.clip(np.array(HAIR) + stripes[hair], 0, 255)
    laid = behind(seen).pixels[oval(125, 160, 20, 20).any(1)][:, 145:175].astype(float).mean(2)
    down, across = (np.abs(np.diff(laid, axis=axis)).mean() for axis in (0, 1))
    assert across > 2.5
    assert across > 3 * down


def test_dark_glasses_are_not_what_skin_is_like():
    """A fit that has the head too high has them for cheeks, and took the forehead for hair."""
    black = (22, 19, 18)
    seen = view(hair=black)
    seen.pixels[FACE & (ROWS > 98) & (ROWS < 150) & (abs(COLUMNS - 160) < 38)] = (26, 25, 28)
    seen.pixels[FACE & (ROWS <= 98)] = (225, 170, 140)
    out = behind(seen)
    assert away(out.pixels[oval(115, 160, 25, 25)], black) < 12
    assert not (out.hair > 128)[FACE & (ROWS <= 92) & (ROWS > 84)].any()


def test_hair_that_is_seen_is_told():
    seen = view(long=True)
    out = behind(seen)
    told = out.hair > 128
    assert told[70:80, 150:170].all()
    assert told[180:230, 190:205].mean() > 0.7
    assert not told[oval(123, 160, 34, 26) & (ROWS > 110)].any()


@pytest.mark.parametrize("case", ["no face", "no head"])
def test_nothing_is_said_of_a_head_that_is_not_seen(case: str):
    seen = view()
    if case == "no head":
        seen.part[:] = TRUNK
    else:
        seen.vertex[FACE] = 1
    assert back_of_head(seen, seen.back, OF_FACE) is None
