"""The built page: its files, with cache headers and gzip. Which there are is read from the folder,
so no path of a request is ever tried on the disk.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from fastapi.responses import Response

FOLDER = Path(__file__).parents[1] / "page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self' blob:; font-src 'self'; worker-src 'self' blob:; manifest-src 'self'; "
    "frame-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_ABSENT = (
    "The page is not built. In a checkout, make serve builds and starts it; the API is at /api/v1 "
    "either way.\n"
)
_YEAR = "public, max-age=31536000, immutable"
_TEXTS = (".html", ".js", ".css", ".svg", ".json", ".webmanifest", ".txt", ".map")


@dataclass(frozen=True)
class _Asset:
    content: bytes
    packed: bytes | None
    media_type: str
    tag: str


class Page:
    """The page's files in memory, read again when ``index.html`` changes."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._stamp: float | None = None
        self._assets: dict[str, _Asset] = {}

    def answer(self, request: Request) -> Response:
        """The file at the request's path, else the page itself, which has paths of its own."""
        self._refresh()
        path = request.url.path.lstrip("/")
        asset = self._assets.get(path)
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
        if asset is None:
            asset = self._assets.get("index.html")
            if asset is None:
                return Response(_ABSENT, 503, media_type="text/plain")
            if path.startswith("assets/") or "." in path.rsplit("/", 1)[-1]:
                return Response("There is no such file.\n", 404, media_type="text/plain")
        elif path.startswith("assets/"):  # named after their content
            headers["Cache-Control"] = _YEAR
        headers |= {"ETag": asset.tag, "Vary": "Accept-Encoding"}
        if asset.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        content = asset.content
        if asset.packed and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            content = asset.packed
        return Response(content, headers=headers, media_type=asset.media_type)

    def _refresh(self) -> None:
        index = self._folder / "index.html"
        stamp = index.stat().st_mtime if index.is_file() else None
        if stamp == self._stamp:
            return
        assets = {}
        for path in sorted(self._folder.rglob("*")) if stamp else []:
            if path.is_file():
                assets[path.relative_to(self._folder).as_posix()] = _load(path)
        self._assets, self._stamp = assets, stamp


def _load(path: Path) -> _Asset:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if path.suffix in (".js", ".mjs"):
        kind = "text/javascript"  # some systems' tables say otherwise
    packed = gzip.compress(content, 9, mtime=0) if path.suffix in _TEXTS else None
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return _Asset(content, packed, kind, tag)
