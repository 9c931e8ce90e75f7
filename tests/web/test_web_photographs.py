"""Photographs as people have them: a face, half a figure, a group, a crowd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from web_tools import wait_for_model

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

Visit = Callable[..., Any]
Locate = Callable[[str], Path]


def open_photo(page: Any, path: Path) -> dict[str, Any]:
    """Have a photograph reconstructed, and return what the API says of the result."""
    page.goto("/")
    page.set_input_files("input[type=file]", path)
    page.wait_for_url("**/r/*", timeout=120_000)
    wait_for_model(page)
    answer = page.request.get(page.url.replace("/r/", "/api/v1/reconstructions/"))
    result: dict[str, Any] = answer.json()
    assert page.locator(".person").count() == len(result["people"])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    return result


def says_one_thing(page: Any, result: dict[str, Any]) -> None:
    """Of whom a part is missing the page says so, and praises nothing."""
    for index, person in enumerate(result["people"]):
        card = page.locator(".person").nth(index)
        said = card.inner_text()
        assert ("Agrees" in said or "Mostly" in said or "Look closely" in said) == person[
            "complete"
        ]
        assert all(warning in said for warning in person["warnings"])
        # A warning may name a share of the surface; agreement in per cent is praise.
        beside = card.text_content()
        for warning in person["warnings"]:
            beside = beside.replace(warning, "")
        assert ("%" in beside) == person["complete"]
        no_height = person["seen"]["extent"] in ("bust", "head", "part")
        assert ("The picture does not show how tall" in said) == no_height
        if not no_height:
            assert f"{person['height_m']:.2f} m" in said
            assert "± " in said


def test_two_pictures_of_one_person(visit: Visit, tmp_path: Path) -> None:
    with Image.open(EXAMPLES / "person.jpg") as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "back.jpg")
    page = visit()
    page.goto("/")
    page.get_by_label("Several pictures of one person").check()
    page.set_input_files("input[type=file]", tmp_path / "back.jpg")
    page.get_by_text("choose two to six").wait_for()
    page.set_input_files("input[type=file]", [EXAMPLES / "person.jpg", tmp_path / "back.jpg"])
    page.wait_for_url("**/r/*", timeout=120_000)
    answer = page.request.get(page.url.replace("/r/", "/api/v1/reconstructions/")).json()
    assert (answer["name"], answer["options"]["same_person"]) == ("person", True)
    assert len(answer["people"]) == 1
    assert "photo_2" in answer["files"]
    wait_for_model(page)

    # Both are shown, the first at first; the model is laid over that one alone.
    strip = page.get_by_role("group", name="Which photograph is shown").get_by_role("button")
    assert strip.count() == 2
    large, slider = page.locator(".fit > img"), page.get_by_label("Model over the photo")
    assert large.get_attribute("src") == answer["files"]["photo"]
    assert slider.is_visible()
    strip.nth(1).click()
    page.get_by_alt_text("Photograph 2 of 2").wait_for()
    assert large.get_attribute("src") == answer["files"]["photo_2"]
    large.evaluate("image => image.decode()")  # fails where it does not load
    assert not slider.is_visible()
    strip.nth(0).click()
    page.get_by_alt_text("Photograph 1 of 2").wait_for()
    assert slider.is_visible()


def test_a_face_and_half_a_figure(visit: Visit, shared_data: Locate, tmp_path: Path) -> None:
    half = shared_data("photos") / "s071_idmvton.jpg"
    page = visit(viewport={"width": 390, "height": 844})
    result = open_photo(page, half)
    assert not result["people"][0]["complete"]
    says_one_thing(page, result)

    face = tmp_path / "face.png"
    Image.open(half).crop((200, 0, 560, 400)).save(face)
    result = open_photo(page, face)
    assert result["people"][0]["seen"]["extent"] in ("bust", "head")
    says_one_thing(page, result)
    assert page.locator(".labels span:visible").count() == 0  # no height is known


def test_a_group_and_a_crowd(visit: Visit, shared_data: Locate) -> None:
    page = visit()
    result = open_photo(page, shared_data("photos") / "m013_u2net.jpg")
    says_one_thing(page, result)
    assert len(result["people"]) == 5
    middles = [person["box"][0] + person["box"][2] for person in result["people"]]
    assert middles == sorted(middles)
    # Everybody's name has room, in the same order.
    labels = page.locator(".labels span:visible")
    assert labels.count() == 5
    lefts = [labels.nth(index).bounding_box()["x"] for index in range(5)]
    assert lefts == sorted(lefts)

    result = open_photo(page, shared_data("photos") / "m028_rtmlib.jpg")
    says_one_thing(page, result)
    assert page.locator(".left-out li").count() == len(result["left_out"])
    assert page.locator(".frame.out").count() == len(result["left_out"])
