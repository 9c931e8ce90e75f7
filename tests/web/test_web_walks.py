"""What people do on the page, in a real browser against a real server."""

from __future__ import annotations

import io
import json
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from web_tools import (
    EXAMPLES,
    PASSWORD,
    Member,
    changed,
    new_name,
    overlay_mask,
    pixels,
    register,
    settle,
    wait_for_model,
)

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
Shoot = Callable[..., None]


def drag(page: Any, dx: int, dy: int = 0) -> None:
    box = page.locator(".stage canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=5)
    page.mouse.up()
    settle(page)


def test_from_photo_to_files(visit: Visit, shoot: Shoot) -> None:
    page = visit()
    register(page, new_name())
    page.set_input_files("input[type=file]", EXAMPLES / "person.jpg")
    page.wait_for_selector(".stages .now")
    titles = page.locator(".stages li").all_inner_texts()
    assert "Finding people" in titles
    shoot(page, "progress")
    # What a screen reader is told follows the stages.
    assert "person: " in page.locator("[aria-live=polite]").inner_text()

    page.wait_for_url("**/r/*")
    wait_for_model(page)
    assert page.title().startswith("person")
    height = page.locator(".person .height strong").inner_text()
    assert 1.4 < float(height.split()[0]) < 2.0
    front = pixels(page)
    drag(page, 170)
    assert changed(front, pixels(page)) > 0.02
    page.click("text=Reset view")
    settle(page)
    assert changed(front, pixels(page)) < 0.005

    with page.expect_download() as download:
        page.locator(".downloads a", has_text="OBJ").first.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        names = {Path(name).name for name in archive.namelist()}
        assert names == {"mesh.obj", "mesh.mtl", "texture.png", "normals.png"}
        mesh = next(name for name in archive.namelist() if name.endswith(".obj"))
        assert archive.read(mesh).count(b"\nf ") > 10_000

    page.get_by_role("button", name="Log out").click()
    page.get_by_role("link", name="Log in").wait_for()
    assert page.url.rstrip("/").count("/") == 2
    page.go_back()
    page.wait_for_selector("text=log in to see it")
    page.complaints = [text for text in page.complaints if "401" not in text and "404" not in text]


def test_looks(visit: Visit, member: Member, shoot: Shoot) -> None:
    page = visit(storage_state=member.state)
    page.goto(member.path)
    wait_for_model(page)
    shoot(page, "result")
    seen = {"textured": pixels(page)}
    for look in ("clay", "normals", "wireframe", "body"):
        page.click(f"[data-look={look}]")
        page.wait_for_selector(f"[data-look={look}][aria-pressed=true]")
        page.wait_for_selector(".controls .status:empty", state="attached")
        settle(page)
        seen[look] = pixels(page)
        for other, picture in seen.items():
            if other != look:
                assert changed(picture, seen[look]) > 0.02, f"{look} looks like {other}"
    assert page.get_attribute("[data-look=textured]", "aria-pressed") == "false"
    assert page.is_disabled("#amount")  # the rigged twin wears clothes


def test_skeleton_and_poses(visit: Visit, member: Member, shoot: Shoot) -> None:
    page = visit(storage_state=member.state)
    page.goto(member.path)
    wait_for_model(page)
    plain = pixels(page)
    page.get_by_role("button", name="Skeleton").click()
    page.wait_for_timeout(300)
    page.wait_for_selector(".controls .status:empty", state="attached")
    settle(page)
    bones = pixels(page)
    orange = np.abs(bones - [255, 138, 76]).max(-1) < 40
    assert orange.sum() > 300
    assert changed(plain, bones) < 0.1
    page.get_by_role("button", name="Skeleton").click()

    # The rigged twin in the photograph's pose is the reconstructed surface.
    assert page.locator("#pose option").first.inner_text() == "As in the photo"
    page.select_option("#pose", "idle")
    page.locator("#amount").fill("1")
    page.wait_for_selector(".controls .status:empty", state="attached")
    settle(page)
    almost = pixels(page)
    page.select_option("#pose", "photo")
    settle(page)
    assert changed(almost, pixels(page)) < 0.02
    page.select_option("#pose", "t")
    settle(page)
    posed = pixels(page)
    # Arms that point sideways make the figure wider than it was.
    background = np.median(posed[:40].reshape(-1, 3), 0)

    def width(picture: np.ndarray) -> int:
        columns = (np.abs(picture - background).max(-1) > 90).sum(0) > 4
        return int(np.flatnonzero(columns).max() - np.flatnonzero(columns).min())

    assert width(posed) > 1.25 * width(plain)
    # The camera follows: nobody's hands are beyond the view.
    assert (np.abs(posed[:, [0, -1]] - background).max(-1) < 90).all()
    page.select_option("#pose", "wave")
    settle(page)
    shoot(page, "pose")
    assert changed(posed, pixels(page)) > 0.01


def test_overlay_fits_the_photograph(visit: Visit, member: Member, shoot: Shoot) -> None:
    page = visit(storage_state=member.state)
    page.goto(member.path)
    wait_for_model(page)
    photo = pixels(page, ".pane .fit")
    page.locator("#overlay").fill("100")
    settle(page)
    mask = overlay_mask(page)
    answer = page.request.get(member.result["people"][0]["files"]["alpha"])
    matte = np.asarray(Image.open(io.BytesIO(answer.body())).convert("L"))
    matte = cv2.resize(matte, mask.shape[::-1], interpolation=cv2.INTER_AREA) > 127
    iou = (mask & matte).sum() / (mask | matte).sum()
    # What the server's own check says of the same two silhouettes.
    assert abs(iou - member.result["people"][0]["checks"]["silhouette_iou"]) < 0.02

    shoot(page, "overlay")
    covered = pixels(page, ".pane .fit")
    assert changed(photo, covered) < 0.08  # its texture is the photograph
    page.click("[data-look=clay]")
    page.wait_for_timeout(300)
    assert changed(photo, pixels(page, ".pane .fit")) > 0.5 * mask.mean()

    # The 3D view takes the photograph's place: people have the same size and position in it.
    page.click("[data-look=textured]")
    page.get_by_role("button", name="As the photo").click()
    settle(page)
    assert page.get_by_role("button", name="As the photo").get_attribute("aria-pressed") == "true"
    view = page.locator(".stage .view").bounding_box()
    scale = view["height"] / member.result["image"]["height"]
    x0, y0, x1, y1 = np.array(member.result["people"][0]["box"]) * scale
    shown = pixels(page)
    left = (view["width"] - member.result["image"]["width"] * scale) / 2
    blue = (shown[..., 2] > shown[..., 0] + 35).nonzero()  # her dungarees
    assert left + x0 < blue[1].min() < blue[1].max() < left + x1
    assert y0 < blue[0].min() < blue[0].max() < y1


def test_others_cannot_see_it(visit: Visit, member: Member) -> None:
    page = visit()
    register(page, new_name())
    page.goto(member.path)
    page.get_by_role("heading", name="Not here").wait_for()
    assert page.request.get(member.result["files"]["scene"]).status == 404
    page.goto("/history")
    page.wait_for_selector("text=Nothing here yet")
    page.complaints = [text for text in page.complaints if "404" not in text]


def test_share_link(visit: Visit, member: Member, shoot: Shoot) -> None:
    page = visit(storage_state=member.state)
    page.goto(member.path)
    wait_for_model(page)
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Link").input_value()
    shoot(page, "share")

    stranger = visit()
    stranger.goto(link)
    wait_for_model(stranger)
    assert stranger.get_by_text("Shared with you").is_visible()
    for name in ("Share", "Delete", "Rename"):
        assert stranger.get_by_role("button", name=name).count() == 0
    with stranger.expect_download() as download:
        stranger.locator(".downloads a", has_text="GLB").first.click()
    assert download.value.path().read_bytes()[:4] == b"glTF"

    page.get_by_role("button", name="Revoke").click()
    page.wait_for_selector("text=No link leads here")
    stranger.reload()
    stranger.wait_for_selector("text=leads nowhere")
    stranger.complaints = [text for text in stranger.complaints if "404" not in text]


def test_history(visit: Visit, member: Member, shoot: Shoot) -> None:
    page = visit(storage_state=member.state)
    page.goto("/history")
    page.get_by_role("button", name="Rename Anna").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Anna in blue")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Anna in blue").wait_for()
    thumbnail = page.locator(".tile img")
    assert thumbnail.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    shoot(page, "history")
    # Copies share nothing: deleting one leaves the other.
    page.goto("/")
    page.set_input_files("input[type=file]", EXAMPLES / "person.jpg")
    page.wait_for_url("**/r/*")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url("**/history")
    page.get_by_role("link", name="Anna in blue").wait_for()
    assert page.locator(".tile").count() == 1


def test_nobody_is_explained(visit: Visit, tmp_path: Path, shoot: Shoot) -> None:
    path = tmp_path / "wall.png"
    rows, columns = np.mgrid[:400, :500]
    Image.fromarray(((rows + columns) // 8 % 256).astype(np.uint8)).save(path)
    page = visit()
    page.goto("/")
    page.set_input_files("input[type=file]", path)
    page.get_by_role("heading", name="Nobody was found").wait_for()
    assert "head to foot" in page.locator(".advice").inner_text()
    shoot(page, "nobody")
    page.get_by_role("button", name="Try another picture").click()
    page.get_by_role("heading", name="A photograph becomes").wait_for()
    # Guests can leave without a trace.
    page.get_by_role("link", name="History").click()
    page.get_by_role("button", name="delete everything now").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete everything").click()
    page.wait_for_selector("text=Everything is deleted")
    assert page.request.get("/api/v1/session").json()["account"] is None


def test_two_tabs_are_one_guest_and_come_back_from_registering(visit: Visit) -> None:
    first = visit()
    second = first.context.new_page()
    for tab in (first, second):
        tab.goto("/")
        tab.wait_for_selector("h1")
    for tab in (first, second):  # neither knows of the other
        tab.set_input_files("input[type=file]", EXAMPLES / "person.jpg")
    for tab in (first, second):
        tab.wait_for_url("**/r/*")
    assert first.request.get("/api/v1/reconstructions").json()["total"] == 2
    result = first.url
    first.locator(".note").get_by_role("link", name="Register").click()
    first.get_by_label("Name", exact=True).fill(new_name())
    first.get_by_label("Password", exact=True).fill(PASSWORD)
    first.get_by_label("Password once more").fill(PASSWORD)
    first.get_by_role("button", name="Register").click()
    first.wait_for_url(result)
    first.get_by_role("button", name="Log out").wait_for()
    # The tab from before belongs to the account when it sends the next picture.
    second.get_by_role("link", name="Vitruvian, start page").click()
    second.get_by_role("heading", name="A photograph becomes").wait_for()
    second.set_input_files("input[type=file]", EXAMPLES / "person.jpg")
    second.wait_for_url("**/r/*")
    assert first.request.get("/api/v1/reconstructions").json()["total"] == 3


def test_paste(visit: Visit) -> None:
    page = visit()
    page.goto("/")
    page.wait_for_selector("h1")
    page.evaluate(
        """() => {
            const transfer = new DataTransfer();
            transfer.items.add(new File(["no picture"], "pasted.png", { type: "image/png" }));
            const options = { clipboardData: transfer, bubbles: true, cancelable: true };
            document.body.dispatchEvent(new ClipboardEvent("paste", options));
        }"""
    )
    page.wait_for_selector("article[aria-label=pasted][data-state=failed]")
    # The server looked into the file, whatever its name.
    assert "Save the picture as JPEG" in page.locator("article[aria-label=pasted]").inner_text()
    page.complaints = [text for text in page.complaints if "415" not in text]


def test_files_that_are_no_pictures_do_not_leave(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    page = visit()
    page.goto("/")
    sent = []
    page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    page.set_input_files("input[type=file]", [tmp_path / "notes.txt", tmp_path / "empty.jpg"])
    said = page.locator(".troubles").inner_text()
    assert "notes.txt is not a picture" in said
    assert "empty.jpg is empty" in said
    assert sent == []


def test_several_at_once_queue_and_cancel(visit: Visit, shoot: Shoot) -> None:
    page = visit()
    page.goto("/")
    picture = (EXAMPLES / "person.jpg").read_bytes()
    # Dropped, as from a folder.
    page.evaluate(
        """bytes => {
            const transfer = new DataTransfer();
            for (const name of ["one.jpg", "two.jpg", "three.jpg"]) {
                transfer.items.add(new File([new Uint8Array(bytes)], name, { type: "image/jpeg" }));
            }
            const target = document.querySelector(".drop");
            for (const type of ["dragenter", "dragover", "drop"]) {
                const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
                target.dispatchEvent(new DragEvent(type, options));
            }
        }""",
        list(picture),
    )
    cards = page.locator("article.progress")
    cards.nth(2).wait_for()
    page.get_by_text("In the queue").or_(page.get_by_text("Next in line")).first.wait_for()
    shoot(page, "several")
    # Loaded anew, the page still shows what is on its way; of three at least the last two.
    page.wait_for_selector("article[aria-label=three][data-state=working]")
    page.reload()
    last = page.locator("article[aria-label=three]")
    last.get_by_role("button", name="Cancel").click()
    page.wait_for_selector("article[aria-label=three][data-state=cancelled]")
    page.wait_for_selector("article[aria-label=two][data-state=done]")
    # Nothing opened by itself: there were several.
    assert page.url.endswith("/")
    page.locator("article[aria-label=two]").get_by_role("link", name="Open").click()
    wait_for_model(page)
    page.go_back()
    page.wait_for_selector("article[aria-label=two][data-state=done]")


def test_start_turns_an_example_and_knows_feet(visit: Visit) -> None:
    page = visit(locale="en-US", viewport={"width": 390, "height": 844})
    page.goto("/")
    turn = page.get_by_role("img", name="The same woman in 3D")
    front = pixels(page, ".turn")
    page.wait_for_timeout(500)
    assert changed(front, pixels(page, ".turn")) == 0  # motion is reduced
    page.get_by_label("Turn the model").fill("18")
    assert changed(front, pixels(page, ".turn")) > 0.1
    assert "18" in page.get_by_label("Turn the model").get_attribute("aria-valuetext")
    assert turn.is_visible()
    page.get_by_label("Feet", exact=True).fill("9")
    page.get_by_text("A height is between 1 ft 4 in and 8 ft 6 in").wait_for()
    page.get_by_role("button", name="Heights in centimetres").click()
    page.reload()
    assert page.get_by_role("spinbutton", name="Height of the largest person").is_visible()


def test_the_api_is_described(visit: Visit) -> None:
    page = visit()
    page.goto("/")
    page.get_by_role("link", name="API", exact=True).click()
    change = page.locator("details", has_text="/api/v1/reconstructions/{reconstruction_id}")
    change = change.filter(has_text="PATCH")
    change.locator("summary").click()
    assert "make it anew" in change.inner_text()
    assert "X-CSRF" not in change.inner_text()
    change.get_by_role("link", name="Reconstruction", exact=True).click()
    assert page.locator("#Reconstruction").get_attribute("open") is not None
    assert "left_out" in page.locator("#Reconstruction").inner_text()


def test_webcam(visit: Visit) -> None:
    page = visit(permissions=["camera"])
    page.goto("/")
    page.get_by_role("button", name="Use the camera").click()
    take = page.get_by_role("button", name="Take in 5 seconds")
    take.click()  # once the camera's picture is there
    page.wait_for_selector("article[aria-label=Webcam]")
    # The camera's test card shows nobody.
    page.wait_for_selector("article[data-state=failed]")


def test_account(visit: Visit, server_url: str, shoot: Shoot) -> None:
    page = visit()
    name = new_name()
    register(page, name)
    page.goto("/account")
    page.get_by_label("Name of a new token").fill("backup script")
    page.get_by_role("button", name="Make a token").click()
    token = page.get_by_label("New token", exact=True).input_value()
    shoot(page, "account", full=True)

    def ask() -> Any:
        headers = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"{server_url}/api/v1/reconstructions", headers=headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    assert ask()["total"] == 0
    page.get_by_role("button", name="Revoke backup script").click()
    page.get_by_role("button", name="Revoke backup script").wait_for(state="detached")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask()

    # A phone that was left somewhere.
    credentials = json.dumps({"name": name, "password": PASSWORD}).encode()
    phone = urllib.request.Request(
        f"{server_url}/api/v1/sessions",
        credentials,
        {
            "Content-Type": "application/json",
            "User-Agent": "Mozilla/5.0 (Linux; Android 16; Mobile) Firefox/140.0",
        },
    )
    with urllib.request.urlopen(phone) as answer:
        cookie = answer.headers["Set-Cookie"].partition(";")[0]

    def phone_is_logged_in() -> bool:
        session = urllib.request.Request(f"{server_url}/api/v1/session", headers={"Cookie": cookie})
        with urllib.request.urlopen(session) as answer:
            return json.load(answer)["account"] is not None

    assert phone_is_logged_in()
    page.reload()
    page.get_by_text("this browser, now").wait_for()
    end = page.get_by_role("button", name="End the session of Firefox on Android")
    end.click()
    end.wait_for(state="detached")
    assert not phone_is_logged_in()

    page.get_by_role("button", name="Make a token").wait_for()
    page.get_by_label("Name of a new token").fill("old laptop")
    page.get_by_role("button", name="Make a token").click()
    token = page.get_by_label("New token", exact=True).input_value()
    assert ask()["total"] == 0
    page.get_by_label("Current password").fill("not this one")
    page.get_by_label("New password", exact=True).fill("another long one")
    page.get_by_label("New password once more").fill("another long one")
    page.get_by_role("button", name="Change password").click()
    page.locator("form [role=alert]").wait_for()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("Also revoke all API tokens").check()
    page.get_by_role("button", name="Change password").click()
    page.wait_for_selector("text=The password is changed")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask()

    page.get_by_role("button", name="Delete my account").click()
    page.get_by_label("Your password").fill("another long one")
    page.get_by_role("button", name="Delete everything").click()
    page.wait_for_selector("text=are deleted")
    page.goto("/login")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password").fill("another long one")
    page.get_by_role("button", name="Log in").click()
    page.locator("[role=alert]").wait_for()
    page.complaints = [text for text in page.complaints if "40" not in text]


def test_gallery_without_account(visit: Visit, shoot: Shoot) -> None:
    page = visit()
    deadline = time.monotonic() + 90
    while page.request.get("/api/v1/samples").json()["preparing"]:
        assert time.monotonic() < deadline
        time.sleep(0.3)
    page.goto("/")
    page.locator(".tile img").nth(1).evaluate("image => image.decode()")
    shoot(page, "landing", full=True)
    page.get_by_role("link", name="Five people").click()
    wait_for_model(page)
    assert page.locator(".person").count() == 5
    shoot(page, "people")
    everyone = pixels(page)
    page.get_by_role("button", name="Person 2 in the photograph").click()
    settle(page)
    assert changed(everyone, pixels(page)) > 0.05
    assert page.locator(".person.selected").inner_text().startswith("Person 2")
    # A click on somebody in the scene chooses them.
    page.get_by_role("button", name="Everyone").click()
    page.locator(".stage").scroll_into_view_if_needed()
    settle(page)
    where = page.locator(".labels span").nth(0).bounding_box()
    page.mouse.click(where["x"] + where["width"] / 2, where["y"] + where["height"] + 60)
    page.wait_for_selector(".person.selected")
    assert page.locator(".person.selected").inner_text().startswith("Person 1")
    assert page.request.get("/api/v1/session").json()["account"] is None
