"""Examples of the learnt fields, their recipes, and runs to an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")

from vitruvian.commands.cli import main
from vitruvian.errors import InputError
from vitruvian.lab.fields.correction import layers_field
from vitruvian.lab.fields.data import Prepared, PreparedSource, example, prepare, sampled_points
from vitruvian.lab.fields.networks import (
    PICTURES,
    POINT_FEATURES,
    SOFTNESS,
    TERMS,
    FourierField,
    LocalField,
    span_series,
)
from vitruvian.lab.fields.recipes import (
    FourierFieldRecipe,
    LocalFieldRecipe,
    mirror_signs,
    occupied,
    series,
)
from vitruvian.lab.synthesis.sample import Sample
from vitruvian.lab.training.observations import Observation, observe_sample
from vitruvian.lab.training.recipe import DataOptions, Step
from vitruvian.networks.maps import MapsNetwork

pytestmark = pytest.mark.train
S = 32
SHIFT = 0.006  # statures by which the truth of the made-up people is thicker


@pytest.fixture(scope="module")
def person(drawn_samples: list[Sample]) -> tuple[Sample, Observation, Prepared]:
    if not MapsNetwork.available():
        pytest.skip("the maps network is not shipped")
    for number, sample in enumerate(drawn_samples):
        observed = observe_sample(sample, number, np.random.default_rng(number))
        one = prepare(sample, observed, 64)
        if observed is not None and one is not None:
            return sample, observed, one
    pytest.skip("the pipeline finds neither of the people")


def test_truth_lies_where_the_surface_at_hand_does(
    person: tuple[Sample, Observation, Prepared],
) -> None:
    _, _, one = person
    there = one.truth[1, 0] > one.truth[0, 0]
    both = there & one.inputs.covered
    assert both.sum() > 0.5 * (there | one.inputs.covered)[one.known].sum()
    first = one.truth[0, 0][both]
    last = np.where(one.truth[1] > one.truth[0], one.truth[1], -9).max(0)[both]
    mine = one.inputs.picture("front") + one.inputs.picture("back")
    assert np.median(0.5 * (first + last - mine[both])) == pytest.approx(0, abs=0.004)


def test_truth_is_the_samples_own(person: tuple[Sample, Observation, Prepared]) -> None:
    sample, observed, one = person
    there = one.truth[1, 0] > one.truth[0, 0]
    # Total length of the rays inside, in pixels: whatever the scale, as in the sample.
    stored = sample.spans.astype(np.float64) * 1e-4
    thick = np.where(sample.spans[..., 0::2] < 32767, stored[..., 1::2] - stored[..., 0::2], 0)
    per_pixel = sample.root_depth / sample.focal_px
    true = thick.sum() / per_pixel
    camera = one.inputs.camera
    scale = observed.focal_px / camera.focal_px
    found = (one.truth[1] - one.truth[0])[:, there].sum() * one.inputs.stature_m
    found *= camera.focal_px / one.inputs.root_m * scale**3
    assert found == pytest.approx(true, rel=0.06)


def test_points_know_where_they_are(person: tuple[Sample, Observation, Prepared]) -> None:
    _, _, one = person
    features, inside = sampled_points(one, np.random.default_rng(3), 4000)
    value = dict(zip(POINT_FEATURES, features.T, strict=True))
    # Far inside the surface at hand nearly everything is true, far outside hardly anything.
    assert inside[value["signed"] > 0.3].mean() > 0.75
    assert inside[value["signed"] < -0.3].mean() < 0.25
    again = sampled_points(one, np.random.default_rng(3), 4000)
    assert np.array_equal(again[0], features)
    assert np.array_equal(again[1], inside)


def test_examples_are_small_and_finite(person: tuple[Sample, Observation, Prepared]) -> None:
    made = example(person[2], np.random.default_rng(0))
    assert made["pictures"].shape == (len(PICTURES), 64, 64)
    assert made["points"].dtype == np.float16
    assert made["inside"].dtype == bool
    assert all(np.isfinite(value).all() for value in made.values())
    assert made["truth"].min() >= 0
    assert made["truth"].max() <= 1


def test_nobody_else_teaches(person: tuple[Sample, Observation, Prepared]) -> None:
    from dataclasses import replace

    sample, observed, _ = person
    assert prepare(sample, None) is None
    assert prepare(sample, replace(observed, ok=False)) is None


def made_up(count: int, seed: int) -> dict[str, np.ndarray]:
    """Blocks whose truth is thicker than the surface at hand, by as much everywhere."""
    rng = np.random.default_rng(seed)
    pictures = rng.normal(0, 0.2, (count, len(PICTURES), S, S))
    layers = np.full((count, 2, 3, S, S), 1.0)
    layers[:, :, 0, 8:24, 8:24] = np.array([0.35, 0.65])[None, :, None, None]
    truth = np.full((count, 2, 4, S, S), 1.0)
    truth[:, :, 0, 8:24, 8:24] = np.array([0.25, 0.7])[None, :, None, None]
    pictures[:, PICTURES.index("layers")] = layers[:, 1, 0] > layers[:, 0, 0]
    points = rng.normal(0, 0.3, (count, 64, len(POINT_FEATURES)))
    signed = rng.normal(0, 0.02, (count, 64))
    points[..., 0] = 10 * signed
    return {
        "pictures": pictures.astype(np.float16), "layers": layers.astype(np.float16),
        "truth": truth.astype(np.float16), "known": np.ones((count, S, S), bool),
        "points": points.astype(np.float16), "inside": signed + SHIFT > 0,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for shard in range(3):
        np.savez(tmp_path / f"field-{shard:05d}.npz", **made_up(6, shard))  # type: ignore[arg-type]
    return tmp_path


def test_the_last_file_is_held_back(folder: Path) -> None:
    source = PreparedSource(folder, ("points", "inside"), 0)
    assert len(source.training["inside"]) == 12
    assert len(source.held_back["inside"]) == 6
    assert "12 synthetic people" in source.description
    assert "6 held back" in source.description
    first, again = (next(source.batches(8, 4)) for _ in range(2))
    assert set(first) == {"points", "inside"}
    assert torch.equal(first["points"], again["points"])
    assert [len(batch["inside"]) for batch in source.validation(4)] == [4, 2]


def test_a_file_is_not_enough(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fewer than two prepared files"):
        PreparedSource(tmp_path, ("points",), 0)
    with pytest.raises(InputError, match="needs prepared examples"):
        LocalFieldRecipe().open(DataOptions())


def test_series_is_that_of_numpy() -> None:
    rng = np.random.default_rng(0)
    layers = np.sort(rng.random((2, 3, 2, 5, 4)), axis=2).transpose(0, 2, 1, 3, 4)
    found = series(torch.from_numpy(layers))
    for row in range(2):
        assert np.allclose(found[row], span_series(*layers[row]), atol=1e-5)


def test_occupied_is_that_of_the_field() -> None:
    rng = np.random.default_rng(0)
    layers = np.sort(rng.random((2, 4, 5, 3)), axis=0)
    places = np.linspace(0, 1, 50)
    found = occupied(torch.from_numpy(layers)[None], torch.from_numpy(places))[0]
    field = layers_field(layers, places, 0.1)
    assert np.array_equal(found.numpy().transpose(1, 2, 0), field > 0)


def step(seed: int = 0) -> Step:
    return Step(0, 0.0, torch.Generator().manual_seed(seed))


def tensors(count: int) -> dict[str, Any]:
    return {name: torch.from_numpy(value) for name, value in made_up(count, 5).items()}


def trained(recipe: Any, batch: dict[str, Any], steps: int) -> tuple[Any, list[float]]:
    torch.manual_seed(0)
    model = recipe.build(pretrained=False)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    losses = []
    for number in range(steps):
        loss = recipe.loss(model, batch, step(number))["total"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return model, losses


def test_points_begin_with_the_surface_at_hand_and_learn_its_error() -> None:
    recipe, batch = LocalFieldRecipe(), tensors(24)
    before = recipe.validate(recipe.build(pretrained=False), [batch])
    assert before["iou"] == before["iou_before"] < 0.9
    model, _ = trained(recipe, batch, 150)
    assert recipe.validate(model, [batch])["iou"] > before["iou"] + 0.05
    features, inside = batch["points"].float(), batch["inside"]
    between = inside & (features[..., 0] < 0)  # outside the surface at hand, inside the truth
    logits = features[..., 0] / (10 * SOFTNESS) + model(features).detach()
    assert (logits[between] > 0).float().mean() > 0.5


def test_series_begin_with_the_surface_at_hand_and_learn_its_error() -> None:
    recipe, batch = FourierFieldRecipe(), tensors(4)
    before = recipe.validate(recipe.build(pretrained=False), [batch])
    assert before["iou"] == before["iou_before"] == pytest.approx(30 / 45, abs=0.03)
    model, losses = trained(recipe, batch, 40)
    assert losses[-1] < 0.3 * losses[0]
    after = recipe.validate(model, [batch])
    assert after["iou"] > 0.85
    assert after["iou_of_series"] > 0.85


def test_loss_is_the_mean_squared_error_along_the_ray() -> None:
    recipe, batch = FourierFieldRecipe(), tensors(2)
    loss = float(recipe.loss(recipe.build(pretrained=False), batch, step())["total"].detach())
    t = torch.linspace(0, 1, 4001)
    basis = torch.cos(torch.pi * torch.arange(TERMS)[:, None] * t)
    own, true = (series(batch[name].float())[0, :, 12, 12] for name in ("layers", "truth"))
    assert loss == pytest.approx(float(((true - own) @ basis).square().mean()), rel=0.02)


def test_mirrors_turn_what_points_sideways() -> None:
    signs = dict(zip(PICTURES, mirror_signs(PICTURES).tolist(), strict=True))
    assert signs["front_x"] == signs["body_back_x"] == -1
    assert signs["front_y"] == signs["rim"] == signs["front"] == 1
    points = dict(zip(POINT_FEATURES, mirror_signs(POINT_FEATURES).tolist(), strict=True))
    assert points["body_x"] == points["back_x"] == -1
    assert points["signed"] == 1


@pytest.mark.parametrize("name", ["field", "fourier"])
def test_from_prepared_examples_to_a_network_that_runs(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnx", reason="the extra train is not installed")
    run = folder / "run"
    options = ["--data", str(folder), "--device", "cpu", "--batch", "2", "--samples", "4"]
    assert main(["train", name, "-o", str(run), *options, "--export"]) == 0
    assert (run / f"{name}.md").read_text().startswith(f"# {name}: correction of a person's")
    rng = np.random.default_rng(0)
    if name == "field":
        found = LocalField(run / "field.onnx")(rng.normal(size=(7, len(POINT_FEATURES))))
        assert found.shape == (7,)
    else:
        inputs = rng.normal(size=(len(PICTURES), 16, 24)), rng.normal(size=(TERMS, 16, 24))
        found = FourierField(run / "fourier.onnx")(*inputs)
        assert found.shape == (TERMS, 16, 24)
    assert np.isfinite(found).all()
