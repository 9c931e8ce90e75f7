import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from vitruvian.commands import diagnosis as doctor
from vitruvian.commands.cli import main
from vitruvian.commands.diagnosis import Check
from vitruvian.errors import WeightsError
from vitruvian.networks import session


def by_name() -> dict[str, Check]:
    return {check.name: check for check in doctor.diagnose()}


def run_apart(*words: str) -> str:
    """What a command prints in a process of its own; this one holds kernels of other tests."""
    command = [sys.executable, "-m", "vitruvian", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_sound_installation(capsys: Any) -> None:
    assert main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "FAILED" not in out
    assert out.endswith("Everything that is needed is here.\n")
    for word in ("python", "onnxruntime", "providers", "weights", "body model", "extra heic"):
        assert word in out


def test_json_is_one_array(capsys: Any) -> None:
    assert main(["doctor", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)
    assert {"name", "state", "detail", "remedy"} == set(checks[0])
    assert [c["name"] for c in checks] == [c.name for c in doctor.diagnose()]


def test_every_declared_dependency_is_checked() -> None:
    names = doctor.runtime_packages()
    assert {"numpy", "onnxruntime", "pillow", "typer"} <= set(names)
    assert not {"torch", "pytest", "pillow-heif"} & set(names)
    found = by_name()
    for name in names:
        assert found[name] == Check(name, "ok", metadata.version(name))


def test_damaged_weights_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """One flipped bit in a copy of the real files."""
    for path in session.weights_directory().iterdir():
        if path.suffix in (".onnx", ".json"):
            (tmp_path / path.name).write_bytes(path.read_bytes())
    victim = tmp_path / "nanodet.onnx"
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    monkeypatch.setattr(session, "weights_directory", lambda: tmp_path)
    assert by_name()["weights"].state == "ok"
    victim.write_bytes(data)
    check = by_name()["weights"]
    assert check.state == "failed"
    assert "nanodet.onnx do not match their checksum" in check.detail
    assert main(["doctor"]) == 1
    captured = capsys.readouterr()
    assert "FAILED  weights" in captured.out
    assert captured.err == "To repair: weights.\n"


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Check:
        raise OSError("libcuda.so:\n wrong ELF class")

    assert doctor._guarded("providers", broken) == Check(
        "providers",
        "failed",
        "OSError: libcuda.so: wrong ELF class",
        "pip install --force-reinstall vitruvian",
    )

    def sentence() -> Check:
        raise WeightsError("The weights x are missing: reinstall vitruvian.")

    assert doctor._guarded("weights", sentence).detail == (
        "The weights x are missing: reinstall vitruvian."
    )


def test_absent_extra_is_no_failure() -> None:
    check = doctor.check_extra("heic", ("no_such_module_anywhere",))
    assert (check.state, check.remedy) == ("absent", "optional: pip install 'vitruvian[heic]'")


def test_absent_package_and_old_python_are_failures() -> None:
    assert doctor.check_package("no-such-package-anywhere").state == "failed"
    assert doctor.check_python((3, 10, 4)).state == "failed"
    assert doctor.check_python((3, 11, 0)).state == "ok"


def test_warm_up_compiles_what_is_not_there_and_says_where_it_is() -> None:
    first = run_apart("warm-up")
    assert re.fullmatch(r"\d+ of \d\d loops compiled in \d+\.\d s, kept in /.+\.\n", first)
    assert run_apart("warm-up").startswith("0 of ")
    (check,) = (one for one in json.loads(run_apart("doctor", "--json")) if "code" in one["name"])
    count = first.split()[2]
    assert check["detail"].startswith(f"{count} of {count} loops, kept in ")
    assert check["state"] == "ok"
