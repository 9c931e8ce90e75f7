"""The clothed surface: normals, matte and body to a closed mesh with vertices of its own.

1. Where rays are inside the person (``volume.clothed_spans``): the inflated body's layers,
   completed to the whole matte; the first and the last surface follow the normals.
2. A volume in the rays' own grid (``volume.field``), with gaps between limbs and what they touch
   (``volume.separation``), well-composed (``volume.well_composed``).
3. Its surface (``volume.surface_nets``), smoothed (``volume.wall``) and simplified
   (``finish.simplify``).
4. The body's hands (``finish.hands``) and face (``finish.face``), its skin
   (``finish.skin_transfer``), texture coordinates (``finish.charts``).
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Protocol

import numpy as np

from vitruvian.body.model.skeleton import ANKLES, HEAD, WRISTS
from vitruvian.compute import SideBySide
from vitruvian.geometry.normals import face_normals, vertex_normals
from vitruvian.surface.finish.charts import lay_out
from vitruvian.surface.finish.face import refined_face
from vitruvian.surface.finish.fine_relief import with_fine_relief
from vitruvian.surface.finish.hands import Evidence, with_hands
from vitruvian.surface.finish.simplify import simplify
from vitruvian.surface.finish.skin_transfer import nearest_vertices, transferred_skin
from vitruvian.surface.finish.skirts import shared_legs
from vitruvian.surface.maps import SurfaceMaps, figure_box
from vitruvian.surface.volume.clothed_spans import MARGIN, RAYS, ClothedSpans, clothed_spans
from vitruvian.surface.volume.field import span_field
from vitruvian.surface.volume.frame_cut import FrameCut, base_level, standing_on
from vitruvian.surface.volume.limbs import groups_of_points, groups_of_vertices
from vitruvian.surface.volume.separation import separated
from vitruvian.surface.volume.surface_nets import largest_components, owners, surface_net
from vitruvian.surface.volume.volume import RayGrid, Volume
from vitruvian.surface.volume.wall import smoothed
from vitruvian.surface.volume.well_composed import well_composed
from vitruvian.types.body import ParametricModel
from vitruvian.types.camera import Camera
from vitruvian.types.carried import Carried
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh

FACES = 24_000
_VOXELS = 144  # along the longer side of the figure, for so many faces
_LEAST_VOXELS, _MOST_VOXELS = 96, 320
_PX_PER_VOXEL = 2.5  # of the photograph: somebody small in it is not worth as many voxels
_SHRUNK = 0.1  # voxels by which smoothing draws the outline in
_LEAST_SHARE = 0.02  # of the largest component's faces, below which one is left out
_LEAST_SHARE_CUT = 0.15  # likewise where the frame cuts: a hand whose arm it cut off would float


class Correction(Protocol):
    """Makes another volume of that of a person's spans, such as ``lab.fields`` does."""

    def __call__(self, volume: Volume, clothed: ClothedSpans) -> Volume:
        """The corrected volume, on the same grid."""


def clothed_mesh(
    model: ParametricModel,
    body: Mesh,
    alpha: Alpha,
    camera: Camera,
    *,
    fitted: Mesh | None = None,
    maps: SurfaceMaps | None = None,
    relief: SurfaceMaps | None = None,
    faces: int = FACES,
    voxels: int | None = None,
    correction: Correction | None = None,
    cut: FrameCut | None = None,
    carried: Carried | None = None,
) -> Mesh:
    """The outer surface of a clothed person, closed and manifold.

    Args:
        model: the body model.
        body: in the body model's topology, camera frame, with its skin: the fitted body, or
            better the one inflated to its outline.
        alpha: the person's matte.
        camera: the photograph's.
        fitted: the bare body, likewise, if ``body`` is not that.
        maps: normals pixel by pixel; without, the body's relief alone.
        relief: finer normals, to which triangles four times as many are moved
            (``finish.fine_relief``).
        faces: budget, beside the fine triangles of face and hands.
        voxels: of the volume along the figure's longer side; by default as many as fit the faces,
            fewer where the photograph shows the figure in few pixels.
        correction: of the volume, before limbs are separated.
        cut: end the surface where the photograph's frame cuts the person, with a closed cut; by
            default the body beyond the frame is part of it.
        carried: bags and the like, which are no cloth (``volume.things``).

    Returns:
        A mesh in the camera frame with texture coordinates, skin and ``body_vertices``; the body
        itself where neither it nor the matte covers anything of the picture.
    """
    if voxels is None:
        low, high = figure_box(body, alpha, camera, framed=cut is not None)
        voxels = voxels_for(faces, float((high - low).max()))
    clothed = clothed_spans(
        model,
        body,
        alpha,
        camera,
        maps,
        voxels,
        fitted=fitted,
        framed=cut is not None,
        beyond=None if cut is None else cut.beyond,
        carried=carried,
    )
    if clothed is None:
        return body
    solid = body, fitted or body
    volume = _sampled(clothed)
    if correction is not None:
        volume = correction(volume, clothed)
    if cut is not None:
        volume = _on_its_base(volume, clothed, cut)
    volume = well_composed(separated(model, volume, *solid, clothed.joined))
    mesh, limbs = _extracted(volume, faces, _LEAST_SHARE if cut is None else _LEAST_SHARE_CUT)
    if len(mesh.faces) == 0:
        return body
    mesh, beneath, of_hand = _finished(model, mesh, limbs, solid, Evidence(volume, alpha, camera))
    if relief is not None:
        mesh, source = with_fine_relief(model, mesh, beneath, relief)
        beneath, of_hand = beneath[source], of_hand[source]
    return _dressed(model, mesh, beneath, of_hand, solid, clothed.window)


def voxels_for(faces: int, shown_px: float) -> int:
    """How many voxels a figure's longer side gets, for so many faces and pixels in the picture."""
    enough = max(shown_px / _PX_PER_VOXEL, _LEAST_VOXELS)
    voxels = round(min(_VOXELS, enough) * (faces / FACES) ** 0.5)
    return min(max(voxels, _LEAST_VOXELS), _MOST_VOXELS)


@lru_cache(maxsize=4)
def _coarse_joints(model: ParametricModel) -> np.ndarray:
    """Indices of the joints but those of fingers, toes and face: a third of them all."""
    ends = {model.joint_index[name] for name in (*WRISTS, *ANKLES, HEAD)}
    beyond = np.zeros(len(model.parents), bool)
    for joint, parent in enumerate(model.parents):  # parents come first
        beyond[joint] = parent >= 0 and (parent in ends or beyond[parent])
    return np.flatnonzero(~beyond)


@lru_cache(maxsize=4)
def _mitten_joints(model: ParametricModel) -> np.ndarray:
    """(J,) uint16: every joint, but those of hands replaced by their wrist. A mitten has no
    fingers; with theirs bent differently, it would tear at rest."""
    out = np.arange(len(model.parents), dtype=np.uint16)
    wrists = {model.joint_index[name] for name in WRISTS}
    for joint, parent in enumerate(model.parents):  # parents come first
        if parent >= 0 and out[parent] in wrists:
            out[joint] = out[parent]
    return out


def _sampled(clothed: ClothedSpans) -> Volume:
    """The volume of a person's spans, with a margin all round."""
    spans, window = clothed.spans, clothed.window
    step = RAYS * clothed.pixel_m
    front, back = float(spans.front.min()), float(spans.back[spans.mask].max())
    near = front - MARGIN * step
    slices = int((back - near) / step) + MARGIN
    coarse = window.scaled(1 / RAYS, window.width // RAYS, window.height // RAYS)
    grid = RayGrid(coarse, near, step, slices)
    return Volume.of(grid, span_field(spans, clothed.rim_m + _SHRUNK * step, grid, RAYS))


def _on_its_base(volume: Volume, clothed: ClothedSpans, cut: FrameCut) -> Volume:
    """The volume ending on a flat base where the frame's lower border cuts the person."""
    if cut.up is None or clothed.frame_m is None:
        return volume
    level = base_level(
        clothed.spans, clothed.figure, clothed.frame_m, clothed.window, clothed.pixel_m, cut.up
    )
    return volume if level is None else standing_on(volume, cut.up, level)


def _extracted(volume: Volume, budget: int, least_share: float) -> tuple[Mesh, np.ndarray]:
    """A well-composed volume's surface with so many faces, and whose free limb (V,) uint8 each of
    its vertices is, a number of ``limbs``; components of less than a share of the largest's faces
    are left out."""
    vertices, faces = largest_components(*surface_net(volume.field), least_share)
    limbs = owners(vertices, volume)
    vertices = smoothed(vertices, faces, volume)
    points, faces, source = simplify(volume.grid.points(vertices), faces, budget)
    return Mesh(points, faces, "camera"), limbs[source]


def _finished(
    model: ParametricModel,
    mesh: Mesh,
    limbs: np.ndarray,
    solid: tuple[Mesh, Mesh],
    evidence: Evidence,
) -> tuple[Mesh, np.ndarray, np.ndarray]:
    """The mesh with the body's hands and face; the body vertex (V,) beneath each of its vertices;
    and which (V,) bool are of hands with fingers."""
    body, fitted = solid
    beneath = nearest_vertices(
        mesh.vertices,
        vertex_normals(mesh.vertices, mesh.faces),
        body.vertices,
        vertex_normals(body.vertices, body.faces),
        groups=groups_of_points(limbs),
        body_groups=groups_of_vertices(model),
    )
    mesh, beneath, of_hand = with_hands(model, mesh, limbs, beneath, fitted, evidence)
    mesh, source = refined_face(model, mesh, beneath, fitted)
    return mesh, beneath[source], of_hand[source]


def _dressed(
    model: ParametricModel,
    mesh: Mesh,
    beneath: np.ndarray,
    of_hand: np.ndarray,
    solid: tuple[Mesh, Mesh],
    window: Camera,
) -> Mesh:
    """The mesh with the body's skin, ``body_vertices`` and texture coordinates."""
    body, fitted = solid
    if body.skin_joints is None or body.skin_weights is None:
        raise ValueError("the body needs skin_joints and skin_weights")
    # From the bare body: the inflated one is as loose as the clothes.
    distance = np.linalg.norm(mesh.vertices - fitted.vertices[beneath], axis=1)
    with SideBySide() as pool:
        skin = pool.submit(
            transferred_skin,
            beneath,
            distance,
            mesh.faces,
            _mitten_joints(model)[body.skin_joints],
            body.skin_weights,
            shared=shared_legs(model, mesh, beneath, fitted),
            mirror=model.vertex_mirror,
            smoothed=_coarse_joints(model),
        )
        charts = lay_out(mesh.vertices, mesh.faces, face_normals(mesh.vertices, mesh.faces), window)
        joints, weights = skin.result()
    # A hand with fingers has its own skin: smoothed, each would drag its neighbours along.
    joints[of_hand] = body.skin_joints[beneath[of_hand]]
    weights[of_hand] = body.skin_weights[beneath[of_hand]]
    return replace(
        mesh,
        uvs=charts.uvs,
        uv_faces=charts.uv_faces,
        skin_joints=joints,
        skin_weights=weights,
        body_vertices=beneath,
    )
