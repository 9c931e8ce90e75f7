"""People whose true outer surface is known, for the tests of the surface."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.surface.envelope.inflate import smooth_over_mesh
from vitruvian.surface.volume.volume import RayGrid, Volume
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo

CAMERA = Camera.centered(1100, 640, 900)


def posed_body(turns: dict[str, tuple[float, float, float]] | None = None) -> Body:
    """Somebody of mean shape who faces the camera, with some joints turned (axis-angle)."""
    model = body_model()
    pose = np.zeros((len(model.parents), 3))
    pose[0] = [np.pi, 0, 0]
    for name, turn in (turns or {}).items():
        pose[model.joint_index[name]] = turn
    betas = np.zeros(10)
    posed = model.forward(betas, pose, np.array([0.05, -0.05, 3.3]))
    height = model.stature(betas)
    return Body(model, betas, pose, posed.joints[0], height, posed.vertices, posed.joints)


@lru_cache(maxsize=1)
def standing_body() -> Body:
    """In the rest pose: arms away from the trunk."""
    return posed_body()


@lru_cache(maxsize=1)
def arms_down_body() -> Body:
    """Arms hang against the trunk and the thighs."""
    return posed_body({"upperarm01.L": (0, 0, -0.62), "upperarm01.R": (0, 0, 0.62)})


def dressed(body: Body, thickness_m: float = 0.04) -> Mesh:
    """The body in clothes: thicker on trunk and limbs, bare on hands, feet and head."""
    regions = body_model().regions
    bare = np.maximum.reduce([regions.head, regions.throat, regions.hand, regions.foot])
    offset = thickness_m * (1 - bare) * (body_model().components == 0)
    offset = smooth_over_mesh(offset[:, None], regions.edges, 8)
    mesh = body.as_mesh()
    normals = smooth_over_mesh(vertex_normals(mesh.vertices, mesh.faces), regions.edges, 12)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    return mesh.with_vertices(mesh.vertices + offset * normals)


def mask_of(mesh: Mesh, camera: Camera = CAMERA) -> np.ndarray:
    """(H, W) bool, where the camera sees the mesh."""
    pixels = camera.project(mesh.vertices)
    depth = mesh.vertices[:, 2]
    return rasterize(pixels, depth, mesh.faces, camera.width, camera.height).mask


def alpha_of(mask: np.ndarray) -> Alpha:
    return Alpha(mask.astype(np.uint8) * 255, 0, 0, mask.shape[1], mask.shape[0])


def figure_of(mask: np.ndarray) -> Figure:
    rows, columns = np.nonzero(mask)
    box = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float)
    landmarks = Landmarks(np.zeros((33, 2)), np.zeros(33), np.zeros((33, 3)), 0.0)
    return Figure(box, 1.0, landmarks, alpha_of(mask), True, 1.0)


def photo_with(camera: Camera = CAMERA) -> Photo:
    pixels = np.full((camera.height, camera.width, 3), 90, np.uint8)
    return Photo(pixels, "synthetic", None, camera, None, (camera.width, camera.height))


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def sphere(radius: float, center: tuple[float, float, float], *, rings: int = 48) -> Mesh:
    """A closed sphere, outward."""
    columns = 2 * rings
    polar = np.linspace(0, np.pi, rings + 1)[1:-1]
    around = np.arange(columns) * 2 * np.pi / columns
    p, a = np.meshgrid(polar, around, indexing="ij")
    ring = np.stack([np.sin(p) * np.cos(a), np.sin(p) * np.sin(a), np.cos(p)], -1).reshape(-1, 3)
    points = np.concatenate([ring, [[0, 0, 1], [0, 0, -1]]])
    north, south = len(ring), len(ring) + 1
    faces = []
    for i in range(len(polar) - 1):
        for j in range(columns):
            k = (j + 1) % columns
            one, two = i * columns + j, i * columns + k
            faces += [(one, one + columns, two), (two, one + columns, two + columns)]
    last = (len(polar) - 1) * columns
    for j in range(columns):
        k = (j + 1) % columns
        faces += [(north, j, k), (south, last + k, last + j)]
    vertices = (points * radius + center).astype(np.float32)
    return Mesh(vertices, np.array(faces, np.int32), "camera")


def is_closed_manifold(faces: np.ndarray) -> bool:
    """Every edge once each way, and the faces around every vertex in one ring."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there = {(int(a), int(b)) for a, b in edges}
    if len(there) != len(edges) or any((b, a) not in there for a, b in there):
        return False
    rings: dict[int, dict[int, int]] = {}
    for a, b, c in faces.tolist():
        for p, q, r in ((a, b, c), (b, c, a), (c, a, b)):
            rings.setdefault(p, {})[q] = r
    for ring in rings.values():
        start = next(iter(ring))
        steps, at = 1, ring[start]
        while at != start:
            steps, at = steps + 1, ring[at]
        if steps != len(ring):
            return False
    return True


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    return float(np.einsum("fc,fc->f", a, np.cross(b, c)).sum() / 6)


def volume_of(field: np.ndarray) -> Volume:
    """A field (H, W, D) float32 as a volume a metre away."""
    height, width, slices = field.shape
    return Volume.of(RayGrid(Camera.centered(50, width, height), 1.0, 0.01, slices), field)
