"""The state of a training run on disk: all that is needed to continue it exactly, in one file."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes

FORMAT = 2
CHECKPOINT_NAME = "checkpoint.pt"
COMPACT_NAME = "compact.pt"


@dataclass
class Checkpoint:
    """Where a run stands.

    Attributes:
        recipe: its name.
        samples_seen: so far.
        planned: samples of the whole schedule.
        batch, seed: of the run.
        seconds: spent training, all runs together.
        model, ema: state dicts of the weights and their running average.
        optimizer, scaler: state dicts; the optimiser's is empty in a compact checkpoint.
        source: of ``Source.state``.
        random: states of torch's generators, ``cpu`` and perhaps ``cuda``.
        restarted: samples seen when the optimiser last began anew.
        description: of the data.
    """

    recipe: str
    samples_seen: int
    planned: int
    batch: int
    seed: int
    seconds: float
    model: dict[str, Tensor]
    ema: dict[str, Tensor]
    optimizer: dict[str, Any] = field(default_factory=dict)
    scaler: dict[str, Any] = field(default_factory=dict)
    source: dict[str, Any] = field(default_factory=dict)
    random: dict[str, Tensor] = field(default_factory=dict)
    restarted: int = 0
    description: str = ""

    def save(self, path: Path) -> None:
        """Write to a temporary name, then rename."""
        buffer = io.BytesIO()
        torch.save({"format": FORMAT, **vars(self)}, buffer)
        write_bytes(path, buffer.getbuffer())

    def save_compact(self, path: Path) -> None:
        """Write weights and average in 16 bits and no optimiser: a quarter of the size or less.

        For carrying a run to another machine. The optimiser begins anew there, with a warm-up.
        """
        compact = Checkpoint(**{**vars(self), "optimizer": {}, "random": {}})
        compact.model, compact.ema = _halved(self.model), _halved(self.ema)
        compact.save(path)

    @staticmethod
    def load(path: Path) -> Checkpoint:
        """Read what :meth:`save` or :meth:`save_compact` wrote.

        Raises:
            InputError: it is no checkpoint of ours.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                values = torch.load(path, map_location="cpu", weights_only=True)
            version = values.pop("format")
            if version == 1:  # the same fields, one by another name
                values["samples_seen"] = values.pop("presentations")
            elif version != FORMAT:
                raise ValueError("another format")
            loaded = Checkpoint(**values)
        except Exception as error:  # torch raises whatever its readers raise
            raise InputError(
                f"Cannot go on from {path}: start anew with --fresh, or remove it."
            ) from error
        loaded.model, loaded.ema = _single(loaded.model), _single(loaded.ema)
        return loaded


def newest(folder: Path) -> Path | None:
    """The checkpoint to go on from: the full one, else a compact one, else None."""
    for name in (CHECKPOINT_NAME, COMPACT_NAME):
        if (folder / name).exists():
            return folder / name
    return None


def _halved(state: dict[str, Tensor]) -> dict[str, Tensor]:
    # Running variances may lie beyond what 16 bits hold: only what has many values is halved.
    return {k: v.half() if v.is_floating_point() and v.ndim > 1 else v for k, v in state.items()}


def _single(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k: v.float() if v.dtype == torch.float16 else v for k, v in state.items()}
