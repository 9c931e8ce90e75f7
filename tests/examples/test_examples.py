"""The notebook runs from top to bottom, and the other examples do what they say."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

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


class Tensor:
    """What the node for ComfyUI uses of a tensor."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def cpu(self) -> Tensor:
        return self

    def numpy(self) -> np.ndarray:
        return self.values

    def new_tensor(self, values: np.ndarray) -> Tensor:
        return Tensor(values)


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    comfy = ModuleType("folder_paths")
    comfy.get_output_directory = lambda: str(tmp_path)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "folder_paths", comfy)
    module = runpy.run_path(str(EXAMPLES / "comfyui_vitruvian.py"))
    (name, kind), *_ = module["NODE_CLASS_MAPPINGS"].items()
    assert module["NODE_DISPLAY_NAME_MAPPINGS"][name]
    return kind()


def test_the_node_for_comfyui(node: Any, tmp_path: Path) -> None:
    with Image.open(EXAMPLES / "person.jpg") as image:
        pixels = np.asarray(image, np.float32)[None] / 255
    (tmp_path / "vitruvian_00001").mkdir()
    given = list(node.INPUT_TYPES()["required"])
    answer = getattr(node, node.FUNCTION)(**dict(zip(given, (Tensor(pixels), 175.0), strict=True)))
    scenes, avatars, mask = answer
    assert len(answer) == len(node.RETURN_TYPES) == len(node.RETURN_NAMES)
    assert scenes == ["vitruvian_00002/scene.glb"]
    for path in scenes + avatars:
        assert (tmp_path / path).read_bytes()[:4] == b"glTF"
    assert mask.values.shape == (1, 1200, 800)
    assert mask.values.dtype == np.float32
    assert mask.values.max() == 1
    assert 0.05 < mask.values.mean() < 0.5


def test_the_node_for_comfyui_says_that_there_is_nobody(node: Any, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"[Nn]obody"):
        node.people(Tensor(np.full((1, 96, 96, 3), 0.5, np.float32)), 0.0)
    assert list(tmp_path.iterdir()) == []
