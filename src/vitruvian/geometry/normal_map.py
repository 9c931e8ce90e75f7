"""Tangent space, and the normals of a surface with its normal map.

As in glTF 2.0 and MikkTSpace (Mikkelsen, 2008): at every texture coordinate the tangent T points
where u grows, the bitangent B = w N x T where v grows (v upwards; w = -1 where the atlas shows the
surface mirrored), and a texel (r, g, b) stands for the normal r T + g B + b N.
"""

from __future__ import annotations

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import Fragments
from vitruvian.types.mesh import Mesh

FLAT = (128, 128, 255)  # a texel that leaves the surface's own normal as it is


def corner_tangents(
    vertices: np.ndarray,
    faces: np.ndarray,
    normals: np.ndarray,
    uvs: np.ndarray,
    uv_faces: np.ndarray,
) -> np.ndarray:
    """Tangents of the texture coordinates, (T, 4) float32: unit vector and w, 1 or -1.

    Args:
        vertices: (V, 3).
        faces: (F, 3) into the vertices.
        normals: (V, 3) unit.
        uvs: (T, 2), origin at the lower left.
        uv_faces: (F, 3) into the texture coordinates.
    """
    out = np.zeros((len(uvs), 4), np.float32)
    _tangents(
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(faces, np.int32),
        np.ascontiguousarray(normals, np.float32),
        np.ascontiguousarray(uvs, np.float32),
        np.ascontiguousarray(uv_faces, np.int32),
        np.zeros(len(uvs), np.int32),
        out,
    )
    return out


@kernel(
    "void(float32[:,::1],int32[:,::1],float32[:,::1],float32[:,::1],int32[:,::1],int32[::1],"
    "float32[:,::1])"
)
def _tangents(
    vertices: np.ndarray,
    faces: np.ndarray,
    normals: np.ndarray,
    uvs: np.ndarray,
    uv_faces: np.ndarray,
    vertex_of: np.ndarray,
    out: np.ndarray,
) -> None:
    total = np.zeros((len(uvs), 4))
    for t in range(len(faces)):
        a, b, c = faces[t, 0], faces[t, 1], faces[t, 2]
        i, j, k = uv_faces[t, 0], uv_faces[t, 1], uv_faces[t, 2]
        u1, v1 = np.float64(uvs[j, 0]) - uvs[i, 0], np.float64(uvs[j, 1]) - uvs[i, 1]
        u2, v2 = np.float64(uvs[k, 0]) - uvs[i, 0], np.float64(uvs[k, 1]) - uvs[i, 1]
        area = u1 * v2 - u2 * v1
        sign = 1.0 if area >= 0 else -1.0
        for corner in range(3):
            at = uv_faces[t, corner]
            vertex_of[at] = faces[t, corner]
            total[at, 3] += area
            for axis in range(3):
                first = np.float64(vertices[b, axis]) - vertices[a, axis]
                second = np.float64(vertices[c, axis]) - vertices[a, axis]
                # dP/du times twice the area in the atlas: larger faces count for more.
                total[at, axis] += sign * (first * v2 - second * v1)
    for n in range(len(uvs)):
        v = vertex_of[n]
        nx, ny, nz = normals[v, 0], normals[v, 1], normals[v, 2]
        along = total[n, 0] * nx + total[n, 1] * ny + total[n, 2] * nz
        x, y, z = total[n, 0] - along * nx, total[n, 1] - along * ny, total[n, 2] - along * nz
        length = np.sqrt(x * x + y * y + z * z)
        if length < 1e-14:  # any direction across the normal
            if abs(nx) < 0.9:
                x, y, z = 1 - nx * nx, -nx * ny, -nx * nz
            else:
                x, y, z = -ny * nx, 1 - ny * ny, -ny * nz
            length = np.sqrt(x * x + y * y + z * z)
        out[n, 0], out[n, 1], out[n, 2] = x / length, y / length, z / length
        out[n, 3] = 1.0 if total[n, 3] >= 0 else -1.0


def surface_normals(mesh: Mesh, fragments: Fragments) -> np.ndarray:
    """Unit normals (H, W, 3) float32 that fragments see, in the mesh's frame; 0 where empty.

    Those of the mesh's normal map, where it has one; else of its vertices.
    """
    normals = vertex_normals(mesh.vertices, mesh.faces)
    out = np.zeros((*fragments.face.shape, 3), np.float32)
    if mesh.normal_map is None or mesh.uvs is None or mesh.uv_faces is None:
        out[:] = fragments.interpolate(normals, mesh.faces)
        return out / np.maximum(np.linalg.norm(out, axis=2, keepdims=True), 1e-9)
    _mapped(
        np.ascontiguousarray(fragments.face),
        np.ascontiguousarray(fragments.barycentric),
        normals,
        np.ascontiguousarray(mesh.faces, np.int32),
        corner_tangents(mesh.vertices, mesh.faces, normals, mesh.uvs, mesh.uv_faces),
        np.ascontiguousarray(mesh.uvs, np.float32),
        np.ascontiguousarray(mesh.uv_faces, np.int32),
        np.ascontiguousarray(mesh.normal_map),
        out,
    )
    return out


@kernel(
    "void(int32[:,::1],float32[:,:,::1],float32[:,::1],int32[:,::1],float32[:,::1],"
    "float32[:,::1],int32[:,::1],uint8[:,:,::1],float32[:,:,::1])"
)
def _mapped(
    face: np.ndarray,
    barycentric: np.ndarray,
    normals: np.ndarray,
    faces: np.ndarray,
    tangents: np.ndarray,
    uvs: np.ndarray,
    uv_faces: np.ndarray,
    texture: np.ndarray,
    out: np.ndarray,
) -> None:
    rows, columns = texture.shape[0], texture.shape[1]
    n, t, m = np.empty(3), np.empty(3), np.empty(3)
    for row in range(face.shape[0]):
        for column in range(face.shape[1]):
            f = face[row, column]
            if f < 0:
                continue
            u = v = w = 0.0
            n[:], t[:] = 0.0, 0.0
            for corner in range(3):
                weight = barycentric[row, column, corner]
                at = uv_faces[f, corner]
                u += weight * uvs[at, 0]
                v += weight * uvs[at, 1]
                w += weight * tangents[at, 3]
                for axis in range(3):
                    n[axis] += weight * normals[faces[f, corner], axis]
                    t[axis] += weight * tangents[at, axis]
            x = min(max(u * columns - 0.5, 0.0), columns - 1.0)
            y = min(max((1 - v) * rows - 0.5, 0.0), rows - 1.0)
            x0, y0 = int(x), int(y)
            x1, y1 = min(x0 + 1, columns - 1), min(y0 + 1, rows - 1)
            right, down = x - x0, y - y0
            for axis in range(3):
                above = (1 - right) * texture[y0, x0, axis] + right * texture[y0, x1, axis]
                below = (1 - right) * texture[y1, x0, axis] + right * texture[y1, x1, axis]
                m[axis] = ((1 - down) * above + down * below) / 127.5 - 1
            n /= max(np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]), 1e-9)
            t -= n * (n[0] * t[0] + n[1] * t[1] + n[2] * t[2])
            t /= max(np.sqrt(t[0] * t[0] + t[1] * t[1] + t[2] * t[2]), 1e-9)
            sign = 1.0 if w >= 0 else -1.0
            length = 0.0
            for axis in range(3):
                after, last = (axis + 1) % 3, (axis + 2) % 3
                bitangent = sign * (n[after] * t[last] - n[last] * t[after])
                value = m[0] * t[axis] + m[1] * bitangent + m[2] * n[axis]
                out[row, column, axis] = value
                length += value * value
            length = max(np.sqrt(length), 1e-9)
            for axis in range(3):
                out[row, column, axis] /= length
