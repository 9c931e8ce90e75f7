"""Does somebody have long hair? How far it falls and how wide it stands, told by the front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.avatar.skin import photographed_motion
from vitruvian.surface.envelope.inflate import smooth_over_mesh
from vitruvian.texture.back_of_head import seen_head
from vitruvian.texture.hair import find_hair
from vitruvian.texture.side_hair import to_and_fro
from vitruvian.texture.strands import continued
from vitruvian.texture.view import person_view
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import HEAD

_LEAST_FALL_M = 0.08  # below the chin: shorter hair stays on the head
_WIDEST_M = 0.15  # half of how wide it may be
_HEAD_M = 0.085  # half of how wide a head is
_WIDENS = 0.6  # at most so much to each side for a step down: more is fur, or what is behind
_RIM = 0.93  # of a row's hair, whose ends have something of what is behind
_FACE = 0.7  # weight from which on a vertex is of the face
_FACING = 0.5  # cosine between the face and the camera: turned away more, widths say little
_NECK_M = 0.08, 0.13  # from its line: within, and beyond which nothing is neck
_SMOOTHING = 6


@dataclass(frozen=True)
class LongHair:
    """Hair that hangs below the chin.

    Attributes:
        fall_m: how far.
        half_m: (N,) half of how wide it is, from the head's top to where it ends, a pixel apart.
        pixels: (h, w, 3) float32 sRGB, the head from behind.
        first, last: (h,) float32, columns between which each row has hair.
        chin: its row there; middle: the head's column; pixel_m: of one of its pixels.
        camera: of that window of the photograph.
    """

    fall_m: float
    half_m: np.ndarray
    pixels: np.ndarray
    first: np.ndarray
    last: np.ndarray
    chin: int
    middle: float
    pixel_m: float
    camera: Camera

    def half_at(self, below_m: np.ndarray) -> np.ndarray:
        """Half of its width (...), metres, so far below the chin."""
        at = self.fall_m - self.pixel_m * np.arange(len(self.half_m))[::-1]
        return np.asarray(np.interp(below_m, at, self.half_m))

    def colors(self, below_m: np.ndarray, across_m: np.ndarray) -> np.ndarray:
        """(R, A, 3) uint8 at places (R, A) below the chin and to the right of the middle; beyond
        the ends of a row of hair it goes to and fro."""
        return self._at(self.chin + below_m / self.pixel_m, self.middle + across_m / self.pixel_m)

    def colors_before(self, points: np.ndarray) -> np.ndarray:
        """(R, A, 3) uint8 where the picture shows points (R, A, 3), camera frame, likewise."""
        columns, rows = self.camera.project(points.reshape(-1, 3)).reshape(*points.shape[:2], 2).T
        return self._at(rows.T, columns.T)

    def _at(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        y = np.rint(np.clip(rows, *self._rows)).astype(int)
        x = to_and_fro(columns, self.first[y], self.last[y])
        return self.pixels[y, np.rint(x).astype(int)].round().astype(np.uint8)

    @property
    def _rows(self) -> tuple[int, int]:
        rows = np.flatnonzero(self.last > self.first)
        return int(rows[0]), int(rows[-1])


def find_long_hair(photo: Photo, figure: Figure, body: Body, sculpture: Mesh) -> LongHair | None:
    """None where hair ends above the shoulders, or the picture does not tell.

    Args:
        photo: the picture.
        figure: the person's matte.
        body: fitted, camera frame.
        sculpture: the surface that the photograph shows, camera frame.
    """
    model, beneath = body.model, sculpture.body_vertices
    if beneath is None or _facing(body) < _FACING:
        return None
    regions = model.regions
    view = person_view(photo, figure.alpha, sculpture, regions.part[beneath])
    there = None if view is None else seen_head(view, regions.face[beneath])
    if view is None or there is None:
        return None
    head = there.head
    hair = find_hair(head)
    if hair is None:
        return None
    ended = np.flatnonzero(~hair.behind[head.chin :].any(1))
    rows = len(head.mask) - head.chin if len(ended) == 0 else int(ended[0])
    distance = float(np.median(sculpture.vertices[regions.part[beneath] == HEAD, 2]))
    pixel_m = distance / view.camera.focal_px / there.scale
    if rows * pixel_m < _LEAST_FALL_M:
        return None
    drawn, *_ = continued(head.pixels, hair.seen, hair.trust, head.height)
    found = hair.behind.any(1)
    first = np.where(found, hair.behind.argmax(1), 0)
    last = np.where(found, hair.behind.shape[1] - 1 - hair.behind[:, ::-1].argmax(1), 0)
    # What one side alone shows is not behind.
    half = np.minimum(head.middle - first, last - head.middle)[: head.chin + rows] * pixel_m
    middle, reach = (first + last) / 2, _RIM * (last - first) / 2
    return LongHair(
        rows * pixel_m,
        _gently_wider(np.maximum(half, 0), _WIDENS * pixel_m),
        drawn,
        (middle - reach).astype(np.float32),
        (middle + reach).astype(np.float32),
        head.chin,
        head.middle,
        pixel_m,
        view.camera.window(
            there.window[1].start,
            there.window[0].start,
            there.scale,
            head.mask.shape[1],
            head.mask.shape[0],
        ),
    )


def _gently_wider(half: np.ndarray, most: float) -> np.ndarray:
    """Widths (N,) from the top down that grow by at most so much from one to the next."""
    row = np.arange(len(half))
    narrowest = np.minimum.accumulate(half - most * row) + most * row
    from_widest_above = np.maximum(narrowest, np.minimum(half, _HEAD_M))
    return np.asarray(np.minimum(from_widest_above, _WIDEST_M))


def _facing(body: Body) -> float:
    head = body.model.joint_index["head"]
    face = photographed_motion(body).rotations[head] @ [0, 0, 1]
    toward = -body.joints[head]
    return float(face @ toward / np.linalg.norm(toward))


def ears_and_chin(model: ParametricModel, vertices: np.ndarray) -> tuple[np.ndarray, float]:
    """The place (3,) between the ears, and the height of the chin, of a body (V, 3) at rest."""
    face = (model.regions.face > _FACE) & (model.components == 0)
    above = (model.regions.part == HEAD) & (model.components == 0)
    above &= model.template[:, 1] > model.template[face, 1].min()
    head = np.flatnonzero(above)
    across = model.template[head, 0]
    ears = head[[across.argmin(), across.argmax()]]  # where a head is widest
    return vertices[ears].mean(0), float(vertices[face, 1].min())


def nape(body: Body) -> np.ndarray:
    """(V,) float32 0..1, the back of the neck, which long hair hides: bare beneath."""
    model = body.model
    vertices, joints = body.rest()
    ears, chin = ears_and_chin(model, vertices)
    base = joints[model.joint_index["neck01"]]
    x, y, z = vertices.T
    down = np.clip((ears[1] - y) / max(ears[1] - chin, 1e-3), 0, 1)
    down *= np.clip((y - base[1] + 0.03) / 0.05, 0, 1)
    away = np.hypot(x - base[0], z - base[2])
    near = np.clip((_NECK_M[1] - away) / (_NECK_M[1] - _NECK_M[0]), 0, 1)
    behind = np.clip((base[2] + 0.02 - z) / 0.03, 0, 1)
    share = down * near * behind * (1 - model.regions.face) * (model.components == 0)
    return smooth_over_mesh(share[:, None].astype(np.float32), model.regions.edges, _SMOOTHING)[
        :, 0
    ]
