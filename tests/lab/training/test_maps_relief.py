"""The maps network goes on from the shipped weights, with a loss of what is fine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")
pytest.importorskip("onnx", reason="the extra train is not installed")

from vitruvian.lab.training.maps_relief import ReliefRecipe, fine_normals
from vitruvian.lab.training.recipe import DataOptions, Step
from vitruvian.networks.maps import INPUT_CHANNELS, OUTPUTS, MapsNetwork
from vitruvian.networks.session import run

pytestmark = pytest.mark.train


def test_it_begins_as_the_shipped_network_and_stays_that_while_training_is_on() -> None:
    recipe = ReliefRecipe()
    net = recipe.build(pretrained=True).train()
    inputs = torch.rand((1, INPUT_CHANNELS, 64, 64), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = recipe.graph(net).module(inputs)
    theirs = run(MapsNetwork.name, inputs.numpy(), OUTPUTS)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b, atol=1e-3)


def test_what_is_fine_knows_folds_and_no_slopes() -> None:
    where = torch.zeros(1, 1, 96, 96)
    where[..., 8:88, 8:88] = 1
    even = torch.zeros(1, 3, 96, 96)
    even[:, 0] = 0.3
    ripple = even * torch.sin(torch.arange(96) * 1.2)
    flat, waves, weight = fine_normals(even, ripple, where)
    spread = [float((weight * one.square()).sum()) for one in (flat, waves, ripple)]
    assert spread[0] < 0.01 * spread[2]
    assert spread[1] > 0.9 * spread[2]


def test_kept_features_train_the_last_layers_alone(
    write_shards: Callable[..., Path], tmp_path: Path
) -> None:
    write_shards(tmp_path, 2)
    recipe = ReliefRecipe()
    net = recipe.build(pretrained=True).train()
    ((_, trained),) = recipe.groups(net)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    source = recipe.open(DataOptions(shards=tmp_path, crop=64))
    batch = next(source.batches(0, 4))
    again = next(recipe.open(DataOptions(shards=tmp_path, crop=64)).batches(0, 4))
    torch.testing.assert_close(batch["stride1"], again["stride1"])  # read from where it was kept
    first = recipe.loss(net, batch, Step(0, 0.0, torch.Generator()))
    assert float(first["held"].detach()) < 1e-4  # the network is still the one that was kept
    optimizer = torch.optim.Adam(trained, lr=1e-3)
    fine = []
    for _ in range(8):
        losses = recipe.loss(net, batch, Step(0, 0.0, torch.Generator()))
        fine.append(float(losses["fine"].detach()))
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
    assert fine[-1] < 0.98 * fine[0]
    changed = {
        name.split(".")[0]
        for name, value in net.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert changed == {"up4", "up2", "up1", "head"}
    figures = recipe.validate(net.eval(), source.validation(2))
    assert 0 < figures["front_fine"] < 1
    assert 5 < figures["front_deg"] < 60
