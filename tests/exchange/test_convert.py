"""``vitruvian convert``, and results as bodies of a model file, on the made-up model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import vitruvian
from made_up_smpl import random_betas, random_pose
from vitruvian.body.model.model import BodyModel
from vitruvian.commands.cli import main
from vitruvian.exchange.picture import Picture
from vitruvian.exchange.read_keypoints import read_keypoints
from vitruvian.exchange.registration import Correspondence
from vitruvian.exchange.smpl_arrays import read_smpl_arrays
from vitruvian.exchange.smpl_model import SmplModel
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.result.body_file import describe_body
from vitruvian.types.body import Body
from vitruvian.types.keypoints import COCO_LANDMARKS

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def somebody(ours: BodyModel) -> Body:
    rng = np.random.default_rng(8)
    betas, pose = random_betas(rng, ours), random_pose(rng, ours)
    place = np.array([0.2, -0.1, 3.5])
    posed = ours.forward(betas, pose, place)
    return Body(ours, betas, pose, place, ours.stature(betas), posed.vertices, posed.joints)


def read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as archive:
        return dict(archive)


def theirs_of(path: Path, theirs: SmplModel) -> np.ndarray:
    betas, turns, place = read_smpl_arrays(read(path), theirs, path.name)
    return theirs.forward(betas, turns[0], place[0])[0]


@pytest.fixture
def written(ours: BodyModel, places: Correspondence, tmp_path: Path) -> Path:
    path = tmp_path / "body.json"
    path.write_text(json.dumps(describe_body(somebody(ours))))
    return path


def test_there_and_back(
    ours: BodyModel,
    theirs: SmplModel,
    places: Correspondence,
    model_file: Path,
    written: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = ("--body-model", str(model_file))
    assert main(["convert", str(written), *model, "-o", str(tmp_path / "a")]) == 0
    assert "mean distance" in capsys.readouterr().out
    vertices = theirs_of(tmp_path / "a" / "smpl.npz", theirs)
    body = somebody(ours)
    away = np.linalg.norm(places.of(ours, body.vertices) - vertices, axis=1)
    assert away[places.trust > 0].mean() < 0.012
    assert main(["convert", str(tmp_path / "a" / "smpl.npz"), *model, "-o", str(tmp_path)]) == 0
    back = json.loads(written.read_text())  # replaced
    assert back["height"] == pytest.approx(body.height_m, abs=0.03)
    pose = np.array([back["pose"][name] for name in ours.joint_names])
    again = ours.forward(np.array(back["betas"]), pose, np.array(back["translation"]))
    assert np.linalg.norm(again.vertices - body.vertices, axis=1).mean() < 0.012
    # Files have y up: what was y down in the camera is turned.
    lines = (tmp_path / "body.obj").read_text().splitlines()
    points = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], float)
    assert np.allclose(points.mean(0), again.vertices.mean(0) * [1, -1, -1], atol=1e-3)


def test_parameters_with_y_up(
    ours: BodyModel, theirs: SmplModel, places: Correspondence, model_file: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(2)
    turns = np.concatenate([[[0.1, 0.8, 0.0]], 0.1 * rng.normal(size=(23, 3))])
    poses = np.stack([turns, turns * [1.0]]).reshape(2, 72)
    place = np.array([[0.1, 0.9, 0.2], [0.2, 0.9, 0.2]])
    np.savez(tmp_path / "amass.npz", poses=poses, trans=place, betas=np.zeros(16), gender="male")
    command = ["convert", str(tmp_path / "amass.npz"), "--body-model", str(model_file)]
    assert main([*command, "--frame", "world", "-o", str(tmp_path)]) == 0
    expected, _ = theirs.forward(np.zeros(10), matrix_from_axis_angle(turns), place[0])
    lines = (tmp_path / "body.obj").read_text().splitlines()
    points = np.array([line.split()[1:4] for line in lines if line.startswith("v ")], float)
    found = places.of(ours, points)
    assert np.linalg.norm(found - expected, axis=1)[places.trust > 0].mean() < 0.012
    motion = read(tmp_path / "motion.npz")
    moved = motion["person_1_translation"]
    assert np.allclose(moved[1] - moved[0], [0.1, 0, 0], atol=2e-3)
    # Our own motion.npz is read as well.
    again = ["convert", str(tmp_path / "motion.npz"), "--body-model", str(model_file)]
    assert main([*again, "-o", str(tmp_path / "again")]) == 0
    assert read(tmp_path / "again" / "smpl.npz")["body_pose"].shape == (2, 69)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{}", "holds no body of this model (there is no global_orient)"),
        (b"[1]", "holds no bodies"),
        (b"\x00", "holds no bodies"),
        (b'{"pose": {}, "betas": [], "translation": []}', "is no body.json of this version"),
        (b'{"global_orient": [[0, 0, 0]], "body_pose": [[1, 2]]}', "body_pose of (1, 2) is not"),
        (b'{"poses": [[0, 0]]}', "poses of (1, 2) are not of 24 joints"),
        (b'{"global_orient": "left"}', "global_orient holds no numbers"),
    ],
)
def test_wrong_files(
    content: bytes,
    sentence: str,
    model_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "it.json"
    path.write_bytes(content)
    command = ["convert", str(path), "--body-model", str(model_file), "-o", str(tmp_path / "out")]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_photograph_with_everything(
    theirs: SmplModel, places: Correspondence, model_file: Path, tmp_path: Path
) -> None:
    options = {"detail": "body", "texture": False, "check": False, "max_people": 1}
    scene = vitruvian.reconstruct(EXAMPLES / "person.jpg", **options)
    layouts = ("openpose", "coco", "blazepose")
    report = scene.save(tmp_path, (), keypoint_files=layouts, body_model=model_file)
    (person,) = scene.people
    assert report["people"][0]["files"]["smpl"] == "person-1/smpl.npz"
    arrays = read(tmp_path / "person-1" / "smpl.npz")
    vertices = theirs_of(tmp_path / "person-1" / "smpl.npz", theirs)
    # In the picture it covers the person.
    pixels = vertices @ arrays["K"].T
    pixels = pixels[:, :2] / pixels[:, 2:]
    alpha = person.figure.alpha.full() > 127
    columns, rows = pixels.astype(int).T
    assert alpha[rows, columns].mean() > 0.9
    # In the world it stands on the ground, and the camera is where the report says.
    world = {
        "global_orient": arrays["global_orient_world"],
        "transl": arrays["transl_world"],
        "body_pose": arrays["body_pose"],
        "betas": arrays["betas"],
    }
    betas, turns, place = read_smpl_arrays(world, theirs, "it")
    standing, _ = theirs.forward(betas, turns[0], place[0])
    assert abs(standing[:, 1].min()) < 0.05
    matrix = arrays["camera_from_world"][0]
    assert np.allclose(standing @ matrix[:3, :3].T + matrix[:3, 3], vertices, atol=1e-4)
    fitted, seen = (
        read_keypoints(tmp_path / f"keypoints-coco{suffix}.json", Picture.of(scene.photo))[0]
        for suffix in ("-fitted", "")
    )
    height = person.figure.box[3] - person.figure.box[1]
    apart = np.linalg.norm(fitted.points - seen.points, axis=1)[COCO_LANDMARKS]
    assert 0 < np.median(apart) < 0.03 * height
    for layout in layouts:
        assert (tmp_path / f"keypoints-{layout}-fitted.json").is_file()
