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
    lab = cv2.cvtColor(region, cv2.COLOR_RGB2LAB).astype(np.int32)
    lab[..., 1:] *= CHROMA_WEIGHT
    probability = np.where(np.isnan(decided), 1 / (1 + np.exp(-logits)), decided)
    probability = probability.astype(np.float32)
    pixels = np.ascontiguousarray(np.argwhere(undecided & np.isnan(decided)), np.int32)
    offsets, weights = _disk(max(REACH * size, 2.0))
    table = _gaussian_table()
    settled = np.empty(len(pixels), np.float32)
    prior = np.ascontiguousarray(np.float32(LOGIT_WEIGHT) * logits, np.float32)
    for _ in range(ROUNDS):
        # A neighbour speaks with the fourth power of its certainty |2p - 1|; NumPy's own takes a
        # hundred times as long as two squares.
        certainty = np.square(np.square(2 * probability - 1))
        _ask(
            lab, probability * certainty, certainty, prior, pixels, table, offsets, weights, settled
        )
        probability[pixels[:, 0], pixels[:, 1]] = settled
    return probability


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
    "void(i4[:,:,::1],f4[:,::1],f4[:,::1],f4[:,::1],i4[:,::1],f4[::1],i4[:,::1],f4[::1],f4[::1])",
    fastmath=True,
)
def _ask(  # type: ignore[no-untyped-def]
    lab, foreground, certainty, prior, pixels, table, offsets, weights, settled
):
    """One round of votes; ``settled`` (n,) gets the probability of each of ``pixels`` (n, 2).

    ``foreground`` is probability x certainty. Signature: int32 and float32 as :func:`vote` casts.
    """
    height, width = prior.shape
    # Keeps a pixel that found nobody like itself from being sure of anything.
    doubt = np.float32(0.3)
    for i in range(len(pixels)):
        y, x = pixels[i, 0], pixels[i, 1]
        lightness, a, b = lab[y, x, 0], lab[y, x, 1], lab[y, x, 2]
        inside = np.float32(0)
        total = np.float32(0)
        for k in range(len(offsets)):
            ny, nx = y + offsets[k, 0], x + offsets[k, 1]
            if ny < 0 or ny >= height or nx < 0 or nx >= width:
                continue
            d0, d1, d2 = lab[ny, nx, 0] - lightness, lab[ny, nx, 1] - a, lab[ny, nx, 2] - b
            step = (d0 * d0 + d1 * d1 + d2 * d2) // _TABLE_STEP
            if step >= len(table):
                continue
            weight = table[step] * weights[k]
            inside += weight * foreground[ny, nx]
            total += weight * certainty[ny, nx]
        odds = np.log((inside + doubt) / (total - inside + doubt))
        settled[i] = 1 / (1 + np.exp(-(prior[y, x] + np.float32(VOTE_WEIGHT) * odds)))
