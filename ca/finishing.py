"""The job "ca.finish": a certificate whose intent was committed and whose signing was cut short is signed after all."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from cryptography import x509
from sqlmodel import Session, col, select

from ca.certificates import KeptCertificate
from ca.errors import CaError
from ca.issue import Issuance, RowsBeside
from ca.lints.case import extension
from ca.profiles import Profile, key_usage_names
from ca.tables import AuthorityRow, CertificateRow
from ca.templates import LONGEST, TEMPLATES
from foundation.store import Claim, Unit, schedule_once

FINISH_JOB: Final = "ca.finish"
PATIENCE: Final = timedelta(seconds=30)
"""How long the caller that made an intent has for signing it itself."""
SPAN: Final = timedelta(seconds=10)
"""The job looks after all intents of such a span at once: one due row for them, not one for each."""
MOST: Final = 500
"""Intents that one run of the job finishes."""


def finished_later(now: Callable[[], datetime]) -> RowsBeside:
    """What goes beside issuances so that the job finishes those whose callers do not."""

    def intent(session: Session) -> None:
        number = int(now().timestamp() // SPAN.total_seconds()) + 1
        ends = datetime.fromtimestamp(number * SPAN.total_seconds(), UTC)
        schedule_once(session, FINISH_JOB, str(number), ends + PATIENCE)

    return RowsBeside(intent, _nothing)


def finish(unit: Unit, issuance: Issuance, claim: Claim, now: Callable[[], datetime]) -> None:
    """Sign the scope's intents by templates that have waited for too long, unless they may be signed no longer."""
    with unit.read() as session:
        late = select(CertificateRow).where(
            CertificateRow.status == "INTENT", CertificateRow.created_at <= now() - PATIENCE
        )
        rows = session.exec(late.order_by(col(CertificateRow.created_at).desc()).limit(MOST)).all()
    for row in rows:
        if row.profile in TEMPLATES:
            with suppress(CaError):  # its authority is disabled, say: the certificate stays in progress
                issuance.resume(KeptCertificate.of(row), profile_of)
    unit.write(claim.finish)


def _nothing(_session: Session, _kept: KeptCertificate, _authority: AuthorityRow) -> None:
    """The due row stays: others' intents may be of the same span."""


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
