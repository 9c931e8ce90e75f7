"""Measures of a person from their silhouettes: a small network of our own.

Learnt from synthetic silhouettes of bodies that were fitted to surveyed people
(``lab.measuring``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.networks.session import run

HEIGHT, WIDTH = 144, 96  # of a silhouette
OUTPUTS = ("mean", "log_sd", "front", "side", "same")
KNOWN = 9  # numbers that say what is known of somebody
_MEAN_M, _MEAN_BMI, _MEAN_AGE, _MEAN_LOOSE = 1.7, 24.0, 40.0, 0.4


@dataclass(frozen=True)
class MeasureEstimate:
    """What one pair of silhouettes says.

    Attributes:
        metres: (M,) float64 in the order of ``anthropometry.definitions.MEASURES``.
        sd: (M,) float64 relative standard deviations.
        same: log odds that both show one person.
    """

    metres: np.ndarray
    sd: np.ndarray
    same: float


def encode_known(
    height_m: np.ndarray,
    weight_kg: np.ndarray,
    woman: np.ndarray,
    age: np.ndarray,
    looseness: np.ndarray,
) -> np.ndarray:
    """What is known of N people as the network takes it, (N, ``KNOWN``) float32.

    Args:
        height_m: (N,) statures.
        weight_kg, age: (N,), nan where not known; age in years.
        woman: (N,) 1 for women, 0 for men, nan where not known.
        looseness: (N,) of clothes, 0 for underwear to 1 for ordinary ones, nan where not known.
    """
    bmi = weight_kg / height_m**2
    columns = [10 * np.log(height_m / _MEAN_M)]
    loose = 2 * (looseness - _MEAN_LOOSE)
    for value in (4 * np.log(bmi / _MEAN_BMI), 2 * woman - 1, (age - _MEAN_AGE) / 20, loose):
        known = np.isfinite(value)
        columns += [np.where(known, value, 0), known]
    return np.stack(columns, 1).astype(np.float32)


def say(views: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, ...]:
    """The ``OUTPUTS`` for N pairs: log ratios of measures to the height and their log standard
    deviations, log ratios by the front or the side alone, (N, M) float64 each, and the log odds
    (N, 1) that both views are of one person.

    The mean over each pair as it is and with the front's mirror image: bodies are alike on both
    sides, poses and cameras are not.

    Args:
        views: (N, 2, ``HEIGHT``, ``WIDTH``) uint8, front and left side, as of
            ``anthropometry.silhouette.normalised``.
        known: (N, ``KNOWN``) of ``encode_known``.
    """
    mirrored = views.copy()
    mirrored[:, 0] = views[:, 0, :, ::-1]
    inputs: dict[str, np.ndarray] = {
        "views": np.concatenate([views, mirrored]).astype(np.float32) / 255,
        "known": np.tile(known, (2, 1)).astype(np.float32),
    }
    found = run("measuring", inputs, OUTPUTS)
    return tuple(one.astype(np.float64).reshape(2, len(views), -1).mean(0) for one in found)


class MeasuringNetwork:
    """Front and side silhouettes to measures."""

    def __call__(self, views: np.ndarray, known: np.ndarray) -> MeasureEstimate:
        """Measures of one person.

        Args:
            views: (2, ``HEIGHT``, ``WIDTH``) uint8, as of ``say``.
            known: (``KNOWN``,) of ``encode_known``; the first number is the height.
        """
        mean, log_sd, _, _, same = (one[0] for one in say(views[None], known[None]))
        height = _MEAN_M * np.exp(float(known[0]) / 10)
        return MeasureEstimate(height * np.exp(mean), np.exp(log_sd), float(same[0]))
