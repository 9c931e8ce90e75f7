"""Folds that the pose causes: cloth that a bent joint compresses lies in folds across the limb.

Along every limb (down the trunk and legs, out along the arms) each face's stretch from rest to
pose is measured. Where cloth is shortened by a factor l, a fold of slope s takes up the slack: the
length of a sine of small slopes is 1 + s^2 / 4 of its base's, so that s = 2 sqrt(1 / l - 1), of
which cloth shows a part and the skin below takes the rest. The folds themselves are those of
``wrinkles``, in coordinates that run along the limb.
"""

# Compiled functions state their types as Numba signatures.
# mypy: disallow-untyped-defs=False

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import ARMS, LEFT, SHOULDERS
from vitruvian.compute import kernel
from vitruvian.lab.synthesis.garments import body_regions
from vitruvian.lab.synthesis.parts import LABEL, Part, PosedAnatomy
from vitruvian.lab.synthesis.shading import FOLDS
from vitruvian.lab.synthesis.wrinkles import gradient_spread

FOLDED = tuple(LABEL[name] for name in ("top", "bottom", "outfit", "dress", "coat"))
SHOWN = 0.5  # share of the slope that the formula gives
STEEPEST = 0.6  # RMS slope
SLACK = 0.05  # shortening that cloth takes up without folds
SPREAD = 8  # rounds of smoothing


def folded(part: Part, body: PosedAnatomy) -> Part:
    """The part with its ``folds``, where it is a garment."""
    if part.label not in FOLDED or not len(part.faces):
        return part
    rest = np.ascontiguousarray(part.rest, np.float32)
    faces = np.ascontiguousarray(part.faces, np.int32)
    places = limb_coordinates(rest, faces, body)
    shortening = smoothed(compression(rest, part.vertices, faces, places[:, 0]), faces, SPREAD)
    slack = np.maximum(shortening - SLACK, 0)
    slope = np.minimum(SHOWN * 2 * np.sqrt(slack / np.maximum(1 - slack, 0.2)), STEEPEST)
    shift, period = np.zeros(3), 0.13
    if part.surface.wrinkles is not None:  # this garment's own random numbers
        shift = part.surface.wrinkles[1][0, :, 3].astype(float)
        period = 0.10 + 0.07 * float(shift[0])
    scale = np.array([1.0, 0.22, 0.22]) / period
    rms = float(np.sqrt((scale**2 * np.diag(gradient_spread()[FOLDS])).sum()))
    folds = np.empty((len(rest), 4), np.float32)
    folds[:, :3] = places * scale + shift
    folds[:, 3] = slope / rms
    return replace(part, folds=folds)


def limb_coordinates(rest: np.ndarray, faces: np.ndarray, body: PosedAnatomy) -> np.ndarray:
    """Metres (V, 3) along the limb and across it twice, of garment vertices at rest (V, 3)."""
    region, index = body_regions(), body_model().joint_index
    skin = region.skin[::16]
    near = np.zeros(len(rest), np.int64)
    _nearest(rest, np.ascontiguousarray(body.rest[skin], np.float32), near)
    arm = smoothed(region.arm[skin][near], faces, SPREAD)[:, None]
    # Both begin at the shoulders, so that the blend of the two in between stays even.
    level = body.rest_joints[index[SHOULDERS[LEFT]], 1]
    trunk = np.stack([level - rest[:, 1], np.abs(rest[:, 0]), rest[:, 2]], 1)
    out = (1 - arm) * trunk
    for (shoulder, _, wrist), sign in zip(ARMS, (1, -1), strict=True):
        start, stop = body.rest_joints[index[shoulder]], body.rest_joints[index[wrist]]
        axis = (stop - start) / np.linalg.norm(stop - start)
        across = np.cross(axis, [0, 0, 1.0])
        across /= np.linalg.norm(across)
        frame = np.stack([axis, across, np.cross(axis, across)])
        here = sign * rest[:, 0] > 0
        out[here] += arm[here] * ((rest[here] - start) @ frame.T)
    return out


def compression(
    rest: np.ndarray, posed: np.ndarray, faces: np.ndarray, along: np.ndarray
) -> np.ndarray:
    """By how much of its length (0..1) cloth is shortened along a coordinate, per vertex (V,).

    rest, posed (V, 3) float32; faces (F, 3) int32; along (V,): the coordinate, metres. Lengthened
    cloth counts as 0; vertices take the mean of their faces, weighted by area.
    """
    total, weight = np.zeros(len(rest)), np.zeros(len(rest))
    rest, posed = (np.ascontiguousarray(points, np.float32) for points in (rest, posed))
    _shortening(rest, posed, faces, along.astype(float), total,
                weight)  # fmt: skip
    return np.asarray(np.maximum(total / np.maximum(weight, 1e-12), 0))


@kernel("void(float32[:,::1],float32[:,::1],int32[:,::1],float64[::1],float64[::1],float64[::1])")
def _shortening(rest, posed, faces, along, total, weight):
    for t in range(len(faces)):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        e11, e12, e22 = 0.0, 0.0, 0.0
        p11, p12, p22 = 0.0, 0.0, 0.0
        for k in range(3):
            e1, e2 = rest[b, k] - rest[a, k], rest[c, k] - rest[a, k]
            p1, p2 = posed[b, k] - posed[a, k], posed[c, k] - posed[a, k]
            e11, e12, e22 = e11 + e1 * e1, e12 + e1 * e2, e22 + e2 * e2
            p11, p12, p22 = p11 + p1 * p1, p12 + p1 * p2, p22 + p2 * p2
        det = e11 * e22 - e12 * e12
        if det < 1e-16:
            continue
        # The gradient of the coordinate, as a combination of the two edges, and its length.
        s1, s2 = along[b] - along[a], along[c] - along[a]
        u, v = (e22 * s1 - e12 * s2) / det, (e11 * s2 - e12 * s1) / det
        before = u * u * e11 + 2 * u * v * e12 + v * v * e22
        if before < 0.04:  # across the limb
            continue
        after = u * u * p11 + 2 * u * v * p12 + v * v * p22
        area = np.sqrt(det)
        shorter = 1.0 - np.sqrt(max(after, 0.0) / before)
        for k in range(3):
            total[faces[t, k]] += area * shorter
            weight[faces[t, k]] += area


def smoothed(values: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:
    """Values (V,) averaged over the faces around each vertex, so many times."""
    out = values.astype(float)
    for _ in range(rounds):
        mean = np.zeros(len(out))
        _average(faces, out, mean)
        out = mean
    return out


@kernel("void(int32[:,::1],float64[::1],float64[::1])")
def _average(faces, values, out):
    count = np.zeros(len(values), np.int64)
    for t in range(len(faces)):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        mean = (values[a] + values[b] + values[c]) / 3.0
        for k in range(3):
            out[faces[t, k]] += mean
            count[faces[t, k]] += 1
    for v in range(len(values)):
        out[v] = out[v] / count[v] if count[v] > 0 else values[v]


@kernel("void(float32[:,::1],float32[:,::1],int64[::1])")
def _nearest(points, others, out):
    for k in range(len(points)):
        best = np.inf
        for v in range(len(others)):
            dx, dy = points[k, 0] - others[v, 0], points[k, 1] - others[v, 1]
            dz = points[k, 2] - others[v, 2]
            far = dx * dx + dy * dy + dz * dz
            if far < best:
                best, out[k] = far, v
