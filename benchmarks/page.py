"""Time from choosing a picture in a browser to the turnable model on the screen.

Run from the repository's root, beside a server that does nothing else::

    vitruvian serve --port 8000
    python benchmarks/page.py --url http://127.0.0.1:8000 --count 10

Each round opens the start page with a warm cache, hands over the picture, and ends when the page of
the result has drawn the model (its photograph loaded, three frames after the scene was there). The
first round warms up and is not counted. Beside the total stands what the server spent on the
picture; the rest is sending, waiting, fetching 0.8 MB of scene, and drawing, which without a
graphics card is done by the processor too (SwiftShader).
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import time
from pathlib import Path
from typing import Any

FLAGS = ["--no-sandbox", "--enable-unsafe-swiftshader", "--use-angle=swiftshader"]
_SHOWN = """() => new Promise((resolve) => {
    const look = (left) => {
        const photo = document.querySelector(".pane img");
        const ready = document.querySelector("section.stage[data-ready]") && photo?.complete;
        if (ready && left === 0) resolve();
        else requestAnimationFrame(() => look(ready ? left - 1 : 3));
    };
    look(3);
})"""


def measure(page: Any, picture: Path) -> tuple[float, float]:
    """Seconds in all, and of these the server's, for one picture."""
    page.goto("/")
    page.wait_for_selector("input[type=file]", state="attached")
    page.wait_for_load_state("networkidle")
    start = time.perf_counter()
    page.set_input_files("input[type=file]", picture)
    page.wait_for_url("**/r/*", timeout=120_000)
    page.evaluate(_SHOWN)
    total = time.perf_counter() - start
    result = page.url.rsplit("/", 1)[1]
    return total, page.request.get(f"/api/v1/reconstructions/{result}").json()["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--picture", type=Path, default=Path("examples/person.jpg"))
    parser.add_argument("--count", type=int, default=10)
    options = parser.parse_args()

    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    executable = next(filter(None, map(shutil.which, names)), None)
    before = os.getloadavg()[0]
    with sync_playwright() as session:
        browser = session.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_context(
            base_url=options.url, viewport={"width": 1200, "height": 800}
        ).new_page()
        rounds = [measure(page, options.picture) for _ in range(options.count + 1)][1:]
        browser.close()
    totals, server = (sorted(column) for column in zip(*rounds, strict=True))
    print(f"{platform.machine()}, {os.cpu_count()} processors; load average {before:.1f} before")
    print("| | median, s | least | most |\n| --- | --- | --- | --- |")
    for name, values in (("photo to model on the screen", totals), ("of it the server", server)):
        print(f"| {name} | {statistics.median(values):.2f} | {values[0]:.2f} | {values[-1]:.2f} |")


if __name__ == "__main__":
    main()
