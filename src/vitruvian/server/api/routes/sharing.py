"""Share links, what they show, and the gallery: results that are read without an account."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from vitruvian.server.api import schemas
from vitruvian.server.api.callers import Caller, Reader, Writer, account_of
from vitruvian.server.api.checks import clean_id
from vitruvian.server.api.documented import problems
from vitruvian.server.api.routes.reconstructions import FILE_ANSWERS, owned
from vitruvian.server.api.schemas import videos as video_shapes
from vitruvian.server.api.views import reconstruction_view, share_view, summary_view, video_view
from vitruvian.server.files.gallery import SAMPLES
from vitruvian.server.files.serving import serve_file
from vitruvian.server.kinds import PHOTO, VIDEO
from vitruvian.server.models import ACTIVE, Job, Reconstruction, Share, new_id
from vitruvian.server.problems import Problem, not_found
from vitruvian.server.state import State, state_of

router = APIRouter(prefix="/api/v1")
Here = Annotated[State, Depends(state_of)]

_MAX_SHARES = 100
_PUBLIC = "public, max-age=3600"
# A revoked link must stop showing files: they are asked for anew each time.
_REVOCABLE = "private, no-cache"


@router.get(
    "/reconstructions/{reconstruction_id}/shares",
    tags=["sharing"],
    responses=problems(401, 403, 404, 422),
)
def list_shares(reconstruction_id: str, state: Here, caller: Reader) -> schemas.Shares:
    """The share links of a result."""
    return shares_of(state, caller, reconstruction_id)


def shares_of(
    state: State, caller: Caller, reconstruction_id: str, kind: str = PHOTO
) -> schemas.Shares:
    """The share links of a result of that kind."""
    with state.database.read() as session:
        row = owned(session, caller, reconstruction_id, kind)
        shares = session.scalars(
            select(Share)
            .where(Share.reconstruction_id == row.id, Share.expires_at > time.time())
            .order_by(Share.created_at)
        )
        return schemas.Shares(items=[share_view(state, one) for one in shares])


@router.post(
    "/reconstructions/{reconstruction_id}/shares",
    status_code=201,
    tags=["sharing"],
    responses=problems(400, 401, 403, 404, 409, 415, 422),
)
def share(
    reconstruction_id: str, body: schemas.NewShare, state: Here, caller: Writer
) -> schemas.Share:
    """Make a link that shows a result to whoever has it."""
    return share_result(state, caller, reconstruction_id, body)


def share_result(
    state: State, caller: Caller, reconstruction_id: str, body: schemas.NewShare, kind: str = PHOTO
) -> schemas.Share:
    """Make a link to a result of that kind."""
    days = body.expires_in_days or state.settings.share_default_days
    if days > state.settings.share_max_days:
        wrong = f"must be at most {state.settings.share_max_days}"
        raise Problem(
            "validation",
            f"expires_in_days: {wrong}.",
            errors=[{"field": "expires_in_days", "detail": wrong}],
        )
    with state.database.write() as session:
        row = owned(session, caller, reconstruction_id, kind)
        count = session.scalar(
            select(func.count()).select_from(Share).where(Share.reconstruction_id == row.id)
        )
        if (count or 0) >= _MAX_SHARES:
            raise Problem("conflict", f"There are {_MAX_SHARES} links already; revoke one first.")
        made = add_share(session, row, time.time() + days * 86_400)
    return share_view(state, made)


def add_share(session: Session, row: Reconstruction, expires_at: float) -> Share:
    """Add a link to ``session``; it never outlives its result."""
    if row.expires_at is not None:
        expires_at = min(expires_at, row.expires_at)
    made = Share(
        id=new_id(), reconstruction_id=row.id, created_at=time.time(), expires_at=expires_at
    )
    session.add(made)
    return made


@router.delete(
    "/shares/{share_id}",
    status_code=204,
    tags=["sharing"],
    responses=problems(401, 403, 404, 422),
)
def revoke(share_id: str, state: Here, caller: Writer) -> None:
    """Revoke a share link."""
    with state.database.write() as session:
        mine = select(Reconstruction.id).where(Reconstruction.account_id == account_of(caller).id)
        gone = session.execute(
            delete(Share)
            .where(Share.id == clean_id(share_id), Share.reconstruction_id.in_(mine))
            .returning(Share.id)
        ).first()
    if gone is None:
        raise not_found()


def _shared(session: Session, state: State, token: str) -> Reconstruction:
    share_id = state.signer.share_id(token)
    if share_id is None:
        raise not_found()
    row = session.scalars(
        select(Reconstruction)
        .join(Share, Share.reconstruction_id == Reconstruction.id)
        .where(Share.id == share_id, Share.expires_at > time.time())
    ).first()
    if row is None:
        raise not_found()
    return row


@router.get("/shared/{token}", tags=["sharing"], responses=problems(404, 422))
def get_shared(token: str, state: Here) -> schemas.Reconstruction | video_shapes.Video:
    """A shared result."""
    with state.database.read() as session:
        row = _shared(session, state, token)
        return video_view(row, token) if row.kind == VIDEO else reconstruction_view(row, token)


@router.get(
    "/shared/{token}/files/{path:path}",
    tags=["sharing"],
    response_class=Response,
    responses=problems(404, 422) | FILE_ANSWERS,
)
def get_shared_file(
    token: str, path: str, request: Request, state: Here, download: bool = False
) -> Response:
    """A file of a shared result."""
    with state.database.read() as session:
        row = _shared(session, state, token)
    return serve_file(request, state.storage, row, path, download=download, cache=_REVOCABLE)


@router.get("/samples", tags=["gallery"])
def list_samples(state: Here) -> schemas.Samples:
    """The gallery."""
    with state.database.read() as session:
        rows = {
            row.sample: row
            for row in session.scalars(
                select(Reconstruction).where(Reconstruction.sample.is_not(None))
            )
        }
        preparing = session.scalar(
            select(Job.id).where(Job.sample.is_not(None), Job.state.in_(ACTIVE)).limit(1)
        )
    ordered = [rows[sample.id] for sample in SAMPLES if sample.id in rows]
    return schemas.Samples(
        items=[summary_view(row) for row in ordered], preparing=preparing is not None
    )


def _sample(session: Session, sample_id: str) -> Reconstruction:
    row = session.scalars(
        select(Reconstruction).where(Reconstruction.sample == clean_id(sample_id))
    ).first()
    if row is None:
        raise not_found()
    return row


@router.get("/samples/{sample_id}", tags=["gallery"], responses=problems(404, 422))
def get_sample(sample_id: str, state: Here) -> schemas.Reconstruction:
    """A sample."""
    with state.database.read() as session:
        row = _sample(session, sample_id)
        return reconstruction_view(row)


@router.get(
    "/samples/{sample_id}/files/{path:path}",
    tags=["gallery"],
    response_class=Response,
    responses=problems(404, 422) | FILE_ANSWERS,
)
def get_sample_file(
    sample_id: str, path: str, request: Request, state: Here, download: bool = False
) -> Response:
    """A file of a sample."""
    with state.database.read() as session:
        row = _sample(session, sample_id)
    return serve_file(request, state.storage, row, path, download=download, cache=_PUBLIC)
