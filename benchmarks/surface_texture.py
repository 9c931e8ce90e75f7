"""Time of the stages surface and texture on one person, as a Markdown table.

Run from the repository's root::

    python benchmarks/surface_texture.py [PICTURE] [--rounds 15]

Without a picture, on a rendered body before a grey wall. Wall time means something on a machine
with nothing else to do; processor time, over all threads, on any.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import body_model
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.render import render_mesh
from vitruvian.image.photo import load_photo
from vitruvian.people.finder import find_people
from vitruvian.surface import reconstruct_surface
from vitruvian.surface.envelope.inflated_body import inflated_body
from vitruvian.texture import texture_mesh
from vitruvian.types.body import Body
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.photo import Photo


def rendered_person() -> tuple[Photo, Figure, Body]:
    """A body, and the picture of somebody 3 cm thicker all round."""
    model = body_model()
    pose = np.zeros((len(model.parents), 3))
    pose[0] = [np.pi, 0, 0]
    posed = model.forward(np.zeros(10), pose, np.array([0.0, 0.0, 3.3]))
    body = Body(
        body_model(), np.zeros(10), pose, posed.joints[0], 1.7, posed.vertices, posed.joints
    )
    photo = load_photo(np.full((1200, 900, 3), 120, np.uint8), name="rendered")
    mesh = body.as_mesh()
    wider = mesh.with_vertices(mesh.vertices + 0.03 * vertex_normals(mesh.vertices, mesh.faces))
    drawn = render_mesh(wider, photo.camera, 900, 1200, mode="clay", background=(120, 120, 120))
    mask = render_mesh(wider, photo.camera, 900, 1200)[..., 3]
    landmarks = Landmarks(np.zeros((33, 2)), np.zeros(33), np.zeros((33, 3)), 0.0)
    box = np.array([0, 0, 900, 1200.0])
    figure = Figure(box, 1.0, landmarks, Alpha(mask, 0, 0, 900, 1200), True, 1.0)
    return load_photo(np.ascontiguousarray(drawn[..., :3]), name="rendered"), figure, body


def photographed_person(path: Path) -> tuple[Photo, Figure, Body]:
    """The largest person of a picture."""
    photo = load_photo(path)
    figure = find_people(photo, max_people=1)[0]
    return photo, figure, fit_body(body_model(), figure, photo.camera)


def measure(work: Callable[[], object], rounds: int) -> tuple[float, float, float]:
    """Milliseconds: the first call, then the medians of wall and processor time."""
    start = time.perf_counter()
    work()
    first = time.perf_counter() - start
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return 1e3 * first, 1e3 * statistics.median(walls), 1e3 * statistics.median(cpus)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    if options.picture is None:
        photo, figure, body = rendered_person()
    else:
        photo, figure, body = photographed_person(options.picture)
    mesh = inflated_body(photo, figure, body)
    print(
        f"{photo.name}, {photo.width} x {photo.height}; {os.cpu_count()} cores, load {load:.1f}\n"
    )
    print("| stage, ms | first call | wall | processor |\n| --- | --- | --- | --- |")
    clothed = reconstruct_surface(photo, figure, body)
    stages: dict[str, Callable[[], object]] = {
        "inflated body": lambda: inflated_body(photo, figure, body),
        "texture 512": lambda: texture_mesh(body_model(), photo, figure, mesh, size=512),
        "texture 1024": lambda: texture_mesh(body_model(), photo, figure, mesh),
        "clothed surface": lambda: reconstruct_surface(photo, figure, body),
        "its texture 1024": lambda: texture_mesh(body_model(), photo, figure, clothed),
        "its rest pose": lambda: rest_mesh(clothed, body),
    }
    for name, work in stages.items():
        first, wall, cpu = measure(work, options.rounds)
        print(f"| {name} | {first:.0f} | {wall:.0f} | {cpu:.0f} |")


if __name__ == "__main__":
    main()
