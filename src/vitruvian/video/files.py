"""Moving scene to files: everything that ``vitruvian video`` leaves on disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from vitruvian._version import __version__
from vitruvian.compute.processes import Crew, Pending, crew_of
from vitruvian.formats.atomic import write_bytes, write_json, write_text
from vitruvian.formats.rigging import AvatarStyle
from vitruvian.mesh_formats import AVATAR_FORMATS
from vitruvian.options import Options
from vitruvian.result.body_file import describe_body
from vitruvian.types.mesh import Mesh
from vitruvian.video.animated import animated_avatar, people_glb, person_bvh, person_glb
from vitruvian.video.checking import MotionChecks, check_motion
from vitruvian.video.formats import DEFAULT_VIDEO_FORMATS, SEQUENCES, check_video_formats
from vitruvian.video.motion_files import (
    write_angles_csv,
    write_joints_csv,
    write_motion_json,
    write_motion_npz,
)
from vitruvian.video.preview import Previews, make_previews
from vitruvian.video.scene import Mover, MovingScene
from vitruvian.video.sequence import write_sequence
from vitruvian.video.smpl_file import write_smpl_motion
from vitruvian.video.surfaces import clothed_surfaces, posed_surfaces
from vitruvian.video.viewer import Filming, write_motion_viewer
from vitruvian.video.worst import write_check_page

SCHEMA_VERSION = 1

Mode = Literal["avatar", "frames"]
Tell = Callable[[str, int, int], None]


def save_moving_scene(
    scene: MovingScene,
    directory: Path,
    *,
    style: AvatarStyle | None = None,
    formats: Sequence[str] = DEFAULT_VIDEO_FORMATS,
    mode: Mode = "avatar",
    body_model: Path | None = None,
    tell: Tell | None = None,
    workers: int | Crew = 1,
) -> dict[str, Any]:
    """Write a scene's files into ``directory`` and return the report.

    Always ``viewer.html``, ``check.html`` with the worst frames, ``report.json`` and for each
    person ``person-N/body.json``; the other files as ``formats`` says, see docs/video.md.

    Args:
        scene: to write.
        directory: made when absent; files of the same names are replaced.
        style: rest pose, rig and names of the avatars.
        formats: names from ``VIDEO_FORMATS``.
        mode: meshes per frame are the posed avatar, or in ``frames`` what each frame shows, which
            is written as OBJ where no format of meshes is named.
        body_model: the user's own model file of SMPL, SMPL-H or SMPL-X; everyone's motion as its
            body is written into ``smpl.npz``.
        tell: told how far it is.
        workers: processes that share the work, or a crew of them.

    Raises:
        InputError: the place cannot be written, or a format is unknown.
        MissingExtraError: what a format needs is not installed.
    """
    check_video_formats(formats)
    if mode == "frames" and not set(SEQUENCES) & {*formats}:
        formats = (*formats, "obj")
    start = time.perf_counter()
    with crew_of(workers) as crew:
        previews, filming = _begun(scene, directory, formats, crew), Filming(scene, crew)
        checks = [check_motion(scene, mover) for mover in scene.people]
        entries = []
        for mover, measured in zip(scene.people, checks, strict=True):
            files = _save_person(scene, mover, directory, style, formats, body_model)
            _save_sequence(scene, mover, directory / f"person-{mover.id}", formats, mode, tell)
            entries.append(_person_entry(mover, measured, files))
        people = people_glb(scene, style)
        if "glb" in formats:
            write_bytes(directory / "people.glb", people)
        if "npz" in formats:
            write_motion_npz(scene, directory / "motion.npz")
            write_motion_json(scene, directory / "motion.json")
        write_check_page(scene, checks, directory / "check.html")
        write_motion_viewer(scene, people, filming.film(), directory / "viewer.html")
        if previews is not None:
            count = len(scene.numbers)
            previews.result(None if tell is None else lambda done: tell("preview", done, count))
    report = _report(scene, entries, time.perf_counter() - start)
    write_json(directory / "report.json", report)
    return report


def _begun(
    scene: MovingScene, directory: Path, formats: Sequence[str], crew: Crew
) -> Pending[None] | None:
    """The previews that are wanted, on their way."""
    paths = tuple(directory / f"preview.{kind}" for kind in ("webm", "mp4") if kind in formats)
    if not paths:
        return None
    # They do not show what was found in the frames, which is most of a scene.
    people = tuple(replace(mover, sightings=()) for mover in scene.people)
    return crew.submit(make_previews, Previews(replace(scene, people=people), paths))


def _save_person(
    scene: MovingScene,
    mover: Mover,
    directory: Path,
    style: AvatarStyle | None,
    formats: Sequence[str],
    body_model: Path | None,
) -> dict[str, str]:
    """Write one person's files but those per frame; returns their paths by use."""
    folder = directory / f"person-{mover.id}"
    files = {"body": write_json(folder / "body.json", describe_body(mover.body))}
    if "glb" in formats:
        files["avatar"] = write_bytes(folder / "avatar.glb", person_glb(scene, mover, style))
    if "bvh" in formats:
        files["bvh"] = write_text(folder / "motion.bvh", person_bvh(scene, mover, style))
    for name in ("usdz", "fbx"):
        if name in formats:
            avatar = animated_avatar(scene, mover, style, centred=True)
            files[name] = AVATAR_FORMATS[name].writer()(avatar, folder / f"avatar.{name}")
    if "csv" in formats:
        files["joints"] = write_joints_csv(scene, mover, folder / "joints.csv")
        files["angles"] = write_angles_csv(scene, mover, folder / "angles.csv")
    if body_model is not None:
        files["smpl"] = write_smpl_motion(scene, mover, body_model, folder / "smpl.npz")
    return {use: f"{folder.name}/{path.name}" for use, path in files.items()}


def _save_sequence(
    scene: MovingScene,
    mover: Mover,
    folder: Path,
    formats: Sequence[str],
    mode: Mode,
    tell: Tell | None,
) -> None:
    kinds = [name for name in SEQUENCES if name in formats]
    if not kinds:
        return
    textured = mover.avatar.mesh.texture is not None
    meshes = (
        clothed_surfaces(scene, mover, Options(texture=textured))
        if mode == "frames"
        else posed_surfaces(scene, mover)
    )
    count = len(mover.numbers)

    def counted() -> Iterator[tuple[int, Mesh]]:
        for done, item in enumerate(meshes, 1):
            yield item
            if tell is not None:
                tell("meshes", done, count)

    glb = mode == "frames" and "glb" in formats
    write_sequence(counted(), mover.motion.times_s.tolist(), folder / "frames", kinds, glb=glb)


def _person_entry(mover: Mover, checks: MotionChecks, files: dict[str, str]) -> dict[str, Any]:
    return {
        "id": mover.id,
        "height_m": round(mover.height_m, 4),
        "height_sd_m": round(mover.body.height_sd_m, 4),
        "first_frame": int(mover.numbers[0]),
        "last_frame": int(mover.numbers[-1]),
        "frames": len(mover.numbers),
        "frames_filled_in": int((~mover.seen).sum()),
        "avatar_frame": mover.avatar_frame,
        "avatar_view": mover.avatar_clip + 1,
        "checks": checks.report(),
        "warnings": list(mover.warnings),
        "files": files,
    }


def _report(scene: MovingScene, people: list[dict[str, Any]], files_s: float) -> dict[str, Any]:
    clip, camera = scene.clip, scene.camera
    return {
        "schema_version": SCHEMA_VERSION,
        "vitruvian": __version__,
        "clip": {
            "path": clip.label,
            "width": clip.width,
            "height": clip.height,
            "fps": round(clip.fps, 4),
            "every": clip.every,
            "frames": len(scene.numbers),
            "seconds": round(float(scene.times_s[-1] - scene.times_s[0]), 4),
        },
        "views": [one.label for one in (clip, *scene.others)],
        "camera": {
            "focal_px": round(camera.focal_px, 2),
            "focal_source": camera.source,
            "fov_deg": round(camera.fov_deg, 2),
            "moves": scene.turning is not None,
        },
        "people": people,
        "warnings": list(scene.warnings),
        "timings_s": {
            stage: round(seconds, 2)
            for stage, seconds in {**scene.timings_s, "files": files_s}.items()
        },
    }
