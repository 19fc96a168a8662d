"""Attestation documents, each rule of their verification broken once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from kms.keys.attestation import BadAttestation, conditions, verify
from tests.support.attestation import PCRS, Enclave, issue, sign

FIXTURES = Path(__file__).parents[3] / "certs-fixtures" / "attestation"
AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ROOT = issue("root", at=AT)
ENCLAVE = Enclave(ROOT, AT)


def spki(key: Any) -> bytes:
    der: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


def test_the_fixture_proves_its_registers_and_its_recipient() -> None:
    root = x509.load_pem_x509_certificate((FIXTURES / "root.pem").read_bytes())
    attested = verify((FIXTURES / "document.cbor").read_bytes(), root, AT + timedelta(minutes=1))
    assert attested.pcrs == PCRS
    facts = conditions(attested)
    assert facts["kms:recipientattestation:pcr1"] == "22" * 48
    assert (
        facts["kms:recipientattestation:imagesha384"] == facts["kms:recipientattestation:pcr0"] == "11" * 48
    )


@pytest.mark.parametrize("tagged", [True, False])
def test_a_document_comes_with_and_without_its_tag(tagged: bool) -> None:
    attested = verify(ENCLAVE.document(tagged=tagged), ROOT.certificate, AT)
    assert attested.public_key == ENCLAVE.public_key


def test_a_tpm_has_registers_of_its_own() -> None:
    document = ENCLAVE.document(pcrs=..., nitrotpm_pcrs={4: b"\x44" * 48})
    facts = conditions(verify(document, ROOT.certificate, AT))
    assert facts == {"kms:recipientattestation:nitrotpmpcr4": "44" * 48}


def chained(*, path_length: int | None = None, middle_is_ca: bool = True, days: int = 30) -> bytes:
    """A document whose zonal certificate is made so."""
    enclave = Enclave(ROOT, AT)
    enclave.zonal = issue("zonal", ROOT, at=AT, ca=middle_is_ca, path_length=path_length, days=days)
    enclave.leaf = issue("leaf", enclave.zonal, at=AT, ca=False)
    return enclave.document()


def long_chain(path_length: int) -> bytes:
    """A chain of two intermediates under one that allows so many below it."""
    enclave = Enclave(ROOT, AT)
    upper = issue("upper", ROOT, at=AT, path_length=path_length)
    lower = issue("lower", upper, at=AT)
    enclave.leaf = issue("leaf", lower, at=AT, ca=False)
    return enclave.document(cabundle=[ROOT.der, upper.der, lower.der])


def curve_of_leaf() -> bytes:
    enclave = Enclave(ROOT, AT)
    enclave.leaf = issue("leaf", enclave.zonal, at=AT, ca=False, curve=ec.SECP256R1())
    return enclave.document()


def altered() -> bytes:
    document = ENCLAVE.document()
    return document[:-1] + bytes([document[-1] ^ 1])


OTHER = issue("root", at=AT)
FAULTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "not CBOR": (lambda: b"\xff", "not CBOR"),
    "too deep": (lambda: b"\x81" * 5000, "not CBOR"),
    "not an array": (lambda: cbor2.dumps({}), "COSE_Sign1"),
    "three parts": (lambda: cbor2.dumps([b"", {}, b""]), "COSE_Sign1"),
    "parts of the wrong kind": (lambda: cbor2.dumps([b"", {}, "text", b""]), "COSE_Sign1"),
    "another algorithm": (lambda: sign(ENCLAVE.payload(), ENCLAVE.leaf.key, protected=cbor2.dumps({1: -7})), "ES384"),
    "payload no map": (lambda: sign(cbor2.dumps([1]), ENCLAVE.leaf.key), "not a map"),
    "another digest": (lambda: ENCLAVE.document(digest="SHA256"), "digest"),
    "no timestamp": (lambda: ENCLAVE.document(timestamp=...), "timestamp"),
    "timestamp a truth": (lambda: ENCLAVE.document(timestamp=True), "timestamp"),
    "timestamp out of range": (lambda: ENCLAVE.document(timestamp=2**60), "timestamp"),
    "too old": (lambda: ENCLAVE.document(timestamp=int((AT - timedelta(minutes=6)).timestamp() * 1000)), "five minutes"),
    "of the future": (lambda: ENCLAVE.document(timestamp=int((AT + timedelta(minutes=6)).timestamp() * 1000)), "five minutes"),
    "no bundle": (lambda: ENCLAVE.document(cabundle=[]), "CA bundle"),
    "too long a bundle": (lambda: ENCLAVE.document(cabundle=[ROOT.der] * 10), "CA bundle"),
    "another root": (lambda: ENCLAVE.document(cabundle=[OTHER.der, ENCLAVE.zonal.der]), "root certificate"),
    "no certificate": (lambda: ENCLAVE.document(certificate=...), "missing"),
    "garbled certificate": (lambda: ENCLAVE.document(certificate=b"x"), "not DER"),
    "a link left out": (lambda: ENCLAVE.document(cabundle=[ROOT.der]), "not a chain"),
    "a middle that is no CA": (lambda: chained(middle_is_ca=False), "may not issue"),
    "a middle that has expired": (lambda: chained(days=0), "not valid now"),
    "a chain that is too long": (lambda: long_chain(0), "may not issue"),
    "leaf on P-256": (curve_of_leaf, "P-384"),
    "altered": (altered, "signature"),
    "short signature": (lambda: cbor2.dumps([*cbor2.loads(ENCLAVE.document())[:3], b"x" * 95]), "signature"),
    "signed by another": (lambda: sign(ENCLAVE.payload(), ROOT.key), "signature"),
    "no registers": (lambda: ENCLAVE.document(pcrs={}), "registers"),
    "registers no map": (lambda: ENCLAVE.document(pcrs=[1]), "malformed"),
    "register out of range": (lambda: ENCLAVE.document(pcrs={32: bytes(48)}), "malformed"),
    "register too short": (lambda: ENCLAVE.document(pcrs={0: bytes(20)}), "malformed"),
    "no public key": (lambda: ENCLAVE.document(public_key=None), "no public key"),
    "garbled public key": (lambda: ENCLAVE.document(public_key=b"x"), "SubjectPublicKeyInfo"),
    "an Ed25519 key": (lambda: ENCLAVE.document(public_key=spki(ed25519.Ed25519PrivateKey.generate())), "RSA key"),
    "a weak RSA key": (lambda: ENCLAVE.document(public_key=spki(rsa.generate_private_key(65537, 1024))), "RSA key"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_document_with_a_fault_proves_nothing(fault: str) -> None:
    make, says = FAULTS[fault]
    moment = AT + timedelta(minutes=1) if fault == "a middle that has expired" else AT
    with pytest.raises(BadAttestation, match=says):
        verify(make(), ROOT.certificate, moment)


def test_a_chain_as_long_as_its_certificates_allow_is_taken() -> None:
    assert verify(long_chain(1), ROOT.certificate, AT).pcrs == PCRS


@given(st.binary(max_size=200))
def test_no_octets_at_all_do_worse_than_being_refused(octets: bytes) -> None:
    with pytest.raises(BadAttestation):
        verify(octets, ROOT.certificate, AT)


# pyca warns of certificates with odd serial numbers, which it is going to refuse.
@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.integers(0, 5000), st.integers(0, 255))
def test_a_document_with_one_octet_changed_is_refused(where: int, to: int) -> None:
    document = bytearray(ENCLAVE_DOCUMENT)
    where %= len(document)
    if document[where] == to:
        return
    document[where] = to
    try:
        attested = verify(bytes(document), ROOT.certificate, AT)
    except BadAttestation:
        return
    assert attested == verify(ENCLAVE_DOCUMENT, ROOT.certificate, AT)  # the unprotected header says nothing


ENCLAVE_DOCUMENT = ENCLAVE.document()
