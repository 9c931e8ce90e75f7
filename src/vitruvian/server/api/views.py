"""Rows as the shapes of the API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from vitruvian.server.api import schemas
from vitruvian.server.api.schemas import measurements as measurement_shapes
from vitruvian.server.api.schemas import videos as video_shapes
from vitruvian.server.files.gallery import SAMPLES
from vitruvian.server.files.names import (
    ALL_ZIP,
    OF_ALL,
    OF_MEASURES,
    OF_MOVING_PERSON,
    OF_PERSON,
    OF_VIDEO,
    PERSON_ZIP,
)
from vitruvian.server.jobs.queue import position
from vitruvian.server.kinds import MEASURES, PHOTO, VIDEO
from vitruvian.server.models import Account, ApiToken, Job, LoginSession, Reconstruction, Share
from vitruvian.server.state import State

_TELLING_SHARE = 0.03  # of a video's work tells how long the rest takes


def files_url(row: Reconstruction, share_token: str | None = None) -> str:
    """The address under which a result's files lie, for its owner or for a share link."""
    if share_token is not None:
        return f"/api/v1/shared/{share_token}/files"
    if row.sample is not None:
        return f"/api/v1/samples/{row.sample}/files"
    room = "videos" if row.kind == VIDEO else "reconstructions"
    return f"/api/v1/{room}/{row.id}/files"


def reconstruction_view(
    row: Reconstruction, share_token: str | None = None
) -> schemas.Reconstruction:
    """A result with everything."""
    base = files_url(row, share_token)
    again = _again(row)
    report, paths = row.details["report"], row.details["files"]
    timings = report["timings_s"]
    return schemas.Reconstruction(
        **_brief(row),
        image=_size(report),
        camera=schemas.Camera(
            focal_px=report["camera"]["focal_px"],
            source=report["camera"]["source"],
            world_from_camera=row.details["world_from_camera"],
        ),
        people=[_person(person, paths, base, again) for person in report["people"]],
        left_out=report.get("left_out", []),  # results of earlier versions have none
        warnings=report["warnings"],
        timings_s=timings,
        seconds=round(sum(timings.values()), 3),
        options=schemas.ReconstructionOptions(**row.details.get("options", {})),
        files=_urls(OF_ALL, "", paths, base, again) | {"all": f"{base}/{ALL_ZIP}{again}"},
    )


def summary_view(row: Reconstruction) -> schemas.Summary:
    """A result in a list."""
    base = files_url(row)
    report = row.details["report"]
    return schemas.Summary(
        **_brief(row),
        image=_size(report),
        people=len(report["people"]),
        files=_urls(
            {"thumbnail": OF_ALL["thumbnail"]}, "", row.details["files"], base, _again(row)
        ),
    )


def video_view(row: Reconstruction, share_token: str | None = None) -> video_shapes.Video:
    """A video with everything."""
    base, report, paths = files_url(row, share_token), row.details["report"], row.details["files"]
    known = video_shapes.MovingPerson.model_fields
    people = []
    for person in report["people"]:
        files = _urls(OF_MOVING_PERSON, f"person-{person['id']}/", paths, base, "")
        fields = {name: person[name] for name in known if name != "files"}
        people.append(video_shapes.MovingPerson(**fields, files=files))
    return video_shapes.Video(
        **_video_brief(row),
        people=people,
        warnings=report["warnings"],
        timings_s=report["timings_s"],
        files=_urls(OF_VIDEO, "", paths, base, "") | {"all": f"{base}/{ALL_ZIP}"},
    )


def video_summary_view(row: Reconstruction) -> video_shapes.VideoSummary:
    """A video in a list."""
    shown = {"thumbnail": OF_VIDEO["thumbnail"]}
    return video_shapes.VideoSummary(
        **_video_brief(row),
        people=len(row.details["report"]["people"]),
        files=_urls(shown, "", row.details["files"], files_url(row), ""),
    )


def _video_brief(row: Reconstruction) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "clip": row.details["report"]["clip"],
        "bytes": row.bytes,
    }


def measurement_view(row: Reconstruction) -> measurement_shapes.Measurement:
    """Somebody's measures with everything."""
    report = row.details["report"]
    return measurement_shapes.Measurement(
        **_measurement_brief(row),
        subject=report["subject"],
        measures=report["measures"],
        sizes=report["sizes"],
        warnings=report["warnings"],
        files=_urls(
            OF_MEASURES, "", row.details["files"], f"/api/v1/measurements/{row.id}/files", ""
        ),
    )


def measurement_summary_view(row: Reconstruction) -> measurement_shapes.MeasurementSummary:
    """Somebody's measures in a list."""
    return measurement_shapes.MeasurementSummary(**_measurement_brief(row))


def _measurement_brief(row: Reconstruction) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "kept": row.details["options"]["keep"],
        "bytes": row.bytes,
    }


def _brief(row: Reconstruction) -> dict[str, Any]:
    sample = next((one for one in SAMPLES if one.id == row.sample), None)
    return {
        "id": row.sample or row.id,
        "name": sample.name if sample else row.name,
        "description": sample.description if sample else None,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "bytes": row.bytes,
    }


def _again(row: Reconstruction) -> str:
    """What tells the files of a result that was made anew from those that browsers have kept."""
    return f"?v={row.revision}" if row.revision else ""


def _size(report: dict[str, Any]) -> schemas.Size:
    return schemas.Size(width=report["image"]["width"], height=report["image"]["height"])


def _person(person: dict[str, Any], paths: dict[str, int], base: str, again: str) -> schemas.Person:
    folder = f"person-{person['id']}/"
    files = _urls(OF_PERSON, folder, paths, base, again)
    if "mesh_obj" in files:
        files["mesh_obj_zip"] = f"{base}/{folder}{PERSON_ZIP}{again}"
    fields = {name: value for name, value in person.items() if name in schemas.Person.model_fields}
    return schemas.Person(**(fields | {"files": files}))


def _urls(
    names: dict[str, str], folder: str, paths: dict[str, int], base: str, again: str
) -> dict[str, str]:
    return {
        use: f"{base}/{folder}{name}{again}"
        for use, name in names.items()
        if f"{folder}{name}" in paths
    }


def job_view(session: Session, state: State, job: Job) -> schemas.Job:
    """A job as it stands."""
    place = position(session, job)
    left = None
    if place is not None:
        ahead = max(0, place - 1) + (state.pool.busy if place else 0)
        left = round(state.clock.seconds_left(job.progress, ahead, state.pool.count), 1)
    if job.kind == VIDEO:
        left = _video_seconds_left(job)
    person = None
    if job.person_number and job.person_count:
        person = schemas.PersonAtWork(number=job.person_number, of=job.person_count)
    this = f"/api/v1/jobs/{job.id}"
    photo = job.reconstruction_id if job.kind == PHOTO else None
    measures = job.reconstruction_id if job.kind == MEASURES else None
    video = job.reconstruction_id if job.kind == VIDEO else None
    return schemas.Job(
        id=job.id,
        name=job.name,
        state=job.state,  # type: ignore[arg-type]
        stage=job.stage,
        person=person,
        progress=job.progress,
        queue_position=place,
        seconds_left=left,
        attempts=job.attempts,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        kind=job.kind,  # type: ignore[arg-type]
        reconstruction_id=photo,
        measurement_id=measures,
        video_id=video,
        replaces=job.replaces,
        problem=schemas.ProblemBody(**job.problem) if job.problem else None,
        links=schemas.JobLinks(
            self=this,
            events=f"{this}/events",
            cancel=f"{this}/cancel",
            reconstruction=f"/api/v1/reconstructions/{photo}" if photo else None,
            measurement=f"/api/v1/measurements/{measures}" if measures else None,
            video=f"/api/v1/videos/{video}" if video else None,
        ),
    )


def _video_seconds_left(job: Job) -> float | None:
    """What the rest takes when it goes on as it went; None while that says nothing yet."""
    if job.state != "running" or job.started_at is None or job.progress < _TELLING_SHARE:
        return None
    return round((time.time() - job.started_at) * (1 - job.progress) / job.progress, 1)


def account_brief(account: Account) -> schemas.AccountBrief:
    """Who is logged in."""
    return schemas.AccountBrief(
        id=account.id,
        name=account.name,
        guest=account.kind == "guest",
        created_at=account.created_at,
    )


def session_view(
    state: State, account: Account | None, session: LoginSession | None
) -> schemas.Session:
    """The session of a browser, or that there is none."""
    if account is None or session is None:
        return schemas.Session(account=None, csrf_token=None, expires_at=None)
    return schemas.Session(
        account=account_brief(account),
        csrf_token=state.signer.csrf_token(session.id),
        expires_at=session.expires_at,
    )


def open_session_view(
    state: State, row: LoginSession, current: LoginSession
) -> schemas.OpenSession:
    """A session in the list of them."""
    return schemas.OpenSession(
        id=state.signer.sign("session", row.id),  # the key of the table stays inside
        browser=row.browser,
        current=row.id == current.id,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def token_view(row: ApiToken, token: str | None = None) -> schemas.Token:
    """An API token."""
    return schemas.Token(
        id=row.id,
        name=row.name,
        scopes=row.scopes.split(),  # type: ignore[arg-type]
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.used_at,
        token=token,
    )


def share_view(state: State, row: Share) -> schemas.Share:
    """A share link."""
    token = state.signer.share_token(row.id)
    return schemas.Share(
        id=row.id,
        reconstruction_id=row.reconstruction_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        page=f"/s/{token}",
        url=f"/api/v1/shared/{token}",
    )


def stage_views(stages: Mapping[str, tuple[str, float]]) -> list[schemas.Stage]:
    """The stages in their order."""
    return [schemas.Stage(name=name, title=title) for name, (title, _) in stages.items()]
