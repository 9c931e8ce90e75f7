"""A pool on a Ray cluster: the same orders as tasks of Ray's core.

A task, not Ray Data: the manifest already knows what is done, so each job has to be handed out,
counted and repeated by itself. Ray runs tasks one after the other in the same processes, so that
networks stay warm in them as they do in ours.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from typing import Any

from vitruvian.batch.orders import Answer, Order
from vitruvian.batch.pool import late, lost
from vitruvian.errors import InputError, MissingExtraError

_WAITING_PER_PROCESSOR = 2  # what a node does next is already there when it ends something

_prepared: int | None = None


class RayPool:
    """Tasks on a cluster.

    Args:
        address: of the cluster, such as ``ray://head:10001`` or ``auto``; ``local`` starts one on
            this machine.
        workers: at most so many at a time; by default as many as the cluster has processors.
        threads: processors of each task.
        time_limit_s: longest time for an order; None for none.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: the cluster cannot be reached.
    """

    def __init__(
        self,
        address: str,
        workers: int | None = None,
        threads: int = 1,
        time_limit_s: float | None = None,
    ) -> None:
        try:
            import ray
        except ImportError:
            raise MissingExtraError(
                "A Ray cluster needs an extra: run pip install 'vitruvian[ray]'."
            ) from None
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell Ray's makers
        self._ray, self._limit = ray, time_limit_s
        here = address == "local"
        known: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
        if here:
            known["include_dashboard"] = False
            if workers is not None:
                known["num_cpus"] = workers * threads
        try:
            ray.init(address=None if here else address, **known)
        except (ConnectionError, ValueError, RuntimeError, TimeoutError) as error:
            raise InputError(
                f"The Ray cluster at {address} cannot be reached; check the address, or leave out "
                "--ray to work on this machine."
            ) from error
        self._do = ray.remote(num_cpus=threads, max_retries=0)(do_on_node)
        self._most = workers
        self._threads = threads
        self._running: dict[Any, tuple[Order, float]] = {}

    @property
    def free(self) -> int:
        return self._room() - len(self._running)

    def _room(self) -> int:
        """Nodes come and go: how many orders the cluster should have now."""
        if self._most is not None:
            return self._most
        processors = int(self._ray.cluster_resources().get("CPU", 1))
        return max(1, processors // self._threads) * _WAITING_PER_PROCESSOR

    def submit(self, order: Order) -> None:
        self._running[self._do.remote(order, self._limit)] = order, time.monotonic()

    def wait(self, seconds: float) -> list[Answer]:
        if not self._running:
            return []
        ready, _ = self._ray.wait(list(self._running), timeout=seconds)
        answers = []
        for reference in ready:
            order, since = self._running.pop(reference)
            try:
                answers.append(self._ray.get(reference))
            except self._ray.exceptions.RayError:  # the process or its node died
                waited = time.monotonic() - since
                limit = self._limit
                ended = limit is not None and waited >= limit
                answers.append(late(order, limit or 0.0) if ended else lost(order))
        return answers

    def held(self) -> list[Order]:
        return [order for order, _ in self._running.values()]

    def close(self) -> None:
        for reference in self._running:
            with contextlib.suppress(Exception):
                self._ray.cancel(reference, force=True)
        self._ray.shutdown()


def do_on_node(order: Order, limit_s: float | None) -> Answer:
    """Do an order in a process of Ray's, which ends itself when it takes too long."""
    global _prepared
    from vitruvian.batch.pool import prepare
    from vitruvian.batch.work import do

    if _prepared != order.threads:
        prepare(order.threads, ())
        _prepared = order.threads
    if limit_s is None:
        return do(order)
    watch = threading.Timer(limit_s, os._exit, (1,))
    watch.daemon = True
    watch.start()
    try:
        return do(order)
    finally:
        watch.cancel()
