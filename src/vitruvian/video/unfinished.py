"""Finished parts of long work on disk: who stops it, or loses power, goes on where it was."""

from __future__ import annotations

import hashlib
import pickle
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self, TypeVar

from vitruvian._version import __version__
from vitruvian.errors import VitruvianError
from vitruvian.formats.atomic import write_bytes

T = TypeVar("T")


class Parts:
    """Results of parts of one work by name.

    Args:
        folder: where they are; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, name: str) -> Any | None:
        """What was kept under a name; None where nothing was, or nothing that can be read."""
        if self._folder is None:
            return None
        # Whatever an unreadable pickle raises: the part is made once more.
        with suppress(Exception):
            return pickle.loads(self._path(name).read_bytes())
        return None

    def put(self, name: str, value: Any) -> None:
        """Keep a value, complete or not at all.

        Raises ``InputError`` when the place cannot be written.
        """
        if self._folder is not None:
            write_bytes(self._path(name), pickle.dumps(value, pickle.HIGHEST_PROTOCOL))

    def made(self, name: str, make: Callable[[], T]) -> T:
        """What was kept under a name, else what ``make`` makes, which is kept."""
        kept = self.get(name)
        if kept is not None:
            return kept  # type: ignore[no-any-return]
        value = make()
        self.put(name, value)
        return value

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.part"


class Unfinished:
    """A folder for the parts of works that are under way.

    As a context it is emptied when the block ends well or with a sentence for the user, which would
    be the same the next time; after an interruption or a crash the parts stay.

    Args:
        folder: of our own; pickles in it are trusted.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._used: set[Path] = set()

    @property
    def kept(self) -> bool:
        """Whether parts of these works are kept, so that the same work goes on from them."""
        return any(next(folder.glob("*.part"), None) is not None for folder in self._used)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and not issubclass(kind, VitruvianError):
            return
        for folder in self._used:
            shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):  # parts of other works are in it
            self._folder.rmdir()

    def parts(self, sources: Iterable[Path], *options: object) -> Parts:
        """The parts of the work on these files, as they are now, with these options."""
        digest = hashlib.sha256(repr((__version__, *options)).encode())
        for source in sources:
            inside = sorted(source.iterdir()) if source.is_dir() else [source]
            for file in inside:
                state = file.stat()
                digest.update(
                    repr((str(file.resolve()), state.st_size, state.st_mtime_ns)).encode()
                )
        folder = self._folder / digest.hexdigest()[:16]
        self._used.add(folder)
        return Parts(folder)
