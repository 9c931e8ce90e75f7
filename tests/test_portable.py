"""Nothing in the product takes Linux for granted: what Windows lacks is asked for before its use.

Read off the source, because the tests themselves run on Linux alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "vitruvian"
# fmt: off
POSIX_MODULES = {
    "crypt", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty",
}
POSIX_NAMES = {
    "os": {
        "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "WNOHANG", "chown", "chroot",
        "confstr", "fchdir", "fchmod", "fchown", "fdatasync", "fork", "forkpty", "getegid",
        "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp", "getpriority",
        "getuid", "killpg", "lchown", "lockf", "mkfifo", "mknod", "nice", "openpty", "pathconf",
        "pipe2", "posix_fadvise", "posix_spawn", "pread", "pwrite", "register_at_fork",
        "sched_getaffinity", "sched_setaffinity", "sendfile", "setgid", "setpgid", "setpriority",
        "setsid", "setuid", "statvfs", "sync", "sysconf", "uname", "wait", "wait3", "wait4",
        "waitid",
    },
    "signal": {
        "SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP",
        "SIGUSR1", "SIGUSR2", "alarm", "pause", "pthread_kill", "pthread_sigmask", "setitimer",
        "sigpending", "sigtimedwait", "sigwait",
    },
    "socket": {"AF_UNIX", "MSG_DONTWAIT"},
    "time": {"clock_settime", "tzset"},
}
# fmt: on
ROOTS = ("/proc/", "/sys/", "/dev/", "/tmp", "/var/", "/etc/", "/usr/")
# What is looked for and does without where it is not there.
LOOKED_FOR = {
    ("video/webcam.py", "/dev/video"),  # on Linux alone
    ("lab/evaluation/suites/api_probe.py", "/proc/"),
    ("lab/evaluation/suites/robustness.py", "/proc/self/statm"),
    ("lab/evaluation/suites/speed_probe.py", "/proc/self/status"),
}
FORBIDDEN_KEYWORDS = {"preexec_fn", "start_new_session", "process_group", "pass_fds", "shell"}


def findings(text: str, path: str = "") -> list[str]:
    """What in a module would not work elsewhere."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            child.parent = node  # type: ignore[attr-defined]
    return [f"{path}:{node.lineno} {what}" for node, what in _found(tree, path)]


def _found(tree: ast.AST, path: str) -> Iterator[tuple[Any, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            named = (
                [a.name for a in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
            )
            for name in named:
                if name.partition(".")[0] in POSIX_MODULES and not _asked_for(node, name):
                    yield node, f"imports {name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in POSIX_NAMES.get(node.value.id, ()) and not _asked_for(node, node.attr):
                yield node, f"uses {node.value.id}.{node.attr}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node.value.startswith(ROOTS) and (path, node.value) not in LOOKED_FOR:
                yield node, f"names {node.value}"
        elif isinstance(node, ast.Call):
            yield from ((node, what) for what in _calls(node))


def _asked_for(node: Any, name: str) -> bool:
    """Whether somebody made sure that a name is there, around its use."""
    while (node := getattr(node, "parent", None)) is not None:
        if isinstance(node, ast.If | ast.IfExp | ast.BoolOp):
            text = ast.unparse(node.test if not isinstance(node, ast.BoolOp) else node)
            if f"'{name}')" in text and "hasattr(" in text:
                return True
        guards = ()
        if isinstance(node, ast.Try):
            guards = tuple(ast.unparse(one.type) for one in node.handlers if one.type)
        elif isinstance(node, ast.With):
            guards = tuple(ast.unparse(one.context_expr) for one in node.items)
        if any("ImportError" in one or "AttributeError" in one for one in guards):
            return True
    return False


def _calls(node: ast.Call) -> Iterator[str]:
    named = {one.arg for one in node.keywords}
    method = isinstance(node.func, ast.Attribute)
    called = getattr(node.func, "attr" if method else "id", "")
    yield from (f"gives {name}" for name in sorted(named & FORBIDDEN_KEYWORDS))
    if called in ("get_context", "set_start_method") and ast.unparse(node.args[0]) != "'spawn'":
        yield "starts processes by forking"
    if called in ("read_text", "write_text") and method:
        told = len(node.args) > (called == "write_text")
        if "encoding" not in named and not told:
            yield f"{called} without an encoding"
    if (called == "open" and not method) or called == "fdopen":
        mode = node.args[1] if len(node.args) > 1 else None
        binary = isinstance(mode, ast.Constant) and "b" in str(mode.value)
        if "encoding" not in named and not binary:
            yield f"{called} without an encoding"


def test_the_product_runs_where_posix_does_not() -> None:
    wrong = [
        one
        for path in sorted(SOURCE.rglob("*.py"))
        for one in findings(path.read_text(encoding="utf-8"), path.relative_to(SOURCE).as_posix())
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "import fcntl",
        "import os\nos.fork()",
        "import os\nif hasattr(os, 'getuid'):\n    pass\nos.getuid()",
        "import contextlib, os\nwith contextlib.suppress(OSError):\n    os.nice(5)",
        "import signal\nsignal.signal(signal.SIGHUP, None)",
        "open('/proc/cpuinfo', 'rb')",
        "open('names.txt')",
        "from pathlib import Path\nPath('x').read_text()",
        "import multiprocessing\nmultiprocessing.get_context('fork')",
        "import subprocess\nsubprocess.run('ls', shell=True)",
    ],
)
def test_what_is_not_portable_is_found(text: str) -> None:
    assert findings(text)


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import resource\nexcept ImportError:\n    resource = None",
        "import os\nif hasattr(os, 'sched_getaffinity'):\n    os.sched_getaffinity(0)",
        "import os\nok = not hasattr(os, 'getuid') or os.getuid() == 0",
        "import contextlib, os\nwith contextlib.suppress(OSError, AttributeError):\n    os.nice(5)",
        "open('picture', 'rb')",
        "from pathlib import Path\nPath('x').read_text(encoding='utf-8')",
    ],
)
def test_what_is_asked_for_is_fine(text: str) -> None:
    assert not findings(text)
