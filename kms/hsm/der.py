"""DER (X.690): just enough for what pyca neither builds nor reads."""

from collections.abc import Iterator

INTEGER, OCTET_STRING, SEQUENCE, SET = 0x02, 0x04, 0x30, 0x31
CONTEXT_0 = 0xA0  # [0], constructed
IMPLICIT_0 = 0x80  # [0] in the place of a primitive's own tag


def tlv(tag: int, content: bytes) -> bytes:
    """One element with a low tag number."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    size = (length.bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + length.to_bytes(size, "big") + content


def children(der: bytes) -> list[tuple[int, bytes]]:
    """The (tag, content) of each element inside an outer one; ValueError when lengths do not add up."""
    (_, content), *rest = _elements(der)
    if rest:
        raise ValueError("more than one element")
    return list(_elements(content))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        if len(data) < at + 2:
            raise ValueError("an element without a length")
        tag, length, start = data[at], data[at + 1], at + 2
        if length >= 0x80:
            size = length & 0x7F
            length, start = int.from_bytes(data[start : start + size], "big"), start + size
        at = start + length
        if at > len(data):
            raise ValueError("an element longer than what holds it")
        yield tag, data[start:at]
