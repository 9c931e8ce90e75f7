"""Fitting the parametric body: to one figure of a photograph, to several views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vitruvian.body.fit.alternatives import alternative, most_doubtful, other_way
from vitruvian.body.fit.face import fit_head
from vitruvian.body.fit.kind import Kind, doubts
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.schedule import Solved, solve
from vitruvian.body.fit.views import Evidence, View, check_times, given_height, kind_of
from vitruvian.body.model.fingers import pose_of
from vitruvian.body.model.model import BodyModel
from vitruvian.body.model.skeleton import ARMS, HEAD, LEGS, TOES
from vitruvian.body.seen import what_is_seen
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.face import FaceShape
from vitruvian.types.figure import Figure
from vitruvian.types.seen import Seen, together

# Relative standard deviations of statures: of adults of whom nothing tells it, and the least that
# anything but a tape measure leaves.
ADULT_STATURE_SD, LEAST_STATURE_SD = 0.055, 0.03


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

    Levenberg-Marquardt on robust residuals: landmarks in the picture, metric landmarks with a free
    scale, pose prior and joint limits from motion capture, shape prior, then rounds of iterated
    closest points between the body's outline and the matte's.

    Args:
        model: of the body.
        figure: landmarks and matte of one person.
        camera: of the photograph; its focal length sets the distance.
        height_m: the person's stature when it is known, by default that of the figure's hint; a
            child's gives a child's proportions.
        silhouette: use the matte.
        options: standard deviations and iteration counts.
        start: a fit of this figure to another stature, to set out from.

    Returns:
        The body in the camera frame.
    """
    return fit_views(
        model,
        [View(figure, camera)],
        height_m=height_m,
        silhouette=silhouette,
        options=options,
        starts=None if start is None else [start],
    )[0]


def fit_views(
    model: BodyModel,
    views: Sequence[View],
    *,
    height_m: float | None = None,
    silhouette: bool = True,
    options: FitOptions | None = None,
    starts: Sequence[Body] | None = None,
) -> list[Body]:
    """Fit one person, whom calibrated cameras see at one time or several, as ``fit_body`` does.

    Args:
        views: at least one of each time, counted from 0; see ``View``.
        model, height_m, silhouette, options: as of ``fit_body``.
        starts: of each time, a fit to another stature to set out from.

    Returns:
        A body for each time, all of one shape, in the reference frame of the views.

    Raises:
        ValueError: no views, or a time without one.
    """
    check_times(views, len({view.time for view in views}))

    def solved(seen: Sequence[View], starts: Sequence[Body] | None) -> Solved:
        return solve(
            model,
            seen,
            options or FitOptions(),
            height_m=given_height(views) if height_m is None else height_m,
            silhouette=silhouette,
            starts=starts,
        )

    found = solved(views, starts)
    bodies = [_body(model, found, time) for time in range(found.state.times)]
    doubt = most_doubtful(model, found) if len(views) == 1 else None
    if doubt is None:
        return bodies
    # Not from the starts, which have the limb where it is.
    (body,), other = bodies, _body(model, solved([other_way(views[0], doubt)], None), 0)
    return [replace(body, alternatives=alternative(doubt, body, other))]


def _body(model: BodyModel, solved: Solved, time: int) -> Body:
    state = solved.state
    rotations, translation = state.rotations[time], state.translation[time]
    evidence = [one for one in solved.evidence if one.view.time == time]
    shown = _shown(model, evidence, state.betas, rotations, translation)
    rotations = _at_ease(model, rotations, shown)
    rotations, face = _with_face(model, evidence, state.betas, rotations, translation)
    pose = pose_of(model, rotations)
    posed = model.forward(state.betas, pose, translation, face=face)
    points, _ = model.evaluate(
        model.keypoints(), state.betas, rotations, translation, model.active, jacobian=False
    )
    height = float(model.stature(state.betas))
    errors = [_keypoint_error(one, points, translation, height) for one in evidence]
    seen = [error for error in errors if np.isfinite(error)]
    kind = kind_of([one.view for one in solved.evidence])
    return Body(
        model=model,
        betas=state.betas,
        pose=pose,
        translation=translation,
        height_m=height,
        vertices=posed.vertices,
        joints=posed.joints,
        keypoint_error=float(np.mean(seen)) if seen else float("nan"),
        phenotype={**model.describe_shape(state.betas), **doubts(kind)},
        seen=shown,
        height_sd_m=height * _stature_sd([one.view.figure for one in solved.evidence], kind),
        face=face,
    )


def _shown(
    model: BodyModel,
    evidence: Sequence[Evidence],
    betas: np.ndarray,
    rotations: np.ndarray,
    translation: np.ndarray,
) -> Seen:
    """What the views of one time show of a body between them."""
    posed = model.forward_rotations(betas, rotations, translation)
    ahead = np.stack([np.zeros(3), posed.rotations[model.joint_index[HEAD]][:, 2]])
    views = []
    for one in evidence:
        vertices, joints = one.seen(posed.vertices), one.seen(posed.joints)
        origin, look = one.seen(ahead)
        view = one.view
        views.append(what_is_seen(model, view.figure, view.camera, vertices, joints, look - origin))
    return together(views)


def _with_face(
    model: BodyModel,
    evidence: Sequence[Evidence],
    betas: np.ndarray,
    rotations: np.ndarray,
    translation: np.ndarray,
) -> tuple[np.ndarray, FaceShape | None]:
    """Local rotations (J, 3, 3) with the head laid on the largest face that the views of one time
    show, and the person's own face; None where there is none to go by."""
    faces = [(one, one.view.figure.face) for one in evidence]
    seen = [(one, face.points, face.width_px) for one, face in faces if face is not None]
    shown = [(one, points, width) for one, points, width in seen if points is not None]
    if not shown:
        return rotations, None
    one, points, _ = max(shown, key=lambda face: face[2])
    root, place = rotations.copy(), one.seen(translation[None])[0]
    root[0] = one.seen_rotation(rotations[0])
    head = fit_head(model, points, one.view.camera, betas, root, place)
    if head is None:
        return rotations, None
    turned = head.rotations.copy()
    turned[0] = rotations[0]
    return turned, head.shape


def _at_ease(model: BodyModel, rotations: np.ndarray, shown: Seen) -> np.ndarray:
    """Local rotations (J, 3, 3) with limbs hanging straight that the frame cuts off.

    Below a bust or a half figure nothing tells how the legs are: pose priors and networks make
    them crouch. Standing is the plainest guess.
    """
    limbs = {"half": (LEGS,), "bust": (LEGS, ARMS), "head": (LEGS, ARMS)}.get(shown.extent, ())
    out = rotations.copy()
    for sides in limbs:
        for number, (side, limb) in enumerate(zip(("left", "right"), sides, strict=True)):
            if sides is LEGS:
                loose = [*limb, TOES[number]] if f"{side} thigh" in shown.cut else []
            elif f"{side} upper arm" in shown.cut and shown.extent == "head":
                loose = list(limb)
            else:
                loose = list(limb[1:]) if f"{side} forearm" in shown.cut else []
            out[[model.joint_index[name] for name in loose]] = np.eye(3)
    return out


def _stature_sd(figures: Sequence[Figure], kind: Kind | None) -> float:
    """Relative standard deviation of a fitted stature; 0 where the user gave it."""
    if any(figure.hint is not None and figure.hint.height_cm is not None for figure in figures):
        return 0.0
    told = [figure.estimate.stature_sd for figure in figures if figure.estimate is not None]
    if not told:
        return ADULT_STATURE_SD
    # What a cut figure does not tell, the statistics of adults do, as far as it is an adult.
    child = 1.0 if kind is None else kind.child
    adult = min(*told, ADULT_STATURE_SD)
    sd = np.sqrt(child * min(told) ** 2 + (1 - child) * adult**2)
    return float(max(sd, LEAST_STATURE_SD))


def _keypoint_error(
    one: Evidence, points: np.ndarray, translation: np.ndarray, height_m: float
) -> float:
    """Mean reprojection error of a view's visible landmarks / height in pixels, nan without any."""
    camera, observed = one.view.camera, one.observed
    height_px = height_m * camera.focal_px / max(one.depth(translation), 0.1)
    inside = (observed.points_px >= 0).all(1) & (
        observed.points_px <= [camera.width, camera.height]
    ).all(1)
    seen = inside & (observed.visibility > 0.5)
    if not seen.any():
        return float("nan")
    projected = camera.project(one.seen(points[seen]))
    distance = np.linalg.norm(projected - observed.points_px[seen], axis=1)
    return float(distance.mean() / height_px)
