"""A z-buffer triangle rasteriser on the CPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.triangles import corner_weights, pixels_within, twice_area


@dataclass(frozen=True)
class Fragments:
    """What a pixel sees of a mesh.

    Attributes:
        face: (H, W) int32, the nearest face at the pixel's centre, -1 where there is none.
        depth: (H, W) float32, z of the surface in metres, inf where there is none.
        barycentric: (H, W, 3) float32 perspective-correct weights of the face's corners.
    """

    face: np.ndarray
    depth: np.ndarray
    barycentric: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool, where the mesh is seen."""
        return self.face >= 0

    def interpolate(self, values: np.ndarray, faces: np.ndarray) -> np.ndarray:
        """Values (V, C) at the vertices, interpolated to (H, W, C) float32; 0 where empty.

        ``faces`` (F, 3) may index another set than the geometry's, such as texture corners.
        """
        out = np.zeros((*self.face.shape, values.shape[1]), np.float32)
        _interpolate(
            np.ascontiguousarray(self.face),
            np.ascontiguousarray(self.barycentric),
            np.ascontiguousarray(values, np.float32),
            np.ascontiguousarray(faces, np.int32),
            out,
        )
        return out


@kernel("void(int32[:,::1],float32[:,:,::1],float32[:,::1],int32[:,::1],float32[:,:,::1])")
def _interpolate(
    face: np.ndarray,
    barycentric: np.ndarray,
    values: np.ndarray,
    faces: np.ndarray,
    out: np.ndarray,
) -> None:
    for row in range(face.shape[0]):
        for column in range(face.shape[1]):
            t = face[row, column]
            if t < 0:
                continue
            for corner in range(3):
                weight = barycentric[row, column, corner]
                vertex = faces[t, corner]
                for channel in range(values.shape[1]):
                    out[row, column, channel] += weight * values[vertex, channel]


@kernel(
    "void(float32[:,::1],float32[::1],int32[:,::1],boolean,int32[:,::1],float32[:,::1],float32[:,:,::1])"
)
def _rasterize(
    points: np.ndarray,
    depth: np.ndarray,
    faces: np.ndarray,
    cull: bool,
    face_out: np.ndarray,
    depth_out: np.ndarray,
    barycentric_out: np.ndarray,
) -> None:
    height, width = face_out.shape
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        if depth[a] <= 0 or depth[b] <= 0 or depth[c] <= 0:
            continue
        x0, y0 = points[a, 0], points[a, 1]
        x1, y1 = points[b, 0], points[b, 1]
        x2, y2 = points[c, 0], points[c, 1]
        area = twice_area(x0, y0, x1, y1, x2, y2)
        if abs(area) < 1e-9:
            continue
        # Seen from the camera (y down), counter-clockwise outward faces have negative area.
        if cull and area > 0:
            continue
        left, right, top, bottom = pixels_within(x0, y0, x1, y1, x2, y2, width, height)
        inverse_area = 1.0 / area
        inv0, inv1, inv2 = 1.0 / depth[a], 1.0 / depth[b], 1.0 / depth[c]
        for row in range(top, bottom + 1):
            py = row + 0.5
            for column in range(left, right + 1):
                px = column + 0.5
                w0, w1, w2 = corner_weights(px, py, x0, y0, x1, y1, x2, y2, inverse_area)
                if w0 < 0 or w1 < 0 or w2 < 0:
                    continue
                z = 1.0 / (w0 * inv0 + w1 * inv1 + w2 * inv2)
                if z < depth_out[row, column]:
                    depth_out[row, column] = z
                    face_out[row, column] = t
                    barycentric_out[row, column, 0] = w0 * inv0 * z
                    barycentric_out[row, column, 1] = w1 * inv1 * z
                    barycentric_out[row, column, 2] = w2 * inv2 * z


@kernel(
    "void(float32[:,::1],float32[::1],int32[:,::1],int32[:,::1],float32[:,::1],float32[:,:,::1],"
    "int32[:,::1],float32[:,::1],float32[:,:,::1])"
)
def _rasterize_both(
    points: np.ndarray,
    depth: np.ndarray,
    faces: np.ndarray,
    near_face: np.ndarray,
    near_depth: np.ndarray,
    near_barycentric: np.ndarray,
    far_face: np.ndarray,
    far_depth: np.ndarray,
    far_barycentric: np.ndarray,
) -> None:
    height, width = near_face.shape
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        if depth[a] <= 0 or depth[b] <= 0 or depth[c] <= 0:
            continue
        x0, y0 = points[a, 0], points[a, 1]
        x1, y1 = points[b, 0], points[b, 1]
        x2, y2 = points[c, 0], points[c, 1]
        area = twice_area(x0, y0, x1, y1, x2, y2)
        if abs(area) < 1e-9:
            continue
        left, right, top, bottom = pixels_within(x0, y0, x1, y1, x2, y2, width, height)
        inverse_area = 1.0 / area
        inv0, inv1, inv2 = 1.0 / depth[a], 1.0 / depth[b], 1.0 / depth[c]
        for row in range(top, bottom + 1):
            py = row + 0.5
            for column in range(left, right + 1):
                px = column + 0.5
                w0, w1, w2 = corner_weights(px, py, x0, y0, x1, y1, x2, y2, inverse_area)
                if w0 < 0 or w1 < 0 or w2 < 0:
                    continue
                z = 1.0 / (w0 * inv0 + w1 * inv1 + w2 * inv2)
                if z < near_depth[row, column]:
                    near_depth[row, column] = z
                    near_face[row, column] = t
                    near_barycentric[row, column, 0] = w0 * inv0 * z
                    near_barycentric[row, column, 1] = w1 * inv1 * z
                    near_barycentric[row, column, 2] = w2 * inv2 * z
                if far_face[row, column] < 0 or z > far_depth[row, column]:
                    far_depth[row, column] = z
                    far_face[row, column] = t
                    far_barycentric[row, column, 0] = w0 * inv0 * z
                    far_barycentric[row, column, 1] = w1 * inv1 * z
                    far_barycentric[row, column, 2] = w2 * inv2 * z


@kernel("void(float32[:,::1],float32[::1],int32[:,::1],boolean[:,::1])")
def _cover(points: np.ndarray, depth: np.ndarray, faces: np.ndarray, out: np.ndarray) -> None:
    height, width = out.shape
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        if depth[a] <= 0 or depth[b] <= 0 or depth[c] <= 0:
            continue
        x0, y0 = points[a, 0], points[a, 1]
        x1, y1 = points[b, 0], points[b, 1]
        x2, y2 = points[c, 0], points[c, 1]
        area = twice_area(x0, y0, x1, y1, x2, y2)
        if abs(area) < 1e-9:
            continue
        left, right, top, bottom = pixels_within(x0, y0, x1, y1, x2, y2, width, height)
        inverse_area = 1.0 / area
        for row in range(top, bottom + 1):
            py = row + 0.5
            for column in range(left, right + 1):
                px = column + 0.5
                w0, w1, w2 = corner_weights(px, py, x0, y0, x1, y1, x2, y2, inverse_area)
                # Without a branch for every pixel, which nobody can guess.
                out[row, column] |= (w0 >= 0) & (w1 >= 0) & (w2 >= 0)


def rasterize(
    points: np.ndarray,
    depth: np.ndarray,
    faces: np.ndarray,
    width: int,
    height: int,
    *,
    cull_back_faces: bool = False,
) -> Fragments:
    """Nearest face, depth and barycentric weights at every pixel's centre.

    Args:
        points: (V, 2) pixels of the vertices (continuous; see ``Camera``).
        depth: (V,) distance along the viewing axis in metres; faces with a corner at or behind
            0 are skipped.
        faces: (F, 3) corner indices, counter-clockwise from outside.
        width, height: size of the picture in pixels.
        cull_back_faces: leave out faces seen from behind.
    """
    out = _nothing_seen(width, height)
    _rasterize(*_as_kernels_take(points, depth, faces), cull_back_faces, *out)
    return Fragments(*out)


def rasterize_both(
    points: np.ndarray, depth: np.ndarray, faces: np.ndarray, width: int, height: int
) -> tuple[Fragments, Fragments]:
    """What is nearest at every pixel's centre, and what is farthest, in little more time than one.

    Args: as for ``rasterize``. Returns: two ``Fragments`` of the same pixels.
    """
    near, far = _nothing_seen(width, height), _nothing_seen(width, height)
    _rasterize_both(*_as_kernels_take(points, depth, faces), *near, *far)
    return Fragments(*near), Fragments(*far)


def covered(
    points: np.ndarray, depth: np.ndarray, faces: np.ndarray, width: int, height: int
) -> np.ndarray:
    """(H, W) bool, where a mesh is seen: the mask of ``rasterize``, in a third of its time."""
    out = np.zeros((height, width), bool)
    _cover(*_as_kernels_take(points, depth, faces), out)
    return out


def _nothing_seen(width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Face, depth and weights of fragments before anything is drawn."""
    return (
        np.full((height, width), -1, np.int32),
        np.full((height, width), np.inf, np.float32),
        np.zeros((height, width, 3), np.float32),
    )


def _as_kernels_take(
    points: np.ndarray, depth: np.ndarray, faces: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.ascontiguousarray(points, np.float32),
        np.ascontiguousarray(depth, np.float32),
        np.ascontiguousarray(faces, np.int32),
    )
