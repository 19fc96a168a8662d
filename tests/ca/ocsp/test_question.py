"""Requests as strangers send them: each part that may be there is read, everything else is malformed and never a fault."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from hypothesis import given
from hypothesis import strategies as st

from ca import der
from ca.ocsp import MAX_REQUEST, Malformed, Refused, Unauthorized, read_question, unsuccessful
from ca.ocsp.question import LONGEST_NONCE, MAX_CERTIFICATES

SHA1 = bytes.fromhex("300906052b0e03021a0500")
NONCE_OID = bytes.fromhex("06092b0601050507300102")
CRITICAL = bytes.fromhex("0101ff")


def seq(*parts: bytes) -> bytes:
    return der.element(0x30, b"".join(parts))


def octets(value: bytes) -> bytes:
    return der.element(0x04, value)


def explicit(number: int, content: bytes) -> bytes:
    return der.element(0xA0 | number, content)


def cert_id(
    algorithm: bytes = SHA1,
    name: bytes = octets(bytes(20)),
    key: bytes = octets(bytes(20)),
    serial: bytes = b"\x02\x01\x07",
) -> bytes:
    return seq(algorithm, name, key, serial)


SINGLE = seq(cert_id())
LIST = seq(SINGLE)


def request(*parts: bytes, signature: bytes = b"") -> bytes:
    return seq(seq(*parts), signature)


def nonce(value: bytes, *, flag: bytes = b"") -> bytes:
    return explicit(2, seq(seq(NONCE_OID, flag, octets(value))))


def unknown(flag: bytes = b"") -> bytes:
    return seq(bytes.fromhex("06032a0304"), flag, octets(b"\x05\x00"))


def test_pycas_request_is_read() -> None:
    made = (
        ocsp.OCSPRequestBuilder()
        .add_certificate_by_hash(b"n" * 32, b"k" * 32, 2**100, hashes.SHA256())
        .add_extension(x509.OCSPNonce(b"0123456789abcdef"), critical=False)
        .build()
    )
    question = read_question(made.public_bytes(Encoding.DER))
    (asked,) = question.certificates
    assert (asked.hash, asked.name_hash, asked.key_hash, asked.serial) == (
        "sha256", b"n" * 32, b"k" * 32, 2**100,
    )  # fmt: skip
    assert question.nonce == octets(b"0123456789abcdef")


LAWFUL = {
    "the least": request(LIST),
    "an explicit version 1": request(explicit(0, b"\x02\x01\x00"), LIST),
    "a requestor": request(explicit(1, explicit(4, seq())), LIST),
    "a signature, which nobody checks": request(LIST, signature=explicit(0, seq(SHA1, b"\x03\x01\x00"))),
    "the most certificates": request(seq(*[SINGLE] * MAX_CERTIFICATES)),
    "an extension that is not known here": request(LIST, explicit(2, seq(unknown()))),
    "one that is critical by a false flag": request(LIST, explicit(2, seq(unknown(bytes.fromhex("010100"))))),
    "a single request's extension": request(seq(seq(cert_id(), explicit(0, seq(unknown()))))),
    "a critical nonce": request(LIST, nonce(octets(b"n"), flag=CRITICAL)),
    "the longest nonce": request(LIST, nonce(octets(bytes(LONGEST_NONCE)))),
    "a nonce without its octet string": request(LIST, nonce(b"bare nonce")),
    "a hash without its NULL": request(seq(seq(cert_id(seq(SHA1[2:-2]))))),
    "a serial number of 20 octets": request(seq(seq(cert_id(serial=b"\x02\x14" + b"\x7f" * 20)))),
    "a negative serial number": request(seq(seq(cert_id(serial=b"\x02\x01\xff")))),
}

MALFORMED = {
    "nothing": b"",
    "an empty sequence": seq(),
    "no sequence": octets(b"request"),
    "bytes after the end": request(LIST) + b"\x00",
    "cut short": request(LIST)[:-1],
    "an indefinite length": b"\x30\x80" + request(LIST)[2:] + b"\x00\x00",
    "too long": request(LIST, explicit(2, seq(seq(NONCE_OID, octets(bytes(MAX_REQUEST)))))),
    "nested too deep": b"\x30\x82" * 40,
    "no list": request(),
    "an empty list": request(seq()),
    "too many certificates": request(seq(*[SINGLE] * (MAX_CERTIFICATES + 1))),
    "version 2": request(explicit(0, b"\x02\x01\x01"), LIST),
    "two signatures": request(LIST, signature=explicit(0, seq()) * 2),
    "a signature of another tag": request(LIST, signature=explicit(1, seq())),
    "something after the extensions": request(LIST, nonce(octets(b"n")), LIST),
    "extensions of another tag": request(LIST, explicit(3, seq(unknown()))),
    "a critical extension that is not known here": request(LIST, explicit(2, seq(unknown(CRITICAL)))),
    "a critical one in a single request": request(seq(seq(cert_id(), explicit(0, seq(unknown(CRITICAL)))))),
    "an extension twice": request(LIST, explicit(2, seq(unknown(), unknown()))),
    "an extension of a number": request(LIST, explicit(2, seq(seq(b"\x02\x01\x01", octets(b""))))),
    "a flag that is a number": request(LIST, explicit(2, seq(unknown(b"\x02\x01\x01")))),
    "an extension without a value": request(LIST, explicit(2, seq(seq(NONCE_OID)))),
    "an empty nonce": request(LIST, nonce(octets(b""))),
    "no nonce at all": request(LIST, nonce(b"")),
    "a nonce that is too long": request(LIST, nonce(octets(bytes(LONGEST_NONCE + 1)))),
    "a bare nonce that is too long": request(LIST, nonce(b"n" * (LONGEST_NONCE + 1))),
    "a single request with more": request(seq(seq(cert_id(), explicit(0, seq()), explicit(1, seq())))),
    "a CertID cut short": request(seq(seq(seq(SHA1, octets(bytes(20)))))),
    "a hash of another length": request(seq(seq(cert_id(name=octets(bytes(19)))))),
    "a key hash of another length": request(seq(seq(cert_id(key=octets(bytes(32)))))),
    "a hash that is a number": request(seq(seq(cert_id(name=b"\x02\x01\x01")))),
    "a serial number that is no number": request(seq(seq(cert_id(serial=octets(b"\x07"))))),
    "an empty serial number": request(seq(seq(cert_id(serial=b"\x02\x00")))),
    "a serial number that is too long": request(seq(seq(cert_id(serial=b"\x02\x16" + b"\x7f" * 22)))),
    "an algorithm that is a string": request(seq(seq(cert_id(seq(octets(b"sha1")))))),
    "an algorithm with parameters": request(seq(seq(cert_id(seq(SHA1[2:-2], b"\x02\x01\x01"))))),
}


@pytest.mark.parametrize("name", LAWFUL)
def test_what_may_be_there_is_read(name: str) -> None:
    assert read_question(LAWFUL[name]).certificates


@pytest.mark.parametrize("name", MALFORMED)
def test_what_may_not_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        read_question(MALFORMED[name])


def test_a_hash_that_no_issuer_is_known_by_is_unauthorized() -> None:
    md5 = bytes.fromhex("300c06082a864886f70d02050500")
    with pytest.raises(Unauthorized):
        read_question(request(seq(seq(cert_id(md5)))))


@given(noise=st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(Refused):
        read_question(noise)


@pytest.mark.parametrize("name", ["a requestor", "a critical nonce"])
def test_changed_requests_are_read_or_refused_and_nothing_else(name: str) -> None:
    whole = LAWFUL[name]
    for at in range(len(whole)):
        for bit in (1, 0x20, 0x80):
            changed = whole[:at] + bytes((whole[at] ^ bit,)) + whole[at + 1 :]
            try:
                assert read_question(changed).certificates
            except Refused:
                continue


def test_each_refusal_is_an_ocsp_response_of_five_octets() -> None:
    for status in (ocsp.OCSPResponseStatus.MALFORMED_REQUEST, ocsp.OCSPResponseStatus.TRY_LATER):
        response = ocsp.load_der_ocsp_response(unsuccessful(int(status.value)))
        assert response.response_status is status
