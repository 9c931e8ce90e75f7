"""Where results lie: each under its key, whole or not at all, in a folder or at an address."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from vitruvian.batch.places import file_system, is_address
from vitruvian.errors import InputError

ABOUT = "batch.json"  # in each result: what it was made of
_UNFINISHED = ".unfinished"


class Results(Protocol):
    """Results by key."""

    def about(self, key: str) -> dict[str, Any] | None:
        """What ``publish`` was told of a result; None where there is none."""

    @contextmanager
    def room(self, run: str) -> Iterator[Path]:
        """An empty folder on this machine for what becomes a result; it is gone afterwards."""

    def publish(self, folder: Path, key: str, about: Mapping[str, Any]) -> None:
        """Put a folder's files under a key; where there is a result, that one stays."""

    def read(self, key: str, name: str) -> bytes | None:
        """A file of a result; None where it is not there."""

    def place(self, key: str) -> str:
        """Path or address of a result, relative to that of all results."""

    def clear(self) -> None:
        """Remove what runs, which must be dead, left unfinished."""


def open_results(place: str) -> Results:
    """The results in a folder or at an address."""
    return _AddressResults(place) if is_address(place) else _FolderResults(Path(place))


def _under(key: str) -> str:
    return f"{key[:2]}/{key}"


class _FolderResults:
    """Results in a folder: made beside it, renamed when whole."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def about(self, key: str) -> dict[str, Any] | None:
        with contextlib.suppress(OSError, ValueError):
            text = (self._root / _under(key) / ABOUT).read_text(encoding="utf-8")
            found: dict[str, Any] = json.loads(text)
            return found
        return None

    @contextmanager
    def room(self, run: str) -> Iterator[Path]:
        folder = self._root / _UNFINISHED / run / secrets.token_hex(8)
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise _cannot_write(folder, error) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, folder: Path, key: str, about: Mapping[str, Any]) -> None:
        target = self._root / _under(key)
        try:
            (folder / ABOUT).write_text(_written(about), encoding="utf-8")
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(folder, target)
        except OSError as error:
            if self.about(key) is None:
                raise _cannot_write(target, error) from error

    def read(self, key: str, name: str) -> bytes | None:
        with contextlib.suppress(OSError):
            return (self._root / _under(key) / name).read_bytes()
        return None

    def place(self, key: str) -> str:
        return _under(key)

    def clear(self) -> None:
        place = self._root / _UNFINISHED
        with contextlib.suppress(OSError):
            for left in place.iterdir():
                # Renamed first: a worker that outlived its driver must not publish half of it.
                grave = left.with_name(f"{left.name}.{secrets.token_hex(4)}")
                with contextlib.suppress(OSError):
                    left.rename(grave)
                    shutil.rmtree(grave, ignore_errors=True)
            place.rmdir()


class _AddressResults:
    """Results in a storage that does not rename: the file that says what it is comes last."""

    def __init__(self, address: str) -> None:
        self._files, root = file_system(address)
        self._root = root.rstrip("/")

    def about(self, key: str) -> dict[str, Any] | None:
        text = self.read(key, ABOUT)
        if text is None:
            return None
        found: dict[str, Any] = json.loads(text)
        return found

    @contextmanager
    def room(self, run: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="vitruvian-") as folder:
            yield Path(folder)

    def publish(self, folder: Path, key: str, about: Mapping[str, Any]) -> None:
        if self.about(key) is not None:
            return
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                self._files.pipe_file(f"{self._root}/{_under(key)}/{name}", path.read_bytes())
        self._files.pipe_file(f"{self._root}/{_under(key)}/{ABOUT}", _written(about).encode())

    def read(self, key: str, name: str) -> bytes | None:
        with contextlib.suppress(FileNotFoundError):
            data: bytes = self._files.cat_file(f"{self._root}/{_under(key)}/{name}")
            return data
        return None

    def place(self, key: str) -> str:
        return _under(key)

    def clear(self) -> None:
        """Nothing: what is unfinished lies on the machines that make it, or is made again."""


def _written(about: Mapping[str, Any]) -> str:
    return json.dumps(about, indent=2, sort_keys=True) + "\n"


def _cannot_write(path: Path, error: OSError) -> InputError:
    reason = (error.strerror or str(error)).lower()
    return InputError(
        f"Cannot write {path} ({reason}): make room, or choose another folder with -o.",
        code="cannot-write",
    )
