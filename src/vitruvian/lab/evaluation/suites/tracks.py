"""The suite ``tracks``: clips of several people who cross: does everybody keep their number."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.lab.evaluation.matching import mask_overlaps
from vitruvian.lab.evaluation.metrics.association import Moment, association, overlapping
from vitruvian.lab.evaluation.pictures import PALETTE, outlined, resized, tinted
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.video import frames_of
from vitruvian.lab.synthesis.crossings import CrossingTruth
from vitruvian.lab.synthesis.sequence_files import CLIP, TRUTH, clip_folders
from vitruvian.types.figure import Figure

# Whoever has less of their largest area in a frame, or fewer pixels, need not be found there.
_LEAST_SEEN, _LEAST_PIXELS = 0.3, 400
_SHOWN = 6
_HEIGHT = 220


def default_tracks(clip: Path, fov_deg: float) -> list[dict[int, Figure]]:
    """The figures of each person by the number of the frame, as ``vitruvian video`` finds them."""
    from vitruvian.video.observed import observe
    from vitruvian.video.sources import open_sources

    found = observe(open_sources([clip], fov_deg=fov_deg), lambda *_: None)
    return [{one.number: one.figure for one in track.sightings} for (track,) in found.people]


@dataclass(frozen=True)
class TrackCase:
    """A folder with ``clip.mp4`` and ``truth.npz``."""

    name: str
    folder: Path


@dataclass(frozen=True)
class TrackSuite:
    """Clips of ``vitruvian synth --video --people N``: numbers and masks of everybody.

    Attributes:
        folder: holds a folder for each clip.
        tracks: from a clip and its field of view to figures; ``vitruvian video``'s unless a test
            says otherwise.
    """

    folder: Path
    tracks: Callable[[Path, float], list[dict[int, Figure]]] = default_tracks

    name = "tracks"
    ranking = "idf1"
    concurrent = True
    metrics = (
        Metric("idf1", "IDF1"),
        Metric("hota", "HOTA at IoU .5"),
        Metric("det", "· detection"),
        Metric("ass", "· association"),
        Metric("switches", "numbers that change", better="lower", digits=2),
        Metric("people", "people", better="neither", digits=1),
        Metric("tracks", "people found", better="neither", digits=1),
        Metric("iou", "IoU of masks, of those found"),
        Metric("iou_overlapped", "· where another one's box overlaps"),
        Metric("seconds", "time per frame", "s", "lower", 2),
    )

    @staticmethod
    def open(data: Path) -> TrackSuite:
        """The suite on ``data/tracks`` or on ``data`` itself."""
        folder = data / "tracks"
        return TrackSuite(folder if folder.is_dir() else data)

    def cases(self) -> Sequence[TrackCase]:
        """A case for each clip."""
        found = clip_folders(self.folder, "vitruvian synth --video --people 2")
        return [TrackCase(folder.name, folder) for folder in found]

    def run(self, case: TrackCase) -> Outcome:
        """Follow everybody and compare with the truth."""
        truth = CrossingTruth.read(case.folder / TRUTH)
        begun = time.perf_counter()
        tracks = self.tracks(case.folder / CLIP, truth.fov_deg)
        seconds = (time.perf_counter() - begun) / len(truth.instances)
        numbers = track_numbers(truth, tracks)
        picture = Picture("found", _drawn(case.folder / CLIP, tracks, len(truth.instances)))
        return Outcome({**numbers, "seconds": seconds}, (picture,))


def track_numbers(truth: CrossingTruth, tracks: Sequence[dict[int, Figure]]) -> dict[str, float]:
    """The numbers of one clip but its time."""
    people = range(1, len(truth.statures) + 1)
    areas = np.array([[(frame == one).sum() for one in people] for frame in truth.instances])
    counted = (areas >= _LEAST_SEEN * areas.max(0)) & (areas >= _LEAST_PIXELS)
    moments: list[Moment] = []
    seen: list[float] = []
    seen_overlapped: list[float] = []
    for number, frame in enumerate(truth.instances):
        here = [one for one in people if areas[number, one - 1]]
        masks = [frame == one for one in here]
        found = [(index, own[number]) for index, own in enumerate(tracks) if number in own]
        overlaps = mask_overlaps(masks, [figure.alpha.full() >= 128 for _, figure in found])
        counts = [bool(counted[number, one - 1]) for one in here]
        moment = Moment(here, [index for index, _ in found], overlaps, counts)
        moments.append(moment)
        hit = overlapping([_box(mask) for mask in masks])
        for row, counts_here in enumerate(counts):
            best = float(overlaps[row].max()) if len(found) else 0.0
            if counts_here and best > 0:
                (seen_overlapped if hit[row] else seen).append(best)
    every = [*seen, *seen_overlapped]
    return {
        **association(moments),
        "people": float(len(truth.statures)),
        "tracks": float(len(tracks)),
        "iou": float(np.mean(every)) if every else float("nan"),
        "iou_overlapped": float(np.mean(seen_overlapped)) if seen_overlapped else float("nan"),
    }


def _box(mask: np.ndarray) -> np.ndarray:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def _drawn(clip: Path, tracks: Sequence[dict[int, Figure]], count: int) -> np.ndarray:
    """Some frames side by side, with everybody in the colour of their number."""
    shown = np.linspace(0, count - 1, min(_SHOWN, count)).round().astype(int).tolist()
    out = []
    for number, pixels in frames_of(clip, shown):
        drawn = pixels
        for index, own in enumerate(tracks):
            if number in own:
                alpha = own[number].alpha.full()
                color = PALETTE[index % len(PALETTE)]
                drawn = outlined(tinted(drawn, alpha / 255, color, 0.4), alpha >= 128, color)
        out.append(resized(drawn, _HEIGHT))
    return np.concatenate(out, axis=1)
