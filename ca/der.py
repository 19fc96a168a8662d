"""The little DER that pyca leaves to us: bounds before parsing, and the outer shell of a certificate (X.690, RFC 5280 4.1)."""

from collections.abc import Iterator

MAX_DEPTH = 32
MAX_ELEMENTS = 10_000
MAX_OID_ARCS = 64

_INTEGER = 0x02
_OID = 0x06
_SEQUENCE = 0x30
_BIT_STRING = 0x03
_CONSTRUCTED = 0x20
_EXPLICIT_0 = 0xA0
_REQUEST_KEY = 2
_CERTIFIED_KEY = 6  # of a TBSCertificate's elements, its version counted


class BadDer(ValueError):
    """Bytes that are not one bounded DER element. The message says what is wrong, for people."""


def check_bounds(der: bytes) -> None:
    """Raise BadDer unless `der` is exactly one element, nested at most 32 deep, of at most 10 000 elements.

    Linear and without recursion, so that it may look at what strangers send before any parser does (SECURITY 2.9).
    Contents of primitive elements are not looked into.
    """
    _, start, end = header(der, 0, len(der))
    if end != len(der):
        raise BadDer(f"{len(der) - end} bytes follow the DER structure")
    open_ends: list[int] = []
    at, elements = 0, 0
    while at < len(der):
        while open_ends and open_ends[-1] == at:
            open_ends.pop()
        tag, start, end = header(der, at, open_ends[-1] if open_ends else len(der))
        elements += 1
        if elements > MAX_ELEMENTS:
            raise BadDer(f"more than {MAX_ELEMENTS} DER elements")
        if tag == _OID and sum(byte < 0x80 for byte in der[start:end]) >= MAX_OID_ARCS:
            raise BadDer(f"an object identifier of more than {MAX_OID_ARCS} arcs")
        if tag & _CONSTRUCTED:
            open_ends.append(end)
            if len(open_ends) > MAX_DEPTH:
                raise BadDer(f"DER nested more than {MAX_DEPTH} deep")
            at = start
        else:
            at = end


def signature_algorithm(tbs: bytes) -> bytes:
    """The AlgorithmIdentifier inside a TBSCertificate, which the outer one must repeat (RFC 5280 4.1.1.2)."""
    elements = _children(tbs)
    first = next(elements)
    if first[0] == _EXPLICIT_0:  # version; absent in version 1
        next(elements)  # serialNumber
    return next(elements)


def certificate(tbs: bytes, signature: bytes) -> bytes:
    """Put a signature to the bytes that it signs: SEQUENCE { tbsCertificate, signatureAlgorithm, signatureValue }.

    A CertificateList has the same shell (RFC 5280 5.1).
    """
    return element(_SEQUENCE, tbs + signature_algorithm(tbs) + element(_BIT_STRING, b"\x00" + signature))


def to_be_signed(certificate: bytes) -> bytes:
    """The TBSCertificate of a certificate that was parsed before."""
    return next(_children(certificate))


def certified_public_key(tbs: bytes) -> bytes:
    """The SubjectPublicKeyInfo in a TBSCertificate that was parsed before."""
    elements = list(_children(tbs))
    return elements[_CERTIFIED_KEY if elements[0][0] == _EXPLICIT_0 else _CERTIFIED_KEY - 1]


def request_public_key(request: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a CertificationRequest that pyca has parsed (RFC 2986 4.1).

    Its info is version, subject, key, attributes.
    """
    info = next(_children(request))
    return list(_children(info))[_REQUEST_KEY]


def rsa_exponent(public_key: bytes) -> int | None:
    """The exponent in a SubjectPublicKeyInfo that has the form of an RSA key (RFC 8017 A.1.1), else None."""
    try:
        _, bits = _children(public_key)
        _, start, _ = header(bits, 0, len(bits))
        modulus, exponent = _children(bits[start + 1 :])
        _, start, end = header(exponent, 0, len(exponent))
    except ValueError:  # BadDer, and a wrong number of elements
        return None
    return int.from_bytes(exponent[start:end], "big") if modulus[0] == exponent[0] == _INTEGER else None


def split(elements: bytes) -> Iterator[bytes]:
    """DER elements that stand one after another, each whole."""
    at = 0
    while at < len(elements):
        _, _, stop = header(elements, at, len(elements))
        yield elements[at:stop]
        at = stop


def _children(der: bytes) -> Iterator[bytes]:
    _, start, end = header(der, 0, len(der))
    return split(der[start:end])


def element(tag: int, content: bytes) -> bytes:
    """One element with a low tag number."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def header(der: bytes, at: int, limit: int) -> tuple[int, int, int]:
    """Read one header: (tag octet, start of contents, end of contents), all within `limit`."""
    if at + 2 > limit:
        raise BadDer("the DER structure ends too early")
    tag, length, start = der[at], der[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise BadDer("a DER tag number above 30")
    if length == 0x80:
        raise BadDer("an indefinite length, which is BER and not DER")
    if length > 0x80:
        start += length & 0x7F
        if start > limit:
            raise BadDer("the DER structure ends too early")
        length = int.from_bytes(der[at + 2 : start], "big")
    if start + length > limit:
        raise BadDer("the DER structure ends too early")
    return tag, start, start + length
