"""Score the measuring network on held-out people, and calibrate its bands.

``python -m vitruvian.lab.measuring.score data/captures --bands``

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
from vitruvian.anthropometry.measured import BANDS
from vitruvian.formats.atomic import write_json
from vitruvian.lab.evaluation.metrics.measurements import HeightWeightBaseline
from vitruvian.lab.measuring.captures import random_pair
from vitruvian.lab.measuring.dataset import KINDS, Pairs, PairSource
from vitruvian.lab.measuring.people import FittedPeople
from vitruvian.networks.measuring import OUTPUTS
from vitruvian.networks.session import run
from vitruvian.types.record import Record

NAMES = [measure.name for measure in MEASURES]
STATURE = NAMES.index("stature")
# ISO 20685: limits of the mean error's 95 % interval between scanner and tape, centimetres.
_LARGE = ("chest", "underbust", "waist", "waist_navel", "hip", "neck_base")
_LIMITS = {"girth": 0.4, "breadth": 0.4, "length": 0.5, "height": 0.4}
_LARGE_LIMIT = 0.9
_CONFIDENCE = 0.9
_BATCH = 64
_TWENTY = 20


@dataclass(frozen=True, eq=False, repr=False)
class Said(Record):
    """What the network says of N pairs: log ratios to the height, (N, M) each."""

    mean: np.ndarray
    log_sd: np.ndarray
    front: np.ndarray
    side: np.ndarray


def said_of(views: np.ndarray, known: np.ndarray) -> Said:
    """Run the shipped network on views (N, 2, h, w) uint8 and known (N, 7)."""
    parts = []
    for start in range(0, len(views), _BATCH):
        part = slice(start, start + _BATCH)
        inputs = {"views": views[part].astype(np.float32) / 255, "known": known[part]}
        parts.append(run("measuring", inputs, OUTPUTS))
    return Said(*(np.concatenate(one).astype(np.float64) for one in zip(*parts, strict=True)))


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


def repeated(people: FittedPeople, kind: str, number: int) -> np.ndarray:
    """(20, M) what the network says, in centimetres, of twenty captures of one person."""
    rng = np.random.default_rng([number, 20])
    height = float(people.measures_m[number, STATURE])
    views = np.stack(
        [random_pair(people.coefficients[number], height, rng, kind) for _ in range(_TWENTY)]
    )
    one = np.full(_TWENTY, number)
    pairs = Pairs(
        views, one, one, people.measures_m[one], people.mass_kg[one], people.age[one],
        people.group[one],
    )  # fmt: skip
    return np.asarray(100 * height * np.exp(said_of(views, pairs.known(weight=False)).mean))


def main() -> None:
    parser = argparse.ArgumentParser(description="Score the measuring network.")
    parser.add_argument("captures", type=Path, help="folder of vitruvian.lab.measuring.dataset")
    parser.add_argument("--people", type=Path, help="file of people, to repeat captures of some")
    parser.add_argument("--bands", action="store_true", help="calibrate and write the bands")
    arguments = parser.parse_args()
    source = PairSource(arguments.captures, 0)
    people_numbers = np.unique(source.held_out.person)
    calibrating = np.isin(source.held_out.person, people_numbers[::2])
    halves = source.held_out.subset(calibrating), source.held_out.subset(~calibrating)
    first = said_of(halves[0].views, halves[0].known(weight=False))
    factors = factors_of(first, halves[0].measures_m)
    if arguments.bands:
        apart = (first.front - first.side).std(0)
        BANDS.parent.mkdir(parents=True, exist_ok=True)
        rounded = [dict(zip(NAMES, np.round(v, 4).tolist(), strict=True)) for v in (factors, apart)]
        write_json(BANDS, {"factor": rounded[0], "disagreement": rounded[1]})
    _print_errors(source.training, halves[1], factors)
    if arguments.people is not None:
        _print_repeated(FittedPeople.load(arguments.people), people_numbers)


def _print_errors(training: Pairs, tested: Pairs, factors: np.ndarray) -> None:
    truth = tested.measures_m.astype(np.float64)
    height = truth[:, [STATURE]]
    plain = said_of(tested.views, tested.known(weight=False))
    weighed = said_of(tested.views, tested.known(weight=True))
    errors = {
        "front": np.abs(height * np.exp(plain.front) - truth),
        "side": np.abs(height * np.exp(plain.side) - truth),
        "both": np.abs(height * np.exp(plain.mean) - truth),
        "weight": np.abs(height * np.exp(weighed.mean) - truth),
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
        spread = np.mean([repeated(people, kind, int(n)).std(0) for n in numbers[::60]], 0)
        girths = [spread[i] for i, one in enumerate(MEASURES) if one.kind == "girth"]
        others = [spread[i] for i, one in enumerate(MEASURES[1:], 1) if one.kind != "girth"]
        print(
            f"twenty captures, {kind}: sd of girths {np.mean(girths):.2f} cm, of lengths "
            f"{np.mean(others):.2f} cm"
        )


if __name__ == "__main__":
    main()
