"""``poses.png``: every person in poses other than the photograph's, as a check of the rig."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.images import encode_png
from vitruvian.result.preview import lineup
from vitruvian.result.sheet import Block, compose, on_paper
from vitruvian.types.mesh import Mesh

# From the front, and from behind at the person's left.
YAWS = (0.0, 145.0)
_HEIGHT = 360
_WIDEST = 1.05  # of the height: people with level arms are as wide as tall


@dataclass(frozen=True)
class PosedViews:
    """Pictures of one person in several poses.

    Attributes:
        label: shown above, such as "Person 1, 172 cm".
        names: of the poses.
        views: for each of ``YAWS`` a picture (h, w, 4) uint8 sRGB of every pose, all of one height.
    """

    label: str
    names: Sequence[str]
    views: Sequence[Sequence[np.ndarray]]


def posed_views(
    label: str, meshes: Sequence[Mesh], names: Sequence[str], *, height: int = _HEIGHT
) -> PosedViews:
    """Draw a person from the front and from behind in several poses, all at one scale.

    Args:
        label: of the person.
        meshes: the person in each pose, y up, facing +z (``body.repose.reposed``).
        names: of the poses.
        height: of each picture in pixels.
    """
    count = len(meshes)
    turned = [yaw for yaw in YAWS for _ in range(count)]
    size = round(_WIDEST * height), height
    pictures = lineup(list(meshes) * len(YAWS), turned, size, crop=True)
    rows = [pictures[i : i + count] for i in range(0, len(pictures), count)]
    return PosedViews(label, names, rows)


def write_poses(path: str | Path, views: Sequence[PosedViews], *, people: int) -> Path:
    """Write one PNG with everybody's poses; at most ``sheet.MAX_WIDTH`` pixels wide.

    Args:
        path: where it goes.
        views: pictures of everyone, or of the first ones.
        people: how many there are in the photograph.

    Returns the path. Raises ``InputError`` when the place cannot be written.
    """
    blocks = []
    for person in views:
        for number, row in enumerate(person.views):
            title = person.label if number == 0 else ""
            blocks.append(Block(title, [on_paper(view) for view in row], person.names))
    note = "" if views else "Nobody was found in this picture."
    if len(views) < people:
        note = f"{people - len(views)} more people are not shown here."
    return write_bytes(path, encode_png(compose(blocks, note)))
