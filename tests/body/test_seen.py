"""What a picture shows of somebody, told from drawn bodies whose truth is known."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from fit_people import CAMERA, estimate_of, photograph, random_body
from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import body_model
from vitruvian.body.model.parts import area_of_part, part_of_vertex
from vitruvian.body.model.skeleton import HEAD, KNEES, LEFT, LEGS
from vitruvian.body.seen import what_is_seen
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.camera import Camera
from vitruvian.types.face import Face
from vitruvian.types.figure import Alpha, Figure
from vitruvian.types.seen import BODY_PARTS, Seen


@lru_cache(maxsize=1)
def somebody() -> tuple[Any, Any, Any]:
    return random_body(5)


def shown(figure: Figure, body: tuple[Any, Any, Any], camera: Camera = CAMERA) -> Seen:
    model = body_model()
    posed = model.forward_rotations(*body)
    look = posed.rotations[model.joint_index[HEAD]][:, 2]
    return what_is_seen(model, figure, camera, posed.vertices, posed.joints, look)


def without(figure: Figure, mask: np.ndarray) -> Figure:
    """The figure with nothing of its matte where the mask (H, W) is."""
    values = np.where(mask, 0, figure.alpha.full()).astype(np.uint8)
    return replace(figure, alpha=replace(figure.alpha, values=values))


def around(part: str, body: tuple[Any, Any, Any]) -> np.ndarray:
    """(H, W) bool, the box around a part in the picture."""
    pixels = CAMERA.project(body_model().forward_rotations(*body).vertices)
    own = pixels[part_of_vertex(body_model()) == BODY_PARTS.index(part)]
    (x0, y0), (x1, y1) = own.min(0).astype(int), own.max(0).astype(int)
    mask = np.zeros((CAMERA.height, CAMERA.width), bool)
    mask[y0:y1, x0:x1] = True
    return mask


def test_every_part_has_vertices_and_area() -> None:
    count = np.bincount(part_of_vertex(body_model()), minlength=len(BODY_PARTS))
    assert (count > 50).all()
    area = area_of_part(body_model())
    assert area.sum() == pytest.approx(1)
    assert area[3::2] == pytest.approx(area[4::2], rel=0.05)  # left and right
    assert 0.1 < area[BODY_PARTS.index("left thigh")] < 0.14


def test_somebody_in_full_view_is_whole() -> None:
    seen = shown(photograph(*somebody())[0], somebody())
    assert seen.complete
    assert seen.extent == "whole"
    assert seen.share > 0.9


@pytest.mark.parametrize(
    ("joint", "extent"),
    [("lowerleg01.L", "three-quarter"), ("root", "half"), ("spine02", "bust"), ("neck03", "head")],
)
def test_the_frame_says_how_far_down_somebody_is_seen(joint: str, extent: str) -> None:
    model, body = body_model(), somebody()
    figure, vertices = photograph(*body)
    posed = model.forward_rotations(*body)
    bottom = int(CAMERA.project(posed.joints[[model.joint_index[joint]]])[0, 1])
    camera = replace(CAMERA, height=bottom)
    values = figure.alpha.full()[:bottom]
    cut = replace(figure, alpha=Alpha(values, 0, 0, camera.width, bottom))
    seen = shown(cut, body, camera)
    assert seen.extent == extent
    assert not seen.complete
    assert {"left foot", "right foot"} <= set(seen.cut)
    inside = CAMERA.project(vertices)[:, 1] < bottom
    assert seen.share < inside.mean() + 0.15


def test_a_head_that_the_frame_runs_through_is_cut_off() -> None:
    body = somebody()
    figure, vertices = photograph(*body)
    head = CAMERA.project(vertices)[part_of_vertex(body_model()) == 0]
    top = int(head[:, 1].min() + 0.08 * np.ptp(head[:, 1]))
    values = figure.alpha.full()[top:]
    camera = CAMERA.window(0, top, 1.0, CAMERA.width, CAMERA.height - top)
    # The fit has crouched: its head is inside, but the matte goes on.
    values[0, int(head[:, 0].min()) : int(head[:, 0].max())] = 255
    cut = replace(figure, alpha=Alpha(values, 0, 0, camera.width, camera.height))
    seen = shown(cut, body, camera)
    assert seen.cut == ("head",)
    assert seen.extent == "part"


def test_what_is_not_on_the_matte_is_hidden() -> None:
    body = somebody()
    figure = without(photograph(*body)[0], around("left foot", body))
    seen = shown(figure, body)
    assert seen.hidden == ("left foot",)
    assert seen.extent == "whole"
    assert not seen.complete


def test_a_leg_folded_away_without_a_foot_in_view_was_not_found() -> None:
    betas, rotations, translation = somebody()
    rotations = rotations.copy()
    knee = body_model().joint_index[KNEES[LEFT]]
    rotations[knee] = matrix_from_axis_angle(np.array([1.5, 0.0, 0.0]))
    body = betas, rotations, translation
    figure, _ = photograph(*body)
    assert "left lower leg" not in shown(figure, body).hidden
    visibility = figure.landmarks.visibility.copy()
    visibility[[27, 29, 31]] = 0.2
    figure = replace(figure, landmarks=replace(figure.landmarks, visibility=visibility))
    assert {"left lower leg", "left foot"} <= set(shown(figure, body).hidden)


def test_a_head_that_looks_here_and_shows_no_face_is_covered() -> None:
    body = somebody()
    figure, _ = photograph(*body)
    parts = np.tile([0.9, 0.05, 0.05], (5, 1))
    parts[0] = [0.75, 0.05, 0.2]
    doubted = replace(figure, estimate=estimate_of(*body, parts=parts))
    assert shown(doubted, body).hidden == ("head",)
    face = Face(np.array([0.0, 0, 40, 50]), 0.9, 0.0, 30.0, 5.0)
    assert shown(replace(doubted, face=face), body).complete
    # From behind there is no face to miss.
    away = random_body(5, yaw=np.pi)
    figure, _ = photograph(*away)
    assert shown(replace(figure, estimate=estimate_of(*away, parts=parts)), away).complete


def test_legs_below_a_half_figure_stand_and_what_is_in_view_stays() -> None:
    model = body_model()
    betas, rotations, translation = somebody()
    rotations = rotations.copy()
    crouch = {"upperleg01": -1.2, "lowerleg01": 1.4}
    for stem, angle in crouch.items():
        for side in ("L", "R"):
            turned = matrix_from_axis_angle(np.array([angle, 0.0, 0.0]))
            rotations[model.joint_index[f"{stem}.{side}"]] = turned
    figure, _ = photograph(betas, rotations, translation)
    posed = model.forward_rotations(betas, rotations, translation)
    bottom = int(CAMERA.project(posed.joints[:1])[0, 1])
    camera = replace(CAMERA, height=bottom)
    values = figure.alpha.full()[:bottom]
    cut = replace(figure, alpha=Alpha(values, 0, 0, camera.width, bottom))
    body = fit_body(model, cut, camera)
    assert body.seen.extent == "half"
    for hip, knee, ankle in LEGS:
        thigh, shank = body.joint(knee) - body.joint(hip), body.joint(ankle) - body.joint(knee)
        assert thigh @ shank > 0.97 * np.linalg.norm(thigh) * np.linalg.norm(shank)
    whole = fit_body(model, figure, CAMERA)
    assert whole.seen.extent == "whole"
    knee = np.linalg.norm(whole.pose[model.joint_index[KNEES[LEFT]]])
    assert knee > 0.5
