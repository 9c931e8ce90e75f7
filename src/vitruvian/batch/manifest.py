"""The manifest: one SQLite table that knows of every input whether it is done.

It is written by the driver alone. A power cut may cost it the last few lines, not the results
behind them: their jobs are handed out again, and end at once where the result lies under its key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from vitruvian.batch.orders import Answer, Task
from vitruvian.errors import InputError

_LAYOUT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY,
    task TEXT NOT NULL,       -- JSON: kind, sources, known
    settings TEXT NOT NULL,   -- hash of options and version
    stamp TEXT NOT NULL,      -- size and time of change of the input
    state TEXT NOT NULL,      -- queued, running, done, failed, split
    attempts INTEGER NOT NULL DEFAULT 0,
    code TEXT, sentence TEXT, -- why it failed
    input TEXT,               -- SHA-256 of the input's bytes
    result TEXT,              -- key of the result
    seconds REAL, people INTEGER, agreement REAL,
    UNIQUE (task, settings)
);
CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (settings, state, attempts, id);
"""
_ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Row:
    """One job.

    Attributes:
        id: number in the manifest.
        task: the input.
        state: queued, running, done, failed or split.
        attempts: how often it was begun.
        code, sentence, result, seconds, people, agreement: as of ``Answer``.
    """

    id: int
    task: Task
    state: str
    attempts: int
    code: str | None
    sentence: str | None
    result: str | None
    seconds: float | None
    people: int | None
    agreement: float | None


_COLUMNS = "id, task, stamp, state, attempts, code, sentence, result, seconds, people, agreement"


class Manifest:
    """The jobs of one folder of results, those of one choice of options in view.

    Only one program at a time has it open; the system opens it again when that program dies.

    Args:
        path: the file; made when absent.
        settings: hash of the options whose jobs are in view.

    Raises:
        InputError: the file is no manifest, cannot be written, or another program has it open.
    """

    def __init__(self, path: Path, settings: str) -> None:
        self.path, self.settings = path, settings
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = path.with_name(f".{path.name}.lock")
            self._lock = sqlite3.connect(lock, timeout=0.2, isolation_level=None)
            self._lock.execute("BEGIN EXCLUSIVE")
        except (OSError, sqlite3.OperationalError) as error:
            if "locked" in str(error):
                raise InputError(
                    f"Another batch writes into {path.parent}: wait for it, or choose another "
                    "folder with -o.",
                    code="cannot-write",
                ) from error
            raise _cannot_write(path, error) from error
        try:
            self._base = sqlite3.connect(path, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=NORMAL")
            layout = self._base.execute("PRAGMA user_version").fetchone()[0]
            if layout not in (0, _LAYOUT):
                raise sqlite3.DatabaseError("another layout")
            self._base.executescript(_TABLES)
            self._base.execute(f"PRAGMA user_version={_LAYOUT}")
        except sqlite3.OperationalError as error:
            self._lock.close()
            raise _cannot_write(path, error) from error
        except sqlite3.DatabaseError as error:
            self._lock.close()
            raise InputError(
                f"{path} is no manifest of this version of vitruvian: move it away, or choose "
                "another folder with -o.",
                code="bad-input",
            ) from error

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()
        self._lock.close()

    def __enter__(self) -> Manifest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, tasks: Iterable[Task]) -> Iterator[int]:
        """Queue inputs that are new, or not what they were; yields how many were looked at.

        Inputs that are known keep their state.
        """
        block: list[Task] = []
        looked_at = 0
        for task in tasks:
            block.append(task)
            if len(block) == _ROWS_AT_ONCE:
                looked_at += self._add(block)
                block = []
                yield looked_at
        yield looked_at + self._add(block)

    def _add(self, tasks: Sequence[Task]) -> int:
        rows = [(task.text(), self.settings, task.stamp) for task in tasks]
        with self._transaction():
            self._base.executemany(
                "INSERT INTO jobs (task, settings, stamp, state) VALUES (?, ?, ?, 'queued') "
                "ON CONFLICT (task, settings) DO UPDATE SET stamp=excluded.stamp, state='queued', "
                "attempts=0, code=NULL, sentence=NULL, input=NULL, result=NULL, agreement=NULL, "
                "people=NULL WHERE stamp IS NOT excluded.stamp",
                rows,
            )
        return len(tasks)

    def recover(self, *, failed: bool = False) -> None:
        """Queue again what a driver left when it died; with ``failed`` also what failed."""
        with self._transaction():
            self._base.execute("UPDATE jobs SET state='queued' WHERE state='running'")
            if failed:
                self._base.execute(
                    "UPDATE jobs SET state='queued', attempts=0, code=NULL, sentence=NULL "
                    "WHERE state='failed' AND settings=?",
                    (self.settings,),
                )

    def begin(self) -> Row | None:
        """Mark the next job as running and return it; None when none waits.

        What has been tried comes after what has not.
        """
        with self._transaction():
            rows = self._select("state='queued' ORDER BY attempts, id LIMIT 1")
            if not rows:
                return None
            self._base.execute(
                "UPDATE jobs SET state='running', attempts=attempts+1 WHERE id=?", (rows[0].id,)
            )
        return rows[0]

    def release(self, id: int) -> None:
        """Put a job back that was begun and given up; it does not count as an attempt."""
        self._base.execute(
            "UPDATE jobs SET state='queued', attempts=attempts-1 WHERE id=? AND state='running'",
            (id,),
        )

    def conclude(self, answer: Answer, retries: int) -> str:
        """Record an answer, and return the job's state from now on.

        Args:
            answer: not one with the state ``stop``.
            retries: how many more attempts than one a job has that ends in ``again``, ``lost`` or
                ``late``.
        """
        with self._transaction():
            (row,) = self._select("id=?", answer.ticket)
            state: str = answer.state if answer.state in ("done", "failed", "split") else "failed"
            if answer.state in ("again", "lost", "late") and row.attempts <= retries:
                state = "queued"
            self._base.execute(
                "UPDATE jobs SET state=?, code=?, sentence=?, input=?, result=?, seconds=?, "
                "people=?, agreement=? WHERE id=?",
                (
                    state, answer.code, answer.sentence, answer.input, answer.result,
                    answer.seconds, answer.people, answer.agreement, answer.ticket,
                ),
            )  # fmt: skip
            for start_s, end_s in answer.parts:
                known = {**row.task.known, "start_s": start_s, "end_s": end_s}
                part = Task(row.task.kind, row.task.sources, known, row.task.stamp)
                self._base.execute(
                    "INSERT INTO jobs (task, settings, stamp, state) VALUES (?, ?, ?, 'queued') "
                    "ON CONFLICT (task, settings) DO UPDATE SET stamp=excluded.stamp, "
                    "state='queued', attempts=0 WHERE stamp IS NOT excluded.stamp",
                    (part.text(), self.settings, part.stamp),
                )
        return state

    def counts(self) -> dict[str, int]:
        """How many jobs there are by state."""
        rows = self._base.execute(
            "SELECT state, COUNT(*) FROM jobs WHERE settings=? GROUP BY state", (self.settings,)
        )
        return dict(rows.fetchall())

    def sums(self) -> tuple[float, int]:
        """Seconds that the done jobs took, and the people in them."""
        rows = self._base.execute(
            "SELECT SUM(seconds), SUM(people) FROM jobs WHERE settings=? AND state='done'",
            (self.settings,),
        )
        seconds, people = rows.fetchone()
        return float(seconds or 0.0), int(people or 0)

    def waiting(self) -> bool:
        """Whether a job waits to be begun."""
        return bool(self._select("state='queued' LIMIT 1"))

    def waiting_elsewhere(self) -> int:
        """How many jobs of other options wait."""
        rows = self._base.execute(
            "SELECT COUNT(*) FROM jobs WHERE settings<>? AND state='queued'", (self.settings,)
        )
        return int(rows.fetchone()[0])

    def failures(self) -> list[tuple[str, int]]:
        """Codes of what failed, each with how many there are, the commonest first."""
        rows = self._base.execute(
            "SELECT code, COUNT(*) FROM jobs WHERE settings=? AND state='failed' "
            "GROUP BY code ORDER BY 2 DESC, 1",
            (self.settings,),
        )
        return rows.fetchall()

    def failed(self, code: str, limit: int) -> list[Row]:
        """Some jobs that failed in a way."""
        return self._select("state='failed' AND code=? ORDER BY id LIMIT ?", code, limit)

    def worst(self, limit: int) -> list[Row]:
        """The results that agree least with their pictures."""
        return self._select("state='done' AND agreement IS NOT NULL ORDER BY agreement, id "
                            "LIMIT ?", limit)  # fmt: skip

    def rows(self) -> Iterator[Row]:
        """Every job, in the order of the inputs."""
        last = 0
        while rows := self._select("id>? ORDER BY id LIMIT ?", last, _ROWS_AT_ONCE):
            yield from rows
            last = rows[-1].id

    def _select(self, condition: str, *values: object) -> list[Row]:
        found = self._base.execute(
            f"SELECT {_COLUMNS} FROM jobs WHERE settings=? AND {condition}",
            (self.settings, *values),
        )
        return [Row(row[0], Task.of_text(row[1], row[2]), *row[3:]) for row in found]

    def _transaction(self) -> _Transaction:
        return _Transaction(self._base, self.path)


class _Transaction:
    """All of a block's changes, or none."""

    def __init__(self, base: sqlite3.Connection, path: Path) -> None:
        self._base, self._path = base, path

    def __enter__(self) -> None:
        self._base.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        try:
            self._base.execute("COMMIT" if error is None else "ROLLBACK")
        except sqlite3.OperationalError as refused:
            if error is None:
                raise _cannot_write(self._path, refused) from refused
        if isinstance(error, sqlite3.OperationalError):  # the disk is full
            raise _cannot_write(self._path, error) from error


def _cannot_write(path: Path, error: Exception) -> InputError:
    return InputError(
        f"Cannot write {path} ({str(error).lower()}): make room, or choose another folder with -o.",
        code="cannot-write",
    )
