"""Rows that a caller has written in the CA's own two commits."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from ca import Beside, Issued
from ca.tables import CertificateRow
from foundation.store import Duplicate, schedule
from kms.hsm import CoreUnavailable
from tests.ca.conftest import World
from tests.ca.test_issue import LosingCore


@dataclass
class Notes:
    """Due work as the caller's rows: one for the intent, one for the result."""

    world: World
    results: list[Issued] = field(default_factory=list)

    def intent(self, session: Session) -> None:
        schedule(session, "test.intent", "a", self.world.time)

    def result(self, session: Session, issued: Issued) -> None:
        self.results.append(issued)
        schedule(session, "test.result", issued.serial, self.world.time + timedelta(days=1))

    @property
    def beside(self) -> Beside:
        return Beside(self.intent, self.result)

    def written(self) -> tuple[bool, bool]:
        store = self.world.store
        return store.next_due(("test.intent",)) is not None, store.next_due(("test.result",)) is not None


def test_rows_beside_are_written_with_the_intent_and_with_the_result(world: World) -> None:
    _, authority = world.service().init()
    notes = Notes(world)
    issued = world.service().issue(world.order(authority.arn), notes.beside)
    assert notes.written() == (True, True)
    assert notes.results[-1] == issued


def test_rows_beside_the_result_wait_for_the_signature(world: World) -> None:
    _, authority = world.service().init()
    notes, order = Notes(world), world.order(authority.arn)
    losing = LosingCore(world, signs=False)
    with pytest.raises(CoreUnavailable):
        world.service(core=losing).issue(order, notes.beside)  # type: ignore[arg-type]  # it signs, which is all that is asked
    assert notes.written() == (True, False)
    world.service().issue(order, notes.beside)
    assert notes.written() == (True, True)


def test_a_claim_that_has_its_certificate_still_writes_the_result(world: World) -> None:
    _, authority = world.service().init()
    order = world.order(authority.arn)
    issued = world.service().issue(order)
    notes = Notes(world)
    assert world.service().issue(order, notes.beside) == issued
    assert notes.written() == (False, True)


class Refused(Exception):
    """What a caller's rows may raise."""


@pytest.mark.parametrize("error", [Refused(), Duplicate("caller", "uq_caller")])
def test_what_rows_beside_the_intent_raise_undoes_the_intent_and_passes_through(
    world: World, error: Exception
) -> None:
    _, authority = world.service().init()

    def intent(_: Session) -> None:
        raise error

    with pytest.raises(type(error)):
        world.service().issue(world.order(authority.arn), Beside(intent, lambda _session, _issued: None))
    with world.unit().read() as session:
        assert session.exec(select(CertificateRow).where(CertificateRow.profile == "server")).all() == []
    assert world.signatures("certificate") == []


def test_nothing_goes_beside_a_certificate_of_the_deployments(quick_world: World) -> None:
    authority = quick_world.service().deployment_hierarchy()
    with pytest.raises(ValueError, match="nothing goes beside"):
        quick_world.service().issue(quick_world.order(authority.arn), Notes(quick_world).beside)
