"""How many processor threads the whole program computes on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from vitruvian.errors import InputError

THREADS_VARIABLE = "VITRUVIAN_THREADS"
MAX_DEFAULT_THREADS = 4

_BLAS_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_threads: int | None = None


def thread_count() -> int:
    """Threads that networks, OpenCV and compiled loops run on.

    What :func:`set_threads` was given, else the environment variable ``VITRUVIAN_THREADS``, else
    the number of processors this process may use, up to four.
    """
    if _threads is not None:
        return _threads
    text = os.environ.get(THREADS_VARIABLE, "").strip()
    if text:
        if not text.isdigit() or int(text) < 1:
            raise InputError(
                f"The environment variable {THREADS_VARIABLE} is {text!r}: "
                "give it a whole number of threads, 1 or more."
            )
        return int(text)
    return min(available_processors(), MAX_DEFAULT_THREADS)


def available_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_threads(count: int | None) -> None:
    """Set the threads that the program computes on, in networks, OpenCV, our own loops and BLAS.

    None returns to the default, except that OpenCV and BLAS keep what they have. Networks loaded
    with another count are loaded anew when next used.

    Raises:
        InputError: ``count`` is below 1.
    """
    global _threads
    if count is not None and count < 1:
        raise InputError(f"{count} threads were asked for: give a whole number, 1 or more.")
    _threads = count
    if count is None:
        return
    for name in _BLAS_VARIABLES:  # of libraries that are loaded from now on
        os.environ[name] = str(count)
    loaded = "numpy" in sys.modules
    import cv2

    cv2.setNumThreads(count)
    if loaded:
        from threadpoolctl import threadpool_limits

        threadpool_limits(count)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Linear algebra on one thread: systems of hundreds of unknowns lose more by waiting for each
    other than they gain, half of the processor time in solves of motion."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        yield
