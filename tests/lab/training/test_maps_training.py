"""Examples, augmentation and losses of the maps network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra train is not installed")

from vitruvian.geometry.rasterizer import Fragments
from vitruvian.lab.synthesis.parts import LABEL
from vitruvian.lab.synthesis.sample import Sample
from vitruvian.lab.training import maps_augment as augment
from vitruvian.lab.training.maps import MapsRecipe
from vitruvian.lab.training.maps_data import MapsExample
from vitruvian.lab.training.maps_loss import MapsFigures, maps_losses, part_loss
from vitruvian.lab.training.maps_model import MapsNet, MapsOutput
from vitruvian.lab.training.recipe import Step
from vitruvian.networks.maps import (
    INPUT_CHANNELS,
    PART_CLASSES,
    BodyMaps,
    network_input,
)

pytestmark = pytest.mark.train
SIZE = 96


@pytest.fixture(scope="module")
def batch(drawn_samples: list[Sample]) -> dict[str, Any]:
    make = MapsExample(SIZE, zoomed=0.0)
    examples = [make(s, None, np.random.default_rng(k)) for k, s in enumerate(drawn_samples)]
    return {name: torch.from_numpy(np.stack([e[name] for e in examples])) for name in examples[0]}


def generator(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def perfect(prepared: augment.MapsBatch) -> MapsOutput:
    """What a network that knows everything would say."""
    labels = torch.nn.functional.one_hot(
        torch.tensor([[0, 1, 2, 3, 4, 3, 5, 6, 7, 8, 1, 2, 8, 0, 9, 0]])[0][prepared.parts],
        len(PART_CLASSES),
    )
    return MapsOutput(
        alpha=20 * (prepared.alpha - 0.5),
        whole=20 * (prepared.whole - 0.5),
        front_normals=prepared.front_normals,
        back_normals=prepared.back_normals,
        depth_offsets=prepared.depth - prepared.base_depth,
        back_color=prepared.back_color,
        parts=30.0 * labels.permute(0, 3, 1, 2),
    )


def test_examples_fit_together(batch: dict[str, Any]) -> None:
    whole = batch["whole"] > 200
    known = (batch["front_normals"].float().square().sum(1, keepdim=True) > 100**2) & whole
    assert known.sum() > 0.97 * whole.sum()
    front, back = batch["depth"][:, :1].float(), batch["depth"][:, 1:].float()
    assert (front <= back)[whole].all()
    assert back[whole].abs().max() < 0.8  # statures
    # The surface that is seen looks towards the camera, the other away from it.
    assert (batch["front_normals"][:, 2:][whole].float() < 30).float().mean() > 0.99
    assert (batch["back_normals"][:, 2:][whole].float() > -30).float().mean() > 0.99
    # The noisy body lies mostly over the person.
    both = (batch["covered"] > 0) & whole
    assert both.sum() > 0.5 * whole.sum()
    body = batch["body_depth"][:, :1].float()
    assert (body - front)[both].abs().median() < 0.08
    assert batch["inside"].max() == 1


def test_examples_follow_their_dice(drawn_samples: list[Sample]) -> None:
    make = MapsExample(64)
    a, b, c = (make(drawn_samples[0], None, np.random.default_rng(k)) for k in (1, 1, 2))
    assert all(np.array_equal(a[name], b[name]) for name in a)
    assert not np.array_equal(a["image"], c["image"])


def test_input_is_what_the_runtime_makes(batch: dict[str, Any]) -> None:
    """Training and running build the network's input in different ways: with the same result."""
    prepared = augment.prepare(batch, None)
    k = 1
    normals = batch["body_normals"][k].permute(1, 2, 0).numpy().astype(np.float32) / 127
    depth = batch["body_depth"][k].numpy().astype(np.float32)
    covered = batch["covered"][k, 0].numpy() > 0
    seen = Fragments(np.where(covered, 0, -1), depth[0], normals[..., :3])
    body = BodyMaps(normals[..., :3], normals[..., 3:], depth[0], depth[1], seen, seen)
    inside = batch["inside"][k, 0].numpy()
    rgb = batch["image"][k].permute(1, 2, 0).numpy()
    ours = network_input(rgb, batch["mask"][k, 0].numpy(), body, inside)
    np.testing.assert_allclose(prepared.inputs[k].numpy(), ours, atol=1e-5)


def test_mirroring_twice_changes_nothing_and_once_turns_normals(batch: dict[str, Any]) -> None:
    plain = augment.prepare(batch, None)
    turned = augment.prepare(batch, None)
    all_of_them = torch.ones(2, 1, 1, 1, dtype=torch.bool)
    augment._mirror(turned, all_of_them)
    assert torch.equal(turned.front_normals[:, 0], -plain.front_normals[:, 0].flip(-1))
    assert torch.equal(turned.inputs[:, 8], plain.inputs[:, 8].flip(-1))
    augment._mirror(turned, all_of_them)
    for name, value in vars(plain).items():
        assert torch.equal(getattr(turned, name), value), name


def test_augmentation_follows_its_dice_and_keeps_the_truth(batch: dict[str, Any]) -> None:
    a, b = (augment.prepare(batch, generator(3)) for _ in range(2))
    assert torch.equal(a.inputs, b.inputs)
    assert torch.isfinite(a.inputs).all()
    assert a.inputs[:, :3].abs().max() <= 1.01
    plain = augment.prepare(batch, None)
    same = (a.alpha == plain.alpha).flatten(1).all(1)
    mirrored = (a.alpha == plain.alpha.flip(-1)).flatten(1).all(1)
    assert (same | mirrored).all()


def test_recoloured_garments_keep_their_shading(batch: dict[str, Any]) -> None:
    image, albedo = batch["image"].float() / 255, (batch["front_albedo"].float() / 255) ** 2.2
    alpha, parts = batch["alpha"].float() / 255, batch["parts"]
    for seed in range(8):
        rng = augment.DeviceRng(generator(seed), 2)
        new, _, changed = augment.recolored(rng, image, albedo, alpha, parts)
        for k in range(2):
            moved = (new[k] - image[k]).abs().amax(0) > 0.02
            if not changed[k]:
                assert not moved.any()
                continue
            garments = torch.isin(parts[k, 0], torch.tensor(augment._GARMENTS))
            assert not (moved & ~garments).any()


def test_relighting_a_ball_is_lambertian() -> None:
    """White balls: however lit, brightness follows the normal alone, and edges stay in place."""
    rows, columns = torch.meshgrid(*[torch.linspace(-1.2, 1.2, 64)] * 2, indexing="ij")
    inside = (rows**2 + columns**2) < 1
    depth = -torch.sqrt((1 - rows**2 - columns**2).clamp(min=0))
    normals = (torch.stack([columns, rows, depth]) * inside)[None]
    alpha = inside[None, None].float()
    image = torch.full((1, 3, 64, 64), 0.5)
    rng = augment.DeviceRng(generator(1), 1)
    lit = augment.relight(rng, image, torch.full_like(image, 0.8), normals, alpha)
    assert torch.equal(lit[0, :, ~inside], image[0, :, ~inside])
    assert lit[0, :, inside].std() > 0.02


def test_jpeg_leaves_flat_blocks_and_costs_little() -> None:
    flat = torch.full((2, 3, 32, 32), 0.25)
    rng = augment.DeviceRng(generator(), 2)
    assert (augment.jpeg(rng, flat) - flat).abs().max() < 0.05
    noisy = torch.rand((2, 3, 32, 32), generator=generator())
    changed = augment.jpeg(augment.DeviceRng(generator(), 2), noisy)
    assert 0 < (changed - noisy).abs().mean() < 0.2


def test_the_truth_costs_least(batch: dict[str, Any]) -> None:
    prepared = augment.prepare(batch, None)
    best = maps_losses(perfect(prepared), prepared)
    for name in ("front", "back", "depth", "color"):
        assert float(best[name]) == pytest.approx(0, abs=1e-5), name
    assert float(best["parts"]) < 0.01
    for name in ("alpha", "whole", "front_normals", "back_normals", "depth_offsets", "parts"):
        worse = perfect(prepared)
        setattr(worse, name, getattr(worse, name).roll(9, -1))
        assert maps_losses(worse, prepared)["total"] > best["total"] + 0.01, name


def test_figures_of_the_truth_and_of_the_body(batch: dict[str, Any]) -> None:
    prepared = augment.prepare(batch, None)
    figures = MapsFigures()
    figures.add(perfect(prepared), prepared)
    means = figures.means()
    assert means["front_deg"] < 0.1
    assert means["back_depth_cm"] < 0.01
    assert means["alpha_iou"] == 1.0
    assert means["parts_share"] == 1.0
    assert 5 < means["body_front_deg"] < means["facing_front_deg"] + 10
    assert 0.5 < means["mask_alpha_iou"] < 1


def test_an_untrained_network_says_body_and_mask(batch: dict[str, Any]) -> None:
    prepared = augment.prepare(batch, None)
    with torch.no_grad():
        output = MapsNet(pretrained=False).eval()(prepared.inputs)
    figures = MapsFigures()
    figures.add(output, prepared)
    means = figures.means()
    assert means["front_deg"] == pytest.approx(means["body_front_deg"], abs=0.01)
    assert means["back_depth_cm"] == pytest.approx(means["body_back_depth_cm"], rel=1e-4)
    assert means["alpha_iou"] == pytest.approx(means["mask_alpha_iou"], abs=1e-4)


def test_an_outfit_may_be_called_top_bottom_or_dress() -> None:
    labels = torch.full((1, 2, 2), LABEL["outfit"])
    for name, right in (("top", True), ("dress", True), ("shoes", False)):
        logits = torch.zeros(1, len(PART_CLASSES), 2, 2)
        logits[:, PART_CLASSES.index(name)] = 20
        assert (float(part_loss(logits, labels)) < 0.01) is right
    nobody_knows = torch.full((1, 2, 2), LABEL["occluder"])
    assert float(part_loss(logits, nobody_knows)) == 0


def test_it_fits_two_people(batch: dict[str, Any]) -> None:
    """A few steps on the same two people must get better than the body and the mask."""
    recipe = MapsRecipe()
    torch.manual_seed(0)
    model = MapsNet(pretrained=False).train()
    few = {name: v[..., :64, 16:80] if v.ndim == 4 else v for name, v in batch.items()}
    prepared = augment.prepare(few, None)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    losses = []
    for _ in range(12):
        losses.append(maps_losses(model(prepared.inputs), prepared)["total"])
        optimizer.zero_grad()
        losses[-1].backward()
        optimizer.step()
    assert losses[-1] < 0.8 * losses[0]
    step = Step(0, 0.0, generator())
    assert torch.isfinite(recipe.loss(model, few, step)["total"])
    assert not any(p.requires_grad for p in model.encoder.parameters())  # frozen at first
    recipe.loss(model, few, Step(10**6, 0.5, generator()))
    assert all(p.requires_grad for p in model.encoder.parameters())


def test_budget() -> None:
    """At most 4 million parameters, and 10 GFLOP (two per multiplication and addition) at 512."""
    from torch.utils.flop_counter import FlopCounterMode

    model = MapsNet(pretrained=False).eval()
    assert sum(p.numel() for p in model.parameters()) < 4e6
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, INPUT_CHANNELS, 128, 128))
    assert counter.get_total_flops() * 16 < 10e9


def test_mixed_precision_loses_little(batch: dict[str, Any]) -> None:
    """As on a GPU: the network in 16 bits, augmentation and losses in 32."""
    recipe = MapsRecipe()
    few = {name: v[..., :64, 16:80] if v.ndim == 4 else v for name, v in batch.items()}
    torch.manual_seed(1)
    model = MapsNet(pretrained=False).eval()
    step = Step(10**6, 0.5, generator())
    full = recipe.loss(model, few, step)
    with torch.autocast("cpu", torch.bfloat16):
        half = recipe.loss(model, few, Step(10**6, 0.5, generator()))
        figures = recipe.validate(model, [few])
    half["total"].backward()
    for name, value in full.items():
        assert half[name].dtype == torch.float32, name
        truth = pytest.approx(float(value.detach()), rel=0.05, abs=0.01)
        assert float(half[name].detach()) == truth, name
    assert all(np.isfinite(value) for value in figures.values())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
