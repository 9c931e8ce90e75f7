"""What a single photograph suggests of measures."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from vitruvian.anthropometry.one_view import NAMES, guessed_measures
from vitruvian.anthropometry.tape import measures_of_shape
from vitruvian.body.model.model import body_model
from vitruvian.types.seen import WHOLE


def body(height_m=None, height_sd_m=0.0, seen=WHOLE):
    model = body_model()
    betas = model.shape_prior("women").mean
    stature = measures_of_shape(model, betas)["stature"]
    return SimpleNamespace(
        model=model,
        betas=betas,
        height_m=height_m or stature,
        height_sd_m=height_sd_m,
        seen=seen,
    )


def test_the_value_is_the_tape_s_on_the_fitted_body():
    found = guessed_measures(body())
    taken = measures_of_shape(body_model(), body().betas)
    assert list(found) == list(NAMES)
    for name, one in found.items():
        assert one.cm == pytest.approx(100 * taken[name], rel=1e-3)
        assert 0.5 * one.cm < one.low_cm < one.cm < one.high_cm < 2 * one.cm


def test_all_of_it_grows_with_the_height_and_the_bands_with_its_doubt():
    sure, tall = guessed_measures(body()), guessed_measures(body(height_m=1.9))
    unsure = guessed_measures(body(height_sd_m=0.08))
    ratio = 1.9 / body().height_m
    for name in NAMES:
        assert tall[name].cm == pytest.approx(ratio * sure[name].cm, rel=1e-6)
        wide, narrow = (np.log(one[name].high_cm / one[name].low_cm) for one in (unsure, sure))
        assert wide > narrow


def test_of_children_and_halves_nothing_is_said():
    assert guessed_measures(body(height_m=1.2)) is None
    assert guessed_measures(body(seen=replace(WHOLE, extent="half"))) is None
