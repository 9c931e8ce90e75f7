"""Passwords, tokens and signatures."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
import unicodedata
from base64 import urlsafe_b64encode
from collections import deque
from itertools import pairwise

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

TOKEN_PREFIX = "vtr_"
MAX_PASSWORD_LENGTH = 256

# OWASP's first recommendation for Argon2id: 46 MiB, one pass, one lane.
_HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)

# What a log-in with a name that does not exist is compared with, so that it takes as long.
_NOBODYS_HASH = _HASHER.hash(secrets.token_urlsafe(16))

# Each hash takes 46 MiB: more at once than this wait.
_hashing = threading.BoundedSemaphore(4)

_COMMON_TEXT = """
    1234567890 12345678910 0123456789 0987654321 1q2w3e4r5t qwertyuiop qwerty12345 qwerty1234
    password12 password123 password1234 password12345 password01 passw0rd12 passw0rd123 mypassword
    letmein1234 iloveyou123 iloveyou12 welcome123 welcome1234 admin12345 administrator changeme123
    football123 basketball sunshine123 princess123 michael123 1qaz2wsx3edc qazwsxedcrfv asdfghjkl1
    asdfghjkl; zxcvbnm123 abcdefghij abcdefghijk abcd123456 abc1234567 123456789a a123456789
    123456789q q123456789 1234567891 1029384756 1111111111 vitruvian123 vitruvian1
"""
_COMMON = frozenset(_COMMON_TEXT.split())


def normalise_login(name: str) -> str:
    """A name as it is compared: case and the ways to write a letter do not matter."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def password_weakness(password: str, name: str, min_length: int) -> str | None:
    """Why a password must be refused, as a sentence, or None."""
    plain = unicodedata.normalize("NFKC", password)
    lowered = plain.casefold()
    if len(plain) < min_length:
        return f"The password has {len(plain)} characters; give {min_length} or more."
    if len(plain) > MAX_PASSWORD_LENGTH:
        return f"The password is too long; give at most {MAX_PASSWORD_LENGTH} characters."
    if lowered in _COMMON or len(set(lowered)) < 4 or _is_sequence(lowered):
        return "The password is one of the first that are tried; choose another."
    login = normalise_login(name)
    if len(login) >= 4 and login in lowered and len(lowered) < len(login) + 6:
        return "The password contains the name; choose another."
    return None


def _is_sequence(text: str) -> bool:
    """Whether every character follows the last: 23456789, zyxwvuts."""
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return len(steps) == 1 and abs(steps.pop()) <= 1


def hash_password(password: str) -> str:
    """Argon2id hash with its parameters and salt."""
    with _hashing:
        return _HASHER.hash(unicodedata.normalize("NFKC", password))


def password_fits(password: str, hashed: str | None) -> bool:
    """Whether a password belongs to a hash; takes as long when there is no hash."""
    plain = unicodedata.normalize("NFKC", password)[: MAX_PASSWORD_LENGTH + 1]
    with _hashing:
        try:
            fits = _HASHER.verify(hashed or _NOBODYS_HASH, plain)
        except (Argon2Error, InvalidHashError):
            return False
    return fits and hashed is not None


def new_token() -> str:
    """A secret of 256 bits."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of a token. It is random, so a plain hash cannot be turned round."""
    return hashlib.sha256(token.encode()).hexdigest()


class Signer:
    """Makes and checks signatures with the server's secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, purpose: str, text: str) -> str:
        """Signature of ``text`` for one purpose, 32 characters."""
        whole = hmac.new(self._secret, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()
        return urlsafe_b64encode(whole[:24]).decode()

    def fits(self, purpose: str, text: str, signature: str) -> bool:
        """Whether a signature is ours; takes the same time for any wrong one."""
        return hmac.compare_digest(self.sign(purpose, text).encode(), signature.encode())

    def csrf_token(self, session_id: str) -> str:
        """The token that requests of a session must carry."""
        return self.sign("csrf", session_id)

    def share_token(self, share_id: str) -> str:
        """The secret part of a share link's address."""
        return f"{share_id}{self.sign('share', share_id)}"

    def share_id(self, token: str) -> str | None:
        """The share that a token belongs to, or None when the token is not ours."""
        if not token.isascii():
            return None
        share_id, signature = token[:-32], token[-32:]
        return share_id if share_id and self.fits("share", share_id, signature) else None


class RateLimit:
    """So many events per window and key, counted in this process.

    Args:
        count: events allowed in a window.
        seconds: length of the window.
    """

    _SWEEP_EVERY = 1000

    def __init__(self, count: int, seconds: float) -> None:
        self.count = count
        self.seconds = seconds
        self._events: dict[str, deque[float]] = {}
        self._calls = 0
        self._lock = threading.Lock()

    def wait(self, key: str) -> float:
        """Seconds until another event is allowed; 0 when it is now. Counts nothing."""
        with self._lock:
            events = self._recent(key)
            if len(events) < self.count:
                return 0.0
            return max(0.01, events[0] + self.seconds - time.monotonic()) if events else 1.0

    def add(self, key: str) -> None:
        """Count an event."""
        with self._lock:
            self._recent(key).append(time.monotonic())
            self._calls += 1
            if self._calls % self._SWEEP_EVERY == 0:
                for other in list(self._events):
                    if not self._recent(other):
                        del self._events[other]

    def take(self, key: str) -> float:
        """Count an event if it is allowed; else the seconds to wait."""
        wait = self.wait(key)
        if not wait:
            self.add(key)
        return wait

    def _recent(self, key: str) -> deque[float]:
        events = self._events.setdefault(key, deque())
        oldest = time.monotonic() - self.seconds
        while events and events[0] <= oldest:
            events.popleft()
        return events
