"""The body's hands in place of mittens: where they may be, and where they may not."""

from __future__ import annotations

import logging
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh

from surface_people import (
    CAMERA,
    alpha_of,
    arms_down_body,
    dressed,
    figure_of,
    is_closed_manifold,
    mask_of,
    photo_with,
    posed_body,
    standing_body,
)
from vitruvian.body.model.model import body_model
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.lab.evaluation.metrics.closest import ClosestPointTree
from vitruvian.surface import reconstruct_surface
from vitruvian.surface.clothed import clothed_mesh
from vitruvian.surface.finish.hand_piece import FACES, as_thick, border_plane, hand_of, turned
from vitruvian.surface.volume.limbs import ARM_L, ARM_R
from vitruvian.types.body import Body
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import TRUNK

PHOTOS = Path(__file__).parents[3] / "shared" / "data" / "ccp" / "photos"


def surface_of(body: Body, mask: np.ndarray, caplog=None) -> Mesh:
    if caplog is not None:
        caplog.set_level(logging.DEBUG, "vitruvian.surface.finish.hands")
    return reconstruct_surface(photo_with(), figure_of(mask), body, maps=False)


@lru_cache(maxsize=1)
def standing() -> Mesh:
    """Arms away from the trunk, in 4 cm of clothes but for the hands."""
    return surface_of(standing_body(), mask_of(dressed(standing_body())))


def of_hand(mesh: Mesh, label: int) -> np.ndarray:
    """(V,) bool: vertices over the fingers and the palm of one hand."""
    assert mesh.body_vertices is not None
    return np.isin(
        mesh.body_vertices,
        hand_of(body_model(), label).vertices[hand_of(body_model(), label).along > 0.05],
    )


def winding(mesh: Mesh, points: np.ndarray) -> np.ndarray:
    """How often the surface winds around points (N, 3): 1 inside, 0 outside (Van Oosterom and
    Strackee, 1983)."""
    out = []
    for point in points:
        a, b, c = (mesh.vertices[mesh.faces[:, k]].astype(np.float64) - point for k in range(3))
        la, lb, lc = (np.linalg.norm(v, axis=1) for v in (a, b, c))
        volume = np.einsum("fc,fc->f", a, np.cross(b, c))
        dots = [np.einsum("fc,fc->f", *pair) for pair in ((a, b), (b, c), (c, a))]
        below = la * lb * lc + dots[0] * lc + dots[1] * la + dots[2] * lb
        out.append(np.arctan2(volume, below).sum() / (2 * np.pi))
    return np.array(out)


def has_fingers(mesh: Mesh, label: int) -> bool:
    return bool(of_hand(mesh, label).sum() > 300)


@pytest.mark.parametrize("label", [ARM_L, ARM_R])
def test_the_hand_is_a_cup(label: int):
    """Closed but for one border, which is plane, and as the body's own hand."""
    hand, model = hand_of(body_model(), label), body_model()
    points = model.template[hand.vertices]
    tip = len(points)
    cap = np.stack([np.roll(hand.border, -1), hand.border, np.full(len(hand.border), tip)], 1)
    faces = np.concatenate([hand.faces, cap])
    assert is_closed_manifold(faces)
    assert 0.8 * FACES < len(hand.faces) <= FACES
    side = 1 if label == ARM_L else -1
    assert (side * points[:, 0] > 0.3).all()
    middle, normal = border_plane(points.astype(np.float64), hand)
    assert np.abs((points[hand.border] - middle) @ normal).max() < 0.003
    closed = trimesh.Trimesh(np.concatenate([points, [middle]]), faces, process=False)
    assert closed.volume > 0  # turned outwards
    # The body's whole hand is within 2 mm of it.
    whole = (body_model().regions.hand > 0.95) & (side * model.template[:, 0] > 0)
    off = ClosestPointTree(points.astype(np.float32), hand.faces).query(model.template[whole])
    assert np.quantile(off.distances, 0.99) < 0.002


def test_a_free_hand_has_fingers():
    mesh = standing()
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert solid.volume > 0
    assert is_closed_manifold(mesh.faces)
    tree = ClosestPointTree(mesh.vertices, mesh.faces)
    body = standing_body()
    for label in (ARM_L, ARM_R):
        assert has_fingers(mesh, label)
        # Every part of the body's hand is on the surface, and air between the fingers is outside.
        hand = hand_of(body_model(), label)
        beyond = hand.vertices[hand.along > 0.05]
        assert np.quantile(tree.query(body.vertices[beyond]).distances, 0.95) < 0.012
        side = "L" if label == ARM_L else "R"
        mine = of_hand(mesh, label)
        moved = (mesh.vertices[mine] - body.vertices[mesh.body_vertices[mine]]).mean(0)
        assert np.linalg.norm(moved) < 0.01
        tips = [body.joint(f"finger{finger}-3.{side}") + moved for finger in (2, 3)]
        assert (winding(mesh, np.array(tips)) > 0.9).all()
        assert winding(mesh, np.mean(tips, axis=0)[None])[0] < 0.1


def test_its_vertices_are_the_bodys_with_the_bodys_skin():
    mesh, body, model = standing(), standing_body(), body_model()
    assert mesh.body_vertices is not None
    assert mesh.skin_joints is not None
    assert mesh.skin_weights is not None
    assert mesh.body_vertices.dtype == np.int32
    rest = rest_mesh(mesh, body)
    for label in (ARM_L, ARM_R):
        mine = of_hand(mesh, label)
        beneath = mesh.body_vertices[mine]
        assert len(np.unique(beneath)) == len(beneath)
        np.testing.assert_array_equal(mesh.skin_joints[mine], model.skin_joints[beneath])
        np.testing.assert_array_equal(mesh.skin_weights[mine], model.skin_weights[beneath])
        # At rest it is the body's hand, moved and sized by little.
        own = model.rest(body.betas)[0][beneath]
        found = rest.vertices[mine]
        assert np.linalg.norm(found - own - (found - own).mean(0), axis=1).max() < 0.025


def test_a_wide_sleeve_is_closed_around_the_wrist():
    mask = mask_of(dressed(standing_body(), 0.05))
    mesh = surface_of(standing_body(), mask)
    assert is_closed_manifold(mesh.faces)
    assert has_fingers(mesh, ARM_L)
    assert has_fingers(mesh, ARM_R)


def test_hands_of_hanging_arms_stay_in_one_piece_with_them():
    mesh = surface_of(arms_down_body(), mask_of(dressed(arms_down_body())))
    assert is_closed_manifold(mesh.faces)
    assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).body_count <= 2


def test_a_hand_that_the_matte_does_not_show_stays(caplog):
    mask = mask_of(dressed(standing_body()))
    pixels = CAMERA.project(standing_body().vertices[hand_of(body_model(), ARM_L).vertices])
    low, high = pixels.min(0).astype(int), pixels.max(0).astype(int) + 1
    mask[low[1] - 5 : high[1] + 5, low[0] - 3 : high[0] + 5] = False
    mesh = surface_of(standing_body(), mask, caplog)
    assert not has_fingers(mesh, ARM_L)
    assert has_fingers(mesh, ARM_R)
    assert is_closed_manifold(mesh.faces)
    assert f"hand {ARM_L} stays" in caplog.text
    # What has no fingers moves with the wrist.
    model = body_model()
    assert mesh.skin_joints is not None
    joints = mesh.skin_joints[mesh.skin_weights > 0]
    names = {model.joint_names[joint] for joint in np.unique(joints)}
    assert not any("finger" in name and name.endswith(".L") for name in names)
    assert {"wrist.L", "wrist.R", "finger3-3.R"} <= names


def test_a_hand_that_holds_something_stays(caplog):
    """A ball of 36 cm around the hand."""
    mask = mask_of(dressed(standing_body())).astype(np.uint8)
    middle = CAMERA.project(standing_body().joint("finger3-1.R"))
    radius = 0.18 * CAMERA.focal_px / standing_body().joint("wrist.R")[2]
    cv2.circle(mask, tuple(int(c) for c in middle), int(radius), 1, -1)
    mesh = surface_of(standing_body(), mask > 0, caplog)
    assert not has_fingers(mesh, ARM_R)
    assert has_fingers(mesh, ARM_L)
    assert f"hand {ARM_R} stays" in caplog.text


def test_a_hand_inside_the_trunk_stays(caplog):
    """A fit that has the hand in the belly."""
    body = posed_body({"upperarm01.L": (0.5, -0.6, -0.9), "lowerarm01.L": (0, -1.6, 0.0)})
    mesh = surface_of(body, mask_of(dressed(body)), caplog)
    assert is_closed_manifold(mesh.faces)
    assert has_fingers(mesh, ARM_R)
    if has_fingers(mesh, ARM_L):
        trunk = (body_model().regions.part == TRUNK)[body_model().faces].all(1)
        solid = Mesh(dressed(body).vertices, body_model().faces[trunk], "camera")
        assert (winding(solid, mesh.vertices[of_hand(mesh, ARM_L)]) > 0.6).mean() < 0.2


def test_a_hand_beyond_the_frame_stays(caplog):
    """The picture ends in the middle of the palm."""
    caplog.set_level(logging.DEBUG, "vitruvian.surface.finish.hands")
    edge = CAMERA.project(standing_body().joint("finger3-1.L"))[0]
    window = CAMERA.window(0, 0, 1.0, int(edge), CAMERA.height)
    mask = mask_of(dressed(standing_body()), window)
    body = standing_body().as_mesh()
    mesh = clothed_mesh(body_model(), body, alpha_of(mask), window)
    assert not has_fingers(mesh, ARM_L)
    assert has_fingers(mesh, ARM_R)
    assert f"hand {ARM_L} stays" in caplog.text
    assert is_closed_manifold(mesh.faces)


def test_a_hand_bends_at_the_wrist_and_is_as_thick_as_the_cut():
    hand = hand_of(body_model(), ARM_L)
    points = standing_body().vertices[hand.vertices].astype(np.float64)
    middle, normal = border_plane(points, hand)
    np.testing.assert_allclose(turned(points, hand, middle, 0.0, 1.0), points, atol=1e-9)
    bent = turned(points, hand, middle, 0.3, 1.0)
    np.testing.assert_allclose(bent[hand.border], points[hand.border], atol=2e-3)
    far = hand.along > 0.05

    def direction(of: np.ndarray) -> float:
        x, y = (of[far].mean(0) - middle)[:2]
        return float(np.arctan2(y, x))

    assert direction(bent) - direction(points) == pytest.approx(0.3, abs=0.02)
    # A round cut, a fifth wider than the wrist all round.
    ring = middle + 1.2 * (points[hand.border] - middle)
    thick = as_thick(points, hand, ring, normal)
    wide = np.linalg.norm(thick[hand.border] - middle, axis=1)
    np.testing.assert_allclose(
        wide, 1.2 * np.linalg.norm(points[hand.border] - middle, axis=1), rtol=0.06
    )
    np.testing.assert_array_equal(thick[far], points[far])
    # A sleeve leaves the wrist as it is.
    sleeve = middle + 2.0 * (points[hand.border] - middle)
    np.testing.assert_array_equal(as_thick(points, hand, sleeve, normal), points)


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photographs of ccp are not here")
def test_a_photograph():
    import vitruvian

    scene = vitruvian.reconstruct(PHOTOS / "0600.jpg", max_people=1)
    mesh = scene.people[0].mesh
    solid = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert is_closed_manifold(mesh.faces)
    assert has_fingers(mesh, ARM_L)  # hangs free before the street
