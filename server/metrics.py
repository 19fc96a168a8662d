"""Counters for Prometheus. Labels are names from tables, never what a caller sent."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram


class Timed:
    """A block whose time is observed. (A generator of contextlib would cost more than all else here.)"""

    __slots__ = ("_histogram", "_start")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_outcome: object) -> None:
        self._histogram.observe(time.perf_counter() - self._start)


class Metrics:
    """One process's counters; each HTTP worker shows its own, told apart by `process_start`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._seconds = Histogram(
            "keystead_call_seconds", "Time to answer a call", ("service", "operation"), registry=self.registry
        )
        self._timed: dict[tuple[str, str], Histogram] = {}  # a look-up by labels takes a lock
        self._refused = Counter(
            "keystead_refused_total",
            "Calls answered with an error",
            ("service", "code"),
            registry=self.registry,
        )

        self._alarms = Counter(
            "keystead_alarms_total",
            "Alarms raised, each of which is in the log and the trail too",
            ("alarm",),
            registry=self.registry,
        )

    def timed(self, service: str, operation: str) -> "Timed":
        """Counts and times one call, whatever its outcome."""
        histogram = self._timed.get((service, operation))
        if histogram is None:
            histogram = self._timed[service, operation] = self._seconds.labels(service, operation)
        return Timed(histogram)

    def refused(self, service: str, code: str) -> None:
        self._refused.labels(service, code).inc()

    def alarmed(self, alarm: str) -> None:
        """Counts one alarm by its name."""
        self._alarms.labels(alarm).inc()
