"""Where the points of the face mesh lie on the body, by asking the network itself.

The network looks at renders of many bodies' faces from many sides. Each of its points, in each
render, is on some place of the body's surface; the place that a point means is the middle of
those. Nothing of a photograph is used. Needs the extra ``train`` and MakeHuman's assets, as
``vitruvian synthesize`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.body.model.skeleton import HEAD
from vitruvian.geometry.rasterizer import rasterize as rasterize_mesh
from vitruvian.image.color import srgb_encoded
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.cameras import look
from vitruvian.lab.synthesis.drawing import Geometry, cast_shadows, gather, rasterize, shade
from vitruvian.lab.synthesis.lights import random_light
from vitruvian.lab.synthesis.parts import LABEL
from vitruvian.lab.synthesis.people import Recipe, build_person
from vitruvian.networks.face_mesh import MESH_POINTS, MESH_SIZE, FaceMesh
from vitruvian.types.camera import Camera
from vitruvian.types.keypoints import EYES, FACE, MOUTH

_PIXELS = 2 * MESH_SIZE  # of a render's side; the network sees half of it
_DISTANCE_M = 1.6
_REACH = 3.0  # side of the network's crop, in distances from eyes to mouth
_OPEN = 0.6  # of the mouths
_KEPT = ("points", "places", "vertices")
_GLANCING = 0.3  # cosine; where a surface is seen more slantingly, a pixel is many millimetres


@dataclass(frozen=True)
class Render:
    """A render of a face and what the network finds in it.

    Attributes:
        points: (478, 3) in pixels of the render.
        places: (468, 3) of the points on the mean body at rest, metres; nan where they are beside
            the skin, inside of mouth and eyes, or on skin seen too slantingly.
        vertices: (V, 3) of the body, camera frame, metres.
    """

    points: np.ndarray
    places: np.ndarray
    vertices: np.ndarray


def face_renders(rng: np.random.Generator, library: AssetLibrary, count: int) -> list[Render]:
    """So many renders from all sides from which both eyes are seen."""
    out: list[Render] = []
    while len(out) < count:
        found = render_face(rng, library, yaw=rng.uniform(-45, 45), pitch=rng.uniform(-20, 20))
        if found is not None:
            out.append(found)
    return out


def save_renders(path: Path, renders: list[Render]) -> None:
    """Keep what was found in renders, not the pictures."""
    np.savez(path, **{key: np.stack([getattr(r, key) for r in renders]) for key in _KEPT})


def load_renders(path: Path) -> list[Render]:
    """What ``save_renders`` kept."""
    with np.load(path) as archive:
        columns = [archive[key] for key in _KEPT]
    return [Render(*row) for row in zip(*columns, strict=True)]


@lru_cache(maxsize=1)
def outer_faces(model: BodyModel) -> np.ndarray:
    """Indices of the body's faces that are skin and seen from somewhere before the head, with the
    mouth shut and the eyes in their sockets."""
    seen = np.zeros(len(model.faces), bool)
    middle = model.joint_template[model.joint_index[HEAD]] + [0, 0.06, 0]
    camera = Camera.centered(2 * _PIXELS / 0.3, 2 * _PIXELS, 2 * _PIXELS, "given")
    for yaw in range(-80, 81, 20):
        for pitch in (-30, 0, 30):
            points = (model.template - middle) @ look(yaw, pitch, 0).T + [0, 0, 1.0]
            drawn = rasterize_mesh(
                camera.project(points), points[:, 2], model.faces, camera.width, camera.height
            )
            seen[drawn.face[drawn.face >= 0]] = True
    return np.flatnonzero(seen & (model.components[model.faces] == 0).all(1))


def render_face(
    rng: np.random.Generator, library: AssetLibrary, *, yaw: float, pitch: float
) -> Render | None:
    """A random adult's face from one side (degrees); None where the network sees no face."""
    model = body_model()
    prior = model.shape_prior(str(rng.choice(["men", "women"])))
    betas = prior.mean + 0.7 * np.linalg.solve(prior.whitening, rng.normal(size=len(prior.mean)))
    shapes = anatomy().expression_names
    expression = np.zeros(len(shapes))
    if rng.random() < _OPEN:  # with the mouth shut nothing tells the inner rims of the lips apart
        expression[shapes.index("jawOpen")] = rng.uniform(0.15, 0.5)
    recipe = Recipe(
        betas=betas,
        pose=np.zeros((len(model.parents), 3)),
        skin=int(rng.integers(len(library.skins))),
        expression=expression,
        hair_tint=tuple(rng.uniform(0.01, 0.15) * np.array([1, 0.75, 0.55])),
        brows=str(rng.choice(library.names("eyebrows"))),
        lashes=str(rng.choice(library.names("eyelashes"))),
    )
    person = build_person(recipe, library)
    points, _ = model.evaluate(
        model.keypoints(), betas, np.broadcast_to(np.eye(3), (len(model.parents), 3, 3)),
        model.rest(betas)[1][0], model.active, jacobian=False,
    )  # fmt: skip
    middle = points[FACE].mean(0) + [0, person.lift, 0]
    reach = float(np.linalg.norm(points[EYES].mean(0) - points[MOUTH].mean(0)))
    rotation = look(yaw, pitch, float(rng.normal(0, 4)))
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = [0, 0, _DISTANCE_M] - rotation @ middle
    span = _REACH * reach * rng.uniform(0.9, 1.15)
    camera = Camera.centered(_PIXELS * _DISTANCE_M / span, _PIXELS, _PIXELS, "given")
    geometry = gather([(1, part, matrix) for part in person.parts])
    light = random_light(rng, rotation @ [0, 1, 0])
    shadows = cast_shadows(geometry, light, geometry.instance > 0, resolution=384, softness=0.01)
    drawn = shade(geometry, rasterize(geometry, camera, 2), light, shadows, share=True)
    ground = rng.uniform(0.05, 0.8, 3) * (1 - drawn.coverage[..., None])
    linear = drawn.color * (0.35 / max(float(np.median(drawn.color[drawn.coverage > 0.9])), 1e-3))
    image = np.round(255 * srgb_encoded(np.clip(linear + ground, 0, 1))).astype(np.uint8)
    found = FaceMesh()(image.reshape(MESH_SIZE, 2, MESH_SIZE, 2, 3).mean((1, 3)).astype(np.uint8))
    if found.score < 0.9:
        return None
    points = found.points * _PIXELS
    skin = gather([(1, part, matrix) for part in person.parts if part.label == LABEL["skin"]])
    places = _places(model, skin, camera, points[:MESH_POINTS, :2])
    vertices = person.parts[0].vertices[model.makehuman_vertices] @ rotation.T + matrix[:3, 3]
    return Render(points, places, vertices)


def _places(model: BodyModel, skin: Geometry, camera: Camera, pixels: np.ndarray) -> np.ndarray:
    """Where on the mean body's skin the pixels (N, 2) are, (N, 3)."""
    drawn = rasterize(skin, camera, 1)
    column, row = np.clip(np.floor(pixels).astype(int), 0, _PIXELS - 1).T
    face, weight = drawn.face[row, column], drawn.weight[row, column]
    corners = skin.faces[np.maximum(face, 0)]
    weights = np.concatenate([1 - weight.sum(1, keepdims=True), weight], 1)
    points = np.einsum("nk,nki->ni", weights, skin.points[corners])
    normals = np.einsum("nk,nki->ni", weights, skin.normals[corners])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    cosine = -(normals * points).sum(1) / np.linalg.norm(points, axis=1)
    # The skin's faces are those of the body model, in its order.
    on_skin = np.flatnonzero((model.components[model.faces] == 0).all(1))[np.maximum(face, 0)]
    out = np.einsum("nk,nki->ni", weights, model.template[model.faces[on_skin]])
    good = (face >= 0) & (cosine > _GLANCING) & np.isin(on_skin, outer_faces(model))
    return np.where(good[:, None], out, np.nan)
