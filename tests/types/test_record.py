"""Data with arrays can be compared, collected and printed."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import fields, is_dataclass

import numpy as np
import pytest

import vitruvian.types
from vitruvian.body.model.model import body_model
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.record import Record
from vitruvian.types.scene import Checks, Person, Scene


@pytest.fixture
def scene() -> Scene:
    pixels = np.zeros((600, 800, 3), np.uint8)
    photo = Photo(pixels, "street", None, Camera.assumed(800, 600), None, (800, 600))
    landmarks = Landmarks(np.zeros((33, 2)), np.ones(33), np.zeros((33, 3)), 0.0)
    alpha = Alpha(np.full((90, 40), 255, np.uint8), 10, 10, 800, 600)
    figure = Figure(np.array([10.0, 10, 50, 100]), 0.9, landmarks, alpha, True, 1.0)
    vertices = np.zeros((5000, 3), np.float32)
    body = Body(
        body_model(), np.zeros(10), np.zeros((60, 3)), np.zeros(3), 1.7, vertices, np.zeros((60, 3))
    )
    mesh = Mesh(vertices, np.array([[0, 1, 2]], np.int32))
    people = tuple(Person(i, figure, body, mesh, mesh, Checks(0.9, 0.01)) for i in (1, 2))
    return Scene(photo, people, np.eye(4), {"decode": 0.1})


def test_equal_is_the_same_object(scene: Scene) -> None:
    person, other = scene.people
    for item in (scene, person, person.mesh, person.body, person.figure, scene.photo):
        assert item == item
        assert len({item, item}) == 1
    assert person != other
    assert other in scene.people
    assert Mesh(person.mesh.vertices, person.mesh.faces) != person.mesh


def test_printing_shows_no_numbers_of_arrays(scene: Scene) -> None:
    assert repr(scene) == (
        "Scene(photo=<Photo>, people=<2 of Person>, camera_from_world=<float64 (4, 4)>, "
        "timings_s={'decode': 0.1}, warnings=(), albedo=False, left_out=())"
    )
    assert repr(scene.people[0].mesh).startswith(
        "Mesh(vertices=<float32 (5000, 3)>, faces=<int32 (1, 3)>, frame='world', uvs=None"
    )
    person = scene.people[0]
    for item in (person, person.body, person.figure, person.figure.landmarks, scene.photo):
        assert len(repr(item)) < 500


def test_every_type_with_an_array_is_a_record() -> None:
    found = set()
    for module in pkgutil.iter_modules(vitruvian.types.__path__):
        home = importlib.import_module(f"vitruvian.types.{module.name}")
        for kind in vars(home).values():
            if not (isinstance(kind, type) and is_dataclass(kind)):
                continue
            if any(
                "ndarray" in str(field.type) or str(field.type) in found for field in fields(kind)
            ):
                found.add(kind.__name__)
                assert issubclass(kind, Record), kind
                assert kind.__eq__ is object.__eq__, kind
                assert kind.__repr__ is Record.__repr__, kind
    assert {"Mesh", "Photo", "Figure", "Body"} <= found
