"""Who stands so near somebody else that their boxes overlap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fit_people import photograph, random_body
from vitruvian.people.figures import with_overlaps


def test_boxes_that_overlap_mark_both() -> None:
    figure, _ = photograph(*random_body(1))
    boxes = [(0, 0, 10, 30), (9, 20, 20, 50), (20, 20, 30, 50), (9, 31, 19, 60)]
    figures = [replace(figure, box=np.array(box, dtype=np.float64)) for box in boxes]
    marked = [one.overlapped for one in with_overlaps(figures)]
    assert marked == [True, True, False, True]
    assert [one.overlapped for one in with_overlaps(figures[::2])] == [False, False]
    assert with_overlaps([]) == []
