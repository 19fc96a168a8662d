"""Audit reports through stock boto3: asked for, written by the job, read from the bucket."""

import csv
import io
import json
import uuid
from datetime import timedelta
from typing import Any

import pytest

from ca import FolderSink
from ca.pca.audit_reports import AUDIT_JOB, write_due
from foundation.store import LostClaim
from tests.api.pca.acting import create, hierarchy, request
from tests.support.world import Caller, World

FIELDS = [
    "awsAccountId",
    "requestedByServicePrincipal",
    "certificateArn",
    "serial",
    "subject",
    "notBefore",
    "notAfter",
    "issuedAt",
    "revokedAt",
    "revocationReason",
    "templateArn",
]
HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
def bucket(shared_world: World) -> str:
    name = f"reports-{uuid.uuid4()}"
    (shared_world.data / "buckets" / name).mkdir(parents=True)
    return name


def ask(pca: Any, arn: str, bucket: str, form: str = "JSON") -> dict[str, str]:
    answer: dict[str, str] = pca.create_certificate_authority_audit_report(
        CertificateAuthorityArn=arn, S3BucketName=bucket, AuditReportResponseFormat=form
    )
    return answer


def describe(pca: Any, arn: str, report: str) -> dict[str, Any]:
    answer: dict[str, Any] = pca.describe_certificate_authority_audit_report(
        CertificateAuthorityArn=arn, AuditReportId=report
    )
    return answer


def written(world: World, bucket: str, key: str) -> str:
    return (world.data / "buckets" / bucket / key).read_text()


def test_a_report_lists_what_was_issued_and_revoked(shared_world: World, both: Any, bucket: str) -> None:
    made = hierarchy(both)
    kept, revoked = (
        made.issue(request(common_name="kept, inc")),
        made.issue(request("b.example.com"), "EndEntityServerAuthCertificate"),
    )
    serial = f"{made.certificate(revoked).serial_number:x}"
    both.revoke_certificate(
        CertificateAuthorityArn=made.subordinate, CertificateSerial=serial, RevocationReason="SUPERSEDED"
    )
    asked = ask(both, made.subordinate, bucket)
    authority = made.subordinate.rpartition("/")[2]
    assert asked["S3Key"] == f"audit-report/{authority}/{asked['AuditReportId']}.json"
    described = describe(both, made.subordinate, asked["AuditReportId"])
    assert described["AuditReportStatus"] == "CREATING"
    assert (described["S3BucketName"], described["S3Key"]) == (bucket, asked["S3Key"])
    shared_world.run_due()
    both.get_waiter("audit_report_created").wait(
        CertificateAuthorityArn=made.subordinate,
        AuditReportId=asked["AuditReportId"],
        WaiterConfig={"MaxAttempts": 1},
    )
    entries = {
        each["certificateArn"]: each for each in json.loads(written(shared_world, bucket, asked["S3Key"]))
    }
    assert set(entries) == {kept, revoked}
    first, second = entries[kept], entries[revoked]
    assert first["serial"].replace(":", "") == f"{made.certificate(kept).serial_number:x}"
    assert first["subject"] == "CN=kept\\, inc"
    assert first["templateArn"] == "arn:aws:acm-pca:::template/EndEntityCertificate/V1"
    assert first["notAfter"] == f"{made.certificate(kept).not_valid_after_utc:%Y-%m-%dT%H:%M:%S}+0000"
    assert not {"revokedAt", "revocationReason", "requestedByServicePrincipal"} & set(first)
    assert second["revocationReason"] == "SUPERSEDED"
    assert second["issuedAt"] <= second["revokedAt"]
    assert second["awsAccountId"] == made.subordinate.split(":")[4]


def test_a_report_in_csv_has_awss_columns(shared_world: World, pca: Any, bucket: str) -> None:
    made = hierarchy(pca)
    made.issue(request(common_name='quoted "name", with a comma'))
    asked = ask(pca, made.subordinate, bucket, "CSV")
    assert asked["S3Key"].endswith(".csv")
    shared_world.run_due()
    text = written(shared_world, bucket, asked["S3Key"])
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert text.splitlines()[0].split(",") == FIELDS
    (row,) = rows
    assert row["subject"] == 'CN=quoted \\"name\\"\\, with a comma'
    assert row["revokedAt"] == ""


@pytest.mark.slow
def test_a_report_of_an_authority_that_issued_nothing_is_an_empty_list(
    shared_world: World, pca: Any, bucket: str
) -> None:
    made = hierarchy(pca)
    asked = ask(pca, made.subordinate, bucket)
    shared_world.run_due()
    assert json.loads(written(shared_world, bucket, asked["S3Key"])) == []


@pytest.mark.slow
def test_what_acm_asked_for_names_acm(shared_world: World, caller: Caller, bucket: str) -> None:
    arn, _ = shared_world.private_ca(caller)
    acm, pca = caller.client("acm"), caller.client("acm-pca")
    acm.request_certificate(
        DomainName="host.example.com", CertificateAuthorityArn=arn, KeyAlgorithm="EC_prime256v1"
    )
    shared_world.run_due()
    asked = ask(pca, arn, bucket)
    shared_world.run_due()
    (entry,) = json.loads(written(shared_world, bucket, asked["S3Key"]))
    assert entry["requestedByServicePrincipal"] == "acm.amazonaws.com"


def test_there_is_one_report_at_a_time_and_one_in_half_an_hour(
    shared_world: World, pca: Any, bucket: str
) -> None:
    made = hierarchy(pca)
    ask(pca, made.subordinate, bucket)
    with pytest.raises(pca.exceptions.RequestInProgressException):
        ask(pca, made.subordinate, bucket)
    ask(pca, made.root, bucket)  # another authority's
    shared_world.run_due()
    with pytest.raises(pca.exceptions.RequestFailedException, match="30 minutes"):
        ask(pca, made.subordinate, bucket)
    shared_world.advance(HALF_AN_HOUR)
    ask(pca, made.subordinate, bucket)


def test_a_bucket_that_is_not_there_is_refused(pca: Any) -> None:
    made = hierarchy(pca)
    with pytest.raises(pca.exceptions.InvalidArgsException, match="no bucket"):
        ask(pca, made.subordinate, "nowhere")


def test_a_report_whose_bucket_went_away_has_failed_and_another_may_follow(
    shared_world: World, pca: Any, bucket: str
) -> None:
    made = hierarchy(pca)
    asked = ask(pca, made.subordinate, bucket)
    folder = shared_world.data / "buckets" / bucket
    folder.rmdir()
    shared_world.run_due()
    assert describe(pca, made.subordinate, asked["AuditReportId"])["AuditReportStatus"] == "FAILED"
    folder.mkdir()
    ask(pca, made.subordinate, bucket)


def test_a_report_that_took_longer_than_its_claim_is_done_all_the_same(
    world: World,
) -> None:
    """Whoever claims the work meanwhile must find it done, or none would ever end."""
    pca, store = world.account().client("acm-pca"), world.scheduler.store
    (world.data / "buckets" / "reports").mkdir(parents=True)
    made = hierarchy(pca)
    asked = ask(pca, made.subordinate, "reports")
    (late,) = store.claim_due(AUDIT_JOB, world.scheduler.clock.now(), timedelta(0), 1)

    class Slow(FolderSink):
        def put(self, *where: Any, **how: Any) -> None:
            assert store.claim_due(AUDIT_JOB, world.scheduler.clock.now(), timedelta(minutes=1), 1)
            super().put(*where, **how)

    with pytest.raises(LostClaim):
        write_due(store.unit(late.scope), late, Slow(world.data / "buckets"))
    assert describe(pca, made.subordinate, asked["AuditReportId"])["AuditReportStatus"] == "SUCCESS"


def test_an_authority_without_a_certificate_or_waiting_for_its_end_has_no_report(
    pca: Any, bucket: str
) -> None:
    waiting = create(pca)
    with pytest.raises(pca.exceptions.InvalidStateException):
        ask(pca, waiting, bucket)
    pca.delete_certificate_authority(CertificateAuthorityArn=waiting)
    with pytest.raises(pca.exceptions.InvalidStateException):
        ask(pca, waiting, bucket)


def test_a_report_is_its_authoritys_own(shared_world: World, pca: Any, bucket: str) -> None:
    made = hierarchy(pca)
    report = ask(pca, made.subordinate, bucket)["AuditReportId"]
    for arn, asked in ((made.root, report), (made.subordinate, str(uuid.uuid4()))):
        with pytest.raises(pca.exceptions.ResourceNotFoundException):
            describe(pca, arn, asked)
    stranger = shared_world.account().client("acm-pca")
    with pytest.raises(stranger.exceptions.ClientError, match="AccessDenied"):
        describe(stranger, made.subordinate, report)
    with pytest.raises(stranger.exceptions.ClientError, match="AccessDenied"):
        ask(stranger, made.subordinate, bucket)


def test_reports_are_written_on_either_database(any_world: World) -> None:
    caller = any_world.account()
    pca, folder = caller.client("acm-pca"), any_world.data / "buckets" / "reports"
    folder.mkdir(parents=True)
    made = hierarchy(pca)
    serials = {made.certificate(made.issue(request("a.example.com"))).serial_number for _ in range(3)}
    asked = ask(pca, made.subordinate, "reports")
    any_world.run_due()
    entries = json.loads((folder / asked["S3Key"]).read_text())
    assert {int(each["serial"].replace(":", ""), 16) for each in entries} == serials
