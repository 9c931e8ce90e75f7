"""Films: what is written has the frames, their times, and where one may begin."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from vitruvian.video.film import writing
from vitruvian.video.film.boxes import find_box, samples_of
from vitruvian.video.film.mp4 import TIMESCALE
from vitruvian.video.film.writing import FilmWriter

TIMES = (3.0, 3.04, 3.1, 3.14, 3.2)  # of no even rate


@pytest.fixture(scope="module")
def film() -> bytes:
    """Five frames, in groups of two."""
    writer = FilmWriter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "GROUP", 2)
        for number, time_s in enumerate(TIMES):
            frame = np.full((64, 96, 3), 40 * number, np.uint8)
            frame[:, 10 * number : 10 * number + 20] = 255
            writer.add(frame, time_s)
        return writer.to_mp4()


def numbers(film: bytes, kind: bytes) -> np.ndarray:
    content = find_box(find_box(film, b"moov"), kind)
    return np.array(struct.unpack_from(f">{len(content) // 4}I", content))


def test_every_frame_is_there_for_as_long_as_it_is_shown(film):
    assert len(samples_of(film)) == len(TIMES)
    table = numbers(film, b"stts")[2:].reshape(-1, 2)
    assert (table[:, 0] == 1).all()
    np.testing.assert_allclose(table[:-1, 1] / TIMESCALE, np.diff(TIMES), atol=1e-4)


def test_every_group_begins_with_a_frame_that_stands_alone(film):
    assert numbers(film, b"stss")[2:].tolist() == [1, 3, 5]
    # A temporal unit of AV1 begins with its delimiter; one that stands alone has the sequence's
    # header behind it (AV1 specification, 5.3.2 and 6.2.2).
    kinds = []
    for sample in samples_of(film):
        first = sample[0] >> 3 & 15
        kinds.append(sample[2] >> 3 & 15 if first == 2 else first)
    assert [kind == 1 for kind in kinds] == [True, False, True, False, True]


def test_the_size_is_that_of_the_frames(film):
    header = numbers(film, b"tkhd")
    assert (header[-2:] >> 16).tolist() == [96, 64]


def test_a_film_needs_a_frame():
    with pytest.raises(ValueError, match="needs a frame"):
        FilmWriter().to_mp4()
