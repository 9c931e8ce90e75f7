"""The clothed surface: maps, matte and body to a closed mesh that is not bound to the body's.

1. The body's layers along every ray (``layers``), completed to the whole matte (``completion``).
2. The first and the last surface follow the maps' depths and normals (``integrate``).
3. A field in the rays' own grid (``field``), cut open between limbs and trunk (``limbs``).
4. Its surface as a closed manifold (``nets``), smoothed and simplified (``simplify``).
5. The body's hands (``hands``) and face (``refine``), its skin and regions (``attach``), texture
   coordinates (``charts``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from vitruvian.body.model.skeleton import ANKLES, HEAD, WRISTS
from vitruvian.compute import SideBySide
from vitruvian.geometry.normals import face_normals, vertex_normals
from vitruvian.surface.finish.charts import lay_out
from vitruvian.surface.finish.face import refined_face
from vitruvian.surface.finish.hands import Volume, with_hands
from vitruvian.surface.finish.simplify import simplify
from vitruvian.surface.finish.skin_transfer import carried_skin, nearest_vertices
from vitruvian.surface.finish.skirts import shared_legs
from vitruvian.surface.maps import SurfaceMaps, figure_box, window_alpha
from vitruvian.surface.volume.completion import complete_spans, put_surfaces, trusted_matte
from vitruvian.surface.volume.field import RayGrid, span_field
from vitruvian.surface.volume.limbs import bits_of_points, bits_of_vertices, limb_of_net, part_limbs
from vitruvian.surface.volume.normal_integration import integrate_normals
from vitruvian.surface.volume.ray_spans import Spans, ray_spans
from vitruvian.surface.volume.separation import smoothed
from vitruvian.surface.volume.surface_nets import largest_components, surface_net
from vitruvian.types.body import ParametricModel
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh

FACES = 24_000
_VOXELS = 144  # along the longer side of the figure, for so many faces
_LEAST_VOXELS, _MOST_VOXELS = 96, 320
_PX_PER_VOXEL = 2.5  # of the photograph: somebody small in it is not worth as many voxels
_FINE = 2  # rays to the voxel
_MARGIN = 6  # voxels around the figure
_SHRUNK = 0.1  # voxels by which smoothing draws the outline in
_OUTLINE_SMOOTHING_M = 0.008
_LEAST_SHARE = 0.02  # of the largest part's faces, below which a part is a floater


Correct = Callable[[np.ndarray, RayGrid, "ClothedSpans"], np.ndarray]


def clothed_mesh(
    model: ParametricModel,
    body: Mesh,
    alpha: Alpha,
    camera: Camera,
    *,
    fitted: Mesh | None = None,
    maps: SurfaceMaps | None = None,
    faces: int = FACES,
    voxels: int | None = None,
    correct: Correct | None = None,
) -> Mesh:
    """The outer surface of a clothed person, closed and manifold.

    Args:
        model: the body model.
        body: in the body model's topology, camera frame, with its skin: the fitted body, or
            better the one swollen to its outline.
        alpha: the person's matte; maps may bring their own.
        camera: the photograph's.
        fitted: the bare body, likewise, if ``body`` is not that.
        maps: what is known pixel by pixel; without, the body's depths alone.
        faces: budget, beside the fine triangles of face and hands.
        voxels: of the volume along the figure's longer side; by default as many as fit the faces,
            fewer where the photograph shows the figure in few pixels.
        correct: makes another field (H, W, D) of the field, its grid and the spans that it is of.

    Returns:
        A mesh in the camera frame with texture coordinates, skin and ``body_vertices``; the body
        itself where neither it nor the matte covers anything of the picture.
    """
    if voxels is None:
        low, high = figure_box(body, alpha, camera)
        voxels = voxels_for(faces, float((high - low).max()))
    clothed = clothed_spans(model, body, alpha, camera, maps, voxels)
    if clothed is None:
        return body
    solid = body, fitted or body
    mesh, limbs, parts = _extracted(model, clothed, solid, faces, correct)
    if len(mesh.faces) == 0:
        return body
    return _dressed(model, mesh, limbs, solid, clothed.window, Volume(*parts, alpha, camera))


def voxels_for(faces: int, shown_px: float) -> int:
    """How many voxels a figure's longer side gets, for so many faces and pixels in the picture."""
    enough = max(shown_px / _PX_PER_VOXEL, _LEAST_VOXELS)
    voxels = round(min(_VOXELS, enough) * (faces / FACES) ** 0.5)
    return min(max(voxels, _LEAST_VOXELS), _MOST_VOXELS)


@dataclass(frozen=True)
class ClothedSpans:
    """Where rays are inside a clothed person.

    Attributes:
        spans: along the rays of ``window``.
        figure: (H, W) bool, the pixels that show the person.
        window: of the photograph, around the figure.
        pixel_m: metres per pixel at the body.
    """

    spans: Spans
    figure: np.ndarray
    window: Camera
    pixel_m: float

    @property
    def rim_m(self) -> np.ndarray:
        """(H, W) float32 distance to the outline, metres, positive inside."""
        return outline_distance(self.figure, self.pixel_m)


def clothed_spans(
    model: ParametricModel,
    body: Mesh,
    alpha: Alpha,
    camera: Camera,
    maps: SurfaceMaps | None,
    voxels: int,
) -> ClothedSpans | None:
    """The first two steps of ``clothed_mesh``, which has the same arguments.

    None where neither body nor matte covers anything of the picture.
    """
    window = working_camera(body, alpha, camera, voxels)
    spans = ray_spans(body, window, _skull(model))
    if not spans.mask.any():
        return None
    pixel_m = float(np.median(body.vertices[:, 2])) / window.focal_px
    full, figure = person_spans(spans, alpha, camera, window, pixel_m, maps)
    return ClothedSpans(full, figure, window, pixel_m) if full.mask.any() else None


@lru_cache(maxsize=4)
def _skull(model: ParametricModel) -> np.ndarray:
    """(F,) int16, 1 for the body's faces that are of the head alone, in it and on it."""
    return model.regions.skull[model.faces].all(1).astype(np.int16)


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


def working_camera(body: Mesh, alpha: Alpha, camera: Camera, voxels: int) -> Camera:
    """The window around a figure in which its volume is built, ``_FINE`` rays to the voxel."""
    low, high = figure_box(body, alpha, camera)
    scale = _FINE * voxels / float((high - low).max())
    size = np.ceil((high - low) * scale / _FINE).astype(int) + 2 * _MARGIN
    x, y = low - _MARGIN * _FINE / scale
    return camera.window(float(x), float(y), scale, _FINE * int(size[0]), _FINE * int(size[1]))


def person_spans(
    spans: Spans,
    alpha: Alpha,
    camera: Camera,
    window: Camera,
    pixel_m: float,
    maps: SurfaceMaps | None,
) -> tuple[Spans, np.ndarray]:
    """Where rays are inside the clothed person, and the pixels (H, W) bool that show them."""
    if maps is None or maps.alpha is None:
        matte = window_alpha(alpha, camera, window)
    else:
        matte = maps.resampled(maps.alpha, window)
    # A matte's edge wavers by a pixel or two of its network; a limb with that in its outline is
    # knobbly all round.
    matte = cv2.GaussianBlur(matte, (0, 0), _OUTLINE_SMOOTHING_M / pixel_m) > 0.5
    figure = trusted_matte(matte, spans.mask, pixel_m)
    full = complete_spans(spans, figure, pixel_m)
    if maps is None:
        return full, figure

    def side(own: np.ndarray, depth: np.ndarray | None, normals: np.ndarray) -> np.ndarray:
        rough = np.where(full.mask, own, np.float32(np.inf))
        if depth is not None:
            given = maps.depth_in(depth, window)
            rough = np.where(full.mask & np.isfinite(given), given, rough)
        return integrate_normals(rough, maps.resampled(normals, window), window, pixel_m)

    with SideBySide() as pool:
        behind = pool.submit(side, full.back, maps.back_depth, maps.back_normals)
        front = side(full.front, maps.front_depth, maps.front_normals)
        back = behind.result()
    return put_surfaces(full, front, back, pixel_m), figure


def outline_distance(figure: np.ndarray, pixel_m: float) -> np.ndarray:
    """(H, W) float32 signed distance to the figure's outline, metres, positive inside."""
    inside = cv2.distanceTransform(figure.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~figure).astype(np.uint8), cv2.DIST_L2, 5)
    # Centres of pixels on either side of an edge are half a pixel from it.
    return (np.where(figure, inside - 0.5, 0.5 - outside) * pixel_m).astype(np.float32)


def _extracted(
    model: ParametricModel,
    clothed: ClothedSpans,
    solid: tuple[Mesh, Mesh],
    budget: int,
    correct: Correct | None,
) -> tuple[Mesh, np.ndarray, tuple[np.ndarray, np.ndarray, RayGrid]]:
    """The surface; whose free limb (V,) uint8 each vertex is, see ``part_limbs``; and the field,
    its voxels' owners and their grid."""
    spans, window = clothed.spans, clothed.window
    step = _FINE * clothed.pixel_m
    front, back = float(spans.front.min()), float(spans.back[spans.mask].max())
    near = front - _MARGIN * step
    slices = int((back - near) / step) + _MARGIN
    coarse = window.scaled(1 / _FINE, window.width // _FINE, window.height // _FINE)
    grid = RayGrid(coarse, near, step, slices)
    field = span_field(spans, clothed.rim_m + _SHRUNK * step, grid, _FINE)
    if correct is not None:
        field = correct(field, grid, clothed)
    film, owner = part_limbs(model, field, grid, *solid)
    vertices, faces = largest_components(*surface_net(field, film, owner), _LEAST_SHARE)
    limbs = limb_of_net(vertices, field, owner)
    vertices = smoothed(vertices, faces, field)
    points, faces, source = simplify(grid.points(vertices), faces, budget)
    return Mesh(points, faces, "camera"), limbs[source], (field, owner, grid)


def _dressed(
    model: ParametricModel,
    mesh: Mesh,
    limbs: np.ndarray,
    solid: tuple[Mesh, Mesh],
    window: Camera,
    volume: Volume,
) -> Mesh:
    """The mesh with the body's hands, face and skin, ``body_vertices`` and texture coordinates."""
    body, fitted = solid
    if body.skin_joints is None or body.skin_weights is None:
        raise ValueError("the body needs skin_joints and skin_weights")
    beneath = nearest_vertices(
        mesh.vertices,
        vertex_normals(mesh.vertices, mesh.faces),
        body.vertices,
        vertex_normals(body.vertices, body.faces),
        groups=bits_of_points(limbs),
        body_groups=bits_of_vertices(model),
    )
    mesh, beneath, of_hand = with_hands(model, mesh, limbs, beneath, fitted, volume)
    mesh, source = refined_face(model, mesh, beneath, fitted)
    beneath, of_hand = beneath[source], of_hand[source]
    # From the bare body: the swollen one is as loose as the clothes.
    distance = np.linalg.norm(mesh.vertices - fitted.vertices[beneath], axis=1)
    with SideBySide() as pool:
        skin = pool.submit(
            carried_skin,
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
