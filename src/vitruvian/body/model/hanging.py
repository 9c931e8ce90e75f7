"""How the chains of a skirt hang while the body moves: a coarse cloth over capsules of legs.

Position based dynamics (Müller et al., 2007) on the joints of the chains: legs draw them along,
with inertia; links keep their length, rings give little, and legs stay inside. What is found are
rotations, so that it plays in any program.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.hanging_kernel import swing
from vitruvian.body.model.model import JointMotion, joint_motion
from vitruvian.geometry.rotations import matrix_from_axis_angle, shortest_turns
from vitruvian.types.chains import Chains

_SETTLE = 25  # steps until cloth is at rest in a pose that stays
_RUN_UP = 45  # keys of a cycle before its first
_CLOTH_M = 0.006  # between the middle of cloth and legs
_BESIDE_M = 0.05  # above and below a capsule at rest
_PULL = 0.4  # of its way to where the legs draw it, per step
_DRAG, _DRAG_STILL = 0.5, 1.0


@dataclass(frozen=True)
class Skeleton:
    """The body's joints and, after them, those of chains; in the convention of ``formats.Rig``.

    Attributes:
        parents: (J + E,) int64.
        joints: (J + E, 3) at rest, metres.
        chains: of the last E; None without any.
    """

    parents: np.ndarray
    joints: np.ndarray
    chains: Chains | None = None

    @staticmethod
    def of(parents: np.ndarray, joints: np.ndarray, chains: Chains | None = None) -> Skeleton:
        """That of a body whose J joints rest at ``joints`` (J, 3), with chains or without."""
        if chains is None:
            return Skeleton(np.asarray(parents, np.int64), joints)
        return Skeleton(
            np.concatenate([parents, chains.parents(len(parents))]).astype(np.int64),
            np.concatenate([joints, chains.joints]),
            chains,
        )

    @property
    def body_joints(self) -> int:
        """J, how many are the body's."""
        return len(self.parents) - (0 if self.chains is None else self.chains.tips[..., 0].size)

    def still(self, rotations: np.ndarray, translation: np.ndarray) -> JointMotion:
        """A pose (J, 3, 3) in which the chains hang as they do after a while.

        ``translation`` (3,) is where the root joint is.
        """
        if self.chains is None:
            return self.motion(rotations, translation)
        legs = _Legs.of(self, rotations[None], np.asarray(translation)[None])
        hung = _hung(self, self.chains, legs.at(np.zeros(_SETTLE, int)), _DRAG_STILL)[-1]
        return self.motion(np.concatenate([rotations, hung]), translation)

    def motion(self, rotations: np.ndarray, translation: np.ndarray) -> JointMotion:
        """A pose of all joints (J + E, 3, 3), the root joint at ``translation`` (3,)."""
        return joint_motion(self.parents, self.joints, rotations, translation)

    def moving(self, rotations: np.ndarray, roots: np.ndarray, *, cycle: bool = True) -> np.ndarray:
        """Rotations of all joints (T, J + E, 3, 3) while the body moves.

        Args:
            rotations: (T, J, 3, 3) of the body's joints, 30 keys a second.
            roots: (T, 3) of the root joint, metres.
            cycle: the last key is the first again.
        """
        if self.chains is None:
            return rotations
        legs = _Legs.of(self, rotations, roots)
        if cycle:
            count = len(rotations) - 1
            legs = legs.at(np.arange(-_RUN_UP, count) % count)
        else:
            legs = legs.at(np.maximum(np.arange(-_SETTLE, len(rotations)), 0))
        hung = _hung(self, self.chains, legs, _DRAG)
        hung = np.concatenate([hung[_RUN_UP:], hung[_RUN_UP:][:1]]) if cycle else hung[_SETTLE:]
        return np.concatenate([rotations, hung], 1)


@dataclass(frozen=True)
class _Legs:
    """What moves chains, step by step.

    Attributes:
        turns, places: (T, J, 3, 3) and (T, J, 3) of the body's joints.
    """

    turns: np.ndarray
    places: np.ndarray

    @staticmethod
    def of(skeleton: Skeleton, rotations: np.ndarray, roots: np.ndarray) -> _Legs:
        """Arguments as of ``Skeleton.moving``."""
        body = skeleton.body_joints
        parents, joints = skeleton.parents[:body], skeleton.joints[:body]
        moved = [
            joint_motion(parents, joints, local, root)
            for local, root in zip(rotations, roots, strict=True)
        ]
        return _Legs(np.stack([m.rotations for m in moved]), np.stack([m.heads for m in moved]))

    def at(self, steps: np.ndarray) -> _Legs:
        """At some of the steps (N,) int."""
        return _Legs(self.turns[steps], self.places[steps])

    def carried(self, joints: np.ndarray, arms: np.ndarray) -> np.ndarray:
        """(T, N, 3) where points are that hang on ``joints`` (N,), ``arms`` (N, 3) from them."""
        moved = np.einsum("tnij,nj->tni", self.turns[:, joints], arms)
        return np.asarray(self.places[:, joints] + moved)


def _hung(skeleton: Skeleton, chains: Chains, legs: _Legs, drag: float) -> np.ndarray:
    """Local rotations (T, R C, 3, 3) of the chains, from the first step on."""
    joints, (rows, columns) = skeleton.joints, chains.tips.shape[:2]
    thighs = legs.turns[:, chains.thighs]
    heads = legs.carried(chains.thighs, chains.heads - joints[chains.thighs])
    goals = np.zeros((len(heads), rows, columns, 3))
    for carrier, share in zip(chains.carriers, chains.carried.transpose(2, 0, 1), strict=True):
        arms = (chains.tips - joints[carrier]).reshape(-1, 3)
        moved = legs.carried(np.full(len(arms), carrier), arms)
        goals += share[..., None] * moved.reshape(goals.shape)
    drawn = _Links.towards(chains, thighs, heads, goals)
    points = drawn.cloth(chains, legs, joints)
    ends = [legs.carried(chains.collider_joints, chains.collider_ends[:, end]) for end in range(2)]
    at_rest = joints[chains.collider_joints][:, None] + chains.collider_ends
    tips = np.empty(goals.shape)
    swing(
        drawn.tips,
        points.reshape(len(points), -1, 3),
        _normals(points).reshape(len(points), -1, 3),
        _shares(chains),
        np.ascontiguousarray(np.stack(ends, 2)),
        _clearance(chains, at_rest),
        np.linalg.norm(np.roll(chains.tips, -1, 1) - chains.tips, axis=2),
        _PULL,
        drag,
        tips,
    )
    hung = _Links.towards(chains, thighs, heads, tips).turns
    above = np.concatenate([thighs[:, None], hung[:, :-1]], 1)
    local = above.swapaxes(-1, -2) @ hung
    return np.asarray(local.reshape(len(local), -1, 3, 3))


@dataclass(frozen=True)
class _Links:
    """Where links are, step by step.

    Attributes:
        turns: (T, R, C, 3, 3) global rotations.
        heads: (T, C, 3) where the chains begin.
        tips: (T, R, C, 3) where links end.
    """

    turns: np.ndarray
    heads: np.ndarray
    tips: np.ndarray

    @staticmethod
    def towards(chains: Chains, thighs: np.ndarray, heads: np.ndarray, goals: np.ndarray) -> _Links:
        """Links that keep their length and point where ``goals`` (T, R, C, 3) are."""
        above = np.concatenate([chains.heads[None], chains.tips[:-1]])
        turns, tips = np.empty((*goals.shape, 3)), np.empty(goals.shape)
        beside, beside_goals = beside_each(chains.tips), beside_each(goals)
        turn, head = thighs, heads
        for row, bones in enumerate(chains.tips - above):
            here = np.einsum("tcij,cj->tci", turn, bones)
            way = link_way(goals[:, row], goals[:, row - 1] if row else heads, head)
            swung = shortest_turns(here, way)
            turn = along_the_ring(swung @ turn, way, beside[row], beside_goals[:, row])
            head = head + np.einsum("tcij,tcj->tci", swung, here)
            turns[:, row], tips[:, row] = turn, head
        return _Links(turns, heads, tips)

    def cloth(self, chains: Chains, legs: _Legs, joints: np.ndarray) -> np.ndarray:
        """(T, M, A, 3) where the points of the cloth are that links and root carry."""
        above = np.concatenate([self.heads[:, None], self.tips[:, :-1]], 1)
        at_rest = np.concatenate([chains.heads[None], chains.tips[:-1]])
        shift = above - np.einsum("trcij,rcj->trci", self.turns, at_rest)
        affine = np.concatenate([self.turns, shift[..., None]], -1)
        affine = affine.reshape(len(affine), -1, 12)
        own = legs.places[:, 0] - np.einsum("tij,j->ti", legs.turns[:, 0], joints[0])
        root = np.concatenate([legs.turns[:, 0], own[..., None]], -1).reshape(-1, 1, 12)
        weights = chains.point_weights.reshape(-1, affine.shape[1])
        weights = np.concatenate([weights, 1 - weights.sum(1, keepdims=True)], 1)
        blended = weights @ np.concatenate([affine, root], 1)
        blended = blended.reshape(len(affine), -1, 3, 4)
        points = chains.points.reshape(-1, 3)
        moved = np.einsum("tnij,nj->tni", blended[..., :3], points) + blended[..., 3]
        return np.asarray(moved.reshape(len(affine), *chains.points.shape))


def link_way(goal: np.ndarray, above: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Where a link points that should lead from ``above`` to ``goal`` but begins at ``head``: half
    way back to its goal, so that short links do not turn about; (..., 3) each."""
    return goal - (above + head) / 2


def beside_each(tips: np.ndarray) -> np.ndarray:
    """(..., C, 3) the way past each tip of a ring (..., C, 3), from the one before to the next."""
    return np.asarray(np.roll(tips, -1, -2) - np.roll(tips, 1, -2))


def along_the_ring(
    turns: np.ndarray, way: np.ndarray, rest: np.ndarray, now: np.ndarray
) -> np.ndarray:
    """Rotations (..., 3, 3) of links turned about where they point, ``way`` (..., 3), so that the
    cloth beside them goes on to their neighbours: ``beside_each`` at rest and now.

    Between two links of which one is turned about itself, cloth is drawn out on one's side and
    folded on the other's.
    """
    axis = way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)
    here = np.einsum("...ij,...j->...i", turns, np.broadcast_to(rest, now.shape))
    here, now = (one - (one * axis).sum(-1, keepdims=True) * axis for one in (here, now))
    sine, cosine = (np.cross(here, now) * axis).sum(-1), (here * now).sum(-1)
    angle = np.arctan2(sine, cosine)
    return np.asarray(matrix_from_axis_angle(axis * angle[..., None]) @ turns)


def _normals(points: np.ndarray) -> np.ndarray:
    """Unit normals (T, M, A, 3) outwards of rings (T, M, A, 3) whose angles grow from the left
    over the front, from above."""
    around = np.roll(points, -1, 2) - np.roll(points, 1, 2)
    normals = np.cross(around, np.gradient(points, axis=1))
    return normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)


def _shares(chains: Chains) -> np.ndarray:
    """(N, R C) how far the points of the cloth go along when a tip does."""
    above = np.concatenate([chains.heads[None], chains.tips[:-1]])
    bones = chains.tips - above
    points = chains.points.reshape(-1, 1, 1, 3)
    along = ((points - above) * bones).sum(-1) / np.square(bones).sum(-1)
    weights = chains.point_weights.reshape(len(points), *bones.shape[:2])
    along = np.clip(along, 0, 1)
    shares = weights * along
    shares[:, :-1] += (weights * (1 - along))[:, 1:]
    return np.ascontiguousarray(shares.reshape(len(points), -1))


def _clearance(chains: Chains, capsules: np.ndarray) -> np.ndarray:
    """(N, K) metres that the points of the cloth keep from the capsules' axes (K, 2, 3 at rest): as
    far as they are at rest, if they are near; 0 from what is not beside them."""
    points = chains.points.reshape(-1, 1, 3)
    start, bone = capsules[:, 0], capsules[:, 1] - capsules[:, 0]
    along = ((points - start) * bone).sum(-1) / np.maximum(np.square(bone).sum(-1), 1e-12)
    nearest = start + np.clip(along, 0, 1)[..., None] * bone
    distance = np.linalg.norm(points - nearest, axis=-1)
    height = points[..., 1]
    beside = (height > capsules[..., 1].min(1) - _BESIDE_M) & (
        height < capsules[..., 1].max(1) + _BESIDE_M
    )
    return np.where(beside, np.minimum(distance, chains.collider_radii + _CLOTH_M), 0)
