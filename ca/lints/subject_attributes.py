"""Each attribute of the subject has the string type and length of its kind (RFC 5280 4.1.2.4 and appendix A), and no NUL."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from ca import der
from ca.lints.case import Broken, Case

_PRINTABLE, _IA5 = 0x13, 0x16
_PRINTABLE_OCTETS: Final = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"  # X.680 41.4
)
# Kinds that are no DirectoryString: their one type. All others may have any.
_TYPE: Final = MappingProxyType(
    {
        NameOID.COUNTRY_NAME: _PRINTABLE,
        NameOID.SERIAL_NUMBER: _PRINTABLE,
        NameOID.DN_QUALIFIER: _PRINTABLE,
        NameOID.DOMAIN_COMPONENT: _IA5,
        NameOID.EMAIL_ADDRESS: _IA5,
    }
)
_NAMES: Final = MappingProxyType({_PRINTABLE: "PrintableString", _IA5: "IA5String"})
# Upper bounds in characters. `common_name_in_san` has the CN's of end entities.
_MOST: Final = MappingProxyType(
    {
        NameOID.COUNTRY_NAME: 2,
        NameOID.STATE_OR_PROVINCE_NAME: 128,
        NameOID.LOCALITY_NAME: 128,
        NameOID.ORGANIZATION_NAME: 64,
        NameOID.ORGANIZATIONAL_UNIT_NAME: 64,
        NameOID.SERIAL_NUMBER: 64,
        NameOID.TITLE: 64,
        NameOID.PSEUDONYM: 128,
        NameOID.EMAIL_ADDRESS: 255,
    }
)
_COUNTRY_LETTERS: Final = 2


def check(case: Case) -> None:
    check_name(case.certificate.subject)


def check_name(subject: x509.Name) -> None:
    """The rule for a name that no certificate has yet. Raises Broken."""
    for attribute, (tag, octets) in zip(subject, _values(subject), strict=True):
        _check(attribute, tag, octets)


def _check(attribute: x509.NameAttribute[str | bytes], tag: int, octets: bytes) -> None:
    oid, text = attribute.oid, attribute.value
    kind = attribute.rfc4514_attribute_name
    wanted = _TYPE.get(oid, tag)
    if tag != wanted:
        raise Broken(f"the subject's {kind} is no {_NAMES[wanted]}")
    if (tag == _PRINTABLE and not _PRINTABLE_OCTETS.issuperset(octets)) or (
        tag == _IA5 and not octets.isascii()
    ):
        raise Broken(f"the subject's {kind} has characters that a {_NAMES[tag]} cannot have")
    if not text:
        raise Broken(f"the subject's {kind} is empty")
    if isinstance(text, str) and "\0" in text:
        raise Broken(f"the subject's {kind} has a NUL character")
    most = _MOST.get(oid)
    if most is not None and len(text) > most:
        raise Broken(f"the subject's {kind} has more than {most} characters")
    if oid == NameOID.COUNTRY_NAME and len(text) != _COUNTRY_LETTERS:
        raise Broken(f"the subject's {kind} is no country code of two letters (ISO 3166)")


def _values(name: x509.Name) -> Iterator[tuple[int, bytes]]:
    """Tag and contents of each attribute's value, in order: pyca tells the text, and not how it was written."""
    for relative in _inside(name.public_bytes()):
        for attribute in _inside(relative):
            _, value = _inside(attribute)
            tag, start, end = der.header(value, 0, len(value))
            yield tag, value[start:end]


def _inside(element: bytes) -> Iterator[bytes]:
    _, start, end = der.header(element, 0, len(element))
    return der.split(element[start:end])
