"""Make the signing requests beside this file, expected.json and README.md: `python certs-fixtures/csr/generate.py`.

Requests are put together by hand (RFC 2986), for the library that judges them would refuse to write most of these. Keys are
made anew by each run and thrown away.
"""

import hashlib
import json
import secrets
from base64 import encodebytes
from collections.abc import Callable
from dataclasses import dataclass, field
from math import lcm, prod
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = Path(__file__).parent
DIGEST_INFO = {
    "sha256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "sha1": bytes.fromhex("3021300906052b0e03021a05000414"),
}
SHA256_RSA, SHA1_RSA = "2a864886f70d01010b", "2a864886f70d010105"
ECDSA_SHA256, ED25519 = "2a8648ce3d040302", "2b6570"
EXTENSION_REQUEST, SAN, BASIC_CONSTRAINTS = "2a864886f70d01090e", "551d11", "551d13"
CN, ORGANISATION, COUNTRY = "550403", "55040a", "550406"


def tlv(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes((tag, len(content))) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(content).to_bytes(size, "big") + content


def sequence(*contents: bytes) -> bytes:
    return tlv(0x30, *contents)


def oid(dotted_hex: str) -> bytes:
    return tlv(0x06, bytes.fromhex(dotted_hex))


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def algorithm(identifier: str, *, null: bool) -> bytes:
    return sequence(oid(identifier), tlv(0x05) if null else b"")


@dataclass
class Key:
    """A SubjectPublicKeyInfo and what signs for it."""

    spki: bytes
    algorithm: bytes
    sign: Callable[[bytes], bytes]


def ec_key(curve: ec.EllipticCurve) -> Key:
    key = ec.generate_private_key(curve)
    return Key(
        key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        algorithm(ECDSA_SHA256, null=False),
        lambda message: key.sign(message, ec.ECDSA(hashes.SHA256())),
    )


def rsa_key(primes: list[int], exponent: int = 65537, digest: str = "sha256") -> Key:
    """RSA from its factors, any number of them: textbook PKCS#1 v1.5 (RFC 8017 8.2.1), which asks nothing of the key."""
    modulus = prod(primes)
    private = pow(exponent, -1, lcm(*(prime - 1 for prime in primes))) if exponent % 2 else 1
    size = (modulus.bit_length() + 7) // 8

    def sign(message: bytes) -> bytes:
        info = DIGEST_INFO[digest] + hashlib.new(digest, message).digest()
        padded = b"\x00\x01" + b"\xff" * (size - len(info) - 3) + b"\x00" + info
        return pow(int.from_bytes(padded, "big"), private, modulus).to_bytes(size, "big")

    return Key(
        rsa_spki(modulus, exponent), algorithm(SHA1_RSA if digest == "sha1" else SHA256_RSA, null=True), sign
    )


def rsa_spki(modulus: int, exponent: int) -> bytes:
    bits = tlv(0x03, b"\x00", sequence(integer(modulus), integer(exponent)))
    return sequence(algorithm("2a864886f70d010101", null=True), bits)


def rsa_primes(bits: int, exponent: int = 65537) -> list[int]:
    numbers = rsa.generate_private_key(exponent, bits).private_numbers()
    return [numbers.p, numbers.q]


def is_prime(number: int) -> bool:
    """Miller-Rabin with 20 bases."""
    if any(number % small == 0 for small in (2, 3, 5, 7, 11, 13, 17, 19, 23)):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(20):
        power = pow(secrets.randbelow(number - 3) + 2, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def prime(bits: int) -> int:
    while True:
        candidate = secrets.randbits(bits) | (3 << (bits - 2)) | 1
        if is_prime(candidate):
            return candidate


def prime_after(number: int) -> int:
    number += 2
    while not is_prime(number):
        number += 2
    return number


def roca_prime(bits: int) -> int:
    """A prime k * M + (65537^a mod M) in the upper quarter of its range, as Infineon's library made them (CVE-2017-15361)."""
    primorial = prod(
        number for number in range(2, 168) if all(number % divisor for divisor in range(2, number))
    )
    while True:
        factor = secrets.randbits(bits) // primorial
        candidate = factor * primorial + pow(65537, secrets.randbits(64), primorial)
        if candidate >> (bits - 2) == 0b11 and is_prime(candidate):
            return candidate


def subject(*attributes: tuple[str, str], tag: int = 0x0C) -> bytes:
    return sequence(*(tlv(0x31, sequence(oid(kind), tlv(tag, text.encode()))) for kind, text in attributes))


def dns(*names: str | bytes) -> list[bytes]:
    return [tlv(0x82, name if isinstance(name, bytes) else name.encode()) for name in names]


def san(general_names: list[bytes]) -> bytes:
    return sequence(oid(SAN), tlv(0x04, sequence(*general_names)))


def attributes(*extensions: bytes) -> bytes:
    asked = sequence(oid(EXTENSION_REQUEST), tlv(0x31, sequence(*extensions)))
    return tlv(0xA0, asked if extensions else b"")


def info(key: Key, names: list[bytes] | None, subject_: bytes, *more: bytes, version: int = 0) -> bytes:
    extensions = ([] if names is None else [san(names)]) + list(more)
    return sequence(integer(version), subject_, key.spki, attributes(*extensions))


def signed(key: Key, body: bytes) -> bytes:
    return sequence(body, key.algorithm, tlv(0x03, b"\x00", key.sign(body)))


def pem(der: bytes, label: str = "CERTIFICATE REQUEST") -> bytes:
    return f"-----BEGIN {label}-----\n{encodebytes(der).decode()}-----END {label}-----\n".encode()


P256 = ec_key(ec.SECP256R1())
NO_SUBJECT = subject()


def request(
    *names: str | bytes,
    key: Key = P256,
    subject_: bytes = NO_SUBJECT,
    more: tuple[bytes, ...] = (),
    version: int = 0,
) -> bytes:
    """A well-signed request for DNS names."""
    return signed(key, info(key, dns(*names) if names else None, subject_, *more, version=version))


def of_general_names(*names: bytes) -> bytes:
    return signed(P256, info(P256, list(names), NO_SUBJECT))


@dataclass
class Case:
    """A file, why it is there, and what judging it says: a part of the refusal, or names and spec."""

    text: bytes
    why: str
    refusal: str = ""
    names: list[str] = field(default_factory=list)
    spec: str = "EC_prime256v1"


HOST = "host.example.com"


def good() -> dict[str, Case]:
    many = [f"host{number}.example.com" for number in range(100)]
    ca = sequence(oid(BASIC_CONSTRAINTS), tlv(0x01, b"\xff"), tlv(0x04, sequence(tlv(0x01, b"\xff"))))
    plain = pem(request(HOST))
    longest = ".".join(["a" * 62] * 4) + ".b"
    return {
        "p256": Case(plain, "one name, P-256", names=[HOST]),
        "p384": Case(
            pem(request(HOST, key=ec_key(ec.SECP384R1()))), "P-384", names=[HOST], spec="EC_secp384r1"
        ),
        "p521": Case(
            pem(request(HOST, key=ec_key(ec.SECP521R1()))), "P-521", names=[HOST], spec="EC_secp521r1"
        ),
        "rsa-2048": Case(
            pem(request(HOST, key=rsa_key(rsa_primes(2048)))), "RSA", names=[HOST], spec="RSA_2048"
        ),
        "rsa-3072": Case(
            pem(request(HOST, key=rsa_key(rsa_primes(3072)))), "RSA", names=[HOST], spec="RSA_3072"
        ),
        "cn-only": Case(
            pem(request(subject_=subject((CN, HOST)))), "no SAN: the CN is the name", names=[HOST]
        ),
        "cn-second-in-san": Case(
            pem(request("a.example.com", HOST, subject_=subject((CN, HOST)))),
            "the CN comes first, wherever the SAN has it",
            names=[HOST, "a.example.com"],
        ),
        "organisation": Case(
            pem(request(HOST, subject_=subject((COUNTRY, "CH"), (ORGANISATION, "Acme"), (CN, HOST)))),
            "what nobody proves (O, C) is left behind",
            names=[HOST],
        ),
        "asks-to-be-a-ca": Case(
            pem(request(HOST, more=(ca,))), "extensions that it asks for are ignored", names=[HOST]
        ),
        "wildcard": Case(
            pem(request("*.example.com", "example.com")), "leftmost", names=["*.example.com", "example.com"]
        ),
        "repeated": Case(
            pem(request(HOST, "HOST.example.com.", HOST)), "spellings of one name count once", names=[HOST]
        ),
        "100-names": Case(pem(request(*many)), "as many as there may be", names=many),
        "a-label": Case(
            pem(request("xn--bcher-kva.example")), "IDN as A-label", names=["xn--bcher-kva.example"]
        ),
        "name-253": Case(
            pem(request(longest)), "as long as a name may be, too long for a CN", names=[longest]
        ),
        "long-cn": Case(
            pem(request(longest, subject_=subject((CN, longest)))),
            "a CN over 64 characters, but proven",
            names=[longest],
        ),
        "odd-country": Case(
            pem(request(HOST, subject_=subject((COUNTRY, "CHE")))),
            "what is left behind may be wrong",
            names=[HOST],
        ),
        "crlf": Case(plain.replace(b"\n", b"\r\n"), "line ends of another system", names=[HOST]),
        "new-label": Case(pem(request(HOST), "NEW CERTIFICATE REQUEST"), "the older label", names=[HOST]),
    }


def bad_text() -> dict[str, Case]:
    plain = pem(request(HOST))
    der = request(HOST)
    nested = b""
    for _ in range(40):
        nested = sequence(nested)
    arcs = sequence(tlv(0x31, sequence(tlv(0x06, b"\x2a" * 70), tlv(0x0C, b"x"))))
    return {
        "empty": Case(b"", "nothing at all", "found 0"),
        "no-pem": Case(b"hello\n", "no PEM block", "found 0"),
        "two-blocks": Case(plain + plain, "which of the two is meant?", "found 2"),
        "text-before": Case(b"Subject: you\n" + plain, "text around the block", "nothing around it"),
        "other-label": Case(pem(der, "CERTIFICATE"), "says that it is a certificate", "CERTIFICATE REQUEST"),
        "labels-differ": Case(
            plain.replace(b"END C", b"END NEW C"), "begins as one and ends as another", "CERTIFICATE REQUEST"
        ),
        "damaged-base64": Case(plain.replace(b"\n-----END", b"=A\n-----END"), "data after padding", "base64"),
        "too-long": Case(
            pem(request(*(f"host{n}.example.com" for n in range(3000)))), "64 kB is the most", "is the most"
        ),
        "garbage": Case(pem(bytes.fromhex("deadbeef") * 30), "no DER", "not valid DER"),
        "truncated": Case(pem(der[:-9]), "the end is missing", "ends too early"),
        "trailing-bytes": Case(pem(der + b"\x00\x00"), "more than one structure", "bytes follow"),
        "indefinite-length": Case(pem(b"\x30\x80" + der[4:] + b"\x00\x00"), "BER", "indefinite"),
        "nested": Case(pem(sequence(nested)), "40 levels deep", "deep"),
        "many-arcs": Case(pem(request(HOST, subject_=arcs)), "an OID of 70 arcs", "arcs"),
        "not-a-request": Case(
            pem(sequence(integer(1), integer(2))), "DER of something else", "does not hold"
        ),
        "version-2": Case(
            pem(request(HOST, version=1)), "RFC 2986 knows version 1 (written 0)", "does not hold"
        ),
    }


def bad_proof() -> dict[str, Case]:
    body = info(P256, dns(HOST), NO_SUBJECT)
    other = ec_key(ec.SECP256R1())
    flipped = bytearray(signed(P256, body))
    flipped[-1] ^= 1
    claimed = Key(
        P256.spki, algorithm("2a864886f70d010104", null=True), lambda _: b"\x00" * 64
    )  # md5WithRSAEncryption
    return {
        "bad-signature": Case(
            pem(bytes(flipped)), "the last bit of the signature is turned", "does not match"
        ),
        "signed-by-another": Case(
            pem(sequence(body, other.algorithm, tlv(0x03, b"\x00", other.sign(body)))),
            "another key signed",
            "does not match",
        ),
        "names-changed": Case(
            pem(signed(P256, body).replace(b"host.example", b"evil.example")),
            "changed after signing",
            "does not match",
        ),
        "sha1": Case(pem(request(HOST, key=rsa_key(rsa_primes(2048), digest="sha1"))), "SHA-1", "sha1"),
        "md5": Case(pem(signed(claimed, body)), "says MD5", "signed with"),
        "unknown-algorithm": Case(
            pem(sequence(body, algorithm("2a0304", null=False), tlv(0x03, b"\x00\x00"))),
            "an unknown OID",
            "not supported",
        ),
    }


def bad_keys() -> dict[str, Case]:
    close = prime(1024)
    ed = ed25519.Ed25519PrivateKey.generate()
    edwards = Key(
        ed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        algorithm(ED25519, null=False),
        ed.sign,
    )
    off_curve = Key(P256.spki[:-1] + bytes((P256.spki[-1] ^ 1,)), P256.algorithm, P256.sign)
    made: dict[str, tuple[Key, str, str]] = {
        "rsa-1024": (rsa_key(rsa_primes(1024)), "too small", "1024 bits"),
        "rsa-too-large": (rsa_key([prime(512) for _ in range(17)]), "over 8192 bits", "needs 2048 to 8192"),
        "rsa-2052": (rsa_key([prime(1026), prime(1026)]), "bits not divisible by 8", "multiple of 8"),
        "rsa-even-exponent": (rsa_key(rsa_primes(2048), 65536), "no RSA key at all", "even"),
        "rsa-exponent-3": (rsa_key(rsa_primes(2048, 3), 3), "small exponent", "65537 to 2^256"),
        "rsa-large-exponent": (
            rsa_key(rsa_primes(2048), prime(258)),
            "exponent beyond 2^256",
            "65537 to 2^256",
        ),
        "rsa-small-factor": (
            rsa_key([16381, prime(1024), prime(1018)]),
            "divisible by 16381",
            "small prime factor",
        ),
        "rsa-roca": (rsa_key([roca_prime(1024), roca_prime(1024)]), "CVE-2017-15361", "ROCA"),
        "rsa-close-primes": (rsa_key([close, prime_after(close)]), "CVE-2022-26320", "so close"),
        "secp256k1": (ec_key(ec.SECP256K1()), "Bitcoin's curve", "secp256k1 is not supported"),
        "secp224r1": (ec_key(ec.SECP224R1()), "a small curve", "secp224r1 is not supported"),
        "brainpool": (ec_key(ec.BrainpoolP256R1()), "a curve that browsers lack", "not supported"),
        "ed25519": (edwards, "no profile has it", "neither RSA nor"),
        "point-off-curve": (off_curve, "an invalid-curve attack", "malformed"),
    }
    return {
        name: Case(pem(request(HOST, key=key)), why, refusal) for name, (key, why, refusal) in made.items()
    }


def bad_names() -> dict[str, Case]:
    long_name = ".".join(["a" * 62] * 4) + ".bb"
    label = "l" * 64 + ".example.com"
    named: dict[str, tuple[bytes, str, str]] = {
        "cn-not-utf-8": (
            request(subject_=sequence(tlv(0x31, sequence(oid(CN), tlv(0x0C, b"host\xff"))))),
            "a UTF8String that is none",
            "subject is malformed",
        ),
        "cn-bits": (
            request(subject_=sequence(tlv(0x31, sequence(oid(CN), tlv(0x03, b"\x00host"))))),
            "a CN that is a BIT STRING",
            "subject is malformed",
        ),
        "nameless": (request(), "empty subject and no SAN", "names nothing"),
        "empty-san": (of_general_names(), "a SAN of no names", "names nothing"),
        "cn-outside-san": (
            request(HOST, subject_=subject((CN, "evil.example.com"))),
            "not in the SAN",
            "not among",
        ),
        "second-cn-outside-san": (
            request(HOST, subject_=subject((CN, HOST), (CN, "evil.example.com"))),
            "two CNs, one of them proven",
            "not among",
        ),
        "101-names": (
            request(*(f"host{n}.example.com" for n in range(101))),
            "100 are the most",
            "101 names",
        ),
        "idn": (request("bücher.example"), "a U-label, in UTF-8 in an IA5String", ""),
        "idn-cn": (request(subject_=subject((CN, "bücher.example"))), "a U-label in the CN", "xn--bcher-kva"),
        "newline": (request(HOST + "\n"), "a newline after the name", "U+000A"),
        "nul": (request("host.example.com\0.evil.example"), "a NUL, where C strings end", "U+0000"),
        "label-64": (request(label), "a label of 64 octets", "64 characters"),
        "name-254": (request(long_name), "longer than 253 octets", "253"),
        "empty-name": (request(""), "no characters", "empty"),
        "double-dot": (request("a..example.com"), "an empty label", "empty label"),
        "underscore": (request("a_b.example.com"), "not a host name", "underscore"),
        "inner-wildcard": (request("a.*.example.com"), "a wildcard that is not leftmost", "wildcard"),
        "partial-wildcard": (request("w*.example.com"), "a wildcard that is part of a label", "wildcard"),
        "bare-wildcard": (request("*"), "every name there is", "labels"),
        "ip-as-dns": (request("192.0.2.1"), "an address in a DNS name", "IP address"),
        "ip-san": (of_general_names(tlv(0x87, bytes((192, 0, 2, 1)))), "an address", "IPAddress"),
        "email-san": (of_general_names(tlv(0x81, b"a@example.com")), "a mailbox", "RFC822Name"),
        "uri-san": (
            of_general_names(*dns(HOST), tlv(0x86, b"https://example.com")),
            "a URI beside a name",
            "Uniform",
        ),
        "x400-san": (of_general_names(tlv(0xA3, sequence())), "an X.400 address", "malformed"),
        "san-not-der": (
            signed(P256, info(P256, None, NO_SUBJECT, sequence(oid(SAN), tlv(0x04, b"\x30\x05\x82")))),
            "broken SAN",
            "malformed",
        ),
        "two-sans": (request(HOST, more=(san(dns("b.example.com")),)), "two SAN extensions", "repeated"),
    }
    return {name: Case(pem(der), why, refusal) for name, (der, why, refusal) in named.items()}


def write() -> None:
    groups = {
        "good": good(),
        "bad": bad_text() | bad_proof() | bad_keys() | bad_names(),
    }
    expected = {}
    lines = [
        "# Signing requests, good and bad",
        "",
        "Origin: `generate.py` in this folder, which also wrote this page and `expected.json`. Each run makes new keys.",
        "`tests/ca/test_csr.py` judges every file; the bad ones must be refused for the reason given, in words.",
        "An independent check: `openssl req -in FILE -noout -verify` accepts the good ones.",
        "",
    ]
    for group, cases in groups.items():
        (HERE / group).mkdir(exist_ok=True)
        lines += [
            f"## {group}",
            "",
            "| file | why it is here |" if group == "good" else "| file | what is wrong |",
            "|---|---|",
        ]
        for name, case in cases.items():
            path = f"{group}/{name}.pem"
            (HERE / path).write_bytes(case.text)
            said = {"names": case.names, "spec": case.spec} if group == "good" else {"refusal": case.refusal}
            expected[path] = said
            lines.append(f"| `{path}` | {case.why} |")
        lines.append("")
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    (HERE / "README.md").write_text("\n".join(lines))


if __name__ == "__main__":
    write()
