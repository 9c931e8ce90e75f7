"""The page for everybody: keyboard, screen readers, phones, dark rooms."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from web_tools import EXAMPLES, PASSWORD, Member, changed, new_name, pixels, settle, wait_for_model

pytestmark = pytest.mark.browser

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    visit: Callable[..., Any], member: Member, scheme: str, shoot: Callable[..., None]
) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: make page")
    page = visit(storage_state=member.state, color_scheme=scheme)
    stranger = visit(color_scheme=scheme)
    found = []
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if scheme == "dark":  # differs in its colours only
        options["runOnly"] = ["color-contrast"]

    def look(tab: Any, name: str) -> None:
        tab.evaluate(AXE.read_text(encoding="utf-8"))
        report = tab.evaluate("options => axe.run(document, options)", options)
        found.extend(
            f"{name}: {item['id']} ({item['impact']}) {item['nodes'][0]['target']} "
            f"{item['nodes'][0]['failureSummary']}"
            for item in report["violations"]
            if item["impact"] in ("serious", "critical")
        )

    for path in ("/", "/login", "/register", "/nowhere", "/measure", "/video", "/docs"):
        stranger.goto(path)
        stranger.wait_for_selector("h1")
        if path == "/docs":
            stranger.locator("summary", has_text="PATCH").first.click()
        look(stranger, path)
    page.goto(member.path)
    wait_for_model(page)
    look(page, "result")
    shoot(page, f"result-{scheme}")
    page.get_by_role("button", name="Share").click()
    page.wait_for_selector("text=No link leads here")
    look(page, "share")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Correct this: Person 1").click()
    page.get_by_role("dialog").get_by_role("button", name="Run again").wait_for()
    look(page, "correct")
    for path in ("/history", "/account"):
        page.goto(path)
        page.wait_for_selector("h1")
        page.wait_for_load_state("networkidle")
        look(page, path)
    assert found == []


def tab_to(page: Any, role: str, name: str, limit: int = 60) -> None:
    """Press Tab until the element of this role and name has the focus, which must be seen."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(limit):
        page.keyboard.press("Tab")
        if wanted.evaluate_all("found => found.includes(document.activeElement)"):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline not in ("none", ""), f"the focus on {name} cannot be seen"
            return
    pytest.fail(f"{role} {name!r} cannot be reached with Tab")


def test_keyboard_only(visit: Callable[..., Any]) -> None:
    page = visit()
    # Somebody who listens from the start: the browser is told to hand file choosers over when the
    # first one does, and on a busy machine that may come later than the key that opens one.
    page.on("filechooser", lambda chooser: None)
    page.goto("/")
    page.wait_for_selector("h1")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    tab_to(page, "link", "Register")
    page.keyboard.press("Enter")
    page.wait_for_url("**/register")
    page.get_by_role("heading", name="Register").wait_for()
    name = new_name()
    tab_to(page, "textbox", "Name")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").wait_for()
    page.get_by_role("button", name="Choose pictures").wait_for()
    page.wait_for_load_state("networkidle")  # what still arrives may draw the button anew

    tab_to(page, "button", "Choose pictures")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(EXAMPLES / "person.jpg")
    page.wait_for_url("**/r/*")
    wait_for_model(page)

    page.locator("#main").focus()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "CANVAS":
            break
    assert page.evaluate("document.activeElement.tagName") == "CANVAS"
    pictures = [pixels(page)]
    for key in ("ArrowLeft", "+", "Shift+ArrowUp"):
        for _ in range(3):
            page.keyboard.press(key)
        settle(page)
        pictures.append(pixels(page))
        assert changed(pictures[-2], pictures[-1]) > 0.01, key
    page.keyboard.press("0")
    settle(page)
    assert changed(pictures[0], pixels(page)) < 0.01
    tab_to(page, "button", "Clay")
    page.keyboard.press("Space")
    settle(page)
    assert changed(pictures[0], pixels(page)) > 0.02
    # The dialog takes the focus and gives it back.
    page.locator("#main").focus()
    tab_to(page, "button", "Share")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    page.keyboard.press("Escape")
    page.get_by_role("dialog").wait_for(state="detached")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Share"


def test_phone(visit: Callable[..., Any], member: Member, shoot: Callable[..., None]) -> None:
    page = visit(storage_state=member.state, **PHONE)
    for path in ("/", "/history", "/account", "/measure", "/docs", member.path):
        page.goto(path)
        page.wait_for_selector("h1")
        assert page.locator(".brand span").is_visible()
        if path == member.path:
            wait_for_model(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, .button, nav a, select, input")]
                .filter((element) => element.checkVisibility() && !element.closest("label"))
                .filter((element) => !element.matches(".visually-hidden, [type=range], .link"))
                .filter((element) => !element.matches(".frame"))
                .filter((element) => element.getBoundingClientRect().height < 38)
                .map((element) => element.outerHTML.slice(0, 80))"""
        )
        assert small == [], "too small for a thumb"
        shoot(page, f"phone-{'result' if path == member.path else path.strip('/') or 'landing'}")
    view = page.locator(".stage .view").bounding_box()
    assert view["height"] > 380
    # The model comes before the photograph and in the first screen.
    assert view["y"] < 400
    before = pixels(page)
    page.touchscreen.tap(view["x"] + 195, view["y"] + 200)
    page.get_by_role("button", name="As the photo").tap()
    settle(page)
    assert changed(before, pixels(page)) > 0.05


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_motion_only_where_it_is_wanted(
    visit: Callable[..., Any], member: Member, motion: str
) -> None:
    page = visit(storage_state=member.state, reduced_motion=motion)
    page.goto(member.path)
    wait_for_model(page)
    page.select_option("#pose", "wave")
    page.wait_for_timeout(300)
    page.wait_for_selector(".controls .status:empty", state="attached")
    page.wait_for_timeout(300)
    first = pixels(page)
    moved = []
    for _ in range(5):  # once, a hand may be where it was
        page.wait_for_timeout(170)
        moved.append(changed(first, pixels(page)))
        if moved[-1] > 0.0005:
            break
    assert (max(moved) > 0.0005) == (motion == "no-preference")
    # A turntable is asked for, and turns for everybody.
    page.locator("#amount").fill("0")
    settle(page)
    before = pixels(page)
    page.get_by_role("button", name="Turntable").click()
    page.wait_for_timeout(800)
    page.get_by_role("button", name="Turntable").click()
    settle(page)
    assert changed(before, pixels(page)) > 0.01


def test_dark_is_chosen_and_kept(visit: Callable[..., Any]) -> None:
    page = visit(color_scheme="light")
    page.goto("/")
    page.wait_for_selector("h1")

    def paper() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = paper()
    button = page.get_by_role("button", name="change")
    button.click()
    assert paper() == light
    button.click()
    assert paper() != light
    page.reload()
    page.wait_for_selector("h1")
    assert paper() != light


def test_ar_where_the_device_has_it(visit: Callable[..., Any], member: Member) -> None:
    page = visit(storage_state=member.state)
    page.goto(member.path)
    wait_for_model(page)
    assert page.get_by_role("button", name="Open in AR").count() == 0

    apple = visit(storage_state=member.state)
    apple.add_init_script(
        """DOMTokenList.prototype.supports = () => true;
        addEventListener("click", (event) => {
            if (event.target.rel !== "ar") return;
            event.preventDefault();
            window.opened = event.target.href;
        }, true);"""
    )
    apple.goto(member.path)
    wait_for_model(apple)
    apple.get_by_role("button", name="Open in AR").click()
    deadline = time.monotonic() + 60
    while not apple.evaluate("window.opened"):
        assert time.monotonic() < deadline
        apple.wait_for_timeout(50)
    start = apple.evaluate(
        """async () => {
            const data = new Uint8Array(await (await fetch(window.opened)).arrayBuffer());
            return [data.length, ...data.slice(0, 4)];
        }"""
    )
    # USDZ is a zip archive; the mesh has some 14,000 vertices.
    assert start[0] > 500_000
    assert bytes(start[1:]) == b"PK\x03\x04"
