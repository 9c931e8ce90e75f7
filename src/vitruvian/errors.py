"""Errors that reach the user: one sentence that names the input and the remedy, and a code.

``CODES`` are the kinds of failure that programs may tell apart. They stay when sentences change:
the command line prints them with ``--json``, the API answers with them.
"""

from __future__ import annotations

from typing import Any

_LONGEST = 80  # of a value in a sentence
CODES = {
    "missing-file": "there is no file at the path",
    "unreadable-file": "what is at the path is a folder, an address or may not be read",
    "not-a-picture": "the file or array is no picture in a form that can be read",
    "video": "the file is a video or another medium",
    "animation": "the picture moves",
    "not-a-clip": "the file or folder is no clip that can be read",
    "damaged-clip": "the clip is empty, damaged or cut short",
    "too-long": "the clip, or the part that is asked for, lasts too long",
    "damaged-picture": "the picture is empty, damaged or cut short",
    "too-large": "the picture has too many bytes or pixels, or does not fit in memory",
    "too-small": "the picture has too few pixels",
    "nobody-found": "nobody is in the picture, where somebody was asked for",
    "bad-option": "an option has a value that cannot be, or contradicts another",
    "cannot-write": "the place for the results cannot be written, or holds something else",
    "bad-keypoints": "the keypoints that were given cannot be used",
    "bad-masks": "the masks that were given cannot be used",
    "bad-input": "something else that was given cannot be used",
    "took-too-long": "the input took longer than was allowed",
    "missing-extra": "an optional package is not installed",
    "bad-weights": "a network's weights are absent or damaged",
    "crashed": "our own mistake",
    "failed": "any other failure",
}


def quoted(value: Any) -> str:
    """A value that somebody gave as sentences show it: in one line, and cut where it is long."""
    return shortened(repr(value))


def shortened(text: str) -> str:
    """Text of somebody else's within a sentence: in one line, and cut where it is long."""
    line = " ".join(text.split()) if "\n" in text else text
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


class VitruvianError(Exception):
    """Base of every error this package raises on purpose.

    ``str(error)`` is one sentence, fit to be shown as it is by the command line, the API and
    the web page. ``exit_code`` is what the command line ends with.

    Args:
        sentence: what is wrong, and the remedy.
        code: a key of ``CODES``; that of the class by default.
    """

    exit_code = 1
    code = "failed"

    def __init__(self, sentence: str = "", *, code: str | None = None) -> None:
        super().__init__(sentence)
        if code is not None:
            self.code = code


class InputError(VitruvianError):
    """The user's input (a file, an option, a destination) cannot be used."""

    exit_code = 2
    code = "bad-input"


class MissingExtraError(VitruvianError):
    """A feature needs an optional dependency; the sentence names the extra to install."""

    exit_code = 3
    code = "missing-extra"


class WeightsError(VitruvianError):
    """A network's weights are absent or do not match their checksum."""

    exit_code = 4
    code = "bad-weights"


class CrashError(VitruvianError):
    """Something that was not foreseen; ``__cause__`` is the exception behind it."""

    code = "crashed"
