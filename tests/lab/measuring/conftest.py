"""Small networks are trained on one thread."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _one_thread(one_thread: None) -> None:
    """As ``one_thread``, for every test here."""
