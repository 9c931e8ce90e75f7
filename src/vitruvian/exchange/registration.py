"""Which point of our body each vertex of another's is: registration of the two at rest.

Our body is posed like theirs by the joints that both have, fitted to their surface as its own shape
and pose allow (closest points whose normals agree, point to plane), and drawn onto it by a smooth
field for the rest. Where a vertex of theirs then lies on ours, it stays, whatever shape and pose
either takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.model import BodyModel, PointSet
from vitruvian.body.model.repose import shown_poses
from vitruvian.body.model.skeleton import (
    ANKLES,
    CLAVICLES,
    ELBOWS,
    FINGERS,
    HEAD,
    HIPS,
    KNEES,
    NECK,
    SHOULDERS,
    TOES,
    WRISTS,
    finger,
)
from vitruvian.exchange.nearest import closest_on_faces, nearest_points
from vitruvian.exchange.smpl_model import SmplModel
from vitruvian.exchange.steps import State
from vitruvian.geometry.adjacency import directed_edges
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.record import Record

_FINGER_NUMBERS = {"thumb": 1, "index": 2, "middle": 3, "ring": 4, "pinky": 5}
_SHAPES = 24  # of our betas that follow
_JOINT_STEPS, _SURFACE_STEPS = 12, 30
_JOINT_SD, _SURFACE_SD = 0.01, 0.005  # metres
_ALONG = 0.15  # weight along the surface, of that across it
_SUBSET = 3000  # of our vertices that look for theirs
_NORMAL_M = 0.03  # metres that a unit normal counts for in the search for the nearest
_LEAST_COSINE = 0.6  # of the normals of points that are taken for the same
_DRAWN = 25  # steps of the smooth field
_FIRST_REACH, _FAR = 0.08, 0.03  # metres, beyond which nothing is the same; at first and later


@dataclass(frozen=True, eq=False, repr=False)
class Correspondence(Record):
    """Where the vertices of another body lie on ours.

    Attributes:
        faces: (V,) int64 of our model's faces.
        weights: (V, 3) float64 barycentric.
        trust: (V,) float64 in 0..1; 0 where nothing of ours was found, such as inside a mouth.
    """

    faces: np.ndarray
    weights: np.ndarray
    trust: np.ndarray

    def of(self, model: BodyModel, vertices: np.ndarray) -> np.ndarray:
        """The points (V, 3) float64 of our vertices (13,718, 3)."""
        return np.einsum(
            "nk,nkc->nc", self.weights, vertices[model.faces[self.faces]].astype(float)
        )

    def points(self, model: BodyModel, chosen: np.ndarray) -> PointSet:
        """Some of them (N,) as points that move with our body."""
        corners, weights = model.faces[self.faces[chosen]], self.weights[chosen]
        skin = weights[:, :, None] * model.skin_weights[corners]
        return PointSet(
            np.einsum("nk,nkc->nc", weights, model.template[corners]),
            np.einsum("nk,snkc->snc", weights, model.shape_directions[:, corners]),
            model.skin_joints[corners].reshape(len(chosen), -1),
            skin.reshape(len(chosen), -1),
        )


def shared_joints(other: SmplModel) -> dict[int, str]:
    """Their joints to the names of ours at the same place of the body."""
    pairs = {
        "hip": HIPS, "knee": KNEES, "ankle": ANKLES, "foot": TOES, "shoulder": SHOULDERS,
        "elbow": ELBOWS, "wrist": WRISTS, "collar": CLAVICLES,
    }  # fmt: skip
    out = {}
    for index, name in enumerate(other.joint_names):
        side, _, part = name.partition("_")
        if name in ("neck", "head"):
            out[index] = {"neck": NECK, "head": HEAD}[name]
        elif part in pairs:
            out[index] = pairs[part][side == "right"]
        elif part[:-1] in _FINGER_NUMBERS:
            out[index] = finger(_FINGER_NUMBERS[part[:-1]], int(part[-1]))[side == "right"]
    return out


def register(other: SmplModel, model: BodyModel) -> Correspondence:
    """Where their vertices lie on our body. Takes some seconds; ``correspondence`` keeps it."""
    state = _by_surface(other, model, _by_joints(other, model))
    posed = model.forward_rotations(state.betas, state.rotations, state.root).vertices
    skin = np.flatnonzero(model.components == 0)
    ours = _drawn_onto(posed.astype(np.float64), model, skin, other)
    return _laid_over(other, model, ours, skin)


def _by_joints(other: SmplModel, model: BodyModel) -> State:
    """Our body with its joints where theirs are."""
    shared = shared_joints(other)
    names = list(shared.values())
    target = other.joints_of_template[list(shared)]
    indices = np.array([model.joint_index[name] for name in names])
    points = PointSet(
        model.joint_template[indices],
        model.joint_directions[:, indices],
        indices[:, None],
        np.ones((len(indices), 1)),
    )
    place = dict(zip(names, target, strict=True))
    root = (place[HIPS[0]] + place[HIPS[1]]) / 2 - _middle(model, HIPS) + model.joint_template[0]
    prior = model.shape_prior("adults", _SHAPES)
    tips = {joint for number in range(1, 6) for joint in finger(number, 3)}
    turned = [name for name in names if name in FINGERS and name not in tips]
    active = _joints(model, turned)
    state = State(prior.mean.copy(), matrix_from_axis_angle(shown_poses(model)[0].rotations), root)
    for _ in range(_JOINT_STEPS):
        found, jacobian = model.evaluate(points, state.betas, state.rotations, state.root, active)
        assert jacobian is not None
        rows = jacobian.reshape(-1, jacobian.shape[2]) / _JOINT_SD
        residual = (target - found).reshape(-1) / _JOINT_SD
        state = state.stepped(rows, residual, active, 3.0, prior)
    return state


def _by_surface(other: SmplModel, model: BodyModel, state: State) -> State:
    """The same, closest to their surface: point to plane, and weakly along it, lest it drift."""
    skin = np.flatnonzero(model.components == 0)
    chosen = skin[np.linspace(0, len(skin) - 1, min(_SUBSET, len(skin))).astype(int)]
    points = model.vertex_points(chosen, _SHAPES)
    prior = model.shape_prior("adults", _SHAPES)
    active = _joints(model, FINGERS)
    normals = vertex_normals(other.template, other.faces)
    for turn in range(_SURFACE_STEPS):
        found, jacobian = model.evaluate(points, state.betas, state.rotations, state.root, active)
        assert jacobian is not None
        posed = model.forward_rotations(state.betas, state.rotations, state.root).vertices
        reach = _FIRST_REACH if turn < _SURFACE_STEPS // 3 else _FAR
        pairs = _pairs(found, vertex_normals(posed, model.faces)[chosen], other, normals, reach)
        plane = (pairs.normals * pairs.away).sum(1)
        weight = np.sqrt(pairs.good / (1 + (plane / 0.01) ** 2)) / _SURFACE_SD
        along = _ALONG * weight
        rows = np.einsum("nc,ncp->np", pairs.normals, jacobian) * weight[:, None]
        slide = jacobian.reshape(-1, jacobian.shape[2]) * np.repeat(along, 3)[:, None]
        residual = np.concatenate([plane * weight, (pairs.away * along[:, None]).reshape(-1)])
        state = state.stepped(np.concatenate([rows, slide]), residual, active, 12.0, prior)
    return state


@dataclass(frozen=True)
class _Pairs:
    """The vertices of theirs nearest to points of ours.

    Attributes:
        away: (N, 3) from ours to theirs.
        normals: (N, 3) of theirs.
        good: (N,) bool, near enough and looking the same way.
    """

    away: np.ndarray
    normals: np.ndarray
    good: np.ndarray


def _pairs(
    points: np.ndarray, own: np.ndarray, other: SmplModel, normals: np.ndarray, reach: float
) -> _Pairs:
    """Pairs in which normals count, too, lest a finger be taken for its neighbour."""
    nearest = nearest_points(
        np.concatenate([points, _NORMAL_M * own], 1),
        np.concatenate([other.template, _NORMAL_M * normals], 1),
    )[:, 0]
    away, towards = other.template[nearest] - points, normals[nearest]
    alike = (towards * own).sum(1) > _LEAST_COSINE
    return _Pairs(away, towards, alike & (np.linalg.norm(away, axis=1) < reach))


def _joints(model: BodyModel, more: Sequence[str]) -> np.ndarray:
    """(A,) joints that a fit moves, with some more, parents before their children."""
    return np.unique([*model.active, *(model.joint_index[name] for name in more)])


def _middle(model: BodyModel, names: tuple[str, str]) -> np.ndarray:
    places = [model.joint_template[model.joint_index[name]] for name in names]
    return np.asarray(np.mean(places, axis=0))


def _drawn_onto(
    posed: np.ndarray, model: BodyModel, skin: np.ndarray, other: SmplModel
) -> np.ndarray:
    """Our posed vertices (V, 3), drawn onto their surface by a field that is smooth over ours."""
    faces = model.faces[(model.components[model.faces] == 0).all(1)]
    edges = directed_edges(faces)
    degree = np.maximum(np.bincount(edges[:, 0], minlength=len(posed)), 1)[:, None]
    normals = vertex_normals(other.template, other.faces)
    ours = posed.copy()
    for turn in range(_DRAWN):
        own = vertex_normals(ours, model.faces)[skin]
        pairs = _pairs(ours[skin], own, other, normals, _FAR)
        plane = (pairs.normals * pairs.away).sum(1)
        field, weight = np.zeros_like(ours), np.zeros((len(ours), 1))
        field[skin] = (plane * pairs.good)[:, None] * pairs.normals
        weight[skin, 0] = pairs.good
        for _ in range(max(12 - turn, 2)):
            spread, total = np.zeros_like(field), np.zeros_like(weight)
            np.add.at(spread, edges[:, 0], (field * weight)[edges[:, 1]])
            np.add.at(total, edges[:, 0], weight[edges[:, 1]])
            field = (field * weight + spread) / np.maximum(weight + total, 1e-9)
            weight = (weight + total / degree) / 2
        ours += 0.6 * field
    return ours


def _laid_over(
    other: SmplModel, model: BodyModel, ours: np.ndarray, skin: np.ndarray
) -> Correspondence:
    """The closest point of our drawn surface to each of their vertices."""
    usable = np.flatnonzero((model.components[model.faces] == 0).all(1))
    faces = model.faces[usable]
    own = vertex_normals(ours, model.faces)
    normals = vertex_normals(other.template, other.faces)
    near = skin[
        nearest_points(
            np.concatenate([other.template, _NORMAL_M * normals], 1),
            np.concatenate([ours[skin], _NORMAL_M * own[skin]], 1),
            4,
        )
    ]
    around = _faces_around(faces, len(ours))
    candidates = around[near].reshape(len(near), -1)
    which, weights, far = closest_on_faces(other.template, ours, faces, candidates)
    corners = faces[which]
    alike = (np.einsum("nk,nkc->nc", weights, own[corners]) * normals).sum(1)
    trust = np.clip(1 - far / _FAR, 0, 1) * (alike > 0.3)
    return Correspondence(usable[which], weights, trust)


def _faces_around(faces: np.ndarray, count: int) -> np.ndarray:
    """(V, M) faces around each vertex; vertices with fewer repeat one of theirs."""
    corners = faces.reshape(-1)
    order = np.argsort(corners, kind="stable")
    numbers = np.bincount(corners, minlength=count)
    first = np.concatenate([[0], np.cumsum(numbers)[:-1]])
    column = np.minimum(np.arange(min(int(numbers.max()), 8)), np.maximum(numbers[:, None] - 1, 0))
    at = np.minimum(first[:, None] + column, len(order) - 1)
    return np.asarray(order[at] // 3)
