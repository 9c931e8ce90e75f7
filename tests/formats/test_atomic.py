from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes, write_json


def test_makes_folders_and_leaves_no_temporary(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "a" / "b" / "c.bin", b"123")
    assert path.read_bytes() == b"123"
    assert [p.name for p in path.parent.iterdir()] == ["c.bin"]


def test_follows_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        path = write_bytes(tmp_path / "a", b"")
    finally:
        os.umask(old)
    assert path.stat().st_mode & 0o777 == 0o644


def test_failure_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_bytes(tmp_path / "a", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vitruvian.formats.atomic.os.replace", full)
    with pytest.raises(InputError, match=r"no space left on device"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_destination_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^Cannot write "):
        write_bytes(tmp_path, b"")


def test_json_is_standard_and_plain(tmp_path: Path) -> None:
    value = {
        "a": np.float32(0.1),
        "b": np.arange(3),
        "c": np.array([[1.5, 2.5]]),
        "d": np.bool_(True),
        "e": Path("x/y"),
        "f": "Ünïcode",
    }
    path = write_json(tmp_path / "a.json", value)
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "a": 0.1, "b": [0, 1, 2], "c": [[1.5, 2.5]], "d": True, "e": "x/y", "f": "Ünïcode",
    }  # fmt: skip
    assert "Ünïcode" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("bad", [float("nan"), np.float32("inf"), np.array([1.0, np.nan])])
def test_json_refuses_what_json_lacks(tmp_path: Path, bad: object) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "a.json", {"x": bad})
    assert list(tmp_path.iterdir()) == []
