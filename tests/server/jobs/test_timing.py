"""Progress within a job, and how long jobs take."""

from __future__ import annotations

import pytest

from vitruvian.server.jobs.timing import STAGES, StageClock


def test_progress_never_falls_and_learns() -> None:
    clock = StageClock()
    watch = clock.start()
    seen = [watch.reach(stage, None) for stage in ("decode", "people", "body", "scene")]
    for number in (1, 2, 3):
        for stage in ("surface", "texture", "checks", "avatar"):
            seen.append(watch.reach(stage, (number, 3)))
    seen.append(watch.reach("files", None))
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] < 1
    assert len(set(seen)) > 8
    assert watch.reach("something new", None) == seen[-1]

    before = clock.seconds["texture"]
    clock.learn(dict.fromkeys(STAGES, 30.0), people=3, total=240.0)
    assert clock.seconds["texture"] == pytest.approx(0.8 * before + 0.2 * 10)
    assert clock.seconds_left(0.5, 0, 1) == pytest.approx(clock.total / 2)
    assert clock.seconds_left(0.0, 4, 2) == pytest.approx(clock.total * 3)
