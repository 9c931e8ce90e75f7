"""A program for Blender's Python: install the add-on, use it, and say what is there, as JSON.

``python use_addon.py -- ADDON PROGRAM PHOTO TURNED CLIP RESULTS FOUND``
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import bpy
from bpy_extras.object_utils import world_to_camera_view

addon, program, photo, turned, clip, results, target = sys.argv[sys.argv.index("--") + 1 :]
found: dict = {}


def empty() -> None:
    for collection in (bpy.data.objects, bpy.data.collections, bpy.data.actions, bpy.data.images):
        for one in list(collection):
            collection.remove(one)


def pixels() -> dict:
    """Where the scene's camera sees the head of every bone, by person and joint."""
    scene = bpy.context.scene
    width, height = scene.render.resolution_x, scene.render.resolution_y
    bpy.context.view_layer.update()
    seen = {}
    for rig in (one for one in scene.objects if one.type == "ARMATURE"):
        places = {}
        for bone in rig.pose.bones:
            x, y, _ = world_to_camera_view(scene, scene.camera, rig.matrix_world @ bone.head)
            places[bone.bone["joint"]] = [x * width, (1 - y) * height]
        seen[rig.name] = places
    return seen


def scene() -> dict:
    """What has been imported."""
    now = bpy.context.scene
    (behind,) = now.camera.data.background_images or (None,)
    meshes = [one for one in now.objects if one.type == "MESH"]
    return {
        "objects": sorted(one.name for one in now.objects),
        "collections": [one.name for one in now.collection.children],
        "actions": sorted(action.name for action in bpy.data.actions),
        "faces": [len(one.data.polygons) for one in meshes],
        "textures": [
            sum(node.type == "TEX_IMAGE" for node in one.data.materials[0].node_tree.nodes)
            for one in meshes
        ],
        "size": [now.render.resolution_x, now.render.resolution_y],
        "background": behind and [*behind.image.size],
        "bones": pixels(),
    }


def refused(operator, **options) -> str:
    """The sentence with which an operator ends."""
    try:
        return f"no error: {operator(**options)}"
    except RuntimeError as error:
        return str(error)


def is_there() -> list[bool]:
    return [name in dir(bpy.ops.import_scene) for name in ("vitruvian_photo", "vitruvian_video")]


bpy.ops.wm.read_factory_settings(use_empty=True)
bpy.ops.preferences.addon_install(filepath=addon, overwrite=True)
bpy.ops.preferences.addon_enable(module="vitruvian_blender")
found["there"] = is_there()
preferences = bpy.context.preferences.addons["vitruvian_blender"].preferences
by_photo, by_video = bpy.ops.import_scene.vitruvian_photo, bpy.ops.import_scene.vitruvian_video

preferences.program = "/nowhere/vitruvian"
found["no program"] = refused(by_photo, filepath=photo)
preferences.program, preferences.results = program, results
found["no file"] = refused(by_photo, filepath=photo + ".none")
found["no picture"] = refused(by_photo, filepath=addon)

found["photo state"] = sorted(by_photo(filepath=photo, height=180))
found["photo"] = scene()
empty()
module = sys.modules["vitruvian_blender"]
folder = Path(results, Path(photo).stem)
found["surface sentences"] = module.import_photo(folder, Path(turned), surfaces=True)
found["surface"] = scene()
empty()

found["video state"] = sorted(by_video(filepath=clip, end=5))
found["video"] = scene()
now = bpy.context.scene
shown = now.camera.data.background_images[0].image_user
found["clock"] = [now.render.fps, now.render.fps_base, now.frame_start, now.frame_end]
found["clip"] = [shown.frame_start, shown.frame_offset, shown.frame_duration]
now.frame_set(2)
found["video later"] = pixels()
empty()

running = module.Program([program, "video", clip, "--progress", "-o", results])
while running.running() and not running.doing.startswith("finding"):
    time.sleep(0.05)
found["doing"] = running.doing
running.stop()
running.running()
try:
    running.report()
except module.Failed as failed:
    found["stopped"] = str(failed)

bpy.ops.preferences.addon_disable(module="vitruvian_blender")
found["left"] = is_there()
Path(target).write_text(json.dumps(found))
sys.stdout.flush()
os._exit(0)  # Blender as a module may fall over its own end
