"""The recipe of the body-estimate network: its closed-form start, its loss, its graph."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch (extra: train)")

from test_body_estimate_data import standing

from vitruvian.lab.training import body_estimate_data
from vitruvian.lab.training.body_estimate import BodyEstimateRecipe, figures, losses
from vitruvian.lab.training.body_estimate_model import BodyEstimateModel
from vitruvian.lab.training.body_estimate_start import solve
from vitruvian.lab.training.recipe import Step, recipe_named
from vitruvian.networks import body_estimate
from vitruvian.networks.blazepose import FEATURES

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def source() -> Any:
    """Forty people whose landmarks err and whose features tell their sex."""
    rng = np.random.default_rng(0)
    hosts = standing(40, seed=3)
    features = rng.random((40, 2, FEATURES)).astype(np.float32)
    posterior = body_estimate_data.group_posterior(hosts.betas)
    female = posterior[:, 1] / posterior[:, :2].sum(1)
    features[:, :, 2000:2200] += 2 * female[:, None, None]
    world = hosts.world + rng.normal(0, 0.03, hosts.world.shape)
    world[..., 2] += 0.15 * (hosts.keypoints[..., 1] - hosts.keypoints[:, 23:24, 1])  # all lean
    hosts = replace(hosts, features=features.astype(np.float16), world=world)
    hosts = replace(hosts, whole=(np.arange(40) % 5 == 0).astype(int))
    return SimpleNamespace(
        training=hosts.examples(), transplants=body_estimate_data.transplanted(hosts, 150, seed=5)
    )


@pytest.fixture(scope="module")
def solved(source: Any) -> BodyEstimateModel:
    torch.manual_seed(0)
    model = BodyEstimateModel(width=128)
    solve(model, source)
    return model.eval()


def everyone(source: Any) -> Any:
    flat = {n: v.reshape(-1, *v.shape[2:]) for n, v in source.training.items()}
    return body_estimate_data._mixed(flat, None)


def test_the_closed_start_knows_more_than_nothing(source: Any, solved: BodyEstimateModel) -> None:
    batch = everyone(source)
    with torch.no_grad():
        before = figures(
            BodyEstimateModel(width=128)(batch["features"].float(), batch["landmarks"]), batch
        )
        out = solved(batch["features"].float(), batch["landmarks"])
    after = figures(out, batch)
    assert after["keypoints_mm"] < 0.6 * before["keypoints_mm"]
    assert after["rotations_deg"] < before["rotations_deg"]
    assert after["root_deg"] < 0.5 * before["root_deg"]
    assert after["stature_cm"] < before["stature_cm"]
    assert after["sex_right"] > 0.9
    # The spreads are about as wide as the errors, but for their floor of 2 mm in a metre.
    error = (out["keypoints"] - batch["keypoints"])[..., 2].abs().mean()
    assert 0.3 < float(out["keypoint_sd"][..., 1].exp().mean() / error) < 6
    assert float(out["stature"][:, 1].exp().max()) < 0.5


def test_descent_goes_on_from_there(source: Any, solved: BodyEstimateModel) -> None:
    batch = everyone(source)
    model = BodyEstimateModel(width=128)
    model.load_state_dict(solved.state_dict())
    recipe = BodyEstimateRecipe()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4)
    totals = []
    for _ in range(8):
        found = recipe.loss(model, batch, Step(0, 0.0, torch.Generator().manual_seed(0)))
        optimizer.zero_grad()
        found["total"].backward()
        optimizer.step()
        totals.append(found["total"].item())
    assert np.isfinite(totals).all()
    assert totals[-1] < totals[0]


def test_examples_without_features_are_not_asked_what_is_in_view(
    source: Any, solved: BodyEstimateModel
) -> None:
    mixed = body_estimate_data._mixed(
        {n: v[:4, 0] for n, v in source.training.items()},
        {n: v[:4, 0] for n, v in source.transplants.items()},
    )
    changed = {**mixed, "whole": mixed["whole"].clone()}
    changed["whole"][4:] = 2
    with torch.no_grad():
        out = solved(mixed["features"].float(), mixed["landmarks"], mixed["seen"])
        same = losses(out, mixed)["whole"], losses(out, changed)["whole"]
    assert float(same[0]) == float(same[1])


def test_the_graph_takes_what_the_pipeline_gives(solved: BodyEstimateModel) -> None:
    recipe = recipe_named("cues")
    graph = recipe.graph(solved)
    assert graph.output_names == body_estimate.BodyEstimateNetwork.outputs
    assert graph.inputs[0].shape == (2, FEATURES)
    assert graph.inputs[1].shape == (2, body_estimate.INPUTS)
    with torch.no_grad():
        raw = {
            name: value.numpy()
            for name, value in zip(graph.output_names, graph.module(*graph.inputs), strict=True)
        }
    found = body_estimate.combined(raw, np.eye(3))
    assert found.groups.sum() == pytest.approx(1)
    assert found.rotations.shape == (22, 3, 3)
