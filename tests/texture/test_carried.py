"""Bags are told from clothes: by standing off on one side, and by their colour."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.texture import carried
from vitruvian.texture.carried import carried_by, find_carried
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

WIDTH, HEIGHT = 300, 480
SKIN, COAT, BAG = (210, 165, 140), (70, 80, 95), (190, 60, 40)
MODEL = body_model()
CAMERA = Camera.centered(760, WIDTH, HEIGHT)


def standing() -> Mesh:
    """The body at rest, 3 m before the camera."""
    low, high = MODEL.template.min(0), MODEL.template.max(0)
    points = (MODEL.template - (low + high) / 2) * np.float32([1, -1, -1]) + np.float32([0, 0, 3])
    return Mesh(points.astype(np.float32), MODEL.faces, "camera")


BODY = standing()
FRAGMENTS = rasterize(CAMERA.project(BODY.vertices), BODY.vertices[:, 2], BODY.faces, WIDTH, HEIGHT)
FACE = np.append(MODEL.regions.face > 0.5, False)[
    np.append(MODEL.faces[:, 0], -1)[FRAGMENTS.face]
]  # fmt: skip
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]


def picture(*shapes: tuple[np.ndarray, tuple[int, int, int]]) -> tuple[Photo, Alpha]:
    """Somebody in a coat, with what else is shown over and beside them."""
    shown = cv2.dilate(FRAGMENTS.mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    pixels = np.full((HEIGHT, WIDTH, 3), (150, 170, 150), float)
    pixels[shown] = COAT
    pixels[FACE] = SKIN
    for where, color in shapes:
        pixels[where] = color
        shown = shown | where
    pixels += np.random.default_rng(0).normal(0, 3, pixels.shape)
    matte = np.where(shown, 255, 0).astype(np.uint8)
    photo = Photo(
        np.clip(pixels, 0, 255).astype(np.uint8), "bag", None, CAMERA, None, (WIDTH, HEIGHT)
    )
    return photo, Alpha(matte, 0, 0, WIDTH, HEIGHT)


def beside_leg(side: int) -> np.ndarray:
    """(h, w) bool, a square of some 25 cm beside a thigh that covers a bit of it."""
    row = int(HEIGHT * 0.62)
    columns = np.flatnonzero(FRAGMENTS.mask[row])
    edge = columns[-1] if side > 0 else columns[0]
    return np.asarray((abs(ROWS - row) < 32) & (abs(COLUMNS - edge - side * 22) < 34))


def found(photo: Photo, alpha: Alpha) -> np.ndarray | None:
    out = find_carried(photo, alpha, MODEL, BODY)
    return None if out is None else out.seen_by(CAMERA)


@pytest.mark.parametrize("side", [-1, 1])
def test_a_bag_is_found_also_where_it_covers_the_body(side: int):
    bag = beside_leg(side)
    mask = found(*picture((bag, BAG)))
    assert mask is not None
    assert mask[bag].mean() > 0.9
    assert mask[bag & FRAGMENTS.mask].mean() > 0.8
    assert mask.sum() < 1.5 * bag.sum()


def test_clothes_that_stand_off_on_both_sides_are_not_carried():
    both = beside_leg(-1) | beside_leg(1)
    assert found(*picture((both, BAG))) is None
    assert found(*picture()) is None


def test_skin_beside_the_body_is_an_arm():
    arm = beside_leg(1)
    assert found(*picture((arm & (abs(ROWS - HEIGHT * 0.62) < 14), SKIN))) is None


def test_a_small_flap_of_the_coat_is_none():
    flap = beside_leg(1) & (abs(ROWS - HEIGHT * 0.62) < 12)
    assert found(*picture((flap, COAT))) is None
    assert found(*picture((flap, BAG))) is not None


def test_for_shapes_what_stands_off_counts_in_any_colour():
    coat = beside_leg(1)
    beside = coat & ~cv2.dilate(FRAGMENTS.mask.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    sure = find_carried(*picture((coat, COAT)), MODEL, BODY)
    assert sure is None or sure.seen_by(CAMERA)[coat & FRAGMENTS.mask].mean() < 0.1
    out = find_carried(*picture((coat, COAT)), MODEL, BODY, doubtful=True)
    assert out is not None
    assert out.seen_by(CAMERA)[beside].mean() > 0.9
    assert out.seen_by(CAMERA)[FRAGMENTS.mask].mean() < 0.05
    both = beside_leg(-1) | coat
    assert find_carried(*picture((both, COAT)), MODEL, BODY, doubtful=True) is None


def test_hair_beside_the_head_is_none():
    head = np.argwhere(FACE).mean(0)
    hair = (abs(ROWS - head[0] - 10) < 25) & (head[1] + 10 < COLUMNS) & (head[1] + 70 > COLUMNS)
    assert found(*picture((hair, BAG))) is None


def test_what_is_found_is_seen_in_another_window():
    out = find_carried(*picture((beside_leg(1), BAG)), MODEL, BODY)
    assert out is not None
    whole = out.seen_by(CAMERA)
    window = out.seen_by(CAMERA.window(40, 100, 0.5, 120, 180))
    there = cv2.resize(
        whole[100:460, 40:280].astype(np.uint8), (120, 180), interpolation=cv2.INTER_AREA
    )
    assert (window == (there > 0)).mean() > 0.99
    assert window.any()


def test_nothing_is_said_of_somebody_out_of_the_picture():
    photo, alpha = picture((beside_leg(1), BAG))
    away = BODY.with_vertices(BODY.vertices + np.float32([9, 0, 0]))
    empty = replace(alpha, values=np.zeros_like(alpha.values))
    assert find_carried(photo, empty, MODEL, away) is None


def test_of_one_body_in_one_picture_it_looks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[bool] = []

    def counted(*args: object, doubtful: bool = False) -> object:
        looks.append(doubtful)
        return find_carried(*args, doubtful=doubtful)  # type: ignore[arg-type]

    monkeypatch.setattr(carried, "find_carried", counted)
    body = Body(
        MODEL, np.zeros(1), np.zeros((1, 3)), np.zeros(3), 1.7, BODY.vertices, np.zeros((1, 3))
    )
    (photo, bag), (other, nothing) = picture((beside_leg(1), BAG)), picture()
    wide = carried_by(photo, bag, body, doubtful=True)
    assert wide is not None
    sure = carried_by(photo, bag, body)
    assert sure is carried_by(photo, bag, body)
    np.testing.assert_array_equal(sure.mask, find_carried(photo, bag, MODEL, BODY).mask)
    assert looks == [True, False]
    assert carried_by(other, nothing, body, doubtful=True) is None
    assert carried_by(other, nothing, body) is None
    assert looks == [True, False, True]
