"""The recipe ``relief``: the shipped maps network trained further, for what is fine in its normals.

It begins with the weights of ``maps.onnx``, sees crops as large as those of 512 pixels show people,
and its loss counts what a blur takes away: folds, seams, lapels.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from vitruvian.errors import MissingExtraError
from vitruvian.lab.training.maps import CROP, MapsRecipe
from vitruvian.lab.training.maps_augment import MapsBatch, blurred, prepare
from vitruvian.lab.training.maps_data import MapsExample
from vitruvian.lab.training.maps_loss import MapsFigures, maps_losses
from vitruvian.lab.training.maps_model import MapsNet, MapsOutput
from vitruvian.lab.training.recipe import Batch, DataOptions, Plan, Source, Step
from vitruvian.lab.training.sources import open_source
from vitruvian.networks.maps import INPUT_CHANNELS, MapsNetwork
from vitruvian.networks.session import weights_directory

FINE_PX = 6.0  # sigma: relief is what is finer
FINE_WEIGHT = 6.0
_LEAST_SEEN = 0.9  # alpha of what counts: at the outline a blur mixes two surfaces
ZOOM = (0.4, 0.9)  # of the square around a person: about a window of 256 of 512 pixels


class SettledNet(MapsNet):
    """The maps network whose batch normalisation is part of its weights already."""

    def train(self, mode: bool = True) -> SettledNet:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self


class ReliefRecipe(MapsRecipe):
    """As ``maps``, from the shipped weights, with a loss of what is fine."""

    name = "relief"
    plan = Plan(samples=8000, batch=8, learning_rate=4e-4, warm_up=400, ema_decay=0.995)

    def build(self, *, pretrained: bool) -> MapsNet:
        net = SettledNet(pretrained=False)
        if pretrained:
            load_exported(net, weights_directory() / f"{MapsNetwork.name}.onnx")
        return net

    def open(self, options: DataOptions) -> Source:
        make = MapsExample(options.crop or CROP, zoomed=0.75, zoom=ZOOM)
        return open_source(make, options)

    def loss(self, model: nn.Module, batch: Batch, step: Step) -> dict[str, Tensor]:
        with torch.no_grad(), torch.autocast(step.generator.device.type, enabled=False):
            prepared = prepare(batch, step.generator)
        output: MapsOutput = model(prepared.inputs)
        losses = maps_losses(output, prepared)
        ours, truth, weight = fine_normals(output.front_normals, prepared)
        error = (ours - truth).square().sum(1, keepdim=True)
        losses["fine"] = (error * weight).sum() / (weight.sum() + 1)
        losses["total"] = losses["total"] + FINE_WEIGHT * losses["fine"]
        return losses

    def validate(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        figures = MapsFigures()
        both = torch.zeros(3, dtype=torch.float64)
        for batch in batches:
            prepared = prepare(batch, None)
            output: MapsOutput = model(prepared.inputs)
            figures.add(output, prepared)
            ours, truth, weight = fine_normals(output.front_normals, prepared)
            for k, (a, b) in enumerate(((ours, truth), (ours, ours), (truth, truth))):
                both[k] += float((weight * a * b).sum())
        return {**figures.means(), "front_fine": float(both[0] / (both[1] * both[2]).sqrt())}


def fine_normals(normals: Tensor, batch: MapsBatch) -> tuple[Tensor, Tensor, Tensor]:
    """What is fine of normals (N, 3, H, W), the same of the truth, and where it counts."""
    truth = batch.front_normals
    known = truth.square().sum(1, keepdim=True) > 0.5
    weight = (known & (batch.alpha > _LEAST_SEEN)).float() * batch.inside
    counts = blurred(weight, FINE_PX)
    away = [
        one - blurred(one * weight, FINE_PX) / counts.clamp(min=0.05) for one in (normals, truth)
    ]
    # Where much around does not count, the blur says little.
    return away[0], away[1], weight * (counts > 0.6)


def load_exported(net: MapsNet, path: Path) -> None:
    """Give a network the weights of an exported one, where batch normalisation is in convolutions.

    Raises:
        MissingExtraError: the package onnx is not installed.
    """
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise MissingExtraError(
            "Reading the shipped weights needs the package onnx: install it with "
            "pip install 'vitruvian[train]'."
        ) from error
    graph = onnx.load(str(path)).graph
    values = {
        constant.name.removesuffix("_half"): numpy_helper.to_array(constant)
        for constant in graph.initializer
    }
    exported = [node for node in graph.node if node.op_type == "Conv"]
    for node, (convolution, norm) in zip(exported, _layers(net), strict=True):
        weight, bias = (
            torch.from_numpy(np.array(values[name], np.float32)) for name in node.input[1:3]
        )
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
