"""Passwords: what is too weak, how they are kept, how one is checked."""

from __future__ import annotations

import gzip
import secrets
import threading
import unicodedata
from functools import cache
from itertools import pairwise
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

MAX_PASSWORD_LENGTH = 256

# OWASP's first recommendation for Argon2id: 46 MiB, one pass, one lane.
_HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)

# What a log-in with a name that does not exist is compared with, so that it takes as long.
_NOBODYS_HASH = _HASHER.hash(secrets.token_urlsafe(16))

# Each hash takes 46 MiB: more at once than this wait.
_hashing = threading.BoundedSemaphore(4)

# The 10,000 commonest passwords of known leaks, and all of ten or more characters among the
# 30,000 commonest, from the package zxcvbn (NOTICE).
_COMMON_FILE = Path(__file__).parent / "common_passwords.txt.gz"
# Ten or more characters that follow the pattern of shorter ones in it.
_LONGER_TEXT = """
    12345678910 0123456789 qwerty12345 qwerty1234 password12 password1234 password12345 password01
    passw0rd12 passw0rd123 letmein1234 iloveyou123 iloveyou12 welcome123 welcome1234 admin12345
    administrator changeme123 football123 sunshine123 princess123 michael123 asdfghjkl1 zxcvbnm123
    abcdefghij abcdefghijk abcd123456 abc1234567 123456789q 1234567891 vitruvian123 vitruvian1
"""


@cache
def _common() -> frozenset[str]:
    listed = gzip.decompress(_COMMON_FILE.read_bytes()).decode().splitlines()
    return frozenset(listed) | frozenset(_LONGER_TEXT.split())


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
    if lowered in _common() or len(set(lowered)) < 4 or _is_sequence(lowered):
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
