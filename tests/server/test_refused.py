"""Counted refusals reach the trail without another call."""

import io
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from foundation.trail.refusals import Refusals
from kms.hsm import CoreUnavailable
from server.logs import make_log
from server.refused import tell, tell_for_ever

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Chain:
    """What the core would append; away for as long as it is told."""

    def __init__(self) -> None:
        self.events: list[bytes] = []
        self.away = False

    def append(self, events: Sequence[bytes]) -> None:
        if self.away:
            raise CoreUnavailable("restarting")
        self.events += events


def counted(chain: Chain) -> Refusals:
    return Refusals(chain.append, lambda: NOW, lambda: NOW, lambda: "id")


def test_the_rest_is_told_at_the_end() -> None:
    chain, out = Chain(), io.StringIO()
    refusals = counted(chain)
    refusals.note("acm", "ListCertificates", "InvalidSignatureException", "192.0.2.1")
    refusals.note("acm", "ListCertificates", "InvalidSignatureException", "192.0.2.1")
    tell(refusals, make_log("info", "test", lambda: NOW, out), at_once=True)
    assert len(chain.events) == 2


def test_what_the_core_cannot_take_stays_counted() -> None:
    chain, out = Chain(), io.StringIO()
    refusals, log = counted(chain), make_log("info", "test", lambda: NOW, out)
    refusals.note("acm", "ListCertificates", "InvalidSignatureException", "192.0.2.1")
    refusals.note("acm", "ListCertificates", "InvalidSignatureException", "192.0.2.2")
    chain.away = True
    tell(refusals, log, at_once=True)
    assert "not yet recorded" in out.getvalue()
    chain.away = False
    tell(refusals, log, at_once=True)
    assert b"192.0.2.2" in chain.events[-1]


def test_a_lone_refusal_is_told_by_the_watch() -> None:
    chain = Chain()
    chain.away = True
    refusals = counted(chain)
    try:
        refusals.note("acm", "ListCertificates", "InvalidSignatureException", "192.0.2.1")
    except CoreUnavailable:
        chain.away = False
    tell_for_ever(refusals, make_log("info", "test", lambda: NOW, io.StringIO()), look=0.01)
    until = time.monotonic() + 5
    while not chain.events and time.monotonic() < until:
        time.sleep(0.01)
    assert chain.events
