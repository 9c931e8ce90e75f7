from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from format_shapes import BOTTOM_LEFT, TOP_LEFT, bumps, tube
from vitruvian.result.preview import (
    MAX_PEOPLE,
    MAX_WIDTH,
    PersonViews,
    fit_photo,
    overlay_meshes,
    person_views,
    turntable,
    view_size,
    write_preview,
)
from vitruvian.result.sheet import GAP, Block, compose
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

FRONT, LEFT, BACK, RIGHT = (250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)


def compass(*, frame: str = "world") -> Mesh:
    """A tube 1 m tall whose sides have a colour each: red towards +z, green towards +x."""
    mesh = tube(rings=30, sides=60)
    angle = np.arctan2(mesh.vertices[:, 0], mesh.vertices[:, 2])
    quarter = np.round(angle / (np.pi / 2)).astype(int) % 4
    colors = np.array([FRONT, LEFT, BACK, RIGHT], np.uint8)[quarter]
    mesh = replace(mesh, texture=None, uvs=None, uv_faces=None, vertex_colors=colors)
    return replace(mesh, frame=frame)  # type: ignore[arg-type]


def middle_color(picture: np.ndarray) -> tuple[int, ...]:
    rows, columns = np.nonzero(picture[..., 3] == 255)
    row, column = int(rows.mean()), int((columns.min() + columns.max()) / 2)
    return tuple(int(value) for value in picture[row, column, :3])


def test_yaw_walks_from_the_front_to_the_persons_left() -> None:
    pictures = turntable(compass(), [0, 90, 180, 270], (120, 240))
    assert [middle_color(picture) for picture in pictures] == [FRONT, LEFT, BACK, RIGHT]
    assert {picture.shape for picture in pictures} == {(240, 120, 4)}


def test_forward_says_where_the_front_is() -> None:
    (picture,) = turntable(compass(), [0], (120, 240), forward=(1, 0.3, 0))
    assert middle_color(picture) == LEFT


def test_camera_frame_is_turned_upright() -> None:
    upright = compass()
    in_camera = upright.with_vertices(upright.vertices * np.float32([1, -1, -1]), "camera")
    for a, b in zip(
        turntable(upright, [0, 30], (80, 160)),
        turntable(in_camera, [0, 30], (80, 160)),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("stretch", [(1, 1, 1), (9, 0.5, 1), (1, 0.5, 9)])
@pytest.mark.parametrize("crop", [False, True])
def test_whole_figure_is_framed_at_one_scale(stretch: tuple, crop: bool) -> None:
    mesh = compass().with_vertices(
        compass().vertices * np.float32(stretch) + np.float32([5, 3, -9])
    )
    pictures = turntable(mesh, [0, 90, 180], (200, 300), crop=crop)
    heights = []
    filled = 0.0
    for picture in pictures:
        alpha = picture[..., 3]
        rows, columns = np.nonzero(alpha)
        border = np.concatenate([alpha[0], alpha[-1], alpha[:, 0], alpha[:, -1]])
        assert not border.any()
        heights.append(np.ptp(rows) + 1)
        filled = max(filled, (np.ptp(rows) + 1) / 300, (np.ptp(columns) + 1) / 200)
        # The perspective makes the near half a little larger, so the middle is approximate.
        assert (columns.min() + columns.max()) / 2 == pytest.approx(picture.shape[1] / 2, abs=2)
    assert filled > 0.82
    assert max(heights) - min(heights) <= 0.35 * max(heights)


def test_texture_is_shown_else_clay() -> None:
    (textured,) = turntable(tube(30, 24), [20], (100, 200))
    colors = textured[textured[..., 3] == 255][:, :3].astype(int)
    for color in (TOP_LEFT, BOTTOM_LEFT):
        assert (np.abs(colors - color).max(1) < 8).mean() > 0.1
    plain = replace(tube(30, 24), texture=None)
    (clay,) = turntable(plain, [20], (100, 200))
    shades = clay[clay[..., 3] == 255][:, :3].astype(int)
    assert np.ptp(shades, axis=1).max() < 40  # nearly grey
    assert np.ptp(shades[:, 0]) > 40  # but shaded


def overlay_scene() -> tuple[np.ndarray, Mesh, Mesh, Camera]:
    """A white picture with a near tube left of the middle and a far one behind its right edge."""
    camera = Camera.centered(300, 200, 200)
    up = np.float32([1, -1, 1])
    near = tube(20, 24).with_vertices(
        tube(20, 24).vertices * up + np.float32([0, 0.5, 2]), "camera"
    )
    far = near.with_vertices(near.vertices * np.float32([4, 1, 1]) + np.float32([0, 0, 4]))
    flip = {"faces": near.faces[:, ::-1], "uv_faces": near.uv_faces[:, ::-1]}
    photo = np.full((200, 200, 3), 255, np.uint8)
    return photo, replace(near, **flip), replace(far, **flip), camera


def test_overlay_covers_what_the_camera_sees() -> None:
    photo, near, _, camera = overlay_scene()
    drawn = overlay_meshes(photo, [near], camera)
    assert drawn.shape == photo.shape
    changed = (drawn != 255).any(-1)
    rows, columns = np.nonzero(changed)
    pixels = camera.project(near.vertices)
    np.testing.assert_allclose(
        [columns.min(), columns.max() + 1, rows.min(), rows.max() + 1],
        [pixels[:, 0].min(), pixels[:, 0].max(), pixels[:, 1].min(), pixels[:, 1].max()],
        atol=1.5,
    )
    half = overlay_meshes(photo[::2, ::2], [near], camera)
    assert (half != 255).any(-1).mean() == pytest.approx(changed.mean(), rel=0.05)
    np.testing.assert_array_equal(overlay_meshes(photo, [], camera), photo)


def test_overlay_draws_near_over_far_in_any_order() -> None:
    photo, near, far, camera = overlay_scene()
    both = overlay_meshes(photo, [near, far], camera)
    np.testing.assert_array_equal(both, overlay_meshes(photo, [far, near], camera))
    alone = overlay_meshes(photo, [near], camera)
    inside = (alone != 255).any(-1)
    np.testing.assert_array_equal(both[inside], alone[inside])
    assert (both[~inside] != 255).any()


@pytest.mark.parametrize("people", [0, 1, 2, 5, MAX_PEOPLE + 3])
@pytest.mark.parametrize("shape", [(900, 600), (600, 1500), (3000, 4000), (40, 30), (300, 6000)])
def test_preview_fits_its_width(tmp_path: Path, people: int, shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 90, np.uint8)
    width, height = view_size(people)
    views = PersonViews("Person", [np.full((height, width, 4), 200, np.uint8)] * 3)
    path = write_preview(
        tmp_path / "preview.png", photo, photo, [views] * min(people, MAX_PEOPLE), people=people
    )
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert image.width <= MAX_WIDTH
        assert image.height <= 6000
    assert [p.name for p in tmp_path.iterdir()] == ["preview.png"]


def test_preview_holds_every_part(tmp_path: Path) -> None:
    photo = np.full((300, 200, 3), (10, 200, 10), np.uint8)
    overlay = np.full((300, 200, 3), (200, 10, 200), np.uint8)
    views = person_views("Person 1, 1.00 m", compass(), 1)
    path = write_preview(tmp_path / "preview.png", photo, overlay, [views], people=1)
    pixels = np.asarray(Image.open(path)).astype(int)

    def columns_of(color: tuple[int, int, int]) -> np.ndarray:
        return np.nonzero((np.abs(pixels - color).max(-1) < 6).any(0))[0]

    parts = [columns_of(c) for c in [(10, 200, 10), (200, 10, 200), FRONT, BACK]]
    assert all(len(part) for part in parts)
    assert [part.min() for part in parts] == sorted(part.min() for part in parts)
    assert len(parts[0]) == len(parts[1]) == 200


def test_photo_is_never_enlarged() -> None:
    assert fit_photo(np.zeros((40, 30, 3), np.uint8), 1).shape == (40, 30, 3)
    assert fit_photo(np.zeros((4000, 3000, 3), np.uint8), 1).shape == (480, 360, 3)


@pytest.mark.parametrize("width", [12, 60, 150])
def test_titles_and_captions_have_room(width: int) -> None:
    """Nothing is printed over anything else, however narrow the pictures are."""
    pictures = [np.zeros((80, width, 3), np.uint8)] * 3
    titles = ("Photograph", "Over it", "Person 1 · 170 cm")
    blocks = [Block(title, pictures, ("front", "side", "back")) for title in titles]
    together = compose(blocks, "A sentence that is quite a bit longer than the pictures are wide.")
    alone = [compose([block], "") for block in blocks]
    ink = sum(int((sheet[: 28 + GAP] < 128).all(axis=2).sum()) for sheet in alone)
    assert int((together[: 28 + GAP] < 128).all(axis=2).sum()) == ink  # titles do not overlap
    for block, sheet in zip(blocks, alone, strict=True):
        assert sheet.shape[1] == block.width + 2 * GAP
        assert block.width >= sum(block.cells)
    edge = together[:, -GAP // 2 :]
    assert (edge == edge[0, 0]).all()  # the note ends before the edge


def test_the_overlay_shows_everyones_own_normal_map() -> None:
    """Two people, of whom one has a map: each looks as alone."""
    camera = Camera.centered(300, 200, 160)
    fine = replace(tube(rings=30, sides=60), normal_map=bumps())
    plain = replace(fine, normal_map=None)
    photo = np.full((160, 200, 3), 50, np.uint8)

    def placed(mesh: Mesh, x: float) -> Mesh:
        return mesh.with_vertices(mesh.vertices * [1, -1, -1] + [x, 0.5, 3], "camera")

    left, right = placed(fine, -0.4), placed(plain, 0.4)
    both = overlay_meshes(photo, [left, right], camera)
    apart = [overlay_meshes(photo, [one], camera) for one in (left, right)]
    for half, alone in ((slice(0, 100), apart[0]), (slice(100, 200), apart[1])):
        # But for the rows at which one map ends and the other begins.
        assert (np.abs(both[:, half].astype(int) - alone[:, half]) > 3).mean() < 0.01
    without = overlay_meshes(photo, [placed(plain, -0.4)], camera)
    assert np.abs(apart[0].astype(int) - without).max() > 20
