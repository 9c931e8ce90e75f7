"""What somebody in a clip looks like: an avatar from the frame that shows them best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from vitruvian.body.fit.fit import fit_body
from vitruvian.body.model.model import BodyModel
from vitruvian.networks.nanodet import box_iou
from vitruvian.options import Options
from vitruvian.pipeline.stages import animate, dress, find, paint
from vitruvian.types.avatar import Avatar
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.photo import Photo
from vitruvian.video.clip import Clip, Frame
from vitruvian.video.looks import looks_of
from vitruvian.video.tracking import Sighting, Track, spread_best

MOST_CANDIDATES = 8
_FACING = 0.5  # share of the worth that facing the camera adds
_OWN_COLOURS = 4  # power of the likeness to the usual colours
_SAME = 0.5  # IoU of boxes of one person in one frame


def candidates(sightings: Sequence[Sighting]) -> list[Sighting]:
    """Sightings that may show somebody best, spread over the clip: whole, large, facing us."""
    return spread_best(sightings, MOST_CANDIDATES, _worth)


def _worth(one: Sighting) -> float:
    figure = one.figure
    whole = 0.2 + 0.8 * min(max(figure.completeness, 0.0), 1.0)
    facing = 0.0
    if figure.estimate is not None:
        # The camera looks along +z, so who faces it looks along -z.
        facing = max(0.0, -float(figure.estimate.rotations[0, 2, 2]))
    sure = 1 - min(4 * figure.landmarks.disagreement, 0.8)
    return float(whole * sure * np.sqrt(figure.size) * (1 - _FACING + _FACING * facing))


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
    clips: Sequence[Clip], people: Sequence[Sequence[Track]]
) -> list[tuple[int, Frame, Sighting]]:
    """For each person the clip and the frame that show them best, and what was seen there.

    Sharp, large, whole, facing the camera, and in the colours that they have in most frames: what
    passes in front of them is not theirs.

    Args:
        clips: of all cameras.
        people: of each the track in every clip, which may have no sightings.
    """
    best: dict[int, tuple[float, int, Frame, Sighting]] = {}
    for which, clip in enumerate(clips):
        wanted: dict[int, list[tuple[int, Sighting]]] = {}
        for index, tracks in enumerate(people):
            for one in candidates(tracks[which].sightings):
                wanted.setdefault(one.number, []).append((index, one))
        for frame in clip.frames(only=wanted.keys()) if wanted else ():
            for index, one in wanted.pop(frame.number, ()):
                worth = _worth(one) * (1 + sharpness(frame, one.figure))
                usual = people[index][which].looks
                own = looks_of(frame.pixels, one.figure)
                like = np.nan if usual is None else usual.likeness(own)
                worth *= 1.0 if np.isnan(like) else like**_OWN_COLOURS
                if index not in best or worth > best[index][0]:
                    best[index] = worth, which, frame, one
            if not wanted:
                break
    return [best[index][1:] for index in range(len(people))]


def avatar_of(
    model: BodyModel,
    frame: Frame,
    figure: Figure,
    camera: Camera,
    betas: np.ndarray,
    options: Options,
) -> tuple[Avatar, Body]:
    """The avatar of somebody as a frame shows them, and the body under it, camera frame.

    The frame is taken for a photograph, so whatever makes those better does this, too.

    Args:
        model: of the body.
        frame, figure: the frame and the person in it.
        camera: of the clip.
        betas: (K,) of the person; the body has this shape.
        options: of the photograph.
    """
    photo = frame.as_photo(camera)
    figure = _looked_at_again(photo, figure)
    body = fit_body(model, figure, camera, height_m=model.stature(betas))
    body = _with_shape(model, body, betas)
    mesh = dress(photo, figure, body, options)
    if options.texture:
        mesh = paint(photo, figure, body, mesh)
    return animate(photo, figure, body, mesh, options), body


def best_sighting(sightings: Sequence[Sighting]) -> Sighting:
    """The one that shows somebody best, without a look at the pixels: whole, large, facing us."""
    return max(sightings, key=_worth)


def bare_avatar_of(
    model: BodyModel, figure: Figure, camera: Camera, betas: np.ndarray
) -> tuple[Avatar, Body]:
    """Somebody's body as an avatar without clothes, hair and colours, and the body in the frame.

    Arguments as of ``avatar_of``.
    """
    body = fit_body(model, figure, camera, height_m=model.stature(betas))
    body = _with_shape(model, body, betas)
    vertices, _ = body.rest()
    mesh = replace(body.as_mesh(), vertices=vertices, frame="body")
    return Avatar(mesh, np.zeros(len(mesh.faces), np.uint8)), body


def _with_shape(model: BodyModel, body: Body, betas: np.ndarray) -> Body:
    posed = model.forward(betas, body.pose, body.translation, face=body.face)
    return replace(body, betas=betas, vertices=posed.vertices, joints=posed.joints)


def _looked_at_again(photo: Photo, figure: Figure) -> Figure:
    """The figure as a photograph's, with the care that single frames of a clip do not get."""
    found = find(photo).figures
    best = max(found, key=lambda one: box_iou(one.box, figure.box), default=None)
    if best is None or box_iou(best.box, figure.box) < _SAME:
        return figure
    return best
