"""Accounts, sessions, CSRF, tokens, and what others may not see."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from sqlalchemy import update

from server_tools import (
    PASSWORD,
    another,
    app_client,
    create,
    files_of,
    log_in,
    picture,
    register,
    wait_until,
)
from vitruvian.server.accounts import passwords
from vitruvian.server.accounts.browsers import browser_name
from vitruvian.server.accounts.passwords import password_weakness
from vitruvian.server.models import Account, ApiToken, LoginSession, Reconstruction


def state_of(client: Any) -> Any:
    return client.app.state.vitruvian


def test_register_log_in_and_out(client: Any) -> None:
    assert client.get("/api/v1/session").json() == {
        "account": None,
        "csrf_token": None,
        "expires_at": None,
    }
    register(client)
    session = client.get("/api/v1/session").json()
    assert session["account"]["name"] == "anna@example.org"
    assert session["account"]["guest"] is False
    assert session["csrf_token"] == client.headers["X-CSRF-Token"]
    old = client.cookies["vitruvian"]
    assert client.delete("/api/v1/session").status_code == 204
    assert client.get("/api/v1/account").status_code == 401
    client.cookies.set("vitruvian", old)  # a thief's copy is worth nothing
    assert client.get("/api/v1/account").status_code == 401


def test_names_are_compared_without_case(client: Any) -> None:
    register(client, "Änne@Example.org")
    log_in(client, "  ÄNNE@example.ORG ")


def test_cookie_flags(client: Any) -> None:
    register(client)
    body = {"name": "anna@example.org", "password": PASSWORD}
    plain = another(client).post("/api/v1/sessions", json=body).headers["set-cookie"]
    assert plain.startswith("vitruvian=")
    for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="):
        assert part in plain
    assert "Secure" not in plain
    assert "Domain" not in plain
    secure = another(client)
    secure.base_url = "https://127.0.0.1"
    answer = secure.post("/api/v1/sessions", json=body)
    assert answer.headers["set-cookie"].startswith("__Host-vitruvian=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


def test_passwords_are_kept_as_argon2id(client: Any) -> None:
    register(client)
    state = state_of(client)
    with state.database.read() as session:
        (account,) = [a for a in session.query(Account) if a.kind == "user"]
    assert account.password_hash.startswith("$argon2id$")
    cookie = client.cookies["vitruvian"]
    with state.database.read() as session:
        (row,) = session.query(LoginSession)
    assert cookie not in row.id  # only its hash is kept
    assert len(row.id) == 64


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "has 5 characters; give 10 or more"),
        ("1234567890", "one of the first"),
        ("aaaaaaaaaaaa", "one of the first"),
        ("Password123", "one of the first"),
        ("abcdefghijklm", "one of the first"),
        ("qwertyuiop", "one of the first"),
        ("Manchester", "one of the first"),
        ("anna@example.org1", "contains the name"),
        ("x" * 100 + "abcdefg" * 30, "too long"),
    ],
)
def test_weak_passwords(visitor: Any, password: str, why: str) -> None:
    weakness = password_weakness(password, "anna@example.org", 10)
    assert weakness is not None
    assert why in weakness
    answer = visitor.post(
        "/api/v1/accounts", json={"name": "anna@example.org", "password": password}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "password"


def test_the_ten_thousand_commonest_passwords_are_refused() -> None:
    common = passwords._common()
    assert len(common) > 10_000
    assert {"dragon", "monkey", "letmein", "1q2w3e4r5t", "manchester"} <= common
    assert all(password_weakness(one, "", 1) for one in common)


def test_good_passwords() -> None:
    for password in ("correct horse battery", "πάντα ῥεῖ καὶ οὐδὲν", "gT7#kq!!2xP0"):
        assert password_weakness(password, "anna@example.org", 10) is None


def test_registering_does_not_tell_whether_a_name_is_taken(client: Any) -> None:
    register(client)
    client.cookies.clear()
    answers = {}
    for name in ("anna@example.org", "ANNA@example.org", "nobody@example.org"):
        made = client.post("/api/v1/accounts", json={"name": name, "password": "another long one"})
        headers = {k: v for k, v in made.headers.items() if k != "x-request-id"}
        answers[name] = (made.status_code, made.json(), headers)
    assert len({str(answer) for answer in answers.values()}) == 1
    log_in(client)  # and nothing of Anna's has changed
    failed = client.post(
        "/api/v1/sessions", json={"name": "anna@example.org", "password": "another long one"}
    )
    assert failed.status_code == 401


def test_logging_in_takes_as_long_for_names_that_do_not_exist(client: Any) -> None:
    register(client)
    client.cookies.clear()

    def seconds(name: str) -> float:
        start = time.perf_counter()
        answer = client.post("/api/v1/sessions", json={"name": name, "password": "wrong wrong"})
        assert answer.json()["code"] == "wrong-credentials"
        return time.perf_counter() - start

    pairs = [(seconds("anna@example.org"), seconds(f"no{n}@example.org")) for n in range(7)]
    known = statistics.median(pair[0] for pair in pairs)
    unknown = statistics.median(pair[1] for pair in pairs)
    # Without the pretended comparison it is a tenth.
    assert 0.5 < unknown / known < 2


def test_system_accounts_cannot_be_entered(client: Any) -> None:
    for name in ("\x1fanonymous", "\x1fgallery"):
        answer = client.post("/api/v1/sessions", json={"name": name, "password": ""})
        assert answer.status_code == 401


def far(client: Any, number: int) -> Any:
    """A browser at another address."""
    from fastapi.testclient import TestClient

    return TestClient(client.app, base_url="http://127.0.0.1", client=(f"203.0.113.{number}", 5000))


def test_log_in_rate(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", login_per_minute=3) as client:
        register(client)
        client.cookies.clear()
        wrong = {"name": "anna@example.org", "password": "wrong password"}
        for _ in range(3):
            assert client.post("/api/v1/sessions", json=wrong).status_code == 401
        answer = client.post("/api/v1/sessions", json=wrong)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate-limited")
        assert 0 < int(answer.headers["Retry-After"]) <= 60
        right = wrong | {"password": PASSWORD}  # not a way to test passwords either
        assert client.post("/api/v1/sessions", json=right).status_code == 429


def test_a_name_becomes_slow_and_is_never_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vitruvian.server.accounts import ratelimits

    monkeypatch.setattr(ratelimits, "_LONGEST_DELAY_SECONDS", 0.5)
    with app_client(tmp_path / "data", login_per_minute=3) as client:
        register(client)
        wrong = {"name": "Anna@example.org", "password": "wrong password"}
        for number in range(12):
            answer = far(client, number).post("/api/v1/sessions", json=wrong)
            assert answer.status_code == 401  # each address is below its own limit
        delays = [state_of(client).limits.login_delay(name) for name in ("anna@example.org", "ben")]
        assert delays == [0.5, 0.0]
        began = time.perf_counter()
        log_in(another(client))
        assert 0.5 <= time.perf_counter() - began < 5


def test_csrf(client: Any) -> None:
    register(client)
    token = client.headers.pop("X-CSRF-Token")
    for attempt in ({}, {"X-CSRF-Token": "x" * 32}, {"X-CSRF-Token": "ä"}):
        encoded = {k: v.encode() for k, v in attempt.items()}
        answer = client.delete("/api/v1/session", headers=encoded)
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
        made = create(client, picture(), headers=encoded)
        assert made.json()["code"] == "csrf"
    other = another(client)
    register(other, "ben@example.org")
    answer = client.delete(
        "/api/v1/session", headers={"X-CSRF-Token": other.headers["X-CSRF-Token"]}
    )
    assert answer.json()["code"] == "csrf"  # another session's will not do
    assert client.delete("/api/v1/session", headers={"X-CSRF-Token": token}).status_code == 204


def test_sessions_expire(client: Any) -> None:
    register(client)
    state = state_of(client)
    for change in (
        {"expires_at": time.time() - 1},
        {"expires_at": time.time() + 999, "seen_at": time.time() - 8 * 86_400},
    ):
        with state.database.write() as session:
            session.execute(update(LoginSession).values(**change))
        assert client.get("/api/v1/account").status_code == 401
    state.janitor.sweep()
    with state.database.read() as session:
        assert session.query(LoginSession).count() == 0


def test_changing_the_password_ends_other_sessions(client: Any) -> None:
    register(client)
    other = another(client)
    log_in(other)
    change = {"current_password": "wrong password", "new_password": "a new long password"}
    answer = client.put("/api/v1/account/password", json=change)
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong-password")
    change["current_password"] = PASSWORD
    assert client.put("/api/v1/account/password", json=change).status_code == 204
    assert client.get("/api/v1/account").status_code == 200
    assert other.get("/api/v1/account").status_code == 401
    log_in(other, password="a new long password")


def test_changing_the_password_can_revoke_tokens(client: Any) -> None:
    register(client)
    token = client.post(
        "/api/v1/tokens", json={"name": "mine", "scopes": ["reconstructions:read"]}
    ).json()["token"]
    script = another(client)
    script.headers["Authorization"] = f"Bearer {token}"
    change: dict[str, Any] = {"current_password": PASSWORD, "new_password": "a new long password"}
    assert client.put("/api/v1/account/password", json=change).status_code == 204
    assert script.get("/api/v1/reconstructions").status_code == 200
    change = {
        "current_password": "a new long password",
        "new_password": PASSWORD,
        "revoke_tokens": True,
    }
    assert client.put("/api/v1/account/password", json=change).status_code == 204
    assert script.get("/api/v1/reconstructions").status_code == 401
    assert client.get("/api/v1/tokens").json()["items"] == []


def test_sessions_are_listed_and_ended(client: Any) -> None:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    register(client)
    other = another(client)
    other.headers["User-Agent"] = firefox
    log_in(other)
    ben = another(client)
    register(ben, "ben@example.org")
    listed = client.get("/api/v1/sessions").json()["items"]
    assert [(one["browser"], one["current"]) for one in listed] == [
        ("Firefox on Linux", False),
        (None, True),
    ]
    there = listed[0]["id"]
    with state_of(client).database.read() as session:
        assert there not in {row.id for row in session.query(LoginSession)}
    path = f"/api/v1/sessions/{there}"
    assert ben.delete(path).status_code == 404
    assert other.get("/api/v1/account").status_code == 200
    assert client.delete(path).status_code == 204
    assert client.delete(path).status_code == 404
    assert other.get("/api/v1/account").status_code == 401
    assert [one["current"] for one in client.get("/api/v1/sessions").json()["items"]] == [True]


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
            "like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.5.0", "curl"),
        ("", None),
    ],
)
def test_browsers_have_names(agent: str, name: str | None) -> None:
    assert browser_name(agent) == name


def test_deleting_the_account(client: Any, tmp_path: Path) -> None:
    register(client)
    made = create(client, picture()).json()
    share = client.post(f"/api/v1/reconstructions/{made['id']}/shares", json={}).json()
    wrong = client.post("/api/v1/account/deletion", json={"password": "wrong password"})
    assert wrong.json()["code"] == "wrong-password"
    assert client.post("/api/v1/account/deletion", json={"password": PASSWORD}).status_code == 204
    assert client.get("/api/v1/account").status_code == 401
    assert client.get(share["url"]).status_code == 404
    wait_until(lambda: files_of(tmp_path / "data") == [])
    with state_of(client).database.read() as session:
        assert session.query(Reconstruction).count() == 0
        assert [a.kind for a in session.query(Account)] == ["system", "system"]


def test_guests(client: Any) -> None:
    answer = client.post("/api/v1/sessions/guest")
    assert answer.status_code == 201
    assert answer.json()["account"]["guest"] is True
    assert answer.json()["account"]["name"] is None
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    made = create(client, picture()).json()
    other = another(client)
    assert other.post("/api/v1/sessions/guest").status_code == 201
    assert other.get(f"/api/v1/reconstructions/{made['id']}").status_code == 404
    # Registering and logging in takes the guest's results along.
    name = "anna@example.org"
    client.post("/api/v1/accounts", json={"name": name, "password": PASSWORD})
    session = client.post("/api/v1/sessions", json={"name": name, "password": PASSWORD})
    assert session.status_code == 201
    client.headers["X-CSRF-Token"] = session.json()["csrf_token"]
    (kept,) = client.get("/api/v1/reconstructions").json()["items"]
    assert kept["id"] == made["id"]
    assert kept["expires_at"] > made["expires_at"]
    with state_of(client).database.read() as session:
        assert sorted(a.kind for a in session.query(Account)) == [
            "guest",
            "system",
            "system",
            "user",
        ]


def test_a_browser_has_one_guest(client: Any) -> None:
    first = client.post("/api/v1/sessions/guest").json()
    second = client.post("/api/v1/sessions/guest")  # another tab, which knows no CSRF token
    assert (second.status_code, second.json()) == (201, first)
    assert "set-cookie" not in second.headers
    client.headers["X-CSRF-Token"] = first["csrf_token"]
    made = create(client, picture()).json()
    assert client.get("/api/v1/reconstructions").json()["total"] == 1
    # This tab logs in; one that was open before still believes in the guest, and asks for one.
    register_as_guest(client)
    old_tab = client.post("/api/v1/sessions/guest", headers={"X-CSRF-Token": first["csrf_token"]})
    assert old_tab.json()["account"]["name"] == "anna@example.org"
    client.headers["X-CSRF-Token"] = old_tab.json()["csrf_token"]
    (kept,) = client.get("/api/v1/reconstructions").json()["items"]
    assert kept["id"] == made["id"]
    with state_of(client).database.read() as session:
        assert sorted(a.kind for a in session.query(Account)) == ["system", "system", "user"]


def register_as_guest(client: Any) -> None:
    """Register and log in within the guest's session."""
    body = {"name": "anna@example.org", "password": PASSWORD}
    assert client.post("/api/v1/accounts", json=body).status_code == 202
    answer = client.post("/api/v1/sessions", json=body)
    assert answer.status_code == 201
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]


def test_a_guest_who_logs_out_leaves_nothing(client: Any, tmp_path: Path) -> None:
    answer = client.post("/api/v1/sessions/guest")
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    create(client, picture())
    assert client.delete("/api/v1/session").status_code == 204
    wait_until(lambda: files_of(tmp_path / "data") == [])

    def kinds() -> set[str]:
        with state_of(client).database.read() as session:
            return {a.kind for a in session.query(Account)}

    wait_until(lambda: kinds() == {"system"})  # a moment after the files


def test_guests_are_limited_by_uploads_and_not_by_visits(tmp_path: Path) -> None:
    with app_client(
        tmp_path / "data", register_per_hour=1, guest_upload_per_minute=3, upload_per_minute=9
    ) as client:
        statuses = []
        for _ in range(5):  # a classroom behind one address
            pupil = another(client)
            guest = pupil.post("/api/v1/sessions/guest")
            assert guest.status_code == 201
            pupil.headers["X-CSRF-Token"] = guest.json()["csrf_token"]
            statuses.append(create(pupil, picture()).status_code)
        assert statuses == [201, 201, 201, 429, 429]
        register(client)  # who has an account is not held up by them
        assert create(client, picture()).status_code == 201


def test_guests_and_their_results_are_deleted(client: Any, tmp_path: Path) -> None:
    answer = client.post("/api/v1/sessions/guest")
    client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
    create(client, picture())
    state = state_of(client)
    with state.database.write() as session:
        session.execute(update(Reconstruction).values(expires_at=time.time() - 1))
        session.execute(update(Account).values(created_at=time.time() - 90_000))
    state.janitor.sweep()
    wait_until(lambda: files_of(tmp_path / "data") == [])  # a job may be in its last breath
    with state.database.read() as session:
        assert {a.kind for a in session.query(Account)} == {"system"}


def test_registration_and_guests_can_be_closed(tmp_path: Path) -> None:
    with app_client(tmp_path / "data", registration=False, guests=False) as client:
        body = {"name": "anna@example.org", "password": PASSWORD}
        assert client.post("/api/v1/accounts", json=body).status_code == 403
        assert client.post("/api/v1/sessions/guest").status_code == 403
        config = client.get("/api/v1/config").json()
        assert (config["registration"], config["guests"]) == (False, False)


def test_api_tokens(client: Any) -> None:
    register(client)
    read = client.post(
        "/api/v1/tokens", json={"name": "reader", "scopes": ["reconstructions:read"]}
    ).json()
    write = client.post(
        "/api/v1/tokens",
        json={
            "name": "writer",
            "scopes": ["reconstructions:write", "reconstructions:read"],
            "expires_in_days": 1,
        },
    ).json()
    assert read["token"].startswith("vtr_")
    listed = client.get("/api/v1/tokens").json()["items"]
    assert [one["name"] for one in listed] == ["reader", "writer"]
    assert {one["token"] for one in listed} == {None}

    script = another(client)
    script.headers["Authorization"] = f"Bearer {read['token']}"
    assert script.get("/api/v1/reconstructions").status_code == 200
    assert create(script, picture()).json()["code"] == "forbidden"
    upload = script.post("/Upload", files={"image": picture()})
    assert upload.json()["code"] == "forbidden"
    script.headers["Authorization"] = f"Bearer {write['token']}"
    made = create(script, picture())
    assert made.status_code == 201  # and no CSRF token is asked for
    assert script.post("/Upload", files={"image": picture()}).status_code == 200
    assert client.get("/api/v1/reconstructions").json()["total"] == 2
    # A token is not enough to take the account over.
    for method, path in (("GET", "account"), ("GET", "tokens"), ("POST", "account/deletion")):
        body = {} if method == "POST" else None
        assert script.request(method, f"/api/v1/{path}", json=body).json()["code"] == "forbidden"

    with state_of(client).database.write() as session:
        session.execute(
            update(ApiToken).where(ApiToken.id == write["id"]).values(expires_at=time.time() - 1)
        )
    assert script.get("/api/v1/reconstructions").status_code == 401
    script.headers["Authorization"] = f"Bearer {read['token']}"
    assert client.delete(f"/api/v1/tokens/{read['id']}").status_code == 204
    assert client.delete(f"/api/v1/tokens/{read['id']}").status_code == 404
    assert script.get("/api/v1/reconstructions").status_code == 401
    for nonsense in ("Bearer vtr_x", "Basic YTpi", "Bearer", ""):
        script.headers["Authorization"] = nonsense
        assert script.get("/api/v1/reconstructions").status_code == 401


def test_others_see_nothing(client: Any) -> None:
    """Every address of Anna's things is 404 for Ben, exactly as one that never was."""
    register(client)
    made = create(client, picture()).json()
    job = create(client, picture("sleep=0.1"), wait=False).json()
    share = client.post(f"/api/v1/reconstructions/{made['id']}/shares", json={}).json()
    token = client.post(
        "/api/v1/tokens", json={"name": "mine", "scopes": ["reconstructions:read"]}
    ).json()
    ben = another(client)
    register(ben, "ben@example.org")
    one = f"/api/v1/reconstructions/{made['id']}"
    attempts: list[tuple[str, str, Any]] = [
        ("GET", one, None),
        ("PATCH", one, {"name": "Ben's"}),
        ("DELETE", one, None),
        ("GET", f"{one}/files/photo.jpg", None),
        ("GET", f"{one}/files/all.zip", None),
        ("GET", f"{one}/shares", None),
        ("POST", f"{one}/shares", {}),
        ("DELETE", f"/api/v1/shares/{share['id']}", None),
        ("DELETE", f"/api/v1/tokens/{token['id']}", None),
        ("GET", job["links"]["self"], None),
        ("GET", job["links"]["events"], None),
        ("POST", job["links"]["cancel"], None),
    ]
    for method, path, body in attempts:
        theirs = ben.request(method, path, json=body)
        for known in (made["id"], share["id"], token["id"], job["id"]):
            path = path.replace(known, "A" * 22)
        nothing = ben.request(method, path, json=body)
        assert theirs.status_code == nothing.status_code == 404, (method, path)
        assert theirs.json() == nothing.json()
    assert ben.get("/api/v1/reconstructions").json()["items"] == []
    assert ben.get("/api/v1/jobs").json()["items"] == []
    assert ben.get("/api/v1/tokens").json()["items"] == []
    nobody = another(client)
    for method, path, body in attempts:
        assert nobody.request(method, path, json=body).status_code == 401
    assert client.get(one).json() == made
    assert nobody.get(share["url"]).status_code == 200


def test_paging(client: Any) -> None:
    register(client)
    ids = [create(client, picture(), name=f"n{n}").json()["id"] for n in range(5)]
    seen: list[str] = []
    cursor = None
    for size in (2, 2, 1):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = client.get("/api/v1/reconstructions", params=query).json()
        assert len(page["items"]) == size
        assert page["total"] == 5
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert seen == ids[::-1]
    for cursor in ("nonsense", "AAAA", "bmFuIHg=", "\x00"):
        answer = client.get("/api/v1/reconstructions", params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (400, "bad-request")
    assert client.get("/api/v1/reconstructions?limit=0").status_code == 422
