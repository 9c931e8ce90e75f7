"""``vitruvian train``: what it refuses, and a run from shards to an ONNX file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")

from vitruvian.commands.cli import main
from vitruvian.lab.training import loop, maps
from vitruvian.lab.training.maps_model import ExportedMaps, MapsNet
from vitruvian.lab.training.recipe import DataOptions
from vitruvian.networks.maps import OUTPUTS, MapsNetwork, network_input

pytestmark = pytest.mark.train


class Untaught(maps.MapsRecipe):
    """The maps recipe without ImageNet's weights, which need not be installed."""

    def build(self, *, pretrained: bool) -> MapsNet:
        return MapsNet(pretrained=False)


def test_unknown_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "cooking"]) == 2
    assert "There is no recipe 'cooking'" in capsys.readouterr().err


def test_absent_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "maps", "--data", str(tmp_path / "none")]) == 2
    assert "write shards with vitruvian synth, or give --data live." in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_absent_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "maps", "--device", "cuda"]) == 2
    assert "There is no CUDA device here: train with --device cpu." in capsys.readouterr().err


def test_from_shards_to_a_network_that_runs(
    tmp_path: Path,
    write_shards: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("onnx", reason="the extra train is not installed")
    monkeypatch.setattr(maps, "MapsRecipe", Untaught)
    shards = write_shards(tmp_path / "shards", 2)
    folder = tmp_path / "run"
    code = main(
        ["train", "maps", "-o", str(folder), "--data", str(shards), "--device", "cpu"]
        + ["--workers", "0", "--batch", "2", "--crop", "64", "--samples", "4"]
        + ["--export", "--compact"]
    )
    assert code == 0
    assert "Trained: 4 of 4 samples" in capsys.readouterr().out
    written = {path.name for path in folder.iterdir()}
    assert written == {
        "checkpoint.pt", "compact.pt", "log.csv", "validation.csv", "pictures", "maps.onnx",
        "maps.json", "maps.md",
    }  # fmt: skip
    assert (folder / "compact.pt").stat().st_size < 16 << 20
    network = MapsNetwork(folder / "maps.onnx")
    rgb = np.random.default_rng(0).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    found = network(rgb, rgb[..., 0], None, maps_crop())
    assert found.alpha.shape == (96, 96)
    inputs = network_input(rgb, rgb[..., 0], None, np.ones((96, 96)))[None]
    state = torch.load(folder / "checkpoint.pt", weights_only=True)["ema"]
    model = MapsNet(pretrained=False)
    model.load_state_dict(state)
    with torch.no_grad():
        truth = ExportedMaps(model).eval()(torch.from_numpy(inputs))
    alpha = truth[OUTPUTS.index("alpha")][0, 0].numpy()
    np.testing.assert_allclose(found.alpha, alpha, atol=0.02)


def maps_crop() -> object:
    from vitruvian.networks.maps import MapsCrop

    return MapsCrop(0, 0, 96, 96)


def test_going_on_gives_the_same_bits_for_the_real_recipe(
    tmp_path: Path, write_shards: Callable[..., Path]
) -> None:
    """Augmentation, batch normalisation and the average included."""
    data = DataOptions(shards=write_shards(tmp_path / "shards", 3), workers=0, crop=64)

    def run(name: str, steps: int) -> loop.Trained:
        options = loop.RunOptions(folder=tmp_path / name, steps=steps, batch=2, samples=100)
        return loop.train(Untaught(), data, options)

    whole = run("whole", 3).checkpoint
    run("parts", 1)
    parts = run("parts", 2).checkpoint
    assert whole.samples_seen == parts.samples_seen == 6
    for before, after in ((whole.model, parts.model), (whole.ema, parts.ema)):
        assert all(torch.equal(value, after[name]) for name, value in before.items())
