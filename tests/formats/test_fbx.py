"""FBX files, written by Blender and read by it again."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatar_shapes import joints_at, small_avatar
from format_shapes import bumps
from vitruvian.errors import InputError, MissingExtraError, VitruvianError
from vitruvian.formats import fbx
from vitruvian.formats.fbx import blender_command, write_fbx
from vitruvian.options import Options

# The file's y is up, Blender's z.
BLENDER_FROM_FILE = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What Blender reads of an avatar that it wrote."""
    try:
        command = blender_command()
    except MissingExtraError:
        pytest.skip("needs Blender: the extra fbx, or VITRUVIAN_BLENDER")
    folder = tmp_path_factory.mktemp("fbx")
    avatar = small_avatar()
    mapped = replace(avatar, mesh=replace(avatar.mesh, normal_map=bumps()))
    path = write_fbx(mapped, folder / "anna.fbx")
    assert path.read_bytes().startswith(b"Kaydara FBX Binary")
    script = Path(__file__).with_name("read_fbx.py")
    out = folder / "found.npz"
    subprocess.run(
        [*command, str(script), "--", str(path), str(out)],
        check=True, capture_output=True, timeout=120,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )  # fmt: skip
    return dict(np.load(out))


def test_the_mesh_is_the_same_closed_one(found: dict[str, np.ndarray]) -> None:
    mesh = small_avatar().mesh
    assert found["vertices"].shape == mesh.vertices.shape
    corners = found["vertices"][found["faces"]]
    expected = mesh.vertices[mesh.faces] @ BLENDER_FROM_FILE.T
    np.testing.assert_allclose(corners, expected, atol=1e-5)
    np.testing.assert_allclose(found["uvs"], mesh.uvs[mesh.uv_faces.ravel()], atol=1e-5)
    assert np.abs(found["texture"] - mesh.texture / 255).mean() < 0.02


def test_bones_are_where_they_were_and_run_along_the_limbs(found: dict[str, np.ndarray]) -> None:
    avatar = small_avatar()
    assert sorted(found["bones"]) == sorted(avatar.bone_names)
    order = [avatar.bone_names.index(name) for name in found["bones"]]
    np.testing.assert_allclose(
        found["heads"], avatar.joints[order] @ BLENDER_FROM_FILE.T, atol=1e-5
    )
    np.testing.assert_allclose(
        found["ways"], avatar.axes[order][:, :, 1] @ BLENDER_FROM_FILE.T, atol=1e-4
    )
    names = ["", *avatar.bone_names]
    assert list(found["parents"]) == [names[avatar.parents[joint] + 1] for joint in order]


def test_every_vertex_follows_the_same_joints(found: dict[str, np.ndarray]) -> None:
    avatar = small_avatar()
    mesh = avatar.mesh
    expected = np.zeros((len(mesh.vertices), len(avatar.joints)))
    np.add.at(expected, (np.arange(len(expected))[:, None], mesh.skin_joints), mesh.skin_weights)
    order = [avatar.bone_names.index(name) for name in found["bones"]]
    corners = found["weights"][found["faces"].ravel()]
    np.testing.assert_allclose(corners, expected[mesh.faces.ravel()][:, order], atol=1e-4)


@pytest.mark.parametrize("name", ["photo", "idle", "walk", "run", "wave", "sit", "dance"])
def test_every_clip_moves_as_ours(found: dict[str, np.ndarray], name: str) -> None:
    avatar = small_avatar()
    clip = next(one for one in avatar.clips if one.name == name)
    assert sorted(found["clips"]) == sorted(one.name for one in avatar.clips)
    places = found[f"clip {name}"]
    assert (len(places) - 1) / 30 == pytest.approx(clip.times_s[-1], abs=1 / 30)
    order = [avatar.bone_names.index(name) for name in found["bones"]]
    for frame in (0, len(places) // 2):
        after = int(np.searchsorted(clip.times_s, frame / 30 - 1e-9))
        before = max(after - 1, 0)
        span = clip.times_s[after] - clip.times_s[before]
        share = (frame / 30 - clip.times_s[before]) / span if span else 0.0
        keys = [joints_at(avatar, name, key)[order] for key in (before, after)]
        ours = ((1 - share) * keys[0] + share * keys[1]) @ BLENDER_FROM_FILE.T
        np.testing.assert_allclose(places[frame], ours, atol=2e-3)


def test_without_blender_it_is_told_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(fbx.VARIABLE, raising=False)
    monkeypatch.setattr(fbx, "find_spec", lambda name: None)
    monkeypatch.setattr(fbx.shutil, "which", lambda program: None)
    with pytest.raises(MissingExtraError, match="written by Blender, which was not found"):
        Options(formats=("fbx",))
    monkeypatch.setenv(fbx.VARIABLE, "/nowhere/blender")
    with pytest.raises(InputError, match="names /nowhere/blender, which is no program"):
        Options(formats=("fbx",))


def test_what_blender_says_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(fbx.VARIABLE, sys.executable)  # a Python that cannot import what is asked
    broken = tmp_path / "broken.py"
    broken.write_text("raise RuntimeError('no such operator')")
    monkeypatch.setattr(fbx, "_SCRIPT", broken)
    with pytest.raises(VitruvianError, match="RuntimeError: no such operator") as caught:
        write_fbx(small_avatar(), tmp_path / "anna.fbx")
    assert caught.value.code == "failed"
    assert not (tmp_path / "anna.fbx").exists()


def test_blender_itself_runs_without_a_window(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "blender"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv(fbx.VARIABLE, str(program))
    assert blender_command()[:2] == [str(program), "--background"]
    assert blender_command()[-1] == "--python"
