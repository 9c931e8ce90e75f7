"""The suite ``faces``: how well the faces of bodies lie on the faces of photographs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vitruvian.body.fit.face_points import eye_distance
from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.face import face_model
from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import HEAD
from vitruvian.geometry.render import RenderMode, render_mesh
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.evaluation.folders import images_in, suite_folder
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.masks import default_reconstruct
from vitruvian.networks.face_mesh import MESH_POINTS
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

_TILE_PX = 240
_SPAN_M = 0.32  # of the world that a tile shows
_AWAY_M = 2.0
_PAPER = (250, 249, 245)
# What is drawn of a person: from the photograph's camera, and from beside, in degrees.
_VIEWS: tuple[tuple[str, RenderMode, float | None], ...] = (
    ("clay", "clay", None),
    ("three quarters", "clay", 45.0),
    ("profile", "clay", 90.0),
    ("textured", "texture", None),
    ("three quarters", "texture", 45.0),
    ("the other side", "texture", -60.0),
)


@dataclass(frozen=True)
class FaceCase:
    """A photograph."""

    name: str
    photo: Path


@dataclass(frozen=True)
class FaceSuite:
    """Photographs of people whose faces are 60 pixels wide or more.

    Only the largest person counts, and only a face whose points are read (``points``). Distances
    are between the 468 points that the face mesh finds in the photograph and the places of the
    body that they mean, in shares of the distance between the eyes (in space, as the network sees
    it, so that it is the same from the side).

    Attributes:
        folder: of photographs.
        reconstruct: from a photograph to a scene; the pipeline unless a test says otherwise.
    """

    folder: Path
    reconstruct: Callable[..., Any] = default_reconstruct

    name = "faces"
    ranking = "error"
    concurrent = True
    metrics = (
        Metric("points", "face large enough", better="neither"),
        Metric("fitted", "of these, fitted"),
        Metric("error", "points off, with the face", "eyes", "lower", 4),
        Metric("bare_error", "points off, without", "eyes", "neither", 4),
        Metric("turn", "turn of the head", "°", "neither", 1),
        Metric("offset", "mean change of the face", "mm", "neither", 1),
    )

    @staticmethod
    def open(data: Path) -> FaceSuite:
        """The suite on ``data/ccp/photos``, ``data/photos``, or ``data`` itself."""
        for name in ("ccp", "faces"):
            if (data / name / "photos").is_dir():
                return FaceSuite(data / name / "photos")
        return FaceSuite(suite_folder(data, "faces", ("photos",)) / "photos")

    def cases(self) -> Sequence[FaceCase]:
        """Every photograph."""
        return [FaceCase(photo.stem, photo) for photo in images_in(self.folder)]

    def run(self, case: FaceCase) -> Outcome:
        """Reconstruct the photograph and measure its largest person's face."""
        from vitruvian.image.photo import load_photo

        photo = load_photo(case.photo)
        scene = self.reconstruct(photo)
        person = scene.largest
        nothing = float("nan")
        numbers = {metric.key: nothing for metric in self.metrics} | {"points": 0.0}
        face = None if person is None else person.figure.face
        if person is None or face is None or face.points is None:
            return Outcome(numbers, (), "No face is large enough.")
        body, camera = person.body, scene.camera
        bare = fit_body(
            body_model(),
            replace(person.figure, face=replace(face, points=None)),
            camera,
            height_m=body.height_m,
        )
        numbers |= {
            "points": 1.0,
            "fitted": float(body.face is not None),
            "bare_error": points_off(bare, camera, face.points),
        }
        if body.face is not None:
            turn = _head_of(body) @ _head_of(bare).T
            moved = np.linalg.norm(body.face.offsets, axis=1)
            numbers |= {
                "error": points_off(body, camera, face.points),
                "turn": float(np.rad2deg(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))),
                "offset": 1000 * float(moved[body_model().regions.face > 0.5].mean()),
            }
        seen = Picture("photograph", photographed(photo.pixels, camera, body))
        note = "" if body.face is not None else "The face is that of the body's shape."
        return Outcome(numbers, (seen, *head_views(person.mesh_camera, body)), note)


def points_off(body: Body, camera: Camera, points: np.ndarray) -> float:
    """Mean distance in the picture between the points (478, 3) of a face and the places of the
    body that they mean, in distances between the eyes."""
    placed = camera.project(face_model().points_of(body.vertices))
    off = np.linalg.norm(placed - points[:MESH_POINTS, :2], axis=1)
    return float(off.mean()) / eye_distance(points)


def photographed(pixels: np.ndarray, camera: Camera, body: Body) -> np.ndarray:
    """The head in the photograph, (S, S, 3) uint8, as large as in ``head_views``."""
    middle = _middle(body)
    x, y = camera.project(middle)
    scale = _TILE_PX / (_SPAN_M * camera.focal_px / middle[2])
    shift = _TILE_PX / 2 - scale * np.array([x, y])
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    return cv2.warpAffine(pixels, matrix, (_TILE_PX, _TILE_PX), borderValue=_PAPER)


def head_views(mesh: Mesh, body: Body) -> tuple[Picture, ...]:
    """A person's head (camera frame) as the photograph shows it, and turned."""
    middle, upright = _middle(body), np.diag([1.0, -1, -1]) @ _head_of(body).T
    camera = Camera.centered(_TILE_PX * _AWAY_M / _SPAN_M, _TILE_PX, _TILE_PX, "given")
    pictures = []
    for caption, mode, degrees in _VIEWS:
        turn = np.eye(3)
        if degrees is not None:
            turn = matrix_from_axis_angle(np.array([0, np.deg2rad(degrees), 0])) @ upright
        vertices = (mesh.vertices - middle) @ turn.T + [0, 0, _AWAY_M]
        turned = mesh.with_vertices(vertices.astype(np.float32))
        drawn = render_mesh(
            turned, camera, _TILE_PX, _TILE_PX, mode=mode, background=_PAPER, supersample=2
        )
        pictures.append(Picture(caption, np.ascontiguousarray(drawn[..., :3])))
    return tuple(pictures)


def _middle(body: Body) -> np.ndarray:
    return np.asarray(body.vertices[body.model.regions.face > 0.5].mean(0), np.float64)


def _head_of(body: Body) -> np.ndarray:
    """The head's global rotation (3, 3), camera frame."""
    model = body_model()
    motion = model.joint_motion(body.rest()[1], matrix_from_axis_angle(body.pose), body.translation)
    return motion.rotations[model.joint_index[HEAD]]
