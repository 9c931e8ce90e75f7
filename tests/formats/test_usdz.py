"""USDZ files by Pixar's own validators, and posed by Pixar's own skinning."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("pxr", reason="needs the extra usd")

from pxr import Usd, UsdGeom, UsdShade, UsdSkel, UsdValidation

from avatar_shapes import joints_at, skinned_at, small_avatar
from format_shapes import bumps
from vitruvian.errors import MissingExtraError
from vitruvian.formats import usdz
from vitruvian.formats.bone_names import bone_names
from vitruvian.formats.usdz import write_usdz
from vitruvian.options import Options


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    avatar = small_avatar()
    mapped = replace(avatar, mesh=replace(avatar.mesh, normal_map=bumps()))
    return write_usdz(mapped, tmp_path_factory.mktemp("usdz") / "anna.usdz")


def faults(stage: Any) -> set[str]:
    """What the validators of OpenUSD have to say, those for packages and textures among them."""
    known = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    return {error.GetName() for error in UsdValidation.ValidationContext(known).Validate(stage)}


def test_the_validators_find_nothing(file: Path) -> None:
    stage = Usd.Stage.Open(str(file))
    assert faults(stage) == set()
    # They would: a normal map that is read as colours.
    stage.GetPrimAtPath("/anna/material/normals").GetAttribute("inputs:scale").Block()
    assert faults(stage)


def test_it_stands_in_metres_with_its_textures_inside(file: Path) -> None:
    stage = Usd.Stage.Open(str(file))
    assert UsdGeom.GetStageUpAxis(stage) == "Y"
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1
    assert str(stage.GetDefaultPrim().GetPath()) == "/anna"
    avatar = small_avatar()
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/anna/mesh"))
    np.testing.assert_allclose(mesh.GetPointsAttr().Get(), avatar.mesh.vertices, atol=1e-6)
    faces = np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
    np.testing.assert_array_equal(faces, avatar.mesh.faces)
    st = UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st")
    np.testing.assert_allclose(
        np.array(st.ComputeFlattened()), avatar.mesh.uvs[avatar.mesh.uv_faces.ravel()], atol=1e-6
    )
    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    surface, _, _ = material.ComputeSurfaceSource()
    assert {"diffuseColor", "normal"} <= {
        one.GetBaseName() for one in surface.GetInputs() if one.HasConnectedSource()
    }
    with zipfile.ZipFile(file) as packed:
        first, *pictures = packed.infolist()
        assert first.filename.endswith(".usdc")
        assert all(one.compress_type == zipfile.ZIP_STORED for one in (first, *pictures))
        name = next(one.filename for one in pictures if "texture" in one.filename)
        texture = cv2.imdecode(np.frombuffer(packed.read(name), np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(texture.astype(int) - avatar.mesh.texture).mean() < 4


def test_nothing_is_said_on_the_way(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    avatar = small_avatar()
    mesh = replace(avatar.mesh, normal_map=bumps())
    write_usdz(replace(avatar, clips=avatar.clips[:1], mesh=mesh), tmp_path / "anna.usdz")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["photo", "idle", "walk", "run", "wave", "sit", "dance"])
def test_every_clip_is_posed_as_ours(file: Path, name: str) -> None:
    stage = Usd.Stage.Open(str(file))
    assert stage.GetDefaultPrim().GetVariantSets().GetVariantSelection("clip") == "idle"
    stage.GetDefaultPrim().GetVariantSets().SetSelection("clip", name)
    cache = UsdSkel.Cache()
    root = UsdSkel.Root(stage.GetDefaultPrim())
    cache.Populate(root, Usd.TraverseInstanceProxies())
    skeleton = cache.GetSkelQuery(UsdSkel.Skeleton(stage.GetPrimAtPath("/anna/skeleton")))
    skin = cache.GetSkinningQuery(stage.GetPrimAtPath("/anna/mesh"))
    avatar = small_avatar()
    clip = next(one for one in avatar.clips if one.name == name)
    points = UsdGeom.Mesh(stage.GetPrimAtPath("/anna/mesh")).GetPointsAttr().Get()
    for key in {0, len(clip.times_s) // 3, len(clip.times_s) - 1}:
        time = clip.times_s[key] * stage.GetTimeCodesPerSecond()
        places = np.array(skeleton.ComputeJointSkelTransforms(time))[:, 3, :3]
        np.testing.assert_allclose(places, joints_at(avatar, name, key), atol=1e-4)
        moved = type(points)(points)
        assert skin.ComputeSkinnedPoints(skeleton.ComputeSkinningTransforms(time), moved, time)
        np.testing.assert_allclose(np.array(moved), skinned_at(avatar, name, key), atol=2e-4)


def test_the_first_clip_lasts_as_long_as_the_stage(file: Path, tmp_path: Path) -> None:
    seconds = {one.name: one.times_s[-1] for one in small_avatar().clips}
    dancing = write_usdz(small_avatar(), tmp_path / "dance.usdz", clip="dance")
    for path, name in ((file, "idle"), (dancing, "dance")):
        stage = Usd.Stage.Open(str(path))
        assert stage.GetEndTimeCode() / stage.GetTimeCodesPerSecond() == pytest.approx(
            seconds[name]
        )
    still = replace(small_avatar(), clips=small_avatar().clips[:1])
    stage = Usd.Stage.Open(str(write_usdz(still, tmp_path / "still.usdz")))
    assert stage.GetDefaultPrim().GetVariantSets().GetVariantSelection("clip") == "photo"


def test_names_that_usd_does_not_allow_are_kept_beside(tmp_path: Path) -> None:
    avatar = small_avatar()
    names = bone_names(avatar.joint_names, "mixamo")
    path = write_usdz(replace(avatar, name="7 Zoë", bone_names=names), tmp_path / "zoe.usdz")
    stage = Usd.Stage.Open(str(path))
    assert faults(stage) == set()
    skeleton = UsdSkel.Skeleton(stage.GetPrimAtPath("/_7_Zo_/skeleton"))
    assert list(skeleton.GetJointNamesAttr().Get()) == list(names)
    assert "mixamorig_Hips/mixamorig_Spine/mixamorig_Spine1" in skeleton.GetJointsAttr().Get()


def test_what_is_missing_is_told_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usdz, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'vitruvian\[usd\]'") as caught:
        Options(formats=("glb", "usdz"))
    assert caught.value.code == "missing-extra"
