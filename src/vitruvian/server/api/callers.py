"""Who makes a request, and what they may do: sessions, API tokens, CSRF."""

from __future__ import annotations

import time
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from fastapi import Depends, Request, Response
from sqlalchemy import select, update

from vitruvian.server.accounts.browsers import browser_name
from vitruvian.server.accounts.signing import TOKEN_PREFIX, digest, new_token
from vitruvian.server.models import Account, ApiToken, LoginSession
from vitruvian.server.problems import Problem
from vitruvian.server.state import State, state_of

CSRF_HEADER = "X-CSRF-Token"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_SEEN_EVERY_SECONDS = 300.0
# What a handed-off device may do: send pictures to measure by. No token that is listed has it.
CAPTURE = "measurements:capture"


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Attributes:
        account: theirs, or None when nobody is logged in.
        session: the browser's session, or None with an API token.
        scopes: what an API token allows; None for everything.
    """

    account: Account | None = None
    session: LoginSession | None = None
    scopes: frozenset[str] | None = None


def _caller(request: Request, state: Annotated[State, Depends(state_of)]) -> Caller:
    header = request.headers.get("authorization")
    if header is not None:
        return _by_token(header, state)
    return _by_cookie(request, state)


# An ``Authorization`` header comes before the cookie, and without it unsafe requests need CSRF.
AnyCaller = Annotated[Caller, Depends(_caller)]


def _logged_in(caller: AnyCaller) -> Caller:
    if caller.account is None:
        raise Problem("not-authenticated", "Log in, or send an API token.")
    return caller


def _in_session(caller: Annotated[Caller, Depends(_logged_in)]) -> Caller:
    if caller.session is None:
        raise Problem("forbidden", "An API token cannot do this; log in with name and password.")
    return caller


def _reader(caller: Annotated[Caller, Depends(_logged_in)]) -> Caller:
    return _with_scope(caller, "reconstructions:read")


def _writer(caller: Annotated[Caller, Depends(_logged_in)]) -> Caller:
    return _with_scope(caller, "reconstructions:write")


def _with_scope(caller: Caller, scope: str) -> Caller:
    if caller.scopes is not None and scope not in caller.scopes:
        raise Problem("forbidden", f"The API token lacks the scope {scope}.")
    return caller


def _capturer(caller: Annotated[Caller, Depends(_logged_in)]) -> Caller:
    if caller.scopes is not None and CAPTURE in caller.scopes:
        return caller
    return _with_scope(caller, "reconstructions:write")


InSession = Annotated[Caller, Depends(_in_session)]
Reader = Annotated[Caller, Depends(_reader)]
Writer = Annotated[Caller, Depends(_writer)]
Capturer = Annotated[Caller, Depends(_capturer)]


def account_of(caller: Caller) -> Account:
    """The account of a caller who has one."""
    assert caller.account is not None
    return caller.account


def _by_token(header: str, state: State) -> Caller:
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.startswith(TOKEN_PREFIX):
        raise Problem("not-authenticated", "The Authorization header must be Bearer vtr_….")
    now = time.time()
    with state.database.read() as session:
        row = session.execute(
            select(ApiToken, Account)
            .join(Account, Account.id == ApiToken.account_id)
            .where(ApiToken.digest == digest(token))
        ).first()
    if row is None or (row[0].expires_at is not None and row[0].expires_at < now):
        raise Problem("not-authenticated", "The API token is unknown, expired or revoked.")
    found, account = row
    if found.used_at is None or now - found.used_at > _SEEN_EVERY_SECONDS:
        with state.database.write() as session:
            session.execute(update(ApiToken).where(ApiToken.id == found.id).values(used_at=now))
    return Caller(account=account, scopes=frozenset(found.scopes.split()))


def session_at_hand(request: Request, state: State) -> Caller:
    """Whose session the browser's cookie is, or nobody; without a look at the CSRF token."""
    token = request.cookies.get(cookie_name(request, state))
    if not token:
        return Caller()
    now = time.time()
    with state.database.read() as session:
        row = session.execute(
            select(LoginSession, Account)
            .join(Account, Account.id == LoginSession.account_id)
            .where(LoginSession.id == digest(token))
        ).first()
    if row is None:
        return Caller()
    found, account = row
    idle = now - found.seen_at > state.settings.session_idle_days * 86_400
    if found.expires_at < now or idle:
        return Caller()
    return Caller(account=account, session=found)


def _by_cookie(request: Request, state: State) -> Caller:
    caller = session_at_hand(request, state)
    found, now = caller.session, time.time()
    if found is None:
        return caller
    if request.method not in _SAFE_METHODS and not state.signer.fits(
        "csrf", found.id, request.headers.get(CSRF_HEADER, "")
    ):
        raise Problem(
            "csrf", f"The header {CSRF_HEADER} is missing or out of date; reload the page."
        )
    if now - found.seen_at > _SEEN_EVERY_SECONDS:
        with state.database.write() as session:
            session.execute(
                update(LoginSession).where(LoginSession.id == found.id).values(seen_at=now)
            )
    return caller


def is_secure(request: Request, state: State) -> bool:
    """Whether cookies are for https only."""
    setting = state.settings.secure_cookies
    return setting == "always" or (setting == "auto" and request.url.scheme == "https")


def cookie_name(request: Request, state: State) -> str:
    """The session cookie's name; the prefix makes browsers insist on https and this host."""
    return "__Host-vitruvian" if is_secure(request, state) else "vitruvian"


def begin_session(
    request: Request, response: Response, state: State, account: Account
) -> LoginSession:
    """Start a session with a fresh token and set its cookie."""
    token = new_token()
    now = time.time()
    life = state.settings.session_days * 86_400
    if account.kind == "guest":
        life = min(life, state.settings.guest_retention_hours * 3600)
    made = LoginSession(
        id=digest(token),
        account_id=account.id,
        created_at=now,
        seen_at=now,
        expires_at=now + life,
        browser=browser_name(request.headers.get("user-agent", "")),
    )
    with state.database.write() as session:
        session.add(made)
    response.set_cookie(
        cookie_name(request, state),
        token,
        max_age=int(life),
        path="/",
        secure=is_secure(request, state),
        httponly=True,
        samesite="strict",
    )
    return made


def forget_cookie(request: Request, response: Response, state: State) -> None:
    """Take the session's cookie away."""
    response.delete_cookie(
        cookie_name(request, state),
        path="/",
        secure=is_secure(request, state),
        httponly=True,
        samesite="strict",
    )


def client_key(request: Request) -> str:
    """What requests of one origin have in common, for rate limits."""
    return address_key(request.client.host if request.client else None)


def address_key(host: str | None) -> str:
    """An address, or the /64 of one of IPv6."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return host or "local"
    if isinstance(address, IPv6Address):
        return address.exploded[:19]
    return str(address)


def is_local(request: Request) -> bool:
    """Whether the request comes from this machine."""
    host = request.client.host if request.client else ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
