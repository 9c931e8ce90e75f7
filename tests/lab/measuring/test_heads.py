"""Heads that are learnt anew, and what is scored of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra train is not installed")

import torch

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.lab.measuring.dataset import HELD_OUT, Pairs, joined
from vitruvian.lab.measuring.hair import long_haired
from vitruvian.lab.measuring.heads import adopt, encoded, learn
from vitruvian.lab.measuring.recipe import MeasuringNet
from vitruvian.lab.measuring.score import Said, averaged, common_share
from vitruvian.lab.measuring.strangers import learn_same, strangers
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


def test_front_and_side_of_two_people_are_told_from_those_of_one(pairs):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    model = MeasuringNet()
    many = pairs.subset(np.arange(COUNT).repeat(8))
    width = torch.from_numpy(many.measures_m[:, 5]).reshape(1, -1, 1)
    seen = width * torch.randn(1, 1, 384) + 0.1 * torch.randn(2, width.shape[1], 384)
    features = torch.relu(seen + torch.randn(1, 1, 384))
    alike = replace(many, person=(20 * many.measures_m[:, 5]).round().astype(np.int32))
    learn_same(model, alike, features, 0)
    other, _ = strangers(alike, np.arange(len(alike.person)), 0.5, rng)
    truly = np.abs(many.measures_m[other, 5] - many.measures_m[:, 5]) > 0.3
    front, side = features[0, :, :192], features[0, :, 192:]
    with torch.no_grad():
        one = model.same(front, side).numpy()
        two = model.same(front, side[other]).numpy()[truly]
    assert len(two) > 100
    assert (two < np.quantile(one, 0.05)).mean() > 0.9


def test_strangers_are_of_somebody_else_and_mostly_of_the_same_sex(pairs):
    mixed = replace(pairs, woman=(pairs.person % 2).astype(np.uint8))
    chosen = np.arange(COUNT)
    other, truly = strangers(mixed, chosen, 1.0, np.random.default_rng(1))
    assert (mixed.woman[other] == mixed.woman).all()
    assert (mixed.person[other] != mixed.person)[truly].all()
    assert 0.8 < truly.mean() < 1
    other, _ = strangers(mixed, chosen, 0.0, np.random.default_rng(1))
    assert 0.3 < (mixed.woman[other] == mixed.woman).mean() < 0.7


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
    odds = flat[:, :1]
    said = Said(truth + theirs + own, np.full_like(truth, np.log(0.05)), flat, flat, odds)
    assert common_share(said, pairs)[1:].mean() == pytest.approx(0.36, abs=0.05)
    # Captures of one kind of clothes: of four, two are alike at the first kind's turn.
    mean, chosen = averaged(said, pairs, 2)
    assert len(mean.mean) == len(chosen.person) > 0
    off = mean.mean - np.log(chosen.measures_m / chosen.measures_m[:, :1])
    assert off[:, 1:].std() == pytest.approx(np.hypot(0.03, 0.04 / np.sqrt(2)), rel=0.1)


def test_long_hair_hides_neck_and_back_and_nothing_below():
    view = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    view[:, 4:20, 42:54] = 255  # a head
    view[:, 20:26, 45:51] = 255  # a neck
    view[:, 26:140, 36:60] = 255
    for seed in range(8):
        front, side = long_haired(view, np.random.default_rng(seed))
        for haired, bare in zip((front, side), view, strict=True):
            assert (haired >= bare).all()
            np.testing.assert_array_equal(haired[66:], bare[66:])
        assert front[22, 43] > 128
        assert side[22, 52] > 128
        assert side[22, 43] < 128  # the face looks to the left
