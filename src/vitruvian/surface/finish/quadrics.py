"""Error quadrics: how far a place is from the planes of the faces around a vertex.

The method is that of Garland and Heckbert, "Surface simplification using quadric error metrics",
1997.
"""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel


@kernel("void(float64[:,::1],int32[:,::1],float64,float64[:,::1])")
def add_quadrics(vertices: np.ndarray, faces: np.ndarray, stay: float, out: np.ndarray) -> None:
    """Upper triangles (xx xy xz xw yy yz yw zz zw ww) of the vertices' error quadrics."""
    for t in range(faces.shape[0]):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        ux = vertices[b, 0] - vertices[a, 0]
        uy = vertices[b, 1] - vertices[a, 1]
        uz = vertices[b, 2] - vertices[a, 2]
        vx = vertices[c, 0] - vertices[a, 0]
        vy = vertices[c, 1] - vertices[a, 1]
        vz = vertices[c, 2] - vertices[a, 2]
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        area = np.sqrt(nx * nx + ny * ny + nz * nz)
        if area < 1e-20:
            continue
        nx, ny, nz = nx / area, ny / area, nz / area
        w = -(nx * vertices[a, 0] + ny * vertices[a, 1] + nz * vertices[a, 2])
        for k in range(3):
            p = faces[t, k]
            x, y, z = vertices[p, 0], vertices[p, 1], vertices[p, 2]
            q = out[p]
            q[0] += area * (nx * nx + stay)
            q[1] += area * nx * ny
            q[2] += area * nx * nz
            q[3] += area * (nx * w - stay * x)
            q[4] += area * (ny * ny + stay)
            q[5] += area * ny * nz
            q[6] += area * (ny * w - stay * y)
            q[7] += area * (nz * nz + stay)
            q[8] += area * (nz * w - stay * z)
            q[9] += area * (w * w + stay * (x * x + y * y + z * z))


@kernel("void(float64[:,::1],int32[:,::1],float64[:,::1],float64[::1],float64[:,::1])")
def rate_edges(
    quadrics: np.ndarray, edges: np.ndarray, vertices: np.ndarray, q: np.ndarray, out: np.ndarray
) -> None:
    """Best place (x, y, z) for the merged ends of each edge, and its error; ``q``: (10,) to work
    with, as are arrays of other kernels: to make them there takes long to compile."""
    for e in range(edges.shape[0]):
        a, b = edges[e, 0], edges[e, 1]
        for k in range(10):
            q[k] = quadrics[a, k] + quadrics[b, k]
        c00 = q[4] * q[7] - q[5] * q[5]
        c01 = q[2] * q[5] - q[1] * q[7]
        c02 = q[1] * q[5] - q[2] * q[4]
        det = q[0] * c00 + q[1] * c01 + q[2] * c02
        c11, c12, c22 = (
            q[0] * q[7] - q[2] * q[2],
            q[1] * q[2] - q[0] * q[5],
            q[0] * q[4] - q[1] ** 2,
        )
        x = -(c00 * q[3] + c01 * q[6] + c02 * q[8]) / det
        y = -(c01 * q[3] + c11 * q[6] + c12 * q[8]) / det
        z = -(c02 * q[3] + c12 * q[6] + c22 * q[8]) / det
        # Never beyond the edge by more than its own length.
        mx, my, mz = (
            0.5 * (vertices[a, 0] + vertices[b, 0]),
            0.5 * (vertices[a, 1] + vertices[b, 1]),
            0.5 * (vertices[a, 2] + vertices[b, 2]),
        )
        length2 = (
            (vertices[a, 0] - vertices[b, 0]) ** 2
            + (vertices[a, 1] - vertices[b, 1]) ** 2
            + (vertices[a, 2] - vertices[b, 2]) ** 2
        )
        if not ((x - mx) ** 2 + (y - my) ** 2 + (z - mz) ** 2 <= length2):
            x, y, z = mx, my, mz
        out[e, 0], out[e, 1], out[e, 2] = x, y, z
        out[e, 3] = (
            q[0] * x * x + 2 * q[1] * x * y + 2 * q[2] * x * z + 2 * q[3] * x
            + q[4] * y * y + 2 * q[5] * y * z + 2 * q[6] * y
            + q[7] * z * z + 2 * q[8] * z + q[9]
        )  # fmt: skip
