"""Reading an OCSPRequest (RFC 6960 4.1), which a stranger sent: bounded, strict DER, and nothing looked up yet.

pyca reads requests about one certificate only, so the few structures are read here.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from ca import der
from ca.ocsp.errors import Malformed, Unauthorized

MAX_REQUEST: Final = 16 * 1024  # octets: a signed request with its certificates stays far below
MAX_CERTIFICATES: Final = 20
LONGEST_NONCE: Final = 32  # octets; RFC 8954 2.1
LONGEST_SERIAL: Final = 21  # octets of an INTEGER: RFC 5280 4.1.2.2 has 20

# AlgorithmIdentifier's object identifier, contents only -> hashlib's name, octets of a hash
HASHES: Final = {
    bytes.fromhex("2b0e03021a"): ("sha1", 20),
    bytes.fromhex("608648016503040201"): ("sha256", 32),
    bytes.fromhex("608648016503040202"): ("sha384", 48),
    bytes.fromhex("608648016503040203"): ("sha512", 64),
}
NONCE: Final = bytes.fromhex("2b0601050507300102")
_KNOWN: Final = frozenset(bytes.fromhex("2b06010505073001") + bytes((last,)) for last in (2, 4, 7, 8))
"""Request extensions that may be critical: nonce, acceptable responses, service locator, preferred algorithms."""

_BOOLEAN, _INTEGER, _OCTETS, _NULL, _OID, _SEQUENCE = 0x01, 0x02, 0x04, 0x05, 0x06, 0x30
_EXPLICIT_0, _EXPLICIT_1, _EXPLICIT_2 = 0xA0, 0xA1, 0xA2


@dataclass(frozen=True, slots=True)
class CertId:
    """Whose status is asked for. `der` is the CertID as it came: the answer repeats it."""

    hash: str  # hashlib's name
    name_hash: bytes
    key_hash: bytes
    serial: int
    der: bytes

    @property
    def hex(self) -> str:
        """The serial number as the CA keeps it; what no certificate here can have stands for itself."""
        return f"{self.serial:x}"


@dataclass(frozen=True, slots=True)
class Question:
    """One request: 1 to 20 certificates, and the nonce if there is one."""

    certificates: tuple[CertId, ...]
    nonce: bytes | None


class _Element(NamedTuple):
    tag: int
    content: bytes
    whole: bytes


def read_question(request: bytes) -> Question:
    """Raises Malformed, and Unauthorized for a hash algorithm that no issuer is known by here."""
    if len(request) > MAX_REQUEST:
        raise Malformed(f"a request has at most {MAX_REQUEST} octets")
    try:
        der.check_bounds(request)
        return _request(request)
    except ValueError as odd:  # BadDer, and elements that are not there
        raise Malformed(f"no OCSPRequest: {odd}") from odd


def _request(request: bytes) -> Question:
    (outer,) = _elements(request)
    to_be_signed, *signature = _inside(outer, _SEQUENCE)
    if len(signature) > 1 or any(each.tag != _EXPLICIT_0 for each in signature):
        raise ValueError(
            "more than a request and its signature"
        )  # which nobody here needs, and is not checked
    parts = _inside(to_be_signed, _SEQUENCE)
    if parts and parts[0].tag == _EXPLICIT_0:
        version = parts.pop(0)
        if version.content != b"\x02\x01\x00":
            raise ValueError("a version that is not 1")
    if parts and parts[0].tag == _EXPLICIT_1:
        parts.pop(0)  # requestorName
    if not parts:
        raise ValueError("no list of requests")
    listed = _inside(parts.pop(0), _SEQUENCE)
    if not 1 <= len(listed) <= MAX_CERTIFICATES:
        raise ValueError(f"a request is about 1 to {MAX_CERTIFICATES} certificates, not {len(listed)}")
    nonce = None
    if parts:
        nonce = _extensions(parts.pop(0), _EXPLICIT_2).get(NONCE)
    if parts:
        raise ValueError("more in the request than there can be")
    return Question(tuple(_single(each) for each in listed), None if nonce is None else _nonce(nonce))


def _single(element: _Element) -> CertId:
    identifier, *more = _inside(element, _SEQUENCE)
    if len(more) > 1:
        raise ValueError("more in a single request than there can be")
    for extensions in more:
        _extensions(extensions, _EXPLICIT_0)
    algorithm, name_hash, key_hash, serial = _inside(identifier, _SEQUENCE)
    oid, *parameters = _inside(algorithm, _SEQUENCE)
    if oid.tag != _OID or any((each.tag, each.content) != (_NULL, b"") for each in parameters):
        raise ValueError("a hash algorithm with parameters")
    if {name_hash.tag, key_hash.tag} != {_OCTETS} or serial.tag != _INTEGER:
        raise ValueError("a CertID of other elements")
    if not 1 <= len(serial.content) <= LONGEST_SERIAL:
        raise ValueError("a serial number of no or too many octets")
    if oid.content not in HASHES:
        raise Unauthorized("no issuer is known here by that hash algorithm")
    name, length = HASHES[oid.content]
    if len(name_hash.content) != length or len(key_hash.content) != length:
        raise ValueError(f"a hash that is none of {name}")
    number = int.from_bytes(serial.content, "big", signed=True)
    return CertId(name, name_hash.content, key_hash.content, number, identifier.whole)


def _extensions(element: _Element, tag: int) -> dict[bytes, bytes]:
    """Values by object identifier. Raises ValueError for a critical one that is not known here (RFC 6960 4.4)."""
    found: dict[bytes, bytes] = {}
    (listed,) = _inside(element, tag)
    for each in _inside(listed, _SEQUENCE):
        oid, *flag, value = _inside(each, _SEQUENCE)
        if oid.tag != _OID or value.tag != _OCTETS or len(flag) > 1 or any(f.tag != _BOOLEAN for f in flag):
            raise ValueError("an extension of other elements")
        if oid.content in found:
            raise ValueError("an extension that occurs twice")
        if any(f.content != b"\x00" for f in flag) and oid.content not in _KNOWN:
            raise ValueError("a critical extension that is not known here")
        found[oid.content] = value.content
    return found


def _nonce(value: bytes) -> bytes:
    """The extension's value, to be repeated. The nonce is an OCTET STRING in it, but older clients send it bare."""
    inner = value
    if value[:1] == bytes((_OCTETS,)) and len(value) >= 2 and value[1] == len(value) - 2 < 0x80:
        inner = value[2:]
    if not 1 <= len(inner) <= LONGEST_NONCE:
        raise ValueError(f"a nonce has 1 to {LONGEST_NONCE} octets, not {len(inner)}")
    return value


def _inside(element: _Element, tag: int) -> list[_Element]:
    if element.tag != tag:
        raise ValueError(f"tag {element.tag:#04x} where {tag:#04x} belongs")
    return _elements(element.content)


def _elements(content: bytes) -> list[_Element]:
    found = []
    for whole in der.split(content):
        _, start, _ = der.header(whole, 0, len(whole))
        found.append(_Element(whole[0], whole[start:], whole))
    return found
