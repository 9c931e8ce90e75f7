"""The learnt fields beside the clothed surface that they correct, as Markdown tables.

Run from the repository's root, with the files that ``vitruvian train`` exports::

    python benchmarks/field.py --field field.onnx --fourier fourier.onnx --shapes DATA/shapes
    python benchmarks/field.py --field field.onnx --fourier fourier.onnx \
        --shards data/shards --observed data/observed --held 88 93

``--shapes``: 3D characters, the picture alone, as the suite ``shapes`` scores them. ``--shards``:
synthetic people that none of the networks was trained on (the shards numbered ``--held``), in a
volume of 2 cm: intersection over union, and the Chamfer distance after one shift in depth. Means
over people, and standard errors of the paired difference from the surface at hand.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from vitruvian.lab.evaluation.characters import photograph
from vitruvian.lab.evaluation.metrics.alignment import align_surfaces
from vitruvian.lab.evaluation.metrics.sampling import keep_faces, outer_faces
from vitruvian.lab.evaluation.metrics.surface import point_to_surface, surface_scores
from vitruvian.lab.evaluation.suites.shapes import ShapeSuite, true_character
from vitruvian.lab.fields.correction import (
    corrected_surface,
    fourier_residual,
    kept_core,
    layers_field,
    local_field,
)
from vitruvian.lab.fields.data import Prepared, prepared_people
from vitruvian.lab.fields.inputs import signed_along_ray
from vitruvian.lab.fields.networks import FourierField, LocalField, series_basis, span_series
from vitruvian.lab.training.sources import ShardIndex
from vitruvian.pipeline.photo import reconstruct
from vitruvian.surface.volume.surface_nets import surface_net
from vitruvian.types.mesh import Mesh

Networks = dict[str, LocalField | FourierField]
Scores = dict[str, dict[str, float]]  # of one person: method -> metric -> value
AT_HAND = "surface at hand"
_PLAIN = "fourier, series alone"
_REFERENCE_CM = 180.0
_SAMPLES = 15_000  # of either surface of a character


def shape_scores(folder: Path, networks: Networks, views: int, skip: str) -> Iterator[Scores]:
    """Every character from every side by every method; those whose name holds ``skip`` left out."""
    known = lru_cache(maxsize=None)(true_character)
    # Side by side, so that a run that is stopped has seen something of everybody.
    for case in sorted(ShapeSuite(folder, views).cases(), key=lambda case: case.yaw_deg):
        if skip and skip in case.name:
            continue
        character, world = known(case.model, case.options)
        shot = photograph(character, case.yaw_deg, seed=case.seed)
        truth = world.transformed(shot.camera_from_world, "camera")
        scene = reconstruct(shot.pixels, max_people=1, detail="body", texture=False, check=False)
        person = scene.largest
        if person is None:
            continue
        out: Scores = {}
        for name, network in ({AT_HAND: None} | networks).items():
            start = time.process_time()
            mesh = corrected_surface(network, scene.photo, person.figure, person.body)
            seconds = time.process_time() - start
            outer = keep_faces(mesh, outer_faces(mesh))
            alignment = align_surfaces(outer, truth)
            aligned = outer.with_vertices(alignment.apply(outer.vertices))
            found = surface_scores(aligned, truth, height_m=character.stature_m, samples=_SAMPLES)
            out[name] = vars(found).copy()
            out[name]["processor_s"] = seconds
        yield out


def synthetic_scores(
    shards: Path, observed: Path, held: range, networks: Networks
) -> Iterator[Scores]:
    """Every usable person of some shards by every method."""
    index = ShardIndex(shards, observed)
    members = [k for k, shard in enumerate(index.shard_of) if shard in held]
    for _, person in prepared_people(index, members):
        inputs = person.inputs
        pixel = inputs.root_m / inputs.camera.focal_px / inputs.stature_m
        low, high = inputs.span
        depth = np.arange(low, high, pixel).astype(np.float32)
        truncation = 2 * pixel
        fields, seconds = volumes(inputs.camera.width, person, depth, truncation, networks)
        true = layers_field(person.truth, depth, truncation)
        out = {
            name: compare_volumes(field, true, person.known, pixel)
            for name, field in fields.items()
        }
        for name, value in seconds.items():
            out[name]["processor_s"] = value
        yield out


def volumes(
    size: int, person: Prepared, depth: np.ndarray, truncation: float, networks: Networks
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """A field (S, S, D) by every method, and what the learnt ones take longer."""
    inputs = person.inputs
    grid = np.meshgrid(np.arange(size), np.arange(size), depth, indexing="ij")
    rows, columns, depths = (axis.ravel() for axis in grid)
    signed = signed_along_ray(inputs, rows, columns, depths).reshape(grid[0].shape)
    own = np.clip(signed / truncation, -1, 1).astype(np.float32)
    rim = np.clip(inputs.picture("rim") / truncation, -1, 1)[..., None]
    fields, seconds = {AT_HAND: own}, {AT_HAND: 0.0}
    for name, network in networks.items():
        start = time.process_time()
        if isinstance(network, LocalField):
            fields[name] = local_field(network, inputs, own, depth, truncation)
        else:
            delta = fourier_residual(network, inputs, inputs, depth)
            fields[name] = np.clip(own + 2 * delta, -1, 1)
            series = span_series(*inputs.in_range(inputs.layers))
            basis = series_basis(inputs.in_range(depth))
            plain = np.tensordot(series, basis, axes=(0, 0)) + delta
            fields[_PLAIN] = np.where(inputs.covered[..., None], 2 * plain - 1, -1)
        seconds[name] = time.process_time() - start
    core = kept_core(inputs, depth, truncation)
    for name in networks:
        fields[f"{name}, free"] = fields[name]
        fields[name] = np.maximum(fields[name], core)
    return {name: np.minimum(field, rim) for name, field in fields.items()}, seconds


def compare_volumes(
    found: np.ndarray, true: np.ndarray, known: np.ndarray, pixel: float
) -> dict[str, float]:
    """Intersection over union, and Chamfer distance after one shift in depth, of two fields."""
    where = known[..., None]
    a, b = (found > 0) & where, (true > 0) & where
    meshes = [_mesh(np.where(where, field, -1), pixel) for field in (found, true)]
    ends = [np.where(v.any(2), v.argmax(2) - v[..., ::-1].argmax(2), 0) for v in (a, b)]
    both = a.any(2) & b.any(2)
    shift = float(np.median((ends[1] - ends[0])[both])) / 2 * pixel
    moved = meshes[0].with_vertices(meshes[0].vertices + np.array([0, 0, shift], np.float32))
    there = point_to_surface(meshes[1].vertices[::2], moved).mean()
    back = point_to_surface(moved.vertices[::2], meshes[1]).mean()
    return {
        "iou": float((a & b).sum() / max((a | b).sum(), 1)),
        "chamfer_cm": float(_REFERENCE_CM * (there + back) / 2),
        "scan_to_prediction_cm": float(_REFERENCE_CM * there),
        "prediction_to_scan_cm": float(_REFERENCE_CM * back),
    }


def _mesh(field: np.ndarray, pixel: float) -> Mesh:
    padded = np.pad(field, 1, constant_values=-1).astype(np.float32)
    vertices, faces = surface_net(padded)
    return Mesh(np.ascontiguousarray(vertices[:, [1, 0, 2]] * np.float32(pixel)), faces, "camera")


def table(scores: list[Scores]) -> str:
    """Means over people; in brackets the standard error of the difference from the first row."""
    names = list(scores[0][AT_HAND])
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    for method in scores[0]:
        cells = []
        for name in names:
            values = np.array([one[method].get(name, np.nan) for one in scores])
            change = values - np.array([one[AT_HAND][name] for one in scores])
            error = f" (±{change.std() / len(change) ** 0.5:.3f})" if method != AT_HAND else ""
            cells.append(f"{np.mean(values):.3f}{error}")
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return "\n".join([f"{len(scores)} people", "", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--field", type=Path, help="an exported local-feature MLP")
    parser.add_argument("--fourier", type=Path, help="an exported Fourier occupancy field")
    parser.add_argument("--shapes", type=Path, help="folder of 3D characters")
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument(
        "--skip", default="", help="leave out characters of whose name this is part"
    )
    parser.add_argument("--shards", type=Path)
    parser.add_argument("--observed", type=Path)
    parser.add_argument("--held", type=int, nargs=2, metavar=("FIRST", "END"), default=(0, 1 << 30))
    options = parser.parse_args()
    networks: Networks = {}
    if options.field is not None:
        networks["local features"] = LocalField(options.field)
    if options.fourier is not None:
        networks["fourier"] = FourierField(options.fourier)
    if options.shards is not None:
        if options.observed is None:
            parser.error("--shards needs --observed")
        held = range(*options.held)
        show(synthetic_scores(options.shards, options.observed, held, networks))
    if options.shapes is not None:
        show(shape_scores(options.shapes, networks, options.views, options.skip))


def show(people: Iterator[Scores]) -> None:
    """Print the table, and after every fourth person what it is so far."""
    scores: list[Scores] = []
    for one in people:
        scores.append(one)
        if len(scores) % 4 == 0:
            print(table(scores), flush=True)
    if len(scores) % 4:
        print(table(scores))


if __name__ == "__main__":
    main()
