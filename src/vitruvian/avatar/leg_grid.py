"""A person's legs in the picture, laid out by level and by place from one leg to the other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.avatar.outline import Window
from vitruvian.avatar.tube import Axis
from vitruvian.texture.carried import Carried
from vitruvian.texture.colors import weighted_lab
from vitruvian.types.body import Body
from vitruvian.types.photo import Photo

_LEVELS = np.arange(-0.3, 2.05, 0.025)
_SHARES = np.linspace(-1.4, 2.4, 96)
_APART_M = 0.12  # least distance between both legs' bones that places are measured by


@dataclass(frozen=True)
class LegGrid:
    """What the picture shows at each level (L,) and place (T,).

    Attributes:
        levels: (L,) of ``tube``.
        shares: (T,) places: 0 on the left leg's bone, 1 on the right one's.
        lab: (L, T, 3) colours, CIELAB with its lightness weighted.
        on: (L, T) bool, on the person.
        clear: (L, T) bool, neither an arm nor anything carried, nor out of the picture.
    """

    levels: np.ndarray
    shares: np.ndarray
    lab: np.ndarray
    on: np.ndarray
    clear: np.ndarray

    @staticmethod
    def of(photo: Photo, body: Body, window: Window, carried: Carried | None = None) -> LegGrid:
        """``body`` is fitted, camera frame; ``window`` is that around it; ``carried`` is what hides
        the legs."""
        axis = Axis.of(body.model, body.joints)
        place = np.clip(np.searchsorted(axis.levels, _LEVELS), 0, len(axis.levels) - 1)
        camera = window.camera
        left, right = (camera.project(axis.legs[place, side]) for side in (0, 1))
        least = _APART_M * camera.focal_px / axis.legs[place, :, 2].mean(1)
        apart = right[:, 0] - left[:, 0]
        # Legs before each other have no places between; those of the usual distance stand for them.
        apart = np.where(apart < 0, -1, 1) * np.maximum(np.abs(apart), least)
        middle = (left + right) / 2
        x = middle[:, :1] + (_SHARES - 0.5) * apart[:, None]
        y = middle[:, 1:] + (_SHARES - 0.5) * (right - left)[:, 1:]
        columns, rows = np.floor(x).astype(int), np.floor(y).astype(int)
        inside = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
        columns, rows = columns.clip(0, camera.width - 1), rows.clip(0, camera.height - 1)
        hidden = window.arms
        if carried is not None:
            hidden = hidden | carried.seen_by(camera)
        small = cv2.resize(
            photo.pixels[window.rows, window.columns],
            (camera.width, camera.height),
            interpolation=cv2.INTER_AREA,
        )
        return LegGrid(
            _LEVELS,
            _SHARES,
            weighted_lab(small[rows, columns]),
            window.mask[rows, columns] & inside,
            inside & ~hidden[rows, columns],
        )

    def within(self, first: float, last: float) -> np.ndarray:
        """(L,) bool, which levels are between two."""
        return np.asarray((self.levels > first) & (self.levels < last))

    def near_bones(self, share: float) -> np.ndarray:
        """(T,) bool, places so near to either leg's bone."""
        return np.asarray((np.abs(self.shares) < share) | (np.abs(self.shares - 1) < share))

    def near_middle(self, share: float) -> np.ndarray:
        """(T,) bool, places so near to the middle between both."""
        return np.asarray(np.abs(self.shares - 0.5) < share)
