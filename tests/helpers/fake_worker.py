"""Speaks the workers' protocol without reconstructing: for tests of the queue alone.

What it does with a picture stands at the picture's end, after ``#``: ``sleep=2``, ``crash``,
``hang`` (ignores cancelling), ``fail``, ``lines`` (appends to the file named by the variable
VITRUVIAN_TEST_RUNS), separated by ``,``. What it does with a result's own photograph, which is
not the test's to write, goes by the height that is told.
"""

import json
import os
import queue
import sys
import threading
import time
from pathlib import Path

BY_HEIGHT = {61: "fail", 62: "sleep=1.5"}

STAGES = ("decode", "people", "body")

orders: queue.Queue = queue.Queue()
unwanted: set = set()


def listen() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "job":
            orders.put(order)
        else:
            unwanted.add(order["id"])
    os._exit(0)


def say(**answer: object) -> None:
    print(json.dumps(answer), flush=True)


def report() -> dict:
    person = {
        "id": 1,
        "box": [1.0, 2.0, 30.0, 40.0],
        "score": 0.9,
        "complete": True,
        "height_m": 1.7,
        "checks": {"silhouette_iou": None, "keypoint_error": 0.01, "image_similarity": None},
        "warnings": [],
        "files": {},
    }
    return {
        "version": 1,
        "image": {"path": None, "width": 64, "height": 48},
        "camera": {"focal_px": 90.0, "source": "assumed"},
        "timings_s": {"decode": 0.01},
        "people": [person],
        "warnings": [],
    }


def finish_video(job: str, folder: Path, order: dict) -> None:
    names = ("viewer.html", "people.glb", "preview.webm", "motion.npz", "thumbnail.jpg")
    files = {}
    for name in (*names, "person-1/motion.bvh", "person-1/joints.csv"):
        (folder / name).write_bytes(f"{job} {name}".encode())
        files[name] = (folder / name).stat().st_size
    person = {"id": 1, "height_m": 1.7, "height_sd_m": 0.05, "first_frame": 0, "last_frame": 6}
    person |= {"frames": 7, "frames_filled_in": 0, "warnings": [], "files": {}}
    person["checks"] = {"silhouette_iou": 0.9, "worst_frame": 3, "foot_slide_mm": None}
    clip = {"path": order["options"]["name"], "width": 64, "height": 48, "fps": 20.0, "every": 3}
    clip |= {"frames": 7, "seconds": 0.9}
    told = {"clip": clip, "people": [person], "warnings": [], "timings_s": {"people": 0.1}}
    say(**{"is": "done", "id": job, "details": {"report": told, "files": files}, "files": files})


def run(order: dict) -> None:
    job = order["id"]
    tail = Path(order["picture"]).read_bytes().rpartition(b"#")[2].decode("ascii", "ignore")
    if order.get("camera"):
        tail = BY_HEIGHT.get(order["options"].get("height_cm"), "")
    wanted = dict((part.split("=") + [""])[:2] for part in tail.split(","))
    runs = os.environ.get("VITRUVIAN_TEST_RUNS")
    if runs:
        with open(runs, "a") as file:
            file.write(f"{job}\n")
    video = order["kind"] == "video"
    for step, stage in enumerate(("people", "motion", "files") if video else STAGES):
        told = {"share": 0.1 + 0.2 * step} if video else {"person": 0, "people": 0}
        say(**{"is": "stage", "id": job, "stage": stage, **told})
        deadline = time.monotonic() + float(wanted.get("sleep", 0)) / 3
        while time.monotonic() < deadline or "hang" in wanted:
            if job in unwanted and "hang" not in wanted:
                say(**{"is": "cancelled", "id": job})
                return
            time.sleep(0.02)
    if "crash" in wanted:
        os._exit(9)
    if "fail" in wanted:
        problem = {
            "type": "/problems/nobody-found",
            "title": "Nobody was found",
            "status": 422,
            "code": "nobody-found",
            "detail": "Nobody.",
            "errors": [],
        }
        say(**{"is": "failed", "id": job, "problem": problem})
        return
    folder = Path(order["folder"])
    if order["kind"] == "measures":
        told = {"subject": order["options"]["told"], "measures": {}, "sizes": [], "warnings": []}
        (folder / "measures.json").write_text(json.dumps(told))
        files = {"measures.json": (folder / "measures.json").stat().st_size}
        details = {"report": told, "files": files}
        say(**{"is": "done", "id": job, "details": details, "files": files})
        return
    (folder / "person-1").mkdir()
    if video:
        finish_video(job, folder, order)
        return
    files = {}
    for name in ("photo.jpg", "thumbnail.jpg", "scene.glb", "viewer.html", "person-1/mesh.obj"):
        (folder / name).write_bytes(f"{job} {name}".encode())
        files[name] = (folder / name).stat().st_size
    identity = [[float(i == j) for i in range(4)] for j in range(4)]
    details = {"report": report(), "world_from_camera": identity, "files": files}
    say(**{"is": "done", "id": job, "details": details, "files": files})


threading.Thread(target=listen, daemon=True).start()
say(**{"is": "ready"})
while True:
    run(orders.get())
