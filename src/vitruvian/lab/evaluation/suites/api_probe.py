"""Odd requests, one after the other, to a server that is started for them.

    python -m vitruvian.lab.evaluation.suites.api_probe FIRST COUNT [PICTURE]

starts ``vitruvian serve`` on a free port, sends the requests of COUNT numbers from FIRST on, and
prints a line of JSON before and after each. PICTURE is reconstructed first, so that there is
something to ask for. No answer may be 5xx, and errors have the API's one shape.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitruvian.lab.evaluation.odd_requests import Known, OddRequest, odd_request, operations
from vitruvian.lab.evaluation.suites.fuzz_probe import broken_file

LONGEST_S = 120.0  # for an answer; on a busy machine a picture takes a while
_PROBLEM = {"type", "title", "status", "code", "detail", "errors"}
_PROTOCOL = b"Invalid HTTP request received."  # uvicorn's, of what is no HTTP
_SETTINGS = {
    "samples": "false",
    "shutdown_seconds": "0.3",
    "fast_path_seconds": "20",
    "upload_timeout_seconds": "110",
    "login_per_minute": "100000",
    "register_per_hour": "100000",
    "guest_per_hour": "100000",
    "upload_per_minute": "100000",
    "guest_upload_per_minute": "100000",
    "guest_quota_reconstructions": "1000",
    "guest_quota_mb": "10000",
    "max_queue": "10000",
    "max_active_jobs": "10000",
}


@dataclass(frozen=True)
class Reply:
    """What a server said: status 0 where it closed the connection in silence."""

    status: int
    kind: str
    body: bytes


class Server:
    """``vitruvian serve`` in a process of its own, with a data folder that goes with it.

    Raises:
        RuntimeError: it does not start.
    """

    def __init__(self, folder: Path) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("VITRUVIAN_SERVER_")}
        environment |= {f"VITRUVIAN_SERVER_{k.upper()}": v for k, v in _SETTINGS.items()}
        command = [sys.executable, "-m", "vitruvian", "serve", "--port", "0", "--workers", "1"]
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--data", str(folder / "data")],
                env=environment, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://([\d.]+):(\d+)", line)
        if found is None:
            raise RuntimeError(f"the server does not start: {line} {self.log()[-500:]}")
        self.address = found[1], int(found[2])

    def log(self) -> str:
        """What it wrote so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def causes(self) -> list[str]:
        """The last lines of the tracebacks in the log, each once."""
        lines = [json.loads(one) for one in self.log().splitlines() if one.startswith("{")]
        return sorted({one["traceback"].splitlines()[-1] for one in lines if one.get("traceback")})

    def memory_mb(self) -> float:
        """Most memory that it ever had; NaN where the system does not say."""
        with contextlib.suppress(OSError, StopIteration):
            lines = (
                Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
            )
            return int(next(one for one in lines if one.startswith("VmHWM")).split()[1]) / 1024
        return float("nan")

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
        """The JSON of an answer to a request that is as it should be."""
        connection = http.client.HTTPConnection(*self.address, timeout=LONGEST_S)
        with contextlib.closing(connection):
            connection.request(
                method, path, body, {k.replace("_", "-"): v for k, v in headers.items()}
            )
            answer = connection.getresponse()
            self.cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
            return json.loads(answer.read() or b"null")

    def send(self, request: OddRequest) -> Reply:
        """Send a request as it is; raises ``OSError`` when no answer comes in time."""
        with socket.create_connection(self.address, timeout=LONGEST_S) as line:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused on the way
                line.sendall(request.data)
                if not request.framed:
                    with contextlib.suppress(OSError):  # closed meanwhile: no longer connected
                        line.shutdown(socket.SHUT_WR)
            answer = http.client.HTTPResponse(line, method=request.method)
            try:
                answer.begin()
                body = b"" if request.streams and answer.status == 200 else answer.read()
            except (http.client.HTTPException, ConnectionResetError):
                return Reply(0, "", b"")
            return Reply(answer.status, answer.getheader("Content-Type") or "", body)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server for a while."""
    with tempfile.TemporaryDirectory(prefix="vitruvian-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def verdict(request: OddRequest, reply: Reply) -> str:
    """``accepted``, ``refused``, ``left`` (closed, as nobody could follow it), or what is wrong."""
    if reply.status == 0:
        return "left" if not request.framed else "silence"
    # The page may not be built in a checkout, and workers are replaced now and then.
    known = reply.kind.startswith("text/plain") or request.label == "GET /readyz"
    if reply.status == 503 and known:
        return "accepted"
    if reply.status >= 500:
        return f"{reply.status}: {reply.body[:300]!r}"
    if reply.status < 400:
        return "accepted"
    if request.method == "HEAD" or (reply.status == 400 and reply.body == _PROTOCOL):
        return "refused"
    try:
        told = json.loads(reply.body)
        good = set(told) == _PROBLEM and told["status"] == reply.status
        good &= told["type"] == f"/problems/{told['code']}"
        good &= told["detail"].endswith(".") and "\n" not in told["detail"]
        good &= reply.kind.startswith("application/problem+json")
    except (ValueError, TypeError, KeyError, AttributeError):
        good = False
    return (
        "refused" if good else f"another shape, {reply.status} {reply.kind}: {reply.body[:300]!r}"
    )


def known_things(server: Server, picture: Path | None) -> Known:
    """Somebody who is logged in, with a result where a picture is given."""
    session = server.ask("POST", "/api/v1/sessions/guest", b"")
    headers = {"Cookie": server.cookie, "X-CSRF-Token": session["csrf_token"]}
    host, port = server.address
    ids = {"path": "person-1/mesh.obj"}
    if picture is not None:
        form = b'--b\r\nContent-Disposition: form-data; name="detail"\r\n\r\nbody\r\n'
        form += b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        form += picture.read_bytes() + b"\r\n--b--\r\n"
        kind = {"Content_Type": "multipart/form-data; boundary=b"}
        made = server.ask("POST", "/api/v1/reconstructions", form, **headers, **kind)
        if "people" in made:
            where = f"/api/v1/reconstructions/{made['id']}/shares"
            shared = server.ask("POST", where, b"{}", **headers, Content_Type="application/json")
            ids |= {"reconstruction_id": made["id"], "token": shared["url"].rsplit("/", 1)[1]}
    jobs = server.ask("GET", "/api/v1/jobs", None, **headers).get("items", [])
    if jobs:
        ids["job_id"] = jobs[0]["id"]
    return Known(f"{host}:{port}", headers, ids)


def main() -> None:
    """Send the requests of a range of numbers."""
    first, count = int(sys.argv[1]), int(sys.argv[2])
    picture = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    with serving() as server:
        known = known_things(server, picture)
        offered = operations(server.ask("GET", "/api/v1/openapi.json"))
        for number in range(first, first + count):
            request = odd_request(number, offered, known, lambda n: broken_file(n)[1])
            print(json.dumps({"begins": number, "label": request.label}), flush=True)
            start = time.perf_counter()
            try:
                said = verdict(request, server.send(request))
            except OSError as error:
                said = f"no answer: {type(error).__name__}: {error}"
            seconds = round(time.perf_counter() - start, 3)
            line = {"number": number, "label": request.label, "answer": said, "seconds": seconds}
            print(json.dumps(line), flush=True)
        lived = server.process.poll() is None
        jobs = server.ask("GET", "/api/v1/jobs", None, **known.session) if lived else {}
        failed = [one.get("problem") or {} for one in jobs.get("items", ())]
        bad = [one for one in failed if one.get("status", 0) >= 500]
        end = {"lived": lived, "jobs": bad, "log": server.causes(), "memory_mb": server.memory_mb()}
        print(json.dumps(end), flush=True)


if __name__ == "__main__":
    main()
