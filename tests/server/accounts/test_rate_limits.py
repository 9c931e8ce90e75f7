"""Rate limits: in one process, and shared by servers."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("limits", reason="needs the extra server")

from limits import RateLimitItemPerMinute

from server_tools import app_client
from vitruvian.errors import InputError, MissingExtraError
from vitruvian.server.accounts.ratelimits import Counters, RateLimit
from vitruvian.server.accounts.signing import Signer

SECRET = "Wq7tB1xZ-0uN4cR8yLk2PfJ6mD9sVh3E"


def rate_limit(count: int, url: str = "", secret: bytes = b"one secret") -> RateLimit:
    return RateLimit(RateLimitItemPerMinute(count), Counters(url, Signer(secret)))


@pytest.fixture
def redis_url() -> Iterator[str]:
    """A Redis of this process alone."""
    fakeredis = pytest.importorskip("fakeredis", reason="needs fakeredis[lua]")
    server = fakeredis.TcpFakeServer(("127.0.0.1", 0))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"redis://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_moving_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "time", lambda: now)
    limit = rate_limit(2)
    assert limit.take("a") == 0
    now = 1024.0
    assert limit.take("a") == 0
    assert limit.take("a") == pytest.approx(36)
    assert limit.wait("a") == pytest.approx(36)
    assert limit.take("b") == 0  # others are not held up
    now = 1060.5
    assert limit.wait("a") == 0
    assert limit.take("a") == 0
    assert limit.take("a") == pytest.approx(23.5)


def test_waiting_counts_nothing() -> None:
    limit = rate_limit(1)
    assert [limit.wait("a") for _ in range(5)] == [0] * 5
    limit.add("a")
    assert 59 < limit.wait("a") <= 60


def test_a_limit_of_none_lets_nobody_through() -> None:
    limit = rate_limit(0)
    assert (limit.wait("a"), limit.take("a")) == (1, 1)


def test_servers_share_what_is_counted(redis_url: str) -> None:
    one, other = rate_limit(2, redis_url), rate_limit(2, redis_url)
    assert one.take("a") == other.take("a") == 0
    assert 59 < one.take("a") <= 60
    assert 59 < other.wait("a") <= 60
    assert other.take("b") == 0
    assert rate_limit(2, redis_url, b"another installation").take("a") == 0


def test_the_store_holds_no_names(redis_url: str) -> None:
    redis = pytest.importorskip("redis")
    rate_limit(2, redis_url).add("name anna@example.org")
    keys = redis.Redis.from_url(redis_url).keys()
    assert len(keys) == 1
    assert b"anna" not in keys[0]


def test_a_server_counts_for_itself_while_the_store_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    limit = rate_limit(1, "redis://127.0.0.1:1")
    with caplog.at_level(logging.INFO, "vitruvian.server.accounts.ratelimits"):
        assert limit.take("a") == 0
        assert 59 < limit.take("a") <= 60
    assert [record.getMessage() for record in caplog.records] == [
        "rate limits are counted by this server alone"
    ]


def test_log_ins_are_counted_across_servers(redis_url: str, tmp_path: Path) -> None:
    settings = {"limits_url": redis_url, "secret": SECRET, "login_per_minute": 3}
    wrong = {"name": "anna@example.org", "password": "wrong password"}
    with (
        app_client(tmp_path / "one", **settings) as one,
        app_client(tmp_path / "other", **settings) as other,
    ):
        for client in (one, other, one):
            assert client.post("/api/v1/sessions", json=wrong).status_code == 401
        answer = other.post("/api/v1/sessions", json=wrong)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        assert answer.json()["detail"].startswith("Too many attempts; try again in ")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "memcached://secret@host",
            "The setting VITRUVIAN_SERVER_LIMITS_URL begins with 'memcached'; give "
            "redis://HOST:PORT, or nothing to count in each server by itself.",
        ),
        (
            "redis://secret@host:port",
            "The setting VITRUVIAN_SERVER_LIMITS_URL cannot be read; give redis://HOST:PORT.",
        ),
        (
            "redis+sentinel://secret@host",
            "The setting VITRUVIAN_SERVER_LIMITS_URL names no host and port; give "
            "redis://HOST:PORT.",
        ),
    ],
)
def test_a_store_that_cannot_be_is_one_sentence(url: str, sentence: str) -> None:
    pytest.importorskip("redis")
    with pytest.raises(InputError) as caught:
        rate_limit(1, url)
    assert str(caught.value) == sentence


def test_a_store_without_its_package_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(MissingExtraError) as caught:
        rate_limit(1, "redis://host:6379")
    assert str(caught.value) == "Rate limits at redis:// need a package; run pip install redis."
