"""The suite ``shapes``: 3D characters photographed from eight sides, and their true surface."""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.errors import InputError
from vitruvian.geometry.normals import face_normals
from vitruvian.lab.evaluation.characters import (
    CHARACTER_SUFFIXES,
    Character,
    Shot,
    load_character,
    photograph,
)
from vitruvian.lab.evaluation.metrics.alignment import Similarity, align_surfaces
from vitruvian.lab.evaluation.metrics.relief import drawn_sides, relief_figures
from vitruvian.lab.evaluation.metrics.sampling import (
    keep_faces,
    outer_faces,
    parallel_view,
    sample_surface,
    view_rotation,
)
from vitruvian.lab.evaluation.metrics.silhouette import iou
from vitruvian.lab.evaluation.metrics.surface import is_watertight, normal_error, surface_scores
from vitruvian.lab.evaluation.pictures import resized, shaded
from vitruvian.lab.evaluation.rendering import silhouette
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.masks import default_reconstruct
from vitruvian.networks.maps import MapsCrop
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

DESCRIPTION = "shapes.json"
_OPTIONS = ("scale", "stature_m", "cut_below_m", "up")

# What the files of well-known sets do not say of themselves. A folder's own shapes.json goes
# first. Plinths of statues are cut off; someone who sits is taller than the mesh.
_KNOWN: Mapping[str, Mapping[str, Any]] = {
    "guard_suit/scene.gltf": {"scale": 0.1},
    "m1_sit_0.5.glb": {"stature_m": 1.866},
    "statue_Maria.ply": {"cut_below_m": 0.08},
    "statue_DancingGirl.ply": {"cut_below_m": 0.085},
}


# Of ``compare_surfaces``, in words that hold for scans and for synthetic truth.
COMPARISON_METRICS = (
    Metric("normal_consistency", "normal consistency"),
    Metric("f_score_1cm", "F-score @1cm"),
    Metric("normal_l2", "normal error, 4 renders", "", "lower"),
    Metric("normal_deg", "normal angle, 4 renders", "°", "lower", 1),
    Metric("unaligned_chamfer_cm", "unaligned Chamfer", "cm", "lower", 2),
    Metric("size_error", "size error", "", "lower"),
    Metric("turn_deg", "turned by", "°", "lower", 1),
)


@dataclass(frozen=True)
class ShapeCase:
    """A character and the side from which it is photographed."""

    name: str
    model: Path
    options: tuple[tuple[str, Any], ...]
    yaw_deg: float
    seed: int


@dataclass(frozen=True)
class ShapeSuite:
    """A folder of 3D models (glTF, OBJ, PLY; one folder deep), each seen from ``views`` sides.

    A model stands for a person: y up and in metres, unless ``shapes.json`` in the folder says
    otherwise: ``{"file": {"scale": 0.1, "up": "z", "stature_m": 1.8, "cut_below_m": 0.1}}``, all
    optional; ``stature_m`` is needed for people who do not stand.

    The reconstruction gets the picture alone: neither camera nor body. The compared truth is what
    can be seen of the model from outside. Distances are given after a similarity alignment
    (``align_surfaces``), and, as *unaligned*, in the reconstruction's own metric size and
    orientation with only the centres brought together (a picture of unknown lens does not tell
    the distance).

    Attributes:
        folder: holds the models.
        views: sides, evenly around the vertical, the first at the model's +z.
        reconstruct: from a picture to a scene; the pipeline unless a test says otherwise.
    """

    folder: Path
    views: int = 8
    reconstruct: Callable[..., Any] = default_reconstruct

    name = "shapes"
    ranking = "chamfer_cm"
    concurrent = True
    metrics = (
        Metric("found", "person found"),
        Metric("chamfer_cm", "Chamfer", "cm", "lower", 2),
        Metric("scan_to_prediction_cm", "scan → prediction (P2S)", "cm", "lower", 2),
        Metric("prediction_to_scan_cm", "prediction → scan", "cm", "lower", 2),
        *COMPARISON_METRICS,
        Metric("body_chamfer_cm", "Chamfer of the bare body", "cm", "lower", 2),
        Metric("nearer_than_body", "nearer than the bare body"),
        Metric("front_deg", "normals as drawn, front", "°", "lower", 1),
        Metric("back_deg", "normals as drawn, back", "°", "lower", 1),
        Metric("front_relief", "fine relief, front, correlation", "", "higher", 2),
        Metric("back_relief", "fine relief, back, correlation", "", "higher", 2),
        Metric("up_deg", "world's up off by", "°", "lower", 1),
        Metric("silhouette_iou", "surface silhouette IoU"),
        Metric("alpha_iou", "alpha IoU"),
        Metric("watertight", "watertight"),
        Metric("seconds", "time", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path) -> ShapeSuite:
        """The suite on ``data/shapes`` or on ``data`` itself."""
        folder = data / "shapes"
        return ShapeSuite(folder if folder.is_dir() else data)

    def cases(self) -> Sequence[ShapeCase]:
        """Every model from every side."""
        models = sorted(
            path
            for pattern in ("*", "*/*")
            for path in self.folder.glob(pattern)
            if path.suffix.lower() in CHARACTER_SUFFIXES
        )
        if not models:
            raise InputError(f"{self.folder} holds no 3D models: put glTF, OBJ or PLY files there.")
        described = {**_KNOWN, **_description(self.folder / DESCRIPTION)}
        cases = []
        for model in models:
            key = model.relative_to(self.folder).as_posix()
            label = model.parent.name if model.parent != self.folder else model.stem
            options = tuple(sorted(described.get(key, {}).items()))
            for view in range(self.views):
                yaw = 360 * view / self.views
                name = f"{label}-{yaw:03.0f}"
                cases.append(ShapeCase(name, model, options, yaw, zlib.crc32(name.encode())))
        return cases

    def run(self, case: ShapeCase) -> Outcome:
        """Photograph the character, reconstruct it from the picture and compare."""
        character, truth_world = true_character(case.model, case.options)
        shot = photograph(character, case.yaw_deg, seed=case.seed)
        truth = truth_world.transformed(shot.camera_from_world, "camera")
        scene = self.reconstruct(shot.pixels)
        numbers = {
            "found": float(len(scene.people) > 0),
            "alpha_iou": 0.0,
            "silhouette_iou": 0.0,
            "seconds": float(sum(scene.timings_s.values())),
        }
        pictures = [Picture("picture", resized(shot.pixels, 300))]
        person = scene.largest
        if person is None:
            return Outcome(numbers, tuple(pictures), "Nobody was found.")
        prediction: Mesh = person.mesh_camera
        numbers["alpha_iou"] = iou(person.figure.alpha.full() >= 128, shot.mask)
        numbers["silhouette_iou"] = iou(silhouette(prediction, scene.camera), shot.mask)
        numbers["watertight"] = float(is_watertight(prediction.faces))
        numbers.update(_as_drawn(prediction, scene.camera, character, shot))
        outer = keep_faces(prediction, outer_faces(prediction))
        up = shot.camera_from_world[:3, :3] @ np.array([0.0, 1.0, 0.0])
        numbers["up_deg"] = _between_deg(scene.camera_from_world[:3, 1], up)
        found, aligned = compare_surfaces(outer, truth, character.stature_m, up)
        numbers.update(found)
        bare = person.body.as_mesh()
        bare = keep_faces(bare, outer_faces(bare))
        bare = bare.with_vertices(align_surfaces(bare, truth).apply(bare.vertices))
        of_body = surface_scores(bare, truth, height_m=character.stature_m).chamfer_cm
        numbers["body_chamfer_cm"] = of_body
        numbers["nearer_than_body"] = float(numbers["chamfer_cm"] < of_body)
        for caption, mesh, front in (
            ("true front", truth, True),
            ("found", aligned, True),
            ("true side", truth, False),
            ("found", aligned, False),
        ):
            pictures.append(Picture(caption, _plaster(mesh, truth, up, front=front)))
        return Outcome(numbers, tuple(pictures))


def _as_drawn(
    prediction: Mesh, camera: Camera, character: Character, shot: Shot
) -> dict[str, float]:
    """Normals of a reconstruction, its normal map included, against the character's, pixel by
    pixel of the photograph: each is seen through its own camera."""
    rows, columns = np.flatnonzero(shot.mask.any(1)), np.flatnonzero(shot.mask.any(0))
    crop = MapsCrop.around(
        np.array([columns[0], rows[0]]), np.array([columns[-1] + 1, rows[-1] + 1])
    )
    turned = character.normals @ shot.camera_from_world[:3, :3].T
    truth = drawn_sides(
        character.mesh.transformed(shot.camera_from_world, "camera"),
        crop.camera(shot.camera),
        turned.astype(np.float32),
    )
    pixel_m = float(np.median(truth.front_depth[truth.mask])) / crop.camera(shot.camera).focal_px
    return relief_figures(drawn_sides(prediction, crop.camera(camera)), truth, pixel_m)


def compare_surfaces(
    prediction: Mesh, truth: Mesh, stature_m: float, up: np.ndarray
) -> tuple[dict[str, float], Mesh]:
    """The surface numbers of the suite, and the prediction laid upon the truth.

    Args:
        prediction, truth: outer surfaces, camera frame.
        stature_m: of the true person.
        up: (3,) upwards in the camera frame.
    """
    alignment = align_surfaces(prediction, truth)
    aligned = prediction.with_vertices(alignment.apply(prediction.vertices))
    scores = surface_scores(aligned, truth, height_m=stature_m)
    normals = normal_error(
        aligned, truth, up=(float(up[0]), float(up[1]), float(up[2])), front=(0.0, 0.0, -1.0)
    )
    # Centres of area, not of vertices: meshes are finer here than there.
    centers = [sample_surface(mesh, 20_000).points.mean(0) for mesh in (prediction, truth)]
    moved = prediction.with_vertices(prediction.vertices + (centers[1] - centers[0]))
    unaligned = surface_scores(moved, truth, height_m=stature_m, samples=20_000)
    return {
        **vars(scores),
        "normal_l2": normals.l2,
        "normal_deg": normals.angle_deg,
        "unaligned_chamfer_cm": unaligned.chamfer_cm,
        "size_error": abs(1 / alignment.scale - 1),
        "turn_deg": _angle_deg(alignment),
    }, aligned


def _angle_deg(alignment: Similarity) -> float:
    cosine = (np.trace(alignment.rotation) - 1) / 2
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))))


def _between_deg(a: np.ndarray, b: np.ndarray) -> float:
    """The angle between two directions (3,)."""
    return float(np.rad2deg(np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)))


def _plaster(mesh: Mesh, truth: Mesh, up: np.ndarray, *, front: bool) -> np.ndarray:
    """A plaster rendering of ``mesh``, framed on ``truth``, from the camera or from one side."""
    low, high = truth.vertices.min(0), truth.vertices.max(0)
    center, half = (low + high) / 2, float((high - low).max()) * 0.58
    ahead = np.array([0.0, 0.0, 1.0])
    direction = ahead if front else np.cross(up, ahead)
    rotation = view_rotation(direction, up)
    view = parallel_view(mesh.vertices.astype(float), mesh.faces, rotation, center, half, 300)
    normals = view.interpolate(
        face_normals(mesh.vertices, mesh.faces).repeat(3, axis=0), _own_corners(mesh)
    )
    picture = shaded(normals @ rotation.T.astype(np.float32), view.mask)
    return picture[:, 25:275]


def _own_corners(mesh: Mesh) -> np.ndarray:
    """Corner indices (F, 3) that give every face three corners of its own (flat shading)."""
    return np.arange(3 * len(mesh.faces), dtype=np.int32).reshape(-1, 3)


@functools.lru_cache(maxsize=2)
def true_character(model: Path, options: tuple[tuple[str, Any], ...]) -> tuple[Character, Mesh]:
    """A character and what can be seen of it from outside."""
    character = load_character(model, **dict(options))
    return character, keep_faces(character.mesh, outer_faces(character.mesh))


def _description(path: Path) -> dict[str, Mapping[str, Any]]:
    """What a folder's ``shapes.json`` says of its models; empty where there is none."""
    if not path.exists():
        return {}
    sentence = f"{path} must map file names to any of {', '.join(_OPTIONS)}."
    try:
        data = json.loads(path.read_text("utf-8"))
        described: dict[str, Mapping[str, Any]] = {
            str(key): dict(value) for key, value in data.items()
        }
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise InputError(sentence) from error
    if any(set(value) - set(_OPTIONS) for value in described.values()):
        raise InputError(sentence)
    return described
