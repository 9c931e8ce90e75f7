"""Moving scene to files: everything that ``vitruvian video`` leaves on disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vitruvian._version import __version__
from vitruvian.formats.atomic import write_bytes, write_json
from vitruvian.formats.rigging import AvatarStyle
from vitruvian.image.names import readable
from vitruvian.result.body_file import describe_body
from vitruvian.video.animated import people_glb, person_glb
from vitruvian.video.checking import MotionChecks, check_motion
from vitruvian.video.motion_files import (
    write_angles_csv,
    write_joints_csv,
    write_motion_json,
    write_motion_npz,
)
from vitruvian.video.preview import write_preview_video
from vitruvian.video.scene import Mover, MovingScene
from vitruvian.video.viewer import write_motion_viewer
from vitruvian.video.worst import write_check_page

SCHEMA_VERSION = 1


def save_moving_scene(
    scene: MovingScene,
    directory: Path,
    *,
    style: AvatarStyle | None = None,
    preview: bool = True,
    tell: Callable[[str, int, int], None] | None = None,
) -> dict[str, Any]:
    """Write a scene's files into ``directory`` and return the report.

    ``people.glb``, ``motion.npz``, ``motion.json``, ``preview.webm``, ``check.html`` with the worst
    frames, ``report.json``, and for each person a folder ``person-N`` with ``avatar.glb``,
    ``joints.csv``, ``angles.csv`` and ``body.json``.

    Args:
        scene: to write.
        directory: made when absent; files of the same names are replaced.
        style: rest pose, rig and names of the avatars.
        preview: write ``preview.webm``, too, which takes longest.
        tell: told how far it is.

    Raises:
        InputError: the place cannot be written.
    """
    start = time.perf_counter()
    checks = [check_motion(scene, mover) for mover in scene.people]
    entries = []
    for mover, measured in zip(scene.people, checks, strict=True):
        entries.append(_save_person(scene, mover, measured, directory, style))
    people = people_glb(scene, style)
    write_bytes(directory / "people.glb", people)
    write_motion_viewer(scene, people, directory / "viewer.html")
    write_motion_npz(scene, directory / "motion.npz")
    write_motion_json(scene, directory / "motion.json")
    write_check_page(scene, checks, directory / "check.html")
    if preview:
        write_preview_video(scene, directory / "preview.webm", tell)
    report = _report(scene, entries, time.perf_counter() - start)
    write_json(directory / "report.json", report)
    return report


def _save_person(
    scene: MovingScene,
    mover: Mover,
    checks: MotionChecks,
    directory: Path,
    style: AvatarStyle | None,
) -> dict[str, Any]:
    folder = directory / f"person-{mover.id}"
    files = {
        "avatar": write_bytes(folder / "avatar.glb", person_glb(scene, mover, style)),
        "joints": write_joints_csv(scene, mover, folder / "joints.csv"),
        "angles": write_angles_csv(scene, mover, folder / "angles.csv"),
        "body": write_json(folder / "body.json", describe_body(mover.body)),
    }
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
        "files": {use: f"{folder.name}/{path.name}" for use, path in files.items()},
    }


def _report(scene: MovingScene, people: list[dict[str, Any]], files_s: float) -> dict[str, Any]:
    clip, camera = scene.clip, scene.camera
    return {
        "schema_version": SCHEMA_VERSION,
        "vitruvian": __version__,
        "clip": {
            "path": readable(str(clip.path)),
            "width": clip.width,
            "height": clip.height,
            "fps": round(clip.fps, 4),
            "every": clip.every,
            "frames": len(scene.numbers),
            "seconds": round(float(scene.times_s[-1] - scene.times_s[0]), 4),
        },
        "views": [readable(str(one.path)) for one in (clip, *scene.others)],
        "camera": {
            "focal_px": round(camera.focal_px, 2),
            "focal_source": camera.source,
            "fov_deg": round(camera.fov_deg, 2),
            "moves": False,
        },
        "people": people,
        "warnings": list(scene.warnings),
        "timings_s": {
            stage: round(seconds, 2)
            for stage, seconds in {**scene.timings_s, "files": files_s}.items()
        },
    }
