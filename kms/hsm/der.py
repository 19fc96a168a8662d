"""Writing DER (X.690): just enough for what pyca has no builder for."""

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
