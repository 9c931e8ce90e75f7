"""Hoods and scarves, grown from the head and the neck of the body that wears them.

A scarf is a thick band laid tightly around the neck and its collar, with ends that hang down the
chest. A hood that is up is the head's support function pushed outwards, open before the face; one
that is down is a band that swells towards the back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import HEAD, NECK, UPPER_NECK
from vitruvian.lab.synthesis.accessories import band, carriers_of, tight_loop
from vitruvian.lab.synthesis.garments import Garment, Look, body_regions
from vitruvian.lab.synthesis.parts import LABEL, WHITE, Part, PosedAnatomy, Surface

KINDS = ("hood", "hood down", "scarf")


@dataclass(frozen=True)
class Wrap:
    """Something around the head or the neck.

    Attributes:
        kind: one of ``KINDS``; label: a name of ``PART_LABELS``.
        look: how the cloth looks.
        thickness: metres of a scarf's roll, or that a hood stands off the head.
        width: metres of a scarf's roll from its lower to its upper edge.
        tilt: radians by which the front is lower than the back.
        opening: half the angle, in radians, that a hood leaves open before the face.
        tails: metres that each of a scarf's ends hangs down, left and right; 0 = none.
    """

    kind: str
    label: str
    look: Look
    thickness: float = 0.035
    width: float = 0.09
    tilt: float = 0.35
    opening: float = 1.05
    tails: tuple[float, float] = (0.0, 0.0)


def wrap_parts(wrap: Wrap, body: PosedAnatomy, worn: Sequence[Part]) -> list[Part]:
    """The meshes of a wrap on a body that wears ``worn``."""
    if wrap.kind == "hood":
        return [_hood(wrap, body), *_roll(wrap, body, worn)]
    if wrap.kind == "hood down":
        return _roll(wrap, body, worn)
    return [*_roll(wrap, body, worn), *_tails(wrap, body, worn)]


def without_hooded_hair(hair: Part, wrap: Wrap, body: PosedAnatomy) -> Part:
    """Hair without what a hood covers: the fringe before the face stays."""
    centre, axis, _ = _head(body)
    away = hair.rest - centre
    away = away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    outside = away @ axis > np.cos(wrap.opening - 0.06)
    keep = outside[hair.faces].all(1)
    return replace(hair, faces=hair.faces[keep], uv_faces=hair.uv_faces[keep])


def _head(body: PosedAnatomy) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle of the head at rest, where its face looks, and its skin (N, 3)."""
    region = body_regions()
    top = body.rest_joints[body_model().joint_index[HEAD], 1] - 0.03
    skin = region.skin[region.head[region.skin] > 0.8]
    points = body.rest[skin]
    points = points[points[:, 1] > top].astype(float)
    axis = np.array([0.0, -0.3, 1.0])
    return (points.min(0) + points.max(0)) / 2, axis / np.linalg.norm(axis), points


def _neck_skin() -> np.ndarray:
    region = body_regions()
    return region.skin[(region.arm[region.skin] < 0.3) & (region.leg[region.skin] < 0.3)]


def _surface(look: Look) -> Surface:
    return Surface(
        texture=WHITE, tint=look.tint, recolor=True, contrast=0.0, gloss=look.gloss, scatter=0.12,
        wrinkles=look.wrinkles, pattern=look.pattern, crease=look.crease,
    )  # fmt: skip


def _part(wrap: Wrap, body: PosedAnatomy, rest: np.ndarray, faces: np.ndarray) -> Part:
    carriers = carriers_of(body, _neck_skin(), rest)
    rest = rest.astype(np.float32)
    return Part(
        wrap.kind, LABEL[wrap.label], rest, body.carry(rest, carriers), faces,
        np.zeros((1, 2), np.float32), np.zeros_like(faces), _surface(wrap.look),
    )  # fmt: skip


def _hood(wrap: Wrap, body: PosedAnatomy) -> Part:
    """The shell around the head, open before the face."""
    centre, axis, points = _head(body)
    rows, columns = 20, 48
    tilt = np.linspace(wrap.opening, np.pi * 0.995, rows)
    turn = np.arange(columns) / columns * 2 * np.pi
    right = np.array([1.0, 0, 0])
    up = np.cross(axis, right)
    direction = (
        np.cos(tilt)[:, None, None] * axis
        + np.sin(tilt)[:, None, None] * (np.cos(turn)[:, None] * right + np.sin(turn)[:, None] * up)
    ).reshape(-1, 3)
    # The support function is smooth and never inside of what it supports.
    reach = ((points - centre) @ direction.T).max(0)
    loose = wrap.thickness * (1 + 0.5 * np.clip(-direction @ axis, 0, 1))
    rest = centre + direction * (reach + loose)[:, None]
    k = np.arange(columns)
    n = (k + 1) % columns
    first = (np.arange(rows - 1)[:, None] * columns + k).ravel()
    second = (np.arange(rows - 1)[:, None] * columns + n).ravel()
    faces = np.concatenate([
        np.stack([first, first + columns, second], 1),
        np.stack([second, first + columns, second + columns], 1),
    ])  # fmt: skip
    a, b, c = (rest[faces[:, k]] for k in range(3))
    if (np.cross(b - a, c - a) * (a - centre)).sum() < 0:
        faces = faces[:, ::-1]
    return _part(wrap, body, rest, np.ascontiguousarray(faces, np.int32))


def _neck_loop(
    wrap: Wrap, body: PosedAnatomy, worn: Sequence[Part], off: float
) -> tuple[np.ndarray, np.ndarray]:
    """Around the neck and what is worn there: 64 points and their outward normals."""
    index = body_model().joint_index
    origin = 0.4 * body.rest_joints[index[NECK]] + 0.6 * body.rest_joints[index[UPPER_NECK]]
    origin = np.array([0.0, origin[1], origin[2]])
    points = [body.rest[_neck_skin()], *(p.rest[p.used] for p in worn if len(p.faces))]
    cloud = np.concatenate(points).astype(float)
    cloud = cloud[(np.abs(cloud[:, 0]) < 0.085) & (np.abs(cloud[:, 2] - origin[2]) < 0.12)]
    deep = np.array([0.0, -np.sin(wrap.tilt), np.cos(wrap.tilt)])
    return tight_loop(cloud, origin, np.array([1.0, 0, 0]), deep, off)


def _roll(wrap: Wrap, body: PosedAnatomy, worn: Sequence[Part]) -> list[Part]:
    """What lies around the neck: a scarf's roll, or a hood's collar or sack."""
    count = 64
    if wrap.kind == "scarf":
        path, normal = _neck_loop(wrap, body, worn, 0.4 * wrap.thickness)
        phase = np.arange(count) / count * 2 * np.pi
        uneven = 1 + 0.18 * np.sin(3 * phase + 9 * wrap.width) + 0.1 * np.sin(7 * phase)
        width, thickness = wrap.width * uneven, wrap.thickness * uneven[::-1]
    else:
        path, normal = _neck_loop(wrap, body, worn, 0.006)
        behind = np.clip(-normal[:, 2], 0, 1) if wrap.kind == "hood down" else np.zeros(count)
        width, thickness = 0.05 + 0.10 * behind, 0.018 + 0.055 * behind
        path = path + normal * (0.4 * thickness)[:, None]
        path[:, 1] -= 0.045 * behind
    rest, faces, _ = band(path, normal, width, thickness, closed=True, sides=12)
    return [_part(wrap, body, rest, faces)]


def _tails(wrap: Wrap, body: PosedAnatomy, worn: Sequence[Part]) -> list[Part]:
    """The ends of a scarf: they hang from the roll's front, over the chest."""
    path, _ = _neck_loop(wrap, body, worn, 0.4 * wrap.thickness)
    skin = _neck_skin()
    cloth = [p.rest[p.used] for p in worn if len(p.faces)]
    cloud = np.concatenate([body.rest[skin], *cloth])
    out = []
    for length, sign in zip(wrap.tails, (1.0, -1.0), strict=True):
        if length <= 0:
            continue
        x = sign * 0.045
        start = path[((path - [x, 0, 1]) ** 2 * [1, 0, 1]).sum(1).argmin()]
        near = cloud[np.abs(cloud[:, 0] - x) < 0.05]
        line = np.empty((20, 3))
        z = start[2]
        for k, y in enumerate(np.linspace(start[1], start[1] - length, 20)):
            level = near[np.abs(near[:, 1] - y) < 0.03]
            # It falls straight from what stands out most, and leans back a little.
            z = max(z - 0.002, float(level[:, 2].max()) + 0.012 if len(level) else -np.inf)
            line[k] = x + sign * 0.02 * k / 20, y, z
        line[:, 2] = np.convolve(np.pad(line[:, 2], 1, "edge"), [0.25, 0.5, 0.25], "valid") + 0.004
        width = wrap.width * np.linspace(0.9, 1.15, 20)
        normal = np.tile([0.0, 0.0, 1.0], (20, 1))
        rest, faces, _ = band(line, normal, width, 0.012, closed=False)
        out.append(_part(wrap, body, rest, faces))
    return out


def random_wraps(
    rng: np.random.Generator, garments: Sequence[Garment], hat: bool, look: Callable[[], Look]
) -> tuple[Wrap, ...]:
    """Nothing for most; a hood of the outermost garment, up or down, or a scarf."""
    kind = rng.random()
    outer = [g for g in garments if g.kind in ("top", "coat")]
    if outer and kind < 0.16:
        up = not hat and rng.random() < 0.55
        return (Wrap(
            "hood" if up else "hood down", outer[-1].kind, outer[-1].look,
            thickness=float(rng.uniform(0.012, 0.03)), tilt=float(rng.uniform(0.25, 0.5)),
            opening=float(rng.uniform(0.95, 1.3)),
        ),)  # fmt: skip
    if kind < 0.27:
        tails = np.where(rng.random(2) < 0.55, rng.uniform(0.2, 0.55, 2), 0)
        return (Wrap(
            "scarf", "accessory", look(), thickness=float(rng.uniform(0.025, 0.045)),
            width=float(rng.uniform(0.07, 0.12)), tilt=float(rng.uniform(0.2, 0.5)),
            tails=(float(tails[0]), float(tails[1])),
        ),)  # fmt: skip
    return ()
