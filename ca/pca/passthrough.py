"""ApiPassthrough and a signing request's own extensions, as values that a template may take."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from ca.csr import ProvenRequest
from ca.errors import OrderRefused
from ca.extension_values import read_extension
from ca.pca.errors import InvalidArgs
from ca.pca.lifecycle import KEY_USAGES
from ca.pca.names import general_name
from ca.profiles import key_usage
from ca.templates import Value

PURPOSES: Final = {
    "SERVER_AUTH": ExtendedKeyUsageOID.SERVER_AUTH,
    "CLIENT_AUTH": ExtendedKeyUsageOID.CLIENT_AUTH,
    "CODE_SIGNING": ExtendedKeyUsageOID.CODE_SIGNING,
    "EMAIL_PROTECTION": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "TIME_STAMPING": ExtendedKeyUsageOID.TIME_STAMPING,
    "OCSP_SIGNING": ExtendedKeyUsageOID.OCSP_SIGNING,
    "SMART_CARD_LOGIN": ExtendedKeyUsageOID.SMARTCARD_LOGON,
    "DOCUMENT_SIGNING": x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # RFC 9336
    "CERTIFICATE_TRANSPARENCY": ExtendedKeyUsageOID.CERTIFICATE_TRANSPARENCY,
}


def of_request(proven: ProvenRequest) -> tuple[Value, ...]:
    """The extensions that the signing request asks for."""
    return tuple((each.value, each.critical) for each in proven.request.extensions)


def of_api(extensions: Mapping[str, Any]) -> tuple[Value, ...]:
    """The extensions of ApiPassthrough. Raises InvalidArgs for what cannot be said, and for one asked for twice."""
    try:
        values = [*_known(extensions), *(_custom(each) for each in extensions.get("CustomExtensions", ()))]
    except (ValueError, OrderRefused) as error:
        raise InvalidArgs(f"ApiPassthrough cannot be said in X.509: {error}") from error
    if len({value.oid for value, _ in values}) != len(values):
        raise InvalidArgs("ApiPassthrough asks for one extension twice")
    return tuple(values)


def _known(extensions: Mapping[str, Any]) -> list[Value]:
    values: list[Value] = []
    if "KeyUsage" in extensions:
        on = frozenset(KEY_USAGES[name] for name, set_ in extensions["KeyUsage"].items() if set_)
        values.append((key_usage(on), True))
    if "ExtendedKeyUsage" in extensions:
        purposes = [_purpose(each) for each in extensions["ExtendedKeyUsage"]]
        values.append((x509.ExtendedKeyUsage(purposes), False))
    if "SubjectAlternativeNames" in extensions:
        names = [general_name(each) for each in extensions["SubjectAlternativeNames"]]
        values.append((x509.SubjectAlternativeName(names), False))
    if "CertificatePolicies" in extensions:
        policies = [_policy(each) for each in extensions["CertificatePolicies"]]
        values.append((x509.CertificatePolicies(policies), False))
    return values


def _purpose(asked: Mapping[str, Any]) -> x509.ObjectIdentifier:
    if len(asked) != 1:
        raise InvalidArgs("An ExtendedKeyUsage is either a type or an object identifier")
    if "ExtendedKeyUsageType" in asked:
        return PURPOSES[asked["ExtendedKeyUsageType"]]
    return x509.ObjectIdentifier(asked["ExtendedKeyUsageObjectIdentifier"])


def _policy(asked: Mapping[str, Any]) -> x509.PolicyInformation:
    qualifiers: list[str | x509.UserNotice] = [
        each["Qualifier"]["CpsUri"] for each in asked.get("PolicyQualifiers", ())
    ]
    return x509.PolicyInformation(x509.ObjectIdentifier(asked["CertPolicyId"]), qualifiers or None)


def _custom(asked: Mapping[str, Any]) -> Value:
    oid = x509.ObjectIdentifier(asked["ObjectIdentifier"])
    return read_extension(oid, b64decode(asked["Value"])), asked.get("Critical", False)
