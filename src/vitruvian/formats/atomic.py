"""Writing files so that a reader never meets half of one."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from vitruvian.errors import InputError


def write_bytes(path: str | Path, data: bytes | bytearray | memoryview) -> Path:
    """Write ``data`` to ``path`` under a temporary name beside it, then rename; returns the path.

    Folders that do not exist yet are made. Raises ``InputError`` when the place cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not tempfile: its files are private (0600), and these should follow the user's umask.
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"Cannot write {path} ({reason}): choose a folder that can be written to.",
            code="cannot-write",
        ) from error
    return path


def write_text(path: str | Path, text: str) -> Path:
    """Write ``text`` as UTF-8 with ``write_bytes``."""
    return write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> Path:
    """Write ``value`` as readable, standard JSON (numpy numbers and arrays allowed).

    Raises ``InputError`` when the place cannot be written and ``ValueError`` for a NaN or an
    infinity, which JSON does not have.
    """
    return write_text(path, json_text(value) + "\n")


def json_text(value: Any, *, indent: int | None = 2, ascii_only: bool = False) -> str:
    """``value`` as standard JSON; numpy numbers, arrays and paths become plain values.

    ``indent`` None gives one line without spaces; ``ascii_only`` escapes every other letter.
    """
    separators = (",", ":") if indent is None else None
    return json.dumps(
        value,
        indent=indent,
        separators=separators,
        allow_nan=False,
        ensure_ascii=ascii_only,
        default=_plain,
    )


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        # float32 digits beyond its precision would be noise in a file meant to be read.
        if getattr(value.dtype, "kind", "") == "f" and value.dtype.itemsize < 8:
            return value.astype(float).round(6).tolist()
        return value.tolist()
    if isinstance(value, Path):
        return value.as_posix()
    raise TypeError(f"cannot write a {type(value).__name__} to JSON")
