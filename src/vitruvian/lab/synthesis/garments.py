"""Garments grown from the body: shells over the skin, skirts and coats hung around it.

A garment is cut at rest from the body's own mesh by where its vertices are along the limbs, pushed
out along smoothed normals, and carried by the body's own skinning. Skirts are rings around the
legs whose skinning passes from the hips to both legs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import LEFT
from vitruvian.geometry.adjacency import directed_edges
from vitruvian.lab.synthesis.anatomy import anatomy
from vitruvian.lab.synthesis.parts import (
    LABEL,
    WHITE,
    Part,
    Pattern,
    PosedAnatomy,
    Surface,
    vertex_normals,
)

Color = tuple[float, float, float]


@dataclass(frozen=True)
class Look:
    """How one garment looks; see ``parts.Surface``.

    Attributes:
        tint: linear colour, a factor over the texture or, with ``recolor``, the cloth's own.
        recolor: dye the cloth; set where the asset has no texture.
        wrinkles: layers from ``wrinkles.random_wrinkles``.
        inflate: metres the garment stands off beyond its asset.
    """

    tint: Color = (1.0, 1.0, 1.0)
    recolor: bool = False
    contrast: float = 0.7
    gloss: float = 0.02
    wrinkles: tuple[np.ndarray, np.ndarray] | None = None
    pattern: Pattern | None = None
    crease: float = 14.0
    inflate: float = 0.0


@dataclass(frozen=True)
class Garment:
    """What a garment covers and how it sits.

    Attributes:
        kind: a name of ``PART_LABELS``.
        arms: how far down the arms it goes: 0 shoulder, 1 wrist; below 0, no sleeves.
        legs: how far down the legs: 0 hip, 1 ankle; below 0, none.
        top: upper edge: 1 neck, 0 waist; below 0 under the waist.
        bottom: lower edge on the trunk: 0 waist, 1 crotch.
        offset: metres off the skin; loose: further metres where the body is narrow.
        smooth: rounds of smoothing of the shell.
        opening: half-width in metres of an open front, 0 = closed.
        skirt: length below the waist in legs' lengths (1 = to the ankle), 0 = none.
        flare: metres of radius gained per metre of fall; waves: folds around; swing: their depth.
        look: how the cloth looks.
    """

    kind: str
    look: Look
    arms: float = -1.0
    legs: float = -1.0
    top: float = 1.0
    bottom: float = 0.5
    offset: float = 0.008
    loose: float = 0.0
    smooth: int = 4
    opening: float = 0.0
    skirt: float = 0.0
    flare: float = 0.1
    waves: int = 8
    swing: float = 0.01


@dataclass(frozen=True)
class Regions:
    """Shares (19158,) float32 of each vertex's skinning by region."""

    arm: np.ndarray
    leg: np.ndarray
    hand: np.ndarray
    foot: np.ndarray
    head: np.ndarray
    neighbours: tuple[np.ndarray, np.ndarray]
    skin: np.ndarray


@lru_cache(maxsize=1)
def body_regions() -> Regions:
    """Where arms, legs, hands, feet and head are on the mesh hm08."""
    mesh, names = anatomy(), body_model().joint_names

    def share(*prefixes: str) -> np.ndarray:
        chosen = np.array([n.startswith(prefixes) for n in names])
        return (mesh.skin_weights * chosen[mesh.skin_joints]).sum(1)

    edges = directed_edges(mesh.faces)
    return Regions(
        arm=share(*skeleton.ARM_STEMS),
        leg=share(*skeleton.LEG_STEMS),
        hand=share(*skeleton.HAND_STEMS),
        foot=share(*skeleton.FOOT_STEMS),
        head=share(*skeleton.HEAD_STEMS),
        neighbours=(np.concatenate([edges[:, 0], edges[:, 1]]),
                    np.concatenate([edges[:, 1], edges[:, 0]])),
        skin=np.unique(mesh.faces),
    )  # fmt: skip


def _levels(body: PosedAnatomy) -> dict[str, np.ndarray]:
    """Landmark positions at rest by name."""
    index = body_model().joint_index
    return {n: body.rest_joints[index[n]] for n in skeleton.ACTIVE_JOINTS}


def garment_parts(garment: Garment, body: PosedAnatomy) -> list[Part]:
    """The garment on a body: a shell, a skirt, or both."""
    out = []
    if garment.top > garment.bottom * -1 and (
        garment.arms >= 0 or garment.legs >= 0 or garment.top > 0
    ):
        shell = _shell(garment, body)
        if shell is not None:
            out.append(shell)
    if garment.skirt > 0:
        out.append(_skirt(garment, body))
    return out


def _surface(look: Look) -> Surface:
    return Surface(
        texture=WHITE, tint=look.tint, recolor=True, contrast=0.0, gloss=look.gloss, scatter=0.08,
        wrinkles=look.wrinkles, pattern=look.pattern, crease=look.crease,
    )  # fmt: skip


def _shell(garment: Garment, body: PosedAnatomy) -> Part | None:
    mesh, region, level = anatomy(), body_regions(), _levels(body)
    rest = body.rest
    y = rest[:, 1]
    waist, neck = level[skeleton.LOWER_SPINE][1] + 0.04, level[skeleton.NECK][1]
    crotch = level[skeleton.HIPS[LEFT]][1] - 0.06
    covered = np.zeros(len(rest), bool)
    along = np.full(len(rest), -1.0)
    for (shoulder, _, wrist), sign in zip(skeleton.ARMS, (1, -1), strict=True):
        start, stop = level[shoulder], level[wrist]
        axis = stop - start
        here = sign * rest[:, 0] > 0
        along[here] = (rest[here] - start) @ axis / (axis @ axis)
    arm = region.arm > 0.5
    leg = region.leg > 0.5
    trunk = ~arm & ~leg & (region.head < 0.5)
    low = waist - garment.bottom * (waist - crotch)
    if garment.top > 0:
        high = waist + garment.top * (neck - waist) + 0.012
        # The neckline dips towards the middle.
        dip = np.clip(1 - np.abs(rest[:, 0]) / 0.09, 0, 1) * 0.05 * (rest[:, 2] > 0)
        covered |= (
            trunk & (y < high + 0.05 * np.clip(np.abs(rest[:, 0]) / 0.12, 0, 1) - dip) & (y > low)
        )
        covered |= leg & (y > low)
        if garment.arms >= 0:
            covered |= arm & (along < garment.arms) & (region.hand < 0.6)
        else:
            covered |= arm & (along < -0.08)
    if garment.legs >= 0:
        ankle = level[skeleton.ANKLES[LEFT]][1] + 0.01
        end = crotch - garment.legs * (crotch - ankle)
        covered |= (trunk | leg) & (y < waist + 0.03) & (y > end) & (region.foot < 0.7)
    if garment.opening > 0:
        covered &= ~((np.abs(rest[:, 0]) < garment.opening) & (rest[:, 2] > 0) & ~arm)
    faces = mesh.faces[covered[mesh.faces].all(1)]
    if len(faces) < 60:
        return None
    used, inverse = np.unique(faces, return_inverse=True)
    faces = inverse.reshape(-1, 3).astype(np.int32)
    vertices = rest[used]
    normals = vertex_normals(rest, mesh.faces)[used]
    vertices = _relaxed(vertices, faces, normals, garment)
    place = used.astype(np.int64)
    posed = body.carry(vertices, body.matrices[place])
    uvs = np.zeros((1, 2), np.float32)
    return Part(
        garment.kind, LABEL[garment.kind], vertices.astype(np.float32), posed, faces, uvs,
        np.zeros_like(faces), _surface(garment.look),
    )  # fmt: skip


def _relaxed(
    vertices: np.ndarray, faces: np.ndarray, normals: np.ndarray, garment: Garment
) -> np.ndarray:
    """Push a shell out, smooth it, and keep it off the skin."""
    edges = directed_edges(faces)
    a = np.concatenate([edges[:, 0], edges[:, 1]])
    b = np.concatenate([edges[:, 1], edges[:, 0]])
    degree = np.bincount(a, minlength=len(vertices))
    border = np.zeros(len(vertices), bool)
    key = np.sort(edges, 1)
    distinct, counts = np.unique(key, axis=0, return_counts=True)
    border[distinct[counts == 1]] = True

    def mean(values: np.ndarray) -> np.ndarray:
        out = np.stack([np.bincount(a, values[b, k], len(vertices)) for k in range(3)], 1)
        return out / np.maximum(degree, 1)[:, None]

    out = vertices + (garment.offset + garment.loose) * normals
    for _ in range(garment.smooth):
        moved = mean(out)
        moved[border] = 0.5 * (moved[border] + out[border])
        out = moved
        gap = ((out - vertices) * normals).sum(1)
        out = out + np.maximum(garment.offset - gap, 0)[:, None] * normals
    return out


def _skirt(garment: Garment, body: PosedAnatomy) -> Part:
    region, level = body_regions(), _levels(body)
    index = body_model().joint_index
    waist = level[skeleton.LOWER_SPINE][1] + 0.05
    ankle = level[skeleton.ANKLES[LEFT]][1]
    hem = waist - garment.skirt * (waist - ankle)
    rows, columns = 26, 84
    angle = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    direction = np.stack([np.sin(angle), np.cos(angle)], 1)  # x, z
    own = region.skin[(region.arm[region.skin] < 0.3)]
    points = body.rest[own]
    centre = level[skeleton.LOWER_SPINE][[0, 2]] * [0, 1]
    rings = []
    before = np.zeros(columns)
    for k, y in enumerate(np.linspace(waist, hem, rows)):
        near = points[np.abs(points[:, 1] - y) < 0.035]
        reach = ((near[:, [0, 2]] - centre) @ direction.T).max(0) if len(near) > 4 else before
        reach = np.maximum(reach, before * 0.985)
        before = reach
        fall = waist - y
        wave = garment.swing * (k / rows) * np.sin(garment.waves * angle + np.sin(2 * angle))
        radius = reach + garment.offset + 0.004 + garment.flare * fall + wave
        ring = np.empty((columns, 3))
        ring[:, [0, 2]] = centre + direction * radius[:, None]
        ring[:, 1] = y
        rings.append(ring)
    rest = np.concatenate(rings).astype(np.float32)
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns)).ravel()
    second = (np.arange(rows - 1)[:, None] * columns + (np.arange(columns) + 1) % columns).ravel()
    if garment.opening > 0:
        wide = np.arctan2(garment.opening, 0.12)
        keep = np.tile(np.abs(angle) > wide, rows - 1)
        first, second = first[keep], second[keep]
    faces = np.concatenate(
        [
            np.stack([first, first + columns, second], 1),
            np.stack([second, first + columns, second + columns], 1),
        ]
    ).astype(np.int32)
    # Skinning: hips at the waist, then both thighs by side, then knees.
    hip, knee = level[skeleton.HIPS[LEFT]][1], level[skeleton.KNEES[LEFT]][1]
    legs = np.clip((waist - 0.02 - rest[:, 1]) / max(0.1, waist - knee), 0, 1)[:, None] * 0.92
    left = 1 / (1 + np.exp(-rest[:, :1] / 0.06))
    shank = 0.5 * np.clip((knee + 0.08 - rest[:, 1:2]) / max(0.1, hip - knee), 0, 1)
    weights = np.concatenate(
        [1 - legs, legs * left * (1 - shank), legs * (1 - left) * (1 - shank), legs * left * shank,
         legs * (1 - left) * shank], 1,
    )  # fmt: skip
    joints = [index[n] for n in (skeleton.ROOT, *skeleton.HIPS, *skeleton.KNEES)]
    matrices = np.einsum("vk,kij->vij", weights, body.transforms[joints])
    posed = body.carry(rest, matrices)
    return Part(
        garment.kind, LABEL[garment.kind], rest, posed, faces, np.zeros((1, 2), np.float32),
        np.zeros_like(faces), _surface(garment.look),
    )  # fmt: skip


def random_garments(
    rng: np.random.Generator, female: bool, look: Callable[[], Look]
) -> tuple[Garment, ...]:
    """Something for the upper and the lower body, or a dress; perhaps a jacket or coat."""
    sleeves = float(rng.choice([-1.0, rng.uniform(0.2, 0.45), rng.uniform(0.5, 0.8), 0.97],
                               p=[0.12, 0.4, 0.1, 0.38]))  # fmt: skip
    loose = float(abs(rng.normal(0, 0.012)))
    smooth = int(rng.integers(2, 14))
    out: list[Garment] = []
    if female and rng.random() < 0.3:
        cloth = look()
        out.append(Garment("dress", cloth, arms=sleeves, bottom=0.2, loose=loose * 0.5,
                           smooth=smooth, skirt=float(rng.uniform(0.35, 0.98)),
                           flare=float(rng.uniform(0.0, 0.35)), waves=int(rng.integers(3, 14)),
                           swing=float(rng.uniform(0, 0.025))))  # fmt: skip
    else:
        if female and rng.random() < 0.3:
            out.append(Garment("bottom", look(), top=0.0, skirt=float(rng.uniform(0.3, 0.95)),
                               flare=float(rng.uniform(0.0, 0.4)), waves=int(rng.integers(3, 14)),
                               swing=float(rng.uniform(0, 0.025))))  # fmt: skip
        else:
            length = rng.uniform(0.93, 1.0) if rng.random() < 0.72 else rng.uniform(0.15, 0.6)
            out.append(Garment("bottom", look(), top=0.0,
                               legs=float(length),
                               offset=float(rng.uniform(0.004, 0.009)),
                               loose=float(abs(rng.normal(0, 0.014))),
                               smooth=int(rng.integers(1, 9))))  # fmt: skip
        out.append(Garment("top", look(), arms=sleeves, bottom=float(rng.uniform(0.25, 1.1)),
                           offset=float(rng.uniform(0.012, 0.018)), loose=loose,
                           smooth=smooth))  # fmt: skip
    if rng.random() < 0.25:
        opening = float(rng.uniform(0.02, 0.09)) if rng.random() < 0.75 else 0.0
        coat = rng.random() < 0.45
        out.append(Garment("coat", look(), arms=float(rng.uniform(0.9, 1.0)),
                           bottom=0.5 if coat else float(rng.uniform(0.2, 0.9)),
                           offset=float(rng.uniform(0.026, 0.034)),
                           loose=float(abs(rng.normal(0, 0.012))), smooth=int(rng.integers(4, 14)),
                           opening=opening, skirt=float(rng.uniform(0.3, 0.75)) if coat else 0.0,
                           flare=float(rng.uniform(0.02, 0.15)), waves=int(rng.integers(3, 9)),
                           swing=float(rng.uniform(0, 0.012))))  # fmt: skip
    return tuple(out)
