"""Depth order from occlusion: who hides whom in the picture must stand nearer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.geometry.rasterizer import rasterize
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha

WORKING_SIZE = 512  # long side in pixels
_MIN_PIXELS = 12
_CLEAR = 0.72  # share of the contested pixels that settles the matter
_GAP = 0.05  # metres between the two surfaces
_MAX_SCALE = 1.2


@dataclass(frozen=True)
class Occlusion:
    """Two people overlap in the picture and ``front`` hides ``back``.

    Attributes:
        front, back: indices of the people.
        confidence: share of the contested pixels that show the front person, .5..1.
    """

    front: int
    back: int
    confidence: float


@dataclass(frozen=True)
class _View:
    depth: np.ndarray  # (h, w) float32, inf where the body is not
    matte: np.ndarray  # (h, w) float32, 0..1


def _views(
    vertices: Sequence[np.ndarray], faces: np.ndarray, alphas: Sequence[Alpha], camera: Camera
) -> list[_View]:
    scale = min(1.0, WORKING_SIZE / max(camera.width, camera.height))
    width, height = max(1, round(camera.width * scale)), max(1, round(camera.height * scale))
    small = camera.scaled(scale, width, height)
    views = []
    for points, alpha in zip(vertices, alphas, strict=True):
        fragments = rasterize(small.project(points), points[:, 2], faces, width, height)
        matte = cv2.resize(alpha.full(), (width, height), interpolation=cv2.INTER_AREA)
        views.append(_View(fragments.depth, matte.astype(np.float32) / 255))
    return views


def find_occlusions(
    vertices: Sequence[np.ndarray], faces: np.ndarray, alphas: Sequence[Alpha], camera: Camera
) -> list[Occlusion]:
    """Who stands before whom, where the picture shows it.

    Where the bodies of two people fall on the same pixels, the matte that claims the pixels
    belongs to the nearer one.

    Args:
        vertices: (V, 3) of each body in the camera frame; faces: (F, 3) of them all.
        alphas: matte of each person.
        camera: of the photograph.
    """
    views = _views(vertices, faces, alphas, camera)
    found = []
    for i in range(len(views)):
        for j in range(i + 1, len(views)):
            contested = np.isfinite(views[i].depth) & np.isfinite(views[j].depth)
            if contested.sum() < _MIN_PIXELS:
                continue
            votes_i = float(views[i].matte[contested].sum())
            votes_j = float(views[j].matte[contested].sum())
            total = votes_i + votes_j
            if total < _MIN_PIXELS / 2:
                continue
            share = votes_i / total
            if share >= _CLEAR:
                found.append(Occlusion(i, j, share))
            elif share <= 1 - _CLEAR:
                found.append(Occlusion(j, i, 1 - share))
    return found


def order_scales(
    depths: np.ndarray, occlusions: Sequence[Occlusion], trust: np.ndarray
) -> np.ndarray:
    """Factors (N,) on distance and size that put the people in the order of the occlusions.

    Args:
        depths: (N,) distance of each person along the view, metres.
        occlusions: from ``find_occlusions``.
        trust: (N,) how sure each distance is; the less sure of two moves more.

    The violated pairs are mended by turns, the surest first; no one is moved by more than a
    fifth, so that contradictions cannot run away.
    """
    logs = np.zeros(len(depths))
    limit = np.log(_MAX_SCALE)
    ordered = sorted(occlusions, key=lambda o: -o.confidence)
    for _ in range(8):
        moved = False
        for occlusion in ordered:
            i, j = occlusion.front, occlusion.back
            missing = np.log(depths[i] + _GAP) + logs[i] - np.log(depths[j]) - logs[j]
            if missing <= 1e-4:
                continue
            share = trust[j] / (trust[i] + trust[j])
            logs[i] = np.clip(logs[i] - missing * share, -limit, limit)
            logs[j] = np.clip(logs[j] + missing * (1 - share), -limit, limit)
            moved = True
        if not moved:
            break
    return np.exp(logs)
