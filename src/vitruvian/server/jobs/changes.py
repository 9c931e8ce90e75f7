"""Word of jobs that changed, to requests that wait for it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator


class Changes:
    """Tells requests that wait for a job that it changed, across threads.

    A job of another server changes without a word here: who waits also looks by itself.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, set[asyncio.Event]] = {}

    def bind(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Deliver to waiters of ``loop``."""
        self._loop = loop

    def notify(self, job_id: str) -> None:
        """From any thread: a job changed."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # closed meanwhile
                loop.call_soon_threadsafe(self._fire, job_id)

    def notify_all(self) -> None:
        """From any thread: whoever waits should look."""
        for job_id in list(self._waiting):
            self.notify(job_id)

    def _fire(self, job_id: str) -> None:
        for event in self._waiting.get(job_id, ()):
            event.set()

    @contextlib.contextmanager
    def watch(self, job_id: str) -> Iterator[asyncio.Event]:
        """An ``asyncio.Event`` that is set when the job changes, while the block lasts."""
        event = asyncio.Event()
        self._waiting.setdefault(job_id, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[job_id].discard(event)
            if not self._waiting[job_id]:
                del self._waiting[job_id]
