"""Resource policies and permissions: another account uses an authority exactly as far as its policy says."""

import json
from typing import Any

import pytest
from sqlalchemy import delete
from sqlmodel import col

from ca.tables import AuthorityRow
from tests.api.pca.acting import create, hierarchy, issue, request
from tests.support.world import Caller, World

CONSUMER = {"Version": "2012-10-17"}


def sharing(arn: str, account: str, *actions: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": list(actions), "Resource": arn}
    return json.dumps({**CONSUMER, "Statement": [statement]})


def test_a_policy_lets_another_account_issue_and_read_and_no_more(shared_world: World, pca: Any) -> None:
    made, other = hierarchy(pca), shared_world.account()
    theirs = other.client("acm-pca")
    with pytest.raises(theirs.exceptions.ClientError, match="AccessDenied"):
        issue(theirs, made.subordinate, request("host.example.com"))
    policy = sharing(made.subordinate, other.account, "acm-pca:IssueCertificate", "acm-pca:GetCertificate")
    pca.put_policy(ResourceArn=made.subordinate, Policy=policy)
    arn = issue(theirs, made.subordinate, request("host.example.com"))
    assert theirs.get_certificate(CertificateAuthorityArn=made.subordinate, CertificateArn=arn)["Certificate"]
    with pytest.raises(theirs.exceptions.ClientError, match="AccessDenied"):
        theirs.delete_policy(ResourceArn=made.subordinate)
    pca.delete_policy(ResourceArn=made.subordinate)
    with pytest.raises(theirs.exceptions.ClientError, match="AccessDenied"):
        issue(theirs, made.subordinate, request("host.example.com"))


def test_a_policy_is_shown_as_it_was_put_and_gone_when_deleted(caller: Caller, pca: Any) -> None:
    arn = create(pca)
    with pytest.raises(pca.exceptions.ResourceNotFoundException):
        pca.get_policy(ResourceArn=arn)
    pca.put_policy(
        ResourceArn=arn, Policy=sharing(arn, f"arn:aws:iam::{caller.account}:root", "acm-pca:ListTags")
    )
    shown = json.loads(pca.get_policy(ResourceArn=arn)["Policy"])
    assert shown["Statement"][0]["Resource"] == arn


@pytest.mark.parametrize(
    "text", ["{}", "no JSON", '{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}']
)
def test_a_malformed_policy_is_refused(pca: Any, text: str) -> None:
    with pytest.raises(pca.exceptions.InvalidPolicyException):
        pca.put_policy(ResourceArn=create(pca), Policy=text)


def test_a_permission_is_made_once_listed_and_deleted(both: Any, caller: Caller) -> None:
    arn = create(both)
    asked = {"CertificateAuthorityArn": arn, "Principal": "acm.amazonaws.com"}
    both.create_permission(Actions=["IssueCertificate", "GetCertificate"], **asked)
    with pytest.raises(both.exceptions.PermissionAlreadyExistsException):
        both.create_permission(Actions=["IssueCertificate"], **asked)
    (listed,) = both.list_permissions(CertificateAuthorityArn=arn)["Permissions"]
    assert (listed["SourceAccount"], listed["Actions"]) == (
        caller.account,
        ["IssueCertificate", "GetCertificate"],
    )
    both.delete_permission(**asked)
    assert both.list_permissions(CertificateAuthorityArn=arn)["Permissions"] == []
    with pytest.raises(both.exceptions.ResourceNotFoundException):
        both.delete_permission(**asked)


def test_only_acm_can_be_given_a_permission(pca: Any) -> None:
    with pytest.raises(pca.exceptions.RequestFailedException):
        pca.create_permission(
            CertificateAuthorityArn=create(pca), Principal="s3.amazonaws.com", Actions=["IssueCertificate"]
        )


def statement(arn: str, **changes: Any) -> str:
    whole = {
        "Effect": "Allow",
        "Principal": {"AWS": "444455556666"},
        "Action": "acm-pca:IssueCertificate",
        "Resource": arn,
    } | changes
    return json.dumps({**CONSUMER, "Statement": [{name: value for name, value in whole.items() if value}]})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Effect": "Deny"}, "deny nothing"),
        ({"Action": "acm-pca:DeleteCertificateAuthority"}, "cannot share"),
        ({"Action": "acm-pca:PutPolicy"}, "cannot share"),
        ({"Action": "acm-pca:*"}, "cannot share"),
        ({"Resource": "*"}, "itself alone"),
        ({"Principal": "*"}, "only under a condition"),
        ({"Action": None, "NotAction": "acm-pca:ListTags"}, "cannot use NotAction"),
    ],
)
def test_a_policy_shares_what_aws_lets_be_shared_and_locks_nobody_out(
    pca: Any, changes: dict[str, Any], words: str
) -> None:
    arn = create(pca)
    with pytest.raises(pca.exceptions.InvalidPolicyException, match=words):
        pca.put_policy(ResourceArn=arn, Policy=statement(arn, **changes))
    with pytest.raises(pca.exceptions.ResourceNotFoundException):
        pca.get_policy(ResourceArn=arn)


def test_a_policy_may_bound_the_templates(shared_world: World, pca: Any) -> None:
    made, other = hierarchy(pca), shared_world.account()
    template = "arn:aws:acm-pca:::template/EndEntityCertificate/V1"
    bound = {"StringEquals": {"acm-pca:TemplateArn": template}}
    policy = statement(made.subordinate, Principal={"AWS": other.account}, Condition=bound)
    pca.put_policy(ResourceArn=made.subordinate, Policy=policy)
    theirs = other.client("acm-pca")
    assert issue(theirs, made.subordinate, request("host.example.com"))
    given = {
        "CertificateAuthorityArn": made.subordinate,
        "Csr": request("host.example.com"),
        "SigningAlgorithm": "SHA256WITHECDSA",
        "Validity": {"Type": "DAYS", "Value": 9},
    }
    assert theirs.issue_certificate(**given)["CertificateArn"]  # the default template is the same
    with pytest.raises(theirs.exceptions.ClientError, match="AccessDenied"):
        issue(theirs, made.subordinate, request("host.example.com"), template="CodeSigningCertificate")


def test_a_list_of_others_authorities_has_those_that_are_shared_with_the_caller(
    shared_world: World, pca: Any
) -> None:
    """Resource shares are RAM's; an authority that a policy shares is used by its ARN and listed by its owner alone."""
    made, other = hierarchy(pca), shared_world.account()
    policy = sharing(made.subordinate, other.account, "acm-pca:DescribeCertificateAuthority")
    pca.put_policy(ResourceArn=made.subordinate, Policy=policy)
    theirs = other.client("acm-pca")
    assert theirs.describe_certificate_authority(CertificateAuthorityArn=made.subordinate)
    listed = theirs.list_certificate_authorities(ResourceOwner="OTHER_ACCOUNTS")["CertificateAuthorities"]
    assert [each["Arn"] for each in listed] == [made.subordinate]
    assert theirs.list_certificate_authorities()["CertificateAuthorities"] == []
    pca.delete_policy(ResourceArn=made.subordinate)
    assert theirs.list_certificate_authorities(ResourceOwner="OTHER_ACCOUNTS")["CertificateAuthorities"] == []


def test_an_authority_that_ends_while_others_are_listed_is_passed_over(shared_world: World, pca: Any) -> None:
    """Its share was read, and then its row was gone."""
    gone, other = create(pca), shared_world.account()
    kept = [create(pca) for _ in range(2)]
    for arn in (gone, *kept):
        policy = sharing(arn, other.account, "acm-pca:DescribeCertificateAuthority")
        pca.put_policy(ResourceArn=arn, Policy=policy)
    with shared_world.worker.store._write_engine.begin() as connection:
        connection.execute(delete(AuthorityRow).where(col(AuthorityRow.id) == gone.rpartition("/")[2]))
    shared_world.run_due()
    theirs = other.client("acm-pca")
    pages = theirs.get_paginator("list_certificate_authorities").paginate(
        ResourceOwner="OTHER_ACCOUNTS", PaginationConfig={"PageSize": 1}
    )
    assert {each["Arn"] for page in pages for each in page["CertificateAuthorities"]} == {*kept}
