"""Wildcards: the matcher against a slow one that is obviously right, ARNs by component, and bombs."""

import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.identity.policy.match import arns, glob, texts
from foundation.identity.policy.variables import Parts, Pattern, Variable, Wild, parts
from tests.foundation.identity.policy.samples import condition_met


def globbed(pattern: str) -> Parts:
    return tuple(part for part in parts(pattern, variables=False) if not isinstance(part, Variable))


def slow(pattern: str, text: str) -> bool:
    """The definition: a star is any text, a question mark any one character."""

    @cache
    def at(i: int, j: int) -> bool:
        if i == len(pattern):
            return j == len(text)
        if pattern[i] == "*":
            return at(i + 1, j) or (j < len(text) and at(i, j + 1))
        return j < len(text) and pattern[i] in ("?", text[j]) and at(i + 1, j + 1)

    return at(0, 0)


@settings(max_examples=1_000, deadline=None)
@given(pattern=st.text("ab*?", max_size=10), text=st.text("ab", max_size=12))
def test_a_glob_matches_what_its_definition_says(pattern: str, text: str) -> None:
    assert glob(globbed(pattern))(text) is slow(pattern, text)


@settings(max_examples=300, deadline=None)
@given(patterns=st.lists(st.text("a*?:", max_size=6), max_size=12), text=st.text("a:", max_size=6))
def test_a_list_of_patterns_matches_what_one_of_them_does(patterns: list[str], text: str) -> None:
    compiled = texts([globbed(pattern) for pattern in patterns]).fixed
    assert compiled(text) is any(slow(pattern, text) for pattern in patterns)


@settings(max_examples=500, deadline=None)
@given(
    pattern=st.lists(st.sampled_from(["a", "*", "a*", "?", ""]), min_size=1, max_size=7),
    given_=st.lists(st.sampled_from(["a", "ab", ""]), min_size=1, max_size=7),
)
def test_an_arn_matches_component_by_component(pattern: list[str], given_: list[str]) -> None:
    wanted = (
        [*pattern[:5], ":".join(pattern[5:])] if len(pattern) > 5 else pattern + ["*"] * (6 - len(pattern))
    )
    there = [*given_[:5], ":".join(given_[5:])] if len(given_) > 5 else given_
    expected = len(there) == 6 and all(slow(one, other) for one, other in zip(wanted, there, strict=True))
    expected = expected or pattern == ["*"]
    compiled = arns([globbed(":".join(pattern))]).fixed
    assert compiled(":".join(given_)) is expected


ARNS = (
    ("arn:aws:kms:*:1:key/*", "arn:aws:kms:eu-west-1:1:key/a", True),
    ("arn:aws:kms:*:key/*", "arn:aws:kms:eu-west-1:1:key/a", False),
    ("arn:aws:kms:eu-west-1:1:key/a", "arn:aws:kms:eu-west-1:1:key/A", False),
    ("arn:aws:kms:eu-west-1:1:key/a", "arn:aws:kms:eu-west-1:1:key/a", True),
    ("arn:aws:kms", "arn:aws:kms:eu-west-1:1:key/a", True),
    ("arn:aws:acm-pca:*:*:certificate-authority/*/certificate/*", "arn:aws:acm-pca:r:1:certificate-authority/x/certificate/y", True),
    ("arn:aws:logs:r:1:group:*:s", "arn:aws:logs:r:1:group:name:with:colons:s", True),
    ("arn:aws:kms:*:*:*", "*", False),
    ("*", "*", True),
)  # fmt: skip


@pytest.mark.parametrize(("pattern", "text", "expected"), ARNS)
def test_no_wildcard_reaches_over_a_colon_but_in_the_last_component(
    pattern: str, text: str, expected: bool
) -> None:
    assert arns([globbed(pattern)]).fixed(text) is expected


BOMBS = (
    ("stars and a letter", "a*" * 8_000 + "b", "a" * 20_000),
    ("stars that never end", "*a" * 8_000 + "b", "a" * 20_000),
    ("a long piece that almost fits", "*" + "a" * 10_000 + "b*", "a" * 20_000),
    ("question marks", "*" + "?a" * 5_000 + "b", "a" * 20_000),
    ("question marks between stars", "*?" * 8_000 + "b", "a" * 20_000),
)


@pytest.mark.parametrize(("name", "pattern", "text"), BOMBS, ids=[bomb[0] for bomb in BOMBS])
def test_a_bomb_takes_less_than_a_second(name: str, pattern: str, text: str) -> None:
    start = time.process_time()
    assert not glob(globbed(pattern))(text)
    assert time.process_time() - start < 1


def test_a_resolved_pattern_may_be_empty() -> None:
    empty: Pattern = ()
    assert glob(())("")
    assert not glob(())("a")
    assert texts([empty]).fixed("")
    assert glob((Wild.STAR,))("anything")


def test_many_patterns_against_many_values_run_together() -> None:
    patterns = [globbed(f"*{number:x}?") for number in range(5_000)]
    values = [f"key{number}" for number in range(1_300)]
    start = time.process_time()
    compiled = texts(patterns).fixed
    assert sum(map(compiled, values)) > 0
    assert time.process_time() - start < 1


def test_many_variables_are_replaced_once_for_many_values() -> None:
    patterns = [f"${{aws:username}}{number}*" for number in range(1_200)]
    keys = tuple(f"key{number}" for number in range(1_300))
    start = time.process_time()
    condition = {"ForAllValues:StringNotLike": {"kms:EncryptionContextKeys": patterns}}
    assert condition_met(condition, {"kms:encryptioncontextkeys": keys, "aws:username": "alice"})
    assert time.process_time() - start < 1
