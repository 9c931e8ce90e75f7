"""How much of the bare body's relief is left under coats and skirts that hide it."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pytest

from surface_people import (
    CAMERA,
    alpha_of,
    arms_down_body,
    dressed,
    figure_of,
    is_closed_manifold,
    mask_of,
    photo_with,
    standing_body,
)
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.surface.clothed import clothed_mesh
from vitruvian.surface.envelope.inflated_body import inflated_body
from vitruvian.surface.volume.drape import Hidden, draped, hidden_pixels, hidden_share
from vitruvian.surface.volume.limbs import to_the_hem
from vitruvian.surface.volume.ray_spans import Spans
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import LEFT_LEG, TRUNK

PIXEL_M = 3.3 / CAMERA.focal_px
# From the ground to the height of the shoulders and so on, as shares of the figure's rows.
COAT = ((0.19, 0.13), (0.45, 0.135), (0.72, 0.19))  # (row, half width) from shoulders to hem
SKIRT = ((0.40, 0.10), (0.52, 0.145), (0.78, 0.19))


@lru_cache(maxsize=2)
def outline(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The mask (H, W) bool of somebody in a coat or skirt, and where that is, well inside."""
    mask = mask_of(standing_body().as_mesh())
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, middle = len(rows), columns.mean()
    shape = COAT if kind == "coat" else SKIRT
    right = [(middle + half * height, rows[0] + at * height) for at, half in shape]
    left = [(2 * middle - x, y) for x, y in right[::-1]]
    garment = np.zeros(mask.shape, np.uint8)
    cv2.fillPoly(garment, [np.round(np.array(right + left)).astype(np.int32)], 1)
    inner = cv2.erode(garment, np.ones((41, 41), np.uint8)) > 0
    return mask | (garment > 0), inner


@lru_cache(maxsize=4)
def surface(kind: str, *, draped: bool) -> Mesh:
    """The person's surface; without the bare body to compare with, nothing counts as hidden."""
    mask, _ = outline(kind)
    body = standing_body()
    inflated = inflated_body(photo_with(), figure_of(mask), body)
    fitted = body.as_mesh() if draped else None
    return clothed_mesh(body_model(), inflated, alpha_of(mask), CAMERA, fitted=fitted)


def front(mesh: Mesh) -> np.ndarray:
    pixels, depth = CAMERA.project(mesh.vertices), mesh.vertices[:, 2]
    return rasterize(pixels, depth, mesh.faces, CAMERA.width, CAMERA.height).depth


def back(mesh: Mesh) -> np.ndarray:
    pixels, inverse = CAMERA.project(mesh.vertices), 1 / mesh.vertices[:, 2]
    return 1 / rasterize(pixels, inverse, mesh.faces, CAMERA.width, CAMERA.height).depth


def band(depth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """What of a depth is 3 to 12 cm long, within the mask."""
    weight = mask.astype(np.float32)
    values = np.where(mask, depth, 0).astype(np.float32)
    fine, coarse = (
        cv2.GaussianBlur(values, (0, 0), sigma / PIXEL_M)
        / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma / PIXEL_M), 1e-6)
        for sigma in (0.005, 0.02)
    )
    return np.asarray(fine - coarse)


def relief_left(mesh: Mesh, kind: str, side) -> float:  # type: ignore[no-untyped-def]
    """The share of the bare body's relief that a surface has where a garment hides it."""
    _, inner = outline(kind)
    bare = standing_body().as_mesh()
    body = cv2.erode(mask_of(bare).astype(np.uint8), np.ones((11, 11), np.uint8)) > 0
    where = inner & body & mask_of(mesh)
    assert where.sum() > 3000
    own, theirs = (band(side(one), where)[where] for one in (mesh, bare))
    return float((own * theirs).sum() / (theirs * theirs).sum())


@pytest.mark.parametrize("side", [front, back])
@pytest.mark.parametrize("kind", ["coat", "skirt"])
def test_coats_and_skirts_hide_the_body(kind: str, side) -> None:  # type: ignore[no-untyped-def]
    plain = relief_left(surface(kind, draped=False), kind, side)
    found = relief_left(surface(kind, draped=True), kind, side)
    assert found < 0.35
    assert found < 0.6 * plain


@pytest.mark.parametrize("kind", ["coat", "skirt"])
def test_what_hides_it_is_closed_and_as_wide_as_the_matte(kind: str) -> None:
    mesh = surface(kind, draped=True)
    mask, _ = outline(kind)
    assert is_closed_manifold(mesh.faces)
    found = mask_of(mesh)
    assert (found & mask).sum() / (found | mask).sum() > 0.965


def test_bare_limbs_and_tight_clothes_hide_nothing() -> None:
    fitted = arms_down_body().as_mesh()
    assert hidden_share(body_model(), fitted, fitted).max() == 0
    tight = dressed(arms_down_body(), 0.005)
    assert hidden_share(body_model(), tight, fitted).max() < 0.1


def test_loose_clothes_hide_trunk_and_legs_but_no_face() -> None:
    fitted, loose = arms_down_body().as_mesh(), dressed(arms_down_body(), 0.04)
    share = hidden_share(body_model(), loose, fitted)
    regions = body_model().regions
    for part in (TRUNK, LEFT_LEG):
        clothed = (regions.part == part) & (regions.foot + regions.head + regions.throat == 0)
        clothed &= body_model().components == 0
        assert np.median(share[clothed]) > 0.9
    assert share[regions.face > 0.5].max() == 0
    assert share[regions.hand > 0.9].max() == 0


def test_a_bag_on_one_side_hides_nothing() -> None:
    fitted, loose = arms_down_body().as_mesh(), dressed(arms_down_body(), 0.06)
    regions = body_model().regions
    left = (regions.part == LEFT_LEG)[:, None]
    bag = fitted.with_vertices(np.where(left, loose.vertices, fitted.vertices))
    assert hidden_share(body_model(), bag, fitted).max() < 0.1


def test_sleeves_tell_of_the_trunk() -> None:
    """A coat whose sleeves hang beside the trunk shows how thick it is only there."""
    fitted, loose = arms_down_body().as_mesh(), dressed(arms_down_body(), 0.04)
    regions = body_model().regions
    trunk = (regions.part == TRUNK)[:, None]
    coat = fitted.with_vertices(np.where(trunk, fitted.vertices, loose.vertices))
    share = hidden_share(body_model(), coat, fitted)
    middle = (regions.part == TRUNK) & (regions.head + regions.throat == 0)
    middle &= body_model().components == 0
    assert np.median(share[middle]) > 0.8


@pytest.mark.parametrize(
    ("bridged", "hem"),
    [
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 0),
        ([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 10),  # down to the feet
        ([0, 0, 1, 1, 1, 1, 0, 0, 0, 0], 6),  # thighs touch, then cloth, then two legs
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 0),  # shoes that touch
    ],
)
def test_the_hem_is_where_cloth_ends(bridged: list[int], hem: int) -> None:
    rows = np.concatenate([np.zeros(5, bool), np.ones(10, bool)])
    found = to_the_hem(rows, np.concatenate([np.zeros(5, bool), np.array(bridged, bool)]))
    assert found.sum() == (5 + hem if hem else 0)
    assert not found[5 + hem :].any()


def striding(skirt: bool, thicker: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Front and back depth (W,) of a skirt around two legs, one half a metre before the other."""
    pixel, size, radius = 0.005, 60, 0.075
    across = (np.arange(size) - size / 2 + 0.5) * pixel
    entries, exits = (np.full((size, size, 6), np.inf, np.float32) for _ in range(2))
    count = np.zeros((size, size), np.int32)
    for x, z in ((-0.05, 3.0), (0.05, 3.5)):
        half = np.sqrt(np.maximum(radius**2 - (across - x) ** 2, 0))
        for column in np.flatnonzero(half > 0):
            layer = count[0, column]
            entries[:, column, layer], exits[:, column, layer] = z - half[column], z + half[column]
            count[:, column] += 1
    everywhere = np.ones((size, size), bool)
    hidden = Hidden(
        everywhere.astype(np.float32),
        everywhere,
        everywhere[0],
        everywhere & skirt,
        np.full((size, size, 2), thicker, np.float32),
    )
    rim = 0.125 - np.abs(np.tile(across, (size, 1)))
    first, last = draped(Spans(entries, exits, count), hidden, rim.astype(np.float32), pixel)
    inside = count[0] > 0
    return first[size // 2, inside], last[size // 2, inside]


def test_a_skirt_is_taut_around_legs_one_before_the_other() -> None:
    def steepest(depth: np.ndarray) -> float:
        return float(np.abs(np.diff(depth[8:-8])).max())

    front, back = striding(skirt=True)
    assert steepest(front) < 0.045
    assert steepest(back) < 0.045
    assert (back - front)[8:-8].min() > 0.15
    assert steepest(striding(skirt=False)[0]) > 0.1
    # What nobody sees of its thickness comes on top, but at the outline.
    thicker = striding(skirt=True, thicker=0.01)
    gained = front - thicker[0]
    np.testing.assert_allclose(thicker[1] - back, gained, atol=1e-6)
    np.testing.assert_allclose(gained[12:-12], 0.01, atol=1e-6)
    assert gained[0] == pytest.approx(0, abs=1e-6)


def test_a_clothed_trunk_is_thicker_than_its_sides_tell_and_nothing_else_is():
    """Somebody in 2 cm of clothes all over."""
    fitted = arms_down_body().as_mesh()
    inflated = dressed(arms_down_body(), 0.02)
    window = CAMERA.window(0, 0, 0.5, CAMERA.width // 2, CAMERA.height // 2)
    pixel_m = float(np.median(fitted.vertices[:, 2])) / window.focal_px
    everywhere = np.ones((window.height, window.width), bool)
    found, bare = (
        hidden_pixels(body_model(), clothes, fitted, everywhere, window, pixel_m).unseen
        for clothes in (inflated, fitted)
    )
    u, v = window.project(fitted.vertices).T.astype(int)
    regions, rest = body_model().regions, body_model().template
    belly = (regions.part == TRUNK) & (np.abs(rest[:, 0]) < 0.05)
    belly &= np.abs(rest[:, 1] - np.median(rest[belly, 1])) < 0.1
    at_belly = found[v[belly], u[belly]]
    assert at_belly.mean(0) == pytest.approx([0.010, 0.013], abs=0.001)
    ankles = regions.foot > 0.9
    assert found[v[ankles], u[ankles]].max() == 0
    assert found[v[regions.head > 0.9], u[regions.head > 0.9]].max() < 0.004
    assert bare.max() < 0.001
    # What shows much at the sides is as far off in front.
    wide = dressed(arms_down_body(), 0.05)
    far = hidden_pixels(body_model(), wide, fitted, everywhere, window, pixel_m).unseen
    assert far[v[belly], u[belly]].max() < 0.002
