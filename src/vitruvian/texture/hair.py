"""Which pixels of a head are hair, or a hat, and how far hair hangs down.

Above the jaw colour and place say together what is hair (``hair_colors``); below, what hangs on in
the colours of the temples.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.texture.colors import apart, main_colors, weighted_lab
from vitruvian.texture.hair_colors import hair_share
from vitruvian.texture.head_window import JAW, LEAST_PIXELS, SURELY_FACE, Head

WIDEST, LONGEST = 1.1, 1.6  # faces' heights that hair may be beside the middle, below the chin
_FRINGE = 0.8  # of the face's height above the chin: above the brows a face may be covered
_TEMPLES = 0.6  # likewise, from which on hair hangs
_HANGING = 12.0  # CIELAB units within which something below the temples is that hair
_STEP = 0.05  # of the face's height, by which hair may go aside from one row to the next
_LEAST_WIDTH = 0.06  # of the face's height: less is a stray lock
_THROAT, _THROAT_ENDS = 0.24, 0.5  # of the face's height: half its width, how far below the chin
_NECK = 0.3  # of the face's height: half its width
_OTHER_SIDE = 0.75  # of one side's width that the other has behind, at least
_INNER = 0.4  # share of hair that must be left when its rim is not believed
_SKINS, _HAIRS = 3, 4  # how many main colours
_RIM = 0.03, 0.1  # of the face's height, inwards from the outline: where hair is surely hair
_FOREHEAD = 0.36  # of the face's height: half its width
_NAPE = 0.38, 0.08  # of the face's height: half as wide is the curve in which hair ends, how deep
_DEEP, _SHALLOW = 0.06, 0.03  # of the face's height: from its edge; trust at the edge


@dataclass(frozen=True)
class Hair:
    """What of a head's window is hair, or a hat.

    Attributes:
        seen: (h, w) bool, in the picture.
        behind: (h, w) bool, seen from behind.
        trust: (h, w) float32 0..1, how much what is seen tells of the rest.
    """

    seen: np.ndarray
    behind: np.ndarray
    trust: np.ndarray


def find_hair(head: Head) -> Hair | None:
    """The hair of a head; None where the picture does not tell."""
    found = hair_share(head)
    if found is None:
        return None
    share, skin = found
    short = share > 0.5
    if short.sum() < LEAST_PIXELS:
        return None
    brows = head.above_chin(_FRINGE)
    face = head.face > SURELY_FACE
    face[:brows] = False
    lab = weighted_lab(head.pixels)
    skins = main_colors(lab[skin], _SKINS)
    short = _without_forehead(lab, short, skins, head)
    long = _hanging(lab, short, skins, (head.alpha > 128) & ~face, head)
    behind = head.mask & _above_nape(head)
    seen = short | long
    inner = cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if inner.sum() >= max(LEAST_PIXELS, _INNER * seen.sum()):
        seen = inner  # specks and rims have something of what is beside them
    if seen.sum() < LEAST_PIXELS:
        return None
    return Hair(seen, behind | _across(long, head), _trust(lab, seen, skins, head))


def _trust(lab: np.ndarray, seen: np.ndarray, skins: np.ndarray, head: Head) -> np.ndarray:
    """(h, w) float32 0..1: hair's edge has something of what is beside it, and what is nearer to
    the skin's colours than to most of the hair may be some."""
    deep = cv2.distanceTransform(seen.astype(np.uint8), cv2.DIST_L2, 3) / head.height
    trust = np.clip(deep / _DEEP, _SHALLOW, 1)
    surely = seen & (deep > _DEEP / 2)
    hairs = main_colors(lab[surely if surely.sum() >= LEAST_PIXELS else seen], 2, least=0.25)
    if len(hairs) and len(skins):
        skin, hair = apart(lab, skins), apart(lab, hairs)
        trust = trust * np.square(skin / np.maximum(skin + hair, 1e-3))
    return np.where(seen, trust, 0).astype(np.float32)


def _above_nape(head: Head) -> np.ndarray:
    """(h, w) bool, where short hair may be behind: it ends in a curve, lowest in the middle."""
    rows, columns = np.indices(head.mask.shape)
    across = (columns - head.middle) / (_NAPE[0] * head.height)
    return np.asarray(rows < head.nape + _NAPE[1] * head.height * (1 - across**2).clip(0))


def _without_forehead(
    lab: np.ndarray, short: np.ndarray, skins: np.ndarray, head: Head
) -> np.ndarray:
    """Hair (h, w) bool without what is before it in the middle and nearer to the skin's colours
    than to those that hair has along the outline: a forehead in the light, which is none of the
    face's main colours, either."""
    deep = cv2.distanceTransform(head.mask.astype(np.uint8), cv2.DIST_L2, 3) / head.height
    rim = short & (deep > _RIM[0]) & (deep < _RIM[1])
    rim[head.above_chin(1) :] = False
    if rim.sum() < LEAST_PIXELS:
        return short
    hairs = main_colors(lab[rim], _HAIRS)
    across = np.abs(np.arange(short.shape[1])[None] - head.middle) / head.height
    skin = short & (deep > _RIM[1]) & (across < _FOREHEAD)
    skin &= apart(lab, skins) < apart(lab, hairs)
    skin = cv2.morphologyEx(skin.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    skin = cv2.dilate(skin.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    left = short & ~skin
    return left if left.sum() >= LEAST_PIXELS else short


def _hanging(
    lab: np.ndarray, short: np.ndarray, skins: np.ndarray, possible: np.ndarray, head: Head
) -> np.ndarray:
    """(h, w) bool, hair that hangs beside the face and below the chin, joined to ``short``."""
    temples = int(max(head.chin - _TEMPLES * head.height, 0))
    beside = short.copy()
    beside[:temples] = False
    beside[head.chin :] = False
    if beside.sum() < LEAST_PIXELS:
        return np.zeros_like(short)
    columns = np.arange(lab.shape[1])[None]
    alike = possible & (np.abs(columns - head.middle) < WIDEST * head.height)
    alike[:temples] = False
    # Throat and chin in their shade are not of the face's colours.
    throat = np.abs(columns - head.middle) < _THROAT * head.height
    below = head.above_chin(JAW), head.above_chin(-_THROAT_ENDS)
    alike[below[0] : below[1]] &= ~throat
    away = apart(lab, main_colors(lab[beside], _HAIRS))
    alike &= (away < _HANGING) & (away < apart(lab, skins))
    whole = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(whole | beside.astype(np.uint8))
    joined = np.zeros(count, bool)
    joined[np.unique(labels[beside])] = True
    joined[0] = False
    out = joined[labels] & (whole > 0)
    # Below the chin hair is where it was a little higher up, or next to it.
    kernel = np.ones((1, 2 * max(1, round(_STEP * head.height)) + 1), np.uint8)
    for y in range(head.chin, len(out)):
        out[y] &= cv2.dilate(out[y - 1].astype(np.uint8)[None], kernel)[0] > 0
        if out[y].sum() < _LEAST_WIDTH * head.height:
            out[y:] = False
            break
    return out


def _across(hair: np.ndarray, head: Head) -> np.ndarray:
    """(h, w) bool, each row between its outermost hair and before the neck, evened."""
    out = np.zeros_like(hair)
    rows = np.flatnonzero(hair.any(1))
    if len(rows) == 0:
        return out
    left = head.middle - hair[rows].argmax(1)
    right = hair.shape[1] - 1 - hair[rows][:, ::-1].argmax(1) - head.middle
    # What hangs before one shoulder alone hangs behind both.
    wide = [np.maximum(a, _OTHER_SIDE * b) for a, b in ((left, right), (right, left))]
    left, right = (np.maximum(one, _NECK * head.height) for one in wide)
    ends = np.column_stack([head.middle - left, head.middle + right]).astype(np.float32)
    size = 1, 2 * max(1, round(head.height / 10)) + 1
    even = np.asarray(cv2.blur(ends[:, None], size, borderType=cv2.BORDER_REPLICATE))[:, 0]
    columns = np.arange(hair.shape[1])[None]
    out[rows] = (columns >= even[:, :1]) & (columns <= even[:, 1:])
    return out
