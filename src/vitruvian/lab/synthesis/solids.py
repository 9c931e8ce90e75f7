"""Where a ray is inside a person: sorted entries and exits through overlapping, open surfaces.

Garments are open (neck, sleeves, hem) and lie over a closed body, so counting crossings goes wrong
on many rays. Here every opening is first closed by a fan; then each closed part has a winding
number of its own along the ray, and a point is inside where any of them is positive. Hair is made
of sheets: sheets that follow each other closely are taken for one tuft.
"""

# mypy: disallow-untyped-defs=False

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.compute import kernel
from vitruvian.geometry.adjacency import directed_edges
from vitruvian.geometry.crossings import ray_crossings

SHEET_GAP = 0.06  # metres between two sheets of hair that still belong together
SHEET_THICKNESS = 0.004  # metres that a lone sheet counts for
MOST_CROSSINGS = 48


def cap_faces(faces: np.ndarray) -> np.ndarray:
    """Triangles (C, 3) int32 that close the openings of a mesh (F, 3), one fan per opening."""
    return _cap(np.ascontiguousarray(faces, np.int32).tobytes())


@lru_cache(maxsize=256)
def _cap(content: bytes) -> np.ndarray:
    faces = np.frombuffer(content, np.int32).reshape(-1, 3)
    edges = directed_edges(faces).astype(np.int64)
    scale = int(faces.max(initial=0)) + 1
    key = edges[:, 0] * scale + edges[:, 1]
    reverse = edges[:, 1] * scale + edges[:, 0]
    border = edges[~np.isin(key, reverse)]
    follow: dict[int, list[int]] = {}
    for a, b in border.tolist():
        follow.setdefault(b, []).append(a)  # walked against the border, to face outwards
    out: list[list[int]] = []
    while follow:
        start = next(iter(follow))
        loop = [start]
        at = start
        while follow.get(at):
            following = follow[at].pop()
            if not follow[at]:
                del follow[at]
            if following == start:
                break
            loop.append(following)
            at = following
        follow = {a: b for a, b in follow.items() if b}
        out.extend([loop[0], loop[k], loop[k + 1]] for k in range(1, len(loop) - 1))
    return np.array(out, np.int32).reshape(-1, 3)


@kernel(
    "void(int64[:,::1],int16[:,::1],float32[::1],int8[::1],int16[::1],boolean[::1],float32[:,:,::1])"
)
def _unite(start, count, depth, sign, part, sheet, out):
    height, width = count.shape
    most = out.shape[2]
    parts = sheet.shape[0]
    inside = np.zeros(parts, np.int64)
    begin = np.zeros(2 * MOST_CROSSINGS, np.float32)
    end = np.zeros(2 * MOST_CROSSINGS, np.float32)
    order = np.zeros(2 * MOST_CROSSINGS, np.int64)
    for y in range(height):
        for x in range(width):
            n = count[y, x]
            if n == 0:
                continue
            first = start[y, x]
            for i in range(n):  # few: sorted by insertion
                k = i
                while k > 0 and depth[order[k - 1]] > depth[first + i]:
                    order[k] = order[k - 1]
                    k -= 1
                order[k] = first + i
            inside[:] = 0
            total = 0
            spans = 0
            tuft_begin, tuft_end = np.float32(-1.0), np.float32(-1.0)
            since = np.float32(0.0)
            for i in range(n):
                j = order[i]
                p, z = part[j], depth[j]
                if sheet[p]:
                    if tuft_begin >= 0 and z - tuft_end <= SHEET_GAP:
                        tuft_end = z
                    else:
                        if tuft_begin >= 0:
                            begin[spans], end[spans] = tuft_begin, tuft_end
                            spans += 1
                        tuft_begin, tuft_end = z, z + np.float32(SHEET_THICKNESS)
                elif sign[j] > 0:
                    if total == 0:
                        since = z
                    inside[p] += 1
                    total += 1
                elif inside[p] > 0:
                    inside[p] -= 1
                    total -= 1
                    if total == 0:
                        begin[spans], end[spans] = since, z
                        spans += 1
            if total > 0:  # a part that does not close: it ends where the last surface is
                begin[spans], end[spans] = since, depth[order[n - 1]]
                spans += 1
            if tuft_begin >= 0:
                begin[spans], end[spans] = tuft_begin, max(tuft_end, tuft_begin + SHEET_THICKNESS)
                spans += 1
            # Unite overlapping spans, in order of their beginnings.
            for i in range(spans):
                k = i
                while k > 0 and begin[order[k - 1]] > begin[i]:
                    order[k] = order[k - 1]
                    k -= 1
                order[k] = i
            k = 0
            for i in range(spans):
                a, b = begin[order[i]], end[order[i]]
                if b - a < 1e-4:
                    continue
                if k > 0 and a <= out[y, x, k - 1] + 5e-4:
                    out[y, x, k - 1] = max(out[y, x, k - 1], b)
                elif k + 2 <= most:
                    out[y, x, k], out[y, x, k + 1] = a, b
                    k += 2
                else:
                    out[y, x, k - 1] = max(out[y, x, k - 1], b)


def solid_spans(
    points: np.ndarray,
    depth: np.ndarray,
    meshes: list[tuple[np.ndarray, bool]],
    width: int,
    height: int,
    layers: int = 8,
) -> np.ndarray:
    """Sorted entry and exit depths (height, width, layers) float32 of the united solids.

    Args:
        points: (V, 2) pixels of the vertices; depth: (V,) metres along the view.
        meshes: per part, faces (F, 3) and whether it is made of sheets; closed where not.
        layers: even; later solids are joined to the last. Empty places hold inf.
    """
    faces = np.concatenate([m for m, _ in meshes]).astype(np.int32)
    owner = np.concatenate([np.full(len(m), k, np.int16) for k, (m, _) in enumerate(meshes)])
    found = ray_crossings(points, depth, faces, owner, width, height, MOST_CROSSINGS)
    out = np.full((height, width, layers), np.inf, np.float32)
    sheets = np.array([s for _, s in meshes], np.bool_)
    _unite(found.start, found.count, found.depth, found.sign, found.part, sheets, out)
    return out


def occupied(spans: np.ndarray, pixels: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Whether points (N,) at whole pixels (N, 2) and depths (N,) lie within the spans."""
    row = spans[pixels[:, 1], pixels[:, 0]]
    return ((depth[:, None] >= row[:, 0::2]) & (depth[:, None] <= row[:, 1::2])).any(1)
