"""Checks of an installation: what is there, what is not, and the remedy."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from vitruvian._version import __version__
from vitruvian.errors import VitruvianError

if TYPE_CHECKING:
    from vitruvian.compute import Kernel

State = Literal["ok", "absent", "failed"]

MIN_PYTHON = (3, 11)

# An extra counts as present when these modules can be found.
EXTRAS: dict[str, tuple[str, ...]] = {
    "heic": ("pillow_heif",),
    "usd": ("pxr",),
    "fbx": ("bpy",),
    "server": ("fastapi", "uvicorn", "sqlalchemy", "alembic", "argon2", "prometheus_client"),
    "train": ("torch", "anny"),
}


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        state: ``ok``; ``absent`` for something optional; ``failed`` for something needed.
        detail: what was found.
        remedy: what to do about it; empty when ``ok``.
    """

    name: str
    state: State
    detail: str
    remedy: str = ""


def diagnose() -> Iterator[Check]:
    """Every check in turn, each finished before the next begins. Never raises."""
    yield check_python()
    yield Check("vitruvian", "ok", f"{__version__} in {Path(__file__).parents[1]}")
    for package in runtime_packages():
        yield check_package(package)
    for name, probe in (
        ("providers", _providers),
        ("threads", _threads),
        ("weights", _weights),
        ("body model", _body_model),
        ("compiled code", _compiled_code),
    ):
        yield _guarded(name, probe)
    for extra, modules in EXTRAS.items():
        yield check_extra(extra, modules)


def runtime_packages() -> list[str]:
    """Names of the packages that this one declares it needs, extras left out."""
    try:
        requirements = metadata.requires("vitruvian") or []
    except metadata.PackageNotFoundError:  # run from a source tree that was never installed
        requirements = []
    return [_requirement_name(text) for text in requirements if "extra ==" not in text]


def _requirement_name(requirement: str) -> str:
    for end, character in enumerate(requirement):
        if not (character.isalnum() or character in "-_."):
            return requirement[:end]
    return requirement


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Check:
    """The interpreter's version against ``MIN_PYTHON``."""
    found = f"{'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version >= MIN_PYTHON:
        return Check("python", "ok", found)
    return Check("python", "failed", found, "install Python 3.11 or newer")


def check_package(name: str) -> Check:
    """Whether a package of the default installation is there."""
    try:
        return Check(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Check(name, "failed", "not installed", f"pip install {name}")


def check_extra(extra: str, modules: tuple[str, ...]) -> Check:
    """Whether the modules of an optional extra are there."""
    missing = [module for module in modules if find_spec(module) is None]
    if not missing:
        return Check(f"extra {extra}", "ok", ", ".join(modules))
    return Check(
        f"extra {extra}",
        "absent",
        f"{', '.join(missing)} not installed",
        f"optional: pip install 'vitruvian[{extra}]'",
    )


def _guarded(name: str, probe: Callable[[], Check]) -> Check:
    try:
        return probe()
    except VitruvianError as error:
        return Check(name, "failed", str(error), "see the sentence")
    except Exception as error:  # a broken installation breaks in any way it likes
        detail = " ".join(f"{type(error).__name__}: {error}".split())
        return Check(name, "failed", detail, "pip install --force-reinstall vitruvian")


def _providers() -> Check:
    from vitruvian.networks.session import PROVIDERS, PROVIDERS_VARIABLE, providers, session

    asked = providers()
    loaded = session("face_sex").get_providers()  # small; ONNX Runtime drops what does not start
    missing = [name for name in asked if name not in loaded]
    if missing:
        remedy = f"check its drivers, or leave it out of {PROVIDERS_VARIABLE}"
        return Check("providers", "failed", f"{', '.join(missing)} does not start", remedy)
    short = {name: word for word, (name, _) in PROVIDERS.items()}
    others = [
        short[name] for name in onnxruntime_providers() if name in short and name not in asked
    ]
    more = f"; also here: {', '.join(others)} ({PROVIDERS_VARIABLE})" if others else ""
    return Check("providers", "ok", f"{', '.join(loaded)} in use{more}")


def onnxruntime_providers() -> list[str]:
    """What the installed ONNX Runtime could run on."""
    import onnxruntime

    found: list[str] = onnxruntime.get_available_providers()
    return found


def _threads() -> Check:
    from vitruvian.compute import thread_count

    return Check("threads", "ok", f"{thread_count()} of {os.cpu_count()} processors")


def _weights() -> Check:
    from vitruvian.networks import verify_weights

    entries = verify_weights()
    size = sum(entry.size for entry in entries) / 1e6
    names = ", ".join(entry.name for entry in entries)
    return Check("weights", "ok", f"{names}: checksums match, {size:.0f} MB")


def _body_model() -> Check:
    from vitruvian.body.model.model import body_model

    model = body_model()
    return Check(
        "body model",
        "ok",
        f"{len(model.template)} vertices, {len(model.joint_names)} joints, "
        f"{len(model.shape_directions)} shape directions",
    )


def product_kernels() -> list[Kernel]:
    """The compiled loops of a reconstruction and its files, those needed first in front."""
    from vitruvian.compute.kernels import known_kernels

    import_module("vitruvian.pipeline.photo")
    import_module("vitruvian.result.files")
    import_module("vitruvian.formats.obj_text")
    return [
        one
        for one in known_kernels()
        if one.name.startswith("vitruvian.") and not one.name.startswith("vitruvian.lab.")
    ]


def _compiled_code() -> Check:
    """Whether machine code is kept on disk: else each start compiles for half a minute."""
    from vitruvian.compute.cache import VARIABLE, kept_in

    kernels = product_kernels()
    folder = kept_in()
    if folder is None:
        remedy = f"set {VARIABLE} to a folder that can be written"
        return Check("compiled code", "failed", "no place to keep it", remedy)
    ready = sum(kernel.cached for kernel in kernels)
    found = f"{ready} of {len(kernels)} loops, kept in {folder}"
    if ready == len(kernels):
        return Check("compiled code", "ok", found)
    return Check(
        "compiled code", "absent", found, "the first picture, or vitruvian warm-up, does it"
    )
