"""Distances and normals between a reconstructed surface and a scan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.geometry.adjacency import directed_edges
from vitruvian.geometry.normals import face_normals, vertex_normals
from vitruvian.lab.evaluation.metrics.closest import ClosestPointTree
from vitruvian.lab.evaluation.metrics.sampling import parallel_view, sample_surface, view_rotation
from vitruvian.types.mesh import Mesh

# Distances are reported as if the person were this tall, so that children and giants compare.
REFERENCE_HEIGHT_CM = 180.0
SAMPLES = 100_000


@dataclass(frozen=True)
class SurfaceScores:
    """Distances between a prediction and a scan, in cm on a person of 180 cm.

    Attributes:
        scan_to_prediction_cm: mean distance from the scan to the predicted surface; what ICON and
            ECON call P2S. Grows when something is missing from the prediction.
        prediction_to_scan_cm: mean distance from the prediction to the scan's surface; what PIFu
            calls P2S. Grows when the prediction has something that is not there.
        chamfer_cm: the mean of both.
        normal_consistency: see :func:`surface_scores`; 1 is perfect, .5 is unrelated.
        f_score_1cm: harmonic mean of the shares of either surface within 1 cm of the other.
    """

    scan_to_prediction_cm: float
    prediction_to_scan_cm: float
    chamfer_cm: float
    normal_consistency: float
    f_score_1cm: float


def point_to_surface(points: np.ndarray, mesh: Mesh) -> np.ndarray:
    """Exact distances (N,) float64 from ``points`` (N, 3) to the mesh, in the mesh's unit."""
    return ClosestPointTree(mesh.vertices, mesh.faces).query(points).distances


def f_score(to_truth: np.ndarray, to_prediction: np.ndarray, threshold: float) -> float:
    """F-score of a surface at a distance threshold.

    Precision is the share of predicted points whose distance ``to_truth`` (N,) is below the
    threshold, recall the share of true points whose distance ``to_prediction`` (M,) is; the score
    is their harmonic mean (Knapitsch et al., "Tanks and Temples", 2017).
    """
    precision = float(np.mean(to_truth < threshold))
    recall = float(np.mean(to_prediction < threshold))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def surface_scores(
    prediction: Mesh,
    scan: Mesh,
    *,
    height_m: float,
    samples: int = SAMPLES,
    seed: int = 0,
) -> SurfaceScores:
    """Compare two surfaces in the same frame.

    Both are sampled uniformly by area, and each sample goes to the exact closest point of the
    other surface (not to its nearest sample or vertex). Normal consistency is the mean absolute
    cosine between a sample's normal and the normal of the face it falls on, averaged over both
    directions (Mescheder et al., "Occupancy networks", 2019).

    Args:
        prediction, scan: meshes in metres.
        height_m: stature of the true person; distances are scaled to a stature of 180 cm.
        samples: points drawn from each surface.
        seed: of the draw.
    """
    if prediction.frame != scan.frame:
        raise ValueError(f"frames differ: {prediction.frame} and {scan.frame}")
    if not height_m > 0:
        raise ValueError(f"height_m must be positive, got {height_m}")
    cm = REFERENCE_HEIGHT_CM / height_m
    prediction_samples = sample_surface(prediction, samples, seed=seed)
    scan_samples = sample_surface(scan, samples, seed=seed + 1)
    on_scan = ClosestPointTree(scan.vertices, scan.faces).query(prediction_samples.points)
    on_prediction = ClosestPointTree(prediction.vertices, prediction.faces).query(
        scan_samples.points
    )
    cosines = [
        np.abs(
            np.sum(samples_.normals * face_normals(mesh.vertices, mesh.faces)[hits.faces], axis=1)
        ).mean()
        for samples_, mesh, hits in (
            (prediction_samples, scan, on_scan),
            (scan_samples, prediction, on_prediction),
        )
    ]
    to_scan, to_prediction = on_scan.distances * cm, on_prediction.distances * cm
    return SurfaceScores(
        scan_to_prediction_cm=float(to_prediction.mean()),
        prediction_to_scan_cm=float(to_scan.mean()),
        chamfer_cm=float((to_scan.mean() + to_prediction.mean()) / 2),
        normal_consistency=float(np.mean(cosines)),
        f_score_1cm=f_score(to_scan, to_prediction, 1.0),
    )


@dataclass(frozen=True)
class NormalScores:
    """How the rendered normals of two surfaces differ.

    Attributes:
        l2: mean Euclidean distance between the unit normals over the pixels that either covers;
            where only one covers the pixel the other's normal counts as the zero vector, so the
            distance is 1.
        angle_deg: mean angle over the pixels that both cover, in degrees.
    """

    l2: float
    angle_deg: float


def normal_error(
    prediction: Mesh,
    scan: Mesh,
    *,
    up: tuple[float, float, float],
    front: tuple[float, float, float],
    size: int = 512,
) -> NormalScores:
    """Difference of normals in four renders: from the front, the left, the back and the right.

    PIFu (Saito et al. 2019) renders normals from one view, ICON (Xiu et al. 2022) from 0, 90, 180
    and 270 degrees of yaw; this is the latter, under parallel projection, with face normals
    smoothed over the vertices.

    Args:
        prediction, scan: meshes in the same frame.
        up: the direction that is up in their frame.
        front: the direction from which the first render looks back at the person.
        size: side of the renders in pixels.
    """
    points = scan.vertices.astype(np.float64)
    low, high = points.min(0), points.max(0)
    center, half = (low + high) / 2, float((high - low).max()) * 0.6
    meshes = [
        (m.vertices.astype(np.float64), m.faces, vertex_normals(m.vertices, m.faces))
        for m in (prediction, scan)
    ]
    up_axis = np.asarray(up, float) / np.linalg.norm(up)
    ahead = np.asarray(front, float) - np.dot(front, up_axis) * up_axis
    ahead /= np.linalg.norm(ahead)
    side = np.cross(up_axis, ahead)
    l2, pixels, angle, common = 0.0, 0, 0.0, 0
    for looking in (-ahead, -side, ahead, side):
        rotation = view_rotation(looking, up_axis)
        maps, masks = [], []
        for vertices, faces, normals in meshes:
            view = parallel_view(vertices, faces, rotation, center, half, size)
            values = view.interpolate(normals, faces).astype(np.float64)
            length = np.linalg.norm(values, axis=2, keepdims=True)
            maps.append(values / np.maximum(length, 1e-12))
            masks.append(view.mask)
        either, both = masks[0] | masks[1], masks[0] & masks[1]
        l2 += float(np.linalg.norm(maps[0] - maps[1], axis=2)[either].sum())
        pixels += int(either.sum())
        cosine = np.clip(np.sum(maps[0] * maps[1], axis=2)[both], -1, 1)
        angle += float(np.arccos(cosine).sum())
        common += int(both.sum())
    return NormalScores(
        l2 / pixels if pixels else float("nan"),
        float(np.rad2deg(angle / common)) if common else float("nan"),
    )


def is_watertight(faces: np.ndarray) -> bool:
    """Whether the surface (F, 3) is closed: every edge has two faces, wound opposite ways.

    What trimesh calls watertight and consistently wound. Vertices are compared by index, so seams
    must have been merged.
    """
    if len(faces) == 0:
        return False
    directed = directed_edges(faces).astype(np.int64)
    key = int(directed.max()) + 1
    forward = np.sort(directed[:, 0] * key + directed[:, 1])
    backward = np.sort(directed[:, 1] * key + directed[:, 0])
    unique = bool((np.diff(forward) > 0).all())
    return unique and bool(np.array_equal(forward, backward))
