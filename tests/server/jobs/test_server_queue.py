"""The queue alone: leases, attempts, and that a job ends once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sqlalchemy", reason="needs the extra server")

from sqlalchemy import select, update

from server_tools import fresh_database, make_settings
from vitruvian.server.database import Database
from vitruvian.server.jobs.queue import JobQueue, Result, position
from vitruvian.server.models import Account, Deletion, Job, Reconstruction, files_must_go


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with fresh_database() as url:
        made = Database(make_settings(tmp_path, url).sqlalchemy_url)
        made.migrate()
        with made.write() as session:
            session.add(Account(id="anna", kind="user", created_at=0.0))
        yield made
        made.close()


def queue_of(database: Database, **given: Any) -> JobQueue:
    return JobQueue(database, **({"lease_seconds": 60.0, "attempts": 3} | given))


def add(database: Database, job_id: str, **fields: Any) -> None:
    values = {
        "account_id": "anna",
        "name": "Photo",
        "options": {"texture": False},
        "upload_key": f"uploads/{job_id}",
        "created_at": time.time(),
    }
    with database.write() as session:
        session.add(Job(id=job_id, **(values | fields)))


def job(database: Database, job_id: str) -> Job:
    with database.read() as session:
        found = session.get(Job, job_id)
        assert found is not None
        return found


def let_lease_run_out(database: Database) -> None:
    """As if its time were over; no test waits for a lease, since a slow machine loses it early."""
    with database.write() as session:
        session.execute(update(Job).values(lease_until=0.0))


def result(name: str) -> Result:
    return Result(prefix=f"results/{name}", bytes=7, details={"files": {}})


def test_videos_are_left_to_others(database: Database) -> None:
    add(database, "a", created_at=1.0, kind="video")
    jobs = queue_of(database)
    assert jobs.is_there_work()
    assert not jobs.is_there_work(videos=False)
    assert jobs.lease(videos=False) is None
    add(database, "b", created_at=2.0)
    leases = [jobs.lease(videos=False), jobs.lease()]
    assert [lease.job.id for lease in leases if lease] == ["b", "a"]


def test_oldest_first_and_priority_before_age(database: Database) -> None:
    add(database, "c", created_at=3.0)
    add(database, "a", created_at=1.0, priority=1)
    add(database, "b", created_at=2.0)
    jobs = queue_of(database)
    with database.read() as session:
        places = [position(session, session.get(Job, one)) for one in "abc"]  # type: ignore[arg-type]
    assert places == [3, 1, 2]
    leases = [jobs.lease() for _ in range(4)]
    assert [lease.job.id for lease in leases if lease] == ["b", "c", "a"]
    assert leases[3] is None
    assert position_of(database, "b") == 0


def test_accounts_are_served_in_turn(database: Database) -> None:
    with database.write() as session:
        session.add_all(Account(id=name, kind="user", created_at=0.0) for name in ("ben", "cleo"))
    for number in range(4):
        add(database, f"a{number}", created_at=float(number))
    add(database, "b0", account_id="ben", created_at=10.0)
    add(database, "b1", account_id="ben", created_at=11.0)
    add(database, "c0", account_id="cleo", created_at=12.0)
    jobs = queue_of(database)
    foretold = ["a0", "b0", "c0", "a1", "b1", "a2", "a3"]
    assert [position_of(database, one) for one in foretold] == [1, 2, 3, 4, 5, 6, 7]
    seen = []
    while (lease := jobs.lease()) is not None:
        seen.append(lease.job.id)
        assert jobs.fail(lease, {"code": "nobody-found"})  # one worker: each ends before the next
        if len(seen) == 2:  # who comes later and was not served yet is before who was
            waiting = ["c0", "a1", "b1", "a2", "a3"]
            assert [position_of(database, one) for one in waiting] == [1, 2, 3, 4, 5]
    assert seen == foretold


def position_of(database: Database, job_id: str) -> int | None:
    with database.read() as session:
        found = session.get(Job, job_id)
        assert found is not None
        return position(session, found)


def test_many_runners_never_share_a_job(database: Database) -> None:
    for number in range(40):
        add(database, f"job-{number}")
    jobs = queue_of(database)
    taken: list[str] = []
    ended: list[bool] = []

    def run() -> None:
        while (lease := jobs.lease()) is not None:
            taken.append(lease.job.id)
            ended.append(jobs.succeed(lease, result(lease.token)))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 40
    assert set(Counter(taken).values()) == {1}
    assert all(ended)
    with database.read() as session:
        assert len(session.scalars(select(Reconstruction)).all()) == 40


def test_a_runner_that_was_thought_dead_changes_nothing(database: Database) -> None:
    add(database, "a")
    jobs = queue_of(database)
    first = jobs.lease()
    assert first is not None
    assert jobs.lease() is None
    let_lease_run_out(database)
    second = jobs.lease()
    assert second is not None
    assert second.job.id == "a"
    assert second.job.attempts == 2

    assert jobs.renew(first) == "lost"
    jobs.advance(first, "texture", 0.9, None)
    assert not jobs.succeed(first, result("first"))
    assert not jobs.fail(first, {"code": "crashed"})
    jobs.crash(first)
    jobs.release(first)
    now = job(database, "a")
    assert (now.state, now.stage, now.attempts) == ("running", None, 2)

    assert jobs.renew(second) == "held"
    assert jobs.succeed(second, result("second"))
    assert not jobs.succeed(second, result("again"))
    with database.read() as session:
        (made,) = session.scalars(select(Reconstruction)).all()
    assert made.prefix == "results/second"
    assert made.details["options"] == {"texture": False}
    assert job(database, "a").reconstruction_id == made.id


def test_an_upload_goes_when_its_job_ends_and_not_before(database: Database) -> None:
    add(database, "a")
    jobs = queue_of(database)

    def given_up() -> list[str]:
        with database.read() as session:
            return list(session.scalars(select(Deletion.prefix)))

    lease = jobs.lease()
    assert lease is not None
    jobs.crash(lease)
    assert job(database, "a").state == "queued"
    assert given_up() == []
    lease = jobs.lease()
    assert lease is not None
    assert jobs.fail(lease, {"code": "nobody-found"})
    assert given_up() == ["uploads/a"]


def test_crashes_end_after_three_starts(database: Database) -> None:
    add(database, "a")
    jobs = queue_of(database, attempts=3)
    for _ in range(3):
        lease = jobs.lease()
        assert lease is not None
        jobs.crash(lease)
    assert jobs.lease() is None
    now = job(database, "a")
    assert now.state == "failed"
    assert now.problem is not None
    assert now.problem["code"] == "crashed"


def test_lost_servers_end_after_three_starts_too(database: Database) -> None:
    add(database, "a")
    jobs = queue_of(database, attempts=3)
    for _ in range(3):
        assert jobs.lease() is not None
        let_lease_run_out(database)
    assert jobs.lease() is None
    assert job(database, "a").state == "failed"


def test_giving_back_is_no_attempt(database: Database) -> None:
    add(database, "a")
    jobs = queue_of(database, attempts=1)
    for _ in range(5):
        lease = jobs.lease()
        assert lease is not None
        jobs.release(lease)
    lease = jobs.lease()
    assert lease is not None
    assert jobs.succeed(lease, result("a"))


def test_cancelling(database: Database) -> None:
    add(database, "waits", created_at=2.0)
    add(database, "runs", created_at=1.0)
    jobs = queue_of(database)
    lease = jobs.lease()
    assert lease is not None
    assert lease.job.id == "runs"
    for name in ("waits", "runs"):
        with database.write() as session:
            row = session.get(Job, name)
            assert row is not None
            jobs.cancel(session, row)
    assert job(database, "waits").state == "cancelled"
    assert job(database, "runs").state == "running"
    assert jobs.renew(lease) == "cancel"
    jobs.crash(lease)  # dies while it is being cancelled: not started again
    assert job(database, "runs").state == "cancelled"
    assert jobs.lease() is None


def test_a_cancelled_job_of_a_dead_server_is_not_started_again(database: Database) -> None:
    add(database, "a")
    jobs = queue_of(database)
    assert jobs.lease() is not None
    with database.write() as session:
        row = session.get(Job, "a")
        assert row is not None
        jobs.cancel(session, row)
    let_lease_run_out(database)
    assert jobs.lease() is None
    assert job(database, "a").state == "cancelled"


def test_two_may_say_at_the_same_moment_that_files_must_go(database: Database) -> None:
    both, failed = threading.Barrier(2), []

    def say() -> None:
        try:
            both.wait()
            with database.write() as session:
                files_must_go(session, "results/a")
                time.sleep(0.05)  # the transaction of the other begins meanwhile
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=say) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with database.read() as session:
        assert session.scalars(select(Deletion.prefix)).all() == ["results/a"]
