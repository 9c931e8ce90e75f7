"""``vitruvian photo`` as a user runs it: a process of its own, the whole pipeline, real files."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitruvian.options import Options
from vitruvian.result.report import report_schema

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "people.jpg"
PROGRAM = [
    sys.executable,
    "-c",
    "import sys; from vitruvian.commands.cli import main; sys.exit(main())",
]


def vitruvian(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=240
    )


@pytest.mark.slow
def test_example_picture_becomes_every_file(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    formats = ("--formats", "obj,glb,ply,stl")
    done = vitruvian("photo", str(EXAMPLE), "--json", "--progress", *formats, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    printed = json.loads(line)
    folder = tmp_path / printed.pop("directory")
    assert folder == tmp_path / "out" / "people"
    report = json.loads((folder / "report.json").read_text())
    assert report == printed
    jsonschema.validate(report, report_schema())
    assert len(report["people"]) >= 2
    told = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert {one["stage"] for one in told} == set(report["timings_s"])
    assert {one["image"] for one in told} == {str(EXAMPLE)}
    numbers = {one["person"] for one in told if one["stage"] == "surface"}
    assert numbers == {person["id"] for person in report["people"]}
    for name in ("scene.glb", "viewer.html", "preview.png", "report.json"):
        assert (folder / name).stat().st_size > 100, name
    for person in report["people"]:
        assert 0.5 < person["height_m"] < 2.3
        for file in person["files"].values():
            assert (folder / file).stat().st_size > 100, file
        home = folder / f"person-{person['id']}"
        suffixes = {path.suffix for path in home.iterdir()}
        assert {".obj", ".mtl", ".png", ".glb", ".ply", ".stl", ".json"} <= suffixes
        with Image.open(home / "alpha.png") as alpha, Image.open(EXAMPLE) as picture:
            assert alpha.size == picture.size
    hidden = [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    assert hidden == []


@pytest.mark.slow
def test_same_picture_gives_the_same_meshes(
    tmp_path: Path, shared_data: Callable[[str], Path]
) -> None:
    picture = shared_data("ccp") / "photos" / "0001.jpg"
    for run in ("one", "two"):
        options = ("--detail", "body", "--no-texture", "--threads", "1")
        done = vitruvian("photo", str(picture), "-o", run, *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    first, second = (tmp_path / run / "0001" / "person-1" / "mesh.obj" for run in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()


def test_picture_of_nobody(tmp_path: Path) -> None:
    y, x = np.mgrid[0:240, 0:320]
    sky = np.stack([90 + y // 4, 140 + y // 4, 230 - x // 20], axis=-1).astype(np.uint8)
    Image.fromarray(sky).save(tmp_path / "sky.png")
    done = vitruvian("photo", "sky.png", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out" / "sky" / "report.json").read_text())
    assert report["people"] == []
    assert report["warnings"] == ["Nobody was found in the picture."]


def test_bad_input_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "notes.jpg").write_text("Dear Anna")
    Image.new("RGB", (1, 1)).save(tmp_path / "dot.png")
    Image.effect_noise((200, 200), 80).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:4000])
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "dance.gif", save_all=True, append_images=frames[1:])
    huge = bytearray((tmp_path / "dot.png").read_bytes())
    huge[16:24] = (20000).to_bytes(4, "big") * 2
    huge[29:33] = zlib.crc32(bytes(huge[12:29])).to_bytes(4, "big")
    (tmp_path / "huge.png").write_bytes(huge)
    (tmp_path / "folder").mkdir()
    names = [
        "empty.jpg",
        "notes.jpg",
        "dot.png",
        "cut.jpg",
        "dance.gif",
        "huge.png",
        "folder",
        "missing.jpg",
    ]
    before = sorted(os.listdir(tmp_path))
    done = vitruvian("photo", *names, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "empty.jpg is empty; export or download it again.",
        "notes.jpg is not a picture in a format that can be read; give a JPEG, PNG, WebP or HEIC "
        "file.",
        "dot.png is 1 x 1 pixels; give a picture of at least 32 pixels on each side.",
        "cut.jpg is damaged or cut short; export or download it again.",
        "dance.gif is an animation; save the frame you want as JPEG or PNG.",
        "huge.png declares 400 megapixels, over the limit of 100; save a smaller copy.",
        "folder is a folder; give the pictures in it, for example folder/*.jpg.",
        "missing.jpg does not exist; check the path.",
    ]
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of a terminal")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_it_leaves_only_whole_results(tmp_path: Path, number: signal.Signals) -> None:
    images = []
    for i in range(60):
        shutil.copy(EXAMPLE, tmp_path / f"{i}.jpg")
        images.append(f"{i}.jpg")
    command = [*PROGRAM, "photo", *images, "--detail", "body", "--no-texture"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()  # the first is finished
        time.sleep(0.5)
        process.send_signal(number)
        process.stdout.read()
        last = process.stderr.read().splitlines()[-1]
    assert process.returncode == 130
    results = list((tmp_path / "out").iterdir())
    assert last == f"Stopped: {len(results)} of 60 pictures are finished and kept."
    assert 1 <= len(results) < 60
    for result in results:
        assert (result / "report.json").exists()


def test_an_interrupt_that_gets_lost_stops_after_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from vitruvian.commands import pictures

    begun = []

    def swallowing(image: str, *_: object) -> None:
        begun.append(image)
        with contextlib.suppress(KeyboardInterrupt):  # as a finaliser does
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(pictures, "_reconstruct_one", swallowing)
    jobs = [(f"{i}.jpg", tmp_path / str(i)) for i in range(3)]
    assert pictures.reconstruct_all(jobs, Options(), False, False) == 130
    assert begun == ["0.jpg"]
    assert "Stopped: 0 of 3 pictures" in capfd.readouterr().err
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
