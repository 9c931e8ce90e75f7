"""The learnt field: what networks are told, and what becomes of the surface at hand."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from surface_people import CAMERA, alpha_of, dressed, iou, mask_of, standing_body
from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.lab.fields.correction import Correction, kept_core, layers_field
from vitruvian.lab.fields.inputs import (
    FieldInputs,
    point_features,
    resized_series,
    signed_along_ray,
    square_camera,
)
from vitruvian.lab.fields.networks import (
    PICTURES,
    POINT_FEATURES,
    SIZE,
    SOFTNESS,
    FourierField,
    LocalField,
    span_series,
)
from vitruvian.networks.maps import PersonMaps, draw_body, person_crop
from vitruvian.surface.clothed import clothed_mesh
from vitruvian.surface.volume.clothed_spans import ClothedSpans, clothed_spans
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh


class Constant(LocalField):
    """Says the same of every point."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, features: np.ndarray) -> np.ndarray:
        assert features.shape[1] == len(POINT_FEATURES)
        return np.full(len(features), self.value, np.float32)


class Thicker(FourierField):
    """Adds ``share`` of the range of depths before the front and behind the back."""

    def __init__(self, share: float) -> None:
        self.share = share

    def __call__(self, pictures: np.ndarray, series: np.ndarray) -> np.ndarray:
        inputs = known()[1]
        entries, exits = (inputs.in_range(ends) for ends in inputs.layers)
        there = exits > entries
        entries, exits = entries - self.share * there, exits + self.share * there
        return span_series(entries, exits) - series


@lru_cache(maxsize=1)
def known() -> tuple[Correction, FieldInputs, ClothedSpans, Mesh]:
    """Somebody in clothes 4 cm thick, of whom the network says what the body does."""
    body = standing_body()
    mesh = dressed(body)
    mask = mask_of(mesh)
    matte = mask.astype(np.uint8) * 255
    crop = person_crop(body.vertices, CAMERA, matte, 256)
    bare, root = body.as_mesh(), float(body.translation[2])
    drawn = draw_body(
        bare.vertices,
        bare.faces,
        vertex_normals(bare.vertices, bare.faces),
        crop.camera(CAMERA),
        root,
        body.height_m,
    )
    nothing = np.zeros((256, 256), np.float32)
    maps = PersonMaps(
        crop, crop.extract(matte) / np.float32(255), nothing, drawn.front_normals,
        drawn.back_normals, drawn.front_depth, drawn.back_depth, np.zeros((256, 256, 3)),
        np.ones((256, 256), np.uint8),
    )  # fmt: skip
    clothed = clothed_spans(body_model(), mesh, alpha_of(mask), CAMERA, None, 96)
    assert clothed is not None
    correction = Correction(None, alpha_of(mask), CAMERA, maps, body)
    square = square_camera(mesh, alpha_of(mask), CAMERA, SIZE)
    return correction, correction.inputs(clothed, square), clothed, mesh


def surface(network: LocalField | FourierField | None) -> Mesh:
    correction, _, _, mesh = known()
    correct = Correction(network, correction.alpha, CAMERA, correction.maps, correction.body)
    return clothed_mesh(body_model(), mesh, correction.alpha, CAMERA, voxels=96, correction=correct)


def thickness(mesh: Mesh) -> float:
    """Of the trunk, along the optical axis."""
    hips = standing_body().joints[0]
    near = np.abs(mesh.vertices[:, :2] - hips[:2]).max(1) < 0.06
    return float(np.ptp(mesh.vertices[near, 2]))


def test_inputs_describe_the_surface_at_hand() -> None:
    _, inputs, clothed, _ = known()
    assert inputs.pictures.shape == (len(PICTURES), SIZE, SIZE)
    assert np.isfinite(inputs.pictures).all()
    low, high = inputs.span
    front, back = (inputs.picture(name)[inputs.covered] for name in ("front", "back"))
    assert low < front.min()
    assert back.max() < high
    assert (front < back).all()
    middle = clothed.spans.mask & (clothed.rim_m > 0)
    share = float(middle.sum() * (inputs.camera.focal_px / clothed.window.focal_px) ** 2)
    assert inputs.covered.sum() == pytest.approx(share, rel=0.03)
    # Clothes stand off the body by some 4 cm.
    trunk = inputs.covered & (inputs.picture("rim") > 0.05)
    gap = inputs.picture("body_front_depth")[trunk] - inputs.picture("front")[trunk]
    assert np.median(gap) * inputs.stature_m == pytest.approx(0.04, abs=0.01)
    assert inputs.picture("skin")[trunk].mean() > 0.9 > inputs.picture("other")[trunk].max()


def test_points_are_told_how_deep_they_are() -> None:
    _, inputs, _, _ = known()
    rows, columns = np.nonzero(inputs.picture("rim") > 0.04)
    rows, columns = rows[::40], columns[::40]
    depth = inputs.picture("front")[rows, columns] + np.float32(0.01)
    features = point_features(inputs, rows, columns, depth)
    value = dict(zip(POINT_FEATURES, features.T, strict=True))
    assert np.allclose(value["signed"], 0.1, atol=1e-4)
    assert np.allclose(value["to_front"], 0.1, atol=1e-4)
    assert (value["to_body_front"] < 0).mean() > 0.9  # still in the clothes
    assert np.median(value["body_distance"]) > 0
    assert np.allclose(value["body_z"], value["body_z"].clip(-1, 1))
    assert np.allclose(signed_along_ray(inputs, rows, columns, depth - 0.02), -0.01, atol=1e-4)


def test_no_network_changes_nothing() -> None:
    _, _, _, mesh = known()
    plain = clothed_mesh(body_model(), mesh, known()[0].alpha, CAMERA, voxels=96)
    assert np.array_equal(surface(None).vertices, plain.vertices)


def test_points_move_the_surface() -> None:
    plain, moved = surface(None), surface(Constant(2.0))
    step = 2 * SOFTNESS * standing_body().height_m
    assert thickness(moved) - thickness(plain) == pytest.approx(2 * step, abs=0.006)
    assert iou(mask_of(moved), mask_of(plain)) > 0.95  # the outline is the matte's


def test_layers_are_never_lost() -> None:
    gone = surface(Constant(-1000.0))
    assert iou(mask_of(gone), mask_of(surface(None))) > 0.85
    assert thickness(gone) < 0.75 * thickness(surface(None))


def test_series_move_the_surface() -> None:
    _, inputs, _, _ = known()
    share = 0.05
    plain, moved = surface(None), surface(Thicker(share))
    wanted = 2 * share * (inputs.span[1] - inputs.span[0]) * inputs.stature_m
    assert thickness(moved) - thickness(plain) == pytest.approx(wanted, abs=0.015)
    assert iou(mask_of(moved), mask_of(plain)) > 0.95


def test_core_is_half_as_thick() -> None:
    _, inputs, _, _ = known()
    depth = np.linspace(*inputs.span, 200)
    whole = (layers_field(inputs.layers, depth, 0.01) > 0)[inputs.covered].sum()
    core = (kept_core(inputs, depth, 0.01) > 0)[inputs.covered].sum()
    assert core / whole == pytest.approx(0.5, abs=0.03)


def test_series_of_another_window() -> None:
    camera = Camera.centered(100, 16, 24)
    series = np.random.default_rng(0).random((16, 24, 16)).astype(np.float32)
    assert np.allclose(resized_series(series, camera, camera), series, atol=1e-5)
    half = resized_series(series, camera, camera.window(0, 0, 0.5, 8, 12))
    assert half.shape == (16, 12, 8)
    assert np.allclose(half[:, 3, 2], series[:, 6:8, 4:6].mean((1, 2)), atol=1e-5)
