"""Running the application under uvicorn until a signal ends it."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import uvicorn

from vitruvian.errors import InputError
from vitruvian.server.app import create_app
from vitruvian.server.connections import BoundedConnection
from vitruvian.server.jobs.process import COMMAND
from vitruvian.server.logs import configure_logs
from vitruvian.server.settings import Settings
from vitruvian.server.state import State


class Server(uvicorn.Server):
    """uvicorn that says where it listens, and ends event streams when it is told to stop."""

    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self._state = state

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say where."""
        await super().startup(sockets)
        if self.should_exit:
            return
        for server in self.servers:
            for listening in server.sockets:
                name, port = listening.getsockname()[:2]
                name = f"[{name}]" if ":" in name else name
                print(f"Vitruvian is at http://{name}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal: streams and waits end now, so that connections can close."""
        self._state.begin_stop()
        super().handle_exit(sig, frame)


def run(settings: Settings, worker_command: Sequence[str] = COMMAND) -> int:
    """Serve until SIGTERM or Ctrl-C; returns the exit code.

    Args:
        settings: how to.
        worker_command: the workers' program, for tests of the queue.

    Raises:
        InputError: a setting, the data folder, the database or the port cannot be used.
    """
    os.umask(0o077)  # what is written here is nobody else's business
    configure_logs(settings.log_level, settings.log_format)
    app = create_app(settings, worker_command)
    state: State = app.state.vitruvian
    state.database.migrate()  # here, where what is wrong becomes one sentence
    listening = _listen(settings)
    config: dict[str, Any] = {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": settings.trusted_proxies,
        "timeout_graceful_shutdown": round(settings.shutdown_seconds) + 10,
        "timeout_keep_alive": 20,
        "h11_max_incomplete_event_size": 32 * 1024,
        "http": BoundedConnection,
        "ws": "none",
    }
    # uvicorn raises a signal once more when it has obeyed it: then it shall do nothing, so that the
    # program ends in its own way.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    Server(uvicorn.Config(app, **config), state).run([listening])
    print("Stopped.", file=sys.stderr)
    return 0


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"Cannot listen on {settings.host}:{settings.port} ({reason}); choose another with "
            "--host and --port."
        ) from None
    return listening
