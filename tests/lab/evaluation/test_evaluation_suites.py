"""The suites of groups, shapes and speed, on data made here."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.lab.evaluation.characters import Character, load_character, photograph
from vitruvian.lab.evaluation.suites import SUITES, open_suite
from vitruvian.lab.evaluation.suites.groups import GroupSuite, duplicates
from vitruvian.lab.evaluation.suites.shapes import ShapeSuite, compare_surfaces
from vitruvian.lab.evaluation.suites.speed import STAGES, SpeedSuite, numbers_of
from vitruvian.lab.evaluation.suites.speed_probe import probe
from vitruvian.types.figure import Alpha
from vitruvian.types.mesh import Mesh


def figure(x: int, *, jitter: float = 0.0, width: int = 200, complete: bool = True) -> Any:
    mask = np.zeros((100, width), np.uint8)
    mask[10:90, x : x + 30] = 255
    rng = np.random.default_rng(1)
    points = rng.uniform([x, 10], [x + 30, 90], (33, 2)) + jitter
    return SimpleNamespace(
        alpha=Alpha(mask, 0, 0, width, 100),
        box=np.array([x, 10, x + 30, 90], float),
        landmarks=SimpleNamespace(points=points),
        complete=complete,
    )


def test_duplicates_by_matte_and_by_landmarks() -> None:
    assert duplicates([figure(10), figure(60), figure(110)]) == []
    assert duplicates([figure(10), figure(60), figure(14)]) == [(0, 2)]
    # The same pose at the same place, with a matte that leaked elsewhere.
    leaked = figure(10, jitter=2.0)
    leaked.alpha = figure(120).alpha
    assert duplicates([figure(10), leaked]) == [(0, 1)]


def group_folder(folder: Path, rows: str) -> Path:
    folder.mkdir()
    for name in ("one.png", "two.png"):
        Image.new("RGB", (200, 100), (90, 120, 150)).save(folder / name)
    (folder / "manifest.csv").write_text(rows)
    return folder


def test_groups_are_counted(tmp_path: Path) -> None:
    rows = "file,n_people,notes\none.png,3,a crowd\ntwo.png,1,\n"
    folder = group_folder(tmp_path / "photos", rows)
    found = [figure(10), figure(60, complete=False)]
    suite = GroupSuite(open_suite("groups", tmp_path).folder, lambda photo: found)  # type: ignore[attr-defined]
    assert suite.folder == folder
    crowd, single = (suite.run(case) for case in suite.cases())
    assert crowd.note == "a crowd"
    assert crowd.numbers["agreement"] == pytest.approx(2 / 3)
    assert (crowd.numbers["missing"], crowd.numbers["surplus"]) == (1, 0)
    assert (single.numbers["missing"], single.numbers["surplus"]) == (0, 1)
    assert (single.numbers["complete"], single.numbers["duplicates"]) == (1, 0)
    assert crowd.pictures[0].caption == "found 2 of 3"
    assert set(crowd.numbers) == {metric.key for metric in suite.metrics}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("file,people\none.png,3\n", "must have columns file and n_people"),
        ("file,n_people\none.png,many\n", "must have columns file and n_people"),
        ("file,n_people\nthree.png,1\n", "names three.png, which is not"),
        ("file,n_people\n", "names no photographs"),
    ],
)
def test_manifests_that_cannot_be_used(rows: str, sentence: str, tmp_path: Path) -> None:
    folder = group_folder(tmp_path / "g", rows)
    with pytest.raises(InputError, match=sentence):
        GroupSuite.open(folder).cases()


# --- shapes --------------------------------------------------------------------------------------


def mannequin() -> Any:
    """A trimesh scene of a lopsided figure of boxes with arms, 1.8 m tall, facing +z."""
    trimesh = pytest.importorskip("trimesh")
    parts = {
        "torso": ((0.4, 0.6, 0.2), (0, 1.1, 0), (200, 30, 30)),
        "head": ((0.18, 0.25, 0.2), (0, 1.675, 0.03), (220, 180, 150)),
        "left_leg": ((0.15, 0.8, 0.16), (0.11, 0.4, 0), (30, 30, 200)),
        "right_leg": ((0.15, 0.8, 0.16), (-0.11, 0.4, 0.05), (30, 30, 200)),
        "left_arm": ((0.6, 0.1, 0.1), (0.5, 1.3, 0), (200, 30, 30)),
        "right_arm": ((0.1, 0.1, 0.5), (-0.25, 1.2, 0.25), (200, 30, 30)),
        "neck": ((0.1, 0.2, 0.1), (0, 1.48, 0), (220, 180, 150)),
        "nose": ((0.04, 0.04, 0.08), (0, 1.67, 0.16), (0, 255, 0)),
    }
    scene = trimesh.Scene()
    for name, (size, center, color) in parts.items():
        box = trimesh.creation.box(size)
        box.apply_translation(center)
        material = trimesh.visual.material.PBRMaterial(baseColorFactor=[*color, 255])
        uv = np.zeros((len(box.vertices), 2))
        box.visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
        scene.add_geometry(box, node_name=name)
    glass = trimesh.creation.box((3, 3, 3))
    glass.visual = trimesh.visual.TextureVisuals(
        material=trimesh.visual.material.PBRMaterial(baseColorFactor=[255, 255, 255, 20])
    )
    scene.add_geometry(glass, node_name="glass")
    return scene


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shapes") / "mannequin.glb"
    mannequin().export(path)
    return path


def test_characters_are_read_in_metres_on_the_ground(model: Path) -> None:
    character = load_character(model)
    assert character.stature_m == pytest.approx(1.8, abs=1e-5)
    low, high = character.mesh.vertices.min(0), character.mesh.vertices.max(0)
    assert low[1] == pytest.approx(0)
    np.testing.assert_allclose((low + high)[[0, 2]], 0, atol=1e-6)
    assert len(character.textures) == 8  # the glass is left out
    reds = [t[0, 0] for t in character.textures if t[0, 0, 0] > 3 * t[0, 0, 2]]
    np.testing.assert_allclose(np.array(reds)[:, 0], 200 / 255, atol=0.01)  # factors are linear
    half = load_character(model, scale=0.5, cut_below_m=0.2)
    assert half.stature_m == pytest.approx(0.5, abs=1e-5)  # the legs begin below the cut
    assert load_character(model, stature_m=1.9).stature_m == 1.9


def test_characters_lying_on_their_back_are_stood_up(model: Path, tmp_path: Path) -> None:
    scene = mannequin()
    quarter = np.eye(4)
    quarter[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]  # y up becomes z up
    scene.apply_transform(quarter)
    scene.export(tmp_path / "z.glb")
    upright, turned = load_character(model), load_character(tmp_path / "z.glb", up="z")
    np.testing.assert_allclose(turned.mesh.vertices, upright.mesh.vertices, atol=1e-5)


def test_models_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "bad.glb").write_bytes(b"nothing")
    with pytest.raises(InputError, match="Cannot read the 3D model"):
        load_character(tmp_path / "bad.glb")
    with pytest.raises(InputError, match="holds no 3D models"):
        ShapeSuite.open(tmp_path / "absent").cases()


@pytest.mark.parametrize("yaw", [0.0, 90.0, 180.0, 270.0])
def test_shots_are_taken_from_the_side_that_is_asked_for(model: Path, yaw: float) -> None:
    character = load_character(model)
    shot = photograph(character, yaw, seed=3, width=240, height=320)
    assert shot.pixels.shape == (320, 240, 3)
    vertices = character.mesh.vertices @ shot.camera_from_world[:3, :3].T
    vertices = vertices + shot.camera_from_world[:3, 3]
    pixels = shot.camera.project(vertices)
    # The mask is where the truth projects, and all of it is in view.
    columns, rows = np.flatnonzero(shot.mask.any(0)), np.flatnonzero(shot.mask.any(1))
    np.testing.assert_allclose([columns[0], rows[0]], pixels.min(0), atol=1.5)
    np.testing.assert_allclose([columns[-1] + 1, rows[-1] + 1], pixels.max(0), atol=1.5)
    assert pixels.min() > 0
    # The green nose is seen but from behind; its pixels are where it projects.
    picture = shot.pixels.astype(float)
    green = (picture[..., 1] > 1.5 * picture[..., 0]) & shot.mask
    green &= picture[..., 1] > 1.5 * picture[..., 2]
    assert green.any() == (yaw != 180.0)
    # The long left arm points to the picture's right when seen from the front.
    arm = character.mesh.vertices[character.mesh.vertices[:, 0].argmax()]
    seen = shot.camera.project(
        arm @ shot.camera_from_world[:3, :3].T + shot.camera_from_world[:3, 3]
    )
    side = {0.0: 1, 180.0: -1}.get(yaw)
    if side is not None:
        assert side * (seen[0] - 120) > 20


def test_shots_are_reproducible_and_vary_with_the_seed(model: Path) -> None:
    character = load_character(model)

    def take(seed: int) -> np.ndarray:
        return photograph(character, 45, seed=seed, width=120, height=160).pixels

    np.testing.assert_array_equal(take(1), take(1))
    assert np.abs(take(1).astype(float) - take(2)).mean() > 5


def oracle(character: Character, change: Callable[[np.ndarray], np.ndarray]) -> Any:
    """A 'reconstruction' that returns the true mesh in an altered form, to test the scores."""
    state: dict[str, Any] = {}

    def remember(character: Character, yaw: float, *, seed: int) -> Any:
        state["shot"] = photograph(character, yaw, seed=seed, width=240, height=320)
        return state["shot"]

    def reconstruct(pixels: np.ndarray) -> Any:
        shot = state["shot"]
        np.testing.assert_array_equal(pixels, shot.pixels)
        mesh = character.mesh.transformed(shot.camera_from_world, "camera")
        mask = shot.mask.astype(np.uint8) * 255
        person = SimpleNamespace(
            mesh_camera=mesh.with_vertices(change(mesh.vertices)),
            figure=SimpleNamespace(alpha=Alpha(mask, 0, 0, 240, 320)),
            body=SimpleNamespace(as_mesh=lambda: mesh.with_vertices(mesh.vertices * [0.8, 1, 1])),
        )
        leaning = np.eye(4)
        leaning[:3, :3] = matrix_from_axis_angle(np.array([0.1, 0, 0]))
        return SimpleNamespace(
            people=(person,),
            largest=person,
            camera=shot.camera,
            camera_from_world=shot.camera_from_world @ leaning,
            timings_s={"all": 1.5},
        )

    return remember, reconstruct


def test_shapes_suite_forgives_a_similarity_and_says_how_large(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turn = matrix_from_axis_angle(np.array([0.15, 0, 0]))

    def change(vertices: np.ndarray) -> np.ndarray:
        center = vertices.mean(0)
        return (vertices - center) @ turn.T * 1.2 + center * 1.2

    remember, reconstruct = oracle(load_character(model), change)
    monkeypatch.setattr("vitruvian.lab.evaluation.suites.shapes.photograph", remember)
    suite = ShapeSuite(model.parent, 2, reconstruct)
    cases = suite.cases()
    assert [case.name for case in cases] == ["mannequin-000", "mannequin-180"]
    outcome = suite.run(cases[0])
    numbers = outcome.numbers
    assert numbers["chamfer_cm"] < 0.1
    assert numbers["normal_consistency"] > 0.97
    assert numbers["f_score_1cm"] > 0.99
    assert numbers["size_error"] == pytest.approx(0.2, abs=0.01)
    assert numbers["turn_deg"] == pytest.approx(np.rad2deg(0.15), abs=0.7)
    assert numbers["up_deg"] == pytest.approx(np.rad2deg(0.1))
    assert numbers["unaligned_chamfer_cm"] > 2
    assert numbers["body_chamfer_cm"] > 0.5
    assert numbers["nearer_than_body"] == 1
    assert numbers["alpha_iou"] == 1
    assert numbers["seconds"] == 1.5
    assert set(numbers) == {metric.key for metric in suite.metrics}
    assert len(outcome.pictures) == 5


def test_shapes_suite_without_anybody(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember, _ = oracle(load_character(model), lambda vertices: vertices)
    monkeypatch.setattr("vitruvian.lab.evaluation.suites.shapes.photograph", remember)

    def blind(pixels: np.ndarray) -> Any:
        return SimpleNamespace(people=(), largest=None, timings_s={})

    suite = ShapeSuite(model.parent, 1, blind)
    outcome = suite.run(suite.cases()[0])
    assert outcome.numbers["found"] == outcome.numbers["alpha_iou"] == 0
    assert "chamfer_cm" not in outcome.numbers
    assert outcome.note == "Nobody was found."


def test_unaligned_distance_of_a_fatter_figure(model: Path) -> None:
    mesh = load_character(model).mesh
    truth = Mesh(mesh.vertices, mesh.faces, "camera")
    fat = truth.with_vertices(truth.vertices * [1.0, 1.0, 1.5])
    numbers, aligned = compare_surfaces(fat, truth, 1.8, np.array([0.0, 1.0, 0.0]))
    assert 0.8 < numbers["chamfer_cm"] <= numbers["unaligned_chamfer_cm"] + 0.2
    assert aligned.frame == "camera"


def test_descriptions_of_models(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.glb").write_bytes(model.read_bytes())
    path = tmp_path / "shapes.json"
    path.write_text(json.dumps({"a.glb": {"scale": 0.5, "stature_m": 1.0}}))
    case = ShapeSuite.open(tmp_path).cases()[0]
    assert dict(case.options) == {"scale": 0.5, "stature_m": 1.0}
    assert len(ShapeSuite.open(tmp_path).cases()) == 8
    for content in ('{"a.glb": {"size": 2}}', "[1]", "{"):
        path.write_text(content)
        with pytest.raises(InputError, match="must map file names to any of scale"):
            ShapeSuite.open(tmp_path).cases()


# --- speed ---------------------------------------------------------------------------------------


class SlowScene:
    """A scene that takes its time, to test the clock."""

    people = (1, 2)

    def __init__(self, stages: dict[str, float]) -> None:
        self.timings_s = stages

    def save(self, folder: Path) -> None:
        time.sleep(0.03)


def test_probe_times_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []

    def reconstruct(photo: Path, **options: Any) -> SlowScene:
        calls.append(options)
        time.sleep(0.02 if options else 0.05)
        return SlowScene({"people": 0.01 * len(calls), "novel": 0.5})

    module = SimpleNamespace(reconstruct=reconstruct)
    monkeypatch.setitem(sys.modules, "vitruvian.pipeline.photo", module)  # type: ignore[arg-type]
    start = time.time()
    result: dict[str, Any] = probe(tmp_path / "x.jpg", 3)
    assert calls == [{}] * 4 + [{"detail": "body", "texture": False}] * 3
    assert start <= result["imported"] <= result["first_done"]
    assert 0.05 <= result["first_done"] - result["imported"] < 0.5
    assert 0.08 <= result["warm_s"] < 0.3
    assert 0.03 <= result["files_s"] < 0.15
    assert 0.02 <= result["body_only_s"] < 0.15
    assert result["stages_s"] == pytest.approx({"people": 0.03, "novel": 0.5})  # of runs 2, 3, 4
    numbers = numbers_of(result, start)
    assert numbers["other_s"] == pytest.approx(0.5)
    assert numbers["people"] == 2
    assert numbers["cold_start_s"] == pytest.approx(numbers["first_s"] - 0.53)
    assert set(numbers) == {metric.key for metric in SpeedSuite(tmp_path).metrics}
    assert all(numbers[f"{stage}_s"] == 0 for stage in STAGES if stage != "people")


def test_peak_memory_is_what_was_held_at_most() -> None:
    program = (
        "import numpy as np; from vitruvian.lab.evaluation.suites.speed_probe import peak_mb;"
        "before = peak_mb(); block = np.ones(25_000_000); held = peak_mb(); del block;"
        "print(held - before, peak_mb() - held)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    grown, after = (float(word) for word in done.stdout.split())
    assert grown == pytest.approx(200, rel=0.15)
    assert after < 20  # what was freed still counts


def test_a_photo_that_cannot_be_timed_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    suite = SpeedSuite(tmp_path, 1)
    with pytest.raises(InputError, match=r"broken\.jpg could not be timed: .*broken"):
        suite.run(suite.cases()[0])


# --- documentation -------------------------------------------------------------------------------


def test_every_suite_and_metric_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text("utf-8")
    from vitruvian.lab.evaluation.suites.avatars import AvatarSuite
    from vitruvian.lab.evaluation.suites.crowds import CrowdSuite
    from vitruvian.lab.evaluation.suites.faces import FaceSuite
    from vitruvian.lab.evaluation.suites.maps import MapsSuite
    from vitruvian.lab.evaluation.suites.masks import MaskSuite
    from vitruvian.lab.evaluation.suites.multiview import MultiviewSuite
    from vitruvian.lab.evaluation.suites.plausible import PlausibleSuite
    from vitruvian.lab.evaluation.suites.robustness import RobustnessSuite
    from vitruvian.lab.evaluation.suites.synthetic import SyntheticSuite
    from vitruvian.lab.evaluation.suites.synthetic_sequences import SyntheticSequenceSuite
    from vitruvian.lab.evaluation.suites.tracks import TrackSuite
    from vitruvian.lab.evaluation.suites.video import VideoSuite
    from vitruvian.lab.evaluation.thunder import Thunder

    kinds = (FaceSuite, MaskSuite, GroupSuite, MapsSuite, MultiviewSuite, ShapeSuite, SpeedSuite)
    suites = [kind(Path()) for kind in (*kinds, RobustnessSuite, SyntheticSuite, VideoSuite)]
    suites += [AvatarSuite((Path(),)), CrowdSuite(Path()), SyntheticSequenceSuite(Path())]
    suites += [TrackSuite(Path())]
    suites += [PlausibleSuite((), (), Thunder(Path(__file__)))]
    assert {suite.name for suite in suites} == set(SUITES)
    for suite in suites:
        assert f"### `{suite.name}`" in text
        for metric in suite.metrics:
            assert f"`{metric.key}`" in text or metric.key.removesuffix("_s") in STAGES, metric.key
