"""A client of the server's API, for Python programs. Needs nothing but the standard library."""

from __future__ import annotations

from vitruvian.client.client import Client
from vitruvian.client.results import RemoteMeasures, RemoteScene, RemoteVideo
from vitruvian.client.wire import ApiError

__all__ = ["ApiError", "Client", "RemoteMeasures", "RemoteScene", "RemoteVideo"]
