"""Solving for a head from the points of a face.

Gauss-Newton with Gaussian priors for turn, place and size of the head, the shape of the face and
what it does (``body.model.face``); what that leaves in the picture a smooth field takes up. A
morphable model beside a Gaussian process, as in Gerig et al., "Morphable Face Models - An Open
Framework" (2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vitruvian.body.model.face import FaceModel
from vitruvian.geometry.rotations import (
    matrix_from_axis_angle,
    rigid_alignment,
    rotation_between,
)
from vitruvian.networks.face_mesh import EYELIDS, LEFT_EYE, MESH_POINTS, RIGHT_EYE
from vitruvian.types.camera import Camera
from vitruvian.types.record import Record

_ROUNDS = 4
# Standard deviations, in distances between the eyes. Neighbouring points err together, so each
# counts less than it would alone.
_POINT_SD, _DEPTH_SD = 0.06, 0.2
_SMOOTH_SD = 0.02  # of a point beside the smooth field
_PIXEL_SD = 0.5  # of a point at least, pixels
_SIDEWAYS = 0.15  # what a point counts that faces away
# Of where the head's middle is (metres; the last along the view) and of the logarithm of its size.
_PLACE_SD, _SIZE_SD = (0.05, 0.05, 0.01), 0.05
_MOST_SHAPE = 3.0
_ACTION_SD, _LEAST_ACTION, _MOST_ACTION = 0.3, -0.1, 1.0
_NEAREST_M = 0.05
_MOTION = 7  # unknowns of turn, place and size
_HELD = 1e9  # precision of an action that has reached its limit


@dataclass(frozen=True, eq=False, repr=False)
class HeadState(Record):
    """A head in the camera's frame.

    Attributes:
        rotation: (3, 3) float64 from rest.
        place: (3,) where the middle of the points is, metres.
        size: factor on the body's.
        strengths: (K + E,) of the face model's shapes and actions.
    """

    rotation: np.ndarray
    place: np.ndarray
    size: float
    strengths: np.ndarray


class HeadPoints:
    """The points of one face, and what they say of a head.

    Args:
        faces: the face model.
        rest: (468, 3) the points on the body's head at rest, metres.
        points: (478, 3) observed, see ``types.face.Face.points``.
        camera: that sees them.
    """

    def __init__(
        self, faces: FaceModel, rest: np.ndarray, points: np.ndarray, camera: Camera
    ) -> None:
        self.middle = rest.mean(0)
        self.eyes_px = eye_distance(points)
        self._faces = faces
        self._about = rest - self.middle
        self._camera = camera
        self._pixels = points[:MESH_POINTS, :2]
        relief = (points[:MESH_POINTS, 2] / self.eyes_px - faces.depth_bias) * faces.depth_scale
        self._relief = self.eyes_px * (relief - relief.mean())  # pixels
        # The network is shown the face alone: what it calls behind is farther along this ray.
        ray = camera.rays(self._pixels.mean(0)).astype(np.float64)
        self._ray = ray / np.linalg.norm(ray)

    def solve(self, place: np.ndarray) -> HeadState | None:
        """The head; None where the points are too near the camera.

        place: (3,) where the body has the middle of the points, camera frame.
        """
        # Set out as the points lie in space, to the network.
        lying = np.concatenate([self._pixels, self._relief[:, None]], axis=1)
        towards = rotation_between(np.array([0.0, 0.0, 1.0]), self._ray)
        rotation = towards @ rigid_alignment(self._about, lying)
        start = self._camera.rays(self._pixels.mean(0)) * place[2]
        shapes, actions = len(self._faces.identity), len(self._faces.actions)
        state = HeadState(rotation, start, 1.0, np.zeros(shapes + actions))
        sd = [*_PLACE_SD, _SIZE_SD, *np.ones(shapes), *np.full(actions, _ACTION_SD)]
        precision = np.concatenate([np.zeros(3), 1 / np.square(sd)])
        for _ in range(_ROUNDS):
            local, points = self._points(state)
            if points[:, 2].min() < _NEAREST_M:
                return None
            design, target = self._residuals(state, local, points)
            off = [state.place - start, [np.log(state.size)], state.strengths]
            pull = precision * np.concatenate([np.zeros(3), *off])
            pull[precision == _HELD] = 0
            normal = design.T @ design + np.diag(precision)
            step = np.linalg.solve(normal, design.T @ target - pull)
            strengths = state.strengths + step[_MOTION:]
            limits = np.repeat([[-_MOST_SHAPE, _MOST_SHAPE], [_LEAST_ACTION, _MOST_ACTION]],
                               [shapes, actions], axis=0)  # fmt: skip
            kept = np.clip(strengths, *limits.T)
            precision[_MOTION:][kept != strengths] = _HELD
            state = HeadState(
                matrix_from_axis_angle(step[:3]) @ state.rotation,
                state.place + step[3:6],
                state.size * float(np.exp(np.clip(step[6], -0.2, 0.2))),
                kept,
            )
        return state

    def error(self, points: np.ndarray) -> float:
        """Mean distance in the picture of points (468, 3), camera frame, from the observed ones,
        in distances between the eyes."""
        off = self._camera.project(points) - self._pixels
        return float(np.linalg.norm(off, axis=1).mean()) / self.eyes_px

    def placed(self, state: HeadState) -> np.ndarray:
        """The points (468, 3) of a head, camera frame."""
        return self._points(state)[1]

    def smooth(self, state: HeadState) -> np.ndarray:
        """What a head leaves in the picture, as coefficients (M, 3) of the face model's smooth
        functions: metres in the camera's frame, across the view."""
        points = self.placed(state)
        per_pixel = points[:, 2] / self._camera.focal_px
        off = (self._pixels - self._camera.project(points)) * per_pixel[:, None]
        sd = max(_SMOOTH_SD * self.eyes_px, _PIXEL_SD) * per_pixel.mean()
        weight = self._weight(state, points) ** 2 / sd**2
        basis = self._faces.point_smooth
        weighted = basis * weight
        field = np.linalg.solve(weighted @ basis.T + np.eye(len(basis)), weighted @ off)
        return np.concatenate([field, np.zeros((len(field), 1))], axis=1)

    def _points(self, state: HeadState) -> tuple[np.ndarray, np.ndarray]:
        """The points (468, 3) about the head's middle, turned and sized; and where they are."""
        strengths = state.strengths
        flat = self._faces.point_directions.reshape(len(strengths), -1)
        local = self._about + (strengths @ flat).reshape(-1, 3)
        turned = state.size * local @ state.rotation.T
        return turned, turned + state.place

    def _weight(self, state: HeadState, points: np.ndarray) -> np.ndarray:
        """What each point (468,) counts: less where the face turns away, which the network only
        guesses."""
        normals = self._faces.point_normals @ state.rotation.T
        facing = -(normals * points).sum(1) / np.linalg.norm(points, axis=1)
        return np.clip(_SIDEWAYS + 1.5 * facing, _SIDEWAYS, 1.0)

    def _residuals(
        self, state: HeadState, turned: np.ndarray, points: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives (3 N, 7 + K + E) of the points in the picture and in depth with respect to
        turn, place, logarithm of the size and strengths; and what lacks (3 N,); both in standard
        deviations."""
        directions = self._faces.point_directions
        count = _MOTION + len(directions)
        jacobian = np.zeros((MESH_POINTS, 3, count))
        x, y, z = turned.T
        jacobian[:, 0, 1], jacobian[:, 0, 2] = z, -y
        jacobian[:, 1, 0], jacobian[:, 1, 2] = -z, x
        jacobian[:, 2, 0], jacobian[:, 2, 1] = y, -x
        jacobian[:, :, 3:6] = np.eye(3)
        jacobian[:, :, 6] = turned
        jacobian[:, :, _MOTION:] = (directions @ (state.size * state.rotation.T)).transpose(1, 2, 0)
        depth = points[:, 2]
        focal = self._camera.focal_px
        flat = points[:, :2] / depth[:, None]
        across = jacobian[:, :2] - flat[:, :, None] * jacobian[:, 2:]
        across *= (focal / depth)[:, None, None]
        along = np.einsum("nij,i->nj", jacobian, self._ray)
        along -= along.mean(0)
        lacks = self._pixels - self._camera.project(points)
        behind = points @ self._ray
        lacks_depth = self._relief * depth.mean() / focal - (behind - behind.mean())
        weight = self._weight(state, points)
        point_sd = max(_POINT_SD * self.eyes_px, _PIXEL_SD)
        depth_sd = _DEPTH_SD * self.eyes_px * depth.mean() / focal
        rows = np.concatenate([np.repeat(weight / point_sd, 2), weight / depth_sd])
        design = np.concatenate([across.reshape(-1, count), along])
        return design * rows[:, None], np.concatenate([lacks.ravel(), lacks_depth]) * rows


def eye_distance(points: np.ndarray) -> float:
    """Distance between the middles of the eyes of face-mesh points (N, 3), in their unit."""
    right, left = points[RIGHT_EYE[:EYELIDS]].mean(0), points[LEFT_EYE[:EYELIDS]].mean(0)
    return float(np.linalg.norm(right - left))
