"""What a recipe is: the network, the data, the loss and the examination of one kind of training.

A recipe is a subclass of :class:`Recipe` and one line of ``RECIPES``; ``loop.train`` does the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from vitruvian.errors import InputError

# Named tensors whose first dimension counts the examples.
Batch = dict[str, Tensor]

# Modules are imported when their recipe runs.
RECIPES = {
    "depth": "vitruvian.lab.training.depth.DepthRecipe",
    "maps": "vitruvian.lab.training.maps.MapsRecipe",
    "relief": "vitruvian.lab.training.maps_relief.ReliefRecipe",
    "measuring": "vitruvian.lab.measuring.recipe.MeasuringRecipe",
    "cues": "vitruvian.lab.training.body_estimate.BodyEstimateRecipe",
    "cues-further": "vitruvian.lab.training.body_estimate_further.FurtherBodyEstimateRecipe",
    "field": "vitruvian.lab.fields.recipes.LocalFieldRecipe",
    "fourier": "vitruvian.lab.fields.recipes.FourierFieldRecipe",
}


@dataclass(frozen=True)
class Plan:
    """How a recipe is trained.

    Attributes:
        samples: how many are seen over the whole schedule, in however many runs.
        batch: examples per step.
        learning_rate: at its highest, for parameters whose group has the factor 1.
        warm_up: samples over which the learning rate rises from zero.
        weight_decay: AdamW's.
        ema_decay: of the average of the weights that is validated and exported.
        clip_norm: the gradient's norm is cut to this.
        final_rate: learning rate at the end, as a share of the highest.
    """

    samples: int
    batch: int = 16
    learning_rate: float = 1e-3
    warm_up: int = 2000
    weight_decay: float = 1e-2
    ema_decay: float = 0.999
    clip_norm: float = 2.0
    final_rate: float = 0.01


@dataclass(frozen=True)
class DataOptions:
    """Where the examples come from.

    Attributes:
        shards: folder of ``vitruvian synth``, or None to make the samples while training.
        observed: folder with what the pipeline saw of the shards (``training.observations``).
        seed: of order and augmentation, and of samples made while training.
        workers: processes that prepare examples; 0 prepares them in the training process.
        assets: MakeHuman's assets, needed where samples are made while training.
        backgrounds: folder of photographs for augmentation, or None.
        device: where batches are used.
        size: side in pixels of the samples that are made while training.
        crop: side in pixels of the network's input, or None for the recipe's own.
    """

    shards: Path | None = None
    observed: Path | None = None
    seed: int = 0
    workers: int = 1
    assets: Path | None = None
    backgrounds: Path | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    size: int = 320
    crop: int | None = None


class Source(Protocol):
    """A stream of batches that can be entered anywhere."""

    @property
    def description(self) -> str:
        """A sentence for the model card: what, how much, which seeds."""

    def batches(self, first: int, size: int) -> Iterator[Batch]:
        """Batches of ``size`` examples without end, beginning with the one numbered ``first``.

        Where the data set is fixed, number n is always the same example, so that a run that was
        interrupted goes on as if it had not been.
        """

    def validation(self, size: int) -> Iterable[Batch]:
        """The held-back examples in batches of at most ``size``, always the same."""

    def state(self) -> dict[str, Any]:
        """Plain values kept in the checkpoint."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of an earlier run."""

    def close(self) -> None:
        """End what was started."""


class FixedSource:
    """What a ``Source`` of a fixed data set has to keep, to go on from and to end: nothing, for the
    number of samples seen says it all."""

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Step:
    """Where training stands, for losses and augmentation that depend on it.

    Attributes:
        samples_seen: before this step.
        progress: share of the whole schedule, 0..1.
        generator: random numbers on the training device, seeded by the samples seen.
    """

    samples_seen: int
    progress: float
    generator: torch.Generator


@dataclass(frozen=True)
class Graph:
    """What is exported.

    Attributes:
        module: takes and returns tensors alone.
        inputs: example inputs.
        input_names, output_names: of the ONNX graph.
        dynamic_axes: per name, its free dimensions (axis -> name).
        tolerance: greatest difference allowed between the graph in 16-bit weights and torch.
    """

    module: nn.Module
    inputs: tuple[Tensor, ...]
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    dynamic_axes: Mapping[str, Mapping[int, str]]
    tolerance: float = 0.1


@dataclass(frozen=True)
class CardFacts:
    """What the model card says beside the figures.

    Attributes:
        title: one line.
        purpose: what goes in and what comes out.
        limits: what it cannot do.
        licence: SPDX identifier of the weights.
        provenance: what else the weights come from.
    """

    title: str
    purpose: str
    limits: str
    licence: str = "Apache-2.0"
    provenance: str = ""


class Recipe(ABC):
    """One kind of training. Instances must be cheap to make."""

    name: str
    plan: Plan
    card: CardFacts

    @abstractmethod
    def build(self, *, pretrained: bool) -> nn.Module:
        """The network; ``pretrained`` asks for ImageNet's weights in its encoder."""

    def groups(self, model: nn.Module) -> list[tuple[float, list[nn.Parameter]]]:
        """Parameters with the factor of their learning rate."""
        return [(1.0, list(model.parameters()))]

    @abstractmethod
    def open(self, options: DataOptions) -> Source:
        """The stream of training batches, and the held-back examples."""

    @abstractmethod
    def loss(self, model: nn.Module, batch: Batch, step: Step) -> dict[str, Tensor]:
        """Scalars by name: ``total`` is minimised, the others are logged.

        Augmentation happens here, on the device. Under mixed precision the model's outputs come
        in 16 bits: turn them to float32 before anything delicate.
        """

    @abstractmethod
    def validate(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        """Figures by name over the held-back examples (already on the device); no gradients."""

    @abstractmethod
    def picture(self, model: nn.Module, batch: Batch) -> np.ndarray:
        """A picture (H, W, 3) uint8 of what the network makes of some held-back examples."""

    @abstractmethod
    def graph(self, model: nn.Module) -> Graph:
        """What to export, on the CPU."""


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        InputError: there is none.
    """
    if name not in RECIPES:
        raise InputError(f"There is no recipe {name!r}: choose one of {', '.join(RECIPES)}.")
    module, class_name = RECIPES[name].rsplit(".", 1)
    made: Recipe = getattr(import_module(module), class_name)()
    return made
