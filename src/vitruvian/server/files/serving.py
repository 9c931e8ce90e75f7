"""Serving the files of a result. Which there are is known from its row: no path is ever tried."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from typing import IO
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from vitruvian.mesh_formats import AVATAR_FORMATS, FORMATS
from vitruvian.server.files.names import ALL_ZIP, PERSON_ZIP, ZIPPED_MESH
from vitruvian.server.files.storage import Storage
from vitruvian.server.kinds import VIDEO
from vitruvian.server.models import Reconstruction
from vitruvian.server.problems import Problem, not_found

_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    **{name: known.media_type for name, known in (FORMATS | AVATAR_FORMATS).items()},
    "mtl": "model/mtl",
    "json": "application/json",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "zip": "application/zip",
    "npz": "application/zip",
    "webm": "video/webm",
    "mp4": "video/mp4",
}
MEDIA_TYPES = tuple(sorted({kind.partition(";")[0] for kind in _TYPES.values()}))

_PACKED = (".jpg", ".png", ".glb", ".vrm", ".usdz", ".npz", ".webm", ".mp4")  # compressed already

# Pages of results hold scripts: they are never run on this host.
_ALWAYS_DOWNLOADS = (".html", ".zip")
_FILE_POLICY = "default-src 'none'; sandbox"
# But the page of a video may run in a frame of ours: in a sandbox, where it belongs to no host, has
# no cookie, and can ask nobody for anything.
_PLAYER = "viewer.html"
_PLAYER_HEADERS = {
    "Content-Security-Policy": (
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src data: blob:; media-src data: blob:; "
        "connect-src data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Frame-Options": "SAMEORIGIN",
}

_RANGES = re.compile(
    r"bytes=(?:\d{1,15}-\d{0,15}|-\d{1,15})(?:, ?(?:\d{1,15}-\d{0,15}|-\d{1,15})){0,9}"
)

_PRIVATE = "private, max-age=3600"
_CHUNK = 256 * 1024
_LONGEST_TITLE = 80


def serve_file(
    request: Request,
    storage: Storage,
    row: Reconstruction,
    path: str,
    *,
    download: bool = False,
    cache: str = _PRIVATE,
) -> Response:
    """The answer to a request for one file of a result.

    Raises:
        Problem: not-found when the result has no such file.
    """
    paths: dict[str, int] = row.details["files"]
    members = _zip_members(path, paths)
    if members is None and path not in paths:
        raise not_found()
    suffix = path.rsplit(".", 1)[-1]
    tag = hashlib.sha256(f"{row.prefix}/{path}".encode()).hexdigest()[:32]
    headers = {
        "ETag": f'"{tag}"',  # a result that is made anew gets another prefix
        "Cache-Control": cache,
        "Content-Security-Policy": _FILE_POLICY,
    }
    if f'"{tag}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if row.kind == VIDEO and path == _PLAYER and not download:
        headers |= _PLAYER_HEADERS
    elif download or path.endswith(_ALWAYS_DOWNLOADS):
        headers["Content-Disposition"] = disposition(row.name, path)
    media_type = _TYPES.get(suffix, "application/octet-stream")
    try:
        if members is not None:
            return _zip(storage, row.prefix, members, headers)
        local = storage.path(f"{row.prefix}/{path}")
        if local is None:
            content = storage.read(f"{row.prefix}/{path}")
            return Response(content, headers=headers, media_type=media_type)
        stat = os.stat(local)
    except FileNotFoundError:  # deleted between the row and here
        raise not_found() from None
    _check_range(request, stat.st_size)
    return FileResponse(local, headers=headers, media_type=media_type, stat_result=stat)


def disposition(title: str, path: str) -> str:
    """The header that makes browsers save a file under the picture's name and its own.

    RFC 6266: the plain name for old programs, the encoded one for those with other letters.
    """
    # What file systems and headers refuse, and dots in front, which hide files.
    plain = re.sub(r'[\x00-\x1f\x7f<>:"/\\|?*]+', " ", title)
    plain = " ".join(plain.split()).strip(". ")[:_LONGEST_TITLE].rstrip(". ")
    name = "-".join(filter(None, (plain, path.replace("/", "-"))))
    ascii_name = re.sub(r"[^\x20-\x7e]", "_", name)
    header = f'attachment; filename="{ascii_name}"'
    if ascii_name != name:
        header += f"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    return header


def _check_range(request: Request, size: int) -> None:
    """Refuse a range that the file does not have; forget one that cannot be understood."""
    text = request.headers.get("range")
    if text is None:
        return
    if not _RANGES.fullmatch(text):
        # As RFC 9110 allows: the answer is then the whole file.
        headers = request.scope["headers"]
        request.scope["headers"] = [pair for pair in headers if pair[0] != b"range"]
        return
    for part in text.removeprefix("bytes=").split(","):
        first, _, last = part.strip().partition("-")
        past = int(first) >= size if first else int(last) == 0
        if past or (first and last and int(last) < int(first)):
            raise Problem("bad-range", f"The file has {size} bytes; ask for a part of those.")


def _zip_members(path: str, paths: dict[str, int]) -> dict[str, str] | None:
    """Paths to put into an archive and their names there, or None when ``path`` is none."""
    if path == ALL_ZIP:
        return {one: one for one in paths}
    folder, _, name = path.rpartition("/")
    if name == PERSON_ZIP:
        wanted = {f"{folder}/{one}": one for one in ZIPPED_MESH if f"{folder}/{one}" in paths}
        return wanted or None
    return None


def _zip(
    storage: Storage, prefix: str, members: dict[str, str], headers: dict[str, str]
) -> Response:
    """An archive, made in a file without a name and sent from there."""
    file = tempfile.TemporaryFile(prefix="vitruvian-")  # noqa: SIM115 (closed when it is sent)
    try:
        with zipfile.ZipFile(file, "w") as archive:
            for path, name in members.items():
                packed = path.endswith(_PACKED)
                archive.writestr(
                    # A fixed time: the same result gives the same bytes.
                    zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)),
                    storage.read(f"{prefix}/{path}"),
                    zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED,
                    None if packed else 1,
                )
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    headers = headers | {"Content-Length": str(size)}
    return StreamingResponse(_chunks(file), headers=headers, media_type=_TYPES["zip"])


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk
