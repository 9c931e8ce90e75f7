"""Fixtures that every package's tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """A function from a name (``"photos"``, ``"ccp"``...) to its path in the shared data.

    The data are not part of the repository: a test that asks for some which are absent is
    skipped, with the path in the reason.
    """

    def locate(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"real test data are absent: ../shared/data/{name}")
        return path

    return locate
