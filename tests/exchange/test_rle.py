"""Run lengths against a slow version, and against strings that COCO's own code wrote."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.exchange.rle import decode_rle, encode_rle


def runs_of(mask: np.ndarray) -> list[int]:
    runs, value, length = [], False, 0
    for column in range(mask.shape[1]):
        for row in range(mask.shape[0]):
            if bool(mask[row, column]) != value:
                runs.append(length)
                value, length = not value, 0
            length += 1
    return [*runs, length]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_round_trip(height: int, width: int, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    assert (decode_rle(encode_rle(mask), height, width) == mask).all()
    assert (decode_rle(runs_of(mask), height, width) == mask).all()


def test_long_runs() -> None:
    mask = np.zeros((1500, 1000), bool)
    mask[100:1400, 300:700] = True
    assert (decode_rle(encode_rle(mask).encode(), 1500, 1000) == mask).all()


def test_as_coco_writes_them() -> None:
    # The specification by hand: 6 zeros, 1 one, 40 zeros, 4 ones, 13 zeros in 8 x 8. The first
    # three as they are, then the difference to the run but one before: 4 - 1 = 3, 13 - 40 = -27.
    assert encode_rle(decode_rle([6, 1, 40, 4, 13], 8, 8)) == "61X13UO"


@pytest.mark.parametrize("counts", [[5, 5], [-1, 17], "", "~~~~", "X", [16.5]])
def test_what_does_not_fill_the_picture(counts: list[int] | str) -> None:
    with pytest.raises(ValueError, match=r"fill|encoding|within"):
        decode_rle(counts, 5, 5)
