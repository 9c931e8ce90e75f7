"""Rotations obey the axioms of their group, near 0 and pi too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitruvian.geometry.rotations import (
    axis_angle_from_matrix,
    matrix_from_axis_angle,
    quaternion_from_matrix,
    rigid_alignment,
    rotation_between,
)

coordinates = st.floats(-10, 10, allow_subnormal=False)
vectors = arrays(np.float64, 3, elements=coordinates)
directions = vectors.filter(lambda v: np.linalg.norm(v) > 1e-3).map(lambda v: v / np.linalg.norm(v))
# Uniform angles hardly ever come near the ends, where the formulas change over.
angles = st.one_of(
    st.floats(0, np.pi),
    st.floats(0, 1e-5),
    st.floats(np.pi - 1e-5, np.pi),
    st.sampled_from([0.0, 1e-12, 1e-6, np.pi / 2, np.pi]),
)
rotations = st.tuples(directions, angles).map(
    lambda pair: matrix_from_axis_angle(pair[0] * pair[1])
)


@given(directions, angles)
def test_the_exponential_is_a_rotation_about_its_axis(axis, angle):
    matrix = matrix_from_axis_angle(axis * angle)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(matrix) == pytest.approx(1)
    np.testing.assert_allclose(matrix @ axis, axis, atol=1e-9)
    assert np.trace(matrix) == pytest.approx(1 + 2 * np.cos(angle), abs=1e-9)


def test_a_quarter_turn_about_z_takes_x_to_y():
    matrix = matrix_from_axis_angle(np.array([0, 0, np.pi / 2]))
    np.testing.assert_allclose(matrix @ [1, 0, 0], [0, 1, 0], atol=1e-12)


@given(directions, angles, angles)
def test_turns_about_one_axis_add_up(axis, first, second):
    product = matrix_from_axis_angle(axis * first) @ matrix_from_axis_angle(axis * second)
    np.testing.assert_allclose(product, matrix_from_axis_angle(axis * (first + second)), atol=1e-9)


@given(directions, angles)
def test_the_opposite_vector_is_the_inverse(axis, angle):
    forth = matrix_from_axis_angle(axis * angle)
    np.testing.assert_allclose(matrix_from_axis_angle(-axis * angle), forth.T, atol=1e-12)


@given(rotations)
def test_the_logarithm_inverts_the_exponential(matrix):
    vector = axis_angle_from_matrix(matrix)
    assert np.linalg.norm(vector) <= np.pi + 1e-9
    np.testing.assert_allclose(matrix_from_axis_angle(vector), matrix, atol=1e-7)


@given(directions, st.floats(1e-7, np.pi - 1e-4))
def test_the_exponential_inverts_the_logarithm(axis, angle):
    recovered = axis_angle_from_matrix(matrix_from_axis_angle(axis * angle))
    np.testing.assert_allclose(recovered, axis * angle, atol=1e-7)


@given(rotations, rotations)
def test_the_logarithm_changes_with_the_frame(matrix, frame):
    """Turning the frame turns the axis: R exp(w) R^T = exp(R w)."""
    vector = axis_angle_from_matrix(matrix)
    np.testing.assert_allclose(
        frame @ matrix @ frame.T, matrix_from_axis_angle(frame @ vector), atol=1e-7
    )


@given(arrays(np.float64, (4, 2, 3), elements=coordinates))
def test_stacks_are_turned_one_by_one(stack):
    together = matrix_from_axis_angle(stack)
    assert together.shape == (4, 2, 3, 3)
    for i in range(4):
        for j in range(2):
            np.testing.assert_allclose(together[i, j], matrix_from_axis_angle(stack[i, j]))
    back = axis_angle_from_matrix(together)
    np.testing.assert_allclose(matrix_from_axis_angle(back), together, atol=1e-7)


@given(rotations, vectors)
def test_quaternions_turn_vectors_alike(matrix, vector):
    x, y, z, w = quaternion_from_matrix(matrix)
    assert w >= 0
    imaginary = np.array([x, y, z])
    assert imaginary @ imaginary + w * w == pytest.approx(1)
    # The sandwich product q v q* written out.
    twice = 2 * np.cross(imaginary, vector)
    turned = vector + w * twice + np.cross(imaginary, twice)
    np.testing.assert_allclose(turned, matrix @ vector, atol=1e-6)


@given(directions, directions)
def test_the_smallest_rotation_between_directions(a, b):
    rotation = rotation_between(a, b)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-8)
    np.testing.assert_allclose(rotation @ a, b, atol=1e-6)
    angle = np.linalg.norm(axis_angle_from_matrix(rotation))
    between = np.arctan2(np.linalg.norm(np.cross(a, b)), a @ b)
    assert angle == pytest.approx(between, abs=1e-6)


@pytest.mark.parametrize("axis", np.eye(3))
def test_opposite_directions_have_a_rotation_too(axis):
    rotation = rotation_between(axis, -axis)
    np.testing.assert_allclose(rotation @ axis, -axis, atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


@given(arrays(np.float64, (6, 3), elements=coordinates), rotations, vectors)
def test_alignment_finds_the_rotation(points, rotation, shift):
    spread = np.linalg.svd(points - points.mean(0), compute_uv=False)
    assume(spread[1] > 0.1)  # points on a line leave a turn about it open
    found = rigid_alignment(points, points @ rotation.T + shift)
    np.testing.assert_allclose(found, rotation, atol=1e-5)


@given(arrays(np.float64, (6, 3), elements=coordinates))
def test_alignment_never_mirrors(points):
    mirrored = points * [-1, 1, 1]
    assert np.linalg.det(rigid_alignment(points, mirrored)) == pytest.approx(1)
