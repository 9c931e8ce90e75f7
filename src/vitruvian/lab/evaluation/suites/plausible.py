"""The suite ``plausible``: poses of people in photographs and clips whose truth nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.render import render_mesh, turned
from vitruvian.image.photo import load_photo
from vitruvian.lab.evaluation.folders import images_in
from vitruvian.lab.evaluation.looks import Look, look_at
from vitruvian.lab.evaluation.metrics.plausible import (
    agreement,
    anatomy,
    coco_points,
    stance,
    steadiness,
)
from vitruvian.lab.evaluation.metrics.silhouette import outside
from vitruvian.lab.evaluation.pictures import around, faded, resized
from vitruvian.lab.evaluation.rendering import framing_camera, silhouette
from vitruvian.lab.evaluation.suite import Metric, Outcome, Picture
from vitruvian.lab.evaluation.suites.video import VIDEO_SUFFIXES, clip_length, frames_of
from vitruvian.lab.evaluation.thunder import FILE, Thunder
from vitruvian.networks.nanodet import box_iou
from vitruvian.placement.upright import estimate_up
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure

PHOTOGRAPHS, PLACES = 200, 6  # how many photographs at most; places of a clip
_SCORED = 71  # the first photographs are looked at while working: they judge nothing here
_IN_A_ROW = 3
_SAME = 0.2  # IoU of boxes of one person in successive frames


@dataclass(frozen=True)
class PlausibleCase:
    """A photograph, or a clip."""

    name: str
    file: Path
    is_clip: bool


@dataclass(frozen=True)
class PlausibleSuite:
    """Fitted bodies of people in ``ccp/photos`` and ``video``, judged by what must hold of any.

    Who is seen where is kept in the user's cache folder, so a second run with the same people stage
    takes a tenth of a second a case: the suite is for settings of the fit.

    Attributes:
        photos, clips: files.
        thunder: another network's keypoints.
        fit: from figure and camera to a body; that of the pipeline unless a test says otherwise.
    """

    photos: tuple[Path, ...]
    clips: tuple[Path, ...]
    thunder: Thunder
    fit: Callable[[Figure, Camera], Body] | None = None

    name = "plausible"
    ranking = "reprojection"
    concurrent = True
    metrics = (
        Metric("found", "person found"),
        Metric("reprojection", "joints off another network's / size", "", "lower", 4),
        Metric("off", "· joints off by more than .05", "", "lower"),
        Metric("swapped", "· left and right the other way round", "", "lower", 4),
        Metric("symmetry", "left and right bones differ, log", "", "lower"),
        Metric("outside", "body outside its matte", "", "lower"),
        Metric("floor_cm", "standing: feet differ in height", "cm", "lower", 2),
        Metric("balance_cm", "· centre of mass beside the feet", "cm", "lower", 2),
        Metric("knee_deg", "· bend of the straighter knee", "°", "neither", 1),
        Metric("limits_deg", "beyond the limits of joints", "°", "lower", 2),
        Metric("unusual", "distance from captured poses", "", "neither"),
        Metric("through_cm", "limbs through trunk and limbs", "cm", "lower", 2),
        Metric("shape_sd_cm", "clips: shape in successive frames, sd", "cm", "lower", 2),
        Metric("stature_sd_cm", "· stature, sd", "cm", "lower", 2),
        Metric(
            "wobble_mm", "· joints off those before and after, across the view", "mm", "lower", 1
        ),
        Metric("wobble_along_mm", "· along the view", "mm", "lower", 1),
    )

    @staticmethod
    def open(data: Path) -> PlausibleSuite:
        """The suite on ``data/ccp/photos`` (or ``data/photos``), ``data/video`` and
        ``data/weights``. Raises ``InputError`` where there are no pictures, or no Thunder."""
        folders = [data / "ccp" / "photos", data / "photos"]
        folder = next((one for one in folders if one.is_dir()), None)
        photos = [] if folder is None else images_in(folder)
        if len(photos) > _SCORED:
            photos = photos[_SCORED:]
        every = max(1, len(photos) // PHOTOGRAPHS)
        video = data / "video"
        clips = [] if not video.is_dir() else sorted(
            file for file in video.iterdir() if file.suffix.lower() in VIDEO_SUFFIXES
        )  # fmt: skip
        if not photos and not clips:
            raise InputError(
                f"The folder {data} holds no data for the suite plausible: "
                "it needs ccp/photos or video."
            )
        thunder = Thunder(data / "weights" / FILE)
        return PlausibleSuite(tuple(photos[::every][:PHOTOGRAPHS]), tuple(clips), thunder)

    def cases(self) -> Sequence[PlausibleCase]:
        """The clips, then the photographs."""
        return [
            *(PlausibleCase(f"clip-{file.stem}", file, True) for file in self.clips),
            *(PlausibleCase(file.stem, file, False) for file in self.photos),
        ]

    def run(self, case: PlausibleCase) -> Outcome:
        """Fit the largest person, of a clip in several frames, and judge the bodies."""
        numbers: list[dict[str, float]] = []
        pictures: tuple[Picture, ...] = ()
        rows: list[list[Body]] = []
        for pictured in _clip(case.file) if case.is_clip else [[_pixels(case.file)]]:
            row: list[Body] = []
            before: Figure | None = None
            for pixels in pictured:
                look = look_at(pixels, self.thunder)
                index = _who(look, before)
                if index is None:
                    break
                before = look.figures[index]
                row.append(self._fit(before, look.camera))
                numbers.append(judged(row[-1], before, look.camera, look.seen[index]))
                pictures = pictures or drawn(pixels, row[-1], before, look.camera)
            if row:
                rows.append(row)
        if not rows:
            return Outcome({"found": 0.0}, (), "Nobody was found.")
        keys = numbers[0]
        means = {key: _mean([one[key] for one in numbers]) for key in keys}
        steady = [steadiness(row) for row in rows if len(row) == _IN_A_ROW]
        for key in steady[0] if steady else ():
            means[key] = _mean([one[key] for one in steady])
        return Outcome({"found": 1.0, **means}, pictures)

    def _fit(self, figure: Figure, camera: Camera) -> Body:
        return (
            fit_body(body_model(), figure, camera) if self.fit is None else self.fit(figure, camera)
        )


def judged(body: Body, figure: Figure, camera: Camera, seen: np.ndarray) -> dict[str, float]:
    """All numbers of one body; ``seen``: (17, 3) keypoints of another network."""
    matte = figure.alpha.full() >= 128
    return {
        **agreement(coco_points(body), camera, seen, figure.size),
        "outside": outside(silhouette(body.as_mesh(), camera), matte),
        **stance(body),
        **anatomy(body),
    }


def drawn(pixels: np.ndarray, body: Body, figure: Figure, camera: Camera) -> tuple[Picture, ...]:
    """A body over its picture, and from both sides."""
    rows, columns = around(figure.alpha.full() >= 128)
    height, width = pixels.shape[:2]
    clay = render_mesh(body.as_mesh(), camera, width, height, mode="clay")
    over = np.where(clay[..., 3:] > 127, clay[..., :3], faded(pixels, 0.3))
    frame = framing_camera(body.as_mesh(), 200, 300)
    up = estimate_up([body], [1.0])
    views = []
    for degrees in (90, -90):
        view = turned(body.as_mesh(), degrees, up=up)
        paper = (255, 255, 255)
        tile = render_mesh(view, frame, 200, 300, mode="clay", background=paper, supersample=2)
        views.append(Picture(f"from the side, {degrees}°", tile[..., :3]))
    return (
        Picture("picture", resized(pixels[rows, columns], 300)),
        Picture("body", resized(np.ascontiguousarray(over[rows, columns]), 300)),
        *views,
    )


def _who(look: Look, before: Figure | None) -> int | None:
    """The largest person, or who was seen a frame before; None where nobody is."""
    if not look.figures:
        return None
    if before is None:
        return int(np.argmax([figure.size for figure in look.figures]))
    overlaps = [box_iou(before.box, figure.box) for figure in look.figures]
    best = int(np.argmax(overlaps))
    return best if overlaps[best] > _SAME else None


def _pixels(file: Path) -> np.ndarray:
    return load_photo(file).pixels


def _clip(file: Path) -> Iterator[list[np.ndarray]]:
    """Rows of successive frames from several places of a clip."""
    _, count = clip_length(file)
    starts = np.linspace(0, max(0, count - _IN_A_ROW), PLACES).astype(int)
    wanted = sorted({int(start) + k for start in starts for k in range(_IN_A_ROW)})
    frames = dict(frames_of(file, wanted))
    for start in sorted(set(starts.tolist())):
        yield [frames[start + k] for k in range(_IN_A_ROW) if start + k in frames]


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
