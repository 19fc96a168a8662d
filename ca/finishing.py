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
from foundation.store import Claim, Scope, Unit, schedule_once

FINISH_JOB: Final = "ca.finish"
PATIENCE: Final = timedelta(seconds=30)
"""How long the caller that made an intent has for signing it itself."""
SPAN: Final = timedelta(seconds=10)
"""The job looks after all intents of such a span at once: one due row for them, not one for each."""
MOST: Final = 500
"""Intents that one run of the job finishes."""


def finished_later(unit: Unit, now: datetime, spans: dict[Scope, int]) -> RowsBeside:
    """What goes beside an issuance in the unit's scope so that the job finishes it if its caller does not.

    `spans` is shared by the calls of a process: the newest span of each scope whose due row is known to be committed.
    """
    number = int(now.timestamp() // SPAN.total_seconds()) + 1
    due = datetime.fromtimestamp(number * SPAN.total_seconds(), UTC) + PATIENCE

    def intent(session: Session) -> None:
        if spans.get(unit.scope) != number:
            schedule_once(session, FINISH_JOB, str(number), due)

    def result(_session: Session, _kept: KeptCertificate, _authority: AuthorityRow) -> None:
        spans[unit.scope] = number  # the intent's commit is behind; the row stays, for others of the span

    return RowsBeside(intent, result)


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
