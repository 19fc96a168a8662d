"""Counters for Prometheus. Labels are names from tables, never what a caller sent."""

import time
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Upper bounds in seconds: prometheus_client's."""


class Durations:
    """A histogram of one operation. An observation is a look-up and two additions: prometheus_client's own costs ten times that.

    Each addition is one operation under the GIL without a call in between, so that no thread can lose another's.
    """

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        place = bisect_left(BOUNDS, seconds)
        self.counts[place] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Cumulative counts by upper bound, as Prometheus has them."""
        names = [*map(str, BOUNDS), "+Inf"]
        return list(zip(names, accumulate(self.counts), strict=True))


class Timed:
    """A block whose time is observed. (A generator of contextlib would cost more than all else here.)"""

    __slots__ = ("_durations", "_start")

    def __init__(self, durations: Durations) -> None:
        self._durations = durations

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_outcome: object) -> None:
        self._durations.observe(time.perf_counter() - self._start)


class Metrics(Collector):
    """One process's counters; each HTTP worker shows its own, told apart by `process_start`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._timed: dict[tuple[str, str], Durations] = {}
        self.registry.register(self)
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
        durations = self._timed.get((service, operation))
        if durations is None:
            durations = self._timed.setdefault((service, operation), Durations())
        return Timed(durations)

    def collect(self) -> Iterable[Metric]:
        """For the registry: the histogram of the calls."""
        family = HistogramMetricFamily(
            "keystead_call_seconds", "Time to answer a call", labels=("service", "operation")
        )
        for labels, durations in list(self._timed.items()):
            family.add_metric(labels, durations.buckets(), durations.total)
        yield family

    def refused(self, service: str, code: str) -> None:
        self._refused.labels(service, code).inc()

    def alarmed(self, alarm: str) -> None:
        """Counts one alarm by its name."""
        self._alarms.labels(alarm).inc()
