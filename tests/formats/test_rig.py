"""Rest poses, rigs, bones and names of avatars, by the rules that programs publish."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from vitruvian.body.model.model import body_model, joint_motion
from vitruvian.formats import AvatarStyle, Rig, RiggedAvatar, rig_avatar
from vitruvian.formats.bone_names import bone_name, bone_names
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.options import BoneNames, RigKind
from vitruvian.types.mesh import Mesh


def body(seed: int = 0) -> tuple[Mesh, Rig]:
    """The body model's own surface and rig, in a pose of the joints that a fit turns."""
    model = body_model()
    rng = np.random.default_rng(seed)
    betas = rng.normal(0, 0.7, 10)
    vertices, joints = model.rest(betas)
    pose = np.zeros((len(model.joint_names), 3))
    pose[model.active] = rng.normal(0, 0.3, (len(model.active), 3))
    mesh = Mesh(
        vertices=vertices,
        faces=model.faces,
        frame="body",
        skin_joints=model.skin_joints,
        skin_weights=model.skin_weights,
    )
    turns = matrix_from_axis_angle(pose)
    return mesh, Rig(model.joint_names, model.parents, joints, turns, np.array([0.5, 1.0, -2.0]))


def avatar(kind: RigKind = "full", names: BoneNames = "humanoid", rest: str = "a") -> RiggedAvatar:
    mesh, rig = body()
    return rig_avatar(mesh, rig, style=AvatarStyle(rest, kind, names))  # type: ignore[arg-type]


def photographed(avatar: RiggedAvatar) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and joints in the clip's pose, by forward kinematics of the bones."""
    clip = avatar.clips[0]
    turns = avatar.local_rotations(clip.rotations)[0]
    offsets = avatar.rest_offsets
    world = np.tile(np.eye(4), (len(turns), 1, 1))
    bind = world.copy()
    bind[:, :3, :3], bind[:, :3, 3] = avatar.axes, avatar.joints
    for joint, parent in enumerate(avatar.parents):
        local = np.eye(4)
        local[:3, :3], local[:3, 3] = turns[joint], offsets[joint]
        if parent < 0:
            local[:3, 3] = clip.roots[0] + avatar.joints[0] * (1, 0, 1) + clip.extras["position"]
        world[joint] = local if parent < 0 else world[parent] @ local
    skin = world @ np.linalg.inv(bind)
    mesh = avatar.mesh
    chosen = skin[mesh.skin_joints.astype(int)]
    moved = np.einsum("vkij,vj->vki", chosen[..., :3, :3], mesh.vertices) + chosen[..., :3, 3]
    return np.einsum("vk,vki->vi", mesh.skin_weights, moved), world[:, :3, 3]


@pytest.mark.parametrize("kind", ["full", "game"])
@pytest.mark.parametrize("rest", ["a", "t", "model"])
def test_every_style_leads_to_the_same_pose(kind: RigKind, rest: str) -> None:
    mesh, rig = body()
    motion = joint_motion(rig.parents, rig.joints, rig.rotations, rig.root_translation)
    expected = motion.skinned(mesh.vertices, mesh.skin_joints, mesh.skin_weights)
    made = avatar(kind, rest=rest)
    found, joints = photographed(made)
    places = dict(zip(rig.joint_names, motion.heads, strict=True))
    for name, joint in zip(made.joint_names, joints, strict=True):
        if not re.match(r"(upper|lower)(arm|leg)02|shoulder01|pelvis", name):
            np.testing.assert_allclose(joint, places[name], atol=1e-6)
    off = np.linalg.norm(found - expected, axis=1)
    # Only where several joints blend does another rest pose change anything.
    assert off.max() < {"model": 1e-5, "a": 0.02, "t": 0.06}[rest]
    alone = mesh.skin_weights.max(1) > 0.999
    assert alone.sum() > 3000
    assert off[alone].max() < 1e-5


@pytest.mark.parametrize(("rest", "down"), [("a", 45.0), ("t", 0.0)])
def test_arms_are_straight_and_as_high_as_asked(rest: str, down: float) -> None:
    made = avatar(rest=rest)
    place = dict(zip(made.joint_names, made.joints, strict=True))
    for side, sign in (("L", 1.0), ("R", -1.0)):
        goal = [sign * np.cos(np.deg2rad(down)), -np.sin(np.deg2rad(down)), 0]
        chain = [place[f"{name}.{side}"] for name in ("upperarm01", "lowerarm01", "wrist")]
        for segment in np.diff(np.array([*chain, place[f"finger3-1.{side}"]]), axis=0):
            np.testing.assert_allclose(segment / np.linalg.norm(segment), goal, atol=1e-6)
        # Palms down: the thumb is in front, the knuckles of the fingers are level.
        assert place[f"finger1-3.{side}"][2] > place[f"finger5-1.{side}"][2] + 0.05
    assert made.mesh.vertices[:, 1].min() == pytest.approx(0, abs=1e-6)
    mirror = body_model().joint_mirror
    np.testing.assert_allclose(made.joints[mirror], made.joints * (-1, 1, 1), atol=2e-4)


def test_the_t_pose_is_as_wide_as_arms_are_long() -> None:
    wide, model = avatar(rest="t").mesh.vertices, avatar(rest="model").mesh.vertices
    assert np.ptp(wide[:, 0]) > 1.5 * np.ptp(model[:, 0])
    assert np.ptp(wide[:, 2]) < 0.5
    assert np.ptp(wide[:, 1]) == pytest.approx(np.ptp(model[:, 1]), abs=0.005)


def test_bones_run_along_their_limbs() -> None:
    made = avatar("game", "humanoid", "t")
    index = {name: i for i, name in enumerate(made.bone_names)}
    for start, end in [
        ("Spine", "Chest"), ("UpperChest", "Neck"), ("Neck", "Head"),
        *((side + a, side + b) for side in ("Left", "Right") for a, b in (
            ("Shoulder", "UpperArm"), ("UpperArm", "LowerArm"), ("LowerArm", "Hand"),
            ("Hand", "MiddleProximal"), ("IndexProximal", "IndexIntermediate"),
            ("ThumbProximal", "ThumbIntermediate"), ("UpperLeg", "LowerLeg"),
            ("LowerLeg", "Foot"), ("Foot", "Toes"),
        )),
    ]:  # fmt: skip
        way = made.joints[index[end]] - made.joints[index[start]]
        along = made.axes[index[start]][:, 1]
        assert along @ way / np.linalg.norm(way) == pytest.approx(1, abs=1e-6), start
    np.testing.assert_allclose(np.linalg.det(made.axes), 1, atol=1e-9)
    square = made.axes.swapaxes(1, 2) @ made.axes
    np.testing.assert_allclose(square, np.tile(np.eye(3), (len(square), 1, 1)), atol=1e-9)
    np.testing.assert_allclose(made.axes[index["Hips"]], np.eye(3), atol=1e-9)
    # Hinges: a knee about x only, x across the body.
    assert abs(made.axes[index["LeftLowerLeg"]][0, 0]) > 0.95


def test_the_game_rig_is_small_and_moves_every_vertex() -> None:
    full, game = avatar("full"), avatar("game")
    assert len(full.joints) == 106
    assert len(game.joints) == 52
    weights, joints = game.mesh.skin_weights, game.mesh.skin_joints
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    assert weights.shape[1] == 4
    for row, used in zip(joints, weights > 0, strict=True):
        assert len(set(row[used])) == used.sum()
    # What hung on a joint that is gone hangs on the nearest ancestor that stays.
    model = body_model()
    toe = model.skin_joints[:, 0] == model.joint_index["toe5-3.L"]
    alone = toe & (model.skin_weights[:, 0] > 0.999)
    assert alone.any()
    assert {game.joint_names[j] for j in joints[alone, 0]} == {"toes.L"}


# https://github.com/vrm-c/vrm-specification/blob/master/specification/VRMC_vrm-1.0/humanoid.md
REQUIRED = {
    "hips": None, "spine": "hips", "head": "spine",
    **{f"{side}{bone}": f"{side}{above}" if above not in ("hips", "spine") else above
       for side in ("left", "right") for bone, above in (
        ("UpperLeg", "hips"), ("LowerLeg", "UpperLeg"), ("Foot", "LowerLeg"),
        ("UpperArm", "spine"), ("LowerArm", "UpperArm"), ("Hand", "LowerArm"))},
}  # fmt: skip
FINGERS = [
    finger + part
    for finger in ("Thumb", "Index", "Middle", "Ring", "Little")
    for part in ("Proximal", "Intermediate", "Distal")
]


@pytest.mark.parametrize("kind", ["full", "game"])
def test_the_humanoid_has_the_bones_that_vrm_and_unity_require(kind: RigKind) -> None:
    made = avatar(kind)
    small = [name[:1].lower() + name[1:] for name in made.bone_names]
    assert len(set(small)) == len(small)
    for bone, above in REQUIRED.items():
        joint = small.index(bone)
        ancestors = []
        while made.parents[joint] >= 0:
            joint = made.parents[joint]
            ancestors.append(small[joint])
        assert above is None or above in ancestors, bone
    for side in ("left", "right"):
        assert {side + name for name in (*FINGERS, "Shoulder", "Toes")} <= set(small)
        # Nothing is between the bones of a limb, as two-bone solvers want it.
        for bone, above in (("LowerArm", "UpperArm"), ("Hand", "LowerArm"), ("Foot", "LowerLeg")):
            parent = made.parents[small.index(side + bone)]
            assert small[parent] == side + above
    assert all(re.fullmatch(r"[A-Za-z]+", name) for name in made.bone_names)


# The skeletons that mixamo.com writes, and SK_Mannequin of Unreal Engine 5 without twist and IK.
MIXAMO = {
    "Hips", "Spine", "Spine1", "Spine2", "Neck", "Head",
    *(side + bone for side in ("Left", "Right") for bone in (
        "Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase",
        *(f"Hand{finger}{n}" for finger in ("Thumb", "Index", "Middle", "Ring", "Pinky")
          for n in (1, 2, 3)))),
}  # fmt: skip
UNREAL = {
    "pelvis", "spine_01", "spine_02", "spine_03", "spine_04", "spine_05", "neck_01", "neck_02",
    "head",
    *(f"{bone}_{side}" for side in "lr" for bone in (
        "clavicle", "upperarm", "lowerarm", "hand", "thigh", "calf", "foot", "ball",
        *(f"{finger}_0{n}" for finger in ("thumb", "index", "middle", "ring", "pinky")
          for n in (1, 2, 3)),
        *(f"{finger}_metacarpal" for finger in ("index", "middle", "ring", "pinky")))),
}  # fmt: skip


def test_mixamo_finds_its_bones() -> None:
    game = set(avatar("game", "mixamo").bone_names)
    assert game == {f"mixamorig:{name}" for name in MIXAMO}
    assert game <= set(avatar("full", "mixamo").bone_names)


def test_unreal_finds_its_bones_under_a_root_on_the_ground() -> None:
    made = avatar("full", "unreal")
    assert set(made.bone_names) >= UNREAL
    assert made.armature == "root"
    small = UNREAL - {"spine_02", "spine_04", "neck_02"}
    small = {name for name in small if "metacarpal" not in name}
    assert set(avatar("game", "unreal").bone_names) == small


@pytest.mark.parametrize("scheme", ["humanoid", "unreal", "mixamo", "original"])
def test_names_are_unique(scheme: BoneNames) -> None:
    names = body_model().joint_names
    assert len(set(bone_names(names, scheme))) == len(names)
    assert (
        bone_name("upperarm01.L", scheme)
        == {
            "humanoid": "LeftUpperArm",
            "unreal": "upperarm_l",
            "mixamo": "mixamorig:LeftArm",
            "original": "upperarm01.L",
        }[scheme]
    )


def test_what_has_no_arms_keeps_its_rest_pose() -> None:
    mesh, rig = body()
    few = Rig(("root", "head"), np.array([-1, 0]), rig.joints[:2], rig.rotations[:2], np.zeros(3))
    lone = replace(mesh, skin_joints=np.zeros_like(mesh.skin_joints))
    made = rig_avatar(lone, few, style=AvatarStyle("t", "game"))
    assert made.joint_names == few.joint_names
    lift = mesh.vertices[:, 1].min()
    np.testing.assert_allclose(made.mesh.vertices[:, 1], mesh.vertices[:, 1] - lift, atol=1e-6)
