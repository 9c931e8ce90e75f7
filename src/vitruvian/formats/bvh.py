"""BVH (Biovision Hierarchy): a skeleton and one motion in plain text, for animation programs.

Lengths are centimetres, as most captures have them. The format knows no axes of bones: at rest all
are parallel to the file's (y up, facing +z), and every motion is relative to that.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vitruvian.formats.atomic import write_text
from vitruvian.formats.rig import Clip
from vitruvian.formats.rigged import RiggedAvatar

_CM = 100.0
_TURNS = "Zrotation Xrotation Yrotation"
_SHORTEST_M = 0.01


def write_bvh(avatar: RiggedAvatar, path: str | Path) -> Path:
    """Write the pose of the photograph to ``path``, and every other clip beside it.

    A file holds one motion: that of a clip ``walk`` goes to ``<stem>-walk.bvh``. Returns the path.
    Raises ``InputError`` when the place cannot be written.
    """
    path = Path(path)
    first, *others = avatar.clips
    for clip in others:
        write_text(path.with_name(f"{path.stem}-{clip.name}{path.suffix}"), bvh_text(avatar, clip))
    return write_text(path, bvh_text(avatar, first))


def bvh_text(avatar: RiggedAvatar, clip: Clip) -> str:
    """The skeleton in its rest pose, and the clip as one frame per key; a pose is one frame."""
    count = len(clip.times_s)
    still = count == 2 and np.array_equal(clip.rotations[0], clip.rotations[1])
    keys = 1 if still else count
    step = 1 / 30 if still else float(clip.times_s[1] - clip.times_s[0])
    order: list[int] = []
    lines = ["HIERARCHY", *_joint(avatar, 0, "", order), "MOTION"]
    lines += [f"Frames: {keys}", f"Frame Time: {step:.7f}"]
    roots = _CM * avatar.root_places(clip)
    angles = np.rad2deg(np.unwrap(_euler(clip.rotations[:, order]), axis=0))
    rows = np.concatenate([roots, angles.reshape(count, -1)], 1)[:keys]
    lines += [" ".join(f"{value:.5f}" for value in row) for row in rows]
    return "\n".join(lines) + "\n"


def _joint(avatar: RiggedAvatar, joint: int, indent: str, order: list[int]) -> list[str]:
    """The lines of a joint and all below it; ``order`` gets them as the file lists them."""
    order.append(joint)
    parent = int(avatar.parents[joint])
    offset = avatar.joints[joint] - (avatar.joints[parent] if parent >= 0 else 0)
    channels = f"6 Xposition Yposition Zposition {_TURNS}" if parent < 0 else f"3 {_TURNS}"
    lines = [
        f"{indent}{'ROOT' if parent < 0 else 'JOINT'} {avatar.bone_names[joint]}",
        f"{indent}{{",
        f"{indent}  OFFSET {_numbers(_CM * offset)}",
        f"{indent}  CHANNELS {channels}",
    ]
    children = np.flatnonzero(avatar.parents == joint)
    for child in children:
        lines += _joint(avatar, int(child), indent + "  ", order)
    if not len(children):
        # A bone's tip, which readers draw: as far from the joint as half of the bone before.
        length = max(0.5 * float(np.linalg.norm(offset)), _SHORTEST_M)
        tip = _numbers(_CM * length * avatar.axes[joint][:, 1])
        lines += [
            f"{indent}  End Site",
            f"{indent}  {{",
            f"{indent}    OFFSET {tip}",
            f"{indent}  }}",
        ]
    return [*lines, f"{indent}}}"]


def _numbers(values: np.ndarray) -> str:
    return " ".join(f"{value:.6f}" for value in values)


def _euler(turns: np.ndarray) -> np.ndarray:
    """Angles (..., 3) about z, x and y, radians, whose turns one after the other are ``turns``."""
    x = np.arcsin(np.clip(turns[..., 2, 1], -1, 1))
    z = np.arctan2(-turns[..., 0, 1], turns[..., 1, 1])
    y = np.arctan2(-turns[..., 2, 0], turns[..., 2, 2])
    return np.stack([z, x, y], -1)
