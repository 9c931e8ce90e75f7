"""Where compiled code is kept: beside the program, in the user's cache, or else for a while.

Code is read from any of these places, so that what was compiled when an image was built serves
whoever runs it. In a container that is run by somebody without a home, a folder of temporary files
takes what is new.
"""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"

_PACKAGE = Path(__file__).parents[1]
_DIGEST = 32
_log = logging.getLogger("vitruvian")


@cache
def kept_in() -> Path | None:
    """The folder that takes compiled code; None where there is none. Says so where it won't last.

    To be called before numba is imported, which reads the variable then.
    """
    given = os.environ.get(VARIABLE, "")
    for folder in _places():
        if _writable(folder):
            return folder
    problem = (
        f"{VARIABLE} is {given}, which cannot be written"
        if given
        else "Neither the installation nor the home folder can be written"
    )
    temporary = _temporary()
    if temporary is None:
        _log.warning(
            f"{problem}: compiled code is not kept, and every start compiles it anew; "
            f"set {VARIABLE} to a folder that can be written."
        )
        return None
    _log.warning(
        f"{problem}: compiled code is kept in {temporary}; set {VARIABLE} to a folder that lasts."
    )
    os.environ[VARIABLE] = str(temporary)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(temporary)
    return temporary / "vitruvian"


def _places() -> list[Path]:
    """Folders that may hold compiled code, the best first."""
    given = os.environ.get(VARIABLE, "")
    if given:
        return [Path(given) / "vitruvian"]
    return [_PACKAGE / "__pycache__" / "kernels", user_cache() / "vitruvian" / "kernels"]


def user_cache() -> Path:
    """Where programs keep things of this user."""
    if sys.platform == "win32" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"])
    return Path(os.path.expanduser("~")) / ".cache"


def find(name: str) -> Path | None:
    """The file of compiled code of this name, wherever it lies."""
    return next((place / name for place in _places() if (place / name).is_file()), None)


def read(name: str) -> list[bytes] | None:
    """The pieces of a file as they were written; None where there is no such file or it is damaged.

    What somebody else wrote there is taken for damage.
    """
    for place in _places():
        with suppress(OSError, ValueError):
            content = (place / name).read_bytes()
            if hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]:
                return _split(content[_DIGEST:])
    return None


def _split(content: bytes) -> list[bytes]:
    """The pieces, each behind its length in eight bytes."""
    pieces = []
    while content:
        length = int.from_bytes(content[:8], "little")
        pieces.append(content[8 : 8 + length])
        content = content[8 + length :]
    return pieces


def write(name: str, pieces: list[bytes]) -> None:
    """Keep pieces of compiled code in a file, whole or not at all."""
    folder = kept_in()
    if folder is None:
        return
    content = b"".join(len(piece).to_bytes(8, "little") + piece for piece in pieces)
    with suppress(OSError):  # a full disk: then it is compiled again
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(content).digest() + content)
            os.chmod(temporary, 0o644)  # for whoever runs what was installed by somebody else
            os.replace(temporary, folder / name)
        except OSError:
            os.unlink(temporary)
            raise


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder, or the folder be made."""
    while not folder.exists():
        if folder == folder.parent:
            return False
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _temporary() -> Path | None:
    """A folder for temporary files that is this user's alone: code is read from it and run."""
    try:
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
        folder = Path(tempfile.gettempdir()) / f"vitruvian-{user}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        safe = not hasattr(os, "getuid") or (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == os.getuid()
            and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        )
        return folder if safe else Path(tempfile.mkdtemp(prefix="vitruvian-"))
    except OSError:
        return None
