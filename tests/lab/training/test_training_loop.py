"""The training loop: schedule, budget, and going on exactly where a run stopped."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")

from vitruvian.errors import InputError
from vitruvian.lab.training import loop
from vitruvian.lab.training.checkpoint import Checkpoint, newest
from vitruvian.lab.training.recipe import (
    CardFacts,
    DataOptions,
    FixedSource,
    Graph,
    Plan,
    Recipe,
    recipe_named,
)

pytestmark = pytest.mark.train


class LineSource(FixedSource):
    """Noisy points of y = 2 x + 1; number n is always the same."""

    description = "points of a line"

    def batches(self, first: int, size: int) -> Iterator[dict[str, Any]]:
        while True:
            yield self._batch(range(first, first + size))
            first += size

    def validation(self, size: int) -> Iterable[dict[str, Any]]:
        return [self._batch(range(10**6, 10**6 + size))]

    @staticmethod
    def _batch(numbers: Iterable[int]) -> dict[str, Any]:
        x = np.array([np.random.default_rng(n).normal() for n in numbers], np.float32)
        return {"x": torch.from_numpy(x)[:, None], "y": torch.from_numpy(2 * x + 1)[:, None]}


class LineRecipe(Recipe):
    """Fits the line with a net that has dropout and noise, both of which use random numbers."""

    name = "line"
    plan = Plan(samples=4000, batch=8, learning_rate=0.05, warm_up=80, ema_decay=0.9)
    card = CardFacts("A line.", "x to y.", "Lines only.")

    def build(self, *, pretrained: bool) -> Any:
        nn = torch.nn
        return nn.Sequential(nn.Linear(1, 16), nn.Dropout(0.1), nn.Linear(16, 1))

    def open(self, options: DataOptions) -> LineSource:
        return LineSource()

    def loss(self, model: Any, batch: Any, step: Any) -> dict[str, Any]:
        noise = torch.randn(batch["x"].shape, generator=step.generator)
        error = model(batch["x"] + 0.01 * noise) - batch["y"]
        return {"total": error.square().mean(), "absolute": error.abs().mean()}

    def validate(self, model: Any, batches: Any) -> dict[str, float]:
        errors = [float((model(b["x"]) - b["y"]).abs().mean()) for b in batches]
        return {"absolute": float(np.mean(errors))}

    def picture(self, model: Any, batch: Any) -> np.ndarray:
        return np.zeros((4, 4, 3), np.uint8)

    def graph(self, model: Any) -> Graph:
        x = torch.linspace(-1, 1, 5)[:, None]
        axes = {"x": {0: "count"}, "y": {0: "count"}}
        return Graph(model, (x,), ("x",), ("y",), axes, tolerance=0.02)


def run(folder: Path, steps: int | None = None, **changes: Any) -> loop.Trained:
    options = loop.RunOptions(folder=folder, steps=steps, log_every=5, **changes)
    return loop.train(LineRecipe(), DataOptions(seed=3, workers=0), options)


def test_it_learns(tmp_path: Path) -> None:
    trained = run(tmp_path)
    assert trained.checkpoint.samples_seen == trained.checkpoint.planned == 4000
    assert trained.metrics["absolute"] < 0.1


def test_going_on_gives_the_same_bits_as_not_stopping(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", 30).checkpoint
    run(tmp_path / "parts", 11)
    run(tmp_path / "parts", 7)
    parts = run(tmp_path / "parts", 12).checkpoint
    assert whole.samples_seen == parts.samples_seen == 240
    for name, value in whole.model.items():
        assert torch.equal(value, parts.model[name]), name
    for name, value in whole.ema.items():
        assert torch.equal(value, parts.ema[name]), name
    ours, theirs = whole.optimizer["state"], parts.optimizer["state"]
    for number, moments in ours.items():
        assert torch.equal(moments["exp_avg_sq"], theirs[number]["exp_avg_sq"])
    assert torch.equal(whole.random["cpu"], parts.random["cpu"])


def test_fresh_begins_anew(tmp_path: Path) -> None:
    run(tmp_path, 5)
    again = run(tmp_path, 5, resume=False).checkpoint
    assert again.samples_seen == 40


def test_compact_checkpoint_goes_on_with_an_optimiser_of_its_own(tmp_path: Path) -> None:
    full = run(tmp_path / "a", 50, compact=True).checkpoint
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "compact.pt").rename(tmp_path / "b" / "compact.pt")
    restored = Checkpoint.load(newest(tmp_path / "b"))
    assert restored.samples_seen == 400
    assert not restored.optimizer
    for name, value in full.ema.items():
        torch.testing.assert_close(restored.ema[name], value, rtol=1e-3, atol=1e-5)
    later = run(tmp_path / "b", 10).checkpoint
    assert (later.samples_seen, later.restarted) == (480, 400)


def test_checkpoints_of_format_1_are_still_read(tmp_path: Path) -> None:
    now = run(tmp_path, 5).checkpoint
    values = torch.load(newest(tmp_path), weights_only=True)
    values["presentations"] = values.pop("samples_seen")
    torch.save({**values, "format": 1}, tmp_path / "checkpoint.pt")
    assert Checkpoint.load(tmp_path / "checkpoint.pt").samples_seen == now.samples_seen == 40
    assert run(tmp_path, 5).checkpoint.samples_seen == 80


def test_schedule_rises_then_falls() -> None:
    plan = Plan(samples=1000, batch=10, learning_rate=1.0, warm_up=100, final_rate=0.1)
    rates = [loop.learning_rate(plan, n, 1000) for n in range(0, 1001, 10)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9]  # the end of the warm-up
    assert all(b < a for a, b in pairwise(rates[9:]))
    assert rates[-1] == pytest.approx(0.1)
    assert rates[50] == pytest.approx(0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi / 2)))
    # Whoever begins anew in the middle warms up first.
    assert loop.learning_rate(plan, 500, 1000, 500) == pytest.approx(0.1 * rates[50])


def test_no_minutes_saves_and_validates(tmp_path: Path) -> None:
    trained = run(tmp_path, minutes=0.0)
    assert trained.checkpoint.samples_seen == 0
    assert (tmp_path / "checkpoint.pt").exists()
    assert (tmp_path / "pictures" / "000000000.png").exists()


def test_log_has_every_loss(tmp_path: Path) -> None:
    run(tmp_path, 12)
    run(tmp_path, 8)
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["samples_seen"]) for row in rows] == [8, 40, 80, 104, 136]
    assert all(float(row["absolute"]) > 0 for row in rows)
    with (tmp_path / "validation.csv").open() as file:
        assert [row["samples_seen"] for row in csv.DictReader(file)] == ["96", "160"]


def test_another_recipes_checkpoint_is_refused(tmp_path: Path) -> None:
    run(tmp_path, 1)
    state = Checkpoint.load(tmp_path / "checkpoint.pt")
    state.recipe = "curve"
    state.save(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="is of the recipe curve: choose another folder with -o"):
        run(tmp_path, 1)


def test_damaged_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    with pytest.raises(InputError, match="start anew with --fresh"):
        run(tmp_path, 1)


def test_unknown_recipe() -> None:
    with pytest.raises(InputError, match=r"There is no recipe 'cooking': choose one of .*maps"):
        recipe_named("cooking")


def test_a_gradient_that_is_not_finite_changes_nothing(tmp_path: Path) -> None:
    class Broken(LineRecipe):
        def loss(self, model: Any, batch: Any, step: Any) -> dict[str, Any]:
            losses = super().loss(model, batch, step)
            if step.samples_seen == 16:
                losses["total"] = losses["total"] * float("nan")
            return losses

    options = loop.RunOptions(folder=tmp_path, steps=6)
    state = loop.train(Broken(), DataOptions(workers=0), options).checkpoint
    assert all(torch.isfinite(value).all() for value in state.model.values())


def test_export_agrees_and_is_described(tmp_path: Path) -> None:
    pytest.importorskip("onnx", reason="the extra train is not installed")
    import hashlib
    import json

    from vitruvian.lab.training.export import export

    trained = run(tmp_path, 100)
    written = export(LineRecipe(), trained.checkpoint, tmp_path, trained.metrics)
    content = written.path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == written.sha256
    assert written.difference < 0.02
    row = json.loads((tmp_path / "line.json").read_text())
    assert row["inputs"] == [{"name": "x", "dtype": "float32", "shape": [-1, 1]}]
    card = (tmp_path / "line.md").read_text()
    assert "800 of 4,000 planned" in card
    assert f"{trained.metrics['absolute']:.4g}" in card
    assert written.sha256 in card


def test_exported_convolutions_pad_for_themselves() -> None:
    """Uneven padding before a convolution goes into it, and changes nothing."""
    onnx = pytest.importorskip("onnx", reason="the extra train is not installed")
    from vitruvian.lab.training.encoder import SameConv
    from vitruvian.lab.training.export import _traced, compare, stored_in_half

    torch.manual_seed(2)
    model = torch.nn.Sequential(SameConv(3, 8, 5, 2), torch.nn.ReLU(), SameConv(8, 4, 3, 2))
    x = torch.randn(1, 3, 16, 24)
    axes = {"x": {2: "h", 3: "w"}, "y": {2: "h", 3: "w"}}
    graph = Graph(model, (x,), ("x",), ("y",), axes)
    content = stored_in_half(_traced(graph))
    made = onnx.load_from_string(content).graph.node
    assert "Pad" not in {node.op_type for node in made}
    convolutions = [node for node in made if node.op_type == "Conv"]
    pads = [next(a.ints for a in c.attribute if a.name == "pads") for c in convolutions]
    assert [list(p) for p in pads] == [[1, 1, 2, 2], [0, 0, 1, 1]]
    assert compare(graph, content) < 5e-3


def test_exported_graphs_mix_channels_before_they_are_resized() -> None:
    """Doubled, joined with two others and mixed: the mixing comes first, and changes nothing."""
    onnx = pytest.importorskip("onnx", reason="the extra train is not installed")
    from vitruvian.lab.training.export import _traced, compare, stored_in_half

    class Doubled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.low, self.high = torch.nn.Conv2d(3, 6, 3, 2, 1), torch.nn.Conv2d(3, 5, 3, 1, 1)
            self.mix = torch.nn.Conv2d(6 + 5 + 3, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            low = torch.nn.functional.interpolate(
                torch.relu(self.low(x)), scale_factor=2.0, mode="bilinear", align_corners=False
            )
            return torch.relu(self.mix(torch.cat([low, self.high(x), x], 1)))

    torch.manual_seed(3)
    axes = {"x": {2: "h", 3: "w"}, "y": {2: "h", 3: "w"}}
    graph = Graph(Doubled(), (torch.randn(1, 3, 16, 24),), ("x",), ("y",), axes)
    content = stored_in_half(_traced(graph))
    made = {
        output: node for node in onnx.load_from_string(content).graph.node for output in node.output
    }
    resize = next(node for node in made.values() if node.op_type == "Resize")
    mix = made[resize.input[0]]
    assert mix.op_type == "Conv"
    assert list(next(a.ints for a in mix.attribute if a.name == "kernel_shape")) == [1, 1]
    assert compare(graph, content) < 5e-3
