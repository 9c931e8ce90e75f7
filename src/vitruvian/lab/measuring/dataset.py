"""Silhouette pairs of measured people on disk, and the order in which training sees them.

``python -m vitruvian.lab.measuring.dataset people.npz -o data/captures`` writes files of pairs; the
recipe ``measuring`` trains on them with ``--data data/captures``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.subject import CLOTHES
from vitruvian.errors import InputError
from vitruvian.lab.measuring.captures import random_pair
from vitruvian.lab.measuring.people import FittedPeople
from vitruvian.lab.training.recipe import Batch, FixedSource
from vitruvian.networks.measuring import encode_known
from vitruvian.types.record import Record

KINDS = tuple(CLOTHES)
_LOOSENESS = np.array([*CLOTHES.values()])
_SHARES = (0.2, 0.4, 0.4)  # of pairs of each of ``KINDS``
HELD_OUT = 4  # every so manieth person is for validation
_STREAM = 0xCA97
_PAIRS_PER_FILE = 1000
_STATURE = next(i for i, measure in enumerate(MEASURES) if measure.name == "stature")
_TOLD_M, _TOLD_KG = 0.006, 0.8  # how far people's own figures are off, standard deviations
_DENSITY = 0.02  # of people around the bodies' one, relative standard deviation
_KNOWN_SHARES = {"weight": 0.5, "sex": 0.75, "age": 0.5, "clothes": 0.6}


@dataclass(frozen=True, eq=False, repr=False)
class Pairs(Record):
    """N pairs.

    Attributes:
        views: (N, 2, h, w) uint8 of ``anthropometry.silhouette.normalised``, front and left side.
        person: (N,) int32 number in the fitted people; kind: (N,) uint8 of ``KINDS``.
        measures_m: (N, M) float32; mass_kg, age: (N,) float32; woman: (N,) uint8.
    """

    views: np.ndarray
    person: np.ndarray
    kind: np.ndarray
    measures_m: np.ndarray
    mass_kg: np.ndarray
    age: np.ndarray
    woman: np.ndarray

    def subset(self, chosen: np.ndarray) -> Pairs:
        """Some of the pairs."""
        return Pairs(*(getattr(self, name)[chosen] for name in _FIELDS))

    def known(
        self, *, weight: bool, sex: bool = True, age: bool = False, clothes: bool = False
    ) -> np.ndarray:
        """(N, ``KNOWN``) what is known of everybody, true to the last digit."""
        nothing = np.full(len(self.person), np.nan)
        return encode_known(
            self.measures_m[:, _STATURE].astype(np.float64),
            self.mass_kg if weight else nothing,
            self.woman.astype(np.float64) if sex else nothing,
            self.age if age else nothing,
            self.looseness if clothes else nothing,
        )

    def batch(self) -> Batch:
        """All of them as one batch, with nothing known but height and sex, or weight, too."""
        return _tensors(self, self.known(weight=False), self.known(weight=True))

    @property
    def looseness(self) -> np.ndarray:
        """(N,) of the clothes, as ``encode_known`` takes it."""
        return np.asarray(_LOOSENESS[self.kind])


_FIELDS = ("views", "person", "kind", "measures_m", "mass_kg", "age", "woman")


def write_pairs(people: FittedPeople, folder: Path, count: int, seed: int) -> None:
    """Write ``count`` pairs in files; files that are there stay, so it can be stopped."""
    from rich.progress import track

    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, count, _PAIRS_PER_FILE)
    for start in track(starts, description="files of pairs"):
        path = folder / f"pairs-{seed}-{start // _PAIRS_PER_FILE:04d}.npz"
        if path.is_file():
            continue
        numbers = range(start, min(start + _PAIRS_PER_FILE, count))
        drawn = [_draw(people, seed, number) for number in numbers]
        views, person, kind = (np.array(part) for part in zip(*drawn, strict=True))
        temporary = path.with_suffix(".tmp.npz")
        np.savez_compressed(
            temporary,
            views=views,
            person=person.astype(np.int32),
            kind=kind.astype(np.uint8),
            measures_m=people.measures_m[person],
            mass_kg=people.mass_kg[person],
            age=people.age[person],
            woman=people.group[person],
        )
        temporary.replace(path)


def _draw(people: FittedPeople, seed: int, number: int) -> tuple[np.ndarray, int, int]:
    rng = np.random.default_rng([seed, _STREAM, number])
    person = int(rng.integers(len(people.age)))
    kind = int(rng.choice(len(KINDS), p=_SHARES))
    height = float(people.measures_m[person, _STATURE])
    return random_pair(people.coefficients[person], height, rng, KINDS[kind]), person, kind


def read_pairs(folder: Path) -> Pairs:
    """All pairs of a folder.

    Raises:
        InputError: there are none.
    """
    paths = sorted(path for path in folder.glob("pairs-*.npz") if ".tmp" not in path.name)
    if not paths:
        raise InputError(
            f"There are no pairs in {folder}: write them with "
            "python -m vitruvian.lab.measuring.dataset."
        )
    parts = []
    for path in paths:
        with np.load(path) as archive:
            parts.append([archive[name] for name in _FIELDS])
    return Pairs(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Pairs of several folders as one; people of one folder are not those of another."""
    first, moved = 0, []
    for part in parts:
        moved.append(replace(part, person=part.person + np.int32(first)))
        first += HELD_OUT * (int(part.person.max()) // HELD_OUT + 1)  # who is held back stays so
    return Pairs(*(np.concatenate([getattr(one, name) for one in moved]) for name in _FIELDS))


class PairSource(FixedSource):
    """Batches of pairs; what is told of people is drawn anew each time they are seen."""

    def __init__(self, folder: Path, seed: int) -> None:
        pairs = read_pairs(folder)
        held_out = pairs.person % HELD_OUT == 0
        self.training, self.held_out = pairs.subset(~held_out), pairs.subset(held_out)
        self._seed = seed

    @property
    def description(self) -> str:
        """A sentence for the model card."""
        people = len(np.unique(self.training.person))
        return f"{len(self.training.person):,} pairs of silhouettes of {people:,} bodies"

    def batches(self, first: int, size: int) -> Iterator[Batch]:
        count = len(self.training.person)
        while True:
            numbers = np.arange(first, first + size)
            rounds = numbers // count
            orders = {
                int(turn): np.random.default_rng([self._seed, int(turn)]).permutation(count)
                for turn in np.unique(rounds)
            }
            chosen = np.array(
                [
                    orders[int(turn)][number % count]
                    for turn, number in zip(rounds, numbers, strict=True)
                ]
            )
            yield _batch(
                self.training.subset(chosen), np.random.default_rng([self._seed, 7, first])
            )
            first += size

    def validation(self, size: int) -> Iterable[Batch]:
        """Held-out people's pairs, with nothing known but height and sex."""
        for start in range(0, min(len(self.held_out.person), 2000), size):
            last = min(start + size, len(self.held_out.person))
            yield self.held_out.subset(np.arange(start, last)).batch()


def told_of(pairs: Pairs, rng: np.random.Generator) -> np.ndarray:
    """(N, ``KNOWN``) what people might tell of themselves, more or less rightly."""
    count = len(pairs.person)

    def told(value: np.ndarray, share: float) -> np.ndarray:
        return np.where(rng.random(count) < share, value, np.nan)

    return encode_known(
        pairs.measures_m[:, _STATURE] + rng.normal(0, _TOLD_M, count),
        told(
            pairs.mass_kg * (1 + rng.normal(0, _DENSITY, count)) + rng.normal(0, _TOLD_KG, count),
            _KNOWN_SHARES["weight"],
        ),
        told(pairs.woman.astype(np.float64), _KNOWN_SHARES["sex"]),
        told(pairs.age, _KNOWN_SHARES["age"]),
        told(pairs.looseness, _KNOWN_SHARES["clothes"]),
    )


def _batch(pairs: Pairs, rng: np.random.Generator) -> Batch:
    """Pairs with what they might tell of themselves."""
    known = told_of(pairs, rng)
    return _tensors(pairs, known, known)


def _tensors(pairs: Pairs, known: np.ndarray, weighed: np.ndarray) -> Batch:
    return {
        "views": torch.from_numpy(pairs.views),
        "known": torch.from_numpy(known),
        "weighed": torch.from_numpy(weighed),
        "measures": torch.from_numpy(pairs.measures_m),
        "kind": torch.from_numpy(pairs.kind.astype(np.int64)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw silhouettes of fitted people.")
    parser.add_argument("people", type=Path, help="file of vitruvian.lab.measuring.people")
    parser.add_argument("-o", "--output", type=Path, default=Path("data/captures"))
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    people = FittedPeople.load(arguments.people)
    write_pairs(people, arguments.output, arguments.count, arguments.seed)


if __name__ == "__main__":
    main()
