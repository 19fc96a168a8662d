"""Which public keys may be certified, and the tests of weak moduli."""

from datetime import UTC, datetime
from math import prod
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from ca import BadKey, weak_rsa
from ca.algorithms import ALGORITHMS, SignatureAlgorithm, algorithm_of, sign, verify
from ca.draft import _throw_away_key
from ca.keys import CA_KEY_SPECS, CURVES, authority_key, check_exponent, check_for_server, judge_key

GOOD_MODULUS = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
PRIMES = [number for number in range(2, 200) if all(number % divisor for divisor in range(2, number))]


def spki(key: Any) -> bytes:
    return bytes(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.mark.parametrize(
    ("curve", "spec"),
    [(ec.SECP256R1(), "EC_prime256v1"), (ec.SECP384R1(), "EC_secp384r1"), (ec.SECP521R1(), "EC_secp521r1")],
)
def test_nist_curves_are_certified(curve: ec.EllipticCurve, spec: str) -> None:
    assert judge_key(spki(ec.generate_private_key(curve).public_key())) == spec
    assert CURVES[curve.name] == spec


def test_rsa_keys_are_named_by_their_bits() -> None:
    assert judge_key(spki(rsa.RSAPublicNumbers(65537, GOOD_MODULUS).public_key())) == "RSA_2048"


@pytest.mark.parametrize("exponent", [65537, 65539, 2**32 + 1, 2**256 - 1])
def test_odd_exponents_from_65537_to_2_256_are_taken(exponent: int) -> None:
    check_exponent(exponent)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, 17, 257, 65535, 65536, 65538, 2**256, 2**256 + 1])
def test_other_exponents_are_refused(exponent: int) -> None:
    with pytest.raises(BadKey):
        check_exponent(exponent)


@pytest.mark.parametrize("prime", [2, 3, 751, 16381])
def test_a_small_factor_is_found(prime: int) -> None:
    with pytest.raises(BadKey, match="small"):
        weak_rsa.check_small_factors(prime * GOOD_MODULUS)
    weak_rsa.check_small_factors(GOOD_MODULUS)


@pytest.mark.parametrize("distance", [0, 2, 10**6, 2**500])
def test_close_factors_are_found(distance: int) -> None:
    """Fermat needs about distance^2 / (8 sqrt(n)) rounds."""
    start = 3 << 1022
    with pytest.raises(BadKey, match="close"):
        weak_rsa.check_fermat((start + 1) * (start + 1 + distance))
    weak_rsa.check_fermat(GOOD_MODULUS)


def test_the_roca_fingerprint_is_found_and_no_other() -> None:
    primorial = prod(prime for prime in PRIMES if prime <= 167)
    made = [5 * primorial + pow(65537, power, primorial) for power in (3, 1000)]
    with pytest.raises(BadKey, match="ROCA"):
        weak_rsa.check_roca(made[0] * made[1])
    weak_rsa.check_roca(GOOD_MODULUS)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_judged_without_a_crash(der: bytes) -> None:
    with pytest.raises(BadKey):
        judge_key(der)


def test_ca_keys_sign_with_a_digest_of_their_strength() -> None:
    assert {spec: how.digest.name if how.digest else None for spec, how in CA_KEY_SPECS.items()} == {
        "EC_prime256v1": "sha256",
        "EC_secp384r1": "sha384",
        "EC_secp521r1": "sha512",
        "RSA_2048": "sha256",
        "RSA_3072": "sha256",
        "RSA_4096": "sha256",
        "ML_DSA_44": None,  # it hashes by itself (FIPS 204)
        "ML_DSA_65": None,
        "ML_DSA_87": None,
    }


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        (ed25519.Ed25519PrivateKey, "ED25519"),
        (mldsa.MLDSA44PrivateKey, "ML_DSA_44"),
        (mldsa.MLDSA65PrivateKey, "ML_DSA_65"),
        (mldsa.MLDSA87PrivateKey, "ML_DSA_87"),
    ],
)
def test_keys_that_no_browser_takes_are_for_templates_and_not_for_servers_of_keysteads_own(
    kind: Any, spec: str
) -> None:
    assert judge_key(spki(kind.generate().public_key())) == spec
    with pytest.raises(BadKey, match="neither RSA nor"):
        check_for_server(spec)


def test_no_authority_has_an_ed25519_key() -> None:
    with pytest.raises(BadKey, match="no CA"):
        authority_key(spki(ed25519.Ed25519PrivateKey.generate().public_key()))
    with pytest.raises(BadKey, match="neither"):
        authority_key(spki(x25519.X25519PrivateKey.generate().public_key()))


@pytest.mark.parametrize("how", ALGORITHMS.values(), ids=ALGORITHMS)
def test_the_algorithm_is_read_from_the_bytes_that_will_be_signed(how: SignatureAlgorithm) -> None:
    """pyca writes the identifier, the table knows it again."""
    key = _throw_away_key(how.family)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start).sign(
        key, how.digest, rsa_padding=how.rsa_padding
    )
    assert algorithm_of(made.tbs_certificate_bytes) == how
    assert made.signature_algorithm_oid == how.signature_oid
    signature = sign(key, b"message", how)
    verify(key.public_key(), signature, b"message", how)
    with pytest.raises(InvalidSignature):
        verify(key.public_key(), signature, b"another", how)


def test_an_algorithm_that_no_ca_has_is_not_read() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, start, start).sign(key, None)
    with pytest.raises(BadKey, match="no CA has"):
        algorithm_of(made.tbs_certificate_bytes)
