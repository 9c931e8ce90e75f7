"""Bake what people's poses are like: retarget motion capture to the body, write two files.

    python scripts/bake_pose_prior.py --mocap DIR [-o src/vitruvian/body/data]

``DIR`` holds ``cmu/`` (Acclaim .asf and .amc), ``cmu_expmap_train.npz`` and ``deepmimic/``.
Writes ``pose_prior.npz`` (mean, whitening and limits over the active joints, mirrored so that
left and right are alike) and ``poses.npz`` (diverse whole poses).

CMU Graphics Lab motion capture database: free for any use. DeepMimic (Peng et al., 2018): MIT.
Only numbers that were fitted to them are stored.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mocap import Frame, read_amc, read_asf, read_deepmimic, read_expmap

from vitruvian.body.model.model import BodyModel, PointSet, body_model
from vitruvian.geometry.rotations import (
    axis_angle_from_matrix,
    matrix_from_axis_angle,
)

ROOT = Path(__file__).resolve().parents[1]

# Bones whose directions are matched: our joints, and the captured positions, and the weight.
BONES = [
    (f"{a}.{s}", f"{b}.{s}", f"{c}.{s}", f"{d}.{s}", w)
    for s in "LR"
    for a, b, c, d, w in (
        ("upperleg01", "lowerleg01", "hip", "knee", 3.0),
        ("lowerleg01", "foot", "knee", "ankle", 3.0),
        ("upperarm01", "lowerarm01", "shoulder", "elbow", 3.0),
        ("lowerarm01", "wrist", "elbow", "wrist", 3.0),
        ("wrist", "finger3-1", "wrist", "hand", 1.0),
        ("wrist", "finger1-2", "wrist", "thumb", 0.6),
    )
]
# Segments whose orientation is matched: our joint, captured segment, weight.
SEGMENTS = [
    ("root", "pelvis", 2.0),
    ("spine01", "chest", 2.0),
    ("head", "head", 1.5),
    ("foot.L", "foot.L", 1.0),
    ("foot.R", "foot.R", 1.0),
    ("toes.L", "toes.L", 0.4),
    ("toes.R", "toes.R", 0.4),
]
# Pull of each active joint towards rest, where the capture leaves it free.
STIFFNESS = {"clavicle": 0.8, "spine": 0.25, "neck": 0.25, "wrist": 0.25, "toes": 0.3}


class Retargeter:
    """Fits the body's rotations to the directions and orientations of a captured frame."""

    def __init__(self, model: BodyModel) -> None:
        self.model = model
        self.index = model.joint_index
        starts = [(a, np.zeros(3)) for a, *_ in BONES]
        ends = [(b, np.zeros(3)) for _, b, *_ in BONES]
        for joint, _, _ in SEGMENTS:
            for axis in np.eye(3):
                starts.append((joint, np.zeros(3)))
                ends.append((joint, axis))
        self.points = self._attached(starts + ends)
        # The rest pose's hands point along the arms, the capture's too; lengths are divided out.
        count = len(starts)
        rest = self.points.template
        self.lengths = np.linalg.norm(rest[count:] - rest[:count], axis=1)
        self.count = count
        stiff = [
            next((v for k, v in STIFFNESS.items() if model.joint_names[j].startswith(k)), 0.12)
            for j in model.active
        ]
        stiff[0] = 0.0
        self.stiffness = np.repeat(stiff, 3)

    def _attached(self, places: list[tuple[str, np.ndarray]]) -> PointSet:
        joints = np.array([[self.index[name]] for name, _ in places])
        template = self.model.joint_template[joints[:, 0]] + np.array([o for _, o in places])
        directions = self.model.joint_directions[:0, joints[:, 0]]
        return PointSet(template, directions, joints, np.ones((len(places), 1)))

    def targets(self, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """Unit directions (N, 3) and weights (N,); weight 0 where the capture has nothing."""
        directions, weights = [], []
        for _, _, start, end, weight in BONES:
            known = start in frame.positions and end in frame.positions
            vector = frame.positions[end] - frame.positions[start] if known else np.ones(3)
            directions.append(vector / np.linalg.norm(vector))
            weights.append(weight if known else 0.0)
        for _, segment, weight in SEGMENTS:
            known = segment in frame.rotations
            turn = frame.rotations[segment] if known else np.eye(3)
            directions.extend(turn.T)
            weights.extend([weight if known else 0.0] * 3)
        return np.array(directions), np.array(weights)

    def fit(self, frame: Frame, iterations: int = 15) -> tuple[np.ndarray, float]:
        """Local rotations (J, 3, 3) and the mean error of the bones' directions in degrees."""
        model, active = self.model, self.model.active
        target, weights = self.targets(frame)
        rotations = np.tile(np.eye(3), (len(model.parents), 1, 1))
        rotations[0] = frame.rotations["pelvis"]
        size = 3 * len(active)
        for _ in range(iterations):
            points, derivative = model.evaluate(
                self.points, np.zeros(0), rotations, np.zeros(3), active
            )
            assert derivative is not None
            found = (points[self.count :] - points[: self.count]) / self.lengths[:, None]
            rows = derivative[self.count :, :, :size] - derivative[: self.count, :, :size]
            rows = (rows / self.lengths[:, None, None] * weights[:, None, None]).reshape(-1, size)
            residual = ((found - target) * weights[:, None]).ravel()
            pose = axis_angle_from_matrix(rotations[active]).ravel()
            normal = rows.T @ rows + np.diag(self.stiffness**2 + 1e-4)
            step = np.linalg.solve(normal, -(rows.T @ residual + self.stiffness**2 * pose))
            step = step.reshape(-1, 3)
            longest = np.linalg.norm(step, axis=1).max()
            step *= min(1.0, 0.8 / longest)
            rotations[active] = matrix_from_axis_angle(step) @ rotations[active]
            if longest < 1e-3:
                break
        bones = weights[: len(BONES)] >= 3
        cosine = np.einsum("ni,ni->n", found, target)[: len(BONES)][bones]
        return rotations, float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))).mean())


def captured(folder: Path) -> Iterator[tuple[str, Frame]]:
    """Frames of every source with the name of their clip, thinned to a like number each."""
    for skeleton in sorted((folder / "cmu").glob("*.asf")):
        bones = read_asf(skeleton)
        for motion in sorted((folder / "cmu").glob(f"{skeleton.stem}_*.amc")):
            for frame in read_amc(motion, bones, 10):
                yield f"cmu {motion.stem}", frame
    with np.load(folder / "cmu_expmap_train.npz") as archive:
        for name in archive.files:
            rows = archive[name]
            kept = 8 if name.startswith("walking") else 60
            for frame in read_expmap(rows, max(1, len(rows) // kept)):
                yield f"cmu {name}", frame
    for path in sorted((folder / "deepmimic").glob("*.txt")):
        for frame in read_deepmimic(path, 3):
            yield f"deepmimic {path.stem}", frame


def seated(rng: np.random.Generator, model: BodyModel, others: np.ndarray) -> np.ndarray:
    """Sitting poses (N, J, 3): legs bent as on chairs and floors, the rest from ``others``.

    The capture has none on chairs, and photographs are full of them.
    """
    poses = others.copy()
    index = model.joint_index
    count = len(poses)
    lean = rng.normal(0.0, 0.2, count)
    spread = np.abs(rng.normal(0.1, 0.15, count))
    hip = rng.normal(1.45, 0.2, count)
    for side, sign in (("L", 1.0), ("R", -1.0)):
        flexion = hip + rng.normal(0, 0.1, count)
        thigh = np.zeros((count, 3))
        thigh[:, 0] = -flexion
        thigh[:, 1] = sign * spread
        poses[:, index[f"upperleg01.{side}"]] = thigh
        knee = np.clip(flexion + rng.normal(0, 0.3, count), 0.2, 2.3)
        poses[:, index[f"lowerleg01.{side}"]] = 0
        poses[:, index[f"lowerleg01.{side}"], 0] = knee
        poses[:, index[f"foot.{side}"]] = rng.normal(0, 0.12, (count, 3))
    for name in ("spine05", "spine03", "spine01"):
        poses[:, index[name], 0] += lean / 3
    return poses


def is_upright(model: BodyModel, poses: np.ndarray) -> np.ndarray:
    """(N,) whether a pose (N, J, 3) stands or walks: knees, hips and trunk nearly straight."""
    index = model.joint_index

    def bend(name: str) -> np.ndarray:
        return np.linalg.norm(poses[:, index[name]], axis=1)

    knees = np.maximum(bend("lowerleg01.L"), bend("lowerleg01.R"))
    hips = np.maximum(bend("upperleg01.L"), bend("upperleg01.R"))
    trunk = bend("spine05") + bend("spine03") + bend("spine01")
    straightest = np.minimum(bend("lowerleg01.L"), bend("lowerleg01.R"))
    return (knees < 1.0) & (straightest < 0.45) & (hips < 0.7) & (trunk < 0.6)


def level_heads(model: BodyModel, poses: np.ndarray, clips: np.ndarray) -> np.ndarray:
    """Poses with the heads of each actor raised so that upright ones look 5 degrees down.

    The captures' head segments are calibrated to helmets and caps, not to faces: half of the
    actors seem to look at their feet all the time.
    """
    head = model.joint_index["head"]
    upright = is_upright(model, poses)
    raised = poses.copy()
    actors = np.array([" ".join(clip.split()[:2])[:6] for clip in clips])
    for actor in np.unique(actors):
        mine = actors == actor
        sample = np.flatnonzero(mine & upright)
        if len(sample) < 10:
            sample = np.flatnonzero(mine)
        turns = [model.forward(np.zeros(0), poses[i]).rotations[head] for i in sample[:200]]
        down = np.median([np.arcsin(np.clip(-turn[1, 2], -1, 1)) for turn in turns])
        change = matrix_from_axis_angle(np.array([np.deg2rad(5) - down, 0, 0]))
        local = matrix_from_axis_angle(poses[mine, head]) @ change
        raised[mine, head] = axis_angle_from_matrix(local)
        print(f"  {actor}: heads {np.rad2deg(down):.0f} degrees down before")
    return raised


def is_possible(model: BodyModel, poses: np.ndarray) -> np.ndarray:
    """(N,) whether ankles and wrists turn no further than people's; markers slip now and then."""
    feet = [model.joint_index[f"foot.{s}"] for s in "LR"]
    hands = [model.joint_index[f"wrist.{s}"] for s in "LR"]
    turn = np.linalg.norm(poses, axis=2)
    return (turn[:, feet].max(1) < 1.2) & (turn[:, hands].max(1) < 1.5)


def spread_out(poses: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of ``count`` poses (N, D), each far from those chosen before (Gonzalez, 1985)."""
    chosen = [int(rng.integers(len(poses)))]
    nearest = np.linalg.norm(poses - poses[chosen[0]], axis=1)
    while len(chosen) < min(count, len(poses)):
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(poses - poses[chosen[-1]], axis=1))
    return np.array(chosen)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mocap", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "src/vitruvian/body/data")
    parser.add_argument("--keep", type=int, default=2400)
    arguments = parser.parse_args()
    model = body_model()
    rng = np.random.default_rng(0)
    retargeter = Retargeter(model)
    rows, clips, errors = [], [], []
    for clip, frame in captured(arguments.mocap):
        rotations, error = retargeter.fit(frame)
        errors.append(error)
        rows.append(axis_angle_from_matrix(rotations))
        clips.append(clip)
    poses, error, clip_names = np.array(rows), np.array(errors), np.array(clips)
    print(
        f"{len(poses)} frames, bone directions off by {error.mean():.1f} degrees on average,"
        f" 95 % {np.percentile(error, 95):.1f}"
    )
    good = (error < 15) & is_possible(model, poses)
    poses, clip_names = poses[good], clip_names[good]
    poses = level_heads(model, poses, clip_names)
    sitting = seated(rng, model, poses[rng.choice(len(poses), len(poses) // 10, replace=False)])
    poses = np.concatenate([poses, sitting])
    clip_names = np.concatenate([clip_names, np.full(len(sitting), "seated")])
    print(f"kept {good.mean():.1%}; with {len(sitting)} seated ones {len(poses)} poses")

    active = model.active[1:]
    mirrored = np.array([model.mirrored_pose(pose) for pose in poses])
    both = np.concatenate([poses, mirrored])
    flat = both[:, active].reshape(len(both), -1)
    # The mean is that of people who stand or walk, as most do whom photographs show; the rest
    # widens the spread about it. The mean of all would bend everybody's knees.
    upright = np.tile(is_upright(model, poses), 2)
    seated_too = np.tile(clip_names == "seated", 2)
    share = np.where(upright, 0.6 / upright.sum(), 0.0)
    share = np.where(seated_too, 0.12 / seated_too.sum(), share)
    active_ones = ~upright & ~seated_too
    share = np.where(active_ones, 0.28 / active_ones.sum(), share)
    mean = flat[upright].mean(0)
    covariance = 1.3 * ((flat - mean) * share[:, None]).T @ (flat - mean)
    print(f"{upright.mean():.1%} of the poses are upright")
    # A floor on the spread: capture holds wrists, neck and toes stiller than life.
    floor = np.array(
        [
            0.25 if model.joint_names[j].startswith(("wrist", "head", "neck")) else 0.12
            for j in active
        ]
    )
    covariance += np.diag(np.repeat(floor, 3) ** 2)
    whitening = np.linalg.inv(np.linalg.cholesky(covariance))
    lower = np.percentile(flat, 0.3, axis=0) - 0.35
    upper = np.percentile(flat, 99.7, axis=0) + 0.35
    for j, m, s, a, b in zip(
        active,
        mean.reshape(-1, 3),
        np.sqrt(np.diag(covariance)).reshape(-1, 3),
        lower.reshape(-1, 3),
        upper.reshape(-1, 3),
        strict=True,
    ):
        name = model.joint_names[j]
        if not name.endswith(".R"):
            print(f"{name:14} mean {m.round(2)} sd {s.round(2)} from {a.round(2)} to {b.round(2)}")
    kept = spread_out(poses[:, active].reshape(len(poses), -1), arguments.keep, rng)
    save(
        arguments.output / "pose_prior.npz",
        joint_names=np.array([model.joint_names[j] for j in active]),
        mean=mean.astype(np.float32),
        whitening=whitening.astype(np.float32),
        lower=lower.astype(np.float32),
        upper=upper.astype(np.float32),
    )
    save(
        arguments.output / "poses.npz",
        joint_names=np.array([model.joint_names[j] for j in model.active]),
        poses=poses[kept][:, model.active].astype(np.float16),
        clips=clip_names[kept],
    )


def save(path: Path, **arrays: np.ndarray) -> None:
    temporary = path.with_suffix(".tmp.npz")
    np.savez_compressed(temporary, **arrays)
    temporary.replace(path)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
