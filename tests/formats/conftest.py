"""Fixtures for the file formats."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[1] / "tools"


@pytest.fixture(scope="session")
def khronos_issues() -> Callable[[Path], dict]:
    """A function from a GLB's path to the Khronos validator's ``issues`` (counts, messages)."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("the Khronos validator needs node and npm")
    if not (TOOLS / "node_modules" / "gltf-validator").exists():
        command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"]
        try:
            subprocess.run(command, cwd=TOOLS, check=True, capture_output=True, timeout=180)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            pytest.skip("npm cannot install gltf-validator (is there a network?)")

    def validate(path: Path) -> dict:
        script = str(TOOLS / "validate_glb.js")
        done = subprocess.run(
            ["node", script, str(path)], cwd=TOOLS, check=True, capture_output=True, timeout=60
        )
        return json.loads(done.stdout)[0]

    return validate
