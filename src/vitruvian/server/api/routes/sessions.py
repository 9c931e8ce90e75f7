"""Log in and out, as somebody or as a guest; who is logged in."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import delete, select, update

from vitruvian.server.accounts.passwords import normalise_login, password_fits
from vitruvian.server.api import schemas
from vitruvian.server.api.callers import (
    AnyCaller,
    Caller,
    InSession,
    account_of,
    begin_session,
    client_key,
    forget_cookie,
    session_at_hand,
)
from vitruvian.server.api.checks import take, too_fast
from vitruvian.server.api.documented import not_here, problems
from vitruvian.server.api.views import session_view
from vitruvian.server.files.janitor import delete_account
from vitruvian.server.models import Account, Job, LoginSession, Reconstruction, new_id
from vitruvian.server.problems import Problem
from vitruvian.server.state import State, state_of

router = APIRouter(prefix="/api/v1", tags=["account"])
Here = Annotated[State, Depends(state_of)]


@router.post("/sessions", status_code=201, responses=problems(400, 401, 403, 415, 422, 429))
def log_in(
    body: schemas.Credentials, request: Request, response: Response, state: Here, caller: AnyCaller
) -> schemas.Session:
    """Log in. A guest's results move to the account."""
    login = normalise_login(body.name)
    keys = (f"address {client_key(request)}", f"name {login}")
    for key in keys:
        wait = state.limits.login.wait(key)
        if wait:
            raise too_fast(wait)
    with state.database.read() as session:
        account = session.scalars(
            select(Account).where(Account.login == login, Account.kind == "user")
        ).first()
    if not password_fits(body.password, account.password_hash if account else None):
        for key in keys:
            state.limits.login.add(key)
        raise Problem("wrong-credentials", "Name or password is wrong; check both.")
    assert account is not None
    if caller.account is not None and caller.session is not None:
        _leave_session(state, caller, account)
    made = begin_session(request, response, state, account)
    return session_view(state, account, made)


@router.post("/sessions/guest", status_code=201, responses=problems(400, 403, 429))
def log_in_as_guest(request: Request, response: Response, state: Here) -> schemas.Session:
    """Begin a session without registering, or return the one that the browser has.

    A second tab, or one that was open when another logged in, so gets the account that the others
    have: a new guest would take the cookie's place, and nobody could see the old one's results.
    """
    there = session_at_hand(request, state)
    if there.session is not None:
        return session_view(state, there.account, there.session)
    if not state.settings.guests:
        raise not_here()
    take(state.limits.guest, client_key(request))
    account = Account(id=new_id(), kind="guest", created_at=time.time())
    with state.database.write() as session:
        session.add(account)
    made = begin_session(request, response, state, account)
    return session_view(state, account, made)


@router.get("/session", responses=problems(401))
def who_am_i(caller: AnyCaller, state: Here) -> schemas.Session:
    """The session of this browser; all null when nobody is logged in."""
    return session_view(state, caller.account, caller.session)


@router.delete("/session", status_code=204, responses=problems(401, 403))
def log_out(request: Request, response: Response, state: Here, caller: InSession) -> None:
    """Log out. A guest, who cannot come back, is deleted with all results and files."""
    assert caller.session is not None
    owner = account_of(caller)
    with state.database.write() as session:
        session.execute(delete(LoginSession).where(LoginSession.id == caller.session.id))
        found = session.get(Account, owner.id) if owner.kind == "guest" else None
        if found is not None:
            delete_account(session, found)
    if owner.kind == "guest":
        state.janitor.wake()
    forget_cookie(request, response, state)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def _leave_session(state: State, caller: Caller, account: Account) -> None:
    """End the session in which somebody logs in; a guest's things move to the account."""
    assert caller.account is not None
    assert caller.session is not None
    with state.database.write() as session:
        session.execute(delete(LoginSession).where(LoginSession.id == caller.session.id))
        if caller.account.kind != "guest":
            return
        days = state.settings.retention_days
        session.execute(
            update(Reconstruction)
            .where(Reconstruction.account_id == caller.account.id)
            .values(
                account_id=account.id,
                expires_at=time.time() + days * 86_400 if days else None,
            )
        )
        session.execute(
            update(Job)
            .where(Job.account_id == caller.account.id)
            .values(account_id=account.id, idempotency_key=None, expires_hours=None)
        )
        session.execute(delete(Account).where(Account.id == caller.account.id))
