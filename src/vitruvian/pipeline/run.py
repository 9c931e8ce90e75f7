"""One job: a picture and its options in, files, a report and an outcome out.

The command line, the server's workers and whoever has a list of pictures drive the reconstruction
through ``run``. It never raises for what a picture is or for what goes wrong over it: the outcome
says what became of it, in a sentence for people and a code for programs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vitruvian.errors import CrashError, InputError, VitruvianError
from vitruvian.image.names import expanded, readable
from vitruvian.image.photo import PhotoSource
from vitruvian.options import Options
from vitruvian.pipeline.photo import reconstruct_photo
from vitruvian.pipeline.progress import Cancelled, Progress
from vitruvian.result.folder import check_replaceable, complete_folder
from vitruvian.types.photo import Photo
from vitruvian.types.scene import Scene


@dataclass(frozen=True)
class Job:
    """A picture that somebody wants reconstructed.

    Attributes:
        source: the picture, as ``vitruvian.reconstruct`` takes it.
        folder: where its files go.
        options: what was asked for.
        name: how sentences call the picture; its path, by default.
        replace: the folder appears only when it is complete, and takes the place of an earlier
            result; else it exists, is empty and is filled.
        nobody_is_failure: fail with the code ``nobody-found`` where nobody is in the picture,
            instead of writing a scene without people.
        same_person: more pictures of the one person that is wanted, see ``reconstruct``.
        also: writes more files into the folder, before it is complete; what it returns is the
            outcome's ``extra``.
    """

    source: PhotoSource | Photo
    folder: Path
    options: Options = field(default_factory=Options)
    name: str | None = None
    replace: bool = True
    nobody_is_failure: bool = False
    same_person: tuple[PhotoSource | Photo, ...] = ()
    also: Callable[[Scene, Path], Any] | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        state: ``done``, ``failed`` or ``cancelled``.
        seconds: that it took.
        report: the content of ``report.json``; None unless done.
        error: why it failed, with its sentence, ``code`` and ``exit_code``; what was not foreseen
            is a ``CrashError`` with its ``__cause__``.
        replaced: the picture whose earlier result lay in the folder and is gone; None where there
            was none, or the same picture's.
        extra: what ``Job.also`` returned.
    """

    state: Literal["done", "failed", "cancelled"]
    seconds: float
    report: dict[str, Any] | None = None
    error: VitruvianError | None = None
    replaced: str | None = None
    extra: Any = None


def run(job: Job, progress: Progress | None = None) -> Outcome:
    """Do a job.

    Args:
        job: what to do.
        progress: told of each stage, ``files`` the last of them; raising ``Cancelled`` there ends
            the job.
    """
    return attempt(lambda: _do(job, progress), _name(job))


def attempt(work: Callable[[], dict[str, Any]], name: str) -> Outcome:
    """Do some work, and say what became of it instead of raising.

    Args:
        work: what to do; returns what ``Outcome`` says of it when it is done.
        name: how sentences call what it is done to.
    """
    start = time.perf_counter()

    def outcome(state: Literal["done", "failed", "cancelled"], **known: Any) -> Outcome:
        return Outcome(state, time.perf_counter() - start, **known)

    try:
        return outcome("done", **work())
    except Cancelled:
        return outcome("cancelled")
    except VitruvianError as error:
        return outcome("failed", error=error)
    except MemoryError as error:
        memory = InputError(
            f"{name} does not fit in memory; save a smaller copy.", code="too-large"
        )
        memory.__cause__ = error
        return outcome("failed", error=memory)
    except Exception as error:  # our own mistake: other pictures still deserve their turn
        reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
        crash = CrashError(
            f"{name} failed unexpectedly ({reason}): set VITRUVIAN_DEBUG=1 and report what "
            "it then prints."
        )
        crash.__cause__ = error
        return outcome("failed", error=crash)


def _do(job: Job, progress: Progress | None) -> dict[str, Any]:
    """The job's report, and the rest of what ``Outcome`` says of one that is done."""
    earlier = check_replaceable(job.folder) if job.replace else None
    options = job.options
    scene = reconstruct_photo(job.source, options, progress, job.same_person)
    if job.nobody_is_failure and not scene.people:
        if scene.left_out:
            raise InputError(
                f"Nobody in the picture can be reconstructed. {scene.left_out[0].sentence}",
                code="nobody-found",
            )
        raise InputError(
            "Nobody was found in the picture; give a photo in which a person is large, sharp and "
            "seen from head to foot.",
            code="nobody-found",
        )
    if progress is not None:
        progress("files", 0, len(scene.people))
    place: AbstractContextManager[Path] = nullcontext(job.folder)
    if job.replace:
        place = complete_folder(job.folder)
    with place as folder:
        report = scene.save(
            folder,
            formats=options.formats,
            poses=options.poses,
            vertex_colors=options.vertex_colors,
            print_height_mm=options.print_height_mm,
            rest=options.rest,
            rig=options.rig,
            bone_names=options.bone_names,
            clips=options.clips,
            keypoint_files=options.keypoint_files,
            body_model=options.body_model,
        )
        extra = job.also(scene, folder) if job.also is not None else None
    replaced = earlier if earlier is not None and _another(earlier, job.source) else None
    return {"report": report, "replaced": replaced, "extra": extra}


def _another(earlier: str, source: PhotoSource | Photo) -> bool:
    """Whether the picture of an earlier result, as its report names it, is not this one."""
    if not isinstance(source, str | Path):
        return True
    now = expanded(readable(str(source)))
    return os.path.abspath(expanded(earlier)) != os.path.abspath(now)


def _name(job: Job) -> str:
    if job.name is not None:
        return job.name
    return readable(str(job.source)) if isinstance(job.source, str | Path) else "The picture"
