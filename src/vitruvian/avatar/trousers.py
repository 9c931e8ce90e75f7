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
_GOES_ON_TO = 1.5  # hems below may be a little higher than the cloth's end
_BONES = 0.25  # place around either bone where legs are
_ALIKE = 7.5  # CIELAB units, of lightness .5, within which the same cloth goes on
_DARK = 9.0  # lightness, weighted, below which skirts and stockings are alike
_LEAST = 20  # places that are compared
_FIRST = 0.9  # level from which on a backdrop is sought between legs
_HEM = 0.05
_MIDDLE = 0.2
_OTHER = 9.0  # CIELAB units from the cloth's colours, for the backdrop's
_NEARER = 0.6  # of which the backdrop's are at most as far
_SHOWS, _SHOWS_LEVELS = 0.05, 0.4  # share of the places, and of the levels, with the backdrop
_COLORS = 6
_SURE = -2.0  # log odds of a woman's face below which somebody is believed to be a man


def goes_on(grid: LegGrid, hem: float) -> bool:
    """Whether cloth goes on in the same colours below a hem, down both legs."""
    if hem > _GOES_ON_TO:
        return False
    legs = grid.near_bones(_BONES)
    above, below = (
        grid.lab[(grid.within(hem + first, hem + last)[:, None] & legs) & grid.on & grid.clear]
        for first, last in (_ABOVE, _BELOW)
    )
    if min(len(above), len(below)) < _LEAST or np.median(above[:, 0]) < _DARK:
        return False
    away = [
        np.median(apart(one, main_colors(other, _COLORS, least=0.05)))
        for one, other in ((above, below), (below, above))
    ]
    return bool(max(away) < _ALIKE)


def backdrop_between(grid: LegGrid, hem: float) -> bool:
    """Whether what is behind the person shows between their shanks above a hem, where the matte
    has it closed."""
    levels = grid.within(_FIRST, hem - _HEM)
    cloth = levels[:, None] & grid.near_bones(_BONES) & grid.on & grid.clear
    behind = levels[:, None] & ~grid.on & grid.clear
    if min(cloth.sum(), behind.sum()) < _LEAST:
        return False
    middle = levels[:, None] & grid.near_middle(_MIDDLE) & grid.clear
    from_cloth = apart(grid.lab, main_colors(grid.lab[cloth], _COLORS, least=0.05))
    from_behind = apart(grid.lab, main_colors(grid.lab[behind], _COLORS + 2, least=0.05))
    shows = middle & (from_cloth > _OTHER) & (from_behind < _NEARER * from_cloth)
    rows = shows.any(1)[levels].mean()
    return bool(rows > _SHOWS_LEVELS and shows.sum() > _SHOWS * middle.sum())


def mans(figure: Figure) -> bool:
    """Whether somebody is believed to be a man, who hardly wears a skirt that ends above the
    calves."""
    if figure.hint is not None and figure.hint.sex is not None:
        return figure.hint.sex == "man"
    return figure.face is not None and figure.face.woman_log_odds < _SURE
