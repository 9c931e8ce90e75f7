"""What the fit is given, cameras that see a person at some times, and what it makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitruvian.body.fit.contour import Outline, extract_outline
from vitruvian.body.fit.kind import Kind, believed_kind
from vitruvian.body.fit.limbs import directed
from vitruvian.body.fit.observations import (
    Observations,
    PoseTarget,
    observe,
    pose_target,
    with_estimate,
)
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.shape_prior import shape_prior
from vitruvian.body.model.model import BodyModel
from vitruvian.body.model.parts import legs_and_feet_shown
from vitruvian.geometry.rotations import transformed
from vitruvian.hints import Direction
from vitruvian.types.camera import Camera
from vitruvian.types.estimate import BodyEstimate
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import limb_length
from vitruvian.types.record import Record


@dataclass(frozen=True, eq=False, repr=False)
class View(Record):
    """One camera's picture of a person at one time.

    Attributes:
        figure: landmarks, matte, body estimate and face of the person, and what the user knows.
        camera: of the picture; its focal length sets the distance.
        time: number of the time, from 0; views of one time see the same pose.
        camera_from_reference: (4, 4) rigid matrix from the frame of the result to this camera's;
            None for the camera whose frame that is.
        kind: what kind of person it is believed to be, where more than the views given tells.
        sure: (33,) bool, landmarks that count however far off they are; None where none does.
    """

    figure: Figure
    camera: Camera
    time: int = 0
    camera_from_reference: np.ndarray | None = None
    kind: Kind | None = None
    sure: np.ndarray | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Evidence(Record):
    """A view as the residuals take it.

    Attributes:
        view: that it is of.
        observed: landmarks in the view's camera frame; ``world`` in metres.
        scale_sd: relative standard deviation of the scale of ``observed.world``.
        target: pose of the body estimate in the frame of the result, None without an estimate.
        outline: of the matte, None where it is not used.
    """

    view: View
    observed: Observations
    scale_sd: float
    target: PoseTarget | None
    outline: Outline | None

    @property
    def directions(self) -> Mapping[str, Direction]:
        """Which way limbs point, as seen from the camera, where the user says so."""
        hint = self.view.figure.hint
        return {} if hint is None or hint.limbs is None else hint.limbs

    def seen(self, points: np.ndarray) -> np.ndarray:
        """Points (N, 3) of the result's frame in the camera's."""
        return transformed(points, self.view.camera_from_reference)

    def moving(self, points: np.ndarray, derivative: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (N, 3) of the result's frame, and their derivatives (N, 3, n), in the camera's."""
        matrix = self.view.camera_from_reference
        turned = derivative if matrix is None else np.matmul(matrix[:3, :3], derivative)
        return self.seen(points), turned

    def placed(self, point: np.ndarray) -> np.ndarray:
        """A point (3,) of the camera's frame in the result's."""
        matrix = self.view.camera_from_reference
        return point if matrix is None else (point - matrix[:3, 3]) @ matrix[:3, :3]

    def turned(self, rotation: np.ndarray) -> np.ndarray:
        """A rotation (3, 3) into the camera's frame as one into the result's."""
        matrix = self.view.camera_from_reference
        return rotation if matrix is None else matrix[:3, :3].T @ rotation

    def seen_rotation(self, rotation: np.ndarray) -> np.ndarray:
        """A rotation (3, 3) into the result's frame as one into the camera's."""
        matrix = self.view.camera_from_reference
        return rotation if matrix is None else matrix[:3, :3] @ rotation

    def depth(self, point: np.ndarray) -> float:
        """Distance of a point (3,) of the result's frame along the camera's view, metres."""
        return float(self.seen(point[None])[0, 2])


def estimates_of(views: Sequence[View]) -> list[BodyEstimate]:
    """The body estimates that there are."""
    return [view.figure.estimate for view in views if view.figure.estimate is not None]


def kind_of(views: Sequence[View]) -> Kind | None:
    """What kind of person all views together, or the user, say somebody is."""
    told = next((view.kind for view in views if view.kind is not None), None)
    if told is not None:
        return told
    faces = [view.figure.face for view in views if view.figure.face is not None]
    hints = [view.figure.hint for view in views if view.figure.hint is not None]
    return believed_kind(estimates_of(views), faces, hints[0] if hints else None)


def given_height(views: Sequence[View]) -> float | None:
    """The person's stature in metres where the user told it."""
    told = [view.figure.hint.height_cm for view in views if view.figure.hint is not None]
    return next((height / 100 for height in told if height is not None), None)


def check_times(views: Sequence[View], count: int) -> None:
    """Raise ``ValueError`` unless there are views of each of the times 0 to ``count`` - 1."""
    times = {view.time for view in views}
    if times != set(range(count)) or not times:
        raise ValueError(f"views must be of the times 0 to T - 1, each at least once, got {times}")


def gather(
    model: BodyModel,
    views: Sequence[View],
    options: FitOptions,
    height_m: float | None,
    *,
    silhouette: bool,
) -> tuple[Evidence, ...]:
    """The evidence of all views, its metric landmarks scaled to the stature that is expected."""
    kind, stature = kind_of(views), height_m
    if kind is not None and height_m is None:
        stature = model.stature(shape_prior(model, options.shapes, None, kind).mean)
    return tuple(_evidence(model, view, options, stature, silhouette=silhouette) for view in views)


def _evidence(
    model: BodyModel,
    view: View,
    options: FitOptions,
    stature: float | None,
    *,
    silhouette: bool,
) -> Evidence:
    figure, camera = view.figure, view.camera
    observed = observe(figure.landmarks, camera)
    target = None
    if figure.estimate is not None and stature is not None:
        observed = with_estimate(observed, figure.estimate, legs_and_feet_shown(figure))
        target = pose_target(observed, figure.estimate)
        scale, scale_sd = stature, options.stature_scale_sd
    else:
        tall = 1.0 if stature is None else stature / model.stature(np.zeros(1))
        own = float(limb_length(model.keypoints().template)) * tall
        scale = float(np.clip(own / max(float(limb_length(observed.world)), 1e-3), 0.5, 2))
        scale_sd = options.landmark_scale_sd
    world_sd = observed.world_sd
    observed = replace(
        observed,
        world=observed.world * scale,
        world_sd=None if world_sd is None else world_sd * scale,
    )
    outline = extract_outline(figure.alpha, camera) if silhouette else None
    found = Evidence(view, observed, scale_sd, None, outline)
    if found.directions:
        observed, target = directed(model, observed, target, found.directions)
        found = replace(found, observed=observed)
    if target is not None:
        rotations = target.rotations.copy()
        rotations[0] = found.turned(rotations[0])
        found = replace(found, target=replace(target, rotations=rotations))
    return found
