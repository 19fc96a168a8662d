"""What is a policy and what is not: the grammar, its messages, and that nothing else comes out of the parser."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foundation.identity.policy import Kind, MalformedPolicy, PolicyTooLong, compile_policy, parse
from foundation.identity.policy.reading import LONGEST
from tests.foundation.identity.policy.samples import USER_ARN, document, resource, statement

WHOLE = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
NAMED = {**WHOLE, "Principal": "*"}
TRUSTING = {"Effect": "Allow", "Principal": {"AWS": USER_ARN}, "Action": "sts:AssumeRole"}


def text(*statements: Any, **members: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements), **members})


def without(statement: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in statement.items() if name not in names}


ACCEPTED = (
    ("one statement without a list", Kind.IDENTITY, json.dumps({"Statement": WHOLE})),
    ("no version", Kind.IDENTITY, json.dumps({"Statement": [WHOLE]})),
    ("the old version", Kind.IDENTITY, text(WHOLE, Version="2008-10-17")),
    ("an id", Kind.RESOURCE, text(NAMED, Id="key-policy-1")),
    ("a Sid with spaces in a key policy", Kind.RESOURCE, text({**NAMED, "Sid": "Enable IAM"})),
    ("NotAction and NotResource", Kind.IDENTITY, text({"Effect": "Deny", "NotAction": "iam:*", "NotResource": "arn:aws:s3"})),
    ("a key policy statement without Resource", Kind.RESOURCE, text(without(NAMED, "Resource"))),
    ("a key policy statement without Action", Kind.RESOURCE, text(without(NAMED, "Action"))),
    ("NotPrincipal in a key policy", Kind.RESOURCE, text({**WHOLE, "NotPrincipal": {"AWS": USER_ARN}})),
    ("all types of principal", Kind.RESOURCE, text({**WHOLE, "Principal": {
        "AWS": ["111122223333", "*"], "Service": "acm.amazonaws.com", "Federated": "accounts.example.com",
        "CanonicalUser": "79a59df900b949e55d96a1e698fbaced"}})),
    ("numbers and booleans in conditions", Kind.IDENTITY, text({**WHOLE, "Condition": {
        "Bool": {"aws:SecureTransport": True}, "NumericLessThan": {"aws:MultiFactorAuthAge": [300, 1.5]}}})),
    ("operators in any case", Kind.IDENTITY, text({**WHOLE, "Condition": {"bool": {"aws:SecureTransport": "true"}}})),
    ("unknown condition keys", Kind.IDENTITY, text({**WHOLE, "Condition": {"StringEquals": {"x:unheardOf": "1"}}})),
    ("a trust policy", Kind.TRUST, text(TRUSTING)),
    ("an unclosed variable", Kind.IDENTITY, text({**WHOLE, "Resource": "arn:aws:s3:::a${b"})),
    ("tabs and line feeds", Kind.IDENTITY, json.dumps({"Statement": WHOLE}, indent="\t") + "\r\n"),
)  # fmt: skip

REFUSED = (
    ("not JSON", Kind.IDENTITY, "{", "Syntax errors in policy"),
    ("not an object", Kind.IDENTITY, "[]", "not a JSON object"),
    ("NaN", Kind.IDENTITY, '{"Version": NaN}', "NaN"),
    ("a member twice", Kind.IDENTITY, '{"Version": "2012-10-17", "Version": "2012-10-17"}', "twice"),
    ("an unknown element", Kind.IDENTITY, text(WHOLE, Statements=[]), "Statements"),
    ("an unknown version", Kind.IDENTITY, text(WHOLE, Version="2020-01-01"), "version"),
    ("a version that is a number", Kind.IDENTITY, '{"Version": 2012, "Statement": []}', "version"),
    ("an id that is no string", Kind.IDENTITY, text(WHOLE, Id=1), "Id"),
    ("no statement", Kind.IDENTITY, '{"Version": "2012-10-17"}', "Statement"),
    ("an empty list of statements", Kind.IDENTITY, text(), "Statement"),
    ("a statement that is a string", Kind.IDENTITY, text("Allow"), "object"),
    ("an unknown element of a statement", Kind.IDENTITY, text({**WHOLE, "action": "*"}), "action"),
    ("no effect", Kind.IDENTITY, text(without(WHOLE, "Effect")), "Effect"),
    ("an effect that does not exist", Kind.IDENTITY, text({**WHOLE, "Effect": "allow"}), "Effect"),
    ("a Sid that is a number", Kind.IDENTITY, text({**WHOLE, "Sid": 1}), "Sid"),
    ("a Sid with a space", Kind.IDENTITY, text({**WHOLE, "Sid": "a b"}), "alpha-numeric"),
    ("a Sid twice", Kind.IDENTITY, text({**WHOLE, "Sid": "a"}, {**WHOLE, "Sid": "a"}), "unique"),
    ("no action", Kind.IDENTITY, text(without(WHOLE, "Action")), "must contain actions"),
    ("no resource", Kind.IDENTITY, text(without(WHOLE, "Resource")), "must contain resources"),
    ("Action and NotAction", Kind.IDENTITY, text({**WHOLE, "NotAction": "s3:*"}), "exclude each other"),
    ("an empty list of actions", Kind.IDENTITY, text({**WHOLE, "Action": []}), "Action"),
    ("an action that is a number", Kind.IDENTITY, text({**WHOLE, "Action": 7}), "Action"),
    ("an action without a vendor", Kind.IDENTITY, text({**WHOLE, "Action": "Encrypt"}), "prefaced by a vendor"),
    ("an action with a space", Kind.IDENTITY, text({**WHOLE, "Action": "kms: Encrypt"}), "not valid"),
    ("a resource that is no ARN", Kind.IDENTITY, text({**WHOLE, "Resource": "key/1"}), "ARN format"),
    ("a principal in an identity policy", Kind.IDENTITY, text(NAMED), "should not specify a principal"),
    ("NotPrincipal in an identity policy", Kind.IDENTITY, text({**WHOLE, "NotPrincipal": "*"}), "should not specify"),
    ("no principal in a key policy", Kind.RESOURCE, text(WHOLE), "must contain principals"),
    ("a principal that is a name", Kind.RESOURCE, text({**WHOLE, "Principal": "alice"}), "principal"),
    ("no type of principal", Kind.RESOURCE, text({**WHOLE, "Principal": {}}), "principal"),
    ("an unknown type of principal", Kind.RESOURCE, text({**WHOLE, "Principal": {"aws": "*"}}), "unknown type"),
    ("an empty list of principals", Kind.RESOURCE, text({**WHOLE, "Principal": {"AWS": []}}), "Principal"),
    ("a wildcard in an ARN", Kind.RESOURCE, text({**WHOLE, "Principal": {"AWS": USER_ARN[:-2] + "*"}}), "Invalid principal"),
    ("a group", Kind.RESOURCE, text({**WHOLE, "Principal": {"AWS": "arn:aws:iam::111122223333:group/g"}}), "Invalid principal"),
    ("a root without its ARN", Kind.RESOURCE, text({**WHOLE, "Principal": {"AWS": "111122223333:root"}}), "Invalid principal"),
    ("a service that is no name", Kind.RESOURCE, text({**WHOLE, "Principal": {"Service": "*"}}), "Invalid principal"),
    ("a nameless federation", Kind.RESOURCE, text({**WHOLE, "Principal": {"Federated": ""}}), "Invalid principal"),
    ("NotPrincipal in a trust policy", Kind.TRUST, text({**without(TRUSTING, "Principal"), "NotPrincipal": "*"}), "NotPrincipal"),
    ("a resource in a trust policy", Kind.TRUST, text({**TRUSTING, "Resource": "*"}), "prohibited field Resource"),
    ("a trust of other actions", Kind.TRUST, text({**TRUSTING, "Action": "kms:*"}), "STS AssumeRole"),
    ("conditions that are a list", Kind.IDENTITY, text({**WHOLE, "Condition": []}), "Condition"),
    ("keys that are a list", Kind.IDENTITY, text({**WHOLE, "Condition": {"Bool": []}}), "Bool"),
    ("a key without a name", Kind.IDENTITY, text({**WHOLE, "Condition": {"Bool": {" ": "true"}}}), "without a name"),
    ("a condition value that is null", Kind.IDENTITY, text({**WHOLE, "Condition": {"Bool": {"a:b": None}}}), "strings"),
    ("a condition value that is an object", Kind.IDENTITY, text({**WHOLE, "Condition": {"Bool": {"a:b": [{}]}}}), "strings"),
    ("an unknown operator", Kind.IDENTITY, text({**WHOLE, "Condition": {"StringMatches": {"a:b": "c"}}}), "Invalid Condition type"),
    ("a set operator alone", Kind.IDENTITY, text({**WHOLE, "Condition": {"ForAnyValue:": {"a:b": "c"}}}), "Invalid Condition type"),
    ("NullIfExists", Kind.IDENTITY, text({**WHOLE, "Condition": {"NullIfExists": {"a:b": "true"}}}), "Invalid Condition type"),
    ("a set of Null", Kind.IDENTITY, text({**WHOLE, "Condition": {"ForAnyValue:Null": {"a:b": "true"}}}), "Invalid Condition type"),
    ("a number that is none", Kind.IDENTITY, text({**WHOLE, "Condition": {"NumericEquals": {"a:b": "x"}}}), "type"),
    ("a date that is none", Kind.IDENTITY, text({**WHOLE, "Condition": {"DateEquals": {"a:b": "2026-13-01"}}}), "type"),
    ("a truth that is none", Kind.IDENTITY, text({**WHOLE, "Condition": {"Bool": {"a:b": "yes"}}}), "type"),
    ("a truth beside a variable", Kind.IDENTITY, text({**WHOLE, "Condition": {"Bool": {"a:b": ["${a:c}", "yes"]}}}), "type"),
    ("an address that is none", Kind.IDENTITY, text({**WHOLE, "Condition": {"IpAddress": {"a:b": "10.0.0"}}}), "type"),
    ("base64 that is none", Kind.IDENTITY, text({**WHOLE, "Condition": {"BinaryEquals": {"a:b": "*"}}}), "type"),
    ("a Null of neither kind", Kind.IDENTITY, text({**WHOLE, "Condition": {"Null": {"a:b": "maybe"}}}), "type"),
    ("a character beyond Latin-1", Kind.IDENTITY, text(WHOLE).replace("kms", "k\u0161"), "U+0161"),
    ("a control character", Kind.IDENTITY, text(WHOLE).replace("kms", "k\x0bs"), "U+000B"),
    ("an escaped NUL", Kind.IDENTITY, text({**WHOLE, "Condition": {"StringEquals": {"a:b": ["\0"]}}}), "U+0000"),
    ("half a surrogate pair in a name", Kind.IDENTITY, text({**WHOLE, "Condition": {"StringEquals": {"\ud800": "1"}}}), "surrogate"),
    ("brackets as deep as they fit", Kind.IDENTITY, "[" * 32_000, "deeper"),
    ("nesting inside a condition", Kind.IDENTITY, '{"Statement":' + "[" * 65 + "]" * 65 + "}", "deeper"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "written"), ACCEPTED, ids=[case[0] for case in ACCEPTED])
def test_the_grammar_accepts(name: str, kind: Kind, written: str) -> None:
    read = parse(written, kind)
    assert parse(read.text(), kind).statements == read.statements
    compile_policy(read, name)


@pytest.mark.parametrize(("name", "kind", "written", "reason"), REFUSED, ids=[case[0] for case in REFUSED])
def test_the_grammar_refuses_with_a_reason(name: str, kind: Kind, written: str, reason: str) -> None:
    with pytest.raises(MalformedPolicy) as refused:
        parse(written, kind)
    assert reason in refused.value.reason
    assert len(refused.value.reason) < 400


def test_many_brackets_inside_strings_are_only_text() -> None:
    assert parse(
        document(statement(Condition={"StringEquals": {"a:b": '[{"' * 200}})), Kind.IDENTITY
    ).variables


def test_a_policy_over_32_kb_is_told_apart_from_a_malformed_one() -> None:
    padding = " " * (LONGEST - len(document(statement())))
    assert parse(document(statement()) + padding, Kind.IDENTITY)
    with pytest.raises(PolicyTooLong):
        parse(document(statement()) + padding + " ", Kind.IDENTITY)


def test_a_stored_policy_is_read_again_however_long_its_indents_made_it() -> None:
    numbers = [str(number) for number in range(4_500)]
    written = json.dumps(
        json.loads(document(statement(Condition={"StringEquals": {"a:b": numbers}}))), separators=(",", ":")
    )
    read = parse(written, Kind.IDENTITY)
    with pytest.raises(PolicyTooLong):
        parse(read.text(), Kind.IDENTITY)
    assert compile_policy(read.text(), "p", stored=True).document.statements == read.statements


def test_a_key_policy_statement_without_resource_or_action_is_void() -> None:
    nameless = [without(NAMED, "Resource"), without(NAMED, "Action"), {"Effect": "Deny", "Principal": "*"}]
    assert resource(*nameless).choice("kms:Encrypt") == ((), ())


def test_numbers_keep_the_spelling_they_came_with() -> None:
    read = parse(
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"a:b": 1.50}}}}',
        Kind.IDENTITY,
    )
    assert read.statements[0].conditions[0].values == ("1.50",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["Allow", "Deny", "*", "kms:*", "2012-10-17", USER_ARN, "true", "${aws:username}"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["Version", "Id", "Statement", "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction",
                         "Resource", "NotResource", "Condition", "AWS", "Service", "StringLike", "Bool", "IpAddress",
                         "DateLessThan", "ForAllValues:NumericEqualsIfExists", "Null", "aws:x"]) | st.text(max_size=4),
        inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@pytest.mark.parametrize("kind", Kind)
@settings(max_examples=150, deadline=None)
@given(value=JSON)
def test_any_json_is_a_policy_or_malformed(kind: Kind, value: Any) -> None:
    for tree in (value, {"Statement": value}):
        with contextlib.suppress(MalformedPolicy):
            compile_policy(json.dumps(tree), "p", kind)


@settings(max_examples=150, deadline=None)
@given(written=st.text(max_size=60))
@example("\ufeff{}")
@example('{"a":' * 5000)
@example('{"Version": ' + "9" * 5000 + "}")
@example('"\\ud800"')
def test_any_text_is_a_policy_or_malformed(written: str) -> None:
    with pytest.raises(MalformedPolicy):
        parse(written, Kind.IDENTITY)
