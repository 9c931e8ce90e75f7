"""The recipe ``relief``: the shipped maps network trained further, for what is fine in its normals.

It begins with the weights of ``maps.onnx`` and trains the front's layers at strides 4, 2 and 1.
What these read is computed once and kept beside the shards, so that a step costs a quarter; it is
read from there as it is needed, so that memory does not grow with the number of samples. The
loss counts what a blur takes away from normals: folds, seams, lapels. What else those layers say
is held to what they said before.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vitruvian.errors import InputError
from vitruvian.lab.training.exported import read_exported
from vitruvian.lab.training.maps import CROP, MapsRecipe
from vitruvian.lab.training.maps_augment import blurred, prepare
from vitruvian.lab.training.maps_data import MapsExample
from vitruvian.lab.training.maps_loss import HIDDEN_WEIGHT, normal_loss
from vitruvian.lab.training.maps_model import MapsNet, beside, unit
from vitruvian.lab.training.recipe import Batch, DataOptions, FixedSource, Plan, Source, Step
from vitruvian.lab.training.sources import ShardSource
from vitruvian.networks.maps import INPUT_CHANNELS, MapsNetwork
from vitruvian.networks.session import weights_directory

FINE_PX = 6.0  # sigma: relief is what is finer
FINE_WEIGHT = 6.0
HELD_WEIGHT = 0.3
CROPS = 2  # of each sample, each with an augmentation of its own
ZOOM = (0.4, 0.9)  # of the square around a person: about a window of 256 of 512 pixels
_TRAINED = ("up4", "up2", "up1", "head")
_LEVELS = ("stride8", "stride4", "stride2", "stride1")
_LEAST_SEEN = 0.9  # alpha of what counts: at the outline a blur mixes two surfaces


class SettledNet(MapsNet):
    """The maps network whose batch normalisation is part of its weights already."""

    def train(self, mode: bool = True) -> SettledNet:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


class ReliefRecipe(MapsRecipe):
    """As ``maps``, from the shipped weights, with a loss of what is fine; see the module."""

    name = "relief"
    plan = Plan(samples=8000, batch=4, learning_rate=1e-3, warm_up=200, ema_decay=0.99)

    def build(self, *, pretrained: bool) -> MapsNet:
        net = SettledNet(pretrained=False)
        if pretrained:
            load_exported(net, weights_directory() / f"{MapsNetwork.name}.onnx")
        return net

    def groups(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        model.requires_grad_(False)
        layers = [getattr(model, name).requires_grad_(True) for name in _TRAINED]
        return [(1.0, [p for layer in layers for p in layer.parameters()])]

    def open(self, options: DataOptions) -> Source:
        return KeptFeatures(self.build(pretrained=True), options)

    def loss(self, model: nn.Module, batch: Batch, step: Step) -> dict[str, Tensor]:
        assert isinstance(model, MapsNet)
        fine, coarse = model.front(_features(batch))
        normals, truth, known, seen = _front(fine, batch)
        weight = known * (HIDDEN_WEIGHT + (1 - HIDDEN_WEIGHT) * seen)
        front = normal_loss(normals, truth, weight)
        ours, theirs, counted = fine_normals(normals, truth, known * seen)
        error = (ours - theirs).square().sum(1, keepdim=True)
        relief = (error * counted).sum() / (counted.sum() + 1)
        held = (fine[:, :2] - batch["alphas"].float()).square().mean() + (
            coarse - batch["coarse"].float()
        ).square().mean()
        total = 2 * front + FINE_WEIGHT * relief + HELD_WEIGHT * held
        return {"total": total, "front": front, "fine": relief, "held": held}

    @torch.no_grad()
    def validate(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        assert isinstance(model, MapsNet)
        sums = torch.zeros(5, dtype=torch.float64)
        for batch in batches:
            normals, truth, known, seen = _front(model.front(_features(batch))[0], batch)
            there = known * seen
            angle = torch.rad2deg(torch.acos((normals * truth).sum(1, keepdim=True).clamp(-1, 1)))
            ours, theirs, counted = fine_normals(normals, truth, there)
            for k, value in enumerate(
                (angle * there, there, counted * ours * theirs, counted * ours**2,
                 counted * theirs**2)
            ):  # fmt: skip
                sums[k] += float(value.sum())
        return {
            "front_deg": float(sums[0] / sums[1]),
            "front_fine": float(sums[2] / (sums[3] * sums[4]).sqrt()),
        }

    @torch.no_grad()
    def picture(self, model: nn.Module, batch: Batch) -> np.ndarray:
        assert isinstance(model, MapsNet)
        few = {name: values[:6] for name, values in batch.items()}
        normals, truth, known, _ = _front(model.front(_features(few))[0], few)
        lamp = torch.tensor([-0.55, -0.5, -0.67])[:, None, None]
        rows = [128 * few["stride1"][:, :3].float() + 127]
        rows += [
            (255 * known * (one * lamp).sum(1, keepdim=True)).expand(-1, 3, -1, -1)
            for one in (normals, truth)
        ]
        sheet = torch.cat([torch.cat([*row], 2) for row in rows], 1)
        return sheet.clamp(0, 255).byte().permute(1, 2, 0).numpy()


def fine_normals(normals: Tensor, truth: Tensor, where: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What is fine of two maps (N, 3, H, W), and the weight (N, 1, H, W) with which it counts."""
    weight = (where > _LEAST_SEEN).float()
    counts = blurred(weight, FINE_PX)
    ours, theirs = (
        one - blurred(one * weight, FINE_PX) / counts.clamp(min=0.05) for one in (normals, truth)
    )
    # Where much around does not count, the blur says little.
    return ours, theirs, weight * (counts > 0.6)


def _features(batch: Batch) -> tuple[Tensor, ...]:
    return tuple(batch[name].float() for name in _LEVELS)


def _front(fine: Tensor, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Normals, the true ones, where these are known, and how far they are seen (N, 1, H, W)."""
    inputs = batch["stride1"].float()
    normals = unit(inputs[:, 4:7] + beside(inputs[:, 12:13]) + fine[:, 2:5])
    truth = batch["normals"].float() / 127
    length = truth.square().sum(1, keepdim=True).sqrt()
    known = (length > 0.5).float() * inputs[:, 13:14]
    return normals, truth / length.clamp(min=0.5), known, batch["seen"].float() / 255


class KeptFeatures(FixedSource):
    """Crops of shards and what the network's fixed layers make of them; a ``recipe.Source``."""

    def __init__(self, net: MapsNet, options: DataOptions) -> None:
        if options.shards is None:
            raise InputError(
                "The recipe relief needs shards: write them with vitruvian synth, and name their "
                "folder with --data."
            )
        make = MapsExample(options.crop or CROP, zoomed=0.75, zoom=ZOOM)
        shards = ShardSource(make, replace(options, workers=0))
        self.description = f"{shards.description}; {CROPS} crops of each"
        count = shards.count
        kept = options.shards / f"relief-{make.size}-{count}"
        if not kept.exists():
            temporary = kept.with_suffix(".part")
            shutil.rmtree(temporary, ignore_errors=True)
            training = shards.batches(0, 1)
            crops = (_kept(net, next(training), k) for k in range(CROPS * count))
            _write(temporary / "training", crops, CROPS * count)
            validation = [_kept(net, one, None) for one in shards.validation(1)]
            _write(temporary / "validation", iter(validation), len(validation))
            temporary.replace(kept)
        self._training, self._validation = _open(kept / "training"), _open(kept / "validation")
        self._seed = options.seed

    def batches(self, first: int, size: int) -> Iterator[Batch]:
        count = len(self._training["seen"])
        number = first
        while True:
            rng = np.random.default_rng([self._seed, 5, number])
            yield _read(self._training, rng.permutation(count)[:size])
            number += size

    def validation(self, size: int) -> Iterable[Batch]:
        count = len(self._validation["seen"])
        for start in range(0, count, size):
            yield _read(self._validation, np.arange(start, min(start + size, count)))


def _write(folder: Path, crops: Iterator[Batch], count: int) -> None:
    """Write crops as they come, one array file (count, ...) for each name."""
    folder.mkdir(parents=True)
    files: dict[str, np.ndarray] = {}
    for number, crop in enumerate(crops):
        for name, value in crop.items():
            array = value[0].numpy()
            if name not in files:
                files[name] = np.lib.format.open_memmap(
                    folder / f"{name}.npy", "w+", array.dtype, (count, *array.shape)
                )
            files[name][number] = array


def _open(folder: Path) -> dict[str, np.ndarray]:
    return {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}


def _read(files: dict[str, np.ndarray], chosen: np.ndarray) -> Batch:
    return {name: torch.from_numpy(values[chosen]) for name, values in files.items()}


@torch.no_grad()
def _kept(net: MapsNet, batch: Batch, number: int | None) -> Batch:
    generator = None if number is None else torch.Generator().manual_seed(number)
    prepared = prepare(batch, generator)
    features = net.eval().features(prepared.inputs)
    fine, coarse = net.front(features)
    kept = dict(zip(_LEVELS, (one.half() for one in features), strict=True))
    kept |= {"alphas": fine[:, :2].half(), "coarse": coarse.half()}
    kept["normals"] = (127 * prepared.front_normals).round().to(torch.int8)
    kept["seen"] = (255 * prepared.alpha).round().to(torch.uint8)
    return kept


def load_exported(net: MapsNet, path: Path) -> None:
    """Give a network the weights of an exported one, where batch normalisation is in convolutions.

    Raises:
        MissingExtraError: the package onnx is not installed.
    """
    graph, values = read_exported(path)
    exported = []
    apart: list[np.ndarray] = []  # of what is mixed before it is resized, without a bias
    for node in (node for node in graph.node if node.op_type == "Conv"):
        apart.append(values[node.input[1]])
        if len(node.input) > 2:
            exported.append((np.concatenate(apart, 1), values[node.input[2]]))
            apart = []
    for parameters, (convolution, norm) in zip(exported, _layers(net), strict=True):
        weight, bias = (torch.from_numpy(one.copy()) for one in parameters)
        with torch.no_grad():
            convolution.weight.copy_(weight)
            if norm is None:
                assert convolution.bias is not None
                convolution.bias.copy_(bias)
                continue
            assert norm.running_mean is not None
            assert norm.running_var is not None
            norm.running_mean.zero_()
            norm.running_var.fill_(1 - norm.eps)
            norm.weight.fill_(1)
            norm.bias.copy_(bias)


def _layers(net: MapsNet) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """The convolutions as they are called, each with the batch normalisation after it."""
    called: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda module, *_: called.append(module))
        for module in net.modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    with torch.no_grad():
        net.eval()(torch.zeros(1, INPUT_CHANNELS, 64, 64))
    for hook in hooks:
        hook.remove()
    out: list[tuple[nn.Conv2d, nn.BatchNorm2d | None]] = []
    for module, after in zip(called, [*called[1:], None], strict=True):
        if isinstance(module, nn.Conv2d):
            out.append((module, after if isinstance(after, nn.BatchNorm2d) else None))
    return out
