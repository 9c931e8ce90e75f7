"""The joints of a skirt in files: small and full rigs, clips, and the spring bones of VRM."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar_shapes import joints_at, skinned_at, skirted_avatar, small_avatar
from vitruvian.formats.vrm import write_vrm
from vitruvian.options import RigKind
from vitruvian.types.chains import COLUMNS, chain_joint, is_chain_joint
from vrm_tools import fits, found_by_three_vrm


def document(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[12:16])
    return json.loads(data[20 : 20 + length])  # type: ignore[no-any-return]


def test_a_skirt_adds_joints_and_small_rigs_stay_small() -> None:
    full, game = skirted_avatar("full"), skirted_avatar("game")
    assert full.chains is not None
    assert len(full.joints) == 106 + 6 * len(full.chains.tips)
    assert len(game.joints) <= 60
    names = set(full.bone_names)
    assert {"LeftSkirtFront1", "RightSkirtBack2", "LeftSkirtSide1"} <= names
    assert not any("Side" in name and "Skirt" in name for name in game.bone_names)
    for made in (full, game):
        np.testing.assert_allclose(made.mesh.skin_weights.sum(1), 1, atol=1e-5)
        for name, parent in zip(made.joint_names, made.parents, strict=True):
            if is_chain_joint(name) and not is_chain_joint(made.joint_names[parent]):
                assert made.joint_names[parent] == f"upperleg01.{name[-1]}"
    # Bones of the legs still lead to the next joint.
    index = {name: i for i, name in enumerate(full.joint_names)}
    way = full.joints[index["lowerleg01.L"]] - full.joints[index["upperleg01.L"]]
    along = full.axes[index["upperleg01.L"]][:, 1]
    assert along @ way / np.linalg.norm(way) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("kind", ["full", "game"])
def test_it_swings_in_clips_whose_ends_meet(kind: RigKind) -> None:
    made = skirted_avatar(kind)
    first = made.joint_names.index(chain_joint("front.L", 0))
    for clip in made.clips[1:]:
        np.testing.assert_allclose(clip.rotations[0], clip.rotations[-1], atol=1e-9)
        steps = np.abs(np.diff(clip.rotations[:, first], axis=0)).max()
        assert steps < 0.5  # it never turns over from one key to the next
    walk = next(clip for clip in made.clips if clip.name == "walk")
    assert np.ptp(walk.rotations[:, first], axis=0).max() > 0.05


def test_legs_stay_inside_while_it_walks() -> None:
    made = skirted_avatar("full")
    assert made.chains is not None
    index = {name: i for i, name in enumerate(made.joint_names)}
    cloth = made.mesh.skin_joints[:, 0] >= 106
    for key in (0, 8, 16, 24):
        joints, points = joints_at(made, "walk", key), skinned_at(made, "walk", key)[cloth]
        for side in "LR":
            knee, ankle = (joints[index[f"{name}.{side}"]] for name in ("lowerleg01", "foot"))
            for share in (0.0, 0.4):
                place = knee + share * (ankle - knee)
                ring = points[np.abs(points[:, 1] - place[1]) < 0.04] - place
                around = np.sort(np.arctan2(ring[:, 2], ring[:, 0]))
                gaps = np.diff(np.append(around, around[0] + 2 * np.pi))
                assert gaps.max() < np.pi  # cloth is on all sides of it


def test_the_springs_are_of_the_published_type(
    node_tools: Path, khronos_issues: Callable[[Path], dict], tmp_path: Path
) -> None:
    made = skirted_avatar("full")
    path = write_vrm(made, tmp_path / "berta.vrm")
    file = document(path)
    springs = file["extensions"]["VRMC_springBone"]
    said = fits(springs, tmp_path, node_tools, "springbone", "VRMCSpringBone")
    assert said == ""
    assert khronos_issues(path)["numErrors"] == 0
    assert len(springs["springs"]) == len(COLUMNS)
    for spring in springs["springs"]:
        nodes = [joint["node"] for joint in spring["joints"]]
        # From parent to child, and the end of the chain after its last joint.
        for above, below in itertools.pairwise(nodes):
            assert below in file["nodes"][above]["children"]
        assert file["nodes"][nodes[-1]]["name"].endswith("End")
    carriers = {file["nodes"][one["node"]]["name"] for one in springs["colliders"]}
    assert {"Hips", "LeftUpperLeg", "RightLowerLeg"} <= carriers
    springs["springs"][0]["joints"][0]["stiffness"] = "much"
    assert "number" in fits(springs, tmp_path, node_tools, "springbone", "VRMCSpringBone")


def test_trousers_have_no_springs(tmp_path: Path) -> None:
    file = document(write_vrm(small_avatar(), tmp_path / "anna.vrm"))
    assert "VRMC_springBone" not in file["extensions"]


@pytest.mark.browser
def test_three_vrm_lets_it_swing(browser: Any, node_tools: Path, tmp_path: Path) -> None:
    path = write_vrm(skirted_avatar("game"), tmp_path / "berta.vrm")
    script = """
    const bones = vrm.springBoneManager;
    const tips = () => [...bones.joints].map((joint) => joint.child)
      .map((child) => child.getWorldPosition(new THREE.Vector3()).toArray());
    for (let i = 0; i < 60; i += 1) vrm.update(1 / 60);
    vrm.scene.updateMatrixWorld(true);
    const still = tips();
    vrm.humanoid.getNormalizedBoneNode("leftUpperLeg").rotation.x = -1;
    for (let i = 0; i < 60; i += 1) vrm.update(1 / 60);
    vrm.scene.updateMatrixWorld(true);
    window.found = { count: bones.joints.size, colliders: bones.colliders.length, still,
      lifted: tips() };
    """
    found = found_by_three_vrm(browser, node_tools, path.read_bytes(), script)
    assert found["count"] == 8
    assert found["colliders"] >= 13
    still, lifted = np.array(found["still"]), np.array(found["lifted"])
    assert np.isfinite(lifted).all()
    assert (lifted[..., 2] - still[..., 2]).max() > 0.1  # cloth before the thigh goes up with it
