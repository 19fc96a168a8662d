"""Declaring operations: names come from the model, and what is not declared is a gap."""

from typing import Any

import pytest

from foundation.wire import Operations, Params


def handler(_service: Any, params: Params) -> Params:
    return params


def test_a_name_that_the_model_lacks_fails_where_it_is_declared() -> None:
    with pytest.raises(LookupError, match="acm has no operation RequestCertificates"):
        Operations("acm").operation("RequestCertificates")


def test_a_service_that_the_models_lack_fails_where_it_is_named() -> None:
    with pytest.raises(LookupError):
        Operations("acmm")


def test_an_operation_is_declared_once() -> None:
    acm = Operations("acm")
    acm.operation("RequestCertificate")(handler)
    with pytest.raises(ValueError, match="twice"):
        acm.operation("RequestCertificate")


def test_a_declared_operation_carries_its_action_resource_and_handler() -> None:
    cloudhsm = Operations("cloudhsmv2", action_prefix="cloudhsm")
    assert cloudhsm.operation("CreateCluster", on=handler)(handler) is handler
    declared = cloudhsm.declared["CreateCluster"]
    assert declared.action == "cloudhsm:CreateCluster"
    assert (declared.handler, declared.on, declared.service) == (handler, handler, "cloudhsmv2")


@pytest.mark.parametrize(
    ("service", "name", "mutates"),
    [
        ("kms", "CreateKey", True),
        ("kms", "GetPublicKey", False),
        ("kms", "ListKeys", False),
        ("kms", "DescribeKey", False),
        ("cloudtrail", "LookupEvents", False),
        ("acm", "SearchCertificates", False),
        ("secretsmanager", "BatchGetSecretValue", False),
    ],
)
def test_the_verb_says_whether_an_operation_mutates(service: str, name: str, mutates: bool) -> None:
    operations = Operations(service)
    operations.operation(name)(handler)
    assert operations.declared[name].mutates is mutates


def test_the_declaration_may_say_otherwise_than_the_verb() -> None:
    kms = Operations("kms")
    kms.operation("Encrypt", mutates=False, action="kms:Encrypt")(handler)
    assert not kms.declared["Encrypt"].mutates


def test_gaps_are_the_operations_of_the_model_that_nobody_declared() -> None:
    sts = Operations("sts")
    sts.operation("GetCallerIdentity")(handler)
    assert "GetCallerIdentity" not in sts.gaps
    assert "AssumeRole" in sts.gaps


def test_the_declared_operations_cannot_be_changed_from_outside() -> None:
    with pytest.raises(TypeError):
        Operations("sts").declared["AssumeRole"] = None  # type: ignore[index]  # the point: it is read-only
