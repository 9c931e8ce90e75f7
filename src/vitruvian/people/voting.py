"""On which side of an edge pixels lie, settled by votes of their neighbours alike in colour."""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.compute import kernel

# Neighbours are asked within this radius, in parts of the person's height.
REACH = 0.05
# How many neighbours are asked: some, spread evenly, serve as well as all of them.
SAMPLES = 80
ROUNDS = 3
# Standard deviation of the difference of colours, in units of 8-bit Lab with a and b tripled:
# light and shade change L within one thing, hue tells one thing from another.
COLOUR_SIGMA = 14.0
CHROMA_WEIGHT = 3
# What the network's logit and the vote count, in natural logarithms of odds.
LOGIT_WEIGHT = 0.4
VOTE_WEIGHT = 1.5
# Squared differences of colours are looked up in steps of this many.
_TABLE_STEP = 16


def vote(
    region: np.ndarray, logits: np.ndarray, undecided: np.ndarray, decided: np.ndarray, size: float
) -> np.ndarray:
    """Probability of foreground after some rounds of voting among neighbours of like colour.

    The odds of an undecided pixel are those of the network times those of the colour: a kernel
    density estimate of foreground against background in a disk around it, with a Gaussian in
    colour and one in distance, in which every neighbour counts by how certain it is. This is
    mean-field inference as in DenseCRF (Krähenbühl and Koltun, NIPS 2011), but over a sparse disk
    of neighbours and with ratios of densities instead of Potts costs, so that thin things are not
    outvoted by what surrounds them.

    Args:
        region: (h, w, 3) uint8 RGB.
        logits: (h, w) float32 of the network, positive = foreground.
        undecided: (h, w) bool, which pixels to settle.
        decided: (h, w) float32, 0 or 1 for every other pixel that is known for certain, NaN
            where it is not: there the network's probability holds.
        size: the person's height in pixels.

    Returns:
        (h, w) float32 in 0..1.
    """
    probability = np.where(np.isnan(decided), 1 / (1 + np.exp(-logits)), decided)
    probability = probability.astype(np.float32)
    rows, columns = np.nonzero(undecided & np.isnan(decided))
    offsets, weights = _disk(max(REACH * size, 2.0))
    # All that is asked of a pixel lies together, with a rim that has no say around the region.
    rim = int(np.abs(offsets).max())
    height, width = logits.shape
    cells = np.zeros((height + 2 * rim, width + 2 * rim, 5), np.float32)
    inside = cells[rim : rim + height, rim : rim + width]
    inside[..., :3] = cv2.cvtColor(region, cv2.COLOR_RGB2LAB)
    inside[..., 1:3] *= CHROMA_WEIGHT
    inside[..., 3], inside[..., 4] = _voices(probability)
    line = cells.shape[1]
    pixels = np.int64(line) * (rows + rim) + columns + rim
    steps = np.int64(line) * offsets[:, 0] + offsets[:, 1]
    flat, table = cells.reshape(-1, 5), _gaussian_table()
    prior = np.ascontiguousarray(np.float32(LOGIT_WEIGHT) * logits[rows, columns], np.float32)
    settled = probability[rows, columns]
    for number in range(ROUNDS):
        if number:
            flat[pixels, 3], flat[pixels, 4] = _voices(settled)
        _ask(flat, prior, pixels, table, steps, weights, settled)
    probability[rows, columns] = settled
    return probability


def _voices(probability: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How strongly pixels speak for the foreground, and at all: with the fourth power of their
    certainty |2p - 1|. NumPy's own takes a hundred times as long as two squares."""
    certainty = np.square(np.square(2 * probability - 1))
    return probability * certainty, certainty


def _disk(radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Offsets (n, 2) int32 in a disk, as seeds lie in a sunflower, and their (n,) weights."""
    index = np.arange(SAMPLES)
    distance = radius * np.sqrt((index + 0.5) / SAMPLES)
    angle = index * np.pi * (3 - np.sqrt(5))
    spread = np.stack([distance * np.sin(angle), distance * np.cos(angle)], axis=1)
    offsets = np.unique(np.round(spread).astype(np.int32), axis=0)
    weights = np.exp(-0.5 * (offsets**2).sum(axis=1) / (0.6 * radius) ** 2)
    # A neighbour stands for all those around it that are not asked.
    return offsets, (weights * (169 / len(offsets))).astype(np.float32)


def _gaussian_table() -> np.ndarray:
    """Weights (n,) float32 of squared differences of colours, up to three standard deviations."""
    variance = COLOUR_SIGMA**2
    squares = np.arange(int(4.5 * variance * 2) // _TABLE_STEP + 1) * _TABLE_STEP
    return np.exp(-squares / (2 * variance)).astype(np.float32)


@kernel(
    "void(f4[:,::1],f4[::1],i8[::1],f4[::1],i8[::1],f4[::1],f4[::1])",
    fastmath=True,
)
def _ask(cells, prior, pixels, table, steps, weights, settled):  # type: ignore[no-untyped-def]
    """One round of votes; ``settled`` (n,) gets the probability of each of ``pixels`` (n,).

    ``cells`` (m, 5) are the three of colour, foreground x certainty and certainty of all pixels.
    """
    # Keeps a pixel that found nobody like itself from being sure of anything.
    doubt = np.float32(0.3)
    for i in range(len(pixels)):
        at = pixels[i]
        lightness, a, b = cells[at, 0], cells[at, 1], cells[at, 2]
        inside = np.float32(0)
        total = np.float32(0)
        for k in range(len(steps)):
            near = at + steps[k]
            d0, d1, d2 = cells[near, 0] - lightness, cells[near, 1] - a, cells[near, 2] - b
            step = int((d0 * d0 + d1 * d1 + d2 * d2) * np.float32(1 / _TABLE_STEP))
            if step >= len(table):
                continue
            weight = table[step] * weights[k]
            inside += weight * cells[near, 3]
            total += weight * cells[near, 4]
        odds = np.log((inside + doubt) / (total - inside + doubt))
        settled[i] = 1 / (1 + np.exp(-(prior[i] + np.float32(VOTE_WEIGHT) * odds)))
