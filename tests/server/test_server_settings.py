"""Settings, the secret, the command, and that the docs tell of all of it."""

from __future__ import annotations

import os
import stat
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from server_tools import app_client, fresh_database, make_settings
from vitruvian.commands.cli import main
from vitruvian.errors import InputError
from vitruvian.server.problems import KINDS
from vitruvian.server.settings import (
    PREFIX,
    Settings,
    load_secret,
    load_settings,
    prepare_data_folder,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("item", fields(Settings), ids=lambda item: item.name)
def test_docs_have_every_setting(item: Any) -> None:
    rows = [
        [cell.strip() for cell in line.strip("|\n ").split(" | ")]
        for line in (DOCS / "server.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| `{PREFIX}{item.name.upper()}` |")
    ]
    assert len(rows) == 1
    default = str(item.default).lower() if isinstance(item.default, bool) else str(item.default)
    assert rows[0][1].strip("`| ") == default
    assert rows[0][-1] == item.metadata["help"]


def test_docs_have_every_route_and_code() -> None:
    from vitruvian.server.app import create_app

    text = (DOCS / "api.md").read_text(encoding="utf-8")
    missing = [code for code in KINDS if f"`{code}`" not in text]
    assert not missing

    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(make_settings(Path(folder), ""))
        paths = app.openapi()["paths"]
    for path, operations in paths.items():
        shown = (
            path.replace("{reconstruction_id}", "{id}")
            .replace("{share_id}", "{id}")
            .replace("{session_id}", "{id}")
            .replace("{measurement_id}", "{id}")
            .replace("{video_id}", "{id}")
        )
        shown = shown.replace("{token_id}", "{id}").replace("{sample_id}", "{id}")
        shown = shown.replace("{job_id}", "{id}")
        for method in operations:
            assert f"{method.upper()} {shown}" in text, f"{method} {path} is not in docs/api.md"


def test_from_the_environment() -> None:
    settings = load_settings(
        {
            f"{PREFIX}PORT": "9000",
            f"{PREFIX}GUESTS": "no",
            f"{PREFIX}LEASE_SECONDS": "2.5",
            "OTHER": "x",
        },
        host="0.0.0.0",
        workers=None,
    )
    assert (settings.port, settings.guests, settings.lease_seconds) == (9000, False, 2.5)
    assert settings.host == "0.0.0.0"
    assert settings.host_names == ()
    assert load_settings({}).host_names == ("127.0.0.1", "::1", "localhost")


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("PROT", "1", "There is no setting VITRUVIAN_SERVER_PROT; see docs/server.md for those."),
        ("PORT", "http", "VITRUVIAN_SERVER_PORT is 'http'; give a whole number."),
        ("GUESTS", "maybe", "VITRUVIAN_SERVER_GUESTS is 'maybe'; give true or false."),
        (
            "MAX_UPLOAD_MB",
            "65",
            "The setting VITRUVIAN_SERVER_MAX_UPLOAD_MB is 65; give at most 64.",
        ),
        ("JOB_ATTEMPTS", "0", "The setting VITRUVIAN_SERVER_JOB_ATTEMPTS is 0; give 1 or more."),
        (
            "LEASE_SECONDS",
            "nan",
            "The setting VITRUVIAN_SERVER_LEASE_SECONDS is nan; give 0 or more.",
        ),
        (
            "METRICS",
            "everybody",
            "The setting VITRUVIAN_SERVER_METRICS is 'everybody'; choose from local, all, off.",
        ),
        (
            "SECRET",
            "short",
            "The setting VITRUVIAN_SERVER_SECRET is too simple; give 32 random characters or more, "
            "or none to have one generated.",
        ),
        (
            "SECRET",
            "change-me-0123456789-abcdefghijklmnop",
            "The setting VITRUVIAN_SERVER_SECRET is a placeholder that others know; give random "
            "characters, or none to have one generated.",
        ),
    ],
)
def test_what_cannot_be(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        load_settings({PREFIX + variable: value})
    assert str(caught.value) == sentence


def test_the_secret_is_made_once_and_kept_private(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "data", "")
    prepare_data_folder(settings)
    secret = load_secret(settings)
    path = tmp_path / "data" / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    assert len(secret) >= 64
    assert load_secret(settings) == secret
    assert load_secret(make_settings(tmp_path / "data", "", secret="x9" + "abcdefgh" * 8)) != secret

    path.chmod(0o640)
    with pytest.raises(InputError, match="can be read by others; run chmod 600"):
        load_secret(settings)
    path.chmod(0o600)
    path.write_text("changeme" * 8)
    with pytest.raises(InputError, match="The secret in"):
        load_secret(settings)


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"cannot be used .*; choose another with --data"):
        prepare_data_folder(make_settings(tmp_path / "file" / "data", ""))


@pytest.mark.parametrize(
    ("arguments", "environment", "sentence"),
    [
        (["--port", "70000"], {}, "65535"),
        (["--workers", "-1"], {}, "A server without workers needs a database"),
        ([], {"DATABASE_URL": "postgresql://127.0.0.1:1/none"}, "The database cannot be used"),
        (["--host", "203.0.113.7"], {}, "Cannot listen on 203.0.113.7:0"),
    ],
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    arguments: list[str],
    environment: dict[str, str],
    sentence: str,
) -> None:
    if "DATABASE_URL" in environment:
        pytest.importorskip("psycopg", reason="needs the extra postgresql")
    for name, value in environment.items():
        monkeypatch.setenv(PREFIX + name, value)
    monkeypatch.setattr("vitruvian.server.running.configure_logs", lambda *_: None)
    before = os.umask(0o022)
    try:
        where = ["--data", str(tmp_path / "data")]
        port = [] if "--port" in arguments else ["--port", "0"]
        assert main(["serve", *where, *port, *arguments]) == 2
    finally:
        os.umask(before)
    said = capsys.readouterr().err.strip()
    assert sentence in said
    assert "\n" not in said


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    import builtins

    real_import = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("vitruvian.server.running"):
            raise ImportError("No module named 'fastapi'", name="fastapi")
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    assert main(["serve"]) == 3
    said = capsys.readouterr().err.strip()
    assert said == "The server needs fastapi; run pip install 'vitruvian[server]'."


def test_migrations_make_the_tables_that_the_code_expects(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from vitruvian.server.database import Database
    from vitruvian.server.models import Base

    with fresh_database() as url:
        database = Database(make_settings(tmp_path, url).sqlalchemy_url)
        database.migrate()
        database.migrate()  # again changes nothing
        with database.engine.connect() as connection:
            found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
        assert found == []
        if not url:
            with database.engine.connect() as connection:
                assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
                assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        database.close()


def test_expired_results_are_deleted(tmp_path: Path) -> None:
    import time

    from sqlalchemy import update

    from server_tools import create, files_of, picture, register
    from vitruvian.server.models import Job, Reconstruction

    data = tmp_path / "data"
    with app_client(data, retention_days=7) as client:
        register(client)
        old = create(client, picture()).json()
        new = create(client, picture()).json()
        share = client.post(f"/api/v1/reconstructions/{old['id']}/shares", json={}).json()
        assert share["expires_at"] == old["expires_at"]  # no longer than the result
        state = client.app.state.vitruvian
        with state.database.write() as session:
            session.execute(
                update(Reconstruction)
                .where(Reconstruction.id == old["id"])
                .values(expires_at=time.time() - 1)
            )
        orphan = data / "files" / "results" / "orphan"
        orphan.mkdir()
        (orphan / "photo.jpg").write_bytes(b"x")
        hours_ago = time.time() - 7200
        os.utime(orphan, (hours_ago, hours_ago))
        fresh = data / "files" / "results" / "being-written"
        fresh.mkdir()
        state.janitor.sweep()
        assert not orphan.exists()
        assert fresh.exists()
        listed = client.get("/api/v1/reconstructions").json()["items"]
        assert [item["id"] for item in listed] == [new["id"]]
        assert client.get(share["url"]).status_code == 404
        assert len({path.split("/")[2] for path in files_of(data)}) == 1
        with state.database.read() as session:
            assert session.query(Job).count() == 1
