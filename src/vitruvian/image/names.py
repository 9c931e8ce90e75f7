"""Names of files as text that can be printed and written."""

from __future__ import annotations

import os
from pathlib import Path


def readable(name: str) -> str:
    """``name`` without halves of surrogate pairs, which stand for bytes that are no UTF-8.

    Python carries such bytes of a file's name through (PEP 383), but no text file, terminal or JSON
    takes them. What is UTF-8 after all, in a program whose locale is another, is read as such; the
    rest becomes U+FFFD.
    """
    try:
        data = name.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair that stands for no byte, as Windows allows
        data = name.encode("utf-8", "replace")
    return data.decode("utf-8", "replace")


def expanded(path: str | Path) -> Path:
    """A path with the home that it begins with, ``~`` or ``~name``, written out.

    A name that nobody has stays, as shells leave it; ``Path.expanduser`` would raise.
    """
    try:
        return Path(os.path.expanduser(path))
    except ValueError:  # a null in the name
        return Path(path)
