"""The command ``vitruvian train``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from vitruvian.compute.threads import available_processors
from vitruvian.errors import InputError, MissingExtraError
from vitruvian.lab.synthesis.assets import ASSETS_VARIABLE


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="What to train: maps, relief, measuring, cues, depth, field or fourier."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the run; default: training/RECIPE."),
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            "--data", help="Folder of shards, live (make samples while training), or auto."
        ),
    ] = "auto",
    observed: Annotated[
        Path | None,
        typer.Option("--observed", help="Folder with what the pipeline saw of the shards."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=0, help="Stop after this time; default: the whole schedule."),
    ] = None,
    device: Annotated[
        Literal["auto", "cpu", "cuda"], typer.Option("--device", help="Where to train.")
    ] = "auto",
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Continue from the checkpoint, or start over.")
    ] = True,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=0, help="Processes that prepare data; default: all processors but 1."
        ),
    ] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, help="Samples per step; default: the recipe's.")
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option("--samples", min=1, help="Samples to see over the whole schedule."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed for order and augmentation.")
    ] = 0,
    size: Annotated[
        int,
        typer.Option("--size", min=128, max=1024, help="Side length of samples made live, pixels."),
    ] = 320,
    crop: Annotated[
        int | None,
        typer.Option(
            "--crop", min=64, help="Side length of the network's input; default: the recipe's."
        ),
    ] = None,
    assets: Annotated[
        Path | None,
        typer.Option("--assets", help=f"MakeHuman's assets; else {ASSETS_VARIABLE}."),
    ] = None,
    backgrounds: Annotated[
        Path | None,
        typer.Option("--backgrounds", help="Folder of photographs to put behind people."),
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="Write the ONNX file and its model card at the end.")
    ] = False,
    compact: Annotated[
        bool, typer.Option("--compact", help="Also write compact.pt, a small checkpoint to carry.")
    ] = False,
) -> None:
    """Train one of our own networks on synthetic people."""
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError(
            "Training needs torch: install it with pip install 'vitruvian[train]'."
        ) from error
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from vitruvian.lab.training import export as exporting
    from vitruvian.lab.training import loop
    from vitruvian.lab.training.recipe import DataOptions, recipe_named

    chosen = recipe_named(recipe)
    where = _device(device)
    folder = output or Path("training") / recipe
    if workers is None:
        workers = max(1, available_processors() - 1)
    # Processes share the cores: one thread each.
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, torch.get_num_threads())))
    options = DataOptions(
        shards=_shards(data),
        observed=observed,
        seed=seed,
        workers=workers,
        assets=assets,
        backgrounds=None if backgrounds is None else backgrounds.resolve(),
        device=torch.device(where),
        size=size,
        crop=crop,
    )
    run = loop.RunOptions(
        folder=folder,
        minutes=minutes,
        resume=resume,
        batch=batch,
        samples=samples,
        compact=compact,
    )
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=console, refresh_per_second=2) as progress:
        task = progress.add_task(recipe, total=None, note="preparing")

        def report(now: loop.Progress) -> None:
            losses = " ".join(f"{name} {value:.3f}" for name, value in now.losses.items())
            progress.update(
                task,
                total=now.planned,
                completed=now.samples_seen,
                note=f"{now.samples_seen:,} of {now.planned:,}  {now.rate:.1f}/s  "
                f"{_clock(now.seconds_left)} left  {losses}",
            )

        trained = loop.train(chosen, options, run, report)
    state = trained.checkpoint
    console.print(
        f"{'Stopped' if trained.stopped else 'Trained'}: {state.samples_seen:,} of "
        f"{state.planned:,} samples, {state.seconds / 60:.1f} minutes in all, in {folder}"
    )
    for name, value in trained.metrics.items():
        console.print(f"  {name:24} {value:.4g}")
    if export:
        written = exporting.export(chosen, state, folder, trained.metrics)
        console.print(f"{written.path}  sha256 {written.sha256}")


def _device(wanted: str) -> str:
    import torch

    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("There is no CUDA device here: train with --device cpu.")
    return wanted


def _shards(data: str) -> Path | None:
    """The folder of shards; None for samples made live."""
    if data in ("auto", "live", "none"):
        default = Path("data") / "shards"
        return default if data == "auto" and any(default.glob("synth-*.tar")) else None
    folder = Path(data)
    if not folder.is_dir():
        raise InputError(
            f"There is no folder {data}: write shards with vitruvian synth, or give --data live."
        )
    return folder


def _clock(seconds: float) -> str:
    total = int(min(seconds, 359999))
    return f"{total // 3600}:{total // 60 % 60:02}:{total % 60:02}"
