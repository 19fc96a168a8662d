"""GeneralName, the API's form and X.509's (RFC 5280 4.2.1.6)."""

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography import x509

from ca.pca.errors import InvalidArgs
from ca.pca.subjects import name_of

_UTF8_STRING: Final = 0x0C
_LONG: Final = 0x80


def general_name(asked: Mapping[str, Any]) -> x509.GeneralName:
    """The name. Raises InvalidArgs unless exactly one kind is given, and it is one that can be said."""
    if len(asked) != 1:
        raise InvalidArgs("A GeneralName holds exactly one of its members")
    ((kind, value),) = asked.items()
    if kind not in _KINDS:
        raise InvalidArgs(f"keystead issues no names of kind {kind}")
    try:
        return _KINDS[kind](value)
    except ValueError as error:
        raise InvalidArgs(f"{kind}: {error}") from error


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        raise ValueError("a certificate cannot say the zone of an address (RFC 4007 11)")
    return address


def _other_name(asked: Mapping[str, str]) -> x509.OtherName:
    return x509.OtherName(x509.ObjectIdentifier(asked["TypeId"]), _utf8_string(asked["Value"]))


def _utf8_string(text: str) -> bytes:
    content = text.encode()
    length = len(content)
    if length < _LONG:
        return bytes((_UTF8_STRING, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((_UTF8_STRING, _LONG | size)) + length.to_bytes(size, "big") + content


_KINDS: Final[Mapping[str, Callable[[Any], x509.GeneralName]]] = {
    "DnsName": x509.DNSName,
    "IpAddress": lambda text: x509.IPAddress(_address(text)),
    "Rfc822Name": x509.RFC822Name,
    "UniformResourceIdentifier": x509.UniformResourceIdentifier,
    "DirectoryName": lambda subject: x509.DirectoryName(name_of(subject)),
    "RegisteredId": lambda text: x509.RegisteredID(x509.ObjectIdentifier(text)),
    "OtherName": _other_name,
}
"""How each member becomes a name. EdiPartyName has none: nothing reads it."""
