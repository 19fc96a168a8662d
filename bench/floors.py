"""The floors of ARCHITECTURE 7, one table, and whether a run met them."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.load import Figures

HELLO: Final = "hello through the same worker"
PEER: Final = "moto: "
"""The same request, answered by moto's server in the same run."""


@dataclass(frozen=True, slots=True)
class Floor:
    """hello, peer: at least this many times their rate. p99: at most this many ms. None: no floor of that kind."""

    hello: float | None
    peer: float | None
    p99: float


FLOORS: Final[Mapping[str, Floor]] = {
    "Encrypt": Floor(0.20, 12, 15.0),
    "Decrypt": Floor(0.20, 12, 15.0),
    "GenerateDataKey": Floor(0.20, 12, 15.0),
    "Sign P-256": Floor(0.15, 10, 20.0),
    "IssueCertificate P-256": Floor(None, 100, 50.0),
    "Issue P-256, by CSR": Floor(None, None, 50.0),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One operation's medians, in operations a second, multiples of the hello and of the peer (None: it has none), ms."""

    name: str
    rate: float
    hello: float
    peer: float | None
    p99: float

    def missed(self) -> list[str]:
        """Which of its floors it did not meet."""
        floor = FLOORS.get(self.name)
        if floor is None:
            return []
        found = []
        if floor.hello is not None and self.hello < floor.hello:
            found.append("x hello")
        if floor.peer is not None and (self.peer is None or self.peer < floor.peer):
            found.append("x moto")
        if self.p99 > floor.p99:
            found.append("p99")
        return found


def lines(table: Mapping[str, list[Figures]]) -> list[Line]:
    """The medians of all rounds."""
    rates = {name: median(figures.per_second for figures in rounds) for name, rounds in table.items()}
    return [
        Line(
            name,
            rates[name],
            rates[name] / rates[HELLO],
            rates[name] / rates[PEER + name] if PEER + name in rates else None,
            median(figures.p99 for figures in rounds),
        )
        for name, rounds in table.items()
    ]


def show(table: Mapping[str, list[Figures]]) -> None:
    """Print a line for each operation: what it reached, and in brackets its floor."""
    print(f"\n{'operation':31}{'per second':>11}{'x hello':>17}{'x moto':>16}{'p99 ms':>17}")
    for line in lines(table):
        floor = FLOORS.get(line.name, Floor(None, None, float("inf")))
        hello = f"{line.hello:.3f}{_bound('>=', floor.hello)}"
        peer = "-" if line.peer is None else f"{line.peer:.1f}{_bound('>=', floor.peer)}"
        p99 = f"{line.p99:.1f}{_bound('<=', floor.p99 if line.name in FLOORS else None)}"
        print(f"{line.name:31}{line.rate:11,.0f}{hello:>17}{peer:>16}{p99:>17}  {_judged(line)}")


def _bound(word: str, bound: float | None) -> str:
    return "" if bound is None else f" ({word} {bound:g})"


def _judged(line: Line) -> str:
    if line.name not in FLOORS:
        return ""
    missed = line.missed()
    return f"NOT MET: {', '.join(missed)}" if missed else "met"
