"""What the tests of the page share: a server of their own, accounts, pixels."""

from __future__ import annotations

import io
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PASSWORD = "correct horse battery"
# Three frames: one to react, one to draw, one to be shown.
_FRAMES = """() => new Promise((resolve) => {
    const wait = (left) => requestAnimationFrame(() => (left ? wait(left - 1) : resolve()));
    wait(3);
})"""


class ServerAtWork:
    """``vitruvian serve`` with a folder of its own, one worker and the gallery."""

    def __init__(self, folder: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VITRUVIAN_SERVER_")}
        for name, value in {
            "data": folder / "data",
            "port": 0,
            "workers": 1,
            "register_per_hour": 1000,
            "upload_per_minute": 1000,
            "login_per_minute": 100,
            "log_level": "warning",
        }.items():
            environment[f"VITRUVIAN_SERVER_{name.upper()}"] = str(value)
        self._log = folder / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "from vitruvian.commands.cli import main; raise SystemExit(main(['serve']))",
                ],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        found = re.search(r"http://\S+", self._process.stdout.readline())
        assert found, f"the server did not start: {self._log.read_text()[-2000:]}"
        self.url = found.group()

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Until a worker is warm."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=10):
                    return
            except urllib.error.HTTPError:
                pass  # 503: not yet
            assert time.monotonic() < deadline, self._log.read_text()[-2000:]
            time.sleep(0.1)

    def stop(self) -> None:
        """End it, and its worker with it."""
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            pytest.fail(f"the server did not stop: {self._log.read_text()[-2000:]}")


@dataclass
class Member:
    """An account, the state of a browser that is logged in, and the address of a result."""

    name: str
    state: Any
    result: dict[str, Any]

    @property
    def path(self) -> str:
        """Where the page shows the result."""
        return f"/r/{self.result['id']}"


def new_name() -> str:
    """A name that nobody has yet."""
    return f"{secrets.token_hex(5)}@example.org"


def make_member(browser: Any, url: str) -> Member:
    """Register over the API and reconstruct one picture."""
    context = browser.new_context(base_url=url)
    name = new_name()
    credentials = {"name": name, "password": PASSWORD}
    assert context.request.post("/api/v1/accounts", data=credentials).status == 202
    session = context.request.post("/api/v1/sessions", data=credentials).json()
    picture = (EXAMPLES / "person.jpg").read_bytes()
    made = context.request.post(
        "/api/v1/reconstructions",
        headers={"X-CSRF-Token": session["csrf_token"], "Prefer": "respond-async"},
        multipart={
            "name": "Anna",
            "image": {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": picture},
        },
    )
    assert made.status == 202, made.text()
    job = made.json()
    deadline = time.monotonic() + 120
    while job["reconstruction_id"] is None:
        assert job["problem"] is None, job["problem"]
        assert time.monotonic() < deadline, "the member's picture takes too long"
        time.sleep(0.1)
        job = context.request.get(job["links"]["self"]).json()
    result = context.request.get(job["links"]["reconstruction"]).json()
    member = Member(name, context.storage_state(), result)
    context.close()
    return member


def register(page: Any, name: str) -> None:
    """Register through the page, and arrive at the start logged in."""
    page.goto("/register")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password once more").fill(PASSWORD)
    page.get_by_role("button", name="Register").click()
    page.get_by_role("button", name="Log out").wait_for()


def wait_for_model(page: Any) -> None:
    """Until the 3D view shows the people and stands still."""
    page.wait_for_selector("section.stage[data-ready]")
    settle(page)


def settle(page: Any) -> None:
    """Until the camera and the labels have arrived, which on a busy machine takes a few frames."""
    page.evaluate(_FRAMES)
    before = pixels(page)
    for _ in range(60):
        page.wait_for_timeout(100)
        after = pixels(page)
        if changed(before, after) < 0.0005:
            return
        before = after
    pytest.fail("the view does not come to rest")


def pixels(page: Any, selector: str = ".stage .view") -> np.ndarray:
    """What an element looks like, (H, W, 3) int."""
    shot = page.locator(selector).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def changed(before: np.ndarray, after: np.ndarray) -> float:
    """Fraction of pixels that differ visibly."""
    return float((np.abs(before - after).max(-1) > 20).mean())


def overlay_mask(page: Any) -> np.ndarray:
    """Where the model covers the photograph, (H, W) bool, in the overlay's own pixels."""
    flat = page.evaluate(
        """() => {
            const canvas = document.querySelector(".pane canvas");
            const { width, height } = canvas;
            const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
            const alpha = [];
            for (let i = 3; i < data.length; i += 4) alpha.push(data[i] > 127 ? 1 : 0);
            return { width, height, alpha };
        }"""
    )
    return np.array(flat["alpha"], bool).reshape(flat["height"], flat["width"])
