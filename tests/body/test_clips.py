"""The motions that come with avatars, on five bodies, by plain linear blend skinning."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.body.model.clips import captured_motions, fitted_motions
from vitruvian.body.model.model import body_model, joint_motion
from vitruvian.types.mesh import Mesh

NAMES = ["idle", "walk", "run", "wave", "sit", "dance"]
GROUPS = ("adults", "men", "women", "schoolchildren", "small children")


def dressed(group: str) -> tuple[Mesh, np.ndarray]:
    """A body of a group at rest, the fourth of them on soles of 4 cm, and its joints."""
    model = body_model()
    vertices, joints = model.rest(model.shape_prior(group).mean)
    if group == "women":
        feet = np.array([name.startswith(("foot", "toe")) for name in model.joint_names])
        strongest = model.skin_joints[np.arange(len(vertices)), model.skin_weights.argmax(1)]
        low = feet[strongest] & (vertices[:, 1] < vertices[:, 1].min() + 0.03)
        vertices = vertices - low[:, None] * np.array([0, 0.04, 0], np.float32)
    mesh = Mesh(
        vertices,
        model.faces,
        "body",
        skin_joints=model.skin_joints,
        skin_weights=model.skin_weights,
    )
    return mesh, joints


@pytest.mark.parametrize("group", GROUPS)
def test_feet_neither_slide_nor_sink(group: str) -> None:
    model = body_model()
    mesh, joints = dressed(group)
    strongest = mesh.skin_joints[np.arange(len(mesh.vertices)), mesh.skin_weights.argmax(1)]
    captured = {motion.name: motion for motion in captured_motions()}
    motions = fitted_motions(mesh, joints)
    assert [motion.name for motion in motions] == NAMES
    for motion in motions:
        posed = []
        for turns, root in zip(motion.rotations, motion.roots, strict=True):
            place = root + joints[0] * (1, 0, 1)
            moved = joint_motion(model.parents, joints, turns, place)
            posed.append(moved.skinned(mesh.vertices, mesh.skin_joints, mesh.skin_weights))
        vertices = np.array(posed)  # (T, V, 3)
        # A cycle: no jump where it begins again.
        np.testing.assert_allclose(vertices[-1], vertices[0], atol=1e-6)
        assert vertices[..., 1].min() > -0.02, motion.name
        lowest = vertices[..., 1].min(1)
        if motion.name not in ("run", "dance"):  # which leave the ground
            assert lowest.max() < 0.02, motion.name
        stands = np.concatenate([captured[motion.name].lifts, captured[motion.name].lifts[:1]]) <= 0
        assert stands.any(1).mean() > 0.4
        ahead = motion.speed * np.diff(motion.times_s)[:, None] * np.array([[0, 0, 1]])
        for side, letter in enumerate("LR"):
            names = [
                n.startswith(("foot", "toe")) and n.endswith(letter) for n in model.joint_names
            ]
            mine = vertices[:, np.array(names)[strongest]]
            both = stands[:-1, side] & stands[1:, side]
            assert both.any()
            rows = np.flatnonzero(both)
            touching = (mine[rows] + mine[rows + 1])[..., 1].argmin(1)
            slid = mine[rows + 1, touching] - mine[rows, touching] + ahead[rows]
            assert np.linalg.norm(slid[:, [0, 2]], axis=1).max() < 0.01, motion.name
            assert mine[rows][..., 1].min(1).max() < 0.02, motion.name


def test_longer_legs_walk_faster() -> None:
    speeds = {}
    for group in ("men", "small children"):
        motions = {motion.name: motion for motion in fitted_motions(*dressed(group))}
        assert motions["run"].speed > 1.8 * motions["walk"].speed
        assert motions["idle"].speed == motions["sit"].speed == 0
        speeds[group] = motions["walk"].speed
    assert 1.1 < speeds["men"] < 1.6
    assert speeds["small children"] < 0.7 * speeds["men"]


def test_motion_is_smooth_and_stays_in_place() -> None:
    for motion in fitted_motions(*dressed("adults")):
        step = np.diff(motion.times_s)
        np.testing.assert_allclose(step, step[0])
        # Local rotations from key to key, the end of the cycle included.
        between = motion.rotations[:-1].swapaxes(-1, -2) @ motion.rotations[1:]
        cosine = (np.trace(between, axis1=-2, axis2=-1) - 1) / 2
        assert np.rad2deg(np.arccos(np.clip(cosine, -1, 1))).max() < 40, motion.name
        assert np.abs(motion.roots[:, [0, 2]]).max() < (0.9 if motion.name == "dance" else 0.1)
        assert 1 / 31 < step[0] < 1 / 14


def test_who_has_no_feet_stands_where_they_end() -> None:
    mesh, joints = dressed("adults")
    cut = mesh.vertices[:, 1].min() + 0.5
    bust = mesh.with_vertices(np.maximum(mesh.vertices, (-9, cut, -9)))
    motions = fitted_motions(bust, joints, legs=False)
    assert [motion.name for motion in motions] == ["idle", "wave"]
    for motion in motions:
        off = motion.roots[:, 1] - (joints[0, 1] - cut)
        assert np.abs(off).max() < 0.02
        assert np.abs(motion.roots[:, [0, 2]]).max() < 0.03
