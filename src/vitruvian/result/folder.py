"""Where results go: complete, or not at all, and never over something that is not a result."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from vitruvian.errors import InputError

REPORT = "report.json"


def open_folder(directory: Path) -> bool:
    """Make the folder of results and check that it can be written, before any heavy work.

    Returns:
        Whether the folder was made here.

    Raises:
        InputError: it cannot be made or written.
    """
    try:
        made = not directory.exists()
        directory.mkdir(parents=True, exist_ok=True)
        # Only a real attempt tells: permissions, read-only mounts and full disks all differ.
        probe = directory / f".{secrets.token_hex(4)}.tmp"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise cannot_write(directory, error) from error
    return made


def cannot_write(path: Path, error: OSError) -> InputError:
    """The sentence for a place that refuses our files."""
    reason = (error.strerror or str(error)).lower()
    return InputError(
        f"Cannot write {path} ({reason}): choose another folder with -o.", code="cannot-write"
    )


def folder_names(images: Iterable[Path]) -> list[str]:
    """A folder name for each image, its stem, made different where several images share one.

    The second ``street`` becomes ``street-2``. Compared without case, as some file systems do.
    """
    names: list[str] = []
    taken: set[str] = set()
    for image in images:
        stem = image.stem or "photo"
        name, number = stem, 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names


def check_replaceable(target: Path) -> str | None:
    """Refuse to replace anything but an earlier result or an empty folder.

    ``vitruvian photo src.jpg -o .`` must not cost the user a folder called ``src``.

    Returns:
        The picture of the earlier result, as it was named then; None when there is none.

    Raises:
        InputError: ``target`` exists and is something else.
    """
    if not target.exists() and not target.is_symlink():
        return None
    if target.is_dir() and not target.is_symlink():
        if not any(target.iterdir()):
            return None
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            report = json.loads((target / REPORT).read_text(encoding="utf-8"))
            if isinstance(report["people"], list):
                picture = report["clip" if "clip" in report else "image"]["path"]
                return None if picture is None else str(picture)
    raise InputError(
        f"{target} exists and is not an earlier result: choose another folder with -o, or rename "
        "the picture.",
        code="cannot-write",
    )


@contextmanager
def complete_folder(target: Path) -> Iterator[Path]:
    """A temporary folder beside ``target`` that takes its place when the block ends well.

    An existing ``target`` is replaced only then; on any error or interruption it stays as it was
    and the temporary folder is removed.

    Raises:
        InputError: the place cannot be written, or ``target`` is not ours to replace.
    """
    check_replaceable(target)
    mark = secrets.token_hex(4)
    temporary = target.with_name(f".{target.name}.{mark}.tmp")
    old = target.with_name(f".{target.name}.{mark}.old")
    try:
        try:
            temporary.mkdir(parents=True)
            yield temporary
            if target.exists():
                os.replace(target, old)
            try:
                os.replace(temporary, target)
            except BaseException:
                if old.exists():
                    os.replace(old, target)
                raise
        except OSError as error:
            raise cannot_write(target, error) from error
        except InputError as error:
            # The user has never heard of the temporary name.
            sentence = str(error).replace(str(temporary), str(target))
            raise InputError(sentence, code=error.code) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
