"""The viewer page, opened from disk in a real browser."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from format_shapes import BOTTOM_RIGHT, TOP_LEFT, quarter_atlas, tube
from vitruvian.formats import scene_glb
from vitruvian.result.viewer import write_viewer


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that collects complaints and network requests in ``page.complaints``."""
    page = browser.new_page(viewport={"width": 1000, "height": 640})
    page.complaints = []
    page.on("console", lambda m: page.complaints.append(m.text) if m.type != "log" else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "request",
        lambda r: (
            None if r.url.startswith(("file:", "data:", "blob:")) else page.complaints.append(r.url)
        ),
    )
    yield page
    page.close()


def open_page(page: Any, path: Path) -> None:
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]", timeout=30_000)
    settle(page)


def settle(page: Any) -> None:
    page.wait_for_timeout(700)  # longer than the glide to a person


def stage_pixels(page: Any) -> np.ndarray:
    shot = page.locator("#stage").screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """Fraction of pixels that differ visibly."""
    return float((np.abs(before - after).max(-1) > 24).mean())


def near(pixels: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    return np.abs(pixels - np.array(color)).max(-1) < 16


def write_two(path: Path) -> Path:
    base = tube(30, 24)
    people = {
        f"person-{i + 1}": base.with_vertices(
            base.vertices * np.float32([1, 1.8 - 0.4 * i, 1]) + np.float32([i, 0, -3])
        )
        for i in range(2)
    }
    described = [
        {"name": "person-1", "height_m": 1.8, "box": np.array([0, 0, 100.0, 240])},
        {"name": "person-2", "height_m": np.float64(1.4), "box": [200, 40, 320, 240]},
    ]
    photo = np.tile(quarter_atlas(240), (1, 2, 1))[:, :320]
    return write_viewer(path, scene_glb(people), photo, described, title="street.jpg")


def test_page_shows_people_and_turns(page: Any, tmp_path: Path) -> None:
    open_page(page, write_two(tmp_path / "viewer.html"))
    first = stage_pixels(page)
    # u runs to the right from the middle of the front: the texture's left half is on the right.
    assert near(first, TOP_LEFT).sum() > 500
    rows, columns = np.nonzero(near(first, TOP_LEFT))
    low_rows, left_columns = np.nonzero(near(first, BOTTOM_RIGHT))
    assert rows.mean() < low_rows.mean()
    assert columns.min() > left_columns.min()

    box = page.locator("#canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] - 60
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 160, y, steps=6)
    page.mouse.up()
    settle(page)
    assert changed(first, stage_pixels(page)) > 0.03
    assert page.complaints == []


def test_modes_people_and_keys(page: Any, tmp_path: Path) -> None:
    open_page(page, write_two(tmp_path / "viewer.html"))
    everyone = stage_pixels(page)
    page.click("button[data-mode=clay]")
    settle(page)
    clay = stage_pixels(page)
    assert near(everyone, TOP_LEFT).any()
    assert not near(clay, TOP_LEFT).any()
    page.click("button[data-mode=wireframe]")
    settle(page)
    assert changed(clay, stage_pixels(page)) > 0.01
    assert page.get_attribute("button[data-mode=wireframe]", "aria-pressed") == "true"
    assert page.get_attribute("button[data-mode=clay]", "aria-pressed") == "false"

    page.click("button[data-mode=textured]")
    page.click("#people button:has-text('1.40 m')")
    settle(page)
    close = stage_pixels(page)
    assert near(close, TOP_LEFT).sum() > near(everyone, TOP_LEFT).sum()
    assert page.get_attribute("#photo button:nth-of-type(2)", "aria-pressed") == "true"
    page.focus("#canvas")
    page.keyboard.press("ArrowLeft")
    settle(page)
    turned = stage_pixels(page)
    assert changed(close, turned) > 0.01
    page.keyboard.press("+")
    settle(page)
    assert changed(turned, stage_pixels(page)) > 0.01
    page.keyboard.press("Escape")
    settle(page)
    assert page.get_attribute("#people button:first-child", "aria-pressed") == "true"
    assert page.complaints == []


def test_click_focuses_a_person(page: Any, tmp_path: Path) -> None:
    open_page(page, write_two(tmp_path / "viewer.html"))
    rows, columns = np.nonzero(near(stage_pixels(page), TOP_LEFT))
    leftmost = columns.argmin()
    box = page.locator("#stage").bounding_box()
    page.mouse.click(float(box["x"] + columns[leftmost] + 4), float(box["y"] + rows[leftmost]))
    settle(page)
    assert page.get_attribute("#people button:has-text('1.80 m')", "aria-pressed") == "true"
    assert page.complaints == []


def test_labels_stand_above_heads(page: Any, tmp_path: Path) -> None:
    open_page(page, write_two(tmp_path / "viewer.html"))
    labels = page.locator("#labels span")
    assert labels.all_text_contents() == ["1.80 m", "1.40 m"]
    boxes = [labels.nth(i).bounding_box() for i in range(2)]
    assert boxes[0]["x"] < boxes[1]["x"]
    assert boxes[0]["y"] < boxes[1]["y"]


def test_phone_has_no_sideways_scroll(browser: Any, tmp_path: Path) -> None:
    path = write_two(tmp_path / "viewer.html")
    page = browser.new_page(viewport={"width": 360, "height": 740}, has_touch=True)
    open_page(page, path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.locator("#canvas").bounding_box()["height"] > 300
    page.close()


def test_nobody_is_said(page: Any, tmp_path: Path) -> None:
    path = write_viewer(tmp_path / "viewer.html", scene_glb({}), None, [])
    open_page(page, path)
    assert page.inner_text("#message") == "Nobody was found in this picture."
    assert page.locator("#photo img").count() == 0
    assert page.complaints == []


def test_names_cannot_break_the_page(page: Any, tmp_path: Path) -> None:
    wicked = "</script><script>document.title='broken'</script>{{scene}}<b>"
    path = write_viewer(
        tmp_path / "viewer.html",
        scene_glb({wicked: tube()}),
        None,
        [{"name": wicked}],
        title=wicked,
    )
    open_page(page, path)
    assert page.title() == wicked
    assert wicked.capitalize().replace("-", " ") in page.inner_text("#people")
    assert page.complaints == []


def test_photo_is_small_and_boxes_are_fractions(tmp_path: Path) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (3000, 1500, 3), dtype=np.uint8)
    person = {"name": "person-1", "height_m": None, "box": [0, 300, 1800, 3000]}
    path = write_viewer(tmp_path / "viewer.html", scene_glb({}), photo, [person])
    text = path.read_text(encoding="utf-8")
    people = json.loads(re.search(r'id="people-data">(.*?)</script>', text)[1])
    assert people == [
        {"name": "person-1", "label": "Person 1", "height": None, "box": [0.0, 0.1, 1.0, 1.0]}
    ]
    assert len(text) < 1_900_000


def test_built_page_is_small_and_licensed() -> None:
    folder = files("vitruvian.result.viewer")
    page = folder.joinpath("viewer.html").read_text(encoding="utf-8")
    assert len(page.encode()) <= 700_000
    assert "three.js authors" in page
    assert "The MIT License" in folder.joinpath("LICENSES.txt").read_text(encoding="utf-8")
    # The page must not reach for anything outside itself.
    assert not re.findall(r"(?:src|href)=\"https?:", page)
