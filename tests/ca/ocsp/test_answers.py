"""What an OCSP client is told: good, revoked, unknown, and by whom."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from sqlmodel import select

from ca import NotPublished
from ca.ocsp import TryLater, Unauthorized
from ca.ocsp.responder import UNKNOWN_FOR, VALID_FOR
from ca.states import REVOCATION_REASONS
from ca.tables import AuthorityRow, CertificateRow
from kms.hsm import CoreUnavailable
from tests.ca.conftest import World
from tests.ca.ocsp.conftest import (
    Asking,
    by_serial,
    configure,
    joined,
    octets,
    responder,
    with_ocsp,
    without_ocsp,
)
from tests.ca.test_hierarchy import DyingCore

GOOD, REVOKED, UNKNOWN = (
    ocsp.OCSPCertStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN,
)


def test_a_certificate_is_good_then_revoked_with_its_reason_and_moment(any_client: Asking) -> None:
    leaf = any_client.leaf()
    first = any_client.ask(leaf)
    assert (first.certificate_status, first.serial_number) == (GOOD, leaf.serial_number)
    assert first.produced_at_utc == first.this_update_utc == any_client.world.time
    assert first.next_update_utc == any_client.world.time + VALID_FOR
    any_client.world.time += timedelta(minutes=5)
    any_client.revoke(leaf, "SUPERSEDED")
    second = any_client.ask(leaf)
    assert second.certificate_status is REVOKED
    assert second.revocation_time_utc == any_client.world.time
    assert second.revocation_reason is x509.ReasonFlags.superseded


def test_each_reason_to_revoke_is_said_but_unspecified(shared_client: Asking) -> None:
    for reason, name in REVOCATION_REASONS.items():
        leaf = shared_client.leaf()
        shared_client.revoke(leaf, reason)
        said = shared_client.ask(leaf).revocation_reason
        assert said is (None if reason == "UNSPECIFIED" else x509.ReasonFlags(name))


def test_the_issuer_is_known_by_each_hash(shared_client: Asking) -> None:
    leaf = shared_client.leaf()
    for algorithm in (hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
        response = shared_client.ask(leaf, algorithm=algorithm)
        assert response.certificate_status is GOOD
        assert response.hash_algorithm.name == algorithm.name


def test_a_serial_number_that_was_never_given_out_is_unknown_and_kept_by_nobody(
    shared_client: Asking,
) -> None:
    leaf = shared_client.leaf()
    for serial in (1, 0, leaf.serial_number + 1, 2**159 - 1):
        answer = shared_client.responder.answer(shared_client.authority.id, by_serial(shared_client, serial))
        response = shared_client.read(answer)
        assert (response.certificate_status, response.serial_number) == (UNKNOWN, serial)
        assert answer.refresh_at is None
        assert response.next_update_utc == shared_client.world.time + UNKNOWN_FOR


def test_a_certificate_that_is_given_out_and_not_yet_signed_is_good_and_can_be_revoked(
    any_client: Asking,
) -> None:
    world, dying = any_client.world, DyingCore(any_client.world, 0)
    with pytest.raises(CoreUnavailable):
        world.service(core=dying).issue(world.order(any_client.authority.arn))  # type: ignore[arg-type]  # stands in for a CoreClient
    with world.unit().read() as session:
        row = session.exec(select(CertificateRow).where(CertificateRow.status == "INTENT")).one()
    request = by_serial(any_client, int(row.serial, 16))
    good = any_client.responder.answer(any_client.authority.id, request)
    assert any_client.read(good).certificate_status is GOOD
    world.service().revoke(any_client.authority.arn, row.serial)
    time.sleep(world.store.staleness)
    revoked = any_client.responder.answer(any_client.authority.id, request)
    assert any_client.read(revoked).certificate_status is REVOKED


def test_an_expired_certificate_keeps_its_answer_with_an_archive_cutoff(client: Asking) -> None:
    """RFC 6960 4.4.4: keystead forgets nothing, so the cutoff is the authority's own beginning."""
    world = client.world
    good, revoked = (
        client.leaf(world.issue(client.authority.arn, valid_for=timedelta(days=30))) for _ in range(2)
    )
    client.revoke(revoked)
    assert cutoff(client.ask(good)) is None
    world.time += timedelta(days=31)
    assert client.ask(good).certificate_status is GOOD
    assert client.ask(revoked).certificate_status is REVOKED
    for leaf in (good, revoked):
        assert cutoff(client.ask(leaf)) == client.authority.not_before


def test_another_issuers_certificate_is_unauthorized(shared_client: Asking) -> None:
    leaf = shared_client.leaf()
    sha1 = hashes.SHA1()
    right = ocsp.OCSPRequestBuilder().add_certificate(leaf, shared_client.issuer, sha1).build()
    name, key = right.issuer_name_hash, right.issuer_key_hash
    for wrong_name, wrong_key in ((bytes(20), key), (name, bytes(20)), (key, name)):
        builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
            wrong_name, wrong_key, leaf.serial_number, sha1
        )
        with pytest.raises(Unauthorized, match="another issuer"):
            shared_client.responder.answer(shared_client.authority.id, octets(builder.build()))
    with pytest.raises(Unauthorized, match="another issuer"):
        shared_client.responder.answer(shared_client.root.id, octets(right))


def test_the_roots_responder_answers_for_the_authority_below_it(shared_client: Asking) -> None:
    root = x509.load_pem_x509_certificate(shared_client.root.certificate_pem.encode())
    request = ocsp.OCSPRequestBuilder().add_certificate(shared_client.issuer, root, hashes.SHA256()).build()
    response = ocsp.load_der_ocsp_response(
        shared_client.responder.answer(shared_client.root.id, octets(request)).body
    )
    assert response.certificate_status is GOOD
    response.certificates[0].verify_directly_issued_by(root)


def test_ocsp_that_is_off_is_unauthorized_until_it_is_on(client: Asking) -> None:
    leaf = client.leaf()
    client.ask(leaf)
    client.configure(without_ocsp)
    with pytest.raises(Unauthorized):
        client.ask(leaf)
    client.configure(with_ocsp)
    assert client.ask(leaf).certificate_status is GOOD


@pytest.mark.slow
def test_an_authority_that_publishes_nothing_answers_nothing(client: Asking) -> None:
    leaf = client.leaf()
    client.ask(leaf)
    for state in ("DELETED", "PENDING_CERTIFICATE", "CREATING", "FAILED"):
        client.configure(in_state(state))
        with pytest.raises(Unauthorized):
            client.ask(leaf)


@pytest.mark.slow
def test_a_disabled_authority_answers_and_gets_a_signer_for_it(client: Asking) -> None:
    leaf = client.leaf()
    client.configure(in_state("DISABLED"))
    assert client.ask(leaf).certificate_status is GOOD


def test_nothing_outlives_the_authority(client: Asking) -> None:
    leaf, end = client.leaf(), client.authority.not_after
    client.world.time = end - timedelta(minutes=3)
    response = client.ask(leaf)
    assert response.next_update_utc == end
    assert response.certificates[0].not_valid_after_utc == end
    client.world.time = end + timedelta(seconds=1)
    with pytest.raises(Unauthorized):
        client.ask(leaf)


def test_an_authority_that_is_not_there_is_not_found(shared_client: Asking) -> None:
    with pytest.raises(NotPublished):
        shared_client.responder.answer("00000000-0000-4000-8000-000000000000", by_serial(shared_client, 7))


def test_several_certificates_in_one_request_are_answered_in_their_order(shared_client: Asking) -> None:
    good, revoked = shared_client.leaf(), shared_client.leaf()
    shared_client.revoke(revoked)
    request = joined(
        by_serial(shared_client, good.serial_number),
        by_serial(shared_client, revoked.serial_number),
        by_serial(shared_client, 7),
    )
    answer = shared_client.responder.answer(shared_client.authority.id, request)
    response = ocsp.load_der_ocsp_response(answer.body)
    said = [(each.serial_number, each.certificate_status) for each in response.responses]
    assert said == [(good.serial_number, GOOD), (revoked.serial_number, REVOKED), (7, UNKNOWN)]
    assert answer.refresh_at is None


@pytest.mark.slow
def test_a_core_that_is_away_is_for_later(client: Asking) -> None:
    leaf = client.leaf()
    client.ask(leaf, nonce=b"n")
    dying = DyingCore(client.world, 0)
    client.responder._core = dying  # type: ignore[assignment]  # stands in for a CoreClient
    with pytest.raises(TryLater):
        client.ask(leaf, nonce=b"m")


def cutoff(response: ocsp.OCSPResponse) -> datetime | None:
    """The archive cutoff, which pyca reads as an extension that it does not know."""
    for each in response.single_extensions:
        assert each.oid.dotted_string == "1.3.6.1.5.5.7.48.1.6"
        assert isinstance(each.value, x509.UnrecognizedExtension)
        return datetime.strptime(each.value.value[2:].decode(), "%Y%m%d%H%M%S%z")
    return None


def in_state(state: str) -> Callable[[AuthorityRow], None]:
    def change(row: AuthorityRow) -> None:
        row.status = state

    return change


def test_the_deployments_own_hierarchy_answers_from_the_start_and_an_accounts_when_asked_to(
    quick_world: World,
) -> None:
    ask = responder(quick_world, [0.0])
    _, own = quick_world.service().init()
    authority = quick_world.service().deployment_hierarchy()
    issued = quick_world.issue(authority.arn)
    leaf = x509.load_pem_x509_certificate(issued.certificate_pem.encode())
    by = x509.load_pem_x509_certificate(authority.certificate_pem.encode())
    request = octets(ocsp.OCSPRequestBuilder().add_certificate(leaf, by, hashes.SHA1()).build())
    response = ocsp.load_der_ocsp_response(ask.answer(authority.id, request).body)
    assert response.certificate_status is GOOD
    with pytest.raises(Unauthorized):
        ask.answer(own.id, request)


@pytest.mark.parametrize("spec", ["ML_DSA_44", pytest.param("RSA_2048", marks=pytest.mark.slow)])
def test_an_authority_of_another_key_has_a_p256_signer(quick_world: World, spec: str) -> None:
    root = quick_world.service().create_root("Other root", spec, timedelta(days=99))
    configure(quick_world, root.id, with_ocsp)
    own = x509.load_pem_x509_certificate(root.certificate_pem.encode())
    request = ocsp.OCSPRequestBuilder().add_certificate(own, own, hashes.SHA256()).build()
    answer = responder(quick_world, [0.0]).answer(root.id, octets(request))
    response = ocsp.load_der_ocsp_response(answer.body)
    (signer,) = response.certificates
    signer.verify_directly_issued_by(own)
    key = signer.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(hashes.SHA256()))
