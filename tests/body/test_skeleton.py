import numpy as np

from vitruvian.body.model import skeleton
from vitruvian.body.model.model import body_model
from vitruvian.networks.body_estimate import JOINT_MIRROR
from vitruvian.types import estimate
from vitruvian.types.seen import BODY_PARTS


def names_of_roles() -> set[str]:
    pairs = [skeleton.finger(number, joint) for number in range(1, 6) for joint in range(1, 4)]
    roles = {k: v for k, v in vars(skeleton).items() if k.isupper() and not k.endswith("STEMS")}
    pairs += [role for role in roles.values() if isinstance(role, tuple)]
    return {*skeleton.ACTIVE_JOINTS, *(str(name) for pair in pairs for name in np.ravel(pair))}


def test_every_role_is_a_joint_of_the_model() -> None:
    assert names_of_roles() <= set(body_model().joint_names)


def test_pairs_are_each_others_mirror_and_the_left_one_is_at_positive_x() -> None:
    model = body_model()
    for left, right in (skeleton.HIPS, skeleton.TOES, skeleton.WRISTS, skeleton.finger(1, 3)):
        index = model.joint_index[left]
        assert model.joint_mirror[index] == model.joint_index[right]
        assert model.joint_template[index, 0] > 0


def test_limbs_lead_away_from_the_trunk() -> None:
    model = body_model()
    for limb in (*skeleton.ARMS, *skeleton.LEGS):
        start, middle, end = (model.joint_index[name] for name in limb)
        assert start < middle < end  # parents come first
        ancestors, joint = [], end
        while joint >= 0:
            ancestors.append(joint)
            joint = int(model.parents[joint])
        assert {start, middle} <= set(ancestors)


def test_estimates_count_joints_and_parts_as_the_skeleton_does() -> None:
    joints = skeleton.ACTIVE_JOINTS
    assert len(joints) == estimate.JOINTS
    assert tuple(skeleton.PART_JOINTS) == BODY_PARTS
    model = body_model()
    for name, other in zip(joints, JOINT_MIRROR, strict=True):
        mirrored = model.joint_names[model.joint_mirror[model.joint_index[name]]]
        assert joints[other] == mirrored
