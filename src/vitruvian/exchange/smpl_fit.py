"""Our bodies as bodies of the SMPL family, and theirs as ours: by fitting one to the other.

Both surfaces correspond point by point once they are registered, so a fit needs no search: turns of
parts by rigid alignment, then a few damped Gauss-Newton steps over turns, shape and place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.model.model import BodyModel, ShapePrior
from vitruvian.body.model.skeleton import FINGERS
from vitruvian.exchange.registration import Correspondence
from vitruvian.exchange.smpl_model import SmplModel
from vitruvian.exchange.steps import State
from vitruvian.geometry.rotations import rigid_alignment
from vitruvian.types.record import Record

_POINTS = 1600  # vertices that a fit looks at
_SIGMA = 0.006  # metres, of what the shapes cannot follow
_STEPS, _OUR_STEPS = 10, 15  # of a fit of theirs and of ours
_NEXT_STEPS = 4  # of one that starts from the frame before
_LEAST_PART = 8  # vertices of a part that tell how it is turned
_STIFF = 120.0  # damping of turns


@dataclass(frozen=True, eq=False, repr=False)
class SmplPoses(Record):
    """Somebody as a body of the SMPL family, at T times.

    Attributes:
        betas: (K,) float64 shape, the same at all times.
        rotations: (T, J, 3, 3) float64 local rotations; the root's carries the body into the frame
            that ours is in.
        translation: (T, 3) float64 the family's ``transl``, metres.
        error_m: (T,) float64 mean distance of its vertices from the points of our body that they
            stand for.
    """

    betas: np.ndarray
    rotations: np.ndarray
    translation: np.ndarray
    error_m: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class OurPoses(Record):
    """A body of the SMPL family as ours, at T times.

    Attributes:
        betas: (K,) float64 shape, the same at all times.
        rotations: (T, J, 3, 3) float64 local rotations.
        translation: (T, 3) float64 position of the root joint, metres.
        error_m: (T,) float64 mean distance of corresponding points.
    """

    betas: np.ndarray
    rotations: np.ndarray
    translation: np.ndarray
    error_m: np.ndarray


def to_smpl(
    other: SmplModel,
    model: BodyModel,
    places: Correspondence,
    bodies: Iterable[np.ndarray],
) -> SmplPoses:
    """Our body, at T times, as one of theirs: shape from the first, its poses from each.

    Args:
        other: the model to use.
        model: ours.
        places: how the two correspond.
        bodies: T times our posed vertices (V, 3), metres, in any one frame.
    """
    chosen = _chosen(places)
    state = State(np.zeros(other.shape_count), np.zeros((0, 3, 3)), np.zeros(3))
    found = []
    for number, vertices in enumerate(bodies):
        target = places.of(model, vertices)
        first = number == 0
        if first:
            state = _aligned(other, target, places.trust)
        for _ in range(_STEPS if first else _NEXT_STEPS):
            state = _stepped(other, state, chosen, places.trust, target, shape=first)
        translation = state.root - other.joints(state.betas)[0]
        theirs, _ = other.forward(state.betas, state.rotations, translation)
        away = np.linalg.norm(theirs - target, axis=1)[places.trust > 0]
        found.append((state.rotations, translation, float(away.mean())))
    rotations, translations, errors = zip(*found, strict=True)
    return SmplPoses(state.betas, np.array(rotations), np.array(translations), np.array(errors))


def from_smpl(
    other: SmplModel, model: BodyModel, places: Correspondence, bodies: Iterable[np.ndarray]
) -> OurPoses:
    """One of their bodies, at T times posed vertices (V, 3), as ours."""
    chosen = _chosen(places)
    points = places.points(model, chosen)
    weights = np.repeat(np.sqrt(places.trust[chosen]) / _SIGMA, 3)
    active = np.unique([*model.active, *_fingers(other, model)])
    prior = model.shape_prior("adults")
    state = State(prior.mean.copy(), np.zeros((0, 3, 3)), np.zeros(3))
    found = []
    for number, vertices in enumerate(bodies):
        target = vertices[chosen]
        first = number == 0
        if first:
            state = replace(_aligned_ours(model, places, vertices), betas=state.betas)
        for _ in range(_OUR_STEPS if first else _NEXT_STEPS):
            here, jacobian = model.evaluate(
                points, state.betas, state.rotations, state.root, active
            )
            assert jacobian is not None
            if not first:
                jacobian = np.delete(jacobian, np.s_[3 * len(active) : -3], axis=2)
            rows = jacobian.reshape(-1, jacobian.shape[2]) * weights[:, None]
            residual = (target - here).reshape(-1) * weights
            state = state.stepped(rows, residual, active, _STIFF, prior if first else None)
        ours = model.forward_rotations(state.betas, state.rotations, state.root).vertices
        away = np.linalg.norm(places.of(model, ours) - vertices, axis=1)[places.trust > 0]
        found.append((state.rotations, state.root, float(away.mean())))
    rotations, roots, errors = zip(*found, strict=True)
    return OurPoses(state.betas, np.array(rotations), np.array(roots), np.array(errors))


def _fingers(other: SmplModel, model: BodyModel) -> list[int]:
    """Our joints of fingers, where their model has fingers that move."""
    return [] if other.kind == "smpl" else [model.joint_index[name] for name in FINGERS]


def _chosen(places: Correspondence) -> np.ndarray:
    """Vertices that a fit looks at, spread over all that correspond."""
    good = np.flatnonzero(places.trust > 0)
    return good[np.linspace(0, len(good) - 1, min(_POINTS, len(good))).astype(int)]


def _stepped(
    other: SmplModel,
    state: State,
    chosen: np.ndarray,
    trust: np.ndarray,
    target: np.ndarray,
    *,
    shape: bool,
) -> State:
    """One step of theirs towards where its vertices should be (V, 3)."""
    corrections = other.corrections(state.rotations)
    here, jacobian = other.evaluate(chosen, state.betas, state.rotations, state.root, corrections)
    turns = 3 * len(state.rotations)
    if not shape:
        jacobian = np.delete(jacobian, np.s_[turns:-3], axis=2)
    weights = np.repeat(np.sqrt(trust[chosen]) / _SIGMA, 3)
    rows = jacobian.reshape(-1, jacobian.shape[2]) * weights[:, None]
    residual = (target[chosen] - here).reshape(-1) * weights
    count = other.shape_count
    prior = ShapePrior(np.zeros(count), np.eye(count)) if shape else None
    return state.stepped(rows, residual, np.arange(len(state.rotations)), _STIFF, prior)


def _aligned(other: SmplModel, target: np.ndarray, trust: np.ndarray) -> State:
    """Their mean shape, each part turned as its vertices lie in ``target`` (V, 3)."""
    owner = other.weights.argmax(1)
    whole = _parts_turned(other.template, target, owner, trust, other.parents)
    local = _local(whole, other.parents)
    betas = np.zeros(other.shape_count)
    guess, _ = other.forward(betas, local, np.zeros(3))
    return State(betas, local, other.joints_of_template[0] + _shift(guess, target, trust))


def _aligned_ours(model: BodyModel, places: Correspondence, target: np.ndarray) -> State:
    """Our mean shape, each part turned as their vertices (V, 3) lie."""
    corners = model.faces[places.faces, places.weights.argmax(1)]
    parents = model.parents.astype(np.int64)
    carrier = np.arange(len(parents))  # joints that do not move follow the next that does
    for joint, parent in enumerate(parents):
        if joint not in set(model.active.tolist()) and parent >= 0:
            carrier[joint] = carrier[parent]
    followed = np.where(carrier != np.arange(len(parents)), carrier, parents)
    owner = carrier[model.skin_joints[corners, 0].astype(np.int64)]
    rest = places.of(model, model.template)
    whole = _parts_turned(rest, target, owner, places.trust, followed)
    local = _local(whole, parents)
    betas = np.zeros(0)
    guess = places.of(model, model.forward_rotations(betas, local).vertices)
    return State(betas, local, model.joint_template[0] + _shift(guess, target, places.trust))


def _local(whole: np.ndarray, parents: np.ndarray) -> np.ndarray:
    local = whole.copy()
    local[1:] = whole[parents[1:]].swapaxes(1, 2) @ whole[1:]
    return local


def _shift(guess: np.ndarray, target: np.ndarray, trust: np.ndarray) -> np.ndarray:
    return np.asarray((target - guess)[trust > 0].mean(0))


def _parts_turned(
    rest: np.ndarray,
    target: np.ndarray,
    owner: np.ndarray,
    trust: np.ndarray,
    parents: np.ndarray,
) -> np.ndarray:
    """(J, 3, 3) how each part's points at rest (N, 3) are turned in ``target`` (N, 3)."""
    whole = np.empty((len(parents), 3, 3))
    for joint, parent in enumerate(parents):
        part = (owner == joint) & (trust > 0)
        if part.sum() >= _LEAST_PART:
            whole[joint] = rigid_alignment(rest[part], target[part])
        elif parent >= 0:
            whole[joint] = whole[parent]
        else:
            whole[joint] = rigid_alignment(rest[trust > 0], target[trust > 0])
    return whole
