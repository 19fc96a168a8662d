"""All 23 operations of acm-pca are there: by stock boto3 over both protocols, and by bare CBOR."""

from collections.abc import Callable
from typing import Any

import cbor2
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.session import Session

from server.assembly import OPERATIONS
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
