"""The fit on bodies whose truth is known, seen through a simulated landmark network."""

from dataclasses import replace

import numpy as np
import pytest

from fit_people import CAMERA, intersection_over_union, photograph, random_body
from vitruvian.body.fit.fit import fit_body
from vitruvian.body.fit.options import FitOptions
from vitruvian.body.fit.shape_prior import likely_group
from vitruvian.body.model.model import body_model
from vitruvian.body.model.skeleton import KNEES
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.geometry.normals import vertex_normals
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.figure import Alpha
from vitruvian.types.keypoints import ELBOWS, WRISTS


@pytest.mark.parametrize("yaw", [0.0, 0.9, 2.2, 3.1])
def test_known_bodies_are_found_again(yaw):
    figure, truth = photograph(*random_body(3, yaw), noise_px=2.0)
    body = fit_body(body_model(), figure, CAMERA)
    assert body.keypoint_error < 0.008
    assert intersection_over_union(body.vertices, figure.alpha) > 0.9
    # Size and distance are ambiguous; the shape of the posed body is not.
    found = body.vertices - body.vertices.mean(0)
    wanted = truth - truth.mean(0)
    found = found * (found * wanted).sum() / (found**2).sum()
    assert np.linalg.norm(found - wanted, axis=1).mean() < 0.05


def test_given_height_is_kept():
    figure, _ = photograph(*random_body(5))
    for height in (1.55, 1.9):
        assert fit_body(body_model(), figure, CAMERA, height_m=height).height_m == pytest.approx(
            height, abs=0.01
        )


def test_a_childs_height_gives_a_childs_body():
    model = body_model()
    assert likely_group(model, None) == "adults"
    assert likely_group(model, 1.0) == "small children"
    assert likely_group(model, 1.35) == "schoolchildren"
    assert likely_group(model, 1.6) == "adults"
    figure, _ = photograph(*random_body(5))
    child = fit_body(body_model(), figure, CAMERA, height_m=1.1, silhouette=False)
    assert child.height_m == pytest.approx(1.1, abs=0.02)
    assert model.describe_shape(child.betas)["maturity"] < 0.6


def test_taller_people_are_farther_away():
    figure, _ = photograph(*random_body(5))
    near = fit_body(body_model(), figure, CAMERA, height_m=1.5)
    far = fit_body(body_model(), figure, CAMERA, height_m=1.8)
    ratio = far.translation[2] / near.translation[2]
    assert ratio == pytest.approx(1.2, abs=0.03)


def on_bent_knees(angle):
    """A figure that stands with its knees bent, hips and feet in balance, and its bend found."""
    model = body_model()
    joint = model.joint_index
    pose = np.zeros((len(model.parents), 3))
    for side in "LR":
        pose[joint[f"upperleg01.{side}"], 0] = -angle / 2
        pose[joint[f"lowerleg01.{side}"], 0] = angle
        pose[joint[f"foot.{side}"], 0] = -angle / 2
    rotations = matrix_from_axis_angle(pose)
    rotations[0] = matrix_from_axis_angle(np.array([np.pi, 0, 0]))
    figure, _ = photograph(np.zeros(10), rotations, np.array([0.2, 0.1, 3.4]))
    knees = [joint[name] for name in KNEES]

    def found(**options):
        body = fit_body(body_model(), figure, CAMERA, options=FitOptions(**options))
        return np.linalg.norm(body.pose[knees], axis=1).mean()

    return found


def test_knees_that_are_nearly_straight_are_straight():
    found = on_bent_knees(np.deg2rad(12))
    assert np.rad2deg(found()) < min(8, np.rad2deg(found(straight_sd=np.inf)) - 2)


def test_knees_that_are_bent_stay_so():
    found = on_bent_knees(np.deg2rad(80))
    assert found() == pytest.approx(found(straight_sd=np.inf), rel=0.1)


def heavier(betas, mass_kg):
    """The shape that is heavier by ``mass_kg`` at about the same stature."""
    model = body_model()

    def gradient(value):
        return np.array([value(betas + d) - value(betas - d) for d in 0.05 * np.eye(10)]) / 0.1

    by_mass = gradient(lambda b: model.describe_shape(b)["mass_kg"])
    by_stature = model.stature_gradient[:10]
    by_mass = by_mass - by_stature * (by_mass @ by_stature) / (by_stature @ by_stature)
    slope = gradient(lambda b: model.describe_shape(b)["mass_kg"]) @ by_mass
    return betas + by_mass * mass_kg / slope


def test_the_silhouette_tells_a_heavy_person_from_a_slim_one():
    betas, rotations, translation = random_body(8)
    mass, outline = {}, {}
    for extra in (-12, 25):
        figure, _ = photograph(heavier(0.3 * betas, extra), rotations, translation)
        body = fit_body(body_model(), figure, CAMERA)
        without = fit_body(body_model(), figure, CAMERA, silhouette=False)
        mass[extra] = body_model().describe_shape(body.betas)["mass_kg"]
        outline[extra] = [
            intersection_over_union(b.vertices, figure.alpha) for b in (without, body)
        ]
    assert mass[25] > mass[-12] + 10
    assert outline[25][1] > outline[25][0]


def test_landmarks_that_looks_put_in_different_places_count_less():
    betas, rotations, translation = random_body(6)
    figure, _ = photograph(betas, rotations, translation)
    true, size = figure.landmarks.points, np.ptp(figure.landmarks.points[:, 1])
    wrong = true.copy()
    wrong[WRISTS[0]] += 0.03 * size  # hardly an outlier
    figures = {"none": replace(figure.landmarks, points=wrong)}
    for name, place in (("right", ELBOWS[1]), ("wrong", WRISTS[0])):
        spread = np.zeros(len(true))
        spread[place] = 0.05 * size
        figures[name] = replace(figures["none"], spread=spread)

    def error(name):
        seen = replace(figure, landmarks=figures[name])
        body = fit_body(body_model(), seen, CAMERA, silhouette=False)
        model = body.model
        points, _ = model.evaluate(
            model.keypoints(),
            body.betas,
            matrix_from_axis_angle(body.pose),
            body.joints[0],
            model.active,
            jacobian=False,
        )
        return np.linalg.norm(CAMERA.project(points)[WRISTS[0]] - true[WRISTS[0]]) / size

    assert error("wrong") < 0.6 * error("none")
    assert error("right") > 0.9 * error("none")


def test_hidden_feet_do_not_break_the_fit():
    figure, _ = photograph(*random_body(11))
    visibility = np.ones(33)
    visibility[25:] = 0.02
    points = figure.landmarks.points.copy()
    points[25:, 1] += 400
    landmarks = replace(figure.landmarks, points=points, visibility=visibility)
    body = fit_body(body_model(), replace(figure, landmarks=landmarks), CAMERA, silhouette=False)
    assert np.isfinite(body.vertices).all()
    assert body.keypoint_error < 0.02


def test_empty_matte_falls_back_to_landmarks():
    figure, _ = photograph(*random_body(11))
    empty = Alpha(np.zeros((10, 10), np.uint8), 0, 0, CAMERA.width, CAMERA.height)
    body = fit_body(body_model(), replace(figure, alpha=empty), CAMERA)
    assert body.keypoint_error < 0.01


def test_unposing_and_posing_again_is_the_identity():
    figure, _ = photograph(*random_body(4))
    body = fit_body(body_model(), figure, CAMERA)
    model = body_model()
    mesh = body.as_mesh()
    swollen = mesh.with_vertices(mesh.vertices + 0.02 * vertex_normals(mesh.vertices, mesh.faces))
    rest = rest_mesh(swollen, body)
    posed = model.forward(body.betas, body.pose, body.translation)
    _, joints = model.rest(body.betas)
    local = rest.vertices[:, None] - joints[model.skin_joints]
    turned = np.einsum("vkab,vkb->vka", posed.rotations[model.skin_joints], local)
    turned += posed.joints[model.skin_joints]
    again = (turned * model.skin_weights[..., None]).sum(1)
    error = np.linalg.norm(again - swollen.vertices, axis=1)
    assert np.quantile(error, 0.99) < 1e-4
