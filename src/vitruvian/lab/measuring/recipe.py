"""The recipe ``measuring``: silhouettes and what is known of somebody to their measures.

Three networks in stages. One reads the front, one the side; then a joint one begins with the
encoders of both. Trained jointly from scratch it would lean on the front, which tells more, and
never learn to read the side.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.errors import InputError
from vitruvian.lab.measuring.dataset import KINDS, PairSource
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
from vitruvian.networks.measuring import HEIGHT, KNOWN, OUTPUTS, WIDTH

APART = 0.4  # share of the schedule in which front and side are learnt apart
_CHANNELS = (16, 32, 64, 96, 128)
_FEATURES = 192
_HIDDEN = 256
_MEMBERS = 4  # of the joint head
# Of the head that tells one person from two.
_MATCHED, _MATCHED_HIDDEN, _MATCHED_DROPOUT = 96, 128, 0.1
_LOUD = 4.0  # times what is known, a few numbers beside hundreds that are seen
_LOG_SD = (-6.0, -0.5)  # limits
_MEAN_M = 1.7


class ViewEncoder(nn.Module):
    """A silhouette (N, 1, h, w) to features (N, 192)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for number, channels in enumerate(_CHANNELS):
            size = 5 if number == 0 else 3
            layers += [
                nn.Conv2d(before, channels, size, 2, size // 2, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(inplace=True),
            ]
            before = channels
        self.layers = nn.Sequential(*layers)
        rows, columns = HEIGHT, WIDTH
        for _ in _CHANNELS:
            rows, columns = (rows + 1) // 2, (columns + 1) // 2
        # Where things are is what measures are made of, so nothing is averaged over the picture.
        self.last = nn.Sequential(
            nn.Flatten(), nn.Linear(before * rows * columns, _FEATURES), nn.ReLU(inplace=True)
        )

    def forward(self, view: Tensor) -> Tensor:
        features: Tensor = self.last(self.layers(view))
        return features


class MeasureHead(nn.Module):
    """Features and what is known to log(measure / height) and its log standard deviation.

    The mean of members that begin differently: each learns some people by heart, and others.
    """

    def __init__(self, views: int, members: int = 1) -> None:
        super().__init__()
        count = views * _FEATURES + KNOWN
        reach = count**-0.5
        self.first = nn.Parameter(torch.empty(members, count, _HIDDEN).uniform_(-reach, reach))
        self.first_bias = nn.Parameter(torch.zeros(members, 1, _HIDDEN))
        self.last = nn.Parameter(torch.zeros(members, _HIDDEN, 2 * len(MEASURES)))
        self.last_bias = nn.Parameter(torch.zeros(members, 1, 2 * len(MEASURES)))

    def each(self, features: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        """What every member says, (members, N, M) each."""
        seen = torch.cat([features, _LOUD * known], 1)
        hidden = torch.relu(seen @ self.first + self.first_bias)
        mean, log_sd = (hidden @ self.last + self.last_bias).chunk(2, 2)
        return mean, log_sd

    def forward(self, features: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_sd = self.each(features, known)
        return mean.mean(0), log_sd.mean(0)


class SameHead(nn.Module):
    """Features of a front and of a side, (N, 192) each, to the log odds (N,) that they are of one
    person."""

    def __init__(self) -> None:
        super().__init__()
        self.front, self.side = (
            nn.Sequential(
                nn.Dropout(_MATCHED_DROPOUT),
                nn.Linear(_FEATURES, _FEATURES),
                nn.ReLU(inplace=True),
                nn.Linear(_FEATURES, _MATCHED),
            )
            for _ in range(2)
        )
        self.last = nn.Sequential(
            nn.Linear(3 * _MATCHED, _MATCHED_HIDDEN),
            nn.ReLU(inplace=True),
            nn.Dropout(_MATCHED_DROPOUT),
            nn.Linear(_MATCHED_HIDDEN, 1),
        )

    def forward(self, front: Tensor, side: Tensor) -> Tensor:
        one, other = self.front(front), self.side(side)
        odds: Tensor = self.last(torch.cat([one, other, 0.3 * (one - other).square()], 1))
        return odds[:, 0]


class MeasuringNet(nn.Module):
    """Views (N, 2, h, w) 0..1 and known (N, 7) to log(measure / height) (N, M) and log sd."""

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.front, self.side = ViewEncoder(), ViewEncoder()
        self.front_head, self.side_head = MeasureHead(1), MeasureHead(1)
        self.head = MeasureHead(2, _MEMBERS)
        self.same = SameHead()
        self.register_buffer("mean", torch.zeros(len(MEASURES)))
        self.register_buffer("scale", torch.ones(len(MEASURES)))

    def scaled(self, raw: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """A head's outputs in units of log ratios."""
        mean, log_sd = raw
        log_sd = (log_sd - 1).clamp(*_LOG_SD) + self.scale.log()
        return self.mean + self.scale * mean, log_sd

    def apart(self, views: Tensor, known: Tensor) -> list[tuple[Tensor, Tensor]]:
        """What the front alone and the side alone say."""
        heads = ((self.front, self.front_head), (self.side, self.side_head))
        return [
            self.scaled(head(encoder(views[:, k : k + 1]), known))
            for k, (encoder, head) in enumerate(heads)
        ]

    def forward(self, views: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
        features = torch.cat([self.front(views[:, :1]), self.side(views[:, 1:])], 1)
        return self.scaled(self.head(features, known))


class ExportedMeasuring(nn.Module):
    """The outputs of ``networks.measuring.OUTPUTS``."""

    def __init__(self, model: MeasuringNet) -> None:
        super().__init__()
        self.model = model

    def forward(self, views: Tensor, known: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        front, side = model.front(views[:, :1]), model.side(views[:, 1:])
        mean, log_sd = model.scaled(model.head(torch.cat([front, side], 1), known))
        alone = ((model.front_head, front), (model.side_head, side))
        apart = (model.scaled(head(one, known))[0] for head, one in alone)
        return mean, log_sd, *apart, model.same(front, side)[:, None]


class MeasuringRecipe(Recipe):
    """Trains the measuring network."""

    name = "measuring"
    plan = Plan(
        samples=400_000, batch=64, learning_rate=1.5e-3, warm_up=4000, weight_decay=0.01,
        ema_decay=0.995,
    )  # fmt: skip
    card = CardFacts(
        title="Body measures from a front and a side silhouette.",
        purpose="In: two silhouettes of one person, front and left side, upright and of one size, "
        "and their height, with weight, sex and age where known. Out: the logarithm of each "
        "measure over the height, and its standard deviation.",
        limits="Learnt from synthetic silhouettes of adults of the build of ANSUR II, from 1.4 to "
        "2.1 m tall, in clothes from none to ordinary ones; coats, skirts to the floor and people "
        "who do not stand upright are beyond it.",
    )

    def build(self, *, pretrained: bool) -> nn.Module:
        return MeasuringNet()

    def open(self, options: DataOptions) -> Source:
        if options.shards is None:
            raise InputError(
                "Measuring trains on pairs on disk: give --data, the folder of "
                "python -m vitruvian.lab.measuring.dataset."
            )
        self._source = PairSource(options.shards, options.seed)
        return self._source

    def loss(self, model: nn.Module, batch: Batch, step: Step) -> dict[str, Tensor]:
        assert isinstance(model, MeasuringNet)
        if step.samples_seen == 0:
            self._standardise(model)
        views = batch["views"].float() / 255
        if torch.rand((), generator=step.generator) < 0.5:
            # Bodies are alike on both sides, so a front's mirror image is as good; a side's is not.
            views = torch.cat([views[:, :1].flip(3), views[:, 1:]], 1)
        shift = torch.randint(-1, 2, (2,), generator=step.generator).tolist()
        views = torch.roll(views, shift, (2, 3))
        truth = log_ratio(batch)
        if step.progress < APART:
            front, side = model.apart(views, batch["known"])
            terms = {"front": likelihood(front, truth), "side": likelihood(side, truth)}
        else:
            seen = torch.cat([model.front(views[:, :1]), model.side(views[:, 1:])], 1)
            each = model.scaled(model.head.each(seen, batch["known"]))
            terms = {"joint": likelihood(each, truth)}
        return {"total": torch.stack(list(terms.values())).sum(), **terms}

    def _standardise(self, model: MeasuringNet) -> None:
        """Outputs in units of what people differ in."""
        measures = torch.from_numpy(self._source.training.measures_m)
        ratio = (measures / measures[:, :1]).log()
        model.mean.copy_(ratio.mean(0))
        model.scale.copy_(ratio.std(0).clamp(min=1e-3))

    def validate(self, model: nn.Module, batches: Iterable[Batch]) -> dict[str, float]:
        assert isinstance(model, MeasuringNet)
        errors: dict[str, list[Tensor]] = {"front": [], "side": [], "joint": [], "weighed": []}
        kinds, inside = [], []
        for batch in batches:
            views, truth = batch["views"].float() / 255, batch["measures"]
            height = truth[:, :1]
            front, side = model.apart(views, batch["known"])
            joint = model(views, batch["known"])
            said = {"front": front, "side": side, "joint": joint}
            said["weighed"] = model(views, batch["weighed"])
            for name, (mean, _) in said.items():
                errors[name].append((height * mean.exp() - truth).abs())
            sure = 1.645 * joint[1].exp()
            inside.append(((log_ratio(batch) - joint[0]).abs() < sure).float())
            kinds.append(batch["kind"])
        kind = torch.cat(kinds)
        figures = {}
        for name, parts in errors.items():
            error = 100 * torch.cat(parts)[:, 1:]  # the stature is given
            figures[f"{name}_cm"] = float(error.mean())
            for number, one in enumerate(KINDS):
                if (kind == number).any():
                    figures[f"{name}_{one}_cm"] = float(error[kind == number].mean())
        joint_error = 100 * torch.cat(errors["joint"]).mean(0)
        for number, measure in enumerate(MEASURES):
            if measure.name in ("chest", "waist", "hip"):
                figures[f"{measure.name}_cm"] = float(joint_error[number])
        figures["inside_90"] = float(torch.cat(inside)[:, 1:].mean())
        return figures

    def picture(self, model: nn.Module, batch: Batch) -> np.ndarray:
        """The pairs, side by side, each with a bar of its mean error (1 cm = 20 pixels)."""
        assert isinstance(model, MeasuringNet)
        views = batch["views"][:12]
        mean, _ = model(views.float() / 255, batch["known"][:12])
        truth = batch["measures"][:12]
        error = 100 * (truth[:, :1] * mean.exp() - truth).abs()[:, 1:].mean(1)
        rows = []
        for pair, wrong in zip(views.numpy(), error.tolist(), strict=True):
            panel = np.concatenate(list(pair), 1)
            panel[-3:, : min(panel.shape[1], int(20 * wrong))] = 160
            rows.append(panel)
        grey = np.concatenate([np.concatenate(rows[k::3], 1) for k in range(3)])
        return np.repeat(grey[..., None], 3, 2)

    def graph(self, model: nn.Module) -> Graph:
        inputs = (torch.rand(1, 2, HEIGHT, WIDTH), torch.zeros(1, KNOWN))
        axes = {name: {0: "people"} for name in ("views", "known", *OUTPUTS)}
        assert isinstance(model, MeasuringNet)
        exported = ExportedMeasuring(model)
        return Graph(exported, inputs, ("views", "known"), OUTPUTS, axes, tolerance=0.05)


def log_ratio(batch: Batch) -> Tensor:
    """Log of measures over the height that is told."""
    told = _MEAN_M * (batch["known"][:, :1] / 10).exp()
    return (batch["measures"] / told).log()


def likelihood(said: tuple[Tensor, Tensor], truth: Tensor) -> Tensor:
    """Negative log likelihood of a Gaussian, with a share of plain error, which learns faster."""
    mean, log_sd = said
    error = truth - mean
    scale = log_sd.detach().exp()
    gauss = (error / log_sd.exp()).square() / 2 + log_sd
    return gauss.mean() + 0.5 * (error / scale).abs().clamp(max=30).mean()
