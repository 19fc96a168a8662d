"""The job "ca.finish": a certificate whose intent was committed and whose signing was cut short is signed after all."""

from collections.abc import Callable
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

from cryptography import x509
from sqlmodel import Session, select

from ca.errors import CaError
from ca.issue import Issuance, RowsBeside
from ca.lints.case import extension
from ca.profiles import Profile, key_usage_names
from ca.tables import AuthorityRow, CertificateRow
from ca.templates import LONGEST, TEMPLATES
from foundation.store import Claim, Unit, cancel, schedule

FINISH_JOB: Final = "ca.finish"
PATIENCE: Final = timedelta(seconds=30)
"""How long the caller that made the intent has for signing it itself."""


def finished_later(claim: str, now: Callable[[], datetime]) -> RowsBeside:
    """What goes beside an issuance so that the job finishes it if its caller does not."""

    def intent(session: Session) -> None:
        schedule(session, FINISH_JOB, claim, now() + PATIENCE)

    def result(session: Session, _row: CertificateRow, _authority: AuthorityRow) -> None:
        cancel(session, FINISH_JOB, claim)

    return RowsBeside(intent, result)


def finish(unit: Unit, issuance: Issuance, claim: Claim) -> None:
    """Sign what the claim's subject names, unless it is signed, revoked, or may be signed no longer."""
    with unit.read() as session:
        of = CertificateRow.claim == claim.subject
        row = session.exec(select(CertificateRow).where(of)).one_or_none()
    if row is not None and row.status == "INTENT" and row.profile in TEMPLATES:

        def result(session: Session, _row: CertificateRow, _authority: AuthorityRow) -> None:
            claim.finish(session)

        try:
            issuance.resume(row, profile_of, RowsBeside(claim.finish, result))
        except CaError:  # its authority is disabled, say: the certificate stays in progress
            unit.write(claim.finish)
    else:
        unit.write(claim.finish)


def profile_of(name: str, certificate: x509.Certificate) -> Profile:
    """The profile that a certificate of a template was drawn up by, read from the draft; the issuer's rules judge anew."""
    template = TEMPLATES[name]
    usage = extension(certificate, x509.KeyUsage)
    purposes = extension(certificate, x509.ExtendedKeyUsage)
    return Profile(
        name=name,
        ca=template.ca,
        path_length=template.path_length,
        key_usage=frozenset() if usage is None else key_usage_names(usage),
        rsa_key_usage=frozenset(),
        extended_key_usage=frozenset(purposes or ()),
        extensions=MappingProxyType({each.oid: each.critical for each in certificate.extensions}),
        max_validity=LONGEST,
        self_signed=template.root,
        any_names=True,
    )
