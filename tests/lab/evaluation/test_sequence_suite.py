"""Anybody's meshes against their clip: boxes before a camera whose pictures are known."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from vitruvian.commands.cli import main
from vitruvian.errors import InputError
from vitruvian.lab.evaluation.runner import run_cases
from vitruvian.lab.evaluation.suites.sequence import SequenceSuite, read_surface

WIDTH, HEIGHT, FOCAL = 160, 120, 100.0
FRAMES = 4
CAMERA = {
    "intrinsics": [[FOCAL, 0, WIDTH / 2], [0, FOCAL, HEIGHT / 2], [0, 0, 1]],
    # The world: y up, its origin four metres before the camera.
    "camera_from_world": [[1, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 4], [0, 0, 0, 1]],
}


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Frames whose grey is ten times their number."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for number in range(FRAMES):
        grey = np.full((HEIGHT, WIDTH, 3), 10 * number, np.uint8)
        cv2.imwrite(str(folder / f"{number:03d}.png"), grey)
    return folder


def write_card(path: Path, x: float, *, z: float = 0.0) -> None:
    """An upright card of 1 m by 2 m around (x, 0, z), about 25 by 50 pixels where z is 0."""
    path.parent.mkdir(parents=True, exist_ok=True)
    x += 0.02  # half a pixel, so that the edges lie between pixels
    corners = [(x - 0.5, -1), (x + 0.5, -1), (x + 0.5, 1), (x - 0.5, 1)]
    lines = [f"v {a} {b} {z}" for a, b in corners]
    path.write_text("\n".join([*lines, "vt 0 0", "f -4/1 -3/1 -2/1 -1/1"]) + "\n")


def matte(left: int, right: int) -> np.ndarray:
    out = np.zeros((HEIGHT, WIDTH), bool)
    out[35:85, left:right] = True
    return out


def suite_of(clip: Path, meshes: Path, camera: dict, mattes: list[np.ndarray]) -> SequenceSuite:
    path = meshes.parent / "camera.json"
    path.write_text(json.dumps(camera))
    opened = SequenceSuite.open(clip, meshes, path)
    return SequenceSuite(opened.clip, opened.files, opened.cameras, lambda *_: mattes)


def test_silhouettes_are_compared_with_who_is_covered_best(clip: Path, tmp_path: Path) -> None:
    meshes = tmp_path / "meshes"
    write_card(meshes / "person-1" / "000001.obj", 0.0)  # pixels 68 to 93
    write_card(meshes / "person-2" / "000001.obj", 1.0)
    write_card(meshes / "000003.obj", 0.0)
    mattes = [matte(68, 93), matte(105, 130), matte(5, 15)]
    suite = suite_of(clip, meshes, CAMERA, mattes)
    assert [case.name for case in suite.cases()] == ["frame-000001", "frame-000003"]
    first, second = run_cases(suite, suite.cases())
    # The first fits, the second is moved by half of its width.
    assert first.numbers["iou"] == pytest.approx((1 + 1 / 3) / 2, abs=0.03)
    assert first.numbers["outside"] == pytest.approx((0 + 1 / 2) / 2, abs=0.03)
    assert first.numbers["without_mesh"] == 1
    assert second.numbers["iou"] == pytest.approx(1, abs=0.03)
    assert second.numbers["without_mesh"] == 2
    assert first.pictures[0][0] == "frame 1"


def test_what_nearer_ones_hide_is_not_held_against_a_mesh(clip: Path, tmp_path: Path) -> None:
    meshes = tmp_path / "meshes"
    write_card(meshes / "far" / "0.obj", 0.6)  # 83 to 108
    write_card(meshes / "near" / "0.obj", 0.0, z=0.001)
    suite = suite_of(clip, meshes, CAMERA, [matte(68, 93), matte(93, 108)])
    (result,) = run_cases(suite, suite.cases())
    assert result.numbers["iou"] > 0.93


def test_the_camera_of_each_frame_is_used(clip: Path, tmp_path: Path) -> None:
    meshes = tmp_path / "meshes"
    for number in (0, 2):
        write_card(meshes / f"{number}.obj", 0.0)
    moved = np.array(CAMERA["camera_from_world"], float)
    moved[0, 3] = 1.0  # a quarter of the focal length: 25 pixels to the right
    told = {"0": CAMERA["camera_from_world"], "2": moved.tolist()}
    suite = suite_of(clip, meshes, {**CAMERA, "camera_from_world": told}, [matte(93, 118)])
    before, after = run_cases(suite, suite.cases())
    assert before.numbers["iou"] < 0.1
    assert after.numbers["iou"] > 0.93
    np.savez(
        meshes / "motion.npz",
        intrinsics=CAMERA["intrinsics"],
        camera_from_world=CAMERA["camera_from_world"],
        cameras_from_world=np.stack([CAMERA["camera_from_world"], moved]),
        frame_numbers=[0, 2],
    )
    own = SequenceSuite.open(clip, meshes, None).cameras
    np.testing.assert_array_equal(own.at(2), moved)
    assert own.camera == suite.cameras.camera
    path = tmp_path / "motion.json"
    path.write_text(json.dumps({"camera": {**CAMERA, "cameras_from_world": told}}))
    written = SequenceSuite.open(clip, meshes, path).cameras
    np.testing.assert_array_equal(written.at(2), moved)
    np.testing.assert_array_equal(written.at(0), CAMERA["camera_from_world"])


def test_frames_that_cannot_be_judged_say_so(clip: Path, tmp_path: Path) -> None:
    meshes = tmp_path / "meshes"
    write_card(meshes / "0.obj", 0.0)
    write_card(meshes / "9.obj", 0.0)
    (meshes / "1.obj").write_text("v 0 0 0\nf 1 2 3\n")
    suite = suite_of(clip, meshes, CAMERA, [])
    empty, broken, late = run_cases(suite, suite.cases())
    assert "iou" not in empty.numbers
    assert "Nobody was found" in empty.note
    assert "no OBJ with a surface" in str(broken.failure)
    assert "has no frame 9" in str(late.failure)


def test_polygons_become_triangles(tmp_path: Path) -> None:
    write_card(tmp_path / "a.obj", 0.0)
    mesh = read_surface(tmp_path / "a.obj")
    np.testing.assert_array_equal(mesh.faces, [[0, 1, 2], [0, 2, 3]])


def test_what_is_missing_is_asked_for(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meshes = tmp_path / "meshes"
    meshes.mkdir()
    with pytest.raises(InputError, match="holds no OBJ files of frames"):
        SequenceSuite.open(clip, meshes, None)
    write_card(meshes / "0.obj", 0.0)
    with pytest.raises(InputError, match="give --camera"):
        SequenceSuite.open(clip, meshes, None)
    for text in ("{}", '{"intrinsics": [[1, 2]]}', "no"):
        (tmp_path / "camera.json").write_text(text)
        with pytest.raises(InputError, match="tells no camera"):
            SequenceSuite.open(clip, meshes, tmp_path / "camera.json")
    assert main(["evaluate", "ccp", "--clip", str(clip)]) == 2
    assert "both --clip and" in capsys.readouterr().err


def test_every_metric_of_meshes_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "evaluation.md").read_text("utf-8")
    part = text.split("#### Meshes against their clip")[1].split("\n## ")[0]
    for metric in SequenceSuite.metrics:
        assert f"`{metric.key}`" in part
