"""Bodies that come slowly, many at once, or not to their end; headers that do not end."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from server_tools import ServerProcess, app_client, create, picture, register
from vitruvian.server.api import bodies
from vitruvian.server.api.bodies import Arriving, Body
from vitruvian.server.problems import Problem

FORM = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
HEADERS = (
    b"POST /Upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=x\r\n"
)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    made = ServerProcess(tmp_path / "data", uploads_per_address=12)
    yield made
    assert made.stop() == 0


def connect(server: ServerProcess) -> socket.socket:
    address = urlsplit(server.url)
    assert address.hostname
    return socket.create_connection((address.hostname, address.port or 80), timeout=20)


def requests_in(log: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in log.splitlines()]
    return [line for line in lines if line["event"] == "request" and line["method"] == "POST"]


def test_slow_senders_hold_nobody_up(server: ServerProcess) -> None:
    import httpx

    slow = [connect(server) for _ in range(11)]  # more than are read at once
    try:
        for one in slow:
            one.sendall(HEADERS + b"Content-Length: 100000\r\n\r\n" + FORM)
        time.sleep(0.5)
        with httpx.Client(base_url=server.url, timeout=30) as browser:
            register(browser)
            began = time.monotonic()
            assert create(browser, picture()).status_code == 201
            assert time.monotonic() - began < 5
            # The twelfth place of this address, and no thirteenth.
            slow.append(connect(server))
            slow[-1].sendall(HEADERS + b"Content-Length: 100000\r\n\r\n" + FORM)
            time.sleep(0.3)
            refused = create(browser, picture())
            assert (refused.status_code, refused.json()["code"]) == (429, "rate-limited")
            assert int(refused.headers["Retry-After"]) > 0
            slow.pop().close()
            time.sleep(0.3)
            assert create(browser, picture()).status_code == 201
    finally:
        for one in slow:
            one.close()


def test_who_leaves_is_one_line_with_499(server: ServerProcess) -> None:
    with connect(server) as one:
        one.sendall(HEADERS + b"Content-Length: 100000\r\n\r\n" + FORM)
        time.sleep(0.3)
    body = FORM + picture("sleep=3") + b"\r\n--x--\r\n"
    with connect(server) as one:  # sends all, and does not wait for the answer
        one.sendall(HEADERS + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        time.sleep(0.5)
    time.sleep(1.5)
    lines = requests_in(server.log())
    assert [(line["route"], line["status"]) for line in lines] == [("/Upload", 499)] * 2
    assert "traceback" not in server.log()
    assert "request failed" not in server.log()


def test_bodies_that_are_no_http_end_the_connection(server: ServerProcess) -> None:
    # Refused before its body is looked at, which an expected 100 puts off.
    head = b"POST /Upload HTTP/1.1\r\nHost: a\r\nOrigin: https://elsewhere\r\nExpect: 200-ok\r\n"
    for _ in range(3):
        with connect(server) as one:
            one.sendall(head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
            assert one.recv(100).startswith(b"HTTP/1.1 400")
    time.sleep(0.2)
    assert "traceback" not in server.log()


def run_alone(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run it on a thread of its own: a browser of other tests keeps a loop running on this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, coroutine).result()


def answer(one: socket.socket, end: bytes) -> bytes:
    """What comes until ``end``, or until the connection is closed."""
    found = b""
    while end not in found:
        part = one.recv(4096)
        if not part:
            break
        found += part
    return found


class Line:
    """What a client sends: bytes, and the seconds before each."""

    def __init__(self, *parts: tuple[float, int]) -> None:
        self.parts = list(parts)
        self.now = 1000.0

    async def receive(self) -> Any:
        seconds, count = self.parts.pop(0)
        self.now += seconds
        if count < 0:
            raise TimeoutError  # as wait_for does
        return {"type": "http.request", "body": bytes(count), "more_body": bool(self.parts)}


def read_all(line: Line, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Read a body on a clock of its own; returns the patience before each part."""
    patience: list[float] = []

    async def wait_for(awaitable: Any, seconds: float) -> Any:
        patience.append(seconds)
        began = line.now
        message = await awaitable
        if line.now - began > seconds:
            raise TimeoutError
        return message

    monkeypatch.setattr(bodies.time, "monotonic", lambda: line.now)
    monkeypatch.setattr(bodies.asyncio, "wait_for", wait_for)
    body = Body(line.receive, 10**9, Problem("too-large", "x."), "a", Arriving(1))

    async def read() -> None:
        while not body.complete:
            await body()

    run_alone(read())
    return patience


def test_a_byte_now_and_then_is_too_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(*[(5.0, 1)] * 10)
    with pytest.raises(Problem) as caught:
        read_all(line, monkeypatch)
    assert caught.value.status == 408
    assert line.now - 1000 <= 15


def test_a_poor_uplink_is_fast_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = read_all(Line(*[(2.0, 16_000)] * 60), monkeypatch)
    assert min(patience) > 2
    assert max(patience) <= 30


def test_a_body_that_pauses_for_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Problem):
        read_all(Line((0.1, 10**7), (31.0, 10), (0.1, 10)), monkeypatch)


def test_places_are_given_back() -> None:
    arriving = Arriving(2)
    for _ in range(3):
        arriving.begin("a")
        arriving.begin("a")
        arriving.begin("b")
        with pytest.raises(Problem):
            arriving.begin("a")
        for address in "aab":
            arriving.end(address)


def test_headers_have_a_deadline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A real server in this process: half a request goes, a whole one stays."""
    import uvicorn

    from vitruvian.server import connections

    monkeypatch.setattr(connections, "HEADER_SECONDS", 1.5)
    monkeypatch.setattr(connections, "MOST_WAITING", 3)
    with app_client(tmp_path / "data") as client:
        config = uvicorn.Config(
            client.app, port=0, lifespan="off", log_config=None, http=connections.BoundedConnection
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.02)
            address = server.servers[0].sockets[0].getsockname()[:2]
            _headers_end_or_the_connection_does(address)
        finally:
            server.should_exit = True
            thread.join(10)
    assert not connections.BoundedConnection._waiting


def _headers_end_or_the_connection_does(address: Any) -> None:
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection(address, timeout=10) as one:
        began = time.monotonic()
        one.sendall(whole[:20])
        assert one.recv(100) == b""
        assert 1.2 < time.monotonic() - began < 6
    with socket.create_connection(address, timeout=10) as one:
        one.sendall(whole)
        assert b"alive" in answer(one, b"alive")
        time.sleep(2.0)  # keep-alive is longer than the deadline for headers
        one.sendall(whole)
        assert b"alive" in answer(one, b"alive")
        one.sendall(whole[:20])  # and half of a second request goes like half a first one
        assert one.recv(100) == b""
    many = [socket.create_connection(address, timeout=10) for _ in range(4)]
    began = time.monotonic()
    assert many[0].recv(100) == b""  # the oldest makes room
    assert time.monotonic() - began < 1.2
    for one in many:
        one.close()


def test_refused_bodies_do_not_keep_their_connection(
    client: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bodies, "_REFUSED_SECONDS", 0.1)
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/reconstructions",
        "raw_path": b"/api/v1/reconstructions",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-length", b"1000")],
        "scheme": "http",
        "client": ("127.0.0.1", 5000),
        "server": ("127.0.0.1", 80),
    }
    with caplog.at_level(logging.INFO, "vitruvian.server.requests"):
        client.portal.call(client.app, scope, receive, send)
    assert sent[0]["status"] == 401
    assert (b"connection", b"close") in sent[0]["headers"]
