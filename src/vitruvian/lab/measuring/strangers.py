"""Front and side of two people: what tells them from those of one, and pairs to learn it from."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import softplus

from vitruvian.anthropometry.subject import GROWN_AGE
from vitruvian.lab.measuring.dataset import Pairs
from vitruvian.lab.measuring.recipe import MeasuringNet

_EPOCHS, _BATCH = 14, 256
_RATE, _DECAY = 2e-3, 0.05
_ALIKE = 0.7  # of the strangers


def strangers(
    pairs: Pairs, chosen: np.ndarray, alike: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Other people's pairs.

    Args:
        pairs: to draw from.
        chosen: (N,) numbers of pairs.
        alike: share that is drawn among those of the same sex who are as grown.
        rng: what draws.

    Returns:
        (N,) int a pair for each, and (N,) bool whether it is truly of somebody else.
    """
    group = pairs.woman + 2 * (pairs.age < GROWN_AGE)
    found = rng.integers(len(group), size=len(chosen))
    among = rng.random(len(chosen)) < alike
    for one in np.unique(group):
        ours = among & (group[chosen] == one)
        found[ours] = rng.choice(np.flatnonzero(group == one), int(ours.sum()))
    return found, pairs.person[found] != pairs.person[chosen]


def learn_same(model: MeasuringNet, pairs: Pairs, features: Tensor, seed: int) -> None:
    """Train ``model.same`` in place, on pairs and on fronts with somebody else's side.

    ``features`` are the pairs' (``heads.encoded``); the other heads have learnt already.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head, half, count = model.same, features.shape[2] // 2, len(pairs.person)
    optimizer = torch.optim.AdamW(head.parameters(), _RATE, weight_decay=_DECAY)
    steps = _EPOCHS * (count // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, steps, pct_start=0.1)
    head.train()
    for _ in range(_EPOCHS):
        order = rng.permutation(count)
        for start in range(0, count - _BATCH + 1, _BATCH):
            chosen = order[start : start + _BATCH]
            other, truly = strangers(pairs, chosen, _ALIKE, rng)
            mirrored = int(rng.integers(len(features)))
            front = features[mirrored, chosen, :half]
            one = head(front, features[0, chosen, half:])
            two = head(front, features[0, other, half:])[torch.from_numpy(truly)]
            optimizer.zero_grad()
            (softplus(-one).mean() + softplus(two).mean()).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    head.eval()
