"""Counters for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What is counted. Labels are routes, codes and states, never anything of a user."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "vitruvian_http_requests",
            "HTTP requests.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "vitruvian_http_request_seconds",
            "Seconds until an HTTP request was answered.",
            ["method", "route"],
            registry=self.registry,
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 2, 3, 5, 10, 30, 120),
        )
        self.uploads = Counter(
            "vitruvian_uploads", "Pictures that were uploaded.", ["outcome"], registry=self.registry
        )
        self.jobs_waiting = Gauge(
            "vitruvian_jobs_waiting", "Jobs in the queue.", registry=self.registry
        )
        self.jobs_running = Gauge(
            "vitruvian_jobs_running", "Jobs that run.", registry=self.registry
        )
        self.jobs_ended = Gauge(
            "vitruvian_jobs_ended",
            "Jobs of the last week that ended, by how.",
            ["state"],
            registry=self.registry,
        )
        self.workers = Gauge(
            "vitruvian_workers", "Worker processes.", ["state"], registry=self.registry
        )
        self.job_seconds = Gauge(
            "vitruvian_job_seconds_mean",
            "Running mean of the seconds a job runs.",
            registry=self.registry,
        )

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)
