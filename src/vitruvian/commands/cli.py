"""The command line: which commands there are, and how each error leaves the program.

A command is one typer function in a module of its own and one line in ``COMMANDS``. Only the
module of the command that runs is imported, so that ``--help`` and usage errors answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any

import typer

from vitruvian._version import __version__
from vitruvian.errors import VitruvianError
from vitruvian.image.names import readable

DEBUG_VARIABLE = "VITRUVIAN_DEBUG"
INTERRUPTED = 130

# What typer raises on a wrong option; its module has moved between versions, its children not.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # type: ignore[assignment]


@dataclass(frozen=True)
class Command:
    """A command: where its typer function lives, and its line in the list of commands."""

    function: str
    help: str

    def load(self) -> Callable[..., Any]:
        """Import the function."""
        module, name = self.function.rsplit(".", 1)
        return getattr(import_module(module), name)  # type: ignore[no-any-return]


COMMANDS = {
    "photo": Command(
        "vitruvian.commands.photo.photo", "Turn photographs into metric, textured 3D people."
    ),
    "video": Command(
        "vitruvian.commands.video.video",
        "Turn a video, or several of calibrated cameras, into animated, metric 3D people.",
    ),
    "measure": Command(
        "vitruvian.commands.measure.measure",
        "Measure somebody from a front and a side picture, or from two silhouettes.",
    ),
    "convert": Command(
        "vitruvian.commands.convert.convert",
        "Convert bodies to and from your own model file of SMPL, SMPL-H or SMPL-X.",
    ),
    "batch": Command(
        "vitruvian.commands.batch.batch",
        "Turn very many photographs, videos and pairs into results, each exactly once.",
    ),
    "serve": Command("vitruvian.server.command.serve", "Start the web page and the API."),
    "evaluate": Command(
        "vitruvian.lab.evaluation.command.evaluate",
        "Score the reconstruction on a suite of pictures, or compare the scores of two runs.",
    ),
    "synth": Command(
        "vitruvian.lab.synthesis.command.synth",
        "Make labelled pictures of synthetic people, for training and testing.",
    ),
    "train": Command(
        "vitruvian.lab.training.command.train",
        "Train one of our own networks on synthetic people.",
    ),
    "blender-addon": Command(
        "vitruvian.commands.blender.command.blender_addon",
        "Write the add-on that imports people into Blender.",
    ),
    "warm-up": Command(
        "vitruvian.commands.warm_up.warm_up",
        "Prepare compiled code ahead of the first picture, for images of containers.",
    ),
    "doctor": Command(
        "vitruvian.commands.doctor.doctor", "Check this installation and say what to repair."
    ),
}


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"vitruvian {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Photographs in; metric, textured, animatable 3D people out."""


def make_app(load: Sequence[str] = tuple(COMMANDS)) -> typer.Typer:
    """The typer application. Commands that ``load`` does not name have their help line only."""
    app = typer.Typer(
        name="vitruvian",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, command in COMMANDS.items():
        function = command.load() if name in load else _not_loaded
        app.command(name, help=None if name in load else command.help)(function)
    return app


def _not_loaded() -> None:
    raise AssertionError("a command whose name is on the command line is always loaded")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: without the program's name; those of the process by default.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        command = typer.main.get_command(make_app(arguments))
        result = command.main(arguments, prog_name="vitruvian", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except typer.Exit as exit_request:
        return exit_request.exit_code
    except VitruvianError as error:
        if debugging():
            raise
        say(str(error))
        return error.exit_code
    except _UsageError as error:
        say(_usage_sentence(error))
        return 2
    except (KeyboardInterrupt, typer.Abort):
        say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) left: no more output is wanted, not even Python's complaint.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def debugging() -> bool:
    """Whether errors should show where they come from."""
    return os.environ.get(DEBUG_VARIABLE, "") not in ("", "0")


def say(sentence: str) -> None:
    """Print a sentence on stderr."""
    print(readable(sentence), file=sys.stderr, flush=True)


def _usage_sentence(error: Any) -> str:
    """A usage error as one sentence that ends with where to read on."""
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "vitruvian"
    message = " ".join(error.format_message().split()).rstrip(".?")
    return f"{message}; see {path} --help."
