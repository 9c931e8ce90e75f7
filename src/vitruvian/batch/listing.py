"""From what users name, files, folders, patterns, lists, archives, addresses, to single inputs."""

from __future__ import annotations

import glob
import os
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from vitruvian.batch.lists import LIST_SUFFIXES, read_list, refused
from vitruvian.batch.orders import Task
from vitruvian.batch.places import MEMBER, file_system, is_address, open_place
from vitruvian.errors import InputError, VitruvianError
from vitruvian.image.names import expanded, readable

PICTURES = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".png",
        ".webp",
        ".heic",
        ".heif",
        ".avif",
        ".tif",
        ".tiff",
        ".bmp",
        ".nef",
        ".dng",
        ".cr2",
        ".arw",
    ]
)
CLIPS = frozenset([".mp4", ".mov", ".m4v", ".webm", ".avi", ".mkv", ".mpg", ".mpeg", ".3gp"])
_ZIPS = (".zip", ".cbz")
_PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z", ".rar")
_MAGIC = "*?["


def list_tasks(inputs: Iterable[str], results: str) -> Iterator[Task]:
    """The inputs, one by one, those of a folder in the order of their names.

    What does not exist is told at once, before the first input.

    Args:
        inputs: files, folders (with all below them), patterns such as ``'in/**/*.jpg'``, lists
            (``.txt``, ``.csv``, or ``-`` for lines on standard input), archives (``.zip``,
            ``.tar``) and addresses of any of these.
        results: folder or address of the results, which are no inputs even when they lie in one.

    Raises:
        InputError: an input cannot be opened or has a form that is not understood; one sentence.
    """
    named = list(inputs)
    for text in named:
        if text != "-" and not is_address(text):
            _check_exists(expanded(text))
    return _tasks_of(named, results)


def _tasks_of(inputs: Iterable[str], results: str) -> Iterator[Task]:
    for text in inputs:
        if text == "-":
            try:
                text = sys.stdin.read()
            except UnicodeDecodeError as error:
                raise _no_list("-") from error
            yield from read_list(text, "-", kind_of)
        elif is_address(text):
            yield from _at_address(text, results)
        else:
            yield from _at_path(expanded(text), results)


def kind_of(name: str) -> str:
    """``video`` or ``photo``, by the suffix of a file that somebody named."""
    return "video" if PurePosixPath(name).suffix.lower() in CLIPS else "photo"


def _wanted(name: str) -> bool:
    """Whether a file that nobody named is an input."""
    path = PurePosixPath(name)
    return not path.name.startswith(".") and path.suffix.lower() in PICTURES | CLIPS


def _task(place: str, stamp: str, **known: Any) -> Task:
    return Task("video" if kind_of(place) == "video" else "photo", (place,), known, stamp)


def _check_exists(path: Path) -> None:
    """Raise ``InputError`` for a path that is neither there nor a pattern."""
    text = str(path)
    if not path.exists() and not any(letter in text for letter in _MAGIC):
        raise InputError(f"{readable(text)} does not exist; check the path.", code="missing-file")


def _at_path(path: Path, results: str) -> Iterator[Task]:
    text = str(path)
    if not path.exists():
        found = sorted(glob.iglob(text, recursive=True))
        if not found:
            raise InputError(f"Nothing matches {readable(text)}; check the pattern.")
        for one in found:
            if not _inside(Path(one), results) and not Path(one).is_dir():
                yield from _at_file(Path(one))
    elif path.is_dir():
        yield from _in_folder(path, results)
    else:
        yield from _at_file(path)


def _in_folder(folder: Path, results: str) -> Iterator[Task]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders
            if not name.startswith(".") and not _inside(Path(place, name), results)
        )  # fmt: skip
        for name in sorted(names):
            if _wanted(name):
                path = Path(place, name)
                yield _task(str(path.absolute()), _stamp(path))


def _inside(path: Path, results: str) -> bool:
    if is_address(results):
        return False
    return path.absolute().is_relative_to(Path(results).absolute())


def _at_file(path: Path) -> Iterator[Task]:
    name, place = path.name.lower(), str(path.absolute())
    if name.endswith(LIST_SUFFIXES):
        try:
            text = _text(path.read_bytes(), place)
        except OSError as error:
            raise _no_list(place) from error
        yield from (_stamped(task) for task in read_list(text, place, kind_of))
    elif name.endswith((*_ZIPS, ".tar", *_PACKED)):
        yield from _in_archive(place, _stamp(path))
    else:
        yield _task(place, _stamp(path))


def _text(data: bytes, place: str) -> str:
    """What a list holds."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _no_list(place) from error


def _no_list(place: str) -> InputError:
    return InputError(f"The list {readable(place)} cannot be read; give a text file in UTF-8.")


def _stamped(task: Task) -> Task:
    """The task with the state of its files; what does not exist is told when its turn comes."""
    stamp = " ".join("" if is_address(one) else _stamp(Path(one)) for one in task.sources)
    return Task(task.kind, task.sources, task.known, stamp)


def _stamp(path: Path) -> str:
    try:
        state = path.stat()
    except (OSError, ValueError):  # the latter of a null in its name
        return ""
    return f"{state.st_size} {state.st_mtime_ns}"


def _in_archive(place: str, stamp: str) -> Iterator[Task]:
    """The pictures and clips in an archive, with the places of a TAR's, which has no table.

    An archive that cannot be read becomes an input that fails.
    """
    if place.lower().endswith(_PACKED):
        sentence = (
            "It is packed as a whole, so that nothing in it can be read alone: unpack it, or make "
            "a .zip or .tar of it."
        )
        yield refused(place, InputError(sentence, code="unreadable-file"))
        return
    try:
        with open_place(place) as file:
            if place.lower().endswith(_ZIPS):
                with zipfile.ZipFile(file) as archive:
                    for entry in archive.infolist():
                        if not entry.is_dir() and _wanted(entry.filename):
                            member = f"{place}{MEMBER}{entry.filename}"
                            yield _task(member, f"{entry.CRC:08x} {entry.file_size}")
                return
            with tarfile.open(fileobj=file, mode="r:") as tar:
                for one in tar:
                    if one.isreg() and _wanted(one.name):
                        member = f"{place}{MEMBER}{one.name}"
                        yield _task(member, stamp, at=[one.offset_data, one.size])
                    tar.members.clear()  # type: ignore[attr-defined]  # else all stay in memory
    except VitruvianError:
        raise
    except Exception:  # as many kinds as there are ways to damage an archive
        sentence = "The archive is damaged or none; pack it again."
        yield refused(place, InputError(sentence, code="unreadable-file"))


def _at_address(address: str, results: str) -> Iterator[Task]:
    files, path = file_system(address)
    protocol = address.split("://")[0]
    try:
        if any(letter in path for letter in _MAGIC):
            found = files.glob(path, detail=True)
            if not found:
                raise InputError(f"Nothing matches {address}; check the pattern.")
            everything = False
        elif files.isfile(path):
            found, everything = {path: files.info(path)}, False
        else:
            found, everything = files.find(path, detail=True), True
    except (OSError, ValueError) as error:
        raise InputError(
            f"{address} cannot be listed ({error}); check the address and your right to read it.",
            code="unreadable-file",
        ) from error
    if not found:
        raise InputError(f"Nothing is at {address}; check the address.", code="missing-file")
    for name in sorted(found):
        place = f"{protocol}://{name.lstrip('/') if protocol != 'file' else name}"
        if place.startswith(results.rstrip("/") + "/") or found[name].get("type") == "directory":
            continue
        info = found[name]
        changed = info.get("ETag") or info.get("LastModified") or info.get("mtime") or ""
        stamp = f"{info.get('size')} {changed}"
        lowered = name.lower()
        if lowered.endswith(LIST_SUFFIXES) and not everything:
            with open_place(place) as file:
                yield from read_list(_text(file.read(), place), place, kind_of)
        elif lowered.endswith((*_ZIPS, ".tar", *_PACKED)) and not everything:
            yield from _in_archive(place, stamp)
        elif _wanted(name) or not everything:
            yield _task(place, stamp)
