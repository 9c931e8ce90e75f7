"""VRM files by the published types of the extension, and in three-vrm in a real browser."""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar_shapes import small_avatar
from vitruvian.formats.vrm import VrmMeta, write_vrm

PAGE = """<!doctype html><script type="importmap">{"imports": {
"three": "/tools/three/build/three.module.js", "three/addons/": "/tools/three/examples/jsm/",
"@pixiv/three-vrm": "/tools/@pixiv/three-vrm/lib/three-vrm.module.js"}}</script>
<script type="module">
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { VRMLoaderPlugin } from "@pixiv/three-vrm";
const loader = new GLTFLoader();
loader.register((parser) => new VRMLoaderPlugin(parser));
const { vrm } = (await loader.loadAsync("/model.vrm")).userData;
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
</script>"""


def extension(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[12:16])
    document = json.loads(data[20 : 20 + length])
    assert "VRMC_vrm" in document["extensionsUsed"]
    assert "animations" not in document
    return document["extensions"]["VRMC_vrm"]


def fits(content: dict[str, Any], folder: Path, tools: Path) -> str:
    """What the TypeScript compiler says of a value of the published type of the extension."""
    (folder / "check.ts").write_text(
        'import type { VRMCVRM } from "@pixiv/types-vrmc-vrm-1.0";\n'
        f"export const file: VRMCVRM = {json.dumps(content)};\n"
    )
    link = folder / "node_modules"
    if not link.exists():
        link.symlink_to(tools / "node_modules")
    compiler = tools / "node_modules" / "typescript" / "bin" / "tsc"
    options = ["--noEmit", "--strict", "--moduleResolution", "bundler", "--module", "esnext"]
    done = subprocess.run(
        ["node", str(compiler), *options, "check.ts"],
        cwd=folder, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stdout


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
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def answer(route: Any) -> None:
        place = route.request.url.removeprefix("http://vrm.test/")
        if place == "model.vrm":
            route.fulfill(body=model)
        elif place.startswith("tools/"):
            file = node_tools / "node_modules" / place.removeprefix("tools/")
            route.fulfill(body=file.read_bytes(), content_type="text/javascript")
        else:
            route.fulfill(body=PAGE, content_type="text/html")

    page.route("**/*", answer)
    page.goto("http://vrm.test/")
    page.wait_for_function("window.found !== undefined", timeout=60_000)
    found = page.evaluate("window.found")
    page.close()
    assert faults == []
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
