"""Bake the avatar's skin: the body's own, softer wherever cloth over it would be drawn out.

    python scripts/bake_soft_skin.py [-o src/vitruvian/body/data/soft_skin.npz]

Weights of trunk and limbs are smoothed over the mesh, first everywhere alike, then again and again
where triangles are drawn out on the way from poses in which people are photographed to poses that
avatars take. Hands, feet and head keep theirs. Needs no data but the package's.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from vitruvian.body.model.clips import captured_motions
from vitruvian.body.model.model import DATA, BodyModel, body_model, joint_motion
from vitruvian.body.model.repose import shown_poses
from vitruvian.body.model.skeleton import ELBOWS, HIPS, SHOULDERS
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.geometry.stretch import TORN, face_areas, largest_stretch
from vitruvian.surface.envelope.inflate import smooth_over_mesh
from vitruvian.surface.finish.skin_transfer import strongest_four
from vitruvian.types.regions import HEAD

ROOT = Path(__file__).resolve().parents[1]
FIRST_ROUNDS = 18  # everywhere: more makes joints bend like rubber
STEPS = 100
ROUNDS = 3  # of a step
HALVED = 25  # steps after which a step does half as much
DRAWN_OUT = (1.7, 2.7)  # times the length before: where softening begins, where it is whole
HEAT = 6.0
SPREAD = 6  # rounds over which it fades around
FOLDED = 3.0  # times as much as a fold is drawn out: from a third on it is one
CLOTH_M = 0.02  # over the bare body
STANDING = 12  # photographed poses
HANGING_DEG, UPRIGHT_DEG = 40.0, 20.0  # of arms and thighs from the vertical, at most
KEYS = {"run": (5, 16), "walk": (4, 20), "dance": (20, 50), "sit": (0, 45), "wave": (60,)}


def photographed_poses(model: BodyModel) -> list[np.ndarray]:
    """(J, 3, 3) each: people who stand with their arms down, as most do before a camera."""
    with np.load(DATA / "poses.npz") as archive:
        names, poses = archive["joint_names"], archive["poses"].astype(np.float64)
    moving = [model.joint_index[str(name)] for name in names]
    index, joints = model.joint_index, model.joint_template
    found = []
    for number in np.random.default_rng(0).permutation(len(poses)):
        rotations = np.tile(np.eye(3), (len(model.parents), 1, 1))
        rotations[moving] = matrix_from_axis_angle(poses[number])
        rotations[0] = np.eye(3)
        turns = joint_motion(model.parents, joints, rotations, np.zeros(3)).rotations
        down = []
        for pair, end in ((SHOULDERS, ELBOWS), (HIPS, ("lowerleg01.L", "lowerleg01.R"))):
            for upper, lower in zip(pair, end, strict=True):
                bone = turns[index[upper]] @ (joints[index[lower]] - joints[index[upper]])
                down.append(np.degrees(np.arccos(-bone[1] / np.linalg.norm(bone))))
        if max(down[:2]) < HANGING_DEG and max(down[2:]) < UPRIGHT_DEG:
            found.append(rotations)
        if len(found) == STANDING:
            break
    return found


def taken_poses(model: BodyModel) -> list[np.ndarray]:
    """(J, 3, 3) each: the poses that avatars are checked in, and keys of their clips."""
    shown = [matrix_from_axis_angle(pose.rotations) for pose in shown_poses(model)]
    clips = {motion.name: motion.rotations for motion in captured_motions()}
    return 2 * shown + [clips[name][key] for name, keys in KEYS.items() for key in keys]


class Skin:
    """The model's skin as a matrix (V, J), and what it does in poses."""

    def __init__(self, model: BodyModel) -> None:
        self.model = model
        self.faces = model.faces[model.components[model.faces[:, 0]] == 0]
        self.weights = np.zeros((len(model.template), len(model.parents)), np.float32)
        rows = np.arange(len(self.weights))
        for joints, weights in zip(model.skin_joints.T, model.skin_weights.T, strict=True):
            np.add.at(self.weights, (rows, joints), weights)
        regions = model.regions
        own = np.maximum.reduce([regions.hand, regions.foot, regions.head])
        self.free = 1 - np.maximum(own, model.components > 0)[:, None]
        normals = vertex_normals(model.template, model.faces)
        cloth = CLOTH_M * smooth_over_mesh(self.free * normals, regions.edges, SPREAD)
        self.dressed = (model.template + cloth).astype(np.float32)
        sides = {"L": "R", "R": "L"}
        names = [
            name[:-1] + sides[name[-1]] if name.endswith((".L", ".R")) else name
            for name in model.joint_names
        ]
        self.mirrored_joints = [model.joint_index[name] for name in names]

    def soften(self, share: np.ndarray | float, rounds: int) -> None:
        """Smooth a share (V, 1) of the weights, alike on both sides."""
        smooth = smooth_over_mesh(self.weights, self.model.regions.edges, rounds)
        self.weights = self.weights + share * self.free * (smooth - self.weights)
        other = self.weights[self.model.regions.mirror][:, self.mirrored_joints]
        self.weights = self.weights + self.free * (other - self.weights) / 2

    def posed(self, rotations: np.ndarray) -> np.ndarray:
        joints, weights = strongest_four(self.weights)
        motion = joint_motion(self.model.parents, self.model.joint_template, rotations, np.zeros(3))
        return motion.skinned(self.dressed, joints.astype(np.uint16), weights)

    def drawn_out(
        self, before: list[np.ndarray], after: list[np.ndarray]
    ) -> tuple[np.ndarray, float]:
        """How far each vertex (V, 1) is drawn out, 0..1, and the torn share of the surface."""
        start = [self.posed(rotations) for rotations in before]
        end = [self.posed(rotations) for rotations in after]
        heat, torn = np.zeros(len(self.faces)), []
        for vertices in end:
            areas = face_areas(vertices, self.faces)
            for first in start:
                stretch = largest_stretch(first, vertices, self.faces)
                heat += np.clip((stretch - DRAWN_OUT[0]) / (DRAWN_OUT[1] - DRAWN_OUT[0]), 0, 1)
                torn.append(areas[stretch > TORN].sum() / areas.sum())
        corners = self.faces.ravel()
        count = len(self.model.template)
        at = np.bincount(corners, np.repeat(heat / len(torn), 3), count)
        at /= np.maximum(np.bincount(corners, minlength=count), 1)
        hot = np.minimum(HEAT * at, 1)[:, None].astype(np.float32)
        return smooth_over_mesh(hot, self.model.regions.edges, SPREAD), float(np.mean(torn))


def folds(skin: Skin, before: list[np.ndarray], after: list[np.ndarray]) -> np.ndarray:
    """(V,) float32 0..1: where cloth still is drawn out, at armpits and crotch, alike on both
    sides; not on the head."""
    heat = skin.drawn_out(before, after)[0][:, 0]
    heat = np.maximum(heat, heat[skin.model.regions.mirror])
    out = np.clip(FOLDED * heat, 0, 1)
    out[skin.model.regions.part == HEAD] = 0
    return np.asarray(out, np.float32)


def main() -> None:
    """Soften and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "-o", "--output", type=Path, default=ROOT / "src/vitruvian/body/data/soft_skin.npz"
    )
    output = parser.parse_args().output
    model = body_model()
    skin = Skin(model)
    before, after = photographed_poses(model)[::2], taken_poses(model)
    others = photographed_poses(model)[1::2]
    print(f"as it is: {skin.drawn_out(before, after)[1]:.2%} torn")
    skin.soften(1.0, FIRST_ROUNDS)
    best = skin.drawn_out(before, after)[1]
    print(f"softened everywhere: {best:.2%}")
    kept = skin.weights
    for step in range(STEPS):
        heat, torn = skin.drawn_out(before, after)
        if torn < best:
            best, kept = torn, skin.weights
        if step % 20 == 0:
            print(f"step {step}: {torn:.3%}", flush=True)
        skin.soften(heat / (1 + step / HALVED), ROUNDS)
    skin.weights = kept
    print(f"best: {best:.3%}; from other poses {skin.drawn_out(others, after)[1]:.3%}")
    joints, weights = strongest_four(skin.weights)
    steps = np.round(weights * 65535).astype(np.uint16)
    np.savez_compressed(
        output,
        joints=joints.astype(np.uint8),
        weights=steps,
        folds=np.round(255 * folds(skin, before, after)).astype(np.uint8),
    )
    print(f"wrote {output}, {output.stat().st_size} bytes")


if __name__ == "__main__":
    main()
