"""ONNX Runtime sessions over the shipped weights: created once, shared, thread-safe.

The files and their checksums are listed in ``weights/manifest.json``. A session is made the first
time a network is used and kept for the life of the process, or until
:func:`vitruvian.compute.set_threads` changes the thread count. ``InferenceSession.run`` may be
called from several threads at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vitruvian.compute import thread_count
from vitruvian.errors import InputError, WeightsError

if TYPE_CHECKING:
    import onnxruntime

PROVIDERS_VARIABLE = "VITRUVIAN_PROVIDERS"
# By their short names: what ONNX Runtime calls each, and the package that has it.
PROVIDERS = {
    "cuda": ("CUDAExecutionProvider", "onnxruntime-gpu"),
    "coreml": ("CoreMLExecutionProvider", "onnxruntime for macOS"),
    "directml": ("DmlExecutionProvider", "onnxruntime-directml"),
    "openvino": ("OpenVINOExecutionProvider", "onnxruntime-openvino"),
    "cpu": ("CPUExecutionProvider", "onnxruntime"),
}

_lock = threading.Lock()
_making: dict[str, threading.Lock] = {}
_sessions: dict[tuple[str, int], onnxruntime.InferenceSession] = {}  # by name and threads


@dataclass(frozen=True)
class TensorSpec:
    """Name, element type and shape of a network's input or output; -1 is a free dimension."""

    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class WeightsEntry:
    """One row of the manifest.

    Attributes:
        name: what the code calls the network.
        file: file name beside the manifest.
        size: bytes.
        sha256: checksum of the file, hexadecimal.
        package, version: the published package the network was taken from.
        source_file: the file inside that package.
        licence: SPDX identifier.
        description: one sentence.
        inputs, outputs: the tensors of the graph.
    """

    name: str
    file: str
    size: int
    sha256: str
    package: str
    version: str
    source_file: str
    licence: str
    description: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


def weights_directory() -> Path:
    """The folder that holds the manifest and the ONNX files."""
    return Path(str(resources.files("vitruvian.networks"))) / "weights"


@lru_cache(maxsize=1)
def weights_manifest() -> dict[str, WeightsEntry]:
    """The shipped networks by name.

    Raises:
        WeightsError: the manifest is missing or cannot be read.
    """
    path = weights_directory() / "manifest.json"
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["networks"]
        return {row["name"]: _entry(row) for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(
            f"The list of networks {path} is missing or damaged: reinstall vitruvian."
        ) from error


def _entry(row: dict[str, Any]) -> WeightsEntry:
    def specs(items: list[dict[str, Any]]) -> tuple[TensorSpec, ...]:
        return tuple(TensorSpec(i["name"], i["dtype"], tuple(i["shape"])) for i in items)

    tensors = {key: specs(row[key]) for key in ("inputs", "outputs")}
    return WeightsEntry(**{**row, **tensors})


def verify_weights() -> list[WeightsEntry]:
    """Check every shipped file against its SHA-256 and return the manifest's rows.

    Raises:
        WeightsError: a file is missing or differs from its checksum.
    """
    for entry in weights_manifest().values():
        path = _checked_path(entry)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if digest != entry.sha256:
            raise WeightsError(
                f"The weights {path} do not match their checksum: reinstall vitruvian."
            )
    return list(weights_manifest().values())


def _checked_path(entry: WeightsEntry) -> Path:
    """The path of a weights file, its size compared with the manifest (cheap, unlike a hash)."""
    path = weights_directory() / entry.file
    if not path.is_file():
        raise WeightsError(f"The weights {path} are missing: reinstall vitruvian.")
    if path.stat().st_size != entry.size:
        raise WeightsError(
            f"The weights {path} are {path.stat().st_size} bytes instead of {entry.size}: "
            "reinstall vitruvian."
        )
    return path


def providers() -> list[str]:
    """The ONNX Runtime providers in use, in order, the CPU last.

    Those of the environment variable ``VITRUVIAN_PROVIDERS``, short names with commas such as
    ``openvino``; without it CUDA where it is available.

    Raises:
        InputError: one is unknown, or not in the ONNX Runtime that is installed.
    """
    import onnxruntime

    available = onnxruntime.get_available_providers()
    text = os.environ.get(PROVIDERS_VARIABLE, "")
    asked = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in asked:
        if name not in PROVIDERS:
            raise InputError(
                f"There is no provider {name!r} for {PROVIDERS_VARIABLE}; choose from "
                f"{', '.join(PROVIDERS)}.",
                code="bad-option",
            )
        if PROVIDERS[name][0] not in available:
            raise InputError(
                f"The provider {name} of {PROVIDERS_VARIABLE} is not in the ONNX Runtime that is "
                f"installed: put the package {PROVIDERS[name][1]} in its place.",
                code="bad-option",
            )
    wanted = asked or [name for name in ("cuda",) if PROVIDERS[name][0] in available]
    return [PROVIDERS[name][0] for name in dict.fromkeys([*wanted, "cpu"])]


def session(name: str) -> onnxruntime.InferenceSession:
    """The session of a network of the manifest, made at the first call.

    Raises:
        WeightsError: the file is missing, truncated or not a readable graph.
        KeyError: the manifest has no such network.
    """
    key = name, thread_count()
    entry = weights_manifest()[name]
    with _lock:
        making = _making.setdefault(name, threading.Lock())
    with making:  # others load meanwhile, and nobody loads the same twice
        made = _sessions.get(key)
        if made is None:
            made = _create(entry)
            with _lock:
                for other in [other for other in _sessions if other[1] != key[1]]:
                    del _sessions[other]
                _sessions[key] = made
        return made


def _create(entry: WeightsEntry) -> onnxruntime.InferenceSession:
    import onnxruntime

    path, wanted = _checked_path(entry), providers()
    try:
        return onnxruntime.InferenceSession(str(path), session_options(), providers=wanted)
    except Exception as error:  # ONNX Runtime raises its own, undocumented types
        raise WeightsError(f"The weights {path} cannot be loaded: reinstall vitruvian.") from error


def trained_session(file: Path) -> onnxruntime.InferenceSession:
    """A session over an ONNX file that is not shipped, such as one just trained; on the CPU."""
    import onnxruntime

    return onnxruntime.InferenceSession(
        str(file), session_options(), providers=["CPUExecutionProvider"]
    )


def session_options() -> onnxruntime.SessionOptions:
    """How every network runs: on ``thread_count()`` threads, quietly."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # An arena keeps what each network's largest pass took, for ever and for each network: a third
    # of the program's memory, for no time that can be measured. A pattern plans for an arena.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    # Threads that spin while idle steal time from numba, OpenCV and other processes: on a busy
    # machine of two cores they double the time of a pass, on an idle one they save a millisecond.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def run(
    name: str, inputs: np.ndarray | dict[str, np.ndarray], outputs: tuple[str, ...]
) -> list[np.ndarray]:
    """Run a network.

    Args:
        name: the network, as in the manifest.
        inputs: the input tensor, or the tensors by name where there are several.
        outputs: names of the outputs wanted, in the order they are returned.

    Raises:
        WeightsError: as :func:`session`.
    """
    if not isinstance(inputs, dict):
        inputs = {weights_manifest()[name].inputs[0].name: inputs}
    result: list[np.ndarray] = session(name).run(list(outputs), inputs)
    return result


def shipped(name: str) -> bool:
    """Whether the weights of a network that can be done without are there."""
    entry = weights_manifest().get(name)
    return entry is not None and (weights_directory() / entry.file).is_file()


def warm_up(*names: str) -> None:
    """Load networks ahead of their first use, in this order (all of the manifest by default).

    On all threads but one, which the program goes on with.

    Raises:
        WeightsError: as :func:`session`.
    """
    waiting = deque(names or weights_manifest())

    def load() -> None:
        with suppress(IndexError, WeightsError):
            while True:
                session(waiting.popleft())

    threads = [threading.Thread(target=load) for _ in range(thread_count() - 2)]
    for thread in threads:
        thread.start()
    load()
    for thread in threads:
        thread.join()
    for name in names or weights_manifest():  # raises here what a thread could not
        session(name)
