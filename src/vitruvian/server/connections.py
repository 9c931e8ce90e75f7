"""Connections that send headers slowly, or none: given a time, and few of them to an address.

A request is counted and limited by what is in :mod:`vitruvian.server.api` from its headers on;
before that there is only a connection, which uvicorn keeps for as long as its client likes.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 15.0
# Of one address, a proxy's included: those that wait longest go when there are more.
MOST_WAITING = 100


class BoundedConnection(H11Protocol):
    """uvicorn's protocol, with a deadline for the headers of each request."""

    _waiting: ClassVar[dict[str, dict[BoundedConnection, None]]] = {}

    def connection_made(self, transport: Any) -> None:
        """A client is there: its first headers are due."""
        super().connection_made(transport)
        self._deadline: asyncio.TimerHandle | None = None
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Bytes: the end of headers, or the start of the next ones."""
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._expect_headers()
        else:
            self._headers_are_here()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client, or the server, has closed."""
        self._headers_are_here()
        super().connection_lost(exc)

    @property
    def _peer(self) -> str:
        return self.client[0] if self.client else ""

    def _expect_headers(self) -> None:
        if self._deadline is not None or self.transport.is_closing():
            return
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._give_up)
        waiting = self._waiting.setdefault(self._peer, {})
        waiting[self] = None
        if len(waiting) > MOST_WAITING:
            next(iter(waiting))._give_up()

    def _headers_are_here(self) -> None:
        if self._deadline is None:
            return
        self._deadline.cancel()
        self._deadline = None
        waiting = self._waiting[self._peer]
        del waiting[self]
        if not waiting:
            del self._waiting[self._peer]

    def _give_up(self) -> None:
        self._headers_are_here()
        self.timeout_keep_alive_handler()  # closes
