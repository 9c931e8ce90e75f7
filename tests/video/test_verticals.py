"""Upright edges behind the people tell what is up."""

from __future__ import annotations

import cv2
import numpy as np

from fit_people import random_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.types.camera import Camera
from vitruvian.types.motion import Motion
from vitruvian.video.floor import find_floor, upright_of
from vitruvian.video.turning import TurnFollower, Turning
from vitruvian.video.verticals import edges_of, segments_of

LENS = Camera.centered(560, 640, 480)
# A camera that looks down by 15 degrees and is rolled by 4.
TURN = matrix_from_axis_angle(np.array([0.0, 0, 0.07])) @ matrix_from_axis_angle(
    np.array([0.26, 0, 0])
)
UP = TURN @ [0.0, -1, 0]


def posts(turn: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Segments (N, 2, 2) in the picture of upright posts some metres away."""
    foot = rng.uniform([-2.5, -1, 4], [2.5, 1, 8], (count, 3))
    ends = np.stack([foot, foot - [0, 1, 0] * rng.uniform(0.6, 1.4, (count, 1))], axis=1)
    return LENS.project((ends @ turn.T).reshape(-1, 3)).reshape(-1, 2, 2)


def clutter(count: int, rng: np.random.Generator) -> np.ndarray:
    """Segments that go anywhere."""
    middle = rng.uniform([0, 0], [640, 480], (count, 2))
    angle, half = rng.uniform(0, np.pi, count), rng.uniform(15, 40, (count, 1))
    along = half * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.stack([middle - along, middle + along], axis=1)


def off_deg(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.rad2deg(np.arccos(min(1.0, one @ other))))


def test_posts_among_clutter_put_a_guess_right():
    rng = np.random.default_rng(0)
    for _ in range(4):
        seen = np.concatenate([posts(TURN, 24, rng), clutter(40, rng)])
        seen += 0.3 * rng.normal(size=seen.shape)
        edges = edges_of([(seen, LENS, np.eye(3))])
        axis = rng.normal(size=3) * [1, 0, 1]
        guess = matrix_from_axis_angle(np.deg2rad(10) * axis / np.linalg.norm(axis)) @ UP
        assert off_deg(edges.upright(guess), UP) < 1.5


def test_what_lies_leaves_the_guess_alone():
    across = np.array([[[50.0, 100], [300, 110]], [[200, 300], [500, 280]]])
    edges = edges_of([(across, LENS, np.eye(3))])
    guess = np.array([0.1, -0.99, 0.05])
    guess = guess / np.linalg.norm(guess)
    assert np.array_equal(edges.upright(guess), guess)
    assert edges_of([(np.zeros((0, 2, 2)), LENS, np.eye(3))]) is None


def test_two_edges_always_meet_and_tell_nothing():
    guess = matrix_from_axis_angle(np.array([0.0, 0, 0.12])) @ UP
    rng = np.random.default_rng(1)
    for count, moved in ((2, False), (16, True)):
        edges = edges_of([(posts(TURN, count, rng), LENS, np.eye(3))])
        assert (off_deg(edges.upright(guess), guess) > 3) == moved


def test_segments_are_those_behind_people_and_no_bars():
    grey = np.full((480, 640), 200, np.uint8)
    cv2.rectangle(grey, (0, 0), (79, 479), 0, -1)  # the film is narrower than the picture
    cv2.line(grey, (150, 100), (160, 300), 30, 3)
    cv2.line(grey, (400, 100), (400, 300), 30, 3)
    mask = np.full(grey.shape, 255, np.uint8)
    mask[50:350, 380:420] = 0
    middles = segments_of(grey, mask).mean(1)
    assert len(middles)
    assert np.all(np.abs(middles[:, 0] - 155) < 8)
    assert len(segments_of(np.full((60, 80), 9, np.uint8), np.full((60, 80), 255, np.uint8))) == 0


def test_keyframes_of_a_turning_camera_agree():
    pan = matrix_from_axis_angle(np.array([0.0, -0.4, 0]))
    follower = TurnFollower(LENS)
    for number, turn in enumerate((TURN, TURN @ pan)):
        grey = np.full((480, 640), 220, np.uint8)
        for ends in posts(turn, 10, np.random.default_rng(number)):
            cv2.line(grey, *np.round(ends).astype(int).tolist(), 40, 2, cv2.LINE_AA)
        follower.look(number, float(number), grey, [])
    turning = Turning({0: np.eye(3), 1: TURN @ pan @ TURN.T}, False)
    guess = matrix_from_axis_angle(np.array([0.0, 0, 0.15])) @ UP
    assert off_deg(follower.edges(turning).upright(guess), UP) < 1.5


def test_the_floor_of_somebody_who_leans_is_level_with_the_room():
    model, rng = body_model(), np.random.default_rng(2)
    lean = matrix_from_axis_angle(np.array([0.0, 0, np.deg2rad(9)]))
    pose = np.zeros((6, len(model.parents), 3))
    pose[:, 0] = axis_angle_from_matrix(lean @ np.diag([1.0, -1, -1]))
    place = np.tile([0.1, 0.0, 4.0], (6, 1))
    motion = Motion(np.arange(6) / 25, pose, place, random_body(3)[0], model.joint_names)
    guess, stands = upright_of(model, [motion]), [np.ones((6, 2, 2), bool)]
    edges = edges_of([(posts(np.eye(3), 12, rng), LENS, np.eye(3))])
    leaning, _ = find_floor(model, [motion], stands, guess)
    level, _ = find_floor(model, [motion], stands, guess, edges=edges)
    assert off_deg(leaning.up, np.array([0.0, -1, 0])) > 4
    assert off_deg(level.up, np.array([0.0, -1, 0])) < 1.5
