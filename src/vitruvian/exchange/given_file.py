"""Files of keypoints and masks that somebody brings along: on disk, or their content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vitruvian.errors import InputError
from vitruvian.image.names import expanded, readable

MAX_JSON_BYTES = 256 << 20  # all of COCO's person keypoints of 2017 have 240 MB

What = Literal["keypoints", "masks"]


@dataclass(frozen=True)
class GivenFile:
    """A file that is brought along, or a folder of them.

    Attributes:
        what: is in it.
        source: its path, or its content.
    """

    what: What
    source: Path | bytes

    @staticmethod
    def of(what: What, source: str | Path | bytes) -> GivenFile:
        """What a user gives: a path as they write it, or bytes."""
        return GivenFile(what, source if isinstance(source, bytes) else expanded(source))

    @property
    def label(self) -> str:
        """What sentences call it: ``keypoints street.json``; of bytes ``keypoints`` alone."""
        if isinstance(self.source, bytes):
            return self.what
        return f"{self.what} {readable(str(self.source))}"

    def refused(self, why: str, *, code: str | None = None) -> InputError:
        """The error of a file that cannot be used: "The LABEL ``why``."."""
        return InputError(f"The {self.label} {why}.", code=code or f"bad-{self.what}")

    def absent(self) -> InputError:
        """The error of a path where nothing is."""
        return InputError(f"There are no {self.label}: check the path.", code="missing-file")

    def unreadable(self) -> InputError:
        """The error of a path that may not be read."""
        return self.refused("cannot be read: give a file that may be read", code="unreadable-file")

    def json(self) -> Any:
        """What it holds as JSON.

        Raises:
            InputError: it cannot be read, or is no JSON.
        """
        try:
            data = self.source
            if not isinstance(data, bytes):
                if data.stat().st_size > MAX_JSON_BYTES:
                    raise self.refused("are too large: keep the picture's own", code="too-large")
                data = data.read_bytes()
            return json.loads(data)
        except FileNotFoundError as error:
            raise self.absent() from error
        except OSError as error:
            raise self.unreadable() from error
        except (ValueError, RecursionError) as error:
            raise self.refused("are no JSON: give a file as its program wrote it") from error
