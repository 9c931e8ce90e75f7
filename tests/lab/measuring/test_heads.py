"""Heads that are learnt anew, and what is scored of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra train is not installed")

import torch

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.lab.measuring.dataset import HELD_OUT, Pairs, joined
from vitruvian.lab.measuring.heads import adopt, encoded, learn
from vitruvian.lab.measuring.recipe import MeasuringNet
from vitruvian.lab.measuring.score import Said, averaged, common_share
from vitruvian.networks.measuring import HEIGHT, KNOWN, WIDTH

pytestmark = pytest.mark.train
COUNT = 256


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    """Rectangles, the wider the thicker their measures."""
    rng = np.random.default_rng(0)
    half = rng.integers(8, 24, COUNT // 4).repeat(4)
    views = np.zeros((COUNT, 2, HEIGHT, WIDTH), np.uint8)
    for view, reach in zip(views, half, strict=True):
        view[:, 4:-4, WIDTH // 2 - reach : WIDTH // 2 + reach] = 255
    measures = np.repeat(half[:, None] / 20, len(MEASURES), 1).astype(np.float32)
    measures[:, 0] = 1.7
    return Pairs(
        views, np.arange(COUNT, dtype=np.int32) // 4, np.arange(COUNT).astype(np.uint8) % 3,
        measures, np.full(COUNT, 70, np.float32), np.full(COUNT, 30, np.float32),
        np.zeros(COUNT, np.uint8),
    )  # fmt: skip


def test_heads_learn_while_encoders_stay(pairs):
    torch.manual_seed(0)
    trained = MeasuringNet()
    seen = torch.from_numpy(pairs.views[::4]).float() / 255
    with torch.no_grad():  # as large as features are after training
        for _ in range(20):
            trained(seen, torch.zeros(len(seen), KNOWN))
    before = trained.state_dict()
    # A network that knows less: its encoders are taken, its heads are not.
    less = {k: v[:, :-2] if k == "head.first" else v for k, v in before.items()}
    torch.manual_seed(1)
    model = MeasuringNet()
    adopt(model, less)
    model.eval()
    learn(model, pairs, encoded(model, pairs.views), 60, 0)
    after = model.state_dict()
    for name, value in before.items():
        if name.startswith(("front.", "side.")):
            assert torch.equal(value, after[name]), name
    with torch.no_grad():
        said, _ = model(
            torch.from_numpy(pairs.views).float() / 255,
            torch.from_numpy(pairs.known(weight=False)),
        )
    truth = np.log(pairs.measures_m[:, 5] / 1.7)
    assert np.abs(said[:, 5].numpy() - truth).mean() < 0.3 * truth.std()


def test_people_of_two_folders_are_not_mixed_up(pairs):
    both = joined([pairs, pairs])
    assert len(np.unique(both.person)) == 2 * len(np.unique(pairs.person))
    held = both.person % HELD_OUT == 0
    np.testing.assert_array_equal(held[:COUNT], held[COUNT:])


def test_what_captures_have_in_common_is_found(pairs):
    rng = np.random.default_rng(2)
    theirs = rng.normal(0, 0.03, (COUNT // 4, len(MEASURES)))[pairs.person]
    own = rng.normal(0, 0.04, theirs.shape)
    truth = np.log(pairs.measures_m / pairs.measures_m[:, :1])
    flat = np.zeros_like(truth)
    said = Said(truth + theirs + own, np.full_like(truth, np.log(0.05)), flat, flat)
    assert common_share(said, pairs)[1:].mean() == pytest.approx(0.36, abs=0.05)
    # Captures of one kind of clothes: of four, two are alike at the first kind's turn.
    mean, chosen = averaged(said, pairs, 2)
    assert len(mean.mean) == len(chosen.person) > 0
    off = mean.mean - np.log(chosen.measures_m / chosen.measures_m[:, :1])
    assert off[:, 1:].std() == pytest.approx(np.hypot(0.03, 0.04 / np.sqrt(2)), rel=0.1)
