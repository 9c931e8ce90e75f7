"""Animated GLB: everybody's avatar moving, each in a file and all in one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vitruvian.formats.bvh import bvh_text
from vitruvian.formats.gltf import GltfBuilder
from vitruvian.formats.rig import Clip, Rig
from vitruvian.formats.rigged import RiggedAvatar
from vitruvian.formats.rigged_glb import avatar_glb, build_avatar
from vitruvian.formats.rigging import AvatarStyle, rig_avatar
from vitruvian.geometry.rotations import axis_angle_from_matrix, matrix_from_axis_angle
from vitruvian.video.pose import in_world
from vitruvian.video.scene import Mover, MovingScene

MOTION_CLIP = "motion"


def animated_avatar(
    scene: MovingScene, mover: Mover, style: AvatarStyle | None = None, *, centred: bool = False
) -> RiggedAvatar:
    """Somebody's avatar with their motion as its only clip.

    Args:
        scene: that they are in.
        mover: whom.
        style: rest pose, rig and names.
        centred: around the origin instead of where they are in the world; the clip's
            ``extras["position"]`` then tells where that is.
    """
    world = in_world(mover.motion, scene.world_from_camera)
    _, joints = mover.body.rest()
    rotations = matrix_from_axis_angle(world.pose)
    rig = Rig(
        scene.model.joint_names,
        scene.model.parents,
        joints,
        rotations[0],
        world.translation[0],
        mover.avatar.chains,
    )
    aside = world.translation.mean(0) * (1, 0, 1) if centred else np.zeros(3)
    clip = Clip(
        MOTION_CLIP,
        world.times_s - scene.times_s[0],
        rotations,
        world.translation - aside - joints[0] * (1, 0, 1),
        {"position": [round(float(value), 6) for value in aside]},
    )
    avatar = rig_avatar(
        mover.avatar.mesh, rig, name=f"person-{mover.id}", style=style, motions=[clip]
    )
    return replace(avatar, clips=avatar.clips[1:])  # without the pose of one frame


def at_even_times(clip: Clip, fps: float) -> Clip:
    """The clip with a key every 1 / ``fps`` s: formats such as BVH know no other times."""
    times = clip.times_s[0] + np.arange(round(float(np.ptp(clip.times_s)) * fps) + 1) / fps
    after = np.clip(np.searchsorted(clip.times_s, times), 1, len(clip.times_s) - 1)
    start, end = clip.times_s[after - 1], clip.times_s[after]
    share = np.clip((times - start) / (end - start), 0, 1)
    before = clip.rotations[after - 1]
    turn = axis_angle_from_matrix(before.swapaxes(-1, -2) @ clip.rotations[after])
    rotations = before @ matrix_from_axis_angle(share[:, None, None] * turn)
    roots = clip.roots[after - 1]
    roots = roots + share[:, None] * (clip.roots[after] - roots)
    return replace(clip, times_s=times, rotations=rotations, roots=roots)


def person_bvh(scene: MovingScene, mover: Mover, style: AvatarStyle | None = None) -> str:
    """One person's skeleton and motion in the world, at an even rate; moments away are bridged."""
    avatar = animated_avatar(scene, mover, style)
    return bvh_text(avatar, at_even_times(avatar.clips[0], scene.fps))


def person_glb(scene: MovingScene, mover: Mover, style: AvatarStyle | None = None) -> bytes:
    """One person's avatar and motion, around the origin."""
    return avatar_glb(animated_avatar(scene, mover, style, centred=True))


def people_glb(scene: MovingScene, style: AvatarStyle | None = None) -> bytes:
    """Everybody in the world, moving at once: one animation with everyone's channels."""
    builder = GltfBuilder()
    for mover in scene.people:
        build_avatar(builder, animated_avatar(scene, mover, style))
    builder.merge_animations(MOTION_CLIP)
    return builder.to_glb()
