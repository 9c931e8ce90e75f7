"""Fixtures that every package's tests share."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# A software renderer, so that the tests need no graphics card; a camera that films a test card.
FLAGS = [
    "--no-sandbox",
    "--enable-unsafe-swiftshader",
    "--use-angle=swiftshader",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
# A shell that starts tests in the background lets them, and what they start, ignore Ctrl-C; tests
# send it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The first example that calls a kernel may have to wait until it is compiled.
hypothesis.settings.register_profile("vitruvian", deadline=None)
hypothesis.settings.load_profile("vitruvian")

TOOLS = Path(__file__).resolve().parent / "tools"
PACKAGES = (
    "gltf-validator",
    "three",
    "typescript",
    "@pixiv/three-vrm",
    "@pixiv/types-vrmc-springbone-1.0",
    "@pixiv/types-vrmc-vrm-1.0",
)

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """A function from a name (``"photos"``, ``"ccp"``...) to its path in the shared data.

    The data are not part of the repository: a test that asks for some which are absent is
    skipped, with the path in the reason.
    """

    def locate(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"real test data are absent: ../shared/data/{name}")
        return path

    return locate


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; one for the whole session, for Playwright does not start twice in a process."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        pytest.skip("needs Chromium or Chrome on the path")
    with playwright.sync_playwright() as session:
        browser = session.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


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
