"""The suite of broken files and of every picture."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.lab.evaluation.mutations import _structure, mutated
from vitruvian.lab.evaluation.runner import run_cases
from vitruvian.lab.evaluation.suites import fuzz_probe, robustness
from vitruvian.lab.evaluation.suites.robustness import RobustnessCase, RobustnessSuite, is_closed
from vitruvian.types.mesh import Mesh


@pytest.mark.parametrize("kind", fuzz_probe.FORMATS)
def test_files_come_apart_and_together_again(kind: str) -> None:
    data = fuzz_probe.sound_file(kind)
    if data is None:
        pytest.skip(f"{kind} cannot be written here")
    assert fuzz_probe.answer(kind, data) == "result"
    split, join = _structure(data)
    assert join(split(data), True) == data
    assert len(split(data)) >= 4
    copies = [mutated(data, np.random.default_rng(seed)) for seed in range(20)]
    assert copies == [mutated(data, np.random.default_rng(seed)) for seed in range(20)]
    assert sum(copy != data for copy in copies) >= 15
    for copy in copies:
        assert fuzz_probe.answer(kind, copy) in ("result", "sentence")


def test_what_is_no_sentence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: str, data: bytes) -> None:
        raise InputError("Oh no")

    monkeypatch.setattr(fuzz_probe, "_read", refuse)
    assert fuzz_probe.answer("png", b"") == "bad sentence: Oh no"


def test_broken_files_are_read_in_another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(robustness, "FILES_AT_ONCE", 12)
    suite = RobustnessSuite(Path())
    outcome = suite.run(RobustnessCase("broken", first=3000))
    assert outcome.numbers["answered"] == 1
    assert outcome.numbers["results"] < 1
    monkeypatch.setattr(robustness.sys, "executable", "false")
    with pytest.raises(RuntimeError, match="ends its process"):
        suite.run(RobustnessCase("broken"))


def test_pictures_and_blocks_in_turn_until_the_time_is_over(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "labels").mkdir()
    for name in ("a.png", "sub/b.png", "labels/a.png"):
        Image.new("RGB", (40, 40)).save(tmp_path / name)
    suite = RobustnessSuite(tmp_path, blocks=2)
    names = [case.name for case in suite.cases()]
    assert sorted(names) == ["a.png", "broken 0", "broken 50", "sub/b.png"]
    assert {case.picture is None for case in suite.cases()[:2]} == {True, False}
    assert len(run_cases(suite, suite.cases(), minutes=-1.0)) == 0


def test_closed_surfaces_and_sound_files(tmp_path: Path) -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]], np.float32)
    faces = np.array([[0, 2, 1], [4, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)  # a seam at 0 and 4
    mesh = Mesh(corners, faces)
    assert is_closed(mesh)
    assert not is_closed(replace(mesh, faces=faces[:3]))
    assert not is_closed(replace(mesh, faces=np.concatenate([faces[:3], faces[3:, ::-1]])))
    for name, data in (("a.json", b"{"), ("a.glb", b"glTF" + bytes(20)), ("a.obj", b"")):
        (tmp_path / name).write_bytes(data)
        assert name in (robustness.unsound(tmp_path / name) or "")
    (tmp_path / "good.json").write_text("{}")
    assert robustness.unsound(tmp_path / "good.json") is None
