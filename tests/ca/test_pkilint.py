"""pkilint, an independent linter, finds neither an error nor a warning in anything that the CA signs."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ca.draft import Draft, draw_up, server_subject
from ca.keys import CA_KEY_SPECS
from ca.profiles import PROFILES
from ca.ticket import Ticket
from tests.ca.conftest import START, World
from tests.ca.independent_linter import certificate_findings, chain_findings, crl_findings
from tests.ca.test_lints import FOLDER

ROOT = x509.load_pem_x509_certificates((FOLDER / "version" / "good.pem").read_bytes())[1]
RSA = rsa.generate_private_key(65537, 2048).public_key()
P384 = ec.generate_private_key(ec.SECP384R1()).public_key()


@pytest.mark.parametrize("spec", list(CA_KEY_SPECS))
def test_what_each_kind_of_key_signs_is_clean(quick_world: World, spec: str) -> None:
    service = quick_world.service()
    root = service.create_root("Test Root", spec, timedelta(days=3652))
    below = service.create_subordinate(root.arn, "Test Issuing", spec, timedelta(days=1826))
    spki = RSA.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    leaves = [
        quick_world.issue(below.arn, "host.example.com", "*.example.com"),
        quick_world.issue(below.arn, public_key=spki),
        quick_world.issue(below.arn, f"{'a' * 60}.example.com"),
    ]
    quick_world.service().revoke(below.arn, leaves[0].serial, "SUPERSEDED")
    quick_world.service().revoke(below.arn, leaves[1].serial)
    quick_world.run_due()
    for pem in (root.certificate_pem, below.certificate_pem, *(leaf.certificate_pem for leaf in leaves)):
        assert certificate_findings(pem) == []
    assert chain_findings(root.certificate_pem, below.certificate_pem) == []
    for leaf in leaves:
        assert chain_findings(below.certificate_pem, leaf.certificate_pem) == []
    for view in (root, below):
        assert crl_findings(quick_world.service().crl(view.arn)) == []


def test_keysteads_own_hierarchies_are_clean(quick_world: World) -> None:
    for view in (*quick_world.service().init(), quick_world.service().deployment_hierarchy()):
        assert certificate_findings(view.certificate_pem) == []


def test_the_linter_does_find_faults() -> None:
    """Otherwise the tests above would prove nothing."""
    path = FOLDER / "extensions_of_profile" / "bad-empty-subject-san-not-critical.pem"
    bad, issuer = (
        certificate.public_bytes(Encoding.PEM).decode()
        for certificate in x509.load_pem_x509_certificates(path.read_bytes())
    )
    assert "san_extension_not_critical" in str(certificate_findings(bad))
    assert "signature" in str(chain_findings(bad, issuer)).lower()


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
NAME = st.builds(
    lambda wild, labels: ".".join([*(["*"] if wild else []), *labels, "example"]),
    st.booleans(),
    st.lists(LABEL, min_size=1, max_size=6),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    names=st.lists(NAME, min_size=1, max_size=8, unique=True),
    key=st.sampled_from([RSA, P384]),
    days=st.integers(1, 820),
    serial=st.binary(min_size=16, max_size=16),
)
def test_whatever_passes_our_lints_passes_the_other_linter(
    names: list[str], key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey, days: int, serial: bytes
) -> None:
    """SECURITY T21: random names, keys, lifetimes; drawn up and linted as for issuance."""
    certificate = draw_up(
        Draft(
            profile=PROFILES["server"],
            issuer=ROOT,
            signing_spec="EC_prime256v1",
            subject=server_subject(tuple(names)),
            names=tuple(names),
            public_key=key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            serial=int.from_bytes(b"\x4b" + serial, "big"),
            not_before=START,
            not_after=START + timedelta(days=days),
        )
    )
    ticket = Ticket(certificate, ROOT, PROFILES["server"])
    assert certificate_findings(ticket.certificate.public_bytes(Encoding.PEM).decode()) == []
