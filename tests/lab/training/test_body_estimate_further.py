"""The shipped body estimate, read back for further training."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch (extra: train)")
pytest.importorskip("onnx", reason="reading weights needs onnx (extra: train)")

from vitruvian.errors import InputError
from vitruvian.lab.training.body_estimate_further import FurtherBodyEstimateRecipe, shipped
from vitruvian.lab.training.recipe import DataOptions, recipe_named
from vitruvian.networks import body_estimate
from vitruvian.networks.blazepose import FEATURES
from vitruvian.networks.body_estimate import BodyEstimateNetwork
from vitruvian.networks.session import run

pytestmark = pytest.mark.train


def test_the_weights_read_back_are_those_that_are_shipped() -> None:
    rng = np.random.default_rng(0)
    features = rng.random((3, FEATURES), np.float32)
    landmarks = 0.3 * rng.standard_normal((3, body_estimate.INPUTS)).astype(np.float32)
    inputs = {"features": features, "landmarks": landmarks}
    outputs = BodyEstimateNetwork.outputs
    expected = dict(zip(outputs, run("cues", inputs, outputs), strict=True))
    with torch.no_grad():
        found = shipped().eval()(torch.from_numpy(features), torch.from_numpy(landmarks))
    for name, values in expected.items():
        np.testing.assert_allclose(found[name].numpy(), values, atol=1e-3)


def test_what_is_exported_lies_half_way() -> None:
    recipe = recipe_named("cues-further")
    assert isinstance(recipe, FurtherBodyEstimateRecipe)
    before = shipped()
    trained = deepcopy(before)
    with torch.no_grad():
        trained.heads["stature"].bias += 0.2
    graph = recipe.graph(trained)
    with torch.no_grad():
        new, old = (
            net(*(values * 1.0 for values in graph.inputs)) for net in (graph.module, before)
        )
    names = list(graph.output_names)
    moved = new[names.index("stature")] - old["stature"]
    np.testing.assert_allclose(moved.numpy(), 0.1, atol=1e-5)
    np.testing.assert_allclose(new[names.index("keypoints")].numpy(), old["keypoints"].numpy())


def test_it_needs_observations() -> None:
    recipe = recipe_named("cues-further")
    recipe.build(pretrained=True)
    with pytest.raises(InputError, match="cues-further needs observations"):
        recipe.open(DataOptions(observed=None))


def test_it_starts_with_the_shipped_weights() -> None:
    recipe = recipe_named("cues-further")
    model = recipe.build(pretrained=True)
    assert torch.equal(model.heads["betas"].weight, shipped().heads["betas"].weight)
    assert not torch.equal(
        model.heads["betas"].weight, recipe.build(pretrained=False).heads["betas"].weight
    )
