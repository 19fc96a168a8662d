"""Counters for Prometheus. Labels are names from tables, never what a caller sent."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram


class Metrics:
    """One process's counters; each HTTP worker shows its own, told apart by `process_start`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "keystead_call_seconds", "Time to answer a call", ("service", "operation"), registry=self.registry
        )
        self._refused = Counter(
            "keystead_refused_total",
            "Calls answered with an error",
            ("service", "code"),
            registry=self.registry,
        )

    @contextmanager
    def timed(self, service: str, operation: str) -> Iterator[None]:
        """Counts and times one call, whatever its outcome."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds.labels(service, operation).observe(time.perf_counter() - start)

    def refused(self, service: str, code: str) -> None:
        self._refused.labels(service, code).inc()
