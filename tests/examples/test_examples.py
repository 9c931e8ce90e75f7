"""The notebook runs from top to bottom, and the Gradio example does what it says."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import vitruvian

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def cells() -> list[str]:
    notebook = json.loads((EXAMPLES / "photograph.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    assert all(not cell.get("outputs") for cell in notebook["cells"])  # pictures bloat it
    return ["".join(one["source"]) for one in notebook["cells"] if one["cell_type"] == "code"]


def test_the_notebook_runs(
    cells: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copy(EXAMPLES / "person.jpg", tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for cell in cells:
        exec(compile(cell, "cell", "exec"), names)
    assert (tmp_path / "out/person/scene.glb").exists()
    assert names["picture"].shape == names["scene"].photo.pixels.shape
    assert (names["picture"] != names["scene"].photo.pixels).any()
    assert 0.03 < names["volume"] < 0.2  # cubic metres
    said = capsys.readouterr().out
    assert "person 1: " in said
    assert said.splitlines()[-1].endswith("1.80 m given")


@pytest.fixture(scope="module")
def app() -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / "gradio_app.py"))


def test_what_the_gradio_page_shows(app: dict[str, Any]) -> None:
    people: Callable[..., Any] = app["people"]
    scene, preview, rows, avatars = people(str(EXAMPLES / "person.jpg"), 175)
    for path in (scene, preview, *avatars):
        assert Path(path).stat().st_size > 1000
    assert rows[0][:2] == [1, 175]
    shutil.rmtree(Path(scene).parent)
    with pytest.raises(vitruvian.VitruvianError, match="choose one"):
        people(None, None)


def test_the_gradio_page_itself(app: dict[str, Any]) -> None:
    pytest.importorskip("gradio", reason="needs gradio")
    gradio_client = pytest.importorskip("gradio_client")
    page = app["page"]()
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, inbrowser=False)
    try:
        client = gradio_client.Client(url, verbose=False)
        picture = gradio_client.handle_file(EXAMPLES / "person.jpg")
        scene, _, table, avatars = client.predict(picture, 175, api_name="/people")
        assert Path(scene).read_bytes()[:4] == b"glTF"
        assert table["data"][0][:2] == [1, 175]
        assert len(avatars) == 1
        with pytest.raises(Exception, match="choose one"):
            client.predict(None, None, api_name="/people")
    finally:
        page.close()
