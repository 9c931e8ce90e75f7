"""What a picture shows of somebody, told from their fitted body, matte, face and landmarks.

Evidence, part by part:

- The frame: a part whose vertices lie beyond it is cut off, and so is a head whose matte runs
  into the border over most of its width: a fit crouches to fit in.
- The matte: a part that nothing of the own body hides, and that is not on the matte, is hidden by
  something, or is not there.
- The pose: a fit folds a lower leg that it cannot find straight back behind the knee. If the
  landmarks do not see its foot either, it was not found.
- The face: a head that looks to the camera and shows none is covered; the body estimate, which
  sees covered heads in other ways, has the casting vote.
- The body estimate, where it is sure and the landmarks agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.body.model.model import BodyModel
from vitruvian.body.model.parts import area_of_part, part_of_vertex
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.types.camera import Camera
from vitruvian.types.estimate import BodyEstimate
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.keypoints import (
    ANKLES,
    ELBOWS,
    HEELS,
    INDEX_FINGERS,
    KNEES,
    LITTLE_FINGERS,
    TOES,
    WRISTS,
)
from vitruvian.types.seen import BODY_PARTS, STATES, Extent, Seen, State

_WORKING_PX = 320  # of the longer side of the window in which bodies hide themselves
_NEAR_M = 0.015  # behind the nearest surface that still counts as in view
_INSIDE = 0.85  # of a part inside the frame, below which it is cut off
_OPEN = 0.3  # of a part's front that the own body must leave open, for its matte to tell something
_ON_MATTE = 0.4  # of that on the matte, below which something else hides it; people have .6 to 1
_HAND_OPEN, _HAND_ON_MATTE = 0.5, 0.15  # likewise of hands, which fits miss by their own width
_BEHIND = 0.12  # of a part's front in view, below which the own body hides it
_SURE = 0.6  # probability of a body estimate that counts, where landmarks agree
_LANDMARKS_SEEN = 0.6  # mean visibility, below which they agree
_FORESHORTENED = 0.35  # a lower leg's length in the picture over its true one
_LEAST_FACE_PX = 20.0  # height of a head's face, above which a face would be found
_TO_CAMERA = 0.4  # cosine of the angle between where a head looks and the camera
_AT_BORDER = 0.5  # of a head's width on the matte along the frame's border, from which it is cut
_HEAD_DOUBTED = 0.95  # probability that the head is in view which no face is needed for
_FACE_SHARE = 0.13  # of the stature, about that of head to chin

_NAMED = {
    "head": "head", "upper arm": "arms", "forearm": "arms", "hand": "hands", "thigh": "legs",
    "lower leg": "legs", "foot": "feet",
}  # fmt: skip
_TOLD_BY = {
    "upper arm": (ELBOWS,), "forearm": (WRISTS,), "hand": (WRISTS, INDEX_FINGERS, LITTLE_FINGERS),
    "thigh": (KNEES,), "lower leg": (ANKLES,), "foot": (HEELS, TOES),
}  # fmt: skip


@dataclass(frozen=True)
class _Shown:
    """Shares (15,) of each part: inside the frame; of its front, not hidden by the own body; of
    that, on the matte (1 where nothing is open)."""

    inside: np.ndarray
    open: np.ndarray
    on_matte: np.ndarray


def what_is_seen(
    model: BodyModel,
    figure: Figure,
    camera: Camera,
    vertices: np.ndarray,
    joints: np.ndarray,
    head_forward: np.ndarray,
) -> Seen:
    """What a picture shows of a fitted body.

    Args:
        model: of the body.
        figure: the person in the picture.
        camera: of the picture.
        vertices, joints: (V, 3) and (J, 3) of the body in the camera's frame, metres.
        head_forward: (3,) where the head looks, camera frame, unit length.
    """
    shown = _shown(model, figure, camera, vertices)
    stature_px = float(np.ptp(vertices @ _down(joints, model))) * camera.focal_px
    face_px = _FACE_SHARE * stature_px / max(float(joints[0, 2]), 0.1)
    faces = -float(head_forward @ joints[model.joint_index[skeleton.HEAD]])
    faces /= float(np.linalg.norm(joints[model.joint_index[skeleton.HEAD]]))
    states: list[State] = []
    for number, part in enumerate(BODY_PARTS):
        inside, open_, on = (v[number] for v in (shown.inside, shown.open, shown.on_matte))
        state: State = "seen"
        if inside < _INSIDE:
            state = "cut"
        elif _covered(part, open_, on):
            state = "hidden"
        elif open_ < _BEHIND:
            state = "behind"
        states.append(_doubted(part, state, figure))
    if _runs_into_border(model, figure.alpha, camera, vertices):
        states[0] = "cut"
    elif states[0] == "seen" and figure.face is None:
        states[0] = _head(figure.estimate, faces > _TO_CAMERA and face_px > _LEAST_FACE_PX)
    for side, name in enumerate(("left", "right")):
        if _folded_away(model, figure.landmarks, camera, joints, side):
            for part in (f"{name} lower leg", f"{name} foot"):
                number = BODY_PARTS.index(part)
                states[number] = max(states[number], "hidden", key=STATES.index)
    # Of a part that is cut, what is inside the frame is in view, if the frame says that it is cut.
    partly = [
        state == "seen" or (state == "cut" and i < _INSIDE)
        for state, i in zip(states, shown.inside, strict=True)
    ]
    share = float(np.where(partly, shown.inside, 0.0) @ area_of_part(model))
    return Seen(tuple(states), share, _extent(states, shown.inside))


def _covered(part: str, open_share: float, on_matte: float) -> bool:
    """Whether something else than the person is where a part should be in view."""
    if part.endswith("hand"):
        return open_share > _HAND_OPEN and on_matte < _HAND_ON_MATTE
    return open_share > _OPEN and on_matte < _ON_MATTE


def _down(joints: np.ndarray, model: BodyModel) -> np.ndarray:
    """Unit direction (3,) from the neck to the hips."""
    neck, hips = joints[model.joint_index[skeleton.NECK]], joints[0]
    return np.asarray((hips - neck) / max(float(np.linalg.norm(hips - neck)), 1e-6))


def _shown(model: BodyModel, figure: Figure, camera: Camera, vertices: np.ndarray) -> _Shown:
    pixels = camera.project(vertices)
    inside = ((pixels >= 0) & (pixels < [camera.width, camera.height])).all(1)
    low, high = pixels.min(0), pixels.max(0)
    scale = min(1.0, _WORKING_PX / float((high - low).max()))
    width, height = (np.ceil((high - low) * scale) + 4).astype(int)
    x, y = low - 2 / scale
    window = camera.window(float(x), float(y), scale, int(width), int(height))
    small = window.project(vertices)
    fragments = rasterize(small, vertices[:, 2], model.faces, window.width, window.height)
    cells = np.clip(small.astype(int), 0, [window.width - 1, window.height - 1])
    nearest = vertices[:, 2] < fragments.depth[cells[:, 1], cells[:, 0]] + _NEAR_M
    normals = vertex_normals(vertices, model.faces)
    front = (np.einsum("vc,vc->v", normals, vertices) < 0) & (model.components == 0)
    alpha = figure.alpha
    columns, rows = (np.floor(pixels).astype(int) - [alpha.x, alpha.y]).T
    h, w = alpha.values.shape
    within = (columns >= 0) & (columns < w) & (rows >= 0) & (rows < h)
    on = within.copy()
    on[within] = alpha.values[rows[within], columns[within]] > 127

    part, count = part_of_vertex(model), len(BODY_PARTS)
    fronts = np.bincount(part[front], minlength=count)
    shown = np.bincount(part[front & inside], minlength=count)
    opened = np.bincount(part[front & inside & nearest], minlength=count)
    matted = np.bincount(part[front & inside & nearest & on], minlength=count)
    return _Shown(
        shown / np.maximum(fronts, 1),
        opened / np.maximum(shown, 1),
        np.where(opened > 0, matted / np.maximum(opened, 1), 1.0),
    )


def _doubted(part: str, state: State, figure: Figure) -> State:
    """The state of a limb's part, unless the estimate is sure of another and landmarks agree."""
    side, _, kind = part.partition(" ")
    if figure.estimate is None or kind not in _TOLD_BY or state == "cut":
        return state
    points = [pair[0 if side == "left" else 1] for pair in _TOLD_BY[kind]]
    if figure.landmarks.visibility[points].mean() > _LANDMARKS_SEEN:
        return state
    told = figure.estimate.part(_NAMED[kind])
    if told["cut"] > _SURE:
        return "cut"
    return "hidden" if told["hidden"] > _SURE else state


def _head(estimate: BodyEstimate | None, face_expected: bool) -> State:
    """The state of a head inside the frame whose face was not found."""
    if estimate is None:
        return "seen"
    told = estimate.part("head")
    if told["in view"] < (_HEAD_DOUBTED if face_expected else 1 - _SURE):
        return "cut" if told["cut"] > told["hidden"] and told["cut"] > _SURE else "hidden"
    return "seen"


def _runs_into_border(model: BodyModel, alpha: Alpha, camera: Camera, vertices: np.ndarray) -> bool:
    """Whether the frame's upper border cuts through the head's matte."""
    head = camera.project(vertices[part_of_vertex(model) == BODY_PARTS.index("head")])
    left, right = np.clip([head[:, 0].min(), head[:, 0].max()], 0, camera.width).astype(int)
    if right <= left or head[:, 1].min() > 0.5 * camera.height:
        return False
    border = alpha.window(int(left), 0, int(right), 1)
    return bool((border > 127).mean() > _AT_BORDER)


def _folded_away(
    model: BodyModel, landmarks: Landmarks, camera: Camera, joints: np.ndarray, side: int
) -> bool:
    """Whether a lower leg points away from the camera behind its knee, and no foot was seen."""
    _, knee, ankle = (joints[model.joint_index[name]] for name in skeleton.LEGS[side])
    if ankle[2] <= knee[2] or knee[2] <= 0:
        return False
    drawn = np.linalg.norm(np.subtract(*camera.project(np.stack([ankle, knee]))))
    length = np.linalg.norm(ankle - knee) * camera.focal_px / knee[2]
    foot = [ANKLES[side], HEELS[side], TOES[side]]
    unseen = landmarks.visibility[foot].mean() < _LANDMARKS_SEEN
    return bool(unseen and drawn < _FORESHORTENED * length)


def _extent(states: list[State], inside: np.ndarray) -> Extent:
    """How far down the frame shows a person."""
    by_part = dict(zip(BODY_PARTS, states, strict=True))
    inner = dict(zip(BODY_PARTS, inside, strict=True))
    if "cut" not in states:
        return "whole"

    def most(part: str) -> bool:
        return max(inner[f"left {part}"], inner[f"right {part}"]) > 0.5

    def both(part: str) -> bool:
        return min(inner[f"left {part}"], inner[f"right {part}"]) > 0.2

    if inner["chest"] <= 0.4 and inner["head"] > 0.3:
        return "head"
    if by_part["head"] == "cut" or most("foot") or (most("lower leg") and not both("lower leg")):
        # The frame's top or side cuts the person, or no more than toes.
        return "part"
    if most("thigh"):
        return "three-quarter"
    return "half" if inner["hips"] > 0.5 else "bust"
