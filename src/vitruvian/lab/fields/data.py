"""Examples for the learnt fields: what the surface stage knows of a sample, and what is true.

Unlike those of other recipes they take most of a second each, because the surface is begun for
them: they are made once, one file ``field-00000.npz`` for each observed shard. Files that exist
stay::

    python -m vitruvian.lab.fields.data SHARDS OBSERVED -o PREPARED [--shards 40]
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError, WeightsError
from vitruvian.formats.atomic import write_bytes
from vitruvian.lab.fields.correction import Correction
from vitruvian.lab.fields.inputs import FieldInputs, nearest_pixels, point_features, square_camera
from vitruvian.lab.fields.networks import SIZE
from vitruvian.lab.synthesis.packing import DEPTH_UNIT, NO_DEPTH
from vitruvian.lab.synthesis.sample import Sample
from vitruvian.lab.training.observations import Observation
from vitruvian.lab.training.recipe import Batch, FixedSource
from vitruvian.lab.training.sources import VALIDATION_SHARE, ShardIndex
from vitruvian.surface.envelope.inflated_body import inflated_body
from vitruvian.surface.maps import SIZE as MAPS_SIZE
from vitruvian.surface.maps import network_maps, normals_alone
from vitruvian.surface.volume.clothed_spans import clothed_spans
from vitruvian.types.body import Body
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo

POINTS = 2048  # of every person
_VOXELS = 96  # of the surface at hand, along the figure's longer side
_SPREAD, _FAR_SHARE = 0.018, 0.15  # of points about the surface at hand, statures; elsewhere
_LEAST_OVERLAP = 0.5  # IoU of the surface at hand and the truth in the picture; below, no lesson


@dataclass(frozen=True)
class Prepared:
    """One person as far as the surface stage has come, and the truth in the same window.

    Attributes:
        inputs: what the networks are told, of a square window.
        truth: (2, 4, H, W) float32 true entries and exits of that window, in statures of the
            *fitted* body behind its root, moved so that front and back lie on average where the
            surface at hand has them; both at the end of the range where there are fewer.
        known: (H, W) bool, pixels that the picture shows.
    """

    inputs: FieldInputs
    truth: np.ndarray
    known: np.ndarray


def prepare(sample: Sample, observed: Observation | None, size: int = SIZE) -> Prepared | None:
    """Run the surface stage on a sample, as far as the learnt field.

    None where the pipeline found nobody or somebody else, or hardly meets the truth.

    Args:
        sample: with its spans.
        observed: what the pipeline saw of it.
        size: side of the window.

    Raises:
        WeightsError: the maps network's weights are absent.
    """
    if observed is None or not observed.ok:
        return None
    camera = observed.camera
    posed = body_model().forward(observed.betas, observed.pose, observed.translation)
    body = Body(
        body_model(), observed.betas, observed.pose, observed.translation.astype(float),
        observed.height_m, posed.vertices.astype(np.float32), posed.joints,
    )  # fmt: skip
    matte = observed.matte
    box = np.array([0, 0, sample.size, sample.size], float)
    figure = Figure(box, 1.0, observed.landmarks, matte, True, 1.0)
    photo = Photo(sample.image, "synthetic", None, camera, None, (sample.size, sample.size))
    seen = network_maps(photo, figure, body, MAPS_SIZE)
    if seen is None:
        raise WeightsError("The maps network's weights are absent: train it first.")
    inflated = inflated_body(photo, figure, body)
    maps = normals_alone(*seen, body, camera)
    clothed = clothed_spans(body_model(), inflated, matte, camera, maps, _VOXELS)
    if clothed is None:
        return None
    window = square_camera(inflated, matte, camera, size)
    inputs = Correction(None, matte, camera, seen[0], body).inputs(clothed, window)
    truth, known = true_layers(sample, inputs, observed)
    there = truth[1, 0] > truth[0, 0]
    both, either = there & inputs.covered & known, (there | inputs.covered) & known
    if both.sum() < _LEAST_OVERLAP * max(either.sum(), 1):
        return None
    return Prepared(inputs, truth, known)


def true_layers(
    sample: Sample, inputs: FieldInputs, observed: Observation
) -> tuple[np.ndarray, np.ndarray]:
    """True entries and exits (2, 4, H, W), and known pixels (H, W), see :class:`Prepared`.

    Lengths are scaled so that a pixel is as wide at the true root as at the fitted one: how far
    away and how large somebody is cannot be told from the picture, and is not the field's affair.
    """
    rows, columns, known = nearest_pixels(observed.camera, inputs.camera)
    stored = sample.spans[rows, columns]
    there = (stored != NO_DEPTH) & known[..., None]
    ratio = (inputs.root_m / observed.focal_px) / (sample.root_depth / sample.focal_px)
    unit = DEPTH_UNIT * ratio / inputs.stature_m
    depths = stored.astype(np.float32) * np.float32(unit)
    both = there[..., 0] & inputs.covered
    shift = 0.0
    if both.any():
        first, last = depths[..., 0], np.where(there, depths, -np.inf).max(2)
        mine = inputs.picture("front") + inputs.picture("back")
        shift = float(np.median((0.5 * (first + last - mine))[both]))
    low, high = inputs.span
    depths = np.where(there, np.clip(depths - shift, low, high), high)
    return np.stack([depths[..., 0::2], depths[..., 1::2]]).transpose(0, 3, 1, 2), known


def sampled_points(
    prepared: Prepared, rng: np.random.Generator, count: int = POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, 32) float32 of points about the surface at hand, and occupancy (N,) bool."""
    inputs = prepared.inputs
    rows, columns = np.nonzero(inputs.covered & prepared.known)
    chosen = rng.integers(len(rows), size=count)
    rows, columns = rows[chosen], columns[chosen]
    layers = inputs.layers[:, :, rows, columns]
    there = layers[1] > layers[0]
    layer = (rng.random(count) * there.sum(0)).astype(int)
    ends = layers[rng.integers(2, size=count), layer, np.arange(count)]
    depth = ends + rng.normal(0, _SPREAD, count)
    low, high = inputs.span
    far = rng.random(count) < _FAR_SHARE
    depth = np.where(far, rng.uniform(low, high, count), np.clip(depth, low, high))
    depth = depth.astype(np.float32)
    true = prepared.truth[:, :, rows, columns]
    inside = ((depth >= true[0]) & (depth < true[1])).any(0)
    return point_features(inputs, rows, columns, depth), inside


def example(prepared: Prepared, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """What is stored of a person: ``pictures`` (26, S, S), ``layers`` (2, 3, S, S), ``truth`` (2,
    4, S, S), ``points`` (2048, 32) float16, ``known`` (S, S) and ``inside`` (2048,) bool; layers
    and truth are shares of the range of depths."""
    points, inside = sampled_points(prepared, rng)
    inputs = prepared.inputs
    half = np.float16
    return {
        "pictures": inputs.pictures.astype(half),
        "layers": inputs.in_range(inputs.layers).astype(half),
        "truth": inputs.in_range(prepared.truth).astype(half),
        "known": prepared.known,
        "points": points.astype(half),
        "inside": inside,
    }


def prepared_people(index: ShardIndex, members: Iterable[int]) -> Iterator[tuple[int, Prepared]]:
    """The usable ones of some samples, with their numbers in the data set."""
    for member in members:
        one = prepare(index.sample(member, spans=True), index.observation(member))
        if one is not None:
            yield index.numbers[member], one


def prepare_dataset(
    folder: Path, observed: Path, out: Path, shards: Sequence[int] | None = None
) -> Iterator[tuple[Path, int]]:
    """Prepare what is missing of an observed data set, yielding each file and its people.

    Args:
        folder, observed: shards, and what the pipeline saw of them.
        out: where the files go.
        shards: numbers of those wanted; all by default.
    """
    index = ShardIndex(folder, observed)
    for shard in sorted(set(index.shard_of)) if shards is None else shards:
        path = out / f"field-{shard:05d}.npz"
        if path.exists():
            continue
        members = [k for k, own in enumerate(index.shard_of) if own == shard]
        people = [
            example(one, np.random.default_rng([index.seed, 5, number]))
            for number, one in prepared_people(index, members)
        ]
        if not people:
            continue
        archive = io.BytesIO()
        stacked = {name: np.stack([one[name] for one in people]) for name in people[0]}
        np.savez(archive, **stacked)  # type: ignore[arg-type]
        write_bytes(path, archive.getvalue())
        yield path, len(people)


class PreparedSource(FixedSource):
    """Examples of a folder of prepared files, all in memory; a ``recipe.Source``.

    The last files are held back for validation. As a folder grows, what was held back may become
    training data, never the reverse.
    """

    def __init__(self, folder: Path, names: Sequence[str], seed: int) -> None:
        """Args: names: of the arrays wanted; the others are not read."""
        paths = sorted(folder.glob("field-*.npz"))
        if len(paths) < 2:
            raise InputError(
                f"There are fewer than two prepared files in {folder}: make them with "
                "python -m vitruvian.lab.fields.data."
            )
        held = max(1, round(VALIDATION_SHARE * len(paths)))
        self.folder, self.seed = folder, seed
        self.training = _read(paths[:-held], names)
        self.held_back = _read(paths[-held:], names)

    @property
    def description(self) -> str:
        count, held = (len(next(iter(d.values()))) for d in (self.training, self.held_back))
        return f"{count} synthetic people of {self.folder.name}; {held} held back for validation"

    def batches(self, first: int, size: int) -> Iterator[Batch]:
        step = first // size
        count = len(next(iter(self.training.values())))
        while True:
            rows = np.random.default_rng([self.seed, step]).integers(count, size=size)
            step += 1
            yield {name: torch.from_numpy(v[rows]) for name, v in self.training.items()}

    def validation(self, size: int) -> Iterable[Batch]:
        count = len(next(iter(self.held_back.values())))
        for start in range(0, count, size):
            part = slice(start, start + size)
            yield {name: torch.from_numpy(v[part]) for name, v in self.held_back.items()}


def _read(paths: Sequence[Path], names: Sequence[str]) -> dict[str, np.ndarray]:
    parts: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for path in paths:
        with np.load(path) as archive:
            for name in names:
                parts[name].append(archive[name])
    return {name: np.concatenate(values) for name, values in parts.items()}


def main() -> None:
    """Prepare the examples of the learnt fields."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("observed", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--shards", type=int, nargs=2, metavar=("FIRST", "END"))
    options = parser.parse_args()
    wanted = None if options.shards is None else range(*options.shards)
    for path, count in prepare_dataset(options.folder, options.observed, options.out, wanted):
        print(f"{path.name}: {count} people", flush=True)


if __name__ == "__main__":
    main()
