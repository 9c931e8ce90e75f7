"""How a client speaks to a server: requests that wait and repeat, jobs, forms."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vitruvian.errors import InputError, VitruvianError
from vitruvian.image.names import expanded

_POLL_SECONDS = 0.3
_BUSY_STATUSES = (429, 503)
_RESULTS = ("reconstruction", "measurement", "video")  # links of a job


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


class Wire:
    """A server's address and a token.

    Args:
        url: where it is, such as ``http://127.0.0.1:8000``.
        token: an API token.
        timeout: seconds without an answer after which a request fails.

    Raises:
        InputError: the address is none.
    """

    def __init__(self, url: str, token: str, timeout: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url} is not an address of a server; give http://HOST:PORT.")
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        self._parts = parts
        self._base = parts.path.rstrip("/")
        self._token = token
        self._timeout = timeout

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """One request with a JSON body; returns what the JSON of the answer holds.

        Raises:
            ApiError: the server refused it.
            InputError: the server cannot be reached.
        """
        if body is None:
            return _parse(self.send(method, path, None, {})[1])
        headers = {"Content-Type": "application/json"}
        return _parse(self.send(method, path, json.dumps(body).encode(), headers)[1])

    def submit(
        self,
        path: str,
        files: Sequence[tuple[str, bytes]],
        fields: Mapping[str, Any],
        patience: float,
    ) -> Any:
        """What a form with files, each with the name of its field, comes to, once its job has
        ended; fields that are None are left out.

        Safe against lost connections: a form that is sent again has the same key, and the server
        works on it once.

        Raises:
            ApiError: the server refused it, or the job failed.
            InputError: the server cannot be reached, or takes longer than ``patience`` seconds.
        """
        body, kind = _form(files, {k: v for k, v in fields.items() if v is not None})
        headers = {"Content-Type": kind, "Idempotency-Key": secrets.token_urlsafe(16)}
        return self.finished("POST", path, body, headers, patience)

    def finished(
        self, method: str, path: str, body: bytes, headers: dict[str, str], patience: float
    ) -> Any:
        """The result of a request, once its job has ended; raises as ``submit`` does."""
        deadline = time.monotonic() + patience
        answer = self._patiently(method, path, body, headers, deadline)
        while "state" in answer:  # a job
            if answer["state"] == "succeeded":
                links = answer["links"]
                made = next(links[kind] for kind in _RESULTS if links.get(kind))
                return self._patiently("GET", made, None, {}, deadline)
            if answer["state"] == "failed":
                problem = answer["problem"]
                raise ApiError(problem["detail"], problem["status"], problem["code"], None)
            if answer["state"] == "cancelled":
                raise ApiError("The job was cancelled; send it again.", 409, "cancelled", None)
            if time.monotonic() > deadline:
                raise InputError(f"The server needs longer than {patience:g} s; be more patient.")
            time.sleep(_POLL_SECONDS)
            answer = self._patiently("GET", answer["links"]["self"], None, {}, deadline)
        return answer

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
                return _parse(self.send(method, path, body, headers)[1])
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

    def send(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[HTTPResponse, bytes]:
        """One request; the response and its content. Raises as ``request`` does."""
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


def file_bytes(source: str | Path | bytes) -> bytes:
    """The content of a file; bytes are taken as they are.

    Raises:
        InputError: the file cannot be read.
    """
    if isinstance(source, bytes):
        return source
    try:
        return expanded(source).read_bytes()
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise InputError(f"{source} cannot be read ({reason}); check the path.") from None


def _form(files: Sequence[tuple[str, bytes]], fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """``multipart/form-data`` with fields and files, and its content type."""
    boundary = secrets.token_hex(24)
    pieces: list[bytes] = []
    for name, value in fields.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
        pieces += [head.encode(), text.encode(), b"\r\n"]
    for name, content in files:
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="file"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        pieces += [head.encode(), content, b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return b"".join(pieces), f"multipart/form-data; boundary={boundary}"
