"""Authorities as AWS's guide makes them: create, CSR, sign, import; then disabled, deleted, restored."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from sqlmodel import select

from ca.signing import Signer
from ca.tables import CertificateRow
from foundation.store import Scope
from kms.hsm import CoreUnavailable
from tests.api.pca.acting import create, hierarchy, issue, request
from tests.support.world import Caller, World


def state(pca: Any, arn: str) -> str:
    return str(
        pca.describe_certificate_authority(CertificateAuthorityArn=arn)["CertificateAuthority"]["Status"]
    )


def fails(pca: Any, code: str, operation: str, **params: Any) -> str:
    """The call is refused with that code; its message."""
    with pytest.raises(pca.exceptions.ClientError) as caught:
        getattr(pca, operation)(**params)
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    return str(error["Message"])


def test_a_hierarchy_is_made_by_csr_signature_and_import(both: Any) -> None:
    made = hierarchy(both)
    arn = made.issue(request("host.example.com"))
    got = both.get_certificate(CertificateAuthorityArn=made.subordinate, CertificateArn=arn)
    leaf = x509.load_pem_x509_certificate(got["Certificate"].encode())
    chain = x509.load_pem_x509_certificates(got["CertificateChain"].encode())
    for below, above in zip([leaf, *chain], [*chain, chain[-1]], strict=True):
        below.verify_directly_issued_by(above)
    assert arn.endswith(f"/certificate/{leaf.serial_number:x}")
    both.get_waiter("certificate_issued").wait(CertificateAuthorityArn=made.subordinate, CertificateArn=arn)


def test_a_token_repeated_within_five_minutes_gives_the_same_authority(pca: Any) -> None:
    assert create(pca, IdempotencyToken="once") == create(pca, IdempotencyToken="once")
    fails_with_other = {"name": "Another", "IdempotencyToken": "once"}
    with pytest.raises(pca.exceptions.InvalidArgsException):
        create(pca, **fails_with_other)


def test_deletion_is_for_what_is_not_active_and_a_restore_gives_the_status_before(pca: Any) -> None:
    made = hierarchy(pca)
    fails(
        pca, "InvalidStateException", "delete_certificate_authority", CertificateAuthorityArn=made.subordinate
    )
    pca.update_certificate_authority(CertificateAuthorityArn=made.subordinate, Status="DISABLED")
    pca.delete_certificate_authority(CertificateAuthorityArn=made.subordinate, PermanentDeletionTimeInDays=7)
    described = pca.describe_certificate_authority(CertificateAuthorityArn=made.subordinate)
    assert described["CertificateAuthority"]["Status"] == "DELETED"
    assert "RestorableUntil" in described["CertificateAuthority"]
    pca.restore_certificate_authority(CertificateAuthorityArn=made.subordinate)
    assert state(pca, made.subordinate) == "DISABLED"
    with pytest.raises(pca.exceptions.InvalidStateException):
        made.issue(request("host.example.com"))


def test_a_disabled_revocation_part_carries_no_other_parameter(pca: Any) -> None:
    crl = {"Enabled": False, "ExpirationInDays": 7}
    with pytest.raises(pca.exceptions.InvalidArgsException, match="no other parameter"):
        create(pca, RevocationConfiguration={"CrlConfiguration": crl})


def test_an_import_for_another_key_is_a_mismatch(pca: Any) -> None:
    made, other = hierarchy(pca), create(pca)
    own = pca.get_certificate_authority_certificate(CertificateAuthorityArn=made.root)
    fails(
        pca,
        "CertificateMismatchException",
        "import_certificate_authority_certificate",
        CertificateAuthorityArn=other,
        Certificate=own["Certificate"],
    )


def test_an_authority_of_the_command_line_is_seen_and_issues(
    shared_world: World, caller: Caller, pca: Any
) -> None:
    arn, _ = shared_world.private_ca(caller)
    assert state(pca, arn) == "ACTIVE"
    issue(pca, arn, request("host.example.com"))
    assert arn in {each["Arn"] for each in pca.list_certificate_authorities()["CertificateAuthorities"]}


def test_tags_are_kept_replaced_and_removed(pca: Any) -> None:
    arn = create(pca, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    pca.tag_certificate_authority(CertificateAuthorityArn=arn, Tags=[{"Key": "a", "Value": "2"}])
    pca.untag_certificate_authority(CertificateAuthorityArn=arn, Tags=[{"Key": "b"}])
    assert pca.list_tags(CertificateAuthorityArn=arn)["Tags"] == [{"Key": "a", "Value": "2"}]


def test_tags_are_paged(pca: Any) -> None:
    arn = create(pca, Tags=[{"Key": f"k{number}"} for number in range(5)])
    pages = list(pca.get_paginator("list_tags").paginate(CertificateAuthorityArn=arn, MaxResults=2))
    assert [[tag["Key"] for tag in each["Tags"]] for each in pages] == [["k0", "k1"], ["k2", "k3"], ["k4"]]
    with pytest.raises(pca.exceptions.InvalidNextTokenException):
        pca.list_tags(CertificateAuthorityArn=arn, NextToken="no token of ours")


def test_a_list_is_paged(pca: Any) -> None:
    arns = [create(pca, name=f"CA {number}") for number in range(3)]
    pages = list(pca.get_paginator("list_certificate_authorities").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(each["CertificateAuthorities"]) for each in pages] == [2, 1]
    assert [one["Arn"] for each in pages for one in each["CertificateAuthorities"]] == arns  # oldest first


def test_another_accounts_authority_is_denied(shared_world: World, pca: Any) -> None:
    arn = create(pca)
    stranger = shared_world.account().client("acm-pca")
    fails(stranger, "AccessDeniedException", "describe_certificate_authority", CertificateAuthorityArn=arn)


def test_an_authority_without_a_certificate_cannot_be_asked_of_acm_or_issue(caller: Caller, pca: Any) -> None:
    arn = create(pca, "SUBORDINATE")
    with pytest.raises(pca.exceptions.InvalidStateException):
        issue(pca, arn, request("host.example.com"))
    fails(pca, "InvalidStateException", "get_certificate_authority_certificate", CertificateAuthorityArn=arn)
    acm = caller.client("acm")
    fails(
        acm,
        "InvalidArnException",
        "request_certificate",
        DomainName="a.example.com",
        CertificateAuthorityArn=arn,
    )


def test_a_revocation_is_by_hex_serial_and_only_once(pca: Any) -> None:
    made = hierarchy(pca)
    serial = made.issue(request("host.example.com")).rpartition("/")[2]
    colons = ":".join(serial[at : at + 2] for at in range(0, len(serial), 2)).upper()
    asked = {"CertificateAuthorityArn": made.subordinate, "RevocationReason": "KEY_COMPROMISE"}
    pca.revoke_certificate(CertificateSerial=colons, **asked)
    fails(pca, "RequestAlreadyProcessedException", "revoke_certificate", CertificateSerial=serial, **asked)
    fails(pca, "ResourceNotFoundException", "revoke_certificate", CertificateSerial="4b" * 17, **asked)


def test_a_deleted_authority_is_gone_when_its_window_is_over_and_a_restored_one_is_not(world: World) -> None:
    pca = world.account().client("acm-pca")
    gone, saved = create(pca, name="Gone"), create(pca, name="Saved")
    for arn in (gone, saved):
        pca.delete_certificate_authority(CertificateAuthorityArn=arn, PermanentDeletionTimeInDays=7)
    world.advance(timedelta(days=6, hours=23))
    pca.restore_certificate_authority(CertificateAuthorityArn=saved)
    assert state(pca, gone) == "DELETED"
    world.advance(timedelta(hours=2))
    fails(pca, "ResourceNotFoundException", "describe_certificate_authority", CertificateAuthorityArn=gone)
    world.advance(timedelta(days=30))
    assert state(pca, saved) == "PENDING_CERTIFICATE"


def test_a_leaping_clock_ends_no_authority(world: World) -> None:
    """The scheduler was down for a year, or the clock leapt: what nobody saw pass is added to the window."""
    pca = world.account().client("acm-pca")
    arn = create(pca)
    pca.delete_certificate_authority(CertificateAuthorityArn=arn, PermanentDeletionTimeInDays=7)
    first = restorable_until(pca, arn)
    world.scheduler.store.set_clock_offset(int(timedelta(days=365) / timedelta(microseconds=1)))
    world.run_due()
    assert state(pca, arn) == "DELETED"
    assert restorable_until(pca, arn) - first >= timedelta(days=363)
    world.advance(timedelta(days=7))
    fails(pca, "ResourceNotFoundException", "describe_certificate_authority", CertificateAuthorityArn=arn)


def test_a_leap_of_hours_is_added_to_an_authoritys_window(world: World) -> None:
    pca = world.account().client("acm-pca")
    arn = create(pca)
    pca.delete_certificate_authority(CertificateAuthorityArn=arn, PermanentDeletionTimeInDays=7)
    first, leap = restorable_until(pca, arn), timedelta(hours=20)
    world.leap(leap)
    world.advance(timedelta(days=1, minutes=1))
    assert abs(restorable_until(pca, arn) - first - leap) < timedelta(seconds=5)


def restorable_until(pca: Any, arn: str) -> datetime:
    described = pca.describe_certificate_authority(CertificateAuthorityArn=arn)["CertificateAuthority"]
    moment: datetime = described["RestorableUntil"]
    return moment


def test_a_deleted_authority_publishes_no_crl_until_it_is_restored(world: World) -> None:
    pca = world.account().client("acm-pca")
    made = hierarchy(pca, RevocationConfiguration={"CrlConfiguration": {"Enabled": True}})
    world.run_due()
    path = f"/pki/{made.subordinate.rpartition('/')[2]}.crl"
    first = x509.load_der_x509_crl(world.http("GET", path).body)
    pca.update_certificate_authority(CertificateAuthorityArn=made.subordinate, Status="DISABLED")
    pca.delete_certificate_authority(CertificateAuthorityArn=made.subordinate)
    world.advance(timedelta(days=8))
    assert x509.load_der_x509_crl(world.http("GET", path).body) == first
    pca.restore_certificate_authority(CertificateAuthorityArn=made.subordinate)
    world.run_due()
    assert x509.load_der_x509_crl(world.http("GET", path).body) != first


def test_trap_33_a_certificate_that_is_not_signed_yet_is_in_progress_and_is_finished(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pca = world.account().client("acm-pca")
    made, csr = hierarchy(pca), request("host.example.com")
    with monkeypatch.context() as cut_short:

        def away(*_: Any) -> bytes:
            raise CoreUnavailable("the core is restarting")

        cut_short.setattr(Signer, "certificate", away)
        with pytest.raises(pca.exceptions.ClientError, match="repeat the call"):
            made.issue(csr)
    with world.worker.store.unit(Scope(made.subordinate.split(":")[4], "eu-central-1")).read() as session:
        (row,) = session.exec(select(CertificateRow).where(CertificateRow.status == "INTENT")).all()
    named = {
        "CertificateAuthorityArn": made.subordinate,
        "CertificateArn": f"{made.subordinate}/certificate/{row.serial}",
    }
    fails(pca, "RequestInProgressException", "get_certificate", **named)
    world.advance(timedelta(minutes=1))
    leaf = x509.load_pem_x509_certificate(pca.get_certificate(**named)["Certificate"].encode())
    assert leaf.tbs_certificate_bytes == row.tbs


@pytest.mark.parametrize("oid", ["0.9.2342.19200300.100.1.25", "1.2.840.113549.1.9.1"])
def test_a_subject_that_no_certificate_could_have_is_refused_when_the_ca_is_made(pca: Any, oid: str) -> None:
    custom = [
        {"ObjectIdentifier": "2.5.4.3", "Value": "Test CA"},
        {"ObjectIdentifier": oid, "Value": "\u00fc"},
    ]
    message = fails(
        pca,
        "InvalidArgsException",
        "create_certificate_authority",
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": "EC_prime256v1",
            "SigningAlgorithm": "SHA256WITHECDSA",
            "Subject": {"CustomAttributes": custom},
        },
        CertificateAuthorityType="ROOT",
    )
    assert "IA5String" in message
    assert pca.list_certificate_authorities()["CertificateAuthorities"] == []
