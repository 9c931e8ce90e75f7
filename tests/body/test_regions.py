"""Regions of the body: where they lie, and that left and right agree."""

import numpy as np

from vitruvian.body.model.model import body_model
from vitruvian.types.regions import HEAD, LEFT_ARM, LEFT_LEG, RIGHT_ARM, RIGHT_LEG, TRUNK

OTHER_SIDE = {
    TRUNK: TRUNK,
    HEAD: HEAD,
    LEFT_ARM: RIGHT_ARM,
    RIGHT_ARM: LEFT_ARM,
    LEFT_LEG: RIGHT_LEG,
    RIGHT_LEG: LEFT_LEG,
}


def center(mask):
    return body_model().template[mask].mean(0)


def test_parts_lie_where_they_should():
    regions = body_model().regions
    centers = {part: center(regions.part == part) for part in OTHER_SIDE}
    assert centers[HEAD][1] > centers[TRUNK][1] > centers[LEFT_LEG][1]
    assert centers[LEFT_ARM][0] > 0.2 > -0.2 > centers[RIGHT_ARM][0]
    assert centers[LEFT_LEG][0] > 0 > centers[RIGHT_LEG][0]


def test_the_mirror_exchanges_sides_and_is_an_involution():
    regions = body_model().regions
    np.testing.assert_array_equal(regions.mirror[regions.mirror], np.arange(len(regions.mirror)))
    mirrored = regions.part[regions.mirror]
    swapped = np.array([OTHER_SIDE[part] for part in range(6)])[regions.part]
    assert (mirrored == swapped).mean() > 0.995
    assert np.abs(regions.face - regions.face[regions.mirror]).max() < 0.05


def test_face_is_in_front_and_hair_above_and_behind():
    regions, template = body_model().regions, body_model().template
    head = regions.part == HEAD
    middle = center(head)
    face = center(regions.face > 0.9)
    hair = center(regions.hair > 0.9)
    assert face[2] > middle[2] > hair[2]
    assert hair[1] > face[1]
    assert hair[2] < face[2]
    assert (regions.face * regions.hair).max() < 0.3
    nose = body_model().keypoints().template[0]
    assert regions.face[np.linalg.norm(template - nose, axis=1).argmin()] > 0.95


def test_hands_and_feet_are_the_ends_of_the_limbs():
    regions, template = body_model().regions, body_model().template
    assert set(np.unique(regions.part[regions.hand > 0.5])) == {LEFT_ARM, RIGHT_ARM}
    assert set(np.unique(regions.part[regions.foot > 0.5])) == {LEFT_LEG, RIGHT_LEG}
    assert template[regions.foot > 0.5][:, 1].max() < 0.2


def test_bone_axes_are_unit_and_follow_the_thigh():
    regions, model = body_model().regions, body_model()
    np.testing.assert_allclose(np.linalg.norm(regions.axis, axis=1), 1, atol=1e-4)
    knee, hip = (
        model.joint_template[model.joint_index[name]] for name in ("lowerleg01.L", "upperleg01.L")
    )
    thigh = (hip - knee) / np.linalg.norm(hip - knee)
    height = model.template[:, 1]
    middle = (regions.part == LEFT_LEG) & (np.abs(height - (hip + knee)[1] / 2) < 0.05)
    assert np.abs(regions.axis[middle] @ thigh).min() > 0.9
