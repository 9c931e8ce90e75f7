"""``vitruvian video``: a clip to a folder of animated 3D people."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitruvian.commands.cli import INTERRUPTED, say
from vitruvian.commands.photo import given
from vitruvian.commands.stage_bars import Tell, stage_bars
from vitruvian.compute import set_threads, thread_count
from vitruvian.errors import InputError
from vitruvian.image.names import expanded
from vitruvian.options import DEFAULTS, Options
from vitruvian.result.folder import check_replaceable, complete_folder, open_folder
from vitruvian.video.corrections import parse_same
from vitruvian.video.formats import (
    BODIES_FORMATS,
    DEFAULT_VIDEO_FORMATS,
    VIDEO_FORMATS,
    parse_video_formats,
)

if TYPE_CHECKING:
    from vitruvian.video.unfinished import Unfinished

UNFINISHED = ".unfinished"  # beside the results: parts of work that was stopped
_RECORDED_S = 10.0


def video(
    clips: Annotated[
        list[str],
        typer.Argument(
            metavar="CLIP...", help="Video, animated picture, folder of frames, or webcam:0."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder for the results."),
    ] = Path("out"),
    views: Annotated[
        bool,
        typer.Option("--views", help="The clips show one scene at the same time; with --cameras."),
    ] = False,
    cameras: Annotated[
        Path | None,
        typer.Option(
            "--cameras",
            metavar="FILE",
            help="Calibration of the cameras, TOML (as of Pose2Sim) or JSON; clips are named as "
            "they are.",
        ),
    ] = None,
    start: Annotated[
        float, typer.Option("--from", metavar="S", min=0, help="Second to begin at.")
    ] = 0.0,
    end: Annotated[
        float | None, typer.Option("--to", metavar="S", min=0, help="Second to end at.")
    ] = None,
    every: Annotated[
        int | None,
        typer.Option(
            "--every", metavar="N", min=1, help="Use every how many frames; else 30 a second."
        ),
    ] = None,
    recorded_s: Annotated[
        float | None,
        typer.Option("--for", metavar="S", help="Seconds to record of webcam:0; else 10."),
    ] = None,
    height: Annotated[
        float | None,
        typer.Option(
            "--height",
            metavar="CM",
            help="Stature of the person who is seen most, in centimetres; fixes the scale.",
        ),
    ] = DEFAULTS["height_cm"],
    fov: Annotated[float | None, given("fov_deg")] = DEFAULTS["fov_deg"],
    max_people: Annotated[int | None, given("max_people")] = DEFAULTS["max_people"],
    same: Annotated[
        list[str] | None,
        typer.Option(
            "--same",
            metavar="N,M",
            help="Numbers of people in an earlier result who are one person; may be repeated.",
        ),
    ] = None,
    apart: Annotated[
        list[int] | None,
        typer.Option(
            "--apart",
            metavar="N",
            help="Number of somebody in an earlier result who is another one each time that they "
            "come back; may be repeated.",
        ),
    ] = None,
    texture: Annotated[bool, given("texture")] = DEFAULTS["texture"],
    rest: Annotated[str, given("rest")] = DEFAULTS["rest"],
    rig: Annotated[str, given("rig")] = DEFAULTS["rig"],
    bone_names: Annotated[str, given("bone_names")] = DEFAULTS["bone_names"],
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            metavar="MODE",
            help="avatar: one for each person, which moves; bodies: without clothes and colours, "
            "quicker; frames: also a clothed mesh per frame.",
        ),
    ] = "avatar",
    formats: Annotated[
        str | None,
        typer.Option(
            "--formats",
            metavar="LIST",
            help=f"With commas, of {', '.join(VIDEO_FORMATS)}; else "
            f"{','.join(DEFAULT_VIDEO_FORMATS)}, of bodies without the preview.",
        ),
    ] = None,
    keypoints: Annotated[
        Path | None,
        typer.Option(
            "--keypoints",
            metavar="PATH",
            help="Keypoints in place of our own: a folder with a file of OpenPose or BlazePose for "
            "each frame, or COCO's annotations of all (JSON).",
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            "--masks",
            metavar="PATH",
            help="Masks in place of our own: a folder with a label map (PNG) for each frame, or "
            "COCO's annotations of all (JSON).",
        ),
    ] = None,
    body_model: Annotated[Path | None, given("body_model")] = DEFAULTS["body_model"],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report on stdout, in one line.")
    ] = False,
    told: Annotated[
        bool,
        typer.Option("--progress", help="Print each step on stderr, as a line of JSON."),
    ] = False,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads", metavar="N", min=1, help="Processor threads to use; else up to four."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            metavar="N",
            min=1,
            help="Processes that share the work; else one for each thread.",
        ),
    ] = None,
) -> int:
    """Turn a video, or several of calibrated cameras, into animated, metric 3D people.

    Writes DIR/NAME/ for the (first) clip NAME: viewer.html, check.html, report.json, a folder for
    each person, and what --formats says: people.glb with everyone in motion, preview.webm,
    motion.npz, animated avatars, meshes per frame, tables of joints and angles.
    """
    # What the options may be is checked before any heavy work.
    options = Options(rest=rest, rig=rig, bone_names=bone_names, max_people=max_people)  # type: ignore[arg-type]
    if len(clips) > 1 and not views:
        raise InputError(
            f"{len(clips)} clips are given: one at a time, or --views where they show one scene.",
            code="bad-option",
        )
    joined = parse_same(same or ())
    webcam = _webcam_of(clips, recorded_s)
    if mode not in ("avatar", "bodies", "frames"):
        raise InputError(f"{mode!r} is no mode: give avatar, bodies or frames.", code="bad-option")
    usual = BODIES_FORMATS if mode == "bodies" else DEFAULT_VIDEO_FORMATS
    wanted = usual if formats is None else parse_video_formats(formats)
    if body_model is not None:
        from vitruvian.exchange.registered import load_smpl

        load_smpl(body_model)  # a wrong file is told of before any work
    output = expanded(output)
    if threads is not None:
        set_threads(threads)
    from vitruvian.compute.processes import Crew
    from vitruvian.formats.rigging import AvatarStyle
    from vitruvian.video.files import save_moving_scene
    from vitruvian.video.run import reconstruct_video
    from vitruvian.video.unfinished import Unfinished

    made = open_folder(output)
    began = time.perf_counter()
    unfinished = Unfinished(output / UNFINISHED)
    try:
        with (
            unfinished,
            stage_bars(told) as tell,
            Crew(workers or thread_count()) as crew,
        ):
            if webcam is not None:
                clips = [str(_recorded(webcam, output, recorded_s or _RECORDED_S, tell))]
            scene = reconstruct_video(
                clips,
                cameras=cameras,
                start_s=start,
                end_s=end,
                every=every,
                height_cm=height,
                fov_deg=fov,
                max_people=max_people,
                same=joined,
                apart=apart or (),
                texture=texture,
                bodies=mode == "bodies",
                keypoints=keypoints,
                masks=masks,
                progress=tell,
                unfinished=unfinished,
                workers=crew,
            )
            target = output / (scene.clip.name or "clip")
            check_replaceable(target)
            style = AvatarStyle(options.rest, options.rig, options.bone_names)
            with complete_folder(target) as folder:
                report = save_moving_scene(
                    scene,
                    folder,
                    style=style,
                    formats=wanted,
                    mode="frames" if mode == "frames" else "avatar",
                    body_model=body_model,
                    tell=tell,
                    workers=crew,
                )
    except KeyboardInterrupt:
        say(_stopped(unfinished, webcam, clips))
        return INTERRUPTED
    finally:
        if made:  # empty when nothing succeeded: then leave no trace
            with contextlib.suppress(OSError):
                output.rmdir()
    if as_json:
        from vitruvian.formats.atomic import json_text

        print(json_text({"directory": str(target), **report}, indent=None, ascii_only=True))
        return 0
    count, frames = len(report["people"]), report["clip"]["frames"]
    who = "1 person" if count == 1 else f"{count} people"
    seconds = time.perf_counter() - began
    print(f"{target}: {who}, {frames} frames, {seconds:.0f} s ({frames / seconds:.1f} frames/s)")
    for warning in report["warnings"]:
        say(f"{clips[0]}: {warning}")
    for person in report["people"]:
        for warning in person["warnings"]:
            say(f"{clips[0]}, person {person['id']}: {warning}")
    return 0


def _stopped(unfinished: Unfinished, webcam: str | None, clips: list[str]) -> str:
    """What the next command does, for whoever stopped this one."""
    if not unfinished.kept:
        return "Stopped before anything was kept: the same command begins anew."
    if webcam is not None:
        return f"Stopped: with {clips[0]} in place of {webcam} the command goes on from here."
    return "Stopped: the same command goes on from here."


def _webcam_of(clips: list[str], seconds: float | None) -> str | None:
    """The camera that is asked for in place of a clip, if one is."""
    from vitruvian.video.webcam import check_webcam, is_webcam

    cameras = [clip for clip in clips if is_webcam(clip)]
    if not cameras:
        if seconds is not None:
            raise InputError(
                "--for says how long a camera is recorded: give webcam:0, or --to for a clip.",
                code="bad-option",
            )
        return None
    if len(clips) > 1:
        raise InputError("Give a camera by itself: webcam:0 and no clip.", code="bad-option")
    check_webcam(cameras[0], _RECORDED_S if seconds is None else seconds)
    return cameras[0]


def _recorded(source: str, output: Path, seconds: float, tell: Tell | None) -> Path:
    """What a camera shows for so long, in a film beside the results."""
    from vitruvian.video.webcam import record_webcam

    say(f"Recording {seconds:g} s of {source}: step back until head and feet are in the picture.")
    path = record_webcam(source, output, seconds, tell)
    say(f"Recorded {path}: give it in place of {source} to use it again.")
    return path
