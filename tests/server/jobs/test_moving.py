"""A worker's part in a video: lengths that are refused, and shares that only grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="needs the extra server")

from vitruvian.errors import InputError
from vitruvian.server.jobs.moving import VIDEO_STAGES, Passing, move_people, share_done
from vitruvian.server.jobs.worker import problem_of

WALKING = Path(__file__).parents[3] / "examples/walking.mp4"


def attempt(folder: Path, **given: Any) -> Any:
    """What becomes of the example, at most two seconds of it."""
    options: Any = dict.fromkeys(("end_s", "every", "height_cm", "fov_deg", "max_people"))
    options |= {"start_s": 0.0, "name": "Garden", "formats": ["glb"]} | given
    return move_people(WALKING, folder, options, 2.0, lambda *_: None)


def test_long_parts_are_refused_by_the_name_that_was_given(tmp_path: Path) -> None:
    outcome = attempt(tmp_path)
    assert outcome.error is not None
    problem = problem_of(outcome.error)
    assert problem.code == "too-long"
    assert problem.detail.startswith("Garden lasts ")
    assert "2 seconds at most" in problem.detail
    beyond = attempt(tmp_path, start_s=500.0)
    assert problem_of(beyond.error).code == "validation"
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_is_longer_than_it_says_ends() -> None:
    told: list[str] = []
    passing = Passing(lambda stage, share: told.append(stage), 30, "Garden")
    passing("people", 30, 20)
    passing("motion", 400, 400)  # counts no frames
    with pytest.raises(InputError, match="longer than it says") as refused:
        passing("people", 31, 20)
    assert refused.value.code == "too-long"
    assert told == ["people", "motion"]


def test_shares_grow_from_nothing_to_everything() -> None:
    shares = [share_done(stage, done, 4) for stage in VIDEO_STAGES for done in range(5)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    assert share_done("people", 9, 0) == 0  # how many is not known
