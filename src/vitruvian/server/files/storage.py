"""Where uploads and results lie: a folder by default, or anything fsspec can reach.

Keys are made by the server alone (``uploads/ID``, ``results/ID/person-1/mesh.obj``); no part of
them comes from a user.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from vitruvian.errors import MissingExtraError

_CHUNK = 2**20
_KEY = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


class Storage(Protocol):
    """Files by key. A file appears under its key only when it is whole."""

    def put_bytes(self, key: str, data: bytes) -> None:
        """Store ``data`` durably."""

    def put_file(self, key: str, file: BinaryIO) -> None:
        """Store durably what is left to read of ``file``, without having all of it in memory."""

    def put_folder(self, prefix: str, folder: Path) -> None:
        """Store every file of ``folder`` below ``prefix``; the folder is used up."""

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """The file as a local path while the block lasts; ``FileNotFoundError`` without it."""

    def path(self, key: str) -> Path | None:
        """The file's own local path, when it has one."""

    def read(self, key: str) -> bytes:
        """The content; ``FileNotFoundError`` without it."""

    def delete(self, prefix: str) -> None:
        """Remove the file ``prefix``, or everything below it; nothing there is fine."""

    def children(self, prefix: str) -> list[tuple[str, float]]:
        """Keys directly below ``prefix``, each with the time of its last change."""


def check_key(key: str) -> str:
    """``key``, when it cannot lead out of the storage.

    Raises:
        ValueError: it could.
    """
    if not _KEY.fullmatch(key):
        raise ValueError("not a storage key")
    return key


class FolderStorage:
    """Files in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def _at(self, key: str) -> Path:
        return self.root / check_key(key)

    def put_bytes(self, key: str, data: bytes) -> None:
        self.put_file(key, io.BytesIO(data))

    def put_file(self, key: str, file: BinaryIO) -> None:
        path = self._at(key)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        try:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as target:
                shutil.copyfileobj(file, target, _CHUNK)
                target.flush()
                os.fsync(target.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)

    def put_folder(self, prefix: str, folder: Path) -> None:
        target = self._at(prefix)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path in folder.rglob("*"):
            if path.is_file():
                with path.open("r+b") as file:  # Windows syncs only what may be written
                    os.fsync(file.fileno())
        self.delete(prefix)  # of an attempt that died between this step and the next
        try:
            os.rename(folder, target)
        except OSError:  # another file system
            shutil.copytree(folder, target)
            shutil.rmtree(folder, ignore_errors=True)
        _sync_folder(target.parent)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        path = self._at(key)
        if not path.is_file():
            raise FileNotFoundError(key)
        yield path

    def path(self, key: str) -> Path | None:
        return self._at(key)

    def read(self, key: str) -> bytes:
        return self._at(key).read_bytes()

    def delete(self, prefix: str) -> None:
        path = self._at(prefix)
        if path.is_dir():
            # Renamed first: what is half deleted is not found by anyone any more.
            grave = path.with_name(f".{secrets.token_hex(8)}.tmp")
            with contextlib.suppress(FileNotFoundError):
                os.rename(path, grave)
            shutil.rmtree(grave, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def children(self, prefix: str) -> list[tuple[str, float]]:
        found = []
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(self._at(prefix)):
                with contextlib.suppress(FileNotFoundError):
                    if entry.name.startswith("."):
                        self._sweep(Path(entry.path), entry.stat().st_mtime)
                    else:
                        found.append((f"{prefix}/{entry.name}", entry.stat().st_mtime))
        return found

    def _sweep(self, leftover: Path, changed: float) -> None:
        """Remove what a crash left in the middle of writing or deleting, after an hour."""
        import time

        if time.time() - changed < 3600:
            return
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


class FsspecStorage:
    """Files behind an fsspec URL, such as ``s3://bucket/folder``."""

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise MissingExtraError(
                f"The storage {url.split('://')[0]}:// needs fsspec; run pip install fsspec and "
                "the package for that protocol."
            ) from None
        self.files: Any
        self.files, self.root = url_to_fs(url)

    def _at(self, key: str) -> str:
        return f"{self.root.rstrip('/')}/{check_key(key)}"

    def put_bytes(self, key: str, data: bytes) -> None:
        self.files.makedirs(self._at(key).rsplit("/", 1)[0], exist_ok=True)
        self.files.pipe_file(self._at(key), data)

    def put_file(self, key: str, file: BinaryIO) -> None:
        self.files.makedirs(self._at(key).rsplit("/", 1)[0], exist_ok=True)
        with self.files.open(self._at(key), "wb") as target:
            shutil.copyfileobj(file, target, _CHUNK)

    def put_folder(self, prefix: str, folder: Path) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                key = f"{prefix}/{path.relative_to(folder).as_posix()}"
                self.put_bytes(key, path.read_bytes())
        shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        import tempfile

        with tempfile.TemporaryDirectory(prefix="vitruvian-") as folder:
            path = Path(folder) / "file"
            self.files.get_file(self._at(key), str(path))
            yield path

    def path(self, key: str) -> Path | None:
        return None

    def read(self, key: str) -> bytes:
        data: bytes = self.files.cat_file(self._at(key))
        return data

    def delete(self, prefix: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.files.rm(self._at(prefix), recursive=True)

    def children(self, prefix: str) -> list[tuple[str, float]]:
        self.files.invalidate_cache()
        found = []
        with contextlib.suppress(FileNotFoundError):
            for entry in self.files.ls(self._at(prefix), detail=True):
                changed = entry.get("created") or entry.get("mtime") or entry.get("LastModified")
                stamp = changed.timestamp() if hasattr(changed, "timestamp") else changed or 0.0
                name = entry["name"].rstrip("/").rsplit("/", 1)[-1]
                found.append((f"{prefix}/{name}", float(stamp)))
        return found


def open_storage(url: str, data: Path) -> Storage:
    """The storage that the settings name."""
    return FsspecStorage(url) if url else FolderStorage(data / "files")


def _sync_folder(folder: Path) -> None:
    """Make a new name in ``folder`` survive a power cut, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
