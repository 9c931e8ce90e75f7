"""The texture of people whose every colour is known."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.body.model.parts import part_of_vertex
from vitruvian.geometry.atlas import texel_map
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.render import render_mesh, turned
from vitruvian.texture import texture_mesh
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import HEAD, LEFT_ARM, TRUNK
from vitruvian.types.seen import BODY_PARTS, WHOLE

CAMERA = Camera.centered(1500, 800, 1100)
BACKGROUND = (255, 0, 255)  # no person has this colour anywhere


@lru_cache(maxsize=1)
def standing_mesh() -> Mesh:
    """Somebody who faces the camera, arms away from the trunk."""
    model = body_model()
    pose = np.zeros((len(model.parents), 3))
    pose[0] = [np.pi, 0, 0]
    posed = model.forward(np.zeros(10), pose, np.array([0.02, -0.05, 3.3]))
    return Mesh(posed.vertices, model.faces, "camera", model.uvs, model.uv_faces)


@lru_cache(maxsize=1)
def smooth_colors() -> np.ndarray:
    """(V, 3) colours that vary slowly over the rest body, none near the background's."""
    x, y, z = body_model().template.T
    red = 110 + 60 * np.sin(6 * x + 2 * y)
    green = 130 + 70 * np.sin(5 * y + 1)
    blue = 100 + 50 * np.cos(7 * z + 3 * x)
    return np.stack([red, green, blue], axis=1).astype(np.uint8)


def photograph(colors: np.ndarray, mesh: Mesh | None = None) -> tuple[Photo, Figure]:
    """A picture of the mesh with these vertex colours before a garish wall, and its figure."""
    mesh = mesh or standing_mesh()
    painted = replace(mesh, vertex_colors=colors, texture=None, uvs=None, uv_faces=None)
    drawn = render_mesh(painted, CAMERA, CAMERA.width, CAMERA.height, background=BACKGROUND)
    mask = rasterize(
        CAMERA.project(mesh.vertices), mesh.vertices[:, 2], mesh.faces, CAMERA.width, CAMERA.height
    ).mask
    pixels = np.ascontiguousarray(drawn[..., :3])
    alpha = Alpha(mask.astype(np.uint8) * 255, 0, 0, CAMERA.width, CAMERA.height)
    rows, columns = np.nonzero(mask)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
    landmarks = Landmarks(np.zeros((33, 2)), np.zeros(33), np.zeros((33, 3)), 0.0)
    photo = Photo(pixels, "synthetic", None, CAMERA, None, (CAMERA.width, CAMERA.height))
    return photo, Figure(box, 1.0, landmarks, alpha, True, 1.0)


@lru_cache(maxsize=1)
def smooth_result() -> Mesh:
    return texture_mesh(body_model(), *photograph(smooth_colors()), standing_mesh())


def vertex_lookup(mesh: Mesh) -> np.ndarray:
    """(V, 3) colours of the atlas at the vertices (one of each vertex's texture corners)."""
    assert mesh.texture is not None
    assert mesh.uvs is not None
    size = len(mesh.texture)
    corner = np.zeros(len(mesh.vertices), int)
    corner[mesh.faces.ravel()] = mesh.uv_faces.ravel()
    uv = mesh.uvs[corner]
    column = np.clip((uv[:, 0] * size).astype(int), 0, size - 1)
    row = np.clip(((1 - uv[:, 1]) * size).astype(int), 0, size - 1)
    return mesh.texture[row, column].astype(float)


def seen_vertices(mesh: Mesh, least_facing: float = 0.5) -> np.ndarray:
    """(V,) bool: in view and well turned to the camera, by a depth test of its own."""
    pixels = CAMERA.project(mesh.vertices)
    fragments = rasterize(pixels, mesh.vertices[:, 2], mesh.faces, CAMERA.width, CAMERA.height)
    cells = pixels.astype(int)
    depth = fragments.depth[cells[:, 1], cells[:, 0]]
    view = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    facing = -(vertex_normals(mesh.vertices, mesh.faces) * view).sum(1)
    return (mesh.vertices[:, 2] < depth + 0.004) & (facing > least_facing)


def test_what_is_seen_has_the_photographs_colour():
    regions = body_model().regions
    error = np.abs(vertex_lookup(smooth_result()) - smooth_colors()).max(1)
    seen = seen_vertices(standing_mesh())
    assert np.median(error[seen]) <= 2
    # Fingers and toes are hardly wider than the rim that is not trusted.
    large = seen & (regions.hand < 0.5) & (regions.foot < 0.5)
    assert large.sum() > 2500
    assert np.quantile(error[large], 0.9) <= 3
    trunk = seen & (regions.part == TRUNK)
    assert np.quantile(error[trunk], 0.97) <= 3


def test_drawn_again_from_the_camera_it_is_the_photograph():
    photo, figure = photograph(smooth_colors())
    drawn = render_mesh(smooth_result(), CAMERA, CAMERA.width, CAMERA.height)
    inside = (drawn[..., 3] == 255) & (figure.alpha.full() == 255)
    error = np.abs(drawn[inside, :3].astype(float) - photo.pixels[inside])
    assert inside.sum() > 50_000
    assert np.mean(error) < 4
    assert np.quantile(error.max(1), 0.9) < 15


def test_every_texel_is_filled_and_none_from_the_background():
    """Neither the unseen back nor the rim nor the gaps between islands show the wall."""
    texture = smooth_result().texture
    assert texture is not None
    assert texture.shape == (1024, 1024, 3)
    assert texture.dtype == np.uint8
    assert texture.min() > 20  # every colour of the body is brighter
    wall = (texture[..., 0] > 200) & (texture[..., 1] < 60) & (texture[..., 2] > 180)
    assert not wall.any()


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_turntable_shows_colours_near_the_truth(degrees):
    """Where nothing is seen the guess is a continuation, not the truth; yet no seam, no hole."""
    mesh = turned(smooth_result(), degrees)
    drawn = render_mesh(mesh, CAMERA, 400, 550)[..., :3].astype(float)
    truth = render_mesh(
        replace(mesh, texture=None, vertex_colors=smooth_colors()), CAMERA, 400, 550
    )
    inside = truth[..., 3] == 255
    error = np.abs(drawn - truth[..., :3])[inside]
    assert np.median(error) < 16
    assert np.quantile(error, 0.99) < 120


def test_a_face_is_never_on_the_back_of_the_head():
    """Face green, hair blue, clothes red: from behind the head is blue."""
    regions = body_model().regions
    colors = np.full((len(regions.part), 3), (200, 40, 40), np.uint8)
    colors[regions.head > 0.5] = (40, 40, 200)
    colors[(regions.face > 0.3) | (regions.throat > 0.3)] = (40, 200, 40)
    result = texture_mesh(body_model(), *photograph(colors), standing_mesh())
    back = turned(result, 180)
    view = render_mesh(back, CAMERA, CAMERA.width, CAMERA.height)
    fragments = rasterize(
        CAMERA.project(back.vertices),
        back.vertices[:, 2],
        back.faces,
        CAMERA.width,
        CAMERA.height,
    )
    hair_faces = (regions.hair[back.faces] > 0.9).all(1)
    hair = fragments.mask & hair_faces[fragments.face]
    assert hair.sum() > 1000
    shown = view[hair, :3].astype(int)
    green = (shown[:, 1] > 120) & (shown[:, 1] > shown[:, 2])
    assert green.mean() < 0.02
    blue = (shown[:, 2] > 120) & (shown[:, 1] < 100)
    assert blue.mean() > 0.9


def test_the_back_continues_the_front():
    """A red shirt over blue trousers is that from behind, too."""
    template, regions = body_model().template, body_model().regions
    waist = 1.0
    colors = np.where(template[:, 1:2] > waist, [200, 40, 40], [40, 40, 200]).astype(np.uint8)
    looked_up = vertex_lookup(texture_mesh(body_model(), *photograph(colors), standing_mesh()))
    behind = (template[:, 2] < -0.05) & (np.abs(template[:, 0]) < 0.12) & (regions.part != HEAD)
    shirt = behind & (regions.part == TRUNK) & (template[:, 1] > waist + 0.08)
    trousers = behind & (template[:, 1] < waist - 0.08) & (template[:, 1] > 0.2)
    assert shirt.sum() > 50
    assert trousers.sum() > 50
    assert (looked_up[shirt][:, 0] > 150).mean() > 0.95
    assert (looked_up[trousers][:, 2] > 150).mean() > 0.95


def test_a_hidden_arm_looks_like_the_other():
    """The matte lacks the left arm, as when somebody stands before it."""
    regions = body_model().regions
    colors = np.full((len(regions.part), 3), (60, 60, 60), np.uint8)
    arms = np.isin(regions.part, (LEFT_ARM, LEFT_ARM + 1))
    colors[arms] = (220, 160, 40)
    photo, figure = photograph(colors)
    mesh = standing_mesh()
    pixels = CAMERA.project(mesh.vertices[(regions.part == LEFT_ARM)])
    cut = figure.alpha.full()
    cut[:, int(np.quantile(pixels[:, 0], 0.1)) :] = 0
    result = texture_mesh(
        body_model(), photo, replace(figure, alpha=replace(figure.alpha, values=cut)), mesh
    )
    shown = vertex_lookup(result)
    fore = (regions.part == LEFT_ARM) & seen_vertices(mesh) & (regions.hand > 0.5)
    assert fore.sum() > 100
    np.testing.assert_allclose(np.median(shown[fore], axis=0), [220, 160, 40], atol=25)


def test_nobody_in_view_is_grey():
    photo, figure = photograph(smooth_colors())
    aside = standing_mesh().with_vertices(standing_mesh().vertices + [30, 0, 0])
    texture = texture_mesh(body_model(), photo, figure, aside, size=64).texture
    assert texture is not None
    assert (texture == 128).all()


def test_an_empty_matte_is_grey():
    photo, figure = photograph(smooth_colors())
    nothing = replace(figure.alpha, values=np.zeros_like(figure.alpha.values))
    texture = texture_mesh(
        body_model(), photo, replace(figure, alpha=nothing), standing_mesh(), size=64
    ).texture
    assert texture is not None
    assert (np.abs(texture.astype(int) - 128) <= 1).all()


def test_only_the_texture_changes():
    mesh = standing_mesh()
    result = smooth_result()
    np.testing.assert_array_equal(result.vertices, mesh.vertices)
    assert result.faces is mesh.faces
    assert result.frame == "camera"
    other = Mesh(np.zeros((4, 3), np.float32), np.zeros((1, 3), np.int32), "camera")
    with pytest.raises(ValueError, match="must have the body's 13718 vertices, got 4"):
        texture_mesh(body_model(), *photograph(smooth_colors()), other)


def test_the_texel_map_of_a_square():
    uvs = np.array([[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    texels = texel_map(uvs, faces, 16)
    assert len(texels.faces) == 64
    back = texels.interpolate(uvs, faces)
    image = np.zeros((64, 3), np.uint8)
    image[:, 0] = np.round(back[:, 0] * 200)
    image[:, 1] = np.round(back[:, 1] * 200)
    atlas = texels.image(image)
    assert atlas.shape == (16, 16, 3)
    # Texel (row 5, column 6): its centre is u = 6.5 / 16, v = 1 - 5.5 / 16.
    assert tuple(atlas[5, 6, :2]) == (round(6.5 / 16 * 200), round((1 - 5.5 / 16) * 200))
    # Outside, the nearest covered texel.
    np.testing.assert_array_equal(atlas[0, 0], atlas[4, 4])
    np.testing.assert_array_equal(atlas[15, 15], atlas[11, 11])


def test_the_body_mirrors_onto_itself():
    mirror = body_model().regions.mirror
    np.testing.assert_array_equal(mirror[mirror], np.arange(len(mirror)))
    flipped = body_model().template[mirror] * [-1, 1, 1]
    assert np.abs(flipped - body_model().template).max() < 0.004


def test_what_hides_the_head_gives_it_no_colour() -> None:
    model = body_model()
    colors = smooth_colors().copy()
    head = part_of_vertex(model) == BODY_PARTS.index("head")
    hand = np.isin(
        part_of_vertex(model), [BODY_PARTS.index(f"{s} hand") for s in ("left", "right")]
    )
    umbrella, skin = (20, 40, 140), (200, 150, 120)
    colors[head], colors[hand] = umbrella, skin
    states = tuple("hidden" if part == "head" else "seen" for part in BODY_PARTS)
    found = vertex_lookup(
        texture_mesh(
            model,
            *photograph(colors),
            standing_mesh(),
            size=512,
            seen=replace(WHOLE, states=states),
        )
    )
    face = model.regions.face > 0.9
    assert np.abs(np.median(found[face], axis=0) - skin).max() < 25
