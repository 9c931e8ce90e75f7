"""Plausible colours for parts of the body that the picture does not show.

A part that is beyond the frame or hidden by something continues what people wear: the other side's
part, then what the same garment usually covers, then plain trousers, shoes or skin.
"""

from __future__ import annotations

import numpy as np

from vitruvian.types.seen import BODY_PARTS, Seen

# Vertices' worth of surface in view from which on a part tells a colour.
_LEAST_SEEN = 12.0
_TROUSERS, _SHOES, _SHIRT = (64.0, 68.0, 80.0), (58.0, 52.0, 48.0), (150.0, 150.0, 152.0)
_SKIN = (196.0, 158.0, 136.0)  # where no skin is in view at all
# What a part takes its colour from, the first that shows any; ``face`` is the skin there.
_LIKE: dict[str, tuple[str, ...]] = {
    "head": ("face", "hand"),
    "chest": ("upper arm", "hips"),
    "hips": ("hips", "chest"),
    "upper arm": ("upper arm", "chest", "forearm"),
    "forearm": ("forearm", "upper arm", "chest"),
    "hand": ("hand", "face"),
    "thigh": ("thigh", "lower leg"),
    "lower leg": ("lower leg", "thigh"),
    "foot": ("foot",),
}
_ELSE = {
    "head": _SKIN, "hand": _SKIN, "thigh": _TROUSERS, "lower leg": _TROUSERS, "foot": _SHOES,
}  # fmt: skip
_REDDER, _GREENER = 8.0, 0.55  # red over blue, and green over red, of what can be skin
_ONE_GARMENT = 40.0  # levels that sleeves or chest and thighs differ by at most, under one coat
_DARK = 90.0  # levels below which trousers and coat may be alike


def hidden_vertices(seen: Seen, parts: np.ndarray) -> np.ndarray:
    """(V,) bool: vertices of parts (V,) where the picture shows something else than the person."""
    return np.isin(parts, [BODY_PARTS.index(part) for part in seen.hidden])


def guessed_colors(
    seen: Seen,
    parts: np.ndarray,
    weights: np.ndarray,
    colors: np.ndarray,
    beyond: np.ndarray,
    face: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Colours of the vertices of parts that are hidden, or cut off and beyond the frame.

    Args:
        seen: what the picture shows.
        parts: (V,) of each vertex, indices of ``BODY_PARTS``.
        weights: (V,) 0..1, how surely the picture shows it.
        colors: (V, 3) that it has there, sRGB 0..255.
        beyond: (V,) bool, outside of the picture.
        face: (3,) the skin's colour there, None where no face is in view.

    Returns:
        (V, 3) colours and (V,) bool, where they are meant.
    """
    unseen = (*seen.cut, *seen.hidden)
    out, meant = np.zeros((len(parts), 3), np.float32), np.zeros(len(parts), bool)
    if not unseen:
        return out, meant
    told = _told(parts, weights, colors)
    if face is not None and "head" not in seen.hidden:
        told["face"] = face
    for part in unseen:
        mine = parts == BODY_PARTS.index(part)
        if part in seen.cut:  # what is inside has a back and sides like any other part
            mine &= beyond
        kind = _kind(part)
        found = next((told[like] for like in _LIKE[kind] if like in told), None)
        out[mine] = _ELSE.get(kind, _SHIRT) if found is None else found
        meant |= mine
    return out, meant


def _kind(part: str) -> str:
    side, _, kind = part.partition(" ")
    return kind if side in ("left", "right") else part


def _told(parts: np.ndarray, weights: np.ndarray, colors: np.ndarray) -> dict[str, np.ndarray]:
    """The colour (3,) of each kind of part that is in view, both sides together."""
    told = {}
    for kind in _LIKE:
        numbers = [i for i, part in enumerate(BODY_PARTS) if _kind(part) == kind]
        mine = np.isin(parts, numbers) & (weights > 0.5)
        if weights[mine].sum() > _LEAST_SEEN:
            told[kind] = np.median(colors[mine], axis=0)
    if "hand" in told and not _may_be_skin(told["hand"]):
        del told["hand"]  # in a glove, in a pocket or holding something
    above = [told[kind] for kind in ("chest", "upper arm", "forearm") if kind in told]
    for kind in ("thigh", "lower leg"):
        # A coat or a dress ends somewhere below: what follows is not of its cloth.
        if kind in told and told[kind].max() > _DARK and _is_one_of(told[kind], above):
            del told[kind]
    return told


def _is_one_of(color: np.ndarray, others: list[np.ndarray]) -> bool:
    return any(np.abs(color - other).max() < _ONE_GARMENT for other in others)


def _may_be_skin(color: np.ndarray) -> bool:
    red, green, blue = color
    return bool(red > green > max(_GREENER * red, 0.9 * blue) and red > blue + _REDDER)
