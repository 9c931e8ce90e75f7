"""Cameras that turn: followed by what is behind the people, and taken out of their motion."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from fit_people import CAMERA, photograph, random_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.video.eyes import Eyes
from vitruvian.video.together import solve_tracks
from vitruvian.video.tracking import Sighting, Track
from vitruvian.video.turning import TurnFollower, Turning, small_grey

SMALL = Camera.centered(520, 480, 360)
WALL = cv2.GaussianBlur(
    np.random.default_rng(1).integers(0, 255, (900, 1600, 3), np.uint8), (0, 0), 2.5
)
BODY = random_body(3)


def pan(number: int, step: float = 0.02) -> np.ndarray:
    """Rotation (3, 3) to the camera of a frame that pans to the right and nods."""
    return matrix_from_axis_angle(np.array([0.004 * np.sin(number), -step * number, 0.0]))


def frame_of(turn: np.ndarray, noise: int = 0) -> np.ndarray:
    """A wall far away as the turned camera sees it."""
    cx, cy = SMALL.principal_point
    matrix = np.array([[SMALL.focal_px, 0, cx], [0, SMALL.focal_px, cy], [0, 0, 1]])
    wall = np.array([[SMALL.focal_px, 0, 400.0], [0, SMALL.focal_px, 450.0], [0, 0, 1]])
    seen = cv2.warpPerspective(
        cv2.normalize(WALL, None, 0, 255, cv2.NORM_MINMAX),
        matrix @ turn @ np.linalg.inv(wall),
        (SMALL.width, SMALL.height),
    )
    rng = np.random.default_rng(noise)
    return np.clip(seen + rng.normal(0, 3, seen.shape), 0, 255).astype(np.uint8)


def followed(turns, people=lambda number: []):
    follower = TurnFollower(SMALL)
    for number, turn in enumerate(turns):
        pixels = frame_of(turn, number)
        figures = people(number)
        for figure in figures:  # somebody striped walks the other way
            x0, y0, x1, y1 = figure.box.astype(int)
            pixels[y0:y1, x0:x1] = 255 * (np.arange(x1 - x0) // 6 % 2)[None, :, None]
        follower.look(number, number / 10, small_grey(pixels, SMALL), figures)
    return follower.turning(follower.handed_over())


def error_deg(turning: Turning, turns) -> float:
    away = [turning.rotations[n] @ turn.T for n, turn in enumerate(turns)]
    return float(np.rad2deg(np.linalg.norm(axis_angle_from_matrix(np.stack(away)), axis=1).max()))


def test_a_pan_is_followed_past_the_first_view():
    turns = [pan(number) for number in range(24)]  # 26 degrees, more than half of the view
    turning = followed(turns)
    assert not turning.travels
    assert error_deg(turning, turns) < 0.2


def test_people_do_not_turn_the_camera():
    figure, _ = photograph(*BODY)

    def people(number: int) -> list[Figure]:
        x = 300.0 - 8 * number
        return [replace(figure, box=np.array([x, 60, x + 90, 350]))]

    turns = [pan(number) for number in range(12)]
    assert error_deg(followed(turns, people), turns) < 0.2
    assert followed([np.eye(3)] * 8, people) is None


def test_a_camera_that_stands_still_or_sees_nothing_does_not_turn():
    assert followed([np.eye(3)] * 8) is None
    follower = TurnFollower(SMALL)
    for number in range(4):
        pixels = np.full((SMALL.height, SMALL.width, 3), 90, np.uint8)
        follower.look(number, number / 10, small_grey(pixels, SMALL), [])
    assert follower.turning() is None


def zoomed(ratios, turns):
    """A wall far away through a lens that zooms."""
    follower = TurnFollower(SMALL)
    for number, (ratio, turn) in enumerate(zip(ratios, turns, strict=True)):
        enlarge = cv2.getRotationMatrix2D((SMALL.width / 2 - 0.5, SMALL.height / 2 - 0.5), 0, ratio)
        pixels = cv2.warpAffine(frame_of(turn), enlarge, (SMALL.width, SMALL.height))
        follower.look(number, number / 10, small_grey(pixels, SMALL), [])
    return follower.turning(follower.handed_over())


def test_a_lens_that_zooms_is_followed_while_the_camera_pans():
    ratios = np.exp(np.interp(np.arange(20), [4, 14], [0, np.log(1.6)]))
    turns = [pan(number, 0.004) for number in range(20)]
    turning = zoomed(ratios, turns)
    assert not turning.travels
    assert turning.zoom.ratio == pytest.approx(1.6, rel=0.02)
    assert turning.zoom.start_s == pytest.approx(0.4, abs=0.11)
    assert turning.zoom.end_s == pytest.approx(1.4, abs=0.11)
    assert turning.lens(SMALL, 9).focal_px == pytest.approx(520 * ratios[9], rel=0.02)
    assert error_deg(turning, turns) < 0.3


def test_a_lens_that_stays_does_not_zoom():
    assert followed([pan(number) for number in range(24)]).zoom is None


def room(turn: np.ndarray, place: np.ndarray) -> np.ndarray:
    """A wall 6 m away and a strip of floor before it as a camera at ``place`` sees them."""
    cx, cy = SMALL.principal_point
    lens = np.array([[SMALL.focal_px, 0, cx], [0, SMALL.focal_px, cy], [0, 0, 1]])
    out = np.zeros((SMALL.height, SMALL.width, 3), np.uint8)
    # Corner and sides of a pixel of the wall's picture, 1 cm, and of the floor's.
    wall = np.stack([[0.01, 0, 0], [0, 0.01, 0], [-8, -5, 6]], axis=1)
    floor = np.stack([[0.01, 0, 0], [0, 0, -0.01], [-8, 1.2, 6]], axis=1)
    for plane, rows in ((wall, slice(0, 620)), (floor, slice(0, 300))):
        # Points of the plane are plane @ (x, y, 1); the camera is at ``place``.
        seen = lens @ turn @ (plane - np.outer(place, [0, 0, 1]))
        texture = cv2.normalize(WALL, None, 40, 255, cv2.NORM_MINMAX)[rows]
        drawn = cv2.warpPerspective(texture, seen, (SMALL.width, SMALL.height))
        out = np.where(drawn.any(2, keepdims=True), drawn, out)
    return out


def test_a_way_along_a_wall_is_no_turn():
    share = np.linspace(0, 1, 24)
    turns = matrix_from_axis_angle(np.stack([0 * share, 0.15 * share, 0 * share], axis=1))
    places = np.stack([0.9 * share, 0.03 * np.sin(6 * share), 0 * share], axis=1)
    follower = TurnFollower(SMALL)
    for number, (turn, place) in enumerate(zip(turns, places, strict=True)):
        follower.look(number, number / 20, small_grey(room(turn, place), SMALL), [])
    turning = follower.turning(follower.handed_over())
    assert turning.travels
    assert error_deg(turning, turns) < 0.5
    found = np.stack(list(turning.places.values()))
    unit = float((found * places).sum() / (found**2).sum())
    assert np.abs(unit * found - places).max() < 0.04


def test_turns_are_no_motion_of_people():
    """Somebody who stands while the camera pans."""
    betas, rotations, place = BODY
    frames = [(number, number / 10) for number in range(6)]
    turns = {number: pan(number, 0.03) for number, _ in frames}
    sightings = []
    for number, time_s in frames:
        turned = rotations.copy()
        turned[0] = turns[number] @ rotations[0]
        figure, _ = photograph(betas, turned, turns[number] @ place, noise_px=1, seed=number)
        sightings.append(Sighting(number, time_s, figure))
    track = Track(1, sightings)
    eyes = Eyes((CAMERA,), turning=Turning(turns, travels=False))
    found = solve_tracks(body_model(), [[track]], frames, eyes, {}, lambda *_: None)
    (solved,), floor = found.tracks, found.floor
    assert np.ptp(solved.motion.translation, axis=0).max() < 0.02
    assert solved.still[:-1].all()
    blind = solve_tracks(body_model(), [[track]], frames, Eyes((CAMERA,)), {}, lambda *_: None)
    assert not blind.tracks[0].still.any()
    assert floor.up[1] == pytest.approx(-1, abs=0.02)
