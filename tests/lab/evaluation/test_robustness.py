"""The suite of broken files and of every picture."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.lab.evaluation.documents import DOCUMENTS, broken_document
from vitruvian.lab.evaluation.mutations import _structure, mutated
from vitruvian.lab.evaluation.odd_requests import (
    Known,
    OddRequest,
    Operation,
    odd_request,
    operations,
)
from vitruvian.lab.evaluation.runner import run_cases
from vitruvian.lab.evaluation.suites import api_probe, fuzz_probe, robustness
from vitruvian.lab.evaluation.suites.robustness import RobustnessCase, RobustnessSuite, is_closed
from vitruvian.types.mesh import Mesh

PROBLEM_TYPE = "application/problem+json"
PROBLEM = (
    b'{"type": "/problems/validation", "title": "No", "status": 422, "code": "validation", '
    b'"detail": "The height is no number.", "errors": []}'
)


@pytest.mark.parametrize("kind", fuzz_probe.PICTURES)
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


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_documents_are_broken_by_what_they_say(kind: str) -> None:
    copies = [broken_document(kind, np.random.default_rng(seed)) for seed in range(40)]
    again = [broken_document(kind, np.random.default_rng(seed)) for seed in range(40)]
    assert copies == again
    assert len(set(copies)) >= 30
    answers = [fuzz_probe.answer(kind, copy) for copy in copies]
    assert set(answers) <= {"result", "sentence"}
    assert "result" in answers  # so readers get to their end


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
    suite = RobustnessSuite(tmp_path, blocks=2, request_blocks=1)
    names = [case.name for case in suite.cases()]
    odd = ["requests 0"] if find_spec("fastapi") else []
    assert sorted(names) == ["a.png", "broken 0", "broken 50", *odd, "sub/b.png"]
    assert {case.picture is None for case in suite.cases()[:2]} == {True, False}
    assert len(run_cases(suite, suite.cases(), minutes=-1.0)) == 0


def test_odd_requests_are_accepted_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fastapi", reason="needs the extra server")
    monkeypatch.setattr(robustness, "REQUESTS_AT_ONCE", 60)
    case = RobustnessCase("requests", first=9000, requests=True)
    numbers = RobustnessSuite(Path()).run(case).numbers
    assert numbers["answered"] == 1
    assert 50 < numbers["server_mb"] < 1000


OFFERED = [
    Operation("GET", "/things/{thing_id}", queries=("limit",)),
    Operation("POST", "/things", fields=("name", "height")),
    Operation("POST", "/pictures", fields=("image", "fov"), form=True, files=("image",)),
]
KNOWN = Known("127.0.0.1:8000", {"Cookie": "vitruvian=abc"}, {"thing_id": "t7"})


def test_odd_requests_are_mostly_right_and_the_same_for_the_same_number() -> None:
    made = [odd_request(n, OFFERED, KNOWN, lambda _: b"\xff\xd8file") for n in range(400)]
    again = [odd_request(n, OFFERED, KNOWN, lambda _: b"\xff\xd8file") for n in range(400)]
    assert made == again
    assert {one.label for one in made} == {f"{o.method} {o.path}" for o in OFFERED}
    assert sum(one.framed for one in made) > 300
    assert not all(one.framed for one in made)
    heads = [one.data.partition(b"\r\n\r\n")[0] for one in made if one.framed]
    for head in heads:
        line, _, rest = head.partition(b"\r\n")
        assert line.endswith(b" HTTP/1.1")
        assert len(line.split(b" ")) == 3
        assert b"\nHost: " in b"\n" + rest
    assert sum(b"/things/t7" in head for head in heads) > 50
    assert sum(b"\xff\xd8file" in one.data for one in made) > 100


@pytest.mark.parametrize(
    ("status", "kind", "body", "said"),
    [
        (204, "", b"", "accepted"),
        (422, PROBLEM_TYPE, PROBLEM, "refused"),
        (400, "text/plain", b"Invalid HTTP request received.", "refused"),
        (500, PROBLEM_TYPE, PROBLEM, "500: "),
        (422, "application/json", PROBLEM, "another shape"),
        (404, PROBLEM_TYPE, PROBLEM, "another shape"),
        (422, PROBLEM_TYPE, b"[]", "another shape"),
        (404, "text/html", b"<h1>Not found</h1>", "another shape"),
        (0, "", b"", "silence"),
    ],
)
def test_answers_are_judged(status: int, kind: str, body: bytes, said: str) -> None:
    request = OddRequest(b"", "GET /things", "GET", True, False)
    assert api_probe.verdict(request, api_probe.Reply(status, kind, body)).startswith(said)
    if status == 0:
        assert (
            api_probe.verdict(replace(request, framed=False), api_probe.Reply(0, "", b"")) == "left"
        )


def test_an_api_is_described_by_its_operations() -> None:
    picture = {"type": "string", "contentMediaType": "application/octet-stream"}
    form = {"multipart/form-data": {"schema": {"properties": {"image": picture, "fov": {}}}}}
    named = {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
    described = {
        "paths": {
            "/things/{thing_id}": {"get": {"parameters": [
                {"name": "thing_id", "in": "path"}, {"name": "limit", "in": "query"}
            ]}},
            "/things": {"post": {"requestBody": {"content": named}}},
            "/pictures": {"post": {"requestBody": {"content": form}}},
        },
        "components": {"schemas": {"Thing": {"properties": {"name": {}, "height": {}}}}},
    }  # fmt: skip
    assert operations(described) == OFFERED


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
