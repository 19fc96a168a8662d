"""Every signing request of certs-fixtures/csr, judged."""

import json
import re
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from ca import BadCsr, judge_csr

FOLDER = Path(__file__).parents[2] / "certs-fixtures" / "csr"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())
GOOD = sorted(path for path in EXPECTED if path.startswith("good/"))
BAD = sorted(path for path in EXPECTED if path.startswith("bad/"))


@pytest.mark.filterwarnings(
    "ignore:Attribute's length must be"
)  # as ca.csr does; pytest forgets it for each test
@pytest.mark.parametrize("path", GOOD)
def test_a_good_request_gives_its_key_and_names_and_nothing_else(path: str) -> None:
    pem = (FOLDER / path).read_bytes()
    judged = judge_csr(pem)
    assert list(judged.names) == EXPECTED[path]["names"]
    assert judged.spec == EXPECTED[path]["spec"]
    key = x509.load_pem_x509_csr(pem).public_key()
    assert judged.public_key == key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("path", BAD)
def test_a_bad_request_is_refused_with_its_own_reason_in_a_sentence(path: str) -> None:
    with pytest.raises(BadCsr) as caught:
        judge_csr((FOLDER / path).read_bytes())
    sentence = str(caught.value)
    assert EXPECTED[path]["refusal"] in sentence
    assert re.fullmatch(r"[A-Z][ -~]*\.", sentence), "printable ASCII, from a capital to a full stop"


def test_every_fixture_is_expected_and_named_in_the_readme() -> None:
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.pem")}
    assert files == set(EXPECTED)
    readme = (FOLDER / "README.md").read_text()
    assert all(f"`{path}`" in readme for path in files)


def test_proof_of_possession_comes_before_names() -> None:
    """A request that is bad in both ways is told about the signature."""
    text = (FOLDER / "bad/bad-signature.pem").read_bytes()
    with pytest.raises(BadCsr, match="signature"):
        judge_csr(text, max_names=0)


def test_the_number_of_names_is_the_callers_to_choose() -> None:
    text = (FOLDER / "good/100-names.pem").read_bytes()
    with pytest.raises(BadCsr, match="100 names; 10 is the most"):
        judge_csr(text, max_names=10)


@pytest.mark.parametrize("path", BAD)
def test_no_request_costs_more_than_a_moment(path: str) -> None:
    text = (FOLDER / path).read_bytes()
    start = process_time()
    with pytest.raises(BadCsr):
        judge_csr(text)
    assert process_time() - start < 1


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["good/p256.pem", "good/wildcard.pem", "good/organisation.pem"]), st.data())
def test_a_damaged_request_is_refused_and_never_crashes(path: str, data: st.DataObject) -> None:
    der = bytearray(x509.load_pem_x509_csr((FOLDER / path).read_bytes()).public_bytes(Encoding.DER))
    at = data.draw(st.integers(0, len(der) - 1))
    der[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BadCsr):
        judge_csr(_pem(bytes(der)))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_in_a_block_are_judged_without_a_crash(der: bytes) -> None:
    with pytest.raises(BadCsr):
        judge_csr(_pem(der))


def _pem(der: bytes) -> bytes:
    from base64 import encodebytes

    return (
        b"-----BEGIN CERTIFICATE REQUEST-----\n" + encodebytes(der) + b"-----END CERTIFICATE REQUEST-----\n"
    )
