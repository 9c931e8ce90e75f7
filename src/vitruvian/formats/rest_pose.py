"""Rest poses that animation programs expect: a T-pose, or an A-pose with arms half lowered.

The body model rests with its arms 46 degrees down and its elbows bent by 41, forearms and hands in
front. Programs want straight arms: retargeting compares skeletons at rest.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.body.model.model import joint_motion
from vitruvian.body.model.skeleton import ELBOWS, LEFT, SHOULDERS, WRISTS, finger
from vitruvian.formats.rigged import RiggedAvatar
from vitruvian.options import Rest

# Of the arms at rest, how far they are below the horizontal.
_DOWN_DEG = {"t": 0.0, "a": 45.0}


def in_rest_pose(avatar: RiggedAvatar, pose: Rest) -> RiggedAvatar:
    """The avatar with another rest pose: its arms straight in the frontal plane, palms down.

    Mesh and joints are put there by linear blend skinning, and clips are told anew so that they
    lead to the same poses: exactly for what hangs on one joint, nearly where several blend. A
    rig without arms stays as it is.

    Args:
        avatar: its axes are the file's.
        pose: ``a``: arms 45 degrees down; ``t``: level.
    """
    turns = _rest_turns(avatar, np.deg2rad(_DOWN_DEG[pose]))
    local = turns.copy()
    up = avatar.parents[1:]
    local[1:] = turns[up].swapaxes(1, 2) @ turns[1:]
    motion = joint_motion(avatar.parents, avatar.joints, local, avatar.joints[0])
    mesh = avatar.mesh
    assert mesh.skin_joints is not None
    assert mesh.skin_weights is not None
    vertices = motion.skinned(mesh.vertices, mesh.skin_joints, mesh.skin_weights)
    clips = []
    for clip in avatar.clips:
        rotations = clip.rotations @ turns.swapaxes(1, 2)
        rotations[:, 1:] = turns[up] @ rotations[:, 1:]
        clips.append(replace(clip, rotations=rotations))
    return replace(
        avatar, mesh=mesh.with_vertices(vertices), joints=motion.heads, clips=tuple(clips)
    )


def _rest_turns(avatar: RiggedAvatar, down: float) -> np.ndarray:
    """(J, 3, 3) how every joint is turned, in the file's axes; fingers go with their hand."""
    index = {name: i for i, name in enumerate(avatar.joint_names)}
    turns: dict[int, np.ndarray] = {}
    arms = zip(SHOULDERS, ELBOWS, WRISTS, finger(3, 1), finger(2, 1), finger(5, 1), strict=True)
    for side, names in enumerate(arms):
        if not all(name in index for name in names):
            continue
        shoulder, elbow, wrist, *knuckles = (index[name] for name in names)
        place = avatar.joints
        middle, first, last = (place[knuckle] for knuckle in knuckles)
        upper, lower = place[elbow] - place[shoulder], place[wrist] - place[elbow]
        hand = middle - place[wrist]
        sign = 1.0 if side == LEFT else -1.0
        goal = np.array([sign * np.cos(down), -np.sin(down), 0.0])
        # The elbow bends forwards; the backs of the hands are up.
        bends, hinge = np.cross(goal, (0.0, 0.0, 1.0)), np.cross(upper, lower)
        back, above = sign * np.cross(hand, last - first), np.array([0.0, 1.0, 0.0])
        turns[shoulder] = _axes(goal, bends) @ _axes(upper, hinge).T
        turns[elbow] = _axes(goal, bends) @ _axes(lower, hinge).T
        turns[wrist] = _axes(goal, above) @ _axes(hand, back).T
    out = np.tile(np.eye(3), (len(avatar.parents), 1, 1))
    for joint, parent in enumerate(avatar.parents):
        out[joint] = turns.get(joint, out[parent] if parent >= 0 else np.eye(3))
    return out


def _axes(along: np.ndarray, about: np.ndarray) -> np.ndarray:
    """Orthonormal axes (3, 3), columns: along the first, near the second, across both."""
    first = along / np.linalg.norm(along)
    second = about - (about @ first) * first
    second /= np.linalg.norm(second)
    return np.stack([first, second, np.cross(first, second)], 1)
