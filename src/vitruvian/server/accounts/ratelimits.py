"""Rate limits: so many events per window and key, counted here or in a store that servers share."""

from __future__ import annotations

import importlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.errors import ConfigurationError, StorageError
from limits.storage import MemoryStorage, storage_from_string
from limits.strategies import MovingWindowRateLimiter

from vitruvian.errors import InputError, MissingExtraError
from vitruvian.server.accounts.signing import Signer
from vitruvian.server.settings import PREFIX, Settings

# A store that does not answer must not hold a request up for long.
_STORE_SECONDS = 2.0

# Schemes of stores, and the package that speaks to each.
_PACKAGES = {"redis": "redis", "rediss": "redis", "valkey": "valkey", "valkeys": "valkey"}

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


class Counters:
    """Where events are counted, in a moving window.

    Args:
        url: a Redis or Valkey store as the package limits names it, such as ``redis://host``; empty
            for the memory of this process, which also stands in while a store does not answer.
        signer: keys are signed with the server's secret, so that the store holds no names and
            addresses.

    Raises:
        InputError: the URL names no store that can be used.
        MissingExtraError: the package that speaks to the store is not installed.
    """

    def __init__(self, url: str, signer: Signer) -> None:
        self._signer = signer
        self._own = MovingWindowRateLimiter(MemoryStorage())
        self._shared = _open(url) if url else None
        self._failing = False
        self._lock = threading.Lock()

    def key(self, key: str) -> str:
        """What stands for a key in the store."""
        return self._signer.sign("rate limit", key)

    def ask(self, question: Callable[[MovingWindowRateLimiter], Answer]) -> Answer:
        """The answer of the shared store, else of this process."""
        if self._shared is None:
            return question(self._own)
        try:
            answer = question(self._shared)
        except StorageError as error:
            self._note(failing=True, reason=type(error.storage_error).__name__)
            return question(self._own)
        self._note(failing=False)
        return answer

    def _note(self, *, failing: bool, reason: str = "") -> None:
        """Log when the store begins to fail, and when it is back."""
        with self._lock:
            changed, self._failing = self._failing != failing, failing
        if changed and failing:
            log.warning("rate limits are counted by this server alone", extra={"reason": reason})
        elif changed:
            log.info("rate limits are shared again")


def _open(url: str) -> MovingWindowRateLimiter:
    """A store's limiter. The URL, which may hold a password, is in no message."""
    scheme = url.partition("://")[0]
    kind = scheme.partition("+")[0]
    if kind not in _PACKAGES:
        raise InputError(
            f"The setting {PREFIX}LIMITS_URL begins with {scheme[:20]!r}; give redis://HOST:PORT, "
            "or nothing to count in each server by itself."
        )
    try:
        importlib.import_module(_PACKAGES[kind])
    except ImportError:
        raise MissingExtraError(
            f"Rate limits at {kind}:// need a package; run pip install {_PACKAGES[kind]}."
        ) from None
    try:
        storage = storage_from_string(
            url,
            wrap_exceptions=True,
            socket_timeout=_STORE_SECONDS,
            socket_connect_timeout=_STORE_SECONDS,
        )
    except ConfigurationError:
        raise InputError(
            f"The setting {PREFIX}LIMITS_URL names no host and port; give {kind}://HOST:PORT."
        ) from None
    except ValueError:
        raise InputError(
            f"The setting {PREFIX}LIMITS_URL cannot be read; give {kind}://HOST:PORT."
        ) from None
    return MovingWindowRateLimiter(storage)


class RateLimit:
    """So many events per window and key.

    Args:
        item: how many in how long; its namespace keeps it apart from other limits.
        counters: where they are counted.
    """

    def __init__(self, item: RateLimitItem, counters: Counters) -> None:
        self._item = item
        self._counters = counters

    def wait(self, key: str) -> float:
        """Seconds until another event is allowed; 0 when it is now. Counts nothing."""
        signed = self._counters.key(key)
        allowed, stats = self._counters.ask(
            lambda limiter: (
                limiter.test(self._item, signed),
                limiter.get_window_stats(self._item, signed),
            )
        )
        if allowed:
            return 0.0
        if stats.remaining >= self._item.amount:  # a limit of none: there is nothing to wait for
            return 1.0
        return max(0.01, stats.reset_time - time.time())

    def used(self, key: str) -> int:
        """How many events of the window are counted, up to the limit."""
        signed = self._counters.key(key)
        stats = self._counters.ask(lambda limiter: limiter.get_window_stats(self._item, signed))
        return self._item.amount - stats.remaining

    def add(self, key: str) -> None:
        """Count an event."""
        self._hit(key)

    def take(self, key: str) -> float:
        """Count an event if it is allowed; else the seconds to wait."""
        return 0.0 if self._hit(key) else self.wait(key) or 0.01

    def _hit(self, key: str) -> bool:
        signed = self._counters.key(key)
        return self._counters.ask(lambda limiter: limiter.hit(self._item, signed))


# Failed log-ins with a name in an hour that cost nothing, and the longest wait after more.
_FREE_FAILURES = 5
_LONGEST_DELAY_SECONDS = 4.0


@dataclass(frozen=True)
class RateLimits:
    """The limits of a server, per key."""

    login: RateLimit
    login_of_name: RateLimit
    register: RateLimit
    guest: RateLimit
    upload: RateLimit
    guest_upload: RateLimit

    def login_delay(self, name: str) -> float:
        """Seconds that a log-in with a name must take longer.

        Guessing from many addresses becomes slow. It never locks the name: its owner waits, too,
        but no more than a few seconds.
        """
        failures = self.login_of_name.used(name) - _FREE_FAILURES
        return 0.0 if failures < 0 else min(_LONGEST_DELAY_SECONDS, 0.25 * 2**failures)

    @classmethod
    def of(cls, settings: Settings, signer: Signer) -> RateLimits:
        """The limits that the settings name; raises as :class:`Counters`."""
        counters = Counters(settings.limits_url, signer)

        def limit(kind: type[RateLimitItem], count: int, name: str) -> RateLimit:
            return RateLimit(kind(count, 1, namespace=f"vitruvian-{name}"), counters)

        return cls(
            login=limit(RateLimitItemPerMinute, settings.login_per_minute, "login"),
            login_of_name=limit(RateLimitItemPerHour, 2 * _FREE_FAILURES, "login-of-name"),
            register=limit(RateLimitItemPerHour, settings.register_per_hour, "register"),
            guest=limit(RateLimitItemPerHour, settings.guest_per_hour, "guest"),
            guest_upload=limit(
                RateLimitItemPerMinute, settings.guest_upload_per_minute, "guest-upload"
            ),
            upload=limit(RateLimitItemPerMinute, settings.upload_per_minute, "upload"),
        )
