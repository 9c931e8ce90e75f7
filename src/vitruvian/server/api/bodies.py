"""Bodies of requests while they arrive: limits on size, time, rate, and how many at once."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import MutableMapping
from typing import Any

from starlette.types import Receive

from vitruvian.server.problems import Problem

# No part of a body may take longer than this, and all of a picture no longer than that.
_CHUNK_SECONDS = 30.0
_PICTURE_SECONDS = 600.0
VIDEO_SECONDS = 1800.0
_JSON_SECONDS = 15.0
# The slowest that a body may come after a moment of grace: a tenth of a poor mobile uplink.
_BYTES_PER_SECOND = 4096.0
_GRACE_SECONDS = 10.0
# What is still read of a body that is refused: a connection closed on a client that is sending
# resets, and the client sees that instead of the answer.
_REFUSED_BYTES = 64 * 2**20
_REFUSED_SECONDS = 5.0


class Arriving:
    """How many pictures are on their way from each address.

    Args:
        most: of one address at once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._counts: Counter[str] = Counter()

    def begin(self, address: str) -> None:
        """Count one; raises ``Problem`` when there are too many."""
        if self._counts[address] >= self._most:
            raise Problem(
                "rate-limited",
                "Too many pictures are on their way from this address; try again in 5 s.",
                retry_after=5.0,
            )
        self._counts[address] += 1

    def end(self, address: str) -> None:
        """One has arrived, or will not."""
        self._counts[address] -= 1
        if self._counts[address] <= 0:
            del self._counts[address]


class Body:
    """``receive`` of one request with limits.

    Args:
        receive: the server's.
        limit: most bytes.
        too_large: the answer to more.
        address: whose it is, in ``arriving``.
        arriving: counts pictures; None for other bodies, which are small and have little time.
        seconds: all that a picture or a video may take.
    """

    def __init__(
        self,
        receive: Receive,
        limit: int,
        too_large: Problem,
        address: str,
        arriving: Arriving | None,
        seconds: float = _PICTURE_SECONDS,
    ) -> None:
        self._receive = receive
        self._limit = limit
        self._too_large = too_large
        self._address = address
        self._arriving = arriving
        self._counted = False
        self._bytes = 0
        self._waited = 0.0
        self._deadline = time.monotonic() + (_JSON_SECONDS if arriving is None else seconds)
        #: Whether all of the body is here, or no more of it will be read.
        self.complete = False
        #: Whether the client left before the body was complete.
        self.broken_off = False
        #: Whether the client has left.
        self.left = False

    async def __call__(self) -> MutableMapping[str, Any]:
        if self.complete:  # now it waits for the client to leave, for as long as that takes
            message = await self._receive()
            self.left = self.left or message["type"] == "http.disconnect"
            return message
        if self._arriving is not None and not self._counted:
            self._arriving.begin(self._address)
            self._counted = True
        began = time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), self._patience(began))
        except TimeoutError:
            self.end()
            raise Problem("too-slow", "The upload stopped; check the connection.") from None
        self._waited += time.monotonic() - began
        if message["type"] == "http.disconnect":
            self.broken_off = self.left = True
            self.end()
            return message
        self._bytes += len(message.get("body", b""))
        if not message.get("more_body", False):
            self.end()
        if self._bytes > self._limit:
            raise self._too_large
        return message

    def _patience(self, now: float) -> float:
        """Seconds to wait for the next part. Only waiting counts, not what is done meanwhile."""
        allowed = _GRACE_SECONDS + self._bytes / _BYTES_PER_SECOND - self._waited
        return max(0.0, min(_CHUNK_SECONDS, allowed, self._deadline - now))

    def end(self) -> None:
        """No more of the body is read."""
        self.complete = True
        if self._counted and self._arriving is not None:
            self._arriving.end(self._address)
            self._counted = False

    async def discard(self) -> bool:
        """Read what is left, up to a limit, and throw it away; whether that was all of it."""
        left = _REFUSED_BYTES
        over = self.complete
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REFUSED_SECONDS):
                while left > 0 and not over:
                    message = await self._receive()
                    left -= len(message.get("body", b""))
                    over = not message.get("more_body", False)
        self.end()
        return over
