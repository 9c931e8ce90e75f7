"""The labels of a synthetic sample agree with each other and with the body model."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.body.model.model import body_model
from vitruvian.errors import InputError
from vitruvian.lab.synthesis.assets import AssetLibrary
from vitruvian.lab.synthesis.sample import (
    HELD_OUT_SEEDS,
    NO_DEPTH,
    Sample,
    block_samples,
    training_seed,
)

SIZE = 192


@pytest.fixture(scope="module")
def samples(library: AssetLibrary) -> list[Sample]:
    return list(block_samples(5, 2, SIZE, library))


def test_alpha_is_where_depth_is(samples: list[Sample]) -> None:
    for sample in samples:
        covered = sample.silhouette > 127
        known = sample.front_depth != NO_DEPTH
        assert (covered == known).mean() > 0.98
        assert ((sample.parts > 0) == known).all()
        assert (sample.alpha <= sample.silhouette).all()
        assert (sample.people_alpha[0] == sample.alpha).all()
        assert (sample.people_alpha.astype(int).sum(0) <= 257).all()
        visible = sample.instances == 1
        assert ((sample.alpha > 127) == visible).mean() > 0.98


def test_the_back_is_behind_the_front(samples: list[Sample]) -> None:
    for sample in samples:
        known = sample.front_depth != NO_DEPTH
        assert ((sample.back_depth != NO_DEPTH) == known).mean() > 0.99
        both = known & (sample.back_depth != NO_DEPTH)
        assert (sample.back_depth[both] >= sample.front_depth[both]).all()


def test_normals_are_the_depths_gradient(samples: list[Sample]) -> None:
    """Wrinkles bend the normals by some 15 degrees; a wrong axis or sign would be 60 or more."""
    for sample in samples:
        depth = sample.depth(sample.front_depth).astype(np.float64)
        grid = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), -1)
        points = sample.camera.rays(grid) * np.where(np.isfinite(depth), depth, 0)[..., None]
        across, down = points[1:-1, 2:] - points[1:-1, :-2], points[2:, 1:-1] - points[:-2, 1:-1]
        normal = np.cross(across, down)
        normal *= -np.sign((normal * points[1:-1, 1:-1]).sum(-1, keepdims=True))
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
        smooth = np.isfinite(depth[1:-1, 1:-1])
        for step in (across, down):
            smooth &= np.linalg.norm(step, axis=-1) < 12 * depth[1:-1, 1:-1] / sample.focal_px
        for rows, columns in (
            (slice(1, -1), slice(2, None)), (slice(1, -1), slice(None, -2)),
            (slice(2, None), slice(1, -1)), (slice(None, -2), slice(1, -1)),
        ):  # fmt: skip
            smooth &= np.isfinite(depth[rows, columns])
        stored = sample.front_normals[1:-1, 1:-1] / 127
        angle = np.rad2deg(np.arccos(np.clip((normal * stored).sum(-1), -1, 1)))[smooth]
        if len(angle) > 300:
            assert np.median(angle) < 25


def test_front_normals_look_at_the_camera_and_back_normals_away(samples: list[Sample]) -> None:
    grid = np.stack(np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5), -1)
    for sample in samples:
        rays = sample.camera.rays(grid)
        known = sample.front_depth != NO_DEPTH
        facing = (rays * sample.front_normals).sum(-1)[known]
        away = (rays * sample.back_normals).sum(-1)[known & (sample.back_depth != NO_DEPTH)]
        assert (facing < 4).mean() > 0.99
        assert (away > -4).mean() > 0.99


def test_the_body_lies_within_the_silhouette_and_the_solids(samples: list[Sample]) -> None:
    model = body_model()
    for sample in samples:
        posed = model.forward(sample.betas, sample.pose, sample.translation)
        np.testing.assert_allclose(posed.joints, sample.joints_3d, atol=1e-4)
        pixels = np.floor(sample.camera.project(posed.vertices)).astype(int)
        seen = ((pixels >= 1) & (pixels < SIZE - 1)).all(1)
        if seen.sum() < 500:
            continue
        row, column = pixels[seen, 1], pixels[seen, 0]
        near = np.lib.stride_tricks.sliding_window_view(np.pad(sample.silhouette, 1), (3, 3)).max(
            (2, 3)
        )
        # Ears, fingers and hidden eyes may stick out by a pixel.
        assert (near[row, column] > 0).mean() > 0.99
        front = sample.depth(sample.front_depth)[row, column]
        before = np.isfinite(front) & (posed.vertices[seen, 2] < front - 0.03)
        assert before.mean() < 0.03


def test_keypoints_are_inside_the_figure(samples: list[Sample]) -> None:
    for sample in samples:
        np.testing.assert_allclose(
            sample.camera.project(sample.keypoints_3d), sample.keypoints, atol=0.05
        )
        shown = sample.keypoints[sample.keypoints_visible].astype(int)
        if len(shown):
            hit = sample.silhouette[shown[:, 1], shown[:, 0]] > 0
            assert hit.mean() > 0.85


def test_solids_hold_the_space_between_front_and_back(samples: list[Sample]) -> None:
    reach = []
    for sample in samples:
        first, last = sample.spans[..., 0], sample.spans.copy()
        assert (np.diff(sample.spans.astype(int), axis=-1) >= 0).all()
        known = sample.front_depth != NO_DEPTH
        assert (first[known] != NO_DEPTH).mean() > 0.97
        both = known & (first != NO_DEPTH)
        agree = np.abs(first[both].astype(int) - sample.front_depth[both]) < 150  # 15 mm
        assert agree.mean() > 0.9
        last[last == NO_DEPTH] = -32767
        beyond = last.max(-1)[both].astype(int) - sample.back_depth[both]
        # Looked at through its hem, a skirt is closed behind what is seen of its inside.
        assert (beyond > -300).mean() > 0.97
        reach.append((np.abs(beyond) < 300).mean())
    assert np.median(reach) > 0.95


def test_occupancy_of_the_joints(samples: list[Sample]) -> None:
    """Joints of the trunk and limbs are inside the body, points before the surface are not."""
    index = body_model().joint_index
    inner = [index[n] for n in ("spine03", "spine01", "upperleg01.L", "lowerleg01.R", "head")]
    for sample in samples:
        joints = sample.joints_3d[inner]
        pixels = sample.camera.project(joints)
        joints = joints[((pixels > 0) & (pixels < SIZE)).all(1)]
        if len(joints):
            assert sample.occupancy(joints).mean() > 0.75
        row, column = np.nonzero(sample.front_depth != NO_DEPTH)
        rays = sample.camera.rays(np.stack([column, row], 1) + 0.5)
        before = sample.depth(sample.front_depth)[row, column] - 0.05
        assert sample.occupancy(rays * before[:, None]).mean() < 0.03


def test_same_seed_same_sample(library: AssetLibrary, samples: list[Sample]) -> None:
    again = next(iter(block_samples(5, 2, SIZE, library, [3])))
    for name in ("image", "front_depth", "spans", "betas", "pose", "keypoints"):
        np.testing.assert_array_equal(getattr(again, name), getattr(samples[3], name))
    other = next(iter(block_samples(6, 2, SIZE, library, [3])))
    assert (other.image != again.image).any()


@pytest.mark.parametrize("seed", [0, 11, HELD_OUT_SEEDS.start - 1, HELD_OUT_SEEDS.stop])
def test_other_seeds_are_for_training(seed: int) -> None:
    assert training_seed(seed) == seed


@pytest.mark.parametrize("seed", [HELD_OUT_SEEDS.start, HELD_OUT_SEEDS.stop - 1])
def test_seeds_kept_for_testing_are_refused(seed: int) -> None:
    with pytest.raises(InputError) as error:
        training_seed(seed)
    assert str(error.value) == (
        f"Seed {seed} is kept for testing: train on synthetic people of a seed below 1000000000."
    )
