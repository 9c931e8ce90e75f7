"""Anybody's meshes, one a frame and person, against the clip that they were made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.errors import InputError
from vitruvian.geometry.pairing import best_pairs
from vitruvian.geometry.render import render_mesh
from vitruvian.lab.evaluation.matching import mask_overlaps
from vitruvian.lab.evaluation.metrics.silhouette import boundary_f, outside
from vitruvian.lab.evaluation.pictures import PALETTE, faded, outlined, resized
from vitruvian.lab.evaluation.rendering import silhouette
from vitruvian.lab.evaluation.sequence_camera import SequenceCamera, read_sequence_camera
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.video.clip import Clip, Frame, open_clip

_LEAST_OVERLAP = 1e-6  # of a mesh and a matte that may be one person's
_HEIGHT = 300  # pixels of the pictures


def found_people(frame: Frame, camera: Camera) -> list[np.ndarray]:
    """Mattes (H, W) bool of the people in a frame, as the pipeline finds them."""
    from vitruvian.pipeline.stages import find

    photo: Photo = frame.as_photo(camera)
    return [figure.alpha.full() >= 128 for figure in find(photo).figures]


@dataclass(frozen=True)
class MeshCase:
    """The meshes of one frame."""

    name: str
    number: int
    meshes: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class SequenceSuite:
    """OBJ files named by the numbers of frames, from 0, in a folder or in folders of it.

    Every file is a person in a frame. It is drawn by the clip's camera, without what is hidden by
    nearer ones, and compared with the matte of the person whom it covers best; matte and mesh go
    together once.

    Attributes:
        clip: that they were made from.
        files: by the number of the frame.
        cameras: that took it.
        people: mattes of a frame; the pipeline's unless a test says otherwise.
    """

    clip: Clip
    files: dict[int, tuple[Path, ...]]
    cameras: SequenceCamera
    people: Callable[[Frame, Camera], list[np.ndarray]] = found_people

    name = "video-meshes"
    ranking = "iou"
    concurrent = True
    metrics = (
        Metric("iou", "silhouette IoU"),
        Metric("boundary_f", "silhouette boundary F @3px"),
        Metric("outside", "mesh outside matte", better="lower"),
        Metric("meshes", "meshes", better="neither", digits=1),
        Metric("without_mesh", "people found without a mesh", better="lower", digits=2),
    )

    @staticmethod
    def open(clip: Path, meshes: Path, camera: Path | None) -> SequenceSuite:
        """The suite on a clip and a folder of OBJ files.

        Args:
            clip: a file or a folder of frames, as ``vitruvian video`` takes them.
            meshes: folder of the files.
            camera: see ``read_sequence_camera``; by default ``motion.npz`` of that folder.

        Raises:
            InputError: one of them cannot be used.
        """
        if not meshes.is_dir():
            raise InputError(f"{meshes} is not a folder: give --meshes the folder of OBJ files.")
        files: dict[int, tuple[Path, ...]] = {}
        for path in sorted(meshes.rglob("*.obj")):
            number = re.search(r"(\d+)$", path.stem)
            if number:
                files[int(number[1])] = (*files.get(int(number[1]), ()), path)
        if not files:
            raise InputError(
                f"{meshes} holds no OBJ files of frames: name them by the numbers of the frames, "
                "from 0, such as 000012.obj."
            )
        told = camera if camera is not None else meshes / "motion.npz"
        if not told.exists():
            raise InputError(f"No camera is known, there is no {told}: give --camera FILE.")
        opened = open_clip(clip, every=1)
        return SequenceSuite(opened, files, read_sequence_camera(told, opened))

    def cases(self) -> Sequence[MeshCase]:
        """Every frame that has meshes."""
        return [
            MeshCase(f"frame-{number:06d}", number, paths)
            for number, paths in sorted(self.files.items())
        ]

    def run(self, case: MeshCase) -> Outcome:
        """Compare the meshes of a frame with the people in it."""
        frame, camera = _reader(self.clip).frame(case.number), self.cameras.camera
        matrix = self.cameras.at(case.number)
        meshes = [read_surface(path).transformed(matrix, "camera") for path in case.meshes]
        meshes.sort(key=lambda mesh: float(mesh.vertices[:, 2].mean()))
        taken = np.zeros(frame.pixels.shape[:2], bool)
        drawn = []
        for mesh in meshes:
            mask = silhouette(mesh, camera)
            drawn.append(mask & ~taken)
            taken |= mask
        mattes = self.people(frame, camera)
        picture = Picture(f"frame {case.number}", self._picture(frame, meshes, mattes))
        numbers = {"meshes": float(len(meshes)), "without_mesh": float(len(mattes))}
        if not mattes:
            return Outcome(numbers, (picture,), "Nobody was found in this frame to compare with.")
        scores = mask_overlaps(drawn, mattes)
        pairs = best_pairs(scores, _LEAST_OVERLAP)
        numbers["without_mesh"] -= len(pairs)
        numbers["iou"] = float(sum(scores[pair] for pair in pairs.items()) / len(meshes))
        both = [(drawn[row], mattes[column]) for row, column in pairs.items()]
        numbers["boundary_f"] = sum(boundary_f(*pair) for pair in both) / len(meshes)
        if both:
            numbers["outside"] = float(np.mean([outside(*pair) for pair in both]))
        return Outcome(numbers, (picture,))

    def _picture(
        self, frame: Frame, meshes: Sequence[Mesh], mattes: Sequence[np.ndarray]
    ) -> np.ndarray:
        """The frame, pale, with the meshes in clay, farthest first, and the mattes' outlines."""
        out, size = faded(frame.pixels, 0.35), (self.clip.width, self.clip.height)
        for mesh in reversed(meshes):
            clay = render_mesh(mesh, self.cameras.camera, *size, mode="clay")
            out = np.where(clay[..., 3:] > 127, clay[..., :3], out)
        for number, matte in enumerate(mattes):
            out = outlined(out, matte, PALETTE[number % len(PALETTE)], 2)
        return resized(out, _HEIGHT)


def read_surface(path: Path) -> Mesh:
    """Vertices and triangles of an OBJ; polygons become fans, and colours are left aside.

    Raises ``InputError`` for what is none.
    """
    sentence = f"{path} is no OBJ with a surface: write v and f lines."
    vertices: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    try:
        for line in path.read_text("utf-8", errors="replace").splitlines():
            kind, *words = line.split() or [""]
            if kind == "v":
                vertices.append([float(word) for word in words[:3]])
            elif kind == "f":
                corners = [int(word.split("/")[0]) for word in words]
                # Numbers from 1, or from the last that there is when they are negative.
                own = [one - 1 if one > 0 else len(vertices) + one for one in corners]
                faces += [(own[0], own[k], own[k + 1]) for k in range(1, len(own) - 1)]
        points = np.array(vertices, np.float32).reshape(-1, 3)
        triangles = np.array(faces, np.int32).reshape(-1, 3)
    except (OSError, ValueError) as error:
        raise InputError(sentence) from error
    inside = len(triangles) and triangles.min() >= 0 and triangles.max() < len(points)
    if not inside or not np.isfinite(points).all():
        raise InputError(sentence)
    return Mesh(points, triangles)


class _Reader:
    """Frames of a clip by number; quick where they are asked for in order."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._frames = clip.frames()
        self._last = -1

    def frame(self, number: int) -> Frame:
        if number <= self._last:
            self._frames = self._clip.frames()
        for frame in self._frames:
            self._last = frame.number
            if frame.number == number:
                return frame
        self._frames, self._last = self._clip.frames(), -1
        raise InputError(f"{self._clip.name} has no frame {number}: number meshes from 0.")


@lru_cache(maxsize=1)
def _reader(clip: Clip) -> _Reader:
    return _Reader(clip)
