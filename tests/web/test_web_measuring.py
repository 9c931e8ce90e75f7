"""Measuring on the page: two pictures from files or the camera, refusals, a phone, what is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import pytest

from measured_people import usual_pair

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A front and a side silhouette as files."""
    folder = tmp_path_factory.mktemp("pair")
    paths = folder / "front.png", folder / "side.png"
    for path, matte in zip(paths, usual_pair(), strict=True):
        cv2.imwrite(str(path), matte)
    return paths


def give(page: Any, front: Path, side: Path) -> None:
    """Choose the two pictures and have them measured."""
    page.set_input_files("#picture-front", front)
    page.set_input_files("#picture-side", side)
    page.get_by_role("button", name="Measure", exact=True).click()


def shows_measures(page: Any) -> None:
    """The result is there, body and all."""
    page.wait_for_url(re.compile(r"/measure/[\w-]+$"), timeout=120_000)
    page.wait_for_selector("[data-ready=true]", timeout=60_000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_two_pictures_are_measured(
    visit: Visit, pair: tuple[Path, Path], shoot: Callable[..., None]
) -> None:
    page = visit()
    page.goto("/")
    page.get_by_role("link", name="Measure yourself").click()
    button = page.get_by_role("button", name="Measure", exact=True)
    page.set_input_files("#picture-front", pair[0])
    assert button.is_disabled()
    page.locator("#height").fill("12")
    page.get_by_text("A height is between").wait_for()
    page.locator("#height").fill("168")
    page.get_by_role("button", name="Woman").click()
    shoot(page, "measure", full=True)

    # The front twice: one sentence, the side is marked, and nothing has to be given twice.
    give(page, pair[0], pair[0])
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "The side view looks like a front view" in alert.inner_text()
    assert page.locator(".view.wrong h3").all_inner_texts() == ["Left side"]
    page.set_input_files("#picture-side", pair[1])

    # Another pair: it may stay empty, not half, and what is wrong with it is shown in its place.
    page.get_by_role("button", name="Take another pair").click()
    second = page.get_by_role("button", name="Pair 2", exact=True)
    assert second.get_attribute("aria-pressed") == "true"
    assert button.is_enabled()
    page.set_input_files("#picture-front", pair[0])
    assert button.is_disabled()
    page.set_input_files("#picture-side", pair[0])
    page.get_by_role("button", name="Pair 1").click()
    button.click()
    page.get_by_text("Pair 2: The side view looks like a front view").wait_for()
    assert second.get_attribute("aria-pressed") == "true"
    shoot(page, "measure-pairs", full=True)
    give(page, *pair)
    shows_measures(page)
    shoot(page, "measured", full=True)

    rows = page.locator("section[aria-labelledby=table] tbody tr")
    assert rows.count() == 34
    waist = page.get_by_role("row", name=re.compile(r"^Waist \d"))
    cm, low, high = map(float, re.findall(r"\d+\.\d", waist.inner_text()))
    assert low < cm < high
    page.get_by_role("button", name="ft, heights").click()
    inches = float(re.findall(r"\d+\.\d", waist.inner_text())[0])
    assert inches == pytest.approx(cm / 2.54, abs=0.06)
    assert "Tops and dresses, women's" in page.locator(".sizes").inner_text()
    for title in ("CSV", "JSON", "PDF"):
        with page.expect_download() as found:
            page.get_by_role("link", name=re.compile(f"^{title}")).click()
        assert found.value.suggested_filename == f"Measures-measures.{title.lower()}"

    # It goes after an hour, unless it is kept; and at once when that is wanted.
    page.get_by_text("unless you keep them").wait_for()
    page.get_by_role("button", name="Keep them").click()
    page.get_by_text("unless you keep them").wait_for(state="detached")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/measure")
    assert page.request.get("/api/v1/measurements").json()["items"] == []


def test_a_phone_takes_the_pictures(
    visit: Visit, pair: tuple[Path, Path], shoot: Callable[..., None]
) -> None:
    page = visit()
    page.goto("/measure")
    page.locator("#height").fill("168")
    page.get_by_label("Your weight").fill("68")
    with page.expect_response("**/handoffs") as answer:
        page.get_by_role("button", name="Use a phone").click()
    token = answer.value.json()["token"]
    page.get_by_role("img", name=re.compile("^Code")).wait_for()
    assert "A phone cannot reach this computer" in page.get_by_role("dialog").inner_text()

    phone = visit(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.goto(f"/measure#t={token}&height_cm=168&weight_kg=68&keep=false")
    assert phone.locator("#height").count() == 0
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    give(phone, *pair)
    phone.get_by_text("The measures are on your computer").wait_for(timeout=120_000)
    assert phone.request.get("/api/v1/session").json()["account"] is None
    shows_measures(page)
    result = page.request.get(page.url.replace("/measure/", "/api/v1/measurements/")).json()
    assert (result["subject"]["height_cm"], result["subject"]["weight_kg"]) == (168, 68)
    # The same on a small screen.
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, "measured-phone")


def test_the_camera_takes_both_by_itself(visit: Visit, shoot: Callable[..., None]) -> None:
    page = visit(viewport={"width": 390, "height": 844}, permissions=["camera"])
    page.clock.install()
    page.goto("/measure")
    page.locator("#height").fill("168")
    page.get_by_role("button", name="Use the camera").click()
    page.get_by_role("button", name=re.compile("seconds to step back")).click()
    page.get_by_text("10", exact=True).wait_for()
    shoot(page, "capture")
    page.clock.run_for(10_000)
    page.get_by_alt_text("Front, your picture").wait_for()
    page.locator(".stance", has_text="Turn a quarter").wait_for()
    page.clock.run_for(6_000)
    page.get_by_alt_text("Left side, your picture").wait_for()
    page.get_by_role("button", name="Measure", exact=True).click()
    # The camera's test card shows nobody, or no whole person.
    page.get_by_role("alert").wait_for(timeout=120_000)
    assert page.get_by_role("button", name="Measure", exact=True).is_enabled()
