"""The rigged file, evaluated as a glTF viewer would, against plain linear-blend skinning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pygltflib
import pytest
from scipy.spatial.transform import Rotation

from format_shapes import bumps, linear_blend, quarter_atlas, rigged_tube, tube
from vitruvian.body.model.model import body_model
from vitruvian.formats import AvatarStyle, Rig, avatar_glb, rig_avatar, scene_glb, write_glb
from vitruvian.formats.bone_names import bone_names, humanoid_name
from vitruvian.formats.corners import split_at_seams
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.types.mesh import Mesh

COMPONENTS = {5121: np.uint8, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}


class Viewer:
    """The part of a glTF viewer that poses a skin, written from the specification."""

    def __init__(self, data: bytes) -> None:
        self.gltf = pygltflib.GLTF2.load_from_bytes(data)
        self.blob = self.gltf.binary_blob()

    def array(self, index: int) -> np.ndarray:
        accessor = self.gltf.accessors[index]
        view = self.gltf.bufferViews[accessor.bufferView]
        width = WIDTHS[accessor.type]
        start = view.byteOffset + (accessor.byteOffset or 0)
        kind = COMPONENTS[accessor.componentType]
        return np.frombuffer(self.blob, kind, accessor.count * width, start).reshape(-1, width)

    def world(self, clip: str | None = None) -> dict[int, np.ndarray]:
        locals_ = []
        for node in self.gltf.nodes:
            locals_.append({"translation": node.translation, "rotation": node.rotation})
        for animation in self.gltf.animations:
            if animation.name != clip:
                continue
            for channel in animation.channels:
                values = self.array(animation.samplers[channel.sampler].output)
                locals_[channel.target.node][channel.target.path] = values[0]
        world: dict[int, np.ndarray] = {}

        def visit(index: int, parent: np.ndarray) -> None:
            matrix = np.eye(4)
            if locals_[index]["rotation"] is not None:
                matrix[:3, :3] = Rotation.from_quat(locals_[index]["rotation"]).as_matrix()
            if locals_[index]["translation"] is not None:
                matrix[:3, 3] = locals_[index]["translation"]
            world[index] = parent @ matrix
            for child in self.gltf.nodes[index].children or []:
                visit(child, world[index])

        for root in self.gltf.scenes[0].nodes:
            visit(root, np.eye(4))
        return world

    def place(self) -> np.ndarray:
        """Where in the world the clip happens."""
        return np.array(self.gltf.animations[0].extras["position"])

    def skinned(self, clip: str | None = None) -> np.ndarray:
        skin = self.gltf.skins[0]
        attributes = self.gltf.meshes[0].primitives[0].attributes
        inverse = self.array(skin.inverseBindMatrices).reshape(-1, 4, 4).swapaxes(1, 2)
        world = self.world(clip)
        matrices = np.stack([world[n] for n in skin.joints]) @ inverse
        position = self.array(attributes.POSITION).astype(float)
        joints, weights = self.array(attributes.JOINTS_0), self.array(attributes.WEIGHTS_0)
        moved = np.einsum("vkij,vj->vki", matrices[joints][..., :3, :3], position)
        moved += matrices[joints][..., :3, 3]
        return np.einsum("vk,vki->vi", weights, moved)


def avatar_of(mesh: Mesh, rig: Rig, **known: Any) -> bytes:
    """The file with the mesh's own rest pose."""
    known.setdefault("style", AvatarStyle("model"))
    return avatar_glb(rig_avatar(mesh, rig, **known))


@pytest.mark.parametrize("seed", range(5))
def test_clip_poses_like_linear_blend_skinning(seed: int) -> None:
    mesh, rig = rigged_tube(seed=seed)
    expected = linear_blend(mesh, rig)[split_at_seams(mesh).source]
    viewer = Viewer(avatar_of(mesh, rig))
    np.testing.assert_allclose(viewer.skinned("photo") + viewer.place(), expected, atol=2e-6)


def test_clip_plays_where_viewers_frame_the_rest_pose() -> None:
    mesh, rig = rigged_tube()
    far = replace(rig, root_translation=rig.root_translation + np.array([3.0, 0.2, -40.0]))
    here, there = Viewer(avatar_of(mesh, rig)), Viewer(avatar_of(mesh, far))
    moved = there.skinned("photo") - here.skinned("photo")
    np.testing.assert_allclose(moved, np.tile([0, 0.2, 0], (len(moved), 1)), atol=2e-6)
    np.testing.assert_allclose(there.place() - here.place(), [3, 0, -40], atol=2e-6)
    root = there.world("photo")[there.gltf.skins[0].joints[0]][:3, 3]
    rest = there.world()[there.gltf.skins[0].joints[0]][:3, 3]
    np.testing.assert_allclose(root[[0, 2]], rest[[0, 2]], atol=1e-6)


def test_rest_stands_on_the_ground() -> None:
    mesh, rig = rigged_tube()
    mesh = mesh.with_vertices(mesh.vertices - np.array([0, 0.3, 0]))
    rig = replace(rig, joints=rig.joints - np.array([0, 0.3, 0]))
    viewer = Viewer(avatar_of(mesh, rig))
    rest = viewer.skinned()
    expected = (mesh.vertices + np.array([0, 0.3, 0]))[split_at_seams(mesh).source]
    np.testing.assert_allclose(rest, expected, atol=1e-6)
    # Lifting the rest pose leaves the photograph's pose where it was.
    posed = linear_blend(mesh, rig)[split_at_seams(mesh).source]
    np.testing.assert_allclose(viewer.skinned("photo") + viewer.place(), posed, atol=2e-6)


def test_a_bust_stands_on_its_cut_in_the_clip_too() -> None:
    mesh, rig = rigged_tube()
    whole, bust = Viewer(avatar_of(mesh, rig)), Viewer(avatar_of(mesh, rig, base_m=1.25))
    np.testing.assert_allclose(bust.skinned(), whole.skinned(), atol=1e-6)
    lowered = bust.skinned("photo") - whole.skinned("photo")
    np.testing.assert_allclose(lowered, np.tile([0, -1.25, 0], (len(lowered), 1)), atol=2e-6)
    np.testing.assert_allclose(bust.place() - whole.place(), [0, 1.25, 0], atol=2e-6)


def test_skeleton_is_a_named_hierarchy() -> None:
    gltf = Viewer(avatar_of(*rigged_tube(), name="person-1")).gltf
    names = [node.name for node in gltf.nodes]
    assert names == ["person-1-armature", "Hips", "Spine", "Head", "person-1"]
    assert [node.children for node in gltf.nodes[:3]] == [[1], [2], [3]]
    assert gltf.nodes[2].extras == {"joint": "spine05"}
    assert gltf.scenes[0].nodes == [0, 4]


def test_weights_are_normalised_and_joints_unique() -> None:
    mesh, rig = rigged_tube()
    joints = np.tile(np.array([1, 1, 2, 0], np.uint16), (len(mesh.vertices), 1))
    weights = np.tile(np.array([1, 2, 3, 0], np.float32), (len(mesh.vertices), 1))
    viewer = Viewer(avatar_of(replace(mesh, skin_joints=joints, skin_weights=weights), rig))
    attributes = viewer.gltf.meshes[0].primitives[0].attributes
    np.testing.assert_allclose(viewer.array(attributes.WEIGHTS_0)[0], [0.5, 0, 0.5, 0])
    np.testing.assert_array_equal(viewer.array(attributes.JOINTS_0)[0], [1, 0, 2, 0])


def test_wrong_input_is_refused() -> None:
    mesh, rig = rigged_tube()
    with pytest.raises(ValueError, match="at rest"):
        avatar_of(replace(mesh, frame="world"), rig)
    with pytest.raises(ValueError, match="skin_joints"):
        avatar_of(replace(tube(), frame="body"), rig)
    with pytest.raises(ValueError, match="of 3"):
        avatar_of(replace(mesh, skin_joints=mesh.skin_joints + np.uint16(2)), rig)
    with pytest.raises(ValueError, match="precede"):
        replace(rig, parents=np.array([-1, 2, 1]))
    with pytest.raises(ValueError, match=r"rotations must have shape \(3, 3, 3\)"):
        replace(rig, rotations=np.eye(3))


def test_bone_names() -> None:
    expected = {
        "root": "Hips",
        "upperarm01.L": "LeftUpperArm",
        "wrist.R": "RightHand",
        "finger1-2.R": "RightThumbIntermediate",
        "metacarpal1.L": "LeftIndexMetacarpal",
        "finger2-1.L": "LeftIndexProximal",
        "toes.L": "LeftToes",
        "toe3-1.L": "LeftThirdToeProximal",
        "oculi01.R": "RightOculi01",
        "tongue00": "Tongue00",
    }
    assert {name: humanoid_name(name) for name in expected} == expected
    assert bone_names(["a-b", "a_b", "AB"]) == ("AB", "AB2", "AB3")


def body_avatar(seed: int) -> tuple[Mesh, Rig, np.ndarray]:
    """The body model with random shape and pose: rest mesh, rig, and its own posed vertices."""
    model = body_model()
    rng = np.random.default_rng(seed)
    betas = rng.normal(0, 1, len(model.shape_directions))
    pose = np.zeros((len(model.joint_names), 3))
    pose[model.active] = rng.normal(0, 0.3, (len(model.active), 3))  # twist bones are leaves
    translation = rng.normal(0, 1, 3)
    vertices, joints = model.rest(betas)
    mesh = Mesh(
        vertices=vertices.astype(np.float32),
        faces=model.faces,
        frame="body",
        uvs=model.uvs,
        uv_faces=model.uv_faces,
        texture=quarter_atlas(),
        skin_joints=model.skin_joints,
        skin_weights=model.skin_weights,
    )
    rig = Rig(model.joint_names, model.parents, joints, matrix_from_axis_angle(pose), translation)
    return mesh, rig, model.forward(betas, pose, translation).vertices


def test_body_model_survives_the_file(
    khronos_issues: Callable[[Path], dict], tmp_path: Path
) -> None:
    mesh, rig, posed = body_avatar(seed=1)
    path = tmp_path / "avatar.glb"
    path.write_bytes(avatar_of(mesh, rig))
    viewer = Viewer(path.read_bytes())
    source = split_at_seams(mesh).source
    np.testing.assert_allclose(viewer.skinned("photo") + viewer.place(), posed[source], atol=1e-5)
    issues = khronos_issues(path)
    assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), issues["messages"]


def files_to_validate(folder: Path) -> dict[str, Path]:
    plain = tube()
    fine = replace(plain, normal_map=bumps())
    uncoloured = replace(plain, texture=None, uvs=None, uv_faces=None)
    colors = np.full((len(plain.vertices), 3), 99, np.uint8)
    scene = {"person-1": plain, "person-2": uncoloured, "person-3": fine}
    (folder / "scene.glb").write_bytes(scene_glb(scene, extras={"person-1": {"height_m": 1.7}}))
    (folder / "empty.glb").write_bytes(scene_glb({}))
    (folder / "avatar.glb").write_bytes(avatar_of(*rigged_tube()))
    return {
        "static": write_glb(plain, folder / "static.glb"),
        "static, png, unlit": write_glb(
            plain, folder / "unlit.glb", image_format="png", unlit=True
        ),
        "vertex colours": write_glb(
            replace(uncoloured, vertex_colors=colors), folder / "colors.glb"
        ),
        "scene": folder / "scene.glb",
        "empty scene": folder / "empty.glb",
        "avatar": folder / "avatar.glb",
    }


def test_khronos_validator_finds_nothing(
    khronos_issues: Callable[[Path], dict], tmp_path: Path
) -> None:
    for kind, path in files_to_validate(tmp_path).items():
        issues = khronos_issues(path)
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), (kind, issues["messages"])


def test_khronos_validator_would_find_a_fault(
    khronos_issues: Callable[[Path], dict], tmp_path: Path
) -> None:
    good, bad = write_glb(tube(), tmp_path / "good.glb"), tmp_path / "bad.glb"
    assert khronos_issues(good)["numErrors"] == 0
    bad.write_bytes(good.read_bytes().replace(b'"max":[0.', b'"max":[9.', 1))
    assert khronos_issues(bad)["numErrors"] > 0
