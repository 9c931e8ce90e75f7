"""Small parts alone: signatures, rates, progress, the first bytes."""

from __future__ import annotations

import io

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from PIL import Image

from vitruvian.server.accounts import security
from vitruvian.server.accounts.security import RateLimit, Signer
from vitruvian.server.files.sniff import check_picture, media_type, readable_types
from vitruvian.server.jobs.timing import STAGES, StageClock
from vitruvian.server.problems import Problem


def test_signatures_belong_to_secret_purpose_and_text() -> None:
    signer = Signer(b"one secret")
    made = signer.sign("share", "abc")
    assert signer.fits("share", "abc", made)
    assert not signer.fits("csrf", "abc", made)
    assert not signer.fits("share", "abd", made)
    assert not Signer(b"another").fits("share", "abc", made)
    token = signer.share_token("abc")
    assert signer.share_id(token) == "abc"
    for wrong in ("", "abc", made, token + "A", "A" + token, token.swapcase(), "ä" * 40):
        assert signer.share_id(wrong) is None


def test_rate_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(security.time, "monotonic", lambda: now)
    limit = RateLimit(2, 10)
    assert limit.take("a") == 0
    now = 104.0
    assert limit.take("a") == 0
    assert limit.take("a") == pytest.approx(6)
    assert limit.take("b") == 0  # others are not held up
    now = 110.5
    assert limit.take("a") == 0
    assert limit.take("a") == pytest.approx(3.5)


def test_a_rate_limit_forgets_those_who_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(security.time, "monotonic", lambda: now)
    limit = RateLimit(5, 10)
    for number in range(2500):
        now += 1
        limit.take(f"address {number}")
    assert len(limit._events) < 1100


def test_progress_never_falls_and_learns() -> None:
    clock = StageClock()
    watch = clock.start()
    seen = [watch.reach(stage, None) for stage in ("decode", "people", "body", "scene")]
    for number in (1, 2, 3):
        for stage in ("surface", "texture", "checks"):
            seen.append(watch.reach(stage, (number, 3)))
    seen.append(watch.reach("files", None))
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] < 1
    assert len(set(seen)) > 8
    assert watch.reach("something new", None) == seen[-1]

    before = clock.seconds["texture"]
    clock.learn(dict.fromkeys(STAGES, 30.0), people=3, total=240.0)
    assert clock.seconds["texture"] == pytest.approx(0.8 * before + 0.2 * 10)
    assert clock.seconds_left(0.5, 0, 1) == pytest.approx(clock.total / 2)
    assert clock.seconds_left(0.0, 4, 2) == pytest.approx(clock.total * 3)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("BMP", "image/bmp"),
        ("GIF", "image/gif"),
    ],
)
def test_first_bytes(kind: str, expected: str) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), "teal").save(buffer, kind)
    assert media_type(buffer.getvalue()) == expected
    assert check_picture(buffer.getvalue(), readable_types()) == expected


def test_a_format_that_is_not_installed() -> None:
    heic = b"\0\0\0\x18ftypheic" + bytes(50)
    assert media_type(heic) == "image/heic"
    with pytest.raises(Problem, match="does not read HEIC pictures; save it as JPEG"):
        check_picture(heic, ("image/jpeg",))
