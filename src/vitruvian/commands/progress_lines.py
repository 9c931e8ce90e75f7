"""Progress for programs: a line of JSON on stderr for every stage that begins."""

from __future__ import annotations

import json
import sys


def print_stage(stage: str, **numbers: int | str) -> None:
    """Print ``{"stage": ..., ...}`` at once; sentences for people never begin with a brace.

    Args:
        stage: its name, as in the report's ``timings_s``.
        numbers: how far it is.
    """
    # In one piece: stages of several people begin side by side.
    sys.stderr.write(json.dumps({"stage": stage, **numbers}) + "\n")
    sys.stderr.flush()
