"""Patches of the body's skin, the same in every pose, and the colours that they have."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.cielab import cielab
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.video.clip import Frame

ODD_LAB = 25.0  # from a patch's usual colour: what is farther is not theirs; L is of 0 to 100
_LEAST_LOOKS = 3  # from which on a patch has a usual colour
_HEIGHT_PX = 200  # of somebody whose patches are looked at


@lru_cache(maxsize=4)
def patches_of(model: BodyModel, side_m: float) -> np.ndarray:
    """(F,) int, of each face the patch that it is in: those of one cube of the mean adult.

    Args:
        model: of the body.
        side_m: of the cubes, metres.
    """
    middles = model.template[model.faces].mean(1)
    cubes = np.floor(middles / side_m).astype(int)
    return np.asarray(np.unique(cubes, axis=0, return_inverse=True)[1]).ravel()


def usual_colours(colours: np.ndarray) -> np.ndarray:
    """(P, 3) the medians of the patches' colours (N, P, 3) over frames; NaN where few show one."""
    known = np.isfinite(colours[..., 0])
    usual = np.full(colours.shape[1:], np.nan)
    often = known.sum(0) >= _LEAST_LOOKS
    if often.any():
        usual[often] = np.nanmedian(colours[:, often], axis=0)
    return usual


def colours_of_patches(
    frame: Frame,
    figure: Figure,
    vertices: np.ndarray | None,
    camera: Camera,
    model: BodyModel,
    patches: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """CIELAB (P, 3) of the patches, NaN where a frame does not show them, and how many pixels (P,)
    show each.

    Args:
        frame, figure: the frame and somebody in it.
        vertices: (V, 3) of their body, in the frame of its ``camera``; None where they are not
            known.
        camera: of the frame.
        model: of the body.
        patches: of ``patches_of``.
    """
    count = int(patches.max()) + 1
    colours, pixels = np.full((count, 3), np.nan), np.zeros(count)
    if vertices is None:
        return colours, pixels
    alpha = figure.alpha
    height, width = alpha.values.shape
    scale = min(1.0, _HEIGHT_PX / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    window = camera.window(alpha.x, alpha.y, scale, *size)
    seen = rasterize(window.project(vertices), vertices[:, 2], model.faces, *size).face
    region = frame.pixels[alpha.y : alpha.y + height, alpha.x : alpha.x + width]
    lab = cielab(cv2.resize(region, size, interpolation=cv2.INTER_AREA))
    matte = cv2.resize(alpha.values, size, interpolation=cv2.INTER_AREA) > 200
    own = (seen >= 0) & matte
    of_patch = patches[seen[own]]
    pixels = np.bincount(of_patch, minlength=count).astype(np.float64)
    sums = [np.bincount(of_patch, channel, minlength=count) for channel in lab[own].T]
    some = pixels > 1
    colours[some] = (np.stack(sums, axis=1)[some].T / pixels[some]).T
    return colours, pixels
