"""A surface that ends where the photograph does: closed, inside the frame, on a flat base."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from surface_people import (
    CAMERA,
    alpha_of,
    arms_down_body,
    dressed,
    is_closed_manifold,
    mask_of,
    standing_body,
)
from vitruvian.body.model.model import body_model
from vitruvian.surface.clothed import clothed_mesh
from vitruvian.surface.volume.frame_cut import (
    FrameCut,
    arms_beyond,
    base_level,
    frame_distance,
    standing_on,
)
from vitruvian.surface.volume.ray_spans import Spans
from vitruvian.surface.volume.volume import RayGrid, Volume
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh
from vitruvian.types.seen import BODY_PARTS, Seen

UP = np.array([0.0, -1.0, 0.0])
WAIST = 430  # row of CAMERA's picture of arms_down_body()


def cut_camera(bottom: int = WAIST, left: int = 0) -> Camera:
    """CAMERA whose picture ends early."""
    return CAMERA.window(left, 0, 1.0, CAMERA.width - left, bottom)


@lru_cache(maxsize=4)
def made(cut: bool, up: bool = True, left: int = 0) -> Mesh:
    camera = cut_camera(left=left)
    body = dressed(arms_down_body())
    return clothed_mesh(
        body_model(),
        body,
        alpha_of(mask_of(body, camera)),
        camera,
        fitted=arms_down_body().as_mesh(),
        faces=6000,
        cut=FrameCut(UP if up else None) if cut else None,
    )


def test_a_half_figure_is_closed_and_ends_on_a_level_base_at_the_frame() -> None:
    mesh, camera = made(True), cut_camera()
    assert is_closed_manifold(mesh.faces)
    height = -mesh.vertices[:, 1]
    a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2).astype(np.float64)
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1) / 2
    down = normal[:, 1] / (2 * area + 1e-12) > 0.98
    low = height[mesh.faces].mean(1) < height.min() + 0.01
    assert area[down & low].sum() > 0.04  # square metres: a waist and two sleeves
    bottom = camera.project(mesh.vertices)[:, 1].max()
    assert WAIST - 6 < bottom < WAIST + 6


def test_without_up_it_ends_along_the_rays_of_the_border() -> None:
    mesh, camera = made(True, up=False), cut_camera()
    assert is_closed_manifold(mesh.faces)
    rows = camera.project(mesh.vertices)[:, 1]
    at_border = rows > WAIST - 1.5
    assert rows.max() < WAIST + 1.5
    # The cut reaches from the front to the back.
    assert np.ptp(mesh.vertices[at_border, 2]) > 0.15


def test_the_frames_side_cuts_too() -> None:
    left = int(CAMERA.project(arms_down_body().joints[:1])[0, 0])
    mesh = made(True, left=left)
    assert is_closed_manifold(mesh.faces)
    columns = cut_camera(left=left).project(mesh.vertices)[:, 0]
    assert -1.5 < columns.min() < 1.5


def test_an_arm_that_is_beyond_the_frame_is_not_in_it_where_the_fit_has_it() -> None:
    """The fit holds an arm out where the picture shows the background."""
    body = standing_body()
    arm = np.isin(body_model().skin_joints[:, 0], descendants("upperarm01.L"))
    mask = mask_of(body.as_mesh())
    columns = CAMERA.project(body.vertices)[:, 0]
    right = int(np.quantile(columns[arm], 0.5))
    mask[:, right:] = False
    states = ["seen"] * len(BODY_PARTS)
    for part in ("left forearm", "left hand"):
        states[BODY_PARTS.index(part)] = "cut"
    beyond = arms_beyond(body_model(), Seen(tuple(states)))  # type: ignore[arg-type]
    assert beyond is not None
    assert (beyond == arm).mean() > 0.98
    reached = [
        CAMERA.project(
            clothed_mesh(
                body_model(), body.as_mesh(), alpha_of(mask), CAMERA, faces=4000, cut=cut
            ).vertices
        )[:, 0].max()
        for cut in (FrameCut(), FrameCut(beyond=beyond))
    ]
    assert reached[0] > columns.max() - 20
    assert reached[1] < right + 6
    states[BODY_PARTS.index("left hand")] = "seen"
    assert arms_beyond(body_model(), Seen(tuple(states))) is None  # type: ignore[arg-type]


def descendants(name: str) -> list[int]:
    """A joint of the body model and those that it moves."""
    model = body_model()
    out = [model.joint_index[name]]
    for joint, parent in enumerate(model.parents):
        if parent in out:
            out.append(joint)
    return out


def test_by_default_the_body_goes_on_beyond_the_frame() -> None:
    rows = cut_camera().project(made(False).vertices)[:, 1]
    assert rows.max() > CAMERA.project(arms_down_body().vertices)[:, 1].max() - 20
    assert is_closed_manifold(made(False).faces)


def test_distance_to_the_frame_is_in_metres_of_the_window() -> None:
    photo = Camera.centered(500, 200, 100)
    window = photo.window(-10, -5, 0.5, 110, 60)
    inside = frame_distance(window, photo, 0.01)
    assert inside.shape == (60, 110)
    # The photograph's left border is at column 5 of the window, its top at row 2.5.
    assert inside[30, 5] == pytest.approx(0.005)
    assert inside[30, 4] == pytest.approx(-0.005)
    assert inside[3, 50] == pytest.approx(0.01)
    assert inside.max() == pytest.approx(0.25, abs=0.006)


def wall(depth_m: float) -> tuple[Spans, np.ndarray, Camera]:
    """A wall across a window whose lowest row lies below the photograph."""
    window = Camera.centered(100, 40, 41)
    entries = np.full((41, 40, 6), np.inf, np.float32)
    exits = entries.copy()
    entries[..., 0], exits[..., 0] = depth_m, depth_m + 0.2
    spans = Spans(entries, exits, np.ones((41, 40), np.int32))
    inside = np.ones((41, 40), np.float32)
    inside[40] = -1
    return spans, inside, window


def test_the_base_is_where_the_border_cuts() -> None:
    spans, inside, window = wall(2.0)
    everywhere = np.ones((41, 40), bool)
    level = base_level(spans, everywhere, inside, window, 0.02, UP)
    assert level == pytest.approx(-(40 - 20.5) / 100 * 2.0)
    assert base_level(spans, ~everywhere, inside, window, 0.02, UP) is None
    assert base_level(spans, everywhere, abs(inside), window, 0.02, UP) is None  # not cut below
    sideways = np.array([1.0, 0.0, 0.0])
    assert base_level(spans, everywhere, inside, window, 0.02, sideways) is None


def test_standing_on_a_level_leaves_what_is_above() -> None:
    grid = RayGrid(Camera.centered(50, 9, 11), 1.0, 0.02, 8)
    full = Volume.of(grid, np.ones(grid.shape, np.float32))
    cut = standing_on(full, UP, 0.0)
    assert (cut.field[:5] > 0).all()
    assert (cut.field[6:] < 0).all()
    assert np.array_equal(cut.kept_empty, full.kept_empty)
