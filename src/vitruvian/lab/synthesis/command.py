"""The command ``vitruvian synth``."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from vitruvian.errors import InputError
from vitruvian.lab.synthesis.assets import ASSETS_VARIABLE, find_assets


def synth(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the shards.")],
    count: Annotated[int, typer.Option("--count", min=1, help="How many samples.")] = 64,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bytes.")] = 0,
    size: Annotated[
        int, typer.Option("--size", min=64, max=2048, help="Side length of the pictures, pixels.")
    ] = 512,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes.")] = 1,
    assets: Annotated[
        Path | None,
        typer.Option("--assets", help=f"MakeHuman's assets; else {ASSETS_VARIABLE}."),
    ] = None,
    backgrounds: Annotated[
        Path | None,
        typer.Option(
            "--backgrounds",
            help="Folder of your photographs to put behind people; choose some without people.",
        ),
    ] = None,
    background_share: Annotated[
        float,
        typer.Option(
            "--background-share",
            min=0.0,
            max=1.0,
            help="Share of the samples that get a photograph.",
        ),
    ] = 0.5,
    preview: Annotated[
        bool, typer.Option("--preview", help="Also write preview.png, a labelled contact sheet.")
    ] = False,
    meshes: Annotated[
        bool, typer.Option("--meshes", help="Also store the clothed mesh of every subject.")
    ] = False,
    silhouettes: Annotated[
        bool,
        typer.Option(
            "--silhouettes",
            help="Make front and side silhouettes in an A-pose instead.",
        ),
    ] = False,
    groups: Annotated[
        bool,
        typer.Option(
            "--groups", help="Make whole pictures of groups with the depth of everything instead."
        ),
    ] = False,
    video: Annotated[
        bool,
        typer.Option(
            "--video", help="Make clips of people in motion with the truth of every frame instead."
        ),
    ] = False,
    frames: Annotated[
        int, typer.Option("--frames", min=4, max=3000, help="Length of a clip, 30 a second.")
    ] = 60,
    people: Annotated[
        int,
        typer.Option(
            "--people", min=1, max=6, help="In a clip; several cross and hide each other."
        ),
    ] = 1,
    plot: Annotated[
        bool,
        typer.Option(
            "--plot", help="Only write statistics.png: the distributions of the data set."
        ),
    ] = False,
) -> None:
    """Make labelled pictures of synthetic people, for training and testing."""
    asked = {"silhouettes": silhouettes, "groups": groups, "video": video}
    instead = [name for name, wanted in asked.items() if wanted]
    if instead and (meshes or preview or plot or backgrounds is not None):
        raise InputError(
            f"--{instead[0]} cannot be combined with --meshes, --preview, --plot, --backgrounds: "
            "leave them out."
        )
    if len(instead) > 1:
        raise InputError(f"--{instead[0]} and --{instead[1]} exclude each other: leave one out.")
    library = find_assets(assets)
    if plot:
        from vitruvian.lab.synthesis.statistics import plot_statistics

        typer.echo(plot_statistics(output, seed, count, library))
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from vitruvian.lab.synthesis.anatomy import anatomy
    from vitruvian.lab.synthesis.photographs import Backgrounds
    from vitruvian.lab.synthesis.shards import DatasetPlan, Kind, read_dataset, write_dataset

    behind = None if backgrounds is None else Backgrounds(backgrounds.resolve(), background_share)
    if behind is not None:
        behind.paths  # noqa: B018  an empty folder is reported before anything is drawn
    # Workers share the cores: one thread each.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    console = Console()
    anatomy()  # baked once, before several workers would
    columns = (
        TextColumn("frames" if video else "samples"), BarColumn(), MofNCompleteColumn(),
        TimeRemainingColumn(),
    )  # fmt: skip
    if video:
        from vitruvian.lab.synthesis.crossings import write_crossings
        from vitruvian.lab.synthesis.sequence_files import write_sequences

        with Progress(*columns, console=console) as progress:
            task = progress.add_task("frames", total=count * frames)
            for done in (
                write_sequences(output, seed, count, frames, size, library)
                if people == 1
                else write_crossings(output, seed, count, people, frames, size, library)
            ):
                progress.advance(task, done)
        console.print(f"{count} clips of {frames} frames in {output}")
        return
    kind: Kind = "silhouettes" if silhouettes else "groups" if groups else "samples"
    plan = DatasetPlan(seed, count, size, behind, meshes, kind)
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("samples", total=count)
        for done in write_dataset(output, plan, library, workers):
            progress.advance(task, done)
    if preview:
        import cv2

        from vitruvian.lab.synthesis.preview import contact_sheet

        sheet = contact_sheet(list(islice(read_dataset(output), 12)))
        temporary = output / ".preview.png"
        cv2.imwrite(str(temporary), sheet[..., ::-1])
        os.replace(temporary, output / "preview.png")
    console.print(f"{count} samples of {size} x {size} in {output}")
