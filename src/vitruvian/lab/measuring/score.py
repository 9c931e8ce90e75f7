"""Score the measuring network on held-out people, and calibrate its bands.

``python -m vitruvian.lab.measuring.score data/captures --children data/children --bands``

Prints, for silhouettes of people whom training never saw, the mean absolute error of every measure
in centimetres beside that of a linear regression on height and weight, the share that bands hold,
and how far twenty pictures of one person differ. With ``--bands`` the factors from the network's
standard deviation to a band of nine in ten are taken from one half of the held-out people, written
beside the network, and judged on the other half.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.anthropometry.definitions import MEASURES
from vitruvian.anthropometry.measured import BAND_TABLES, BANDS, ODDS_TABLE
from vitruvian.formats.atomic import write_json
from vitruvian.lab.evaluation.metrics.measurements import HeightWeightBaseline
from vitruvian.lab.measuring.captures import random_pair
from vitruvian.lab.measuring.dataset import KINDS, Pairs, PairSource
from vitruvian.lab.measuring.people import FittedPeople
from vitruvian.lab.measuring.strangers import strangers
from vitruvian.networks.measuring import say
from vitruvian.types.record import Record

NAMES = [measure.name for measure in MEASURES]
STATURE = NAMES.index("stature")
# ISO 20685: limits of the mean error's 95 % interval between scanner and tape, centimetres.
_LARGE = ("chest", "underbust", "waist", "waist_navel", "hip", "neck_base")
_LIMITS = {"girth": 0.4, "breadth": 0.4, "length": 0.5, "height": 0.4}
_LARGE_LIMIT = 0.9
_CONFIDENCE = 0.9
DOUBTED = 0.005  # of pairs of one person, whose views are then taken for two people's
_BATCH = 64
_TWENTY = 20


@dataclass(frozen=True, eq=False, repr=False)
class Said(Record):
    """What the network says of N pairs: log ratios to the height, (N, M) each, and the log odds
    (N, 1) that both views are of one person."""

    mean: np.ndarray
    log_sd: np.ndarray
    front: np.ndarray
    side: np.ndarray
    same: np.ndarray


def said_of(views: np.ndarray, known: np.ndarray) -> Said:
    """Run the shipped network on views (N, 2, h, w) uint8 and known (N, 7)."""
    parts = []
    for start in range(0, len(views), _BATCH):
        part = slice(start, start + _BATCH)
        parts.append(say(views[part], known[part]))
    return Said(*(np.concatenate(one) for one in zip(*parts, strict=True)))


def baseline_error(training: Pairs, tested: Pairs) -> np.ndarray:
    """Absolute errors (N, M) of a linear regression on height and weight, one per sex."""
    error = np.zeros(tested.measures_m.shape)
    for woman in (0, 1):
        ours, theirs = training.woman == woman, tested.woman == woman
        height = training.measures_m[ours, STATURE]
        fitted = HeightWeightBaseline.fit(height, training.mass_kg[ours], training.measures_m[ours])
        found = fitted.predict(tested.measures_m[theirs, STATURE], tested.mass_kg[theirs])
        error[theirs] = np.abs(found - tested.measures_m[theirs])
    return error


def factors_of(said: Said, truth: np.ndarray) -> np.ndarray:
    """(M,) of the standard deviation to half the band that holds nine in ten."""
    off = np.abs(np.log(truth / truth[:, [STATURE]]) - said.mean) / np.exp(said.log_sd)
    return np.asarray(np.quantile(off, _CONFIDENCE, axis=0))


def within(said: Said, truth: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """(N, M) bool: the band holds the truth."""
    off = np.abs(np.log(truth / truth[:, [STATURE]]) - said.mean)
    return np.asarray(off <= np.exp(said.log_sd) * factors)


def common_share(said: Said, pairs: Pairs) -> np.ndarray:
    """(M,) of an error's variance that the captures of one person have in common.

    Errors in units of their own standard deviation: the mean product of two captures' over the mean
    square.
    """
    off = np.log(pairs.measures_m / pairs.measures_m[:, [STATURE]]) - said.mean
    off = off / np.exp(said.log_sd)
    products, count = np.zeros(off.shape[1]), 0
    for person in np.unique(pairs.person):
        theirs = off[pairs.person == person]
        products += theirs.sum(0) ** 2 - (theirs**2).sum(0)
        count += len(theirs) * (len(theirs) - 1)
    return np.asarray(np.clip(products / max(count, 1) / (off**2).mean(0), 0, 1))


def averaged(said: Said, pairs: Pairs, number: int) -> tuple[Said, Pairs]:
    """Means over so many captures of one person in clothes of one kind, as often as there are."""
    groups = []
    for person in np.unique(pairs.person):
        for kind in range(len(KINDS)):
            chosen = np.flatnonzero((pairs.person == person) & (pairs.kind == kind))
            whole = len(chosen) // number * number
            groups += list(chosen[:whole].reshape(-1, number))
    rows = np.array(groups)
    log_sd = np.log(np.exp(2 * said.log_sd)[rows].mean(1)) / 2
    names = ("mean", "front", "side", "same")
    mean, *others = (getattr(said, name)[rows].mean(1) for name in names)
    return Said(mean, log_sd, *others), pairs.subset(rows[:, 0])


def _print_strangers(tested: Pairs, known: np.ndarray, least: float) -> None:
    """How often front and side are doubted: of one person, and where the side is another's."""
    rng = np.random.default_rng(0)
    numbers = np.arange(len(tested.person))
    own = said_of(tested.views, known).same[:, 0] < least
    other, truly = strangers(tested, numbers, 0.5, rng)
    mixed = np.stack([tested.views[:, 0], tested.views[other, 1]], 1)
    odds = said_of(mixed, known).same[:, 0]
    sex, clothes = tested.woman[other] == tested.woman, tested.kind[other] == tested.kind
    shares = {"one sex": sex, "one sex, clothes of one kind": sex & clothes, "two sexes": ~sex}
    noticed = (f"{name} {(odds[one & truly] < least).mean():.2f}" for name, one in shares.items())
    print(f"doubted: of one person {own.mean():.3f}; of two, {'; '.join(noticed)}")


def repeated(people: FittedPeople, kind: str, number: int) -> np.ndarray:
    """(20, M) what the network says, in centimetres, of twenty captures of one person."""
    rng = np.random.default_rng([number, 20])
    height = float(people.measures_m[number, STATURE])
    views = np.stack(
        [random_pair(people.coefficients[number], height, rng, kind) for _ in range(_TWENTY)]
    )
    one = np.full(_TWENTY, number)
    pairs = Pairs(
        views, one, np.full(_TWENTY, KINDS.index(kind)), people.measures_m[one],
        people.mass_kg[one], people.age[one], people.group[one],
    )  # fmt: skip
    known = pairs.known(weight=False, clothes=True)
    return np.asarray(100 * height * np.exp(said_of(views, known).mean))


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the measuring network.")
    parser.add_argument("captures", type=Path, help="folder of vitruvian.lab.measuring.dataset")
    parser.add_argument("--children", type=Path, help="folder of children's pairs")
    parser.add_argument("--people", type=Path, help="file of people, to repeat captures of some")
    parser.add_argument("--bands", action="store_true", help="calibrate and write the bands")
    arguments = parser.parse_args()
    source = PairSource(arguments.captures, 0)
    people_numbers = np.unique(source.held_out.person)
    halves = _halves(source.held_out)
    first = said_of(halves[0].views, halves[0].known(weight=False))
    factors = factors_of(first, halves[0].measures_m)
    common = common_share(first, halves[0])
    least = float(np.quantile(first.same, DOUBTED))
    _print_strangers(halves[1], halves[1].known(weight=False), least)
    young, least_young = factors, least
    if arguments.children is not None:
        children = PairSource(arguments.children, 0)
        taught, tested = _halves(children.held_out)
        theirs = said_of(taught.views, _of_children(taught))
        young = factors_of(theirs, taught.measures_m)
        least_young = float(np.quantile(theirs.same, DOUBTED))
        _print_children(tested, young)
        _print_strangers(tested, _of_children(tested), least_young)
    if arguments.bands:
        tables = (np.round(one, 4).tolist() for one in (factors, young, common))
        named = [dict(zip(NAMES, one, strict=True)) for one in tables]
        odds = {"adults": round(least, 3), "children": round(least_young, 3)}
        write_json(BANDS, dict(zip(BAND_TABLES, named, strict=True)) | {ODDS_TABLE: odds})
    _print_errors(source.training, halves[1], factors)
    _print_averaged(halves[1], factors, common)
    if arguments.people is not None:
        _print_repeated(FittedPeople.load(arguments.people), people_numbers)


def _halves(pairs: Pairs) -> tuple[Pairs, Pairs]:
    """Pairs of every second person, and those of the others."""
    chosen = np.isin(pairs.person, np.unique(pairs.person)[::2])
    return pairs.subset(chosen), pairs.subset(~chosen)


def _of_children(pairs: Pairs) -> np.ndarray:
    return pairs.known(weight=False, age=True)


def _print_children(tested: Pairs, factors: np.ndarray) -> None:
    said, truth = said_of(tested.views, _of_children(tested)), tested.measures_m.astype(np.float64)
    error = 100 * np.abs(truth[:, [STATURE]] * np.exp(said.mean) - truth)
    held = within(said, truth, factors)
    tight = tested.kind <= KINDS.index("tight")
    print(f"children: {len(truth)} pairs of {len(np.unique(tested.person))}; age and sex given")
    for column, name in enumerate(NAMES):
        cells = f"{error[tight, column].mean():7.2f} {held[tight, column].mean():7.2f}"
        print(f"{name:18} {cells}")
    for number, kind in enumerate(KINDS):
        chosen = tested.kind == number
        print(f"mean, {kind:12} {error[chosen][:, 1:].mean():.2f} {held[chosen][:, 1:].mean():.2f}")


def _print_averaged(tested: Pairs, factors: np.ndarray, common: np.ndarray) -> None:
    """Several captures of one person: their mean's error, and the band that is told of it."""
    said = said_of(tested.views, tested.known(weight=False, clothes=True))
    for number in (1, 2, 3, 4):
        mean, pairs = averaged(said, tested, number)
        truth = pairs.measures_m.astype(np.float64)
        error = 100 * np.abs(truth[:, [STATURE]] * np.exp(mean.mean) - truth)
        held = within(mean, truth, factors * np.sqrt(common + (1 - common) / number))
        tight = pairs.kind <= KINDS.index("tight")
        told = (
            f"{name} {error[tight, NAMES.index(name)].mean():.2f}"
            for name in ("chest", "waist", "hip")
        )
        print(
            f"{number} captures, clothes told, tight or none: mean {error[tight, 1:].mean():.2f} "
            f"cm, held {held[tight, 1:].mean():.2f};",
            ", ".join(told),
        )


def _print_errors(training: Pairs, tested: Pairs, factors: np.ndarray) -> None:
    truth = tested.measures_m.astype(np.float64)
    height = truth[:, [STATURE]]
    plain = said_of(tested.views, tested.known(weight=False))
    weighed = said_of(tested.views, tested.known(weight=True))
    clothed = said_of(tested.views, tested.known(weight=False, clothes=True))
    all_told = said_of(tested.views, tested.known(weight=True, clothes=True))
    errors = {
        "front": np.abs(height * np.exp(plain.front) - truth),
        "side": np.abs(height * np.exp(plain.side) - truth),
        "both": np.abs(height * np.exp(plain.mean) - truth),
        "clothes": np.abs(height * np.exp(clothed.mean) - truth),
        "weight": np.abs(height * np.exp(weighed.mean) - truth),
        "w+c": np.abs(height * np.exp(all_told.mean) - truth),
        "h+w": baseline_error(training, tested),
    }
    bias = height * np.exp(plain.mean) - truth
    held = within(plain, truth, factors)
    tight = tested.kind <= KINDS.index("tight")
    print(f"{len(truth)} pairs of {len(np.unique(tested.person))} people; cm; tight or no clothes")
    print(f"{'measure':18}", *(f"{name:>7}" for name in errors), " inside   mean error, limit")
    for column, measure in enumerate(MEASURES):
        limit = _LARGE_LIMIT if measure.name in _LARGE else _LIMITS[measure.kind]
        mean = 100 * bias[tight, column].mean()
        interval = 196 * bias[tight, column].std() / np.sqrt(tight.sum())
        cells = (f"{100 * error[tight, column].mean():7.2f}" for error in errors.values())
        share = held[tight, column].mean()
        print(f"{measure.name:18}", *cells, f"{share:7.2f}   {mean:+.2f} ± {interval:.2f}, {limit}")
    for number, kind in enumerate(KINDS):
        chosen = tested.kind == number
        cells = (f"{100 * error[chosen][:, 1:].mean():7.2f}" for error in errors.values())
        print(f"{'mean, ' + kind:18}", *cells, f"{held[chosen][:, 1:].mean():7.2f}")


def _print_repeated(people: FittedPeople, numbers: np.ndarray) -> None:
    for kind in KINDS:
        each = [repeated(people, kind, int(number)) for number in numbers[::60]]
        for number in (1, 3):
            whole = _TWENTY // number * number
            means = [one[:whole].reshape(-1, number, len(MEASURES)).mean(1) for one in each]
            spread = np.mean([one.std(0, ddof=1) for one in means], 0)
            girths = [spread[i] for i, one in enumerate(MEASURES) if one.kind == "girth"]
            others = [spread[i] for i, one in enumerate(MEASURES[1:], 1) if one.kind != "girth"]
            print(
                f"twenty captures, {kind}, means of {number}: sd of girths {np.mean(girths):.2f} "
                f"cm, of lengths {np.mean(others):.2f} cm"
            )


if __name__ == "__main__":
    main()
