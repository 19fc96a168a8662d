"""The bytes of a CRL (RFC 5280 5.1), written in one pass: pyca's builder copies its list for every entry."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from cryptography import x509

from ca import der
from ca.states import REASON_CODES

_INTEGER, _ENUMERATED, _OCTET_STRING, _SEQUENCE, _EXPLICIT_0 = 0x02, 0x0A, 0x04, 0x30, 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_VERSION_2: Final = bytes.fromhex("020101")
_TRUE: Final = bytes.fromhex("0101ff")
_KEY_IDENTIFIER: Final = bytes.fromhex("0603551d23")  # id-ce-authorityKeyIdentifier
_NUMBER: Final = bytes.fromhex("0603551d14")  # id-ce-cRLNumber
_REASON: Final = bytes.fromhex("0603551d15")  # id-ce-cRLReasons
_DISTRIBUTION_POINT: Final = bytes.fromhex("0603551d1c")  # id-ce-issuingDistributionPoint


@dataclass(frozen=True, slots=True)
class Contents:
    """What a CRL says. `algorithm` is a DER AlgorithmIdentifier, `issuer` a DER Name; times are cut to whole seconds.

    `urls` are those of the IssuingDistributionPoint; without any, the CRL is complete and has none.
    """

    algorithm: bytes
    issuer: bytes
    key_identifier: bytes
    number: int
    this_update: datetime
    next_update: datetime
    entries: Iterable[tuple[str, datetime, str]]  # (serial in hex, when, a key of ca.states.REASON_CODES)
    urls: tuple[str, ...] = ()


def to_be_signed(contents: Contents) -> bytes:
    """The TBSCertList, DER."""
    listed = b"".join(_entries(contents.entries))
    return der.element(
        _SEQUENCE,
        b"".join(
            (
                _VERSION_2,
                contents.algorithm,
                contents.issuer,
                _time(contents.this_update),
                _time(contents.next_update),
                der.element(_SEQUENCE, listed) if listed else b"",  # an empty list must be left out (5.1.2.6)
                der.element(_EXPLICIT_0, der.element(_SEQUENCE, b"".join(_extensions(contents)))),
            )
        ),
    )


def _extensions(contents: Contents) -> Iterable[bytes]:
    yield _extension(
        _KEY_IDENTIFIER, x509.AuthorityKeyIdentifier(contents.key_identifier, None, None).public_bytes()
    )
    yield _extension(_NUMBER, x509.CRLNumber(contents.number).public_bytes())
    if contents.urls:
        point = x509.IssuingDistributionPoint(
            full_name=[x509.UniformResourceIdentifier(url) for url in contents.urls],
            relative_name=None,
            only_contains_user_certs=False,
            only_contains_ca_certs=False,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        )
        yield _extension(_DISTRIBUTION_POINT, point.public_bytes(), critical=True)  # 5.2.5


def _extension(oid: bytes, value: bytes, *, critical: bool = False) -> bytes:
    return der.element(_SEQUENCE, oid + (_TRUE if critical else b"") + der.element(_OCTET_STRING, value))


def _entries(entries: Iterable[tuple[str, datetime, str]]) -> Iterable[bytes]:
    times: dict[datetime, bytes] = {}  # many are revoked in one second
    for serial, revoked_at, reason in entries:
        number = bytes.fromhex(serial if len(serial) % 2 == 0 else f"0{serial}")
        if number[0] & 0x80:
            number = b"\x00" + number
        when = times.get(revoked_at)
        if when is None:
            when = times[revoked_at] = _time(revoked_at)
        body = b"%c%c%b%b%b" % (_INTEGER, len(number), number, when, _REASONS[reason])
        yield b"%c%c%b" % (_SEQUENCE, len(body), body)  # below 128 bytes: serials have 20 at most


def _time(moment: datetime) -> bytes:
    """UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 5.1.2.4)."""
    if moment.year < 2050:
        return b"%c\x0d%bZ" % (_UTC_TIME, moment.strftime("%y%m%d%H%M%S").encode())
    return b"%c\x0f%bZ" % (_GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%S").encode())


def _reason(code: int) -> bytes:
    """The extensions of an entry; none for "unspecified", which is left out rather than said (RFC 5280 5.3.1)."""
    if code == 0:
        return b""
    return der.element(_SEQUENCE, _extension(_REASON, der.element(_ENUMERATED, bytes((code,)))))


_REASONS: Final = MappingProxyType({name: _reason(code) for name, code in REASON_CODES.items()})
