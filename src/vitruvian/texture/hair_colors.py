"""How far each pixel of a head is hair, or a hat, by its colour and its place.

Brown hair and a cheek in its shadow can have one colour, and a forehead in the sun that of fair
hair: no colour alone tells them apart. So every pixel has an expectation by its place (hair is at
the outline above the eyes, skin around the nose), the colours of hair and of skin are counted by
it, and what both say together counts them anew, a few times (expectation maximisation).
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.texture.colors import apart, not_blown, weighted_lab
from vitruvian.texture.head_window import JAW, LEAST_PIXELS, SURELY_FACE, Head

_BIN = 3.5  # CIELAB units, weighted, of the counts
_EVENED = 0.25  # of a count that its neighbouring bin gets
_FAINT = 2e-5  # share of the counts that a colour has that was not met
_ROUNDS = 4
_BARE, _CORE = 0.07, 0.13  # of the face's height, from its edge: no hair, surely skin
_CHEEKS = 0.12, 0.45  # of the face's height above the chin: neither glasses nor a fringe
_SKIN = 16.0  # CIELAB units from the cheeks' median: what is farther are eyes, or glasses
_NO_SKIN = 20.0, 34.0  # likewise: from where on it begins to be neither, and is
_GLASSES = 14.0, 9.0  # weighted lightness and chroma below which it may be dark glasses
_LEAST_CHEEKS = 0.03  # of the square of the face's height
_BELOW, _NARROW = 0.35, 0.25  # of the face's height: below the chin, half a width
_EYES, _BROWS = 0.5, 0.75  # of the face's height above the chin
# Expectations: in the face's place beside the middle, below and above the brows; beside the face
# at the outline and next to it, above and below the eyes, where ears are.
_IN_FACE, _FRINGE = 0.25, 0.4
_BESIDE, _RIM, _EARS = 0.5, 0.93, 0.6
_CHIN = 0.36  # of the face's height: half the width of a chin, where skin is as in the face
_RIM_BEGINS = 0.12  # of the face's height, beside the face
_FOREHEAD = 0.32, 0.35  # of the face's height: half its width, how far it may go on above the face
_SURELY_HAIR = 0.85  # expectation that some of a piece of hair has
_SMOOTH = 0.02  # of the face's height, over which neighbours agree


def hair_share(head: Head) -> tuple[np.ndarray, np.ndarray] | None:
    """How far a head's pixels above the jaw are hair or a hat, and where there is surely skin.

    (h, w) float32 0..1, 0 elsewhere, and (h, w) bool. None where too little of the face or of what
    is around it is seen.
    """
    lab = weighted_lab(head.pixels)
    zone = head.mask.copy()
    zone[head.above_chin(JAW) :] = False
    place, bare, core = _expected(head)
    skin = _skin(lab, head, core)
    told = zone & ~bare
    if skin is None or told.sum() < LEAST_PIXELS:
        return None
    number, shape = _binned(lab)
    clear = not_blown(head.pixels)  # hair and skin with the sun behind them are both white
    # Sunglasses are as dark as hair, and no skin.
    middle = np.median(lab[skin], axis=0)
    off = np.where(lab[..., 0] < middle[0], apart(lab, middle[None]), 0)
    skins = 1 - np.clip((off - _NO_SKIN[0]) / (_NO_SKIN[1] - _NO_SKIN[0]), 0, 1)
    share = np.where(told, place, 0).astype(np.float32)
    for _ in range(_ROUNDS):
        ours = _counted(number[told], (share * clear)[told], shape)
        theirs = _counted(
            np.concatenate([number[told], number[skin]]),
            np.concatenate(
                [((1 - share) * clear * skins)[told], np.ones(int(skin.sum()), np.float32)]
            ),
            shape,
        )
        hairy, bare = place * ours[number] ** clear, (1 - place) * theirs[number] ** clear
        share = np.where(told, hairy / (hairy + bare), 0).astype(np.float32)
        share = np.where(told, _agreed(share, told, head.height), 0)
    share[~_joined(share > 0.5, place > _SURELY_HAIR)] = 0  # lips and brows are not
    return np.asarray(share, np.float32), skin


def _expected(head: Head) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What places (h, w) float32 lead one to expect; (h, w) bool, where in the face hair is not,
    and the middle of that."""
    face = (head.face > SURELY_FACE) & head.mask
    inside = cv2.distanceTransform(face.astype(np.uint8), cv2.DIST_L2, 3) / head.height
    outside = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, 3) / head.height
    inside[: head.above_chin(_BROWS)] = 0
    row = np.arange(len(face))[:, None]
    across = np.abs(np.arange(face.shape[1])[None] - head.middle) / head.height
    # Foreheads are higher than the model has them.
    begins = np.where(
        (row < head.above_chin(_BROWS)) & (across < _FOREHEAD[0]), _FOREHEAD[1], _RIM_BEGINS
    )
    beside = _BESIDE + (_RIM - _BESIDE) * np.clip(outside / begins, 0, 1)
    below_eyes = row > head.above_chin(_EYES)
    beside = np.where(below_eyes, np.minimum(beside, _EARS), beside)
    # A fit that has the head too high leaves a chin below its face.
    beside = np.where(below_eyes & (across < _CHIN), np.minimum(beside, _IN_FACE), beside)
    within = np.where(row < head.above_chin(_BROWS), _FRINGE, _IN_FACE)
    place = np.where(face, within, beside).astype(np.float32)
    return place, inside > _BARE, inside > _CORE


def _skin(lab: np.ndarray, head: Head, core: np.ndarray) -> np.ndarray | None:
    """(h, w) bool, skin in the middle of the face; None where there is too little."""
    glasses = (lab[..., 0] < _GLASSES[0]) & (np.hypot(lab[..., 1], lab[..., 2]) < _GLASSES[1])
    cheeks = core & ~glasses
    low, high = (head.above_chin(share) for share in _CHEEKS)
    cheeks[:high] = False
    cheeks[low:] = False
    if cheeks.sum() < max(LEAST_PIXELS, _LEAST_CHEEKS * head.height**2):
        # A fit that has the head too high has glasses for cheeks, and a mouth below the chin.
        row = np.arange(len(core))[:, None]
        across = np.abs(np.arange(core.shape[1])[None] - head.middle)
        below = (row > high) & (row < head.above_chin(-_BELOW)) & (across < _NARROW * head.height)
        core = core | (below & head.mask)
        cheeks = core & ~glasses
    if cheeks.sum() < LEAST_PIXELS:
        cheeks = core
    if cheeks.sum() < LEAST_PIXELS:
        return None
    skin = core & (apart(lab, np.median(lab[cheeks], axis=0)[None]) < _SKIN)
    return skin if skin.sum() >= LEAST_PIXELS else None


def _binned(lab: np.ndarray) -> tuple[np.ndarray, tuple[int, ...]]:
    """The number (h, w) of each colour's bin, and how many bins there are along L, a and b."""
    index = np.floor(lab / _BIN).astype(int)
    index -= index.reshape(-1, 3).min(0)
    shape = tuple(int(n) for n in index.reshape(-1, 3).max(0) + 1)
    return np.ravel_multi_index(tuple(np.moveaxis(index, -1, 0)), shape), shape


def _counted(number: np.ndarray, weights: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The share of each bin in the counts, evened with its neighbours, none of them 0."""
    counts = np.bincount(number, weights, int(np.prod(shape))).reshape(shape)
    for axis in range(3):
        padded = np.pad(counts, [(int(n == axis),) * 2 for n in range(3)])
        size = shape[axis]
        before, after = (padded.take(range(k, k + size), axis) for k in (0, 2))
        counts = _EVENED * (before + after) + (1 - 2 * _EVENED) * counts
    return np.asarray(counts.ravel() / max(float(counts.sum()), 1e-6) + _FAINT)


def _joined(found: np.ndarray, surely: np.ndarray) -> np.ndarray:
    """(h, w) bool, the pieces of what is found that reach what is sure."""
    count, labels = cv2.connectedComponents(found.astype(np.uint8), connectivity=4)
    reach = np.bincount(labels[surely], minlength=count) > 0
    reach[0] = False
    return np.asarray(reach[labels])


def _agreed(share: np.ndarray, told: np.ndarray, height: int) -> np.ndarray:
    """Shares evened over neighbours that are told."""
    sigma = max(0.7, _SMOOTH * height)
    mask = told.astype(np.float32)
    sums = cv2.GaussianBlur(np.dstack([share * mask, mask]), (0, 0), sigma)
    return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1e-3))
