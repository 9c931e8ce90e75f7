"""Which networks are loaded at the start: those that a picture uses, and no others."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from vitruvian.networks import weights_manifest
from vitruvian.networks.ahead import needed

PROGRAM = """
import json, sys, threading
from vitruvian.compute import set_threads
from vitruvian.networks import session
from vitruvian.networks.ahead import load_ahead, needed
set_threads({threads})
made = []
session._create = lambda entry: made.append(entry.name) or "a session"
load_ahead(needed("{detail}"))
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(json.dumps(made))
"""


@pytest.mark.parametrize("detail", ["body", "clothed"])
def test_they_are_loaded_in_the_background_each_once(detail) -> None:
    program = PROGRAM.format(threads=2, detail=detail)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    made = json.loads(done.stdout)
    assert tuple(made) == needed(detail)
    assert set(made) <= set(weights_manifest())
    assert ("maps" in made) == (detail == "clothed")


def test_one_thread_loads_nothing_ahead() -> None:
    program = PROGRAM.format(threads=1, detail="clothed")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []
