"""Body, silhouette, keypoint, image, video and measurement metrics against slow, plain code."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.image.similarity import psnr, ssim
from vitruvian.lab.evaluation.metrics.body import mpjpe, pa_mpjpe, pve
from vitruvian.lab.evaluation.metrics.keypoints import reprojection_error
from vitruvian.lab.evaluation.metrics.measurements import HeightWeightBaseline, measurement_scores
from vitruvian.lab.evaluation.metrics.silhouette import boundary, boundary_f, iou, outside
from vitruvian.lab.evaluation.metrics.video import acceleration_error, foot_slide, jitter

SKELETON = np.array([[0, 0, 0], [0.1, 0, 0], [-0.1, 0, 0], [0, 0.5, 0], [0.3, 0.5, 0.1]])


def test_a_skeleton_shifted_and_turned() -> None:
    shifted = SKELETON + np.array([0.3, 0, 0.4])
    assert mpjpe(shifted, SKELETON) == pytest.approx(0)
    assert mpjpe(shifted, SKELETON, root=None) == pytest.approx(500)
    half_turn = SKELETON * [-1, 1, -1]  # about y: every joint moves by twice its distance to it
    assert mpjpe(half_turn, SKELETON) == pytest.approx(
        np.mean([0, 200, 200, 0, 2000 * np.hypot(0.3, 0.1)])
    )
    turned = 1.3 * SKELETON @ matrix_from_axis_angle(np.array([0.3, 1.0, -2])).T + 5
    assert pa_mpjpe(turned, SKELETON) == pytest.approx(0, abs=1e-9)
    assert mpjpe(turned, SKELETON) > 100


def test_procrustes_error_is_the_least_of_many_similarities() -> None:
    # Squared error, which Procrustes minimises, checked by random perturbations of its optimum.
    rng = np.random.default_rng(0)
    noisy = SKELETON + rng.normal(scale=0.05, size=SKELETON.shape)
    from vitruvian.lab.evaluation.metrics.alignment import similarity_alignment

    best = similarity_alignment(noisy, SKELETON)
    least = ((best.apply(noisy) - SKELETON) ** 2).sum()
    for _ in range(300):
        turn = matrix_from_axis_angle(rng.normal(scale=0.05, size=3))
        moved = best.scale * rng.normal(1, 0.02) * noisy @ (turn @ best.rotation).T
        moved += best.translation + rng.normal(scale=0.01, size=3)
        assert ((moved - SKELETON) ** 2).sum() >= least
    assert 0 < pa_mpjpe(noisy, SKELETON) < 100


def test_vertex_error_uses_the_roots() -> None:
    vertices = np.random.default_rng(0).normal(size=(50, 3))
    moved = vertices + np.array([0, 0.02, 0])
    assert pve(moved, vertices) == pytest.approx(20)
    assert pve(
        moved, vertices, predicted_root=np.array([0, 0.02, 0]), true_root=np.zeros(3)
    ) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="go together"):
        pve(moved, vertices, true_root=np.zeros(3))
    with pytest.raises(ValueError, match="same shape"):
        pve(moved[1:], vertices)


def slow_boundary(mask: np.ndarray) -> list[tuple[int, int]]:
    height, width = mask.shape
    found = []
    for y in range(height):
        for x in range(width):
            around = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
            if mask[y, x] and any(
                0 <= v < height and 0 <= u < width and not mask[v, u] for v, u in around
            ):
                found.append((y, x))
    return found


def slow_boundary_f(a: np.ndarray, b: np.ndarray, tolerance: float) -> float:
    first, second = slow_boundary(a), slow_boundary(b)
    if not first or not second:
        return float(not first and not second)

    def share(points: list[tuple[int, int]], others: list[tuple[int, int]]) -> float:
        near = [min(np.hypot(y - v, x - u) for v, u in others) <= tolerance for y, x in points]
        return float(np.mean(near))

    precision, recall = share(first, second), share(second, first)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.02, 0.98), st.sampled_from([1.0, 2.0, 3.0, 4.5]))
def test_boundary_f_agrees_with_brute_force(seed: int, fill: float, tolerance: float) -> None:
    rng = np.random.default_rng(seed)
    a = rng.random((11, 17)) < fill
    b = rng.random((11, 17)) < fill
    a[2:9, 4:9] = True
    assert set(map(tuple, np.argwhere(boundary(a)))) == set(slow_boundary(a))
    assert boundary_f(a, b, tolerance_px=tolerance) == pytest.approx(
        slow_boundary_f(a, b, tolerance)
    )


def disc(radius: float, *, shift: float = 0.0, size: int = 200) -> np.ndarray:
    rows, columns = np.mgrid[:size, :size] + 0.5 - size / 2
    return np.hypot(rows, columns - shift) < radius


def test_discs() -> None:
    assert iou(disc(40), disc(80)) == pytest.approx(0.25, rel=0.01)
    assert boundary_f(disc(40), disc(42)) == 1.0
    assert boundary_f(disc(40), disc(46)) == 0.0
    # Shifted by 24, outlines are within 12 px of each other where |cos| < 1/2. An outline has one
    # pixel per row or column, whichever are more: 4 √2 R in all, of which 2 R there.
    moved, still = disc(300, shift=24, size=800), disc(300, size=800)
    assert boundary_f(moved, still, tolerance_px=12) == pytest.approx(0.5**0.5 / 2, abs=0.005)
    assert outside(disc(40), disc(80)) == 0.0
    assert outside(disc(80), disc(40)) == pytest.approx(0.75, rel=0.01)
    empty = np.zeros((200, 200), bool)
    assert iou(empty, empty) == 1.0
    assert iou(empty, disc(9)) == 0.0
    assert boundary_f(empty, empty) == 1.0
    assert boundary_f(empty, disc(9)) == 0.0
    assert np.isnan(outside(empty, disc(9)))
    with pytest.raises(ValueError, match="same shape"):
        iou(empty, empty[1:])


def test_a_mask_cut_by_the_border_is_not_bounded_there() -> None:
    mask = np.zeros((10, 10), bool)
    mask[5:] = True
    assert boundary(mask)[5].all()
    assert np.count_nonzero(boundary(mask)) == 10


def test_reprojection_error() -> None:
    true = np.array([[10.0, 10], [20, 20], [400, 400]])
    found = true + np.array([[3, 4], [0, 10], [90, 0]])
    visible = np.array([True, True, False])
    assert reprojection_error(found, true, height_px=100, visible=visible) == pytest.approx(0.075)
    assert reprojection_error(found, true, height_px=200) == pytest.approx(35 / 200)
    assert np.isnan(reprojection_error(found, true, height_px=100, visible=~visible & False))
    with pytest.raises(ValueError, match="height_px"):
        reprojection_error(found, true, height_px=0)


def picture(seed: int, size: tuple[int, int] = (24, 30)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size=(*size, 3), dtype=np.uint8)


def slow_ssim(a: np.ndarray, b: np.ndarray, mask: np.ndarray) -> float:
    luma = np.array([0.299, 0.587, 0.114])
    x, y = a.astype(float) @ luma, b.astype(float) @ luma
    height, width = mask.shape
    values = []
    for row in range(height):
        for column in range(width):
            if not mask[row, column]:
                continue
            weights, left, right = [], [], []
            for dy in range(-5, 6):
                for dx in range(-5, 6):
                    v, u = row + dy, column + dx
                    if 0 <= v < height and 0 <= u < width and mask[v, u]:
                        weights.append(np.exp(-(dx * dx + dy * dy) / (2 * 1.5**2)))
                        left.append(x[v, u])
                        right.append(y[v, u])
            w = np.array(weights) / np.sum(weights)
            p, q = np.array(left), np.array(right)
            mean_p, mean_q = w @ p, w @ q
            var_p, var_q = w @ (p - mean_p) ** 2, w @ (q - mean_q) ** 2
            covariance = w @ ((p - mean_p) * (q - mean_q))
            c1, c2 = 2.55**2, 7.65**2
            values.append(
                (2 * mean_p * mean_q + c1)
                * (2 * covariance + c2)
                / ((mean_p**2 + mean_q**2 + c1) * (var_p + var_q + c2))
            )
    return float(np.mean(values))


@pytest.mark.parametrize("seed", range(3))
def test_ssim_agrees_with_loops(seed: int) -> None:
    a = picture(seed)
    noise = picture(seed + 10)
    b = (0.7 * a + 0.3 * noise).astype(np.uint8)
    mask = np.random.default_rng(seed).random(a.shape[:2]) < 0.6
    mask[:12, :12] = False
    assert ssim(a, b, mask) == pytest.approx(slow_ssim(a, b, mask), abs=1e-9)


def test_pictures_are_compared_inside_the_mask_only() -> None:
    a = picture(0)
    mask = np.zeros(a.shape[:2], bool)
    mask[5:15, 5:20] = True
    b = np.where(mask[..., None], a, 255 - a)
    assert psnr(a, b, mask) == float("inf")
    assert ssim(a, b, mask) == pytest.approx(1.0)
    assert ssim(a, b, ~mask) < 0.5
    grey = np.full_like(a, 100)
    assert psnr(grey, grey + 10, mask) == pytest.approx(10 * np.log10(255**2 / 100))
    nowhere = np.zeros_like(mask)
    assert np.isnan(psnr(a, b, nowhere))
    assert np.isnan(ssim(a, b, nowhere))
    with pytest.raises(ValueError, match="uint8"):
        psnr(a.astype(float), b, mask)


def test_motion_metrics_on_polynomials() -> None:
    fps, times = 30.0, np.arange(40)[:, None, None] / 30.0
    still = np.zeros((40, 2, 3))
    falling = still + 0.5 * 9.81 * times**2 * np.array([0, 1, 0])
    assert acceleration_error(falling, still, fps=fps) == pytest.approx(9.81)
    drifting = falling + 3 * times + 1  # constant velocity is no acceleration
    assert acceleration_error(drifting, falling, fps=fps) == pytest.approx(0, abs=1e-8)
    assert jitter(falling, fps=fps) == pytest.approx(0, abs=1e-6)
    cubic = still + times**3 * np.array([2.0, 0, 0])
    assert jitter(cubic, fps=fps) == pytest.approx(12.0)  # third derivative of 2 t^3
    with pytest.raises(ValueError, match="at least 4 frames"):
        jitter(still[:3], fps=fps)
    with pytest.raises(ValueError, match="shapes differ"):
        acceleration_error(still, still[1:], fps=fps)


def test_feet_slide_only_while_they_stand() -> None:
    true = np.zeros((5, 2, 3))
    true[:, 1, 0] = np.arange(5) * 0.2  # the right foot swings
    feet = true.copy()
    feet[:, 0, 0] += np.arange(5) * 0.004
    feet[:, 1, 2] += np.arange(5) * 9.0
    assert foot_slide(feet, reference=true) == pytest.approx(4.0)
    contact = np.zeros((4, 2), bool)
    assert np.isnan(foot_slide(feet, contact=contact))
    contact[1, 0] = True
    assert foot_slide(feet, contact=contact) == pytest.approx(4.0)
    with pytest.raises(ValueError, match="either"):
        foot_slide(feet)


def test_measurement_errors_by_hand() -> None:
    true = np.array([[100.0, 50], [100, 50], [100, np.nan], [100, 50], [100, 50]])
    found = true + np.array([[1.0, 2], [-2, 2], [3, 2], [-4, 2], [0, 2]])
    scores = measurement_scores(found, true, ("waist", "hip"))
    assert scores["waist"].mean_absolute == pytest.approx(2.0)
    assert scores["waist"].p90 == pytest.approx(3.6)
    assert scores["waist"].bias == pytest.approx(-0.4)
    assert (scores["hip"].count, scores["hip"].bias) == (4, pytest.approx(2.0))
    with pytest.raises(ValueError, match="expected two arrays"):
        measurement_scores(found, true, ("waist",))


def test_baseline_recovers_a_linear_law() -> None:
    rng = np.random.default_rng(0)
    height, weight = rng.normal(170, 10, 50), rng.normal(70, 12, 50)
    measures = np.stack([10 + 0.2 * height + 0.6 * weight, 40 - 0.1 * weight], axis=1)
    baseline = HeightWeightBaseline.fit(height, weight, measures)
    taller = measures + np.array([1, 0])
    np.testing.assert_allclose(baseline.predict(height + 5, weight), taller, atol=1e-8)


def test_baseline_on_tape_measures_of_real_people(shared_data) -> None:
    path = shared_data("anthropometry") / "ANSUR_II_FEMALE_Public.csv"
    names = ("chestcircumference", "waistcircumference", "buttockcircumference")
    with path.open(encoding="latin-1") as file:
        rows = list(csv.DictReader(file))
    height, weight = (np.array([float(r[c]) for r in rows]) for c in ("stature", "weightkg"))
    measures = np.array([[float(r[n]) for n in names] for r in rows]) / 10
    held_out = np.arange(len(rows)) % 5 == 0
    baseline = HeightWeightBaseline.fit(height[~held_out], weight[~held_out], measures[~held_out])
    predicted = baseline.predict(height[held_out], weight[held_out])
    scores = measurement_scores(predicted, measures[held_out], names)
    average = np.repeat(measures[~held_out].mean(0)[None], held_out.sum(), axis=0)
    plain = measurement_scores(average, measures[held_out], names)
    for name in names:
        assert 1.0 < scores[name].mean_absolute < 4.5  # cm
        assert scores[name].mean_absolute < 0.65 * plain[name].mean_absolute
