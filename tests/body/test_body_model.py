"""The body model against plain numpy, finite differences and what is known of people."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.body.model.model import DATA, BodyModel, PointSet, body_model
from vitruvian.body.model.skeleton import ACTIVE_JOINTS
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.keypoints import COCO_LANDMARKS, COCO_NAMES, LANDMARK_NAMES

SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def model() -> BodyModel:
    return body_model()


def random_state(model: BodyModel, seed: int, count: int = 10):
    """Betas, a pose of the active joints, and a translation."""
    rng = np.random.default_rng(seed)
    pose = np.zeros((len(model.parents), 3))
    pose[model.active] = rng.normal(size=(len(model.active), 3)) * 0.5
    return rng.normal(size=count), pose, rng.normal(size=3) + [0, 0, 4]


def skin_plainly(
    model: BodyModel,
    points: PointSet,
    betas: np.ndarray,
    rotations: np.ndarray,
    translation: np.ndarray,
) -> np.ndarray:
    """Positions (N, 3), written as the definition reads."""
    count = len(betas)
    joints = model.joint_template + np.einsum("k,kji->ji", betas, model.joint_directions[:count])
    rest = points.template + np.einsum("k,kni->ni", betas, points.directions[:count])
    transforms: list[np.ndarray] = []
    for joint, parent in enumerate(model.parents):
        local = np.eye(4)
        local[:3, :3] = rotations[joint]
        local[:3, 3] = translation if parent < 0 else joints[joint] - joints[parent]
        transforms.append(local if parent < 0 else transforms[parent] @ local)
    out = np.zeros((len(rest), 3))
    for n, point in enumerate(rest):
        for joint, weight in zip(points.joints[n], points.weights[n], strict=True):
            moved = transforms[joint][:3, :3] @ (point - joints[joint]) + transforms[joint][:3, 3]
            out[n] += weight * moved
    return out


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_points_and_mesh_follow_the_definition(seed: int) -> None:
    model = body_model()
    betas, pose, translation = random_state(model, seed)
    rotations = matrix_from_axis_angle(pose)
    chosen = np.random.default_rng(seed).integers(0, len(model.template), 60)
    points = model.vertex_points(chosen)
    plain = skin_plainly(model, points, betas, rotations, translation)
    fast, none = model.evaluate(points, betas, rotations, translation, model.active, jacobian=False)
    posed = model.forward(betas, pose, translation)
    assert none is None
    np.testing.assert_allclose(fast, plain, atol=1e-9)
    np.testing.assert_allclose(posed.vertices[chosen], plain, atol=5e-6)
    np.testing.assert_allclose(posed.joints[0], translation, atol=1e-12)


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_jacobian_matches_finite_differences(seed: int) -> None:
    model = body_model()
    betas, pose, translation = random_state(model, seed)
    rotations = matrix_from_axis_angle(pose)
    chosen = np.random.default_rng(seed).integers(0, len(model.template), 40)
    active, step = model.active, 1e-6
    for points in (model.keypoints(), model.vertex_points(chosen)):
        _, jacobian = model.evaluate(points, betas, rotations, translation, active)
        assert jacobian is not None
        assert jacobian.shape == (len(points), 3, 3 * len(active) + len(betas) + 3)
        for column in range(jacobian.shape[2]):
            ends = []
            for sign in (1, -1):
                delta = np.zeros(jacobian.shape[2])
                delta[column] = sign * step
                turned = rotations.copy()
                turns = matrix_from_axis_angle(delta[: 3 * len(active)].reshape(-1, 3))
                turned[active] = turns @ turned[active]
                ends.append(
                    skin_or_evaluate(
                        model,
                        points,
                        betas + delta[3 * len(active) : -3],
                        turned,
                        translation + delta[-3:],
                    )
                )
            numeric = (ends[0] - ends[1]) / (2 * step)
            np.testing.assert_allclose(jacobian[:, :, column], numeric, atol=2e-7)


def skin_or_evaluate(model, points, betas, rotations, translation):
    return model.evaluate(points, betas, rotations, translation, model.active, jacobian=False)[0]


def test_missing_betas_count_as_zero(model: BodyModel) -> None:
    betas, pose, translation = random_state(model, 3, 6)
    padded = np.concatenate([betas, np.zeros(model.shape_count - 6)])
    short = model.forward(betas, pose, translation)
    full = model.forward(padded, pose, translation)
    np.testing.assert_allclose(short.vertices, full.vertices, atol=2e-6)
    assert model.stature(betas) == pytest.approx(model.stature(padded))
    assert model.describe_shape(betas) == pytest.approx(model.describe_shape(padded))


def test_wrong_shapes_are_named(model: BodyModel) -> None:
    with pytest.raises(ValueError, match=r"betas must have shape \(K',\)"):
        model.rest(np.zeros(model.shape_count + 1))
    with pytest.raises(ValueError, match="pose must have shape"):
        model.forward(np.zeros(3), np.zeros((5, 3)))
    with pytest.raises(ValueError, match="group must be one of"):
        model.shape_prior("martians")


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_mirrored_pose_gives_the_mirrored_mesh(seed: int) -> None:
    model = body_model()
    betas, pose, _ = random_state(model, seed)
    here = model.forward(betas, pose)
    there = model.forward(betas, model.mirrored_pose(pose))
    flip = np.array([-1.0, 1, 1])
    # The template is stored in half precision in places; the root is on the mirror plane.
    np.testing.assert_allclose(there.vertices[model.vertex_mirror], here.vertices * flip, atol=1e-4)
    np.testing.assert_allclose(there.joints[model.joint_mirror], here.joints * flip, atol=1e-4)


def test_mesh_is_closed_and_faces_outwards(model: BodyModel) -> None:
    edges = np.concatenate([model.faces[:, [i, (i + 1) % 3]] for i in range(3)])
    directed = np.unique(edges, axis=0)
    assert len(directed) == len(edges), "two faces run along an edge in the same direction"
    assert (np.unique(directed[:, ::-1], axis=0) == directed).all(), "an edge has one face only"
    for part in range(model.components.max() + 1):
        faces = model.faces[model.components[model.faces[:, 0]] == part]
        a, b, c = (model.template[faces[:, i]].astype(float) for i in range(3))
        assert np.einsum("fi,fi->", np.cross(a, b), c) > 0
        assert (model.components[faces] == part).all()
    assert np.bincount(model.components)[0] > 0.95 * len(model.template)


def test_faces_and_uvs_cover_the_mesh(model: BodyModel) -> None:
    assert set(np.unique(model.faces)) == set(range(len(model.template)))
    assert model.uv_faces.shape == model.faces.shape
    assert model.uv_faces.max() < len(model.uvs)
    assert model.uvs.min() >= 0
    assert model.uvs.max() <= 1
    # A texture corner belongs to one vertex only.
    owner = np.full(len(model.uvs), -1)
    owner[model.uv_faces.ravel()] = model.faces.ravel()
    assert (owner[model.uv_faces] == model.faces).all()


def test_skeleton_and_weights_are_sound(model: BodyModel) -> None:
    assert model.parents[0] == -1
    assert (model.parents[1:] < np.arange(1, len(model.parents))).all()
    assert (model.parents[1:] >= 0).all()
    np.testing.assert_allclose(model.skin_weights.sum(1), 1, atol=1e-5)
    assert (model.skin_weights >= 0).all()
    assert model.skin_joints.max() < len(model.parents)
    assert [model.joint_names[j] for j in model.active] == list(ACTIVE_JOINTS)
    # Chains of a derivative need parents before children.
    assert (np.diff(model.parents[model.active]) != 0).any()
    for side in "LR":
        fingers = [n for n in model.joint_names if n.startswith("finger") and n.endswith(side)]
        assert len(fingers) == 15
        toes = model.joint_index[f"toes.{side}"]
        assert (model.parents == toes).sum() == 5


def test_template_stands_on_the_ground_facing_forward(model: BodyModel) -> None:
    assert model.template[:, 1].min() == pytest.approx(0, abs=1e-6)
    index = model.joint_index
    joints = model.joint_template
    assert joints[index["wrist.L"], 0] > 0.3
    assert joints[index["head"], 1] > joints[0, 1] > joints[index["foot.L"], 1]
    for side in "LR":
        assert joints[index[f"toes.{side}"], 2] > joints[index[f"foot.{side}"], 2] + 0.05


def test_stature_is_what_the_mesh_measures(model: BodyModel) -> None:
    rng = np.random.default_rng(0)
    errors = []
    for group in ("men", "women", "schoolchildren"):
        prior = model.shape_prior(group)
        for _ in range(20):
            betas = prior.mean + np.linalg.solve(
                prior.whitening, np.clip(rng.normal(size=len(prior.mean)), -1.5, 1.5)
            )
            vertices, _ = model.rest(betas)
            errors.append(model.stature(betas) - np.ptp(vertices[:, 1]))
    assert np.abs(errors).max() < 0.02
    assert np.abs(errors).mean() < 0.005


@pytest.mark.parametrize(("group", "mean", "sd"), [("men", 1.756, 0.069), ("women", 1.629, 0.064)])
def test_adults_have_the_stature_of_the_survey(
    model: BodyModel, group: str, mean: float, sd: float
) -> None:
    prior = model.shape_prior(group)
    spread = np.linalg.solve(prior.whitening, np.eye(len(prior.mean)))
    gradient = model.stature_gradient
    assert model.stature(prior.mean) == pytest.approx(mean, abs=0.01)
    assert np.linalg.norm(gradient @ spread) == pytest.approx(sd, abs=0.01)


def test_groups_differ_as_people_do(model: BodyModel) -> None:
    statures = [
        model.stature(model.shape_prior(group).mean)
        for group in ("small children", "schoolchildren", "teenagers", "men")
    ]
    assert statures == sorted(statures)
    assert 0.9 < statures[0] < 1.15
    men, women = (model.describe_shape(model.shape_prior(g).mean) for g in ("men", "women"))
    assert men["gender"] < 0.25
    assert women["gender"] > 0.75
    assert 70 < men["mass_kg"] < 90
    assert 55 < women["mass_kg"] < 72
    child = model.describe_shape(model.shape_prior("schoolchildren").mean)
    assert 0.4 < child["maturity"] < 0.7
    assert min(men["maturity"], women["maturity"]) > 0.95
    assert 22 < child["mass_kg"] < 40


def test_children_are_within_reach(model: BodyModel) -> None:
    for group in ("small children", "schoolchildren", "teenagers"):
        assert np.abs(model.shape_prior(group).mean).max() < 6


def test_landmarks_are_where_they_belong(model: BodyModel) -> None:
    point = dict(zip(LANDMARK_NAMES, model.keypoints().template, strict=True))
    for name in LANDMARK_NAMES:
        if name.startswith("left"):
            mirrored = point[name.replace("left", "right")] * [-1, 1, 1]
            np.testing.assert_allclose(point[name], mirrored, atol=2e-3)
            assert point[name][0] > 0
    assert abs(point["nose"][0]) < 2e-3
    heights = [
        point[n][1]
        for n in (
            "left_eye", "nose", "mouth_left", "left_shoulder", "left_hip", "left_knee",
            "left_ankle", "left_heel",
        )
    ]  # fmt: skip
    assert heights == sorted(heights, reverse=True)
    assert point["nose"][2] > point["left_ear"][2] + 0.08
    assert point["left_foot_index"][2] > point["left_heel"][2] + 0.2
    assert 0.05 < point["left_ear"][0] < 0.08
    thumb, pinky = point["left_thumb"], point["left_pinky"]
    assert np.linalg.norm(thumb - pinky) > 0.05
    np.testing.assert_allclose(model.keypoints().weights.sum(1), 1, atol=1e-6)


def test_landmarks_on_the_skin_are_on_the_skin(model: BodyModel) -> None:
    names = ["nose", "left_eye", "right_eye_outer", "mouth_left", "left_heel", "right_foot_index"]
    for name in names:
        point = model.keypoints().template[LANDMARK_NAMES.index(name)]
        assert np.linalg.norm(model.template - point, axis=1).min() < 1e-5


def test_coco_keypoints_are_the_landmarks_of_their_names(model: BodyModel) -> None:
    points = model.keypoints("coco")
    np.testing.assert_array_equal(points.template, model.keypoints().template[COCO_LANDMARKS])
    assert len(points) == len(COCO_NAMES) == 17
    with pytest.raises(ValueError, match="no keypoints 'tails'; choose from blazepose, coco"):
        model.keypoints("tails")


def test_data_are_small_and_quick_to_read() -> None:
    path = DATA / "body.npz"
    assert path.stat().st_size < 12e6
    times = []
    for _ in range(3):
        start = time.perf_counter()
        BodyModel(path)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.15, "about 0.02 s when nothing else runs"
