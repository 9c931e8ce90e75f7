"""Whether what was thought to be a skirt is of trousers, by colours.

Wide trousers, and trousers behind a bag, close the gap between the legs in the surface. But below
the hem that was found they go on in the same colours, or the backdrop shows between.
"""

from __future__ import annotations

import numpy as np

from vitruvian.avatar.leg_grid import LegGrid
from vitruvian.texture.colors import apart, main_colors
from vitruvian.types.figure import Figure

_ABOVE, _BELOW = (-0.32, -0.08), (0.1, 0.32)  # of a hem, in levels: what is compared
_GOES_ON_FROM, _ANKLES = 1.5, 1.65  # lowest hem below which cloth goes on, and how far
_MOST = 0.8  # share of the levels to there
_BONES = 0.25  # place around either bone where legs are
_ALIKE, _FAINTLY_ALIKE = 7.5, 12.0  # CIELAB units, of lightness .5, within which cloth is one
_DARK = 9.0  # lightness, weighted, below which skirts and stockings are alike
_LEAST = 20  # places that are compared
_FIRST = 0.9  # level from which on a backdrop is sought between legs
_HEM = 0.05
_LEAST_LEVELS = 16  # of .025 each, in which the backdrop is sought
_MIDDLE = 0.2
_OTHER = 9.0  # CIELAB units from the cloth's colours, for the backdrop's
_NEARER = 0.6  # of which the backdrop's are at most as far
_SHOWS, _SHOWS_LEVELS = 0.05, 0.4  # share of the places, and of the levels, with the backdrop
_COLORS, _LEAST_SHARE = 6, 0.05
_SURE = -2.0  # log odds of a woman's face below which somebody is believed to be a man


def goes_on(grid: LegGrid, hem: float) -> bool:
    """Whether cloth goes on in the same colours below a hem, down both legs to the ankles."""
    if hem > _GOES_ON_FROM:
        return False
    seen = grid.on & grid.clear
    legs = grid.near_bones(_BONES)
    above, below = (
        grid.lab[grid.within(hem + first, hem + last)[:, None] & legs & seen]
        for first, last in (_ABOVE, _BELOW)
    )
    if min(len(above), len(below)) < _LEAST or np.median(above[:, 0]) < _DARK:
        return False
    cloth = main_colors(above, _COLORS, least=_LEAST_SHARE)
    from_below = apart(above, main_colors(below, _COLORS, least=_LEAST_SHARE))
    if max(np.median(apart(below, cloth)), np.median(from_below)) > _ALIKE:
        return False
    alike = seen & (apart(grid.lab, cloth) < _FAINTLY_ALIKE)
    rows = grid.within(hem + _BELOW[0], _ANKLES)
    for bone in (0, 1):
        leg = np.abs(grid.shares - bone) < _BONES
        known = seen[rows][:, leg].sum(1)
        same = alike[rows][:, leg].sum(1) > known / 2
        if not known.any() or same[known > 0].mean() < _MOST:
            return False
    return True


def backdrop_between(grid: LegGrid, hem: float) -> bool:
    """Whether what is behind the person shows between their shanks above a hem, where the matte
    has it closed."""
    levels = grid.within(_FIRST, hem - _HEM)
    if levels.sum() < _LEAST_LEVELS:
        return False
    cloth = levels[:, None] & grid.near_bones(_BONES) & grid.on & grid.clear
    behind = levels[:, None] & ~grid.on & grid.clear
    if min(cloth.sum(), behind.sum()) < _LEAST:
        return False
    middle = levels[:, None] & grid.near_middle(_MIDDLE) & grid.clear
    from_cloth = apart(grid.lab, main_colors(grid.lab[cloth], _COLORS, least=_LEAST_SHARE))
    from_behind = apart(grid.lab, main_colors(grid.lab[behind], _COLORS + 2, least=_LEAST_SHARE))
    shows = middle & (from_cloth > _OTHER) & (from_behind < _NEARER * from_cloth)
    rows = shows.any(1)[levels].mean()
    return bool(rows > _SHOWS_LEVELS and shows.sum() > _SHOWS * middle.sum())


def mans(figure: Figure) -> bool:
    """Whether somebody is believed to be a man, who hardly wears a skirt that ends above the
    calves."""
    if figure.hint is not None and figure.hint.sex is not None:
        return figure.hint.sex == "man"
    return figure.face is not None and figure.face.woman_log_odds < _SURE
