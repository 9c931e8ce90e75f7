"""``vitruvian warm-up``: compile what the first picture would have to wait for."""

from __future__ import annotations

import time

import typer

from vitruvian.commands.cli import say


def warm_up() -> int:
    """Prepare compiled code ahead of the first picture, for images of containers.

    Prints how much was compiled and where it is kept.
    """
    from vitruvian.commands.diagnosis import product_kernels
    from vitruvian.compute.cache import kept_in
    from vitruvian.compute.preparation import Preparation

    start = time.perf_counter()
    kernels = product_kernels()
    compiled = Preparation(kernels, say).start().wait().compiled
    folder = kept_in()
    typer.echo(
        f"{compiled} of {len(kernels)} loops compiled in {time.perf_counter() - start:.1f} s, "
        + (f"kept in {folder}." if folder else "not kept.")
    )
    return 0 if folder else 1
