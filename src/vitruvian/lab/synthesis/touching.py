"""People who touch themselves: hands on hips, in pockets, on a strap, at chin, ear or hair.

Captured poses seldom do, people in the street mostly do. A hand is brought to a place on the body's
surface, or to something held before it, by inverse kinematics of clavicle, shoulder, elbow and
wrist, which set out from the arm of that captured pose whose hand is near there. The arm stays near
captured ones and inside their limits, and out of the body.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vitruvian.body.fit.pose_prior import pose_prior
from vitruvian.body.model.model import PointSet, Posed, body_model
from vitruvian.body.model.skeleton import (
    ACTIVE_JOINTS,
    CLAVICLES,
    ELBOWS,
    LEFT,
    SHOULDERS,
    UPPER_SPINE,
    WRISTS,
    finger,
)
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.lab.synthesis.poses import captured_poses, on_seats, posed_joints
from vitruvian.lab.synthesis.touch_places import GESTURES, Gesture, place_vertices

_CLOTH_M = (0.0, 0.025)  # of cloth and hair between palm and skin, from and to
_HELD_M = (0.08, 0.42)  # how far before the body something may be held
_NEAREST = 10  # captured arms to choose from
_TRIES = 4
_STEPS = 14
# Standard deviations of the residuals: palm's place, which way it looks, depth in the body.
_PALM_SD, _FACING_SD, _HELD_FACING_SD, _INSIDE_SD = 0.006, 0.35, 1.5, 0.006
_PRIOR_WEIGHT, _LIMIT_WEIGHT = 0.35, 13.0
# What an arm has to keep: metres from its palm to the place, of its deepest point in the body.
_MOST_OFF, _MOST_INSIDE = 0.02, 0.02
_MOST_BEYOND = 0.12  # radians beyond a joint's limit
_STRIDE = 5  # every so many vertices are obstacles


@dataclass(frozen=True)
class _Arm:
    """One arm's points: palm, back of the hand, then ``radii`` (N,) of spheres along its bones."""

    joints: np.ndarray
    rows: np.ndarray
    points: PointSet
    radii: np.ndarray
    own: np.ndarray


@lru_cache(maxsize=2)
def _arm(side: int) -> _Arm:
    body = body_model()
    index = body.joint_index
    names = [pair[side] for pair in (CLAVICLES, SHOULDERS, ELBOWS, WRISTS)]
    joints = np.array([index[name] for name in names])
    rows = np.array([ACTIVE_JOINTS.index(name) - 1 for name in names])
    palm, back = _palm(side)
    shoulder, elbow, wrist = joints[1:]
    knuckle = index[finger(3, 1)[side]]
    tip = index[finger(3, 3)[side]]
    # Bones by their ends and the joint that carries them, and how far along, and how thick.
    spheres = [
        (shoulder, elbow, shoulder, 0.55, 0.042), (shoulder, elbow, shoulder, 0.8, 0.04),
        (elbow, wrist, elbow, 0.0, 0.04), (elbow, wrist, elbow, 0.33, 0.036),
        (elbow, wrist, elbow, 0.66, 0.03), (wrist, knuckle, wrist, 0.0, 0.025),
        (knuckle, tip, wrist, 0.0, 0.014), (knuckle, tip, wrist, 0.8, 0.009),
    ]  # fmt: skip
    start, end = np.array([s[0] for s in spheres]), np.array([s[1] for s in spheres])
    along = np.array([s[3] for s in spheres])[:, None]
    bones = body.joint_template
    moves = body.joint_directions
    skin = body.vertex_points(np.array([palm, back]))
    carried = np.zeros((len(spheres), skin.joints.shape[1]), np.int64)
    carried[:, 0] = [s[2] for s in spheres]
    weights = np.zeros(carried.shape)
    weights[:, 0] = 1
    points = PointSet(
        np.concatenate([skin.template, bones[start] * (1 - along) + bones[end] * along]),
        np.concatenate(
            [skin.directions, moves[:, start] * (1 - along) + moves[:, end] * along], axis=1
        ),
        np.concatenate([skin.joints, carried]),
        np.concatenate([skin.weights, weights]),
    )
    below = np.zeros(len(body.parents), bool)
    below[[joints[0], shoulder]] = True
    for joint, parent in enumerate(body.parents):
        below[joint] |= parent >= 0 and below[parent]
    own = np.asarray((body.skin_weights * below[body.skin_joints]).sum(1) > 0.3)
    return _Arm(joints, rows, points, np.array([s[4] for s in spheres]), own)


def _palm(side: int) -> tuple[int, int]:
    """Vertices in the middle of a hand's palm and of its back."""
    body = body_model()
    index, joints = body.joint_index, body.joint_template
    wrist = joints[index[WRISTS[LEFT]]]
    fore, middle, little = (joints[index[finger(n, 1)[LEFT]]] for n in (2, 3, 5))
    normal = np.cross(middle - wrist, fore - little)
    normal /= np.linalg.norm(normal)
    away = body.template - (wrist + 0.65 * (middle - wrist))
    near = np.flatnonzero(np.linalg.norm(away, axis=1) < 0.04)
    ahead = away[near] @ normal - np.linalg.norm(np.cross(away[near], normal), axis=1)
    behind = -away[near] @ normal - np.linalg.norm(np.cross(away[near], normal), axis=1)
    pair = int(near[ahead.argmax()]), int(near[behind.argmax()])
    return pair if side == LEFT else tuple(int(v) for v in body.vertex_mirror[list(pair)])  # type: ignore[return-value]


@lru_cache(maxsize=1)
def _captured_arms() -> tuple[np.ndarray, np.ndarray]:
    """Rotations (N, 4, 3) of left arms, and where (N, 3) their wrists are from the upper spine."""
    body = body_model()
    poses = captured_poses()[0].astype(np.float64)
    both = np.concatenate([poses, np.stack([body.mirrored_pose(pose) for pose in poses])])
    both[:, 0] = 0
    arm = _arm(LEFT)
    chest = body.joint_index[UPPER_SPINE]
    chain = [0]
    while chest not in chain:
        chain.append(int(_towards(chain[-1], chest)))
    turned = np.tile(np.eye(3), (len(both), 1, 1))
    for joint in chain:
        turned = turned @ matrix_from_axis_angle(both[:, joint])
    joints = posed_joints(both)
    away = joints[:, arm.joints[3]] - joints[:, chest]
    return both[:, arm.joints], np.einsum("nba,nb->na", turned, away)


def _towards(joint: int, goal: int) -> int:
    """The child of ``joint`` on the way to ``goal`` below it."""
    parents = body_model().parents
    while parents[goal] != joint:
        goal = int(parents[goal])
    return goal


@dataclass(frozen=True)
class _Goal:
    """Where (3,) a palm goes, the direction (3,) that the surface looks there, and how firmly the
    palm looks back at it (``facing_sd``); obstacles: (N, 3) points and (N, 3) normals."""

    place: np.ndarray
    normal: np.ndarray
    facing_sd: float
    obstacles: np.ndarray
    normals: np.ndarray


def touching(rng: np.random.Generator, betas: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """A pose (J, 3) with one or both hands on the body or holding something before it.

    The pose as it was where no arm gets there without leaving its limits or entering the body.

    Args:
        rng: random numbers.
        betas: (K,) of the body that touches itself.
        pose: (J, 3) axis-angle of the rest of it.
    """
    sits = bool(on_seats(pose[None])[0])
    fitting = [g for g in GESTURES if g.sits is None or g.sits == sits]
    shares = np.array([g.share for g in fitting])
    gesture = fitting[int(rng.choice(len(fitting), p=shares / shares.sum()))]
    out = np.array(pose, np.float64)
    first = int(rng.integers(2))
    for side in (first, 1 - first) if rng.random() < gesture.both else (first,):
        reached = _reached(rng, betas, out, gesture, side)
        out = out if reached is None else reached
    return out


def _reached(
    rng: np.random.Generator, betas: np.ndarray, pose: np.ndarray, gesture: Gesture, side: int
) -> np.ndarray | None:
    body = body_model()
    posed = body.forward(betas, pose)
    arm = _arm(side)
    normals = vertex_normals(posed.vertices, body.faces)
    solid = np.flatnonzero((body.components == 0) & ~arm.own)[::_STRIDE]
    vertex = int(rng.choice(place_vertices(gesture, side)))
    normal = normals[vertex].astype(np.float64)
    held = rng.random() < gesture.held
    gap = rng.uniform(*(_HELD_M if held else _CLOTH_M))
    goal = _Goal(
        posed.vertices[vertex] + gap * normal, normal, _HELD_FACING_SD if held else _FACING_SD,
        posed.vertices[solid].astype(np.float64), normals[solid].astype(np.float64),
    )  # fmt: skip
    starts = _starts(rng, posed, goal.place, side, body.stature(betas))
    for start in starts[:_TRIES]:
        found = _solved(betas, pose, posed, arm, goal, start)
        if found is not None:
            return found
    return None


def _starts(
    rng: np.random.Generator, posed: Posed, place: np.ndarray, side: int, stature: float
) -> np.ndarray:
    """Rotations (N, 4, 3) of captured arms whose hands are near a place, in random order."""
    body = body_model()
    chest = body.joint_index[UPPER_SPINE]
    away = posed.rotations[chest].T @ (place - posed.joints[chest])
    away = away * body.stature(np.zeros(1)) / stature
    mirror = np.array([1.0, 1, 1]) if side == LEFT else np.array([-1.0, 1, 1])
    arms, wrists = _captured_arms()
    near = np.argsort(np.linalg.norm(wrists - away * mirror, axis=1))[:_NEAREST]
    chosen = arms[rng.permutation(near)]
    # Reflected about x = 0, a rotation keeps its x and turns the other way about y and z.
    return chosen if side == LEFT else chosen * [1.0, -1, -1]


def _solved(
    betas: np.ndarray,
    pose: np.ndarray,
    posed: Posed,
    arm: _Arm,
    goal: _Goal,
    start: np.ndarray,
) -> np.ndarray | None:
    """The pose with the palm at its goal, by damped Gauss-Newton from an arm's rotations (4, 3)."""
    rotations = matrix_from_axis_angle(pose)
    rotations[arm.joints] = matrix_from_axis_angle(start)
    damping = 1e-2
    residual, rows, last = _residuals(betas, rotations, posed.joints[0], arm, goal)
    for _ in range(_STEPS):
        normal = rows.T @ rows
        normal[np.diag_indices(12)] *= 1 + damping
        step = -np.linalg.solve(normal, rows.T @ residual)
        step *= min(1.0, 0.6 / max(float(np.abs(step).max()), 1e-9))
        tried = rotations.copy()
        tried[arm.joints] = matrix_from_axis_angle(step.reshape(4, 3)) @ rotations[arm.joints]
        other = _residuals(betas, tried, posed.joints[0], arm, goal)
        if other[0] @ other[0] < residual @ residual:
            rotations, damping = tried, damping * 0.3
            residual, rows, last = other
        else:
            damping *= 6
    off, inside, beyond = last
    if off > _MOST_OFF or inside > _MOST_INSIDE or beyond > _MOST_BEYOND:
        return None
    out = np.array(pose, np.float64)
    out[arm.joints] = axis_angle_from_matrix(rotations[arm.joints])
    return out


def _residuals(
    betas: np.ndarray, rotations: np.ndarray, root: np.ndarray, arm: _Arm, goal: _Goal
) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
    """Residuals (M,), derivatives (M, 12), and what is left: metres that the palm is off, metres
    of the arm inside the body, radians beyond the joints' limits."""
    body = body_model()
    points, derivative = body.evaluate(arm.points, betas, rotations, root, arm.joints)
    assert derivative is not None
    derivative = derivative[:, :, :12]
    palm, back, spheres = points[0], points[1], points[2:]
    off = palm - goal.place
    thick = max(float(np.linalg.norm(back - palm)), 1e-3)
    facing = (back - palm) / thick - goal.normal
    turned = (derivative[1] - derivative[0]) / thick
    # How deep each sphere is in what is nearest to it.
    apart = spheres[:, None] - goal.obstacles
    nearest = np.einsum("sna,sna->sn", apart, apart).argmin(1)
    normals = goal.normals[nearest]
    height = np.einsum("sa,sa->s", spheres - goal.obstacles[nearest], normals)
    depth = np.maximum(arm.radii - height, 0)
    pushed = -np.einsum("sau,sa->su", derivative[2:], normals) * (depth > 0)[:, None]
    prior = pose_prior()
    turns = axis_angle_from_matrix(rotations[arm.joints]).ravel()
    columns = (3 * arm.rows[:, None] + np.arange(3)).ravel()
    whitening, mean = _arm_prior(tuple(columns))
    beyond = turns - np.clip(turns, prior.lower[columns], prior.upper[columns])
    unit = np.eye(12)
    residual = np.concatenate([
        off / _PALM_SD, facing / goal.facing_sd, depth / _INSIDE_SD,
        _PRIOR_WEIGHT * whitening @ (turns - mean), _LIMIT_WEIGHT * beyond,
    ])  # fmt: skip
    rows = np.concatenate([
        derivative[0] / _PALM_SD, turned / goal.facing_sd, pushed / _INSIDE_SD,
        _PRIOR_WEIGHT * whitening, _LIMIT_WEIGHT * unit * (beyond != 0)[:, None],
    ])  # fmt: skip
    left = float(np.linalg.norm(off)), float(depth.max()), float(np.abs(beyond).max())
    return residual, rows, left


@lru_cache(maxsize=2)
def _arm_prior(columns: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Whitening (12, 12) and mean (12,) of an arm's turns among captured poses."""
    prior = pose_prior()
    spread = np.linalg.inv(prior.whitening)
    covariance = (spread @ spread.T)[np.ix_(columns, columns)]
    return np.linalg.inv(np.linalg.cholesky(covariance)), prior.mean[list(columns)]
