"""Programs that check VRM files: the published types of its extensions, three-vrm in a browser."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

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
SCRIPT</script>"""


def found_by_three_vrm(browser: Any, tools: Path, model: bytes, script: str) -> Any:
    """What a script puts into ``window.found`` that has the loaded file as ``vrm``."""
    page = browser.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def answer(route: Any) -> None:
        place = route.request.url.removeprefix("http://vrm.test/")
        if place == "model.vrm":
            route.fulfill(body=model)
        elif place.startswith("tools/"):
            file = tools / "node_modules" / place.removeprefix("tools/")
            route.fulfill(body=file.read_bytes(), content_type="text/javascript")
        else:
            route.fulfill(body=PAGE.replace("SCRIPT", script), content_type="text/html")

    page.route("**/*", answer)
    page.goto("http://vrm.test/")
    page.wait_for_function("window.found !== undefined", timeout=60_000)
    found = page.evaluate("window.found")
    page.close()
    assert faults == []
    return found


def fits(
    content: dict[str, Any],
    folder: Path,
    tools: Path,
    extension: str = "vrm",
    kind: str = "VRMCVRM",
) -> str:
    """What the TypeScript compiler says of a value of the published type of the extension."""
    (folder / "check.ts").write_text(
        f'import type {{ {kind} }} from "@pixiv/types-vrmc-{extension}-1.0";\n'
        f"export const file: {kind} = {json.dumps(content)};\n"
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
