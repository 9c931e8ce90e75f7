"""Fitting the parametric body to one figure of a photograph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from vitruvian.body.fit.contour import ContourTargets, extract_outline, match_outline, mesh_edges
from vitruvian.body.fit.guidance import (
    PoseTarget,
    guessed_joints,
    guessed_parts,
    guided,
    pose_target,
    shape_prior,
)
from vitruvian.body.fit.observations import (
    Observations,
    observe,
    translation_guess,
)
from vitruvian.body.fit.prior import PosePrior, pose_prior
from vitruvian.body.fit.solver import FitState, NormalEquations, levenberg_marquardt
from vitruvian.body.model.fingers import relaxed_fingers
from vitruvian.body.model.model import BodyModel, PointSet
from vitruvian.body.model.skeleton import KNEES
from vitruvian.geometry.rotations import (
    axis_angle_from_matrix,
    matrix_from_axis_angle,
    rigid_alignment,
)
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.estimate import BodyEstimate
from vitruvian.types.figure import Figure
from vitruvian.types.keypoints import HIPS, TORSO, limb_length


@dataclass(frozen=True)
class FitOptions:
    """Standard deviations and counts of the fit; the defaults were measured on real pictures.

    Attributes:
        shapes: number of shape directions that a picture can say anything about.
        image_sd: of a landmark in the picture, metres at the person's distance.
        world_sd: (3,) of a world landmark, metres; more along the view.
        landmark_scale_sd: relative, of the world landmarks' scale.
        contour_sd: of the outline, metres at the person's distance.
        robust: residuals beyond this many standard deviations stop counting (Cauchy).
        pose_weight, shape_weight, limit_weight: factors on the priors' residuals.
        height_sd: metres, when the height is given.
        pose_target_weight: factor on the residuals of the pose that cues suggest.
        stature_scale_sd: relative, of the scale of cues' keypoints, which are in statures.
        straight_sd: of straight knees, radians; infinite to leave knees alone.
        straight_below: radians; knees that landmarks and cues bend by more are bent on purpose.
        iterations, contour_rounds, contour_iterations: how long to go on.
    """

    shapes: int = 10
    image_sd: float = 0.012
    world_sd: tuple[float, float, float] = (0.06, 0.06, 0.09)
    landmark_scale_sd: float = 0.08
    contour_sd: float = 0.02
    robust: float = 3.0
    pose_weight: float = 1.0
    shape_weight: float = 1.0
    limit_weight: float = 13.0
    height_sd: float = 0.002
    pose_target_weight: float = 0.5
    stature_scale_sd: float = 0.04
    straight_sd: float = 0.15
    straight_below: float = 0.5
    iterations: int = 40
    contour_rounds: int = 3
    contour_iterations: int = 4


class FitProblem:
    """The cost of a body against one figure's observations.

    Unknowns, in this order: rotation increments of the active joints (3A), betas (K),
    translation (3), landmark scale (1).
    """

    def __init__(
        self,
        model: BodyModel,
        observed: Observations,
        prior: PosePrior,
        options: FitOptions,
        expected_scale: float,
        height_m: float | None,
        cues: BodyEstimate | None = None,
    ) -> None:
        self.model = model
        self.observed = observed
        self.prior = prior
        self.shape_prior = shape_prior(model, options.shapes, height_m, cues)
        self.options = options
        self.target: PoseTarget | None = None
        self.height_m = height_m
        if cues is not None:
            self.target = pose_target(observed, cues)
        self.world_sd = np.asarray(options.world_sd)
        if observed.world_sd is not None:
            self.world_sd = observed.world_sd * expected_scale
        self.expected_scale = expected_scale
        self.active = model.active
        self.unknowns = 3 * len(self.active) + options.shapes + 4
        self.first_pose = 3  # the root's orientation is free
        self.straight: list[int] = []  # rows of ``active``: knees that are held to be straight
        self.first_shape = 3 * len(self.active)
        # Metres per unit of x / z. Fixed during one minimisation: were it to follow the body,
        # errors in the image would shrink by pulling the body closer.
        self.metres_per_ray = 1.0
        self._contour: tuple[ContourTargets, PointSet] | None = None

    def follow_contour(self, targets: ContourTargets) -> None:
        """Use these outline targets from now on."""
        self._contour = targets, self.model.vertex_points(targets.vertices)

    def straighten_knees(self, state: FitState) -> None:
        """From now on pull those knees straight that ``state`` bends but a little.

        Along the view a knee's place is hardly seen, and means over many poses, priors' and
        networks' alike, bend it; but people who stand, stand on straight legs.
        """
        for name in KNEES:
            joint = int(np.flatnonzero(self.active == self.model.joint_index[name])[0])
            bend = axis_angle_from_matrix(state.rotations[self.active[joint]][None])
            if np.linalg.norm(bend) < self.options.straight_below:
                self.straight.append(joint)

    def minimize(self, state: FitState, iterations: int, tolerance: float) -> FitState:
        """Improve ``state`` with the present contour targets."""
        self.metres_per_ray = max(float(state.translation[2]), 0.3)
        state, _ = levenberg_marquardt(
            state,
            self.active,
            self.evaluate,
            max_iterations=iterations,
            tolerance=tolerance,
        )
        return state

    def evaluate(self, state: FitState, jacobian: bool) -> NormalEquations:
        """The robust cost and, with ``jacobian``, its normal equations at ``state``."""
        system = NormalEquations(self.unknowns, jacobian)
        points, derivative = self.model.evaluate(
            self.model.keypoints(),
            state.betas,
            state.rotations,
            state.translation,
            self.active,
            jacobian=jacobian,
        )
        self._add_world(system, state, points, derivative)
        self._add_image(system, points, derivative)
        self._add_contour(system, state, jacobian)
        self._add_priors(system, state)
        return system

    def _add_world(
        self,
        system: NormalEquations,
        state: FitState,
        points: np.ndarray,
        derivative: np.ndarray | None,
    ) -> None:
        sd = self.world_sd
        root = points[HIPS].mean(0)
        residual = (points - root - state.landmark_scale * self.observed.world) / sd
        rows = None
        if derivative is not None:
            relative = derivative - derivative[HIPS].mean(0)
            scale_column = -self.observed.world[:, :, None]
            rows = np.concatenate([relative, scale_column], axis=2) / sd[..., None]
        used = self.observed.world_weights > 0
        system.add_robust(
            residual[used],
            None if rows is None else rows[used],
            self.observed.world_weights[used],
            self.options.robust,
        )

    def _add_image(
        self, system: NormalEquations, points: np.ndarray, derivative: np.ndarray | None
    ) -> None:
        residual, rows = self._reprojection(
            points, derivative, self.observed.rays, self.options.image_sd
        )
        system.add_robust(
            residual,
            rows,
            self.observed.image_weights,
            self.options.robust,
        )

    def _add_contour(self, system: NormalEquations, state: FitState, jacobian: bool) -> None:
        if self._contour is None:
            return
        target, contour_points = self._contour
        points, derivative = self.model.evaluate(
            contour_points,
            state.betas,
            state.rotations,
            state.translation,
            self.active,
            jacobian=jacobian,
        )
        residual, rows = self._reprojection(
            points, derivative, target.rays, self.options.contour_sd
        )
        across = np.einsum("nc,nc->n", residual, target.normals)[:, None]
        if rows is not None:
            rows = np.einsum("ncu,nc->nu", rows, target.normals)[:, None]
        system.add_robust(across, rows, target.weights, self.options.robust)

    def _reprojection(
        self,
        points: np.ndarray,
        derivative: np.ndarray | None,
        rays: np.ndarray,
        sd: float,
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Residuals (N, 2) of the rays to ``points`` and their derivatives (N, 2, n)."""
        z = np.maximum(points[:, 2:3], 0.1)
        projected = points[:, :2] / z
        factor = self.metres_per_ray / sd
        residual = (projected - rays) * factor
        if derivative is None:
            return residual, None
        rows = derivative[:, :2] - projected[:, :, None] * derivative[:, 2:3]
        return residual, rows * (factor / z)[:, :, None]

    def _add_priors(self, system: NormalEquations, state: FitState) -> None:
        options, jacobian = self.options, system.jacobian
        pose = axis_angle_from_matrix(state.rotations[self.active[1:]]).ravel()
        if self.target is not None:
            self._add_target(system, state, self.target)
        whitening = self.prior.whitening * options.pose_weight
        system.add(
            whitening @ (pose - self.prior.mean),
            whitening if jacobian else None,
            self.first_pose,
        )
        self._add_straight_knees(system, pose.reshape(-1, 3))
        beyond = np.where(
            pose < self.prior.lower,
            pose - self.prior.lower,
            np.where(pose > self.prior.upper, pose - self.prior.upper, 0.0),
        )
        broken = np.diag(np.where(beyond != 0, options.limit_weight, 0.0))
        system.add(beyond * options.limit_weight, broken if jacobian else None, self.first_pose)
        shape_whitening = self.shape_prior.whitening * options.shape_weight
        system.add(
            shape_whitening @ (state.betas - self.shape_prior.mean),
            shape_whitening if jacobian else None,
            self.first_shape,
        )
        if self.height_m is not None:
            slope = self.model.stature_gradient[: options.shapes]
            error = self.model.stature(state.betas) - self.height_m
            system.add(
                np.array([error / options.height_sd]),
                slope[None] / options.height_sd if jacobian else None,
                self.first_shape,
            )
        in_statures = self.observed.world_sd is not None
        relative_sd = options.stature_scale_sd if in_statures else options.landmark_scale_sd
        scale_sd = relative_sd * self.expected_scale
        system.add(
            np.array([(state.landmark_scale - self.expected_scale) / scale_sd]),
            np.array([[1 / scale_sd]]) if jacobian else None,
            self.unknowns - 1,
        )

    def _add_straight_knees(self, system: NormalEquations, pose: np.ndarray) -> None:
        rows = np.eye(3) / self.options.straight_sd if system.jacobian else None
        for joint in self.straight:
            system.add(pose[joint - 1] / self.options.straight_sd, rows, 3 * joint)

    def _add_target(self, system: NormalEquations, state: FitState, target: PoseTarget) -> None:
        """Pull towards the pose that the cues suggest; robustly, for they may be wrong."""
        residual = target.residual(state.rotations[self.active])
        count = len(residual)
        rows = None
        if system.jacobian:
            rows = np.zeros((count, 3, 3 * count))
            for axis in range(3):
                rows[np.arange(count), axis, 3 * np.arange(count) + axis] = 1 / target.sd
        weights = np.full(count, self.options.pose_target_weight)
        system.add_robust(residual, rows, weights, self.options.robust)


@lru_cache(maxsize=4)
def _model_edges(model: BodyModel) -> tuple[np.ndarray, np.ndarray]:
    return mesh_edges(model.faces)


def _initial_state(
    model: BodyModel,
    observed: Observations,
    options: FitOptions,
    scale: float,
    height_m: float | None,
    cues: BodyEstimate | None = None,
) -> FitState:
    """The pose that the cues suggest, else rest turned by the torso's landmarks; where rays and
    landmarks agree best."""
    rotations = np.tile(np.eye(3), (len(model.joint_names), 1, 1))
    betas = shape_prior(model, options.shapes, height_m, cues).mean
    origin = np.zeros(3)
    rest, _ = model.evaluate(
        model.keypoints(), betas, rotations, origin, model.active, jacobian=False
    )
    if cues is not None:
        rotations[model.active] = pose_target(observed, cues).rotations
    else:
        rotations[model.active[0]] = rigid_alignment(rest[TORSO], observed.world[TORSO])
    turned, _ = model.evaluate(
        model.keypoints(), betas, rotations, origin, model.active, jacobian=False
    )
    hips = translation_guess(observed, scale)
    return FitState(rotations, betas, hips - turned[HIPS].mean(0), scale)


def _resized_state(
    state: FitState, body: Body, active: np.ndarray, height_m: float | None
) -> FitState:
    """``state`` with a body's pose, and its place at the distance that goes with the stature."""
    rotations = state.rotations.copy()
    rotations[active] = matrix_from_axis_angle(body.pose[active])
    factor = 1.0 if height_m is None else height_m / body.height_m
    return replace(state, rotations=rotations, translation=body.translation * factor)


def fit_body(
    model: BodyModel,
    figure: Figure,
    camera: Camera,
    *,
    height_m: float | None = None,
    silhouette: bool = True,
    options: FitOptions | None = None,
    start: Body | None = None,
) -> Body:
    """Fit pose, shape and place of the body model to one figure.

    Levenberg-Marquardt on robust residuals: landmarks in the picture, the network's world
    landmarks with a free scale, pose prior and joint limits from motion capture, shape prior,
    then rounds of iterated closest points between the body's outline and the matte's.

    Args:
        model: of the body.
        figure: landmarks and matte of one person.
        camera: of the photograph; its focal length sets the distance.
        height_m: the person's stature when it is known; a child's gives a child's proportions.
        silhouette: use the matte.
        options: standard deviations and iteration counts.
        start: a fit of this figure to another stature, to set out from.

    Returns:
        The body in the camera frame.
    """
    options = options or FitOptions()
    observed = observe(figure.landmarks, camera)
    rest_points = model.keypoints().template
    cues = figure.estimate
    if cues is not None:
        observed = guided(observed, cues)
        scale = height_m or model.stature(shape_prior(model, options.shapes, None, cues).mean)
    else:
        height_factor = 1.0 if height_m is None else height_m / model.stature(np.zeros(1))
        landmark_length = max(float(limb_length(observed.world)), 1e-3)
        scale = float(
            np.clip(float(limb_length(rest_points)) * height_factor / landmark_length, 0.5, 2)
        )
    problem = FitProblem(model, observed, pose_prior(), options, scale, height_m, cues)
    state = _initial_state(model, observed, options, scale, height_m, cues)
    outline = extract_outline(figure.alpha, camera) if silhouette else None
    guess = float(state.translation[2])
    if start is not None and outline is not None:
        # Its pose has followed the outline already.
        state, rounds = (
            _resized_state(state, start, model.active, height_m),
            range(1, options.contour_rounds),
        )
    else:
        state = problem.minimize(state, options.iterations, 1e-4)
        rounds = range(options.contour_rounds)
    if cues is not None and not 0.5 < state.translation[2] / guess < 2:
        # Too little is in view for the picture to hold against cues that err: do without them.
        alone = replace(figure, estimate=None)
        return fit_body(
            model, alone, camera, height_m=height_m, silhouette=silhouette, options=options
        )
    problem.straighten_knees(state)
    if outline is None:
        state = problem.minimize(state, options.contour_iterations, 1e-3)
    else:
        for number in rounds:
            pose = axis_angle_from_matrix(state.rotations)
            vertices = model.forward(state.betas, pose, state.translation).vertices
            targets = match_outline(
                outline, vertices, model.faces, _model_edges(model), first_round=number == 0
            )
            if targets is not None:
                problem.follow_contour(targets)
            state = problem.minimize(state, options.contour_iterations, 1e-3)
            if targets is None:
                break
    return _body_from_state(model, state, observed, camera, guessed_parts(cues))


def _body_from_state(
    model: BodyModel,
    state: FitState,
    observed: Observations,
    camera: Camera,
    guessed: tuple[str, ...],
) -> Body:
    pose = axis_angle_from_matrix(state.rotations)
    fingers, at_ease = relaxed_fingers(model)
    pose[fingers] = axis_angle_from_matrix(at_ease)
    posed = model.forward(state.betas, pose, state.translation)
    points, _ = model.evaluate(
        model.keypoints(),
        state.betas,
        state.rotations,
        state.translation,
        model.active,
        jacobian=False,
    )
    height = float(model.stature(state.betas))
    height_px = height * camera.focal_px / max(float(state.translation[2]), 0.1)
    inside = (observed.points_px >= 0).all(1) & (
        observed.points_px <= [camera.width, camera.height]
    ).all(1)
    seen = inside & (observed.visibility > 0.5)
    error = float("nan")
    if seen.any():
        distance = np.linalg.norm(camera.project(points[seen]) - observed.points_px[seen], axis=1)
        error = float(distance.mean() / height_px)
    return Body(
        model=model,
        betas=state.betas,
        pose=pose,
        translation=state.translation,
        height_m=height,
        vertices=posed.vertices,
        joints=posed.joints,
        keypoint_error=error,
        uncertain=guessed_joints(guessed),
        phenotype=model.describe_shape(state.betas),
        guessed=guessed,
    )
