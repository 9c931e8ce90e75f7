"""The worked examples of docs/architecture.md: each diff applies, and what it adds works."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"

needs_git = pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """A copy of the package's Python files, with links to its data."""
    ignored = shutil.ignore_patterns("__pycache__", "data", "weights", "node_modules", "page")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    for folder in ("src/vitruvian/body/data", "src/vitruvian/networks/weights"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


def apply_example(heading: str, folder: Path) -> str:
    """Apply the diff under a heading of the page; returns it."""
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index(f"## {heading}") :]
    diff = re.search(r"^```diff\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE)
    assert diff is not None
    subprocess.run(["git", "apply", "-"], input=diff[1], text=True, cwd=folder, check=True)
    added = [line for line in diff[1].splitlines() if line.startswith("+++ ")]
    assert len(added) == 2, "one new file and one line"
    changed = diff[1][diff[1].index("--- a/") :]
    assert sum(line.startswith("+ ") for line in changed.splitlines()) == 1
    return diff[1]


def python(folder: Path, code: str) -> str:
    """What a program prints that imports the package from the copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_git
def test_an_export_format_is_one_file_and_one_line(scratch: Path) -> None:
    apply_example("Adding an export format", scratch)
    python(
        scratch,
        "import numpy as np\n"
        "from vitruvian.types.mesh import Mesh\n"
        "corners = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0]], np.float32)\n"
        "triangle = Mesh(corners, np.array([[0, 1, 2]], np.int32), frame='world')\n"
        "triangle.export('triangle.off')\n",
    )
    lines = (scratch / "triangle.off").read_text().splitlines()
    assert lines[:2] == ["OFF", "3 1 0"]
    assert [float(x) for x in lines[4].split()] == [0, 2, 0]
    assert lines[5] == "3 0 1 2"


@needs_git
def test_a_pose_estimator_is_one_file_and_one_line(scratch: Path) -> None:
    apply_example("Adding a pose estimator", scratch)
    printed = python(
        scratch,
        "import numpy as np\n"
        "import vitruvian\n"
        "from vitruvian.people.detection import detect\n"
        "from vitruvian.people.pose import pose_estimator\n"
        f"image = vitruvian.load_photo({str(ROOT / 'examples/person.jpg')!r}).pixels\n"
        "person = detect(image).people[0]\n"
        "plain = pose_estimator().landmarks(image, person, [])\n"
        "other = pose_estimator('averaged').landmarks(image, person, [])\n"
        "print(np.abs(plain.points - other.points).max())\n",
    )
    # Another exposure moves the landmarks by pixels, not by limbs.
    assert 0.01 < float(printed) < 20


def test_the_picture_is_what_its_script_draws() -> None:
    script = runpy.run_path(str(ROOT / "scripts/draw_architecture.py"))
    assert script["OUTPUT"].read_text(encoding="utf-8") == script["draw"]()


def test_every_room_is_on_the_page() -> None:
    rooms = {path.parent.name for path in (ROOT / "src/vitruvian").glob("*/__init__.py")}
    listed = set(
        re.findall(r"^\| `(\w+)/` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    assert listed == rooms


def test_names_of_test_modules_are_unique() -> None:
    """Folders of tests are no packages, so pytest cannot tell two modules of one name apart."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)
