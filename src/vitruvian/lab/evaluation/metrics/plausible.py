"""How plausible a fitted body is: what can be said of one without a true body to compare with."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations

import cv2
import numpy as np

from vitruvian.body.fit.pose_prior import pose_prior
from vitruvian.body.model.model import BodyModel
from vitruvian.body.model.skeleton import (
    ARMS,
    FOOT_STEMS,
    HIPS,
    LEFT,
    LEGS,
    NECK,
    RIGHT,
    SHOULDERS,
)
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.placement.upright import estimate_up, standing
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.keypoints import (
    COCO_HIPS,
    COCO_JOINTS,
    COCO_LANDMARKS,
    COCO_NAMES,
    indices_of,
    marks_of_joints,
)

_CONFIDENT = 0.4  # score of a keypoint from which on the other network is believed
_APART = 0.05  # of the size, from which on a left and a right keypoint have an order
_STANDS = 0.5  # how surely somebody has to stand for their stance to be judged
_SOLE_M = 0.03  # above a foot's lowest point
_STEP_M = 0.12  # a foot that is higher than the other by more carries nothing
# Of the capsules, in statures: somewhat slimmer than flesh, which gives way.
_RADII = {"forearm": 0.018, "thigh": 0.035, "shank": 0.024, "trunk": 0.05}
_ROD = 0.4  # of the way from the neck to a shoulder


def _coco_pairs(*names: str) -> np.ndarray:
    return indices_of([f"{side}_{name}" for name in names for side in ("left", "right")],
                      COCO_NAMES).reshape(-1, 2)  # fmt: skip


_ENDS = _coco_pairs("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_BONES = np.stack(
    [
        _coco_pairs("shoulder", "elbow", "hip", "knee"),
        _coco_pairs("elbow", "wrist", "knee", "ankle"),
    ],
    axis=2,
)  # (4, 2 sides, 2 ends)


def coco_points(body: Body) -> np.ndarray:
    """COCO's keypoints (17, 3) of a body, where networks mark them, camera frame, metres."""
    model = _model(body)
    rotations = matrix_from_axis_angle(body.pose)
    points, root = model.keypoints(), body.joints[0]
    found = model.evaluate(points, body.betas, rotations, root, model.active, jacobian=False)[0]
    return marks_of_joints(found)[COCO_LANDMARKS]


def agreement(
    points: np.ndarray, camera: Camera, seen: np.ndarray, size: float
) -> dict[str, float]:
    """How a body agrees with keypoints that its fit has not seen.

    Args:
        points: (17, 3) of ``coco_points``.
        camera: of the photograph.
        seen: (17, 3) x, y in its pixels and score, of another network.
        size: of the person in pixels.

    Returns:
        ``reprojection``: mean distance of the joints of trunk and limbs, share of the size.
        ``off``: share of them that are off by more than a twentieth of the size. ``swapped``: share
        of pairs of a left and a right joint, apart in the picture, that the body has the other way
        round. ``symmetry``: mean of |log(left / right)| over bones whose ends are those keypoints
        at the depths of the body. NaN where nothing is seen well enough.
    """
    sure = seen[:, 2] > _CONFIDENT
    away = np.linalg.norm(camera.project(points) - seen[:, :2], axis=1) / size
    used = np.zeros(len(seen), bool)
    used[COCO_JOINTS] = sure[COCO_JOINTS]
    projected = camera.project(points)
    theirs = seen[_ENDS[:, 0], :2] - seen[_ENDS[:, 1], :2]
    mine = projected[_ENDS[:, 0]] - projected[_ENDS[:, 1]]
    apart = sure[_ENDS].all(1) & (np.linalg.norm(theirs, axis=1) > _APART * size)
    placed = camera.rays(seen[:, :2]) * points[:, 2:]
    lengths = np.linalg.norm(placed[_BONES[..., 0]] - placed[_BONES[..., 1]], axis=-1)
    whole = sure[_BONES].all((1, 2))
    ratio = np.abs(np.log(np.maximum(lengths[:, 0], 1e-3) / np.maximum(lengths[:, 1], 1e-3)))
    return {
        "reprojection": _mean(away[used]),
        "off": _mean(away[used] > _APART),
        "swapped": _mean((theirs * mine).sum(1)[apart] < 0),
        "symmetry": _mean(ratio[whole]),
    }


def stance(body: Body) -> dict[str, float]:
    """How somebody who stands would stand; NaN for all others.

    Returns:
        ``floor_cm``: how much higher one foot's lowest point is than the other's. ``balance_cm``:
        how far the centre of the body's mass is beside what its feet cover of the ground; 0 above
        it. ``knee_deg``: bend of the straighter knee. Up is as in placement.
    """
    nothing = dict.fromkeys(("floor_cm", "balance_cm", "knee_deg"), float("nan"))
    if standing(body)[0] < _STANDS or body.seen.extent != "whole":
        return nothing
    up = estimate_up([body], [1.0])
    across = np.linalg.svd(up[None])[2][1:]
    heights = body.vertices @ up
    feet = [heights[sole] for sole in _feet(_model(body))]
    lowest = [float(foot.min()) for foot in feet]
    ground = []
    for foot, chosen, low in zip(feet, _feet(_model(body)), lowest, strict=True):
        if low - min(lowest) < _STEP_M:
            ground.append(body.vertices[chosen[foot < low + _SOLE_M]] @ across.T)
    hull = cv2.convexHull(np.concatenate(ground).astype(np.float32))
    middle = center_of_mass(body.vertices, body.model.faces) @ across.T
    inside = cv2.pointPolygonTest(hull, (float(middle[0]), float(middle[1])), True)
    bends = []
    for hip, knee, ankle in LEGS:
        thigh, shank = body.joint(hip) - body.joint(knee), body.joint(knee) - body.joint(ankle)
        cosine = thigh @ shank / max(float(np.linalg.norm(thigh) * np.linalg.norm(shank)), 1e-9)
        bends.append(float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1)))))
    return {
        "floor_cm": 100 * abs(lowest[0] - lowest[1]),
        "balance_cm": 100 * max(0.0, -inside),
        "knee_deg": min(bends),
    }


def anatomy(body: Body) -> dict[str, float]:
    """Whether a living body could take this pose.

    Returns:
        ``limits_deg``: angles by which joints are beyond the limits of captured poses,
        summed. ``unusual``: distance from them, root of the mean squared whitened coordinate.
        ``through_cm``: how deep forearms and legs are in the trunk and in other limbs, summed, by
        capsules around the bones.
    """
    model, prior = _model(body), pose_prior()
    pose = body.pose[model.active[1:]].ravel()
    beyond = np.abs(pose - np.clip(pose, prior.lower, prior.upper)).reshape(-1, 3).max(1)
    return {
        "limits_deg": float(np.rad2deg(beyond.sum())),
        "unusual": float(np.sqrt(prior.energy(pose) / len(pose))),
        "through_cm": 100 * _depth_in_others(body),
    }


def steadiness(row: Sequence[Body]) -> dict[str, float]:
    """How alike bodies of one person in three successive frames are, each fitted by itself.

    Returns:
        ``shape_sd_cm``: root mean square distance of the vertices at rest from their mean.
        ``stature_sd_cm``. ``wobble_mm``, ``wobble_along_mm``: mean distance of the joints about the
        hips from the middle between the frame before and the frame after, across and along the
        view: people move by little in that time, errors at random.
    """
    rest = np.stack([body.model.rest(body.betas)[0] for body in row]).astype(np.float64)
    away = rest - rest.mean(0)
    places = np.stack([coco_points(body) for body in row])
    places -= places[:, COCO_HIPS].mean(1, keepdims=True)
    moved = 1000 * (places[1] - (places[0] + places[2]) / 2)[COCO_JOINTS]
    return {
        "shape_sd_cm": 100 * float(np.sqrt((away**2).sum(-1).mean())),
        "stature_sd_cm": float(np.std([100 * body.height_m for body in row])),
        "wobble_mm": float(np.linalg.norm(moved[:, :2], axis=1).mean()),
        "wobble_along_mm": float(np.abs(moved[:, 2]).mean()),
    }


def center_of_mass(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Centre (3,) of what a closed mesh encloses, of one density: tetrahedra from its middle."""
    middle = np.asarray(vertices, np.float64).mean(0)
    corners = np.asarray(vertices, np.float64)[faces] - middle
    volumes = np.linalg.det(corners)
    return np.asarray(middle + (volumes @ corners.mean(1)) * 0.75 / volumes.sum())


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _model(body: Body) -> BodyModel:
    model = body.model
    assert isinstance(model, BodyModel)
    return model


@lru_cache(maxsize=2)
def _feet(model: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of the left and of the right foot."""
    heaviest = model.skin_joints[np.arange(len(model.template)), model.skin_weights.argmax(1)]
    names = np.array(model.joint_names)[heaviest]
    of_foot = np.array([name.startswith(FOOT_STEMS) for name in names])
    left, right = (np.flatnonzero(of_foot & np.char.endswith(names, side)) for side in (".L", ".R"))
    return left, right


def _depth_in_others(body: Body) -> float:
    """Metres by which capsules around bones that do not meet are in each other, summed."""
    size = body.height_m
    bones = {}
    for side in (LEFT, RIGHT):
        (_, elbow, wrist), (hip, knee, ankle) = ARMS[side], LEGS[side]
        bones["forearm", side] = body.joint(elbow), body.joint(wrist)
        bones["thigh", side] = body.joint(hip), body.joint(knee)
        bones["shank", side] = body.joint(knee), body.joint(ankle)
        # Of the trunk one rod a side, half-way between the spine and the flank.
        low, high = (body.joint(HIPS[LEFT]) + body.joint(HIPS[RIGHT])) / 2, body.joint(NECK)
        aside = (body.joint(SHOULDERS[side]) - high) * _ROD
        bones["trunk", side] = low + aside, low + 0.85 * (high - low) + aside
    deep = 0.0
    for (one, a), (other, b) in combinations(bones, 2):
        meet = {one, other} in ({"thigh"}, {"trunk"}, {"thigh", "trunk"})
        if meet or (a == b and {one, other} == {"thigh", "shank"}):
            continue
        radii = (_RADII[one] + _RADII[other]) * size
        deep += max(0.0, radii - _between(bones[one, a], bones[other, b]))
    return deep


def _between(one: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
    """Least distance of two segments, on a fine grid of points of the first."""
    points = one[0] + np.linspace(0, 1, 25)[:, None] * (one[1] - one[0])
    along = other[1] - other[0]
    share = np.clip((points - other[0]) @ along / max(float(along @ along), 1e-9), 0, 1)
    return float(np.linalg.norm(points - other[0] - share[:, None] * along, axis=1).min())
