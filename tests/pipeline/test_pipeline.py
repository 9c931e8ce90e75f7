"""The whole path on the example pictures, whose people are known because they were rendered."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import vitruvian
from vitruvian.errors import InputError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
TRUE_STATURES_M = (1.67, 1.80, 1.30, 1.61, 1.76)  # people.jpg, from the left


@pytest.fixture(scope="module")
def group():
    return vitruvian.reconstruct(EXAMPLES / "people.jpg")


def from_the_left(scene):
    return sorted(scene.people, key=lambda person: person.figure.box[0])


def test_everyone_is_found_whole(group):
    assert len(group.people) == 5
    assert all(person.complete for person in group.people)
    assert all(person.checks.silhouette_iou > 0.9 for person in group.people)
    assert all(person.checks.keypoint_error < 0.02 for person in group.people)
    assert all(person.checks.image_similarity > 0.8 for person in group.people)


def test_statures_and_the_child(group):
    found = np.array([person.height_m for person in from_the_left(group)])
    assert np.abs(found - TRUE_STATURES_M).max() < 0.14
    assert found.argmin() == 2


def test_all_stand_on_one_ground_facing_the_camera(group):
    for person in group.people:
        assert person.mesh.frame == "world"
        assert abs(person.mesh.vertices[:, 1].min()) < 0.12
        top = person.mesh.vertices[:, 1].max()
        assert 0.8 * person.height_m < top < 1.2 * person.height_m


def test_nobody_is_under_the_ground(group):
    lows = [float(person.mesh.vertices[:, 1].min()) for person in group.people]
    assert min(lows) == pytest.approx(0, abs=1e-5)
    alone = vitruvian.reconstruct(
        EXAMPLES / "person.jpg", check=False, texture=False, faces=6000
    ).people[0]
    assert float(alone.mesh.vertices[:, 1].min()) == pytest.approx(0, abs=1e-5)


def test_from_left_to_right_as_in_the_picture(group):
    x = [person.mesh.vertices[:, 0].mean() for person in from_the_left(group)]
    assert x == sorted(x)


def test_the_camera_puts_the_world_back_over_the_picture(group):
    person = group.people[0]
    matrix = group.camera_from_world
    in_camera = person.mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(in_camera, person.mesh_camera.vertices, atol=1e-4)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1)
    pixels = group.camera.project(in_camera)
    box = person.figure.box
    assert np.abs([*pixels.min(0), *pixels.max(0)] - box).max() < 0.1 * (box[3] - box[1])


def test_every_promised_file_is_written(group, tmp_path):
    report = group.save(tmp_path, formats=("obj", "glb", "ply", "stl"), poses=True)
    assert json.loads((tmp_path / "report.json").read_text()) == report
    for name in ("scene.glb", "viewer.html", "preview.png", "poses.png", "report.json"):
        assert (tmp_path / name).stat().st_size > 100
    for entry in report["people"]:
        folder = tmp_path / f"person-{entry['id']}"
        names = {path.name for path in folder.iterdir()}
        assert {
            "mesh.obj", "mesh.mtl", "texture.png", "normals.png", "mesh.glb", "mesh.ply",
            "mesh.stl", "avatar.glb", "body.obj", "body.json", "alpha.png",
        } <= names  # fmt: skip
        for path in entry["files"].values():
            assert (tmp_path / path).is_file()
    assert not list(tmp_path.rglob("*.tmp"))


def test_given_height_sets_the_scale():
    scene = vitruvian.reconstruct(
        EXAMPLES / "person.jpg", height_cm=150, detail="body", texture=False
    )
    assert scene.people[0].height_m == pytest.approx(1.5, abs=0.01)
    assert scene.people[0].mesh.texture is None


def test_the_light_is_taken_out_on_request(tmp_path):
    picture = EXAMPLES / "person.jpg"
    plain, without = (vitruvian.reconstruct(picture, albedo=albedo) for albedo in (False, True))
    textures = [scene.people[0].mesh.texture.astype(int) for scene in (plain, without)]
    assert np.abs(textures[0] - textures[1]).mean() > 2
    # Agreement with the photograph is that of the texture as photographed.
    assert plain.people[0].checks == without.people[0].checks
    assert [scene.save(tmp_path / str(scene.albedo))["albedo"] for scene in (plain, without)] == [
        False,
        True,
    ]


def test_most_people_are_dropped_on_request():
    scene = vitruvian.reconstruct(EXAMPLES / "people.jpg", max_people=2, detail="body", check=False)
    assert [person.id for person in scene.people] == [1, 2]
    assert np.isnan(scene.people[0].checks.silhouette_iou)


def test_nobody_is_not_an_error(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(100, 140, (200, 300, 3)).astype(np.uint8)
    scene = vitruvian.reconstruct(noise)
    assert scene.people == ()
    assert "Nobody" in scene.warnings[0]
    report = scene.save(tmp_path / "empty")
    assert report["people"] == []
    assert (tmp_path / "empty" / "viewer.html").exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"height_cm": 5}, "40 to 260"),
        ({"height_cm": float("nan")}, "40 to 260"),
        ({"max_people": 0}, "1 or more"),
        ({"faces": 100}, "100 faces are not possible; give 2000 to 200000"),
        ({"detail": "skeleton"}, "body, clothed, fine"),
        ({"albedo": True, "texture": False}, "leave out albedo"),
        ({"fov_deg": 0.1}, "1 to 170"),
    ],
)
def test_bad_options_are_told_in_a_sentence(options, word):
    with pytest.raises(InputError, match=word):
        vitruvian.reconstruct(np.zeros((64, 64, 3), np.uint8), **options)


def test_an_unknown_format_is_told_in_a_sentence(group, tmp_path):
    with pytest.raises(InputError, match="dae"):
        group.save(tmp_path, formats=("dae",))


def test_who_is_cut_off_becomes_a_half_figure_or_is_completed(tmp_path):
    pixels = vitruvian.load_photo(EXAMPLES / "person.jpg").pixels
    person = vitruvian.reconstruct(pixels, check=False, texture=False, detail="body").people[0]
    _, top, _, bottom = person.figure.box.astype(int)
    half = pixels[: (top + bottom) // 2]
    few = {"texture": False, "check": False, "faces": 4000}
    cut = vitruvian.reconstruct(half, **few)
    report = cut.save(tmp_path, formats=("stl",))["people"][0]
    assert not report["complete"]
    assert report["seen"]["extent"] in ("half", "three-quarter")
    assert {"left foot", "right foot"} <= set(report["seen"]["cut"])
    assert "left foot" not in report["seen"]["guessed"]
    assert report["warnings"][0].startswith("The picture ends")
    assert report["height_sd_m"] > 0.04
    assert report["measurements_cm"] is None
    mesh = cut.people[0].mesh
    assert mesh.vertices[:, 1].min() == pytest.approx(0, abs=1e-5)
    assert np.ptp(mesh.vertices[:, 1]) < 0.7 * report["height_m"]
    body = json.loads((tmp_path / "person-1" / "body.json").read_text())
    assert "left foot" in body["guessed"]
    whole = vitruvian.reconstruct(half, incomplete="complete", **few).people[0]
    assert "left foot" in whole.seen.guessed
    assert np.ptp(whole.mesh.vertices[:, 1]) > 0.9 * whole.height_m


def test_several_pictures_of_one_person_are_one_person():
    picture = cv2.imread(str(EXAMPLES / "person.jpg"))[..., ::-1]
    (alone,) = vitruvian.reconstruct(picture, check=False, faces=6000).people
    dark = np.ascontiguousarray(picture[:, ::-1] // 2)
    scene = vitruvian.reconstruct(picture, same_person=[dark], check=False, faces=6000)
    (both,) = scene.people
    assert not any("another one" in warning for warning in scene.warnings)
    assert both.height_m == pytest.approx(alone.height_m, rel=0.05)
    assert both.avatar is not None
    # Shape is shared, and the same picture tells the same twice over.
    assert np.abs(both.body.betas - alone.body.betas).max() < 1.5
    assert not np.array_equal(both.avatar.mesh.texture, alone.avatar.mesh.texture)
    before, after = (one.avatar.mesh.texture.astype(int) for one in (alone, both))
    assert np.median(np.abs(before - after)) < 12


def test_a_picture_without_the_person_is_named():
    grey = np.full((300, 200, 3), 128, np.uint8)
    with pytest.raises(InputError, match="picture 2, which should show the same") as caught:
        vitruvian.reconstruct(EXAMPLES / "person.jpg", same_person=[grey])
    assert caught.value.code == "nobody-found"
