"""Finding certificates in the caller's account and Region, and turning rows into views."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from sqlmodel import Session, col, select

from acm.arns import certificate_arn
from acm.domain_records import record_name, records_of
from acm.errors import ResourceNotFound
from acm.extensions import EXTENDED_KEY_USAGES, KEY_USAGES, from_bits
from acm.settings import AcmSettings
from acm.states import DomainStatus, RenewalStatus, Status
from acm.tables import Certificate, CertificateDomain, DomainRecord
from acm.views import CertificateView, DomainView, RenewalView
from foundation.store import Scope


def find(session: Session, certificate_id: str) -> Certificate | None:
    """The certificate's row, if it (still) exists in the session's scope."""
    return session.exec(select(Certificate).where(Certificate.id == certificate_id)).one_or_none()


def must_find(session: Session, scope: Scope, certificate_id: str) -> Certificate:
    """The certificate's row; raise ResourceNotFound naming its ARN."""
    certificate = find(session, certificate_id)
    if certificate is None:
        raise ResourceNotFound(f"Could not find certificate {certificate_arn(scope, certificate_id)}.")
    return certificate


def domains_of(session: Session, certificate_ids: Iterable[str]) -> list[CertificateDomain]:
    """The names of these certificates, each certificate's in the order of its request."""
    wanted = col(CertificateDomain.certificate_id).in_(list(certificate_ids))
    order = (col(CertificateDomain.certificate_id), col(CertificateDomain.position))
    return list(session.exec(select(CertificateDomain).where(wanted).order_by(*order)))


def names_of(certificate: Certificate) -> tuple[str, ...]:
    """The certificate's names, its domain name first."""
    return tuple(json.loads(certificate.names))


def view_of(
    session: Session, scope: Scope, certificate: Certificate, settings: AcmSettings
) -> CertificateView:
    """Everything about one certificate, as one frozen value that outlives the session."""
    domains = domains_of(session, [certificate.id])
    proven_by_dns = certificate.validation_method is not None
    records = records_of(session, (domain.record_domain for domain in domains)) if proven_by_dns else {}
    return build_view(scope, certificate, domains, records, settings)


def build_view(
    scope: Scope,
    certificate: Certificate,
    domains: Sequence[CertificateDomain],
    records: Mapping[str, DomainRecord],
    settings: AcmSettings,
) -> CertificateView:
    """Rows as the view that Describe, List and /v1 read."""
    return CertificateView(
        id=certificate.id,
        arn=certificate_arn(scope, certificate.id),
        status=Status(certificate.status),
        type=certificate.type,
        failure_reason=certificate.failure_reason,
        failure_detail=certificate.failure_detail,
        domain_name=certificate.domain_name,
        names=names_of(certificate),
        domains=tuple(_domain_view(domain, records.get(domain.record_domain)) for domain in domains),
        key_algorithm=certificate.key_algorithm,
        key_pair_origin=certificate.key_pair_origin,
        authority_arn=certificate.authority_arn,
        validation_method=certificate.validation_method,
        transparency=certificate.transparency,
        export=certificate.export,
        managed_by=certificate.managed_by,
        created_at=certificate.created_at,
        issued_at=certificate.issued_at,
        certificate_pem=certificate.certificate_pem,
        chain_pem=certificate.chain_pem,
        serial=colon_hex(certificate.serial),
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        key_usages=from_bits(certificate.key_usages, KEY_USAGES),
        extended_key_usages=from_bits(certificate.extended_key_usages, EXTENDED_KEY_USAGES),
        renewal=_renewal_view(certificate),
        renewal_eligible=certificate.status == Status.ISSUED and settings.renewal_eligible == "always",
        renews_at=certificate.renew_at,
    )


def colon_hex(serial: str | None) -> str | None:
    """A serial number as ACM writes it: two hex digits at a time, colons between."""
    if serial is None:
        return None
    even = serial.zfill(len(serial) + len(serial) % 2)
    return ":".join(even[place : place + 2] for place in range(0, len(even), 2))


def _domain_view(domain: CertificateDomain, record: DomainRecord | None) -> DomainView:
    return DomainView(
        name=domain.name,
        validation_domain=domain.validation_domain,
        cname_name=record_name(record) if record else None,
        cname_value=record.target if record else None,
        status=DomainStatus(domain.status),
        detail=domain.detail,
        published_at=record.published_at if record else None,
        publish_error=record.publish_error if record else None,
        renewal_status=DomainStatus(domain.renewal_status) if domain.renewal_status else None,
        renewal_detail=domain.renewal_detail,
    )


def _renewal_view(certificate: Certificate) -> RenewalView | None:
    if certificate.renewal_status is None or certificate.renewal_updated_at is None:
        return None
    return RenewalView(
        status=RenewalStatus(certificate.renewal_status),
        reason=certificate.renewal_reason,
        detail=certificate.renewal_detail,
        updated_at=certificate.renewal_updated_at,
    )
