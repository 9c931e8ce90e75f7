"""The recipe ``cues-further``: the shipped body estimate trained further, on more people.

It begins with the weights of ``cues.onnx``, which know people whose observations nobody has any
more, and exports the mean of these and of what training made of them: on people not seen, means of
weights keep what both know (Wortsman and others, Robust fine-tuning of zero-shot models, 2022).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from vitruvian.lab.training.body_estimate import BodyEstimateRecipe
from vitruvian.lab.training.body_estimate_data import ObservedSource
from vitruvian.lab.training.body_estimate_model import BodyEstimateModel
from vitruvian.lab.training.exported import read_exported
from vitruvian.lab.training.recipe import DataOptions, Graph, Plan, Source
from vitruvian.networks.body_estimate import BodyEstimateNetwork
from vitruvian.networks.session import weights_directory

_KEPT = 0.5  # of the shipped weights
_SLOW = 0.05  # learning rate of the heads on the features, to that of the others
_TRANSPLANTS = 35_000


class FurtherBodyEstimateRecipe(BodyEstimateRecipe):
    """As ``cues``, from the shipped weights; see the module."""

    name = "cues-further"
    plan = Plan(
        samples=500_000, batch=256, learning_rate=6e-4, warm_up=7500, weight_decay=0.05,
        ema_decay=0.99,
    )  # fmt: skip

    def build(self, *, pretrained: bool) -> nn.Module:
        return shipped() if pretrained else BodyEstimateModel()

    def groups(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        (_, rest), (_, slow) = super().groups(model)
        return [(1.0, rest), (_SLOW, slow)]

    def open(self, options: DataOptions) -> Source:
        return ObservedSource(self.observed(options), options.seed, _TRANSPLANTS)

    def graph(self, model: nn.Module) -> Graph:
        return super().graph(mixed(shipped(), model, _KEPT))


def mixed(one: nn.Module, other: nn.Module, share: float) -> nn.Module:
    """``one`` with ``share`` of its own weights and the rest of the other's."""
    with torch.no_grad():
        for mine, theirs in zip(one.parameters(), other.parameters(), strict=True):
            mine.copy_(share * mine + (1 - share) * theirs)
    return one


def shipped(path: Path | None = None) -> BodyEstimateModel:
    """The network with the weights that the package ships, or of another exported file.

    Raises:
        MissingExtraError: the package onnx is not installed.
    """
    graph, values = read_exported(path or weights_directory() / f"{BodyEstimateNetwork.name}.onnx")
    model = BodyEstimateModel()
    state = model.state_dict()
    for name, value in values.items():
        if name.removeprefix("model.") in state:
            state[name.removeprefix("model.")] = torch.from_numpy(value)
    for node in graph.node:
        # Layers without a bias lose their names: what they are is in that of their output.
        if node.op_type == "MatMul" and node.input[1] in values:
            head = node.output[0].split("/")[2].rsplit("_", 1)[0]
            state[f"more.{head}.weight"] = torch.from_numpy(values[node.input[1]].T.copy())
    model.load_state_dict(state)
    return model
