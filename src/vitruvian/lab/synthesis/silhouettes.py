"""Front and side silhouettes of people in an A-pose, to learn shapes from.

Two photographs are taken of somebody who stands with arms off the body, from the front and, after
a quarter turn, from the left side, in tight clothes or underwear. The same is simulated: one
camera for both, from nearly orthographic to a telephone close by, with small errors of distance,
height, aim and roll, and a quarter turn that is not quite one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import (
    ARMS,
    CLAVICLES,
    ELBOWS,
    HEAD,
    HIPS,
    LEGS,
    NECK,
    SHOULDERS,
    SPINE,
    WRISTS,
)
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.cameras import look
from vitruvian.lab.synthesis.drawing import gather, pixel_share, rasterize
from vitruvian.lab.synthesis.garments import Garment, Look
from vitruvian.lab.synthesis.parts import Part
from vitruvian.lab.synthesis.people import Recipe, SyntheticPerson, build_person
from vitruvian.lab.synthesis.poses import curled_hands
from vitruvian.lab.synthesis.sampling import random_recipe
from vitruvian.types.camera import Camera

CLOTHING = ("nothing", "underwear", "tight clothes")
SUPERSAMPLE = 3
MOST_TRIES = 20  # at cameras, until the whole person is in both pictures
# Random numbers of pairs differ from those of the samples of the same seed.
_STREAM = 0x51D0


@dataclass(frozen=True)
class SilhouettePair:
    """Two silhouettes of a person: from the front and from the left side.

    The person's frame is the world: y up, ground y = 0, facing +z as far as the pose does.

    Attributes:
        silhouettes: (2, S, S) uint8, share of each pixel, with clothes and hair.
        naked: (2, S, S) uint8, of the body alone.
        clothing: index into ``CLOTHING``.
        betas: (K,) float32; pose: (J, 3) float32; translation: (3,) float32, of the root joint:
            the body model's, in the person's frame.
        height_m: standing height.
        focal_px: (2,) float32; principal_point: (2, 2) float32; camera_from_person: (2, 4, 4)
            float32: the cameras as they were, with all their errors.
    """

    silhouettes: np.ndarray
    naked: np.ndarray
    clothing: int
    betas: np.ndarray
    pose: np.ndarray
    translation: np.ndarray
    height_m: float
    focal_px: np.ndarray
    principal_point: np.ndarray
    camera_from_person: np.ndarray

    @property
    def size(self) -> int:
        return self.silhouettes.shape[1]

    def camera(self, view: int) -> Camera:
        """The camera of the front (0) or the side (1)."""
        x, y = self.principal_point[view]
        focal = float(self.focal_px[view])
        return Camera(focal, self.size, self.size, (float(x), float(y)), "given")


def random_pairs(
    seed: int, numbers: Iterable[int], size: int, library: AssetLibrary
) -> Iterator[SilhouettePair]:
    """The pairs of a seed with the given numbers; each depends on seed, size and number alone."""
    for number in numbers:
        rng = np.random.default_rng([seed, _STREAM, number])
        person, clothing = _random_person(rng, library)
        height = body_model().stature(person.recipe.betas)
        for _ in range(MOST_TRIES):
            focal, cameras = random_cameras(rng, height, size)
            if _whole(person, focal, cameras, size):
                break
        yield draw_pair(person, clothing, focal, cameras, size)


def draw_pair(
    person: SyntheticPerson, clothing: int, focal_px: float, cameras: np.ndarray, size: int
) -> SilhouettePair:
    """Both silhouettes of a person; cameras (2, 4, 4) are camera_from_person."""
    skin = person.parts[0]
    body = (replace(skin, faces=anatomy().faces, uv_faces=anatomy().uv_faces),)
    camera = Camera.centered(focal_px, size, size, "given")
    root = person.body.joints[0] + [0, person.lift, 0]
    return SilhouettePair(
        silhouettes=np.stack([_silhouette(person.parts, camera, matrix) for matrix in cameras]),
        naked=np.stack([_silhouette(body, camera, matrix) for matrix in cameras]),
        clothing=clothing,
        betas=person.recipe.betas.astype(np.float32),
        pose=person.body.pose.astype(np.float32),
        translation=root.astype(np.float32),
        height_m=body_model().stature(person.recipe.betas),
        focal_px=np.full(2, focal_px, np.float32),
        principal_point=np.full((2, 2), size / 2, np.float32),
        camera_from_person=cameras.astype(np.float32),
    )


def random_cameras(
    rng: np.random.Generator, height_m: float, size: int, *, error: float = 1.0
) -> tuple[float, np.ndarray]:
    """Focal length in pixels and camera_from_person (2, 4, 4) for the front and the left side.

    Two in five see through 2 to 6 degrees from afar, as an orthographic camera would; the others
    through 20 to 60. The person's height takes 70 to 92 % of the picture. ``error`` scales the
    errors between the two: distance 2 %, camera height 2 cm, aim 1 degree, roll 1 degree, turn 2.5
    degrees, place 1 cm (standard deviations).
    """
    fov = rng.uniform(2, 6) if rng.random() < 0.4 else rng.uniform(20, 60)
    focal = size / 2 / np.tan(np.deg2rad(fov) / 2)
    distance = focal * height_m / (size * rng.uniform(0.70, 0.92))
    # A camera close by cannot stand much above or below the person's middle.
    level = height_m * (0.5 + rng.uniform(-0.1, 0.42))
    aim = np.rad2deg(np.arctan2(level - height_m / 2, distance))
    out = np.zeros((2, 4, 4))
    for matrix, yaw in zip(out, (0.0, 90.0), strict=True):
        farther, higher, tilt, roll, turn, *place = error * rng.normal(
            0, [0.02, 0.02, min(1.0, 0.03 * fov), 1.0, 2.5, 0.01, 0.01]
        )
        rotation = look(yaw + turn, aim + tilt, roll)
        heading = look(yaw + turn, 0, 0)[2]
        eye = -distance * (1 + farther) * heading + [place[0], level + higher, place[1]]
        matrix[:3, :3], matrix[:3, 3], matrix[3, 3] = rotation, -rotation @ eye, 1
    return float(focal), out


def _whole(person: SyntheticPerson, focal: float, cameras: np.ndarray, size: int) -> bool:
    """Whether both pictures show all of the person, with a margin of 1 %."""
    camera = Camera.centered(focal, size, size, "given")
    seen = [
        camera.project(person.vertices @ matrix[:3, :3].T + matrix[:3, 3]) for matrix in cameras
    ]
    pixels = np.concatenate(seen)
    return bool((np.abs(pixels - size / 2) < 0.49 * size).all())


def a_pose(rng: np.random.Generator) -> np.ndarray:
    """A pose (J, 3): upright, arms 20 to 50 degrees off the trunk, legs a little apart.

    Arms are bent by 43 degrees at rest; here they are 30 to 90 % straighter.
    """
    body = body_model()
    index = body.joint_index
    pose = np.zeros((len(body.joint_names), 3))
    arm = np.deg2rad(rng.uniform(20, 50) - 42)  # 42 degrees at rest
    leg = np.deg2rad(rng.uniform(-2, 7))
    straight = rng.uniform(0.3, 0.9)
    at = body.joint_template
    for arm_joints, (hip, _, ankle), sign in zip(ARMS, LEGS, (1, -1), strict=True):
        shoulder, elbow, wrist = (at[index[name]] for name in arm_joints)
        upper, lower = elbow - shoulder, wrist - elbow
        axis = np.cross(lower, upper)
        bend = np.arctan2(np.linalg.norm(axis), lower @ upper)
        pose[index[arm_joints[1]]] = straight * bend * axis / np.linalg.norm(axis)
        pose[index[arm_joints[0]], 2] = sign * arm
        pose[index[hip], 2] = sign * leg
        pose[index[ankle], 2] = -sign * leg
    moved = [index[n] for n in (*SPINE, NECK, HEAD)]
    moved += [index[name] for name in (*CLAVICLES, *SHOULDERS, *ELBOWS, *WRISTS, *HIPS)]
    pose[moved] += rng.normal(0, 0.035, (len(moved), 3))
    return curled_hands(pose, *np.clip(rng.normal(0.25, 0.2, 2), 0, 0.9))


def _random_person(rng: np.random.Generator, library: AssetLibrary) -> tuple[SyntheticPerson, int]:
    clothing = int(rng.choice(len(CLOTHING), p=[0.15, 0.35, 0.5]))
    garments: tuple[Garment, ...] = ()
    if clothing == 1:
        garments = (
            Garment("bottom", Look(), top=-0.3, legs=float(rng.uniform(0.0, 0.2)), offset=0.002,
                    smooth=1),
            Garment("top", Look(), arms=-1.0, top=0.7, bottom=float(rng.uniform(-0.45, 0.1)),
                    offset=0.003, smooth=2),
        )[: int(rng.integers(1, 3))]  # fmt: skip
    elif clothing == 2:
        garments = (
            Garment("bottom", Look(), top=0.0, legs=float(rng.uniform(0.25, 0.97)),
                    offset=float(rng.uniform(0.002, 0.006)), smooth=int(rng.integers(1, 4))),
            Garment("top", Look(), arms=float(rng.choice([-1.0, rng.uniform(0.2, 0.97)])),
                    bottom=float(rng.uniform(0.2, 0.7)),
                    offset=float(rng.uniform(0.005, 0.010)), smooth=int(rng.integers(2, 7))),
        )  # fmt: skip
    pose = a_pose(rng)
    drawn = random_recipe(rng, library)
    recipe = Recipe(betas=drawn.betas, pose=pose, hair=drawn.hair, garments=garments)
    return build_person(recipe, library, 256), clothing


def _silhouette(parts: tuple[Part, ...], camera: Camera, matrix: np.ndarray) -> np.ndarray:
    samples = rasterize(gather([(1, part, matrix) for part in parts]), camera, SUPERSAMPLE)
    return np.round(pixel_share(samples.face >= 0, SUPERSAMPLE) * 255).astype(np.uint8)
