"""All 23 operations of acm-pca are there: by stock boto3 over both protocols, and by bare CBOR."""

import json
from collections.abc import Callable
from typing import Any

import cbor2
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.session import Session

from server.assembly import OPERATIONS
from tests.api.pca.acting import hierarchy, request
from tests.foundation.wire.calls import the_models
from tests.support.botocore_client import as_request
from tests.support.model_samples import sample
from tests.support.world import REGION, Caller

MODEL = Session().get_service_model("acm-pca")
NAMES = tuple(MODEL.operation_names)
NOBODYS = f"arn:aws:acm-pca:{REGION}:{{}}:certificate-authority/00000000-0000-4000-8000-000000000000"
POSSIBLE = {
    name: {"200"} | {shape.name for shape in MODEL.operation_model(name).error_shapes} for name in NAMES
}
"""What each operation may answer: success, or an error that its model names."""


def asked(name: str, account: str) -> dict[str, Any]:
    """What the model accepts, about an authority of the caller's that does not exist."""
    model = the_models()["acm-pca"]
    given: dict[str, Any] = sample(model, model.operations[name].input or "")
    nobodys = NOBODYS.format(account)
    for member in ("CertificateAuthorityArn", "ResourceArn"):
        if member in given:
            given[member] = nobodys
    if "CertificateArn" in given:
        given["CertificateArn"] = f"{nobodys}/certificate/4b00"
    return given


def outcome(call: Callable[..., Any], parameters: dict[str, Any]) -> str:
    try:
        call(**parameters)
    except ClientError as refused:
        code: str = refused.response["Error"]["Code"]
        return code
    return "200"


def test_each_operation_of_the_model_is_declared() -> None:
    assert len(NAMES) == 23
    assert set(OPERATIONS["acm-pca"]) == set(NAMES)


def test_stock_boto3_reaches_each(both: Any, caller: Caller) -> None:
    methods = {api: python for python, api in both.meta.method_to_api_mapping.items()}
    for name in NAMES:
        assert outcome(getattr(both, methods[name]), asked(name, caller.account)) in POSSIBLE[name], name


def test_bare_cbor_reaches_each(caller: Caller) -> None:
    credentials = Credentials(caller.made.access_key_id, caller.made.secret_access_key)
    for name in NAMES:
        sent = AWSRequest(
            "POST",
            f"https://keystead.test/service/ACMPrivateCA/operation/{name}",
            headers={"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"},
            data=cbor2.dumps(asked(name, caller.account)),
        )
        SigV4Auth(credentials, "acm-pca", REGION).add_auth(sent)
        answer = caller.world.app(as_request(sent.prepare()))
        code = "200"
        if answer.status != 200:
            code = cbor2.loads(answer.body)["__type"].rpartition("#")[2]
        assert code in POSSIBLE[name], name


def test_each_succeeds_over_both_protocols(both: Any, caller: Caller) -> None:
    """One life of two authorities, in which every operation of the model is answered with 200 at least once."""
    done: set[str] = set()

    def note(http_response: Any, model: Any, **_: Any) -> None:
        if http_response.status_code == 200:
            done.add(model.name)

    both.meta.events.register("after-call.acm-pca", note)
    made = hierarchy(both)
    sub = {"CertificateAuthorityArn": made.subordinate}
    serial = made.issue(request("a.example.com")).rpartition("/")[2]
    both.revoke_certificate(**sub, CertificateSerial=serial, RevocationReason="SUPERSEDED")
    both.get_certificate_authority_certificate(**sub)
    _share(both, made.subordinate)
    both.tag_certificate_authority(**sub, Tags=[{"Key": "a"}])
    both.list_tags(**sub)
    both.untag_certificate_authority(**sub, Tags=[{"Key": "a"}])
    (caller.world.data / "buckets" / "every-operation").mkdir(parents=True, exist_ok=True)
    asked = {**sub, "S3BucketName": "every-operation", "AuditReportResponseFormat": "JSON"}
    report = both.create_certificate_authority_audit_report(**asked)["AuditReportId"]
    both.describe_certificate_authority_audit_report(**sub, AuditReportId=report)
    both.update_certificate_authority(**sub, Status="DISABLED")
    both.delete_certificate_authority(**sub)
    both.restore_certificate_authority(**sub)
    described = both.describe_certificate_authority(**sub)["CertificateAuthority"]
    assert described["Status"] == "DISABLED"
    assert both.list_certificate_authorities()["CertificateAuthorities"][-1] == described
    assert done == set(NAMES)


def _share(pca: Any, arn: str) -> None:
    """A policy and a permission, put, read and taken away."""
    principal = {"AWS": arn.split(":")[4]}
    statement = {
        "Effect": "Allow",
        "Principal": principal,
        "Action": "acm-pca:GetCertificate",
        "Resource": arn,
    }
    pca.put_policy(ResourceArn=arn, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    pca.get_policy(ResourceArn=arn)
    pca.delete_policy(ResourceArn=arn)
    acm = {"CertificateAuthorityArn": arn, "Principal": "acm.amazonaws.com"}
    pca.create_permission(**acm, Actions=["IssueCertificate"])
    pca.list_permissions(CertificateAuthorityArn=arn)
    pca.delete_permission(**acm)
