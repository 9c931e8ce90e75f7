"""A program for Blender's Python: a rigged GLB in, the same as FBX out.

``python blender_fbx.py -- avatar.glb avatar.fbx``, or ``blender --background --python`` it. It is
never imported by the product, and needs nothing of it.
"""

from __future__ import annotations

import os
import sys

import bpy

KEYS_PER_SECOND = 30


def convert(source: str, target: str) -> None:
    """Write ``target`` from ``source`` with every animation as a take of its own."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = KEYS_PER_SECOND
    # Our bones' y axes run along the limbs, as Blender's do: they are taken as they are. Vertices
    # that glTF cut along the texture's seams become one again.
    bpy.ops.import_scene.gltf(filepath=source, bone_heuristic="BLENDER", merge_vertices=True)
    for one in bpy.data.objects:
        for track in list(one.animation_data.nla_tracks) if one.animation_data else ():
            track.strips[0].action.name = track.name
            one.animation_data.nla_tracks.remove(track)  # it would play beside the others
    helpers = [one for one in bpy.data.objects if one.type not in ("ARMATURE", "MESH")]
    skinned = [one for one in bpy.data.objects if one.type == "MESH" and not one.modifiers]
    for one in (*helpers, *skinned):  # shapes that the importer draws bones with
        bpy.data.objects.remove(one)
    bpy.ops.export_scene.fbx(
        filepath=target,
        object_types={"ARMATURE", "MESH"},
        apply_scale_options="FBX_SCALE_ALL",
        add_leaf_bones=False,
        use_armature_deform_only=False,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=True,
        bake_anim_force_startend_keying=True,
        bake_anim_simplify_factor=0.1,
        path_mode="COPY",
        embed_textures=True,
        use_custom_props=True,
    )


if __name__ == "__main__":
    convert(*sys.argv[sys.argv.index("--") + 1 :])
    sys.stdout.flush()
    os._exit(0)  # Blender as a module may fall over its own end
