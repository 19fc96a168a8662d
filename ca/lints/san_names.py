"""DNS names only (but for profiles of any names), in preferred name syntax (RFC 1034 3.5), lower-case A-labels, none twice, a wildcard only leftmost."""

import re

from cryptography import x509

from ca.lints.case import Broken, Case, extension

MOST_OCTETS = 253
_NAME = re.compile(
    r"(?:\*\.(?=.))?(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)


def check(case: Case) -> None:
    names = extension(case.certificate, x509.SubjectAlternativeName)
    if case.profile.any_names and names is not None and len(set(names)) != len(list(names)):
        raise Broken("a subjectAltName occurs twice")
    if case.profile.ca or case.profile.any_names:
        return
    if names is None or not list(names):
        raise Broken("a server certificate needs a DNS name")
    for name in names:
        if not isinstance(name, x509.DNSName):
            raise Broken(f"a subjectAltName is a {type(name).__name__}, and only DNS names are issued")
        _check_name(name.value)
    if len({name.value for name in names}) != len(list(names)):
        raise Broken("a subjectAltName occurs twice")


def _check_name(name: str) -> None:
    if len(name) > MOST_OCTETS or _NAME.fullmatch(name) is None:
        raise Broken(f"{name[:80]!r} is not a DNS name in its normal form")
    if name.rsplit(".", 1)[-1].isdigit():
        raise Broken(f"{name!r} looks like an IP address, not a DNS name")
