"""Groups as training examples for scene depth: crops of full pictures with canonical depth."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from vitruvian.errors import InputError
from vitruvian.synthesis.groups import MOST_PEOPLE, THING, GroupSample
from vitruvian.synthesis.sample import training_seed
from vitruvian.synthesis.shards import decode
from vitruvian.training.recipe import Batch, DataOptions

SIDE = 256  # longer side of the network's input
# Batches have one shape; pictures go where they lose least.
CANVASES = ((192, 256), (256, 192), (224, 224))  # height, width
LEAST_PIXELS = 24  # of a person in the input, in order to count as one
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
        image: (h, w, 3) uint8.
        rays: (h, w, 2) float32 offset from the principal point, in units of ``SIDE`` pixels.
        target: (h, w) float32 canonical log depth, NaN where there is none.
        instances: (h, w) uint8, 1..P people.
        roots: (MOST_PEOPLE,) float32 canonical log depth of the root joints, NaN beyond P.
    """

    image: np.ndarray
    rays: np.ndarray
    target: np.ndarray
    instances: np.ndarray
    roots: np.ndarray


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
    columns, rows = np.meshgrid(np.arange(width) + 0.5 - cx, np.arange(height) + 0.5 - cy)
    roots = np.full(MOST_PEOPLE, np.nan, np.float32)
    roots[: len(group.roots)] = canonical(np.log(np.maximum(group.roots[:, 2], 0.05)), focal)
    return DepthExample(
        image=image,
        rays=(np.stack([columns, rows], -1) / SIDE).astype(np.float32),
        target=canonical(nearest(depth, float("nan")), focal).astype(np.float32),
        instances=nearest(group.instances, 0),
        roots=roots,
    )


def mirrored(example: DepthExample) -> DepthExample:
    """The example as seen in a mirror."""
    rays = example.rays[:, ::-1] * np.array([-1, 1], np.float32)
    return DepthExample(
        *(np.ascontiguousarray(a) for a in (
            example.image[:, ::-1], rays, example.target[:, ::-1], example.instances[:, ::-1],
            example.roots,
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


class GroupSource:
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
        presentation = first
        while True:
            rng = np.random.default_rng([self._seed, 2, presentation])
            which = int(rng.choice(len(CANVASES), p=shares))
            chosen = rng.choice(self._suited[which], size)
            yield _batch([random_crop(rng, self._groups[k], CANVASES[which]) for k in chosen])
            presentation += size

    def validation(self, size: int) -> Iterable[Batch]:
        held = self._groups[self._training :]
        for canvas in CANVASES:
            own = [g for g in held if _best_canvas(g) == canvas]
            for start in range(0, len(own), size):
                yield _batch([_central(g, canvas) for g in own[start : start + size]])

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing: what is shown follows from the number of presentations."""

    def close(self) -> None:
        """Nothing was started."""


def read_groups(path: Path) -> list[GroupSample]:
    """The groups of a shard, without what training does not need.

    Raises:
        InputError: they are of a seed kept for testing.
    """
    notes = path.parent / "dataset.json"
    if notes.exists():
        import json

        training_seed(int(json.loads(notes.read_text())["seed"]))
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


def _central(group: GroupSample, canvas: tuple[int, int]) -> DepthExample:
    height, width = group.image.shape[:2]
    largest = min(height / canvas[0], width / canvas[1])
    h, w = largest * canvas[0], largest * canvas[1]
    x0, y0 = (width - w) / 2, (height - h) / 2
    return cropped(group, (x0, y0, x0 + w, y0 + h), canvas)


def _batch(examples: list[DepthExample]) -> Batch:
    def stacked(name: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([getattr(e, name) for e in examples]))

    return {
        "image": stacked("image"),
        "rays": stacked("rays"),
        "target": stacked("target"),
        "instances": stacked("instances"),
        "roots": stacked("roots"),
    }


def is_person(instances: torch.Tensor) -> torch.Tensor:
    """Which pixels (…, h, w) show somebody."""
    return (instances > 0) & (instances != THING)
