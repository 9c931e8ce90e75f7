"""Log in and out, as somebody or as a guest; who is logged in."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import delete, select, update
from starlette.concurrency import run_in_threadpool

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
from vitruvian.server.api.checks import clean_id, take, too_fast
from vitruvian.server.api.documented import not_here, problems
from vitruvian.server.api.views import open_session_view, session_view
from vitruvian.server.files.janitor import delete_account
from vitruvian.server.kinds import MEASURES
from vitruvian.server.models import Account, Job, LoginSession, Reconstruction, new_id
from vitruvian.server.problems import Problem, not_found
from vitruvian.server.state import State, state_of

router = APIRouter(prefix="/api/v1", tags=["account"])
Here = Annotated[State, Depends(state_of)]


@router.post("/sessions", status_code=201, responses=problems(400, 401, 403, 415, 422, 429))
async def log_in(
    body: schemas.Credentials, request: Request, response: Response, state: Here, caller: AnyCaller
) -> schemas.Session:
    """Log in. A guest's results move to the account."""
    address = f"address {client_key(request)}"
    login = normalise_login(body.name)
    wait = await run_in_threadpool(state.limits.login.wait, address)
    if wait:
        raise too_fast(wait)
    # Not in a thread: those who guess would take them all.
    await asyncio.sleep(await run_in_threadpool(state.limits.login_delay, login))
    account = await run_in_threadpool(_check, state, login, body.password, address)
    return await run_in_threadpool(_enter, request, response, state, caller, account)


def _check(state: State, login: str, password: str, address: str) -> Account:
    """The account that name and password open."""
    with state.database.read() as session:
        account = session.scalars(
            select(Account).where(Account.login == login, Account.kind == "user")
        ).first()
    fits = password_fits(password, account.password_hash if account else None)
    if account is None or not fits:
        state.limits.login.add(address)
        state.limits.login_of_name.add(login)
        raise Problem("wrong-credentials", "Name or password is wrong; check both.")
    return account


def _enter(
    request: Request, response: Response, state: State, caller: Caller, account: Account
) -> schemas.Session:
    if caller.account is not None and caller.session is not None:
        _leave_session(state, caller, account)
    made = begin_session(request, response, state, account)
    return session_view(state, account, made)


@router.get("/sessions", responses=problems(401, 403))
def list_sessions(state: Here, caller: InSession) -> schemas.OpenSessions:
    """The browsers that are logged in to the account."""
    assert caller.session is not None
    with state.database.read() as session:
        rows = session.scalars(
            select(LoginSession)
            .where(
                LoginSession.account_id == account_of(caller).id,
                LoginSession.expires_at > time.time(),
                LoginSession.seen_at > time.time() - state.settings.session_idle_days * 86_400,
            )
            .order_by(LoginSession.seen_at.desc())
        ).all()
    return schemas.OpenSessions(
        items=[open_session_view(state, row, caller.session) for row in rows]
    )


@router.delete("/sessions/{session_id}", status_code=204, responses=problems(401, 403, 404, 422))
def end_session(session_id: str, state: Here, caller: InSession) -> None:
    """End a session of the account, in whatever browser it is."""
    wanted = clean_id(session_id)
    with state.database.write() as session:
        for row in session.scalars(
            select(LoginSession).where(LoginSession.account_id == account_of(caller).id)
        ):
            if state.signer.fits("session", row.id, wanted):
                session.delete(row)
                return
    raise not_found()


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
        theirs = Reconstruction.account_id == caller.account.id
        for row in session.scalars(select(Reconstruction).where(theirs)).all():
            row.account_id = account.id
            if row.kind != MEASURES or row.details["options"]["keep"]:  # else for an hour only
                row.expires_at = time.time() + days * 86_400 if days else None
        session.flush()
        session.execute(
            update(Job)
            .where(Job.account_id == caller.account.id, Job.kind != MEASURES)
            .values(expires_hours=None)
        )
        session.execute(
            update(Job)
            .where(Job.account_id == caller.account.id)
            .values(account_id=account.id, idempotency_key=None)
        )
        session.execute(delete(Account).where(Account.id == caller.account.id))
