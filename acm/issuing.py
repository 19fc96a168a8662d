"""Issuing one period of a certificate: its key, the CA's order, and the result under the same ARN."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from acm.catalogue import must_find, names_of
from acm.extensions import EXTENDED_KEY_USAGES, KEY_USAGES, read_certificate, to_bits
from acm.orders import AWS_MANAGED, PRIVATE
from acm.settings import AcmSettings
from acm.states import Happening, RenewalStatus, after
from acm.tables import Certificate
from ca import (
    AuthorityNotFound,
    AuthorityState,
    AuthorityView,
    BadKey,
    CaService,
    CertificateState,
    ClaimTaken,
    Issued,
    IssueOrder,
    OrderRefused,
)
from foundation.store import Unit, cancel, schedule
from kms.hsm import Asker, CoreClient, KeyLabel

FINAL = (AuthorityNotFound, AuthorityState, BadKey, CertificateState, ClaimTaken, OrderRefused)


class Refused(Exception):
    """The CA says no, and will say it again. `reason` is of the model's FailureReason, `detail` for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Issuing:
    """Issues periods. Every step can be repeated after a crash: the key is stored before the CA is asked, and
    the claim `acm/<certificate>/<period>` gives the same certificate for the same period."""

    def __init__(
        self,
        unit: Unit,
        asker: Asker,
        *,
        core: CoreClient,
        ca: CaService,
        now: Callable[[], datetime],
        settings: AcmSettings,
    ) -> None:
        self._unit = unit
        self._asker = asker
        self._core = core
        self._ca = ca
        self._now = now
        self._settings = settings

    def issue(self, certificate: Certificate) -> Issued:
        """Have the next period of a certificate (as read) signed.

        Raises Refused when the CA will not, ResourceNotFound when the certificate was deleted meanwhile.
        Nothing of the result is stored yet: `settle` does that in the caller's write phase.
        """
        prepared = self._prepare(certificate)
        authority_arn = prepared.next_authority_arn or ""
        try:
            authority = self._ca.authority(authority_arn)
            order = IssueOrder(
                authority_arn=authority_arn,
                public_key=prepared.next_public_key or b"",
                names=names_of(prepared),
                valid_for=self.life(authority),
                claim=f"acm/{prepared.id}/{prepared.period + 1}",
            )
            return self._ca.issue(order)
        except FINAL as no:
            raise Refused(_reason(no, prepared.type), str(no)) from no

    def life(self, authority: AuthorityView) -> timedelta:
        """How long a certificate of this authority may live from now: never beyond its issuer."""
        return min(self._settings.validity, authority.not_after - self._now())

    def _prepare(self, certificate: Certificate) -> Certificate:
        """Give the next period a key and an authority, durably, unless an earlier attempt already did."""
        if certificate.next_public_key is not None:
            return certificate
        authority_arn = certificate.authority_arn or self._ca.deployment_hierarchy().arn
        token, public_key = None, certificate.public_key
        if certificate.key_pair_origin == AWS_MANAGED:
            made = self._core.generate_key(self._label(certificate), self._asker)
            token, public_key = made.token, made.public_key

        def body(session: Session) -> Certificate:
            row = must_find(session, self._unit.scope, certificate.id)
            if row.next_public_key is not None:
                return row
            row.next_key_token, row.next_public_key = token, public_key
            row.next_authority_arn = authority_arn
            session.add(row)
            return row

        return self._unit.write(body)

    def _label(self, certificate: Certificate) -> KeyLabel:
        return KeyLabel(
            purpose="acm",
            account=self._unit.scope.account,
            region=self._unit.scope.region,
            key_id=certificate.id,
            version=certificate.period + 1,
            spec=certificate.key_algorithm,
        )

    def settle(self, session: Session, certificate: Certificate, issued: Issued) -> None:
        """Put the new certificate under the ARN, with the due times of its renewal and its end.

        Repeating it for a period that is already there changes nothing.
        """
        if certificate.serial == issued.serial:
            return
        now = self._now()
        renewing = certificate.period > 0
        certificate.status = after(certificate.status, Happening.RENEW if renewing else Happening.ISSUE)
        certificate.period += 1
        certificate.key_token, certificate.public_key = (
            certificate.next_key_token,
            certificate.next_public_key,
        )
        certificate.next_key_token = certificate.next_public_key = certificate.next_authority_arn = None
        certificate.sweep_at = None
        _write_issued(certificate, issued)
        certificate.issued_at = now
        if renewing:
            note_renewal(certificate, RenewalStatus.SUCCESS, now)
        certificate.renew_at = renewal_due(issued.not_before, issued.not_after, now, self._settings)
        session.add(certificate)
        cancel(session, "acm.issue", certificate.id)
        schedule(session, "acm.renew", certificate.id, certificate.renew_at)
        schedule(session, "acm.expire", certificate.id, issued.not_after)


def renewal_due(not_before: datetime, not_after: datetime, now: datetime, settings: AcmSettings) -> datetime:
    """When renewal starts: 45 days before the end, or after two thirds of a shorter life.

    A certificate cut short by its issuer's own end is not asked for again at once, but tomorrow.
    """
    lead = min(settings.renew_before, (not_after - not_before) / 3)
    patience = min(timedelta(days=1), (not_after - now) / 2)
    return max(not_after - lead, now + patience)


def note_renewal(
    certificate: Certificate,
    status: RenewalStatus,
    now: datetime,
    *,
    reason: str | None = None,
    detail: str | None = None,
) -> None:
    """Write down how the managed renewal stands."""
    certificate.renewal_status = status
    certificate.renewal_reason = reason
    certificate.renewal_detail = detail
    certificate.renewal_updated_at = now


def _write_issued(certificate: Certificate, issued: Issued) -> None:
    described = read_certificate(issued.certificate_pem)
    certificate.certificate_pem = issued.certificate_pem
    certificate.chain_pem = issued.chain_pem
    certificate.serial = issued.serial
    certificate.not_before = issued.not_before
    certificate.not_after = issued.not_after
    certificate.key_usages = to_bits(described.key_usages, KEY_USAGES)
    extended = (name for name, _ in described.extended_key_usages)
    certificate.extended_key_usages = to_bits(extended, EXTENDED_KEY_USAGES)


def _reason(no: Exception, certificate_type: str) -> str:
    """FailureReason: the PCA_ ones are about private CAs; what keystead's own hierarchy refuses is OTHER."""
    if certificate_type != PRIVATE:
        return "OTHER"
    if isinstance(no, AuthorityNotFound):
        return "PCA_RESOURCE_NOT_FOUND"
    if isinstance(no, AuthorityState):
        return "PCA_INVALID_STATE"
    return "PCA_INVALID_ARGS" if isinstance(no, BadKey) else "PCA_REQUEST_FAILED"
