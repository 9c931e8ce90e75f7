"""The figures of the maps suite, on shapes whose normals are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vitruvian.errors import InputError
from vitruvian.geometry.rasterizer import Fragments
from vitruvian.lab.evaluation.characters import Character, Shot
from vitruvian.lab.evaluation.suites.maps import MapsSuite, angle_deg, normal_figures, true_normals
from vitruvian.networks.maps import BodyMaps, MapsCrop, PersonMaps
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

SIZE = 64


def person_maps(front: np.ndarray, back: np.ndarray) -> PersonMaps:
    flat = np.zeros((SIZE, SIZE), np.float32)
    crop = MapsCrop(0, 0, SIZE, SIZE)
    return PersonMaps(crop, flat, flat, front, back, flat, flat, front, flat.astype(np.uint8))


def plate() -> tuple[Character, Shot]:
    """A plate at a slant, one triangle of which is wound the other way round."""
    slant = np.deg2rad(30)
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
    corners[:, 2] = np.tan(slant) * corners[:, 0]
    mesh = Mesh(corners, np.array([[0, 1, 2], [0, 3, 2]], np.int32), "world")
    normals = np.tile([-np.sin(slant), 0, np.cos(slant)], (4, 1))
    textures = (np.ones((1, 1, 3), np.float32),)
    character = Character(mesh, normals, np.zeros((4, 2)), np.zeros(2, int), textures, 1.7)
    matrix = np.eye(4)
    matrix[2, 3] = 4.0
    camera = Camera.centered(100, SIZE, SIZE)
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    return character, Shot(pixels, pixels[..., 0] > 0, camera, matrix)


def test_normals_of_an_open_shell_are_turned_to_where_they_are_seen_from() -> None:
    character, shot = plate()
    empty = np.zeros((SIZE, SIZE, 3), np.float32)
    front, back = true_normals(character, shot, person_maps(empty, empty))
    known = np.linalg.norm(front, axis=2) > 0.5
    assert 800 < known.sum() < SIZE * SIZE
    expected = np.array([np.sin(np.deg2rad(30)), 0, -np.cos(np.deg2rad(30))])
    np.testing.assert_allclose(front[known], np.tile(expected, (known.sum(), 1)), atol=1e-5)
    np.testing.assert_allclose(back[known], -front[known], atol=1e-6)


def test_figures_of_known_normals() -> None:
    character, shot = plate()
    empty = np.zeros((SIZE, SIZE, 3), np.float32)
    truth = true_normals(character, shot, person_maps(empty, empty))
    flat = np.zeros((SIZE, SIZE), np.float32)
    # The body covers nothing: constants stand in for it.
    nowhere = Fragments(np.full(flat.shape, -1, np.int32), flat, empty)
    body = BodyMaps(empty, empty, flat, flat, nowhere, nowhere)
    numbers = normal_figures(person_maps(truth[0], -truth[1]), body, truth)
    assert numbers["front_deg"] == pytest.approx(0, abs=0.1)
    assert numbers["back_deg"] == pytest.approx(180, abs=0.1)
    for side in ("front", "back"):
        assert numbers[f"facing_{side}_deg"] == pytest.approx(30, abs=0.1)
        assert numbers[f"body_{side}_deg"] == pytest.approx(30, abs=0.1)


def test_angles() -> None:
    a = np.array([[1.0, 0, 0], [0, 1, 0]])
    b = np.array([[0.0, 1, 0], [0, 1, 0]])
    assert angle_deg(a, b) == pytest.approx(45)
    assert np.isnan(angle_deg(a[:0], b[:0]))


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds neither shapes nor ccp"):
        MapsSuite.open(tmp_path)
