"""Bake the poses in which ``vitruvian photo --poses`` shows people: a T-pose and captured ones.

    python scripts/bake_shown_poses.py --mocap DIR [-o src/vitruvian/body/data/shown_poses.json]

``DIR`` is as for ``bake_pose_prior.py``. CMU Graphics Lab motion capture database: free for any
use. Only rotations that were fitted to three of its frames are stored.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from bake_pose_prior import Retargeter
from mocap import Frame, read_amc, read_asf, read_expmap

from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle

ROOT = Path(__file__).resolve().parents[1]
SOURCE = (
    "T-pose: constructed. Others: body rotations fitted to frames of the CMU Graphics Lab Motion "
    "Capture Database (mocap.cs.cmu.edu), free for any use; created "
    "with funding from NSF EIA-0196217."
)
DIGITS = 3


def t_pose(model: BodyModel) -> np.ndarray:
    """The rest pose (J, 3) with both arms level."""
    pose = np.zeros((len(model.parents), 3))
    joints = model.joint_template
    for side, sign in (("L", 1.0), ("R", -1.0)):
        shoulder = model.joint_index[f"upperarm01.{side}"]
        arm = joints[model.joint_index[f"wrist.{side}"]] - joints[shoulder]
        level = np.array([sign, 0.0, 0.0])
        axis = np.cross(arm / np.linalg.norm(arm), level)
        pose[shoulder] = axis / np.linalg.norm(axis) * np.arcsin(np.linalg.norm(axis))
    return pose


def facing_ahead(pose: np.ndarray) -> np.ndarray:
    """The pose (J, 3) turned about the vertical until the pelvis faces +z."""
    out = pose.copy()
    pelvis = matrix_from_axis_angle(out[0])
    yaw = np.arctan2(pelvis[0, 2], pelvis[2, 2])
    turn = matrix_from_axis_angle(np.array([0.0, -yaw, 0.0]))
    out[0] = axis_angle_from_matrix(turn @ pelvis)
    return out


def captured(folder: Path) -> list[tuple[str, str, Frame]]:
    """Name, clip with frame, and captured frame of each pose."""
    found = []
    with np.load(folder / "cmu_expmap_train.npz") as archive:
        for name, clip, number in (
            ("walking", "walking_5", 10),
            ("arms raised", "directing_traffic_1", 594),
        ):
            frame = next(read_expmap(archive[clip][number:], 1))
            found.append((name, f"{clip}, row {number}", frame))
    bones = read_asf(folder / "cmu" / "01.asf")
    frames = list(read_amc(folder / "cmu" / "01_09.amc", bones, 1))
    found.append(("sitting", "01_09, row 243", frames[243]))
    return found


def main() -> None:
    """Fit the body to the frames and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mocap", type=Path, required=True)
    output = ROOT / "src/vitruvian/body/data/shown_poses.json"
    parser.add_argument("-o", "--output", type=Path, default=output)
    arguments = parser.parse_args()
    model = body_model()
    retargeter = Retargeter(model)
    poses = [("T-pose", "constructed", t_pose(model))]
    for name, clip, frame in captured(arguments.mocap):
        rotations, error = retargeter.fit(frame, iterations=60)
        poses.append((name, clip, facing_ahead(axis_angle_from_matrix(rotations))))
        print(f"{name}: bones off by {error:.1f} degrees")
    entries = [
        {
            "name": name,
            "from": clip,
            "rotations": {
                joint: [round(float(value), DIGITS) + 0.0 for value in turn]
                for joint, turn in zip(model.joint_names, pose, strict=True)
                if np.abs(turn).max() >= 10**-DIGITS
            },
        }
        for name, clip, pose in poses
    ]
    text = json.dumps({"source": SOURCE, "poses": entries}, indent=1)
    arguments.output.write_text(text + "\n", encoding="utf-8")
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e3:.1f} kB")


if __name__ == "__main__":
    main()
