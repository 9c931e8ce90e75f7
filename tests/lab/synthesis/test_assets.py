"""Reading MakeHuman's assets: small files written here, and the real ones where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.assets import (
    ASSETS_VARIABLE,
    AssetLibrary,
    find_assets,
)
from vitruvian.lab.synthesis.proxies import read_material, read_obj, read_proxy

OBJ = """# a quad and a triangle
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
v 2 0 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
g cloth
f 1/1 2/2 3/3 4/4
f 2/1 5/2 3/3
"""

VERTS = """0
1
0 1 2 0.5 0.25 0.25 1.0 2.0 3.0
2 3 4 -0.1 0.6 0.5 0 0 0.5
3 3 3 1 0 0
"""


def write_asset(folder: Path, header: str, *, verts: str = VERTS, after: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "thing.obj").write_text(OBJ)
    path = folder / "thing.mhclo"
    path.write_text(f"# comment 1 2 3\nname thing\nobj_file thing.obj\n{header}{verts}{after}")
    return path


def test_obj_becomes_triangles_with_their_own_uvs(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text(OBJ)
    vertices, uvs, faces, uv_faces = read_obj(tmp_path / "a.obj")
    assert vertices.shape == (5, 3)
    assert uvs.shape == (4, 2)
    assert faces.tolist() == [[0, 1, 2], [0, 2, 3], [1, 4, 2]]
    assert uv_faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 1, 2]]


def test_obj_without_uvs_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    _, uvs, faces, uv_faces = read_obj(tmp_path / "a.obj")
    assert faces.tolist() == [[0, 1, 2]]
    assert uv_faces.max() < len(uvs)


def test_plain_and_weighted_vertices(tmp_path: Path) -> None:
    proxy = read_proxy(write_asset(tmp_path, "verts 0\n"))
    assert proxy.references.tolist() == [[0, 0, 0], [1, 1, 1], [0, 1, 2], [2, 3, 4], [3, 3, 3]]
    np.testing.assert_allclose(proxy.weights[3], [-0.1, 0.6, 0.5], rtol=1e-6)
    np.testing.assert_allclose(proxy.offsets[2:4], [[1, 2, 3], [0, 0, 0.5]])
    assert proxy.offsets[4].tolist() == [0, 0, 0]  # offsets may be left out
    assert len(proxy.hidden) == 0


@pytest.mark.parametrize(
    "late",
    ["vertexboneweights_file thing.mhw\n", "material thing.mhmat\nvertexboneweights_file a.mhw\n"],
)
def test_header_lines_after_verts_do_not_end_the_vertices(tmp_path: Path, late: str) -> None:
    plain = read_proxy(write_asset(tmp_path / "plain", "verts 0\n"))
    trap = read_proxy(write_asset(tmp_path / "trap", f"verts 0\n{late}"))
    np.testing.assert_array_equal(trap.references, plain.references)
    np.testing.assert_array_equal(trap.weights, plain.weights)


def test_bone_weights_are_not_taken_for_vertices(tmp_path: Path) -> None:
    path = write_asset(tmp_path, "verts 0\n", after="weights spine\n0 1.0\n1 0.5\n")
    assert len(read_proxy(path).references) == 5


def test_hidden_vertices_are_ranges_and_single_ones_on_many_lines(tmp_path: Path) -> None:
    path = write_asset(tmp_path, "verts 0\n", after="\ndelete_verts\n3 5 - 8 12\n20 - 21\n30\n")
    proxy = read_proxy(path)
    assert proxy.hidden.tolist() == [3, 5, 6, 7, 8, 12, 20, 21, 30]
    assert len(proxy.references) == 5


def test_fit_follows_the_body_and_scales_offsets(tmp_path: Path) -> None:
    header = "x_scale 0 1 2.0\nz_scale 0 4 4.0\nverts 0\n"
    proxy = read_proxy(write_asset(tmp_path, header))
    base = np.array([[0, 0, 0], [0.4, 0, 0], [0, 0.3, 0], [0, 0, 0.1], [0, 0, 0.4]])
    fitted = proxy.fit(base)
    np.testing.assert_allclose(fitted[0], base[0])
    np.testing.assert_allclose(fitted[1], base[1], rtol=1e-6)
    # x: 4 dm where the asset was made for 2; y keeps its scale; z: 4 dm as made.
    anchor = 0.5 * base[0] + 0.25 * base[1] + 0.25 * base[2]
    np.testing.assert_allclose(fitted[2], anchor + [0.2, 0.2, 0.3], rtol=1e-5)


def test_too_few_vertices_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"thing\.mhclo"):
        read_proxy(write_asset(tmp_path, "verts 0\n", verts="0\n1\n"))


def test_a_missing_mesh_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mhclo"
    path.write_text("name a\nverts 0\n0\n")
    with pytest.raises(InputError, match="obj_file"):
        read_proxy(path)


def test_textures_that_do_not_exist_are_none(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2)).save(tmp_path / "cloth one.webp")
    path = tmp_path / "a.mhmat"
    path.write_text(
        "# m\ndiffuseTexture cloth one.webp\nnormalmapTexture gone.webp\n"
        "shaderParam litsphereTexture data/lit.webp\n"
    )
    material = read_material(path)
    assert material.diffuse == (tmp_path / "cloth one.webp").resolve()
    assert material.normal is None
    assert material.occlusion is None


def test_absent_assets_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ASSETS_VARIABLE, raising=False)
    with pytest.raises(InputError, match="--assets"):
        find_assets()
    with pytest.raises(InputError, match="no MakeHuman assets"):
        find_assets(tmp_path)
    monkeypatch.setenv(ASSETS_VARIABLE, str(tmp_path / "mine"))
    write_asset(tmp_path / "mine" / "clothes" / "thing", "verts 0\n")
    library = find_assets()
    assert library.names("clothes") == ["thing"]
    with pytest.raises(InputError, match="clothes/hood"):
        library.proxy("clothes", "hood")


@pytest.fixture
def library(shared_data: Callable[[str], Path]) -> AssetLibrary:
    return find_assets(shared_data("makehuman"))


def test_every_real_proxy_has_the_vertices_of_its_mesh(library: AssetLibrary) -> None:
    count = 0
    for kind in ("clothes", "hair", "eyebrows", "eyelashes", "eyes"):
        for name in library.names(kind):
            path = next((library.folder / kind / name).glob("*.mhclo"))
            proxy = read_proxy(path)
            mesh = next(
                line.split()[1]
                for line in path.read_text(errors="ignore").splitlines()
                if line.startswith("obj_file")
            )
            assert len(read_obj(path.parent / mesh)[0]) == len(proxy.references), path
            np.testing.assert_allclose(proxy.weights.sum(1), 1, atol=2e-3, err_msg=str(path))
            count += 1
    assert count >= 40


@pytest.mark.parametrize("name", ["shoes02", "shoes05", "shoes06"])
def test_shoes_with_late_headers_are_whole(library: AssetLibrary, name: str) -> None:
    proxy = library.proxy("clothes", name)
    assert len(proxy.references) > 1000
    assert proxy.material.diffuse is not None


def test_clothes_fitted_to_the_base_mesh_are_at_the_body(library: AssetLibrary) -> None:
    base = read_obj(library.folder / "3dobjs" / "base.obj")[0] / 10
    for name in library.outfits + library.shoes:
        fitted = library.proxy("clothes", name).fit(base)
        low, high = fitted.min(0), fitted.max(0)
        assert (low > base.min(0) - 0.08).all(), name
        assert (high < base.max(0) + 0.08).all(), name
