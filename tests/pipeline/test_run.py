"""The driver of one job: what becomes of a picture, without an exception."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import CrashError, WeightsError
from vitruvian.options import Options
from vitruvian.pipeline import run as driver
from vitruvian.pipeline.progress import Cancelled
from vitruvian.pipeline.run import Job, run

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "person.jpg"
QUICK = Options(detail="body", texture=False, check=False, formats=("stl",))


def nobody(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((60, 80, 3), 120, np.uint8)).save(path)
    return path


def test_done(tmp_path: Path) -> None:
    stages: list[tuple[str, int, int]] = []
    job = Job(EXAMPLE, tmp_path / "one", QUICK, also=lambda scene, folder: (len(scene.people),))
    outcome = run(job, lambda *stage: stages.append(stage))
    assert (outcome.state, outcome.error, outcome.replaced) == ("done", None, None)
    assert outcome.extra == (1,)
    assert outcome.report is not None
    assert outcome.report["people"][0]["files"]["mesh_stl"] == "person-1/mesh.stl"
    assert (tmp_path / "one" / "person-1" / "mesh.stl").is_file()
    assert not (tmp_path / "one" / "person-1" / "mesh.obj").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert [stage for stage, *_ in stages] == [
        "decode", "people", "body", "scene", "surface", "checks", "avatar", "files",
    ]  # fmt: skip
    assert stages[-1] == ("files", 0, 1)
    assert outcome.seconds >= sum(outcome.report["timings_s"].values()) * 0.9


def test_a_folder_that_is_there_is_filled(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    picture = nobody(tmp_path / "wall.png")
    outcome = run(Job(picture.read_bytes(), tmp_path / "here", QUICK, replace=False))
    assert outcome.state == "done"
    assert outcome.report is not None
    assert outcome.report["image"]["path"] is None
    assert (tmp_path / "here" / "report.json").is_file()


def test_nobody_may_be_a_failure(tmp_path: Path) -> None:
    picture = nobody(tmp_path / "wall.png")
    outcome = run(Job(picture, tmp_path / "out", QUICK, nobody_is_failure=True))
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error.code == "nobody-found"
    assert not (tmp_path / "out").exists()


def test_a_bad_picture(tmp_path: Path) -> None:
    outcome = run(Job(tmp_path / "gone.jpg", tmp_path / "out", QUICK))
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert outcome.error.code == "missing-file"
    assert outcome.error.exit_code == 2
    assert str(outcome.error).endswith("gone.jpg does not exist; check the path.")


def test_cancelled(tmp_path: Path) -> None:
    def stop(stage: str, _person: int, _people: int) -> None:
        if stage == "files":
            raise Cancelled

    outcome = run(Job(nobody(tmp_path / "wall.png"), tmp_path / "out", QUICK), stop)
    assert (outcome.state, outcome.error, outcome.report) == ("cancelled", None, None)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("failure", "code", "sentence"),
    [
        (MemoryError(), "too-large", "wall.png does not fit in memory; save a smaller copy."),
        (
            KeyError("odd\nthing"),
            "crashed",
            "wall.png failed unexpectedly (KeyError: 'odd\\nthing'): set VITRUVIAN_DEBUG=1 and "
            "report what it then prints.",
        ),
        (WeightsError("Reinstall."), "bad-weights", "Reinstall."),
    ],
)
def test_what_goes_wrong_on_the_way(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    failure: Exception,
    code: str,
    sentence: str,
) -> None:
    def fail(*_: Any) -> None:
        raise failure

    monkeypatch.setattr(driver, "reconstruct_photo", fail)
    outcome = run(Job("wall.png", tmp_path / "out"))
    assert outcome.state == "failed"
    assert outcome.error is not None
    assert (outcome.error.code, str(outcome.error)) == (code, sentence)
    if isinstance(outcome.error, CrashError):
        assert outcome.error.__cause__ is failure


def test_what_was_replaced_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    nobody(Path("day1/a.png"))
    nobody(Path("day2/a.png"))
    assert run(Job("day1/a.png", Path("out/a"), QUICK)).replaced is None
    assert run(Job("./day1/../day1/a.png", Path("out/a"), QUICK)).replaced is None
    assert run(Job(str(tmp_path / "day1/a.png"), Path("out/a"), QUICK)).replaced is None
    assert run(Job("day2/a.png", Path("out/a"), QUICK)).replaced == str(tmp_path / "day1/a.png")
