"""How far the matte's outline lies from the body's, along the body's outline normals."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.rasterizer import covered
from vitruvian.types.camera import Camera
from vitruvian.types.carried import Carried
from vitruvian.types.figure import Alpha

WORKING_HEIGHT = 448  # pixels of the figure's longer side
_SMOOTHING = 1.5  # pixels, of the body's mask before its normals are taken


@dataclass(frozen=True)
class RimGaps:
    """Vertices on the outline of a mesh, and how far the matte's outline is from them.

    Attributes:
        vertices: (N,) int64 indices.
        gaps_m: (N,) float32 metres at the vertex's distance, positive where the matte reaches
            beyond the mesh.
        normals: (N, 2) float32 outward directions in the image.
    """

    vertices: np.ndarray
    gaps_m: np.ndarray
    normals: np.ndarray


@kernel(
    "void(float32[:,::1],float32[:,::1],uint8[:,::1],uint8[:,::1],uint8[:,::1],float32[::1],"
    "float32[::1],float32[::1])"
)
def _march(
    points: np.ndarray,
    normals: np.ndarray,
    matte: np.ndarray,
    body: np.ndarray,
    carried: np.ndarray,
    outward: np.ndarray,
    inward: np.ndarray,
    gaps: np.ndarray,
) -> None:
    """Walk from each point along its normal to the matte's outline; NaN where there is none.

    Outward the walk also ends halfway to another part of the body: the room between two legs
    under a skirt belongs to both. Where it meets what is ``carried``, it does not end: nothing is
    known there. ``outward`` and ``inward`` limit the walk, in pixels.
    """
    height, width = matte.shape
    step = 0.5
    for n in range(points.shape[0]):
        x, y = points[n, 0], points[n, 1]
        # Start just outside, so that the body's own rim is not taken for another part.
        start_x, start_y = x + normals[n, 0] * 1.5, y + normals[n, 1] * 1.5
        gaps[n] = np.nan
        column, row = int(start_x), int(start_y)
        if column < 1 or row < 1 or column >= width - 1 or row >= height - 1:
            continue
        if body[row, column]:
            continue
        if matte[row, column]:
            distance = 1.5
            found = False
            while distance < outward[n] + 1:
                column = int(x + normals[n, 0] * distance)
                row = int(y + normals[n, 1] * distance)
                if column < 1 or row < 1 or column >= width - 1 or row >= height - 1:
                    break  # the border of the picture cuts the figure: no outline there
                if carried[row, column] and not body[row, column]:
                    break
                if body[row, column]:
                    distance *= 0.5
                    found = True
                    break
                if not matte[row, column]:
                    found = True
                    break
                distance += step
            if found or distance >= outward[n] + 1:
                gaps[n] = min(distance, outward[n])
        else:
            distance = 1.5
            while distance > -inward[n] - 1:
                column = int(x + normals[n, 0] * distance)
                row = int(y + normals[n, 1] * distance)
                if column < 1 or row < 1 or column >= width - 1 or row >= height - 1:
                    break
                if matte[row, column]:
                    gaps[n] = max(distance, -inward[n])
                    break
                distance -= step


class OutlineFinder:
    """Compares meshes of one topology with one person's matte."""

    def __init__(
        self, alpha: Alpha, camera: Camera, vertices: np.ndarray, carried: Carried | None = None
    ) -> None:
        pixels = camera.project(vertices)
        rows, columns = np.nonzero(alpha.values > 127)
        low, high = pixels.min(0), pixels.max(0)
        if len(rows):
            low = np.minimum(low, [alpha.x + columns.min(), alpha.y + rows.min()])
            high = np.maximum(high, [alpha.x + columns.max() + 1, alpha.y + rows.max() + 1])
        pad = 0.04 * float((high - low).max())
        x0, y0 = np.maximum(np.floor(low - pad), 0).astype(int)
        x1 = int(min(np.ceil(high[0] + pad), camera.width))
        y1 = int(min(np.ceil(high[1] + pad), camera.height))
        self.usable = x1 - x0 > 8 and y1 - y0 > 8 and len(rows) > 16
        if not self.usable:
            return
        scale = min(1.0, WORKING_HEIGHT / max(x1 - x0, y1 - y0))
        self.width = max(8, round((x1 - x0) * scale))
        self.height = max(8, round((y1 - y0) * scale))
        self.camera = camera.window(x0, y0, scale, self.width, self.height)
        window = alpha.window(x0, y0, x1, y1)
        small = cv2.resize(window, (self.width, self.height), interpolation=cv2.INTER_AREA)
        self.matte = (small > 127).astype(np.uint8)
        self.carried = np.zeros_like(self.matte)
        if carried is not None:
            self.carried[carried.seen_by(self.camera)] = 1

    def gaps(
        self, vertices: np.ndarray, faces: np.ndarray, outward_m: np.ndarray, inward_m: np.ndarray
    ) -> RimGaps:
        """Gaps at the rim vertices of a mesh.

        Args:
            vertices: (V, 3) camera frame.
            faces: (F, 3).
            outward_m, inward_m: (V,) farthest that each vertex may look, metres.
        """
        camera = self.camera
        pixels = camera.project(vertices).astype(np.float32)
        mask = covered(pixels, vertices[:, 2], faces, self.width, self.height)
        body = mask.astype(np.uint8)
        rim = cv2.dilate(body, np.ones((3, 3), np.uint8)) - cv2.erode(body, np.ones((3, 3)))
        cells = np.floor(pixels).astype(int)
        inside = ((cells >= 1) & (cells < [self.width - 1, self.height - 1])).all(1)
        candidates = np.flatnonzero(inside)
        candidates = candidates[rim[cells[candidates, 1], cells[candidates, 0]] > 0]
        smooth = cv2.GaussianBlur(body.astype(np.float32), (0, 0), _SMOOTHING)
        rows, columns = cells[candidates, 1], cells[candidates, 0]
        gradient = np.stack(
            [
                cv2.Sobel(smooth, cv2.CV_32F, 1, 0)[rows, columns],
                cv2.Sobel(smooth, cv2.CV_32F, 0, 1)[rows, columns],
            ],
            axis=1,
        )
        length = np.linalg.norm(gradient, axis=1, keepdims=True)
        normals = -gradient / (length + 1e-9)
        metres = (vertices[candidates, 2] / camera.focal_px).astype(np.float32)
        gaps = np.full(len(candidates), np.nan, np.float32)
        _march(
            np.ascontiguousarray(pixels[candidates]),
            np.ascontiguousarray(normals, np.float32),
            self.matte,
            body,
            self.carried,
            np.ascontiguousarray(outward_m[candidates] / metres, np.float32),
            np.ascontiguousarray(inward_m[candidates] / metres, np.float32),
            gaps,
        )
        good = np.isfinite(gaps) & (length[:, 0] > 1e-3)
        return RimGaps(candidates[good], gaps[good] * metres[good], normals[good])
