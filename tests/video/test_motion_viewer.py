"""The page of a clip, opened from disk in a real browser."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitruvian.compute.processes import Crew
from vitruvian.geometry.render import render_mesh
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.video.animated import people_glb
from vitruvian.video.pose import seen_at
from vitruvian.video.turning import Turning
from vitruvian.video.viewer import Filming, page_data, write_motion_viewer
from vitruvian.video.zooming import Zoom


@contextmanager
def opened(browser: Any, scene: Any, folder: Path) -> Iterator[Any]:
    """The page of a scene; complaints and requests are in ``page.complaints``."""
    path = folder / "viewer.html"
    write_motion_viewer(scene, people_glb(scene), Filming(scene, Crew()).film(), path)
    page = browser.new_page(viewport={"width": 900, "height": 640})
    page.complaints = []
    page.on(
        "console",
        lambda m: (
            page.complaints.append(m.text)
            if m.type in ("error", "warning") and "GPU stall" not in m.text
            else None
        ),
    )
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on(
        "request",
        lambda r: (
            None if r.url.startswith(("file:", "data:", "blob:")) else page.complaints.append(r.url)
        ),
    )
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]", timeout=30_000)
    yield page
    complaints = page.complaints
    page.close()
    assert complaints == []


@pytest.fixture(scope="module")
def page(browser: Any, carried_scene: Any, tmp_path_factory: Any) -> Iterator[Any]:
    """The page of the carried person."""
    with opened(browser, carried_scene, tmp_path_factory.mktemp("viewer")) as page:
        yield page


def pixels(page: Any, selector: str) -> np.ndarray:
    shot = page.locator(selector).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """Fraction of pixels that differ visibly."""
    return float((np.abs(before - after).max(-1) > 24).mean())


def await_change(page: Any, selector: str, before: np.ndarray, least: float) -> None:
    """Wait until so much of a part of the page looks different; fail after a while."""
    share = 0.0
    for _ in range(20):
        page.wait_for_timeout(250)
        share = changed(before, pixels(page, selector))
        if share > least:
            return
    raise AssertionError(f"{share:.4f} of {selector} changed, not {least}")


def go_to(page: Any, frame: int) -> None:
    page.locator("input[type=range]").fill(str(frame))
    page.wait_for_function("() => !document.querySelector('video').seeking")
    page.wait_for_timeout(400)


def test_film_and_people_follow_the_scrubber(page: Any) -> None:
    go_to(page, 0)
    film, view = pixels(page, ".motion-film"), pixels(page, ".motion-view")
    assert page.locator("video").evaluate("v => v.error") is None
    go_to(page, 5)
    await_change(page, ".motion-film", film, 0.02)
    await_change(page, ".motion-view", view, 0.002)
    assert page.locator("#player").get_attribute("data-frame") == "5"
    assert "frame 5" in page.locator(".motion-time").inner_text()
    assert page.locator("video").evaluate("v => v.currentTime") == pytest.approx(0.506, abs=0.02)


def test_frames_are_stepped_and_played(page: Any) -> None:
    go_to(page, 2)
    page.get_by_role("button", name="One frame ahead").click()
    page.get_by_role("button", name="One frame ahead").click()
    page.get_by_role("button", name="One frame back").click()
    assert page.locator("#player").get_attribute("data-frame") == "3"
    page.get_by_role("combobox", name="Speed").select_option("0.25")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('#player').dataset.frame !== '3'")
    assert page.locator("video").evaluate("v => v.playbackRate") == 0.25
    page.get_by_role("button", name="Pause").click()


def test_overlay_and_people_can_be_left_out(page: Any) -> None:
    go_to(page, 1)
    over, free = pixels(page, ".motion-film"), pixels(page, ".motion-view")
    page.get_by_role("button", name="Clay").click()
    await_change(page, ".motion-film", over, 0.02)  # the person over the film is of clay, too
    page.get_by_role("button", name="Textured").click()
    page.get_by_role("button", name="Person 1").click()
    await_change(page, ".motion-view", free, 0.01)
    page.get_by_role("button", name="Person 1").click()
    page.get_by_role("button", name="Overlay").click()
    await_change(page, ".motion-film", over, 0.1)  # the film is not dimmed now
    page.get_by_role("button", name="Overlay").click()


def test_parts_do_not_cover_each_other(page: Any) -> None:
    parts = [".motion-film", ".motion-people", ".motion-view", ".motion-switches"]
    for width, height in ((900, 640), (390, 800)):
        page.set_viewport_size({"width": width, "height": height})
        boxes = [page.locator(part).bounding_box() for part in parts]
        for index, one in enumerate(boxes):
            for other in boxes[:index]:
                apart = (
                    one["x"] >= other["x"] + other["width"] - 1
                    or other["x"] >= one["x"] + one["width"] - 1
                    or one["y"] >= other["y"] + other["height"] - 1
                    or other["y"] >= one["y"] + one["height"] - 1
                )
                assert apart, (one, other)
        page.get_by_role("button", name="One frame ahead").click()  # within reach
    page.set_viewport_size({"width": 900, "height": 640})


def test_who_is_there_when(carried_scene: Any) -> None:
    data = page_data(carried_scene)
    assert data["people"][0]["present"] == [[0, 5]]
    assert data["times"][0] == 0
    assert len(data["times"]) == len(data["numbers"]) == 6
    assert "turns" not in page_data(replace(carried_scene, turning=None))


def test_people_lie_over_the_film_of_a_camera_that_turns_and_zooms(
    browser: Any, carried_scene: Any, tmp_path: Path
) -> None:
    """Their silhouettes in the page are those that the camera of each frame sees."""
    turns = {
        int(n): matrix_from_axis_angle(np.array([0.01, -0.03, 0.02]) * n)
        for n in carried_scene.numbers
    }
    ratios = {int(n): 1 - 0.04 * n for n in carried_scene.numbers}
    zoom = Zoom(ratios, turns, 0.0, 0.5, 0.8, 1.0)
    scene = replace(carried_scene, turning=Turning(turns, travels=False, zoom=zoom))
    (mover,) = scene.people
    with opened(browser, scene, tmp_path) as page:
        for frame in (0, 4):
            go_to(page, frame)
            shown = pixels(page, "video")
            page.get_by_role("button", name="Person 1").click()
            await_change(page, "video", shown, 0.05)
            over = np.abs(shown - pixels(page, "video")).max(-1) > 24
            page.get_by_role("button", name="Person 1").click()
            await_change(page, "video", pixels(page, "video"), -1)
            height, width = over.shape
            camera = scene.camera_at(frame)
            drawn = render_mesh(seen_at(scene, mover, frame), camera, width, height)
            true = drawn[..., 3] > 127
            assert (over & true).sum() / (over | true).sum() > 0.85, frame
