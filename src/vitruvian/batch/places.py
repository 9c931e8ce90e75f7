"""Reading what an input names: a path, an address such as ``s3://bucket/a.jpg``, or a member of an
archive, ``photos.zip!/a.jpg``."""

from __future__ import annotations

import errno
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from vitruvian.errors import InputError, MissingExtraError
from vitruvian.image.names import readable

MEMBER = "!/"
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(text: str) -> bool:
    """Whether a place is an address, such as ``s3://bucket/a.jpg``."""
    return _ADDRESS.match(text) is not None


def file_system(address: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it.

    Raises:
        MissingExtraError: fsspec or its part for the protocol is not installed.
        InputError: nobody knows the protocol.
    """
    protocol = address.split("://")[0]
    missing = MissingExtraError(
        f"Reading {protocol}:// needs an extra: run pip install 'vitruvian[cloud]'."
    )
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise missing from None
    try:
        files, path = url_to_fs(address)
    except ImportError:
        raise missing from None
    except ValueError as error:
        raise InputError(
            f"{address} cannot be reached, {protocol} is no protocol that is known: give a path or "
            "an address such as s3://bucket/folder.",
            code="unreadable-file",
        ) from error
    return files, path


def split_member(place: str) -> tuple[str, str | None]:
    """An archive and the member that a place names; None for a plain file."""
    if MEMBER not in place or (not is_address(place) and Path(place).exists()):
        return place, None
    archive, _, member = place.rpartition(MEMBER)
    return archive, member


def read_place(place: str, at: Sequence[int] | None, most: int) -> bytes:
    """The bytes at a place, one more than ``most`` of what is larger.

    Args:
        place: see above.
        at: offset and size in bytes of a member of a TAR archive.
        most: bytes that are of use; whoever decodes them says that there are too many.

    Raises:
        InputError: there is nothing, or it cannot be read.
        OSError: the storage failed; another attempt may go better.
    """
    label = readable(place)
    archive, member = split_member(place)
    with _told(label):
        if member is None:
            with open_place(place) as file:
                return file.read(most + 1)
        if at is not None:
            with _unpacked(label), open_place(archive) as file:
                file.seek(at[0])
                return file.read(min(at[1], most + 1))
        with _unpacked(label), _zip_file(archive).open(member) as inside:
            return inside.read(most + 1)


@contextmanager
def local_file(place: str, at: Sequence[int] | None, folder: Path, most: int) -> Iterator[Path]:
    """What is at a place as a file on this machine, while the block lasts; see ``read_place``.

    Raises:
        InputError, OSError: as ``read_place``.
    """
    archive, member = split_member(place)
    if member is None and not is_address(place):
        yield Path(place)
        return
    copy = folder / f"input{Path(member or archive).suffix}"
    with _told(readable(place)):
        if member is None:
            with open_place(place) as file, copy.open("wb") as out:
                _copy(file, out, most + 1)
        elif at is not None:
            with open_place(archive) as file, copy.open("wb") as out:
                file.seek(at[0])
                _copy(file, out, min(at[1], most + 1))
        else:
            # However much a member says, or turns out, to hold: more than a clip may is enough.
            with (
                _unpacked(readable(place)),
                _zip_file(archive).open(member) as inside,
                copy.open("wb") as out,
            ):
                _copy(inside, out, most + 1)
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def open_place(place: str) -> IO[bytes]:
    """A file that can be sought in, at a path or an address."""
    if not is_address(place):
        return open(place, "rb")
    files, path = file_system(place)
    opened: IO[bytes] = files.open(path, "rb")
    return opened


def _copy(source: IO[bytes], target: IO[bytes], size: int) -> None:
    while size > 0 and (block := source.read(min(size, 1 << 20))):
        target.write(block)
        size -= len(block)


@lru_cache(maxsize=4)  # its list of members is long, and one archive has many inputs
def _zip_file(archive: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(open_place(archive))


@contextmanager
def _unpacked(label: str) -> Iterator[None]:
    """Turn what the unpacking of a damaged member comes to into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno not in (None, errno.EINVAL):  # of the storage or the disk
            raise
        raise _damaged(label) from error
    except (zlib.error, lzma.LZMAError, ValueError) as error:
        raise _damaged(label) from error


def _damaged(label: str) -> InputError:
    return InputError(f"{label} is damaged in its archive; pack it again.", code="damaged-picture")


@contextmanager
def _told(label: str) -> Iterator[None]:
    """Turn what cannot become better by another attempt into a sentence."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{label} does not exist; check the path.", code="missing-file") from error
    except IsADirectoryError as error:
        raise InputError(f"{label} is a folder; give a file.", code="unreadable-file") from error
    except PermissionError as error:
        raise InputError(
            f"{label} may not be read; check its permissions.", code="unreadable-file"
        ) from error
    except KeyError as error:
        raise InputError(
            f"{label} is not in its archive any more; list the archive again.", code="missing-file"
        ) from error
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError) as error:
        raise _damaged(label) from error
    except RuntimeError as error:  # what zipfile says of a password
        raise InputError(
            f"{label} is locked with a password; unpack the archive.", code="unreadable-file"
        ) from error
