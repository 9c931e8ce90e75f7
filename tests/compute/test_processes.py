"""Helpers return what is asked of them, in order, and fail as the work does."""

from __future__ import annotations

import itertools
import os
import sys

import pytest

from vitruvian.compute.processes import Crew, crew_of
from vitruvian.errors import CrashError, InputError

WORK = """
import os, sys, time
from vitruvian.errors import InputError

def square(number, tick):
    print("not an answer")
    time.sleep(0.2 if number == 0 else 0)  # the first is the last to be done
    tick()
    if number == 7:
        raise InputError("Seven is no number.", code="too-large")
    if number == 8:
        os._exit(3)
    return number * number, os.getpid()
"""


@pytest.fixture(scope="module")
def square(tmp_path_factory):
    """A function of a module that other processes find, too."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "work_of_helpers.py").write_text(WORK)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
        import work_of_helpers  # type: ignore[import-not-found]

        yield work_of_helpers.square
        del sys.modules["work_of_helpers"]


def test_one_worker_works_where_it_is_asked(square):
    told = []
    with Crew(1) as crew:
        assert list(crew.map(square, [1, 2], told.append)) == [(1, os.getpid()), (4, os.getpid())]
    assert told == [1, 2]


def test_helpers_answer_in_order_and_fail_as_the_work_does(square):
    told = []
    with Crew(2) as crew:
        out = list(crew.map(square, range(5), told.append))
        assert [value for value, _ in out] == [0, 1, 4, 9, 16]
        assert 1 <= len({process for _, process in out} - {os.getpid()}) <= 2
        assert told[-1] == 5
        # Only as much is taken as is wanted.
        endless = crew.map(square, itertools.count())
        assert next(endless)[0] == 0
        endless.close()
        with pytest.raises(InputError, match="Seven") as failure:
            list(crew.map(square, [6, 7]))
        assert failure.value.code == "too-large"
        with crew_of(crew) as same:
            assert same.submit(square, 3).result()[0] == 9
        assert crew.submit(square, 4).result()[0] == 16  # it goes on behind the block


def test_a_helper_that_ends_is_one_sentence(square):
    with Crew(2) as crew, pytest.raises(CrashError, match="--workers"):
        list(crew.map(square, [8]))
