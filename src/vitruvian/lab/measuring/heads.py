"""The measuring network's heads, learnt anew on encoders that stay as they are.

``python -m vitruvian.lab.measuring.heads run/checkpoint.pt data/captures data/children -o run2``

What else is known of somebody, and who else is to be measured, concerns the heads; the encoders
have learnt to see outlines. Encoded once, tens of thousands of pairs take minutes instead of hours.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vitruvian.compute import thread_count
from vitruvian.lab.measuring.dataset import HELD_OUT, Pairs, joined, read_pairs, told_of
from vitruvian.lab.measuring.hair import long_haired
from vitruvian.lab.measuring.recipe import MeasuringNet, MeasuringRecipe, likelihood, log_ratio
from vitruvian.lab.measuring.strangers import learn_same
from vitruvian.lab.training.checkpoint import CHECKPOINT_NAME, Checkpoint
from vitruvian.lab.training.export import export

_BATCH = 128
_RATE, _DECAY = 2e-3, 0.02
_AVERAGED = 0.25  # of the steps, the last, whose weights are averaged
_HAIRED = 0.25  # of the pairs, shown once more with long hair, lest it seem somebody else's
_MIRRORED = 2  # times that a pair is encoded: as it is, and with the front's mirror image


def encoded(model: MeasuringNet, views: np.ndarray) -> Tensor:
    """Features (2, N, F) of views (N, 2, h, w) uint8, of the front as it is and in the mirror, each
    with the side's after them."""
    parts: list[list[Tensor]] = [[], []]
    with torch.no_grad():
        for start in range(0, len(views), _BATCH):
            seen = torch.from_numpy(views[start : start + _BATCH]).float() / 255
            side = model.side(seen[:, 1:])
            for mirrored, part in enumerate(parts):
                front = seen[:, :1].flip(3) if mirrored else seen[:, :1]
                part.append(torch.cat([model.front(front), side], 1))
    return torch.stack([torch.cat(part) for part in parts])


def adopt(model: MeasuringNet, state: dict[str, Tensor]) -> None:
    """Take a network's encoders and scales; its heads where they know as much as ours."""
    ours = model.state_dict()
    model.load_state_dict(
        {k: state[k] if k in state and state[k].shape == v.shape else v for k, v in ours.items()}
    )


def learn(model: MeasuringNet, pairs: Pairs, features: Tensor, epochs: int, seed: int) -> None:
    """Train the three heads of a network on pairs, in place; the encoders stay.

    ``features`` are the pairs' (``encoded``). ``model.mean`` and ``scale`` become those of the
    pairs. The last steps' weights are averaged.
    """
    torch.manual_seed(seed)
    half = features.shape[2] // 2
    ratio = torch.from_numpy(pairs.measures_m / pairs.measures_m[:, :1]).log()
    model.mean.copy_(ratio.mean(0))
    model.scale.copy_(ratio.std(0).clamp(min=1e-3))
    three = (model.front_head, model.side_head, model.head)
    heads = torch.nn.ModuleList(three)
    optimizer = torch.optim.AdamW(heads.parameters(), _RATE, weight_decay=_DECAY)
    rng = np.random.default_rng(seed)
    count = len(pairs.person)
    steps = epochs * (count // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, steps, pct_start=0.1)
    average = torch.optim.swa_utils.AveragedModel(heads)
    measures = torch.from_numpy(pairs.measures_m)
    told_anew = replace(pairs, views=np.zeros((count, 0), np.uint8))
    done = 0
    for _ in range(epochs):
        known = torch.from_numpy(told_of(told_anew, rng))
        order = rng.permutation(count)
        for start in range(0, count - _BATCH + 1, _BATCH):
            chosen = torch.from_numpy(order[start : start + _BATCH])
            which = torch.from_numpy(rng.integers(_MIRRORED, size=_BATCH))
            seen, told = features[which, chosen], known[chosen]
            truth = log_ratio({"known": told, "measures": measures[chosen]})
            parts = seen[:, :half], seen[:, half:], seen
            losses = [
                likelihood(model.scaled(head.each(part, told)), truth)
                for head, part in zip(three, parts, strict=True)
            ]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
            done += 1
            if done > (1 - _AVERAGED) * steps:
                average.update_parameters(heads)
    heads.load_state_dict(average.module.state_dict())


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the measuring network's heads anew.")
    parser.add_argument("checkpoint", type=Path, help="of vitruvian train measuring")
    parser.add_argument("captures", type=Path, nargs="+", help="folders of pairs")
    parser.add_argument("-o", "--output", type=Path, default=Path("training/measuring-heads"))
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(thread_count())
    began = time.perf_counter()
    before = Checkpoint.load(arguments.checkpoint)
    model = MeasuringNet()
    adopt(model, before.ema)
    model.eval()
    pairs = joined([read_pairs(folder) for folder in arguments.captures])
    held = pairs.person % HELD_OUT == 0
    taught = pairs.subset(~held)
    features = encoded(model, taught.views)
    learn(model, taught, features, arguments.epochs, arguments.seed)
    rng = np.random.default_rng(arguments.seed)
    chosen = np.flatnonzero(rng.random(len(taught.person)) < _HAIRED)
    haired = encoded(model, np.stack([long_haired(taught.views[one], rng) for one in chosen]))
    more = taught.subset(np.concatenate([np.arange(len(taught.person)), chosen]))
    learn_same(model, more, torch.cat([features, haired], 1), arguments.seed)
    recipe = MeasuringRecipe()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    people = len(np.unique(pairs.person[~held]))
    after = replace(
        before,
        model=weights,
        ema=weights,
        optimizer={},
        seconds=before.seconds + time.perf_counter() - began,
        description=f"encoders: {before.description}; heads, {arguments.epochs} rounds with the "
        f"encoders as they were: {int((~held).sum()):,} pairs of {people:,} bodies",
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    after.save(arguments.output / CHECKPOINT_NAME)
    kept_back = pairs.subset(np.flatnonzero(held)[:: max(1, held.sum() // 2000)])
    with torch.no_grad():
        figures = recipe.validate(model, [kept_back.batch()])
    for name, value in figures.items():
        print(f"{name:24} {value:.4g}")
    print(export(recipe, after, arguments.output, figures).path)


if __name__ == "__main__":
    main()
