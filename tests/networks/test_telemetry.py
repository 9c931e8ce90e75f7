"""The networks' runtime tells nobody anything."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import os, sys
from importlib import import_module

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "onnxruntime":
            assert os.environ.get("ORT_DISABLE_TELEMETRY") == "1"
            print("watched")

sys.meta_path.insert(0, Watch())
import_module("vitruvian.networks.session").session("nanodet")
"""


def test_telemetry_is_off_before_the_runtime_is_imported(tmp_path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "watched\n"
    left = [path for path in tmp_path.rglob("*") if "microsoft" in str(path).lower()]
    assert not left
