"""The fitted body, inflated to the silhouette of its owner."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vitruvian.geometry.normals import vertex_normals
from vitruvian.surface.envelope.inflate import merge_close, smooth_over_mesh, spread_gaps
from vitruvian.surface.envelope.occluding_edges import OccludingEdges, occluding_edges
from vitruvian.surface.envelope.outline import OutlineFinder, RimGaps
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.carried import Carried
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import HEAD, LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TRUNK

ROUNDS = 3
# How far clothes and hair may stand off the body, in metres, by part.
OUTWARD_M = {
    TRUNK: 0.14,
    HEAD: 0.09,
    LEFT_ARM: 0.10,
    RIGHT_ARM: 0.10,
    LEFT_LEG: 0.2,
    RIGHT_LEG: 0.2,
}
INWARD_M = 0.03
# Skirts and coats stand off on both sides; what is wider than this on one side only is a bag.
ONE_SIDED_M = 0.06
HAND_M, FOOT_M = 0.012, 0.04
_NORMAL_SMOOTHING = 12
_GAP_SMOOTHING = 6
# Arms move aside in the picture until both of their edges agree: what each edge tells reaches no
# farther around the arm than its middle.
_ASIDE_AROUND_M, _MOST_ASIDE_M = 0.08, 0.03
_SAMPLE_CELL_M = 0.015  # gaps are spread to one point per such cube, then smoothed


@lru_cache(maxsize=4)
def _limits(model: ParametricModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outward and inward limits (V,) in metres, and the share (V,) of a gap that is followed."""
    regions = model.regions
    table = np.zeros(max(OUTWARD_M) + 1)
    for part, limit in OUTWARD_M.items():
        table[part] = limit
    outward = table[regions.part]
    outward = outward + regions.hand * (HAND_M - outward)
    outward = outward + regions.foot * (FOOT_M - outward)
    inward = np.full(len(outward), INWARD_M)
    inward = inward + regions.hand * (HAND_M - inward)
    follow = 1 - 0.95 * np.maximum(regions.face, regions.throat)
    follow[model.components > 0] = 0  # eyes and tongue stay inside the head
    limits = np.stack([outward, inward, follow], axis=1)
    smooth = smooth_over_mesh(limits, regions.edges, 10)
    smooth[model.components > 0, 2] = 0
    return smooth[:, 0], smooth[:, 1], smooth[:, 2]


@lru_cache(maxsize=4)
def _samples(model: ParametricModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rest points (S, 3) and bone axes (S, 3) that stand for the vertices, and whose (V,)."""
    template, axis = model.template, model.regions.axis
    number, count = merge_close(template, _SAMPLE_CELL_M)
    members = np.bincount(number, minlength=count)[:, None]
    points, axes = (
        np.stack([np.bincount(number, column, count) for column in values.T], axis=1) / members
        for values in (template, axis)
    )
    axes /= np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-6)
    return points, axes, number


def inflated_body(photo: Photo, figure: Figure, body: Body, carried: Carried | None = None) -> Mesh:
    """Move the fitted body outwards (a little inwards, too) until its outline is the matte's.

    Vertices on the body's outline look along the outline's normal for the matte's; what they find
    is spread over the surface by a kernel that is short along the bones and long around them, so
    that somebody whose coat widens them grows thicker as well; then every vertex moves along its
    smoothed normal. Hands, face and the inside of the frame's border are left alone. Where an arm
    is before the body, its edge in the picture (``occluding_edges``) counts as the matte's does; at
    last, arms move aside to where both of their edges are.

    Args:
        photo: the picture.
        figure: the person's matte.
        body: the fitted body.
        carried: bags and the like: nothing inflates to their outline.

    Returns:
        A mesh in the camera frame with the body's topology, texture coordinates and skin.
    """
    model, regions = body.model, body.model.regions
    mesh = body.as_mesh()
    finder = OutlineFinder(figure.alpha, photo.camera, mesh.vertices, carried)
    if not finder.usable:
        return mesh
    outward, inward, follow = _limits(model)
    normals = smooth_over_mesh(
        vertex_normals(mesh.vertices, mesh.faces), regions.edges, _NORMAL_SMOOTHING
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    samples, sample_axes, sample_of_vertex = _samples(model)
    edges = occluding_edges(photo, finder, model, mesh)
    offset = np.zeros(len(mesh.vertices), np.float32)
    vertices = mesh.vertices
    for _ in range(ROUNDS):
        rim = finder.gaps(vertices, model.faces, outward - offset, inward + offset)
        if len(rim.vertices) < 20:
            break
        rim, sure = _with_edges(rim, edges, vertices - mesh.vertices)
        # A normal that leans out of the picture moves the outline by its cosine only.
        in_picture = np.einsum("nc,nc->n", normals[rim.vertices, :2], rim.normals)
        weights = np.clip(in_picture, 0, 1) ** 2 * follow[rim.vertices] * sure
        at_samples = spread_gaps(
            samples,
            sample_axes,
            model.template[rim.vertices],
            rim.gaps_m / np.maximum(in_picture, 0.6),
            weights,
        )
        change = at_samples[sample_of_vertex]
        offset = np.clip(offset + follow * change, -inward, outward)
        offset = np.minimum(offset, np.maximum(offset[regions.mirror], 0) + ONE_SIDED_M)
        offset = smooth_over_mesh(offset[:, None], regions.edges, _GAP_SMOOTHING)[:, 0]
        vertices = mesh.vertices + offset[:, None] * normals
    if edges.weights.any():
        rim = finder.gaps(vertices, model.faces, outward - offset, inward + offset)
        rim, sure = _with_edges(rim, edges, vertices - mesh.vertices)
        vertices = vertices + _aside(model, rim, sure)
    return mesh.with_vertices(vertices)


def _with_edges(
    rim: RimGaps, edges: OccludingEdges, moved: np.ndarray
) -> tuple[RimGaps, np.ndarray]:
    """The gaps at the outline and those at edges of arms within it, and how sure (N,) each is.

    ``moved`` (V, 3) is how far the vertices have moved from where ``edges`` were found.
    """
    so_far = np.einsum("nc,nc->n", moved[edges.vertices, :2], edges.normals)
    both = RimGaps(
        np.concatenate([rim.vertices, edges.vertices]),
        np.concatenate([rim.gaps_m, edges.offsets_m - so_far]),
        np.concatenate([rim.normals, edges.normals]),
    )
    return both, np.concatenate([np.ones(len(rim.vertices)), edges.weights])


def _aside(model: ParametricModel, rim: RimGaps, sure: np.ndarray) -> np.ndarray:
    """How far (V, 3) the vertices of arms move in the picture, metres, so that both of their edges
    are where ``rim`` has them: all to one side, or each to its own."""
    regions = model.regions
    arms = np.isin(regions.part, (LEFT_ARM, RIGHT_ARM))
    share = smooth_over_mesh((arms * (1 - regions.hand))[:, None], regions.edges, _GAP_SMOOTHING)
    samples, axes, sample_of_vertex = _samples(model)
    used = arms[rim.vertices]
    vertices, weights = rim.vertices[used], sure[used]
    out = np.zeros((len(model.template), 3), np.float32)
    for axis in (0, 1):
        towards = np.clip(rim.gaps_m, -_MOST_ASIDE_M, _MOST_ASIDE_M) * rim.normals[:, axis]
        spread = spread_gaps(
            samples, axes, model.template[vertices], towards[used], weights, _ASIDE_AROUND_M
        )
        out[:, axis] = spread[sample_of_vertex]
    return smooth_over_mesh(share * out, regions.edges, _GAP_SMOOTHING)
