"""``vitruvian photo``: photographs to folders of 3D people."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitruvian.commands.cli import INTERRUPTED, debugging, say
from vitruvian.commands.destination import (
    check_replaceable,
    complete_folder,
    folder_names,
    open_destination,
)
from vitruvian.compute import set_threads
from vitruvian.errors import InputError, VitruvianError, WeightsError

if TYPE_CHECKING:
    from rich.progress import Progress


class Detail(StrEnum):
    """How far the surface goes."""

    body = "body"
    clothed = "clothed"


@dataclass(frozen=True)
class Options:
    """What ``vitruvian photo`` was asked for, checked."""

    output: Path
    height_cm: float | None
    fov_deg: float | None
    max_people: int | None
    detail: Detail
    faces: int | None
    texture: bool
    albedo: bool
    check: bool
    formats: tuple[str, ...]
    vertex_colors: bool
    poses: bool
    as_json: bool
    sam: tuple[Path, Path] | None
    sam_everything: bool


@dataclass
class Tally:
    """How the pictures fared."""

    total: int
    done: int = 0
    exit_codes: set[int] = field(default_factory=set)
    said: set[str] = field(default_factory=set)


def photo(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Photographs of people.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder for the results."),
    ] = Path("out"),
    height: Annotated[
        float | None,
        typer.Option(
            "--height",
            metavar="CM",
            min=40,
            max=260,
            help="Stature of the largest person in the picture, in centimetres; fixes the scale.",
        ),
    ] = None,
    fov: Annotated[
        float | None,
        typer.Option(
            "--fov",
            metavar="DEG",
            min=1,
            max=170,
            help="Field of view across the longer side, in degrees; else from EXIF, or assumed.",
        ),
    ] = None,
    max_people: Annotated[
        int | None,
        typer.Option("--max-people", metavar="N", min=1, help="Keep only the N largest people."),
    ] = None,
    detail: Annotated[
        Detail,
        typer.Option("--detail", help="Stop at the body under the clothes, or go on to them."),
    ] = Detail.clothed,
    faces: Annotated[
        int | None,
        typer.Option(
            "--faces",
            metavar="N",
            min=2_000,
            max=200_000,
            help="About how many faces each clothed mesh may have; more is finer and slower.",
        ),
    ] = None,
    texture: Annotated[
        bool, typer.Option("--texture/--no-texture", help="Colour the meshes from the picture.")
    ] = True,
    albedo: Annotated[
        bool,
        typer.Option("--albedo", help="Take the light out of the colours, for relighting."),
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check/--no-check", help="Render the result over the picture and compare."),
    ] = True,
    formats: Annotated[
        str,
        typer.Option(
            "--formats", metavar="LIST", help="Mesh formats: obj, glb, ply, stl, with commas."
        ),
    ] = "obj,glb",
    vertex_colors: Annotated[
        bool,
        typer.Option(
            "--vertex-colors",
            help="Colours at the vertices of OBJ meshes, too; PLY has them.",
        ),
    ] = False,
    poses: Annotated[
        bool,
        typer.Option(
            "--poses", help="Also draw everyone in other poses, to see the rig at work: poses.png."
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one report per picture on stdout, one line each."),
    ] = False,
    threads: Annotated[
        int | None,
        typer.Option(
            "--threads", metavar="N", min=1, help="Processor threads to use; else up to four."
        ),
    ] = None,
    sam_encoder: Annotated[
        Path | None,
        typer.Option(
            "--sam-encoder",
            metavar="FILE",
            envvar="VITRUVIAN_SAM_ENCODER",
            show_envvar=False,
            help="ONNX file of your own SAM image encoder, to draw the masks.",
        ),
    ] = None,
    sam_decoder: Annotated[
        Path | None,
        typer.Option(
            "--sam-decoder",
            metavar="FILE",
            envvar="VITRUVIAN_SAM_DECODER",
            show_envvar=False,
            help="ONNX file of the mask decoder that goes with it.",
        ),
    ] = None,
    sam_everything: Annotated[
        bool,
        typer.Option(
            "--sam-everything", help="Let SAM also look for whole people that the detectors miss."
        ),
    ] = False,
) -> int:
    """Turn photographs into metric, textured 3D people.

    Writes DIR/NAME/ for each picture NAME: scene.glb, viewer.html, preview.png,
    report.json, and a folder for each person with meshes and a rigged avatar.
    """
    if albedo and not texture:
        raise InputError("--albedo is of the texture: leave out --no-texture.")
    options = Options(
        output=output.expanduser(),
        height_cm=height,
        fov_deg=fov,
        max_people=max_people,
        detail=detail,
        faces=faces,
        texture=texture,
        albedo=albedo,
        check=check,
        formats=_formats(formats),
        vertex_colors=vertex_colors,
        poses=poses,
        as_json=as_json,
        sam=_sam(sam_encoder, sam_decoder, sam_everything),
        sam_everything=sam_everything,
    )
    jobs = _jobs(images, options.output)
    made = open_destination(options.output)
    try:
        if threads is not None:
            set_threads(threads)
        # Beside the imports below: networks load without the interpreter. Not a daemon, because
        # a process must not end while the runtime is at work.
        threading.Thread(target=_load_networks).start()
        if options.sam is not None:
            from vitruvian.networks.sam import load_sam

            load_sam(*options.sam)  # a wrong file is told of once, not for every picture
        return _reconstruct_all(jobs, options)
    finally:
        if made:
            # Empty when nothing succeeded: then leave no trace.
            with contextlib.suppress(OSError):
                options.output.rmdir()


def _formats(text: str) -> tuple[str, ...]:
    from vitruvian.formats import WRITERS

    known = [suffix.removeprefix(".") for suffix in WRITERS]
    wanted = [part.strip().lower().removeprefix(".") for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in known]
    if unknown or not wanted:
        what = unknown[0] if unknown else text
        raise InputError(f"There is no mesh format {what!r}; choose from {', '.join(known)}.")
    return tuple(dict.fromkeys(wanted))


def _sam(encoder: Path | None, decoder: Path | None, everything: bool) -> tuple[Path, Path] | None:
    if encoder is None and decoder is None:
        if everything:
            raise InputError(
                "--sam-everything needs SAM networks: give --sam-encoder and --sam-decoder."
            )
        return None
    if encoder is None or decoder is None:
        given, missing = ("decoder", "encoder") if encoder is None else ("encoder", "decoder")
        raise InputError(f"A SAM {given} alone cannot draw masks: give --sam-{missing}, too.")
    return encoder.expanduser(), decoder.expanduser()


def _load_networks() -> None:
    from vitruvian.networks import warm_up

    # Weights that cannot be read are reported by whoever needs them.
    with contextlib.suppress(WeightsError):
        warm_up("movenet_multipose", "blazepose_heavy")


def _jobs(images: list[str], output: Path) -> list[tuple[str, Path]]:
    """Each picture as the user wrote it, with its result's folder; repeated pictures once."""
    unique: dict[Path, str] = {}
    for image in images:
        unique.setdefault(Path(image).expanduser().absolute(), image)
    ordered = list(unique.values())
    names = folder_names(Path(image) for image in ordered)
    for image, name in zip(ordered, names, strict=True):
        if name != (Path(image).stem or "photo"):
            say(f"{image}: its result goes to {output / name}, because another has its name.")
    return [(image, output / name) for image, name in zip(ordered, names, strict=True)]


def _reconstruct_all(jobs: list[tuple[str, Path]], options: Options) -> int:
    """Work through the pictures; a bad one does not stop the others."""
    tally = Tally(len(jobs))
    with _progress(len(jobs)) as progress, _interrupts() as stop:
        task = progress.add_task("photos", total=len(jobs)) if progress else None
        try:
            for image, target in jobs:
                _reconstruct_one(image, target, options, tally, progress)
                if progress and task is not None:
                    progress.advance(task)
                if stop.is_set():
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            say(f"Stopped: {tally.done} of {tally.total} pictures are finished and kept.")
            return INTERRUPTED
    if not tally.exit_codes:
        return 0
    return tally.exit_codes.pop() if len(tally.exit_codes) == 1 else InputError.exit_code


def _reconstruct_one(
    image: str, target: Path, options: Options, tally: Tally, progress: Progress | None
) -> None:
    start = time.perf_counter()
    try:
        report = _reconstruct(image, target, options)
    except WeightsError:
        raise  # every other picture would fail the same way
    except VitruvianError as error:
        if debugging():
            raise
        tally.exit_codes.add(error.exit_code)
        _fail(image, str(error), options)
        return
    except Exception as error:  # our own mistake: the other pictures still deserve their turn
        if debugging():
            raise
        reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
        tally.exit_codes.add(VitruvianError.exit_code)
        _fail(
            image,
            f"{image} failed unexpectedly ({reason}): set VITRUVIAN_DEBUG=1 and report what it "
            "then prints.",
            options,
        )
        return
    tally.done += 1
    if options.as_json:
        _print(_json_line({"directory": str(target), **report}), progress)
        return
    count = len(report["people"])
    who = {0: "nobody", 1: "1 person"}.get(count, f"{count} people")
    _print(f"{target}: {who}, {time.perf_counter() - start:.1f} s", progress)
    for warning in report.get("warnings", ()):
        if warning not in tally.said:  # of a hundred pictures none may name its lens
            tally.said.add(warning)
            say(f"{image}: {warning}")
    for person in report["people"]:
        for warning in person.get("warnings", ()):
            say(f"{image}, person {person['id']}: {warning}")


def _reconstruct(image: str, target: Path, options: Options) -> dict[str, Any]:
    """Reconstruct one picture into ``target`` and return its report."""
    earlier = check_replaceable(target)
    from vitruvian.pipeline import (
        photo as pipeline,  # loads the networks' runtime: not for mere usage errors
    )

    scene = pipeline.reconstruct(
        image,
        height_cm=options.height_cm,
        fov_deg=options.fov_deg,
        max_people=options.max_people,
        detail=options.detail.value,
        faces=options.faces,
        texture=options.texture,
        albedo=options.albedo,
        check=options.check,
        sam=options.sam,
        sam_everything=options.sam_everything,
    )
    with complete_folder(target) as folder:
        report = scene.save(
            folder,
            formats=options.formats,
            poses=options.poses,
            vertex_colors=options.vertex_colors,
        )
    if earlier is not None and Path(earlier).name != Path(image).name:
        say(f"{image}: {target} held the result of {earlier} and was replaced.")
    return report


def _fail(image: str, sentence: str, options: Options) -> None:
    say(sentence)
    if options.as_json:
        _print(_json_line({"image": {"path": image}, "error": sentence}), None)


def _json_line(value: dict[str, Any]) -> str:
    from vitruvian.formats.atomic import json_text

    return json_text(value, indent=None)


def _print(line: str, progress: Progress | None) -> None:
    """A line on stdout, above the progress bar where both share the terminal."""
    if progress is not None and sys.stdout.isatty():
        progress.console.out(line, highlight=False)
    else:
        print(line, flush=True)


@contextmanager
def _progress(total: int) -> Iterator[Progress | None]:
    """A bar on stderr for several pictures on a terminal, else nothing."""
    if total < 2 or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    # stdout stays untouched: it may carry JSON to another program while stderr is a terminal.
    console = Console(stderr=True)
    with Progress(
        *columns,
        console=console,
        redirect_stdout=False,
        transient=True,
        speed_estimate_period=600,  # a crowded picture takes longer than the default looks back
    ) as progress:
        yield progress


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Let Ctrl-C and a request to terminate stop the work in the same way.

    Both raise KeyboardInterrupt at once. Where compiled code or a finaliser happens to call back
    into Python just then, the exception is printed and lost: the event remembers it.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def interrupt(*_: object) -> None:
        stop.set()
        raise KeyboardInterrupt

    # Whoever started the program in the background may have had it ignore Ctrl-C.
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        numbers.append(signal.SIGINT)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
