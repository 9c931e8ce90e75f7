"""``vitruvian photo``: photographs to folders of 3D people."""

from __future__ import annotations

import contextlib
import gc
from pathlib import Path
from typing import Annotated, Any

import typer

from vitruvian.commands.pictures import jobs_of, reconstruct_all
from vitruvian.compute import set_threads
from vitruvian.errors import InputError
from vitruvian.hints import merged, parse_hints, read_hints_file
from vitruvian.image.names import expanded
from vitruvian.options import (
    DEFAULTS,
    OPTIONS,
    Options,
    parse_formats,
    parse_keypoint_files,
    parse_millimetres,
)
from vitruvian.result.folder import open_folder


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
    accessories: Annotated[str, given("accessories")] = DEFAULTS["accessories"],
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
            None if hints is None else read_hints_file(expanded(hints)),
            parse_hints(height or (), sex or (), age or (), add_person or (), not_a_person or ()),
        ),
        fov_deg=fov,
        max_people=max_people,
        detail=detail,  # type: ignore[arg-type]  # checked there
        relief=relief,  # type: ignore[arg-type]  # likewise
        incomplete=incomplete,  # type: ignore[arg-type]  # and there, too
        accessories=accessories,  # type: ignore[arg-type]
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
    output = expanded(output)
    more = tuple(images[1:]) if same_person else ()
    jobs = jobs_of(images[:1] if same_person else images, output)
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
        return reconstruct_all(jobs, options, as_json, told, more)
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
    return expanded(encoder), expanded(decoder)
