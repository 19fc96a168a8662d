"""Every fault on the way to a proof ends in the right kind, in time, and with nothing proven that is not."""

import pytest

from tests.support.dns import FakeClock, MemoryWires, counting_entropy
from tests.support.dns_faults import CASES, OWNER, VALUE, Case, Q
from validation import Dns, ValidationFailed, prove_cname

SERVERS = [("192.0.2.1", 53), ("2001:db8::2", 5353)]


def _dns(case: Case) -> tuple[Dns, MemoryWires, FakeClock]:
    clock = FakeClock()
    used = SERVERS[: len(case.servers)]
    wires = MemoryWires(dict(zip(used, case.servers, strict=True)), clock)
    dns = Dns(used, wires, counting_entropy(), query_seconds=Q, lookup_seconds=4 * Q, monotonic=clock)
    return dns, wires, clock


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_dns_fault_ends_in_its_own_kind(case: Case) -> None:
    dns, wires, clock = _dns(case)
    begin = clock.now
    if case.kind is None:
        assert prove_cname(dns, OWNER, VALUE).value == VALUE
    else:
        with pytest.raises(ValidationFailed) as caught:
            prove_cname(dns, OWNER, VALUE)
        assert caught.value.kind is case.kind, caught.value.detail
        assert case.says in caught.value.detail
        assert caught.value.detail.isascii()
        assert caught.value.detail.isprintable()
    assert clock.now - begin <= 4 * Q + 0.001
    assert not [name for _, name, _ in wires.asked if name.endswith("acm-validations.aws")]


def test_the_table_covers_what_the_test_plan_asks() -> None:
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
