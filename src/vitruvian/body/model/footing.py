"""Feet that neither slide nor sink: a captured motion on legs and soles of another size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.skeleton import ANKLES, FOOT_STEMS, HIPS, KNEES, TOES
from vitruvian.types.mesh import Mesh

_REACH = 0.998  # of a leg's length: knees that are quite straight snap
_SOLE_M = 0.04  # how far above its lowest point a sole may rise towards heel and toes
_BINS = 8  # along the foot
_LEAST_POINTS = 3
_SPREAD = 2  # frames over which a root that has to be lower gets there


@dataclass(frozen=True)
class Sole:
    """Where a foot may touch the ground.

    Attributes:
        points: (N, 3) at rest, from the ankle, metres.
        on_toes: (N,) bool, whether they turn with the toes; the others turn with the foot.
    """

    points: np.ndarray
    on_toes: np.ndarray


def soles(mesh: Mesh, joint_names: tuple[str, ...], joints: np.ndarray) -> list[Sole] | None:
    """The soles of both feet, left first, as the mesh has them: with shoes where it wears some.

    Args:
        mesh: at rest in the frame ``body``, with its skin.
        joint_names, joints: J names and (J, 3) rest positions of the body's joints.

    Returns:
        None when the mesh has no feet, as of a bust.
    """
    assert mesh.skin_joints is not None
    assert mesh.skin_weights is not None
    rows = np.arange(len(mesh.vertices))
    carrier = mesh.skin_joints[rows, mesh.skin_weights.argmax(1)]
    found = []
    for side, ankle, toes in zip("LR", ANKLES, TOES, strict=True):
        of_foot = [
            name.startswith(FOOT_STEMS) and name.endswith(f".{side}") for name in joint_names
        ]
        mine = mesh.vertices[np.isin(carrier, np.flatnonzero(of_foot))].astype(np.float64)
        if len(mine) < _LEAST_POINTS:
            return None
        mine = mine[mine[:, 1] < mine[:, 1].min() + _SOLE_M]
        place = joints[joint_names.index(ankle)]
        ball = joints[joint_names.index(toes)]
        # The lowest of every part of its length, on either side.
        share = (mine[:, 2] - mine[:, 2].min()) / max(np.ptp(mine[:, 2]), 1e-6)
        cell = np.minimum((share * _BINS).astype(int), _BINS - 1) * 2
        cell += mine[:, 0] > (place[0] + ball[0]) / 2
        lowest = [np.flatnonzero(cell == c) for c in np.unique(cell)]
        points = np.array([mine[one[mine[one, 1].argmin()]] for one in lowest])
        found.append(Sole(points - place, points[:, 2] > ball[2]))
    return found


def grounded(
    parents: np.ndarray,
    joint_index: dict[str, int],
    joints: np.ndarray,
    rotations: np.ndarray,
    roots: np.ndarray,
    lifts: np.ndarray,
    advance: np.ndarray,
    feet: list[Sole],
) -> tuple[np.ndarray, np.ndarray]:
    """A cycle of motion with its feet put on the ground.

    While a foot stands it rolls over its lowest point without slipping; between, it goes from one
    place to the next as captured, as high above the ground as captured. The legs follow by their
    two bones, and the root goes down where they are too short.

    Args:
        parents: (J,).
        joint_index: numbers of the joints by name.
        joints: (J, 3) at rest, metres.
        rotations: (T, J, 3, 3) local, of a cycle whose last key is followed by the first.
        roots: (T, 3) positions of the root joint, on the spot, metres.
        lifts: (T, 2) how far the soles of the left and the right foot are above the ground,
            metres; 0 while they stand.
        advance: (3,) how far the ground goes back beneath the feet from key to key, metres.
        feet: left and right.

    Returns:
        Local rotations (T, J, 3, 3) and roots (T, 3).
    """
    turns = global_turns(parents, rotations)
    roots = roots.copy()
    ankles = []
    for side, sole in enumerate(feet):
        here, points = tread(sole, side, joint_index, joints, turns)
        here = here + roots
        goal = here + _planted(here, points, lifts[:, side] <= 0, advance)
        goal[:, 1] = lifts[:, side] - points[..., 1].min(1)
        ankles.append(goal)
    drop = np.zeros(len(roots))
    for side, goal in enumerate(ankles):
        hip, knee, ankle = (joint_index[p[side]] for p in (HIPS, KNEES, ANKLES))
        top = roots + turns[:, 0] @ (joints[hip] - joints[0])
        length = _length(joints[knee] - joints[hip]) + _length(joints[ankle] - joints[knee])
        level = np.hypot(*(goal - top)[:, [0, 2]].T)
        high = np.sqrt(np.maximum((_REACH * length) ** 2 - level**2, 0))
        standing = lifts[:, side] <= 0
        drop = np.maximum(drop, np.where(standing, top[:, 1] - goal[:, 1] - high, 0))
    roots[:, 1] -= _eased(drop)
    for side, goal in enumerate(ankles):
        chain = tuple(joint_index[pair[side]] for pair in (HIPS, KNEES, ANKLES))
        _bend_leg(turns, joints, roots, chain, goal)
    return _local(parents, rotations, turns, joint_index), roots


def tread(
    sole: Sole, side: int, joint_index: dict[str, int], joints: np.ndarray, turns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where a foot goes: its ankle (T, 3) from the root joint, its sole (T, N, 3) from the ankle.

    Args:
        sole: of the foot.
        side: 0 left, 1 right.
        joint_index: numbers of the joints by name.
        joints: (J, 3) at rest, metres.
        turns: (T, J, 3, 3) global rotations.
    """
    hip, knee, ankle, toes = (joint_index[p[side]] for p in (HIPS, KNEES, ANKLES, TOES))
    place = (
        turns[:, 0] @ (joints[hip] - joints[0])
        + turns[:, hip] @ (joints[knee] - joints[hip])
        + turns[:, knee] @ (joints[ankle] - joints[knee])
    )
    ball = joints[toes] - joints[ankle]
    points = np.where(
        sole.on_toes[:, None],
        (turns[:, ankle] @ ball)[:, None] + (sole.points - ball) @ turns[:, toes].swapaxes(1, 2),
        sole.points @ turns[:, ankle].swapaxes(1, 2),
    )
    return place, points


def global_turns(parents: np.ndarray, rotations: np.ndarray) -> np.ndarray:
    """Global rotations (T, J, 3, 3) of local ones, likewise."""
    turns = rotations.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            turns[:, joint] = turns[:, parent] @ rotations[:, joint]
    return turns


def _local(
    parents: np.ndarray, rotations: np.ndarray, turns: np.ndarray, index: dict[str, int]
) -> np.ndarray:
    """Local rotations, of which only those of the legs have changed."""
    out = rotations.copy()
    for name in (*HIPS, *KNEES, *ANKLES):
        joint = index[name]
        # Twist bones between the joints do not turn: their globals are those before.
        above = parents[joint]
        names = {index[one] for one in (*HIPS, *KNEES, *ANKLES)} | {0}
        while above not in names:
            above = parents[above]
        out[:, joint] = turns[:, above].swapaxes(1, 2) @ turns[:, joint]
    return out


def _planted(
    ankle: np.ndarray, points: np.ndarray, stands: np.ndarray, advance: np.ndarray
) -> np.ndarray:
    """(T, 3) by how much an ankle has to move, level, for its foot not to slip while it stands."""
    count = len(ankle)
    out = np.zeros((count, 3))
    if not stands.any():
        return out
    if stands.all():
        return np.asarray((ankle.mean(0) - ankle) * (1, 0, 1))
    starts = np.flatnonzero(stands & ~np.roll(stands, 1))
    spans = []
    for start in starts:
        keys = [start]
        while stands[(keys[-1] + 1) % count]:
            keys.append(keys[-1] + 1)
        places = np.array(keys)
        now = points[places % count]
        rolled = np.zeros((len(keys), 3))
        for step in range(1, len(keys)):
            pivot = (now[step - 1] + now[step])[:, 1].argmin()
            rolled[step] = rolled[step - 1] + now[step - 1, pivot] - now[step, pivot]
        # On the ground, that goes back beneath a person on the spot.
        off = rolled - places[:, None] * advance - ankle[places % count]
        off = (off - off.mean(0)) * (1, 0, 1)
        out[places % count] = off
        spans.append((start, start + len(keys) - 1, off[0], off[-1]))
    for (_, last, _, before), (first, _, after, _) in zip(
        spans, spans[1:] + [(spans[0][0] + count, *spans[0][1:])], strict=True
    ):
        between = np.arange(last + 1, first)
        share = (between - last) / (first - last)
        share = share * share * (3 - 2 * share)
        out[between % count] = before + share[:, None] * (after - before)
    return out


def _eased(drop: np.ndarray) -> np.ndarray:
    """At least ``drop`` (T,), without jumps, around a cycle."""
    shifts = range(-_SPREAD, _SPREAD + 1)
    widest = np.max([np.roll(np.maximum(drop, 0), shift) for shift in shifts], 0)
    return np.asarray(np.mean([np.roll(widest, shift) for shift in shifts], 0))


def _bend_leg(
    turns: np.ndarray,
    joints: np.ndarray,
    roots: np.ndarray,
    chain: tuple[int, ...],
    goal: np.ndarray,
) -> None:
    """Turn a leg's two bones (global rotations, in place) so that the ankle is at ``goal``."""
    hip, knee, ankle = chain
    top = roots + turns[:, 0] @ (joints[hip] - joints[0])
    upper = turns[:, hip] @ (joints[knee] - joints[hip])
    lower = turns[:, knee] @ (joints[ankle] - joints[knee])
    first, second = _length(joints[knee] - joints[hip]), _length(joints[ankle] - joints[knee])
    way = goal - top
    distance = np.linalg.norm(way, axis=1, keepdims=True)
    along = way / distance
    distance = np.clip(distance, 1.02 * abs(first - second), _REACH * (first + second))
    aim = _between(upper + lower, along)
    # The knee stays on its side; of a straight leg that is ahead.
    ahead = (aim @ turns[:, hip])[..., 2]
    side = _applied(aim, upper) + 0.01 * first * ahead
    side -= (side * along).sum(1, keepdims=True) * along
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    part = (first**2 - second**2 + distance**2) / (2 * distance)
    bent = part * along + np.sqrt(np.maximum(first**2 - part**2, 0)) * side
    turns[:, hip] = _between(_applied(aim, upper), bent) @ aim @ turns[:, hip]
    turns[:, knee] = _between(_applied(aim, lower), distance * along - bent) @ aim @ turns[:, knee]


def _length(vector: np.ndarray) -> float:
    return float(np.linalg.norm(vector))


def _applied(turn: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.asarray((turn @ vectors[..., None])[..., 0])


def _between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(T, 3, 3) the smallest rotations of directions (T, 3) into others that are not opposite."""
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    b = b / np.linalg.norm(b, axis=1, keepdims=True)
    x, y, z = np.cross(a, b).T
    zero = np.zeros_like(x)
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).reshape(-1, 3, 3)
    cosine = (a * b).sum(1)[:, None, None]
    return np.asarray(np.eye(3) + cross + cross @ cross / (1 + cosine))
