"""Results that are on a server: scenes, measures, videos."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Self
from urllib.parse import quote

from vitruvian.client.wire import Wire
from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes
from vitruvian.hints import Hint, Who, checked_hints, write_hints


@dataclass(frozen=True)
class _Remote:
    """A result on a server.

    Attributes:
        id: opaque.
        name: title.
        warnings: sentences about the pictures as a whole.
        files: what a file is for -> its address on the server.
        details: the whole answer, as docs/api.md describes it.
    """

    _route: ClassVar[str]

    id: str
    name: str
    warnings: tuple[str, ...]
    files: Mapping[str, str]
    details: Mapping[str, Any] = field(repr=False)
    _wire: Wire = field(repr=False, compare=False)

    @classmethod
    def of(cls, answer: Mapping[str, Any], wire: Wire) -> Self:
        """The result that the API answered with."""
        return cls(
            id=answer["id"],
            name=answer["name"],
            warnings=tuple(answer["warnings"]),
            files=answer["files"],
            details=answer,
            _wire=wire,
        )

    @property
    def path(self) -> str:
        """Its address on the server."""
        return f"{self._route}/{quote(self.id, safe='')}"

    def addresses(self) -> dict[str, str]:
        """Path in a result's folder -> address on the server, archives left out."""
        every = [*self.files.values()]
        for person in self.details.get("people", ()):
            every.extend(person["files"].values())
        paths = {address.split("/files/", 1)[1].partition("?")[0]: address for address in every}
        return {path: address for path, address in paths.items() if not path.endswith(".zip")}

    def save(self, directory: str | Path) -> Path:
        """Download every file into ``directory``, as the command line would lay them out.

        Raises:
            ApiError: the result is gone.
            InputError: the directory cannot be written, or the server cannot be reached.
        """
        directory = Path(directory)
        for path, address in self.addresses().items():
            parts = PurePosixPath(path).parts
            if path.startswith("/") or ".." in parts:
                raise InputError(f"The server named a file {path}, which is refused.")
            write_bytes(directory.joinpath(*parts), self._wire.send("GET", address, None, {})[1])
        return directory

    def delete(self) -> None:
        """Delete the result with its files on the server."""
        self._wire.request("DELETE", self.path)


class _Shared(_Remote):
    def share(self, *, days: int | None = None) -> str:
        """Make a link that shows the result to whoever has it; returns its whole address."""
        body = {"expires_in_days": days} if days is not None else {}
        made = self._wire.request("POST", f"{self.path}/shares", body)
        return f"{self._wire.url}{made['page']}"


class RemoteScene(_Shared):
    """A reconstruction on a server; ``id``, ``name``, ``warnings``, ``files`` and ``details`` are
    those of the API.
    """

    _route = "/api/v1/reconstructions"

    @property
    def people(self) -> tuple[Mapping[str, Any], ...]:
        """What was found, as in ``report.json``; ``files`` maps a use to its address."""
        return tuple(self.details["people"])

    def correct(self, hints: Mapping[Who, Hint] | None, *, patience: float = 600.0) -> RemoteScene:
        """Make the result anew, in place, with what is known of its people; returns it.

        Args:
            hints: as in ``vitruvian.reconstruct``, in place of those given before; None for none.
            patience: seconds after which to give up waiting.

        Raises:
            ApiError: hints cannot be used, or nobody is left; the result then stays as it was.
            InputError: the server cannot be reached.
        """
        known = None if hints is None else json.loads(write_hints(checked_hints(hints) or {}))
        body = json.dumps({"hints": known}).encode()
        headers = {"Content-Type": "application/json"}
        answer = self._wire.finished("PATCH", self.path, body, headers, patience)
        return RemoteScene.of(answer, self._wire)


class RemoteMeasures(_Remote):
    """Somebody's measures on a server; ``id``, ``name``, ``warnings``, ``files`` and ``details``
    are those of the API.
    """

    _route = "/api/v1/measurements"

    @property
    def measures(self) -> Mapping[str, Mapping[str, Any]]:
        """By name: ``cm``, and ``low_cm`` to ``high_cm``, which hold the truth nine times in ten;
        ``sure``, ``label``, ``kind`` and ``definition``.
        """
        measures: Mapping[str, Mapping[str, Any]] = self.details["measures"]
        return measures

    @property
    def sizes(self) -> tuple[Mapping[str, Any], ...]:
        """Sizes of clothes that the measures come to."""
        return tuple(self.details["sizes"])

    def keep(self) -> None:
        """Keep the result as long as other results, not for an hour only."""
        self._wire.request("PATCH", self.path, {"keep": True})


class RemoteVideo(_Shared):
    """People in motion on a server; ``id``, ``name``, ``warnings``, ``files`` and ``details`` are
    those of the API.
    """

    _route = "/api/v1/videos"

    @property
    def people(self) -> tuple[Mapping[str, Any], ...]:
        """Everyone in the clip; ``files`` maps a use to its address."""
        return tuple(self.details["people"])
