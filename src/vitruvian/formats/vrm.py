"""VRM 1.0: a humanoid GLB that virtual-character programs know how to move.

https://github.com/vrm-c/vrm-specification/tree/master/specification/VRMC_vrm-1.0
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.bone_axes import limb_axes
from vitruvian.formats.bone_names import humanoid_name
from vitruvian.formats.gltf import GltfBuilder
from vitruvian.formats.rest_pose import in_rest_pose
from vitruvian.formats.rigged import RiggedAvatar
from vitruvian.formats.rigged_glb import build_avatar
from vitruvian.formats.vrm_springs import spring_bones

LICENCE_URL = "https://vrm.dev/licenses/1.0/"  # the only one that the specification allows

_LIMBS = ("UpperLeg", "LowerLeg", "Foot", "Toes", "Shoulder", "UpperArm", "LowerArm", "Hand")
_FINGERS = ("Index", "Middle", "Ring", "Little")
_PHALANGES = ("Proximal", "Intermediate", "Distal")
# Names of a humanoid's bones, as ``bone_names`` has them, that VRM knows -> what VRM calls them.
_BONES = {
    name: name[0].lower() + name[1:]
    for name in (
        *("Hips", "Spine", "Chest", "UpperChest", "Neck", "Head"),
        *(
            side + bone
            for side in ("Left", "Right")
            for bone in ("Eye", *_LIMBS, *(f + p for f in _FINGERS for p in _PHALANGES))
        ),
    )
} | {
    # VRM counts a thumb's bones from the wrist.
    f"{side}Thumb{ours}": f"{side.lower()}Thumb{theirs}"
    for side in ("Left", "Right")
    for ours, theirs in (
        ("Proximal", "Metacarpal"), ("Intermediate", "Proximal"), ("Distal", "Distal"),
    )
}  # fmt: skip

_REQUIRED = (
    "hips", "spine", "head",
    *(side + bone for side in ("left", "right") for bone in _LIMBS
      if bone not in ("Toes", "Shoulder")),
)  # fmt: skip


@dataclass(frozen=True)
class VrmMeta:
    """What a VRM file says of its use. The default permits much; change it as you see fit.

    Attributes:
        name: of the model; that of the avatar by default.
        authors: at least one.
        version: of the model.
        copyright: who holds it.
        avatar_permission: who may perform with it: ``onlyAuthor``,
            ``onlySeparatelyLicensedPerson`` or ``everyone``.
        commercial_usage: ``personalNonProfit``, ``personalProfit`` or ``corporation``.
        credit: ``required`` or ``unnecessary``.
        redistribution: whether the file may be passed on.
        modification: ``prohibited``, ``allowModification`` or ``allowModificationRedistribution``.
        violent, sexual, political, hateful: whether it may be used so.
    """

    name: str | None = None
    authors: tuple[str, ...] = ("unknown",)
    version: str | None = None
    copyright: str | None = None
    avatar_permission: str = "everyone"
    commercial_usage: str = "corporation"
    credit: str = "unnecessary"
    redistribution: bool = True
    modification: str = "allowModificationRedistribution"
    violent: bool = False
    sexual: bool = False
    political: bool = False
    hateful: bool = False

    def written(self, name: str) -> dict[str, Any]:
        """The extension's ``meta`` for an avatar of that name."""
        meta: dict[str, Any] = {
            "name": self.name or name,
            "authors": list(self.authors),
            "licenseUrl": LICENCE_URL,
            "avatarPermission": self.avatar_permission,
            "allowExcessivelyViolentUsage": self.violent,
            "allowExcessivelySexualUsage": self.sexual,
            "commercialUsage": self.commercial_usage,
            "allowPoliticalOrReligiousUsage": self.political,
            "allowAntisocialOrHateUsage": self.hateful,
            "creditNotation": self.credit,
            "allowRedistribution": self.redistribution,
            "modification": self.modification,
        }
        if self.version is not None:
            meta["version"] = self.version
        if self.copyright is not None:
            meta["copyrightInformation"] = self.copyright
        return meta


def write_vrm(
    avatar: RiggedAvatar,
    path: str | Path,
    *,
    meta: VrmMeta | None = None,
    image_format: str = "jpeg",
) -> Path:
    """Write the avatar as VRM 1.0 and return the path.

    The file rests in a T-pose, as VRM asks, whatever the avatar's rest pose is, and has no clips:
    VRM's programs bring their own. Skirts hang on spring bones (``vrm_springs``). Joints keep the
    names that the avatar gives them.

    Args:
        avatar: whole or not, with at least the bones that VRM requires.
        path: where the ``.vrm`` goes.
        meta: see ``VrmMeta``.
        image_format: see ``write_glb``.

    Raises:
        InputError: the place cannot be written.
        ValueError: the rig lacks a bone that VRM requires.
    """
    builder = GltfBuilder()
    posed = in_rest_pose(replace(avatar, clips=()), "t")
    axes = limb_axes(posed.joint_names, posed.parents, posed.joints)
    posed = replace(posed, axes=axes)
    nodes = build_avatar(builder, posed, image_format=image_format)
    bones = {}
    for joint, node in zip(posed.joint_names, nodes, strict=True):
        bone = _BONES.get(humanoid_name(joint))
        if bone is not None:
            bones[bone] = {"node": node}
    missing = set(_REQUIRED) - set(bones)
    if missing:
        raise ValueError(f"a VRM needs the bones {', '.join(sorted(missing))}")
    builder.add_extension(
        "VRMC_vrm",
        {
            "specVersion": "1.0",
            "meta": (meta or VrmMeta()).written(avatar.name),
            "humanoid": {"humanBones": bones},
        },
    )
    springs = spring_bones(builder, posed, nodes)
    if springs is not None:
        builder.add_extension("VRMC_springBone", springs)
    return write_bytes(path, builder.to_glb())
