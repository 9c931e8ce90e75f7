"""``vitruvian blender-addon``: write the add-on for Blender."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitruvian.formats.atomic import write_bytes
from vitruvian.image.names import expanded

ADDON = Path(__file__).with_name("addon.py")


def blender_addon(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where the add-on goes.")
    ] = Path("vitruvian_blender.py"),
) -> int:
    """Write the add-on that imports people into Blender.

    It is one file for Blender 4.2 or newer: install it with Edit > Preferences > Add-ons > Install
    from Disk; then see File > Import.
    """
    write_bytes(expanded(output), ADDON.read_bytes())
    print(f"{output}: install it in Blender with Edit > Preferences > Add-ons > Install from Disk")
    return 0
