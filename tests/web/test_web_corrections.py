"""What people say of a result is done: heights, sexes, people who are none or were missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from web_tools import EXAMPLES, changed, pixels, settle, wait_for_model

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
Shoot = Callable[..., None]


def open_person(page: Any) -> None:
    """Have examples/person.jpg reconstructed, as a guest."""
    page.goto("/")
    page.set_input_files("input[type=file]", EXAMPLES / "person.jpg")
    page.wait_for_url("**/r/*")
    wait_for_model(page)


def run_again(page: Any) -> None:
    """Press *Run again*, and wait for the new result in the place of the old one."""
    before = page.locator(".pane img").get_attribute("src")
    page.get_by_role("button", name="Run again").click()
    page.locator(f'.pane img:not([src="{before}"])').wait_for()
    wait_for_model(page)


def body_only(page: Any) -> np.ndarray:
    """What the body under the clothes looks like, fitted into the view."""
    page.click("[data-look=body]")
    page.wait_for_selector(".controls .status:empty", state="attached")
    settle(page)
    return pixels(page)


def height_in_3d(page: Any) -> float:
    """Of the mesh that the page shows, in metres."""
    url = page.url.replace("/r/", "/api/v1/reconstructions/")
    result = page.request.get(url).json()
    text = page.request.get(result["people"][0]["files"]["mesh_obj"]).text()
    ys = [float(line.split()[2]) for line in text.splitlines() if line.startswith("v ")]
    return max(ys) - min(ys)


def test_a_wrong_height_and_a_wrong_sex(visit: Visit, shoot: Shoot) -> None:
    page = visit()
    open_person(page)
    address, tall = page.url, height_in_3d(page)
    woman = body_only(page)
    page.get_by_role("button", name="Correct this: Person 1").click()
    form = page.get_by_role("dialog")
    form.get_by_role("spinbutton").fill("30")
    form.get_by_text("A height is between 0.40 m and 2.60 m").wait_for()
    assert form.get_by_role("button", name="Run again").is_disabled()
    form.get_by_role("button", name="Heights in feet and inches").click()
    form.get_by_label("Feet", exact=True).fill("4")
    form.get_by_label("Inches", exact=True).fill("11")
    form.get_by_role("button", name="Man", exact=True).click()
    shoot(page, "correct")
    run_again(page)
    assert page.url == address
    said = page.locator(".person").inner_text()
    assert "4 ft 11 in" in said
    assert "Set by you: man" in said
    assert height_in_3d(page) == pytest.approx(tall * 1.499 / 1.66, rel=0.05)
    page.get_by_role("button", name="Heights in centimetres").first.click()
    assert page.locator(".labels span").inner_text() == "1.50 m"
    man = body_only(page)
    assert changed(woman, man) > 0.01

    # It is kept, and can be taken back.
    page.reload()
    wait_for_model(page)
    page.get_by_role("button", name="Take back: man").click()
    page.get_by_text("Your corrections are not in this result yet").wait_for()
    before = page.locator(".pane img").get_attribute("src")
    page.get_by_role("button", name="Run again").click()
    page.get_by_text("Running again with your corrections").wait_for()
    page.reload()  # whoever comes back meanwhile sees it go on
    page.locator(f'.pane img:not([src="{before}"])').wait_for()
    wait_for_model(page)
    assert "man" not in page.locator(".facts").inner_text()
    assert page.locator(".labels span").inner_text() == "1.50 m"
    again = body_only(page)
    assert changed(man, again) > 0.01
    assert changed(woman, again) < changed(woman, man)


def forearm_tilt(page: Any) -> float:
    """Sine by which the left forearm of the result goes away from the camera."""
    url = page.url.replace("/r/", "/api/v1/reconstructions/")
    files = page.request.get(url).json()["people"][0]["files"]
    joints = page.request.get(files["body"]).json()["joints"]
    elbow, wrist = (np.array(joints[name]) for name in ("lowerarm01.L", "wrist.L"))
    along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    return float(along @ elbow / np.linalg.norm(elbow))


def test_a_limb_that_points_the_other_way(visit: Visit, shoot: Shoot) -> None:
    page = visit()
    open_person(page)
    before = forearm_tilt(page)
    turned, words = ("Away from", "away from") if before < 0 else ("Towards", "towards")
    page.get_by_role("button", name="Correct this: Person 1").click()
    page.get_by_text("Arms and legs").click()
    page.get_by_label("Left forearm", exact=True).select_option(f"{turned} the camera")
    shoot(page, "correct-limb")
    run_again(page)
    after = forearm_tilt(page)
    assert after * (1 if turned == "Away from" else -1) > 0.1, (before, after)
    fact = f"left forearm {words} the camera"
    assert f"Set by you: {fact}" in page.locator(".person").inner_text()

    # It is kept, shown as it was said, and can be taken back.
    page.reload()
    wait_for_model(page)
    page.get_by_role("button", name="Correct this: Person 1").click()
    assert page.get_by_label("Left forearm", exact=True).input_value() == turned.split()[0].lower()
    page.keyboard.press("Escape")
    page.get_by_role("button", name=f"Take back: {fact}").click()
    page.get_by_text("Your corrections are not in this result yet").wait_for()
    assert page.locator(".person .facts").count() == 0


def test_who_is_no_person_and_who_was_missed(visit: Visit) -> None:
    page = visit()
    open_person(page)
    # In a box with nobody in it nobody is invented.
    page.get_by_role("button", name="Add a person").click()
    layer = page.locator(".layer").bounding_box()
    corner = layer["x"] + 15, layer["y"] + 15
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0] + 60, corner[1] + 150, steps=4)
    page.mouse.up()
    page.get_by_role("dialog").get_by_role("button", name="Correct more first").click()
    page.get_by_role("button", name="Somebody added by you").wait_for()
    run_again(page)
    page.get_by_role("heading", name="Seen but left out").wait_for()
    assert page.locator(".person").count() == 1
    page.get_by_role("button", name="Remove the box").click()

    # With the keyboard: the only person is none, so that nobody is left.
    page.get_by_role("button", name="Correct this: Person 1").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Not a person").check()
    page.get_by_role("dialog").get_by_role("button", name="Run again").click()
    failed = page.locator("[aria-label=Corrections][data-state=failed]")
    failed.wait_for()
    assert "The result is as it was" in failed.inner_text()
    assert page.locator(".person").count() == 1
    failed.get_by_role("button", name="Discard").click()
    failed.wait_for(state="detached")
    page.reload()
    wait_for_model(page)
    assert page.locator(".person .facts").count() == 0
