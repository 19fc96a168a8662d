"""Writing OCSP responses (RFC 6960 4.2): the ResponseData that is signed, and what stands around it.

pyca writes answers about one certificate only, so the few structures are written here; the core reads each before it
signs, with pyca.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from ca import der
from ca.ocsp.question import NONCE, CertId
from ca.states import REASON_CODES

State = Literal["good", "revoked", "unknown"]

_BASIC: Final = bytes.fromhex("06092b0601050507300101")  # id-pkix-ocsp-basic
_NONCE: Final = b"\x06\x09" + NONCE
_ARCHIVE_CUTOFF: Final = bytes.fromhex("06092b0601050507300106")
_ECDSA_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
_BIT_STRING, _OCTETS, _ENUMERATED, _TIME, _SEQUENCE = 0x03, 0x04, 0x0A, 0x18, 0x30
_EXPLICIT_0, _EXPLICIT_1, _EXPLICIT_2 = 0xA0, 0xA1, 0xA2
_GOOD, _UNKNOWN = b"\x80\x00", b"\x82\x00"


@dataclass(frozen=True, slots=True)
class Status:
    """What is said of one certificate. `since` and `reason` (ca.states.REVOCATION_REASONS) are a revoked one's.

    archive_cutoff: from when on this responder knows of expired certificates; given for one that has expired.
    """

    state: State
    since: datetime | None = None
    reason: str | None = None
    archive_cutoff: datetime | None = None


def response_data(
    key_hash: bytes,
    produced_at: datetime,
    until: datetime,
    answers: Sequence[tuple[CertId, Status]],
    nonce: bytes | None,
) -> bytes:
    """A ResponseData, DER: thisUpdate is the moment of production, nextUpdate `until`.

    key_hash: SHA-1 of the responder's key (ResponderID byKey). nonce: the extension's value, repeated.
    """
    moment = _time(produced_at)
    following = der.element(_EXPLICIT_0, _time(until))
    singles = b"".join(_single(identifier, status, moment, following) for identifier, status in answers)
    parts = [
        der.element(_EXPLICIT_2, der.element(_OCTETS, key_hash)),
        moment,
        der.element(_SEQUENCE, singles),
    ]
    if nonce is not None:
        extension = der.element(_SEQUENCE, _NONCE + der.element(_OCTETS, nonce))
        parts.append(der.element(_EXPLICIT_1, der.element(_SEQUENCE, extension)))
    return der.element(_SEQUENCE, b"".join(parts))


def successful(to_be_signed: bytes, signature: bytes, certificate: bytes) -> bytes:
    """The OCSPResponse around a ResponseData that a P-256 key signed, with that key's certificate."""
    signed = (
        to_be_signed
        + _ECDSA_SHA256
        + der.element(_BIT_STRING, b"\x00" + signature)
        + der.element(_EXPLICIT_0, der.element(_SEQUENCE, certificate))
    )
    basic = der.element(_SEQUENCE, _BASIC + der.element(_OCTETS, der.element(_SEQUENCE, signed)))
    return der.element(_SEQUENCE, _status(0) + der.element(_EXPLICIT_0, basic))


def unsuccessful(status: int) -> bytes:
    """The OCSPResponse that is only a status."""
    return der.element(_SEQUENCE, _status(status))


def key_hash_of(bits: bytes) -> bytes:
    """The KeyHash of a ResponderID: SHA-1 of the key's BIT STRING, whatever the request hashed with (RFC 6960 4.2.1)."""
    return hashlib.sha1(bits, usedforsecurity=False).digest()


def _single(identifier: CertId, status: Status, moment: bytes, following: bytes) -> bytes:
    parts = [identifier.der, _said(status), moment, following]
    if status.archive_cutoff is not None:
        value = der.element(_OCTETS, _time(status.archive_cutoff))
        extension = der.element(_SEQUENCE, _ARCHIVE_CUTOFF + value)
        parts.append(der.element(_EXPLICIT_1, der.element(_SEQUENCE, extension)))
    return der.element(_SEQUENCE, b"".join(parts))


def _said(status: Status) -> bytes:
    if status.state == "good":
        return _GOOD
    if status.state == "unknown":
        return _UNKNOWN
    assert status.since is not None  # a revocation has its moment
    said = _time(status.since)
    if status.reason not in {
        None,
        "UNSPECIFIED",
    }:  # as in a CRL: leave the code out rather than say unspecified
        code = REASON_CODES[status.reason or ""]
        said += der.element(_EXPLICIT_0, der.element(_ENUMERATED, bytes((code,))))
    return der.element(_EXPLICIT_1, said)


def _status(status: int) -> bytes:
    return der.element(_ENUMERATED, bytes((status,)))


def _time(moment: datetime) -> bytes:
    """GeneralizedTime in UTC, to the second (RFC 5280 4.1.2.5.2)."""
    return der.element(_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())
