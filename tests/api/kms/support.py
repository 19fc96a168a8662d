"""What the tests of KMS's front door share: short ways to make a key and to name a refusal."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.world import Caller

NOBODY = "1234abcd-12ab-34cd-56ef-1234567890ab"


def create(kms: Any, **options: Any) -> dict[str, Any]:
    """A new key's KeyMetadata."""
    made: dict[str, Any] = kms.create_key(**options)["KeyMetadata"]
    return made


def describe(kms: Any, key_id: str) -> dict[str, Any]:
    found: dict[str, Any] = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    return found


@contextmanager
def refused(code: str, match: str = "") -> Iterator[None]:
    """Expect this error code, and a message that has `match` in it."""
    with pytest.raises(ClientError) as raised:
        yield
    error = raised.value.response["Error"]
    assert (error["Code"], match in error["Message"]) == (code, True), error


def answer(call: Callable[[], Any]) -> str:
    """The error code that a call gets; "" when it succeeds."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal: Any, *actions: str, **more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions) or ["kms:*"], "Resource": "*", **more
    }  # fmt: skip


def root(caller: Caller) -> str:
    return f"arn:aws:iam::{caller.account}:root"
