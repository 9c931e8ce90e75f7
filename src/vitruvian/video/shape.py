"""One shape and stature for a whole track, from the frames that show somebody best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitruvian.body.fit.fit import fit_views
from vitruvian.body.fit.kind import Kind, believed_kind, tells_build
from vitruvian.body.fit.views import View
from vitruvian.body.model.model import BodyModel, body_model
from vitruvian.compute.processes import Crew, Tick
from vitruvian.compute.threads import one_blas_thread
from vitruvian.video.eyes import Eyes
from vitruvian.video.tracking import Sighting, Track, spread_best

MOST_LOOKS = 9
_LEAST_WORTH = 0.4  # of the best: who kneels half of the time is measured where they stand
_SAME_STATURE = 0.05  # relative distance from the median beyond which a look is left out


def telling(tracks: Sequence[Track], most: int = MOST_LOOKS) -> list[list[tuple[int, Sighting]]]:
    """The frames that show somebody best, spread over the whole clip, with every camera's sight.

    Where they are seen much worse for a while, none is taken from there.

    Args:
        tracks: of one person, from each camera.
        most: how many frames.
    """
    frames: dict[int, list[tuple[int, Sighting]]] = {}
    for which, track in enumerate(tracks):
        for one in track.sightings:
            frames.setdefault(one.number, []).append((which, one))
    seen = [frames[number] for number in sorted(frames)]

    def worth(sights: Sequence[tuple[int, Sighting]]) -> float:
        return sum(_worth(one) for _, one in sights)

    best = spread_best(seen, most, worth)
    least = _LEAST_WORTH * max((worth(sights) for sights in best), default=0.0)
    return [sights for sights in best if worth(sights) >= least]


def _worth(one: Sighting) -> float:
    figure = one.figure
    whole = 0.3 + 0.7 * min(max(figure.completeness, 0.0), 1.0)
    face = 1.2 if figure.face is not None else 1.0
    sure = 1 - min(4 * figure.landmarks.disagreement, 0.8)
    built = 1.0 if figure.estimate is None else 0.3 + 0.7 * tells_build(figure.estimate)
    return float(whole * face * sure * built * np.sqrt(figure.size))


def kind_of_tracks(tracks: Sequence[Track]) -> Kind | None:
    """What kind of person all frames together say somebody is; one for the whole clip.

    Those that were looked at in passing are not asked: from a single pass of the landmarks' network
    the guess is another one more often.
    """
    seen = [one for track in tracks for one in track.sightings]
    careful = [one for one in seen if one.careful] or seen
    figures = [one.figure for one in careful]
    return believed_kind(
        [figure.estimate for figure in figures if figure.estimate is not None],
        [figure.face for figure in figures if figure.face is not None],
    )


def shape_of(
    model: BodyModel,
    tracks: Sequence[Track],
    eyes: Eyes,
    *,
    height_m: float | None = None,
    crew: Crew | None = None,
) -> np.ndarray:
    """The shape (K,) that all frames of somebody share.

    The mean over single frames' fits near the median stature. One fit to many frames would take
    the errors that all of them share for evidence, the more so the more frames there are.

    Args:
        model: of the body.
        tracks: of the person, from each camera.
        eyes: the cameras.
        height_m: stature where it was given.
        crew: fits the frames.
    """
    kind = kind_of_tracks(tracks)
    looks = [
        Look(
            tuple(eyes.view(which, one.figure, one.number, kind=kind) for which, one in sights),
            height_m,
        )
        for sights in telling(tracks)
    ]
    bodies = list((crew or Crew()).map(fit_look, looks))
    statures = np.array([stature for stature, _ in bodies])
    middle = float(np.median(statures))
    near = [betas for stature, betas in bodies if abs(stature / middle - 1) <= _SAME_STATURE]
    betas = np.mean(near, axis=0)
    # On the median stature exactly: the mean is at the mercy of the last outliers.
    slope = model.stature_gradient[: len(betas)]
    return np.asarray(betas + slope * (middle - model.stature(betas)) / float(slope @ slope))


@dataclass(frozen=True, eq=False)
class Look:
    """One moment of somebody, from every camera, and their stature where it was given."""

    views: tuple[View, ...]
    height_m: float | None


def fit_look(look: Look, tick: Tick) -> tuple[float, np.ndarray]:
    """Stature, metres, and betas (K,) of the body that a moment shows."""
    with one_blas_thread():
        body, *_ = fit_views(body_model(), look.views, height_m=look.height_m)
    return body.height_m, body.betas
