"""Calibrations of other programs, and the lenses in them."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from vitruvian.errors import InputError
from vitruvian.video.calibration import Lens, camera_of, read_calibration
from vitruvian.video.sources import open_sources

TURN = np.array([1.5, 0.1, -0.2])
POSE2SIM = """
[cam_01]
name = "cam_01"
size = [ 640.0, 480.0,]
matrix = [ [ 600.0, 0.0, 319.5,], [ 0.0, 600.0, 239.5,], [ 0.0, 0.0, 1.0,],]
distortions = [ -0.1, 0.02, 0.0, 0.0,]
rotation = [ 1.5, 0.1, -0.2,]
translation = [ 0.1, 0.2, 4.0,]
fisheye = false

[cam_02]
name = "cam_02"
size = [ 640.0, 480.0,]
matrix = [ [ 600.0, 0.0, 319.5,], [ 0.0, 600.0, 239.5,], [ 0.0, 0.0, 1.0,],]
distortions = [ 0.0, 0.0, 0.0, 0.0,]
rotation = [ 1.5, 0.8, -0.2,]
translation = [ 0.1, 0.2, 5.0,]
fisheye = false

[metadata]
adjusted = false
error = 0.1
"""


@pytest.fixture
def toml(tmp_path):
    path = tmp_path / "Calib.toml"
    path.write_text(POSE2SIM)
    return path


def clip(path, size=(160, 120), rate=10):
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), codec, rate, size)
    for number in range(4):
        writer.write(np.full((size[1], size[0], 3), 30 * number, np.uint8))
    writer.release()
    return path


def test_a_point_of_the_world_is_where_opencv_sees_it(toml):
    camera = read_calibration(toml)[0]
    lens, point = camera.lens, np.array([0.3, -0.2, 0.4])
    matrix, distortion = np.array(lens.matrix), np.array(lens.distortion)
    seen, _ = cv2.projectPoints(point, TURN, np.array([0.1, 0.2, 4.0]), matrix, distortion)
    straight = cv2.undistortPoints(seen, matrix, distortion, P=matrix).ravel() + 0.5
    placed = camera.camera_from_world @ np.append(point, 1)
    np.testing.assert_allclose(lens.camera.project(placed[:3]), straight, atol=1e-3)


def test_a_lens_of_smaller_pictures_sees_the_same_way(toml):
    lens = read_calibration(toml)[0].lens
    point = np.array([0.4, -0.3, 2.0])
    small = lens.scaled(320, 240).camera.project(point)
    np.testing.assert_allclose(2 * small, lens.camera.project(point), atol=1e-9)


def test_straightened_pictures_have_straight_lines():
    matrix = np.array([[300.0, 0, 159.5], [0, 300.0, 119.5], [0, 0, 1]])
    lens = Lens(matrix, np.array([-0.3, 0.05, 0, 0]), False, 320, 240)
    dots = np.stack([np.linspace(30, 290, 9), np.full(9, 40.0)], axis=1)
    rays = np.column_stack([lens.camera.rays(dots + 0.5)])
    seen, _ = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), matrix, lens.distortion)
    picture = np.zeros((240, 320, 3), np.uint8)
    for x, y in seen.reshape(-1, 2):
        cv2.circle(picture, (round(16 * x), round(16 * y)), 48, (255, 255, 255), -1, shift=4)
    assert np.ptp(seen[:, 0, 1]) > 4  # bent
    found = lens.straightened(picture)[..., 0]
    _, _, _, centres = cv2.connectedComponentsWithStats((found > 100).astype(np.uint8))
    assert len(centres) == 10
    np.testing.assert_allclose(centres[1:, 1], 40, atol=1)


@pytest.mark.parametrize("listed", [True, False])
def test_json_says_the_same(toml, tmp_path, listed):
    cameras = read_calibration(toml)
    tables = [
        {
            "name": one.name,
            "resolution": [640, 480],
            "K": one.lens.matrix.tolist(),
            "distCoef": one.lens.distortion.tolist(),
            "R": one.camera_from_world[:3, :3].tolist(),
            "t": one.camera_from_world[:3, 3:].tolist(),
        }
        for one in cameras
    ]
    content = {"cameras": tables} if listed else {table["name"]: table for table in tables}
    path = tmp_path / "cameras.json"
    path.write_text(json.dumps(content))
    for one, same in zip(cameras, read_calibration(path), strict=True):
        assert same.name == one.name
        np.testing.assert_allclose(same.camera_from_world, one.camera_from_world)
        np.testing.assert_allclose(same.lens.distortion, one.lens.distortion)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("rotation = [ 1.5, 0.1, -0.2,]", "", "no usable rotation"),
        ("[ 0.0, 600.0, 239.5,]", "[ 0.0, 600.0,]", "no usable matrix"),
        ("0.2, 4.0,]", "0.2, 4000.0,]", "in metres"),
        (
            "rotation = [ 1.5, 0.1, -0.2,]",
            "rotation = [1,0,0,0,1,0,0,1,1]",
            "rotation that is none",
        ),
        ("matrix", "nothing", "holds no cameras"),
        ("[cam_01]", "cam_01]", "neither TOML"),
        ("[cam_01]", "a = " + "[" * 5000 + "\n[cam_01]", "neither TOML"),
        ("[ 1.5, 0.1, -0.2,]", "[1e200, 0, 0]", "no usable rotation"),
        ("[ 640.0, 480.0,]", "[640, 0]", "no usable size"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, before, after, said):
    path = tmp_path / "bad.toml"
    path.write_text(POSE2SIM.replace(before, after))
    with pytest.raises(InputError, match=said):
        read_calibration(path)


def test_clips_find_their_cameras_by_name(toml):
    cameras = read_calibration(toml)
    for name in ("cam_02", "CAM2", "cam02", "trial7-camera-2"):
        assert camera_of(name, cameras, "x").name == "cam_02"
    with pytest.raises(InputError, match="cam_01, cam_02"):
        camera_of("kitchen", cameras, "x")


def test_the_first_camera_is_the_reference(toml, tmp_path):
    clips = [clip(tmp_path / f"cam0{n}.avi") for n in (2, 1)]
    sources = open_sources(clips, cameras=toml)
    one, other = read_calibration(toml)
    np.testing.assert_allclose(
        sources.eyes.matrix(1) @ other.camera_from_world, one.camera_from_world, atol=1e-12
    )
    assert sources.eyes.places[0] is None
    assert sources.eyes.cameras[0].focal_px == pytest.approx(150)  # of a quarter of the pixels
    up = other.camera_from_world[:3, 2]
    assert np.isclose(sources.eyes.axes, up).all(1).any()


def test_clips_that_do_not_go_together_are_refused(toml, tmp_path):
    first, second = clip(tmp_path / "cam01.avi"), clip(tmp_path / "cam02.avi", rate=25)
    square = clip(tmp_path / "other02.avi", size=(120, 120))
    for clips, options, said in (
        ([first, second], {}, "need the calibration"),
        ([first, second], {"cameras": toml}, "same rate"),
        ([first, first], {"cameras": toml}, "Two clips"),
        ([first, square], {"cameras": toml}, "640 x 480"),
        ([first], {"cameras": toml, "fov_deg": 60}, "either"),
        ([first], {"cameras": tmp_path / "none.toml"}, "no calibration"),
    ):
        with pytest.raises(InputError, match=said):
            open_sources(clips, **options)
