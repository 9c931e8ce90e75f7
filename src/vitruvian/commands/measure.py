"""``vitruvian measure``: two pictures to a body's measures."""

from __future__ import annotations

import contextlib
import json
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer


def measure(
    front: Annotated[
        list[Path],
        typer.Option(
            "--front", metavar="FILE", help="Picture from the front, arms off; may be repeated."
        ),
    ],
    side: Annotated[
        list[Path],
        typer.Option(
            "--side", metavar="FILE", help="Picture of the left side; as often as --front."
        ),
    ],
    height: Annotated[
        str, typer.Option("--height", metavar="CM", help="Height without shoes: 172 or 5'8\".")
    ],
    weight: Annotated[
        str | None, typer.Option("--weight", metavar="KG", help="Weight: 68 or 150lb.")
    ] = None,
    sex: Annotated[
        str | None, typer.Option("--sex", metavar="SEX", help="Build: man or woman.")
    ] = None,
    age: Annotated[
        float | None, typer.Option("--age", metavar="YEARS", help="Age; children need it.")
    ] = None,
    clothes: Annotated[
        str | None,
        typer.Option("--clothes", metavar="KIND", help="Worn: underwear, tight or ordinary."),
    ] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")
    ] = Path("out"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as one line on stdout.")
    ] = False,
) -> None:
    """Measure somebody from a front and a side picture, or from two silhouettes."""
    from vitruvian.networks.ahead import MEASURING, load_ahead

    load_ahead(MEASURING)  # beside the imports below
    from vitruvian.anthropometry.subject import parse_height, parse_weight
    from vitruvian.pipeline.measuring import measure as measure_pictures
    from vitruvian.result.folder import open_folder
    from vitruvian.result.measures import save_measures

    told = parse_height(height), None if weight is None else parse_weight(weight)
    made = open_folder(output)
    try:
        measured = measure_pictures(
            front, side, height_cm=told[0], weight_kg=told[1], sex=sex, age=age, clothes=clothes
        )
        report = save_measures(measured, output)
    finally:
        if made:  # empty when nothing succeeded: then leave no trace
            with contextlib.suppress(OSError):
                output.rmdir()
    if as_json:
        typer.echo(json.dumps(report))
        return
    for one in report["measures"].values():
        band = f"{one['low_cm']:.1f} to {one['high_cm']:.1f}"
        typer.echo(f"{one['label']:22} {one['cm']:6.1f} cm   {band}{'' if one['sure'] else '  ?'}")
    for garment, sizes in groupby(report["sizes"], key=lambda one: (one["garment"], one["wearer"])):
        told_sizes = ", ".join(f"{one['system']} {one['size'] or 'outside'}" for one in sizes)
        typer.echo(f"{garment[0] + ', ' + garment[1]:28} {told_sizes}")
    for warning in report["warnings"]:
        typer.echo(warning, err=True)
    typer.echo(f"Written to {output}.", err=True)
