"""Inflating to the silhouette, on people whose true outer surface is known."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import face_normals, vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.surface.envelope.inflate import smooth_over_mesh, spread_gaps
from vitruvian.surface.envelope.inflated_body import INWARD_M, OUTWARD_M, inflated_body
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.carried import Carried
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import TRUNK

CAMERA = Camera.centered(1100, 640, 900)


@lru_cache(maxsize=1)
def standing_body() -> Body:
    """Somebody who faces the camera, arms away from the trunk."""
    model = body_model()
    pose = np.zeros((len(model.parents), 3))
    pose[0] = [np.pi, 0, 0]
    betas = np.zeros(10)
    posed = model.forward(betas, pose, np.array([0.05, -0.05, 3.3]))
    height = model.stature(betas)
    return Body(model, betas, pose, posed.joints[0], height, posed.vertices, posed.joints)


@lru_cache(maxsize=1)
def clothing() -> np.ndarray:
    """How far (V,) clothes stand off: 4 cm on trunk and limbs, nothing on hands, feet, head."""
    regions = body_model().regions
    bare = np.maximum.reduce([regions.head, regions.throat, regions.hand, regions.foot])
    thickness = 0.04 * (1 - bare) * (body_model().components == 0)
    return smooth_over_mesh(thickness[:, None], regions.edges, 8)[:, 0]


@lru_cache(maxsize=1)
def clothed_mesh() -> Mesh:
    mesh = standing_body().as_mesh()
    normals = smooth_over_mesh(
        vertex_normals(mesh.vertices, mesh.faces), body_model().regions.edges, 12
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    return mesh.with_vertices(mesh.vertices + clothing()[:, None] * normals)


def mask_of(mesh: Mesh, camera: Camera = CAMERA) -> np.ndarray:
    return rasterize(
        camera.project(mesh.vertices), mesh.vertices[:, 2], mesh.faces, camera.width, camera.height
    ).mask


def figure_of(mask: np.ndarray) -> Figure:
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
    x, y = columns.min(), rows.min()
    window = mask[y : rows.max() + 1, x : columns.max() + 1].astype(np.uint8) * 255
    landmarks = Landmarks(np.zeros((33, 2)), np.zeros(33), np.zeros((33, 3)), 0.0)
    return Figure(box, 1.0, landmarks, Alpha(window, int(x), int(y), width, height), True, 1.0)


def photo_with(camera: Camera = CAMERA) -> Photo:
    pixels = np.full((camera.height, camera.width, 3), 90, np.uint8)
    return Photo(pixels, "synthetic", None, camera, None, (camera.width, camera.height))


def surface_of(mask: np.ndarray, body: Body | None = None) -> Mesh:
    return inflated_body(photo_with(), figure_of(mask), body or standing_body())


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def moved(surface: Mesh) -> np.ndarray:
    return np.linalg.norm(surface.vertices - standing_body().vertices, axis=1)


def volume(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.faces[:, i]].astype(np.float64) for i in range(3))
    return float(np.einsum("fc,fc->f", a, np.cross(b, c)).sum() / 6)


def test_the_outline_meets_that_of_the_clothes():
    truth = mask_of(clothed_mesh())
    before = iou(mask_of(standing_body().as_mesh()), truth)
    after = iou(mask_of(surface_of(truth)), truth)
    assert before < 0.85
    assert after >= 0.97


def test_whom_clothes_widen_they_thicken_too():
    truth = clothed_mesh()
    surface = surface_of(mask_of(truth))
    gained = volume(surface) - volume(standing_body().as_mesh())
    wanted = volume(truth) - volume(standing_body().as_mesh())
    assert gained == pytest.approx(wanted, rel=0.3)
    # The belly, in the middle of the picture, is on no outline.
    template, regions = body_model().template, body_model().regions
    belly = (regions.part == TRUNK) & (np.abs(template[:, 0]) < 0.03) & (template[:, 2] > 0.05)
    assert belly.sum() > 20
    assert 0.02 < np.median(moved(surface)[belly]) < 0.06


def test_no_vertex_goes_beyond_its_limit():
    """A matte that is everywhere: nobody becomes a ball."""
    surface = surface_of(np.ones((CAMERA.height, CAMERA.width), bool))
    assert np.isfinite(surface.vertices).all()
    assert moved(surface).max() <= max(OUTWARD_M.values()) + 1e-4


def test_a_smaller_matte_takes_away_a_little_only():
    thin = mask_of(standing_body().as_mesh())
    columns = np.nonzero(thin)[1]
    thin[:, : int(np.quantile(columns, 0.3))] = False
    assert moved(surface_of(thin)).max() <= INWARD_M + 1e-4


def test_hands_face_and_eyes_keep_their_shape():
    """Against a generous matte: the clothes' outline, 3 cm wider."""
    truth = mask_of(clothed_mesh()).astype(np.uint8)
    wide = cv2.dilate(truth, np.ones((21, 21), np.uint8)) > 0
    surface = surface_of(wide)
    regions, components = body_model().regions, body_model().components
    # The wrist's rim, where the sleeve ends, may follow the sleeve.
    assert np.quantile(moved(surface)[regions.hand > 0.99], 0.97) < 0.02
    assert np.median(moved(surface)[regions.face > 0.99]) < 0.004
    for eye in (2, 3):
        before = standing_body().vertices[components == eye]
        after = surface.vertices[components == eye]
        np.testing.assert_allclose(after - after.mean(0), before - before.mean(0), atol=2e-3)


def test_a_fitting_body_stays_as_it_is():
    surface = surface_of(mask_of(standing_body().as_mesh()))
    assert np.quantile(moved(surface), 0.99) < 0.008


def test_hidden_legs_are_left_alone():
    """Something stands before the legs: the matte's cut there is no outline of theirs."""
    truth = mask_of(clothed_mesh())
    knees = int(CAMERA.project(standing_body().joint("lowerleg01.L"))[1])
    truth[knees:] = False
    surface = surface_of(truth)
    below = CAMERA.project(standing_body().vertices)[:, 1] > knees + 40
    assert below.sum() > 1000
    assert moved(surface)[below].max() < 0.004
    # and what is seen still follows.
    assert iou(mask_of(surface)[: knees - 60], truth[: knees - 60]) > 0.96


def test_nobody_is_inflated_to_the_outline_of_what_they_carry():
    fitting = mask_of(standing_body().as_mesh())
    rows, columns = np.nonzero(fitting)
    y = int(rows.min() + 0.62 * np.ptp(rows))
    edge = columns[abs(rows - y) < 4].max()
    v, u = np.mgrid[: CAMERA.height, : CAMERA.width]
    bag = (abs(v - y) < 60) & (abs(u - edge - 40) < 60)
    photo, figure, body = photo_with(), figure_of(fitting | bag), standing_body()
    carried = Carried(255 * bag.astype(np.uint8), CAMERA)
    assert moved(inflated_body(photo, figure, body)).max() > 0.03
    assert np.quantile(moved(inflated_body(photo, figure, body, carried)), 0.99) < 0.008


def test_the_border_of_the_picture_is_no_outline():
    """A person cut by the picture's side does not end there."""
    shift = np.array([0.75, 0, 0], np.float32)
    body = standing_body()
    aside = Body(
        body_model(),
        body.betas,
        body.pose,
        body.translation + shift,
        body.height_m,
        body.vertices + shift,
        body.joints + shift,
    )
    clothed = clothed_mesh().with_vertices(clothed_mesh().vertices + shift)
    mask = mask_of(clothed)
    assert mask[:, -1].any()
    surface = inflated_body(photo_with(), figure_of(mask), aside)
    pixels = CAMERA.project(aside.vertices)
    outside = pixels[:, 0] > CAMERA.width + 30
    assert outside.sum() > 500
    step = np.linalg.norm(surface.vertices - aside.vertices, axis=1)
    assert step.max() <= 0.06
    assert iou(mask_of(surface), mask) > 0.95


def test_topology_texture_coordinates_and_skin_are_the_bodys():
    model = body_model()
    surface = surface_of(mask_of(clothed_mesh()))
    assert surface.frame == "camera"
    assert surface.faces is model.faces
    assert surface.uvs is model.uvs
    assert surface.uv_faces is model.uv_faces
    assert surface.skin_weights is model.skin_weights
    # Hardly any face turns over.
    body = standing_body()
    body_normals = face_normals(body.vertices, body.model.faces)
    normals = face_normals(surface.vertices, surface.faces)
    skin = model.components[model.faces[:, 0]] == 0
    turned_over = np.einsum("fc,fc->f", body_normals, normals)[skin] < 0
    assert turned_over.mean() < 0.006  # in crotch and armpits, as under the clothes themselves


def test_an_empty_matte_leaves_the_body():
    mask = np.zeros((CAMERA.height, CAMERA.width), bool)
    mask[3, 3] = True
    np.testing.assert_array_equal(surface_of(mask).vertices, standing_body().vertices)


def test_gaps_spread_around_a_limb_and_hardly_along_it():
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    heights = np.linspace(0, 0.6, 25)
    ring = np.stack([0.08 * np.cos(angle), np.zeros(24), 0.08 * np.sin(angle)], axis=1)
    points = (ring[None] + heights[:, None, None] * [0, 1, 0]).reshape(-1, 3)
    axes = np.tile([0.0, 1, 0], (len(points), 1))
    rim = np.array([[side * 0.08, h, 0] for h in heights for side in (-1, 1)])
    gaps = np.where(rim[:, 1] > 0.3, 0.05, 0.0)  # a coat that ends halfway
    spread = spread_gaps(points, axes, rim, gaps, np.ones(len(rim))).reshape(25, 24)
    assert (spread[heights < 0.25] == 0).all()
    assert (spread[heights > 0.36] > 0.03).all()
    assert np.ptp(spread[-6]) < 0.01  # the same in front, where no outline is


def test_only_what_is_out_of_reach_is_left_out_of_the_spreading():
    """Against the kernel's formula, over all of the outline."""
    rng = np.random.default_rng(6)
    points, rim = rng.uniform(-0.5, 0.5, (60, 3)), rng.uniform(-0.5, 0.5, (200, 3))
    axes = rng.normal(size=(60, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    gaps, weights = rng.normal(size=200), rng.uniform(0.5, 1, 200)
    offset = rim[None] - points[:, None]
    along = np.einsum("prc,pc->pr", offset, axes)
    across2 = (offset**2).sum(2) - along**2
    close = np.maximum(1 - (along / 0.045) ** 2 - across2 / 0.22**2, 0) * (abs(along) < 0.045)
    weight = close**2 * weights
    assert (weight > 0).any(1).mean() > 0.5
    expected = (weight * gaps).sum(1) / (0.3 + weight.sum(1))
    np.testing.assert_allclose(spread_gaps(points, axes, rim, gaps, weights), expected, atol=1e-5)


def test_smoothing_keeps_constants_and_evens_out_the_rest():
    edges = body_model().regions.edges
    constant = np.full((len(body_model().template), 2), 3.25, np.float32)
    np.testing.assert_allclose(smooth_over_mesh(constant, edges, 5), constant, rtol=1e-5)
    noise = np.random.default_rng(0).normal(size=constant.shape)
    skin = body_model().components == 0
    assert smooth_over_mesh(noise, edges, 20)[skin].std() < 0.2
