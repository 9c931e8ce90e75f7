"""Bags that a person carries and that BlazePose's mask leaves out.

BlazePose draws people, and of what they carry sometimes half, sometimes nothing, just as certain
either way. NanoDet sees bags and says where, in a box; in that box, colours tell the bag from what
is around it.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vitruvian.networks.nanodet import BAGS, NanoDet, box_iou
from vitruvian.people.matte import CoarseMask

# NanoDet's score that is worth another look, and the mean of three looks that counts: the second is
# in the mirror, the third closer. A single look sees ghosts.
_SCORE, _SURE = 0.25, 0.31
_FAINT = 0.05
_CLOSER = 4.0  # side of what the third sees, in the longer sides of the box
_SAME = 0.4  # IoU of boxes around one bag
# Parts of a box in the mask: more, and the bag is in it already; less, and it is nobody's.
_KNOWN, _HELD = 0.6, 0.02
_FILLED = 0.5  # of the box that the mask and what is added must fill
_BESIDE = 0.12  # of the person's height, on either side of them, that is looked at
_LARGEST = 0.45  # of the person's height; what is larger is no bag
_LEAST_PX = 120.0  # of the person in the picture; of somebody smaller, bags are a few pixels
_AROUND = 0.25  # of the box's longer side, in which colours are those of the background
_PAD = 0.03  # of the box's longer side, by which the bag may be larger
_SIDE = 96  # pixels of the box and its surroundings that are enough
_ROUNDS = 3
_LOGIT = 2.0  # of what is added: the votes along the edge may still change it


def with_bags(image: np.ndarray, mask: CoarseMask) -> CoarseMask:
    """A person's mask with the bags that they hold.

    Args:
        image: (H, W, 3) uint8 RGB.
        mask: of the person, before pixels are shared out among several.
    """
    if mask.size / mask.scale < _LEAST_PX:
        return mask
    x0, y0, x1, y1 = mask.window
    region = image[y0:y1, x0:x1]
    own = mask.logits > 0
    rows, columns = np.flatnonzero(own.any(axis=1)), np.flatnonzero(own.any(axis=0))
    if len(rows) == 0:
        return mask
    shape = np.array(own.shape[::-1])
    beside = _BESIDE * mask.size
    low = np.array([columns[0] - beside, rows[0] - beside / 3]) / mask.scale
    high = np.array([columns[-1] + 1 + beside, rows[-1] + 1 + beside / 3]) / mask.scale
    (u0, v0), (u1, v1) = np.maximum(low, 0).astype(int), np.ceil(high).astype(int)
    look = np.ascontiguousarray(region[v0:v1, u0:u1])
    seen = NanoDet()(look, _SCORE, _SAME, classes=BAGS)
    added = np.zeros_like(own)
    for shown, score in zip(seen.boxes, seen.scores, strict=True):
        box = (shown + [u0, v0, u0, v0]) * mask.scale
        left, top, right, bottom = np.clip(np.round(box), 0, np.tile(shape, 2)).astype(int)
        inside = np.s_[top:bottom, left:right]
        size = max(right - left, bottom - top)
        if min(right - left, bottom - top) < 3 or size > _LARGEST * mask.size:
            continue
        if not _HELD <= float((own | added)[inside].mean()) <= _KNOWN:
            continue
        if (score + _mirrored(look, shown) + _closer(look, shown)) / 3 < _SURE:
            continue
        bag = _grown(region, own, box)
        if float((own | added | bag)[inside].mean()) >= _FILLED:
            added |= bag
    if not added.any():
        return mask
    return replace(mask, logits=np.where(added, np.float32(_LOGIT), mask.logits))


def _mirrored(look: np.ndarray, box: np.ndarray) -> float:
    """NanoDet's score of a bag in a box (4,) of a picture, in the mirror."""
    width = look.shape[1]
    turned = np.array([width - box[2], box[1], width - box[0], box[3]])
    return _score(np.ascontiguousarray(look[:, ::-1]), turned)


def _closer(look: np.ndarray, box: np.ndarray) -> float:
    """The same, of the surroundings alone."""
    middle, reach = (box[:2] + box[2:]) / 2, _CLOSER / 2 * float((box[2:] - box[:2]).max())
    x0, y0 = np.maximum(middle - reach, 0).astype(int)
    x1, y1 = np.ceil(middle + reach).astype(int)
    return _score(np.ascontiguousarray(look[y0:y1, x0:x1]), box - [x0, y0, x0, y0])


def _score(look: np.ndarray, box: np.ndarray) -> float:
    """The best score of a bag about where a box is; 0 where none is seen."""
    seen = NanoDet()(look, _FAINT, 0.5, classes=BAGS)
    there = [box_iou(box, other) > 0.5 for other in seen.boxes]
    return float(seen.scores[there].max(initial=0.0))


def _grown(region: np.ndarray, own: np.ndarray, box: np.ndarray) -> np.ndarray:
    """What belongs to the mask in a box (4,), besides the mask ``own`` (h, w) bool; likewise.

    GrabCut (Rother, Kolmogorov and Blake, 2004): the mask is foreground, what surrounds the box
    background, and colours decide on the rest.
    """
    longest = float((box[2:] - box[:2]).max())
    limit = np.tile(own.shape[::-1], 2)
    wide = box + _AROUND * longest * np.array([-1, -1, 1, 1])
    x0, y0, x1, y1 = np.clip(np.round(wide), 0, limit).astype(int)
    per = np.array(region.shape[1::-1]) / own.shape[::-1]  # pixels of the picture per mask's
    scale = min(1.0, _SIDE / max(x1 - x0, y1 - y0))
    size = max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1)
    (u0, v0), (u1, v1) = np.round([x0, y0] * per).astype(int), np.round([x1, y1] * per).astype(int)
    window = np.ascontiguousarray(region[v0 : max(v1, v0 + 1), u0 : max(u1, u0 + 1)])
    small = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
    known = own[y0:y1, x0:x1].astype(np.uint8)
    labels = np.full(size[::-1], cv2.GC_BGD, np.uint8)
    pad = _PAD * longest
    low = np.round((box[:2] - pad - [x0, y0]) * scale).astype(int)
    high = np.round((box[2:] + pad - [x0, y0]) * scale).astype(int)
    left, top = np.maximum(low, 0)
    labels[top : high[1], left : high[0]] = cv2.GC_PR_FGD
    labels[cv2.resize(known, size, interpolation=cv2.INTER_AREA) > 0] = cv2.GC_FGD
    out = np.zeros_like(own)
    if any(not (labels == kind).any() for kind in (cv2.GC_BGD, cv2.GC_FGD, cv2.GC_PR_FGD)):
        return out
    cv2.setRNGSeed(0)  # of this thread: the same picture gives the same mask
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(small, labels, (0, 0, 0, 0), *models, _ROUNDS, cv2.GC_INIT_WITH_MASK)
    bag = cv2.morphologyEx(
        (labels == cv2.GC_PR_FGD).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    bag = cv2.resize(bag, (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    out[y0:y1, x0:x1] = (bag > 0) & (known == 0)
    return out
