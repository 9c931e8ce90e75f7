"""Chains of joints in a skirt, and how they carry its shell.

Six chains hang around it, before, behind and beside each thigh. A point between two of them follows
both, so that what strides pull apart is drawn out evenly all around.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.avatar.beneath import body_levels, slimmed
from vitruvian.avatar.skin import photographed_motion, unposed
from vitruvian.avatar.tube import Axis
from vitruvian.body.model.hanging import along_the_ring, beside_each, link_way
from vitruvian.body.model.skeleton import HIPS, KNEES, LEFT, LEGS, RIGHT, ROOT, TOES
from vitruvian.geometry.rotations import shortest_turns
from vitruvian.surface.finish.skin_transfer import strongest_four
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.chains import COLUMNS, Chains
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG

_TOP = 0.3  # level (``tube``) at which chains begin, half way down short skirts
_LINK, _MOST_LINKS = 0.45, 4  # of a level: length of links, and how many at most
_LEGS_TAKE = (-0.15, 0.5)  # levels from which, at which, the pelvis carries nothing of the cloth
_TAKE = 0.3  # of a level, around where chains begin, over which they take it from thighs
_ASIDE = 1.1  # how soon cloth is of the thigh on its side alone
_BEND = 0.35  # of a link's length, around a joint, over which cloth goes from one to the next
_LOOSE = (0.0, 0.7)  # levels from which, at which, cloth swings between both legs
_OTHER = 0.38  # of the other leg, where it does, before and behind
_APART_M = 0.1  # between the legs' bones from which on each has its side
_SHANKS_TAKE = (0.75, 1.35)  # levels from which, at which, shanks draw it in place of thighs
_SEGMENTS = 3  # capsules of a bone
_RINGS, _EVERY = 2, 4  # rings of points for a link, and of the shell's angles, how many
_GIRTH = 85  # percentile of the legs' distances from their bones
_FEET, _FOOT_M = 1.6, 0.045  # hems below which feet count, and their radius
_HIP_M = 0.06  # least radius about the hips


def chain_levels(hem: float) -> np.ndarray:
    """(R + 1,) levels of the joints of a skirt with this hem, and of the hem."""
    top = min(_TOP, hem / 2)
    links = int(np.clip(round((hem - top) / _LINK), 1, _MOST_LINKS))
    return np.linspace(top, hem, links + 1)


def chains_of(body: Body, levels: np.ndarray, angles: np.ndarray, distance: np.ndarray) -> Chains:
    """The chains of a shell in the photograph's pose.

    Args:
        body: fitted, camera frame.
        levels: (N,) of its rings.
        angles, distance: (N, A) around them, from the right over the back on, and metres from the
            centre line.
    """
    model = body.model
    joint_levels = chain_levels(float(levels[-1]))
    angle = _of_columns(levels, angles, joint_levels, 2 * np.pi)
    away = _of_columns(levels, distance, joint_levels)
    # Chains of both sides are alike: what is seen on one alone is no reason to hang askew.
    mirrored = [3, 2, 1, 0, 5, 4]
    opposite = np.pi - angle[:, mirrored]
    angle = angle + ((opposite - angle + np.pi) % (2 * np.pi) - np.pi) / 2
    away = (away + away[:, mirrored]) / 2
    axis = Axis.of(model, body.joints)
    seen = axis.points(joint_levels[:, None], angle, away)
    thighs = np.array([model.joint_index[HIPS[_side(column)]] for column in COLUMNS])
    carriers = np.array([model.joint_index[name] for name in (*HIPS, *KNEES)])
    carried = _carried(axis, joint_levels)
    rest = unposed(
        photographed_motion(body),
        seen.reshape(-1, 3),
        np.broadcast_to(carriers, (carried[..., 0].size, len(carriers))),
        carried.reshape(-1, len(carriers)),
    ).reshape(seen.shape)
    return Chains(
        thighs,
        rest[0],
        rest[1:],
        _pointing(body, thighs, rest, seen),
        carriers,
        carried[1:],
        np.zeros((0, 0, 3)),
        np.zeros((0, 0, carried[1:, :, 0].size)),
        *_capsules(body, float(levels[-1])),
    )


def _of_columns(
    levels: np.ndarray, values: np.ndarray, wanted: np.ndarray, turn: float = 0.0
) -> np.ndarray:
    """(R, C) values (N, A) of rings, which grow by ``turn`` once around, where chains hang and at
    the levels ``wanted`` (R,)."""
    ring = np.array([np.interp(wanted, levels, column) for column in values.T]).T
    count = ring.shape[1]
    # From the left over the front; rings begin on the right.
    place = (np.arange(len(COLUMNS)) / len(COLUMNS) + 0.5) * count
    ends = np.concatenate([ring, ring + turn, ring[:, :1] + 2 * turn], 1)
    return np.array([np.interp(place, np.arange(2 * count + 1), row) for row in ends])


def _carried(axis: Axis, levels: np.ndarray) -> np.ndarray:
    """(R, C, 4) how much both thighs and both shanks draw along what is at the levels (R,)."""
    left = np.array([_side(column) == LEFT for column in COLUMNS])
    beside = np.array([column.startswith("side") for column in COLUMNS])
    loose = np.clip((levels - _LOOSE[0]) / (_LOOSE[1] - _LOOSE[0]), 0, 1)[:, None]
    own = 1 - loose * np.where(beside, 0, _OTHER)
    # Where legs cross, neither side is of either.
    own = 0.5 + _beside_each_other(axis, levels)[:, None] * (own - 0.5)
    legs = np.stack([np.where(left, own, 1 - own), np.where(left, 1 - own, own)], -1)
    shanks = _ramp(levels, *_SHANKS_TAKE)[:, None, None]
    return np.concatenate([legs * (1 - shanks), legs * shanks], -1)


def _beside_each_other(axis: Axis, levels: np.ndarray) -> np.ndarray:
    """(R,) 0..1, how far the left leg is to the left of the right one, at each level and above."""
    place = np.clip(np.searchsorted(axis.levels, levels), 0, len(axis.levels) - 1)
    apart = axis.legs[place, 0] - axis.legs[place, 1]
    aside = (apart * axis.frames[place, 0]).sum(1) / _APART_M
    return np.minimum.accumulate(np.clip(aside, 0, 1))


def _side(column: str) -> int:
    return LEFT if column.endswith(".L") else RIGHT


def _pointing(body: Body, thighs: np.ndarray, rest: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Local rotations (R, C, 3, 3) that lead every link from where it is at rest to where the
    photograph shows it; points (R + 1, C, 3)."""
    motion = photographed_motion(body)
    turn = motion.rotations[thighs]
    head = motion.shift[thighs] + np.einsum("cij,cj->ci", turn, rest[0])
    out = np.empty((len(rest) - 1, len(thighs), 3, 3))
    beside, beside_seen = beside_each(rest), beside_each(seen)
    for row in range(len(out)):
        bone = rest[row + 1] - rest[row]
        way = link_way(seen[row + 1], seen[row], head)
        swung = shortest_turns(np.einsum("cij,cj->ci", turn, bone), way) @ turn
        swung = along_the_ring(swung, way, beside[row + 1], beside_seen[row + 1])
        out[row] = turn.swapaxes(1, 2) @ swung
        turn, head = swung, head + np.einsum("cij,cj->ci", swung, bone)
    return out


def _capsules(body: Body, hem: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The legs that cloth stays out of: joints (K,), ends (K, 2, 3) from them, radii (K,)."""
    model = body.model
    vertices, joints = body.rest()
    vertices = vertices + slimmed(body, hem)
    level, index = body_levels(model), model.joint_index
    found_joints, ends, radii = [], [], []
    for part, leg, toe in zip((LEFT_LEG, RIGHT_LEG), LEGS, TOES, strict=True):
        places = np.array([joints[index[name]] for name in leg])
        for bone in range(2):
            start, way = places[bone], places[bone + 1] - places[bone]
            for segment in range(_SEGMENTS):
                low, high = segment / _SEGMENTS, (segment + 1) / _SEGMENTS
                mine = (model.regions.part == part) & (level > bone + low) & (level <= bone + high)
                offset = vertices[mine] - start
                along = np.clip(offset @ way / (way @ way), 0, 1)
                away = np.linalg.norm(offset - along[:, None] * way, axis=1)
                found_joints.append(index[leg[bone]])
                ends.append([low * way, high * way])
                radii.append(np.percentile(away, _GIRTH))
        if hem > _FEET:
            found_joints.append(index[leg[2]])
            ends.append([np.zeros(3), joints[index[toe]] - places[2]])
            radii.append(_FOOT_M)
    hips = np.array([joints[index[name]] for name in HIPS]) - joints[index[ROOT]]
    found_joints.append(index[ROOT])
    ends.append(list(0.5 * (hips + hips.mean(0))))
    radii.append(max(_HIP_M, 0.9 * radii[0]))
    return np.array(found_joints), np.array(ends, np.float64), np.array(radii, np.float64)


def chain_skin(
    model: ParametricModel, levels: np.ndarray, angles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Joints (N, 4) uint16 and weights (N, 4) float32 of a shell's outer side, row by row.

    Joints of the chains are numbered after the body's. Above, pelvis and thighs carry the cloth.
    """
    chained = _weights(float(levels[-1]), levels, angles)
    legs = np.maximum(_ramp(levels, *_LEGS_TAKE)[:, None] - chained.sum(2), 0)
    left = (1 + np.clip(np.cos(angles) * _ASIDE, -1, 1)) / 2
    upper = np.stack([1 - legs - chained.sum(2), legs * left, legs * (1 - left)], -1)
    weights = np.concatenate([upper, chained], 2).reshape(-1, 3 + chained.shape[2])
    strongest, kept = strongest_four(weights)
    own = [model.joint_index[name] for name in (ROOT, *HIPS)]
    numbers = np.concatenate([own, len(model.parents) + np.arange(chained.shape[2])])
    return numbers.astype(np.uint16)[strongest], kept


def with_points(chains: Chains, levels: np.ndarray, angles: np.ndarray, rest: np.ndarray) -> Chains:
    """The chains with points of the cloth that legs stay behind.

    ``rest`` (N, A, 3) is the shell at rest, of levels (N,) and angles (A,).
    """
    step = (len(levels) - 1) / (_RINGS * len(chains.tips) + 1)
    rows = np.unique(np.rint(np.arange(1, _RINGS * len(chains.tips) + 2) * step).astype(int))
    columns = np.arange(0, len(angles), _EVERY)
    return replace(
        chains,
        points=rest[rows[:, None], columns],
        point_weights=_weights(float(levels[-1]), levels[rows], angles[columns]),
    )


def _weights(hem: float, levels: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """(N, A, R C) how much every link carries what is at levels (N,) and angles (A,)."""
    ends = chain_levels(hem)
    taken = _ramp(levels, ends[0] - _TAKE / 2, ends[0] + _TAKE / 2)
    half = _BEND * np.diff(ends).min()
    past = [_ramp(levels, end - half, end + half) for end in ends[1:-1]]
    reached = np.stack([np.ones(len(levels)), *past, np.zeros(len(levels))])
    by_row = (reached[:-1] - reached[1:]) * taken  # (R, N)
    place = (angles / (2 * np.pi) * len(COLUMNS)) % len(COLUMNS)
    apart = np.abs(place - np.arange(len(COLUMNS))[:, None])
    by_column = np.clip(1 - np.minimum(apart, len(COLUMNS) - apart), 0, 1)  # (C, A)
    chained = np.einsum("rn,ca->narc", by_row, by_column)
    return np.asarray(chained.reshape(*chained.shape[:2], -1))


def _ramp(values: np.ndarray, start: float, end: float) -> np.ndarray:
    t = np.clip((values - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))
