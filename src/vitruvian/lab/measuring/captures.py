"""Silhouettes of measured people as a telephone takes them: from the front and from the side.

A pair is drawn from the posed body itself, its skin moved outwards by what is worn: hair, shoes and
clothes from bare to loose. That costs 20 ms, so that a network can see tens of thousands of pairs;
``synthesis.silhouettes`` makes fewer with garments of cloth.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vitruvian.anthropometry.silhouette import normalised
from vitruvian.anthropometry.subject import CLOTHES
from vitruvian.body.model.model import BodyModel, body_model, joint_motion
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.image.disc import disc
from vitruvian.lab.measuring.shapes import measuring_shapes
from vitruvian.lab.synthesis.silhouettes import a_pose, random_cameras
from vitruvian.types.camera import Camera
from vitruvian.types.regions import HEAD, LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TRUNK

SIZE = 320  # pixels of the drawn pictures

_HAIR_M, _LONG_HAIR = 0.05, 0.4
_SOLE_M, _SHOE_M = 0.03, 0.01
_CLOTH_M = 0.022  # mean of ordinary clothes on trunk and legs, standing off
_EDGE_PX = 1.5  # how softly the outline of a matte may be


@dataclass(frozen=True)
class Worn:
    """What lies over the skin, metres.

    Attributes:
        trunk, legs, arms: cloth that stands off.
        waist: more at the waist, where cloth hangs straight.
        legs_end, arms_end: levels (0 to 1 down the limb) at which trouser legs and sleeves end.
        hair, sole, shoe: above the skull, below and around the feet.
        seed: of where cloth stands off more or less.
    """

    trunk: float
    legs: float
    arms: float
    waist: float
    legs_end: float
    arms_end: float
    hair: float
    sole: float
    shoe: float
    seed: int


def random_clothes(rng: np.random.Generator, kind: str) -> Worn:
    """Clothes of a kind in ``CLOTHES``."""
    cloth = CLOTHES[kind] * _CLOTH_M * rng.gamma(4, 0.25, 4)
    barefoot = kind != "ordinary" and rng.random() < 0.7
    return Worn(
        trunk=cloth[0],
        legs=cloth[1],
        arms=0.7 * cloth[2],
        waist=cloth[3],
        legs_end=float(rng.uniform(0.3, 1)),
        arms_end=float(rng.choice([0.35, 1.0])),
        hair=float(rng.uniform(0, _HAIR_M)),
        sole=0.0 if barefoot else float(rng.uniform(0.005, _SOLE_M)),
        shoe=0.0 if barefoot else float(rng.uniform(0.002, _SHOE_M)),
        seed=int(rng.integers(2**31)),
    )


@dataclass(frozen=True)
class _Places:
    """Where vertices of the body are, each (V,) float32 0..1 or a level down a limb."""

    trunk: np.ndarray
    waist: np.ndarray
    leg: np.ndarray
    arm: np.ndarray
    hair: np.ndarray
    foot: np.ndarray
    waves: np.ndarray


@lru_cache(maxsize=1)
def _places(model: BodyModel) -> _Places:
    part, points = model.regions.part, model.template.astype(np.float64)

    def down(joints: tuple[str, str]) -> np.ndarray:
        start, end = (model.joint_template[model.joint_index[name]] for name in joints)
        mirrored = np.abs(points * [1, 0, 0]) + points * [0, 1, 1]
        return np.asarray((mirrored - start) @ (end - start) / ((end - start) @ (end - start)))

    leg = np.where(np.isin(part, (LEFT_LEG, RIGHT_LEG)), down(("upperleg01.L", "foot.L")), np.inf)
    arm = np.where(np.isin(part, (LEFT_ARM, RIGHT_ARM)), down(("upperarm01.L", "wrist.L")), np.inf)
    level = (points[:, 1] - model.joint_template[model.joint_index["spine04"], 1]) / 0.14
    trunk = ((part == TRUNK) & (model.components == 0)).astype(np.float64)
    # Smooth random patterns: sums of waves along random directions.
    directions = np.random.default_rng(3).normal(0, 1, (24, 3))
    directions *= np.random.default_rng(4).uniform(4, 13, (24, 1)) / np.linalg.norm(
        directions, axis=1, keepdims=True
    )
    return _Places(
        trunk=trunk,
        waist=trunk * np.exp(-(level**2)),
        leg=leg,
        arm=arm,
        hair=model.regions.hair * (part == HEAD),
        foot=model.regions.foot,
        waves=np.sin(points @ directions.T),
    )


def dressed(vertices: np.ndarray, normals: np.ndarray, worn: Worn) -> np.ndarray:
    """A body's vertices (V, 3) with what is worn over them, along its unit normals (V, 3).

    Soles move along the body's own axis, y, in whatever frame it stands.
    """
    places = _places(body_model())
    rng = np.random.default_rng(worn.seed)
    waves = places.waves @ rng.normal(0, 1, places.waves.shape[1]) / np.sqrt(12)
    uneven = np.clip(1 + 0.25 * waves, 0.3, 2)
    cloth = worn.trunk * places.trunk + worn.waist * places.waist
    cloth = np.where(np.isfinite(places.leg), _until(places.leg, worn.legs_end) * worn.legs, cloth)
    cloth = np.where(np.isfinite(places.arm), _until(places.arm, worn.arms_end) * worn.arms, cloth)
    out = cloth * uneven + worn.hair * places.hair + worn.shoe * places.foot
    moved = vertices + normals * out[:, None]
    moved[:, 1] -= worn.sole * places.foot
    return np.asarray(moved)


def _until(level: np.ndarray, end: float) -> np.ndarray:
    """1 down to a level, 0 below."""
    return np.asarray(np.clip((end - level) / 0.04, 0, 1))


def posed(coefficients: np.ndarray, pose: np.ndarray, worn: Worn) -> np.ndarray:
    """Vertices (V, 3) of somebody dressed and posed, y up, the root joint over the origin.

    Args:
        coefficients: (S,) of ``shapes.measuring_shapes``.
        pose: (J, 3) axis-angle; worn: over the skin.
    """
    model, shapes = body_model(), measuring_shapes()
    rest, joints = shapes.rest(model, coefficients)
    covered = dressed(rest, vertex_normals(rest, model.faces), worn)
    turns = matrix_from_axis_angle(pose)
    motion = joint_motion(model.parents, joints, turns, np.zeros(3))
    out = motion.skinned(covered.astype(np.float32), model.skin_joints, model.skin_weights)
    out[:, 1] -= out[:, 1].min()
    return out


def silhouette(vertices: np.ndarray, camera: Camera, matrix: np.ndarray) -> np.ndarray:
    """(H, W) uint8, 255 where a body's camera_from_body (4, 4) picture shows it."""
    model = body_model()
    seen = vertices @ matrix[:3, :3].T + matrix[:3, 3]
    fragments = rasterize(
        camera.project(seen), seen[:, 2], model.faces, camera.width, camera.height
    )
    return np.asarray(255 * fragments.mask, np.uint8)


def as_a_matte(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A silhouette (H, W) uint8 with a matte's errors: a soft outline that wanders by a pixel or
    two, and narrow gaps that are closed."""
    if rng.random() < 0.4:
        reach = int(rng.integers(1, 4))
        kernel = disc(reach)
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, kernel)
    soft = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.6, _EDGE_PX)).astype(np.float32) / 255
    small = rng.normal(0, 1, (SIZE // 12, SIZE // 12)).astype(np.float32)
    wander = cv2.resize(small, mask.shape[::-1], interpolation=cv2.INTER_CUBIC)
    level = np.clip(0.5 + rng.normal(0, 0.08) + rng.uniform(0.02, 0.2) * wander, 0.2, 0.8)
    return np.asarray(np.clip((soft - level) / 0.4 + 0.5, 0, 1) * 255, np.uint8)


def random_pair(
    coefficients: np.ndarray, height_m: float, rng: np.random.Generator, kind: str
) -> np.ndarray:
    """Front and left side (2, h, w) uint8, as of ``anthropometry.silhouette.normalised``, of
    somebody with shape coefficients (S,)."""
    front, side = a_pose(rng), a_pose(rng)
    worn = random_clothes(rng, kind)
    focal, cameras = random_cameras(rng, height_m, SIZE)
    camera = Camera.centered(focal, SIZE, SIZE, "given")
    views = []
    for pose, matrix in zip((front, side), cameras, strict=True):
        mask = silhouette(posed(coefficients, pose, worn), camera, matrix)
        views.append(normalised(as_a_matte(mask, rng)))
    return np.stack(views)
