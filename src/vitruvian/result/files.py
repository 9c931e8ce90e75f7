"""Scene to files: everything that ``vitruvian photo`` leaves on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vitruvian.anthropometry.one_view import guessed_measures
from vitruvian.body.model.repose import reposed, shown_poses
from vitruvian.body.model.unpose import rest_mesh
from vitruvian.compute import SideBySide
from vitruvian.exchange.registered import correspondence, load_smpl
from vitruvian.formats.atomic import write_bytes, write_json
from vitruvian.formats.export import export_mesh
from vitruvian.formats.glb import scene_glb
from vitruvian.formats.images import encode_png
from vitruvian.formats.obj import write_obj
from vitruvian.formats.rig import Rig
from vitruvian.formats.rigged_glb import write_avatar_glb
from vitruvian.formats.rigging import AvatarStyle, rig_avatar
from vitruvian.formats.stl import write_stl
from vitruvian.geometry.mapped_relief import with_relief_of_map
from vitruvian.geometry.rotations import matrix_from_axis_angle
from vitruvian.mesh_formats import AVATAR_FORMATS, FORMATS
from vitruvian.options import OPTIONS, BoneNames, Rest, RigKind
from vitruvian.result.body_file import describe_body
from vitruvian.result.keypoint_files import save_keypoints
from vitruvian.result.poses import PosedViews, posed_views, write_poses
from vitruvian.result.preview import (
    MAX_PEOPLE,
    PersonViews,
    fit_photo,
    overlay_meshes,
    person_views,
    write_preview,
)
from vitruvian.result.report import person_report, scene_report
from vitruvian.result.smpl_file import save_smpl
from vitruvian.result.viewer import write_viewer
from vitruvian.types.body import Body
from vitruvian.types.chains import Chains
from vitruvian.types.mesh import Mesh
from vitruvian.types.scene import Person, Scene
from vitruvian.types.seen import BASED


def save_scene(
    scene: Scene,
    directory: Path,
    formats: Sequence[str],
    *,
    poses: bool = False,
    vertex_colors: bool = False,
    print_height_mm: float | None = None,
    rest: Rest = "a",
    rig: RigKind = "full",
    bone_names: BoneNames = "humanoid",
    clips: bool = True,
    keypoint_files: Sequence[str] | None = None,
    body_model: Path | None = None,
) -> dict[str, Any]:
    """Write a scene's files into ``directory`` and return the report.

    ``scene.glb``, ``viewer.html``, ``preview.png``, ``report.json``, and for each person a folder
    ``person-N`` with ``mesh.*`` and ``avatar.*`` in the wanted formats, ``avatar.glb``,
    ``body.obj``, ``body.json`` and ``alpha.png``; with ``poses`` also ``poses.png``. With
    ``vertex_colors`` OBJ files carry colours at the vertices beside their texture; with
    ``print_height_mm`` there is a ``mesh.stl`` of that height, on a base. ``rest``, ``rig``,
    ``bone_names`` and ``clips`` are those of the avatars. With ``keypoint_files`` there is
    ``keypoints-LAYOUT.json`` for each, and ``keypoints-LAYOUT-fitted.json``; with ``body_model``, a
    model file of the SMPL family, everyone has an ``smpl.npz``.

    Raises:
        InputError: an unknown format or a place that cannot be written.
        MissingExtraError: the programs for one of the formats are not installed.
    """
    OPTIONS["formats"].check(formats)
    for name in formats:
        (FORMATS | AVATAR_FORMATS)[name].check()
    OPTIONS["print_height_mm"].check(print_height_mm)
    OPTIONS["keypoint_files"].check(keypoint_files)
    if body_model is not None:
        other = load_smpl(body_model)  # a wrong file is told of before anything is written
        for person in scene.people[:1]:
            correspondence(other, person.body.model)  # once, before all people need it
    for name, value in (("rest", rest), ("rig", rig), ("bone_names", bone_names)):
        OPTIONS[name].check(value)
    style = AvatarStyle(rest, rig, bone_names, clips=clips)
    if print_height_mm is not None and "stl" not in formats:
        formats = (*formats, "stl")
    start = time.perf_counter()
    names = {person.id: f"person-{person.id}" for person in scene.people}
    # Encoding and rendering leave the interpreter, so it goes faster side by side.
    with SideBySide() as pool:
        entries = [
            pool.submit(
                _save_person,
                scene,
                person,
                directory / names[person.id],
                formats,
                vertex_colors,
                print_height_mm,
                style,
                body_model,
            )
            for person in scene.people
        ]
        shown = _shown(scene)
        views = [pool.submit(_views, scene, person) for person in shown]
        overlay = pool.submit(_overlay, scene)
        page = pool.submit(_save_page, scene, directory, names)
        pictures = [view.result() for view in views]
        count = len(scene.people)
        photo = fit_photo(scene.photo.pixels, count)
        write_preview(directory / "preview.png", photo, overlay.result(), pictures, people=count)
        page.result()
        if keypoint_files:
            save_keypoints(scene, directory, keypoint_files)
        if poses:
            posed = pool.map(_posed_person, shown)
            write_poses(directory / "poses.png", list(posed), people=count)
        people = [entry.result() for entry in entries]
    timings = {**scene.timings_s, "files": time.perf_counter() - start}
    report = scene_report(
        path=scene.photo.path,
        width=scene.photo.width,
        height=scene.photo.height,
        focal_px=scene.camera.focal_px,
        focal_source=scene.camera.source,
        world_from_camera=scene.world_from_camera,
        timings_s=timings,
        people=people,
        warnings=scene.warnings,
        albedo=scene.albedo,
        left_out=scene.left_out,
    )
    write_json(directory / "report.json", report)
    return report


def _shown(scene: Scene) -> list[Person]:
    """Who is drawn in the overviews: everybody, or the largest few; left to right."""
    largest = sorted(scene.people, key=lambda person: -person.figure.size)[:MAX_PEOPLE]
    return [person for person in scene.people if person in largest]


def _save_person(
    scene: Scene,
    person: Person,
    folder: Path,
    formats: Sequence[str],
    vertex_colors: bool,
    print_height_mm: float | None,
    style: AvatarStyle,
    body_model: Path | None,
) -> dict[str, Any]:
    """Write one person's folder and return their entry of the report."""
    files = {}
    # Made once: both files need it.
    mapless = with_relief_of_map(person.mesh) if {"ply", "stl"} & {*formats} else person.mesh
    for name in formats:
        if name in AVATAR_FORMATS:
            continue
        path = folder / f"mesh.{name}"
        if name == "obj":
            files["mesh_obj"] = write_obj(
                person.mesh,
                path,
                texture_name="texture.png",
                normal_map_name="normals.png",
                vertex_colors=vertex_colors,
            )
        elif name == "stl":
            files["mesh_stl"] = write_stl(mapless, path, print_height_mm=print_height_mm)
        else:
            shown = mapless if name == "ply" else person.mesh
            files[f"mesh_{name}"] = export_mesh(shown, path)
    avatar = rig_avatar(
        _avatar_mesh(person),
        _rig(person.body, scene.world_from_camera_of(person), _chains(person)),
        name=folder.name,
        style=style,
        base_m=_base_m(person),
        legs=not _is_based(person),
    )
    files["avatar"] = write_avatar_glb(avatar, folder / "avatar.glb")
    for name in formats:
        if name in AVATAR_FORMATS:
            write = AVATAR_FORMATS[name].writer()
            files[f"avatar_{name}"] = write(avatar, folder / f"avatar.{name}")
    body_mesh = person.body.as_mesh().transformed(scene.world_from_camera_of(person), "world")
    files["body_mesh"] = export_mesh(body_mesh, folder / "body.obj")
    description = describe_body(person.body) | {
        "world_from_camera": scene.world_from_camera_of(person).round(6).tolist()
    }
    files["body"] = write_json(folder / "body.json", description)
    if body_model is not None:
        files["smpl"] = save_smpl(scene, person, body_model, folder / "smpl.npz")
    files["alpha"] = write_bytes(folder / "alpha.png", encode_png(person.figure.alpha.full()))
    return person_report(
        id=person.id,
        box=person.figure.box,
        score=person.figure.score,
        seen=person.seen,
        height_m=person.height_m,
        height_sd_m=person.height_sd_m,
        silhouette_iou=person.checks.silhouette_iou,
        keypoint_error=person.checks.keypoint_error,
        image_similarity=person.checks.image_similarity,
        warnings=person.warnings,
        files={use: Path(folder.name) / path.name for use, path in files.items()},
        avatar=person.avatar,
        measures=guessed_measures(person.body),
    )


def _base_m(person: Person) -> float:
    """How high in the world the cut is on which somebody stands; 0 for those who have feet."""
    return float(person.mesh.vertices[:, 1].min()) if _is_based(person) else 0.0


def _is_based(person: Person) -> bool:
    """Whether somebody ends above their legs, on a cut."""
    return person.seen.left_out and person.seen.extent in BASED


def _save_page(scene: Scene, directory: Path, names: dict[int, str]) -> None:
    """Write everyone together, and the page that shows them."""
    packed = scene_glb({names[person.id]: person.mesh for person in scene.people})
    write_bytes(directory / "scene.glb", packed)
    entries = [
        {
            "name": names[person.id],
            "height_m": person.height_m,
            "height_sd_m": None if person.complete else person.height_sd_m,
            "box": [float(value) for value in person.figure.box],
        }
        for person in scene.people
    ]
    title = scene.photo.name
    write_viewer(directory / "viewer.html", packed, scene.photo.pixels, entries, title=title)


def _overlay(scene: Scene) -> np.ndarray:
    """Everyone drawn over the photograph, at the preview's size."""
    photo = fit_photo(scene.photo.pixels, len(scene.people))
    return overlay_meshes(photo, [person.mesh_camera for person in scene.people], scene.camera)


def _views(scene: Scene, person: Person) -> PersonViews:
    """A person from three sides, for the preview."""
    return person_views(
        _label(person),
        person.mesh,
        len(scene.people),
        forward=_facing(person.body, scene.world_from_camera_of(person)),
    )


def _posed_person(person: Person) -> PosedViews:
    """Pictures of a person in the poses that show whether the rig holds."""
    rest, poses = _avatar_mesh(person), shown_poses(person.body.model)
    chains = _chains(person)
    meshes = [reposed(rest, person.body, pose.rotations, chains) for pose in poses]
    return posed_views(_label(person), meshes, [pose.name for pose in poses])


def _avatar_mesh(person: Person) -> Mesh:
    """What moves, at rest: the avatar, or the surface of somebody for whom none was made."""
    if person.avatar is not None:
        return person.avatar.mesh
    return rest_mesh(person.mesh_camera, person.body)


def _chains(person: Person) -> Chains | None:
    return None if person.avatar is None else person.avatar.chains


def _label(person: Person) -> str:
    off = "" if person.complete else f" ± {person.height_sd_m * 100:.0f}"
    return f"Person {person.id} · {person.height_m * 100:.0f}{off} cm"


def _facing(body: Body, world_from_camera: np.ndarray) -> np.ndarray:
    """Where the person's hips face (3,), world frame."""
    turned = matrix_from_axis_angle(body.pose[0]) @ np.array([0.0, 0.0, 1.0])
    return world_from_camera[:3, :3] @ turned


def _rig(body: Body, world_from_camera: np.ndarray, chains: Chains | None) -> Rig:
    """The body's skeleton with its pose and place in the world."""
    model = body.model
    _, joints = body.rest()
    rotations = matrix_from_axis_angle(body.pose)
    rotations[0] = world_from_camera[:3, :3] @ rotations[0]
    root = world_from_camera[:3, :3] @ body.translation + world_from_camera[:3, 3]
    return Rig(model.joint_names, model.parents, joints, rotations, root, chains)
