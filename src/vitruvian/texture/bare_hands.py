"""Hands that the photograph shows as something else, such as a pocket or a bag, are skin; and hands
are not printed on what is behind them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from vitruvian.image.cielab import cielab
from vitruvian.image.disc import disc
from vitruvian.texture.colors import SKIN_TONE
from vitruvian.texture.view import View
from vitruvian.types.regions import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TRUNK

_ON_HAND = 0.5  # weight from which on a place is of a hand
_LIKE_SKIN, _NO_SKIN = 20.0, 32.0  # CIELAB units from the face's colour
_BARE = 0.35  # share of a hand's pixels that are like skin
_GLOVE = 18.0  # CIELAB units by which a glove differs from the clothes around
_LIGHTNESS = 0.5  # of a difference in lightness that counts: hands are in shadow
_LEAST_PIXELS = 12
_BESIDE = 0.02  # of the window's longer side, around hands
_SKIN_LIKE = 0.15  # share of the cloth farther around that may be like the hand
_HAND = 14.0  # CIELAB units from the hand's colour


def bare_hands(
    view: View, hand: np.ndarray, part: np.ndarray, skin: np.ndarray
) -> tuple[View, np.ndarray, np.ndarray]:
    """Take what is no skin from hands, unless it is a glove.

    Args:
        view: of a body's layer.
        hand: (V,) float32, 1 on the hands.
        part: (V,) uint8 region of each vertex.
        skin: (3,) sRGB, the colour of the face.

    Returns:
        The view with a matte that leaves it out; (V, 3) sRGB and (V,) bool, the colours to take
        where nothing of a hand is seen.
    """
    weight = np.append(hand, np.float32(0))[view.vertex]
    shown = (weight > _ON_HAND) & (view.alpha > 128)
    lab = _weighted(view.pixels)
    away = np.linalg.norm(lab - _weighted(skin[None, None]), axis=-1)
    clothes = [
        np.median(lab[(view.part == one) & (view.alpha > 128)], axis=0)
        for one in (TRUNK, LEFT_LEG, RIGHT_LEG)
        if ((view.part == one) & (view.alpha > 128)).sum() >= _LEAST_PIXELS
    ]
    alpha = view.alpha.copy()
    colors, told = np.zeros((len(hand), 3), np.float32), np.zeros(len(hand), bool)
    tone, doubtful, some_bare = skin, [], False
    can_be_skin = (lab[..., 1] > SKIN_TONE[0]) & (lab[..., 2] > SKIN_TONE[1])
    for arm in (LEFT_ARM, RIGHT_ARM):
        mine = shown & (view.part == arm)
        own = (part == arm) & (hand > _ON_HAND)
        bare = mine & (away < _LIKE_SKIN) & can_be_skin
        if bare.sum() >= max(_LEAST_PIXELS, _BARE * mine.sum()):
            tone, some_bare = np.median(view.pixels[bare], axis=0), True
            alpha[mine & (away > _NO_SKIN)] = 0
            told |= own
        else:
            doubtful.append((mine, own))
    for mine, own in doubtful:
        if not some_bare and mine.sum() >= _LEAST_PIXELS:
            # A glove, then; but people have two.
            color = np.median(lab[mine], axis=0)
            if all(np.linalg.norm(color - other) > _GLOVE for other in clothes):
                continue
        alpha[mine] = 0
        told |= own
    alpha[_beside_hands(view, shown, lab, tone)] = 0
    colors[told] = tone
    return replace(view, alpha=alpha), colors, told


def _beside_hands(view: View, shown: np.ndarray, lab: np.ndarray, tone: np.ndarray) -> np.ndarray:
    """(h, w) bool, skin beside where hands are said to be: hands that are not quite there must not
    be printed on the cloth behind them."""
    reach = max(1, round(_BESIDE * max(shown.shape)))
    kernel = disc(reach)
    near = cv2.dilate(shown.astype(np.uint8), kernel) > 0
    around = cv2.dilate(near.astype(np.uint8), kernel) > 0
    behind = np.isin(view.part, (TRUNK, LEFT_LEG, RIGHT_LEG)) & (view.alpha > 128)
    cloth = near & behind
    like_hand = np.linalg.norm(lab - _weighted(tone[None, None]), axis=-1) < _HAND
    if like_hand[around & ~near & behind].sum() > _SKIN_LIKE * (around & ~near & behind).sum():
        return np.zeros_like(cloth)  # cloth of the colour of skin
    printed = (cloth & like_hand).astype(np.uint8)
    # With the rim, where hand and cloth mix.
    return np.asarray(cloth & (cv2.dilate(printed, np.ones((5, 5), np.uint8)) > 0))


def _weighted(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(cielab(rgb) * np.array([_LIGHTNESS, 1, 1], np.float32))
