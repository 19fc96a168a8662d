"""The API's CertificateAuthority structure."""

import json

from ca.pca.context import Kept
from ca.revocation_settings import shown_settings
from foundation.wire import Params


def description(kept: Kept) -> Params:
    """What DescribeCertificateAuthority and ListCertificateAuthorities say of an authority."""
    row, configuration = kept.row, kept.configuration
    made: Params = {
        "KeyAlgorithm": row.key_spec,
        "SigningAlgorithm": configuration.signing_algorithm,
        "Subject": json.loads(configuration.subject),
    }
    if configuration.csr_extensions is not None:
        made["CsrExtensions"] = json.loads(configuration.csr_extensions)
    answer: Params = {
        "Arn": kept.arn,
        "OwnerAccount": row.account,
        "CreatedAt": row.created_at,
        "LastStateChangeAt": configuration.changed_at,
        "Type": row.kind,
        "Status": kept.status,
        "CertificateAuthorityConfiguration": made,
        "RevocationConfiguration": shown_settings(row.revocation),
        "KeyStorageSecurityStandard": configuration.key_storage,
        "UsageMode": configuration.usage_mode,
    }
    optional = {
        "Serial": row.serial,
        "NotBefore": row.not_before,
        "NotAfter": row.not_after,
        "RestorableUntil": configuration.restorable_until,
    }
    return answer | {name: value for name, value in optional.items() if value is not None}
