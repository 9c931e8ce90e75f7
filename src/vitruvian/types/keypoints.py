"""Sets of named points of the body, and what is where in them.

BlazePose's 33 landmarks are the set that goes through the pipeline: indices without the name of a
set are theirs. Of pairs, the subject's left comes first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

# The 33 landmarks of BlazePose, in the order of its output.
LANDMARK_NAMES = (
    "nose", "left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye",
    "right_eye_outer", "left_ear", "right_ear", "mouth_left", "mouth_right", "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_pinky",
    "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb", "left_hip",
    "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle", "left_heel",
    "right_heel", "left_foot_index", "right_foot_index",
)  # fmt: skip

COCO_NAMES = (
    "nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip",
    "left_knee", "right_knee", "left_ankle", "right_ankle",
)  # fmt: skip

KEYPOINT_SETS = {"blazepose": LANDMARK_NAMES, "coco": COCO_NAMES}


def indices_of(wanted: Sequence[str], names: Sequence[str] = LANDMARK_NAMES) -> np.ndarray:
    """Where (N,) the wanted points are among ``names``."""
    return np.array([names.index(name) for name in wanted])


def mirror_of(names: Sequence[str]) -> np.ndarray:
    """Indices (N,) of each point's counterpart on the other side, itself in the middle."""
    swap = {"left": "right", "right": "left"}
    return indices_of(["_".join(swap.get(w, w) for w in n.split("_")) for n in names], names)


def _pair(name: str) -> np.ndarray:
    return indices_of([f"left_{name}", f"right_{name}"])


NOSE = LANDMARK_NAMES.index("nose")
EYES, EARS, MOUTH = _pair("eye"), _pair("ear"), indices_of(["mouth_left", "mouth_right"])
SHOULDERS, ELBOWS, WRISTS = _pair("shoulder"), _pair("elbow"), _pair("wrist")
LITTLE_FINGERS, INDEX_FINGERS = _pair("pinky"), _pair("index")
HIPS, KNEES, ANKLES = _pair("hip"), _pair("knee"), _pair("ankle")
HEELS, TOES = _pair("heel"), _pair("foot_index")
MIRROR = mirror_of(LANDMARK_NAMES)

FACE = np.arange(NOSE, MOUTH[1] + 1)
HANDS = np.arange(LITTLE_FINGERS[0], HIPS[0])
FEET = np.concatenate([HEELS, TOES])
TORSO = np.concatenate([SHOULDERS, HIPS])
# The 12 joints of trunk and limbs, and with the nose what tells where somebody is.
JOINTS = np.concatenate([SHOULDERS, ELBOWS, WRISTS, HIPS, KNEES, ANKLES])
CORE = np.concatenate([[NOSE], JOINTS])

# Of either side, from the trunk outwards.
ARMS = np.stack([SHOULDERS, ELBOWS, WRISTS], axis=1)
LEGS = np.stack([HIPS, KNEES, ANKLES], axis=1)
# Bones (10, 2) of limbs and flanks, the left side first.
LIMBS = np.array(
    [
        bone
        for (shoulder, elbow, wrist), (hip, knee, ankle) in zip(ARMS, LEGS, strict=True)
        for bone in ((shoulder, elbow), (elbow, wrist), (hip, knee), (knee, ankle), (shoulder, hip))
    ]
)

# COCO's points among the landmarks (17,), and COCO's own indices.
COCO_LANDMARKS = indices_of(COCO_NAMES)
COCO_JOINTS = indices_of([LANDMARK_NAMES[index] for index in JOINTS], COCO_NAMES)
COCO_SHOULDERS, COCO_HIPS = COCO_JOINTS[:2], COCO_JOINTS[6:8]


# How far above the joints of the body model BlazePose marks shoulders and hips, in parts of the
# trunk from hips to shoulders: where people who label photographs see them, and not where bones
# meet. Measured on synthetic people, whose joints are known, and alike on photographs; see
# docs/experiments/pose-by-marks.md.
_SHOULDERS_ABOVE, _HIPS_ABOVE = 0.08, 0.09


def joints_of_marks(marks: np.ndarray) -> np.ndarray:
    """Where the body model has what BlazePose marks: landmarks (..., 33, D) of a picture or of
    space, D of 2 or 3, with shoulders and hips lowered along the trunk."""
    return _moved(marks, -_SHOULDERS_ABOVE, -_HIPS_ABOVE)


def marks_of_joints(points: np.ndarray) -> np.ndarray:
    """Where BlazePose would mark the body model's keypoints (..., 33, D): the inverse of
    ``joints_of_marks``."""
    shorter = 1 - _SHOULDERS_ABOVE + _HIPS_ABOVE  # the trunk of joints, in that of marks
    return _moved(points, _SHOULDERS_ABOVE / shorter, _HIPS_ABOVE / shorter)


def _moved(points: np.ndarray, shoulders: float, hips: float) -> np.ndarray:
    """Points with shoulders and hips moved by parts of the trunk."""
    out = np.array(points, np.float64)
    trunk = out[..., SHOULDERS, :].mean(-2, keepdims=True) - out[..., HIPS, :].mean(
        -2, keepdims=True
    )
    out[..., SHOULDERS, :] += shoulders * trunk
    out[..., HIPS, :] += hips * trunk
    return out


def limb_length(points: np.ndarray) -> np.ndarray:
    """Sum (...,) of the lengths of limbs and flanks of landmarks (..., 33, D)."""
    bones = points[..., LIMBS[:, 0], :] - points[..., LIMBS[:, 1], :]
    return np.asarray(np.linalg.norm(bones, axis=-1).sum(-1))
