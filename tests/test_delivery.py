"""What is delivered beside the code: the container file, the bill of materials, the changes."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vitruvian._version import __version__
from vitruvian.networks import weights_manifest

ROOT = Path(__file__).resolve().parents[1]


def instructions() -> list[tuple[str, str]]:
    """Names and arguments of the container file's instructions."""
    text = (ROOT / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in joined.splitlines())]


def test_container_file_keeps_the_rules() -> None:
    found = instructions()
    for name, rest in found:
        assert name.isupper(), name
        if name == "FROM":  # nothing floats, nothing is larger than it has to be
            assert re.fullmatch(r"[a-z]+:\d+(\.\d+)?-[a-z-]*slim[a-z-]*( AS [a-z]+)?", rest), rest
        assert name != "ADD", "COPY says what comes in"
        assert not re.search(r"SECRET|PASSWORD|TOKEN", rest), "no secret is in an image"
        assert not re.search(r"\bsudo\b|curl[^|]*\|\s*(ba)?sh|chmod 777", rest), rest
        if "pip install" in rest:
            assert "--no-cache-dir" in rest
    last = found[max(i for i, (name, _) in enumerate(found) if name == "FROM") :]
    by_name = {name: rest for name, rest in last}
    assert int(by_name["USER"]) > 0
    names = [name for name, _ in last]
    ran_as_user = [rest for name, rest in last[names.index("USER") :] if name == "RUN"]
    assert any("vitruvian warm-up" in rest for rest in ran_as_user)
    assert "/healthz" in by_name["HEALTHCHECK"]
    for exec_form in ("ENTRYPOINT", "CMD"):  # so that signals arrive
        assert by_name[exec_form].startswith('["')
    for name, rest in found:  # what is copied is there, and not ignored
        if name == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source.split('/')[0]}" in (ROOT / ".dockerignore").read_text()


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    pytest.importorskip("packaging")
    path = tmp_path_factory.mktemp("bill") / "sbom.json"
    command = [sys.executable, str(ROOT / "scripts" / "sbom.py"), "-o", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def test_bill_of_materials(bill: dict[str, Any]) -> None:
    names = {one["name"]: one for one in bill["components"]}
    assert {"numpy", "onnxruntime", "numba", *weights_manifest()} <= set(names)
    assert "torch" not in names
    assert "pytest" not in names
    for one in bill["components"]:
        assert one.get("licenses"), one["name"]
    references = {one["bom-ref"] for one in bill["components"]}
    references.add(bill["metadata"]["component"]["bom-ref"])
    assert len(references) == len(bill["components"]) + 1
    for one in bill["dependencies"]:
        assert {one["ref"], *one["dependsOn"]} <= references


def test_bill_meets_its_schema(bill: dict[str, Any]) -> None:
    validation = pytest.importorskip("cyclonedx.validation.json")
    schema = pytest.importorskip("cyclonedx.schema")
    pytest.importorskip("referencing", reason="needs cyclonedx-python-lib[json-validation]")
    validator = validation.JsonStrictValidator(schema.SchemaVersion.V1_6)
    assert validator.validate_str(json.dumps(bill)) is None


def test_changes_and_citation_are_of_this_version() -> None:
    yaml = pytest.importorskip("yaml")
    newest = re.search(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == __version__
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == __version__
    assert {"cff-version", "message", "title", "authors", "license"} <= set(citation)
