"""Cache parsed proxies in the user's cache folder: parsing the text takes 0.2 s each."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes
from vitruvian.lab.synthesis.proxies import Material, Proxy, read_material, read_proxy

VERSION = 1  # of what is kept; another one is parsed anew
ARRAYS = ("references", "weights", "offsets", "uvs", "faces", "uv_faces", "hidden")


def cached_proxy(path: Path, folder: Path) -> Proxy:
    """``read_proxy`` with what it parsed kept in ``folder``, by the contents of its files.

    A cache that cannot be written or read is done without.
    """
    text = path.read_bytes()
    kept = folder / f"proxy-{_digest(path, text)}.npz"
    try:
        with np.load(kept) as archive:
            values = {name: archive[name] for name in ARRAYS}
            scales = archive["scales"]
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):
        proxy = read_proxy(path)
        rows = [(np.nan, np.nan, np.nan) if s is None else s for s in proxy.scales]
        content = io.BytesIO()
        arrays = {name: getattr(proxy, name) for name in ARRAYS}
        np.savez(content, scales=np.array(rows, np.float64), **arrays)
        with contextlib.suppress(InputError):
            write_bytes(kept, content.getvalue())
        return proxy
    found = tuple(
        None if np.isnan(row[0]) else (int(row[0]), int(row[1]), float(row[2])) for row in scales
    )
    bare = Proxy(path.stem, scales=found, material=Material(), **values)
    return replace(bare, material=_material(path, text))


def _header(text: bytes, key: bytes) -> str | None:
    """The last line that begins with a key, as ``read_proxy`` takes it."""
    found = re.findall(rb"^[ \t]*" + key + rb"[ \t]+(.*?)[ \t\r]*$", text, re.MULTILINE)
    return found[-1].decode(errors="ignore") if found else None


def _digest(path: Path, text: bytes) -> str:
    content = hashlib.sha256(f"{VERSION}\n".encode() + text)
    mesh = _header(text, b"obj_file")
    if mesh is not None and (path.parent / mesh).is_file():
        content.update((path.parent / mesh).read_bytes())
    return content.hexdigest()[:24]


def _material(path: Path, text: bytes) -> Material:
    name = _header(text, b"material")
    if name is None or not (path.parent / name).is_file():
        return Material()
    return read_material(path.parent / name)
