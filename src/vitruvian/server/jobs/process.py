"""One worker process: how it is started, without secrets, and the two pipes to it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = (sys.executable, "-m", "vitruvian.server.jobs.worker")

# What workers have no business with: the server's settings, and keys of databases and storages.
_SECRETS = re.compile(r"^VITRUVIAN_SERVER_|^PG|^AWS_|SECRET|PASSW|TOKEN|CREDENTIAL|_KEY", re.I)

_START_SECONDS = 900.0  # the very first start compiles: a minute, more on a busy machine

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PoolOptions:
    """How workers are run.

    Attributes:
        count: worker processes.
        threads: threads of each.
        memory_mb: address space of each, 0 for no limit.
        jobs_per_worker: jobs after which one is replaced.
        job_seconds: longest time for a job.
        staging: folder in which workers leave files.
        command: the program, for tests of the queue.
        video_seconds: longest time for one that is a video.
        most_video_s: longest part of a video, in seconds of it.
    """

    count: int
    threads: int
    memory_mb: int
    jobs_per_worker: int
    job_seconds: float
    staging: Path
    command: Sequence[str] = COMMAND
    video_seconds: float = 3600.0
    most_video_s: float = 60.0


class WorkerGone(Exception):
    """The process ended, or does not answer."""


class WorkerProcess:
    """One worker process and its two pipes."""

    def __init__(self, options: PoolOptions) -> None:
        environment = {
            name: value for name, value in os.environ.items() if not _SECRETS.search(name)
        }
        environment |= {
            "VITRUVIAN_THREADS": str(options.threads),
            "OMP_NUM_THREADS": str(options.threads),
            "VITRUVIAN_WORKER_MEMORY_MB": str(options.memory_mb),
        }
        self.process = subprocess.Popen(
            list(options.command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=options.staging,
        )
        self.jobs = 0
        self.ready = False
        self._answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._log, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with contextlib.suppress(ValueError, OSError):
            for line in self.process.stdout:
                self._answers.put(json.loads(line))
        self._answers.put(None)

    def _log(self) -> None:
        """Put what the process complains of into the log, where each line is JSON."""
        assert self.process.stderr is not None
        with contextlib.suppress(ValueError, OSError), self.process.stderr as stream:
            for line in stream:
                text = line.decode(errors="replace").rstrip()
                log.warning("worker said", extra={"line": text[:2000]})

    def say(self, order: dict[str, Any]) -> None:
        """Send an order; raises ``WorkerGone``."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(order).encode() + b"\n")
            self.process.stdin.flush()
        except OSError:
            raise WorkerGone from None

    def hear(self, seconds: float) -> dict[str, Any] | None:
        """The next answer, or None when none came in time; raises ``WorkerGone``."""
        try:
            answer = self._answers.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        if answer is None:
            raise WorkerGone
        return answer

    def wait_ready(self, stop: threading.Event) -> bool:
        """Wait for the warm-up; False when ``stop`` was set meanwhile."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.ready:
            if stop.is_set():
                return False
            if time.monotonic() > deadline:
                raise WorkerGone
            answer = self.hear(0.2)
            self.ready = answer is not None and answer["is"] == "ready"
        return True

    def end(self, *, kill: bool = False) -> None:
        """End the process and wait for it."""
        if kill:
            self.process.kill()
        with contextlib.suppress(OSError):
            if self.process.stdin is not None:
                self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
