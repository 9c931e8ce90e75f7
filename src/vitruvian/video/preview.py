"""The preview: every frame beside the avatars over it and the same moment seen from aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vitruvian.compute.processes import Tick
from vitruvian.errors import InputError
from vitruvian.geometry.render import render_mesh
from vitruvian.geometry.rotations import transformed
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh
from vitruvian.video.pose import surface_at
from vitruvian.video.quiet import quiet
from vitruvian.video.scene import Mover, MovingScene

HEIGHT = 360  # pixels of each picture
_WIDEST = 640
_PAPER = (244, 242, 238)
_GRID = (214, 210, 202)
_YAW_DEG, _PITCH_DEG = 50.0, 12.0  # where the third picture is taken from
_FOV_DEG = 35.0
_ROOM_M, _TALL_M = 1.4, 2.3  # beside the paths, and for people's heights
_PATH_COLORS = ((214, 84, 60), (48, 122, 186), (72, 148, 84), (176, 120, 30), (130, 86, 168))


def preview_frames(scene: MovingScene) -> Iterator[np.ndarray]:
    """Every frame of the preview, (h, w, 3) uint8: the clip's, with the avatars, and from aside."""
    size = _size(scene)
    aside = Aside(scene, size)
    places = [{int(n): i for i, n in enumerate(mover.numbers)} for mover in scene.people]
    for frame in scene.clip.frames():
        here = [
            (mover, place[frame.number])
            for mover, place in zip(scene.people, places, strict=True)
            if frame.number in place
        ]
        small = cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA)
        surfaces = [(mover, time, surface_at(mover, time)) for mover, time in here]
        turn = scene.camera_from_reference(frame.number)
        seen = [mesh.transformed(turn, "camera") for _, _, mesh in surfaces]
        panels = [small, overlaid(small, seen, scene.camera_at(frame.number))]
        panels.append(aside.draw(surfaces))
        yield np.concatenate(panels, axis=1)


@dataclass(frozen=True, eq=False)
class Previews:
    """A scene, and where its previews go."""

    scene: MovingScene
    paths: tuple[Path, ...]


def make_previews(previews: Previews, tick: Tick) -> None:
    """``write_preview_videos`` for whoever has a process of their own."""
    write_preview_videos(previews.scene, previews.paths, tick)


def _size(scene: MovingScene) -> tuple[int, int]:
    """Width and height of one of the three pictures, both even, as encoders want them."""
    width, height = scene.camera.width, scene.camera.height
    scale = min(HEIGHT / height, _WIDEST / width)
    return max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)


def write_preview_videos(
    scene: MovingScene,
    paths: Sequence[Path],
    tick: Callable[[], None] | None = None,
) -> None:
    """Write the preview as ``.webm`` (VP8), which browsers show, and as ``.mp4`` (MPEG-4 Visual).

    VP9 takes four times as long as VP8 to write, and OpenCV has no H.264. ``tick`` is called for
    every frame.

    Raises ``InputError`` when the place cannot be written.
    """
    width, height = _size(scene)
    writers = [_writer(path, scene.fps, (3 * width, height)) for path in paths]
    try:
        for pixels in preview_frames(scene):
            whole = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
            for writer in writers:
                writer.write(whole)
            if tick is not None:
                tick()
    finally:
        for writer in writers:
            writer.release()


def _writer(path: Path, fps: float, size: tuple[int, int]) -> cv2.VideoWriter:
    kind = "VP80" if path.suffix == ".webm" else "mp4v"
    codec = cv2.VideoWriter_fourcc(*kind)  # type: ignore[attr-defined]
    with quiet():
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, codec, fps, size)
    if not writer.isOpened():
        raise InputError(
            f"Cannot write {path}: choose another folder with -o.", code="cannot-write"
        )
    return writer


def overlaid(picture: np.ndarray, meshes: list[Mesh], camera: Camera) -> np.ndarray:
    """A pale copy of a picture (h, w, 3) uint8 with meshes (camera frame) over it."""
    height, width = picture.shape[:2]
    out = picture // 2 + 110
    for mesh in sorted(meshes, key=lambda one: -float(one.vertices[:, 2].mean())):
        drawn = render_mesh(mesh, camera, width, height, closed=True)
        out = _over(out, drawn)
    return out


def _over(below: np.ndarray, above: np.ndarray) -> np.ndarray:
    alpha = above[..., 3:].astype(np.float32) / 255
    return (above[..., :3] * alpha + below * (1 - alpha) + 0.5).astype(np.uint8)


class Aside:
    """Draws moments from beside the clip's camera, with the floor and everybody's path on it.

    Args:
        scene: to draw.
        size: width and height of the pictures in pixels.
    """

    def __init__(self, scene: MovingScene, size: tuple[int, int]) -> None:
        self._size = size
        self._camera = Camera.from_fov(_FOV_DEG, *size)
        self._paths = {}
        world = scene.world_from_camera
        for mover in scene.people:
            path = transformed(mover.motion.translation, world)
            self._paths[mover.id] = path
        points = np.concatenate(list(self._paths.values()))
        low, high = points.min(0), points.max(0)
        middle = (low + high) / 2
        middle[1] = 0.85
        reach = float(np.linalg.norm((high - low)[[0, 2]])) + _ROOM_M
        yaw, pitch = np.deg2rad(_YAW_DEG), np.deg2rad(_PITCH_DEG)
        back = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
        right = np.cross([0.0, 1, 0], back)
        right /= np.linalg.norm(right)
        turn = np.stack([right, -np.cross(back, right), -back])
        slope = np.tan(np.deg2rad(_FOV_DEG) / 2) / max(size)  # of a pixel
        distance = max(reach / size[0], _TALL_M / size[1]) / slope / 2 + 0.3 * reach
        self._from_world = np.eye(4)
        self._from_world[:3, :3] = turn
        self._from_world[:3, 3] = -turn @ (middle + distance * back)
        self._from_camera = self._from_world @ world
        self._base = self._floor(low, high)

    def draw(self, surfaces: list[tuple[Mover, int, Mesh]]) -> np.ndarray:
        """A picture (h, w, 3) uint8 of people at one moment; times are of their motions."""
        out = self._base.copy()
        for mover, time, _ in surfaces:
            path = self._paths[mover.id][: time + 1].copy()
            path[:, 1] = 0.0
            line = self._pixels(path)
            color = _PATH_COLORS[(mover.id - 1) % len(_PATH_COLORS)]
            cv2.polylines(out, [line], False, color, 2, cv2.LINE_AA)
        moved = [mesh.transformed(self._from_camera, "camera") for _, _, mesh in surfaces]
        for mesh in sorted(moved, key=lambda one: -float(one.vertices[:, 2].mean())):
            width, height = self._size
            out = _over(out, render_mesh(mesh, self._camera, width, height, closed=True))
        return out

    def _pixels(self, world: np.ndarray) -> np.ndarray:
        """Whole pixels (N, 2) of world points (N, 3) that are in front."""
        points = transformed(world, self._from_world)
        return self._camera.project(points[points[:, 2] > 0.1]).round().astype(np.int32)

    def _floor(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        width, height = self._size
        out = np.full((height, width, 3), _PAPER, np.uint8)
        first, last = np.floor(low - 1.5), np.ceil(high + 1.5)
        for axis, other in ((0, 2), (2, 0)):
            for value in np.arange(first[axis], last[axis] + 0.5):
                ends = np.zeros((2, 3))
                ends[:, axis] = value
                ends[:, other] = first[other], last[other]
                line = self._pixels(ends)
                if len(line) == 2:
                    cv2.polylines(out, [line], False, _GRID, 1, cv2.LINE_AA)
        return out
