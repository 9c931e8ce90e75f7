"""Edges of arms before the body, in pictures whose true edges are known."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.surface.envelope.inflate import smooth_over_mesh
from vitruvian.surface.envelope.inflated_body import inflated_body
from vitruvian.surface.envelope.occluding_edges import OccludingEdges, occluding_edges
from vitruvian.surface.envelope.outline import OutlineFinder
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import LEFT_ARM, RIGHT_ARM

CAMERA = Camera.centered(900, 480, 700)
ASIDE_M = 0.014


@lru_cache(maxsize=1)
def fitted() -> Body:
    """Somebody seen from the side, an arm before the trunk."""
    model = body_model()
    upright, turned = (
        matrix_from_axis_angle(np.array(axis)) for axis in ([np.pi, 0, 0], [0, np.deg2rad(75), 0])
    )
    pose = np.zeros((len(model.parents), 3))
    pose[0] = axis_angle_from_matrix(upright @ turned)
    betas = np.zeros(10)
    posed = model.forward(betas, pose, np.array([0.0, 0.0, 3.2]))
    height = model.stature(betas)
    return Body(model, betas, pose, posed.joints[0], height, posed.vertices, posed.joints)


@lru_cache(maxsize=1)
def true_mesh() -> Mesh:
    """The same with both arms to the right in the picture."""
    regions = body_model().regions
    arms = np.isin(regions.part, (LEFT_ARM, RIGHT_ARM)) * (1 - regions.hand)
    share = smooth_over_mesh(arms[:, None], regions.edges, 6)
    return fitted().as_mesh().with_vertices(fitted().vertices + share * [ASIDE_M, 0, 0])


def arms_of(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """Where (H, W) bool a mesh and its arms are seen."""
    drawn = rasterize(
        CAMERA.project(mesh.vertices), mesh.vertices[:, 2], mesh.faces, CAMERA.width, CAMERA.height
    )
    part = np.append(body_model().regions.part[mesh.faces[:, 0]], np.uint8(255))[drawn.face]
    return drawn.mask, np.isin(part, (LEFT_ARM, RIGHT_ARM))


def photo_of(mesh: Mesh, *, arms: tuple[int, int, int]) -> tuple[Photo, Figure]:
    mask, of_arms = arms_of(mesh)
    pixels = np.full((CAMERA.height, CAMERA.width, 3), 60, np.uint8)
    pixels[mask] = 150, 140, 130
    pixels[of_arms] = arms
    noise = np.random.default_rng(0).normal(0, 2, pixels.shape)
    pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    photo = Photo(pixels, "synthetic", None, CAMERA, None, (CAMERA.width, CAMERA.height))
    alpha = Alpha(mask.astype(np.uint8) * 255, 0, 0, CAMERA.width, CAMERA.height)
    landmarks = Landmarks(np.zeros((33, 2)), np.zeros(33), np.zeros((33, 3)), 0.0)
    box = np.array([0.0, 0.0, CAMERA.width, CAMERA.height])
    return photo, Figure(box, 1.0, landmarks, alpha, True, 1.0)


def edges_in(photo: Photo, figure: Figure) -> OccludingEdges:
    mesh = fitted().as_mesh()
    finder = OutlineFinder(figure.alpha, photo.camera, mesh.vertices)
    return occluding_edges(photo, finder, body_model(), mesh)


def test_edges_are_found_where_colours_change():
    found = edges_in(*photo_of(true_mesh(), arms=(190, 150, 110)))
    sure = (found.weights > 0.5) & (np.abs(found.normals[:, 0]) > 0.8)
    assert sure.sum() > 10
    aside = found.offsets_m[sure] * found.normals[sure, 0]
    assert abs(np.median(aside) - ASIDE_M) < 0.004


def test_nothing_is_sure_where_colours_are_the_same():
    found = edges_in(*photo_of(true_mesh(), arms=(150, 140, 130)))
    assert len(found.vertices) > 10
    assert found.weights.mean() < 0.15


def test_an_arm_before_the_trunk_moves_to_where_it_is_seen():
    _, truth = arms_of(true_mesh())
    overlap = []
    for color in ((150, 140, 130), (190, 150, 110)):  # that of the trunk; another
        photo, figure = photo_of(true_mesh(), arms=color)
        _, arms = arms_of(inflated_body(photo, figure, fitted()))
        overlap.append(float((arms & truth).sum() / (arms | truth).sum()))
    assert overlap[1] > max(overlap[0] + 0.03, 0.88), overlap
