"""What a lint looks at, and how it says no."""

from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar, cast

from cryptography import x509

from ca.profiles import Profile

T = TypeVar("T", bound=x509.ExtensionType)


class Broken(Exception):
    """The rule is broken; `str()` says how, for people. `ca.lints` adds which rule it was."""


@dataclass(frozen=True, slots=True)
class Case:
    """A certificate as it would be issued, signed by a throw-away key; its issuer's (a root's is itself); its profile.

    `above` are the CAs above the issuer.
    """

    certificate: x509.Certificate
    issuer: x509.Certificate
    profile: Profile
    above: tuple[x509.Certificate, ...] = ()


def extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    """The value of the extension of that kind, if the certificate has it."""
    return cast("T | None", _by_oid(certificate).get(kind.oid))


@lru_cache(maxsize=1024)
def _by_oid(certificate: x509.Certificate) -> dict[x509.ObjectIdentifier, x509.ExtensionType]:
    """Once for all rules: pyca's own search by class costs each question ten times as much."""
    return {each.oid: each.value for each in certificate.extensions}


def dns_names(certificate: x509.Certificate) -> list[str]:
    """The DNS names of the subjectAltName, in order."""
    names = extension(certificate, x509.SubjectAlternativeName)
    return [] if names is None else names.get_values_for_type(x509.DNSName)
