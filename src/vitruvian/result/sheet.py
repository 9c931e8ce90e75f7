"""Titled rows of pictures on one sheet, as ``preview.png`` and ``poses.png`` are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

MAX_WIDTH = 1600
GAP = 20

_PAPER, _INK, _SOFT = (250, 249, 246), (30, 30, 34), (105, 105, 112)
_TITLE_SIZE, _CAPTION_SIZE = 18, 14
_TITLE_ROOM, _CAPTION_ROOM = 28, 22
_APART = 8  # pixels between captions


@dataclass(frozen=True)
class Block:
    """A titled row of pictures that stays together.

    Attributes:
        title: shown above.
        images: (h, w, 3) uint8 sRGB.
        captions: shown below each; empty strings for none.
    """

    title: str
    images: Sequence[np.ndarray]
    captions: Sequence[str]

    @property
    def cells(self) -> list[int]:
        """The width that each picture and its caption need."""
        return [
            max(image.shape[1], _text_width(caption, _CAPTION_SIZE) + (_APART if caption else 0))
            for image, caption in zip(self.images, self.captions, strict=True)
        ]

    @property
    def width(self) -> int:
        """That of the pictures, or of the title above narrow ones."""
        return max(sum(self.cells), _text_width(self.title, _TITLE_SIZE))

    @property
    def height(self) -> int:
        captions = _CAPTION_ROOM if any(self.captions) else 0
        return _TITLE_ROOM + max(image.shape[0] for image in self.images) + captions


def compose(blocks: Sequence[Block], note: str) -> np.ndarray:
    """The blocks from left to right in rows of at most ``MAX_WIDTH`` pixels.

    Args:
        blocks: none wider than a row.
        note: a sentence for the foot of the sheet, or "".

    Returns:
        (H, W, 3) uint8 sRGB.
    """
    rows: list[list[Block]] = [[]]
    for block in blocks:
        used = sum(other.width + GAP for other in rows[-1])
        if rows[-1] and GAP + used + block.width + GAP > MAX_WIDTH:
            rows.append([])
        rows[-1].append(block)
    width = max(GAP + sum(block.width + GAP for block in row) for row in rows)
    width = max(width, GAP + _text_width(note, _TITLE_SIZE) + GAP)
    height = GAP + sum(max((block.height for block in row), default=0) + GAP for row in rows)
    canvas = Image.new("RGB", (width, height + (_TITLE_ROOM if note else 0)), _PAPER)
    draw = ImageDraw.Draw(canvas)
    y = GAP
    for row in rows:
        x = GAP
        for block in row:
            _paste(canvas, draw, block, x, y)
            x += block.width + GAP
        y += max((block.height for block in row), default=0) + GAP
    if note:
        draw.text((GAP, y), note, _INK, font=_font(_TITLE_SIZE))
    return np.asarray(canvas)


def _paste(canvas: Image.Image, draw: ImageDraw.ImageDraw, block: Block, x: int, y: int) -> None:
    draw.text((x, y), block.title, _INK, font=_font(_TITLE_SIZE))
    y += _TITLE_ROOM
    for image, caption, cell in zip(block.images, block.captions, block.cells, strict=True):
        canvas.paste(Image.fromarray(image), (x + (cell - image.shape[1]) // 2, y))
        middle = x + cell / 2
        draw.text(
            (middle, y + image.shape[0] + 4), caption, _SOFT, font=_font(_CAPTION_SIZE), anchor="ma"
        )
        x += cell


def _text_width(text: str, size: int) -> int:
    """Pixels that a line of text takes."""
    return math.ceil(_font(size).getlength(text)) if text else 0


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def on_paper(image: np.ndarray) -> np.ndarray:
    """A picture (H, W, 4) with straight alpha, or (H, W, 3), on the sheet's colour: (H, W, 3)."""
    if image.shape[2] == 3:
        return image
    alpha = image[..., 3:].astype(np.float32) / 255
    return (image[..., :3] * alpha + np.array(_PAPER, np.float32) * (1 - alpha) + 0.5).astype(
        np.uint8
    )
