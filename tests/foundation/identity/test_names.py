"""ARNs and unique ids say what they name, and nothing else is taken for one."""

import os

import pytest

from foundation.identity.names import Named, account_of_id, parse_arn, unique_id

A = "111122223333"


@pytest.mark.parametrize(
    ("arn", "named"),
    [
        (f"arn:aws:iam::{A}:root", Named(A, "root", "", "")),
        (f"arn:aws:iam::{A}:user/bob", Named(A, "user", "/", "bob")),
        (f"arn:aws:iam::{A}:role/a/b/r", Named(A, "role", "/a/b/", "r")),
        ("arn:aws:iam::aws:policy/P", Named("aws", "policy", "/", "P")),
        (f"arn:aws:sts::{A}:assumed-role/r/session", Named(A, "session", "/", "r")),
        (f"arn:aws:iam::{A}:root/x", None),
        (f"arn:aws:iam::{A}:userbob", None),
        (f"arn:aws:iam::{A}:user", None),
        (f"arn:aws:iam::{A}:group/g", None),
        (f"arn:aws:iam::{A}:user/bob\n", None),
        (f"arn:aws:sts::{A}:assumed-role/r", None),
        ("arn:aws:iam::1:user/bob", None),
        ("bob", None),
    ],
)
def test_an_arn_names_one_thing(arn: str, named: Named | None) -> None:
    assert parse_arn(arn) == named


@pytest.mark.parametrize("account", [A, "000000000000", "999999999999"])
def test_a_unique_id_tells_its_account(account: str) -> None:
    made = unique_id("AIDA", account, os.urandom)
    assert len(made) == 21
    assert account_of_id(made) == account


@pytest.mark.parametrize(
    "text", ["", "AIDA", "AIDA0000", "AIDA11111111111", "AIDA77777777777777777", "AIDAÄÄ"]
)
def test_other_texts_tell_none(text: str) -> None:
    assert account_of_id(text) is None


def test_a_long_arn_is_judged_at_once() -> None:
    assert parse_arn(f"arn:aws:iam::{A}:user" + "/a" * 50_000 + "\n") is None
