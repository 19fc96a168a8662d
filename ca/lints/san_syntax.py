"""Each subjectAltName has the form of its kind (RFC 5280 4.2.1.6), whichever profile; `san_names` is stricter for servers."""

import ipaddress
import re
from urllib.parse import urlsplit

from cryptography import x509

from ca.lints.case import Broken, Case, extension

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # an underscore, for what is no host (RFC 8552)
_HOST = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)*{_LABEL}")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_PRINTABLE = re.compile(r"[\x21-\x7e]+")


def check(case: Case) -> None:
    for name in extension(case.certificate, x509.SubjectAlternativeName) or ():
        check_form(name)


def check_form(name: x509.GeneralName) -> None:
    """Raise Broken for a name that has not the form of its kind."""
    if isinstance(name, x509.DNSName) and not _is_host(name.value):
        raise Broken(f"{name.value[:80]!r} is no DNS name")
    if isinstance(name, x509.RFC822Name) and not _is_mail(name.value):
        raise Broken(f"{name.value[:80]!r} is no mail address")
    if isinstance(name, x509.UniformResourceIdentifier) and not is_uri(name.value):
        raise Broken(f"{name.value[:80]!r} is no absolute URI")
    if isinstance(name, x509.IPAddress) and isinstance(
        name.value, ipaddress.IPv4Network | ipaddress.IPv6Network
    ):
        raise Broken(f"{name.value} is a network and no address")


def _is_host(text: str) -> bool:
    return len(text) <= 253 and _HOST.fullmatch(text) is not None


def _is_mail(text: str) -> bool:
    local, at, host = text.rpartition("@")
    return bool(at) and _LOCAL.fullmatch(local) is not None and _is_host(host) and not host.startswith("*")


def is_uri(text: str) -> bool:
    """A scheme and something after it, in printable ASCII without spaces."""
    if _PRINTABLE.fullmatch(text) is None:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) and bool(parts.netloc or parts.path)
