"""How far down a short skirt reaches, told by the legs below it.

Short skirts lie on thighs, so that neither outline nor surface tells them. But their hem is one
line across both legs, with nothing of what is behind above it; shorts have a notch between two
openings.
"""

from __future__ import annotations

import numpy as np

from vitruvian.avatar.leg_grid import LegGrid
from vitruvian.texture.colors import apart, main_colors
from vitruvian.types.figure import Figure

_BANDS = (0.95, 1.25), (1.3, 1.6)  # levels where legs are looked at, the first that tells
_BONES = 0.18  # place around either bone where a leg is
_LEAST = 30  # places that tell a colour
_UNEVEN = 9.0  # CIELAB units, of lightness .5, that a leg's colour may spread by
_LIKE = 3.0  # times that, within which it goes on
_LIKE_LEAST, _LIKE_MOST = 6.0, 12.0
_PASSED = 3  # levels of another colour, above which a leg does not go on
_SHORTEST, _ABOVE_BAND = 0.42, 0.05  # hems that are believed: above are shorts, and shirts
_UNEQUAL = 0.25  # of a level, by which both legs' hems may differ
_CLOTH = (-0.35, -0.08)  # of a hem, in levels: cloth
_ACROSS = 0.6  # place around the middle that the cloth is of
_OTHER = 10.0  # CIELAB units, weighted, between cloth and legs
_CLOTH_LIKE = 14.0  # likewise, from the cloth's main colours
_COLORS, _LEAST_SHARE = 6, 0.04
_NOTCH, _DEEPEST = 0.05, 0.08  # of a level, by which the hem may be higher in the middle
_ROUGH = 0.09  # likewise, from place to place
_CLEAR = 0.7  # share of the levels there that nothing may hide
_SHOWS = 0.02  # share of the levels above the hem that show what is behind
_LOOKED_AT = 0.25, 0.3, 0.04  # of a level above the hem, from where, on which levels, to where
_KNEES = 0.95  # level of a hem below which skin may end at a boot
_THIGHS = (-0.6, -0.2)  # of it, in levels, where that skin is
_SKIN = 15.0, 5.0, 5.0  # least weighted lightness, a* and b* of it there
_WOMAN = 1.0  # least log odds


def short_hem(grid: LegGrid, figure: Figure) -> float | None:
    """The level of the hem of a woman's short skirt, of ``tube``; None where there is none, or
    where the picture does not tell."""
    if not womans(figure):
        return None
    seen = grid.on & grid.clear
    found = _hem(grid, seen)
    if found is None:
        return None
    hem, legs = found
    wide = np.abs(grid.shares - 0.5) < _ACROSS
    above = grid.within(hem + _CLOTH[0], hem + _CLOTH[1])[:, None] & wide & seen
    cloth = grid.lab[above]
    if len(cloth) < 2 * _LEAST or np.median(apart(cloth, legs)) < _OTHER:
        return None
    thighs = grid.within(hem + _THIGHS[0], hem + _THIGHS[1])[:, None] & wide & seen
    if hem > _KNEES and (np.median(grid.lab[thighs], 0) > _SKIN).all():
        return None
    first, shown, last = _LOOKED_AT
    looked_at = grid.within(hem - shown, hem - last)
    if (~grid.on[looked_at][:, grid.near_middle(0.2)]).any(1).mean() > _SHOWS:
        return None
    from_cloth = apart(grid.lab, main_colors(cloth, _COLORS, least=_LEAST_SHARE))
    alike = seen & (from_cloth < apart(grid.lab, legs)) & (from_cloth < _CLOTH_LIKE)
    clear = grid.clear[grid.within(hem - first, hem)].mean(0) > _CLEAR
    sides, middle = grid.near_bones(0.15) & clear, grid.near_middle(0.12) & clear
    between = grid.near_middle(0.25) & clear
    if not sides.any() or not middle.any():
        return None
    ends = _ends(grid, alike, hem - first)
    side = np.median(ends[sides])
    rough = np.abs(np.diff(ends[grid.near_middle(0.5) & clear])).mean()
    level = side - np.median(ends[middle]) < _NOTCH and side - ends[between].min() < _DEEPEST
    return hem if level and rough < _ROUGH else None


def womans(figure: Figure) -> bool:
    """Whether somebody is believed to be a woman: short skirts of nobody else are looked for."""
    if figure.hint is not None and figure.hint.sex is not None:
        return figure.hint.sex == "woman"
    return figure.face is not None and figure.face.woman_log_odds > _WOMAN


def _hem(grid: LegGrid, seen: np.ndarray) -> tuple[float, np.ndarray] | None:
    """Down to where something else than legs is seen, and the legs' colours (2, 3)."""
    strips = [np.abs(grid.shares - bone) < _BONES for bone in (0, 1)]
    for first, last in _BANDS:
        rows = grid.within(first, last)
        legs = [grid.lab[rows[:, None] & strip & seen] for strip in strips]
        if min(len(leg) for leg in legs) < _LEAST:
            continue
        colors = np.array([np.median(leg, 0) for leg in legs])
        away = [
            np.linalg.norm(leg - color, axis=1) for leg, color in zip(legs, colors, strict=True)
        ]
        uneven = max(float(np.median(one)) for one in away)
        if uneven > _UNEVEN:
            continue
        near = float(np.clip(_LIKE * uneven, _LIKE_LEAST, _LIKE_MOST))
        start = int(np.searchsorted(grid.levels, first))
        hems = np.array([
            _goes_up(grid, strip, seen, color, near, start)
            for strip, color in zip(strips, colors, strict=True)
        ])  # fmt: skip
        known = hems[np.isfinite(hems)]
        if len(known) == 0 or np.ptp(known) > _UNEQUAL:
            continue
        hem = float(known.mean())
        if _SHORTEST < hem < first - _ABOVE_BAND:
            return hem, colors.astype(np.float32)
    return None


def _goes_up(
    grid: LegGrid,
    strip: np.ndarray,
    seen: np.ndarray,
    color: np.ndarray,
    near: float,
    start: int,
) -> float:
    """The level to which a leg's colour goes on from one up; NaN where something hides its end."""
    last, passed, hidden = start, 0, False
    for level in range(start - 1, -1, -1):
        shown = seen[level] & strip
        if shown.sum() < 4:
            hidden |= level >= last - _PASSED
            continue
        alike = np.linalg.norm(grid.lab[level, shown] - color, axis=1) < near
        if alike.mean() >= 0.5:
            last, passed, hidden = level, 0, False
            continue
        passed += 1
        if passed == _PASSED:
            break
    step = grid.levels[1] - grid.levels[0]
    return np.nan if hidden else float(grid.levels[last] - step / 2)


def _ends(grid: LegGrid, alike: np.ndarray, start: float) -> np.ndarray:
    """(T,) the level at which cloth ends at each place, from one down."""
    first = int(np.searchsorted(grid.levels, start))
    below = ~alike[first:]
    below = below & np.concatenate([below[1:], below[-1:]])
    end = np.where(below.any(0), below.argmax(0), len(below) - 1)
    return np.asarray(grid.levels[first + end])
