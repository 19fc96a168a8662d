"""Delegated signers: who they are, how they follow each other, and what is never left half done."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from sqlmodel import select

from ca import OrderRefused
from ca.ocsp import TryLater
from ca.ocsp.signers import OCSP_JOB, VALID_FOR, signer_label
from ca.ocsp.tables import SignerRow
from kms.hsm import CoreUnavailable, KeyRefused
from kms.hsm.labels import NOBODY
from tests.ca.conftest import World
from tests.ca.ocsp.conftest import Asking, with_ocsp, without_ocsp
from tests.ca.test_hierarchy import DyingCore


def rows(world: World, authority_id: str) -> list[SignerRow]:
    with world.unit().read() as session:
        mine = select(SignerRow).where(SignerRow.authority_id == authority_id)
        return sorted(session.exec(mine), key=lambda row: row.number)


def signer_of(client: Asking) -> x509.Certificate:
    leaf = client.leaf(client.world.issue(client.authority.arn, valid_for=timedelta(days=1)))
    return client.ask(leaf).certificates[0]


def test_a_signer_is_the_authoritys_delegate_and_nothing_else(shared_client: Asking) -> None:
    signer = signer_of(shared_client)
    purposes = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert signer.extensions.get_extension_for_class(x509.OCSPNoCheck)
    usage = signer.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.key_cert_sign, usage.crl_sign) == (True, False, False)
    assert not signer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    kinds = {each.oid for each in signer.extensions}
    assert not {x509.AuthorityInformationAccess.oid, x509.CRLDistributionPoints.oid} & kinds
    assert signer.not_valid_after_utc - shared_client.world.time == VALID_FOR
    assert "OCSP responder 1" in signer.subject.rfc4514_string()


def test_the_core_lets_a_signers_key_sign_nothing_else(client: Asking) -> None:
    signer_of(client)
    (row,) = rows(client.world, client.authority.id)
    for kind in ("raw", "certificate", "ca-certificate", "crl", "csr"):
        with pytest.raises(KeyRefused):
            client.world.core.sign(row.key_token, signer_label(row), NOBODY, "ECDSA_SHA_256", b"x", kind=kind)


def test_a_signer_is_succeeded_at_half_of_its_life_and_forgotten_after_it(any_client: Asking) -> None:
    client, world = any_client, any_client.world
    first = signer_of(client)
    world.run_due()
    due = world.store.next_due((OCSP_JOB,))
    assert due is not None
    assert due < first.not_valid_after_utc - timedelta(days=6)
    world.time = due
    world.run_due()
    second = signer_of(client)
    assert second.public_key() != first.public_key()
    assert [row.number for row in rows(world, client.authority.id)] == [1, 2]
    for _ in range(3):
        world.time += VALID_FOR / 2
        world.run_due()
    assert len(rows(world, client.authority.id)) == 2


@pytest.mark.slow
def test_the_job_ends_with_ocsp_and_begins_again_with_a_question(client: Asking) -> None:
    world = client.world
    signer_of(client)
    client.configure(without_ocsp)
    world.time += VALID_FOR / 2
    world.run_due()
    assert world.store.next_due((OCSP_JOB,)) is None
    client.configure(with_ocsp)
    world.time += VALID_FOR
    assert "OCSP responder 2" in signer_of(client).subject.rfc4514_string()
    assert world.store.next_due((OCSP_JOB,)) is not None


@pytest.mark.slow
def test_near_the_authoritys_end_its_last_signer_ends_with_it(client: Asking) -> None:
    world = client.world
    world.time = client.authority.not_after - timedelta(days=3)
    assert signer_of(client).not_valid_after_utc == client.authority.not_after
    assert world.store.next_due((OCSP_JOB,)) == client.authority.not_after + timedelta(seconds=1)
    world.time = client.authority.not_after + timedelta(seconds=1)
    world.run_due()
    assert world.store.next_due((OCSP_JOB,)) is None


@pytest.mark.slow
@pytest.mark.parametrize("life", range(2))
def test_a_signer_that_was_interrupted_is_finished_by_the_next_question(client: Asking, life: int) -> None:
    """The core calls of a first question: the key, the certificate."""
    world, leaf = client.world, client.leaf()
    dying = DyingCore(world, life)
    with pytest.raises(CoreUnavailable):
        world.service(core=dying).ocsp_signer(client.authority.id)  # type: ignore[arg-type]  # stands in for a CoreClient
    client.ask(leaf)
    (row,) = rows(world, client.authority.id)
    assert row.number == 1


def test_questions_at_once_make_one_signer(any_client: Asking) -> None:
    client = any_client
    leaf = client.leaf()
    workers = [client.worker() for _ in range(4)]
    answers = client.world.at_once(4, lambda number: client.ask(leaf, by=workers[number]).certificates[0])
    assert len(set(answers)) == 1
    assert len(rows(client.world, client.authority.id)) == 1


@pytest.mark.slow
def test_an_authority_whose_constraints_allow_no_signer_has_no_answer_now(client: Asking) -> None:
    def refuse(*_: object) -> SignerRow:
        raise OrderRefused("not within the constraints")

    leaf = client.leaf()
    responder = client.worker()
    responder._signers = refuse
    with pytest.raises(TryLater, match="constraints"):
        client.ask(leaf, by=responder)
