"""The clothed surface as a whole, on rendered people whose clothes are known."""

from __future__ import annotations

from functools import lru_cache

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
    iou,
    is_closed_manifold,
    mask_of,
    photo_with,
    sphere,
    standing_body,
)
from vitruvian.body.model.model import body_model
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.geometry.normals import face_normals, vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.lab.evaluation.metrics.closest import ClosestPointTree
from vitruvian.lab.evaluation.metrics.crossing_faces import crossing_share
from vitruvian.surface import reconstruct_surface
from vitruvian.surface.clothed import FACES, clothed_mesh, voxels_for
from vitruvian.surface.maps import SurfaceMaps, figure_box
from vitruvian.surface.volume.limbs import ARM_L, ARM_R, SHOULDER, limb_of_vertex
from vitruvian.texture import texture_mesh
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import TRUNK


@lru_cache(maxsize=1)
def clothed() -> Mesh:
    """From the matte of somebody in 4 cm of clothes whose arms hang down."""
    mask = mask_of(dressed(arms_down_body()))
    return reconstruct_surface(photo_with(), figure_of(mask), arms_down_body(), maps=False)


def distances(points: np.ndarray, mesh: Mesh) -> np.ndarray:
    return ClosestPointTree(mesh.vertices, mesh.faces).query(points).distances


def test_it_is_closed_manifold_and_within_the_budget():
    mesh = clothed()
    assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).is_watertight
    assert is_closed_manifold(mesh.faces)
    regions = body_model().regions
    assert mesh.body_vertices is not None
    finer = np.maximum(regions.head, regions.hand)
    fine = (finer[mesh.body_vertices[mesh.faces]] > 0).any(1)
    assert 0.5 * FACES < (~fine).sum() <= FACES
    assert len(mesh.faces) < 1.5 * FACES
    assert np.isfinite(mesh.vertices).all()


@pytest.mark.parametrize("faces", [4_000, 60_000])
def test_it_has_as_many_faces_as_wanted(faces: int):
    mask = mask_of(dressed(arms_down_body()))
    mesh = reconstruct_surface(
        photo_with(), figure_of(mask), arms_down_body(), maps=False, faces=faces
    )
    assert is_closed_manifold(mesh.faces)
    assert 0.7 * faces < len(mesh.faces) < faces + 18_000  # face and hands come on top


def test_its_outline_is_the_mattes():
    truth = mask_of(dressed(arms_down_body()))
    assert iou(mask_of(clothed()), truth) > 0.975


def test_it_is_near_the_clothes():
    truth = dressed(arms_down_body())
    chosen = np.random.default_rng(0).choice(len(clothed().vertices), 400, replace=False)
    off = distances(clothed().vertices[chosen], truth)
    assert np.mean(off) < 0.012
    bare = distances(clothed().vertices[chosen], arms_down_body().as_mesh())
    assert np.mean(off) < np.mean(bare)


def test_hanging_arms_are_not_grown_together_with_the_trunk():
    """No face, however small, leads from a forearm to anything but its own upper arm."""
    mesh = clothed()
    assert mesh.body_vertices is not None
    limb = limb_of_vertex(body_model())[mesh.body_vertices][mesh.faces]
    for arm in (ARM_L, ARM_R):
        leaves = (limb == arm).any(1) & ((limb != arm) & (limb != SHOULDER)).any(1)
        assert (limb == arm).all(1).sum() > 800
        # Above the elbow, where the cut begins, the upper arm's neighbour may be the trunk.
        near = mesh.vertices[mesh.faces[leaves]].mean(1)
        elbow = arms_down_body().joint(f"lowerarm01.{'L' if arm == ARM_L else 'R'}")
        assert (near[:, 1] < elbow[1]).all()


def test_it_hardly_goes_through_itself():
    assert crossing_share(clothed()) < 0.001


def test_it_has_skin_and_comes_back_from_rest():
    mesh = clothed()
    assert mesh.skin_weights is not None
    assert mesh.skin_joints is not None
    np.testing.assert_allclose(mesh.skin_weights.sum(1), 1, atol=1e-4)
    body = arms_down_body()
    rest = rest_mesh(mesh, body)
    assert rest.frame == "body"
    model = body_model()
    posed = model.forward(body.betas, body.pose, body.translation)
    joints = model.rest(body.betas)[1]
    again = np.zeros_like(rest.vertices)
    for k in range(4):
        j, w = mesh.skin_joints[:, k], mesh.skin_weights[:, k : k + 1]
        moved = np.einsum("vab,vb->va", posed.rotations[j], rest.vertices - joints[j])
        again += w * (moved + posed.joints[j])
    off = np.linalg.norm(again - mesh.vertices, axis=1)
    assert np.quantile(off, 0.99) < 1e-3
    # And is as tall and as wide as somebody at rest.
    own = model.rest(body.betas)[0]
    assert np.ptp(rest.vertices[:, 1]) == pytest.approx(np.ptp(own[:, 1]), abs=0.1)
    assert np.ptp(rest.vertices[:, 0]) == pytest.approx(np.ptp(own[:, 0]), abs=0.15)


def test_it_is_textured_on_its_own_atlas():
    mesh = clothed()
    photo = photo_with()
    rows = np.arange(CAMERA.height)[:, None] * 255 // CAMERA.height
    photo.pixels[...] = 40
    mask = mask_of(mesh)
    photo.pixels[mask] = np.stack(np.broadcast_arrays(rows, 200, 90), -1).repeat(640, 1)[mask]
    drawn = texture_mesh(body_model(), photo, figure_of(mask), mesh, size=512)
    assert drawn.texture is not None
    assert drawn.texture.shape == (512, 512, 3)
    # Every covered texel is of the person: none has the background's green.
    assert np.quantile(drawn.texture[..., 1], 0.01) > 150


def skirt() -> Mesh:
    """A cone from the waist to the shins, as a solid."""
    low, high = (standing_body().joint(n) for n in ("foot.L", "spine05"))
    ball = sphere(1.0, (0, 0, 0), rings=24).vertices
    t = np.clip((ball[:, 1] + 1) / 2, 0, 1)  # y down: 1 at the hem
    top, hem = high[1], low[1] - 0.2
    radius = 0.14 + 0.22 * t
    across = ball[:, [0, 2]]
    across = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    inner = np.abs(ball[:, 1]) > 0.999
    across[inner] = 0
    root = standing_body().joints[0]
    points = np.stack(
        [root[0] + across[:, 0] * radius, top + t * (hem - top), root[2] + across[:, 1] * radius], 1
    )
    return Mesh(points.astype(np.float32), sphere(1.0, (0, 0, 0), rings=24).faces, "camera")


def test_a_skirt_is_no_pair_of_trousers():
    """From the matte alone: the room between the legs is closed, round, and deep."""
    worn = skirt()
    mask = mask_of(standing_body().as_mesh()) | mask_of(worn)
    body = standing_body().as_mesh()
    found = clothed_mesh(body_model(), body, alpha_of(mask), CAMERA)
    assert iou(mask_of(found), mask) > 0.97
    knee = standing_body().joint("lowerleg01.L")[1]
    ring = found.vertices[np.abs(found.vertices[:, 1] - knee) < 0.02]
    middle = np.abs(ring[:, 0] - standing_body().joints[0, 0]) < 0.03
    depth = np.ptp(ring[middle, 2])
    assert depth > 0.12
    assert is_closed_manifold(found.faces)


def test_normals_bring_folds():
    truth = dressed(arms_down_body())
    mask = mask_of(truth)
    (x, y), high = figure_box(truth, alpha_of(mask), CAMERA)
    window = CAMERA.window(x - 9, y - 9, 494 / (high[1] - y), 512, 512)
    pixels = window.project(truth.vertices)
    drawn = rasterize(pixels, truth.vertices[:, 2], truth.faces, 512, 512)
    turned = rasterize(pixels, 1 / truth.vertices[:, 2], truth.faces, 512, 512)
    normals = vertex_normals(truth.vertices, truth.faces)
    y = np.arange(512)[:, None] * np.ones((1, 512))
    slope = (0.5 * np.sin(y / 4)).astype(np.float32)
    bent = drawn.interpolate(normals, truth.faces)
    bent[..., 1] += slope
    bent /= np.maximum(np.linalg.norm(bent, axis=-1, keepdims=True), 1e-6)
    maps = SurfaceMaps(window, bent, turned.interpolate(normals, truth.faces))

    regions = body_model().regions

    def waviness(mesh: Mesh) -> float:
        trunk = regions.part[mesh.body_vertices[mesh.faces]].max(1) == TRUNK
        front = trunk & (face_normals(mesh.vertices, mesh.faces)[:, 2] < -0.7)
        return float(np.abs(face_normals(mesh.vertices, mesh.faces)[front, 1]).mean())

    body = dressed(arms_down_body())
    smooth = clothed_mesh(body_model(), body, alpha_of(mask), CAMERA)
    folded = clothed_mesh(body_model(), body, alpha_of(mask), CAMERA, maps=maps)
    assert waviness(folded) > 1.15 * waviness(smooth)


def test_an_empty_matte_and_a_body_out_of_view():
    body = standing_body().as_mesh()
    nothing = np.zeros((CAMERA.height, CAMERA.width), bool)
    found = clothed_mesh(body_model(), body, alpha_of(nothing), CAMERA)
    assert np.isfinite(found.vertices).all()
    assert len(found.faces) > 1000
    behind = body.with_vertices(body.vertices * [1, 1, -1])
    assert clothed_mesh(body_model(), behind, alpha_of(nothing), CAMERA) is behind


def test_a_small_and_a_cut_off_figure():
    """Somebody 60 pixels high, and somebody of whom the frame shows the head."""
    body = standing_body().as_mesh()
    far = Camera.centered(80, 46, 66)
    mask = mask_of(dressed(standing_body()), far)
    assert is_closed_manifold(clothed_mesh(body_model(), body, alpha_of(mask), far).faces)
    near = CAMERA.window(0, 0, 1.0, 640, 260)
    mask = mask_of(body, near)
    found = clothed_mesh(
        body_model(), body, alpha_of(cv2.dilate(mask.astype(np.uint8), np.ones((3, 3))) > 0), near
    )
    assert is_closed_manifold(found.faces)
    assert np.ptp(found.vertices[:, 1]) > 1.5  # the legs, unseen, are there


def test_the_volume_is_as_fine_as_the_picture_and_the_budget():
    assert voxels_for(FACES, 2000) == voxels_for(FACES, 400) == 144
    assert voxels_for(FACES, 300) == 120
    assert voxels_for(FACES, 50) == 96
    assert voxels_for(4 * FACES, 2000) == 288
    assert voxels_for(4 * FACES, 300) == 240
    assert voxels_for(100 * FACES, 2000) == 320
