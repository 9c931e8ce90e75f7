"""Overlays, captions and contact sheets for reports."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

THUMBNAIL_HEIGHT = 300
_PAPER = (255, 255, 255)
_INK = (30, 30, 30)
PALETTE = (
    (230, 97, 1), (31, 120, 180), (51, 160, 44), (227, 26, 28), (106, 61, 154), (177, 89, 40),
    (255, 200, 0), (0, 170, 170), (240, 80, 170), (110, 110, 110),
)  # fmt: skip


def resized(pixels: np.ndarray, height: int) -> np.ndarray:
    """The picture (H, W, 3) uint8 at another height, of the same aspect."""
    scale = min(height / pixels.shape[0], 3 * height / pixels.shape[1])
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def tinted(
    pixels: np.ndarray, mask: np.ndarray, color: tuple[int, int, int], strength: float = 0.5
) -> np.ndarray:
    """The picture with ``color`` mixed in where ``mask`` (H, W), bool or 0..1, holds."""
    weight = strength * mask.astype(np.float32)[..., None]
    return (pixels * (1 - weight) + np.asarray(color, np.float32) * weight + 0.5).astype(np.uint8)


def outlined(
    pixels: np.ndarray, mask: np.ndarray, color: tuple[int, int, int], width: int = 1
) -> np.ndarray:
    """The picture with the outline of ``mask`` (H, W) bool drawn in."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    out = np.ascontiguousarray(pixels)
    out = out.copy() if out is pixels else out
    cv2.drawContours(out, contours, -1, color, width, cv2.LINE_AA)
    return out


def faded(pixels: np.ndarray, amount: float = 0.5) -> np.ndarray:
    """The picture as grey and pale, for something to be drawn upon."""
    grey = pixels.mean(2, keepdims=True)
    return np.repeat(grey * (1 - amount) + 255 * amount, 3, axis=2).astype(np.uint8)


def on_white(view: np.ndarray) -> np.ndarray:
    """A picture (H, W, 4) uint8 with transparency on white, (H, W, 3) uint8."""
    alpha = view[..., 3:].astype(np.float32) / 255
    return (view[..., :3] * alpha + 255 * (1 - alpha) + 0.5).astype(np.uint8)


def around(mask: np.ndarray, margin: float = 0.12) -> tuple[slice, slice]:
    """Rows and columns of the picture around ``mask`` (H, W) bool; all of it for an empty mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if len(rows) == 0:
        return slice(0, mask.shape[0]), slice(0, mask.shape[1])
    pad = int(margin * max(rows[-1] - rows[0], columns[-1] - columns[0])) + 4
    return (
        slice(max(0, rows[0] - pad), min(mask.shape[0], rows[-1] + pad + 1)),
        slice(max(0, columns[0] - pad), min(mask.shape[1], columns[-1] + pad + 1)),
    )


def shaded(normals: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A plaster rendering (H, W, 3) uint8, on white, of camera-frame normals (H, W, 3)."""
    light = np.array([-0.35, -0.55, -0.76])
    value = 0.25 + 0.75 * np.clip(normals @ light, 0, 1)
    gray = np.where(mask, value * 235, 255)
    return np.repeat(gray[..., None], 3, axis=2).astype(np.uint8)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def strip(
    title: str, pictures: Sequence[tuple[str, np.ndarray]], height: int = THUMBNAIL_HEIGHT
) -> np.ndarray:
    """One case: its pictures side by side under its title, each above its caption."""
    gap, line = 4, 15
    tiles = [(caption, resized(pixels, height)) for caption, pixels in pictures]
    font = _font(11)
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    width = sum(tile.shape[1] + gap for _, tile in tiles) + gap
    width = max(width, int(probe.textlength(title, font=font)) + 2 * gap)
    page = Image.new("RGB", (width, line + height + line), _PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((gap, 1), title, _INK, font=font)
    x = gap
    for caption, tile in tiles:
        page.paste(Image.fromarray(tile), (x, line))
        draw.text((x, line + height + 1), caption, _INK, font=font)
        x += tile.shape[1] + gap
    return np.asarray(page)


def contact_sheet(strips: Sequence[np.ndarray], *, aspect: float = 1.4) -> np.ndarray:
    """Strips packed line by line into one picture (H, W, 3) uint8 of about this aspect."""
    if not strips:
        raise ValueError("a contact sheet needs at least one strip")
    widest = max(tile.shape[1] for tile in strips)
    area = sum(tile.shape[0] * tile.shape[1] for tile in strips)
    # A whole number of the widest strips, so that the page does not miss a column by a hair.
    page_width = widest * max(1, round((area * aspect) ** 0.5 / widest))
    lines: list[list[np.ndarray]] = [[]]
    used = 0
    for tile in strips:
        if lines[-1] and used + tile.shape[1] > page_width:
            lines.append([])
            used = 0
        lines[-1].append(tile)
        used += tile.shape[1]
    width = max(sum(tile.shape[1] for tile in line) for line in lines)
    page = np.full((sum(max(t.shape[0] for t in line) for line in lines), width, 3), 255, np.uint8)
    y = 0
    for line in lines:
        x = 0
        for tile in line:
            page[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
            x += tile.shape[1]
        y += max(tile.shape[0] for tile in line)
    return page


def png(pixels: np.ndarray) -> bytes:
    """The picture as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=False, compress_level=6)
    return buffer.getvalue()


def decoded(data: bytes) -> np.ndarray:
    """The picture (H, W, 3) uint8 of an image file's bytes."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
