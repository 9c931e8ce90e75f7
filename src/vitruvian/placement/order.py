"""Depth order from occlusion: who hides whom in the picture must stand nearer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.geometry.rasterizer import rasterize
from vitruvian.networks.nanodet import boxes_meet
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha

WORKING_SIZE = 512  # long side in pixels
# Logarithms of odds, by logistic regression on 201 pairs of cut-outs and synthetic people (see
# docs/experiments/scores-groups.md): of the bodies' shares under each other's mattes, and of how
# much lower one matte ends than the other, in heights, up to a fifth.
_UNDER_WEIGHT, _UNDER_LEAST = 1.1, 0.02
_LOWER_WEIGHT, _LOWER_MOST = 12.0, 0.2
_CLEAR = 0.6  # probability from which on a pair is told
_GAP = 0.05  # metres between the two surfaces
_MAX_SCALE = 1.2
_ROUNDS = 8


@dataclass(frozen=True)
class Occlusion:
    """Two people overlap in the picture and ``front`` hides ``back``.

    Attributes:
        front, back: indices of the people.
        confidence: probability that it is so, .5..1.
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

    Of two people whose mattes' boxes overlap, two things tell: the body of whoever is behind goes
    on where the other's matte is and their own is not; and what is seen of them ends higher up,
    because their feet stand farther back, or are hidden.

    Args:
        vertices: (V, 3) of each body in the camera frame; faces: (F, 3) of them all.
        alphas: matte of each person.
        camera: of the photograph.
    """
    views = _views(vertices, faces, alphas, camera)
    found = []
    for i in range(len(views)):
        for j in range(i + 1, len(views)):
            if not boxes_meet(alphas[i].box, alphas[j].box):
                continue
            odds = _in_front(views[i], views[j])
            confidence = float(1 / (1 + np.exp(-abs(odds))))
            if confidence >= _CLEAR:
                found.append(Occlusion(*((i, j) if odds > 0 else (j, i)), confidence))
    return found


def _in_front(one: _View, other: _View) -> float:
    """Logarithm of the odds that one person stands before another; 0 where nothing tells."""
    bodies, mattes = [], []
    for view in (one, other):
        bodies.append(np.isfinite(view.depth))
        mattes.append(view.matte > 0.5)
    rows = [np.flatnonzero(body.any(axis=1)) for body in bodies]
    ends = [np.flatnonzero(matte.any(axis=1)) for matte in mattes]
    if any(len(where) == 0 for where in (*rows, *ends)):
        return 0.0
    area = min(np.count_nonzero(body) for body in bodies)
    under = [
        float((view.matte * (body & ~matte)).sum()) / area + _UNDER_LEAST
        for view, body, matte in zip((other, one), bodies, mattes, strict=True)
    ]
    height = np.mean([where[-1] + 1 - where[0] for where in rows])
    lower = float(np.clip((ends[0][-1] - ends[1][-1]) / height, -_LOWER_MOST, _LOWER_MOST))
    return float(_UNDER_WEIGHT * np.log(under[1] / under[0]) + _LOWER_WEIGHT * lower)


def settle_order(
    likelihood: np.ndarray, distances: np.ndarray, occlusions: Sequence[Occlusion]
) -> np.ndarray:
    """Which (N,) of S places of each of N people are likeliest together with the occlusions.

    From the likeliest place of each, two people in the wrong order are moved to the pair of places
    that is best with everybody else where they are, as long as that helps.

    Args:
        likelihood: (N, S) logarithms.
        distances: (N, S) metres along the view.
        occlusions: from ``find_occlusions``; each counts as its confidence's odds.
    """
    choice = likelihood.argmax(axis=1)
    costs = [float(np.log(o.confidence / max(1 - o.confidence, 1e-6))) for o in occlusions]
    told = [(o.front, o.back, cost) for o, cost in zip(occlusions, costs, strict=True)]

    def alone(who: int, but: int) -> np.ndarray:
        """Of each place of a person, with all others but one where they are."""
        out = likelihood[who].copy()
        for front, back, cost in told:
            if who == front and back != but:
                out -= cost * (distances[who] + _GAP > distances[back, choice[back]])
            elif who == back and front != but:
                out -= cost * (distances[front, choice[front]] + _GAP > distances[who])
        return out

    for _ in range(_ROUNDS):
        before = choice.copy()
        for front, back, cost in told:
            together = alone(front, back)[:, None] + alone(back, front)[None]
            together -= cost * (distances[front][:, None] + _GAP > distances[back][None])
            choice[front], choice[back] = np.unravel_index(together.argmax(), together.shape)
        if (choice == before).all():
            break
    return choice


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
