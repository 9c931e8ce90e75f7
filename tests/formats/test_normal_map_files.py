"""Normal maps in files, read back as a program reads them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pygltflib
import pytest
from PIL import Image

from format_shapes import bumps, rigged_tube, tube
from vitruvian.formats import avatar_glb, rig_avatar, scene_glb, write_glb, write_obj
from vitruvian.types.mesh import Mesh


@pytest.fixture
def bumpy() -> Mesh:
    return replace(tube(), normal_map=bumps())


def array(gltf: pygltflib.GLTF2, index: int) -> np.ndarray:
    """A float accessor (N, C)."""
    accessor = gltf.accessors[index]
    width = {"VEC2": 2, "VEC3": 3, "VEC4": 4}[accessor.type]
    start = gltf.bufferViews[accessor.bufferView].byteOffset
    blob = gltf.binary_blob()
    return np.frombuffer(blob, np.float32, accessor.count * width, start).reshape(-1, width)


def picture(gltf: pygltflib.GLTF2, texture: int) -> np.ndarray:
    view = gltf.bufferViews[gltf.images[gltf.textures[texture].source].bufferView]
    data = gltf.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    return np.asarray(Image.open(io.BytesIO(data)))


def normals_of_the_map(gltf: pygltflib.GLTF2) -> tuple[np.ndarray, np.ndarray]:
    """Places (N, 3) and normals (N, 3) of the vertices as the specification combines them."""
    primitive = gltf.meshes[0].primitives[0]
    named = primitive.attributes
    normal, tangent, uv = (
        array(gltf, one) for one in (named.NORMAL, named.TANGENT, named.TEXCOORD_0)
    )
    bitangent = np.cross(normal, tangent[:, :3]) * tangent[:, 3:]
    texels = picture(gltf, gltf.materials[primitive.material].normalTexture.index)
    size = len(texels)
    row, column = (np.clip(uv[:, k] * size, 0, size - 1).astype(int) for k in (1, 0))
    value = texels[row, column] / 127.5 - 1.0
    out = value[:, :1] * tangent[:, :3] + value[:, 1:2] * bitangent + value[:, 2:] * normal
    return array(gltf, named.POSITION), out / np.linalg.norm(out, axis=1, keepdims=True)


def test_glb_has_tangents_and_the_map(bumpy: Mesh, tmp_path: Path) -> None:
    path = write_glb(bumpy, tmp_path / "a.glb", image_format="png")
    gltf = pygltflib.GLTF2.load_from_bytes(path.read_bytes())
    named = gltf.meshes[0].primitives[0].attributes
    tangents, normals = array(gltf, named.TANGENT), array(gltf, named.NORMAL)
    np.testing.assert_allclose(np.linalg.norm(tangents[:, :3], axis=1), 1, atol=1e-5)
    np.testing.assert_allclose((tangents[:, :3] * normals).sum(1), 0, atol=1e-5)
    assert set(np.unique(tangents[:, 3])) <= {-1.0, 1.0}
    np.testing.assert_array_equal(picture(gltf, gltf.materials[0].normalTexture.index), bumps())
    # Around the side u grows with the angle: red leans that way, green leans up.
    places, found = normals_of_the_map(gltf)
    side = (places[:, 1] > 0.2) & (places[:, 1] < 0.8)
    angle = np.arctan2(places[:, 0], places[:, 2])
    around = np.stack([np.cos(angle), 0 * angle, -np.sin(angle)], 1)
    leans = (found * around).sum(1)
    first = side & (angle > 0.1) & (angle < 3)  # the first half of the atlas
    assert (leans[first] > 0.45).all()
    second = side & (angle < -0.1) & (angle > -3)
    assert (found[second, 1] > 0.45).all()
    assert np.abs(leans[second]).max() < 0.15


def test_a_mirrored_chart_has_the_other_handedness(bumpy: Mesh) -> None:
    assert bumpy.uvs is not None
    mirrored = replace(bumpy, uvs=np.array([1, 0], np.float32) + bumpy.uvs * [-1, 1])
    for mesh, sign in ((bumpy, 1), (mirrored, -1)):
        gltf = pygltflib.GLTF2.load_from_bytes(scene_glb({"a": mesh}))
        tangents = array(gltf, gltf.meshes[0].primitives[0].attributes.TANGENT)
        assert (tangents[:, 3] == sign).mean() > 0.8  # the caps have no area in the atlas


def test_jpeg_keeps_the_numbers(bumpy: Mesh) -> None:
    gltf = pygltflib.GLTF2.load_from_bytes(scene_glb({"a": bumpy}))
    texels = picture(gltf, gltf.materials[0].normalTexture.index)
    assert np.abs(texels.astype(int) - bumps()).max() <= 6


def test_avatars_have_it_too() -> None:
    mesh, rig = rigged_tube()
    gltf = pygltflib.GLTF2.load_from_bytes(
        avatar_glb(rig_avatar(replace(mesh, normal_map=bumps()), rig))
    )
    assert gltf.materials[0].normalTexture is not None
    assert gltf.meshes[0].primitives[0].attributes.TANGENT is not None


def test_an_unlit_material_has_none(bumpy: Mesh) -> None:
    gltf = pygltflib.GLTF2.load_from_bytes(scene_glb({"a": bumpy}, unlit=True))
    assert gltf.materials[0].normalTexture is None
    assert gltf.meshes[0].primitives[0].attributes.TANGENT is None
    assert len(gltf.images) == 1


def test_khronos_validator_accepts_map_and_tangents(
    khronos_issues: Callable[[Path], dict], bumpy: Mesh, tmp_path: Path
) -> None:
    issues = khronos_issues(write_glb(bumpy, tmp_path / "a.glb"))
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]
    unused = [one for one in issues["messages"] if "TANGENT" in str(one)]
    assert not unused


def test_obj_names_the_map(bumpy: Mesh, tmp_path: Path) -> None:
    write_obj(bumpy, tmp_path / "a.obj", texture_name="texture.png", normal_map_name="normals.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.mtl", "a.obj", "normals.png", "texture.png",
    ]  # fmt: skip
    lines = (tmp_path / "a.mtl").read_text().splitlines()
    assert {"map_Kd texture.png", "norm normals.png", "map_Bump normals.png"} <= set(lines)
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "normals.png")), bumps())


def test_obj_without_colours_still_has_the_map(bumpy: Mesh, tmp_path: Path) -> None:
    write_obj(replace(bumpy, texture=None), tmp_path / "b c.obj")
    (material,) = tmp_path.glob("*.mtl")
    text = material.read_text()
    assert "map_Kd" not in text
    (name,) = [line.split()[1] for line in text.splitlines() if line.startswith("norm")]
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / name)), bumps())
