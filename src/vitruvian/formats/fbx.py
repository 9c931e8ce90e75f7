"""FBX for Unity, Unreal, Maya and others, written by Blender in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from vitruvian.errors import InputError, MissingExtraError, VitruvianError
from vitruvian.formats.atomic import write_bytes
from vitruvian.formats.rigged import RiggedAvatar
from vitruvian.formats.rigged_glb import write_avatar_glb

VARIABLE = "VITRUVIAN_BLENDER"
_SCRIPT = Path(__file__).with_name("blender_fbx.py")
_MOST_SECONDS = 300


def blender_command() -> list[str]:
    """What runs a script in Blender's Python, without the script.

    In this order: what the environment variable ``VITRUVIAN_BLENDER`` names (Blender, or a Python
    that has the package ``bpy``), this Python if it has ``bpy``, ``blender`` on the path.

    Raises:
        MissingExtraError: there is none.
        InputError: the variable names no file.
    """
    named = os.environ.get(VARIABLE)
    if named:
        program = shutil.which(os.path.expanduser(named))
        if program is None:
            raise InputError(
                f"{VARIABLE} names {named}, which is no program: give the path of Blender, or of a "
                "Python with the package bpy.",
                code="bad-option",
            )
        return _running(program)
    if find_spec("bpy") is not None:
        return _running(sys.executable)
    program = shutil.which("blender")
    if program is None:
        raise MissingExtraError(
            "FBX files are written by Blender, which was not found: install it, name it in "
            f"{VARIABLE}, or pip install 'vitruvian[fbx]'."
        )
    return _running(program)


def _running(program: str) -> list[str]:
    if Path(program).name.lower().startswith("python"):
        return [program]
    return [program, "--background", "--factory-startup", "--python-exit-code", "1", "--python"]


def check_blender() -> None:
    """Raise as ``blender_command`` does where there is no Blender."""
    blender_command()


def write_fbx(avatar: RiggedAvatar, path: str | Path, *, image_format: str = "jpeg") -> Path:
    """Write the avatar as FBX (binary, textures inside, every clip a take) and return the path.

    Takes two seconds, most of them Blender's start.

    Args:
        avatar: joints keep the names that it gives them.
        path: where the ``.fbx`` goes.
        image_format: see ``write_glb``.

    Raises:
        MissingExtraError: there is no Blender, see ``blender_command``.
        InputError: the place cannot be written.
        VitruvianError: Blender failed.
    """
    command = blender_command()
    with tempfile.TemporaryDirectory(prefix="vitruvian-") as kept:
        source, target = Path(kept, f"{avatar.name}.glb"), Path(kept, "avatar.fbx")
        write_avatar_glb(avatar, source, image_format=image_format)
        arguments = [*command, str(_SCRIPT), "--", str(source), str(target)]
        try:
            done = subprocess.run(
                arguments,
                capture_output=True,
                timeout=_MOST_SECONDS,
                check=False,
                cwd=kept,
                env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _failed(command[0], type(error).__name__) from error
        if done.returncode or not target.exists():
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise _failed(command[0], said[-1] if said else f"exit status {done.returncode}")
        return write_bytes(path, target.read_bytes())


def _failed(program: str, reason: str) -> VitruvianError:
    return VitruvianError(
        f"{program} could not write the FBX file ({reason.rstrip('.')}): use Blender 4.2 or newer, "
        "or leave fbx out of the formats."
    )
