"""What a worker does with one order: read, make, put under its key. It never raises."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from vitruvian.batch.orders import Answer, Order, result_key
from vitruvian.batch.places import local_file, read_place
from vitruvian.batch.results import open_results
from vitruvian.errors import CrashError, InputError, VitruvianError
from vitruvian.image.limits import MAX_BYTES
from vitruvian.video.clip import MAX_BYTES as MAX_CLIP_BYTES

# Other inputs would fail in the same way.
_FATAL = frozenset({"cannot-write", "bad-weights"})
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Gathered:
    """An input, read.

    Attributes:
        pictures: bytes of each picture; empty for a clip.
        clip: the clip's file, else None.
        sha256: of the bytes, hexadecimal.
    """

    pictures: tuple[bytes, ...]
    clip: Path | None
    sha256: str


class Parts(Exception):
    """Raised by a maker: the input is to be several jobs.

    Args:
        spans: start and end of each in seconds.
    """

    def __init__(self, spans: tuple[tuple[float, float], ...]) -> None:
        super().__init__(spans)
        self.spans = spans


def do(order: Order) -> Answer:
    """Do a job."""
    start = time.perf_counter()

    def answer(state: Any, **known: Any) -> Answer:
        return Answer(order.ticket, state, seconds=time.perf_counter() - start, **known)

    def refused(state: Any, error: BaseException, code: str | None = None) -> Answer:
        return answer(state, code=code or getattr(error, "code", "failed"), sentence=str(error))

    label = order.task.label
    try:
        return answer("done", **_done(order))
    except Parts as parts:
        return answer("split", parts=parts.spans)
    except VitruvianError as error:
        if error.code in _FATAL:
            return refused("stop", error)
        return refused("again" if isinstance(error, CrashError) else "failed", error)
    except MemoryError:
        sentence = f"{label} does not fit in memory; save a smaller copy."
        return refused("again", InputError(sentence, code="too-large"))
    except OSError as error:
        reason = " ".join(str(error).split()).rstrip(".")
        sentence = f"{label} could not be read ({reason}); run the command again."
        return refused("again", InputError(sentence, code="unreadable-file"))
    except Exception as error:  # our own mistake, or a library's: others deserve their turn
        reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
        return refused(
            "again", CrashError(f"{label} failed unexpectedly ({reason}): please report it.")
        )


def _done(order: Order) -> dict[str, Any]:
    """What ``Answer`` says of a job that is done, besides its time."""
    task = order.task
    if "refused" in task.known:
        code, sentence = task.known["refused"]
        raise InputError(sentence, code=code)
    results = open_results(order.results)
    with _gathered(order) as gathered:
        key = result_key(gathered.sha256, task, order.settings)
        about = results.about(key)
        if about is None:
            with results.room(order.run) as folder:
                about = {
                    "sources": list(task.sources),
                    "input": gathered.sha256,
                    "settings": order.settings,
                    "options": dict(order.options),
                    **_maker(order.maker)(order, gathered, folder),
                }
                results.publish(folder, key, about)
    return {
        "input": gathered.sha256,
        "result": key,
        "people": about.get("people"),
        "agreement": about.get("agreement"),
    }


def _maker(name: str) -> Any:
    module, _, function = name.rpartition(".")
    return getattr(import_module(module), function)


@contextmanager
def _gathered(order: Order) -> Iterator[Gathered]:
    task, at = order.task, order.task.known.get("at")
    digest = hashlib.sha256()
    if task.kind != "video":
        pictures = tuple(read_place(one, at, MAX_BYTES) for one in task.sources)
        for picture in pictures:
            # Each by its own hash: two files that are cut elsewhere are another pair.
            digest.update(hashlib.sha256(picture).digest() if len(pictures) > 1 else picture)
        yield Gathered(pictures, None, digest.hexdigest())
        return
    with (
        tempfile.TemporaryDirectory(prefix="vitruvian-") as folder,
        local_file(task.sources[0], at, Path(folder), MAX_CLIP_BYTES) as path,
    ):
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        yield Gathered((), path, digest.hexdigest())
