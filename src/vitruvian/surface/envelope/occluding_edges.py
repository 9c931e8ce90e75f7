"""Where the edge of an arm before the body really is, as the picture shows it.

The matte tells nothing inside the figure. But where an arm ends before the trunk, colours mostly
change: its edge is looked for along the normals of the fitted arm's own outline. A change of colour
speaks for a place, being far from the fitted arm against it (a log-linear model, whose four numbers
were fitted on synthetic people with known edges). Neighbours along the arm decide together.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.geometry.rasterizer import rasterize
from vitruvian.image.cielab import cielab
from vitruvian.surface.envelope.outline import OutlineFinder
from vitruvian.surface.maps import warped
from vitruvian.types.body import ParametricModel
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import LEFT_ARM, RIGHT_ARM

_STEP_M = 0.002
_PLACES = np.arange(-40, 61) * _STEP_M  # along the outline's normal, outwards
_BLUR_M = 0.003  # sigma, of colours along the normal
_LEAST_CHANGE = 2.0  # CIELAB units per cm, that say nothing
_EDGE, _INWARDS, _FAR, _OFF = 2.5, 61.0, 760.0, 5.4  # of the log-linear model
_TOGETHER_M = 0.03  # sigma, at rest, of neighbours that decide together
_SAME_SIDE = 0.6  # cosine between the outline's normals of neighbours
_NEAR_M = 0.008  # of the best place: what it is sure to
_SURE = (0.4, 0.7)  # probability that the edge is so near, from which it counts, and fully
_BEHIND_M = 0.01  # the arm occludes what lies farther behind its edge
_BESIDE_PX = 4
_MOST_HAND = 0.3
_SMOOTHING_PX = 1.5  # of an arm's mask before its normals are taken


@dataclass(frozen=True)
class OccludingEdges:
    """Edges of arms before the body.

    Attributes:
        vertices: (N,) int64, of the body, on the outline of an arm that is before something else
            of the same person.
        offsets_m: (N,) float32, how far the arm's edge in the picture is beyond it.
        normals: (N, 2) float32 outward directions in the image.
        weights: (N,) float32 0..1, how sure that is.
    """

    vertices: np.ndarray
    offsets_m: np.ndarray
    normals: np.ndarray
    weights: np.ndarray


def occluding_edges(
    photo: Photo, finder: OutlineFinder, model: ParametricModel, mesh: Mesh
) -> OccludingEdges:
    """The edges of somebody's arms before their trunk, legs or other arm.

    Args:
        photo: the picture.
        finder: of the person's matte.
        model: the body model.
        mesh: the fitted body, camera frame.
    """
    camera = finder.camera
    vertices, normals, of = _outlines(finder, model, mesh)
    if len(vertices) == 0:
        return OccludingEdges(vertices, np.zeros(0, np.float32), normals, np.zeros(0, np.float32))
    pixels = camera.project(mesh.vertices[vertices])
    steps = _PLACES[None, :] * (camera.focal_px / mesh.vertices[vertices, 2])[:, None]
    places = pixels[:, None] + steps[..., None] * normals[:, None]
    x, y = (np.ascontiguousarray(places[..., k] - 0.5, np.float32) for k in (0, 1))
    colors = cielab(warped(photo.pixels, photo.camera, camera, smooth=True))
    along = cv2.remap(colors, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    blurred = cv2.GaussianBlur(along, (0, 1), _BLUR_M / _STEP_M, sigmaY=1)
    change = np.gradient(blurred, 100 * _STEP_M, axis=1)
    edge = np.log(_LEAST_CHANGE + np.sqrt(np.einsum("nsc,nsc->ns", change, change)))
    inside = cv2.remap(finder.matte, x, y, cv2.INTER_NEAREST)
    score = _EDGE * edge - _OFF * (inside == 0)
    score += _INWARDS * np.minimum(_PLACES, 0) - _FAR * _PLACES**2
    score = _together(model.template[vertices], normals, of) @ score
    best = score.argmax(1)
    probability = np.exp(score - score.max(1, keepdims=True))
    near = np.abs(_PLACES - _PLACES[best][:, None]) <= _NEAR_M
    sure = (probability * near).sum(1) / probability.sum(1)
    weights = np.clip((sure - _SURE[0]) / (_SURE[1] - _SURE[0]), 0, 1)
    return OccludingEdges(
        vertices, _PLACES[best].astype(np.float32), normals, weights.astype(np.float32)
    )


def _outlines(
    finder: OutlineFinder, model: ParametricModel, mesh: Mesh
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (N,) on the outline of an arm with something of the body behind it, the outline's
    normals (N, 2) float32 there, and the arm's region (N,)."""
    width, height = finder.width, finder.height
    regions = model.regions
    pixels = finder.camera.project(mesh.vertices).astype(np.float32)
    drawn = rasterize(pixels, mesh.vertices[:, 2], mesh.faces, width, height)
    part = np.append(regions.part[mesh.faces[:, 0]], np.uint8(255))[drawn.face]
    depth = np.where(drawn.mask, drawn.depth, np.float32(-1))
    cells = np.floor(pixels).astype(int)
    inside = ((cells >= 0) & (cells < [width, height])).all(1) & (regions.hand < _MOST_HAND)
    found = []
    for arm in (LEFT_ARM, RIGHT_ARM):
        mask = (part == arm).astype(np.uint8)
        rim = cv2.dilate(mask, np.ones((3, 3), np.uint8)) - cv2.erode(mask, np.ones((3, 3)))
        chosen = np.flatnonzero(inside & (regions.part == arm))
        chosen = chosen[rim[cells[chosen, 1], cells[chosen, 0]] > 0]
        smooth = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), _SMOOTHING_PX)
        rows, columns = cells[chosen, 1], cells[chosen, 0]
        slope = [cv2.Sobel(smooth, cv2.CV_32F, *axes)[rows, columns] for axes in ((1, 0), (0, 1))]
        outwards = -np.stack(slope, axis=1)
        length = np.linalg.norm(outwards, axis=1)
        outwards /= np.maximum(length, 1e-6)[:, None]
        beside = np.floor(pixels[chosen] + _BESIDE_PX * outwards).astype(int)
        x, y = np.clip(beside, 0, [width - 1, height - 1]).T
        behind = depth[y, x] > mesh.vertices[chosen, 2] + _BEHIND_M
        before = (length > 1e-3) & behind & (part[y, x] != arm)
        found.append((chosen[before], outwards[before], np.full(before.sum(), arm)))
    vertices, normals, of = (np.concatenate(one) for one in zip(*found, strict=True))
    return vertices, normals.astype(np.float32), of


def _together(points: np.ndarray, normals: np.ndarray, of: np.ndarray) -> np.ndarray:
    """(N, N) whose rows are the shares of neighbours on the same side of the same limb ``of``,
    from rest positions (N, 3) and the outline's normals (N, 2)."""
    apart = np.einsum("nmc,nmc->nm", *2 * [points[:, None] - points])
    weights = np.exp(-0.5 * apart / _TOGETHER_M**2)
    weights *= (normals @ normals.T > _SAME_SIDE) & (of[:, None] == of)
    return np.asarray(weights / weights.sum(1, keepdims=True))
