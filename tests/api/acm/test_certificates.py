"""The life of a certificate as a stock boto3 client sees it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from cryptography import x509

from acm import errors
from foundation.wire import AwsError
from tests.api.acm.conftest import Api

Refused = Callable[..., tuple[str, str]]
NOWHERE = "arn:aws:acm:eu-central-1:111122223333:certificate/12345678-1234-1234-1234-123456789012"


def prove(api: Api, described: dict[str, Any]) -> None:
    """Publish the CNAMEs that DescribeCertificate shows."""
    for option in described["DomainValidationOptions"]:
        record = option["ResourceRecord"]
        api.world.zone.records[record["Name"]] = record["Value"]


def test_a_certificate_from_the_request_to_the_chain(any_api: Api, refused: Refused) -> None:
    api, client = any_api, any_api.client()
    arn = client.request_certificate(
        DomainName="www.example.com",
        SubjectAlternativeNames=["example.com", "*.example.com"],
        ValidationMethod="DNS",
        KeyAlgorithm="EC_prime256v1",
        IdempotencyToken="one",
        Tags=[{"Key": "stage", "Value": "test"}],
    )["CertificateArn"]
    pending = client.describe_certificate(CertificateArn=arn)["Certificate"]
    assert pending["Status"] == "PENDING_VALIDATION"
    assert pending["SubjectAlternativeNames"] == ["www.example.com", "example.com", "*.example.com"]
    assert refused(client.get_certificate, CertificateArn=arn)[0] == "RequestInProgressException"

    prove(api, pending)
    api.world.advance(timedelta(seconds=10))
    issued = client.describe_certificate(CertificateArn=arn)["Certificate"]
    assert issued["Status"] == "ISSUED"
    assert issued["Type"] == "AMAZON_ISSUED"
    assert {option["ValidationStatus"] for option in issued["DomainValidationOptions"]} == {"SUCCESS"}

    answer = client.get_certificate(CertificateArn=arn)
    leaf = x509.load_pem_x509_certificate(answer["Certificate"].encode())
    issuer, root = x509.load_pem_x509_certificates(answer["CertificateChain"].encode())
    leaf.verify_directly_issued_by(issuer)
    issuer.verify_directly_issued_by(root)
    assert f"{leaf.serial_number:x}" == issued["Serial"].replace(":", "")
    assert leaf.not_valid_after_utc == issued["NotAfter"]
    assert client.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]

    client.delete_certificate(CertificateArn=arn)
    assert refused(client.describe_certificate, CertificateArn=arn)[0] == "ResourceNotFoundException"


def test_the_method_is_dns_when_none_is_given(api: Api) -> None:
    client = api.client()
    arn = client.request_certificate(DomainName="example.com")["CertificateArn"]
    option = client.describe_certificate(CertificateArn=arn)["Certificate"]["DomainValidationOptions"][0]
    assert option["ValidationMethod"] == "DNS"
    assert option["ValidationDomain"] == "example.com"


@pytest.mark.parametrize("method", ["EMAIL", "HTTP"])
def test_methods_that_are_not_offered_are_refused_clearly(api: Api, refused: Refused, method: str) -> None:
    client = api.client()
    code, message = refused(client.request_certificate, DomainName="example.com", ValidationMethod=method)
    assert code == "InvalidParameterException"
    assert method in message
    assert client.list_certificates()["CertificateSummaryList"] == []


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"SubjectAlternativeNames": [f"n{n}.example.com" for n in range(10)]}, "LimitExceededException"),
        ({"SubjectAlternativeNames": [f"n{n}.example.com" for n in range(100)]}, "LimitExceededException"),
        ({"DomainName": f"{'a' * 30}.{'b' * 30}.example.com"}, "InvalidParameterException"),
        ({"KeyAlgorithm": "RSA_4096"}, "InvalidParameterException"),
        ({"Tags": [{"Key": "aws:x"}]}, "InvalidTagException"),
        ({"CertificateAuthorityArn": NOWHERE.replace(":acm:", ":acm-pca:")}, "InvalidArnException"),
        (
            {"DomainValidationOptions": [{"DomainName": "a.com", "ValidationDomain": "a.com"}]},
            "InvalidDomainValidationOptionsException",
        ),
        ({"RootHierarchyType": "N2_AMAZON_MANAGED"}, "ValidationException"),
        ({"CertificateUsage": "CLIENT_AUTH_ONLY"}, "ValidationException"),
        ({"Options": {"ValidationMethod": "EMAIL"}}, "InvalidParameterException"),
    ],
)
def test_each_refusal_has_its_own_code(
    api: Api, refused: Refused, parameters: dict[str, Any], code: str
) -> None:
    client = api.client()
    assert refused(client.request_certificate, **{"DomainName": "example.com"} | parameters)[0] == code
    every_key = {"keyTypes": ["RSA_2048", "RSA_4096"]}
    assert client.list_certificates(Includes=every_key)["CertificateSummaryList"] == []


@pytest.mark.parametrize(
    "parameters",
    [
        {"DomainName": "host\n"},
        {"DomainName": f"{'a' * 64}.example.com"},
        {"DomainName": "münchen.example"},
        {"DomainName": "localhost"},
        {"SubjectAlternativeNames": [f"n{n}.example.com" for n in range(101)]},
        {"IdempotencyToken": "x" * 33},
        {"KeyAlgorithm": "DSA"},
        {"Tags": [{"Key": f"k{n}"} for n in range(51)]},
    ],
)
def test_what_the_model_forbids_never_reaches_acm(
    api: Api, refused: Refused, parameters: dict[str, Any]
) -> None:
    client = api.client(checked=False)
    code, message = refused(client.request_certificate, **{"DomainName": "example.com"} | parameters)
    assert code in {"InvalidParameterException", "TooManyTagsException", "ValidationException"}
    assert message
    assert client.list_certificates()["CertificateSummaryList"] == []


def test_lists_hide_all_but_rsa_and_page_by_token(any_api: Api, refused: Refused) -> None:
    client = any_api.client()
    for number in range(5):
        client.request_certificate(DomainName=f"n{number}.example.com")
    client.request_certificate(DomainName="ec.example.com", KeyAlgorithm="EC_prime256v1")
    assert len(client.list_certificates()["CertificateSummaryList"]) == 5
    pages = client.get_paginator("list_certificates").paginate(
        Includes={"keyTypes": ["RSA_2048", "EC_prime256v1"]}, PaginationConfig={"PageSize": 2}
    )
    names = [item["DomainName"] for page in pages for item in page["CertificateSummaryList"]]
    assert len(names) == len(set(names)) == 6
    token = client.list_certificates(MaxItems=1)["NextToken"]
    code, _ = refused(client.list_certificates, NextToken=token, CertificateStatuses=["ISSUED"])
    assert code == "InvalidArgsException"
    assert refused(client.list_certificates, SortBy="CREATED_AT")[0] == "InvalidArgsException"
    assert refused(client.list_certificates, NextToken="nonsense")[0] == "InvalidArgsException"


def test_waiters_see_the_end(api: Api) -> None:
    client = api.client()
    arn = client.request_certificate(DomainName="example.com", KeyAlgorithm="EC_prime256v1")["CertificateArn"]
    prove(api, client.describe_certificate(CertificateArn=arn)["Certificate"])
    api.world.advance(timedelta(seconds=10))
    client.get_waiter("certificate_validated").wait(CertificateArn=arn, WaiterConfig={"MaxAttempts": 1})


def test_another_account_finds_nothing(api: Api, refused: Refused) -> None:
    client = api.client()
    arn = client.request_certificate(DomainName="example.com")["CertificateArn"]
    stranger = api.client(api.accounts.create("444455556666"))
    for operation in (stranger.describe_certificate, stranger.get_certificate, stranger.delete_certificate):
        assert refused(operation, CertificateArn=arn)[0] == "ResourceNotFoundException"
    assert stranger.list_certificates()["CertificateSummaryList"] == []
    elsewhere = api.client(region="us-east-1")
    assert refused(elsewhere.describe_certificate, CertificateArn=arn)[0] == "ResourceNotFoundException"


@pytest.mark.parametrize("operation", ["describe_certificate", "get_certificate", "delete_certificate"])
def test_missing_certificates_and_broken_arns_are_told_apart(
    api: Api, refused: Refused, operation: str
) -> None:
    call = getattr(api.client(), operation)
    assert refused(call, CertificateArn=NOWHERE)[0] == "ResourceNotFoundException"
    assert refused(call, CertificateArn=NOWHERE[:-1])[0] == "InvalidArnException"


def test_tags_over_the_wire(api: Api, refused: Refused) -> None:
    client = api.client()
    arn = client.request_certificate(DomainName="example.com")["CertificateArn"]
    client.add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    assert client.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b"},
    ]
    client.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": "a"}])
    assert client.list_tags_for_certificate(CertificateArn=arn)["Tags"] == [{"Key": "b"}]
    full = [{"Key": f"k{number}"} for number in range(50)]
    assert refused(client.add_tags_to_certificate, CertificateArn=arn, Tags=full)[0] == "TooManyTagsException"
    reserved = [{"Key": "x", "Value": "aws:y"}]
    assert (
        refused(client.add_tags_to_certificate, CertificateArn=arn, Tags=reserved)[0] == "InvalidTagException"
    )


def test_operations_of_later_issues_say_that_they_are_not_there(api: Api, refused: Refused) -> None:
    code, message = refused(api.client().get_account_configuration)
    assert code == "NotImplementedException"
    assert "GetAccountConfiguration" in message


def test_every_error_is_one_that_the_model_allows_the_operation() -> None:
    """The slice's error classes carry names of the model's own error shapes."""
    model = botocore.session.get_session().get_service_model("acm")
    ours = [
        thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, AwsError)
    ]
    for error in ours:
        if error is not AwsError:
            assert error.code in model.shape_names
