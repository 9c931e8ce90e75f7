"""Turn groups into training examples for scene depth: crops with canonical depth."""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.groups import MOST_PEOPLE, OBJECT, GroupSample
from vitruvian.lab.synthesis.sample import training_seed
from vitruvian.lab.synthesis.shards import decode
from vitruvian.lab.training.recipe import Batch, DataOptions, FixedSource

SIDE = 256  # longer side of the network's input
STRIDE = 4  # of its output
CROPS = 5  # of each group whose features are kept
# Batches have one shape; pictures go where they lose least.
CANVASES = ((192, 256), (256, 192), (224, 224))  # height, width
LEAST_CELLS = 4  # of a person in the output, in order to count as one
_HELD_BACK = 0.04


def canonical(log_depth: np.ndarray | float, focal: float) -> np.ndarray:
    """Logarithm of depth per focal length, in units that make a lens of ``SIDE`` pixels 0.

    What a thing of known size looks like depends on depth / focal length alone: a network that
    does not know the lens can predict no more, and where the lens is known nothing is lost
    (Yin et al., "Metric3D", 2023).

    Args:
        log_depth: logarithm of metres.
        focal: focal length in pixels of the network's input.
    """
    return np.asarray(log_depth - np.log(focal / SIDE))


@dataclass(frozen=True)
class DepthExample:
    """A crop in the network's input.

    Attributes:
        image: (h, w, 3) uint8; the others are of every fourth pixel.
        rays: (h/4, w/4, 2) float32 offset from the principal point, in units of ``SIDE`` pixels.
        target: (h/4, w/4) float32 canonical log depth, NaN where there is none.
        instances: (h/4, w/4) uint8, 1..P people.
        roots: (MOST_PEOPLE,) float32 canonical log depth of the root joints, NaN beyond P.
        stand: (3,) float32 how the camera stands: row of the horizon straight above or below the
            principal point in units of ``SIDE`` pixels, its slope, logarithm of the camera's
            height over the ground in metres. None of them depends on the focal length.
    """

    image: np.ndarray
    rays: np.ndarray
    target: np.ndarray
    instances: np.ndarray
    roots: np.ndarray
    stand: np.ndarray


def stand_of(camera_from_world: np.ndarray, focal: float) -> np.ndarray:
    """``DepthExample.stand`` of a camera whose focal length is ``focal`` pixels of the input."""
    rotation = camera_from_world[:3, :3].astype(float)
    up = rotation[:, 1]
    height = float(-rotation.T[1] @ camera_from_world[:3, 3])
    row, slope = -up[2] / up[1] * focal / SIDE, -up[0] / up[1]
    return np.array([row, slope, np.log(max(height, 0.05))], np.float32)


def cropped(
    group: GroupSample, window: tuple[float, float, float, float], size: tuple[int, int]
) -> DepthExample:
    """The window x0, y0, x1, y1 (pixels) of a group, resized to ``size`` (height, width)."""
    x0, y0, x1, y1 = window
    height, width = size
    step = np.array([(x1 - x0) / width, (y1 - y0) / height])
    # Pixel centres of the crop in index coordinates of the picture.
    matrix = np.array([[step[0], 0, x0 + step[0] / 2 - 0.5], [0, step[1], y0 + step[1] / 2 - 0.5]])
    flags = cv2.WARP_INVERSE_MAP
    if step.max() > 1.5:
        whole = group.image[round(y0) : round(y1), round(x0) : round(x1)]
        image = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    else:
        image = cv2.warpAffine(
            group.image, matrix, (width, height), flags=flags | cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip

    def nearest(values: np.ndarray, outside: float) -> np.ndarray:
        return cv2.warpAffine(
            values, matrix, (width, height), flags=flags | cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_CONSTANT, borderValue=outside,
        )  # fmt: skip

    depth = group.log_depth.astype(np.float32)
    depth[~np.isfinite(depth)] = np.nan
    focal = group.focal_px / float(step.mean())
    cx, cy = (np.array(group.principal_point) - [x0, y0]) / step
    middle = STRIDE // 2  # of a cell
    columns, rows = np.meshgrid(
        np.arange(middle, width, STRIDE) - cx, np.arange(middle, height, STRIDE) - cy
    )
    roots = np.full(MOST_PEOPLE, np.nan, np.float32)
    roots[: len(group.roots)] = canonical(np.log(np.maximum(group.roots[:, 2], 0.05)), focal)
    return DepthExample(
        image=image,
        rays=(np.stack([columns, rows], -1) / SIDE).astype(np.float32),
        target=canonical(
            nearest(depth, float("nan"))[middle::STRIDE, middle::STRIDE], focal
        ).astype(np.float32),
        instances=np.ascontiguousarray(nearest(group.instances, 0)[middle::STRIDE, middle::STRIDE]),
        roots=roots,
        stand=stand_of(group.camera_from_world, focal),
    )


def mirrored(example: DepthExample) -> DepthExample:
    """The example as seen in a mirror."""
    rays = example.rays[:, ::-1] * np.array([-1, 1], np.float32)
    return DepthExample(
        *(np.ascontiguousarray(a) for a in (
            example.image[:, ::-1], rays, example.target[:, ::-1], example.instances[:, ::-1],
            example.roots, example.stand * np.array([1, -1, 1], np.float32),
        ))
    )  # fmt: skip


def random_crop(
    rng: np.random.Generator, group: GroupSample, canvas: tuple[int, int]
) -> DepthExample:
    """A random window of a group that fills the canvas, perhaps mirrored."""
    height, width = group.image.shape[:2]
    largest = min(height / canvas[0], width / canvas[1])
    share = 1.0 if rng.random() < 0.4 else rng.uniform(0.6, 1.0)
    h, w = largest * share * canvas[0], largest * share * canvas[1]
    x0, y0 = rng.uniform(0, width - w), rng.uniform(0, height - h)
    example = cropped(group, (x0, y0, x0 + w, y0 + h), canvas)
    return mirrored(example) if rng.random() < 0.5 else example


class GroupSource(FixedSource):
    """Groups of a folder of shards, kept in memory; a ``recipe.Source``."""

    def __init__(self, options: DataOptions) -> None:
        """Read the shards of ``options.shards``.

        Raises:
            InputError: there is no folder, or fewer than two shards of groups in it.
        """
        paths = [] if options.shards is None else sorted(options.shards.glob("groups-*.tar"))
        if len(paths) < 2:
            raise InputError(
                "The recipe depth wants at least two shards of groups: write them with "
                "vitruvian synth --groups and name their folder with --data."
            )
        self._folder, self._seed = options.shards, options.seed
        self._groups: list[GroupSample] = []
        ends = []
        for path in paths:
            self._groups += read_groups(path)
            ends.append(len(self._groups))
        held = max(1, round(_HELD_BACK * len(paths)))
        self._training = ends[-1 - held]
        wide = [g.image.shape[1] / g.image.shape[0] for g in self._groups[: self._training]]
        # Which pictures suit a canvas: those that lose less than about a third.
        self._suited = [
            [k for k, aspect in enumerate(wide) if 0.6 < aspect / (c[1] / c[0]) < 1.67]
            for c in CANVASES
        ]

    @property
    def description(self) -> str:
        name = self._folder.name if self._folder else ""
        held = len(self._groups) - self._training
        return f"{self._training} groups of {name}; the last {held} held back for validation"

    def batches(self, first: int, size: int) -> Iterator[Batch]:
        shares = np.array([len(s) for s in self._suited], dtype=float)
        shares /= shares.sum()
        number = first
        while True:
            rng = np.random.default_rng([self._seed, 2, number])
            which = int(rng.choice(len(CANVASES), p=shares))
            chosen = rng.choice(self._suited[which], size)
            yield _batch([random_crop(rng, self._groups[k], CANVASES[which]) for k in chosen])
            number += size

    def validation(self, size: int) -> Iterable[Batch]:
        held = self._groups[self._training :]
        for canvas in CANVASES:
            own = [g for g in held if _best_canvas(g) == canvas]
            for start in range(0, len(own), size):
                yield _batch([central_crop(g, canvas) for g in own[start : start + size]])


class FeatureSource(GroupSource):
    """The same with the features of an encoder that stays as it is, computed once.

    For training without a GPU: a step then costs a tenth. Every group is cropped ``CROPS`` times.
    """

    def __init__(self, options: DataOptions, encode: Callable[[Tensor], list[Tensor]]) -> None:
        """Read the shards and run ``encode``, from (N, h, w, 3) uint8 to features, on the crops."""
        super().__init__(options)
        self._kept: list[Batch] = []
        for which, canvas in enumerate(CANVASES):
            rows: list[Batch] = []
            for k in self._suited[which]:
                for number in range(CROPS):
                    # A picture that suits two canvases is shared out between them.
                    if (k + number) % sum(k in other for other in self._suited) != 0:
                        continue
                    rng = np.random.default_rng([self._seed, 5, which, k, number])
                    example = random_crop(rng, self._groups[k], canvas)
                    rows.append(
                        _batch([replace(example, image=in_another_light(rng, example.image))])
                    )
            self._kept.append(_with_features(rows, encode))

    @property
    def description(self) -> str:
        return f"{super().description}; {CROPS} crops of each, features of the encoder kept"

    def batches(self, first: int, size: int) -> Iterator[Batch]:
        shares = np.array([len(b["rays"]) for b in self._kept], dtype=float)
        shares /= shares.sum()
        number = first
        while True:
            rng = np.random.default_rng([self._seed, 2, number])
            which = int(rng.choice(len(CANVASES), p=shares))
            kept = self._kept[which]
            chosen = torch.from_numpy(rng.choice(len(kept["rays"]), size))
            yield {name: value[chosen] for name, value in kept.items()}
            number += size


def _with_features(rows: list[Batch], encode: Callable[[Tensor], list[Tensor]]) -> Batch:
    """One batch of many of one example each, features in 16 bits instead of the pictures."""
    out: dict[str, list[Tensor]] = {name: [] for name in rows[0] if name != "image"}
    for start in range(0, len(rows), 16):
        part = rows[start : start + 16]
        features = encode(torch.cat([row["image"] for row in part]))
        for level, feature in enumerate(features):
            out.setdefault(f"feature{level}", []).append(feature.half())
        for row in part:
            for name in row:
                if name != "image":
                    out[name].append(row[name])
    return {name: torch.cat(values) for name, values in out.items()}


def in_another_light(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """A picture (h, w, 3) uint8 in another exposure, contrast and tint, perhaps grey."""
    gain = np.exp(0.15 * rng.standard_normal() + 0.06 * rng.standard_normal(3))
    values = (image / 255.0) ** np.exp(0.2 * rng.standard_normal()) * gain
    fade = 0.6 * rng.random() ** 2 if rng.random() < 0.9 else 1.0
    values += fade * (values.mean(-1, keepdims=True) - values)
    return np.asarray(np.round(255 * np.clip(values, 0, 1)), dtype=np.uint8)


def read_groups(path: Path) -> list[GroupSample]:
    """The groups of a shard, without what training does not need.

    Raises:
        InputError: they are of a seed kept for testing.
    """
    notes = path.parent / "dataset.json"
    if notes.exists():
        import json

        training_seed(int(json.loads(notes.read_text(encoding="utf-8"))["seed"]))
    out = []
    with tarfile.open(path) as archive:
        for entry in archive:
            file = archive.extractfile(entry)
            if file is not None:
                out.append(decode(file.read(), GroupSample))
    return out


def _best_canvas(group: GroupSample) -> tuple[int, int]:
    aspect = group.image.shape[1] / group.image.shape[0]
    return min(CANVASES, key=lambda c: abs(np.log(aspect / (c[1] / c[0]))))


def central_crop(group: GroupSample, canvas: tuple[int, int]) -> DepthExample:
    height, width = group.image.shape[:2]
    largest = min(height / canvas[0], width / canvas[1])
    h, w = largest * canvas[0], largest * canvas[1]
    x0, y0 = (width - w) / 2, (height - h) / 2
    return cropped(group, (x0, y0, x0 + w, y0 + h), canvas)


def _batch(examples: list[DepthExample]) -> Batch:
    def stacked(name: str) -> Tensor:
        return torch.from_numpy(np.stack([getattr(e, name) for e in examples]))

    return {
        "image": stacked("image"),
        "rays": stacked("rays"),
        "target": stacked("target"),
        "instances": stacked("instances"),
        "roots": stacked("roots"),
        "stand": stacked("stand"),
    }


def is_person(instances: Tensor) -> Tensor:
    """Which pixels (…, h, w) show somebody."""
    return (instances > 0) & (instances != OBJECT)
