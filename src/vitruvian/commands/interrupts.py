"""Ctrl-C and a request to terminate, as one and the same interruption."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vitruvian.compute import preparation


@contextmanager
def interrupts() -> Iterator[threading.Event]:
    """Let Ctrl-C and a request to terminate stop the work in the same way.

    Both raise KeyboardInterrupt at once. Where compiled code or a finaliser happens to call back
    into Python just then, the exception is printed and lost: the event remembers it.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def interrupt(*_: object) -> None:
        stop.set()
        preparation.stop()
        raise KeyboardInterrupt

    # Whoever started the program in the background may have had it ignore Ctrl-C.
    numbers = [signal.SIGTERM]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        numbers.append(signal.SIGINT)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
