"""What a matte has beside a body: now and then, always, and in the body's own colours."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.keypoints import marks_of_joints
from vitruvian.video.belongings import own_sightings
from vitruvian.video.clip import Frame
from vitruvian.video.tracking import Sighting

CAMERA = Camera.from_fov(50, 240, 320)
FRAMES = 24
GREY, RED = (120, 120, 120), (220, 30, 30)


@dataclass
class Film:
    """What ``own_sightings`` asks of a clip."""

    pictures: list[np.ndarray]
    read: int = 0

    def frames(self, *, only):
        self.read += 1
        for number in sorted(only):
            yield Frame(number, number / 10, self.pictures[number])


@pytest.fixture(scope="module")
def standing():
    """Vertices and landmarks of somebody before the camera."""
    model = body_model()
    turns = np.tile(np.eye(3), (len(model.parents), 1, 1))
    turns[0] = matrix_from_axis_angle(np.array([np.pi, 0, 0]))
    where, betas = np.array([0.0, 0.1, 2.9]), np.zeros(10)
    vertices = model.forward_rotations(betas, turns, where).vertices
    points, _ = model.evaluate(model.keypoints(), betas, turns, where, model.active, jacobian=False)
    return vertices, CAMERA.project(marks_of_joints(points)), points


def filmed(standing, things):
    """The clip and its sightings; ``things`` tell of each frame's disc: middle, colour, or None."""
    vertices, marks, points = standing
    drawn = rasterize(CAMERA.project(vertices), vertices[:, 2], body_model().faces, 240, 320)
    pictures, sightings = [], []
    for number, thing in enumerate(things):
        matte = 255 * drawn.mask.astype(np.uint8)
        picture = np.full((320, 240, 3), 255, np.uint8)
        picture[drawn.mask] = GREY
        if thing is not None:
            disc = cv2.circle(np.zeros((320, 240), np.uint8), thing[0], 16, 255, -1)
            matte = np.maximum(matte, disc)
            picture[(disc > 0) & ~drawn.mask] = thing[1]
        pictures.append(picture)
        landmarks = Landmarks(marks, np.ones(33), points - points.mean(0), 0.01)
        alpha = Alpha(matte, 0, 0, 240, 320)
        figure = Figure(np.array([60.0, 20, 180, 300]), 0.9, landmarks, alpha, True, 1.0)
        sightings.append(Sighting(number, number / 10, figure))
    return Film(pictures), sightings


def left(standing, things):
    film, sightings = filmed(standing, things)
    vertices = standing[0]
    model = body_model()
    own = own_sightings(model, film, sightings, lambda _: (vertices, CAMERA), 1.66)
    assert [one.number for one in own] == list(range(len(things)))
    return film, sightings, own


def at_the_hip(standing, side=1):
    vertices = standing[0]
    hips = vertices[np.isin(body_model().regions.part, (4, 5)) & (vertices[:, 1] < 0.3)]
    knee = CAMERA.project(hips[hips[:, 0].argmax() if side > 0 else hips[:, 0].argmin()])
    return int(knee[0]) + 14 * side, int(knee[1]) + 45


def test_a_ball_that_comes_and_goes_is_left_out(standing):
    spot = at_the_hip(standing)
    things = [(spot, RED) if number in (5, 6) else None for number in range(FRAMES)]
    film, before, after = left(standing, things)
    assert film.read == 1
    disc = cv2.circle(np.zeros((320, 240), np.uint8), spot, 16, 1, -1) > 0
    body = before[0].figure.alpha.full() > 127
    for number in (5, 6):
        own = after[number].figure.alpha.full() > 127
        assert (own & disc & ~body).sum() < 0.35 * (disc & ~body).sum()
        assert (own & body).sum() > 0.99 * body.sum()
        assert after[number].foreign is not None
    assert after[7] is before[7]


def test_what_is_always_there_is_theirs(standing):
    film, before, after = left(standing, [(at_the_hip(standing), RED)] * FRAMES)
    assert film.read == 0
    assert all(one is other for one, other in zip(before, after, strict=True))


def test_what_has_the_colours_of_the_clothes_is_theirs(standing):
    spot = at_the_hip(standing)
    things = [(spot, GREY) if number in (5, 6) else None for number in range(FRAMES)]
    film, before, after = left(standing, things)
    assert film.read == 1
    assert all(one is other for one, other in zip(before, after, strict=True))


def test_of_few_frames_nothing_is_known(standing):
    spot = at_the_hip(standing)
    _, before, after = left(standing, [(spot, RED), None, None])
    assert all(one is other for one, other in zip(before, after, strict=True))
