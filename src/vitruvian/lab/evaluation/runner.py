"""Run the cases of a suite, in this process or in several."""

from __future__ import annotations

import io
import math
import os
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from PIL import Image

from vitruvian.lab.evaluation.suite import Outcome, Suite

# Each of these libraries would otherwise start one thread per core in every worker.
_THREAD_VARIABLES = (
    "VITRUVIAN_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@dataclass(frozen=True)
class CaseResult:
    """A case that was run.

    Attributes:
        name: of the case.
        numbers: values by metric key; empty when it failed.
        pictures: captions and JPEG files.
        note: a sentence, or "".
        failure: what was raised, or None.
        details: the traceback, or None.
    """

    name: str
    numbers: dict[str, float]
    pictures: tuple[tuple[str, bytes], ...]
    note: str
    failure: str | None = None
    details: str | None = None


def run_cases(
    suite: Suite,
    cases: Sequence[Any],
    *,
    workers: int = 1,
    minutes: float | None = None,
    done: Callable[[CaseResult], None] = lambda result: None,
) -> list[CaseResult]:
    """Run cases and return their results in the order of ``cases``.

    An error ends its case, not the run. Ctrl-C ends the run, and what is done is returned. With
    ``workers > 1`` and a suite that allows it, cases run in fresh processes whose libraries share
    the cores.

    Args:
        suite: to run.
        cases: of this suite.
        workers: number of processes.
        minutes: no case is begun after so long; None for no limit.
        done: called after each case, in the order in which they end.
    """
    deadline = math.inf if minutes is None else time.monotonic() + 60 * minutes
    if workers <= 1 or not suite.concurrent or len(cases) <= 1:
        results: list[CaseResult] = []
        with suppress(KeyboardInterrupt):
            for case in cases:
                if time.monotonic() > deadline:
                    break
                results.append(_run_case(suite, case))
                done(results[-1])
        return results
    workers = min(workers, len(cases))
    threads = max(1, (os.cpu_count() or 1) // workers)
    by_name: dict[str, CaseResult] = {}
    with (
        _environment({name: str(threads) for name in _THREAD_VARIABLES}),
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
    ):
        futures = [pool.submit(_run_case, suite, case) for case in cases]
        try:
            for future in as_completed(futures):
                result = future.result()
                by_name[result.name] = result
                done(result)
                if time.monotonic() > deadline:
                    break
        except KeyboardInterrupt:  # it reaches the processes, too
            pool.shutdown(wait=False, cancel_futures=True)
        pool.shutdown(cancel_futures=True)
    return [by_name[case.name] for case in cases if case.name in by_name]


def _run_case(suite: Suite, case: Any) -> CaseResult:
    try:
        outcome: Outcome = suite.run(case)
        pictures = tuple((picture.caption, _jpeg(picture.pixels)) for picture in outcome.pictures)
        numbers = {key: float(value) for key, value in outcome.numbers.items()}
    except Exception as error:  # one broken case must not end a run of hours
        text = f"{type(error).__name__}: {error}".strip()
        return CaseResult(case.name, {}, (), "", text, traceback.format_exc())
    return CaseResult(case.name, numbers, pictures, outcome.note)


def _jpeg(pixels: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables for child processes that do not have them, and take them back at the end."""
    added = [name for name in values if name not in os.environ]
    os.environ.update({name: values[name] for name in added})
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]
