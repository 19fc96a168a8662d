"""Where clients find what is published about an authority: its CRLs, its certificate, its OCSP responder.

A certificate names these places for as long as it lives (RFC 5280 4.2.1.13 and 4.2.2.1): they are those of its issue.
"""

import uuid
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from ca.revocation_settings import SHARDS, RevocationSettings, read_settings

COMPLETE = 0
"""The shard that is no partition: the complete CRL."""


@dataclass(frozen=True, slots=True)
class Locations:
    """Absolute URLs. `crl` and `ocsp` are None where the authority's configuration puts none into certificates."""

    issuer: str  # the authority's certificate, DER (caIssuers)
    crl: str | None
    ocsp: str | None


def locations(
    authority_id: str,
    settings: RevocationSettings,
    shard: int | None,
    public_url: str,
    bucket_url: str | None,
) -> Locations:
    """Where a certificate of this authority and shard points.

    public_url: of this service, without a trailing slash. bucket_url: of the sink's bucket, if clients can read there.
    """
    named = settings.crl and not settings.omit_crl_url and shard is not None
    return Locations(
        issuer=f"{public_url}/pki/{authority_id}.crt",
        crl=crl_url(authority_id, settings, shard, public_url, bucket_url)
        if named and shard is not None
        else None,
        ocsp=ocsp_url(authority_id, settings, public_url) if settings.ocsp else None,
    )


def crl_url(
    authority_id: str, settings: RevocationSettings, shard: int, public_url: str, bucket_url: str | None
) -> str:
    """The URL of a shard's CRL: at the CNAME, else in the bucket, else under /pki/ of this service."""
    if settings.cname is not None:
        return f"http://{settings.cname.rstrip('/')}/{object_key(authority_id, settings, shard)}"
    if settings.bucket is not None and bucket_url is not None:
        return f"{bucket_url}/{object_key(authority_id, settings, shard)}"
    base = public_url if shard == COMPLETE else settings.public_url or public_url
    return f"{base}/pki/{authority_id}{'' if shard == COMPLETE else '/' + partition_name(authority_id, shard)}.crl"


def ocsp_url(authority_id: str, settings: RevocationSettings, public_url: str) -> str:
    """The URL of the authority's OCSP responder, at its CNAME where it has one."""
    base = public_url if settings.ocsp_cname is None else f"http://{settings.ocsp_cname.rstrip('/')}"
    return f"{base}/pki/{authority_id}/ocsp"


def object_key(authority_id: str, settings: RevocationSettings, shard: int) -> str:
    """The key of a CRL in its bucket (Private CA guide, "Determining the CRL distribution point URI")."""
    if shard == COMPLETE:
        return f"{settings.path or 'crl'}/{authority_id}.crl"
    folder = settings.path or f"crl/{authority_id}"
    return f"{folder}/{partition_name(authority_id, shard)}.crl"


@lru_cache(maxsize=4096)
def partition_name(authority_id: str, shard: int) -> str:
    """The GUID of a partition: it says nothing of how many there are, and is the same each time."""
    return str(uuid.uuid5(uuid.UUID(authority_id), f"partition {shard}"))


def partition_named(authority_id: str, name: str) -> int | None:
    """The shard whose GUID this is."""
    return next((n for n in range(1, SHARDS + 1) if partition_name(authority_id, n) == name), None)


def shard_of(serial: int, settings: RevocationSettings) -> int | None:
    """The shard that a certificate of this serial gets; serials are random, so the shards fill evenly."""
    if not settings.crl:
        return None
    return 1 + serial % SHARDS if settings.partitioned else COMPLETE


@lru_cache(maxsize=4096)
def pointers(
    authority_id: str, revocation: str, shard: int | None, public_url: str, bucket_url: str | None
) -> tuple[x509.ExtensionType, ...]:
    """The extensions that say so, made once: AuthorityInformationAccess, and CRLDistributionPoints if there is one.

    revocation: `AuthorityRow.revocation`. Neither extension is critical.
    """
    found = locations(authority_id, read_settings(revocation), shard, public_url, bucket_url)
    access = [(AuthorityInformationAccessOID.CA_ISSUERS, found.issuer)]
    if found.ocsp is not None:
        access.insert(0, (AuthorityInformationAccessOID.OCSP, found.ocsp))
    described = [x509.AccessDescription(how, x509.UniformResourceIdentifier(url)) for how, url in access]
    information = x509.AuthorityInformationAccess(described)
    if found.crl is None:
        return (information,)
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(found.crl)], None, None, None)
    return information, x509.CRLDistributionPoints([point])
