"""The server's settings: one table with name, default and help, filled from the environment.

``docs/server.md`` lists them; a test fails when it misses one.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from vitruvian.compute.threads import available_processors
from vitruvian.errors import InputError
from vitruvian.image.names import expanded

PREFIX = "VITRUVIAN_SERVER_"
MIN_SECRET_LENGTH = 32

# What people leave in place when they copy an example.
_WELL_KNOWN_SECRETS = ("changeme", "changethis", "secret", "default", "example", "password")


def _setting(default: Any, help: str) -> Any:
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class Settings:
    """How a server behaves. Each field's help is in its metadata."""

    host: str = _setting("127.0.0.1", "address to listen on; `0.0.0.0` for every interface")
    port: int = _setting(8000, "port to listen on; 0 takes a free one")
    data: str = _setting(
        "~/.local/share/vitruvian", "folder of the database, the files and the secret"
    )
    database_url: str = _setting(
        "", "SQLAlchemy URL; empty for SQLite in the data folder, else `postgresql://…`"
    )
    storage_url: str = _setting(
        "", "where results lie: empty for the data folder, else an fsspec URL such as `s3://bucket`"
    )
    limits_url: str = _setting(
        "", "where rate limits are counted: empty for each server by itself, else `redis://…`"
    )
    secret: str = _setting(
        "", "key of at least 32 characters that signs links; empty generates one in `secret.key`"
    )
    workers: int = _setting(
        0, "processes that reconstruct; 0 takes half the processors; -1 none (another server's)"
    )
    worker_threads: int = _setting(0, "threads of each worker; 0 shares the processors out")
    worker_memory_mb: int = _setting(
        6144, "address space a worker may take before its job fails; 0 sets no limit"
    )
    worker_jobs: int = _setting(500, "jobs after which a worker is replaced by a fresh one")
    job_timeout_seconds: float = _setting(120.0, "longest time a worker may spend on a picture")
    video_timeout_seconds: float = _setting(3600.0, "longest time a worker may spend on a video")
    job_attempts: int = _setting(3, "times a job is started before its crash is final")
    lease_seconds: float = _setting(
        15.0, "time without a sign of life after which a running job is given to another worker"
    )
    fast_path_seconds: float = _setting(
        10.0, "time for which creating a reconstruction waits for the result before it answers 202"
    )
    upload_timeout_seconds: float = _setting(120.0, "longest time that `POST /Upload` waits")
    shutdown_seconds: float = _setting(
        30.0, "time running jobs get to end when the server stops; then they go back to the queue"
    )
    max_upload_mb: int = _setting(
        32,
        "largest picture file, at most 64; several of one person may have twice as much together",
    )
    max_video_mb: int = _setting(200, "largest video file")
    max_video_seconds: float = _setting(60.0, "longest part of a video, at most 600")
    max_people: int = _setting(30, "most people reconstructed from one picture")
    max_queue: int = _setting(500, "jobs that may wait; more are refused with 429")
    max_active_jobs: int = _setting(20, "jobs of one account that may wait or run")
    quota_reconstructions: int = _setting(1000, "results an account may keep")
    quota_mb: int = _setting(10_000, "space an account's results may take")
    guest_quota_reconstructions: int = _setting(20, "results a guest may keep")
    guest_quota_mb: int = _setting(400, "space a guest's results may take")
    retention_days: float = _setting(30.0, "age at which results are deleted; 0 keeps them")
    guest_retention_hours: float = _setting(
        24.0, "age at which guests and results without an account are deleted"
    )
    share_default_days: int = _setting(30, "life of a share link that does not say")
    share_max_days: int = _setting(365, "longest life of a share link")
    session_days: float = _setting(30.0, "longest life of a session")
    session_idle_days: float = _setting(7.0, "time without a request that ends a session")
    registration: bool = _setting(True, "whether accounts can be made")
    guests: bool = _setting(True, "whether the page can be used without an account")
    anonymous_uploads: bool = _setting(True, "whether `POST /Upload` works without an account")
    password_min_length: int = _setting(10, "shortest password")
    login_per_minute: int = _setting(10, "failed log-ins per address")
    register_per_hour: int = _setting(60, "registrations per address")
    guest_per_hour: int = _setting(1000, "browsers per address that become guests")
    upload_per_minute: int = _setting(60, "uploads per account")
    guest_upload_per_minute: int = _setting(
        120, "uploads of guests and without an account, per address: a classroom has one"
    )
    uploads_per_address: int = _setting(
        64, "pictures that may be on their way at once from one address"
    )
    secure_cookies: str = _setting(
        "auto", "`always`, `never`, or `auto`: as the request came, over https or not"
    )
    allowed_hosts: str = _setting(
        "",
        "names the server answers to, with commas; empty: `localhost` and the like when it listens "
        "on loopback only, else any",
    )
    trusted_proxies: str = _setting(
        "127.0.0.1", "addresses whose `X-Forwarded-For` and `-Proto` are believed, with commas"
    )
    metrics: str = _setting("local", "who may read `/metrics`: `local`, `all` or `off`")
    samples: bool = _setting(True, "whether the gallery is made at the first start")
    log_level: str = _setting("info", "`debug`, `info`, `warning` or `error`")
    log_format: str = _setting("json", "`json` or `text`")

    @property
    def data_path(self) -> Path:
        """The data folder."""
        return expanded(self.data).absolute()

    @property
    def max_upload_bytes(self) -> int:
        """Largest picture file in bytes."""
        return self.max_upload_mb * 2**20

    @property
    def max_video_bytes(self) -> int:
        """Largest video file in bytes."""
        return self.max_video_mb * 2**20

    @property
    def worker_count(self) -> int:
        """Worker processes to keep."""
        if self.workers < 0:
            return 0
        return self.workers or max(1, available_processors() // 2)

    @property
    def threads_per_worker(self) -> int:
        """Threads each worker computes on."""
        return self.worker_threads or max(1, available_processors() // max(1, self.worker_count))

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL with its driver."""
        if not self.database_url:
            return f"sqlite:///{self.data_path / 'vitruvian.db'}"
        scheme, separator, rest = self.database_url.partition("://")
        if scheme in ("postgresql", "postgres"):
            scheme = "postgresql+psycopg"
        return scheme + separator + rest

    @property
    def host_names(self) -> tuple[str, ...]:
        """Host names to answer to; empty for any."""
        if self.allowed_hosts:
            return tuple(name.strip().lower() for name in self.allowed_hosts.split(","))
        if self.host in ("127.0.0.1", "::1", "localhost"):
            return ("127.0.0.1", "::1", "localhost")
        return ()


_CHOICES = {
    "secure_cookies": ("auto", "always", "never"),
    "metrics": ("local", "all", "off"),
    "log_level": ("debug", "info", "warning", "error"),
    "log_format": ("json", "text"),
}
_AT_LEAST_ONE = (
    "worker_jobs",
    "job_attempts",
    "max_upload_mb",
    "max_video_mb",
    "max_video_seconds",
    "max_people",
    "max_queue",
    "max_active_jobs",
    "uploads_per_address",
    "password_min_length",
    "share_default_days",
    "share_max_days",
)


def load_settings(environment: Mapping[str, str] = os.environ, **given: Any) -> Settings:
    """Settings from the environment, with those ``given`` (None counts as not given) on top.

    Raises:
        InputError: a variable with the prefix that is no setting, or a value that cannot be.
    """
    table = {item.name: item for item in fields(Settings)}
    values: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in table:
            raise InputError(f"There is no setting {variable}; see docs/server.md for those.")
        values[name] = _parse(variable, text, table[name].default)
    values.update({name: value for name, value in given.items() if value is not None})
    settings = replace(Settings(), **values)
    _validate(settings)
    return settings


def _parse(variable: str, text: str, default: Any) -> Any:
    text = text.strip()
    if isinstance(default, bool):
        known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if text.lower() not in known:
            raise InputError(f"{variable} is {text!r}; give true or false.")
        return known[text.lower()]
    if isinstance(default, int | float):
        try:
            return type(default)(text)
        except ValueError:
            kind = "whole number" if isinstance(default, int) else "number"
            raise InputError(f"{variable} is {text!r}; give a {kind}.") from None
    return text


def _validate(settings: Settings) -> None:
    def refuse(name: str, remedy: str) -> None:
        value = getattr(settings, name)
        raise InputError(f"The setting {PREFIX}{name.upper()} is {value!r}; {remedy}.")

    for name, choices in _CHOICES.items():
        if getattr(settings, name) not in choices:
            refuse(name, f"choose from {', '.join(choices)}")
    for item in fields(Settings):
        value = getattr(settings, item.name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        low = 1 if item.name in _AT_LEAST_ONE else -1 if item.name == "workers" else 0
        if number and not value >= low:
            refuse(item.name, f"give {low} or more")
    if settings.max_upload_mb > 64:
        refuse("max_upload_mb", "give at most 64")
    if settings.max_video_seconds > 600:
        refuse("max_video_seconds", "give at most 600")
    if settings.port > 65535:
        refuse("port", "give at most 65535")
    if settings.lease_seconds < 1:
        refuse("lease_seconds", "give 1 or more")
    if settings.secret:
        check_secret(settings.secret, f"The setting {PREFIX}SECRET")


def check_secret(secret: str, what: str) -> None:
    """Refuse a secret that is short, monotonous or a well-known placeholder.

    Raises:
        InputError: with the remedy; the secret itself is not repeated.
    """
    plain = secret.lower().replace("-", "").replace("_", "").replace(" ", "")
    if len(secret) < MIN_SECRET_LENGTH or len(set(secret)) < 10:
        raise InputError(
            f"{what} is too simple; give {MIN_SECRET_LENGTH} random characters or more, "
            "or none to have one generated."
        )
    if any(word in plain for word in _WELL_KNOWN_SECRETS):
        raise InputError(
            f"{what} is a placeholder that others know; give random characters, "
            "or none to have one generated."
        )


def load_secret(settings: Settings) -> bytes:
    """The server's secret: the setting, else ``secret.key``, generated at the first start.

    Raises:
        InputError: the file is readable to others, or holds what :func:`check_secret` refuses.
    """
    if settings.secret:
        return settings.secret.encode()
    path = settings.data_path / "secret.key"
    if not path.exists():
        # Linked into place when complete: of two servers that start together, one wins.
        temporary = path.with_name(f".secret.{secrets.token_hex(4)}.tmp")
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise InputError(f"{path} can be read by others; run chmod 600 {path}.")
    secret = path.read_text(encoding="utf-8").strip()
    check_secret(secret, f"The secret in {path}")
    return secret.encode()


def prepare_data_folder(settings: Settings) -> None:
    """Make the data folder, closed to other users.

    Raises:
        InputError: it cannot be made or written.
    """
    path = settings.data_path
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o007:
            path.chmod(0o700)
        probe = path / f".probe.{secrets.token_hex(4)}.tmp"
        probe.touch()
        probe.unlink()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(
            f"The data folder {path} cannot be used ({reason}); choose another with --data."
        ) from None
