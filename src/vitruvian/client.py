"""A client of the server's API, for Python programs. Needs nothing but the standard library."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from vitruvian.errors import InputError, VitruvianError
from vitruvian.formats.atomic import write_bytes
from vitruvian.hints import Hint, Who, checked_hints, write_hints
from vitruvian.options import BoneNames, Detail, Incomplete, Relief, Rest, RigKind

_POLL_SECONDS = 0.3
_BUSY_STATUSES = (429, 503)


class ApiError(VitruvianError):
    """The server refused a request.

    Attributes:
        status: of HTTP.
        code: what went wrong, as docs/api.md lists it.
        retry_after: seconds after which it may go well, or None.
    """

    def __init__(self, detail: str, status: int, code: str, retry_after: float | None) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.retry_after = retry_after


@dataclass(frozen=True)
class RemoteScene:
    """A reconstruction on a server.

    Attributes:
        id: opaque.
        name: title.
        people: what the server found, as in ``report.json``; ``files`` maps a use to its address.
        warnings: sentences about the picture as a whole.
        files: what a file is for -> its address on the server.
        details: the whole answer.
    """

    id: str
    name: str
    people: tuple[Mapping[str, Any], ...]
    warnings: tuple[str, ...]
    files: Mapping[str, str]
    details: Mapping[str, Any] = field(repr=False)
    _client: Client = field(repr=False, compare=False)

    def addresses(self) -> dict[str, str]:
        """Path in a result's folder -> address on the server, archives left out."""
        every = [*self.files.values()]
        for person in self.people:
            every.extend(person["files"].values())
        paths = {address.split("/files/", 1)[1].partition("?")[0]: address for address in every}
        return {path: address for path, address in paths.items() if not path.endswith(".zip")}

    def save(self, directory: str | Path) -> Path:
        """Download every file into ``directory``, as ``vitruvian photo`` would lay them out.

        Raises:
            ApiError: the result is gone.
            InputError: the directory cannot be written, or the server cannot be reached.
        """
        directory = Path(directory)
        for path, address in self.addresses().items():
            parts = PurePosixPath(path).parts
            if path.startswith("/") or ".." in parts:
                raise InputError(f"The server named a file {path}, which is refused.")
            write_bytes(directory.joinpath(*parts), self._client.download(address))
        return directory

    def correct(self, hints: Mapping[Who, Hint] | None, *, patience: float = 600.0) -> RemoteScene:
        """Make the result anew, in place, with what is known of its people; returns it.

        Args:
            hints: as in ``vitruvian.reconstruct``, in place of those given before; None for none.
            patience: seconds after which to give up waiting.

        Raises:
            ApiError: hints cannot be used, or nobody is left; the result then stays as it was.
            InputError: the server cannot be reached.
        """
        known = None if hints is None else json.loads(write_hints(checked_hints(hints) or {}))
        path = f"/api/v1/reconstructions/{quote(self.id, safe='')}"
        return self._client.finished("PATCH", path, {"hints": known}, patience)

    def share(self, *, days: int | None = None) -> str:
        """Make a link that shows the result to whoever has it; returns its whole address."""
        body = {"expires_in_days": days} if days is not None else {}
        path = f"/api/v1/reconstructions/{quote(self.id, safe='')}/shares"
        made = self._client.request("POST", path, body)
        return f"{self._client.url}{made['page']}"

    def delete(self) -> None:
        """Delete the result with its files on the server."""
        self._client.request("DELETE", f"/api/v1/reconstructions/{quote(self.id, safe='')}")


class Client:
    """Speaks to a server.

    Args:
        url: where it is, such as ``http://127.0.0.1:8000``.
        token: an API token of your account, made on its page.
        timeout: seconds without an answer after which a request fails.
    """

    def __init__(self, url: str, token: str, *, timeout: float = 60.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url} is not an address of a server; give http://HOST:PORT.")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._parts = parts
        self._base = parts.path.rstrip("/")
        self._token = token
        self._timeout = timeout

    def reconstruct(
        self,
        image: str | Path | bytes,
        *,
        name: str | None = None,
        height_cm: float | None = None,
        hints: Mapping[Who, Hint] | None = None,
        fov_deg: float | None = None,
        max_people: int | None = None,
        detail: Detail | None = None,
        relief: Relief | None = None,
        incomplete: Incomplete | None = None,
        faces: int | None = None,
        texture: bool | None = None,
        albedo: bool | None = None,
        check: bool | None = None,
        formats: Sequence[str] | None = None,
        vertex_colors: bool | None = None,
        print_height_mm: float | None = None,
        poses: bool | None = None,
        rest: Rest | None = None,
        rig: RigKind | None = None,
        bone_names: BoneNames | None = None,
        clips: bool | None = None,
        patience: float = 600.0,
    ) -> RemoteScene:
        """Reconstruct a picture on the server and wait for the result.

        Safe against lost connections: the picture is sent again under the same key, and the server
        works on it once. When the server is busy, waits as it asks.

        Args:
            image: a path, or the bytes of an image file.
            name: title; "Photo" by default.
            height_cm, hints, fov_deg, max_people, detail, relief, incomplete, faces, texture,
                albedo, check: as in ``vitruvian.reconstruct``.
            formats, vertex_colors, print_height_mm, poses, rest, rig, bone_names, clips: as
                in ``Scene.save``; every format by default.
            patience: seconds after which to give up.

        Raises:
            ApiError: picture or options cannot be used, nobody is in the picture, or the token is
                wrong.
            InputError: the file cannot be read, or the server cannot be reached.
        """
        fields = {
            "name": name,
            "height_cm": height_cm,
            "hints": None if hints is None else write_hints(checked_hints(hints) or {}),
            "fov_deg": fov_deg,
            "max_people": max_people,
            "detail": detail,
            "relief": relief,
            "incomplete": incomplete,
            "faces": faces,
            "texture": texture,
            "albedo": albedo,
            "check": check,
            "formats": None if formats is None else ",".join(formats),
            "vertex_colors": vertex_colors,
            "print_height_mm": print_height_mm,
            "poses": poses,
            "rest": rest,
            "rig": rig,
            "bone_names": bone_names,
            "clips": clips,
        }
        body, kind = _form(_read(image), {k: v for k, v in fields.items() if v is not None})
        headers = {"Content-Type": kind, "Idempotency-Key": secrets.token_urlsafe(16)}
        return self._finished("POST", "/api/v1/reconstructions", body, headers, patience)

    def finished(self, method: str, path: str, body: Any, patience: float) -> RemoteScene:
        """The result of a request with a JSON body, once its job has ended.

        Raises:
            ApiError: the server refused it, or the job failed.
            InputError: the server cannot be reached, or takes longer than ``patience`` seconds.
        """
        headers = {"Content-Type": "application/json"}
        return self._finished(method, path, json.dumps(body).encode(), headers, patience)

    def _finished(
        self, method: str, path: str, body: bytes, headers: dict[str, str], patience: float
    ) -> RemoteScene:
        deadline = time.monotonic() + patience
        answer = self._patiently(method, path, body, headers, deadline)
        while "state" in answer:  # a job
            if answer["state"] == "succeeded":
                answer = self._patiently(
                    "GET", answer["links"]["reconstruction"], None, {}, deadline
                )
                break
            if answer["state"] == "failed":
                problem = answer["problem"]
                raise ApiError(problem["detail"], problem["status"], problem["code"], None)
            if answer["state"] == "cancelled":
                raise ApiError(
                    "The job was cancelled; send the picture again.", 409, "cancelled", None
                )
            if time.monotonic() > deadline:
                raise InputError(f"The server needs longer than {patience:g} s; be more patient.")
            time.sleep(_POLL_SECONDS)
            answer = self._patiently("GET", answer["links"]["self"], None, {}, deadline)
        return self._scene(answer)

    def get(self, reconstruction_id: str) -> RemoteScene:
        """A result by its id."""
        path = f"/api/v1/reconstructions/{quote(reconstruction_id, safe='')}"
        return self._scene(self.request("GET", path))

    def reconstructions(self) -> Iterator[Mapping[str, Any]]:
        """Summaries of the account's results, newest first."""
        cursor: str | None = None
        while True:
            query = urlencode({"limit": 100} | ({"cursor": cursor} if cursor else {}))
            page = self.request("GET", f"/api/v1/reconstructions?{query}")
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def download(self, address: str) -> bytes:
        """The content of a file, by its address on the server."""
        return self._send("GET", address, None, {})[1]

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request with a JSON body; returns what the JSON of the answer holds.

        Raises:
            ApiError: the server refused it.
            InputError: the server cannot be reached.
        """
        if body is None:
            return _parse(self._send(method, path, None, {})[1])
        headers = {"Content-Type": "application/json"}
        return _parse(self._send(method, path, json.dumps(body).encode(), headers)[1])

    def _scene(self, answer: dict[str, Any]) -> RemoteScene:
        return RemoteScene(
            id=answer["id"],
            name=answer["name"],
            people=tuple(answer["people"]),
            warnings=tuple(answer["warnings"]),
            files=answer["files"],
            details=answer,
            _client=self,
        )

    def _patiently(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
        deadline: float,
    ) -> Any:
        """A request that may be repeated until ``deadline`` when the server is busy or away."""
        pause = 0.5
        while True:
            try:
                return _parse(self._send(method, path, body, headers)[1])
            except ApiError as error:
                full = error.code == "quota-exceeded"  # waiting does not help
                if error.status not in _BUSY_STATUSES or full or time.monotonic() > deadline:
                    raise
                wait = error.retry_after or pause
            except InputError:
                if time.monotonic() > deadline:
                    raise
                wait = pause
            time.sleep(max(0.0, min(wait, deadline - time.monotonic())))
            pause = min(pause * 2, 10.0)

    def _send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        secure = self._parts.scheme == "https"
        connect = HTTPSConnection if secure else HTTPConnection
        assert self._parts.hostname is not None
        connection = connect(self._parts.hostname, self._parts.port, timeout=self._timeout)
        try:
            headers = {"Authorization": f"Bearer {self._token}", **headers}
            connection.request(method, self._base + path, body, headers)
            response = connection.getresponse()
            data = response.read()
        except (OSError, HTTPException) as error:
            reason = str(error) or type(error).__name__
            raise InputError(
                f"The server {self.url} cannot be reached ({reason}); check that it runs."
            ) from error
        finally:
            connection.close()
        if response.status >= 400:
            raise _refusal(response, data)
        return response, data


def _refusal(response: HTTPResponse, data: bytes) -> ApiError:
    after = response.headers.get("Retry-After", "")
    wait = float(after) if after.isdigit() else None
    try:
        problem = json.loads(data)
        return ApiError(problem["detail"], response.status, problem["code"], wait)
    except (ValueError, KeyError, TypeError):  # a proxy's answer
        sentence = f"The server answered {response.status} {response.reason}."
        return ApiError(sentence, response.status, "unknown", wait)


def _parse(data: bytes) -> Any:
    return json.loads(data) if data else None


def _read(image: str | Path | bytes) -> bytes:
    if isinstance(image, bytes):
        return image
    try:
        return Path(image).expanduser().read_bytes()
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise InputError(f"{image} cannot be read ({reason}); check the path.") from None


def _form(image: bytes, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """``multipart/form-data`` with a picture and fields, and its content type."""
    boundary = secrets.token_hex(24)
    parts = []
    for name, value in fields.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode())
    parts.append(
        b'Content-Disposition: form-data; name="image"; filename="picture"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n" + image
    )
    mark = f"--{boundary}\r\n".encode()
    body = b"".join(mark + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
