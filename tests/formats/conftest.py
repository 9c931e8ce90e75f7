"""Fixtures for the file formats."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"


PACKAGES = (
    "gltf-validator",
    "three",
    "typescript",
    "@pixiv/three-vrm",
    "@pixiv/types-vrmc-vrm-1.0",
)


@pytest.fixture(scope="session")
def node_tools() -> Path:
    """The folder of the programs from npm that check our files."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("the programs that check files need node and npm")
    if not all((TOOLS / "node_modules" / name).exists() for name in PACKAGES):
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, cwd=TOOLS, check=True, capture_output=True, timeout=180)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("npm cannot install the programs that check files (is there a network?)")
    return TOOLS


@pytest.fixture(scope="session")
def khronos_issues(node_tools: Path) -> Callable[[Path], dict]:
    """A function from a GLB's path to the Khronos validator's ``issues`` (counts, messages)."""

    def validate(path: Path) -> dict:
        script = str(node_tools / "validate_glb.js")
        done = subprocess.run(
            ["node", script, str(path)], cwd=TOOLS, check=True, capture_output=True, timeout=60
        )
        return json.loads(done.stdout)[0]

    return validate
