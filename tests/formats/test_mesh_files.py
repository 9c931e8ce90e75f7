"""OBJ, PLY, STL and GLB read back by trimesh, which shares no code with our writers."""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from format_shapes import BOTTOM_LEFT, TOP_LEFT, tube
from vitruvian.errors import InputError
from vitruvian.formats import FORMATS, export_mesh, scene_glb, write_glb, write_obj, write_stl
from vitruvian.formats.corners import sample_texture, split_at_seams
from vitruvian.formats.obj import obj_body
from vitruvian.types.mesh import Mesh

trimesh = pytest.importorskip("trimesh")


@pytest.fixture
def textured_tube() -> Mesh:
    return tube()


def load(path: Path):
    return trimesh.load(path, process=False, force="mesh")


def in_metres(mesh, suffix: str, low: float = 0.0):
    """What was read with y up and in metres, as all but STL are; ``low`` is where it began."""
    if suffix == ".stl":
        x, y, z = mesh.vertices.T / 1000
        mesh.vertices = np.stack([x, z + low, -y], axis=1)
    return mesh


def corner_positions(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    return np.asarray(vertices)[np.asarray(faces)]


@pytest.mark.parametrize("suffix", [f".{name}" for name in sorted(FORMATS)])
def test_triangles_survive(textured_tube: Mesh, tmp_path: Path, suffix: str) -> None:
    read = in_metres(load(export_mesh(textured_tube, tmp_path / f"a{suffix}")), suffix)
    expected = corner_positions(textured_tube.vertices, textured_tube.faces)
    assert read.faces.shape == textured_tube.faces.shape
    np.testing.assert_allclose(corner_positions(read.vertices, read.faces), expected, atol=1e-6)


@pytest.mark.parametrize("suffix", [f".{name}" for name in sorted(FORMATS)])
def test_camera_frame_is_written_upright(tmp_path: Path, suffix: str) -> None:
    in_camera = replace(tube(), frame="camera")
    read = in_metres(load(export_mesh(in_camera, tmp_path / f"a{suffix}")), suffix, low=-1)
    # y down and z forward become y up and z backward.
    assert read.bounds[0][1] == pytest.approx(-1)
    assert read.bounds[1][1] == pytest.approx(0, abs=1e-6)
    expected = corner_positions(in_camera.vertices * [1, -1, -1], in_camera.faces)
    np.testing.assert_allclose(corner_positions(read.vertices, read.faces), expected, atol=1e-6)


@pytest.mark.parametrize("suffix", [".obj", ".ply", ".stl"])
def test_closed_surface_stays_closed(textured_tube: Mesh, tmp_path: Path, suffix: str) -> None:
    path = export_mesh(textured_tube, tmp_path / f"a{suffix}")
    read = in_metres(load(path), suffix)
    read.merge_vertices(merge_tex=True, merge_norm=True)
    assert read.is_watertight
    assert read.volume == pytest.approx(10 * 0.15**2 * np.sin(np.pi / 5) / 2, rel=1e-5)


def test_obj_indices_are_separate_and_files_are_named(textured_tube: Mesh, tmp_path: Path) -> None:
    path = write_obj(textured_tube, tmp_path / "mesh.obj", texture_name="texture.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mesh.mtl", "mesh.obj", "texture.png"]
    lines = path.read_text().splitlines()
    kinds = {kind: [x for x in lines if x.startswith(kind + " ")] for kind in ("v", "vt", "f")}
    assert len(kinds["v"]) == len(textured_tube.vertices)
    assert len(kinds["vt"]) == len(textured_tube.uvs)
    last = [[int(i) - 1 for i in corner.split("/")] for corner in kinds["f"][-1].split()[1:]]
    np.testing.assert_array_equal([c[0] for c in last], textured_tube.faces[-1])
    np.testing.assert_array_equal([c[1] for c in last], textured_tube.uv_faces[-1])
    assert "map_Kd texture.png" in (tmp_path / "mesh.mtl").read_text()
    assert "mtllib mesh.mtl" in lines


@pytest.mark.parametrize("stem", ["anna smith", "-t 1", " lead", "a#b", "tab\tin", "two  spaces"])
def test_obj_names_its_files_so_that_all_readers_find_them(
    textured_tube: Mesh, tmp_path: Path, stem: str
) -> None:
    path = write_obj(textured_tube, tmp_path / f"{stem}.obj")
    lines = path.read_text().splitlines()
    (material,) = [line for line in lines if line.startswith("mtllib")]
    _, name = material.split()  # readers take further words for further files
    assert not name.startswith("-")
    assert "#" not in name
    mtl = (tmp_path / name).read_text()
    (texture,) = [line for line in mtl.splitlines() if line.startswith("map_Kd")]
    _, name = texture.split()
    assert not name.startswith("-")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / name)), textured_tube.texture)
    read = load(path)
    assert read.visual.material.image is not None


def test_obj_files_of_similar_names_do_not_share_a_texture(
    textured_tube: Mesh, tmp_path: Path
) -> None:
    assert textured_tube.texture is not None
    write_obj(textured_tube, tmp_path / "a_b.obj")
    write_obj(replace(textured_tube, texture=textured_tube.texture // 2), tmp_path / "a b.obj")
    np.testing.assert_array_equal(
        np.asarray(Image.open(tmp_path / "a_b.png")), textured_tube.texture
    )
    assert len(list(tmp_path.glob("*.png"))) == 2


def test_obj_without_texture_writes_one_file(textured_tube: Mesh, tmp_path: Path) -> None:
    colors = np.random.default_rng(0).integers(0, 256, (len(textured_tube.vertices), 3))
    mesh = replace(
        textured_tube, texture=None, uvs=None, uv_faces=None, vertex_colors=colors.astype(np.uint8)
    )
    read = load(write_obj(mesh, tmp_path / "a.obj"))
    assert [p.name for p in tmp_path.iterdir()] == ["a.obj"]
    np.testing.assert_array_equal(read.visual.vertex_colors[:, :3], colors)


@pytest.mark.parametrize("suffix", [".obj", ".glb"])
def test_texture_is_the_right_way_up(textured_tube: Mesh, tmp_path: Path, suffix: str) -> None:
    read = load(export_mesh(textured_tube, tmp_path / f"a{suffix}"))
    colors = read.visual.to_color().vertex_colors[:, :3].astype(int)
    uv = read.visual.uv  # trimesh keeps the origin at the lower left in both formats
    low = read.vertices[:, 1] < 0.3
    left = (uv[:, 0] < 0.4) & (uv[:, 0] > 0.1)
    assert (low & left).any()
    assert (~low & left & (read.vertices[:, 1] > 0.7)).any()
    assert np.abs(colors[low & left] - BOTTOM_LEFT).max() < 12  # JPEG is not exact
    assert np.abs(colors[left & (read.vertices[:, 1] > 0.7)] - TOP_LEFT).max() < 12


def test_glb_png_texture_is_exact(textured_tube: Mesh, tmp_path: Path) -> None:
    read = load(write_glb(textured_tube, tmp_path / "a.glb", image_format="png"))
    image = read.visual.material.baseColorTexture.convert("RGB")
    np.testing.assert_array_equal(np.asarray(image), textured_tube.texture)


def test_obj_png_texture_is_exact(textured_tube: Mesh, tmp_path: Path) -> None:
    write_obj(textured_tube, tmp_path / "a.obj")
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "a.png")), textured_tube.texture)


def test_ply_takes_colors_from_the_texture(textured_tube: Mesh, tmp_path: Path) -> None:
    read = load(export_mesh(textured_tube, tmp_path / "a.ply"))
    np.testing.assert_array_equal(read.visual.vertex_colors[:, :3], sample_texture(textured_tube))
    bottom_quarter = read.visual.vertex_colors[12, :3]  # ring 1, side 2: u = .2, v = 1 / 11
    np.testing.assert_array_equal(bottom_quarter, BOTTOM_LEFT)


def test_glb_vertex_colors_become_linear(textured_tube: Mesh, tmp_path: Path) -> None:
    colors = np.full((len(textured_tube.vertices), 3), 188, np.uint8)
    mesh = replace(textured_tube, texture=None, uvs=None, uv_faces=None, vertex_colors=colors)
    import pygltflib

    path = write_glb(mesh, tmp_path / "a.glb")
    document = pygltflib.GLTF2().load(path)
    accessor = document.accessors[document.meshes[0].primitives[0].attributes.COLOR_0]
    view = document.bufferViews[accessor.bufferView]
    data = document.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength]
    stored = np.frombuffer(data, np.uint16).reshape(-1, 4) / 65535
    assert stored[0, 0] == pytest.approx(0.503, abs=1e-3)  # sRGB 188 is half the light
    assert stored[0, 3] == 1


def test_scene_keeps_people_apart() -> None:
    people = {
        f"person-{i + 1}": tube().with_vertices(tube().vertices + np.array([i, 0, 0]))
        for i in range(3)
    }
    data = scene_glb(people, extras={"person-2": {"height_m": np.float32(1.5)}})
    scene = trimesh.load(io.BytesIO(data), file_type="glb", process=False)
    for index, name in enumerate(people):
        matrix, geometry = scene.graph[name]
        np.testing.assert_allclose(matrix, np.eye(4))
        center = scene.geometry[geometry].bounds.mean(0)
        np.testing.assert_allclose(center, [index, 0.5, 0], atol=1e-6)
    import pygltflib

    nodes = pygltflib.GLTF2.load_from_bytes(data).nodes
    assert [n.extras for n in nodes] == [{}, {"height_m": 1.5}, {}]


def test_nobody_is_a_valid_scene() -> None:
    import pygltflib

    document = pygltflib.GLTF2.load_from_bytes(scene_glb({}))
    assert len(document.scenes) == 1
    assert document.nodes == []


@given(values=st.lists(st.tuples(*[st.floats(-2000, 2000, width=32)] * 3), min_size=1, max_size=20))
@settings(max_examples=100, deadline=None)
def test_obj_numbers_match_pythons(values: list[tuple[float, float, float]]) -> None:
    mesh = Mesh(np.array(values, np.float32), np.zeros((1, 3), np.int32))
    lines = obj_body(mesh).decode().splitlines()
    for line, value in zip(lines, values, strict=False):
        read = [float(word) for word in line.split()[1:]]
        np.testing.assert_allclose(read, np.float32(value), rtol=0, atol=5.01e-7)
    assert lines[-1] == "f 1 1 1"


def test_obj_refuses_nan() -> None:
    mesh = Mesh(np.full((3, 3), np.nan, np.float32), np.array([[0, 1, 2]], np.int32))
    with pytest.raises(ValueError, match="finite"):
        obj_body(mesh)


@given(seed=st.integers(0, 10_000), shared=st.booleans())
@settings(max_examples=60, deadline=None)
def test_split_keeps_every_corner(seed: int, shared: bool) -> None:
    rng = np.random.default_rng(seed)
    vertices, uvs = rng.random((9, 3), np.float32), rng.random((30, 2), np.float32)
    uv_faces = rng.integers(0, 30, (14, 3)).astype(np.int32)
    # With `shared`, a coordinate may serve several vertices; else each belongs to one.
    faces = rng.integers(0, 9, (14, 3)) if shared else rng.integers(0, 9, 30)[uv_faces]
    mesh = Mesh(vertices, faces.astype(np.int32), uvs=uvs, uv_faces=uv_faces)
    split = split_at_seams(mesh)
    np.testing.assert_array_equal(vertices[split.source][split.faces], vertices[faces])
    assert split.uvs is not None
    np.testing.assert_array_equal(split.uvs[split.faces], uvs[uv_faces])
    pairs = {(v, t) for v, t in zip(faces.ravel(), uv_faces.ravel(), strict=True)}
    assert len(split.source) == len(pairs)


def test_unknown_suffix_is_one_sentence(textured_tube: Mesh, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        export_mesh(textured_tube, tmp_path / "a.docx")
    assert str(error.value) == (
        f"Cannot export to {tmp_path / 'a.docx'}: the file's ending must be one of "
        ".obj, .glb, .ply, .stl."
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [f".{name}" for name in sorted(FORMATS)])
def test_unwritable_place_is_one_sentence(textured_tube: Mesh, tmp_path: Path, suffix: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match=r"^Cannot write .*: choose a folder .*\.$"):
        export_mesh(textured_tube, tmp_path / "file" / f"a{suffix}")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_obj_has_vertex_colors_beside_its_texture_when_asked(
    textured_tube: Mesh, tmp_path: Path
) -> None:
    path = write_obj(textured_tube, tmp_path / "mesh.obj", vertex_colors=True)
    lines = [line.split() for line in path.read_text().splitlines()]
    numbers = np.array([line[1:] for line in lines if line[0] == "v"], float)
    np.testing.assert_allclose(numbers[:, :3], textured_tube.vertices, atol=1e-6)
    np.testing.assert_array_equal(
        np.round(numbers[:, 3:] * 255).astype(np.uint8), sample_texture(textured_tube)
    )
    assert (tmp_path / "mesh.png").exists()
    assert ["usemtl", "person"] in lines
    read = load(path)
    np.testing.assert_allclose(
        corner_positions(read.vertices, read.faces),
        corner_positions(textured_tube.vertices, textured_tube.faces),
        atol=1e-6,
    )
    plain = replace(textured_tube, texture=None, uvs=None, uv_faces=None)
    text = write_obj(plain, tmp_path / "plain.obj", vertex_colors=True).read_text()
    assert all(len(x.split()) == 4 for x in text.splitlines() if x.startswith("v "))


@pytest.mark.parametrize("suffix", [f".{name}" for name in sorted(FORMATS)])
def test_a_file_name_that_is_no_text(textured_tube, tmp_path, suffix):
    path = export_mesh(textured_tube, tmp_path / os.fsdecode(b"caf\xe9" + suffix.encode()))
    assert path.stat().st_size > 100
    if suffix == ".obj":  # names its neighbours by their bytes
        assert b"\nmtllib caf\xe9.mtl\n" in path.read_bytes()
        assert (tmp_path / os.fsdecode(b"caf\xe9.mtl")).exists()


def test_stl_stands_on_the_plate_in_millimetres(textured_tube: Mesh, tmp_path: Path) -> None:
    floating = textured_tube.with_vertices(textured_tube.vertices + np.float32([0, 0.7, 0]))
    read = load(export_mesh(floating, tmp_path / "a.stl"))
    low, high = read.bounds
    assert low[2] == pytest.approx(0, abs=1e-4)
    assert high[2] == pytest.approx(1000, rel=1e-5)  # the tube is one metre high
    # What faced the viewer, +z, faces -y: the front of a slicer's plate.
    toward = floating.vertices[:, 2].max() * 1000
    assert low[1] == pytest.approx(-toward, rel=1e-5)


@pytest.mark.parametrize("height", [30.0, 150.0])
def test_a_print_stands_on_a_flat_base(textured_tube: Mesh, tmp_path: Path, height: float) -> None:
    read = load(write_stl(textured_tube, tmp_path / "a.stl", print_height_mm=height))
    low, high = read.bounds
    assert high[2] - low[2] == pytest.approx(height, rel=1e-5)
    read.merge_vertices()
    shells = read.split(only_watertight=True)
    assert len(shells) == 2
    base, figure = sorted(shells, key=lambda shell: shell.bounds[1][2])
    assert base.volume > 0
    assert figure.volume > 0
    # It lies flat on the plate, carries the whole foot, and the figure sinks into it.
    assert base.bounds[0][2] == pytest.approx(0, abs=1e-4)
    flat = base.area_faces[base.face_normals[:, 2] < -0.999].sum()
    assert flat > np.prod(figure.extents[:2])
    assert 0 < figure.bounds[0][2] < base.bounds[1][2]
    assert (base.bounds[0][:2] < figure.bounds[0][:2]).all()
    assert (base.bounds[1][:2] > figure.bounds[1][:2]).all()
