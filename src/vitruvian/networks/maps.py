"""The maps network: crop, coarse mask and fitted body to alpha, normals, depth, colour, parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vitruvian.geometry.normals import unit_normals, vertex_normals
from vitruvian.geometry.rasterizer import Fragments, rasterize_both
from vitruvian.networks.session import run, shipped, trained_session
from vitruvian.types.camera import Camera
from vitruvian.types.mesh import Mesh

SIZE = 512
MARGIN = 1.12  # side of the crop per greater side of the person's box
GREY = 127  # of the crop beyond the picture
STRIDE = 32  # sides of the network's input are multiples of it
_AROUND = 24 / 512  # of the square, of the picture around a person that the network looks at
# What ``parts`` tells apart.
PART_CLASSES = (
    "background", "skin", "hair", "top", "bottom", "dress", "coat", "shoes", "accessory", "bag",
)  # fmt: skip
INPUT_CHANNELS = 14
OUTPUTS = (
    "alpha", "whole", "front_normals", "back_normals", "depth_offsets", "back_color", "parts",
)  # fmt: skip


@dataclass(frozen=True)
class MapsCrop:
    """A square window of a picture, resized to the network's input.

    Attributes:
        x, y: left and top in whole pixels of the picture; may lie outside of it.
        side: in pixels of the picture.
        size: side after resizing.
    """

    x: int
    y: int
    side: int
    size: int = SIZE

    @property
    def scale(self) -> float:
        """Pixels of the crop per pixel of the picture."""
        return self.size / self.side

    def extract(self, picture: np.ndarray, fill: float = 0, *, nearest: bool = False) -> np.ndarray:
        """The window of a picture (H, W) or (H, W, C), resized; ``fill`` beyond its edges."""
        height, width = picture.shape[:2]
        x0, y0 = max(self.x, 0), max(self.y, 0)
        x1, y1 = min(self.x + self.side, width), min(self.y + self.side, height)
        window = np.full((self.side, self.side, *picture.shape[2:]), fill, picture.dtype)
        if x1 > x0 and y1 > y0:
            window[y0 - self.y : y1 - self.y, x0 - self.x : x1 - self.x] = picture[y0:y1, x0:x1]
        if self.side == self.size:
            return window
        mode = cv2.INTER_NEAREST_EXACT if nearest else self._mode
        return cv2.resize(window, (self.size, self.size), interpolation=mode)

    @property
    def _mode(self) -> int:
        return cv2.INTER_AREA if self.scale < 1 else cv2.INTER_LINEAR

    def inside(self, width: int, height: int) -> np.ndarray:
        """(S, S) bool: where the crop lies in a picture of this size."""
        places = (np.arange(self.size) + 0.5) / self.scale
        columns, rows = self.x + places, self.y + places
        across = (columns >= 0) & (columns < width)
        return across & ((rows >= 0) & (rows < height))[:, None]

    def insert(self, values: np.ndarray, width: int, height: int) -> np.ndarray:
        """Values (S, S) or (S, S, C) of the crop in the picture; 0 beyond the crop."""
        out = np.zeros((height, width, *values.shape[2:]), values.dtype)
        x0, y0 = max(self.x, 0), max(self.y, 0)
        x1, y1 = min(self.x + self.side, width), min(self.y + self.side, height)
        if x1 > x0 and y1 > y0:
            mode = cv2.INTER_AREA if self.scale > 1 else cv2.INTER_LINEAR
            window = cv2.resize(values, (self.side, self.side), interpolation=mode)
            out[y0:y1, x0:x1] = window[y0 - self.y : y1 - self.y, x0 - self.x : x1 - self.x]
        return out

    def camera(self, camera: Camera) -> Camera:
        """The camera of the crop, from that of the picture."""
        return camera.window(self.x, self.y, self.scale, self.size, self.size)

    @staticmethod
    def around(low: np.ndarray, high: np.ndarray, size: int = SIZE) -> MapsCrop:
        """The crop that holds a box, from its corners (2,) in pixels, with a margin."""
        side = max(round(float(np.max(high - low)) * MARGIN), 8)
        x, y = np.round((np.asarray(low) + high) / 2 - side / 2).astype(int)
        return MapsCrop(int(x), int(y), side, size)


def person_crop(
    vertices: np.ndarray, camera: Camera, mask: np.ndarray, size: int = SIZE
) -> MapsCrop:
    """The crop of a person, from the body's vertices (V, 3) in the camera frame and the mask
    (H, W) uint8 of the picture."""
    pixels = camera.project(np.where(vertices[:, 2:] > 0.1, vertices, [0.0, 0.0, 1.0]))
    shape = np.array([mask.shape[1], mask.shape[0]])
    # A body that reaches out of the picture says where it is cut, not how far it goes on.
    pixels = np.clip(pixels, -0.1 * shape, 1.1 * shape)
    low, high = pixels.min(0), pixels.max(0)
    rows, columns = np.flatnonzero((mask > 127).any(1)), np.flatnonzero((mask > 127).any(0))
    if len(rows):
        low = np.minimum(low, [columns[0], rows[0]])
        high = np.maximum(high, [columns[-1] + 1, rows[-1] + 1])
    return MapsCrop.around(low, high, size)


def occupied(points: np.ndarray, mask: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns of a square (S, S) that hold body points (V, 2) and mask (S, S) uint8,
    with a margin; as many as the network takes. Somebody who stands is in half of the square."""
    size, margin = len(mask), _AROUND * len(mask)
    out = []
    for axis in (1, 0):
        shown = np.flatnonzero((mask > 127).any(axis))
        low, high = points[:, axis].min(), points[:, axis].max()
        if len(shown):
            low, high = min(low, shown[0]), max(high, shown[-1] + 1)
        low, high = max(low - margin, 0), min(high + margin, size)
        length = min(-(-max(int(np.ceil(high - low)), 1) // STRIDE) * STRIDE, size)
        start = int(np.clip(round((low + high - length) / 2), 0, size - length))
        out.append(slice(start, start + length))
    return out[0], out[1]


@dataclass(frozen=True)
class BodyMaps:
    """The fitted body, drawn from the camera.

    Attributes:
        front_normals, back_normals: (S, S, 3) float32 unit normals, camera frame, of the nearest
            and the farthest surface; 0 beside the body.
        front_depth, back_depth: (S, S) float32, behind the root joint, in units of the stature;
            carried on smoothly beside the body.
        front, back: (S, S), the faces that those are of.
    """

    front_normals: np.ndarray
    back_normals: np.ndarray
    front_depth: np.ndarray
    back_depth: np.ndarray
    front: Fragments
    back: Fragments

    @property
    def covered(self) -> np.ndarray:
        """(S, S) bool, where the body is."""
        return self.front.mask

    def __getitem__(self, part: tuple[slice, slice]) -> BodyMaps:
        """Some rows and columns of it."""
        front, back = (
            Fragments(one.face[part], one.depth[part], one.barycentric[part])
            for one in (self.front, self.back)
        )
        normals = self.front_normals[part], self.back_normals[part]
        return BodyMaps(*normals, self.front_depth[part], self.back_depth[part], front, back)


def draw_body(
    vertices: np.ndarray,
    faces: np.ndarray,
    normals: np.ndarray,
    camera: Camera,
    root_depth: float,
    stature: float,
) -> BodyMaps:
    """Draw a body in the camera frame.

    Args:
        vertices: (V, 3) metres; faces: (F, 3); normals: (V, 3).
        camera: of the crop.
        root_depth: z of the root joint, metres.
        stature: metres.
    """
    z = vertices[:, 2].astype(np.float32)
    before = z > 0.05  # of the camera
    pixels = camera.project(np.where(before[:, None], vertices, [0.0, 0.0, 1.0]))
    near, far = rasterize_both(pixels, np.where(before, z, 0), faces, camera.width, camera.height)
    covered = near.mask
    depths = np.zeros((*covered.shape, 2), np.float32)
    for side, one in enumerate((near, far)):
        depths[..., side] = np.where(covered, (one.depth - root_depth) / stature, 0)
    front, back = (_unit(one, normals, faces) for one in (near, far))
    filled = carried_on(depths, covered)
    return BodyMaps(front, back, filled[..., 0], filled[..., 1], near, far)


def _unit(fragments: Fragments, normals: np.ndarray, faces: np.ndarray) -> np.ndarray:
    return unit_normals(fragments.interpolate(normals, faces))


def carried_on(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Values (H, W, C) with those beyond ``known`` (H, W) filled in from coarser and coarser means.

    Nothing known gives 0. The method is the pull-push of Gortler et al., "The Lumigraph" (1996).
    """
    weight = known.astype(np.float32)
    levels: list[tuple[np.ndarray, np.ndarray]] = [(values * weight[..., None], weight)]
    while max(levels[-1][1].shape) > 1:
        sums, counts = levels[-1]
        size = (max(1, (sums.shape[1] + 1) // 2), max(1, (sums.shape[0] + 1) // 2))
        small = cv2.resize(sums, size, interpolation=cv2.INTER_AREA)
        counted = cv2.resize(counts, size, interpolation=cv2.INTER_AREA)
        levels.append((small.reshape(*counted.shape, -1), counted))
    sums, counts = levels[-1]
    out = sums / np.maximum(counts, 1e-9)[..., None]
    for sums, counts in reversed(levels[:-1]):
        size = (sums.shape[1], sums.shape[0])
        raised = cv2.resize(out, size, interpolation=cv2.INTER_LINEAR).reshape(sums.shape)
        if counts is weight:  # of the finest all is known or nothing
            raised[known] = values[known]
            return raised
        mean = sums / np.maximum(counts, 1e-9)[..., None]
        share = np.minimum(counts, 1)[..., None]
        out = share * mean + (1 - share) * raised
    return out


def network_input(
    rgb: np.ndarray, mask: np.ndarray, body: BodyMaps | None, inside: np.ndarray
) -> np.ndarray:
    """The (14, S, S) float32 input of the network.

    Channels: RGB of about -1..1, the mask 0..1 (.5 says nothing), the body's front normals, its
    back normals, its front and back depth, where it is, where the picture is.

    Args:
        rgb: (S, S, 3) uint8; mask: (S, S) uint8; inside: (S, S) bool or 0..1.
        body: None for a body that is not known.
    """
    out = np.zeros((INPUT_CHANNELS, *mask.shape), np.float32)
    out[:3] = (rgb.transpose(2, 0, 1).astype(np.float32) - GREY) / 128
    out[:3] *= inside
    out[3] = mask.astype(np.float32) / 255
    if body is not None:
        out[4:7] = body.front_normals.transpose(2, 0, 1)
        out[7:10] = body.back_normals.transpose(2, 0, 1)
        out[10], out[11] = body.front_depth, body.back_depth
        out[12] = body.covered
    out[13] = inside
    return out


@dataclass(frozen=True)
class PersonMaps:
    """What the network says of one person, in the pixels of the crop.

    Attributes:
        crop: where in the picture.
        alpha: (S, S) float32 0..1, the visible share of this person.
        whole: (S, S) float32 0..1, their outline were nothing before them.
        front_normals, back_normals: (S, S, 3) float32 unit normals, camera frame, of the nearest
            and the farthest surface (the latter look away from the camera).
        front_depth, back_depth: (S, S) float32 behind the root joint, in units of the stature.
        back_color: (S, S, 3) float32 sRGB 0..1, as under the light of the picture.
        parts: (S, S) uint8 index into ``PART_CLASSES``.
    """

    crop: MapsCrop
    alpha: np.ndarray
    whole: np.ndarray
    front_normals: np.ndarray
    back_normals: np.ndarray
    front_depth: np.ndarray
    back_depth: np.ndarray
    back_color: np.ndarray
    parts: np.ndarray


class MapsNetwork:
    """Our own network on an EfficientNet-Lite0 encoder, see ``docs/training.md``.

    Input: (1, 14, H, W) float32, see :func:`network_input`; H and W multiples of 32, 512 by
    default. Outputs (1, C, H, W) float32: ``alpha`` and ``whole`` probabilities, ``front_normals``
    and ``back_normals`` of unit length, ``depth_offsets`` from the body's front and back depth,
    ``back_color`` 0..1, ``parts`` logits of ``PART_CLASSES``.
    """

    name = "maps"

    @classmethod
    def available(cls) -> bool:
        """Whether the weights are there; without them surfaces take the body's relief."""
        return shipped(cls.name)

    def __init__(self, file: Path | None = None) -> None:
        """Args: file: another ONNX file than the shipped one, such as one just trained."""
        self._session = None if file is None else trained_session(file)

    def person(
        self,
        pixels: np.ndarray,
        camera: Camera,
        mask: np.ndarray,
        body: Mesh,
        root_depth: float,
        stature: float,
        size: int = SIZE,
    ) -> tuple[PersonMaps, BodyMaps]:
        """Cut a person out of a picture and run on that; also returns the drawn body.

        The network looks at what the person occupies of the square; what lies beyond is nothing:
        0, and the body's depth.

        Args:
            pixels: (H, W, 3) uint8 sRGB; mask: (H, W) uint8, this person's.
            camera: of the picture.
            body: the fitted body, camera frame.
            root_depth: z of its root joint, metres; stature: metres.
            size: side of the network's input.
        """
        crop = person_crop(body.vertices, camera, mask, size)
        normals = vertex_normals(body.vertices, body.faces)
        drawn = draw_body(
            body.vertices, body.faces, normals, crop.camera(camera), root_depth, stature
        )
        mask_in = crop.extract(mask)
        part = occupied(crop.camera(camera).project(body.vertices), mask_in)
        inside = crop.inside(mask.shape[1], mask.shape[0])[part]
        seen = crop.extract(pixels, GREY)[part], mask_in[part]
        found = self._outputs(network_input(*seen, drawn[part], inside), OUTPUTS)
        outputs = []
        for one in found:
            outputs.append(np.zeros((1, one.shape[1], size, size), np.float32))
            outputs[-1][:, :, part[0], part[1]] = one
        return self.postprocess(outputs, drawn, crop), drawn

    def __call__(
        self, rgb: np.ndarray, mask: np.ndarray, body: BodyMaps | None, crop: MapsCrop,
        inside: np.ndarray | None = None,
    ) -> PersonMaps:  # fmt: skip
        """Run on a crop.

        Args:
            rgb: (S, S, 3) uint8; mask: (S, S) uint8, the coarse mask of this person.
            body: the fitted body, drawn by the crop's camera.
            crop: kept in the result.
            inside: (S, S), where the crop lies in the picture; everywhere by default.
        """
        size = mask.shape[0]
        if rgb.shape != (size, size, 3) or mask.shape != (size, size) or size % STRIDE:
            raise ValueError(f"expected a square crop of 32 n pixels, got {rgb.shape}")
        inside = np.ones_like(mask, bool) if inside is None else inside
        outputs = self._outputs(network_input(rgb, mask, body, inside), OUTPUTS)
        return self.postprocess(outputs, body, crop)

    def _outputs(self, inputs: np.ndarray, wanted: tuple[str, ...]) -> list[np.ndarray]:
        if self._session is None:
            return run(self.name, inputs[None], wanted)
        found: list[np.ndarray] = self._session.run(list(wanted), {"inputs": inputs[None]})
        return found

    def normals(
        self, rgb: np.ndarray, mask: np.ndarray, body: BodyMaps, inside: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Front and back normals (H, W, 3) alone, of a window of any shape; as ``PersonMaps``.

        Args:
            rgb: (H, W, 3) uint8, H and W multiples of 32; mask: (H, W) uint8.
            body: the fitted body, drawn by the window's camera.
            inside: (H, W), where the window lies in the picture.
        """
        if rgb.shape[0] % STRIDE or rgb.shape[1] % STRIDE:
            raise ValueError(f"expected sides of 32 n pixels, got {rgb.shape}")
        outputs = self._outputs(network_input(rgb, mask, body, inside), OUTPUTS[2:4])
        front, back = (np.ascontiguousarray(one[0].transpose(1, 2, 0)) for one in outputs)
        return front, back

    @staticmethod
    def postprocess(outputs: list[np.ndarray], body: BodyMaps | None, crop: MapsCrop) -> PersonMaps:
        """Name the network's outputs, and add the offsets to the body's depth."""
        alpha, whole, front, back, offsets, color, parts = (one[0] for one in outputs)
        base = (0.0, 0.0) if body is None else (body.front_depth, body.back_depth)
        return PersonMaps(
            crop=crop,
            alpha=alpha[0],
            whole=whole[0],
            front_normals=np.ascontiguousarray(front.transpose(1, 2, 0)),
            back_normals=np.ascontiguousarray(back.transpose(1, 2, 0)),
            front_depth=base[0] + offsets[0],
            back_depth=base[1] + offsets[1],
            back_color=np.ascontiguousarray(color.transpose(1, 2, 0)),
            parts=parts.argmax(0).astype(np.uint8),
        )
