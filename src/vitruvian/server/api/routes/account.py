"""Register, the account, its password and API tokens."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from vitruvian.server.accounts.passwords import (
    hash_password,
    normalise_login,
    password_fits,
    password_weakness,
)
from vitruvian.server.accounts.quota import quota, usage
from vitruvian.server.accounts.signing import TOKEN_PREFIX, digest, new_token
from vitruvian.server.api import schemas
from vitruvian.server.api.callers import (
    CAPTURE,
    InSession,
    account_of,
    client_key,
    forget_cookie,
)
from vitruvian.server.api.checks import clean_id, take, too_fast
from vitruvian.server.api.documented import not_here, problems
from vitruvian.server.api.views import account_brief, token_view
from vitruvian.server.files.janitor import delete_account
from vitruvian.server.models import (
    Account,
    ApiToken,
    LoginSession,
    new_id,
)
from vitruvian.server.problems import Problem, not_found
from vitruvian.server.state import State, state_of

router = APIRouter(prefix="/api/v1", tags=["account"])
Here = Annotated[State, Depends(state_of)]

_MAX_TOKENS = 50
_REGISTERED = (
    "If the name was free, the account is there now; log in. Otherwise nothing has changed."
)


@router.post("/accounts", status_code=202, responses=problems(400, 403, 415, 422, 429))
def register(body: schemas.NewAccount, request: Request, state: Here) -> schemas.Message:
    """Register. The answer is the same, and takes as long, whether the name was free or not."""
    if not state.settings.registration:
        raise not_here()
    weakness = password_weakness(body.password, body.name, state.settings.password_min_length)
    if weakness:
        raise Problem("validation", weakness, errors=[{"field": "password", "detail": weakness}])
    take(state.limits.register, client_key(request))
    account = Account(
        id=new_id(),
        kind="user",
        name=body.name,
        login=normalise_login(body.name),
        password_hash=hash_password(body.password),
        created_at=time.time(),
    )
    try:
        with state.database.write() as session:
            session.add(account)
    except IntegrityError:
        pass  # taken: who owns the name is nobody's business
    return schemas.Message(detail=_REGISTERED)


@router.get("/account", responses=problems(401, 403))
def account(state: Here, caller: InSession) -> schemas.Account:
    """The account, what it uses and what it may use."""
    owner = account_of(caller)
    with state.database.read() as session:
        count, size = usage(session, owner)
    results, megabytes = quota(state.settings, owner)
    return schemas.Account(
        **dict(account_brief(owner)),
        usage=schemas.Amount(reconstructions=count, bytes=size),
        quota=schemas.Amount(reconstructions=results, bytes=megabytes * 2**20),
    )


@router.put("/account/password", status_code=204, responses=problems(400, 401, 403, 415, 422, 429))
def change_password(body: schemas.PasswordChange, state: Here, caller: InSession) -> None:
    """Change the password; the other sessions end, and API tokens if that is wanted."""
    owner = account_of(caller)
    _check_password(state, owner, body.current_password)
    weakness = password_weakness(
        body.new_password, owner.name or "", state.settings.password_min_length
    )
    if weakness:
        raise Problem(
            "validation", weakness, errors=[{"field": "new_password", "detail": weakness}]
        )
    hashed = hash_password(body.new_password)
    assert caller.session is not None
    with state.database.write() as session:
        session.execute(update(Account).where(Account.id == owner.id).values(password_hash=hashed))
        session.execute(
            delete(LoginSession).where(
                LoginSession.account_id == owner.id, LoginSession.id != caller.session.id
            )
        )
        if body.revoke_tokens:
            session.execute(delete(ApiToken).where(ApiToken.account_id == owner.id))


@router.post("/account/deletion", status_code=204, responses=problems(400, 401, 403, 415, 422, 429))
def delete_my_account(
    body: schemas.AccountDeletion,
    request: Request,
    response: Response,
    state: Here,
    caller: InSession,
) -> None:
    """Delete the account with all results and files, now."""
    owner = account_of(caller)
    if owner.kind == "user":
        _check_password(state, owner, body.password or "")
    with state.database.write() as session:
        found = session.get(Account, owner.id)
        if found is not None:
            delete_account(session, found)
    state.janitor.wake()
    forget_cookie(request, response, state)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


@router.get("/tokens", responses=problems(401, 403))
def list_tokens(state: Here, caller: InSession) -> schemas.Tokens:
    """The API tokens of the account."""
    with state.database.read() as session:
        rows = session.scalars(
            select(ApiToken).where(*_listed(account_of(caller))).order_by(ApiToken.created_at)
        )
        return schemas.Tokens(items=[token_view(row) for row in rows])


@router.post("/tokens", status_code=201, responses=problems(400, 401, 403, 409, 415, 422))
def make_token(body: schemas.NewToken, state: Here, caller: InSession) -> schemas.Token:
    """Make an API token. It is shown in this answer only."""
    owner = account_of(caller)
    if owner.kind != "user":
        raise Problem("forbidden", "A guest has no API tokens; register first.")
    token = TOKEN_PREFIX + new_token()
    now = time.time()
    row = ApiToken(
        id=new_id(),
        account_id=owner.id,
        name=body.name,
        digest=digest(token),
        scopes=" ".join(sorted(set(body.scopes))),
        created_at=now,
        expires_at=now + body.expires_in_days * 86_400 if body.expires_in_days else None,
    )
    with state.database.write() as session:
        session.execute(select(Account.id).where(Account.id == owner.id).with_for_update())
        count = session.scalar(select(func.count()).select_from(ApiToken).where(*_listed(owner)))
        if (count or 0) >= _MAX_TOKENS:
            raise Problem("conflict", f"There are {_MAX_TOKENS} tokens already; revoke one first.")
        session.add(row)
    return token_view(row, token)


@router.delete("/tokens/{token_id}", status_code=204, responses=problems(401, 403, 404, 422))
def revoke_token(token_id: str, state: Here, caller: InSession) -> None:
    """Revoke an API token."""
    with state.database.write() as session:
        gone = session.execute(
            delete(ApiToken)
            .where(ApiToken.id == clean_id(token_id), ApiToken.account_id == account_of(caller).id)
            .returning(ApiToken.id)
        ).first()
    if gone is None:
        raise not_found()


def _listed(owner: Account) -> tuple[ColumnElement[bool], ...]:
    """Which tokens are an account's own: not those that let a phone send pictures for a while."""
    return ApiToken.account_id == owner.id, ApiToken.scopes != CAPTURE


def _check_password(state: State, owner: Account, password: str) -> None:
    key = f"account {owner.id}"
    wait = state.limits.login.wait(key)
    if wait:
        raise too_fast(wait)
    if not password_fits(password, owner.password_hash):
        state.limits.login.add(key)
        raise Problem("wrong-password", "The password is wrong; check it.")
