"""The tables. Times are seconds since the epoch (UTC); ids are random URL-safe strings."""

from __future__ import annotations

import secrets
import time
from typing import Any, ClassVar

from sqlalchemy import JSON, Double, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from vitruvian.server.kinds import PHOTO

ACTIVE = ("queued", "running")
ENDED = ("succeeded", "failed", "cancelled")


def new_id() -> str:
    """A random id of 128 bits, 22 characters."""
    return secrets.token_urlsafe(16)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar = {float: Double, dict[str, Any]: JSON}


class Account(Base):
    """Who owns results.

    ``kind``: ``user``; ``guest`` (no name, no password, deleted after a day); ``system`` (owns the
    samples and the results of uploads without an account; nobody can log in as it).
    """

    __tablename__ = "accounts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str | None] = mapped_column(String(128))
    login: Mapped[str | None] = mapped_column(String(256), unique=True)  # the name, normalised
    password_hash: Mapped[str | None] = mapped_column(String(256))
    created_at: Mapped[float]
    # When a worker last took a job of theirs: the queue serves accounts in turn.
    served_at: Mapped[float] = mapped_column(default=0.0, server_default="0")


class LoginSession(Base):
    """A browser that is logged in. The id is the SHA-256 of the cookie's token."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    created_at: Mapped[float]
    seen_at: Mapped[float]
    expires_at: Mapped[float]
    browser: Mapped[str | None] = mapped_column(String(64))  # "Firefox on Linux"

    __table_args__ = (Index("sessions_of_account", "account_id"),)


class ApiToken(Base):
    """A token for programs. Only its SHA-256 is kept."""

    __tablename__ = "tokens"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(128))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(256))
    created_at: Mapped[float]
    expires_at: Mapped[float | None]
    used_at: Mapped[float | None]

    __table_args__ = (Index("tokens_of_account", "account_id"),)


class Job(Base):
    """A picture to reconstruct, or several of one person, or two to measure somebody by.

    ``queue.py`` says how it moves from state to state.
    """

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8), default=PHOTO, server_default=PHOTO)
    name: Mapped[str] = mapped_column(String(200))
    options: Mapped[dict[str, Any]]
    upload_key: Mapped[str] = mapped_column(String(128))
    sample: Mapped[str | None] = mapped_column(String(64))
    idempotency_key: Mapped[str | None] = mapped_column(String(128))
    expires_hours: Mapped[float | None]  # life of the result, where the account's does not apply
    # The result that it makes anew, from that result's photograph, and the camera which took that:
    # the picture that is kept does not say it any more.
    replaces: Mapped[str | None] = mapped_column(String(32))
    camera: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    state: Mapped[str] = mapped_column(String(12), default="queued")
    priority: Mapped[int] = mapped_column(default=0)  # the lower, the earlier
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[float | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)

    stage: Mapped[str | None] = mapped_column(String(32))
    person_number: Mapped[int | None]
    person_count: Mapped[int | None]
    progress: Mapped[float] = mapped_column(default=0.0)

    created_at: Mapped[float]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    reconstruction_id: Mapped[str | None] = mapped_column(String(32))
    problem: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (
        UniqueConstraint("account_id", "idempotency_key", name="job_is_asked_for_once"),
        Index("jobs_in_line", "state", "priority", "created_at"),
        Index("jobs_of_account", "account_id", "created_at"),
        Index("jobs_of_result", "replaces"),
    )


class Reconstruction(Base):
    """A result. ``details`` is what the worker reported; its files lie below ``prefix``.

    ``revision`` counts how often it was made anew.
    """

    __tablename__ = "reconstructions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    # Unique: a job that is run twice can still have one result only.
    job_id: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(8), default=PHOTO, server_default=PHOTO)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    sample: Mapped[str | None] = mapped_column(String(64), unique=True)
    prefix: Mapped[str] = mapped_column(String(128))
    bytes: Mapped[int]
    details: Mapped[dict[str, Any]]
    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[float]
    expires_at: Mapped[float | None]

    __table_args__ = (
        Index("reconstructions_of_account", "account_id", "created_at"),
        Index("reconstructions_by_end", "expires_at"),
    )


class Share(Base):
    """A link that shows a result to whoever has it. Its token is signed, not kept."""

    __tablename__ = "shares"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=new_id)
    reconstruction_id: Mapped[str] = mapped_column(
        ForeignKey("reconstructions.id", ondelete="CASCADE")
    )
    created_at: Mapped[float]
    expires_at: Mapped[float]

    __table_args__ = (Index("shares_of_reconstruction", "reconstruction_id"),)


class Deletion(Base):
    """Files that must go: written with the deletion of their row, removed when they are gone."""

    __tablename__ = "deletions"

    prefix: Mapped[str] = mapped_column(String(128), primary_key=True)
    created_at: Mapped[float]


def files_must_go(session: Session, prefix: str) -> None:
    """Leave word that the files of a prefix must go. Two may say so at the same moment: somebody
    deletes what is being swept."""
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    word = insert(Deletion).values(prefix=prefix, created_at=time.time())
    session.execute(word.on_conflict_do_nothing())
