"""Depth order from occlusion, on boxes standing before a camera."""

import numpy as np

from vitruvian.placement.order import Occlusion, find_occlusions, order_scales, settle_order
from vitruvian.types.camera import Camera
from vitruvian.types.figure import Alpha

CAMERA = Camera.centered(400, 320, 240)
FACES = np.array(
    [
        [0, 2, 1], [0, 3, 2], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4],
        [2, 3, 7], [2, 7, 6], [1, 2, 6], [1, 6, 5], [0, 4, 7], [0, 7, 3],
    ],
    np.int32,
)  # fmt: skip


def box(x, depth, width=0.6, height=1.0, thickness=0.2):
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], float)
    corners = np.concatenate([corners, corners + np.array([0, 0, 1])])
    return (corners - [0.5, 0.5, 0]) * [width, height, thickness] + [x, 0, depth]


def matte(mask):
    return Alpha((mask * 255).astype(np.uint8), 0, 0, CAMERA.width, CAMERA.height)


def rectangle(vertices):
    pixels = CAMERA.project(vertices)
    rows, columns = np.mgrid[: CAMERA.height, : CAMERA.width] + 0.5
    low, high = pixels.min(0), pixels.max(0)
    return (columns > low[0]) & (columns < high[0]) & (rows > low[1]) & (rows < high[1])


def test_the_matte_that_owns_the_overlap_is_in_front():
    near, far = box(-0.1, 3.0), box(0.2, 4.0)
    near_mask = rectangle(near)
    far_mask = rectangle(far) & ~near_mask
    occlusions = find_occlusions([far, near], FACES, [matte(far_mask), matte(near_mask)], CAMERA)
    assert [(o.front, o.back) for o in occlusions] == [(1, 0)]


def test_who_is_seen_to_end_higher_up_is_behind() -> None:
    # Fitted into what is seen of the person, the body behind does not go on under the other.
    near, behind = box(-0.3, 3.0), box(0.3, 3.0, height=0.7)
    seen = rectangle(behind - [0, 0.2, 0])
    occlusions = find_occlusions(
        [behind - [0, 0.2, 0], near], FACES, [matte(seen), matte(rectangle(near))], CAMERA
    )
    assert [(o.front, o.back) for o in occlusions] == [(1, 0)]
    assert 0.6 < occlusions[0].confidence < 1


def test_people_apart_say_nothing():
    left, right = box(-0.8, 3.0), box(0.8, 3.0)
    masks = [matte(rectangle(left)), matte(rectangle(right))]
    assert find_occlusions([left, right], FACES, masks, CAMERA) == []


def test_wrong_order_is_mended_and_the_surer_moves_less():
    depths = np.array([4.2, 4.0])
    scales = order_scales(depths, [Occlusion(0, 1, 1.0)], np.array([0.9, 0.1]))
    moved = depths * scales
    assert moved[0] < moved[1]
    assert abs(np.log(scales[0])) < abs(np.log(scales[1]))


def test_right_order_is_left_alone():
    scales = order_scales(np.array([3.0, 4.0]), [Occlusion(0, 1, 1.0)], np.ones(2))
    np.testing.assert_array_equal(scales, 1)


def test_contradictions_stay_bounded():
    cycle = [Occlusion(0, 1, 1.0), Occlusion(1, 2, 0.9), Occlusion(2, 0, 0.8)]
    scales = order_scales(np.array([3.0, 3.0, 3.0]), cycle, np.ones(3))
    assert np.abs(np.log(scales)).max() <= np.log(1.2) + 1e-9
    assert np.isfinite(scales).all()


def places(*best: float) -> tuple[np.ndarray, np.ndarray]:
    """Log likelihoods and distances of people who are likeliest at ``best`` metres."""
    distances = np.tile(np.linspace(2, 6, 81), (len(best), 1))
    return -0.5 * ((distances - np.array(best)[:, None]) / 0.3) ** 2, distances


def test_the_likeliest_places_in_the_order_that_the_picture_shows() -> None:
    likelihood, distances = places(4.2, 4.0, 5.0)
    likelihood[0] /= 16  # nothing is sure of the first
    people = np.arange(3)
    found = distances[people, settle_order(likelihood, distances, [Occlusion(0, 1, 0.95)])]
    assert found[0] < found[1]
    assert abs(found[1] - 4.0) < abs(found[0] - 4.2)
    assert found[2] == distances[2, likelihood[2].argmax()]


def test_a_faint_occlusion_does_not_overrule_sure_distances() -> None:
    likelihood, distances = places(5.0, 3.0)
    choice = settle_order(likelihood, distances, [Occlusion(0, 1, 0.7)])
    np.testing.assert_array_equal(choice, likelihood.argmax(axis=1))


def test_occlusions_that_contradict_each_other_end() -> None:
    likelihood, distances = places(4.0, 4.0, 4.0)
    cycle = [Occlusion(0, 1, 0.99), Occlusion(1, 2, 0.9), Occlusion(2, 0, 0.8)]
    found = distances[np.arange(3), settle_order(likelihood, distances, cycle)]
    assert found[0] < found[1] < found[2]
