"""The database: one engine, sessions for reading and for writing, migrations.

SQLite runs in WAL mode, where readers and one writer do not wait for each other. A transaction
that will write says so at its start (``BEGIN IMMEDIATE``): SQLite cannot turn a reader into a
writer when another wrote in between, and would refuse.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from vitruvian.errors import InputError

MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_MS = 15_000
_MIGRATION_LOCK = 7_110_533  # any number that no other program uses in the same database


class Database:
    """Sessions on one database. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        # Errors must not carry names and tokens into the logs.
        options: dict[str, Any] = {"pool_size": 20, "max_overflow": 40, "hide_parameters": True}
        if not self.is_sqlite:
            options["pool_pre_ping"] = True
        self.engine = create_engine(url, **options)
        if self.is_sqlite:
            _configure_sqlite(self.engine)
        self._writing = self.engine.execution_options(writes=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only reads."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session that is committed at the end of the block, or rolled back on an error."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def migrate(self) -> None:
        """Bring the tables to the version of this program.

        Raises:
            InputError: the database cannot be reached.
        """
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        try:
            with self.engine.connect() as connection:
                if not self.is_sqlite:  # of several servers that start together, one migrates
                    connection.execute(text(f"SELECT pg_advisory_lock({_MIGRATION_LOCK})"))
                    connection.commit()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.commit()
                if not self.is_sqlite:
                    connection.execute(text(f"SELECT pg_advisory_unlock({_MIGRATION_LOCK})"))
                    connection.commit()
        except SQLAlchemyError as error:
            reason = " ".join(str(getattr(error, "orig", error)).split()).rstrip(".")
            raise InputError(
                f"The database cannot be used ({reason}); check "
                "VITRUVIAN_SERVER_DATABASE_URL and that its server runs."
            ) from error

    def ping(self) -> None:
        """Raise when the database does not answer."""
        with self.read() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: what was accepted survives a power cut, not only a crash of the program.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")  # deleted rows are overwritten
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
