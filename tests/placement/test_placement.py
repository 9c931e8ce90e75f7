"""Placing simulated groups: upright, on one ground, in the order that the picture shows."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.geometry.render import render_mesh
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.placement.depth_order import DepthCue
from vitruvian.placement.panels import Panels
from vitruvian.placement.place import (
    IN_A_PICTURE,
    on_the_ground,
    place_people,
    place_warnings,
)
from vitruvian.placement.upright import estimate_up, standing, turn_warning
from vitruvian.result.checks import check_person, check_warnings
from vitruvian.types.body import Body
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha, Figure, Landmarks
from vitruvian.types.mesh import Mesh
from vitruvian.types.photo import Photo
from vitruvian.types.scene import Checks
from vitruvian.types.seen import BODY_PARTS, Seen

CAMERA = Camera.centered(900, 800, 600)


def standing_body(x, z, stature=1.7, lean_deg=0.0, camera_height=1.5):
    """Somebody at rest pose whose soles are on the ground, leaning towards the camera."""
    model = body_model()
    gradient = model.stature_gradient[:10]
    betas = gradient * (stature - model.stature(np.zeros(1))) / (gradient @ gradient)
    pose = np.zeros((len(model.parents), 3))
    turn = matrix_from_axis_angle(np.array([np.deg2rad(lean_deg), 0, 0]))
    pose[0] = axis_angle_from_matrix(turn @ matrix_from_axis_angle(np.array([np.pi, 0, 0])))
    posed = model.forward(betas, pose, np.zeros(3))
    lift = camera_height - posed.vertices[:, 1].max()
    translation = np.array([x, lift, z])
    posed = model.forward(betas, pose, translation)
    return Body(
        body_model(), betas, pose, translation, stature, posed.vertices, posed.joints, 0.005
    )


def scaled_about_camera(body, factor):
    """The same picture from a body of another size at another distance."""
    return Body(
        body_model(),
        body.betas,
        body.pose,
        body.translation * factor,
        body.height_m * factor,
        body.vertices * np.float32(factor),
        body.joints * factor,
        body.keypoint_error,
    )


def figures_of(bodies, order):
    """Figures whose mattes hide one another in the given order, nearest first."""
    faces = body_model().faces
    taken = np.zeros((CAMERA.height, CAMERA.width), bool)
    figures = [None] * len(bodies)
    for index in order:
        vertices = bodies[index].vertices
        mask = rasterize(
            CAMERA.project(vertices), vertices[:, 2], faces, CAMERA.width, CAMERA.height
        ).mask
        mask &= ~taken
        taken |= mask
        alpha = Alpha((mask * 255).astype(np.uint8), 0, 0, CAMERA.width, CAMERA.height)
        landmarks = Landmarks(np.full((33, 2), 100.0), np.ones(33), np.zeros((33, 3)), 0.01)
        figures[index] = Figure(np.array([0, 0, 10, 10.0]), 0.9, landmarks, alpha, True, 0.9)
    return figures


def place(bodies, order, **options):
    def refit(figure, body, height_m):
        index = next(i for i, f in enumerate(figures) if f is figure)
        return scaled_about_camera(bodies[index], height_m / bodies[index].height_m)

    figures = figures_of(bodies, order)
    return place_people(figures, bodies, CAMERA, refit, **options)


def world_vertices(placement, index):
    matrix = placement.world_from_camera
    return placement.bodies[index].vertices @ matrix[:3, :3].T + matrix[:3, 3]


def test_somebody_who_leans_with_the_camera_stands_upright_in_the_world():
    body = standing_body(0.0, 4.0, lean_deg=12)
    placement = place([body], [0])
    world = world_vertices(placement, 0)
    assert world[:, 1].min() == pytest.approx(0, abs=1e-4)
    matrix = placement.world_from_camera[:3, :3]
    axis = matrix @ (body.joint("neck01") - (body.joint("foot.L") + body.joint("foot.R")) / 2)
    lean = np.rad2deg(np.arccos(axis[1] / np.linalg.norm(axis)))
    assert lean < 5


def test_a_crouching_person_does_not_tilt_the_world():
    body = standing_body(0.0, 4.0)
    pose = body.pose.copy()
    index = body_model().joint_index
    for side in ("L", "R"):
        pose[index[f"upperleg01.{side}"]] = [-1.8, 0, 0]
        pose[index[f"lowerleg01.{side}"]] = [2.2, 0, 0]
    posed = body_model().forward(body.betas, pose, body.translation)
    crouching = Body(
        body_model(), body.betas, pose, body.translation, 1.7, posed.vertices, posed.joints, 0.005
    )
    assert standing(body)[0] > 0.9
    assert standing(crouching)[0] < 0.05
    up = estimate_up([crouching], [1.0])
    np.testing.assert_allclose(up, [0, -1, 0], atol=0.02)


def test_a_child_among_adults_stands_on_their_ground():
    truth = [standing_body(-0.8, 4.0), standing_body(0.9, 5.0, 1.75), standing_body(0.1, 3.5, 1.1)]
    # The fit took the child for an adult.
    seen = [truth[0], truth[1], scaled_about_camera(truth[2], 1.7 / 1.1)]
    placement = place(seen, [2, 0, 1])
    assert placement.bodies[2].height_m == pytest.approx(1.1, abs=0.08)
    for index in range(3):
        assert world_vertices(placement, index)[:, 1].min() == pytest.approx(0, abs=0.08)


def test_the_ground_does_not_overrule_an_estimate_that_is_sure_of_an_adult():
    truth = [standing_body(-0.8, 4.0), standing_body(0.9, 5.0, 1.75), standing_body(0.1, 3.5, 1.1)]
    bodies = [truth[0], truth[1], scaled_about_camera(truth[2], 1.7 / 1.1)]
    heights = {}
    for sd in (0.03, 0.15):

        def refit(figure, body, height_m):
            return scaled_about_camera(bodies[2], height_m / bodies[2].height_m)

        figures = figures_of(bodies, [2, 0, 1])
        figures[2] = replace(figures[2], estimate=SimpleNamespace(stature_sd=sd))
        placed = place_people(figures, bodies, CAMERA, refit)
        heights[sd] = placed.bodies[2].height_m
    assert heights[0.15] == pytest.approx(1.1, abs=0.08)
    assert heights[0.03] > 1.4


def rolled(body, degrees):
    """The body as a photograph shows it that was turned to the right by so many degrees."""
    turn = matrix_from_axis_angle(np.array([0, 0, np.deg2rad(degrees)]))
    return replace(body, vertices=body.vertices @ turn.T, joints=body.joints @ turn.T)


@pytest.mark.parametrize(
    ("degrees", "heads", "remedy"),
    [(90, "right", "quarter to the left"), (-90, "left", "quarter to the right"),
     (180, "down", "upside down")],
)  # fmt: skip
def test_a_turned_photograph_is_told_and_how_to_mend_it(degrees, heads, remedy):
    bodies = [rolled(standing_body(x, 4), degrees) for x in (-1, 1)]
    said = turn_warning(bodies)
    assert said is not None
    assert said.startswith(f"People's heads point {'' if heads == 'down' else 'to the '}{heads} ")
    assert remedy in said


def test_a_photograph_as_it_should_be_is_not_called_turned():
    upright, lying = standing_body(0, 4), rolled(standing_body(1, 4), 90)
    assert turn_warning([]) is None
    assert turn_warning([upright]) is None
    assert turn_warning([rolled(upright, 25)]) is None
    assert turn_warning([upright, lying]) is None  # somebody lies, and somebody stands


def test_whoever_hides_another_is_nearer():
    front, back = standing_body(0.0, 4.0), standing_body(0.15, 4.0)
    placement = place([scaled_about_camera(front, 1.03), back], [0, 1])
    assert placement.bodies[0].translation[2] < placement.bodies[1].translation[2]


def shod(body, sole=0.04):
    """The body's surface with soles beneath, in the camera frame (y down)."""
    mesh = body.as_mesh()
    return mesh.with_vertices(mesh.vertices + np.float32([0, sole, 0]))


def lows(placement, meshes):
    return [
        float((m.vertices @ w[1, :3] + w[1, 3]).min())
        for m, w in zip(meshes, placement.worlds, strict=True)
    ]


@pytest.mark.parametrize("stature", [1.2, 1.75])
def test_one_person_stands_on_the_ground_in_shoes(stature):
    placement = place([standing_body(0, 4, stature)], [0])
    mesh = shod(placement.bodies[0])
    assert lows(placement, [mesh])[0] < -0.03
    placement = on_the_ground(placement, [mesh])
    assert lows(placement, [mesh])[0] == pytest.approx(0, abs=1e-6)
    assert place_warnings(placement, [mesh]) == [()]
    assert placement.worlds[0] is placement.world_from_camera


def test_nobody_is_under_the_ground_of_a_group():
    bodies = [standing_body(-1, 4), standing_body(0, 5), standing_body(1, 6)]
    placement = place(bodies, [0, 1, 2])
    meshes = [shod(b, sole) for b, sole in zip(placement.bodies, (0.02, 0.05, 0.03), strict=True)]
    after = lows(on_the_ground(placement, meshes), meshes)
    assert min(after) == pytest.approx(0, abs=1e-6)
    assert max(after) < 0.06


def test_far_below_the_others_is_said():
    bodies = [standing_body(-1, 4), standing_body(1, 4), standing_body(0, 5, camera_height=3.0)]
    placement = place(bodies, [0, 1, 2], known_sizes=(0, 1, 2))
    meshes = [b.as_mesh() for b in placement.bodies]
    placement = on_the_ground(placement, meshes)
    said = place_warnings(placement, meshes)
    assert [len(one) for one in said] == [0, 0, 1]
    assert "m below the ground" in said[2][0]
    assert max(lows(placement, meshes)[:2]) < 0.05


def test_people_of_two_pictures_have_a_ground_each_and_do_not_change_each_other():
    adult, other = standing_body(-1, 4, 1.75), standing_body(0, 4, 1.6, camera_height=5.0)
    panels = Panels((0, 1), None)
    placement = place([adult, other], [0, 1], panels=panels)
    assert [b.height_m for b in placement.bodies] == [1.75, 1.6]
    meshes = [b.as_mesh() for b in placement.bodies]
    placement = on_the_ground(placement, meshes)
    np.testing.assert_allclose(lows(placement, meshes), 0, atol=1e-6)
    assert place_warnings(placement, meshes) == [(), (IN_A_PICTURE,)]
    assert placement.worlds[0] is placement.world_from_camera
    x = [m.vertices @ w[0, :3] + w[0, 3] for m, w in zip(meshes, placement.worlds, strict=True)]
    assert x[1].min() == pytest.approx(x[0].max() + 0.4)  # beside, not inside one another


def test_hidden_legs_lift_nobody_into_the_air():
    bodies = [standing_body(-1, 4), standing_body(1, 4), standing_body(0, 4, camera_height=1.58)]
    states = tuple("hidden" if "lower leg" in part else "seen" for part in BODY_PARTS)
    hidden = replace(bodies[2], seen=Seen(states, 0.8))
    for last, expected in ((bodies[2], 0.08), (hidden, 0.0)):
        placement = place([*bodies[:2], last], [0, 1, 2], known_sizes=(0, 1, 2))
        meshes = [b.as_mesh() for b in placement.bodies]
        lowest = lows(on_the_ground(placement, meshes), meshes)
        np.testing.assert_allclose(lowest[:2], expected, atol=0.005)


def test_feet_in_the_air_are_said_where_they_are_seen():
    bodies = [standing_body(-1, 4), standing_body(1, 4), standing_body(0, 4, camera_height=1.2)]
    states = tuple("hidden" if "lower leg" in part else "seen" for part in BODY_PARTS)
    for last, count in ((bodies[2], 1), (replace(bodies[2], seen=Seen(states, 0.8)), 0)):
        placement = place([*bodies[:2], last], [0, 1, 2], known_sizes=(0, 1, 2))
        meshes = [b.as_mesh() for b in placement.bodies]
        said = place_warnings(on_the_ground(placement, meshes), meshes)
        assert [len(one) for one in said] == [0, 0, count]
        assert all("0.30 m above the ground" in sentence for sentence in said[2])


def test_feet_below_the_frame_are_told_once():
    bodies = [standing_body(-1, 4), standing_body(1, 4), standing_body(0, 5, camera_height=3.0)]
    states = tuple("cut" if "foot" in part else "seen" for part in BODY_PARTS)
    bodies[2] = replace(bodies[2], seen=Seen(states, 0.9, "three-quarter"))
    placement = place(bodies, [0, 1, 2], known_sizes=(0, 1, 2))
    meshes = [b.as_mesh() for b in placement.bodies]
    assert place_warnings(on_the_ground(placement, meshes), meshes) == [(), (), ()]


def test_known_sizes_are_kept():
    bodies = [standing_body(-0.8, 4.0, 1.6), scaled_about_camera(standing_body(0.8, 5.0), 1.08)]
    placement = place(bodies, [0, 1], known_sizes=(0,))
    assert placement.bodies[0] is bodies[0]


def test_nobody_is_a_scene_too():
    placement = place([], [])
    assert placement.bodies == ()
    assert placement.world_from_camera[:3, :3] @ [0, -1, 0] == pytest.approx([0, 1, 0])


def test_checks_of_a_body_with_its_own_picture():
    body = standing_body(0.2, 3.0)
    (figure,) = figures_of([body], [0])
    rng = np.random.default_rng(0)
    texture = np.kron(rng.integers(0, 255, (64, 64, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    mesh = replace(body.as_mesh(), texture=texture)
    drawn = render_mesh(mesh, CAMERA, CAMERA.width, CAMERA.height, background=(90, 90, 90))
    size = CAMERA.width, CAMERA.height
    photo = Photo(np.ascontiguousarray(drawn[..., :3]), "test", None, CAMERA, None, size)

    good = check_person(mesh, figure, photo, body.keypoint_error)
    assert good.silhouette_iou > 0.97
    assert good.image_similarity > 0.8
    assert check_warnings(good) == []

    aside = mesh.with_vertices(body.vertices + np.array([0.5, 0, 0], np.float32))
    assert check_person(aside, figure, photo, 0.005).silhouette_iou < 0.4
    other = replace(mesh, texture=np.ascontiguousarray(texture[::-1]))
    wrong = check_person(other, figure, photo, 0.005)
    assert wrong.image_similarity < 0.5
    assert any("colours" in sentence for sentence in check_warnings(wrong))
    assert np.isnan(check_person(body.as_mesh(), figure, photo, 0.005).image_similarity)


def test_bad_agreement_is_said_in_words():
    assert check_warnings(Checks(0.9, 0.01, 0.9)) == []
    assert check_warnings(Checks(float("nan"), float("nan"))) == []
    assert len(check_warnings(Checks(0.4, 0.2, 0.3))) == 3


def test_the_depth_network_tells_a_child_whose_feet_are_hidden():
    truth = [standing_body(-0.8, 4.0), standing_body(0.9, 5.0, 1.75), standing_body(0.1, 3.5, 1.1)]
    seen = [truth[0], truth[1], scaled_about_camera(truth[2], 1.7 / 1.1)]
    up = np.array([0.0, -1.0, 0.0])
    level = float(max(-(body.vertices @ up).min() for body in truth[:2]))
    distances = np.log([body.translation[2] for body in truth])
    cue = DepthCue(up, level, distances, np.full(3, 0.04))  # surer than the network ever is
    figures = figures_of(seen, [2, 0, 1])
    hidden = figures[2].landmarks
    visibility = hidden.visibility.copy()
    visibility[27:] = 0.0
    figures[2] = replace(
        figures[2], complete=False, landmarks=replace(hidden, visibility=visibility)
    )

    def refit(figure, body, height_m):
        index = next(i for i, f in enumerate(figures) if f is figure)
        return scaled_about_camera(seen[index], height_m / seen[index].height_m)

    without = place_people(figures, seen, CAMERA, refit)
    placement = place_people(figures, seen, CAMERA, refit, depth=cue)
    assert without.bodies[2].height_m > 1.4
    assert placement.bodies[2].height_m == pytest.approx(1.1, abs=0.12)
    assert placement.bodies[0].height_m == pytest.approx(truth[0].height_m, abs=0.08)


def bust(body: Body, above: float) -> Mesh:
    """The surface of somebody whom the frame cuts off so far above the feet."""
    mesh = body.as_mesh()
    vertices = mesh.vertices.copy()
    vertices[:, 1] = np.minimum(vertices[:, 1], vertices[:, 1].max() - above)
    return mesh.with_vertices(vertices)


def test_a_bust_alone_stands_on_its_cut_and_beside_others_it_keeps_its_height():
    placement = place([standing_body(0, 4)], [0])
    mesh = bust(placement.bodies[0], 1.2)
    alone = on_the_ground(placement, [mesh])
    assert lows(alone, [mesh])[0] == pytest.approx(0, abs=1e-6)
    assert place_warnings(alone, [mesh]) == [()]
    placement = place([standing_body(-1, 4), standing_body(1, 4)], [0, 1])
    meshes = [shod(placement.bodies[0]), bust(placement.bodies[1], 1.2)]
    beside = lows(on_the_ground(placement, meshes), meshes)
    assert beside[0] == pytest.approx(0, abs=0.01)
    assert beside[1] == pytest.approx(1.2, abs=0.1)
