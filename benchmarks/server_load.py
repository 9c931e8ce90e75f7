"""Many users at one server: errors, lost jobs and waiting times, as a Markdown table.

Run from the repository's root::

    python benchmarks/server_load.py --users 20 --minutes 3
    python benchmarks/server_load.py --users 20 --minutes 3 --kill    # and kill -9 on the way
    python benchmarks/server_load.py --users 20 --slow 30             # and 30 that never end
    python benchmarks/server_load.py --url http://HOST:PORT           # a server that runs

Every user registers, then uploads the picture again and again: a 201 is the fast path, a 202 is
followed to its end, a 429 is waited out as the server asks. With ``--kill`` one worker is killed
after a third of the time, and the whole server, which is started again, after two thirds; what a
user sent while it was away is sent again under the same idempotency key. With ``--slow``, as many
connections begin to send a picture and then send a byte every five seconds, a third of them within
the headers; each begins again when the server gives it up. At the end every accepted
job must have ended once: its account's results are counted against the jobs.

Needs httpx, and Linux for ``--kill``.
"""

from __future__ import annotations

import argparse
import os
import re
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
_ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class Server:
    """A server of our own: started, killed, started again on the same port."""

    data: Path
    url: str = ""
    process: subprocess.Popen[str] | None = None
    away: threading.Event = field(default_factory=threading.Event)
    back: float = -1e9

    def start(self) -> None:
        port = self.url.rsplit(":", 1)[1] if self.url else "0"
        environment = os.environ | {
            "VITRUVIAN_SERVER_SAMPLES": "false",
            "VITRUVIAN_SERVER_REGISTER_PER_HOUR": "100000",
            "VITRUVIAN_SERVER_LOG_LEVEL": "warning",
        }
        program = "import sys; from vitruvian.commands.cli import main; sys.exit(main())"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "serve", "--port", port, "--data", str(self.data)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        if not found:
            sys.exit("The server did not start.")
        self.url = found.group()

    def wait_ready(self) -> None:
        while httpx.get(f"{self.url}/readyz").status_code != 200:
            time.sleep(0.2)

    def kill(self) -> None:
        """kill -9, and start again."""
        assert self.process is not None
        self.away.set()
        self.process.kill()
        self.process.wait()
        self.start()
        self.back = time.monotonic()
        self.away.clear()

    def kill_worker(self) -> None:
        """kill -9 of one worker."""
        assert self.process is not None
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/children"):
            for child in task.read_text().split()[:1]:
                os.kill(int(child), signal.SIGKILL)
                return

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait()


@dataclass
class Tally:
    """What happened to all users together."""

    fast: list[float] = field(default_factory=list)
    queued: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    jobs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    doubled: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class User(threading.Thread):
    """One user in a browser of their own."""

    def __init__(self, url: str, picture: bytes, until: float, tally: Tally, server: Server | None):
        super().__init__()
        self._url = url
        self._picture = picture
        self._until = until
        self._tally = tally
        self._server = server
        self._job_ids: set[str] = set()
        self._results: set[str] = set()

    def run(self) -> None:
        with httpx.Client(base_url=self._url, timeout=180) as client:
            self._register(client)
            while time.monotonic() < self._until:
                self._upload(client)
            self._account(client)

    def _register(self, client: httpx.Client) -> None:
        body = {"name": f"{secrets.token_hex(8)}@example.org", "password": secrets.token_hex(12)}
        client.post("/api/v1/accounts", json=body).raise_for_status()
        answer = client.post("/api/v1/sessions", json=body).raise_for_status()
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]

    def _upload(self, client: httpx.Client) -> None:
        key = secrets.token_urlsafe(16)
        start = time.monotonic()
        while True:
            answer = self._ask(
                client,
                "POST",
                "/api/v1/reconstructions",
                files={"image": self._picture},
                headers={"Idempotency-Key": key},
            )
            with self._tally.lock:
                self._tally.statuses[str(answer.status_code)] += 1
            if answer.status_code != 429:
                break
            time.sleep(float(answer.headers["Retry-After"]))
            if time.monotonic() > self._until:
                return
        if answer.status_code == 201:
            self._results.add(answer.json()["id"])
            with self._tally.lock:
                self._tally.fast.append(time.monotonic() - start)
        elif answer.status_code == 202:
            job = answer.json()
            self._job_ids.add(job["id"])
            while job["state"] not in _ENDED:
                time.sleep(0.5)
                job = self._ask(client, "GET", job["links"]["self"]).json()
            with self._tally.lock:
                self._tally.queued.append(time.monotonic() - start)
                self._tally.ends[job["state"]] += 1
        else:
            with self._tally.lock:
                self._tally.errors.append(f"{answer.status_code} {answer.text[:200]}")

    def _ask(self, client: httpx.Client, method: str, path: str, **given: Any) -> httpx.Response:
        """A request; one that fails because the server was killed is made again."""
        while True:
            try:
                return client.request(method, path, **given)
            except httpx.TransportError as error:
                if self._server is None or not self._killed():
                    with self._tally.lock:
                        self._tally.errors.append(f"{type(error).__name__}: {error}")
                    if time.monotonic() > self._until + 120:
                        raise
                time.sleep(0.3)

    def _killed(self) -> bool:
        """Whether the server is away, or came back a moment ago: old connections are then dead."""
        assert self._server is not None
        return self._server.away.wait(0.5) or time.monotonic() - self._server.back < 20

    def _account(self, client: httpx.Client) -> None:
        """Compare the results that are there with the jobs that were accepted."""
        listed: list[str] = []
        cursor = None
        while True:
            query = {"limit": 100} | ({"cursor": cursor} if cursor else {})
            page = self._ask(client, "GET", "/api/v1/reconstructions", params=query).json()
            listed += [item["id"] for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        jobs = self._ask(client, "GET", "/api/v1/jobs").json()["items"]
        with self._tally.lock:
            self._tally.jobs += len(self._results) + len(self._job_ids)
            self._tally.lost += sum(job["state"] not in _ENDED for job in jobs)
            self._tally.lost += len(self._results - set(listed))
            expected = len(self._results) + len(self._job_ids)
            self._tally.lost += max(0, expected - len(listed))
            self._tally.doubled += max(0, len(listed) - expected)


class SlowSender(threading.Thread):
    """A connection that sends a byte every five seconds, again and again."""

    def __init__(self, url: str, until: float, in_headers: bool):
        super().__init__()
        self._host, self._port = url.removeprefix("http://").rsplit(":", 1)
        self._until = until
        head = f"POST /Upload HTTP/1.1\r\nHost: {self._host}\r\n"
        if not in_headers:
            head += (
                "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000\r\n\r\n"
                '--x\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
            )
        self._head = head.encode()

    def run(self) -> None:
        while time.monotonic() < self._until:
            try:
                with socket.create_connection((self._host, int(self._port)), 5) as connection:
                    connection.sendall(self._head)
                    connection.settimeout(5)
                    while time.monotonic() < self._until:
                        connection.sendall(b"x")
                        try:
                            if not connection.recv(4096):
                                break
                        except TimeoutError:
                            continue
            except OSError:
                pass  # given up, or the server is away
            time.sleep(0.2)


def seconds(values: list[float], share: float) -> str:
    """A percentile, for people."""
    if not values:
        return "-"
    ordered = sorted(values)
    return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.2f}"


def report(tally: Tally, users: int, minutes: float) -> None:
    print(f"{users} users, {minutes:g} minutes, {os.cpu_count()} processors")
    print(f"load average {os.getloadavg()[0]:.1f} at the end\n")
    print("| path | pictures | median, s | 95 % | most |")
    print("|---|---|---|---|---|")
    for name, values in (("fast (201)", tally.fast), ("queued (202)", tally.queued)):
        middle = f"{statistics.median(values):.2f}" if values else "-"
        print(f"| {name} | {len(values)} | {middle} | {seconds(values, 0.95)} | "
              f"{seconds(values, 1.0)} |")  # fmt: skip
    print(f"\nanswers: {dict(tally.statuses)}; ends of queued jobs: {dict(tally.ends)}")
    print(f"jobs accepted {tally.jobs}, lost {tally.lost}, doubled {tally.doubled}, "
          f"errors {len(tally.errors)}")  # fmt: skip
    for line, count in Counter(tally.errors).most_common(5):
        print(f"  {count} x {line}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--url", help="a server that runs; else one is started")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--picture", type=Path, default=ROOT / "examples" / "person.jpg")
    parser.add_argument("--kill", action="store_true", help="kill a worker, then the server")
    parser.add_argument("--slow", type=int, default=0, help="connections that send very slowly")
    options = parser.parse_args()
    if options.kill and options.url:
        parser.error("--kill is for the server that this program starts")

    with tempfile.TemporaryDirectory(prefix="vitruvian-load-") as folder:
        server = None
        if not options.url:
            server = Server(Path(folder) / "data")
            server.start()
            server.wait_ready()
        url = server.url if server else options.url
        tally = Tally()
        begin = time.monotonic()
        until = begin + options.minutes * 60
        picture = options.picture.read_bytes()
        users = [User(url, picture, until, tally, server) for _ in range(options.users)]
        slow = [SlowSender(url, until, number % 3 == 0) for number in range(options.slow)]
        for thread in (*slow, *users):
            thread.start()
        if options.kill and server:
            time.sleep(options.minutes * 20)
            server.kill_worker()
            time.sleep(max(0.0, begin + options.minutes * 40 - time.monotonic()))
            server.kill()
        for thread in (*users, *slow):
            thread.join()
        report(tally, options.users, options.minutes)
        if server:
            server.stop()
    return 1 if tally.lost or tally.doubled or tally.errors else 0


if __name__ == "__main__":
    sys.exit(main())
