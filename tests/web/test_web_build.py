"""The built page: its size, its policy, and its source's own checks."""

from __future__ import annotations

import gzip
import json
import re
import runpy
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"
BUDGET = 400_000  # bytes of script, compressed, before the first screen works


def first_scripts(folder: Path) -> set[str]:
    """Scripts that the first page loads: those it names, and what they import in turn."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    wanted, waiting = set(), [key for key, item in manifest.items() if item.get("isEntry")]
    while waiting:
        item = manifest[waiting.pop()]
        if item["file"] not in wanted:
            wanted.add(item["file"])
            waiting.extend(item.get("imports", []))
    named = re.findall(r'(?:src|href)="/([^"]+\.js)"', (folder / "index.html").read_text())
    return wanted | set(named)


def test_first_load_is_small(page_folder: Path) -> None:
    scripts = first_scripts(page_folder)
    assert scripts
    size = sum(len(gzip.compress((page_folder / name).read_bytes())) for name in scripts)
    assert size <= BUDGET
    # three.js comes with the first result only.
    assert not any(b"WebGLRenderer" in (page_folder / name).read_bytes() for name in scripts)
    everything = page_folder.rglob("*.js")
    assert any(b"WebGLRenderer" in path.read_bytes() for path in everything)


def test_page_meets_a_strict_policy(page_folder: Path) -> None:
    page = (page_folder / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.DOTALL)
    assert scripts
    assert all("src=" in attributes and not body.strip() for attributes, body in scripts)
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
    for attribute in re.findall(r'(?:src|href)="([^"]+)"', page):
        assert attribute.startswith("/"), attribute


def test_licences_travel_with_the_page(page_folder: Path) -> None:
    text = (page_folder / "licenses.md").read_text(encoding="utf-8")
    for name in ("vue", "three", "openapi-fetch"):
        assert re.search(rf"\b{name}\b", text), name
    assert "MIT" in text


def test_types_are_those_of_the_server() -> None:
    if find_spec("fastapi") is None:
        pytest.skip("needs the extra server (fastapi not installed)")
    shapes = runpy.run_path(str(WEB / "describe_api.py"))["api_shapes"]()
    kept = json.loads((WEB / "openapi.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(shapes)), "run: python web/describe_api.py"


def test_unit_tests_pass(node: Callable[..., str]) -> None:
    assert re.search(r"Tests\s+\d+ passed", node("run", "--silent", "test"))


def test_the_viewer_is_what_its_source_makes(node: Callable[..., str]) -> None:
    assert "viewer.html" in node("run", "--silent", "viewer", "--", "--check")
