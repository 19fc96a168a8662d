"""What an authority says of revocation: the model's RevocationConfiguration, as the CA itself reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

SHARDS: Final = 16
"""Partitions of a partitioned CRL, for an authority's whole life: of a million revoked certificates each lists 62,500."""

OWN: Final = '{"CrlConfiguration": {"Enabled": true}, "OcspConfiguration": {"Enabled": false}}'
"""Of the hierarchies that keystead makes for an account: a complete CRL under /pki/, and OCSP when it is asked for."""

DEPLOYMENTS: Final = '{"CrlConfiguration": {"Enabled": true}, "OcspConfiguration": {"Enabled": true}}'
"""Of the deployment's own hierarchy, which no API call can switch anything on for."""


@dataclass(frozen=True, slots=True)
class RevocationSettings:
    """`AuthorityRow.revocation`, read. What is switched off has the defaults of its part.

    `public_url` is the address that partitions are named by, where it is pinned: what their CRLs say must be what
    certificates say (see `ca.publishing`).
    """

    crl: bool = False
    partitioned: bool = False
    expiration_days: int | None = None
    cname: str | None = None
    bucket: str | None = None
    path: str | None = None
    public_read: bool = True
    omit_crl_url: bool = False
    ocsp: bool = False
    ocsp_cname: str | None = None
    public_url: str | None = None

    def at(self, public_url: str) -> "RevocationSettings":
        """The same, with partitions named by another address."""
        return replace(self, public_url=public_url)


@lru_cache(maxsize=1024)
def read_settings(revocation: str) -> RevocationSettings:
    """The settings of an authority's row (JSON). Cheap: issuance asks each time."""
    kept: Mapping[str, Any] = json.loads(revocation)
    crl, ocsp = kept.get("CrlConfiguration") or {}, kept.get("OcspConfiguration") or {}
    return RevocationSettings(
        crl=crl.get("Enabled", False),
        partitioned=crl.get("CrlType") == "PARTITIONED",
        expiration_days=crl.get("ExpirationInDays"),
        cname=crl.get("CustomCname") or None,
        bucket=crl.get("S3BucketName"),
        path=(crl.get("CustomPath") or "").strip("/") or None,
        public_read=crl.get("S3ObjectAcl", "PUBLIC_READ") == "PUBLIC_READ",
        omit_crl_url=crl.get("CrlDistributionPointExtensionConfiguration", {}).get("OmitExtension", False),
        ocsp=ocsp.get("Enabled", False),
        ocsp_cname=ocsp.get("OcspCustomCname") or None,
        public_url=kept.get("PublicUrl"),
    )


def shown_settings(revocation: str) -> dict[str, Any]:
    """The model's RevocationConfiguration of an authority's row, for those who ask the API."""
    kept = json.loads(revocation)
    return {part: kept.get(part, {"Enabled": False}) for part in ("CrlConfiguration", "OcspConfiguration")}


def generation_of(authority_id: str) -> str:
    """The generation that is raised with what OCSP says of an authority: its revocations, its configuration, its state."""
    return f"ca.revoked/{authority_id}"
