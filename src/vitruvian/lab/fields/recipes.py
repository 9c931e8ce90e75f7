"""The recipes of the learnt fields: ``field``, an MLP on local features, and ``fourier``.

Both correct the surface at hand, begin with the correction zero, and see the same people. See
``docs/experiments/learnt-fields.md``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vitruvian.errors import InputError
from vitruvian.lab.fields.data import PreparedSource
from vitruvian.lab.fields.networks import (
    GAIN,
    PICTURES,
    POINT_FEATURES,
    SIZE,
    SOFTNESS,
    TERMS,
    series_basis,
)
from vitruvian.lab.training.recipe import (
    Batch,
    CardFacts,
    DataOptions,
    Graph,
    Plan,
    Recipe,
    Source,
    Step,
)

_SHOWN = 512  # of a person's points at a time
_SIDEWAYS = ("front_x", "back_x", "body_x", "body_front_x", "body_back_x")
_COLUMNS = 48  # of a person's pictures at a time
_SLICES = 64  # depths at which rays are examined


def mirror_signs(names: tuple[str, ...]) -> Tensor:
    """(C,) -1 where a feature changes its sign in a mirror, else 1."""
    return torch.tensor([-1.0 if name in _SIDEWAYS else 1.0 for name in names])


class LocalFieldNet(nn.Module):
    """Features (..., 32) of points to corrections (...): 32-128-128-64-1."""

    def __init__(self, widths: tuple[int, ...] = (128, 128, 64)) -> None:
        super().__init__()
        sizes = (len(POINT_FEATURES), *widths)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.last = nn.Linear(sizes[-1], 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, features: Tensor) -> Tensor:
        for layer in self.hidden:
            features = functional.relu(layer(features))
        out: Tensor = self.last(features)
        return out[..., 0]


class FourierFieldNet(nn.Module):
    """A light U-Net: pictures and series (N, 42, H, W) to residual series (N, 16, H, W)."""

    def __init__(self, widths: tuple[int, ...] = (16, 32, 64, 96)) -> None:
        super().__init__()
        self.stem = _block(len(PICTURES) + TERMS, widths[0])
        self.down = nn.ModuleList(_block(a, b, stride=2) for a, b in pairwise(widths))
        self.up = nn.ModuleList(
            _block(a + b, a) for a, b in zip(widths[-2::-1], widths[:0:-1], strict=True)
        )
        self.last = nn.Conv2d(widths[0], TERMS, 1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        kept = [self.stem(inputs)]
        for down in self.down:
            kept.append(down(kept[-1]))
        out = kept.pop()
        for up in self.up:
            raised = functional.interpolate(out, scale_factor=2.0, mode="nearest")
            out = up(torch.cat([kept.pop(), raised], 1))
        found: Tensor = self.last(out)
        return found


def _block(inner: int, outer: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inner, outer, 3, stride=stride, padding=1),
        nn.ReLU(),
        nn.Conv2d(outer, outer, 3, padding=1),
        nn.ReLU(),
    )


def series(layers: Tensor) -> Tensor:
    """As ``networks.field.span_series`` of layers (N, 2, K, H, W), entries and exits in 0..1."""
    n = torch.arange(1, TERMS, device=layers.device)[None, :, None, None, None]
    turn = torch.pi * n
    entries, exits = layers[:, 0, None], layers[:, 1, None]
    waves = ((torch.sin(turn * exits) - torch.sin(turn * entries)) * 2 / turn).sum(2)
    return torch.cat([(exits - entries).sum(2), waves], 1)


def occupied(layers: Tensor, places: Tensor) -> Tensor:
    """Whether places (D,) of 0..1 are within layers (N, 2, K, H, W): (N, D, H, W) bool."""
    at = places[None, :, None, None]
    out = torch.zeros((len(layers), len(places), *layers.shape[3:]), dtype=torch.bool)
    for k in range(layers.shape[2]):
        out |= (at >= layers[:, 0, k, None]) & (at < layers[:, 1, k, None])
    return out


class _FieldRecipe(Recipe):
    """What both have in common: prepared examples."""

    arrays: tuple[str, ...]

    def open(self, options: DataOptions) -> Source:
        if options.shards is None:
            raise InputError(
                f"The recipe {self.name} needs prepared examples: make them with python -m "
                "vitruvian.lab.fields.data and give their folder as --data."
            )
        return PreparedSource(options.shards, self.arrays, options.seed)


class LocalFieldRecipe(_FieldRecipe):
    """Local features of points to corrections of the surface at hand."""

    name = "field"
    arrays = ("points", "inside")
    plan = Plan(samples=100_000, batch=32, learning_rate=2e-3, warm_up=2000, weight_decay=1e-4)
    card = CardFacts(
        title="correction of a person's occupancy at single points, from local features.",
        purpose="In: signed distances to the clothed surface at hand, to the fitted body and to "
        "what the maps network says, with normals, alpha and parts. Out: what is added to the "
        "logit of occupancy, see `vitruvian.lab.fields.networks.LocalField`.",
        limits="Trained on synthetic people alone. It sees one point at a time: it moves a surface "
        "by what is usual for such a place, and cannot mend a wrong pose.",
    )

    def build(self, *, pretrained: bool) -> LocalFieldNet:
        return LocalFieldNet()

    def loss(self, model: nn.Module, batch: Batch, step: Step) -> dict[str, Tensor]:
        points, inside = batch["points"], batch["inside"]
        count = points.shape[1]
        chosen = torch.randperm(count, generator=step.generator, device=points.device)[:_SHOWN]
        features = points[:, chosen].float()
        if torch.rand((), generator=step.generator, device=points.device) < 0.5:
            features = features * mirror_signs(POINT_FEATURES).to(points.device)
        logits = features[..., 0] / (GAIN * SOFTNESS) + model(features)
        loss = functional.binary_cross_entropy_with_logits(logits, inside[:, chosen].float())
        return {"total": loss}

    def validate(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        counts = torch.zeros(2, 2)
        for batch in batches:
            features, inside = batch["points"].float(), batch["inside"]
            own = features[..., 0] / (GAIN * SOFTNESS)
            for row, logits in enumerate((own, own + model(features))):
                found = logits > 0
                counts[row] += torch.stack([(found & inside).sum(), (found | inside).sum()]).cpu()
        before, after = counts[:, 0] / counts[:, 1].clamp(min=1)
        return {"iou": float(after), "iou_before": float(before)}

    def picture(self, model: nn.Module, batch: Batch) -> np.ndarray:
        """Depth before the front (columns, -5 to 5 % of the stature) and the share of points found
        occupied at that depth, one row per person: before, after, true."""
        features, inside = batch["points"].float(), batch["inside"]
        own = features[..., 0] / (GAIN * SOFTNESS)
        kinds = [own.sigmoid(), (own + model(features)).sigmoid(), inside.float()]
        column = ((features[..., 1] / GAIN + 0.05) / 0.1 * 40).long().clamp(0, 39)
        rows = []
        for kind in kinds:
            total = torch.zeros(len(kind), 40, device=kind.device).scatter_add(1, column, kind)
            count = torch.zeros_like(total).scatter_add(1, column, torch.ones_like(kind))
            rows.append(total / count.clamp(min=1))
        sheet = torch.stack(rows, 1).reshape(-1, 40).repeat_interleave(6, 0)
        picture = (255 * sheet.repeat_interleave(6, 1)).byte().cpu().numpy()
        return np.repeat(picture[..., None], 3, 2)

    def graph(self, model: nn.Module) -> Graph:
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn((64, len(POINT_FEATURES)), generator=generator)
        axes = {"inputs": {0: "points"}, "correction": {0: "points"}}
        return Graph(model, (inputs,), ("inputs",), ("correction",), axes, tolerance=0.1)


class FourierFieldRecipe(_FieldRecipe):
    """Pictures and the series of the surface at hand to what its series lacks."""

    name = "fourier"
    arrays = ("pictures", "layers", "truth", "known")
    plan = Plan(samples=30_000, batch=8, learning_rate=1e-3, warm_up=1000, weight_decay=1e-4)
    card = CardFacts(
        title="correction of a person's occupancy along rays, as Fourier series.",
        purpose="In: what is known of a person pixel by pixel, and the cosine series of the "
        "clothed surface at hand. Out: what is added to its coefficients, see "
        "`vitruvian.lab.fields.networks.FourierField`.",
        limits="Trained on synthetic people alone. Sixteen terms over the range of a person's "
        "depths are as fine as some 3 cm: what is thinner is left to the surface at hand.",
    )

    def build(self, *, pretrained: bool) -> FourierFieldNet:
        return FourierFieldNet()

    def loss(self, model: nn.Module, batch: Batch, step: Step) -> dict[str, Tensor]:
        mirrored = bool(
            torch.rand((), generator=step.generator, device=step.generator.device) < 0.5
        )
        inputs, own, true, weight = _prepared(_narrowed(batch), mirrored)
        missing = true - own - model(inputs).float()
        # Parseval: the mean squared error of occupancy along the ray; a cosine's mean square is ½.
        error = missing[:, 0].square() + 0.5 * missing[:, 1:].square().sum(1)
        return {"total": (error * weight).sum() / weight.sum().clamp(min=1)}

    def validate(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        places = (torch.arange(_SLICES) + 0.5) / _SLICES
        counts = torch.zeros(3, 2)
        for batch in batches:
            inputs, own, _, weight = _prepared(batch, False)
            delta = model(inputs).float()
            basis = torch.from_numpy(series_basis(places.numpy())).to(own.device)
            truth = occupied(batch["truth"].float().cpu(), places)
            before = occupied(batch["layers"].float().cpu(), places)
            sharp = before + torch.einsum("nchw,cd->ndhw", delta, basis).cpu()
            plain = torch.einsum("nchw,cd->ndhw", own + delta, basis).cpu()
            where = (weight > 0).cpu()[:, None]
            for row, found in enumerate((before, sharp > 0.5, plain > 0.5)):
                counts[row] += torch.stack(
                    [(found & truth & where).sum(), ((found | truth) & where).sum()]
                )
        before, sharp, plain = counts[:, 0] / counts[:, 1].clamp(min=1)
        return {"iou": float(sharp), "iou_of_series": float(plain), "iou_before": float(before)}

    def picture(self, model: nn.Module, batch: Batch) -> np.ndarray:
        """Rows: people. Columns: thickness along the ray, before, found, true."""
        few = {name: values[:8] for name, values in batch.items()}
        inputs, own, true, weight = _prepared(few, False)
        found = own + model(inputs).float()
        columns = [2 * picture[:, 0] * weight for picture in (own, found, true)]
        sheet = torch.cat(columns, 2).reshape(-1, 3 * own.shape[3])
        picture = (255 * sheet.clamp(0, 1)).byte().cpu().numpy()
        return np.repeat(picture[..., None], 3, 2)

    def graph(self, model: nn.Module) -> Graph:
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn((1, len(PICTURES) + TERMS, SIZE, SIZE), generator=generator) * 0.3
        free = {2: "height", 3: "width"}
        axes = {"inputs": free, "residual": free}
        return Graph(model, (inputs,), ("inputs",), ("residual",), axes, tolerance=0.1)


def _narrowed(batch: Batch) -> Batch:
    """The columns in which most of each person is: people are high, and what is beside them teaches
    nothing."""
    covered = batch["pictures"][:, PICTURES.index("layers")] > 0
    counts = covered.sum(1).float()[:, None]
    width = min(_COLUMNS, counts.shape[2])
    within = functional.conv1d(counts, counts.new_ones(1, 1, width))[:, 0]
    starts = within.argmax(1).tolist()
    return {
        name: torch.stack([one[..., k : k + width] for one, k in zip(values, starts, strict=True)])
        for name, values in batch.items()
    }


def _prepared(batch: Batch, mirrored: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Inputs (N, 42, H, W), own and true series (N, 16, H, W), and pixels that count (N, H, W)."""
    pictures, layers, truth = (batch[name].float() for name in ("pictures", "layers", "truth"))
    covered = pictures[:, PICTURES.index("layers")] > 0
    weight = (batch["known"] & covered).float()
    if mirrored:
        signs = mirror_signs(PICTURES).to(pictures.device)[:, None, None]
        pictures = (pictures * signs).flip(-1)
        layers, truth, weight = layers.flip(-1), truth.flip(-1), weight.flip(-1)
    own = series(layers)
    return torch.cat([pictures, own], 1), own, series(truth), weight
