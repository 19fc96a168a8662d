"""A new key under an old name, and certificates by others: whichever root is trusted, a path is found."""

import subprocess
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import AuthorityKeyIdentifier, SubjectKeyIdentifier

from ca import AuthorityNotFound, AuthorityState, Crossed, OrderRefused, PublicPki
from ca.orders import AuthorityView
from foundation.store import SYSTEM
from kms.hsm import KeyRefused
from tests.ca.conftest import START, World
from tests.ca.custody.foreign import bring, custody, foreign
from tests.support.core import RunningCore


def served(world: World, path: str) -> str:
    found = PublicPki(world.unit(SYSTEM)).file(path)
    assert found is not None, path
    return found[1].decode()


def verified(directory: Path, trusted: str, untrusted: Sequence[str], leaf: str) -> str:
    """What `openssl verify` says, with these files only."""
    for name, text in (("trusted", trusted), ("untrusted", "".join(untrusted)), ("leaf", leaf)):
        (directory / f"{name}.pem").write_text(text)
    more = ["-untrusted", "untrusted.pem"] if untrusted else []
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(START.timestamp()) + 60)]
    command += ["-no-CAfile", "-no-CApath", "-trusted", "trusted.pem", *more, "leaf.pem"]
    ran = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=20, check=False)
    return (ran.stdout + ran.stderr).strip().splitlines()[-1]


def rotated(world: World, arn: str) -> tuple[AuthorityView, Crossed | None, Crossed | None]:
    made = custody(world).rotate(arn, None, None)
    return custody(world).view(made.new.id), made.old_with_new, made.new_with_old


def test_after_a_change_of_key_leaves_old_and_new_verify_with_either_root(
    world: World, tmp_path: Path
) -> None:
    old, subordinate = world.service().init()
    early = world.issue(subordinate.arn)
    new, old_with_new, new_with_old = rotated(world, old.arn)
    assert old_with_new is not None
    assert new_with_old is not None
    late = world.issue(old.arn)  # by its old ARN
    assert late.arn.startswith(new.arn)
    to_new = served(world, f"{old.id}/chains/{old_with_new.number}.pem")
    to_old = served(world, f"{new.id}/chains/{new_with_old.number}.pem")
    first = [subordinate.certificate_pem]
    assert verified(tmp_path, old.certificate_pem, first, early.certificate_pem) == "leaf.pem: OK"
    assert verified(tmp_path, new.certificate_pem, [*first, to_new], early.certificate_pem) == "leaf.pem: OK"
    assert verified(tmp_path, new.certificate_pem, [], late.certificate_pem) == "leaf.pem: OK"
    assert verified(tmp_path, old.certificate_pem, [to_old], late.certificate_pem) == "leaf.pem: OK"
    assert "OK" not in verified(tmp_path, old.certificate_pem, [], late.certificate_pem)


@pytest.mark.slow
def test_the_two_keys_have_one_name_and_certify_each_other_by_their_identifiers(quick_world: World) -> None:
    old, _ = quick_world.service().init()
    new, old_with_new, new_with_old = rotated(quick_world, old.arn)
    assert (new.subject, new.key_spec, new.kind) == (old.subject, old.key_spec, "ROOT")
    own = {
        name: x509.load_pem_x509_certificate(view.certificate_pem.encode())
        for name, view in (("old", old), ("new", new))
    }
    assert own["old"].public_key() != own["new"].public_key()
    for cross, subject, issuer in ((old_with_new, "old", "new"), (new_with_old, "new", "old")):
        assert cross is not None
        certificate = x509.load_pem_x509_certificate(cross.certificate_pem.encode())
        certificate.verify_directly_issued_by(own[issuer])
        assert certificate.public_key() == own[subject].public_key()
        get = certificate.extensions.get_extension_for_class
        assert get(SubjectKeyIdentifier).value == _ski(own[subject])
        assert get(AuthorityKeyIdentifier).value.key_identifier == _ski(own[issuer]).digest


def _ski(certificate: x509.Certificate) -> SubjectKeyIdentifier:
    return certificate.extensions.get_extension_for_class(SubjectKeyIdentifier).value


@pytest.mark.slow
def test_the_old_key_keeps_its_crl_until_it_expires(quick_world: World) -> None:
    old, subordinate = quick_world.service().init()
    rotated(quick_world, old.arn)
    quick_world.run_due()
    quick_world.service().revoke(old.arn, subordinate.serial)
    quick_world.time += timedelta(days=30)
    quick_world.run_due()
    crl = x509.load_der_x509_crl(quick_world.service().crl(old.arn))
    key = x509.load_pem_x509_certificate(old.certificate_pem.encode()).public_key()
    assert crl.is_signature_valid(key)  # type: ignore[arg-type]  # an EC key
    assert int(subordinate.serial, 16) in {entry.serial_number for entry in crl}
    assert crl.last_update_utc > START + timedelta(days=29)


def test_a_subordinates_parent_vouches_for_both_keys(quick_world: World) -> None:
    root, old = quick_world.service().init()
    new, old_with_new, new_with_old = rotated(quick_world, old.arn)
    assert (old_with_new, new_with_old) == (None, None)
    assert (new.parent_arn, new.subject, new.chain_pem) == (root.arn, old.subject, root.certificate_pem)
    assert quick_world.issue(old.arn).arn.startswith(new.arn)
    assert quick_world.service().init()[1].arn == new.arn  # keystead's own hierarchy goes on with it


@pytest.mark.slow
def test_a_root_that_was_brought_in_changes_to_a_key_of_the_core(quick_world: World, tmp_path: Path) -> None:
    ca = foreign(path_length=1)
    old = bring(quick_world, ca)
    new, _, new_with_old = rotated(quick_world, old.arn)
    assert new_with_old is not None
    late = quick_world.issue(new.arn)
    untrusted = [new_with_old.certificate_pem]
    assert verified(tmp_path, old.certificate_pem, untrusted, late.certificate_pem) == "leaf.pem: OK"
    own = x509.load_pem_x509_certificate(new.certificate_pem.encode())
    assert own.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 1


@pytest.mark.slow
def test_a_key_changes_once_and_its_successors_next(quick_world: World) -> None:
    old, _ = quick_world.service().init()
    new, _, _ = rotated(quick_world, old.arn)
    with pytest.raises(AuthorityState, match=new.id):
        rotated(quick_world, old.arn)
    newest, _, _ = rotated(quick_world, new.arn)
    assert quick_world.issue(old.arn).arn.startswith(newest.arn)


@pytest.mark.slow
def test_a_subordinate_whose_parent_is_elsewhere_gets_no_new_key_here(quick_world: World) -> None:
    below = bring(quick_world, foreign("Issuing", by=foreign("Root")))
    with pytest.raises(OrderRefused, match="its parent is not in this account"):
        rotated(quick_world, below.arn)


@pytest.mark.slow
def test_another_root_certifies_a_subordinates_name_and_key(quick_world: World, tmp_path: Path) -> None:
    _, subordinate = quick_world.service().init()
    other = bring(quick_world, foreign("Another Root"))
    crossed = custody(quick_world).cross_sign(subordinate.arn, other.arn, None)
    leaf = quick_world.issue(subordinate.arn).certificate_pem
    chain = served(quick_world, f"{subordinate.id}/chains/{crossed.number}.pem")
    assert chain == crossed.certificate_pem + crossed.chain_pem
    assert verified(tmp_path, other.certificate_pem, [crossed.certificate_pem], leaf) == "leaf.pem: OK"
    again = custody(quick_world).cross_sign(subordinate.arn, other.arn, timedelta(days=10))
    assert again.number == crossed.number + 1
    ends = x509.load_pem_x509_certificate(again.certificate_pem.encode()).not_valid_after_utc
    assert ends == START + timedelta(days=10)
    (tree,) = [each for each in custody(quick_world).lineage(every=False) if each.below]
    assert [cross.issuer_arn for cross in tree.below[0].crosses] == [other.arn, other.arn]
    quick_world.service().revoke(other.arn, tree.below[0].crosses[0].serial)


def test_who_cannot_cross_sign(quick_world: World) -> None:
    root, subordinate = quick_world.service().init()
    with pytest.raises(OrderRefused, match="does not cross-sign itself"):
        custody(quick_world).cross_sign(root.arn, root.arn, None)
    with pytest.raises(OrderRefused, match="path length of 0"):
        custody(quick_world).cross_sign(root.arn, subordinate.arn, None)
    quick_world.service().disable(root.arn)
    with pytest.raises(AuthorityState):
        custody(quick_world).cross_sign(subordinate.arn, root.arn, None)
    with pytest.raises(AuthorityNotFound, match="--account"):
        custody(quick_world).cross_sign(
            subordinate.arn, root.arn.replace("111122223333", "444455556666"), None
        )


def test_a_worker_cannot_certify_another_key_of_a_name(quick_world: World, running_core: RunningCore) -> None:
    root, _ = quick_world.service().init()
    worker = quick_world.service(core=running_core.client("worker")).custody(quick_world.now)
    with pytest.raises(KeyRefused, match="only an operator"):
        worker.rotate(root.arn, None, None)
