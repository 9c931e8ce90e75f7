"""Errors of body measurements, with a baseline from height and weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class MeasurementScore:
    """The errors of one measure over many people.

    Attributes:
        mean_absolute: mean absolute error, in the unit of the measure.
        p90: 90th percentile of the absolute error (linear interpolation between ranks).
        bias: mean signed error, predicted minus true.
        count: people who have the measure.
    """

    mean_absolute: float
    p90: float
    bias: float
    count: int


def measurement_scores(
    predicted: np.ndarray, true: np.ndarray, names: tuple[str, ...]
) -> dict[str, MeasurementScore]:
    """Errors per measure of predictions (N, M) against tape measures (N, M), in their unit.

    NaN in either marks a measure that a person does not have. The 90th percentile is what ISO
    20685 and tailors look at beside the mean: most errors are below it.
    """
    predicted, true = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if predicted.shape != true.shape or predicted.ndim != 2 or predicted.shape[1] != len(names):
        raise ValueError(
            f"expected two arrays (N, {len(names)}), got {predicted.shape} and {true.shape}"
        )
    scores = {}
    for column, name in enumerate(names):
        error = predicted[:, column] - true[:, column]
        error = error[np.isfinite(error)]
        if len(error) == 0:
            scores[name] = MeasurementScore(float("nan"), float("nan"), float("nan"), 0)
            continue
        size = np.abs(error)
        scores[name] = MeasurementScore(
            float(size.mean()), float(np.percentile(size, 90)), float(error.mean()), len(error)
        )
    return scores


@dataclass(frozen=True)
class HeightWeightBaseline:
    """Every measure as a linear function of height and weight, fitted by least squares.

    The baseline that published image-to-measurement networks struggle to beat (Bartol et al.,
    "Linear regression vs. deep learning: a simple yet effective baseline for human body
    measurement", 2022): it sees no picture. Fit one per sex, as they do, or a single one.

    Attributes:
        coefficients: (3, M) rows for the constant, height and weight.
    """

    coefficients: np.ndarray

    @staticmethod
    def fit(height: np.ndarray, weight: np.ndarray, measures: np.ndarray) -> HeightWeightBaseline:
        """Fit to heights (N,), weights (N,) and measures (N, M), in any units."""
        design = _design(height, weight)
        coefficients, *_ = np.linalg.lstsq(design, np.asarray(measures, np.float64), rcond=None)
        return HeightWeightBaseline(coefficients)

    def predict(self, height: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Measures (N, M) for heights (N,) and weights (N,), in the units of the fit."""
        return _design(height, weight) @ self.coefficients


def _design(height: np.ndarray, weight: np.ndarray) -> np.ndarray:
    height, weight = np.asarray(height, np.float64), np.asarray(weight, np.float64)
    return np.stack([np.ones_like(height), height, weight], axis=1)
