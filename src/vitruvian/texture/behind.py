"""What clothes look like from behind, guessed from the front: without its opening.

The back of a jacket has no lapels, shirt or tie. At the two edges of a figure cloth goes on around
it. What lies between them and is of another colour is an opening, or hangs before it (ties,
scarves, bags, prints), and the back has the cloth of the edges instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.body.model.regions import LEFT_LEG, RIGHT_LEG, TRUNK
from vitruvian.compute import kernel
from vitruvian.image.cielab import cielab
from vitruvian.texture.patches import patched

_ROWS = 288  # of the small picture in which openings are looked for
_RIM, _BAND = 0.05, 0.17  # shares of a row's width: left out at the outline, taken for its cloth
_LEAST_WIDTH = 10  # pixels of the small picture
_ENDS_SMOOTHED, _CLOTH_SMOOTHED = 2.0, 4.0  # of its rows
_TORSO = (0.2, 0.75)  # of the trunk's rows: below neck and shoulders, above the hips
_LEAST_OUTER = 0.25  # of a band, for the outer garment to be there
_LEAST_PLAIN = 0.5  # of the edges' pixels along the torso, likewise
_TRIED = 200  # of those pixels
_GAP = 13  # rows that the outer garment may be out of sight for
_LIGHTNESS = 0.5  # of a difference in lightness that counts: folds and shadows are no opening
_ALIKE = 16.0  # CIELAB units within which cloth is the same
_DIFFERENT = (13.0, 22.0)  # from the edges' cloth: where an opening begins, where it is certain
_PATTERNED = 1.0  # standard deviations of the edges' cloth that are added to those
_SKIN = 14.0  # CIELAB units from the face's colour
_PATCHED = 0.15  # of the picture's height: a scale of the patches that replace things
_PATTERN = 8.0  # levels by which cloth may differ from its mean, when it is repeated


@dataclass(frozen=True)
class _Band:
    """The cloth at one edge of a figure, row by row of the small picture.

    Attributes:
        lab, rgb: (h, 3) float32, mean colours.
        spread: (h,) float32, standard deviation, CIELAB.
        told: (h,) bool, where the edge says what the back looks like.
    """

    lab: np.ndarray
    rgb: np.ndarray
    spread: np.ndarray
    told: np.ndarray


def closed_over(
    pixels: np.ndarray,
    alpha: np.ndarray,
    part: np.ndarray,
    skin: np.ndarray | None,
    carried: np.ndarray | None = None,
    even: np.ndarray | None = None,
) -> np.ndarray:
    """The picture (h, w, 3) uint8 sRGB of a person's front as their back may look.

    Row by row, trunk and legs: the mean colours of bands along both edges, of the outer garment
    alone where it shows there, and what differs from them replaced. An edge counts where both are
    alike or it is of the outer garment, and not where it is bare skin beside a top.

    Args:
        pixels: (h, w, 3) uint8 sRGB.
        alpha: (h, w) uint8, the person's matte.
        part: (h, w) uint8, the part of the body that is seen, of ``body.regions``.
        skin: (3,) sRGB of the person's face, None where it is not seen.
        carried: (h, w) bool, bags and the like: no edge's cloth, and replaced by the cloth around.
        even: (h, w, 3) uint8 sRGB, the picture without its light, of which the back is made; the
            picture tells better what is open.
    """
    height, width = alpha.shape
    scale = min(1.0, _ROWS / height)
    size = max(4, round(width * scale)), max(4, round(height * scale))
    wanted = ((part == TRUNK) | (part == LEFT_LEG) | (part == RIGHT_LEG)) & (alpha > 128)
    cloth = cv2.resize(wanted.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    trunk = cv2.resize((part == TRUNK).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    rgb = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    lab = cielab(rgb)
    if even is not None:
        pixels = even
        rgb = cv2.resize(even, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    things = np.zeros_like(cloth)
    if carried is not None:
        things = cv2.resize(carried.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        cloth &= ~things
        pixels = _without(things, pixels, rgb, cloth)
    ends = _ends(cloth)
    if ends is None:
        return pixels
    bands = _bands(rgb, lab, cloth, ends, trunk.any(1), skin)
    if bands is None:
        return pixels
    share = _opening(lab, cloth, ends, bands)
    if share.max() < 0.5:
        return pixels
    rows = np.stack([np.column_stack([band.rgb, band.told]) for band in bands], 1)
    fine = cv2.resize(rows.reshape(-1, 8), (8, height), interpolation=cv2.INTER_LINEAR)
    out = pixels.copy()
    _replace(
        np.ascontiguousarray(pixels),
        cv2.resize(share, (width, height), interpolation=cv2.INTER_LINEAR),
        (cv2.resize(ends, (2, height)) + 0.5) * np.float32(width / size[0]) - np.float32(0.5),
        np.ascontiguousarray(fine.reshape(height, 2, 4), np.float32),
        out,
    )
    return out


def _without(
    things: np.ndarray, pixels: np.ndarray, rgb: np.ndarray, cloth: np.ndarray
) -> np.ndarray:
    """The picture (h, w, 3) uint8 with cloth from around in the place of ``things``, which are of
    the small picture ``rgb``."""
    if not things.any() or not cloth.any():
        return pixels
    height, width = pixels.shape[:2]
    clear = cloth & (cv2.dilate(things.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0)
    laid = patched(rgb, clear if clear.any() else cloth, things, round(_PATCHED * len(rgb)))
    share = cv2.GaussianBlur(things.astype(np.float32), (0, 0), 1.0)
    share = np.maximum(share, things)[..., None]
    laid, share = (cv2.resize(one, (width, height)) for one in (laid, share))
    mixed = pixels + share[..., None] * (laid - pixels)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


def _apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distances (...) of CIELAB colours (..., 3)."""
    off = (a - b) * np.array([_LIGHTNESS, 1, 1], np.float32)
    return np.asarray(np.sqrt(np.einsum("...c,...c->...", off, off)))


def _down_rows(values: np.ndarray, sigma: float) -> np.ndarray:
    """(h, C) float32 averaged over neighbouring rows."""
    size = 1, 2 * int(3 * sigma) + 1
    rows = np.ascontiguousarray(values, np.float32)[:, None]
    return np.asarray(cv2.GaussianBlur(rows, size, sigmaX=0.1, sigmaY=sigma)).reshape(values.shape)


def _ends(cloth: np.ndarray) -> np.ndarray | None:
    """First and last pixel (h, 2) float32 of every row, smoothed; None where nothing is wide."""
    width = cloth.shape[1]
    ends = np.column_stack([cloth.argmax(1), width - 1 - cloth[:, ::-1].argmax(1)])
    wide = cloth.any(1) & (ends[:, 1] - ends[:, 0] >= _LEAST_WIDTH)
    if not wide.any():
        return None
    weight = wide.astype(np.float32)[:, None]
    total = _down_rows(np.column_stack([ends * weight, weight]), _ENDS_SMOOTHED)
    smooth = total[:, :2] / np.maximum(total[:, 2:], 1e-6)
    return np.where(weight > 0, smooth, 0).astype(np.float32)


def _rows_between(rows: np.ndarray, shares: tuple[float, float]) -> np.ndarray:
    """(h,) bool, a part of the extent of ``rows`` (h,) bool."""
    out = np.zeros(len(rows), bool)
    there = np.flatnonzero(rows)
    if len(there):
        first, last = there[0] + np.array(shares) * (there[-1] - there[0])
        out[int(first) : int(last) + 1] = True
    return out


def _bands(
    rgb: np.ndarray,
    lab: np.ndarray,
    cloth: np.ndarray,
    ends: np.ndarray,
    trunk: np.ndarray,
    skin: np.ndarray | None,
) -> tuple[_Band, _Band] | None:
    """The cloth at the left and at the right edge; ``trunk`` (h,) bool: rows that show some.

    None where it is of many colours.
    """
    torso = _rows_between(trunk, _TORSO)
    columns = np.arange(cloth.shape[1])[None]
    wide = ends[:, 1:] - ends[:, :1]
    members, outermost = [], np.zeros_like(cloth)
    for inwards in (columns - ends[:, :1], ends[:, 1:] - columns):
        beyond_rim = cloth & (wide > 0) & (inwards >= _RIM * wide)
        members.append(beyond_rim & (inwards < (_RIM + _BAND) * wide))
        outermost |= beyond_rim & (inwards < (_RIM + _BAND / 2) * wide)
    sums = [_sums(member, rgb, lab) for member in members]
    counted = [s[:, 0] > 1 for s in sums]
    outer = _outer_color(lab[outermost & torso[:, None]])
    if outer is None:
        return None
    rows = [plain[:, 4:7] / np.maximum(plain[:, :1], 1) for plain in sums]
    hidden = _apart(rows[0], rows[1]) > _ALIKE
    means = [
        _outer_first(member, plain, rgb, lab, outer, hidden)
        for member, plain in zip(members, sums, strict=True)
    ]
    found = [m[:, 1:] / np.maximum(m[:, :1], 1e-3) for m in means]
    alike = _apart(found[0][:, 3:6], found[1][:, 3:6]) < _ALIKE
    told = [there & alike for there in counted]
    own = [there & (_apart(f[:, 3:6], outer) < _ALIKE)
           for there, f in zip(counted, found, strict=True)]  # fmt: skip
    # One edge alone may be a bag's where legs are.
    told = [t | (o & (trunk | (own[0] & own[1]))) for t, o in zip(told, own, strict=True)]
    face = None if skin is None else cielab(skin.reshape(1, 1, 3))[0, 0]
    if face is not None and _apart(outer, face) > _SKIN:
        told = [t & (_apart(f[:, 3:6], face) > _SKIN) for t, f in zip(told, found, strict=True)]
    bands = []
    for values, said in zip(found, told, strict=True):
        variance = np.maximum(values[:, 6:] - values[:, 3:6] ** 2, 0)
        bands.append(_Band(values[:, 3:6], values[:, :3], np.sqrt(variance).mean(1), said))
    return _instead(bands[0], bands[1]), _instead(bands[1], bands[0])


def _outer_color(pixels: np.ndarray) -> np.ndarray | None:
    """The outer garment's colour (3,): that of the torso's outermost pixels (N, 3), CIELAB, which
    most others are like. None where too few are: cloth of many colours."""
    if len(pixels) == 0:
        return None
    some = pixels[np.random.default_rng(0).permutation(len(pixels))[:_TRIED]]
    color = some[(_apart(some[:, None], some[None]) < _ALIKE).sum(1).argmax()]
    return color if (_apart(pixels, color) < _ALIKE).mean() > _LEAST_PLAIN else None


def _sums(member: np.ndarray, rgb: np.ndarray, lab: np.ndarray) -> np.ndarray:
    """(h, 10) float32: count, and sums of RGB, Lab and squared Lab over a row's members."""
    values = np.concatenate([np.ones_like(lab[..., :1]), rgb, lab, lab * lab], axis=2)
    return np.asarray(np.einsum("hw,hwc->hc", member.astype(np.float32), values))


def _outer_first(
    member: np.ndarray,
    plain: np.ndarray,
    rgb: np.ndarray,
    lab: np.ndarray,
    outer: np.ndarray,
    hidden: np.ndarray,
) -> np.ndarray:
    """Sums as of ``_sums``, smoothed; of the outer garment's pixels alone in rows that show it, and
    in a few rows between those where something may hide it."""
    own = _sums(member & (_apart(lab, outer) < _ALIKE), rgb, lab)
    shows = (own[:, 0] > _LEAST_OUTER * plain[:, 0]) & (own[:, 0] > 0)
    kernel = np.ones((_GAP, 1), np.uint8)
    between = cv2.morphologyEx(shows.astype(np.uint8)[:, None], cv2.MORPH_CLOSE, kernel)[:, 0] > 0
    smooth = _down_rows(own, _CLOTH_SMOOTHED)
    shows |= between & hidden & (smooth[:, 0] > 0.05)
    return np.where(shows[:, None], smooth, _down_rows(plain, _CLOTH_SMOOTHED))


def _instead(band: _Band, other: _Band) -> _Band:
    """An edge that says nothing takes the other's colours."""
    swap = ~band.told & other.told
    return _Band(
        np.where(swap[:, None], other.lab, band.lab),
        np.where(swap[:, None], other.rgb, band.rgb),
        np.where(swap, other.spread, band.spread),
        band.told,
    )


def _opening(
    lab: np.ndarray, cloth: np.ndarray, ends: np.ndarray, bands: tuple[_Band, _Band]
) -> np.ndarray:
    """(h, w) float32 0..1, how far each pixel of the small picture is not the edges' cloth."""
    left, right = bands
    at = np.arange(cloth.shape[1])[None] - ends[:, :1]
    at = np.clip(at / np.maximum(ends[:, 1:] - ends[:, :1], 1), 0, 1)[..., None]
    expected = left.lab[:, None] * (1 - at) + right.lab[:, None] * at
    spread = _PATTERNED * np.maximum(left.spread, right.spread)
    beyond = _apart(lab, expected) - spread[:, None] - _DIFFERENT[0]
    share = np.clip(beyond / (_DIFFERENT[1] - _DIFFERENT[0]), 0, 1)
    # The rim has something of the background's colour.
    inner = cv2.erode(cloth.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    share = np.where(inner & (left.told | right.told)[:, None], share, 0).astype(np.float32)
    share = cv2.dilate(share, np.ones((5, 5), np.uint8))
    return np.asarray(cv2.GaussianBlur(share, (0, 0), 1.2))


@kernel("void(uint8[:,:,::1],float32[:,::1],float32[:,::1],float32[:,:,::1],uint8[:,:,::1])")
def _replace(
    pixels: np.ndarray, share: np.ndarray, ends: np.ndarray, rows: np.ndarray, out: np.ndarray
) -> None:
    """Put the edges' cloth in the place of a share of every pixel.

    Its mean passes from one edge's to the other's; its pattern is what the bands have beside their
    mean, to and fro from each edge inwards. ``rows``: (h, 2, 4), RGB and whether the edge is told.
    """
    height, width = share.shape
    for y in range(height):
        left, wide = ends[y, 0], ends[y, 1] - ends[y, 0]
        skipped, taken = _RIM * wide, max(_BAND * wide, 2.0)
        for x in range(width):
            if share[y, x] < 0.004 or wide < 4:
                continue
            at = min(max((x - left) / wide, 0.0), 1.0)
            blend = min(max((at - 0.35) / 0.3, 0.0), 1.0)
            if rows[y, 0, 3] < 0.5:
                blend = 1.0
            elif rows[y, 1, 3] < 0.5:
                blend = 0.0
            into = (x - left - skipped) % (2 * taken)
            into = min(into, 2 * taken - into)
            first = min(max(int(left + skipped + into + 0.5), 0), width - 1)
            into = (left + wide - x - skipped) % (2 * taken)
            into = min(into, 2 * taken - into)
            last = min(max(int(left + wide - skipped - into + 0.5), 0), width - 1)
            for c in range(3):
                a = min(max(pixels[y, first, c] - rows[y, 0, c], -_PATTERN), _PATTERN)
                b = min(max(pixels[y, last, c] - rows[y, 1, c], -_PATTERN), _PATTERN)
                value = (1 - at) * rows[y, 0, c] + at * rows[y, 1, c]
                value += (1 - blend) * a + blend * b
                value = pixels[y, x, c] + share[y, x] * (value - pixels[y, x, c])
                out[y, x, c] = int(min(max(value, 0.0), 255.0) + 0.5)
