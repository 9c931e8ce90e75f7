"""How far down somebody's skirt or coat reaches, told by the outline.

Cloth that hangs around both legs stands off from them on either side, with nothing of what is
behind showing between them, and ends where the outline goes in to the legs. Trousers, however wide,
go on to the feet.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.avatar.beneath import body_levels
from vitruvian.avatar.tube import Axis
from vitruvian.body.model.skeleton import LEGS
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.disc import disc
from vitruvian.texture.carried import Carried
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo
from vitruvian.types.regions import LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG

_STEP = 0.05  # of a level
_FIRST, _LAST = 0.3, 1.95  # levels (``tube``) that are looked at
_SHORTEST, _LONGEST = 0.6, 1.75  # hems that are believed: above are shorts, below trousers
_STANDS_OFF_M, _CLOSE_M = 0.025, 0.015  # from the legs, of somebody of 1.7 m: cloth, or not
_DROP = 0.4  # of how far cloth stands off above the hem, less than which is none below
_MOST = 0.75  # share of the levels above the hem that must stand off
_SOLID = 0.9  # share of those that must hide what is behind
_BELOW = 0.3  # of a level below the hem, where nothing stands off
_BESIDE = 0.75  # least cosine between thighs
_WIDEST_M = 0.6  # from the middle
_SAMPLES = 120  # over that
_TALLEST_PX = 500  # of the window in which that is looked at
_AROUND = 0.15  # of the body's height, around it: skirts
_ARM_MARGIN = 0.012  # of the window's height: around arms, which may not be quite where they are


def outline_hem(
    photo: Photo, figure: Figure, body: Body, carried: Carried | None = None
) -> float | None:
    """The level of the hem, of ``tube``; None where the outline shows none, or the thighs are not
    beside each other.

    Where something ``carried`` hides one side, it is as the other is.
    """
    joints, index = body.joints, body.model.joint_index
    thighs = np.array([joints[index[leg[1]]] - joints[index[leg[0]]] for leg in LEGS])
    thighs /= np.linalg.norm(thighs, axis=1, keepdims=True)
    if thighs[0] @ thighs[1] < _BESIDE:
        return None
    levels = np.arange(_FIRST, _LAST, _STEP)
    off, solid = _standing_off(photo, figure, body, levels, carried)
    off = off * 1.7 / body.height_m
    stands = np.nan_to_num(off, nan=-1.0) > _STANDS_OFF_M
    count = max(1, round(_BELOW / _STEP))
    for end in range(len(levels) - count, 0, -1):
        hem = float(levels[end] - _STEP / 2)
        if not _SHORTEST <= hem <= _LONGEST or not stands[end - 1]:
            continue
        below, above = off[end + 1 : end + 1 + count], slice(0, end)
        if np.isfinite(below).mean() < 0.5:
            continue
        close = max(_CLOSE_M, _DROP * float(np.nanmedian(off[max(end - count, 0) : end])))
        if not np.nanmedian(below) < close:
            continue
        known = np.isfinite(off[above])
        if known.mean() > 0.5 and stands[above][known].mean() > _MOST:
            return hem if solid[above].mean() > _SOLID else None
    return None


def _standing_off(
    photo: Photo, figure: Figure, body: Body, levels: np.ndarray, carried: Carried | None
) -> tuple[np.ndarray, np.ndarray]:
    """(L,) metres by which the outline stands off from the legs, on that side where it does so
    less; NaN where arms hide it or the picture ends. (L,) bool: nothing shows between the legs."""
    model = body.model
    axis = Axis.of(model, body.joints)
    window = legs_window(photo, figure, body)
    camera, mask, arms = window.camera, window.mask, window.arms
    things = np.zeros_like(arms) if carried is None else carried.seen_by(camera)
    place = np.clip(np.searchsorted(axis.levels, levels), 0, len(axis.levels) - 1)
    centers, left = axis.centers[place], axis.frames[place, 0]
    vertex_level = body_levels(model)
    of_legs = np.isin(model.regions.part, (LEFT_LEG, RIGHT_LEG))
    distances = np.linspace(0, _WIDEST_M, _SAMPLES)
    off, solid = np.full((len(levels), 2), np.nan), np.zeros(len(levels), bool)
    behind = np.zeros((len(levels), 2), bool)  # something that is carried
    for number, level in enumerate(levels):
        ring = body.vertices[of_legs & (np.abs(vertex_level - level) < _STEP)]
        if len(ring) == 0:
            continue
        for side, sign in enumerate((1, -1)):
            line = centers[number] + sign * distances[:, None] * left[number]
            columns, rows = np.floor(camera.project(line)).astype(int).T
            inside = (columns >= 0) & (rows >= 0)
            inside &= (columns < camera.width) & (rows < camera.height)
            reach = float((sign * (ring - centers[number]) @ left[number]).max())
            on, arm, thing = np.zeros((3, _SAMPLES), bool)
            on[inside] = mask[rows[inside], columns[inside]]
            arm[inside] = arms[rows[inside], columns[inside]]
            thing[inside] = things[rows[inside], columns[inside]]
            leg = distances < max(reach, 0.02)
            within = on[leg].all()
            solid[number] = within if side == 0 else solid[number] and within
            beyond = np.flatnonzero(~on & ~leg)
            end = beyond[0] if len(beyond) else _SAMPLES - 1
            behind[number, side] = thing[: end + 1].any()
            if inside[end] and not (arm | thing)[: end + 1].any():
                off[number, side] = distances[end] - reach
    # What hides one side by a bag is as the other is; an arm may push cloth in.
    off = np.where(behind & ~behind[:, ::-1], off[:, ::-1], off)
    # A bag that was not told widens one side alone, an arm hides one.
    least = np.where(np.isnan(off).any(1), np.nan, off.min(1))
    return least, solid


@dataclass(frozen=True)
class Window:
    """A person's part of the photograph, not too large.

    Attributes:
        camera: of it.
        rows, columns: of the photograph.
        mask: (h, w) bool, the person.
        arms: (h, w) bool, where an arm is before anything.
    """

    camera: Camera
    rows: slice
    columns: slice
    mask: np.ndarray
    arms: np.ndarray


def legs_window(photo: Photo, figure: Figure, body: Body) -> Window:
    """The window around somebody, whose ``body`` is fitted, with room for skirts."""
    model, vertices = body.model, body.vertices
    pixels = photo.camera.project(vertices)
    margin = _AROUND * float(np.ptp(pixels[:, 1]))
    x0, y0 = np.maximum(np.floor(pixels.min(0) - margin), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(pixels.max(0) + margin), [photo.width, photo.height]).astype(int)
    x1, y1 = max(x1, x0 + 8), max(y1, y0 + 8)
    scale = min(1.0, _TALLEST_PX / (y1 - y0))
    width, height = max(8, round((x1 - x0) * scale)), max(8, round((y1 - y0) * scale))
    camera = photo.camera.window(int(x0), int(y0), scale, width, height)
    alpha = cv2.resize(
        figure.alpha.window(int(x0), int(y0), int(x1), int(y1)),
        (width, height),
        interpolation=cv2.INTER_AREA,
    )
    part = model.regions.part[model.faces[:, 0]]
    faces = model.faces[np.isin(part, (LEFT_ARM, RIGHT_ARM))]
    seen = rasterize(camera.project(vertices), vertices[:, 2], faces, width, height)
    margin_px = max(1, round(_ARM_MARGIN * height))
    kernel = disc(margin_px)
    arms = cv2.dilate(seen.mask.astype(np.uint8), kernel) > 0
    return Window(camera, slice(y0, y1), slice(x0, x1), alpha > 128, np.asarray(arms))
