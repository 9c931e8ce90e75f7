"""Whether people keep their numbers: IDF1, switches and HOTA's parts, from overlaps by frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from vitruvian.geometry.pairing import best_pairs

SAME_IOU = 0.5  # of two masks of one person


@dataclass(frozen=True, eq=False)
class Moment:
    """Who is in one frame, and who is found there.

    Attributes:
        true, found: numbers of people (N) and of tracks (M).
        iou: (N, M) of their masks.
        counts: (N,) bool, who is seen well enough to be asked for; the others may be found or not.
    """

    true: Sequence[int]
    found: Sequence[int]
    iou: np.ndarray
    counts: Sequence[bool]


def association(moments: Sequence[Moment]) -> dict[str, float]:
    """Numbers of a clip.

    ``idf1`` (Ristani et al., 2016): of all frames of all people and tracks those that agree where
    every person has one track at most. ``switches`` (Bernardin and Stiefelhagen, 2008): how often
    somebody is found under another number than before. ``hota``, the root of ``det`` times ``ass``
    (Luiten et al., 2021), at an IoU of ``SAME_IOU`` alone. NaN where nobody counts.
    """
    true, found = Counter[int](), Counter[int]()
    both: list[tuple[int, int]] = []
    last: dict[int, int] = {}
    switches = 0
    for moment in moments:
        pairs = best_pairs(np.asarray(moment.iou, float), SAME_IOU)
        free = {column for row, column in pairs.items() if not moment.counts[row]}
        true.update(one for one, counts in zip(moment.true, moment.counts, strict=True) if counts)
        found.update(one for column, one in enumerate(moment.found) if column not in free)
        for row, column in pairs.items():
            if moment.counts[row]:
                person, track = moment.true[row], moment.found[column]
                both.append((person, track))
                switches += last.get(person, track) != track
                last[person] = track
    total = sum(true.values()) + sum(found.values())
    if not sum(true.values()):
        return dict.fromkeys(("idf1", "switches", "det", "ass", "hota"), float("nan"))
    shared = Counter(both)
    ass = [
        shared[pair] / (true[pair[0]] + found[pair[1]] - shared[pair]) for pair in both
    ]  # fmt: skip
    det = len(both) / (total - len(both))
    mean = float(np.mean(ass)) if ass else 0.0
    return {
        "idf1": 2 * _most_shared(shared) / total,
        "switches": float(switches),
        "det": det,
        "ass": mean,
        "hota": float(np.sqrt(det * mean)),
    }


def _most_shared(shared: Counter[tuple[int, int]]) -> int:
    """The most frames that people and tracks share where each has one of the other at most.

    Exact, over subsets of the people, of whom there are few.
    """
    people = sorted({person for person, _ in shared})
    best = {frozenset[int](): 0}
    for track in sorted({track for _, track in shared}):
        grown = dict(best)
        for taken, frames in best.items():
            for person in people:
                if person not in taken and shared[person, track]:
                    new = taken | {person}
                    grown[new] = max(grown.get(new, 0), frames + shared[person, track])
        best = grown
    return max(best.values())


def overlapping(boxes: Sequence[np.ndarray]) -> list[bool]:
    """Of each box (4,) whether another one overlaps or touches it."""
    hit = [False] * len(boxes)
    for a, b in combinations(range(len(boxes)), 2):
        low = np.maximum(boxes[a][:2], boxes[b][:2])
        if (np.minimum(boxes[a][2:], boxes[b][2:]) >= low).all():
            hit[a] = hit[b] = True
    return hit
