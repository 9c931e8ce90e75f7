"""The add-on in Blender itself: installed, used on a photograph and a clip, and switched off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from vitruvian.commands.blender.command import blender_addon
from vitruvian.errors import MissingExtraError
from vitruvian.formats.fbx import blender_command

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "person.jpg"
SOURCES = Path(__file__).resolve().parents[3] / "src"
FRAMES, RATE = 9, 14.985
CLIPS = ("dance", "idle", "photo", "run", "sit", "walk", "wave")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the add-on, the program, a small picture, a turned one and a clip."""
    folder = tmp_path_factory.mktemp("blender")
    blender_addon(folder / "vitruvian_blender.py")
    program = folder / "vitruvian"
    program.write_text(
        f'#!/bin/sh\nPYTHONPATH="{SOURCES}" exec "{sys.executable}" -m vitruvian "$@"\n'
    )
    program.chmod(0o755)
    picture = cv2.imread(str(EXAMPLE))
    small = cv2.resize(picture, (400, 600), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(folder / "anna.png"), small)
    upright = Image.fromarray(small[..., ::-1])
    exif = Image.Exif()
    exif[0x0112] = 6  # seen after a quarter turn to the right
    upright.transpose(Image.Transpose.ROTATE_90).save(folder / "turned.jpg", exif=exif)
    codec = cv2.VideoWriter_fourcc(*"MJPG")
    clip = cv2.VideoWriter(str(folder / "clip.avi"), cv2.CAP_FFMPEG, codec, RATE, (400, 600))
    for number in range(FRAMES):
        move = np.float32([[1, 0, 3 * number], [0, 1, 0]])
        clip.write(cv2.warpAffine(small, move, (400, 600), borderMode=cv2.BORDER_REPLICATE))
    clip.release()
    return folder


@pytest.fixture(scope="module")
def found(work: Path) -> dict[str, Any]:
    """What Blender has after each thing that was done in it."""
    try:
        command = blender_command()
    except MissingExtraError:
        pytest.skip("needs Blender: the extra fbx, or VITRUVIAN_BLENDER")
    names = ("vitruvian_blender.py", "vitruvian", "anna.png", "turned.jpg", "clip.avi", "out")
    paths = [str(work / name) for name in (*names, "found.json")]
    own = {"BLENDER_USER_SCRIPTS": str(work / "scripts"), "BLENDER_USER_CONFIG": str(work / "conf")}
    script = Path(__file__).with_name("use_addon.py")
    done = subprocess.run(
        [*command, str(script), "--", *paths],
        check=False, capture_output=True, text=True, timeout=240,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own,
    )  # fmt: skip
    assert (work / "found.json").exists(), done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads((work / "found.json").read_text())


@pytest.mark.slow
def test_it_comes_and_goes(found: dict[str, Any]) -> None:
    assert found["there"] == [True, True]
    assert found["left"] == [False, False]


@pytest.mark.slow
def test_what_went_wrong_is_one_sentence(found: dict[str, Any], work: Path) -> None:
    assert "/nowhere/vitruvian is no program: install it" in found["no program"]
    assert "anna.png.none is no file: choose one." in found["no file"]
    assert "vitruvian_blender.py" in found["no picture"]
    assert "not a picture" in found["no picture"]
    assert found["no picture"].strip().count("\n") == 0


@pytest.mark.slow
def test_a_photograph_becomes_somebody_rigged(found: dict[str, Any]) -> None:
    assert found["photo state"] == ["FINISHED"]
    photo = found["photo"]
    assert photo["objects"] == ["anna camera", "person-1", "person-1-armature"]
    assert photo["collections"] == ["anna"]
    assert photo["actions"] == [f"person-1 {clip}" for clip in CLIPS]
    assert photo["faces"][0] > 2000
    assert photo["textures"] == [2]  # colours and normals
    assert len(photo["bones"]["person-1-armature"]) == 106


@pytest.mark.slow
def test_the_camera_sees_bodies_where_the_photograph_shows_them(
    found: dict[str, Any], work: Path
) -> None:
    photo = found["photo"]
    assert photo["size"] == [400, 600]
    assert photo["background"] == [400, 600]
    report = json.loads((work / "out/anna/report.json").read_text())
    assert report["people"][0]["height_m"] == pytest.approx(1.8, abs=1e-3)
    body = json.loads((work / "out/anna/person-1/body.json").read_text())
    bones = photo["bones"]["person-1-armature"]
    for joint in ("root", "head", "wrist.L", "wrist.R", "foot.L", "foot.R", "finger3-3.L"):
        x, y, z = body["joints"][joint]
        there = report["camera"]["focal_px"] * np.array([x, y]) / z + (200, 300)
        np.testing.assert_allclose(bones[joint], there, atol=0.5, err_msg=joint)


@pytest.mark.slow
def test_surfaces_come_without_bones_and_pictures_are_turned_upright(found: dict[str, Any]) -> None:
    surface = found["surface"]
    assert surface["objects"] == ["person-1", "turned camera"]
    assert surface["actions"] == []
    assert surface["background"] == [400, 600]  # the file lies on its side
    assert not any("side" in sentence for sentence in found["surface sentences"])


@pytest.mark.slow
def test_a_clip_becomes_somebody_in_motion_in_its_own_time(
    found: dict[str, Any], work: Path
) -> None:
    assert found["video state"] == ["FINISHED"]
    assert found["video"]["objects"] == ["clip camera", "person-1", "person-1-armature"]
    assert found["video"]["actions"] == ["clip cameraAction", "person-1 motion"]
    fps, base, start, end = found["clock"]
    assert fps / base == pytest.approx(RATE, abs=1e-3)
    assert (start, end) == (0, FRAMES - 1)
    assert found["clip"] == [0, -1, FRAMES]  # Blender counts a clip's frames from one
    motion = json.loads((work / "out/clip/motion.json").read_text())
    (person,) = motion["people"]
    lens = np.array(motion["camera"]["intrinsics"])
    cameras = motion["camera"]["cameras_from_world"]  # all of the picture moves: the camera turns
    assert cameras["0"] != cameras["2"]
    for frame, bones in ((0, found["video"]["bones"]), (2, found["video later"])):
        assert person["frames"][frame] == frame
        camera = np.array(cameras[str(frame)])
        for joint in ("root", "head", "wrist.L", "foot.R"):
            place = person["joints"][frame][motion["joint_names"].index(joint)]
            seen = lens @ (camera[:3, :3] @ place + camera[:3, 3])
            there = bones["person-1-armature"][joint]
            np.testing.assert_allclose(there, seen[:2] / seen[2], atol=2, err_msg=joint)


@pytest.mark.slow
def test_the_program_says_what_it_does_and_stops(found: dict[str, Any]) -> None:
    assert found["doing"].startswith("finding people")
    assert found["stopped"].startswith("Stopped")


def test_the_addon_is_written_whole(work: Path) -> None:
    text = (work / "vitruvian_blender.py").read_text()
    compile(text, "vitruvian_blender.py", "exec")
    assert "SPDX-License-Identifier: MIT" in text.splitlines()[1]
