"""``vitruvian photo``: photographs to folders of 3D people."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vitruvian.commands.cli import INTERRUPTED, debugging, say
from vitruvian.commands.interrupts import interrupts
from vitruvian.commands.progress_lines import print_stage
from vitruvian.compute import set_threads
from vitruvian.errors import InputError, VitruvianError, WeightsError
from vitruvian.hints import merged, parse_hints, read_hints_file
from vitruvian.image.names import readable
from vitruvian.options import (
    DEFAULTS,
    OPTIONS,
    Options,
    parse_formats,
    parse_keypoint_files,
    parse_millimetres,
)
from vitruvian.result.folder import folder_names, open_folder

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass
class Tally:
    """How the pictures fared."""

    total: int
    done: int = 0
    exit_codes: set[int] = field(default_factory=set)
    said: set[str] = field(default_factory=set)


def given(name: str, *flags: str, more: str = "") -> Any:
    """The command line's side of an option of the reconstruction; ``more`` goes behind its help."""
    option = OPTIONS[name]
    help = option.help
    if option.least is not None and option.most is not None:
        help = f"{help.rstrip('.')}; {option.least:,} to {option.most:,}."
    metavar = option.metavar or ("|".join(option.choices) or None)
    return typer.Option(*(flags or option.flags), metavar=metavar, help=f"{help} {more}".strip())


def photo(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Photographs of people.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder for the results."),
    ] = Path("out"),
    height: Annotated[
        list[str] | None,
        given(
            "height_cm",
            more="Or N:CM for the person of that number in the report; may be given several times.",
        ),
    ] = DEFAULTS["height_cm"],
    sex: Annotated[
        list[str] | None,
        typer.Option(
            "--sex",
            metavar="[N:]SEX",
            help="Build of the largest person, or of person N: man, woman or neutral.",
        ),
    ] = None,
    age: Annotated[
        list[str] | None,
        typer.Option(
            "--age",
            metavar="[N:]AGE",
            help="Age of the largest person, or of person N: years, child or adult.",
        ),
    ] = None,
    add_person: Annotated[
        list[str] | None,
        typer.Option(
            "--add-person",
            metavar="X0,Y0,X1,Y1",
            help="Box in pixels around somebody who was missed; may be given several times.",
        ),
    ] = None,
    not_a_person: Annotated[
        list[str] | None,
        typer.Option(
            "--not-a-person",
            metavar="N",
            help="Number, or box, of what was taken for a person and is none; leave it out.",
        ),
    ] = None,
    hints: Annotated[
        Path | None,
        typer.Option(
            "--hints",
            metavar="FILE",
            help="JSON file with what you know of people; the options above count more.",
        ),
    ] = None,
    fov: Annotated[float | None, given("fov_deg")] = DEFAULTS["fov_deg"],
    max_people: Annotated[int | None, given("max_people")] = DEFAULTS["max_people"],
    detail: Annotated[str, given("detail")] = DEFAULTS["detail"],
    relief: Annotated[str, given("relief")] = DEFAULTS["relief"],
    incomplete: Annotated[str, given("incomplete")] = DEFAULTS["incomplete"],
    faces: Annotated[int, given("faces")] = DEFAULTS["faces"],
    texture: Annotated[bool, given("texture")] = DEFAULTS["texture"],
    albedo: Annotated[bool, given("albedo")] = DEFAULTS["albedo"],
    check: Annotated[bool, given("check")] = DEFAULTS["check"],
    formats: Annotated[str, given("formats")] = ",".join(DEFAULTS["formats"]),
    vertex_colors: Annotated[bool, given("vertex_colors")] = DEFAULTS["vertex_colors"],
    print_height: Annotated[str | None, given("print_height_mm")] = DEFAULTS["print_height_mm"],
    poses: Annotated[bool, given("poses")] = DEFAULTS["poses"],
    rest: Annotated[str, given("rest")] = DEFAULTS["rest"],
    rig: Annotated[str, given("rig")] = DEFAULTS["rig"],
    bone_names: Annotated[str, given("bone_names")] = DEFAULTS["bone_names"],
    clips: Annotated[bool, given("clips")] = DEFAULTS["clips"],
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one report per picture on stdout, one line each."),
    ] = False,
    told: Annotated[
        bool,
        typer.Option("--progress", help="Print each stage as it begins on stderr, as JSON."),
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
    sam_everything: Annotated[bool, given("sam_everything")] = DEFAULTS["sam_everything"],
    keypoints: Annotated[Path | None, given("keypoints")] = DEFAULTS["keypoints"],
    masks: Annotated[Path | None, given("masks")] = DEFAULTS["masks"],
    keypoint_files: Annotated[str | None, given("keypoint_files")] = DEFAULTS["keypoint_files"],
    body_model: Annotated[Path | None, given("body_model")] = DEFAULTS["body_model"],
    same_person: Annotated[
        bool,
        typer.Option(
            "--same-person",
            help="All pictures show one person, in each the largest: make one avatar of them, in "
            "the pose of the first.",
        ),
    ] = False,
) -> int:
    """Turn photographs into metric, textured 3D people.

    Writes DIR/NAME/ for each picture NAME: scene.glb, viewer.html, preview.png,
    report.json, and a folder for each person with meshes and a rigged avatar.
    """
    options = Options(
        hints=merged(
            None if hints is None else read_hints_file(hints.expanduser()),
            parse_hints(height or (), sex or (), age or (), add_person or (), not_a_person or ()),
        ),
        fov_deg=fov,
        max_people=max_people,
        detail=detail,  # type: ignore[arg-type]  # checked there
        relief=relief,  # type: ignore[arg-type]  # likewise
        incomplete=incomplete,  # type: ignore[arg-type]  # and there, too
        faces=faces,
        texture=texture,
        albedo=albedo,
        check=check,
        formats=parse_formats(formats),
        vertex_colors=vertex_colors,
        print_height_mm=None if print_height is None else parse_millimetres(print_height),
        poses=poses,
        rest=rest,  # type: ignore[arg-type]
        rig=rig,  # type: ignore[arg-type]
        bone_names=bone_names,  # type: ignore[arg-type]
        clips=clips,
        sam=_sam(sam_encoder, sam_decoder),
        sam_everything=sam_everything,
        keypoints=keypoints,
        masks=masks,
        keypoint_files=parse_keypoint_files(keypoint_files) if keypoint_files else None,
        body_model=body_model,
    )
    output = output.expanduser()
    more = tuple(images[1:]) if same_person else ()
    jobs = _jobs(images[:1] if same_person else images, output)
    made = open_folder(output)
    # What is imported and loaded at the start stays: to look through it for garbage, again and
    # again, would take a tenth of the time of a single picture.
    gc.disable()
    try:
        if threads is not None:
            set_threads(threads)
        from vitruvian.networks.ahead import load_ahead, needed

        load_ahead(needed(options.detail))  # beside the imports below: without the interpreter
        if options.sam is not None:
            from vitruvian.networks.sam import load_sam

            load_sam(*options.sam)  # a wrong file is told of once, not for every picture
        if options.body_model is not None:
            from vitruvian.exchange.registered import load_smpl

            load_smpl(options.body_model)  # likewise
        return _reconstruct_all(jobs, options, as_json, told, more)
    finally:
        gc.enable()
        if made:
            # Empty when nothing succeeded: then leave no trace.
            with contextlib.suppress(OSError):
                output.rmdir()


def _sam(encoder: Path | None, decoder: Path | None) -> tuple[Path, Path] | None:
    if encoder is None and decoder is None:
        return None
    if encoder is None or decoder is None:
        given, missing = ("decoder", "encoder") if encoder is None else ("encoder", "decoder")
        raise InputError(
            f"A SAM {given} alone cannot draw masks: give --sam-{missing}, too.", code="bad-option"
        )
    return encoder.expanduser(), decoder.expanduser()


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


def _reconstruct_all(
    jobs: list[tuple[str, Path]],
    options: Options,
    as_json: bool,
    told: bool,
    more: tuple[str, ...] = (),
) -> int:
    """Work through the pictures; a bad one does not stop the others.

    ``told`` says whether each stage is printed; ``more`` are further pictures of the person in
    the only one.
    """
    tally = Tally(len(jobs))
    with _progress(0 if told else len(jobs)) as progress, interrupts() as stop:
        task = progress.add_task("photos", total=len(jobs)) if progress else None
        try:
            for image, target in jobs:
                _reconstruct_one(image, target, options, more, as_json, told, tally, progress)
                gc.enable()
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
    image: str,
    target: Path,
    options: Options,
    more: tuple[str, ...],
    as_json: bool,
    told: bool,
    tally: Tally,
    progress: Progress | None,
) -> None:
    """Do one picture, and print what became of it."""
    from vitruvian.pipeline.photo import ASSUMED_LENS, NOBODY  # heavy: not for mere usage errors
    from vitruvian.pipeline.run import Job, run

    def tell(stage: str, person: int, people: int) -> None:
        print_stage(stage, person=person, people=people, image=readable(image))

    outcome = run(Job(image, target, options, same_person=more), tell if told else None)
    if outcome.error is not None:
        if debugging() or isinstance(outcome.error, WeightsError):
            raise outcome.error  # without its weights every other picture would fail, too
        tally.exit_codes.add(outcome.error.exit_code)
        _fail(image, outcome.error, as_json)
        return
    assert outcome.report is not None
    tally.done += 1
    report = outcome.report
    if outcome.replaced is not None:
        say(f"{image}: {target} held the result of {outcome.replaced} and was replaced.")
    if as_json:
        _print_json({"directory": str(target), **report}, progress)
        return
    count = len(report["people"])
    who = {0: "nobody", 1: "1 person"}.get(count, f"{count} people")
    left_out = len(report.get("left_out", ()))
    but = f" ({left_out} left out)" if left_out else ""
    _print(f"{target}: {who}{but}, {outcome.seconds:.1f} s", progress)
    for warning in report.get("warnings", ()):
        if warning in (ASSUMED_LENS, NOBODY):  # of a hundred pictures none may name its lens
            if warning in tally.said:
                continue
            tally.said.add(warning)
        say(f"{image}: {warning}")
    for person in report["people"]:
        for warning in person.get("warnings", ()):
            say(f"{image}, person {person['id']}: {warning}")
    causes: dict[str, list[str]] = {}
    for one in report.get("left_out", ()):
        causes.setdefault(one["sentence"], []).append(_place(one))
    for sentence, places in causes.items():
        say(f"{image}, {'; '.join(places)} left out: {sentence}")


def _place(left_out: dict[str, Any]) -> str:
    """Whom somebody who is left out was, or where."""
    if left_out["id"] is not None:
        return f"person {left_out['id']}"
    x0, y0, x1, y1 = (round(value) for value in left_out["box"])
    return f"box {x0},{y0},{x1},{y1}"


def _fail(image: str, error: VitruvianError, as_json: bool) -> None:
    say(str(error))
    if as_json:
        line = {"image": {"path": readable(image)}, "error": str(error), "code": error.code}
        _print_json(line, None)


def _print_json(value: dict[str, Any], progress: Progress | None) -> None:
    from vitruvian.formats.atomic import json_text

    # A terminal or pipe of another encoding still gets JSON.
    ascii_only = "utf" not in (sys.stdout.encoding or "utf-8").lower()
    _print(json_text(value, indent=None, ascii_only=ascii_only), progress)


def _print(line: str, progress: Progress | None) -> None:
    """A line on stdout, above the progress bar where both share the terminal."""
    encoding = sys.stdout.encoding or "utf-8"
    line = readable(line).encode(encoding, "backslashreplace").decode(encoding)
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
