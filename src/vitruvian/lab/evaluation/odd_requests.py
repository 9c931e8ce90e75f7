"""Requests that no client of ours would send: made from an API's own description, by number.

Paths and ids, methods, headers, ranges, JSON and multipart bodies are each right more often than
not, so that what is wrong gets as far as it can. They are bytes for a socket: clients would refuse
to send some.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import numpy as np

_LINE = "\r\n"
# fmt: off
_TEXTS = (
    "", "0", "-1", "null", "\x00", "a" * 5000, "9" * 400, "1e400", "NaN", "../../etc/passwd",
    "%2e%2e%2f", "'; DROP TABLE jobs; --", "\ud7ff\uffff", "🙂" * 50, "{{7*7}}", "\u202eabc",
    "true", "1_0", " 7 ",
)
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, 10**400, -0.0, 1e308, [], {}, [[]], {"a": {"a": {}}},
    [None] * 1000, *_TEXTS,
)
_RAW_JSON = (
    b"", b"{", b"[" * 5000, b'{"a":' * 2000 + b"1" + b"}" * 2000, b"NaN", b'"\\ud800"',
    b"\xff\xfe{}\x00", b"[1,2,", b"{}{}", b'{"name": "a", "name": "b"}', b"9" * 20_000,
    b"\xef\xbb\xbf{}",
)
_RANGES = (
    "bytes=0-", "bytes=-1", "bytes=5-2", "bytes=0-0,2-3", "bytes=99999999999999999999-", "bytes=-0",
    "lines=1-2", "bytes=a-b", "bytes=" + "0-1," * 900 + "5-6", "bytes=--1", "bytes",
    "bytes=0-18446744073709551616",
)
_HEADERS: tuple[tuple[str, Sequence[str]], ...] = (
    ("Range", _RANGES),
    ("If-Range", ('"x"', "Mon, 99 Foo 2026", "W/")),
    ("If-None-Match", ("*", '"', 'W/"' + "e" * 3000 + '"')),
    ("If-Modified-Since", ("yesterday", "Thu, 01 Jan 1970 00:00:00 GMT", "-1")),
    ("Accept", ("*/*;q=9", "image/", "text/html;level=", "," * 500)),
    ("Accept-Encoding", ("gzip;q=-1", "*;q=0", "identity;q=0")),
    ("Prefer", ("wait=-1", "wait=1e99", "wait=NaN", "respond-async; wait=", "wait=" + "9" * 20)),
    ("Idempotency-Key", ("", "k" * 4000, "a b", "\u00e9", "same", "same")),
    ("Authorization", ("Bearer", "Bearer vtr_", "Basic ///", "Bearer " + "x" * 4000, "vtr_a")),
    ("Cookie", ("vitruvian", "vitruvian=;", "=;;;==", "vitruvian=" + "x" * 4000)),
    ("X-CSRF-Token", ("", "x", "\u00ff" * 20)),
    ("X-Forwarded-For", ("", "not an address", "::1, " * 300, "127.0.0.1:99999")),
    ("X-Forwarded-Proto", ("gopher", "https", "")),
    ("Origin", ("null", "http://", "https://[::1", "http://127.0.0.1")),
    ("Sec-Fetch-Site", ("cross-site", "same-origin", "none", "?")),
    ("Content-Encoding", ("gzip", "br", "identity")),
    ("Expect", ("100-continue", "200-ok")),
    ("Connection", ("Upgrade", "close", "keep-alive, Upgrade")),
    ("Upgrade", ("websocket", "h2c")),
    ("X-HTTP-Method-Override", ("DELETE",)),
)
_TYPES = (
    "", "text/plain", "application/json; charset=utf-7", "application/xml", "multipart/form-data",
    "json", "multipart/form-data; boundary=", "multipart/form-data; boundary=" + "b" * 300,
    "application/json;;;", "*/*", "application/x-www-form-urlencoded",
    'multipart/form-data; boundary="a"b"',
)
# fmt: on
_ENDINGS = ("/account", "/cancel", "/deletion", "/password", "/sessions")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO", "get")


@dataclass(frozen=True)
class Operation:
    """A method on a path of the API, with what its description says of parameters and body."""

    method: str
    path: str
    queries: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    form: bool = False
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What is there to be asked for.

    Attributes:
        host: of the server, with its port.
        session: headers of somebody who is logged in.
        ids: by the name of the parameter.
    """

    host: str
    session: Mapping[str, str]
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OddRequest:
    """A request as bytes, and what may come back.

    Attributes:
        data: to send; sending ends behind it.
        label: its operation.
        method: as sent.
        framed: whether the server can tell where the request ends. Where not, silence is an answer.
        streams: whether an answer may go on for ever.
    """

    data: bytes
    label: str
    method: str
    framed: bool
    streams: bool


def operations(description: Mapping[str, Any]) -> list[Operation]:
    """What an OpenAPI description offers."""
    schemas = description.get("components", {}).get("schemas", {})
    found = []
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            queries = [
                one["name"] for one in operation.get("parameters", ()) if one.get("in") == "query"
            ]
            content = operation.get("requestBody", {}).get("content", {})
            kind = next(iter(content), "")
            shape = content.get(kind, {}).get("schema", {})
            shape = schemas.get(shape.get("$ref", "").rsplit("/", 1)[-1], shape)
            fields = shape.get("properties", {})
            files = [name for name, one in fields.items() if "contentMediaType" in one
                     or one.get("format") == "binary"]  # fmt: skip
            found.append(
                Operation(
                    method.upper(),
                    path,
                    tuple(queries),
                    tuple(fields),
                    kind.startswith("multipart"),
                    tuple(files),
                )
            )
    return found


def odd_request(
    number: int, offered: Sequence[Operation], known: Known, file: Callable[[int], bytes]
) -> OddRequest:
    """The request of a number; the same number and description give the same.

    Args:
        number: which.
        offered: operations to choose from.
        known: what is there.
        file: a broken file by number, for the fields that are files.
    """
    rng = np.random.default_rng(number)
    forms = [one for one in offered if one.form]
    operation = _one(rng, forms if forms and rng.random() < 0.25 else offered)
    method = operation.method if rng.random() < 0.85 else _one(rng, _METHODS)
    # What others of the same run need is not deleted, and whom they are is not logged out.
    ends = "DELETE" in (method, operation.method) or operation.path.endswith(_ENDINGS)
    path = _path(operation, rng, {} if ends else known.ids)
    headers = [("Host", known.host if rng.random() < 0.97 else _one(rng, _TEXTS))]
    if rng.random() < 0.7 and not (ends and "{" not in operation.path):
        headers += known.session.items()
    headers += [(name, _one(rng, odd)) for name, odd in _HEADERS if rng.random() < 0.08]
    kind, body = _body(operation, number, rng, file)
    framed = True
    if body is not None or method in ("POST", "PUT", "PATCH"):
        body = b"" if body is None else body
        if rng.random() < 0.12:
            kind = _one(rng, _TYPES)
        if kind:
            headers.append(("Content-Type", kind))
        framing, body, framed = _framing(body, rng)
        headers += framing
    else:
        body = b""
    head = _LINE.join([f"{method} {path} HTTP/1.1", *(f"{k}: {_line(v)}" for k, v in headers)])
    data = head.encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body
    if rng.random() < 0.02:
        data, framed = data[: int(rng.integers(len(data)))], False
    streams = path.partition("?")[0].endswith("/events")
    return OddRequest(data, f"{operation.method} {operation.path}", method, framed, streams)


def _one(rng: np.random.Generator, choices: Sequence[Any]) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _line(text: str) -> str:
    """Text that stays within its line."""
    return text.replace("\r", "").replace("\n", "").replace("\x00", "")


def _path(operation: Operation, rng: np.random.Generator, ids: Mapping[str, str]) -> str:
    path = operation.path
    while "{" in path:
        name = path[path.index("{") + 1 : path.index("}")]
        plain = name.partition(":")[0]
        there = plain in ids and rng.random() < 0.7
        value = ids[plain] if there else quote(_one(rng, _TEXTS), safe="")
        path = path.replace("{" + name + "}", value, 1)
    pairs = [
        f"{name}={quote(_one(rng, _TEXTS), safe='')}"
        for name in operation.queries
        if rng.random() < 0.5
    ]
    if rng.random() < 0.1:
        pairs += [f"{quote(_one(rng, _TEXTS))}={quote(_one(rng, _TEXTS))}"] * int(
            rng.integers(1, 5)
        )
    return path + ("?" + "&".join(pairs) if pairs else "")


def _body(
    operation: Operation, number: int, rng: np.random.Generator, file: Callable[[int], bytes]
) -> tuple[str, bytes | None]:
    """The type and the bytes of a body; None for an operation without one."""
    if operation.form:
        return _form(operation, number, rng, file)
    if not operation.fields:
        return ("", None) if rng.random() < 0.95 else ("application/json", b"{}")
    if rng.random() < 0.2:
        return "application/json", _one(rng, _RAW_JSON)
    content = {name: _one(rng, _VALUES) for name in operation.fields if rng.random() < 0.7}
    if rng.random() < 0.1:
        content[_one(rng, _TEXTS)] = 1
    return "application/json", json.dumps(content).encode()


def _form(
    operation: Operation, number: int, rng: np.random.Generator, file: Callable[[int], bytes]
) -> tuple[str, bytes]:
    boundary = "odd" if rng.random() < 0.95 else _line(_one(rng, _TEXTS)) or "x"
    names = [name for name in operation.fields if name in operation.files or rng.random() < 0.15]
    if rng.random() < 0.1:
        names = names * 2 if rng.random() < 0.5 else [*names, _one(rng, _TEXTS)] * 60
    parts = []
    for place, name in enumerate(names):
        shown = _line(name)
        if name in operation.files and rng.random() < 0.95:
            called = _line(_one(rng, _TEXTS))
            head, content = f'form-data; name="{shown}"; filename="{called}"', file(number + place)
        else:
            head, content = f'form-data; name="{shown}"', str(_one(rng, _VALUES)).encode()
        if rng.random() < 0.03:
            head = _one(
                rng, ("", "form-data", 'form-data; name="', "attachment", head + "; size=-1")
            )
        parts.append(f"--{boundary}\r\nContent-Disposition: {head}\r\n\r\n".encode() + content)
    end = f"\r\n--{boundary}--\r\n".encode() if rng.random() < 0.95 else b""
    return f"multipart/form-data; boundary={boundary}", b"\r\n".join(parts) + end


def _framing(body: bytes, rng: np.random.Generator) -> tuple[list[tuple[str, str]], bytes, bool]:
    """Headers that say where a body ends, the body as it is sent, and whether they are right."""
    chance = rng.random()
    right = str(len(body))
    if chance < 0.85:
        return [("Content-Length", right)], body, True
    if chance < 0.9:
        return (
            [("Transfer-Encoding", "chunked")],
            b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body),
            True,
        )
    wrong: tuple[tuple[list[tuple[str, str]], bytes], ...] = (
        ([("Content-Length", "-1")], body),
        ([("Content-Length", "9" * 30)], body),
        ([("Content-Length", "1" + right)], body),
        ([("Content-Length", right), ("Content-Length", "0")], body),
        ([("Content-Length", right), ("Transfer-Encoding", "chunked")], body),
        ([("Transfer-Encoding", "chunked")], b"zz\r\n" + body),
        ([("Transfer-Encoding", "gzip, chunked")], body),
        ([], body),
    )  # fmt: skip
    headers, sent = _one(rng, wrong)
    return headers, sent, False
