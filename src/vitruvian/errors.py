"""Errors that reach the user: one sentence that names the input and the remedy."""

from __future__ import annotations


class VitruvianError(Exception):
    """Base of every error this package raises on purpose.

    ``str(error)`` is one sentence, fit to be shown as it is by the command line, the API and
    the web page. ``exit_code`` is what the command line ends with.
    """

    exit_code = 1


class InputError(VitruvianError):
    """The user's input (a file, an option, a destination) cannot be used."""

    exit_code = 2


class MissingExtraError(VitruvianError):
    """A feature needs an optional dependency; the sentence names the extra to install."""

    exit_code = 3


class WeightsError(VitruvianError):
    """A network's weights are absent or do not match their checksum."""

    exit_code = 4
