"""The series of occupancy along a ray, and what the learnt fields refuse."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.lab.fields.networks import (
    PICTURES,
    POINT_FEATURES,
    TERMS,
    FourierField,
    LocalField,
    series_basis,
    span_series,
)


def test_series_is_the_cosine_transform_of_occupancy() -> None:
    entries, exits = np.array([0.2, 0.6]), np.array([0.35, 0.9])
    t = (np.arange(20_000) + 0.5) / 20_000
    occupied = ((t >= entries[:, None]) & (t < exits[:, None])).any(0)
    basis = np.cos(np.pi * np.arange(TERMS)[:, None] * t)
    expected = basis @ occupied / len(t) * np.where(np.arange(TERMS) == 0, 1, 2)
    assert np.allclose(span_series(entries, exits), expected, atol=1e-3)


def test_series_gives_occupancy_back() -> None:
    entries = np.array([0.3, 1.0]).reshape(2, 1, 1)
    exits = np.array([0.7, 1.0]).reshape(2, 1, 1)  # the second layer is not there
    t = np.array([0.05, 0.25, 0.35, 0.5, 0.65, 0.75, 0.95])
    found = span_series(entries, exits)[:, 0, 0] @ series_basis(t)
    assert ((found > 0.5) == ((t > 0.3) & (t < 0.7))).all()


def test_what_is_not_there_counts_nothing() -> None:
    nothing = np.full((3, 2, 2), 0.8)
    assert np.abs(span_series(nothing, nothing)).max() == 0


class SilentPoints(LocalField):
    def __init__(self) -> None:
        """Without a file."""


class SilentSeries(FourierField):
    def __init__(self) -> None:
        """Without a file."""


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"expected \(N, 32\) features, got \(5, 31\)"):
        SilentPoints()(np.zeros((5, len(POINT_FEATURES) - 1)))
    with pytest.raises(ValueError, match=r"expected \(42, 8 n, 8 m\) inputs, got \(42, 12, 16\)"):
        SilentSeries()(np.zeros((len(PICTURES), 12, 16)), np.zeros((TERMS, 12, 16)))
