"""The training loop: any recipe, within a time budget, resumable to the bit.

AdamW with a linear warm-up and a cosine over the *planned* samples, whichever run sees
them; running average of the weights; gradient clipping; mixed precision on CUDA.
"""

from __future__ import annotations

import csv
import math
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vitruvian.compute import thread_count
from vitruvian.errors import InputError
from vitruvian.formats.atomic import write_bytes
from vitruvian.lab.training.checkpoint import CHECKPOINT_NAME, COMPACT_NAME, Checkpoint, newest
from vitruvian.lab.training.recipe import Batch, DataOptions, Plan, Recipe, Source, Step

_WARM_UP_SHARE = 0.1  # of a short schedule, at most


@dataclass(frozen=True)
class RunOptions:
    """How long and where to train.

    Attributes:
        folder: for checkpoints, logs and pictures.
        minutes: of training in this run, or None for the whole schedule.
        steps: stop after so many, or None.
        resume: go on from the folder's checkpoint.
        batch, samples: instead of the plan's, or None.
        compact: also write a checkpoint small enough to carry about.
        save_every_s: seconds between checkpoints.
        log_every: steps between lines of the log.
        validate_every_s: seconds between validations, each with a picture.
        validation_size: examples of a batch there.
    """

    folder: Path
    minutes: float | None = None
    steps: int | None = None
    resume: bool = True
    batch: int | None = None
    samples: int | None = None
    compact: bool = False
    save_every_s: float = 180.0
    log_every: int = 25
    validate_every_s: float = 900.0
    validation_size: int = 16


@dataclass(frozen=True)
class Progress:
    """What the loop tells whoever shows it.

    Attributes:
        samples_seen, planned: of the schedule.
        rate: examples a second of late.
        seconds_left: of this run, or of the schedule where the run has no end.
        losses: running means.
    """

    samples_seen: int
    planned: int
    rate: float
    seconds_left: float
    losses: dict[str, float]


@dataclass(frozen=True)
class Trained:
    """What a run ended with: its state, and the figures of the last validation."""

    checkpoint: Checkpoint
    metrics: dict[str, float]
    stopped: bool


def learning_rate(plan: Plan, samples_seen: int, planned: int, restarted: int = 0) -> float:
    """The rate before a step: warm-up from where the optimiser began, under a cosine."""
    warm_up = max(plan.batch, min(plan.warm_up, _WARM_UP_SHARE * planned))
    rise = min(1.0, (samples_seen - restarted + plan.batch) / warm_up)
    share = min(1.0, samples_seen / max(planned, 1))
    cosine = plan.final_rate + (1 - plan.final_rate) * 0.5 * (1 + math.cos(math.pi * share))
    return plan.learning_rate * rise * cosine


def train(
    recipe: Recipe,
    data: DataOptions,
    options: RunOptions,
    report: Callable[[Progress], None] = lambda progress: None,
) -> Trained:
    """Train until the time is up, the schedule is done or somebody stops it.

    Args:
        recipe: what to train.
        data: where the examples come from.
        options: how long, where to.
        report: called after every step.

    Returns:
        The last state, also written to the folder.

    Raises:
        InputError: the folder's checkpoint is of another recipe or unreadable; or the data's.
    """
    begun = time.monotonic()
    plan = replace(recipe.plan, batch=options.batch or recipe.plan.batch)
    run = _Run(recipe, plan, data, options)
    with _stop_signals() as stop:
        metrics = run.go(begun, stop, report)
    return Trained(run.checkpoint(), metrics, stop.is_set())


class _Run:
    """The moving parts of one run."""

    def __init__(self, recipe: Recipe, plan: Plan, data: DataOptions, options: RunOptions) -> None:
        self.recipe, self.plan, self.options, self.data = recipe, plan, options, data
        self.device = data.device
        if self.device.type == "cpu":
            torch.set_num_threads(thread_count())
        else:
            torch.backends.cudnn.benchmark = True  # every batch has the same shape
            torch.set_float32_matmul_precision("high")
        path = newest(options.folder) if options.resume else None
        before = Checkpoint.load(path) if path else None
        if before is not None and before.recipe != recipe.name:
            raise InputError(
                f"{path} is of the recipe {before.recipe}: choose another folder with -o."
            )
        torch.manual_seed(data.seed)
        self.model = recipe.build(pretrained=before is None)
        # Before the average is begun: a recipe may start its network from the data.
        self.source: Source = recipe.open(data)
        self.samples_seen, self.seconds, self.restarted = 0, 0.0, 0
        self.planned = options.samples or plan.samples
        if before is not None:
            self.model.load_state_dict(before.model)
            self.samples_seen, self.seconds = before.samples_seen, before.seconds
            self.planned = options.samples or before.planned
            self.restarted = before.restarted
        self.model.to(self.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        state = self.model.state_dict()
        self.ema = {k: v.detach().clone() for k, v in state.items()}
        # One call for all weights: hundreds of small ones take longer than a step on a GPU.
        averaged = [name for name, value in state.items() if value.is_floating_point()]
        self._averages = [self.ema[name] for name in averaged]
        self._weights = [state[name] for name in averaged]
        groups = [
            {"params": parameters, "lr": 0.0, "factor": factor}
            for factor, parameters in recipe.groups(self.model)
        ]
        fused = self.device.type == "cuda"
        self.optimizer = torch.optim.AdamW(groups, weight_decay=plan.weight_decay, fused=fused)
        self.half = _half_type(self.device)
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.half == torch.float16)
        if before is not None:
            self._restore(before)

    def _restore(self, before: Checkpoint) -> None:
        for name, value in before.ema.items():
            self.ema[name].copy_(value)
        if before.optimizer:
            self.optimizer.load_state_dict(before.optimizer)
        else:
            self.restarted = self.samples_seen
        if before.scaler and self.scaler.is_enabled():
            self.scaler.load_state_dict(before.scaler)
        self.source.restore(before.source)
        if "cpu" in before.random:
            torch.set_rng_state(before.random["cpu"])
        if "cuda" in before.random and self.device.type == "cuda":
            torch.cuda.set_rng_state(before.random["cuda"])

    def checkpoint(self) -> Checkpoint:
        """The state now, on the CPU."""
        random = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            random["cuda"] = torch.cuda.get_rng_state()
        return Checkpoint(
            recipe=self.recipe.name,
            samples_seen=self.samples_seen,
            planned=self.planned,
            batch=self.plan.batch,
            seed=self.data.seed,
            seconds=self.seconds,
            model=_on_cpu(self.model.state_dict()),
            ema=_on_cpu(self.ema),
            optimizer=self.optimizer.state_dict(),
            scaler=self.scaler.state_dict(),
            source=self.source.state(),
            random=random,
            restarted=self.restarted,
            description=self.source.description,
        )

    def save(self) -> None:
        state = self.checkpoint()
        state.save(self.options.folder / CHECKPOINT_NAME)
        if self.options.compact:
            state.save_compact(self.options.folder / COMPACT_NAME)

    def go(
        self, begun: float, stop: threading.Event, report: Callable[[Progress], None]
    ) -> dict[str, float]:
        """Steps until it is time to end; validates, saves, and returns the last figures."""
        options = self.options
        limit = math.inf if options.minutes is None else begun + 60 * options.minutes
        log = _Log(options.folder / "log.csv")
        means: dict[str, float] = {}
        rate, steps = 0.0, 0
        last = saved = validated = time.monotonic()
        earlier = self.seconds
        started = last
        stream: Iterator[Batch] | None = None
        try:
            while self.samples_seen < self.planned and not stop.is_set():
                now = time.monotonic()
                if now >= limit or (options.steps is not None and steps >= options.steps):
                    break
                if stream is None:
                    stream = self.source.batches(self.samples_seen, self.plan.batch)
                losses = self.step(next(stream))
                steps += 1
                now = time.monotonic()
                fresh = self.plan.batch / max(now - last, 1e-9)
                rate, last = fresh if steps < 5 else 0.95 * rate + 0.05 * fresh, now
                self.seconds = earlier + now - started
                if steps % options.log_every == 0 or steps == 1:
                    # Reading the losses waits for the device: not at every step.
                    values = {name: float(value) for name, value in losses.items()}
                    for name, value in values.items():
                        means[name] = 0.8 * means.get(name, value) + 0.2 * value
                    log.write(self._log_row(rate, values))
                left = min(limit - now, (self.planned - self.samples_seen) / max(rate, 1e-9))
                report(Progress(self.samples_seen, self.planned, rate, left, dict(means)))
                if now - saved > options.save_every_s:
                    self.save()
                    saved = time.monotonic()
                if now - validated > options.validate_every_s:
                    self.examine()
                    validated = time.monotonic()
            self.save()
            return self.examine()
        finally:
            self.source.close()

    def _log_row(self, rate: float, values: dict[str, float]) -> dict[str, float]:
        return {
            "samples_seen": self.samples_seen,
            "seconds": round(self.seconds, 1),
            "rate": round(rate, 2),
            "learning_rate": float(self.optimizer.param_groups[0]["lr"]),
            **{name: round(value, 6) for name, value in values.items()},
        }

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """One step of the optimiser; returns the losses, still on the device."""
        batch = _to_device(batch, self.device)
        plan = self.plan
        rate = learning_rate(plan, self.samples_seen, self.planned, self.restarted)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        generator = torch.Generator(self.device)
        generator.manual_seed((self.data.seed << 40) + self.samples_seen + 1)
        share = min(1.0, self.samples_seen / max(self.planned, 1))
        self.model.train()
        with self.autocast():
            losses = self.recipe.loss(self.model, batch, Step(self.samples_seen, share, generator))
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(losses["total"]).backward()
        self.scaler.unscale_(self.optimizer)
        # A gradient that is not finite would spoil weights and average for good.
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), plan.clip_norm)
        if self.scaler.is_enabled() or torch.isfinite(norm):
            self.scaler.step(self.optimizer)
        self.scaler.update()
        self.samples_seen += plan.batch
        self._average()
        return {name: value.detach() for name, value in losses.items()}

    @torch.no_grad()
    def _average(self) -> None:
        count = self.samples_seen / self.plan.batch
        decay = min(self.plan.ema_decay, (1 + count) / (10 + count))
        torch._foreach_lerp_(self._averages, self._weights, 1 - decay)

    def autocast(self) -> AbstractContextManager[Any]:
        if self.half is None:
            return nullcontext()
        return torch.autocast("cuda", self.half)

    def examine(self) -> dict[str, float]:
        """Validate the averaged weights; writes a line of validation.csv and a picture."""
        weights = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict(self.ema)
        self.model.eval()
        try:
            batches = [*self.source.validation(self.options.validation_size)]
            with torch.no_grad(), self.autocast():
                figures = self.recipe.validate(self.model, self._moved(batches))
                picture = self.recipe.picture(self.model, next(iter(self._moved(batches[:1]))))
        finally:
            self.model.load_state_dict(weights)
        row = {"samples_seen": self.samples_seen, "seconds": round(self.seconds, 1)}
        _Log(self.options.folder / "validation.csv").write({**row, **figures})
        folder = self.options.folder / "pictures"
        write_bytes(folder / f"{self.samples_seen:09d}.png", _png(picture))
        return figures

    def _moved(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        return (_to_device(batch, self.device) for batch in batches)


def _half_type(device: torch.device) -> torch.dtype | None:
    if device.type != "cuda":
        return None
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _to_device(batch: Batch, device: torch.device) -> Batch:
    return {name: value.to(device, non_blocking=True) for name, value in batch.items()}


def _on_cpu(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().to("cpu", copy=True) for name, value in state.items()}


class _Log:
    """A CSV file that is appended to; a new set of columns gets a new header line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._columns: list[str] | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                if line.startswith("samples_seen,"):
                    self._columns = line.split(",")

    def write(self, row: dict[str, float]) -> None:
        with self._path.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row))
            if list(row) != self._columns:
                writer.writeheader()
                self._columns = list(row)
            writer.writerow(row)


def _png(picture: np.ndarray) -> bytes:
    import cv2

    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that Ctrl-C and a polite kill set; a second Ctrl-C ends at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, frame: Any) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
