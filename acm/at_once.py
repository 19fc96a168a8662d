"""A CSR under a private CA, issued within the call that asks: ACM's rows go into the CA's own two commits."""

from __future__ import annotations

from sqlmodel import Session

from acm.catalogue import find
from acm.errors import InvalidParameter
from acm.first_issue import FirstIssue
from acm.issuing import FINAL, Issuing
from acm.orders import Order
from acm.placing import Placing
from acm.states import Status
from ca import AuthorityView, Beside, CaService, Issued, IssueOrder
from foundation.store import cancel


class _TokenKnown(Exception):
    """The order's token stands for another certificate already, which a racing call has just placed."""

    def __init__(self, certificate_id: str) -> None:
        super().__init__(certificate_id)
        self.certificate_id = certificate_id


class AtOnce:
    """Issues such orders. Should the process die after the first commit, acm.issue makes the certificate."""

    def __init__(self, placing: Placing, first_issue: FirstIssue, issuing: Issuing, ca: CaService) -> None:
        self._placing = placing
        self._first_issue = first_issue
        self._issuing = issuing
        self._ca = ca

    def issue(self, order: Order, authority: AuthorityView) -> str:
        """Store and issue the order; return its certificate's id.

        Raises InvalidParameter, with nothing stored, when the CA refuses.
        """
        known = self._placing.known(order)
        if known is None:
            try:
                return self._issue(order, authority)
            except _TokenKnown as other:
                known = other.certificate_id
        self._first_issue.complete(known)
        return known

    def _issue(self, order: Order, authority: AuthorityView) -> str:
        assert order.public_key is not None
        public_key = order.public_key
        placed = self._placing.prepare(order, issued_in_call=True)

        def intent(session: Session) -> None:
            stored = placed.write(session)
            if stored != placed.certificate_id:
                raise _TokenKnown(stored)
            row = find(session, stored)
            assert row is not None
            row.next_public_key, row.next_authority_arn = public_key, authority.arn
            session.add(row)

        def result(session: Session, issued: Issued) -> None:
            row = find(session, placed.certificate_id)
            cancel(session, "acm.issue", placed.certificate_id)
            if row is not None and row.status == Status.PENDING_VALIDATION:
                self._issuing.settle(session, row, issued)

        wanted = IssueOrder(
            authority_arn=authority.arn,
            public_key=public_key,
            names=tuple(name.name for name in order.names),
            valid_for=self._issuing.life(authority),
            claim=f"acm/{placed.certificate_id}/1",
        )
        try:
            self._ca.issue(wanted, Beside(intent, result))
        except FINAL as no:
            raise InvalidParameter(f"The private CA refuses: {no}") from no
        return placed.certificate_id
