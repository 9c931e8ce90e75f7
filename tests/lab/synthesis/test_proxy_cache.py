"""Proxies from the cache are those of the files, whatever happens to either."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.proxies import Proxy, read_proxy
from vitruvian.lab.synthesis.proxy_cache import cached_proxy

OBJ = "v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 0 1\nf 1/1 2/2 3/3\n"
MHCLO = "obj_file thing.obj\nmaterial thing.mhmat\nx_scale 1 2 0.5\nverts 0\n0\n1\n2\n"


def same(first: Proxy, second: Proxy) -> None:
    for field in fields(Proxy):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype, field.name
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other, field.name


@pytest.fixture
def asset(tmp_path: Path) -> Path:
    (tmp_path / "thing.obj").write_text(OBJ)
    (tmp_path / "thing.mhmat").write_text("diffuseTexture thing.png\n")
    path = tmp_path / "thing.mhclo"
    path.write_text(MHCLO)
    return path


def test_written_once_and_read_back(asset: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    same(cached_proxy(asset, kept), read_proxy(asset))
    (file,) = kept.iterdir()
    written = file.stat().st_mtime_ns
    same(cached_proxy(asset, kept), read_proxy(asset))
    assert file.stat().st_mtime_ns == written


def test_other_contents_are_another_proxy(asset: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    cached_proxy(asset, kept)
    (tmp_path / "thing.obj").write_text(OBJ + "f 1/1 3/3 2/2\n")
    assert len(cached_proxy(asset, kept).faces) == 2
    asset.write_text(MHCLO.replace("0.5", "0.7"))
    assert cached_proxy(asset, kept).scales[0] == (1, 2, 0.7)
    (tmp_path / "thing.png").write_bytes(b"")  # materials are never kept
    assert cached_proxy(asset, kept).material.diffuse == tmp_path / "thing.png"
    assert len(list(kept.iterdir())) == 3


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut"])
def test_a_damaged_cache_is_written_anew(asset: Path, tmp_path: Path, damage: bytes) -> None:
    kept = tmp_path / "kept"
    cached_proxy(asset, kept)
    (file,) = kept.iterdir()
    file.write_bytes(damage)
    same(cached_proxy(asset, kept), read_proxy(asset))
    assert len(file.read_bytes()) > len(damage)


def test_a_cache_that_cannot_be_written_is_done_without(asset: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file, not a folder")
    same(cached_proxy(asset, tmp_path / "kept"), read_proxy(asset))


@pytest.mark.parametrize("name", ["shoes02", "female_casualsuit01"])
def test_real_assets_come_back_whole(library: AssetLibrary, tmp_path: Path, name: str) -> None:
    path = next((library.folder / "clothes" / name).glob("*.mhclo"))
    cached_proxy(path, tmp_path)
    same(cached_proxy(path, tmp_path), read_proxy(path))
