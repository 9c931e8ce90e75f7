"""The suite ``crowds``: generated groups who hide one another: masks, depth order, who is found."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import io
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

import vitruvian.lab.synthesis
from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes
from vitruvian.geometry.pairing import best_pairs
from vitruvian.lab.evaluation.matching import in_order, mask_overlaps
from vitruvian.lab.evaluation.pictures import outlined
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.groups import default_find, drawn_figures
from vitruvian.lab.evaluation.suites.synthetic import SyntheticSuite
from vitruvian.networks.nanodet import box_iou

if TYPE_CHECKING:
    from vitruvian.lab.synthesis.groups import GroupSample
    from vitruvian.types.figure import Figure
    from vitruvian.types.photo import Photo

SIZE = 1024  # of the longer side of the pictures
CASES = 32
_BLOCK = 8  # groups that choose among the same people
_LEAST_OVERLAP = 0.25  # IoU of mattes from which on somebody counts as found
# Who counts: the longer side of the box in pixels, and the seen share of silhouette and keypoints.
LEAST_PX, LEAST_SEEN, LEAST_INSIDE = 60.0, 0.4, 0.5
_SMALL_PX = 160.0
# Who hides how much of whom: from, and below which share of somebody's silhouette is hidden.
HIDDEN = {"alone": (0.0, 0.02), "touched": (0.02, 0.3), "half": (0.3, 0.6)}
_TRUE = (255, 255, 255)


@dataclass(frozen=True)
class CrowdCase:
    """A group of the generator."""

    name: str
    seed: int
    block: int
    number: int


def default_settle(photo: Photo, figures: Sequence[Figure]) -> np.ndarray:
    """Distances (N,) in metres of the figures' root joints, by the pipeline's own stages."""
    from vitruvian.pipeline import stages

    placement = stages.place(photo, figures, stages.fit(photo, figures))
    return np.array([body.translation[2] for body in placement.bodies], dtype=float)


@dataclass(frozen=True)
class CrowdSuite:
    """Groups of ``vitruvian.lab.synthesis.groups`` from ``HELD_OUT_SEEDS``.

    Building people takes much longer than looking at them, so pictures and truth are kept in the
    user's cache folder, under a digest of the generator's code.

    Attributes:
        assets: MakeHuman's assets.
        find: from a photograph to figures; the people stage unless a test says otherwise.
        settle: from a photograph of known lens and figures to distances, likewise.
        size: longer side of the pictures in pixels.
        count: how many cases there are.
        later: how far behind the first held-out seed that of the suite is.
    """

    assets: Path
    find: Callable[[Any], list[Any]] = default_find
    settle: Callable[[Any, Sequence[Any]], np.ndarray] = default_settle
    size: int = SIZE
    count: int = CASES
    later: int = 100

    name = "crowds"
    ranking = "iou"
    concurrent = True
    metrics = (
        Metric("people", "people who count", better="neither", digits=2),
        Metric("found", "share of them found"),
        Metric("found_alone", "· not hidden"),
        Metric("found_touched", "· hidden by less than 30 %"),
        Metric("found_half", "· hidden by 30 to 60 %"),
        Metric("found_small", "· of 60 to 160 pixels"),
        Metric("extra", "figures that are nobody", better="lower", digits=2),
        Metric("iou", "IoU per person, missing ones 0"),
        Metric("iou_found", "IoU per person found"),
        Metric("iou_alone", "· not hidden"),
        Metric("iou_touched", "· hidden by less than 30 %"),
        Metric("iou_half", "· hidden by 30 to 60 %"),
        Metric("iou_small", "· of 60 to 160 pixels"),
        Metric("depth_order", "pairs in the right order, lens known"),
        Metric("overlap_order", "· of those whose boxes overlap"),
        Metric("seconds", "time of the people stage", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path | None) -> CrowdSuite:
        """The suite on assets, which are sought as ``SyntheticSuite.open`` seeks them."""
        return CrowdSuite(SyntheticSuite.open(data).assets)

    def cases(self) -> Sequence[CrowdCase]:
        """Groups of a held-out seed of the suite's own; eight cases share a block of people."""
        from vitruvian.lab.synthesis.sample import HELD_OUT_SEEDS

        seed = HELD_OUT_SEEDS.start + self.later
        return [
            CrowdCase(f"crowd-{n:03d}", seed, n // _BLOCK, n % _BLOCK) for n in range(self.count)
        ]

    def run(self, case: CrowdCase) -> Outcome:
        """Find the people of the group, put them in their places and compare."""
        from vitruvian.image.photo import load_photo

        truth = _group(case, self.size, self.assets)
        # A picture alone does not tell distances: the lens is given.
        photo = replace(load_photo(truth.image), camera=truth.camera)
        start = time.perf_counter()
        figures = self.find(photo)
        seconds = time.perf_counter() - start
        depths = self.settle(photo, figures) if figures else np.zeros(0)
        numbers, note = crowd_numbers(truth, figures, depths)
        drawn = drawn_figures(photo.pixels, figures)
        true = outlined(photo.pixels, truth.instances > 0, _TRUE)
        for number in range(1, len(truth.roots) + 1):
            true = outlined(true, truth.instances == number, _TRUE)
        pictures = (Picture("true outlines", drawn_figures(true, ())), Picture("found", drawn))
        return Outcome({**numbers, "seconds": seconds}, pictures, note)


def crowd_numbers(
    truth: GroupSample, figures: Sequence[Figure], depths: np.ndarray
) -> tuple[dict[str, float], str]:
    """Numbers of a group by metric, and whose mask is how good in words.

    Args:
        truth: the group.
        figures: who was found; depths: (N,) metres to their root joints.
    """
    true = [truth.instances == number for number in range(1, len(truth.roots) + 1)]
    found = [figure.alpha.full() >= 128 for figure in figures]
    overlaps = mask_overlaps(true, found)
    who = best_pairs(overlaps, _LEAST_OVERLAP)
    sizes = np.array([max(box[2] - box[0], box[3] - box[1]) for box in truth.boxes])
    counted = (sizes >= LEAST_PX) & (truth.visible >= LEAST_SEEN) & (truth.inside >= LEAST_INSIDE)
    scores = np.array([overlaps[k, who[k]] if k in who else 0.0 for k in range(len(true))])
    seen = np.array([k in who for k in range(len(true))])
    hidden = 1 - truth.visible
    kinds = {name: (hidden >= low) & (hidden < high) for name, (low, high) in HIDDEN.items()}
    kinds["small"] = sizes < _SMALL_PX
    numbers = {
        "people": float(counted.sum()),
        "extra": float(len(found) - len(who)),
        **_mean("found", seen, counted),
        **_mean("iou", scores, counted),
        **_mean("iou_found", scores, counted & seen),
    }
    for name, kind in kinds.items():
        numbers |= _mean(f"found_{name}", seen, counted & kind)
        numbers |= _mean(f"iou_{name}", scores, counted & kind & seen)
    order = in_order({k: float(depths[n]) for k, n in who.items()}, truth.roots[:, 2])
    for name, close in (("depth_order", False), ("overlap_order", True)):
        right = [
            right
            for (a, b), right in order.items()
            if not close or box_iou(truth.boxes[a], truth.boxes[b]) > 0
        ]
        numbers |= {name: float(np.mean(right))} if right else {}
    note = " ".join(
        f"{100 * hidden[k]:.0f} % hidden: {scores[k]:.2f}." for k in np.flatnonzero(counted)
    )
    return numbers, note


def _mean(name: str, values: np.ndarray, of: np.ndarray) -> dict[str, float]:
    """The mean of some values (N,) under a name; nothing where ``of`` (N,) bool has none."""
    return {name: float(values[of].mean())} if of.any() else {}


def _group(case: CrowdCase, size: int, assets: Path) -> GroupSample:
    """A group with its truth, from the cache folder if it was drawn before."""
    from vitruvian.lab.synthesis.anatomy import cache_folder
    from vitruvian.lab.synthesis.groups import GroupSample, draw_group

    name = f"{_code()}-{case.seed}-{case.block}-{case.number}-{size}.npz"
    kept = cache_folder() / "crowds" / name
    names = [field.name for field in fields(GroupSample)]
    with contextlib.suppress(OSError, KeyError, ValueError, BadZipFile):
        with np.load(kept, allow_pickle=False) as read:
            values = {name: read[name] for name in names}
        values["focal_px"] = float(values["focal_px"])
        values["principal_point"] = tuple(float(v) for v in values["principal_point"])
        return GroupSample(**values)
    # The same as of ``groups.block_groups``, which would build the people for each group anew.
    rng = np.random.default_rng([case.seed, case.block, case.number, 3])
    group = draw_group(rng, _crowd(case.seed, case.block, size, assets), size)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{name: getattr(group, name) for name in names})
    with contextlib.suppress(InputError, OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(kept, buffer.getvalue())
    return group


@functools.lru_cache(maxsize=1)
def _crowd(seed: int, block: int, size: int, assets: Path) -> list[Any]:
    from vitruvian.lab.synthesis.assets import AssetLibrary
    from vitruvian.lab.synthesis.groups import block_crowd

    return list(block_crowd(seed, block, size, AssetLibrary(assets)))


@functools.lru_cache(maxsize=1)
def _code() -> str:
    """A digest of the generator's code."""
    digest = hashlib.sha256()
    assert vitruvian.lab.synthesis.__file__ is not None
    for file in sorted(Path(vitruvian.lab.synthesis.__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
