"""Long hair as a volume of its own: from the back of the head down over the upper back.

The picture of the front says how far it falls and how wide it stands (``long_hair``). Behind it is
a guess: it lies on the head as the photograph's surface does, stands off the neck as far as off the
head, and hangs before nothing but the back. The head carries it above, the chest below, and what is
between them blends, so that it turns with the head without a tear.
"""

from __future__ import annotations

import cv2
import numpy as np

from vitruvian.avatar.long_hair import LongHair, ears_and_chin
from vitruvian.avatar.patch import Patch
from vitruvian.avatar.skin import photographed_motion
from vitruvian.body.model.kernels import enclosed_volume
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.types.body import Body
from vitruvian.types.mesh import Mesh
from vitruvian.types.regions import HEAD, TRUNK

_ABOVE_EARS_M = 0.12  # where it begins, inside the head
_ROW_M, _ANGLES = 0.018, 27
_WIDEST = np.deg2rad(105)  # from straight behind to its edges
# Above the head's own layer, behind and at least beside; within it, at its ends.
_OFF_M, _LEAST_M, _INSIDE_M = 0.012, 0.003, 0.008
_NARROWEST_M = 0.06  # half of what hangs
_EMERGES_M = 0.08  # over which it comes out
_TO_ROUND_M = 0.03  # below the jaw, down to which the head's shape passes into that of what hangs
_JAW_M = 0.025  # above the chin
_THICK_M, _THIN_M = 0.014, 0.003  # in the middle, and at its ends
_CLEAR_M = 0.01  # above the back
_STEEP = 0.8, 0.5  # at most so far backwards for a step down, and aside
_GATHERED = 0.2  # of its width, by which it is narrower where it ends
_SHORTER = 0.12  # of its fall, by which the middle ends higher
_CELL_M = 0.01  # of the picture that tells where the back is
_NEAR_M = 0.014  # around a point of the grid, the head's vertices that tell where it is
_CARRIERS = ("head", "neck03", "neck02", "neck01", "spine01")
_CARRIED_M = (-0.05, 0.03, 0.1, 0.17, 0.26)  # below the chin, where each is alone
_EDGES = 1.1, 1.45  # angles from straight behind, where it begins to face the camera, and does
_OUTSIDE, _WITHIN = (256, 384), (256, 192)  # pixels of its pictures, down and across


def mane(rest: Mesh, body: Body, hair: LongHair) -> Patch:
    """The volume of long hair.

    Args:
        rest: the body's layer, frame ``body``, its first vertices the body model's.
        body: beneath it.
        hair: what the picture shows of it.
    """
    model = body.model
    layer = rest.vertices[: len(model.template)].astype(np.float64)
    ears, chin = ears_and_chin(model, body.rest()[0])
    top, jaw = ears[1] + _ABOVE_EARS_M, chin + _JAW_M
    rows = max(10, round((top - chin + hair.fall_m) / _ROW_M))
    angle = np.linspace(-1, 1, _ANGLES) * _WIDEST
    lowest = chin - hair.fall_m * (1 - _SHORTER * np.cos(angle).clip(0, 1) ** 2)
    down = np.linspace(0, 1, rows)[:, None]
    height = top + down * (lowest - top)
    head = layer[(model.regions.part == HEAD) & (model.components == 0)]
    radius = _around_head(head, ears, np.maximum(height, jaw), angle)
    # From where the head is widest, hair falls straight down.
    radius = np.maximum.accumulate(radius, axis=0)
    half = hair.half_at(chin - height)
    # Beside the head it stands off as far as the picture has it, behind it a little.
    beside = np.sin(angle) ** 2
    side = radius[:, [int(np.abs(angle + np.pi / 2).argmin())]]
    off = beside * np.maximum(half - side, _LEAST_M) + (1 - beside) * _OFF_M
    attached = np.clip((height - jaw) / (ears[1] - jaw), 0, 1)
    radius += _emerging(top - height, angle, attached, off)
    x, z = radius * np.sin(angle), -radius * np.cos(angle)
    # What hangs is a half ellipse.
    hanging = np.clip((ears[1] - height) / (ears[1] - jaw + _TO_ROUND_M), 0, 1)
    hanging = hanging * hanging * (3 - 2 * hanging)
    half = np.maximum(half, _NARROWEST_M) * (1 - _GATHERED * np.clip(2.5 * down - 1.5, 0, 1) ** 2)
    x += hanging * (half * np.sin(angle) - x)
    z += hanging * (-radius[:, _ANGLES // 2, None] * np.cos(angle) - z)
    x, z = ears[0] + x, ears[2] + z
    free = height < jaw
    low = _low_faces(model.regions.part, model.faces, layer, jaw)
    limit = _before_back(layer, model.faces[low], x, height) - _CLEAR_M - _THICK_M
    z = np.where(free, np.minimum(z, limit), z)
    even = cv2.GaussianBlur(z, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    z = np.where(free, np.minimum(z + hanging * (even - z), limit), z)
    outer = np.stack([x, height, z], -1)
    return _closed(outer, hair, body, chin, angle, down)


def _around_head(
    head: np.ndarray, ears: np.ndarray, height: np.ndarray, angle: np.ndarray
) -> np.ndarray:
    """(R, A) metres from the line through the place between the ears to the head's own layer
    (N, 3), where the grid is at heights (R, A) and angles (A,) from straight behind."""
    x, z = head[:, 0] - ears[0], head[:, 2] - ears[2]
    away = np.hypot(x, z)
    chosen = np.abs(np.arctan2(x, -z)) < _WIDEST + 0.3
    at, own, high = np.arctan2(x, -z)[chosen], away[chosen], head[chosen, 1]
    apart = np.square((at - angle[:, None]) * own)
    out = np.empty(height.shape)
    for row, levels in enumerate(height):
        weight = np.exp(-(apart + np.square(high - levels[:, None])) / (2 * _NEAR_M**2))
        out[row] = (weight * own).sum(1) / np.maximum(weight.sum(1), 1e-12)
    return out


def _emerging(
    below_top: np.ndarray, angle: np.ndarray, attached: np.ndarray, off: np.ndarray
) -> np.ndarray:
    """(R, A) metres above the head's own layer, ``off`` where it has come out of it: inside it at
    the upper end and, where it is ``attached``, at the edges."""
    out = np.sqrt(np.clip(below_top / _EMERGES_M, 0, 1))
    edge = np.sqrt(np.clip((_WIDEST - np.abs(angle)) / 0.5, 0, 1))
    out = out * (1 - attached * (1 - edge))
    return np.asarray(out * (off + _INSIDE_M) - _INSIDE_M)


def _low_faces(part: np.ndarray, faces: np.ndarray, layer: np.ndarray, jaw: float) -> np.ndarray:
    """(F,) bool, faces of trunk and neck."""
    below = layer[faces, 1].max(1) < jaw
    return np.isin(part[faces[:, 0]], (HEAD, TRUNK)) & below


def _before_back(layer: np.ndarray, faces: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(R, A) the back's place along z at points x, y (R, A), seen from behind; drawn backwards
    gently above and beside what stands out."""
    low = np.array([x.min(), y.min()]) - 4 * _CELL_M
    high = np.array([x.max(), y.max()]) + 4 * _CELL_M
    width, rows = np.ceil((high - low) / _CELL_M).astype(int)
    pixels = np.stack([(layer[:, 0] - low[0]) / _CELL_M, (high[1] - layer[:, 1]) / _CELL_M], 1)
    seen = rasterize(pixels, layer[:, 2] + 10, faces, int(width), int(rows))
    depth = np.where(np.isfinite(seen.depth), seen.depth - 10, 10.0).astype(np.float64)
    for row in range(int(rows) - 2, -1, -1):
        depth[row] = np.minimum(depth[row], depth[row + 1] + _STEEP[0] * _CELL_M)
    for column in range(1, int(width)):
        depth[:, column] = np.minimum(depth[:, column], depth[:, column - 1] + _STEEP[1] * _CELL_M)
    for column in range(int(width) - 2, -1, -1):
        depth[:, column] = np.minimum(depth[:, column], depth[:, column + 1] + _STEEP[1] * _CELL_M)
    columns = np.clip(((x - low[0]) / _CELL_M).astype(int), 0, width - 1)
    lines = np.clip(((high[1] - y) / _CELL_M).astype(int), 0, rows - 1)
    return np.asarray(depth[lines, columns])


def _closed(
    outer: np.ndarray,
    hair: LongHair,
    body: Body,
    chin: float,
    angle: np.ndarray,
    down: np.ndarray,
) -> Patch:
    """Both sides of the grid (R, A, 3) and its rim, with picture and skin."""
    rows, columns = outer.shape[:2]
    aside, below = np.gradient(outer, axis=1), np.gradient(outer, axis=0)
    normals = np.cross(aside, below)
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-9)
    if normals[rows // 2, columns // 2, 2] > 0:
        normals = -normals
    ends = np.clip((1 - np.abs(angle) / _WIDEST) / 0.3, 0, 1) * np.clip((1 - down) / 0.25, 0, 1)
    thick = _THIN_M + (_THICK_M - _THIN_M) * np.sqrt(ends)
    inner = outer - thick[..., None] * normals
    faces = np.ascontiguousarray(_grid_faces(rows, columns), np.int32)
    points = np.concatenate([outer.reshape(-1, 3), inner.reshape(-1, 3)])
    if enclosed_volume(points.astype(np.float32), faces) < 0:
        faces = faces[:, ::-1]
    joints, weights = _carried(chin - points[:, 1], body)
    posed = photographed_motion(body).skinned(points.astype(np.float32), joints, weights)
    seen = posed.reshape(2, rows, columns, 3).astype(np.float32)
    before = hair.colors_before(cv2.resize(seen[1], _WITHIN[::-1]))
    lengths = np.linalg.norm(np.diff(outer, axis=1), axis=2)
    along = np.pad(np.cumsum(lengths, 1), ((0, 0), (1, 0)))
    along = along - along[:, columns // 2, None]  # metres from straight behind, along the hair
    behind = hair.colors(
        cv2.resize((chin - outer[..., 1]).astype(np.float32), _OUTSIDE[::-1]),
        cv2.resize(along.astype(np.float32), _OUTSIDE[::-1]),
    )
    # Its edges face the camera.
    edge = np.abs(cv2.resize(angle[None].astype(np.float32), (_OUTSIDE[1], 1)))
    edge = np.clip((edge - _EDGES[0]) / (_EDGES[1] - _EDGES[0]), 0, 1)[..., None]
    behind = behind + edge * (
        hair.colors_before(cv2.resize(seen[0], _OUTSIDE[::-1])).astype(float) - behind
    )
    picture = np.concatenate([behind.round().astype(np.uint8), before], 1)
    u, v = np.meshgrid(np.linspace(0, 1, rows), np.linspace(0, 1, columns), indexing="ij")
    share = _OUTSIDE[1] / picture.shape[1]
    # Strands go down: the atlas has room for what is across along its columns.
    uvs = np.concatenate([
        np.stack([u.ravel(), share * v.ravel()], 1),
        np.stack([u.ravel(), share + (1 - share) * v.ravel()], 1),
    ])  # fmt: skip
    rim = np.zeros(len(faces), bool)
    rim[(faces >= rows * columns).any(1) & (faces < rows * columns).any(1)] = True
    uv_faces = np.where(rim[:, None], faces % (rows * columns), faces)
    head = np.flatnonzero((body.model.regions.hair > 0.6) & (body.model.components == 0))
    nearest = head[body.model.template[head, 2].argmin()]
    return Patch(
        points.astype(np.float32),
        faces.astype(np.int32),
        uvs.astype(np.float32),
        uv_faces.astype(np.int32),
        np.ascontiguousarray(picture.transpose(1, 0, 2)[::-1]),
        joints,
        weights,
        np.full(len(points), nearest, np.int32),
    )


def _carried(below_chin: np.ndarray, body: Body) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) joints and weights of points so far below the chin."""
    index = body.model.joint_index
    at = np.interp(below_chin, _CARRIED_M, np.arange(len(_CARRIERS)))
    lower = np.minimum(at.astype(int), len(_CARRIERS) - 2)
    numbers = np.array([index[name] for name in _CARRIERS], np.uint16)
    joints = np.zeros((len(at), 4), np.uint16)
    weights = np.zeros((len(at), 4), np.float32)
    joints[:, 0], joints[:, 1] = numbers[lower], numbers[lower + 1]
    weights[:, 1] = at - lower
    weights[:, 0] = 1 - weights[:, 1]
    return joints, weights


def _grid_faces(rows: int, columns: int) -> np.ndarray:
    """(F, 3) of two grids, the second's numbers after the first's, joined around."""
    number = np.arange(rows * columns).reshape(rows, columns)
    count = rows * columns
    quads = np.stack(
        [number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], -1
    ).reshape(-1, 4)
    rim = np.concatenate([number[0], number[1:, -1], number[-1, -2::-1], number[-2:0:-1, 0]])
    after = np.roll(rim, -1)
    around = np.stack([rim, rim + count, after + count, after], 1)
    every = np.concatenate([quads, quads[:, ::-1] + count, around])
    return np.concatenate([every[:, [0, 1, 2]], every[:, [0, 2, 3]]])
