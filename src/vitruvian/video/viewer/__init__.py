"""The page that shows a clip beside its people in any browser, from disk and without a network."""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vitruvian.compute.processes import Crew, Tick
from vitruvian.formats.atomic import json_text, write_text
from vitruvian.geometry.rotations import quaternion_from_matrix
from vitruvian.video.film.writing import GROUP, QUALITY, FilmWriter
from vitruvian.video.scene import Mover, MovingScene
from vitruvian.video.spans import Span, close_reader, reader_of

_HEIGHT, _WIDEST = 480, 854  # pixels of the film in the page
_LONG_S, _LONG_QUALITY = 120.0, 30  # longer clips are shown a little coarser


def write_motion_viewer(scene: MovingScene, people: bytes, film: bytes, path: str | Path) -> Path:
    """Write one HTML file that holds the clip, its people and the program to show them.

    Args:
        scene: to show.
        people: the scene's ``people.glb``.
        film: of ``Filming``.
        path: where the page goes.

    Returns the path. Raises ``InputError`` when the place cannot be written or this Pillow cannot
    write films.
    """
    parts = {
        "title": html.escape(scene.clip.name),
        # Inside a script element only "<" could end it.
        "motion": json_text(page_data(scene), indent=None).replace("<", "\\u003c"),
        "scene": base64.b64encode(people).decode(),
        "film": base64.b64encode(film).decode(),
    }
    page = re.sub(r"\{\{(title|motion|scene|film)\}\}", lambda m: parts[m[1]], _template())
    return write_text(path, page)


@cache
def _template() -> str:
    return files(__name__).joinpath("viewer.html").read_text(encoding="utf-8")


class Filming:
    """The frames of a scene as a film, small, at the times at which the people move.

    Args:
        scene: whose clip is filmed.
        crew: encodes groups of frames, from now on.
    """

    def __init__(self, scene: MovingScene, crew: Crew) -> None:
        camera, times = scene.camera, scene.times_s
        scale = min(1.0, _HEIGHT / camera.height, _WIDEST / camera.width)
        # Encoders take even sizes.
        width, height = (max(2, round(s * scale / 2) * 2) for s in (camera.width, camera.height))
        length = float(times[-1] - times[0])
        quality = QUALITY if length <= _LONG_S else _LONG_QUALITY
        edges = [*times[::GROUP].tolist(), np.inf]
        self._groups = [
            crew.submit(
                _filmed, _Group(Span(index, scene.clip, camera, *each), (width, height), quality)
            )
            for index, each in enumerate(pairwise(edges))
        ]

    def film(self) -> bytes:
        """The whole film, an MP4."""
        first, *others = (group.result() for group in self._groups)
        for other in others:
            first.join(other)
        close_reader()
        return first.to_mp4()


@dataclass(frozen=True)
class _Group:
    """Frames that are encoded together, and how."""

    span: Span
    size: tuple[int, int]
    quality: int


def _filmed(group: _Group, tick: Tick) -> FilmWriter:
    writer = FilmWriter(quality=group.quality)
    for frame in reader_of(group.span).frames(group.span):
        small = cv2.resize(frame.pixels, group.size, interpolation=cv2.INTER_AREA)
        writer.add(small, frame.time_s)
    writer.finish_group()
    return writer


def page_data(scene: MovingScene) -> dict[str, Any]:
    """What the page is told: times, camera and people (``MotionData`` in the page's source)."""
    camera = scene.camera
    cx, cy = camera.principal_point
    camera_from_world = np.linalg.inv(scene.world_from_camera)
    data: dict[str, Any] = {
        "times": (scene.times_s - scene.times_s[0]).round(4).tolist(),
        "numbers": scene.numbers.tolist(),
        "camera": {
            "focalPx": camera.focal_px,
            "width": camera.width,
            "height": camera.height,
            "cx": cx,
            "cy": cy,
            "cameraFromWorld": camera_from_world.round(7).ravel().tolist(),
        },
        "people": [
            {
                "name": f"person-{mover.id}",
                "label": f"Person {mover.id}",
                "height": f"{mover.height_m:.2f} m",
                "present": _present(scene, mover),
            }
            for mover in scene.people
        ],
    }
    if scene.turning is not None:
        turns = np.stack([scene.turning.rotations[int(n)] for n in scene.numbers])
        data["turns"] = quaternion_from_matrix(turns).round(6).tolist()
        shifts = [scene.turning.matrix(int(n))[:3, 3] for n in scene.numbers]
        data["shifts"] = np.stack(shifts).round(5).tolist()
        if scene.turning.zoom is not None:
            ratios = scene.turning.zoom.ratios
            data["zooms"] = [round(ratios[int(n)], 5) for n in scene.numbers]
    return data


def _present(scene: MovingScene, mover: Mover) -> list[list[int]]:
    """First and last of each run of frames in which somebody is there, as indices."""
    places = np.searchsorted(scene.numbers, mover.numbers)
    cuts = np.flatnonzero(np.diff(places) > 1) + 1
    return [[int(run[0]), int(run[-1])] for run in np.split(places, cuts)]
