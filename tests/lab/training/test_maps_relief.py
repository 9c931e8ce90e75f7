"""The maps network goes on from the shipped weights, with a loss of what is fine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")
pytest.importorskip("onnx", reason="the extra train is not installed")

from vitruvian.lab.synthesis.sample import Sample
from vitruvian.lab.training.maps_augment import prepare
from vitruvian.lab.training.maps_data import MapsExample
from vitruvian.lab.training.maps_relief import ReliefRecipe, fine_normals
from vitruvian.lab.training.recipe import Step
from vitruvian.networks.maps import INPUT_CHANNELS, OUTPUTS, MapsNetwork
from vitruvian.networks.session import run

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def batch(drawn_samples: list[Sample]) -> dict[str, Any]:
    make = MapsExample(96, zoomed=1.0, zoom=(0.4, 0.9))
    examples = [make(s, None, np.random.default_rng(k)) for k, s in enumerate(drawn_samples)]
    return {name: torch.from_numpy(np.stack([e[name] for e in examples])) for name in examples[0]}


def test_it_begins_as_the_shipped_network_and_stays_that_while_training_is_on() -> None:
    recipe = ReliefRecipe()
    net = recipe.build(pretrained=True).train()
    inputs = torch.rand((1, INPUT_CHANNELS, 64, 64), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = recipe.graph(net).module(inputs)
    theirs = run(MapsNetwork.name, inputs.numpy(), OUTPUTS)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.numpy(), b, atol=1e-3)


def test_what_is_fine_knows_folds_and_no_slopes(batch: dict[str, Any]) -> None:
    prepared = prepare(batch, None)
    truth, same, weight = fine_normals(prepared.front_normals, prepared)
    torch.testing.assert_close(truth, same)
    assert weight.sum() > 100
    # A slope that is even all over is not fine, a ripple of few pixels is.
    even = torch.zeros_like(prepared.front_normals)
    even[:, 0] = 0.3
    ripple = even * torch.sin(torch.arange(96) * 1.2)
    flat, _, weight = fine_normals(even, prepared)
    waves, _, _ = fine_normals(ripple, prepared)
    spread = [float((weight * one.square()).sum()) for one in (flat, waves, ripple)]
    assert spread[0] < 0.01 * spread[2]
    assert spread[1] > 0.9 * spread[2]


def test_steps_lower_the_loss(batch: dict[str, Any]) -> None:
    recipe = ReliefRecipe()
    net = recipe.build(pretrained=True).train()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-4)
    fine = []
    for _ in range(6):
        step = Step(0, 0.0, torch.Generator().manual_seed(1))
        losses = recipe.loss(net, batch, step)
        fine.append(float(losses["fine"].detach()))
        optimizer.zero_grad()
        losses["total"].backward()
        optimizer.step()
    assert fine[-1] < fine[0]
    assert 0 < recipe.validate(net.eval(), [batch])["front_fine"] < 1
