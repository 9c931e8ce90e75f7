"""A video on the page: sent, watched, looked at frame by frame in its sandbox, shared, deleted."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from web_tools import EXAMPLES, changed, pixels

pytestmark = pytest.mark.browser


def test_a_video_becomes_people_in_motion(
    visit: Callable[..., Any], shoot: Callable[..., None]
) -> None:
    page = visit()
    page.goto("/")
    page.get_by_role("link", name="Send a video").click()
    page.set_input_files("#video", EXAMPLES / "person.jpg")
    page.get_by_text("person.jpg is not a video.").wait_for()
    page.set_input_files("#video", EXAMPLES / "walking.mp4")
    page.get_by_label("From second").fill("1")
    page.get_by_label("To second").fill("0.3")
    page.get_by_text("The part ends before it begins.").wait_for()
    page.get_by_label("From second").fill("")
    page.get_by_role("button", name="Start").click()
    page.get_by_role("heading", name="Finding people").wait_for()
    stages = page.locator(".stages li").all_inner_texts()
    assert stages[1:3] == ["Solving their motion", "Making avatars"]
    page.wait_for_url(re.compile(r"/v/[\w-]+$"), timeout=120_000)

    # The page of the video runs in its frame: it draws, and other frames look different.
    player = page.frame_locator("iframe.player")
    scrubber = player.locator("input[type=range]").first
    scrubber.wait_for()
    page.wait_for_timeout(500)
    before = pixels(page, "iframe.player")
    assert before.std() > 10
    scrubber.press("End")
    page.wait_for_timeout(500)
    assert changed(before, pixels(page, "iframe.player")) > 0.001
    assert page.locator("iframe.player").evaluate("frame => frame.contentDocument") is None
    page.get_by_text("in 6 of 6 frames").wait_for()
    with page.expect_download() as found:
        page.get_by_role("link", name=re.compile(r"^Motion \(BVH\)")).click()
    assert found.value.suggested_filename == "walking-person-1-motion.bvh"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("scrollTo(0, 0)")
    shoot(page, "video")

    # Whoever has the link sees the same, and the history has it.
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link", exact=True).input_value()
    friend = visit(viewport={"width": 390, "height": 844})
    friend.goto(link)
    friend.frame_locator("iframe.player").locator("input[type=range]").first.wait_for()
    assert friend.get_by_role("button", name="Delete").count() == 0
    assert friend.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto("/history")
    page.get_by_role("link", name=re.compile("^walking")).click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/history")
    assert page.request.get("/api/v1/videos").json()["total"] == 0
