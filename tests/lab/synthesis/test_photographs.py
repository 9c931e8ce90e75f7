"""Photographs behind synthetic people: cropped and mirrored, colours kept, chosen by the seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.photographs import Backgrounds, in_the_light, photo_backdrop
from vitruvian.lab.synthesis.sample import Sample, block_samples
from vitruvian.lab.synthesis.shards import DatasetPlan, write_dataset

GREEN = (30, 200, 40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One green picture, one with a red left and a blue right half, and a note."""
    where = tmp_path / "photographs"
    (where / "below").mkdir(parents=True)
    Image.new("RGB", (90, 60), GREEN).save(where / "b.png")
    halves = np.zeros((80, 200, 3), np.uint8)
    halves[:, :100, 0], halves[:, 100:, 2] = 255, 255
    Image.fromarray(halves).save(where / "below" / "a.jpg", quality=95)
    (where / "note.txt").write_text("not a picture")
    return where


def test_pictures_are_found_below_the_folder(folder: Path) -> None:
    assert [p.name for p in Backgrounds(folder).paths] == ["b.png", "a.jpg"]


def test_an_empty_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--backgrounds"):
        _ = Backgrounds(tmp_path).paths


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no")
    with pytest.raises(InputError, match=r"broken\.jpg"):
        photo_backdrop(np.random.default_rng(0), tmp_path / "broken.jpg", 64)


def test_the_share_is_kept_and_every_picture_used(folder: Path) -> None:
    some = Backgrounds(folder, 0.3)
    chosen = [some.chosen(np.random.default_rng([1, k])) for k in range(600)]
    used = [p for p in chosen if p is not None]
    assert 0.24 < len(used) / 600 < 0.36
    assert {p.name for p in used} == {"a.jpg", "b.png"}
    assert Backgrounds(folder, 0.0).chosen(np.random.default_rng(0)) is None


def test_colours_are_kept(folder: Path) -> None:
    for seed in range(6):
        picture = photo_backdrop(np.random.default_rng(seed), folder / "b.png", 48)
        assert picture.shape == (48, 48, 3)
        srgb = np.array(GREEN) / 255
        np.testing.assert_allclose(picture, np.broadcast_to(
            np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4),
            picture.shape), atol=2e-3)  # fmt: skip


def test_crops_and_mirrors_differ_by_seed_alone(folder: Path) -> None:
    def backdrop(seed: int) -> np.ndarray:
        return photo_backdrop(np.random.default_rng(seed), folder / "below" / "a.jpg", 32)

    np.testing.assert_array_equal(backdrop(3), backdrop(3))
    red_side = []
    for seed in range(30):
        columns = backdrop(seed).mean(0)
        if columns[0, 0] > 0.5 and columns[-1, 2] > 0.5:
            red_side.append("left")
        if columns[0, 2] > 0.5 and columns[-1, 0] > 0.5:
            red_side.append("right")
    assert {"left", "right"} == set(red_side)


def test_brightness_follows_the_light_by_one_factor() -> None:
    rng = np.random.default_rng(2)
    backdrop = rng.uniform(0.01, 0.05, (16, 16, 3)).astype(np.float32)
    person = np.full((16, 16, 3), 0.5, np.float32)
    lit = in_the_light(rng, backdrop, person, np.ones((16, 16), np.float32))
    factor = lit / backdrop
    assert np.ptp(factor) < 1e-3 * factor.mean()
    assert 0.15 < lit.mean() < 1.6


def test_behind_people_labels_stay(library: AssetLibrary, folder: Path) -> None:
    (folder / "below" / "a.jpg").unlink()

    def drawn(backgrounds: Backgrounds | None) -> Sample:
        return next(block_samples(5, 2, 96, library, [1], backgrounds))

    plain, photo = drawn(None), drawn(Backgrounds(folder, 1.0))
    for name in ("front_depth", "parts", "spans", "keypoints", "pose"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(photo, name))
    empty = photo.people_alpha.max(0) == 0
    color = photo.image[empty & (photo.instances == 0)].astype(float).mean(0)
    assert color[1] > 1.3 * color[0]
    assert color[1] > 1.3 * color[2]
    np.testing.assert_array_equal(drawn(Backgrounds(folder, 1.0)).image, photo.image)
    np.testing.assert_array_equal(drawn(Backgrounds(folder, 0.0)).image, plain.image)


def test_other_backgrounds_are_another_data_set(
    library: AssetLibrary, folder: Path, tmp_path: Path
) -> None:
    behind = Backgrounds(folder, 1.0)
    list(write_dataset(tmp_path / "set", DatasetPlan(1, 1, 64, behind), library))
    with pytest.raises(InputError, match="another data set"):
        list(write_dataset(tmp_path / "set", DatasetPlan(1, 1, 64), library))
