"""The entry point of the program: what the installed launcher and other people's scripts call."""

from vitruvian.commands.cli import main

__all__ = ["main"]
