"""``vitruvian convert``: our bodies as bodies of the user's own model file, and theirs as ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, cast

import typer

from vitruvian.errors import InputError
from vitruvian.image.names import expanded, readable
from vitruvian.options import OPTIONS


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="body.json or motion.npz of a result, or parameters of the model's own, .npz.",
        ),
    ],
    body_model: Annotated[
        Path, typer.Option("--body-model", metavar="FILE", help=OPTIONS["body_model"].help)
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")
    ] = Path("out"),
    frame: Annotated[
        str,
        typer.Option(
            "--frame",
            metavar="camera|world",
            help="Axes of parameters that are read: y down (camera), or y up (world).",
        ),
    ] = "camera",
) -> None:
    """Convert bodies to and from your own model file of SMPL, SMPL-H or SMPL-X.

    From body.json or motion.npz to smpl.npz, one for each person; from parameters to body.json,
    body.obj and, of several times, motion.npz.
    """
    if frame not in ("camera", "world"):
        raise InputError(f"{frame!r} is no frame: give camera or world.", code="bad-option")
    from vitruvian.exchange.registered import load_smpl
    from vitruvian.result.conversion import convert_file

    other = load_smpl(body_model)
    chosen = cast(Literal["camera", "world"], frame)
    for path, error_m in convert_file(expanded(source), other, expanded(output), chosen):
        away = "" if error_m is None else f" (mean distance {error_m * 1000:.1f} mm)"
        typer.echo(f"{readable(str(path))}{away}")
