"""What a head looks like from behind, guessed from the front: hair or a hat, and no face.

The picture of the front is turned into one of the back: what is face or bare skin takes the colours
and the strands of the hair around it (``strands``). Long hair hangs behind as far
down as it does in front, and covers the neck; below short hair the neck is that of the front.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.texture.even_colors import blurred
from vitruvian.texture.hair import LONGEST, WIDEST, Hair, find_hair
from vitruvian.texture.head_window import LEAST_PIXELS, Head
from vitruvian.texture.side_hair import Strands
from vitruvian.texture.strands import continued
from vitruvian.texture.view import View
from vitruvian.types.regions import HEAD

_FACE = 0.5  # weight from which on a place is of the face
_LARGEST = 96  # pixels of a face's height at which hair is looked for
_UNDER_CHIN = 0.08  # of the face's height: where the neck is seen
_COLLAR = 0.5  # of the face's height below the chin: where cloth may have a pattern again
_EVEN_NECK = 0.15  # of the face's height, over which a neck is evened
_SOFT = 0.02  # of the face's height: the edge of hair


@dataclass(frozen=True)
class BackOfHead:
    """The picture of somebody's back with the head as it is seen from behind.

    Attributes:
        pixels: (h, w, 3) uint8 sRGB.
        share: (h, w) uint8, 255 where that of the head says what is seen from behind.
        hair: (h, w) uint8, 255 where the picture of the front shows hair or a hat.
        strands: of the hair behind, None without any.
    """

    pixels: np.ndarray
    share: np.ndarray
    hair: np.ndarray
    strands: Strands | None = None


@dataclass(frozen=True)
class SeenHead:
    """A head in its own window, not too large, of a person's window.

    Attributes:
        head: it.
        window: rows and columns of the person's window.
        scale: its pixels to one of those, at most 1.
    """

    head: Head
    window: tuple[slice, slice]
    scale: float

    def small(self, values: np.ndarray) -> np.ndarray:
        """What the person's window has there, at the head's size."""
        return _small(values, self.scale)


def _small(values: np.ndarray, scale: float) -> np.ndarray:
    if scale >= 1:
        return values
    size = max(4, round(values.shape[1] * scale)), max(4, round(values.shape[0] * scale))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))


def seen_head(view: View, face: np.ndarray) -> SeenHead | None:
    """Where the head is in a view; None where it is not seen from the front, or too small.

    ``face`` (V,) float32: 1 for the vertices of the face.
    """
    at_vertex = np.append(face, np.float32(0))
    on_head = view.part == HEAD
    box = _extent(on_head)
    if box is None:
        return None
    rows, columns = np.nonzero(
        on_head[box] & (view.alpha[box] > 200) & (at_vertex[view.vertex[box]] > _FACE)
    )
    if len(rows) < LEAST_PIXELS:
        return None
    rows, columns = rows + box[0].start, columns + box[1].start
    chin, height = int(rows.max()), max(int(np.ptp(rows)), 4)
    window = _window(box, view.alpha.shape, chin, height, float(columns.mean()))
    scale = min(1.0, _LARGEST / height)
    mask = (on_head[window] & (view.alpha[window] > 200)).astype(np.uint8)
    head = Head(
        pixels=_small(view.pixels[window], scale),
        alpha=_small(view.alpha[window], scale),
        mask=_small(mask, scale) > 0,
        face=_small(at_vertex[view.vertex[window]], scale),
        chin=round((chin - window[0].start) * scale),
        height=max(round(height * scale), 4),
        middle=(float(columns.mean()) - window[1].start) * scale,
    )
    return SeenHead(head, window, scale)


def back_of_head(view: View, picture: np.ndarray, face: np.ndarray) -> BackOfHead | None:
    """The back of a head, drawn into the picture of a person's back.

    Args:
        view: the person's window.
        picture: (h, w, 3) uint8 sRGB, the back without the head's.
        face: (V,) float32, 1 for the vertices of the face.

    Returns:
        None where the head is not seen from the front, or too small.
    """
    there = seen_head(view, face)
    if there is None:
        return None
    head, window, scale = there.head, there.window, there.scale
    found = find_hair(head)
    if found is None:
        return None
    drawn, share, soft, fine, even = _drawn(head, found, there.small(picture[window]))
    large = window[1].stop - window[1].start, window[0].stop - window[0].start
    nothing = np.zeros(view.alpha.shape, np.uint8)
    laid = Strands.of(fine, even, found.behind, window[0].start, window[1].start, scale)
    out = BackOfHead(picture.copy(), nothing, nothing.copy(), laid)
    soft = cv2.resize(np.maximum(soft, share / 255), large)[..., None]
    mixed = cv2.resize(drawn, large) * soft + picture[window] * (1 - soft)
    out.pixels[window] = (np.clip(mixed, 0, 255) + 0.5).astype(np.uint8)
    out.share[window] = cv2.resize(share, large)
    out.hair[window] = cv2.resize(255 * found.seen.astype(np.uint8), large)
    return out


def _extent(where: np.ndarray) -> tuple[slice, slice] | None:
    """The rows and columns that hold all of (h, w) bool; None where there is nothing."""
    rows, columns = (np.flatnonzero(where.any(axis)) for axis in (1, 0))
    if len(rows) == 0:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _window(
    head: tuple[slice, slice], size: tuple[int, ...], chin: int, height: int, middle: float
) -> tuple[slice, slice]:
    """Rows and columns in which a head and its hair may be."""
    rows, columns = head
    aside = WIDEST * height
    first = rows.start, min(columns.start, middle - aside)
    last = max(rows.stop, chin + LONGEST * height), max(columns.stop, middle + aside)
    top, left = (max(int(one), 0) for one in first)
    bottom, right = (min(int(one) + 1, most) for one, most in zip(last, size, strict=True))
    return slice(top, bottom), slice(left, right)


def _drawn(head: Head, hair: Hair, picture: np.ndarray) -> tuple[np.ndarray, ...]:
    """The back (h, w, 3) float32, where it says what is seen from behind (h, w) uint8, where
    that is hair (h, w) float32 0..1, and its strands and even colours (h, w, 3) float32."""
    soft = cv2.GaussianBlur(hair.behind.astype(np.float32), (0, 0), max(1.0, _SOFT * head.height))
    strands, fine, even = continued(head.pixels, hair.seen, hair.trust, head.height)
    neck = _with_neck(picture, head).astype(np.float32)
    drawn = strands * soft[..., None] + neck * (1 - soft[..., None])
    return drawn, np.where(head.mask, 255, 255 * soft).astype(np.uint8), soft, fine, even


def _with_neck(picture: np.ndarray, head: Head) -> np.ndarray:
    """The picture with the neck, as it is below the chin, mirrored up to the nape.

    Evened where the chin may be in truth: a fit that has the head too high leaves a mouth there.
    """
    out = picture.copy()
    last = len(picture) - 1
    below = min(int(head.chin + _UNDER_CHIN * head.height), last)
    for y in range(min(head.nape, below), below):
        there = head.mask[y]
        out[y, there] = picture[min(2 * below - y, last), there]
    zone = slice(head.nape, min(int(head.chin + _COLLAR * head.height), last) + 1)
    seen = head.mask[zone].astype(np.float32)[..., None]
    if seen.any():
        values = np.concatenate([out[zone] * seen, seen], axis=2)
        even = blurred(values, max(1.0, _EVEN_NECK * head.height))
        even = even[..., :3] / np.maximum(even[..., 3:], 1e-3)
        share = seen * np.linspace(2, 0, len(seen), dtype=np.float32).clip(0, 1)[:, None, None]
        out[zone] = np.clip(out[zone] + share * (even - out[zone]), 0, 255).astype(np.uint8)
    return out
