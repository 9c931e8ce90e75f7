"""The scores of a run: summaries, their file, and the comparison of two runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_json
from vitruvian.lab.evaluation.suite import Metric

FORMAT = 1


@dataclass(frozen=True)
class Summary:
    """A metric over the cases of a run.

    Attributes:
        mean, median, p10, p90: over the cases where the metric is finite; NaN if there are none.
        count: how many those are.
    """

    mean: float
    median: float
    p10: float
    p90: float
    count: int

    @staticmethod
    def of(values: Sequence[float]) -> Summary:
        """Summarise values; those that are not finite are left out."""
        array = np.asarray(values, np.float64)
        array = array[np.isfinite(array)]
        if len(array) == 0:
            return Summary(float("nan"), float("nan"), float("nan"), float("nan"), 0)
        p10, median, p90 = np.percentile(array, [10, 50, 90])
        return Summary(float(array.mean()), float(median), float(p10), float(p90), len(array))


@dataclass(frozen=True)
class Scores:
    """What a run of a suite found.

    Attributes:
        suite: its name.
        metrics: what was measured.
        ranking: key of the metric that orders cases.
        cases: numbers by metric key, by case name.
        notes: sentences by case name, where there are any.
        failures: the reason by case name, for cases that raised an error.
        about: date, command, version, machine... as text.
    """

    suite: str
    metrics: tuple[Metric, ...]
    ranking: str
    cases: Mapping[str, Mapping[str, float]]
    notes: Mapping[str, str]
    failures: Mapping[str, str]
    about: Mapping[str, str]

    def values(self, key: str) -> list[float]:
        """The metric's value for every case that ran, NaN where it has none."""
        return [numbers.get(key, float("nan")) for numbers in self.cases.values()]

    def summaries(self) -> dict[str, Summary]:
        """A summary of every metric, by its key."""
        return {metric.key: Summary.of(self.values(metric.key)) for metric in self.metrics}

    def metric(self, key: str) -> Metric:
        """The metric with this key."""
        return next(metric for metric in self.metrics if metric.key == key)

    def ranked(self) -> list[str]:
        """Names of the cases from best to worst; cases without the ranking metric come last."""
        sign = -1.0 if self.metric(self.ranking).better == "higher" else 1.0

        def order(name: str) -> tuple[bool, float, str]:
            value = self.cases[name].get(self.ranking, float("nan"))
            return (not np.isfinite(value), sign * value if np.isfinite(value) else 0.0, name)

        return sorted(self.cases, key=order)

    def save(self, path: str | Path) -> Path:
        """Write ``scores.json``; values that are not finite are written as null."""
        return write_json(
            path,
            {
                "format": FORMAT,
                "suite": self.suite,
                "about": dict(self.about),
                "ranking": self.ranking,
                "summary": {
                    metric.key: {
                        "label": metric.label,
                        "unit": metric.unit,
                        "better": metric.better,
                        "digits": metric.digits,
                        **{k: _finite(v) for k, v in vars(summary).items()},
                    }
                    for metric, summary in zip(self.metrics, self.summaries().values(), strict=True)
                },
                "failures": dict(self.failures),
                "notes": dict(self.notes),
                "cases": {
                    name: {key: _finite(value) for key, value in numbers.items()}
                    for name, numbers in self.cases.items()
                },
            },
        )

    @staticmethod
    def load(path: str | Path) -> Scores:
        """Read a ``scores.json``. Raises ``InputError`` when it is not one."""
        path = Path(path)
        if path.is_dir():
            path = path / "scores.json"
        try:
            return _from_json(json.loads(path.read_text("utf-8")))
        except OSError as error:
            raise InputError(
                f"Cannot read {path}: give the scores.json that `vitruvian evaluate` wrote."
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path} is not a scores.json: give one that `vitruvian evaluate` wrote."
            ) from error


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _from_json(data: dict[str, Any]) -> Scores:
    if data["format"] != FORMAT:
        raise ValueError(f"unknown format {data['format']}")
    metrics = tuple(
        Metric(key, entry["label"], entry["unit"], entry["better"], int(entry["digits"]))
        for key, entry in data["summary"].items()
    )
    cases = {
        name: {key: float("nan") if value is None else float(value) for key, value in row.items()}
        for name, row in data["cases"].items()
    }
    return Scores(
        data["suite"],
        metrics,
        data["ranking"],
        cases,
        dict(data["notes"]),
        dict(data["failures"]),
        dict(data["about"]),
    )


@dataclass(frozen=True)
class Change:
    """How a metric moved from one run to another, on the cases that both have.

    Attributes:
        metric: which.
        before, after: means over the common cases.
        difference: after - before.
        margin: half width of the 95 % interval of the mean paired difference (1.96 standard
            errors); NaN for fewer than two cases.
        count: common cases.
        verdict: ``better``, ``worse``, or ``same`` when zero lies within the margin (or the metric
            has no good direction).
    """

    metric: Metric
    before: float
    after: float
    difference: float
    margin: float
    count: int
    verdict: str


def compare(before: Scores, after: Scores) -> list[Change]:
    """What moved between two runs of one suite, metric by metric, on their common cases.

    Raises:
        InputError: the runs are of different suites or share no case.
    """
    if before.suite != after.suite:
        raise InputError(
            f"Cannot compare scores of {before.suite} with scores of {after.suite}: "
            f"give two runs of one suite."
        )
    common = [name for name in before.cases if name in after.cases]
    if not common:
        raise InputError("The two runs share no case: give two runs on the same data.")
    changes = []
    for metric in before.metrics:
        pairs = np.array(
            [
                [run.cases[name].get(metric.key, np.nan) for run in (before, after)]
                for name in common
            ]
        )
        pairs = pairs[np.isfinite(pairs).all(1)]
        if len(pairs) == 0:
            continue
        moved = pairs[:, 1] - pairs[:, 0]
        margin = (
            float(1.96 * moved.std(ddof=1) / np.sqrt(len(moved)))
            if len(moved) > 1
            else float("nan")
        )
        difference = float(moved.mean())
        verdict = "same"
        # A single case has no margin: any movement of it is told as it is.
        if metric.better != "neither" and abs(difference) > (margin if margin == margin else 0):
            verdict = "better" if (difference > 0) == (metric.better == "higher") else "worse"
        changes.append(
            Change(
                metric,
                float(pairs[:, 0].mean()),
                float(pairs[:, 1].mean()),
                difference,
                margin,
                len(pairs),
                verdict,
            )
        )
    return changes


def moved_most(before: Scores, after: Scores, count: int = 5) -> tuple[list[str], list[str]]:
    """The common cases that got better and worse the most, by the ranking metric."""
    key = before.ranking
    sign = 1.0 if before.metric(key).better == "higher" else -1.0
    gains = {
        name: sign * (after.cases[name].get(key, np.nan) - before.cases[name].get(key, np.nan))
        for name in before.cases
        if name in after.cases
    }
    gains = {name: gain for name, gain in gains.items() if np.isfinite(gain)}
    order = sorted(gains, key=lambda name: gains[name])
    return (
        [name for name in reversed(order) if gains[name] > 0][:count],
        [name for name in order if gains[name] < 0][:count],
    )
