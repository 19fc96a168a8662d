"""KMS grants: whom, what, under which constraints, and what only a grant can do."""

from dataclasses import replace
from typing import Any

import pytest

from foundation.identity.policy import Caller, GrantFact, Layer, Policies, Request, evaluate
from tests.foundation.identity.policy.samples import (
    AWAY,
    HOME,
    KEY,
    ROLE_ID,
    ROOT_ARN,
    SERVICE,
    SESSION_ID,
    USER_ID,
    identity,
    resource,
    role,
    service,
    statement,
    user,
)

ALLOWS = identity(statement(Action="kms:*"))
SILENT = identity(statement(Action="s3:*"))
DENIES = identity(statement("Deny", Action="kms:*"))

GRANT = GrantFact("g1", USER_ID, frozenset({"Encrypt", "DescribeKey"}))


def allowed(grant: GrantFact, request: Request, **policies: Any) -> bool:
    return evaluate(request, Policies(grants=(grant,), delegates=True)._replace(**policies)).allowed


def asking(caller: Caller | None = None, operation: str = "Encrypt", **facts: Any) -> Request:
    return Request(caller or user(), f"kms:{operation}", KEY, HOME)._replace(**facts)


def test_a_grant_adds_an_allow_to_a_silent_key_policy() -> None:
    verdict = evaluate(asking(), Policies(grants=(GRANT,), delegates=True))
    assert verdict.allowed
    assert verdict.layer is Layer.GRANT
    assert verdict.because == "because a grant allows the kms:Encrypt action"
    assert [ground.statement for ground in verdict.grounds] == ["g1"]
    assert not allowed(GRANT, asking(operation="Decrypt"))
    assert not allowed(GRANT, asking(role()))


GRANTEES = (
    (USER_ID, user(), True),
    (ROLE_ID, role(), True),
    (SESSION_ID, role(), True),
    (f"{ROLE_ID}:two", role(), False),
    ("AIDAEXAMPLEALICE00002", user(), False),
    (SERVICE, service(), True),
    ("s3.amazonaws.com", service(), False),
    (ROOT_ARN, user(), False),
)


@pytest.mark.parametrize(("grantee", "caller", "expected"), GRANTEES)
def test_a_grant_is_for_its_grantee(grantee: str, caller: Caller, expected: bool) -> None:
    assert allowed(replace(GRANT, grantee=grantee), asking(caller)) is expected


def test_a_grant_to_an_account_leaves_it_to_the_account() -> None:
    to_account = replace(GRANT, grantee=ROOT_ARN)
    assert allowed(to_account, asking(), identity=(ALLOWS,))
    assert not allowed(to_account, asking(), identity=(SILENT,))


def test_a_grant_to_a_role_is_cut_by_boundary_and_session() -> None:
    to_role = replace(GRANT, grantee=ROLE_ID)
    assert not allowed(to_role, asking(role()), boundary=SILENT)
    assert not allowed(to_role, asking(role()), session=(SILENT,))
    assert allowed(replace(GRANT, grantee=SESSION_ID), asking(role()), boundary=SILENT, session=(SILENT,))


def test_a_deny_wins_over_a_grant_and_another_account_needs_its_own_side() -> None:
    assert not allowed(GRANT, asking(), identity=(DENIES,))
    assert not allowed(GRANT, asking(user(AWAY)))
    assert allowed(GRANT, asking(user(AWAY)), identity=(ALLOWS,))


def test_a_statement_that_names_the_caller_needs_no_grant() -> None:
    named = resource(statement(Action="kms:*", Principal={"AWS": USER_ID}))
    verdict = evaluate(asking(), Policies(resource=(named,), grants=(GRANT,), delegates=True))
    assert verdict.layer is Layer.RESOURCE


CONTEXTS: tuple[tuple[Any, ...], ...] = (
    # equals, subset, the request's context (None: the operation takes none), allowed
    ({"A": "1"}, None, {"a": "1"}, True),
    ({"A": "1"}, None, {"a": "1", "b": "2"}, False),
    ({"A": "1"}, None, {"A": "1 "}, False),
    ({"a": "x"}, None, {"a": "X"}, False),
    ({"A": "1"}, None, {}, False),
    ({"A": "1"}, None, None, True),
    (None, {"A": "1"}, {"a": "1", "b": "2"}, True),
    (None, {"A": "1"}, {"b": "2"}, False),
    (None, {"A": "1"}, {}, False),
    (None, {"A": "1"}, None, True),
    (None, None, {"b": "2"}, True),
)


@pytest.mark.parametrize(("equals", "subset", "context", "expected"), CONTEXTS)
def test_constraints_ignore_the_case_of_keys_and_nothing_else(
    equals: dict[str, str] | None,
    subset: dict[str, str] | None,
    context: dict[str, str] | None,
    expected: bool,
) -> None:
    grant = replace(GRANT, context_equals=equals, context_subset=subset)
    assert allowed(grant, asking(encryption_context=context)) is expected
    assert allowed(grant, asking(operation="DescribeKey"))


def test_a_source_arn_must_be_that_of_the_request() -> None:
    grant = replace(GRANT, grantee=SERVICE, source_arn="arn:aws:acm:eu-central-1:111122223333:certificate/*")
    source = "arn:aws:acm:eu-central-1:111122223333:certificate/1"
    assert allowed(grant, asking(service(), context={"aws:sourcearn": source}))
    assert not allowed(grant, asking(service(), context={"aws:sourcearn": source.replace(HOME, AWAY)}))
    assert not allowed(grant, asking(service()))
    assert not allowed(grant, asking(service(), "DescribeKey"))


def test_a_fresh_grant_needs_its_token() -> None:
    fresh = replace(GRANT, fresh=True)
    assert not allowed(fresh, asking())
    assert not allowed(fresh, asking(tokens=frozenset({"g2"})))
    assert allowed(fresh, asking(tokens=frozenset({"g1", "g2"})))
    assert not allowed(fresh, asking(role(), tokens=frozenset({"g1"}))), "a token is no credential"


RETIRERS = (
    ("", frozenset({"Encrypt"}), user(), False),
    ("", frozenset({"RetireGrant"}), user(), True),
    ("", frozenset({"RetireGrant"}), user(AWAY), True),
    (ROLE_ID, frozenset({"Encrypt"}), role(), True),
    (ROLE_ID, frozenset({"Encrypt"}), role(AWAY), True),
    (ROLE_ID, frozenset({"Encrypt"}), user(), False),
    (SERVICE, frozenset({"Encrypt"}), service(), True),
    (ROOT_ARN, frozenset({"Encrypt"}), role(), False),
)


@pytest.mark.parametrize(("retiring", "operations", "caller", "expected"), RETIRERS)
def test_retiring_takes_nothing_but_the_grant(
    retiring: str, operations: frozenset[str], caller: Caller, expected: bool
) -> None:
    grant = replace(
        GRANT, retiring=retiring, operations=operations, context_equals={"a": "1"}, source_arn="arn:x"
    )
    assert allowed(grant, asking(caller, "RetireGrant")) is expected
    assert not allowed(grant, asking(caller, "RetireGrant"), identity=(DENIES,))


PARENT = replace(GRANT, operations=frozenset({"CreateGrant", "Encrypt", "Decrypt"}))
CHILD = GrantFact("", ROLE_ID, frozenset({"Encrypt"}))
CHILDREN: tuple[tuple[dict[str, Any], dict[str, Any], bool], ...] = (
    # parent's and child's constraints, allowed
    ({}, {}, True),
    ({}, {"context_equals": {"a": "1"}}, True),
    ({}, {"operations": frozenset({"Sign"})}, False),
    ({"context_equals": {"A": "1"}}, {"context_equals": {"a": "1"}}, True),
    ({"context_equals": {"A": "1"}}, {"context_equals": {"a": "1", "b": "2"}}, False),
    ({"context_equals": {"A": "1"}}, {"context_subset": {"a": "1"}}, False),
    ({"context_equals": {"A": "1"}}, {}, False),
    ({"context_subset": {"A": "1"}}, {"context_subset": {"a": "1", "b": "2"}}, True),
    ({"context_subset": {"A": "1"}}, {"context_equals": {"a": "1", "b": "2"}}, True),
    ({"context_subset": {"A": "1"}}, {"context_equals": {"b": "2"}}, False),
    ({"context_subset": {"A": "1"}}, {}, False),
    ({"source_arn": "arn:aws:acm:r:1:c/1"}, {}, False),
    ({"source_arn": "arn:aws:acm:r:1:c/1"}, {"source_arn": "arn:aws:acm:r:1:c/1"}, True),
)


@pytest.mark.parametrize(("parent", "child", "expected"), CHILDREN)
def test_a_grant_made_by_a_grant_is_no_wider(
    parent: dict[str, Any], child: dict[str, Any], expected: bool
) -> None:
    made, maker = replace(CHILD, **child), replace(PARENT, **parent)
    context = {"aws:sourcearn": "arn:aws:acm:r:1:c/1"}
    assert allowed(maker, asking(operation="CreateGrant", child=made, context=context)) is expected
    assert not allowed(maker, asking(operation="CreateGrant", context=context)), "what is made must be known"


def test_a_grant_on_behalf_of_a_resource_makes_grants_on_its_behalf_only() -> None:
    maker = replace(PARENT, source_arn="arn:aws:acm:r:1:c/1")
    made = replace(CHILD, source_arn="arn:aws:acm:r:1:c/1")
    assert not allowed(maker, asking(operation="CreateGrant", child=made))


OBSTACLES = (
    (GRANT, asking(), "applies"),
    (GRANT, asking(role()), "principal"),
    (GRANT, asking(operation="Sign"), "operation"),
    (replace(GRANT, fresh=True), asking(), "token"),
    (replace(GRANT, source_arn="arn:aws:acm:r:1:c/1"), asking(), "constraint SourceArn"),
    (
        replace(GRANT, context_equals={"a": "1"}),
        asking(encryption_context={}),
        "constraint EncryptionContext",
    ),
    (PARENT, asking(operation="CreateGrant"), "wider than its parent"),
)


@pytest.mark.parametrize(("grant", "request_", "outcome"), OBSTACLES)
def test_a_grant_says_what_kept_it_from_allowing(grant: GrantFact, request_: Request, outcome: str) -> None:
    explained = evaluate(request_, Policies(grants=(grant,), delegates=True)).explain()
    assert explained["grants"] == [{"grant": "g1", "outcome": outcome}]
