"""One synthetic picture with all of its labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.cameras import View, random_view
from vitruvian.lab.synthesis.degrade import photograph
from vitruvian.lab.synthesis.drawing import (
    Geometry,
    cast_shadows,
    gather,
    pixel_share,
    rasterize,
    shade,
)
from vitruvian.lab.synthesis.lights import random_light
from vitruvian.lab.synthesis.packing import (
    DEPTH_UNIT,
    NO_DEPTH,
    stored_albedo,
    stored_depth,
    stored_normals,
    stored_share,
)
from vitruvian.lab.synthesis.parts import LABEL, Part
from vitruvian.lab.synthesis.people import SyntheticPerson, build_person, opaque_faces
from vitruvian.lab.synthesis.photographs import Backgrounds, in_the_light, photo_backdrop
from vitruvian.lab.synthesis.places import backdrop, random_place
from vitruvian.lab.synthesis.props import random_occluder
from vitruvian.lab.synthesis.sampling import TOUCH, random_recipe
from vitruvian.lab.synthesis.solids import solid_spans
from vitruvian.types.camera import Camera

# Samples come in blocks that share their people: building one costs more than drawing it.
BLOCK_SAMPLES = 8
BLOCK_PEOPLE = 4
SPANS = 8
LEAST_VISIBLE = 0.3  # of the subject; below it, whatever is before it goes
# Kept for testing: ``vitruvian evaluate synthetic`` draws from these. Never train on them.
HELD_OUT_SEEDS = range(1_000_000_000, 1_001_000_000)
# Of those, the ones whose people touch themselves. The others have the people that they always
# had, so that scores stay comparable.
HELD_OUT_TOUCHING = range(1_000_500_000, 1_001_000_000)


def training_seed(seed: int) -> int:
    """The seed, where samples of it may be trained on.

    Raises ``InputError`` for the seeds that are kept for testing.
    """
    if seed in HELD_OUT_SEEDS:
        raise InputError(
            f"Seed {seed} is kept for testing: train on synthetic people of a seed below "
            f"{HELD_OUT_SEEDS.start}."
        )
    return seed


@dataclass(frozen=True)
class Sample:
    """A picture of a person (the subject), perhaps among others, with its labels.

    Camera frame as in OpenCV. Depths are int16 steps of 0.1 mm from the plane z = ``root_depth``
    (``NO_DEPTH`` where there is none): ``depth(sample.front_depth)`` gives metres. Labels of the
    subject do not care for what stands before it, save ``alpha``, ``people_alpha``, ``instances``
    and ``keypoints_visible``.

    Attributes:
        image: (S, S, 3) uint8 sRGB.
        alpha: (S, S) uint8, visible share of the subject.
        silhouette: (S, S) uint8, share of the subject were nothing before it.
        people_alpha: (P, S, S) uint8 of everyone, the subject first.
        instances: (S, S) uint8 at pixel centres: 0 nobody, 1 the subject, 2... the others,
            255 an object in front of them.
        parts: (S, S) uint8 of the subject, see ``PART_LABELS``.
        front_normals, back_normals: (S, S, 3) int8, unit normals times 127, camera frame, of the
            nearest and the farthest surface (the latter look away from the camera).
        front_depth, back_depth: (S, S) int16.
        spans: (S, S, 8) int16 sorted entries and exits of every ray into what is solid.
        front_albedo, back_albedo: (S, S, 3) uint8 sRGB, colour without light.
        keypoints: (33, 2) float32 pixels; keypoints_3d: (33, 3) float32 metres;
            keypoints_visible: (33,) bool; names as ``types.keypoints.LANDMARK_NAMES``.
        joints_3d: (J, 3) float32 metres of the body model's joints.
        betas: (K,) float32; pose: (J, 3) float32; translation: (3,) float32: the body model's, in
            the camera frame.
        height_m: standing height without shoes.
        focal_px, principal_point: the camera; camera_from_world: (4, 4) float32 (y up, ground 0).
        root_depth: z of the root joint, metres.
    """

    image: np.ndarray
    alpha: np.ndarray
    silhouette: np.ndarray
    people_alpha: np.ndarray
    instances: np.ndarray
    parts: np.ndarray
    front_normals: np.ndarray
    back_normals: np.ndarray
    front_depth: np.ndarray
    back_depth: np.ndarray
    spans: np.ndarray
    front_albedo: np.ndarray
    back_albedo: np.ndarray
    keypoints: np.ndarray
    keypoints_3d: np.ndarray
    keypoints_visible: np.ndarray
    joints_3d: np.ndarray
    betas: np.ndarray
    pose: np.ndarray
    translation: np.ndarray
    height_m: float
    focal_px: float
    principal_point: tuple[float, float]
    camera_from_world: np.ndarray
    root_depth: float

    @property
    def size(self) -> int:
        return len(self.image)

    @property
    def camera(self) -> Camera:
        """The camera that took the picture."""
        return Camera(self.focal_px, self.size, self.size, self.principal_point, "given")

    def depth(self, stored: np.ndarray) -> np.ndarray:
        """Depths in metres (float32, inf where there is none) of a stored array of depths."""
        metres = stored.astype(np.float32) * np.float32(DEPTH_UNIT) + np.float32(self.root_depth)
        return np.where(stored == NO_DEPTH, np.float32(np.inf), metres)

    def occupancy(self, points: np.ndarray) -> np.ndarray:
        """Whether points (N, 3) of the camera frame are inside the subject, to a pixel.

        Points outside the picture are counted as outside.
        """
        pixels = np.floor(self.camera.project(points)).astype(int)
        seen = ((pixels >= 0) & (pixels < self.size)).all(1) & (points[:, 2] > 0)
        rows = self.depth(self.spans[pixels[seen, 1], pixels[seen, 0]])
        z = points[seen, 2:3]
        out = np.zeros(len(points), bool)
        out[seen] = ((z >= rows[:, 0::2]) & (z <= rows[:, 1::2])).any(1)
        return out


@dataclass(frozen=True)
class Arrangement:
    """Who and what stands before the camera.

    Attributes:
        view: the camera.
        group: everyone, the subject first, with world_from_person (4, 4).
        parts: what is drawn: number as in ``Sample.instances``, mesh, camera_from_mesh (4, 4).
        picture: what is behind them, or None where that is procedural.
    """

    view: View
    group: tuple[tuple[SyntheticPerson, np.ndarray], ...]
    parts: tuple[tuple[int, Part, np.ndarray], ...]
    picture: Path | None = None


def clothed_mesh(
    person: SyntheticPerson, *, solid_only: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3), faces (F, 3) and part labels (F,) uint8 of what is drawn, posed.

    ``solid_only`` leaves out brows, lashes and eyes, and the transparent rims of hair.
    """
    vertices, faces, labels = [], [], []
    offset = 0
    for part in person.parts:
        if solid_only and not part.solid:
            continue
        kept = part.faces
        if solid_only and part.label == LABEL["hair"]:
            kept = opaque_faces(part)
        vertices.append(part.vertices)
        faces.append(kept + offset)
        labels.append(np.full(len(kept), part.label, np.uint8))
        offset += len(part.vertices)
    return np.concatenate(vertices), np.concatenate(faces), np.concatenate(labels)


def block_samples(
    seed: int,
    block: int,
    size: int,
    library: AssetLibrary,
    wanted: Sequence[int] | None = None,
    backgrounds: Backgrounds | None = None,
) -> Iterator[Sample]:
    """The samples of a block; the same for the same seed, block and size.

    ``wanted`` picks some of 0..7; the others are not drawn. ``backgrounds``: photographs for a
    share of the samples; the others stay as they are without.
    """
    people = block_people(seed, block, size, library)
    for number in range(BLOCK_SAMPLES) if wanted is None else wanted:
        yield draw_sample(*arranged(people, seed, block, number, size, backgrounds))


def block_people(seed: int, block: int, size: int, library: AssetLibrary) -> list[SyntheticPerson]:
    """The people that the samples of a block share."""
    rng = np.random.default_rng([seed, block])
    # Finer textures than the picture shows only cost time and shimmer.
    texels = 512 if size <= 512 else 1024
    touch = touching_share(seed)
    recipes = [random_recipe(rng, library, touch=touch) for _ in range(BLOCK_PEOPLE)]
    return [build_person(recipe, library, texels) for recipe in recipes]


def touching_share(seed: int) -> float:
    """Share of the people of a seed who have a hand on or before their own body."""
    if seed in HELD_OUT_TOUCHING:
        return 1.0
    return 0.0 if seed in HELD_OUT_SEEDS else TOUCH


def arranged(
    people: Sequence[SyntheticPerson],
    seed: int,
    block: int,
    number: int,
    size: int,
    backgrounds: Backgrounds | None = None,
) -> tuple[np.random.Generator, Arrangement]:
    """What sample ``number`` (0..7) of a block of ``people`` shows, and its random numbers."""
    rng = np.random.default_rng([seed, block, 1 + number])
    # Random numbers of its own, so that samples without a photograph do not change.
    picture = None if backgrounds is None else backgrounds.chosen(rng.spawn(1)[0])
    return rng, arrange(rng, people, number % BLOCK_PEOPLE, size, picture)


def arrange(
    rng: np.random.Generator,
    people: Sequence[SyntheticPerson],
    subject: int,
    size: int,
    picture: Path | None = None,
) -> Arrangement:
    """Put one of the people before a camera, perhaps with others nearby, and objects."""
    person = people[subject]
    view = random_view(rng, person.vertices, size)
    group = [(person, np.eye(4))]
    others = [p for k, p in enumerate(people) if k != subject]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.6, 0.28, 0.12]))):
        other = others.pop(int(rng.integers(len(others))))
        group.append((other, _beside(rng)))
    parts: list[tuple[int, Part, np.ndarray]] = []
    scenery = [] if picture else random_place(rng, view.camera_from_world)
    parts.extend((0, part, view.camera_from_world) for part in scenery)
    for number, (one, world_from_person) in enumerate(group, 1):
        matrix = view.camera_from_world @ world_from_person
        parts.extend((number, part, matrix) for part in one.parts)
    if rng.random() < 0.18:
        parts.append((255, random_occluder(rng, person.vertices, view), view.camera_from_world))
    return Arrangement(view, tuple(group), tuple(parts), picture)


def draw_sample(rng: np.random.Generator, arrangement: Arrangement) -> Sample:
    """Photograph an arrangement.

    Where the subject would hardly be seen, its neighbours and objects are left out: the sample's
    ``people_alpha`` tells how many are in the picture, the first of ``arrangement.group``.
    """
    group = arrangement.group
    parts = gather(arrangement.parts)
    view, picture = arrangement.view, arrangement.picture
    return _photographed(rng, parts, group[0][0], view, len(group), picture)


def _beside(rng: np.random.Generator) -> np.ndarray:
    """Where a neighbour stands: world_from_person (4, 4)."""
    angle = rng.uniform(0, 2 * np.pi)
    out = np.eye(4)
    c, s = np.cos(angle), np.sin(angle)
    out[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    where, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.45, 1.7)
    out[:3, 3] = [far * np.cos(where), 0, far * np.sin(where)]
    return out


def _photographed(
    rng: np.random.Generator,
    geometry: Geometry,
    person: SyntheticPerson,
    view: View,
    people: int,
    picture: Path | None = None,
) -> Sample:
    size = view.camera.width
    rotation = view.camera_from_world[:3, :3]
    mine = geometry.instance == 1
    light = random_light(rng, rotation @ [0, 1, 0])
    shadows = cast_shadows(
        geometry, light, geometry.instance > 0, resolution=384, softness=float(rng.uniform(0, 0.02))
    )
    subject = rasterize(geometry, view.camera, 2, only=mine)
    rest = rasterize(geometry, view.camera, 2, only=~mine)
    hidden = (subject.depth < rest.depth).sum() < LEAST_VISIBLE * (subject.face >= 0).sum()
    if hidden and (geometry.instance > 1).any():
        # The scene without neighbours and objects says more.
        alone = geometry.only(geometry.instance <= 1)
        return _photographed(rng, alone, person, view, 1, picture)
    seen = subject.depth < rest.depth
    alphas = [pixel_share(seen, 2)]
    # Only what is in the picture needs light, and what a photograph's brightness is set by.
    lit = alphas[0] > 0 if picture is None else True
    front = shade(geometry, subject, light, shadows, share=True, lit=lit)
    around = shade(geometry, rest, light, shadows, share=True, lit=alphas[0] < 1)
    farthest = rasterize(geometry, view.camera, 1, far=True, only=mine)
    back = shade(geometry, farthest, light, shadows, far=True, share=True, lit=False)
    owner = np.where(rest.face >= 0, geometry.instance[rest.face], 0)
    alphas += [pixel_share(~seen & (owner == k), 2) for k in range(2, people + 1)]
    horizon = view.camera.principal_point[1] - view.camera.focal_px * np.tan(
        np.deg2rad(view.pitch_deg)
    )
    own = front.color / np.maximum(front.coverage, 1e-6)[..., None]
    if picture is None:
        beyond = backdrop(rng, size, float(horizon))
    else:
        beyond = in_the_light(rng, photo_backdrop(rng, picture, size), own, front.coverage)
    behind = around.color + beyond * (1 - around.coverage[..., None])
    alpha = alphas[0][..., None]
    image = photograph(rng, own * alpha + behind * (1 - alpha), alphas[0])
    nearest = rasterize(geometry, view.camera, 1, only=mine)
    others = rasterize(geometry, view.camera, 1, only=~mine)
    visible = nearest.depth < others.depth
    instances = np.where(others.face >= 0, geometry.instance[others.face], 0)
    body = _body_labels(person, view, np.where(visible, nearest.depth, np.inf), others.depth)
    root = float(body["translation"][2])
    return Sample(
        image=image,
        alpha=stored_share(alphas[0]),
        silhouette=stored_share(front.coverage),
        people_alpha=stored_share(np.stack(alphas)),
        instances=np.where(visible, 1, instances).astype(np.uint8),
        parts=np.where(nearest.face >= 0, geometry.label[nearest.face], 0).astype(np.uint8),
        front_normals=stored_normals(front.normals),
        back_normals=stored_normals(back.normals),
        front_depth=stored_depth(nearest.depth, root),
        back_depth=stored_depth(farthest.depth, root),
        spans=stored_depth(_spans(person, view), root),
        front_albedo=stored_albedo(front.albedo, front.coverage),
        back_albedo=stored_albedo(back.albedo, back.coverage),
        height_m=body_model().stature(person.recipe.betas),
        focal_px=view.camera.focal_px,
        principal_point=view.camera.principal_point,
        camera_from_world=view.camera_from_world.astype(np.float32),
        root_depth=root,
        **body,
    )


def _body_labels(
    person: SyntheticPerson, view: View, depth: np.ndarray, before: np.ndarray
) -> dict[str, np.ndarray]:
    """The body model's parameters in the camera frame, joints, keypoints."""
    model = body_model()
    rotation, shift = view.camera_from_world[:3, :3], view.camera_from_world[:3, 3]
    pose = np.array(person.body.pose, np.float64)
    pose[0] = axis_angle_from_matrix(rotation @ matrix_from_axis_angle(pose[0]))
    lifted = person.body.joints + [0, person.lift, 0]
    joints = lifted @ rotation.T + shift
    keypoints, _ = model.evaluate(
        model.keypoints(),
        person.recipe.betas,
        matrix_from_axis_angle(pose),
        joints[0],
        model.active,
        jacobian=False,
    )
    pixels = view.camera.project(keypoints)
    size = view.camera.width
    column, row = np.floor(pixels).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < size) & (row < size) & (keypoints[:, 2] > 0)
    column, row = np.clip(column, 0, size - 1), np.clip(row, 0, size - 1)
    # In view: the subject's surface before the point is nearer than a limb is thick.
    near = keypoints[:, 2] - depth[row, column] < 0.14 * model.stature(person.recipe.betas) / 1.7
    free = keypoints[:, 2] - 0.14 < before[row, column]
    return {
        "keypoints": pixels.astype(np.float32),
        "keypoints_3d": keypoints.astype(np.float32),
        "keypoints_visible": inside & near & free,
        "joints_3d": joints.astype(np.float32),
        "betas": person.recipe.betas.astype(np.float32),
        "pose": pose.astype(np.float32),
        "translation": joints[0].astype(np.float32),
    }


def _spans(person: SyntheticPerson, view: View) -> np.ndarray:
    meshes: list[tuple[np.ndarray, bool]] = []
    points = []
    offset = 0
    for vertices, faces, sheet in person.solids:
        meshes.append((faces + offset, sheet))
        points.append(vertices)
        offset += len(vertices)
    matrix = view.camera_from_world
    camera_points = np.concatenate(points) @ matrix[:3, :3].T + matrix[:3, 3]
    z = camera_points[:, 2]
    pixels = view.camera.project(np.where(z[:, None] > 0.01, camera_points, [0, 0, 1]))
    size = view.camera.width
    return solid_spans(pixels, z, meshes, size, size, SPANS)
