"""Networks ahead of their first use, beside whatever else the program has to do at its start."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress

from vitruvian.compute import thread_count
from vitruvian.errors import WeightsError
from vitruvian.networks.session import warm_up
from vitruvian.options import Detail

_FIRST = ("movenet_multipose", "blazepose_heavy", "cues")
# What a silhouette and its measures need.
MEASURING = (*_FIRST[:2], "measuring")
_FACES = ("face_detection", "face_sex", "face_age", "faceres_deep", "face_mesh")


def needed(detail: Detail = "clothed") -> tuple[str, ...]:
    """What most pictures need, in the order in which they need it."""
    return (*_FIRST, *_FACES, *(("maps",) if detail != "body" else ()))


def load_ahead(names: Sequence[str]) -> None:
    """Load networks in the background; with one thread, leave it to who needs them."""

    def load() -> None:
        with suppress(WeightsError):  # reported by whoever needs them
            warm_up(*names)

    if thread_count() > 1:
        # Not a daemon, because a process must not end while the runtime is at work.
        threading.Thread(target=load, name="vitruvian-networks").start()
