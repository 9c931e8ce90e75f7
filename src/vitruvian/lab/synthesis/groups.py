"""Groups of people on one ground, photographed whole: for depth, order and size in a scene.

Where ``sample.Sample`` shows one person in a crop, a group is a full picture: two to eight men,
women and children at 1.5 to 16 metres, who stand, sit and hide one another, between walls or under
the sky, seen by cameras of every height, pitch and lens. Its label is the depth of everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import ANKLES, HEAD, HIPS, LEFT, RIGHT, ROOT
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.cameras import View, look
from vitruvian.lab.synthesis.degrade import photograph
from vitruvian.lab.synthesis.drawing import (
    Geometry,
    Samples,
    cast_shadows,
    gather,
    rasterize,
    shade,
)
from vitruvian.lab.synthesis.lights import random_light
from vitruvian.lab.synthesis.materials import random_tile
from vitruvian.lab.synthesis.parts import LABEL, Part, Surface
from vitruvian.lab.synthesis.people import SyntheticPerson, build_person
from vitruvian.lab.synthesis.places import backdrop, plane_part
from vitruvian.lab.synthesis.poses import (
    captured_poses,
    facing_forward,
    sitting_poses,
    standing_poses,
)
from vitruvian.lab.synthesis.sampling import random_pose, random_recipe
from vitruvian.types.camera import Camera

# Building people costs more than drawing them: the groups of a block choose among the same ones.
BLOCK_GROUPS = 8
BLOCK_PEOPLE = 8
MOST_PEOPLE = 8
OBJECT = 255  # instance of seats and boxes
NEAREST, FARTHEST = 1.5, 16.0  # metres from the camera along the ground
_ASPECTS = (3 / 2, 4 / 3, 16 / 9, 1.0, 3 / 4, 2 / 3)
_ASPECT_SHARES = (0.34, 0.22, 0.12, 0.08, 0.14, 0.1)
_ELBOW_ROOM = 0.42  # metres between two people
_FLESH = 0.11  # metres from the hip joints down to what one sits on


@dataclass(frozen=True)
class GroupSample:
    """A picture of a group with its labels. Camera frame as in OpenCV, metres.

    Attributes:
        image: (H, W, 3) uint8 sRGB, the longer side as asked for.
        log_depth: (H, W) float16 natural logarithm of z in metres at pixel centres, of everything
            (people, ground, walls, objects); inf where the picture shows sky or far distance.
        instances: (H, W) uint8: 0 no person, 1..P the people, 255 seats and boxes.
        roots: (P, 3) float32 root joint of each person.
        statures: (P,) float32 standing height without shoes.
        sitting: (P,) bool, on a seat.
        boxes: (P, 4) float32 x0, y0, x1, y1 of each silhouette inside the picture, were nothing
            before it; zeros where it is outside.
        visible: (P,) float32 share of that silhouette that is seen.
        inside: (P,) float32 share of the keypoints that lie inside the picture.
        keypoints: (P, 33, 2) float32 pixels; keypoints_visible: (P, 33) bool; names as
            ``types.keypoints.LANDMARK_NAMES``.
        betas: (P, K) float32; poses: (P, J, 3) float32; the body model's, in the camera frame.
        focal_px, principal_point: the camera; camera_from_world: (4, 4) float32 (y up, ground 0).
    """

    image: np.ndarray
    log_depth: np.ndarray
    instances: np.ndarray
    roots: np.ndarray
    statures: np.ndarray
    sitting: np.ndarray
    boxes: np.ndarray
    visible: np.ndarray
    inside: np.ndarray
    keypoints: np.ndarray
    keypoints_visible: np.ndarray
    betas: np.ndarray
    poses: np.ndarray
    focal_px: float
    principal_point: tuple[float, float]
    camera_from_world: np.ndarray

    @property
    def camera(self) -> Camera:
        """The camera that took the picture."""
        height, width = self.image.shape[:2]
        return Camera(self.focal_px, width, height, self.principal_point, "given")


@dataclass(frozen=True)
class Posed:
    """A person of a block, and whether it needs a seat."""

    person: SyntheticPerson
    sits: bool


def block_groups(
    seed: int, block: int, size: int, library: AssetLibrary, wanted: Sequence[int] | None = None
) -> Iterator[GroupSample]:
    """The groups of a block; the same for the same seed, block and size.

    ``wanted`` picks some of 0..7; the others are not drawn. ``size`` is the longer side in pixels.
    """
    people = block_crowd(seed, block, size, library)
    for number in range(BLOCK_GROUPS) if wanted is None else wanted:
        # 3: neither the random numbers of samples nor of their people.
        yield draw_group(np.random.default_rng([seed, block, number, 3]), people, size)


def block_crowd(seed: int, block: int, size: int, library: AssetLibrary) -> list[Posed]:
    """The people that the groups of a block choose from; three in ten are children."""
    rng = np.random.default_rng([seed, block, 3])
    texels = 128 if size <= 384 else 512
    crowd = []
    for _ in range(BLOCK_PEOPLE):
        recipe = random_recipe(rng, library)
        pose, sits = _group_pose(rng, recipe.pose)
        crowd.append(Posed(build_person(replace(recipe, pose=pose), library, texels), sits))
    return crowd


def _group_pose(rng: np.random.Generator, anything: np.ndarray) -> tuple[np.ndarray, bool]:
    """A pose (J, 3) as people in groups take it, and whether it is one on a seat."""
    kind = rng.random()
    if kind < 0.2:
        return anything, False
    if kind < 0.38:
        pose = facing_forward(captured_poses()[0][rng.choice(sitting_poses())])
        return (body_model().mirrored_pose(pose) if rng.random() < 0.5 else pose), True
    upright = set(standing_poses().tolist())
    poses, _ = captured_poses()
    if kind < 0.6:  # as captured: walking, on the move
        return facing_forward(poses[rng.choice(sorted(upright))]), False
    while True:
        pose = random_pose(rng)
        if _stands(pose):
            return pose, False


def _stands(pose: np.ndarray) -> bool:
    """Whether both thighs of a pose (J, 3) hang down and the trunk is upright."""
    from vitruvian.lab.synthesis.poses import posed_joints

    index = body_model().joint_index
    joints = posed_joints(pose[None])[0]
    trunk = joints[index[HEAD]] - joints[index[ROOT]]
    if trunk[1] < 0.9 * np.linalg.norm(trunk):
        return False
    return all(
        joints[index[ankle], 1] < -0.8 * np.linalg.norm(joints[index[ankle]]) for ankle in ANKLES
    )


def draw_group(rng: np.random.Generator, crowd: Sequence[Posed], size: int) -> GroupSample:
    """Put some of the crowd on the ground before a camera and photograph them."""
    count = int(rng.choice(np.arange(2, MOST_PEOPLE + 1), p=_COUNTS))
    chosen = [crowd[k] for k in rng.permutation(len(crowd))[:count]]
    view, spots = _arranged(rng, count, size)
    parts: list[tuple[int, Part, np.ndarray]] = []
    placed = []
    for number, (one, spot) in enumerate(zip(chosen, spots, strict=True), 1):
        matrix = _standing_at(rng, spot)
        placed.append(matrix)
        parts += [(number, part, view.camera_from_world @ matrix) for part in one.person.parts]
        seat = _seat(rng, one.person) if one.sits else []
        parts += [(OBJECT, part, view.camera_from_world @ matrix) for part in seat]
    scenery = _room(rng, view, spots)
    parts += [(0, part, view.camera_from_world) for part in scenery]
    parts += [(OBJECT, part, view.camera_from_world) for part in _boxes(rng, spots)]
    return _photographed(rng, gather(parts), view, [c.person for c in chosen], placed, chosen)


_COUNTS = np.array([0.24, 0.2, 0.17, 0.13, 0.1, 0.08, 0.08])


def _arranged(rng: np.random.Generator, count: int, size: int) -> tuple[View, np.ndarray]:
    """A camera and where people stand, (count, 2) metres x and z of the world.

    The camera is above the world's origin and looks along -z.
    """
    aspect = _ASPECTS[rng.choice(len(_ASPECTS), p=_ASPECT_SHARES)]
    width = size if aspect >= 1 else round(size * aspect)
    height = size if aspect < 1 else round(size / aspect)
    fov = np.deg2rad(np.exp(rng.uniform(np.log(28), np.log(78))))
    focal = size / 2 / np.tan(fov / 2)
    half = np.arctan(width / 2 / focal)
    posing = rng.random() < 0.35
    # Far enough that an adult fits, most of the time.
    least = max(NEAREST, float(rng.uniform(0.7, 1.3)) * 1.9 * focal / height)
    spots = _lined_up(rng, count, half, least) if posing else _scattered(rng, count, half, least)
    kind = rng.random()
    if kind < 0.7:
        eye = float(np.clip(rng.normal(1.5, 0.2), 1.0, 2.0))
    elif kind < 0.85:
        eye = float(rng.uniform(0.35, 1.0))
    else:
        eye = float(rng.uniform(1.9, 4.5))
    away = float(np.median(-spots[:, 1]))
    pitch = np.rad2deg(np.arctan2(eye - 0.85, away)) + rng.normal(0, 4)
    pitch = float(np.clip(pitch, -20, 50))
    roll = float(rng.normal(0, 1.5) if rng.random() < 0.85 else rng.normal(0, 7))
    rotation = look(0.0, pitch, roll)
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = -rotation @ [0, eye, 0]
    middle = np.array([width, height]) / 2
    if rng.random() < 0.15:  # cut out of a larger picture
        middle = middle + rng.uniform(-0.15, 0.15, 2) * [width, height]
    camera = Camera(float(focal), width, height, (float(middle[0]), float(middle[1])), "given")
    return View(camera, matrix, pitch, roll), spots


def _lined_up(rng: np.random.Generator, count: int, half: float, least: float) -> np.ndarray:
    """One or two rows, shoulder to shoulder."""
    rows = 1 if count <= 3 or rng.random() < 0.4 else 2
    apart = rng.uniform(0.45, 0.8)
    front = -(-count // rows)
    wide = apart * front / 2 / np.tan(half) / rng.uniform(0.6, 1.0)
    away = min(max(least, wide, NEAREST), FARTHEST - 2)
    spots = np.zeros((count, 2))
    for k in range(count):
        row, place = divmod(k, front)
        inside = front if row == 0 else count - front
        spots[k] = [(place - (inside - 1) / 2) * apart, -away - row * rng.uniform(0.5, 0.9)]
    spots += rng.normal(0, 0.09, spots.shape)
    turn = rng.normal(0, 0.3)  # the row is seen at an angle
    c, s = np.cos(turn), np.sin(turn)
    centre = spots.mean(0)
    return np.asarray((spots - centre) @ np.array([[c, -s], [s, c]]) + centre)


def _scattered(rng: np.random.Generator, count: int, half: float, least: float) -> np.ndarray:
    """Here and there, some right before or behind others as the camera sees them."""
    near = min(least * np.exp(rng.uniform(0, 0.6)), FARTHEST / 2)
    far = min(near * np.exp(rng.uniform(0.15, 1.8)), FARTHEST)
    spots: list[np.ndarray] = []
    for _ in range(300):
        if len(spots) == count:
            break
        away = np.exp(rng.uniform(np.log(near), np.log(max(far, near + 0.3))))
        if spots and rng.random() < 0.45:
            other = spots[int(rng.integers(len(spots)))]
            slope = other[0] / -other[1] + rng.normal(0, 0.3) / away
        else:
            slope = np.tan(half) * rng.uniform(-0.92, 0.92)
        spot = np.array([slope * away, -away])
        if all(np.linalg.norm(spot - other) > _ELBOW_ROOM for other in spots):
            spots.append(spot)
        else:
            far = min(far * 1.02, FARTHEST)
    while len(spots) < count:  # crowded out: behind everybody
        deepest = min(s[1] for s in spots)
        spots.append(np.array([rng.normal(0, 0.5), deepest - 0.6]))
    return np.array(spots)


def _standing_at(rng: np.random.Generator, spot: np.ndarray) -> np.ndarray:
    """world_from_person (4, 4): half face the camera, the others anywhere."""
    toward = np.arctan2(-spot[0], -spot[1])  # +z of the person to the camera
    yaw = toward + rng.normal(0, 0.45) if rng.random() < 0.55 else rng.uniform(-np.pi, np.pi)
    c, s = np.cos(yaw), np.sin(yaw)
    out = np.eye(4)
    out[:3, :3] = [[c, 0, s], [0, 1, 0], [-s, 0, c]]
    out[:3, 3] = [spot[0], 0, spot[1]]
    return out


def _seat(rng: np.random.Generator, person: SyntheticPerson) -> list[Part]:
    """A block under somebody who sits, in the person's frame."""
    index = body_model().joint_index
    joints = person.body.joints + [0, person.lift, 0]
    hips = (joints[index[HIPS[LEFT]]] + joints[index[HIPS[RIGHT]]]) / 2
    top = hips[1] - _FLESH * body_model().stature(person.recipe.betas) / 1.7
    if top < 0.1:
        return []
    wide = 0.45 if rng.random() < 0.6 else rng.uniform(0.45, 1.6)
    centre = (float(hips[0]), float(hips[2]) - 0.1)
    return _block(rng, centre, (wide, 0.42), 0.0, float(top), 0.0)


def _boxes(rng: np.random.Generator, spots: np.ndarray) -> list[Part]:
    """Some boxes on the ground where nobody stands."""
    out = []
    for _ in range(int(rng.choice([0, 1, 2, 4], p=[0.45, 0.25, 0.18, 0.12]))):
        away = np.exp(rng.uniform(np.log(3), np.log(18)))
        spot = np.array([rng.uniform(-0.7, 0.7) * away, -away])
        sides = np.exp(rng.uniform(np.log(0.15), np.log(1.6), 2))
        if np.linalg.norm(spots - spot, axis=1).min() > 0.35 + 0.5 * np.hypot(*sides):
            tall = float(np.exp(rng.uniform(np.log(0.2), np.log(2.2))))
            place = (float(spot[0]), float(spot[1]))
            out += _block(
                rng, place, (float(sides[0]), float(sides[1])), 0.0, tall, float(rng.uniform(0, 3))
            )
    return out


def _block(
    rng: np.random.Generator,
    centre: tuple[float, float],
    sides: tuple[float, float],
    low: float,
    high: float,
    turn: float,
) -> list[Part]:
    """A box on x, z with upright sides, as one part."""
    tile = random_tile(rng, ground=bool(rng.random() < 0.5))
    c, s = np.cos(turn), np.sin(turn)
    along, across = np.array([c, 0, -s]) * sides[0], np.array([s, 0, c]) * sides[1]
    up = np.array([0, high - low, 0])
    corner = np.array([centre[0], low, centre[1]]) - along / 2 - across / 2
    # Each face by its corner and two edges whose cross product looks outwards.
    walls = (
        (corner + up, across, along), (corner, up, along), (corner + across, along, up),
        (corner, across, up), (corner + along, up, across),
    )  # fmt: skip
    vertices = np.concatenate([[p, p + a, p + a + b, p + b] for p, a, b in walls])
    uvs = np.concatenate(
        [np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * [np.linalg.norm(a), np.linalg.norm(b)]
         for _, a, b in walls]
    ) / tile.size  # fmt: skip
    first = 4 * np.arange(len(walls))[:, None, None]
    faces = (first + np.array([[0, 1, 2], [0, 2, 3]])).reshape(-1, 3).astype(np.int32)
    tone = rng.uniform(0.5, 1.4) * (1 + rng.normal(0, 0.12, 3))
    look_of_it = Surface(
        texture=tile.color,
        tint=(float(tone[0]), float(tone[1]), float(tone[2])),
        gloss=float(rng.uniform(0, 0.08)),
    )
    points = vertices.astype(np.float32)
    label = LABEL["occluder"]
    return [
        Part("block", label, points, points, faces, uvs.astype(np.float32), faces, look_of_it,
             solid=False)
    ]  # fmt: skip


def _room(rng: np.random.Generator, view: View, spots: np.ndarray) -> list[Part]:
    """The ground, and perhaps walls around everyone and a ceiling."""

    def tint() -> tuple[float, float, float]:
        tone = rng.uniform(0.6, 1.5) * (1 + rng.normal(0, 0.08, 3))
        return float(tone[0]), float(tone[1]), float(tone[2])

    far = float(-spots[:, 1].min())
    reach, width = far + 24.0, 56.0
    ground = random_tile(rng, ground=True)
    parts = [
        plane_part("ground", ground, (-width / 2, 0, 0.3), (width, 0, 0), (0, 0, -reach),
                   cells=64, tint=tint())
    ]  # fmt: skip
    if rng.random() < 0.35:
        return parts
    wall = random_tile(rng, ground=False)
    shade_of_it = tint()
    high = float(rng.uniform(2.3, 3.4) if rng.random() < 0.6 else rng.uniform(3, 9))
    behind = -far - np.exp(rng.uniform(np.log(0.5), np.log(8)))
    turn = np.deg2rad(rng.normal(0, 10))
    along = np.array([np.cos(turn), 0, -np.sin(turn)]) * width
    corner = np.array([0, 0, behind - 0.5 * abs(np.sin(turn)) * far]) - along / 2
    parts.append(
        plane_part("wall", wall, tuple(corner), tuple(along), (0, high, 0), tint=shade_of_it)
    )
    eye = float(-view.camera_from_world[:3, :3].T[1] @ view.camera_from_world[:3, 3])
    sides = 0
    for side in (-1, 1):
        if rng.random() < 0.4:
            sides += 1
            outer = float((side * spots[:, 0]).max())
            x = side * (max(outer, 0.6) + np.exp(rng.uniform(np.log(0.5), np.log(5))))
            start, run = (0.3, -reach) if side < 0 else (0.3 - reach, reach)
            parts.append(
                plane_part("side wall", wall, (x, 0, start), (0, 0, run), (0, high, 0), cells=48,
                           tint=shade_of_it)
            )  # fmt: skip
    if sides and high < 3.5 and eye < high - 0.3 and rng.random() < 0.7:
        ceiling = random_tile(rng, ground=False)
        parts.append(
            plane_part("ceiling", ceiling, (-width / 2, high, 0.3), (0, 0, -reach), (width, 0, 0),
                       cells=64, tint=tint())
        )  # fmt: skip
    return parts


def _photographed(
    rng: np.random.Generator,
    geometry: Geometry,
    view: View,
    people: Sequence[SyntheticPerson],
    placed: Sequence[np.ndarray],
    chosen: Sequence[Posed],
) -> GroupSample:
    camera = view.camera
    rotation = view.camera_from_world[:3, :3]
    light = random_light(rng, rotation @ [0, 1, 0], sky=3)
    casters = geometry.instance > 0
    shadows = cast_shadows(
        geometry, light, casters, resolution=512, softness=float(rng.uniform(0, 0.03))
    )
    fine = rasterize(geometry, camera, 2)
    seen = shade(geometry, fine, light, shadows, share=True)
    middle = rasterize(geometry, camera, 1)
    owner = np.where(middle.face >= 0, geometry.instance[middle.face], 0)
    horizon = camera.principal_point[1] - camera.focal_px * np.tan(np.deg2rad(view.pitch_deg))
    longest = max(camera.width, camera.height)
    beyond = backdrop(rng, longest, float(horizon))[: camera.height, : camera.width]
    linear = seen.color + beyond * (1 - seen.coverage[..., None])
    is_person = ((owner > 0) & (owner != OBJECT)).astype(np.float32)
    image = photograph(rng, linear, is_person)
    with np.errstate(divide="ignore"):
        log_depth = np.log(middle.depth).astype(np.float16)
    rows = [
        _labels(number, person, matrix, view, geometry, middle, owner)
        for number, (person, matrix) in enumerate(zip(people, placed, strict=True), 1)
    ]
    return GroupSample(
        image=image,
        log_depth=log_depth,
        instances=owner.astype(np.uint8),
        sitting=np.array([one.sits for one in chosen]),
        **{name: np.stack([row[name] for row in rows]) for name in rows[0]},
        focal_px=camera.focal_px,
        principal_point=camera.principal_point,
        camera_from_world=view.camera_from_world.astype(np.float32),
    )


def _labels(
    number: int,
    person: SyntheticPerson,
    world_from_person: np.ndarray,
    view: View,
    geometry: Geometry,
    everything: Samples,
    owner: np.ndarray,
) -> dict[str, np.ndarray]:
    """What ``GroupSample`` says of one person."""
    model, camera = body_model(), view.camera
    matrix = view.camera_from_world @ world_from_person
    rotation = matrix[:3, :3]
    pose = np.array(person.body.pose, np.float64)
    pose[0] = axis_angle_from_matrix(rotation @ matrix_from_axis_angle(pose[0]))
    root = (person.body.joints[0] + [0, person.lift, 0]) @ rotation.T + matrix[:3, 3]
    points, _ = model.evaluate(
        model.keypoints(), person.recipe.betas, matrix_from_axis_angle(pose), root, model.active,
        jacobian=False,
    )  # fmt: skip
    stature = model.stature(person.recipe.betas)
    pixels = camera.project(np.where(points[:, 2:] > 0.05, points, [0, 0, 0.05]))
    column, row = np.floor(pixels).astype(int).T
    inside = (column >= 0) & (row >= 0) & (column < camera.width) & (row < camera.height)
    inside &= points[:, 2] > 0.05
    column, row = np.clip(column, 0, camera.width - 1), np.clip(row, 0, camera.height - 1)
    # In view: what is seen there is no nearer than a limb is thick.
    free = points[:, 2] - 0.14 * stature / 1.7 < everything.depth[row, column]
    alone = rasterize(geometry, camera, 1, only=geometry.instance == number).face >= 0
    box = np.zeros(4, np.float32)
    if alone.any():
        ys, xs = np.flatnonzero(alone.any(1)), np.flatnonzero(alone.any(0))
        box[:] = xs[0], ys[0], xs[-1] + 1, ys[-1] + 1
    return {
        "roots": root.astype(np.float32),
        "statures": np.float32(stature),
        "boxes": box,
        "visible": np.float32((owner == number).sum() / max(alone.sum(), 1)),
        "inside": np.float32(inside.mean()),
        "keypoints": pixels.astype(np.float32),
        "keypoints_visible": inside & free,
        "betas": person.recipe.betas.astype(np.float32),
        "poses": pose.astype(np.float32),
    }
