"""Where compiled code is kept: beside the program, in the user's cache, or else for a while.

numba looks for a folder itself and gives up where neither the installation nor the home can be
written, as in a container that is run by somebody else. There a folder of temporary files serves.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"

_PACKAGE = Path(__file__).parents[1]
_log = logging.getLogger("vitruvian")


@cache
def can_be_kept() -> bool:
    """Whether there is a folder for compiled code; says so once where it does not last.

    To be called before numba is imported, which reads the variable then.
    """
    given = os.environ.get(VARIABLE, "")
    if given and _writable(Path(given)):
        return True
    if not given and (_writable(_PACKAGE / "__pycache__") or _writable(_user_cache())):
        return True
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
        return False
    _log.warning(
        f"{problem}: compiled code is kept in {temporary}; set {VARIABLE} to a folder that lasts."
    )
    os.environ[VARIABLE] = str(temporary)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(temporary)
    return True


def _user_cache() -> Path:
    """Where numba keeps things of this user; on any system, near enough to ask about writing."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    return Path(base) if base else Path(os.path.expanduser("~")) / ".cache"


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
