"""What an account may keep, and what it keeps."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from vitruvian.server.models import Account, Reconstruction
from vitruvian.server.settings import Settings


def quota(settings: Settings, owner: Account) -> tuple[int, int]:
    """How many results, and how many megabytes, an account may keep."""
    if owner.kind == "guest":
        return settings.guest_quota_reconstructions, settings.guest_quota_mb
    return settings.quota_reconstructions, settings.quota_mb


def usage(session: Session, owner: Account) -> tuple[int, int]:
    """How many results an account has, and their bytes."""
    count, size = session.execute(
        select(
            func.count(Reconstruction.id), func.coalesce(func.sum(Reconstruction.bytes), 0)
        ).where(Reconstruction.account_id == owner.id)
    ).one()
    return count, int(size)
