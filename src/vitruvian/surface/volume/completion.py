"""Spans for a whole matte: the body's where it is, a rounded sheet where only cloth can be."""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.compute import SideBySide, kernel
from vitruvian.surface.volume.ray_spans import Spans

KEPT_BEYOND_M = 0.05  # a piece of the body that reaches farther out of the matte is hidden, not cut
FARTHEST_M = 0.32  # matte farther than this from the body belongs to somebody or something else
_BAND_M = 0.025  # of the body beside what it does not cover, where its roundness gives way
_ROUNDNESS = 1.2  # -laplacian of the squared half thickness: 2 would be a cylinder
_MOST_HALF_M = 0.11
_RING = 3  # pixels around the figure that get spans too, so that the outline can be interpolated
_ITERATIONS, _OVER = 120, 1.7  # of the relaxation
_LIMB_M, _LIMB_GAP_M = 0.08, 0.14  # thickness of a limb that the body has elsewhere; behind it


@kernel("void(uint8[:,::1],uint8[:,::1],int32[::1],int32[::1],boolean,int32[:,::1],float32[::1])")
def _join(
    domain: np.ndarray,
    parted: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    closed: bool,
    neighbors: np.ndarray,
    share: np.ndarray,
) -> None:
    """The neighbours (N, 4) that count for each of the given pixels, by their flat index, the
    place after the picture for one that does not; and one through how many (N,) they are."""
    height, width = domain.shape
    for k in range(len(rows)):
        y, x = rows[k], columns[k]
        around = 0
        for side in range(4):
            v = y + (side == 1) - (side == 0)
            u = x + (side == 3) - (side == 2)
            neighbors[k, side] = height * width
            if 0 <= v < height and 0 <= u < width and domain[v, u]:
                if not parted[min(y, v), min(x, u)] & (1 if side > 1 else 2):
                    neighbors[k, side] = v * width + u
                    around += 1
            elif closed:
                around += 1
        share[k] = 1 / around if around > 0 else 0


@kernel(
    "void(float32[::1],int32[::1],int32[:,::1],float32[::1],float32,float32,int64)", fastmath=True
)
def _relax(
    values: np.ndarray,
    places: np.ndarray,
    neighbors: np.ndarray,
    share: np.ndarray,
    source: float,
    over: float,
    iterations: int,
) -> None:
    """Successive over-relaxation of ``laplacian = -source`` at the given places, to and fro."""
    n = len(places)
    for iteration in range(iterations):
        for i in range(n):
            k = i if iteration % 2 == 0 else n - 1 - i
            if share[k] > 0:
                total = values[neighbors[k, 0]] + values[neighbors[k, 1]]
                total += values[neighbors[k, 2]] + values[neighbors[k, 3]]
                at = places[k]
                values[at] += over * ((total + source) * share[k] - values[at])


def relaxed(
    values: np.ndarray,
    domain: np.ndarray,
    parted: np.ndarray,
    places: np.ndarray,
    source: float,
) -> np.ndarray:
    """Values (H, W) float32 with ``laplacian = -source`` at some places, as they are elsewhere.

    Neighbours beyond the domain count as 0 where there is a source, else not at all; neighbours
    that are ``parted`` (``_parted``) do not count.

    Args:
        values: a first guess.
        domain, places: (H, W) bool.
        parted: (H, W) uint8.
        source: per pixel.
    """
    rows, columns = (index.astype(np.int32) for index in np.nonzero(places))
    neighbors, share = np.empty((len(rows), 4), np.int32), np.empty(len(rows), np.float32)
    _join(domain.astype(np.uint8), parted, rows, columns, source > 0, neighbors, share)
    flat = np.append(values.astype(np.float32).ravel(), np.float32(0))
    _relax(flat, rows * values.shape[1] + columns, neighbors, share, source, _OVER, _ITERATIONS)
    return flat[:-1].reshape(values.shape)


def _parted(spans: Spans, body: np.ndarray) -> np.ndarray:
    """Between which rays the body's surface leaps: (H, W) uint8, bit 1 between a pixel and its
    neighbour to the right, bit 2 to the one below.

    There the first or the last layers of two rays lie behind each other: an arm ends before or
    behind a trunk.
    """
    out = np.zeros(body.shape, np.uint8)
    last = np.maximum(spans.count - 1, 0)[..., None]
    layers = (
        (spans.entries[..., 0], spans.exits[..., 0]),
        (np.take_along_axis(spans.entries, last, 2)[..., 0], spans.back),
    )
    for bit, here, there in (
        (1, np.s_[:, :-1], np.s_[:, 1:]),
        (2, np.s_[:-1], np.s_[1:]),
    ):
        for near, far in layers:
            beyond = (near[here] > far[there]) | (near[there] > far[here])
            out[here] |= np.where(beyond & body[here] & body[there], np.uint8(bit), np.uint8(0))
    return out


def trusted_matte(
    matte: np.ndarray, body: np.ndarray, pixel_m: float, absent: np.ndarray | None = None
) -> np.ndarray:
    """The figure's pixels (H, W) bool: the matte, with what of the body it must not cut off.

    A piece of the body that stands out of the matte by little is wrong and goes; one that reaches
    far is hidden by something, or beyond the picture, and stays. Of the matte, what is connected
    with the body and not too far from it.

    Args:
        matte, body: (H, W) bool.
        pixel_m: metres per pixel at the body.
        absent: (H, W) bool, where the body is known not to be: nothing of it stays there.
    """
    beyond = body & ~matte
    distance = cv2.distanceTransform((~matte).astype(np.uint8), cv2.DIST_L2, 3) * pixel_m
    count, labels = cv2.connectedComponents(beyond.astype(np.uint8), connectivity=4)
    farthest = np.zeros(count, np.float32)
    np.maximum.at(farthest, labels[beyond], distance[beyond])
    kept = (farthest > KEPT_BEYOND_M)[labels] & beyond
    if absent is not None:
        kept &= ~absent
    distance = cv2.distanceTransform((~body).astype(np.uint8), cv2.DIST_L2, 3) * pixel_m
    figure = (matte & (distance < FARTHEST_M)) | kept
    count, labels = cv2.connectedComponents(figure.astype(np.uint8), connectivity=4)
    on_body = np.bincount(labels[body], minlength=count) > 0
    on_body[0] = False
    return on_body[labels]


def complete_spans(spans: Spans, figure: np.ndarray, pixel_m: float) -> Spans:
    """Spans for every pixel of the figure and a ring around it.

    Where the figure reaches beyond the body, the middle between front and back continues the
    body's (harmonic), and the squared half thickness T solves ``laplacian T = -1.2`` with T = 0 at
    the figure's outline: round in section, thickest in the middle (as Oh et al., "Image-based
    modeling and photo editing", 2001, inflate outlines). In a band of the body beside such places,
    and beside what of the body stands out of the figure, the same solution replaces the rim of
    the body: a coat has no groove where the arm ends, and what was cut off is round again. Gaps
    between the body's layers stay, and no layer melts into one that it lies before or behind.

    Args:
        spans: of the body.
        figure: (H, W) bool, pixels to be covered.
        pixel_m: metres per pixel at the body.
    """
    body = spans.mask & figure
    bare = figure & ~body
    kernel = np.ones((2 * _RING + 1, 2 * _RING + 1), np.uint8)
    domain = cv2.dilate(figure.astype(np.uint8), kernel)
    differs = bare | (spans.mask & ~figure)
    distance = cv2.distanceTransform((~differs).astype(np.uint8), cv2.DIST_L2, 3)
    core = body & (distance * pixel_m > _BAND_M)
    unknown = (domain > 0) & ~core
    with np.errstate(invalid="ignore"):
        middle = (0.5 * (spans.front + spans.back)).astype(np.float32)
        half2 = (0.25 * (spans.back - spans.front) ** 2).astype(np.float32)
    if not core.any():
        core_middle = np.median(middle[spans.mask]) if spans.mask.any() else np.float32(1)
        middle = np.where(core, middle, core_middle)
    middle, half2 = _start(middle, half2, core, body, unknown)
    half2[~figure] = 0

    parted = _parted(spans, body)

    with SideBySide() as pool:
        thickness = pool.submit(
            relaxed, half2, figure, parted, unknown & figure, _ROUNDNESS * pixel_m**2
        )
        middle = relaxed(middle, domain > 0, parted, unknown, 0.0)
        half2 = thickness.result()
    half = np.sqrt(np.clip(half2, (0.5 * pixel_m) ** 2, _MOST_HALF_M**2))
    entries, exits, count = spans.entries.copy(), spans.exits.copy(), spans.count.copy()
    empty = domain == 0
    alone = (unknown & ~body) | (unknown & ~spans.mask)
    entries[empty | alone] = np.inf
    exits[empty | alone] = np.inf
    count[empty] = 0
    entries[..., 0] = np.where(alone, middle - half, entries[..., 0])
    exits[..., 0] = np.where(alone, middle + half, exits[..., 0])
    count[alone] = 1
    band = unknown & body
    single = band & (count == 1)
    front = np.where(single, middle - half, np.minimum(entries[..., 0], middle - half))
    entries[..., 0] = np.where(band, front, entries[..., 0])
    last = np.maximum(count - 1, 0)[..., None]
    back = np.take_along_axis(exits, last, 2)[..., 0]
    moved = np.where(single, middle + half, np.maximum(back, middle + half))
    np.put_along_axis(exits, last, np.where(band, moved, back)[..., None], 2)
    return Spans(entries, exits, count)


def _start(
    middle: np.ndarray, half2: np.ndarray, core: np.ndarray, body: np.ndarray, unknown: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First guesses at the unknown pixels: the body's own values, beside it the nearest ones."""
    if not core.any():
        return np.where(unknown, middle, 0).astype(np.float32), np.zeros_like(half2)
    first = np.where(body, middle, _nearest(middle, body))
    second = np.where(body, half2, 0.5 * _nearest(half2, core))
    return (
        np.ascontiguousarray(first, np.float32),
        np.ascontiguousarray(np.where(unknown | core, second, 0), np.float32),
    )


def _nearest(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """For every pixel the value (H, W) of the nearest one that is ``known`` (H, W)."""
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_label = np.zeros(int(labels.max()) + 1, np.float32)
    of_label[labels[known]] = values[known]
    return np.asarray(of_label[labels])


@kernel(
    "void(float32[:,:,::1],float32[:,:,::1],int32[:,::1],float32[:,::1],float32[:,::1],float32,"
    "float32,float32)"
)
def _put_surfaces(
    entries: np.ndarray,
    exits: np.ndarray,
    count: np.ndarray,
    front: np.ndarray,
    back: np.ndarray,
    thinnest: float,
    limb: float,
    gap: float,
) -> None:
    height, width, most = entries.shape
    for y in range(height):
        for x in range(width):
            n = count[y, x]
            a, b = front[y, x], back[y, x]
            if n == 0 or not (a < 1e6 and b < 1e6):
                continue
            if b - a < thinnest:
                middle = 0.5 * (a + b)
                a, b = middle - 0.5 * thinnest, middle + 0.5 * thinnest
            # Layers wholly before the front or behind the back are not there.
            k = 0
            while n - k > 1 and exits[y, x, k] < a + thinnest:
                k += 1
            while n - k > 1 and entries[y, x, n - 1] > b - thinnest:
                n -= 1
            for i in range(k, n):
                entries[y, x, i - k] = entries[y, x, i]
                exits[y, x, i - k] = exits[y, x, i]
            n -= k
            if entries[y, x, 0] - a > limb + gap and n < most:
                # Far before everything the body has here: a limb that it has elsewhere.
                for i in range(n, 0, -1):
                    entries[y, x, i] = entries[y, x, i - 1]
                    exits[y, x, i] = exits[y, x, i - 1]
                exits[y, x, 0] = a + limb
                n += 1
            if b - exits[y, x, n - 1] > limb + gap and n < most:
                entries[y, x, n] = b - limb
                n += 1
            entries[y, x, 0] = a
            exits[y, x, n - 1] = b
            for i in range(n, most):
                entries[y, x, i] = np.inf
                exits[y, x, i] = np.inf
            count[y, x] = n


def put_surfaces(spans: Spans, front: np.ndarray, back: np.ndarray, thinnest_m: float) -> Spans:
    """The spans with their first entry and last exit moved to given depths.

    Layers between keep their place; those that would lie outside go, and where the front is much
    nearer than all the body has, a limb's thickness is put there instead of a web.

    Args:
        spans: as from ``complete_spans``.
        front, back: (H, W) float32 metres, not finite where unknown.
        thinnest_m: least distance between the two.
    """
    entries, exits, count = spans.entries.copy(), spans.exits.copy(), spans.count.copy()
    _put_surfaces(
        entries,
        exits,
        count,
        np.ascontiguousarray(front, np.float32),
        np.ascontiguousarray(back, np.float32),
        thinnest_m,
        _LIMB_M,
        _LIMB_GAP_M,
    )
    return Spans(entries, exits, count)
