"""Which frame shows somebody best: large, sharp, whole, facing us, and with nothing before them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.body.model.model import BodyModel
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.video.clip import Clip, Frame
from vitruvian.video.looks import looks_of
from vitruvian.video.patches import ODD_LAB, colours_of_patches, patches_of, usual_colours
from vitruvian.video.tracking import Sighting, Track, spread_best

MOST_CANDIDATES = 16  # frames of a clip
WITNESSES = 2
_FACING = 0.8  # share of the worth that facing the camera adds
_OWN_COLOURS = 4  # power of the likeness to the usual colours
_PATCH_M = 0.04  # side of the patches of a body whose colours are compared
_ODD_SHARE = 0.03  # of the body that costs a factor of e
_CUT = 0.3  # worth of whom the upper edge of the picture cuts, hair at least


@dataclass(frozen=True, eq=False)
class Candidate:
    """A frame that may show somebody best.

    Attributes:
        clip: number of the clip.
        sighting: of them in it.
        worth: so far, without comparing colours of patches.
        colours: (P, 3) CIELAB of the patches of their body, NaN where they are not seen.
        pixels: (P,) how many pixels show each.
    """

    clip: int
    sighting: Sighting
    worth: float
    colours: np.ndarray
    pixels: np.ndarray


def best_sighting(sightings: Sequence[Sighting]) -> Sighting:
    """The one that shows somebody best, without a look at the pixels: whole, large, facing us."""
    return max(sightings, key=_worth)


def _worth(one: Sighting) -> float:
    figure = one.figure
    whole = 0.2 + 0.8 * min(max(figure.completeness, 0.0), 1.0)
    facing = 0.0
    if figure.estimate is not None:
        # The camera looks along +z, so who faces it looks along -z.
        facing = max(0.0, -float(figure.estimate.rotations[0, 2, 2]))
    sure = 1 - min(4 * figure.landmarks.disagreement, 0.8)
    return float(whole * sure * np.sqrt(figure.size) * (1 - _FACING + _FACING * facing**2))


def sharpness(frame: Frame, figure: Figure) -> float:
    """How sharp a figure is in its frame: the mean gradient inside of its matte, grey levels."""
    alpha = figure.alpha
    height, width = alpha.values.shape
    window = frame.pixels[alpha.y : alpha.y + height, alpha.x : alpha.x + width]
    grey = cv2.cvtColor(window, cv2.COLOR_RGB2GRAY)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    inside = cv2.erode(alpha.values, np.ones((5, 5), np.uint8)) > 200
    return float(edges[inside].mean()) if inside.any() else 0.0


def best_frames(
    clips: Sequence[Clip],
    cameras: Callable[[int, int], Camera],
    people: Sequence[Sequence[Track]],
    model: BodyModel,
    placed: Callable[[int, int, int], np.ndarray | None],
) -> list[list[tuple[int, Frame, Sighting]]]:
    """For each person the clip and the frame that show them best, and what was seen there; and
    behind that those of up to ``WITNESSES`` others that may be asked, too.

    Sharp, large, whole, facing the camera, and in the colours that they have in most frames: what
    passes before them, or is in their hands, is not theirs.

    Args:
        clips: of all cameras.
        cameras: tells the lens of a clip in a frame, by their numbers.
        people: of each the track in every clip, which may have no sightings.
        model: of the bodies.
        placed: tells the vertices (V, 3) of a person's body in a clip's frame, by their numbers,
            in its camera's frame; None where they are not known.
    """
    found: list[list[Candidate]] = [[] for _ in people]
    patches = patches_of(model, _PATCH_M)
    for which, clip in enumerate(clips):
        wanted: dict[int, list[tuple[int, Sighting]]] = {}
        for index, tracks in enumerate(people):
            for one in spread_best(tracks[which].sightings, MOST_CANDIDATES, _worth):
                wanted.setdefault(one.number, []).append((index, one))
        for frame in clip.frames(only=wanted.keys()) if wanted else ():
            for index, one in wanted.pop(frame.number, ()):
                usual = people[index][which].looks
                own = looks_of(frame.pixels, one.figure)
                like = np.nan if usual is None else usual.likeness(own)
                worth = _worth(one) * (1 + sharpness(frame, one.figure))
                worth *= 1.0 if np.isnan(like) else like**_OWN_COLOURS
                if one.figure.box[1] < 1:
                    worth *= _CUT
                if one.foreign is not None:
                    share = one.foreign.values.sum() / max(int(one.figure.alpha.values.sum()), 1)
                    worth *= np.exp(-share / _ODD_SHARE)
                vertices, camera = placed(index, which, one.number), cameras(which, one.number)
                seen = colours_of_patches(frame, one.figure, vertices, camera, model, patches)
                found[index].append(Candidate(which, one, float(worth), *seen))
            if not wanted:
                break
    chosen = [_best(candidates) for candidates in found]
    frames: dict[tuple[int, int], Frame] = {}
    for which, clip in enumerate(clips):
        numbers = {one.sighting.number for own in chosen for one in own if one.clip == which}
        for frame in clip.frames(only=numbers) if numbers else ():
            frames[which, frame.number] = frame
            if len(numbers) == sum(key[0] == which for key in frames):
                break
    return [
        [(one.clip, frames[one.clip, one.sighting.number], one.sighting) for one in own]
        for own in chosen
    ]


def _best(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The one of the greatest worth, less the more of the body is in colours unlike its usual, and
    those of the greatest worth among the others."""
    colours = np.stack([one.colours for one in candidates])
    pixels = np.stack([one.pixels for one in candidates])
    away = np.linalg.norm(colours - usual_colours(colours), axis=2)
    compared = np.isfinite(away)
    odd = (pixels * (compared & (np.nan_to_num(away) > ODD_LAB))).sum(1)
    odd = odd / np.maximum((pixels * compared).sum(1), 1)
    worths = np.array([one.worth for one in candidates]) * np.exp(-odd / _ODD_SHARE)
    best = candidates[int(worths.argmax())]
    others = sorted((one for one in candidates if one is not best), key=lambda one: -one.worth)
    return [best, *others[:WITNESSES]]
