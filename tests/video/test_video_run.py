"""A whole clip: a photograph's person who is carried through the picture."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pygltflib
import pytest

import vitruvian
from vitruvian.commands.cli import main
from vitruvian.errors import InputError
from vitruvian.video.pose import in_world, joints_of, surface_at

FRAMES, RATE, STEP = 6, 10.0, 4  # of the clip in conftest.py


@pytest.fixture(scope="module")
def saved(carried_scene, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("saved")
    carried_scene.save(folder)
    return folder


def test_somebody_is_followed_through_all_frames(carried_scene):
    (mover,) = carried_scene.people
    assert mover.numbers.tolist() == list(range(FRAMES))
    assert mover.seen.all()
    assert 1.4 < mover.height_m < 2.1
    # To the right, at the speed at which the picture moves; all of it does, so the camera turns.
    turns, places = carried_scene.turning.rotations, mover.motion.translation
    seen = np.stack([turns[n] @ at for n, at in zip(mover.numbers, places, strict=True)])
    pace = STEP * places[:, 2].mean() / carried_scene.camera.focal_px
    assert np.diff(seen[:, 0]).mean() == pytest.approx(pace, rel=0.25)
    assert np.ptp(places[:, 0]) < 0.3 * np.ptp(seen[:, 0])


def test_the_world_is_upright_on_its_floor(carried_scene):
    (mover,) = carried_scene.people
    mesh = surface_at(mover, 2).transformed(carried_scene.world_from_camera, "world")
    low, high = mesh.vertices[:, 1].min(), mesh.vertices[:, 1].max()
    assert low == pytest.approx(0, abs=0.06)
    assert high == pytest.approx(mover.height_m, abs=0.15)


def test_the_report_measures_it(saved):
    report = json.loads((saved / "report.json").read_text())
    (person,) = report["people"]
    checks = person["checks"]
    assert checks["silhouette_iou"] > 0.85
    assert checks["silhouette_iou_worst"] <= checks["silhouette_iou"]
    assert checks["keypoint_error"] < 0.03
    assert report["clip"]["frames"] == FRAMES
    assert report["camera"]["moves"]
    for path in person["files"].values():
        assert (saved / path).is_file()
    assert (saved / "check.html").read_text().count("<figure>") == 4


def test_the_preview_shows_every_frame(saved):
    capture = cv2.VideoCapture(str(saved / "preview.webm"))
    frames = []
    while capture.grab():
        frames.append(capture.retrieve()[1])
    assert len(frames) == FRAMES
    third = frames[0].shape[1] // 3
    assert np.abs(frames[0][:, 2 * third :].astype(int) - frames[0][0, -1]).max() > 60


def test_arrays_and_tables_tell_the_same_motion(carried_scene, saved):
    (mover,) = carried_scene.people
    joints, _ = joints_of(mover, in_world(mover.motion, carried_scene.world_from_camera))
    with np.load(saved / "motion.npz") as arrays:
        np.testing.assert_allclose(arrays["person_1_joints"], joints, atol=1e-5)
        cameras = arrays["cameras_from_world"]
        assert cameras.shape == (FRAMES, 4, 4)
        np.testing.assert_allclose(cameras[0], arrays["camera_from_world"], atol=1e-9)
        np.testing.assert_allclose(
            cameras[3, :3, :3],
            carried_scene.turning.rotations[3] @ arrays["camera_from_world"][:3, :3],
            atol=1e-9,
        )
    content = json.loads((saved / "motion.json").read_text())
    np.testing.assert_allclose(content["camera"]["cameras_from_world"]["3"], cameras[3], atol=1e-6)
    active = carried_scene.model.active
    np.testing.assert_allclose(content["people"][0]["joints"], joints[:, active], atol=1e-4)
    with (saved / "person-1" / "joints.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == FRAMES
    assert float(rows[3]["Hips_x"]) == pytest.approx(joints[3, 0, 0], abs=1e-3)


def test_the_animation_leads_the_joints_to_where_they_are(carried_scene, saved):
    """The GLB, played by glTF's own rules."""
    (mover,) = carried_scene.people
    file = pygltflib.GLTF2().load(str(saved / "people.glb"))
    (animation,) = file.animations

    def values(index):
        accessor = file.accessors[index]
        view = file.bufferViews[accessor.bufferView]
        width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor.type]
        data = file.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
        return np.frombuffer(data, np.float32).reshape(-1, width)[: accessor.count]

    time = 2
    for channel in animation.channels:
        sampler = animation.samplers[channel.sampler]
        keys, output = values(sampler.input)[:, 0], values(sampler.output)
        value = [np.interp(time / RATE, keys, column) for column in output.T]
        setattr(file.nodes[channel.target.node], channel.target.path, value)

    def matrix(node):
        out = np.eye(4)
        if node.rotation is not None:
            x, y, z, w = np.array(node.rotation) / np.linalg.norm(node.rotation)
            out[:3, :3] = [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        out[:3, 3] = node.translation or (0, 0, 0)
        return out

    places = {}

    def walk(index, above):
        node = file.nodes[index]
        here = above @ matrix(node)
        places[(node.extras or {}).get("joint")] = here[:3, 3]
        for child in node.children or ():
            walk(child, here)

    for root in file.scenes[0].nodes:
        walk(root, np.eye(4))
    joints, _ = joints_of(mover, in_world(mover.motion, carried_scene.world_from_camera))
    index = carried_scene.model.joint_index
    for name in ("root", "head", "wrist.L", "foot.R", "lowerarm01.R"):
        np.testing.assert_allclose(places[name], joints[time, index[name]], atol=0.005)


def test_bodies_alone_move_alike(carried_clip, carried_scene, tmp_path, capsys):
    # Two processes: films and tables are then made side by side.
    command = ["video", str(carried_clip), "-o", str(tmp_path), "--mode", "bodies"]
    assert main([*command, "--workers", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    folder = Path(report["directory"])
    assert report["people"][0]["checks"]["silhouette_iou"] > 0.75
    assert not (folder / "preview.webm").exists()
    (mover,) = carried_scene.people
    with np.load(folder / "motion.npz") as arrays:
        assert arrays["person_1_pose"].shape == mover.motion.pose.shape
        np.testing.assert_array_equal(arrays["person_1_betas"], mover.motion.betas)
    file = pygltflib.GLTF2().load(str(folder / "person-1" / "avatar.glb"))
    assert not file.images
    assert len(file.animations) == 1
    assert (folder / "viewer.html").stat().st_size > 500_000


def test_a_clip_with_nobody_is_one_sentence(tmp_path):
    folder = tmp_path / "empty"
    folder.mkdir()
    for number in range(2):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((120, 160, 3), 90, np.uint8))
    with pytest.raises(InputError, match="Nobody was found") as failure:
        vitruvian.reconstruct_video(folder)
    assert failure.value.code == "nobody-found"


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    (tmp_path / "empty.mp4").write_bytes(b"")
    assert main(["video", str(tmp_path / "empty.mp4"), "-o", str(tmp_path / "out")]) == 2
    assert "0 bytes" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
