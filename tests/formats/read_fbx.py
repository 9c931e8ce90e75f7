"""A program for Blender's Python: what it finds in an FBX file, as an NPZ."""

from __future__ import annotations

import os
import sys

import bpy
import numpy as np

source, target = sys.argv[sys.argv.index("--") + 1 :]
bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.context.scene.render.fps = 30
bpy.ops.import_scene.fbx(filepath=source)
(rig,) = (one for one in bpy.data.objects if one.type == "ARMATURE")
(body,) = (one for one in bpy.data.objects if one.type == "MESH")
bones = rig.data.bones
found = {
    "bones": np.array([bone.name for bone in bones]),
    "parents": np.array([bone.parent.name if bone.parent else "" for bone in bones]),
    "heads": np.array([rig.matrix_world @ bone.head_local for bone in bones]),
    "ways": np.array([(bone.tail_local - bone.head_local).normalized() for bone in bones]),
    "vertices": np.array([body.matrix_world @ vertex.co for vertex in body.data.vertices]),
    "faces": np.array([list(face.vertices) for face in body.data.polygons]),
    "uvs": np.array([one.uv[:] for one in body.data.uv_layers[0].data]),
    "clips": np.array([action.name.split("|")[-1] for action in bpy.data.actions]),
    "parent": np.array(body.parent.name),
}
weights = np.zeros((len(body.data.vertices), len(bones)), np.float32)
order = [bones.find(group.name) for group in body.vertex_groups]
for vertex in body.data.vertices:
    for one in vertex.groups:
        weights[vertex.index, order[one.group]] = one.weight
found["weights"] = weights
for action in bpy.data.actions:
    rig.animation_data.action = action
    first, last = action.frame_range
    places = []
    for frame in np.arange(first, last + 1):
        bpy.context.scene.frame_set(int(frame))
        places.append([rig.matrix_world @ bone.head for bone in rig.pose.bones])
    found["clip " + action.name.split("|")[-1]] = np.array(places)
nodes = body.material_slots[0].material.node_tree.nodes
base = next(one for one in nodes if one.type == "BSDF_PRINCIPLED").inputs["Base Color"]
image = base.links[0].from_node.image
found["texture"] = np.array(image.pixels[:]).reshape(image.size[1], image.size[0], 4)[::-1, :, :3]
np.savez(target, **found)
os._exit(0)  # Blender as a module may fall over its own end
