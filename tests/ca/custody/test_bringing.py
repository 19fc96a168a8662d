"""CAs that were made elsewhere go on here: judged, their keys in the core, their CRLs and serials as before and beyond."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ca import BadKey, CertificateNotFound, Offer, OrderRefused
from kms.hsm import KeyRefused
from tests.ca.conftest import START, World
from tests.ca.custody.foreign import ForeignCa, bring, custody, foreign, leaf, wall
from tests.support.core import RunningCore


def signed_with_sha1(root: ForeignCa, directory: Path) -> ForeignCa:
    """A CA that openssl signs so: pyca does it no more."""
    key = ec.generate_private_key(ec.SECP256R1())
    for name, each in (("root", root.key), ("own", key)):
        pem = each.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (directory / f"{name}.key").write_bytes(pem)
    (directory / "root.pem").write_bytes(root.pem)
    extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
    (directory / "extensions").write_text(extensions)
    for command in (
        "req -new -key own.key -subj /CN=Weak -out own.csr",
        "x509 -req -sha1 -in own.csr -CA root.pem -CAkey root.key -days 3650 -extfile extensions -out own.pem",
    ):
        subprocess.run(
            ["openssl", *command.split()], cwd=directory, check=True, capture_output=True, timeout=20
        )
    return ForeignCa(key, x509.load_pem_x509_certificate((directory / "own.pem").read_bytes()), root.pem)


def crl_of(world: World, arn: str) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl(world.service().crl(arn))


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_root_that_was_brought_in_issues_under_its_old_certificate(quick_world: World, kind: str) -> None:
    key = ec.generate_private_key(ec.SECP384R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
    ca = foreign(key=key)
    authority = bring(quick_world, ca)
    assert (authority.kind, authority.status) == ("ROOT", "ACTIVE")
    assert authority.certificate_pem.encode() == ca.pem
    issued = x509.load_pem_x509_certificate(quick_world.issue(authority.arn).certificate_pem.encode())
    issued.verify_directly_issued_by(ca.certificate)
    assert issued.serial_number.bit_length() > 128


def test_a_subordinate_comes_with_its_chain_and_finds_its_parent(quick_world: World) -> None:
    root = foreign("Root")
    below = foreign("Issuing", by=root, path_length=0)
    first = bring(quick_world, below)
    assert (first.kind, first.parent_arn) == ("SUBORDINATE", None)
    assert first.chain_pem.encode() == root.pem
    above = bring(quick_world, root)
    (tree,) = custody(quick_world).lineage(every=False)
    assert (tree.arn, tree.key_origin, [node.arn for node in tree.below]) == (
        above.arn,
        "EXTERNAL",
        [first.arn],
    )
    issued = quick_world.issue(first.arn)
    assert issued.chain_pem.encode() == below.pem + root.pem


def test_crl_numbers_go_on_and_what_was_revoked_stays_revoked(world: World) -> None:
    ca = foreign()
    authority = bring(world, ca, crl=ca.crl(41, 4711, 4712))
    world.run_due()
    crl = crl_of(world, authority.arn)
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 42
    assert crl.is_signature_valid(ca.key.public_key())
    entries = {entry.serial_number: entry for entry in crl}
    assert set(entries) == {4711, 4712}
    reason = entries[4711].extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.key_compromise
    issued = world.issue(authority.arn)
    world.service().revoke(authority.arn, issued.serial)
    world.run_due()
    assert {4711, 4712, int(issued.serial, 16)} == {
        entry.serial_number for entry in crl_of(world, authority.arn)
    }


@pytest.mark.slow
def test_without_a_crl_the_first_number_is_beyond_what_anybody_counted_to(quick_world: World) -> None:
    authority = bring(quick_world, foreign())
    quick_world.run_due()
    number = (
        crl_of(quick_world, authority.arn).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    )
    assert number > START.timestamp()


def test_what_the_ca_issued_before_can_be_revoked_here_when_it_is_brought_along(quick_world: World) -> None:
    ca = foreign()
    issued = leaf(ca, 0x77).public_bytes(Encoding.PEM)
    authority = bring(quick_world, ca, issued=issued)
    quick_world.service().revoke(authority.arn, "77")
    quick_world.run_due()
    assert [entry.serial_number for entry in crl_of(quick_world, authority.arn)] == [0x77]
    with pytest.raises(CertificateNotFound):
        quick_world.service().revoke(authority.arn, "78")


def test_a_key_that_was_compromised_under_its_former_keeper_is_certified_no_more(quick_world: World) -> None:
    ca = foreign()
    issued = leaf(ca, 4711)
    authority = bring(quick_world, ca, crl=ca.crl(41, 4711), issued=issued.public_bytes(Encoding.PEM))
    public = issued.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(OrderRefused, match="compromised"):
        quick_world.issue(authority.arn, public_key=public)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no CA": ({"ca": False}, "is no CA"),
    "no certificate signing": ({"usage": frozenset({"crl_sign"})}, "keyCertSign"),
    "no CRL signing": ({"usage": frozenset({"key_cert_sign"})}, "cRLSign"),
    "no key usage": ({"usage": None}, "openssl x509"),
    "no key identifier": ({"identifier": False}, "subject key identifier"),
    "expired": ({"not_after": START - timedelta(days=1)}, "ran out"),
    "not yet valid": ({"not_before": START + timedelta(days=1)}, "begins only"),
    "a small key": ({"key": rsa.generate_private_key(65537, 1024)}, "1024 bits"),
    "an odd size": ({"key": rsa.generate_private_key(65537, 2560)}, "RSA_2560"),
    "a curve that no CA has": ({"key": ec.generate_private_key(ec.SECP256K1())}, "not supported"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_be_no_authority_is_refused_before_its_key_is_asked_for(
    quick_world: World, case: str
) -> None:
    changes, says = REFUSED[case]
    with pytest.raises((OrderRefused, BadKey), match=says):
        bring(quick_world, foreign(**changes))
    assert custody(quick_world).lineage(every=True) == []


@pytest.mark.slow
def test_a_chain_is_whole_in_order_and_with_no_weak_signature(quick_world: World, tmp_path: Path) -> None:
    root = foreign("Root")
    middle = foreign("Middle", by=root)
    low = foreign("Low", by=middle)
    weak = signed_with_sha1(root, tmp_path)
    quick_world.time = wall()  # which openssl dates by
    short = foreign("Below a path length", by=foreign("Short", by=root, path_length=0))
    deep = foreign("Too deep", by=foreign("Second", by=foreign("First", by=root, path_length=0)))
    for ca, above, says in (
        (low, b"", "no root"),
        (low, middle.pem, "no root"),
        (low, root.pem + middle.pem, "no root"),
        (low, root.pem, "not signed by"),
        (low, foreign("Other").pem, "not signed by"),
        (root, middle.pem, "has no chain"),
        (weak, root.pem, "sha1"),
        (deep, deep.above, "path length"),
    ):
        with pytest.raises(OrderRefused, match=says):
            bring(quick_world, ForeignCa(ca.key, ca.certificate, above))
    assert bring(quick_world, short).status == "ACTIVE"


def test_another_key_than_the_certificates_is_refused_and_leaves_nothing(quick_world: World) -> None:
    ca = foreign()
    with pytest.raises(OrderRefused, match="do not belong together"):
        bring(quick_world, ca, ec.generate_private_key(ec.SECP256R1()))
    assert custody(quick_world).lineage(every=True) == []
    assert bring(quick_world, ca).status == "ACTIVE"


def test_a_key_comes_in_once(quick_world: World) -> None:
    ca = foreign()
    bring(quick_world, ca)
    with pytest.raises(OrderRefused, match="here already"):
        bring(quick_world, ca)


def test_a_crl_is_the_cas_own_and_complete(quick_world: World) -> None:
    ca, other = foreign(), foreign("Other")
    for crl, says in (
        (other.crl(1), "not issued by this CA"),
        (ca.crl(1, by=other.key), "not issued by this CA"),
        (ca.crl(2**70), "too high"),
        (b"nonsense", "neither PEM nor DER"),
    ):
        with pytest.raises(OrderRefused, match=says):
            bring(quick_world, ca, crl=crl)
    with pytest.raises(OrderRefused, match="is of this CA"):
        bring(quick_world, ca, issued=leaf(other, 7).public_bytes(Encoding.PEM))


def test_a_worker_cannot_bring_in_a_key(quick_world: World, running_core: RunningCore) -> None:
    worker = quick_world.service(core=running_core.client("worker"))
    with pytest.raises(KeyRefused, match="only an operator"):
        worker.custody(quick_world.now).begin_import(Offer(foreign().pem))
