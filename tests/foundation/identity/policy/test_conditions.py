"""Every operator, with every affix, on a key that is absent, present, empty or has several values."""

from typing import Any, NamedTuple

import pytest

from foundation.identity.policy import OPERATORS, Value
from tests.foundation.identity.policy.samples import condition_met

KEY = "test:Key"


class Sample(NamedTuple):
    """A value for the policy, one for the request that it matches, and one that it does not."""

    policy: Any
    fits: str | bytes
    differs: str | bytes


SAMPLES = {
    "StringEquals": Sample("a", "a", "A"),
    "StringNotEquals": Sample("a", "a", "A"),
    "StringEqualsIgnoreCase": Sample("Aé", "aÉ", "b"),
    "StringNotEqualsIgnoreCase": Sample("A", "a", "b"),
    "StringLike": Sample("a*c?", "abcd", "abc"),
    "StringNotLike": Sample("a*c?", "abcd", "abc"),
    "ArnEquals": Sample("arn:aws:s3:::b/*", "arn:aws:s3:::b/c", "arn:aws:s3:::c"),
    "ArnNotEquals": Sample("arn:aws:s3:::b/*", "arn:aws:s3:::b/c", "arn:aws:s3:::c"),
    "ArnLike": Sample("arn:aws:*:::b", "arn:aws:s3:::b", "arn:aws:s3:r::b"),
    "ArnNotLike": Sample("arn:aws:*:::b", "arn:aws:s3:::b", "arn:aws:s3:r::b"),
    "NumericEquals": Sample("1.0", "1", "1.1"),
    "NumericNotEquals": Sample("1.0", "1", "one"),
    "NumericLessThan": Sample("10", "9.99", "10"),
    "NumericLessThanEquals": Sample("10", "10.0", "10.1"),
    "NumericGreaterThan": Sample("-1", "0", "-1"),
    "NumericGreaterThanEquals": Sample("-1", "-1", "-1.5"),
    "DateEquals": Sample("2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00", "2026-03-01T12:00:01Z"),
    "DateNotEquals": Sample("2026-03-01", "2026-03-01T00:00:00Z", "soon"),
    "DateLessThan": Sample("2026", "2025-12-31T23:59:59.9Z", "2026-01-01T00:00Z"),
    "DateLessThanEquals": Sample("2026-01", "1767225600", "1767225601"),
    "DateGreaterThan": Sample("1767225600", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00Z"),
    "DateGreaterThanEquals": Sample("2026-01-01T00:00:00-01:30", "2026-01-01T01:30Z", "2026-01-01T01:29Z"),
    "Bool": Sample("true", "TRUE", "false"),
    "BinaryEquals": Sample("cmF3", b"raw", b"row"),
    "IpAddress": Sample("203.0.113.9/24", "203.0.113.77", "203.0.114.1"),
    "NotIpAddress": Sample("2001:db8::/32", "2001:DB8::1", "10.0.0.1"),
}
NEGATED = {
    "StringNotEquals",
    "StringNotEqualsIgnoreCase",
    "StringNotLike",
    "ArnNotEquals",
    "ArnNotLike",
    "NumericNotEquals",
    "DateNotEquals",
    "NotIpAddress",
}

# What a condition says of a key: (plain operator, negated operator).
TABLE = {
    "": {
        "absent": (False, True),
        "fits": (True, False),
        "differs": (False, True),
        "empty": (False, True),
        "both": (True, False),
        "two that fit": (True, False),
        "two that differ": (False, True),
    },
    "IfExists": {
        "absent": (True, True),
        "fits": (True, False),
        "differs": (False, True),
        "empty": (True, True),
        "both": (True, False),
        "two that fit": (True, False),
        "two that differ": (False, True),
    },
    "ForAllValues": {
        "absent": (True, True),
        "fits": (True, False),
        "differs": (False, True),
        "empty": (True, True),
        "both": (False, False),
        "two that fit": (True, False),
        "two that differ": (False, True),
    },
    "ForAllValues IfExists": {
        "absent": (True, True),
        "fits": (True, False),
        "differs": (False, True),
        "empty": (True, True),
        "both": (False, False),
        "two that fit": (True, False),
        "two that differ": (False, True),
    },
    "ForAnyValue": {
        "absent": (False, False),
        "fits": (True, False),
        "differs": (False, True),
        "empty": (False, False),
        "both": (True, True),
        "two that fit": (True, False),
        "two that differ": (False, True),
    },
    "ForAnyValue IfExists": {
        "absent": (True, True),
        "fits": (True, False),
        "differs": (False, True),
        "empty": (True, True),
        "both": (True, True),
        "two that fit": (True, False),
        "two that differ": (False, True),
    },
}

CELLS = [
    (operator, affix, situation, expected[operator in NEGATED])
    for operator in SAMPLES
    for affix, situations in TABLE.items()
    for situation, expected in situations.items()
]


def given(sample: Sample, situation: str) -> dict[str, Value]:
    values: dict[str, Any] = {
        "fits": sample.fits,
        "differs": sample.differs,
        "empty": (),
        "both": (sample.differs, sample.fits),
        "two that fit": (sample.fits, sample.fits),
        "two that differ": (sample.differs, sample.differs),
    }
    return {} if situation == "absent" else {"test:key": values[situation]}


def spelled(operator: str, affix: str) -> str:
    quantifier, _, suffix = affix.rpartition(" ") if " " in affix else (affix, "", "")
    if affix == "IfExists":
        quantifier, suffix = "", affix
    return f"{quantifier}:{operator}{suffix}" if quantifier else f"{operator}{suffix}"


def test_the_table_of_samples_has_every_operator() -> None:
    assert SAMPLES.keys() | {"Null"} == OPERATORS.keys()
    assert {name for name, entry in OPERATORS.items() if entry.negated} == NEGATED


@pytest.mark.parametrize(("operator", "affix", "situation", "expected"), CELLS)
def test_an_operator_says_what_the_table_says(
    operator: str, affix: str, situation: str, expected: bool
) -> None:
    sample = SAMPLES[operator]
    for effect in ("Allow", "Deny"):
        condition = {spelled(operator, affix): {KEY: sample.policy}}
        assert condition_met(condition, given(sample, situation), effect) is expected


@pytest.mark.parametrize("operator", SAMPLES)
def test_several_values_of_a_policy_are_alternatives(operator: str) -> None:
    sample = SAMPLES[operator]
    other = {"Bool": ["true", "true"]}.get(operator, [sample.policy, sample.policy])
    assert condition_met({operator: {KEY: other}}, given(sample, "fits")) is (operator not in NEGATED)


@pytest.mark.parametrize("operator", SAMPLES)
def test_no_value_in_the_policy_matches_nothing(operator: str) -> None:
    sample = SAMPLES[operator]
    assert condition_met({operator: {KEY: []}}, given(sample, "fits")) is (operator in NEGATED)


NULLS = (
    ("true", "absent", True),
    ("true", "empty", True),
    ("true", "fits", False),
    ("false", "absent", False),
    ("false", "empty", False),
    ("false", "both", True),
    (["true", "false"], "absent", True),
    (True, "absent", True),
)


@pytest.mark.parametrize(("wanted", "situation", "expected"), NULLS)
def test_null_asks_whether_a_key_is_absent(wanted: Any, situation: str, expected: bool) -> None:
    assert condition_met({"Null": {KEY: wanted}}, given(SAMPLES["StringEquals"], situation)) is expected


def test_all_keys_and_all_operators_must_be_met() -> None:
    both = {"StringEquals": {"a:b": "1", "A:c": "2"}, "Bool": {"a:d": "true"}}
    met: dict[str, Value] = {"a:b": "1", "a:c": "2", "a:d": "true"}
    assert condition_met(both, met)
    for key in met:
        assert not condition_met(both, {**met, key: "other"})
    assert condition_met({}, {})
    assert condition_met({"StringEquals": {}}, {})


ODD = (
    ("IpAddress", "0.0.0.0/0", "::ffff:203.0.113.9", True),
    ("IpAddress", "203.0.113.9", "203.0.113.9", True),
    ("IpAddress", "::/0", "203.0.113.9", False),
    ("IpAddress", "0.0.0.0/0", "acm.amazonaws.com", False),
    ("IpAddress", "::/0", "fe80::1%eth0", False),
    ("NotIpAddress", "0.0.0.0/0", "acm.amazonaws.com", True),
    ("IpAddress", "0.0.0.0/0", b"\x00", False),
    ("NumericEquals", "1", b"1", False),
    ("NumericEquals", "1", "1e0", False),
    ("NumericEquals", "1", "\u0661", False),
    ("DateEquals", "2026-01-01T00:00:00Z", "2026-02-30", False),
    ("DateEquals", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00+14:00", True),
    ("DateLessThan", "9999-12-31T23:59:59-23:59", "9999-12-31", True),
    ("StringEquals", "1", b"1", False),
    ("StringLike", "*", b"1", False),
    ("StringEqualsIgnoreCase", "1", b"1", False),
    ("Bool", "true", b"true", False),
    ("Bool", "true", "yes", False),
    ("BinaryEquals", "cmF3", "raw", True),
    ("ArnEquals", "arn:aws:s3:::b", "arn:aws:s3:::b", True),
    ("ArnEquals", "*", "not an arn", True),
)


@pytest.mark.parametrize(("operator", "policy", "value", "expected"), ODD)
def test_values_that_are_not_of_the_type_do_not_match(
    operator: str, policy: str, value: str | bytes, expected: bool
) -> None:
    assert condition_met({operator: {KEY: policy}}, {"test:key": value}) is expected
