"""``vitruvian serve``: the page and the API on one address."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitruvian.errors import InputError, MissingExtraError


def serve(
    host: Annotated[
        str | None,
        typer.Option(help="Address to listen on; 0.0.0.0 for every interface. Else 127.0.0.1."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port to listen on, 0 for a free one. Else 8000."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the database and the files. Else ~/.local/share/vitruvian.",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=-1, help="Processes that reconstruct. Else half the CPUs."),
    ] = None,
) -> int:
    """Start the web page and the API.

    Nothing needs to be configured; docs/server.md lists what can be.
    """
    try:
        from vitruvian.server.running import run
        from vitruvian.server.settings import load_settings
    except ImportError as error:
        if (error.name or "").startswith("vitruvian"):
            raise
        raise MissingExtraError(
            f"The server needs {error.name}; run pip install 'vitruvian[server]'."
        ) from None
    settings = load_settings(
        host=host, port=port, data=None if data is None else str(data), workers=workers
    )
    if settings.worker_count == 0 and not settings.database_url:
        raise InputError(
            "A server without workers needs a database that it shares with one that has some; "
            "set VITRUVIAN_SERVER_DATABASE_URL."
        )
    return run(settings)
