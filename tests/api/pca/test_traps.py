"""TRAPS 33, 35 and 36 by name, where no other test of this folder has the name already (34: test_imports)."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError
from sqlmodel import select

from ca.signing import Signer
from ca.tables import CertificateRow
from foundation.store import Scope
from kms.hsm import CoreUnavailable
from tests.api.pca.acting import Hierarchy, create, hierarchy, request
from tests.api.pca.test_authorities import fails, state
from tests.support.world import Caller, World

NAME = "host.example.com"


@pytest.fixture
def unchecked(caller: Caller) -> Any:
    """A client that sends what botocore's own validation would stop."""
    return caller.client("acm-pca", checked=False)


def unfinished(world: World, made: Hierarchy, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A certificate whose intent was committed when the core went away: how to name it."""

    def away(*_: Any) -> bytes:
        raise CoreUnavailable("the core is restarting")

    with monkeypatch.context() as cut_short:
        cut_short.setattr(Signer, "certificate", away)
        with pytest.raises(ClientError, match="repeat the call"):
            made.issue(request(NAME))
    with world.worker.store.unit(Scope(made.subordinate.split(":")[4], "eu-central-1")).read() as session:
        (row,) = session.exec(select(CertificateRow).where(CertificateRow.status == "INTENT")).all()
    return {
        "CertificateAuthorityArn": made.subordinate,
        "CertificateArn": f"{made.subordinate}/certificate/{row.serial}",
    }


def test_trap_33_boto3s_waiter_waits_while_the_certificate_is_in_progress(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stock `certificate_issued`: it hears RequestInProgressException, sleeps, and hears the certificate."""
    pca = world.account().client("acm-pca")
    named, slept = unfinished(world, hierarchy(pca), monkeypatch), list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        world.advance(timedelta(minutes=1))

    monkeypatch.setattr("botocore.waiter.time.sleep", sleep)
    pca.get_waiter("certificate_issued").wait(**named)
    assert slept == [1]
    assert pca.get_certificate(**named)["Certificate"]


def test_trap_33_the_waiter_gives_up_in_its_own_time_on_what_is_never_signed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    pca = world.account().client("acm-pca")
    named, slept = unfinished(world, hierarchy(pca), monkeypatch), list[float]()
    monkeypatch.setattr("botocore.waiter.time.sleep", slept.append)
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        pca.get_waiter("certificate_issued").wait(**named)
    assert slept == [1] * 59  # 60 questions, one second apart, as the model's waiter has it


def test_trap_33_boto3s_waiter_for_the_request_of_an_authority_is_done_at_once(pca: Any) -> None:
    arn = create(pca)
    pca.get_waiter("certificate_authority_csr_created").wait(CertificateAuthorityArn=arn)


def test_trap_33_the_arn_ends_in_the_serial_number_and_the_beginning_is_an_hour_ago(
    pca: Any, unchecked: Any
) -> None:
    made = hierarchy(pca)
    arn = made.issue(request(NAME), Validity={"Type": "DAYS", "Value": 1})
    leaf = made.certificate(arn)
    assert arn.rpartition("/")[2] == f"{leaf.serial_number:x}"
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= timedelta(days=1, minutes=60)
    fails(
        unchecked,
        "InvalidArgsException",
        "issue_certificate",
        CertificateAuthorityArn=made.subordinate,
        Csr=request(NAME),
        SigningAlgorithm="SHA256WITHECDSA",
        Validity={"Type": "DAYS", "Value": 0},
    )


def test_trap_33_issued_expired_and_revoked_certificates_stay_readable(world: World) -> None:
    pca = world.account().client("acm-pca")
    made = hierarchy(pca)
    arns = [made.issue(request(NAME), Validity={"Type": "DAYS", "Value": 2}) for _ in range(2)]
    pca.revoke_certificate(
        CertificateAuthorityArn=made.subordinate,
        CertificateSerial=arns[1].rpartition("/")[2],
        RevocationReason="SUPERSEDED",
    )
    world.advance(timedelta(days=3))
    for arn in arns:
        assert pca.get_certificate(CertificateAuthorityArn=made.subordinate, CertificateArn=arn)[
            "Certificate"
        ]


def test_trap_35_updates_are_for_active_and_disabled_authorities_and_deletions_for_the_others(
    pca: Any,
) -> None:
    made, waiting = hierarchy(pca), create(pca)
    for status in ("ACTIVE", "DISABLED"):
        fails(
            pca,
            "InvalidStateException",
            "update_certificate_authority",
            CertificateAuthorityArn=waiting,
            Status=status,
        )
    active = {"CertificateAuthorityArn": made.subordinate}
    fails(pca, "InvalidStateException", "delete_certificate_authority", **active)
    fails(pca, "InvalidStateException", "restore_certificate_authority", **active)
    pca.update_certificate_authority(Status="DISABLED", **active)
    with pytest.raises(pca.exceptions.InvalidStateException):
        made.issue(request(NAME))
    pca.update_certificate_authority(Status="ACTIVE", **active)
    assert made.issue(request(NAME))
    pca.delete_certificate_authority(CertificateAuthorityArn=waiting)
    pca.restore_certificate_authority(CertificateAuthorityArn=waiting)
    assert state(pca, waiting) == "PENDING_CERTIFICATE"


@pytest.mark.parametrize("days", [6, 31])
def test_trap_35_a_deletion_can_be_restored_for_7_to_30_days(pca: Any, unchecked: Any, days: int) -> None:
    arn = create(pca)
    with pytest.raises(ClientError, match="ValidationException"):
        unchecked.delete_certificate_authority(CertificateAuthorityArn=arn, PermanentDeletionTimeInDays=days)
    assert state(pca, arn) == "PENDING_CERTIFICATE"


def test_trap_35_revocation_is_off_by_default(pca: Any) -> None:
    described = pca.describe_certificate_authority(CertificateAuthorityArn=create(pca))
    configuration = described["CertificateAuthority"]["RevocationConfiguration"]
    assert not configuration["CrlConfiguration"]["Enabled"]
    assert not configuration["OcspConfiguration"]["Enabled"]


def test_trap_36_a_roots_own_certificate_cannot_be_revoked_and_a_subordinates_can_once(pca: Any) -> None:
    made = hierarchy(pca)

    def serial_of(arn: str) -> str:
        described = pca.describe_certificate_authority(CertificateAuthorityArn=arn)["CertificateAuthority"]
        return str(described["Serial"])

    asked = {"CertificateAuthorityArn": made.root, "RevocationReason": "SUPERSEDED"}
    own, below = serial_of(made.root), serial_of(made.subordinate)
    message = fails(pca, "InvalidRequestException", "revoke_certificate", CertificateSerial=own, **asked)
    assert "root" in message
    pca.revoke_certificate(CertificateSerial=below, **asked)
    fails(pca, "RequestAlreadyProcessedException", "revoke_certificate", CertificateSerial=below, **asked)
    fails(pca, "InvalidRequestException", "revoke_certificate", CertificateSerial="not hexadecimal", **asked)
