"""Cloth that hangs around both legs, as a shell of its own: skirts, dresses, coats.

In the body's topology a skirt would be two trouser legs. Here it is a tube whose distance from the
line between both legs is a height map over level and angle (``tube``), filled from what of the
sculpture is neither arm nor hand; so it is whole behind a hand, too. It is carried by the pelvis
and chains of joints (``chains``), blended by where it hangs.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vitruvian.avatar.beneath import EMERGES, SKIRT_TOP, covered, slimmed
from vitruvian.avatar.chains import chain_skin, chains_of, with_points
from vitruvian.avatar.height_map import ANGLES, at_angles, blurred, even_around, with_room_to_walk
from vitruvian.avatar.shell import grid_normals, topology
from vitruvian.avatar.skin import photographed_motion, unposed
from vitruvian.avatar.skirt_shape import skirt_shape
from vitruvian.avatar.things import Things
from vitruvian.avatar.tube import Axis
from vitruvian.types.body import Body, ParametricModel
from vitruvian.types.chains import Chains
from vitruvian.types.figure import Figure
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.regions import LEFT_LEG, RIGHT_LEG, TRUNK

_INSIDE_M = 0.02  # by which its upper end is within it
_THICKNESS_M = 0.004
_CLEAR_M = 0.008  # between the legs and the shell
_BEYOND_HEM = 0.12  # of a level below a hem, where a closed surface goes in to the legs


@dataclass(frozen=True)
class Skirt:
    """A shell at rest, in the frame ``body``.

    Attributes:
        vertices: (2 N, 3) float32: the outer side row by row from the top, then the inner side.
        faces: (F, 3) int32, closed.
        uvs: (T, 2) float32 in 0..1 of the shell's own: once around, and up from the hem.
        uv_faces: (F, 3) int32.
        skin_joints, skin_weights: (2 N, 4).
        body_vertices: (2 N,) int32, a vertex of the body beneath each.
        hem: level at which it ends.
        bare: level down to which the sculpture may show it, not the legs.
        inner: (F,) bool, faces that are not of the outer side.
        chains: that carry it, whose joints the skin numbers after those of the body.
    """

    vertices: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray
    uv_faces: np.ndarray
    skin_joints: np.ndarray
    skin_weights: np.ndarray
    body_vertices: np.ndarray
    hem: float
    bare: float
    inner: np.ndarray
    chains: Chains


def find_skirt(
    body: Body,
    sculpture: Mesh,
    photo: Photo | None = None,
    figure: Figure | None = None,
    things: Things | None = None,
) -> Skirt | None:
    """The shell of somebody's skirt; None where cloth does not hang around both legs.

    Args:
        body: fitted, camera frame.
        sculpture: the surface that the photograph shows, camera frame.
        photo, figure: with them, hems are told by outline and colours, too.
        things: that somebody carries, and that are no cloth.
    """
    shape = skirt_shape(body, sculpture, photo, figure, things)
    if shape is None:
        return None
    model, hem, levels, angles = body.model, shape.hem, shape.levels, shape.angles
    axis = Axis.of(model, body.joints)
    rows = len(levels)
    distance = with_room_to_walk(levels, angles, shape.distance, body.height_m)
    distance = np.maximum(distance, _around_legs(axis, body, body.vertices, levels) + _CLEAR_M)
    emerging = np.clip((levels - SKIRT_TOP) / EMERGES, 0, 1)[:, None]
    distance = distance - (1 - emerging) * _INSIDE_M
    around = even_around(angles, distance)
    distance = at_angles(angles, distance, around)
    chains = chains_of(body, levels, around, distance)
    skin_joints, skin_weights = chain_skin(model, levels, angles)
    posed = axis.points(levels[:, None], around, distance).reshape(-1, 3)
    rest = unposed(photographed_motion(body, chains), posed, skin_joints, skin_weights)
    rest = _outside_legs(body, rest, levels)
    shell = rest.reshape(rows, ANGLES, 3)
    chains = with_points(chains, levels, angles, shell)
    normals = grid_normals(shell).reshape(-1, 3)
    faces, uvs, uv_faces = topology(rows, ANGLES)
    return Skirt(
        np.concatenate([rest, rest - _THICKNESS_M * normals]).astype(np.float32),
        faces,
        uvs,
        uv_faces,
        np.tile(skin_joints, (2, 1)),
        np.tile(skin_weights, (2, 1)),
        np.tile(_beneath(model, body, rest), 2),
        hem,
        max(hem, shape.spanned) + _BEYOND_HEM,
        np.asarray((faces >= len(rest)).any(1)),
        chains,
    )


def _around_legs(axis: Axis, body: Body, vertices: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """(R, A) metres, least distance from the centre line that leaves the slim legs inside."""
    model = body.model
    # As far as the legs are slimmed at rest, here they are so in the pose.
    drawn_in = np.linalg.norm(slimmed(body, float(levels[-1])), axis=1)
    chosen = np.flatnonzero(covered(model, float(levels[-1])) > 0.5)
    level, angle, distance = axis.of_points(vertices[chosen].astype(np.float64))
    distance = distance - drawn_in[chosen]
    step = levels[1] - levels[0]
    row = np.rint((level - levels[0]) / step).astype(int)
    column = np.rint((angle / np.pi + 1) / 2 * ANGLES).astype(int) % ANGLES
    inside = (row >= 0) & (row < len(levels))
    out = np.zeros((len(levels), ANGLES), np.float32)
    np.maximum.at(out, (row[inside], column[inside]), distance[inside])
    wide = np.concatenate([out[:, -2:], out, out[:, :2]], 1)
    return np.asarray(cv2.dilate(wide, np.ones((3, 3), np.uint8))[:, 2:-2], np.float64)


def _ramp(values: np.ndarray, start: float, end: float) -> np.ndarray:
    t = np.clip((values - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def _outside_legs(body: Body, rest: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The outer side (N, 3) at rest, where need be moved out of the legs at rest."""
    vertices, joints = body.rest()
    axis = Axis.of(body.model, joints)
    level, angle, distance = axis.of_points(rest)
    least = _around_legs(axis, body, vertices, levels) + _CLEAR_M
    step = levels[1] - levels[0]
    row = np.clip(np.rint((level - levels[0]) / step).astype(int), 0, len(levels) - 1)
    column = np.rint((angle / np.pi + 1) / 2 * ANGLES).astype(int) % ANGLES
    hidden = _ramp(level, SKIRT_TOP, SKIRT_TOP + EMERGES)
    short = np.maximum(least[row, column] - distance, 0) * hidden
    short = blurred(short.reshape(-1, ANGLES, 1).repeat(2, 2), 1)[..., 0].reshape(-1)
    return np.asarray(
        rest + axis.points(level, angle, short) - axis.points(level, angle, 0 * short)
    )


def _beneath(model: ParametricModel, body: Body, rest: np.ndarray) -> np.ndarray:
    """(N,) int32, the nearest vertex of trunk and legs at rest."""
    vertices = body.rest()[0]
    legs = np.flatnonzero(np.isin(model.regions.part, (TRUNK, LEFT_LEG, RIGHT_LEG)))
    points = vertices[legs]
    squared = np.square(points).sum(1) - 2 * rest.astype(np.float32) @ points.T
    return legs[squared.argmin(1)].astype(np.int32)
