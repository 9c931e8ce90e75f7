"""``vitruvian doctor``: is this installation sound?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

_MARKS = {"ok": "ok", "absent": "--", "failed": "FAILED"}


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the checks as one JSON array on stdout.")
    ] = False,
) -> int:
    """Check this installation and say what to repair."""
    from vitruvian.commands.diagnosis import Check, diagnose

    checks: list[Check] = []
    for check in diagnose():
        checks.append(check)
        if not as_json:
            remedy = f" ({check.remedy})" if check.remedy else ""
            typer.echo(f"{_MARKS[check.state]:<7} {check.name:<24} {check.detail}{remedy}")
    failed = [check.name for check in checks if check.state == "failed"]
    if as_json:
        typer.echo(json.dumps([asdict(check) for check in checks], indent=2))
    elif failed:
        typer.echo(f"To repair: {', '.join(failed)}.", err=True)
    else:
        typer.echo("Everything that is needed is here.")
    return 1 if failed else 0
