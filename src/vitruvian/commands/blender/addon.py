# SPDX-FileCopyrightText: The authors of Vitruvian
# SPDX-License-Identifier: MIT
# ruff: noqa: RUF012
#
# Permission is hereby granted, free of charge, to any person obtaining a copy of this file, to deal
# in it without restriction, including without limitation the rights to use, copy, modify, merge,
# publish, distribute, sublicense, and/or sell copies, and to permit persons to whom it is furnished
# to do so, provided that this notice is in all copies or substantial portions of it. It is provided
# "as is", without warranty of any kind, express or implied. (This file alone, which is a part of
# Blender when it runs there, is under this licence, which is compatible with Blender's.)
"""Vitruvian in Blender: choose a photo or a video, import its people, rigged, before its camera.

Install it in Blender 4.2 or newer with Edit > Preferences > Add-ons > Install from Disk. It runs
the program ``vitruvian``, which is installed on its own, and needs nothing else than this file.
"""

import contextlib
import json
import os
import queue
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

import bpy
import numpy as np
from bpy_extras.io_utils import ImportHelper
from mathutils import Matrix

bl_info = {
    "name": "Vitruvian",
    "author": "The authors of Vitruvian",
    "version": (0, 2, 0),
    "blender": (4, 2, 0),
    "location": "File > Import",
    "description": "Photographs and videos to metric, textured, rigged people",
    "category": "Import-Export",
}

PHOTOS = "*.jpg;*.jpeg;*.png;*.webp;*.tif;*.tiff;*.bmp;*.heic;*.heif;*.avif;*.gif"
VIDEOS = "*.mp4;*.mov;*.m4v;*.webm;*.mkv;*.avi"
SENSOR_MM = 36.0
LOOK_S = 0.1  # seconds between two looks at the program
PATIENCE_S = 10  # from asking the program to stop to stopping it
# Files have y up, Blender z; cameras look along z in files, along -z in Blender.
BLENDER_FROM_FILE = Matrix(((1, 0, 0, 0), (0, 0, -1, 0), (0, 1, 0, 0), (0, 0, 0, 1)))
CAMERA_FROM_BLENDER = Matrix.Diagonal((1, -1, -1, 1))
STAGES = {
    "decode": "reading",
    "people": "finding people",
    "body": "fitting bodies",
    "scene": "placing people",
    "surface": "building surfaces",
    "texture": "texturing",
    "checks": "comparing",
    "avatar": "making avatars",
    "avatars": "making avatars",
    "motion": "solving motion",
    "preview": "drawing the preview",
    "files": "writing files",
}


class Failed(Exception):
    """What the user is told in one sentence."""


class Program:
    """The running program ``vitruvian``: what it is doing, and what came of it."""

    def __init__(self, arguments):
        """Start it with a list of arguments, the program first."""
        # Blender's own Python must not be taken for the program's.
        cleared = ("PYTHONPATH", "PYTHONHOME")
        environment = {name: text for name, text in os.environ.items() if name not in cleared}
        group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows alone has these
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            self._process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                creationflags=group | hidden,
            )
        except OSError as error:
            raise Failed(f"{arguments[0]} cannot be started ({error.strerror}).") from error
        self._lines = queue.Queue()
        self._said, self._printed = [], []
        self._readers = [
            threading.Thread(target=self._read, args=(stream, into), daemon=True)
            for stream, into in (
                (self._process.stdout, self._printed.append),
                (self._process.stderr, self._lines.put),
            )
        ]
        for reader in self._readers:
            reader.start()
        self.doing, self.share = "starting", 0.0

    @staticmethod
    def _read(stream, take):
        for line in stream:
            take(line.decode("utf-8", "replace").strip())

    def running(self):
        """Whether it still runs; brings ``doing`` and ``share`` (0 to 1 of a stage) up to date."""
        over = self._process.poll() is not None
        if over:
            for reader in self._readers:
                reader.join(PATIENCE_S)
        while not self._lines.empty():
            line = self._lines.get()
            if not line.startswith("{"):
                self._said += [line] if line else []
                continue
            told = json.loads(line)
            self.doing = STAGES.get(told["stage"], told["stage"])
            if "total" in told:
                self.share = told["done"] / max(told["total"], 1)
                self.doing += f", {told['done']} of {told['total']}"
            elif told["person"]:
                self.share = told["person"] / max(told["people"], 1)
                self.doing += f", person {told['person']} of {told['people']}"
        return not over

    def report(self):
        """The report of a run that is over; raises ``Failed`` with the program's sentence."""
        if self._process.returncode == 0:
            return json.loads(self._printed[-1])
        sentence = self._said[-1] if self._said else f"exit status {self._process.returncode}"
        raise Failed(sentence)

    def stop(self):
        """End it as Ctrl-C does, and by force if it does not listen."""
        if self._process.poll() is not None:
            return
        windows = getattr(signal, "CTRL_BREAK_EVENT", None)
        self._process.send_signal(signal.SIGINT if windows is None else windows)
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def upright(path):
    """The picture as Blender shows it, turned as its EXIF data say; raises ``Failed``."""
    try:
        image = bpy.data.images.load(str(path), check_existing=True)
    except RuntimeError:
        image = None
    if image is None or not image.size[0]:
        raise Failed(f"Blender cannot show {path.name} behind the people; save it as JPEG.")
    turn = orientation(path)
    if turn == 1:
        return image
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(height, width, 4)[::-1]  # Blender counts rows from below
    if turn >= 5:
        pixels = pixels.swapaxes(0, 1)
    if turn in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if turn in (3, 4, 7, 8):
        pixels = pixels[::-1]
    turned = bpy.data.images.new(f"{path.stem} upright", pixels.shape[1], pixels.shape[0])
    turned.pixels.foreach_set(np.ascontiguousarray(pixels[::-1]).ravel())
    turned.pack()
    bpy.data.images.remove(image)
    return turned


def orientation(path):
    """EXIF's orientation of a JPEG, 1 to 8; 1 where it says none."""
    data = path.read_bytes()[: 1 << 18]
    place = 2
    while data[:2] == b"\xff\xd8" and data[place : place + 1] == b"\xff":
        marker, size = struct.unpack_from(">BH", data, place + 1)
        if marker == 0xE1 and data[place + 4 : place + 10] == b"Exif\0\0":
            return tiff_orientation(data[place + 10 : place + 2 + size])
        place += 2 + size
    return 1


def tiff_orientation(data):
    """The orientation in a block of TIFF tags; 1 where it says none, or is broken."""
    with contextlib.suppress(struct.error):
        order = "<" if data[:2] == b"II" else ">"
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for entry in range(count):
            tag, _, _, value = struct.unpack_from(f"{order}HHIH", data, start + 2 + 12 * entry)
            if tag == 0x0112 and 1 <= value <= 8:
                return value
    return 1


def glb_json(path):
    """The JSON chunk of a GLB."""
    data = path.read_bytes()
    return json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])


def new_objects(path, collection):
    """Import a GLB into a collection; returns its objects, without what draws bones."""
    before, rooms = set(bpy.data.objects), set(bpy.data.collections)
    # The bones' y axes run along the limbs, as Blender's do. Vertices that glTF cut along the
    # texture's seams become one again.
    bpy.ops.import_scene.gltf(
        filepath=str(path), bone_heuristic="BLENDER", merge_vertices=True, loglevel=50
    )
    kept = []
    for one in set(bpy.data.objects) - before:
        if one.type not in ("ARMATURE", "MESH") or (one.type == "MESH" and not usable(one)):
            bpy.data.objects.remove(one)
            continue
        for room in one.users_collection:
            room.objects.unlink(one)
        collection.objects.link(one)
        kept.append(one)
    for room in set(bpy.data.collections) - rooms:
        bpy.data.collections.remove(room)
    return kept


def usable(mesh):
    """Whether a mesh is a person, not the shape that the importer draws bones with."""
    return bool(mesh.data.materials)


def play(armature, clip):
    """Let an armature play one of its clips, and free all from their tracks.

    They would play beside one another there; so they stay in the file, to be chosen in the Action
    Editor. Returns the clip's action.
    """
    animation = armature.animation_data
    for track in list(animation.nla_tracks):
        strip = track.strips[0]
        action, slot = strip.action, getattr(strip, "action_slot", None)  # from Blender 4.4 on
        name = track.name
        action.name = f"{armature.name.removesuffix('-armature')} {name}"
        action.use_fake_user = True
        animation.nla_tracks.remove(track)
        if name == clip:
            played, animation.action = action, action
            if slot is not None:
                animation.action_slot = slot
    return played


def stretch(action, share):
    """Multiply the times of an action's keys."""
    if hasattr(action, "fcurves"):  # up to Blender 4.5
        curves = list(action.fcurves)
    else:
        strips = [strip for layer in action.layers for strip in layer.strips]
        curves = [curve for strip in strips for bag in strip.channelbags for curve in bag.fcurves]
    for curve in curves:
        places = np.empty(2 * len(curve.keyframe_points), np.float32)
        curve.keyframe_points.foreach_get("co", places)
        places[::2] *= share
        curve.keyframe_points.foreach_set("co", places)
        curve.update()


def new_camera(name, collection, size, intrinsics, world_from_camera):
    """The camera that took a picture, as the scene's, with the picture's size as the render's.

    ``intrinsics`` is the focal length and the principal point in pixels.
    """
    width, height = size
    focal, cx, cy = intrinsics
    data = bpy.data.cameras.new(name)
    data.sensor_fit, data.sensor_width = "AUTO", SENSOR_MM  # AUTO: across the longer side
    data.lens = focal / max(size) * SENSOR_MM
    data.shift_x, data.shift_y = (width / 2 - cx) / max(size), (cy - height / 2) / max(size)
    data.clip_start, data.clip_end = 0.05, 1000.0
    camera = bpy.data.objects.new(name, data)
    camera.matrix_world = blender_camera(Matrix(world_from_camera))
    collection.objects.link(camera)
    scene = bpy.context.scene
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.pixel_aspect_x = scene.render.pixel_aspect_y = 1.0
    return camera


def blender_camera(world_from_camera):
    """A camera's place in Blender, from its place in the files' world."""
    return BLENDER_FROM_FILE @ world_from_camera @ CAMERA_FROM_BLENDER


def put_behind(camera, image, size):
    """Show a picture or a clip through the camera, behind everything; returns its settings."""
    if tuple(image.size) != tuple(size) and abs(
        image.size[0] * size[1] - image.size[1] * size[0]
    ) > max(*image.size, *size):  # another shape, by more than rounding
        raise Failed(f"{image.name} lies on its side in Blender and is not shown: turn it first.")
    camera.data.show_background_images = True
    behind = camera.data.background_images.new()
    behind.image, behind.alpha, behind.display_depth = image, 1.0, "BACK"
    behind.frame_method = "FIT"
    return behind


def new_collection(name):
    """A collection in the scene."""
    collection = bpy.data.collections.new(name)
    bpy.context.scene.collection.children.link(collection)
    return collection


def import_photo(folder, picture, surfaces=False):
    """Bring a photograph's result into the scene; returns sentences for the user.

    Everyone's armature plays the action ``photo``, the pose of the photograph, at their place.
    With ``surfaces`` people come as they were photographed, without bones.
    """
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    collection = new_collection(picture.stem)
    if surfaces:
        new_objects(folder / "scene.glb", collection)
    for person in () if surfaces else report["people"]:
        path = folder / person["files"]["avatar"]
        for one in new_objects(path, collection):
            if one.type != "ARMATURE":
                continue
            play(one, "photo")
            clips = {clip["name"]: clip for clip in glb_json(path)["animations"]}
            x, y, z = clips["photo"]["extras"]["position"]
            one.location = (x, -z, y)
    bpy.context.scene.frame_set(0)
    told, size = report["camera"], (report["image"]["width"], report["image"]["height"])
    middle = told["focal_px"], size[0] / 2, size[1] / 2
    name = f"{picture.stem} camera"
    camera = new_camera(name, collection, size, middle, told["world_from_camera"])
    sentences = [*report["warnings"]]
    try:
        put_behind(camera, upright(picture), size)
    except Failed as failed:
        sentences.append(str(failed))
    for person in report["people"]:
        sentences += [f"Person {person['id']}: {warning}" for warning in person["warnings"]]
    return sentences


def import_video(folder, clip):
    """Bring a video's result into the scene, in its time; returns sentences for the user."""
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    motion = json.loads((folder / "motion.json").read_text(encoding="utf-8"))
    scene, collection = bpy.context.scene, new_collection(clip.stem)
    # A frame of Blender is a frame of the clip. 29.97 a second are 30 with a base, which importers
    # of several versions take in different ways: it comes behind.
    rate = report["clip"]["fps"]
    scene.render.fps, scene.render.fps_base = max(round(rate), 1), 1.0
    for one in new_objects(folder / "people.glb", collection):
        if one.type == "ARMATURE":
            stretch(play(one, "motion"), rate / scene.render.fps)
    scene.render.fps_base = scene.render.fps / rate
    size = report["clip"]["width"], report["clip"]["height"]
    told = motion["camera"]
    lens = told["intrinsics"]
    middle = lens[0][0], lens[0][2], lens[1][2]
    place = Matrix(told["camera_from_world"]).inverted()
    camera = new_camera(f"{clip.stem} camera", collection, size, middle, place)
    first = min(person["frames"][0] for person in motion["people"])
    last = max(person["frames"][-1] for person in motion["people"])
    for number, moved in told.get("cameras_from_world", {}).items():
        camera.matrix_world = blender_camera(Matrix(moved).inverted())
        camera.rotation_mode = "QUATERNION"
        for path in ("location", "rotation_quaternion"):
            camera.keyframe_insert(path, frame=int(number) - first)
    scene.frame_start, scene.frame_end = 0, last - first
    scene.frame_set(0)
    sentences = [*report["warnings"]]
    try:
        image = bpy.data.images.load(str(clip), check_existing=True)
        behind = put_behind(camera, image, size)
        shown = behind.image_user
        shown.frame_start, shown.frame_offset = 0, first - 1
        shown.frame_duration, shown.use_auto_refresh = last + 1, True
    except (RuntimeError, Failed) as error:
        reason = str(error) if isinstance(error, Failed) else f"Blender cannot show {clip.name}."
        sentences.append(reason)
    for person in report["people"]:
        sentences += [f"Person {person['id']}: {warning}" for warning in person["warnings"]]
    return sentences


class VitruvianPreferences(bpy.types.AddonPreferences):
    """Where the program is, and where results go."""

    bl_idname = __name__

    program: bpy.props.StringProperty(
        name="Program",
        description="The program vitruvian; empty: the one on the path",
        subtype="FILE_PATH",
    )
    results: bpy.props.StringProperty(
        name="Results",
        description="Folder that keeps the results; empty: a temporary one",
        subtype="DIR_PATH",
    )

    def draw(self, context):
        """The page in the preferences."""
        self.layout.prop(self, "program")
        self.layout.prop(self, "results")


def program_path():
    """The program to run; raises ``Failed``."""
    named = bpy.context.preferences.addons[__name__].preferences.program
    program = shutil.which(bpy.path.abspath(named) if named else "vitruvian")
    if program is None:
        where = f"{named} is no program" if named else "The program vitruvian is not on the path"
        raise Failed(f"{where}: install it, and name it in this add-on's preferences.")
    return program


def results_folder():
    """Where results go."""
    named = bpy.context.preferences.addons[__name__].preferences.results
    return bpy.path.abspath(named) if named else tempfile.mkdtemp(dir=bpy.app.tempdir)


class _Import(ImportHelper):
    """What both operators do: run the program beside Blender, then import what it made."""

    height: bpy.props.FloatProperty(
        name="Height (cm)",
        description="True height of the largest person, fixes the scale; 0: estimated",
        min=0,
        max=260,
    )
    fov: bpy.props.FloatProperty(
        name="Field of view (°)",
        description="Across the longer side; 0: as the file says, else assumed",
        min=0,
        max=170,
    )

    def execute(self, context):
        """Start; without windows, wait for the end."""
        self._source = Path(bpy.path.abspath(self.filepath))
        try:
            if not self._source.is_file():
                raise Failed(f"{self._source} is no file: choose one.")
            self._program = Program([program_path(), *self.arguments(), "-o", results_folder()])
        except Failed as failed:
            self.report({"ERROR"}, str(failed))
            return {"CANCELLED"}
        if bpy.app.background:
            while self._program.running():
                threading.Event().wait(LOOK_S)
            return self._finish()
        manager = context.window_manager
        self._timer = manager.event_timer_add(LOOK_S, window=context.window)
        manager.progress_begin(0, 100)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        """Look at the program; Esc stops it."""
        if event.type == "ESC":
            self._end(context)
            self._program.stop()
            self.report({"INFO"}, "Stopped.")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if self._program.running():
            context.window_manager.progress_update(100 * self._program.share)
            text = f"Vitruvian, {self._source.name}: {self._program.doing} (Esc stops)"
            context.workspace.status_text_set(text)
            return {"RUNNING_MODAL"}
        self._end(context)
        return self._finish()

    def _end(self, context):
        context.window_manager.event_timer_remove(self._timer)
        context.window_manager.progress_end()
        context.workspace.status_text_set(None)

    def _finish(self):
        try:
            report = self._program.report()
        except Failed as failed:
            self.report({"ERROR"}, str(failed))
            return {"CANCELLED"}
        for sentence in self.bring_in(Path(report["directory"])):
            self.report({"WARNING"}, sentence)
        return {"FINISHED"}

    def known(self):
        """The options that both know, as arguments."""
        given = [f"--height={self.height}"] if self.height else []
        return given + ([f"--fov={self.fov}"] if self.fov else [])


class VitruvianPhoto(bpy.types.Operator, _Import):
    """Import the people in a photograph, with bones, textures and the camera"""

    bl_idname = "import_scene.vitruvian_photo"
    bl_label = "People in a photo"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: bpy.props.StringProperty(default=PHOTOS, options={"HIDDEN"})
    surfaces: bpy.props.BoolProperty(
        name="Surfaces only", description="As photographed, without bones"
    )
    fine: bpy.props.BoolProperty(name="Fine", description="Folds in the geometry, too; slower")

    def arguments(self):
        """What the program is asked."""
        detail = ["--detail=fine"] if self.fine else []
        shape = ["--json", "--progress", "--formats=glb", *detail, *self.known()]
        return ["photo", str(self._source), *shape]

    def bring_in(self, folder):
        """Import the result."""
        return import_photo(folder, self._source, self.surfaces)


class VitruvianVideo(bpy.types.Operator, _Import):
    """Import the people in a video, in motion, with bones, textures and the camera"""

    bl_idname = "import_scene.vitruvian_video"
    bl_label = "People in a video"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: bpy.props.StringProperty(default=VIDEOS, options={"HIDDEN"})
    start: bpy.props.FloatProperty(name="From (s)", min=0)
    end: bpy.props.FloatProperty(name="To (s)", description="0: the end", min=0)

    def arguments(self):
        """What the program is asked."""
        part = [f"--from={self.start}"] + ([f"--to={self.end}"] if self.end else [])
        shape = ["--json", "--progress", "--formats=glb,npz", *part, *self.known()]
        return ["video", str(self._source), *shape]

    def bring_in(self, folder):
        """Import the result."""
        return import_video(folder, self._source)


CLASSES = (VitruvianPreferences, VitruvianPhoto, VitruvianVideo)


def menu(self, context):
    """The lines in File > Import."""
    for operator in (VitruvianPhoto, VitruvianVideo):
        self.layout.operator(operator.bl_idname, text=f"{operator.bl_label} (Vitruvian)")


def register():
    """Blender calls it when the add-on is switched on."""
    for one in CLASSES:
        bpy.utils.register_class(one)
    bpy.types.TOPBAR_MT_file_import.append(menu)


def unregister():
    """Blender calls it when the add-on is switched off."""
    bpy.types.TOPBAR_MT_file_import.remove(menu)
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)
