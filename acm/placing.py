"""Placing an order: certificate, names, CNAMEs, tags, due work and idempotency token in one commit."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from acm.catalogue import find
from acm.domain_records import draw, keep_records, record_name
from acm.errors import InvalidParameter
from acm.orders import Order
from acm.ports import RecordPublisher
from acm.states import DomainStatus, Status
from acm.tables import Certificate, CertificateDomain, DomainRecord
from acm.tags import put_tags
from foundation.store import Duplicate, Scope, TokenReused, Unit, recall, remember, schedule

OPERATION = "acm:RequestCertificate"
TOKEN_LIFE = timedelta(hours=1)  # TRAPS 27
FIRST_CHECK = timedelta(seconds=1)
# A CSR under a private CA is issued within the call; should the call die, the job finishes it after this.
RESCUE = timedelta(seconds=30)
_ROUNDS = 4  # two callers meeting at one new domain or token: the second finds the winner's row


@dataclass(frozen=True, slots=True)
class Placed:
    """An order about to be stored. `write` returns `certificate_id`, or the id that its token stands for."""

    certificate_id: str
    write: Callable[[Session], str]


class Placing:
    """Stores orders. `publisher` says which CNAMEs keystead can publish by itself; None: none."""

    def __init__(
        self,
        unit: Unit,
        publisher: RecordPublisher | None,
        now: Callable[[], datetime],
        entropy: Callable[[int], bytes],
    ) -> None:
        self._unit = unit
        self._publisher = publisher
        self._now = now
        self._entropy = entropy

    def place(self, order: Order) -> str:
        """Store the order and return its certificate's id; the same token gives the same id for an hour,
        unless that certificate was deleted.

        Raises InvalidParameter when the token came before with another request.
        """
        body = self.prepare(order).write
        for _ in range(_ROUNDS - 1):
            try:
                return self._unit.write(body)
            except Duplicate:
                continue
        return self._unit.write(body)

    def prepare(self, order: Order, *, issued_in_call: bool = False) -> Placed:
        """Draw what the order needs; `write` then stores it in a write phase, which may be repeated."""
        certificate_id = str(uuid.UUID(bytes=self._entropy(16), version=4))
        drawn = {name.record_domain: draw(self._entropy) for name in order.names}
        now = self._now()

        def write(session: Session) -> str:
            known = _known(session, order, now)
            if known is not None:
                return known
            self._store(session, order, certificate_id, now)
            if order.authority_arn is not None:
                first = now + RESCUE if issued_in_call else now
                schedule(session, "acm.issue", certificate_id, first)
            else:
                records = keep_records(session, self._unit.scope.account, drawn, now)
                self._publish(session, records, now)
                schedule(session, "acm.validate", certificate_id, now + FIRST_CHECK)
            if order.token is not None:
                digest, expiry = order.digest(), now + TOKEN_LIFE
                remember(session, OPERATION, order.token, digest, certificate_id, expiry, now=now)
            return certificate_id

        return Placed(certificate_id, write)

    def known(self, order: Order) -> str | None:
        """The certificate that the order's token stands for already; raises as `place` does."""
        if order.token is None:
            return None
        with self._unit.read() as session:
            return _known(session, order, self._now())

    def _store(self, session: Session, order: Order, certificate_id: str, now: datetime) -> None:
        scope = self._unit.scope
        session.add(_certificate_row(scope, order, certificate_id, now))
        for position, name in enumerate(order.names):
            row = CertificateDomain(
                account=scope.account,
                region=scope.region,
                certificate_id=certificate_id,
                position=position,
                name=name.name,
                record_domain=name.record_domain,
                validation_domain=name.validation_domain,
                status=DomainStatus.PENDING_VALIDATION,
            )
            session.add(row)
        put_tags(session, scope, certificate_id, order.tags)

    def _publish(self, session: Session, records: Mapping[str, DomainRecord], now: datetime) -> None:
        for domain, record in records.items():
            if self._publisher is not None and self._publisher.zone_for(record_name(record)):
                schedule(session, "acm.publish", domain, now)


def _known(session: Session, order: Order, now: datetime) -> str | None:
    if order.token is None:
        return None
    try:
        known = recall(session, OPERATION, order.token, order.digest(), now)
    except TokenReused as reused:
        raise InvalidParameter(
            f"The idempotency token {order.token} was used within the last hour for another request"
        ) from reused
    return known if known is not None and find(session, known) is not None else None


def _certificate_row(scope: Scope, order: Order, certificate_id: str, now: datetime) -> Certificate:
    return Certificate(
        account=scope.account,
        region=scope.region,
        id=certificate_id,
        status=Status.PENDING_VALIDATION,
        type=order.type,
        domain_name=order.names[0].name,
        names=json.dumps([name.name for name in order.names]),
        key_algorithm=order.key_algorithm,
        key_pair_origin=order.key_pair_origin,
        authority_arn=order.authority_arn,
        validation_method=order.validation_method,
        transparency=order.transparency,
        export=order.export,
        managed_by=order.managed_by,
        public_key=order.public_key,
        created_at=now,
    )
