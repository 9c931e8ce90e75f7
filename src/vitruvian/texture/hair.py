"""Which pixels of a head are hair, or a hat, and how far hair hangs down.

A head has hair (or a hat) at its outline above the eyes, and skin in the middle of the face. The
main colours of both are taken there, and every pixel goes to the nearer ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.image.cielab import cielab

LEAST_PIXELS = 30  # of anything that is to be believed
NAPE = 0.04  # of the face's height: so much above the chin short hair ends behind
WIDEST, LONGEST = 1.1, 1.6  # faces' heights that hair may be beside the middle, below the chin
_LIGHTNESS = 0.5  # of a difference in lightness that counts: light falls on faces from one side
_FACE, _SURELY_FACE = 0.3, 0.7  # weights from which on a place is, is surely the face's
_SKIN = 16.0  # CIELAB units from the face's median: what is farther are eyes, or glasses
_LIKE_SKIN = 7.0  # CIELAB units from the face's main colours within which hair says nothing
_LEAST_HAIR = 0.15  # share of the outline that is not like skin: else bald, or very fair
_DOUBT = 6.0  # CIELAB units by which hair, or the face, is believed where it is expected
_RIM = 0.16  # of the face's height: so far from the outline a head has hair
_EYES = 0.5  # of the face's height above the chin
_JAW = 0.15  # likewise: below are beards and collars, or hair that hangs
_FRINGE = 0.8  # likewise: above the brows what is not skin is hair
_TEMPLES = 0.6  # of the face's height above the chin, from which on hair hangs
_HANGING = 12.0  # CIELAB units within which something below the temples is that hair
_STEP = 0.05  # of the face's height, by which hair may go aside from one row to the next
_LEAST_WIDTH = 0.06  # of the face's height: less is a stray lock
_NECK = 0.3  # of the face's height: half its width
_OTHER_SIDE = 0.75  # of one side's width that the other has behind, at least
_INNER = 0.4  # share of hair that must be left when its rim is not believed
_TRIED = 400  # pixels of which main colours are sought
_SKINS, _HAIRS = 3, 4  # how many main colours
_LEAST_MEMBERS = 0.12  # share of the pixels that a main colour stands for


@dataclass(frozen=True)
class Head:
    """A head in the picture, in a window of its own.

    Attributes:
        pixels: (h, w, 3) uint8 sRGB.
        alpha: (h, w) uint8, the person's matte.
        mask: (h, w) bool, what of the surface's head is seen.
        face: (h, w) float32, how far the face is there.
        chin: its row; height: of the face in pixels; middle: the face's column.
    """

    pixels: np.ndarray
    alpha: np.ndarray
    mask: np.ndarray
    face: np.ndarray
    chin: int
    height: int
    middle: float

    @property
    def nape(self) -> int:
        """The row at which short hair ends behind."""
        return max(int(self.chin - NAPE * self.height), 1)


@dataclass(frozen=True)
class Hair:
    """What of a head's window is hair, or a hat.

    Attributes:
        seen: (h, w) bool, in the picture.
        behind: (h, w) bool, seen from behind.
    """

    seen: np.ndarray
    behind: np.ndarray


def find_hair(head: Head) -> Hair | None:
    """The hair of a head; None where the picture does not tell."""
    lab = _weighted_lab(head.pixels)
    skins = _skin_colors(lab, head)
    rim = _rim(head)
    if skins is None or rim.sum() < LEAST_PIXELS:
        return None
    brows = max(int(head.chin - _FRINGE * head.height), 0)
    face = head.face > _SURELY_FACE
    face[:brows] = False
    short = head.mask & _like_hair(lab, rim, skins, head)
    short[brows:] &= head.face[brows:] < _FACE
    short[max(int(head.chin - _JAW * head.height), 0) :] = False
    long = _hanging(lab, short, skins, (head.alpha > 128) & ~face, head)
    behind = head.mask.copy()
    behind[head.nape :] = False
    seen = short | long
    inner = cv2.erode(seen.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    if inner.sum() >= max(LEAST_PIXELS, _INNER * seen.sum()):
        seen = inner  # specks and rims have something of what is beside them
    if seen.sum() < LEAST_PIXELS:
        return None
    return Hair(seen, behind | _across(long, head))


def _weighted_lab(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) float32 CIELAB, its lightness weighted."""
    return np.asarray(cielab(rgb) * np.array([_LIGHTNESS, 1, 1], np.float32))


def _apart(lab: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Distances (...) of weighted colours (..., 3) to the nearest of some (K, 3)."""
    # |a - b|² = |a|² - 2 a·b + |b|², as one product of matrices.
    squares = lab @ (-2 * colors.T) + (colors * colors).sum(1)
    least = squares.min(-1) + np.einsum("...c,...c->...", lab, lab)
    return np.asarray(np.sqrt(np.maximum(least, 0)))


def _main_colors(lab: np.ndarray, count: int) -> np.ndarray:
    """At most (count, 3) colours that stand for (N, 3), none of them for a few alone."""
    some = lab[np.random.default_rng(0).permutation(len(lab))[:_TRIED]]
    # As k-means, from colours that lie far apart; a few rounds are as good as many.
    centers = some[:1]
    for _ in range(min(count, len(some)) - 1):
        centers = np.concatenate([centers, some[[_apart(some, centers).argmax()]]])
    for _ in range(6):
        near = np.square(some[:, None] - centers).sum(-1).argmin(1)
        sums = np.stack([np.bincount(near, some[:, c], len(centers)) for c in range(3)], 1)
        members = np.bincount(near, minlength=len(centers))[:, None]
        centers = np.where(members > 0, sums / np.maximum(members, 1), centers).astype(np.float32)
    return np.asarray(centers[members[:, 0] >= _LEAST_MEMBERS * len(some)], np.float32)


def _skin_colors(lab: np.ndarray, head: Head) -> np.ndarray | None:
    """The face's main colours (K, 3); None where too little of it is seen."""
    skin = lab[head.mask & (head.face > _SURELY_FACE)]
    if len(skin) < LEAST_PIXELS:
        return None
    skin = skin[_apart(skin, np.median(skin, axis=0)[None]) < _SKIN]
    return _main_colors(skin, _SKINS) if len(skin) >= LEAST_PIXELS else None


def _rim(head: Head) -> np.ndarray:
    """(h, w) bool, where a head has hair, or a hat, if it has any."""
    within = cv2.distanceTransform((head.alpha > 128).astype(np.uint8), cv2.DIST_L2, 3)
    rim = head.mask & (head.face < 0.1) & (within > 1.5)
    rim &= within < max(3.0, _RIM * head.height)
    rim[max(int(head.chin - _EYES * head.height), 0) :] = False
    return rim


def _like_hair(lab: np.ndarray, rim: np.ndarray, skins: np.ndarray, head: Head) -> np.ndarray:
    """(h, w) bool, what is of the rim's colours rather than of the face's."""
    away = _apart(lab, skins)
    if (away[rim] > _LIKE_SKIN).mean() < _LEAST_HAIR:
        # Shorn, bald or very fair: the darker half, which lamps and sun do not shine on.
        return np.asarray(rim & (lab[..., 0] <= np.median(lab[rim][:, 0])))
    hairs = _main_colors(lab[rim], _HAIRS)
    apart = _apart(hairs, skins)
    hairs = hairs[(apart > _LIKE_SKIN) | (apart == apart.max())]
    # Hair is believed where no face is, and the face where it is.
    doubt = np.clip(_DOUBT * (1 - head.face / _FACE), -_DOUBT, _DOUBT)
    return np.asarray(_apart(lab, hairs) < away + doubt)


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
    away = _apart(lab, _main_colors(lab[beside], _HAIRS))
    alike &= (away < _HANGING) & (away < _apart(lab, skins))
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
