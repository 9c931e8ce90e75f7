"""How much the fit believes in what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FitOptions:
    """Standard deviations and counts of the fit; the defaults were measured on real pictures.

    Attributes:
        shapes: number of shape directions that a picture can say anything about.
        image_sd: of a landmark in the picture, metres at the person's distance.
        steady_sd: likewise, of one that several looks put in the same place.
        spread_weight: of the distance by which looks differ, in the standard deviation of those
            that they do not.
        world_sd: (3,) of a world landmark, metres; more along the view.
        landmark_scale_sd: relative, of the world landmarks' scale.
        contour_sd: of the outline, metres at the person's distance.
        robust: residuals beyond this many standard deviations stop counting (Cauchy).
        pose_weight, shape_weight, limit_weight: factors on the priors' residuals.
        height_sd: metres, when the height is given.
        pose_target_weight: factor on the residuals of a body estimate's pose.
        stature_scale_sd: relative, of the scale of a body estimate's keypoints, in statures.
        straight_sd: of straight knees, radians; infinite to leave knees alone.
        straight_below: radians; knees that the evidence bends by more are bent on purpose.
        touch_sd: of the depth of hands that lie on the body, in statures.
        touch_weight: factor on the residuals of hands before the body.
        iterations, contour_rounds, contour_iterations: how long to go on.
        tolerance: the fit to the landmarks ends when its cost falls by less than this part of it.
    """

    shapes: int = 10
    image_sd: float = 0.012
    steady_sd: float = 0.0095
    spread_weight: float = 0.6
    world_sd: tuple[float, float, float] = (0.06, 0.06, 0.09)
    landmark_scale_sd: float = 0.08
    contour_sd: float = 0.02
    robust: float = 3.0
    pose_weight: float = 1.0
    shape_weight: float = 1.0
    limit_weight: float = 13.0
    height_sd: float = 0.002
    pose_target_weight: float = 1.0
    stature_scale_sd: float = 0.04
    straight_sd: float = 0.15
    straight_below: float = 0.5
    touch_sd: float = 0.015
    touch_weight: float = 1.0
    iterations: int = 40
    contour_rounds: int = 3
    contour_iterations: int = 4
    tolerance: float = 1e-4
