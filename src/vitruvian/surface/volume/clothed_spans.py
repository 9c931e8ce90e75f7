"""Where the rays of a window are inside a clothed person."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vitruvian.compute import SideBySide
from vitruvian.surface.maps import SurfaceMaps, figure_box, window_alpha
from vitruvian.surface.volume.completion import complete_spans, put_surfaces, trusted_matte
from vitruvian.surface.volume.drape import Hidden, draped, hidden_pixels
from vitruvian.surface.volume.frame_cut import frame_distance, rays_at
from vitruvian.surface.volume.joined_legs import joined_down_to
from vitruvian.surface.volume.normal_integration import integrate_normals
from vitruvian.surface.volume.ray_spans import Spans, ray_spans, without_gaps
from vitruvian.surface.volume.things import Things, things_of, with_things
from vitruvian.types.body import ParametricModel
from vitruvian.types.camera import Camera
from vitruvian.types.carried import Carried
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh

RAYS = 2  # to the voxel, along either side of the picture
MARGIN = 6  # voxels around the figure
_OUTLINE_SMOOTHING_M = 0.008


@dataclass(frozen=True)
class ClothedSpans:
    """Where rays are inside a clothed person.

    Attributes:
        spans: along the rays of ``window``.
        figure: (H, W) bool, the pixels that show the person.
        window: of the photograph, around the figure.
        pixel_m: metres per pixel at the body.
        frame_m: (H, W) float32, how far each ray is inside the frame at which the person ends,
            metres; None where they go on.
        joined: how far down the legs cloth joins them, see ``joined_legs``; None where that cannot
            be told.
    """

    spans: Spans
    figure: np.ndarray
    window: Camera
    pixel_m: float
    frame_m: np.ndarray | None = None
    joined: float | None = None

    @property
    def rim_m(self) -> np.ndarray:
        """(H, W) float32 distance to the outline, metres, positive inside."""
        rim = outline_distance(self.figure, self.pixel_m)
        return rim if self.frame_m is None else np.minimum(rim, self.frame_m)


def clothed_spans(
    model: ParametricModel,
    body: Mesh,
    alpha: Alpha,
    camera: Camera,
    maps: SurfaceMaps | None,
    voxels: int,
    *,
    fitted: Mesh | None = None,
    framed: bool = False,
    beyond: np.ndarray | None = None,
    carried: Carried | None = None,
) -> ClothedSpans | None:
    """The first two steps of ``clothed_mesh``, which has the same arguments.

    ``framed`` ends the person at the photograph's frame; ``beyond`` (V,) bool are vertices outside
    of it, wherever the body has them. None where neither body nor matte covers anything of the
    picture.
    """
    window = working_camera(body, alpha, camera, voxels, framed=framed)
    spans = ray_spans(body, window, _skull(model))
    if not spans.mask.any():
        return None
    pixel_m = float(np.median(body.vertices[:, 2])) / window.focal_px
    matte = window_alpha(alpha, camera, window)
    # A matte's edge wavers by a pixel or two of its network; a limb with that in its outline is
    # knobbly all round.
    matte = cv2.GaussianBlur(matte, (0, 0), _OUTLINE_SMOOTHING_M / pixel_m) > 0.5
    inside = frame_distance(window, camera, pixel_m)
    if not framed:  # beyond the photograph the matte would go on as at its border
        matte = np.where(inside > 0, matte, spans.mask)
    absent = None if beyond is None else rays_at(beyond, body, window)
    figure = trusted_matte(matte, spans.mask, pixel_m, absent)
    things = None
    if carried is not None:
        things = things_of(carried.seen_by(window), spans.mask, figure)
    person = figure if things is None else figure & ~things.beside
    hidden, joined = None, None
    if maps is not None:
        joined = joined_down_to(model, fitted or body, maps, person, window)
    if fitted is not None:
        hidden = hidden_pixels(model, body, fitted, person, window, pixel_m, joined)
    full = person_spans(spans, person, hidden, window, pixel_m, maps, things)
    if not full.mask.any():
        return None
    return ClothedSpans(full, figure, window, pixel_m, inside if framed else None, joined)


@lru_cache(maxsize=4)
def _skull(model: ParametricModel) -> np.ndarray:
    """(F,) int16, 1 for the body's faces that are of the head alone, in it and on it."""
    return model.regions.skull[model.faces].all(1).astype(np.int16)


def working_camera(
    body: Mesh, alpha: Alpha, camera: Camera, voxels: int, *, framed: bool = False
) -> Camera:
    """The window around a figure in which its volume is built, ``RAYS`` rays to the voxel."""
    low, high = figure_box(body, alpha, camera, framed=framed)
    scale = RAYS * voxels / float((high - low).max())
    size = np.ceil((high - low) * scale / RAYS).astype(int) + 2 * MARGIN
    x, y = low - MARGIN * RAYS / scale
    return camera.window(float(x), float(y), scale, RAYS * int(size[0]), RAYS * int(size[1]))


def person_spans(
    spans: Spans,
    figure: np.ndarray,
    hidden: Hidden | None,
    window: Camera,
    pixel_m: float,
    maps: SurfaceMaps | None,
    things: Things | None = None,
) -> Spans:
    """Where rays are inside the clothed person whom the pixels ``figure`` (H, W) bool show, and
    inside the ``things`` beside them."""
    full = complete_spans(spans, figure, pixel_m)
    first, last = full.front, full.back
    if hidden is not None:
        first, last = draped(full, hidden, outline_distance(figure, pixel_m), pixel_m)
        full = without_gaps(full, hidden.skirt)
    if things is not None:
        full, first, last = with_things(full, first, last, things, pixel_m)
    if maps is None:
        plain = hidden is None and things is None
        return full if plain else put_surfaces(full, first, last, pixel_m)

    def side(own: np.ndarray, normals: np.ndarray) -> np.ndarray:
        rough = np.where(full.mask, own, np.float32(np.inf))
        return integrate_normals(rough, normals, window, pixel_m)

    with SideBySide() as pool:
        behind = pool.submit(side, last, maps.resampled(maps.back_normals, window))
        front = side(first, maps.resampled(maps.front_normals, window))
        back = behind.result()
    return put_surfaces(full, front, back, pixel_m)


def outline_distance(figure: np.ndarray, pixel_m: float) -> np.ndarray:
    """(H, W) float32 signed distance to the figure's outline, metres, positive inside."""
    inside = cv2.distanceTransform(figure.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~figure).astype(np.uint8), cv2.DIST_L2, 5)
    # Centres of pixels on either side of an edge are half a pixel from it.
    return (np.where(figure, inside - 0.5, 0.5 - outside) * pixel_m).astype(np.float32)
