"""What a clip becomes besides its page: skeletons and meshes per frame, read back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pygltflib
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from vitruvian.errors import InputError
from vitruvian.formats.rig import Clip
from vitruvian.types.mesh import Mesh
from vitruvian.video.animated import animated_avatar, at_even_times, people_glb
from vitruvian.video.clip import open_clip
from vitruvian.video.formats import parse_video_formats
from vitruvian.video.pose import in_world, joints_of, surface_at
from vitruvian.video.sequence import sequence_glb, write_sequence
from vitruvian.video.surfaces import clothed_surfaces


@pytest.fixture(scope="module")
def written(carried_scene, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    carried_scene.save(folder, formats=("bvh", "ply", "mp4"))
    return folder


def bvh_joints(path: Path) -> tuple[list[str], np.ndarray]:
    """Names and places (T, J, 3) of a file's joints, in its units."""
    head, tail = path.read_text().split("MOTION")
    names, parents, offsets, stack = [], [], [], []
    for line in head.splitlines():
        word, *rest = line.split() or [""]
        if word in ("ROOT", "JOINT", "End"):
            parents.append(stack[-1] if stack else -1)
            names.append(rest[0] if word != "End" else "")
        elif word == "OFFSET":
            offsets.append([float(x) for x in rest])
        elif word == "{":
            stack.append(len(names) - 1)
        elif word == "}":
            stack.pop()
        elif word == "CHANNELS":
            assert rest[-3:] == ["Zrotation", "Xrotation", "Yrotation"]
    rows = np.array([line.split() for line in tail.strip().splitlines()[2:]], float)
    moving = [index for index, name in enumerate(names) if name]
    places = np.zeros((len(rows), len(names), 3))
    for time, row in enumerate(rows):
        turns = [Rotation.identity()] * len(names)
        angles = dict(zip(moving, row[3:].reshape(-1, 3), strict=True))
        for joint in moving:
            own = Rotation.from_euler("ZXY", angles[joint], degrees=True)
            up = parents[joint]
            turns[joint] = own if up < 0 else turns[up] * own
            shift = np.array(offsets[joint])
            places[time, joint] = row[:3] if up < 0 else places[time, up] + turns[up].apply(shift)
    return [names[index] for index in moving], places[:, moving]


def test_bvh_has_the_joints_where_they_are(carried_scene, written):
    (mover,) = carried_scene.people
    names, places = bvh_joints(written / "person-1" / "motion.bvh")
    joints, _ = joints_of(mover, in_world(mover.motion, carried_scene.world_from_camera))
    index = carried_scene.model.joint_index
    assert len(places) == len(joints)
    for name, joint in (("Hips", "root"), ("Head", "head"), ("LeftHand", "wrist.L")):
        found = places[:, names.index(name)] / 100
        # The rest pose that the skeleton gets moves joints by millimetres at most.
        np.testing.assert_allclose(found, joints[:, index[joint]], atol=0.005)


def test_motion_at_uneven_times_is_told_at_even_ones(carried_scene):
    turns = Rotation.from_rotvec(np.deg2rad([[0, 0, 0], [0, 30, 0], [0, 60, 0]])).as_matrix()[
        :, None
    ]
    roots = np.array([[0.0, 1, 0], [3, 1, 0], [6, 1, 0]])
    clip = Clip("motion", np.array([0.0, 0.3, 0.6]), turns, roots, {})
    even = at_even_times(clip, 10.0)
    np.testing.assert_allclose(even.times_s, np.arange(7) / 10)
    np.testing.assert_allclose(even.roots[:, 0], np.arange(7), atol=1e-9)
    angles = Rotation.from_matrix(even.rotations[:, 0]).as_euler("yxz", degrees=True)[:, 0]
    np.testing.assert_allclose(angles, 10 * np.arange(7), atol=1e-6)
    (mover,) = carried_scene.people
    avatar = animated_avatar(carried_scene, mover)
    np.testing.assert_allclose(avatar.clips[0].times_s[-1], 0.5)


def test_avatars_in_every_frame_are_where_they_are(carried_scene, written):
    (mover,) = carried_scene.people
    files = sorted((written / "person-1" / "frames").iterdir())
    assert [path.name for path in files] == [f"{number:06d}.ply" for number in range(6)]
    posed = surface_at(mover, 4).transformed(carried_scene.world_from_camera, "world")
    low, high = trimesh.load(files[4], process=False).bounds
    np.testing.assert_allclose(low, posed.vertices.min(0), atol=0.01)
    np.testing.assert_allclose(high, posed.vertices.max(0), atol=0.01)


def test_only_what_is_asked_for_is_written(written):
    assert not (written / "people.glb").exists()
    assert not (written / "preview.webm").exists()
    assert cv2.VideoCapture(str(written / "preview.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 6


def test_moving_people_are_valid_gltf(carried_scene, khronos_issues, tmp_path):
    path = tmp_path / "people.glb"
    path.write_bytes(people_glb(carried_scene))
    issues = khronos_issues(path)
    assert issues["numErrors"] == issues["numWarnings"] == 0, issues["messages"]


@pytest.fixture(scope="module")
def clothed(carried_scene) -> list[tuple[int, Mesh]]:
    (mover,) = carried_scene.people
    meshes = clothed_surfaces(carried_scene, mover)
    return [next(meshes), next(meshes)]


def test_meshes_that_follow_each_other_are_valid_gltf(clothed, khronos_issues, tmp_path):
    path = tmp_path / "sequence.glb"
    path.write_bytes(sequence_glb(clothed, [0.0, 0.1]))
    issues = khronos_issues(path)
    assert issues["numErrors"] == issues["numWarnings"] == 0, issues["messages"]


def test_frames_dress_the_same_person(carried_scene, clothed, tmp_path):
    """Two frames: surfaces on the same body, where it is, and a GLB that shows one at a time."""
    (mover,) = carried_scene.people
    for time, (number, mesh) in enumerate(clothed):
        assert number == time
        posed = surface_at(mover, time).transformed(carried_scene.world_from_camera, "world")
        np.testing.assert_allclose(mesh.vertices.mean(0), posed.vertices.mean(0), atol=0.08)
        assert np.ptp(mesh.vertices[:, 1]) == pytest.approx(mover.height_m, abs=0.1)
        assert mesh.texture is not None
    write_sequence(clothed, [0.0, 0.1], tmp_path, ["ply"], glb=True)
    file = pygltflib.GLTF2().load(str(tmp_path / "sequence.glb"))
    assert [node.scale for node in file.nodes] == [[1, 1, 1], [0, 0, 0]]
    assert all(sampler.interpolation == "STEP" for sampler in file.animations[0].samplers)
    assert len(list(tmp_path.glob("*.ply"))) == 2


def test_formats_are_told_apart():
    assert parse_video_formats(" GLB,.bvh,glb") == ("glb", "bvh")
    with pytest.raises(InputError, match="no format of a video") as failure:
        parse_video_formats("glb,doc")
    assert failure.value.code == "bad-option"


def test_the_example_clip_is_that_of_the_demo():
    root = Path(__file__).resolve().parents[2]
    assert "examples/walking.mp4" in (root / "Makefile").read_text()
    clip = open_clip(root / "examples" / "walking.mp4")
    frames = [frame.pixels for frame in clip.frames()]
    assert len(frames) == clip.expected
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 100  # somebody moves
