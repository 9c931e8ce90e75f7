"""A real server with the built page, and a browser before it.

``VITRUVIAN_SCREENSHOTS=docs/images`` renews the pictures of the screens in docs/web.md.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "src/vitruvian/server/page"
SERVER_MODULES = ("fastapi", "uvicorn", "sqlalchemy", "alembic", "argon2")


@pytest.fixture(scope="session")
def page_folder() -> Path:
    """The built page."""
    if not (PAGE / "index.html").is_file():
        pytest.skip("the page is not built: make page")
    return PAGE


@pytest.fixture(scope="session")
def server_url(page_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with one warm worker."""
    from web_tools import ServerAtWork

    missing = [name for name in SERVER_MODULES if find_spec(name) is None]
    if missing:
        pytest.skip(f"needs the extra server ({', '.join(missing)} not installed)")
    server = ServerAtWork(tmp_path_factory.mktemp("page-server"))
    try:
        server.wait_until_ready()
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def visit(browser: Any, server_url: str) -> Iterator[Callable[..., Any]]:
    """A function that opens a fresh browser context and returns its page.

    Keywords go to the context. Motion is reduced unless ``reduced_motion`` says otherwise: that
    saves the time of the camera's glides. The page collects complaints of the console (a broken
    content security policy among them) and requests to other hosts in ``page.complaints``;
    whatever a test leaves there fails it.
    """
    contexts, pages = [], []

    def open_page(**options: Any) -> Any:
        options = {
            "viewport": {"width": 1200, "height": 800},
            "base_url": server_url,
            "locale": "en-GB",
            "reduced_motion": "reduce",
        } | options
        context = browser.new_context(**options)
        context.set_default_timeout(60_000)  # for busy machines
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: note_message(page, message))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: note_request(page, request.url))
        contexts.append(context)
        pages.append(page)
        return page

    def note_message(page: Any, message: Any) -> None:
        if message.type in ("warning", "error") and "GPU stall" not in message.text:
            page.complaints.append(message.text)

    def note_request(page: Any, url: str) -> None:
        if not url.startswith((server_url, "blob:", "data:")):
            page.complaints.append(f"asked for {url}")

    yield open_page
    left = [complaint for page in pages for complaint in page.complaints]
    for context in contexts:
        context.close()
    assert left == []


@pytest.fixture(scope="session")
def member(browser: Any, server_url: str) -> Any:
    """An account with one finished result of ``examples/person.jpg``, made without the page."""
    from web_tools import make_member

    return make_member(browser, server_url)


@pytest.fixture
def shoot(tmp_path: Path) -> Callable[..., None]:
    """A function that keeps a picture of the screen under a name, when docs/web.md shows it."""
    folder = Path(os.environ.get("VITRUVIAN_SCREENSHOTS") or tmp_path)
    shown = (ROOT / "docs/web.md").read_text(encoding="utf-8")

    def take(page: Any, name: str, *, full: bool = False) -> None:
        file = f"web-{name}.jpg"
        if folder == tmp_path or f"images/{file}" in shown:
            page.screenshot(path=folder / file, type="jpeg", quality=80, full_page=full)

    return take


@pytest.fixture(scope="session")
def node() -> Callable[..., str]:
    """A function that runs one of the page's npm scripts and returns what it printed."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs node and npm")
    if not (ROOT / "web/node_modules").is_dir():
        pytest.skip("the page's packages are not installed: make page")

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [npm, *arguments],
            cwd=ROOT / "web",
            env=os.environ | {"NO_COLOR": "1"},
            capture_output=True,
            text=True,
            timeout=280,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
        return done.stdout

    return run
