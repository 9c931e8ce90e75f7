"""Many inputs, one after the other or side by side, each exactly once: ``vitruvian batch``.

``drive`` takes jobs from a ``manifest`` and hands them to a pool, of processes or of a Ray cluster;
``work`` is what a worker does with one: read the input, make the result, put it under its key.
"""

from vitruvian.batch.drive import BatchPlan, Tally, run_batch

__all__ = ["BatchPlan", "Tally", "run_batch"]
