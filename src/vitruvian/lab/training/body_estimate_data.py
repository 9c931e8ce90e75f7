"""Training examples of the body-estimate network, from what the pipeline saw of synthetic people.

There are never enough observations: each costs a picture and passes of BlazePose. So most examples
are *transplants*: another body in another pose is put where an observed person stood, turned as
they were, and gets that person's errors (of the landmarks in the picture and in metres),
visibilities and cut limbs, all in the frame of ``networks.body_estimate.framed``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.rotations import matrix_from_axis_angle, rotation_between
from vitruvian.lab.synthesis.cameras import look
from vitruvian.lab.synthesis.sampling import GROUPS as GROUP_SHARES
from vitruvian.lab.synthesis.sampling import TOUCH, random_pose
from vitruvian.lab.synthesis.touching import touching
from vitruvian.lab.training.observations import Observation, read_observations
from vitruvian.lab.training.recipe import Batch, FixedSource
from vitruvian.networks import body_estimate
from vitruvian.networks.body_estimate import FramedLandmarks, framed, in_plane
from vitruvian.types import estimate
from vitruvian.types.keypoints import (
    ANKLES,
    EARS,
    ELBOWS,
    EYES,
    HEELS,
    HIPS,
    INDEX_FINGERS,
    KNEES,
    LITTLE_FINGERS,
    MIRROR,
    NOSE,
    TOES,
    WRISTS,
    limb_length,
)

# Landmarks of each of ``estimate.PARTS``, per side.
_SIDES = {
    "head": ((NOSE, *EYES, *EARS),),
    "arms": tuple(zip(ELBOWS, WRISTS, strict=True)),
    "hands": tuple(zip(LITTLE_FINGERS, INDEX_FINGERS, strict=True)),
    "legs": tuple(zip(KNEES, ANKLES, strict=True)),
    "feet": tuple(zip(HEELS, TOES, strict=True)),
}
_COVERED = 0.08  # share of a silhouette hidden by others from which on a person counts as occluded
_FLIP = np.diag([-1.0, 1.0, 1.0])
HELD_BACK = 16  # one file in so many is for validation
TRANSPLANTS = 24_000
_REAL_SHARE = 0.4  # of a batch


def group_posterior(betas: np.ndarray) -> np.ndarray:
    """Probabilities (N, 5) of ``estimate.GROUPS`` for true shapes (N, K), by Bayes' rule."""
    scores = []
    for group in estimate.GROUPS:
        prior = body_model().shape_prior(group)
        white = (betas - prior.mean) @ prior.whitening.T
        volume = np.log(np.diag(prior.whitening)).sum()
        scores.append(np.log(GROUP_SHARES[group]) + volume - (white**2).sum(1) / 2)
    logits = np.stack(scores, axis=1)
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def part_states(one: Observation) -> np.ndarray:
    """Index (5,) into ``STATES`` of each of ``estimate.PARTS``, the worse side counting."""
    outside = np.any((one.true_keypoints < 0) | (one.true_keypoints > one.size), axis=1)
    out = []
    for part in estimate.PARTS:
        cut = any(outside[list(side)].mean() >= 0.5 for side in _SIDES[part])
        if part == "head":
            cut |= bool(((one.true_top < 0) | (one.true_top > one.size)).any())
        hidden = any(one.true_covered[list(side)].mean() >= 0.5 for side in _SIDES[part])
        out.append(1 if cut else 2 if hidden else 0)
    return np.array(out)


def whole_state(one: Observation, states: np.ndarray) -> int:
    """Index into ``estimate.WHOLES``."""
    if (states == 1).any():
        return 1
    return 2 if (states == 2).any() or one.true_covered_share > _COVERED else 0


@dataclass(frozen=True)
class People:
    """N observed people: what was seen, and what is true, in the camera frame.

    Attributes:
        features: (N, 2, F) float16; points, visibility, world, disagreement, focal_px: what the
            network may know, as in ``framed``; size: side of the (square) pictures.
        true_points: (N, 33, 2) pixels; keypoints: (N, 33, 3) metres; rotations: (N, 22, 3, 3) of
            the active joints, the root's into the camera frame; betas: (N, K); stature: (N,).
        root: (N, 3) position of the root joint; camera: (N, 3) true focal length and principal
            point; parts: (N, 5); whole: (N,).
    """

    features: np.ndarray
    points: np.ndarray
    visibility: np.ndarray
    world: np.ndarray
    disagreement: np.ndarray
    focal_px: np.ndarray
    size: int
    true_points: np.ndarray
    keypoints: np.ndarray
    rotations: np.ndarray
    betas: np.ndarray
    stature: np.ndarray
    root: np.ndarray
    camera: np.ndarray
    parts: np.ndarray
    whole: np.ndarray

    def __len__(self) -> int:
        return len(self.stature)

    def framed(self) -> FramedLandmarks:
        """Their landmarks as the network reads them."""
        return framed(
            self.points,
            self.visibility,
            self.world,
            self.disagreement,
            (self.size, self.size),
            self.focal_px,
        )

    def examples(self, landmarks: FramedLandmarks | None = None) -> dict[str, np.ndarray]:
        """Inputs and targets, straight and in the mirror: (N, 2, ...)."""
        seen = landmarks or self.framed()
        camera_from_frame = toward(self.keypoints[:, HIPS].mean(1)) @ seen.rotation
        about = self.keypoints - self.keypoints[:, HIPS].mean(1, keepdims=True)
        points = about @ camera_from_frame / self.stature[:, None, None]
        rotations = self.rotations.copy()
        rotations[:, 0] = camera_from_frame.transpose(0, 2, 1) @ rotations[:, 0]
        mirrored = _FLIP @ rotations[:, body_estimate.JOINT_MIRROR] @ _FLIP
        single = np.float32
        twice = {
            "groups": group_posterior(self.betas).astype(single),
            "stature": np.log(self.stature).astype(single),
            "betas": self.betas[:, : estimate.BETAS].astype(single),
            "parts": self.parts,
            "whole": self.whole,
        }
        return {
            "features": self.features,
            "landmarks": np.stack([seen.encoded(), seen.mirrored().encoded()], 1),
            "keypoints": np.stack([points, points[:, MIRROR] * [-1, 1, 1]], 1).astype(single),
            "rotations": np.stack([rotations, mirrored], 1).astype(single),
            **{name: np.stack([value, value], 1) for name, value in twice.items()},
        }


def toward(points: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) from the optical axis to the directions of points (N, 3)."""
    axis = np.array([0.0, 0.0, 1.0])
    return np.stack([rotation_between(axis, point) for point in points])


def people(paths: list[Path]) -> People:
    """Everybody of some files whose landmarks are their own."""
    found = [one for path in paths for one in read_observations(path) if one.ok]
    states = [part_states(one) for one in found]

    def stacked(name: str) -> np.ndarray:
        return np.stack([np.asarray(getattr(one, name), np.float64) for one in found])

    active = body_model().active
    # The camera was known to every other fit (see ``Observation.focal_px``).
    focal = np.array([one.focal_px if one.number % 2 else np.nan for one in found])
    return People(
        features=np.stack([one.features for one in found]),
        points=stacked("points"),
        visibility=stacked("visibility"),
        world=stacked("world"),
        disagreement=stacked("disagreement"),
        focal_px=focal,
        size=found[0].size,
        true_points=stacked("true_keypoints"),
        keypoints=stacked("true_keypoints_3d"),
        rotations=matrix_from_axis_angle(stacked("true_pose")[:, active]),
        betas=stacked("true_betas"),
        stature=stacked("true_height_m"),
        root=stacked("true_translation"),
        camera=np.stack(
            [[one.true_focal_px, *(float(v) for v in one.true_principal_point)] for one in found]
        ),
        parts=np.stack(states),
        whole=np.array([whole_state(*pair) for pair in zip(found, states, strict=True)]),
    )


def transplanted(hosts: People, count: int, seed: int) -> dict[str, np.ndarray]:
    """Examples of other bodies with the errors of the hosts: (count, 2, ...), no features."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(hosts), size=count)
    model = body_model()
    groups = rng.choice(len(estimate.GROUPS), count, p=[GROUP_SHARES[g] for g in estimate.GROUPS])
    betas = np.empty((count, model.shape_count))
    for number, group in enumerate(estimate.GROUPS):
        rows = groups == number
        prior = model.shape_prior(group)
        draws = rng.standard_normal((int(rows.sum()), model.shape_count))
        betas[rows] = prior.mean + np.linalg.solve(prior.whitening, draws.T).T
    stature = np.array([model.stature(one) for one in betas])
    host = hosts.rotations[chosen, 0]
    ahead = np.arctan2(host[:, 0, 2], -host[:, 2, 2])  # 0 for somebody who faces the camera
    drawn = [random_pose(rng) for _ in range(count)]
    hands = rng.random(count) < TOUCH
    pose = np.stack(
        [
            touching(rng, *pair) if on else pair[1]
            for on, *pair in zip(hands, betas, drawn, strict=True)
        ]
    )
    rotations = matrix_from_axis_angle(pose)
    for k in range(count):
        yaw = np.rad2deg(ahead[k]) + rng.normal(0, 20)
        pitch = rng.normal(4, 7) if rng.random() < 0.85 else rng.uniform(-20, 45)
        roll = rng.normal(0, 3) if rng.random() < 0.8 else rng.normal(0, 12)
        rotations[k, 0] = look(float(-yaw), float(pitch), float(roll)) @ rotations[k, 0]
    scale = stature / hosts.stature[chosen]
    root = hosts.root[chosen] * scale[:, None]
    keypoints = posed_landmarks(betas, rotations, root)
    keypoints[..., 2] = np.maximum(keypoints[..., 2], 0.1)
    camera = hosts.camera[chosen]
    pixels = keypoints[..., :2] / keypoints[..., 2:] * camera[:, None, :1] + camera[:, None, 1:]
    new = replace(
        hosts,
        features=np.zeros((count, 2, 0), np.float16),
        points=pixels,
        visibility=hosts.visibility[chosen],
        world=keypoints,
        disagreement=hosts.disagreement[chosen],
        focal_px=hosts.focal_px[chosen],
        true_points=pixels,
        keypoints=keypoints,
        rotations=rotations[:, model.active],
        betas=betas,
        stature=stature,
        root=root,
        camera=camera,
        parts=hosts.parts[chosen],
        whole=hosts.whole[chosen],
    )
    errors = _errors(hosts)
    points, world = _with_errors(new, {name: value[chosen] for name, value in errors.items()})
    seen = replace(new, points=points, world=world)
    # How far the frame is goes with the visibilities, which are the host's.
    landmarks = replace(seen.framed(), border=hosts.framed().border[chosen])
    return seen.examples(landmarks)


def _true_frame(some: People) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of true landmarks: in-plane turn (N, 3, 3), size (N,) px, relative world (N, 33, 3)."""
    exact = replace(some, points=some.true_points, world=some.keypoints).framed()
    about = some.keypoints - some.keypoints[:, HIPS].mean(1, keepdims=True)
    straight = about @ toward(some.keypoints[:, HIPS].mean(1))
    turn = in_plane(exact.up)
    return turn, exact.size_px, straight @ turn / limb_length(straight)[:, None, None]


def _errors(hosts: People) -> dict[str, np.ndarray]:
    """Errors of the landmarks in the frame of the true ones."""
    turn, size, true_world = _true_frame(hosts)
    away = (hosts.points - hosts.true_points) @ turn[:, :2, :2] / size[:, None, None]
    about = hosts.world - hosts.world[:, HIPS].mean(1, keepdims=True)
    relative = about @ turn / limb_length(about)[:, None, None]
    return {"points": away, "world": relative - true_world}


def _with_errors(some: People, errors: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks in pixels and in the camera's axes, with errors as ``_errors`` gives them."""
    turn, size, true_world = _true_frame(some)
    back = turn.transpose(0, 2, 1)
    points = some.true_points + errors["points"] @ back[:, :2, :2] * size[:, None, None]
    return points, (true_world + errors["world"]) @ back


def posed_landmarks(betas: np.ndarray, rotations: np.ndarray, root: np.ndarray) -> np.ndarray:
    """The body model's landmarks (N, 33, 3) of N bodies at once.

    Args:
        betas: (N, K); rotations: (N, J, 3, 3) local; root: (N, 3) place of the root joint.
    """
    model = body_model()
    rest = model.joint_template + np.einsum("nk,kja->nja", betas, model.joint_directions)
    turned = np.empty_like(rotations)
    heads = np.empty_like(rest)
    for j, parent in enumerate(model.parents):
        if parent < 0:
            turned[:, j], heads[:, j] = rotations[:, j], root
            continue
        turned[:, j] = turned[:, parent] @ rotations[:, j]
        bone = rest[:, j] - rest[:, parent]
        heads[:, j] = heads[:, parent] + np.einsum("nab,nb->na", turned[:, parent], bone)
    points = model.keypoints()
    local = points.template + np.einsum("nk,kpa->npa", betas, points.directions)
    out = np.zeros_like(local)
    for slot in range(points.joints.shape[1]):
        joints = points.joints[:, slot]
        moved = np.einsum("npab,npb->npa", turned[:, joints], local - rest[:, joints])
        out += points.weights[:, slot, None] * (moved + heads[:, joints])
    return out


class ObservedSource(FixedSource):
    """Examples of a folder of observations and transplants, all in memory; a ``recipe.Source``."""

    def __init__(self, folder: Path, seed: int, transplants: int = TRANSPLANTS) -> None:
        paths = sorted(folder.glob("observed-*.npz"))
        if len(paths) < 2:
            raise InputError(
                f"There are fewer than two files of observations in {folder}: make them with "
                "python -m vitruvian.lab.training.observations."
            )
        # The first of every so many: a growing folder never turns held-back data into training.
        held = [path for k, path in enumerate(paths) if k % HELD_BACK == 0]
        hosts = people([path for path in paths if path not in held])
        self.folder, self.seed = folder, seed
        self.training = hosts.examples()
        self.held_back = people(held).examples()
        self.transplants = transplanted(hosts, transplants, seed)

    @property
    def description(self) -> str:
        return (
            f"{len(self.training['stature'])} synthetic people of {self.folder.name}, "
            f"{len(self.transplants['stature'])} transplants and the mirror images of all; "
            f"{len(self.held_back['stature'])} people held back for validation"
        )

    def batches(self, first: int, size: int) -> Iterator[Batch]:
        real = round(_REAL_SHARE * size)
        step = first // size
        while True:
            rng = np.random.default_rng([self.seed, step])
            step += 1
            yield _mixed(
                _drawn(self.training, rng, real), _drawn(self.transplants, rng, size - real)
            )

    def validation(self, size: int) -> Iterable[Batch]:
        count = len(self.held_back["stature"])
        for first in range(0, count, size):
            rows = {n: v[first : first + size] for n, v in self.held_back.items()}
            yield _mixed({n: v.reshape(-1, *v.shape[2:]) for n, v in rows.items()}, None)


def _drawn(
    some: dict[str, np.ndarray], rng: np.random.Generator, count: int
) -> dict[str, np.ndarray]:
    rows = rng.integers(len(some["stature"]), size=count)
    sides = rng.integers(2, size=count)
    return {name: values[rows, sides] for name, values in some.items()}


def _mixed(real: dict[str, np.ndarray], other: dict[str, np.ndarray] | None) -> Batch:
    """Examples with features first, then those without (their features are zero)."""
    out = {name: torch.from_numpy(values) for name, values in real.items()}
    if other is not None:
        for name, values in other.items():
            if name != "features":
                out[name] = torch.cat([out[name], torch.from_numpy(values)])
        missing = len(out["stature"]) - len(out["features"])
        out["features"] = torch.cat(
            [out["features"], torch.zeros(missing, out["features"].shape[1]).half()]
        )
    out["seen"] = torch.zeros(len(out["stature"]))
    out["seen"][: len(real["stature"])] = 1
    return out
