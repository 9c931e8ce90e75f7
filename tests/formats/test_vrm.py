"""VRM files by the published types of the extension, and in three-vrm in a real browser."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar_shapes import small_avatar
from vitruvian.formats.vrm import VrmMeta, write_vrm
from vrm_tools import fits, found_by_three_vrm

SCRIPT = """
const node = (name) => vrm.humanoid.getRawBoneNode(name);
const at = (name) => node(name).getWorldPosition(new THREE.Vector3()).toArray();
vrm.scene.updateMatrixWorld(true);
const bones = Object.keys(vrm.humanoid.humanBones);
const rest = Object.fromEntries(bones.map((name) => [name, at(name)]));
// Half a turn of the left forearm upwards, told in VRM's own normalised axes.
vrm.humanoid.getNormalizedBoneNode("leftLowerArm").rotation.z = Math.PI / 2;
vrm.update(0);
vrm.scene.updateMatrixWorld(true);
window.found = { meta: vrm.meta, rest, bent: at("leftHand"), expressions: !!vrm.expressionManager };
"""


def extension(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[12:16])
    document = json.loads(data[20 : 20 + length])
    assert "VRMC_vrm" in document["extensionsUsed"]
    assert "animations" not in document
    return document["extensions"]["VRMC_vrm"]


def test_the_extension_is_of_the_published_type(
    node_tools: Path, khronos_issues: Callable[[Path], dict], tmp_path: Path
) -> None:
    meta = VrmMeta(name="Anna", authors=("Photographer",), copyright="2026 Anna", version="1")
    path = write_vrm(small_avatar("full"), tmp_path / "anna.vrm", meta=meta)
    content = extension(path)
    assert fits(content, tmp_path, node_tools) == ""
    assert content["meta"]["authors"] == ["Photographer"]
    assert content["meta"]["licenseUrl"] == "https://vrm.dev/licenses/1.0/"
    nodes = [bone["node"] for bone in content["humanoid"]["humanBones"].values()]
    assert len(set(nodes)) == len(nodes) == 54
    # The types would tell what is wrong.
    content["meta"]["commercialUsage"] = "anything"
    assert "personalNonProfit" in fits(content, tmp_path, node_tools)
    issues = khronos_issues(path)
    assert issues["numErrors"] == 0, issues["messages"]


@pytest.mark.browser
def test_three_vrm_loads_it_and_bends_an_arm(
    node_tools: Path, browser: Any, tmp_path: Path
) -> None:
    model = write_vrm(small_avatar(), tmp_path / "anna.vrm").read_bytes()
    found = found_by_three_vrm(browser, node_tools, model, SCRIPT)
    assert found["meta"]["metaVersion"] == "1"
    assert found["meta"]["name"] == "anna"
    rest = {name: np.array(place) for name, place in found["rest"].items()}
    assert {"hips", "leftUpperArm", "rightFoot", "leftThumbMetacarpal"} <= set(rest)
    # A T-pose, facing +z, the left hand at +x.
    for side, sign in (("left", 1.0), ("right", -1.0)):
        arm = rest[f"{side}Hand"] - rest[f"{side}UpperArm"]
        np.testing.assert_allclose(arm / np.linalg.norm(arm), [sign, 0, 0], atol=1e-5)
    assert rest["leftToes"][2] > rest["leftFoot"][2] + 0.05
    elbow, bent = rest["leftLowerArm"], np.array(found["bent"])
    length = np.linalg.norm(rest["leftHand"] - elbow)
    np.testing.assert_allclose(bent - elbow, [0, length, 0], atol=1e-4)


def test_a_rig_without_the_bones_is_refused(tmp_path: Path) -> None:
    avatar = small_avatar()
    names = tuple("tail" if name == "head" else name for name in avatar.joint_names)
    with pytest.raises(ValueError, match="head"):
        write_vrm(replace(avatar, joint_names=names), tmp_path / "anna.vrm")
