"""Policy variables: where they are replaced, with what, and that their values are only ever text."""

import pytest

from foundation.identity.policy import Policies, Request, Value, compile_policy, evaluate
from foundation.identity.policy.match import arns, texts
from foundation.identity.policy.variables import parts
from tests.foundation.identity.policy.samples import (
    ACTION,
    condition_met,
    document,
    identity,
    statement,
    user,
)

HERE: dict[str, Value] = {
    "aws:username": "alice",
    "aws:principaltag/team": "*",
    "kms:encryptioncontext:app": "x",
    "aws:tagkeys": ("one", "two"),
    "aws:calledvia": ("acm.amazonaws.com",),
    "aws:bytes": b"raw",
}

CASES = (
    ("home/${aws:username}/*", "home/alice/file", True),
    ("home/${AWS:UserName}/*", "home/alice/file", True),
    ("home/${ aws:username }/*", "home/alice/file", True),
    ("home/${aws:username}/*", "home/bob/file", False),
    ("${kms:EncryptionContext:app}", "x", True),
    ("${aws:calledvia}", "acm.amazonaws.com", True),
    ("${aws:missing}", "", False),
    ("${aws:missing}", "${aws:missing}", False),
    ("${aws:missing, 'anyone'}", "anyone", True),
    ("${aws:missing,''}x", "x", True),
    ("${aws:missing, anyone}", "anyone", False),
    ("${aws:missing, '}", "'", False),
    ("${aws:username, 'anyone'}", "anyone", False),
    ("${aws:tagkeys}", "one", False),
    ("${aws:bytes}", "raw", False),
    ("${aws:PrincipalTag/team}", "*", True),
    ("${aws:PrincipalTag/team}", "anything", False),
    ("a${*}b", "a*b", True),
    ("a${*}b", "axxb", False),
    ("a${?}b", "a?b", True),
    ("a${?}b", "axb", False),
    ("${$}{aws:username}", "${aws:username}", True),
    ("a${aws:username", "a${aws:username", True),
    ("*${aws:username}?", "xalice1", True),
    ("${aws:username}${aws:username}", "alicealice", True),
)


@pytest.mark.parametrize(("pattern", "text", "expected"), CASES)
def test_a_variable_is_replaced_by_its_value_and_the_value_is_literal(
    pattern: str, text: str, expected: bool
) -> None:
    assert texts([parts(pattern, variables=True)]).bind(HERE)(text) is expected
    assert (
        texts([parts(pattern, variables=True), parts("other", variables=True)]).bind(HERE)(text) is expected
    )


def test_a_variable_stands_in_the_last_component_of_an_arn_though_its_name_has_colons() -> None:
    matches = arns([parts("arn:aws:s3:::bucket/${kms:EncryptionContext:app}/*", variables=True)]).bind(HERE)
    assert matches("arn:aws:s3:::bucket/x/1")
    assert not matches("arn:aws:s3:::bucket/y/1")


def test_a_value_with_colons_makes_no_components_of_its_own() -> None:
    pattern = arns([parts("arn:aws:s3:${aws:region}:1:${aws:tail}", variables=True)])
    context: dict[str, Value] = {"aws:region": "r:2", "aws:tail": "a:b"}
    assert not pattern.bind(context)("arn:aws:s3:r:2:1:a:b")
    assert pattern.bind({**context, "aws:region": "r"})("arn:aws:s3:r:1:a:b")
    assert not pattern.bind({})("arn:aws:s3:r:1:a:b")
    assert not pattern.bind({})("arn:aws:s3:::")


def test_the_old_version_of_the_language_has_no_variables() -> None:
    written = statement(Resource="arn:aws:s3:::b/${aws:username}")
    old = compile_policy(document(written, version="2008-10-17"), "p")
    new = identity(written)
    request = Request(user(), ACTION, "arn:aws:s3:::b/alice", user().account, HERE)
    assert evaluate(request, Policies(identity=(new,))).allowed
    assert not evaluate(request, Policies(identity=(old,))).allowed
    literal = request._replace(resource="arn:aws:s3:::b/${aws:username}")
    assert evaluate(literal, Policies(identity=(old,))).allowed


def test_a_variable_without_a_value_allows_nothing_and_denies_by_negation() -> None:
    negated = {"StringNotEquals": {"aws:x": "${aws:missing}"}}
    assert not condition_met(negated, {"aws:x": "1"}, "Allow")
    assert condition_met(negated, {"aws:x": "1"}, "Deny")
    assert condition_met({"StringNotEquals": {"aws:x": "${aws:username}"}}, {"aws:x": "1", **HERE}, "Allow")


@pytest.mark.parametrize(("effect", "names"), [("Allow", False), ("Deny", True)])
def test_not_resource_with_a_variable_without_a_value_allows_nothing(effect: str, names: bool) -> None:
    policy = identity(statement(effect, NotResource="arn:aws:s3:::b/${aws:missing}"))
    denies, allows = policy.choice(ACTION)
    request = Request(user(), ACTION, "arn:aws:s3:::b/alice", user().account)
    assert bool((denies or allows)[0].strength(request)) is names


def test_values_without_case_compare_to_variables_without_case() -> None:
    ignoring = {"StringEqualsIgnoreCase": {"aws:x": "${aws:username, 'NOBODY'}"}}
    assert condition_met(ignoring, {"aws:x": "aLiCe", "aws:username": "AlIcE"})
    assert condition_met(ignoring, {"aws:x": "nobody"})
    assert condition_met(ignoring, {"aws:x": "Alice", "aws:username": ("ALICE",)})
    assert not condition_met(ignoring, {"aws:x": "bob", "aws:username": "alice"})
    assert condition_met({"Bool": {"aws:x": "${aws:y}"}}, {"aws:x": "true", "aws:y": "TRUE"})
