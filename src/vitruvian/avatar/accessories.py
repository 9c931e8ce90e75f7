"""Bags and other things that somebody carries: rigid pieces, each on the bone that holds it.

The photograph's surface has them as part of one closed skin. A piece is cut out of it where the
picture shows the thing: its front as it is there, a rounded rim, and a back that is a guess.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.avatar.patch import Patch
from vitruvian.avatar.rigid_piece import Piece, rigid_piece
from vitruvian.avatar.skin import photographed_motion, unposed
from vitruvian.image.disc import disc
from vitruvian.texture.carried import Carried
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

_LEAST_M2 = 0.008  # of the picture's: a phone is no piece
_MOST = 3  # pieces
_CLOSED_M, _OPENED_M = 0.02, 0.015  # gaps that are closed, straps that are left out
_EVERY = 8  # of the body's vertices, among which the one near a point is sought


def accessories_of(
    photo: Photo, figure: Figure, body: Body, sculpture: Mesh, carried: Carried
) -> Patch | None:
    """What somebody carries, as pieces; None where nothing of it is large enough.

    Args:
        photo: the picture.
        figure: the person's matte.
        body: fitted, camera frame.
        sculpture: the surface that the photograph shows, camera frame.
        carried: where in the picture.
    """
    camera = carried.camera
    pixel_m = float(np.median(body.vertices[:, 2])) / camera.focal_px
    closed = cv2.morphologyEx(
        carried.mask, cv2.MORPH_CLOSE, disc(max(1, round(_CLOSED_M / pixel_m)))
    )
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(max(1, round(_OPENED_M / pixel_m))))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((opened > 127).astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA] * pixel_m**2
    chosen = [one for one in np.argsort(-areas)[:_MOST] + 1 if areas[one - 1] > _LEAST_M2]
    pieces = [
        piece
        for one in chosen
        if (piece := rigid_piece(labels == one, camera, pixel_m, body, sculpture)) is not None
    ]
    return _painted(pieces, photo, figure, body, opened > 127, camera) if pieces else None


def _painted(
    pieces: list[Piece],
    photo: Photo,
    figure: Figure,
    body: Body,
    mask: np.ndarray,
    camera: Camera,
) -> Patch:
    """The pieces at rest, with the photograph's window around them all; what of it is not of them
    has their colours from around."""
    model = body.model
    points = np.concatenate([piece.points for piece in pieces])
    first = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    faces = np.concatenate([
        piece.faces + start for piece, start in zip(pieces, first, strict=False)
    ])  # fmt: skip
    joints = np.repeat(
        [model.joint_index[piece.carrier] for piece in pieces],
        [len(piece.points) for piece in pieces],
    ).astype(np.uint16)
    pixels = photo.camera.project(points)
    low = np.clip(np.floor(pixels.min(0)).astype(int), 0, [photo.width - 1, photo.height - 1])
    high = np.clip(np.ceil(pixels.max(0)).astype(int), low + 1, [photo.width, photo.height])
    width, height = high - low
    window = photo.pixels[low[1] : high[1], low[0] : high[0]]
    matte = figure.alpha.window(*low, *high) > 250
    own = Carried(255 * mask.astype(np.uint8), camera).seen_by(
        photo.camera.window(int(low[0]), int(low[1]), 1.0, int(width), int(height))
    )
    known = cv2.erode((own & matte).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    uvs = (pixels - low) / [width, height] * [1, -1] + [0, 1]
    rest = unposed(
        photographed_motion(body),
        points,
        np.tile(joints[:, None], (1, 4)),
        np.tile(np.array([1.0, 0.0, 0.0, 0.0]), (len(points), 1)),
    )
    near = body.rest()[0][::_EVERY]
    squared = np.square(near).sum(1) - 2 * rest.astype(np.float32) @ near.T
    skin = np.tile(np.array([1, 0, 0, 0], np.float32), (len(points), 1))
    return Patch(
        rest.astype(np.float32),
        faces.astype(np.int32),
        np.clip(uvs, 0, 1).astype(np.float32),
        faces.astype(np.int32),
        _filled(window, known),
        np.tile(joints[:, None], (1, 4)),
        skin,
        (_EVERY * squared.argmin(1)).astype(np.int32),
    )


def _filled(pixels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """A picture (h, w, 3) uint8 whose colours go on from where they are known (h, w) bool."""
    weight = known.astype(np.float32)
    if not known.any():
        return pixels
    out = pixels[known].mean(0) + np.zeros(pixels.shape, np.float32)
    longest = max(pixels.shape)
    sigma = longest / 4
    values = weight[..., None] * pixels.astype(np.float32)
    while sigma > 0.6:  # from coarse to fine: what is near counts most
        share = cv2.GaussianBlur(weight, (0, 0), sigma)
        smooth = cv2.GaussianBlur(values, (0, 0), sigma) / np.maximum(share, 1e-6)[..., None]
        out += np.clip(4 * share, 0, 1)[..., None] * (smooth - out)
        sigma /= 2
    return np.where(known[..., None], pixels, out.round().clip(0, 255).astype(np.uint8))
