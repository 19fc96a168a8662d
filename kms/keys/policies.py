"""Key policies: the default ones, what is accepted (TRAPS 12), how they are stored and shown."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Protocol

from foundation.identity import Call, caller_of
from foundation.identity.policy import (
    CallContext,
    Document,
    Kind,
    LockedOut,
    MalformedPolicy,
    Policy,
    PolicyTooLong,
    may_manage,
    parse,
    pin,
    show,
)
from kms.keys.errors import LimitExceeded, MalformedPolicyDocument, ValidationError

DEFAULT_NAME: Final = "default"
RAM_NAME: Final = "AWS_RAM"
LONGEST: Final = 32_768
"""Octets of a key policy document (KMS quota)."""


class Principals(Protocol):
    """Who exists. Both give None for what does not; answers are current."""

    def id_of(self, arn: str, /) -> str | None:
        """The unique id of a user or role by ARN, an account's id by its root's, an id for itself."""
        ...

    def arn_of(self, unique_id: str, /) -> str | None:
        """The ARN that a unique id has now."""
        ...


def default_policy(account: str) -> str:
    """What a key without a policy of its own gets: the account decides, by IAM (KMS guide, "Default key policy")."""
    return _text(
        {
            "Version": "2012-10-17",
            "Id": "key-default-1",
            "Statement": [
                {
                    "Sid": "Enable IAM User Permissions",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        }
    )


def managed_policy(account: str, region: str, service: str) -> str:
    """The policy of `alias/aws/SERVICE`: everyone in the account, through that service only; metadata directly."""
    via = {"kms:CallerAccount": account, "kms:ViaService": f"{service}.{region}.amazonaws.com"}
    through = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"]  # fmt: skip
    return _text(
        {
            "Version": "2012-10-17",
            "Id": f"auto-{service}-1",
            "Statement": [
                {
                    "Sid": f"Allow access through {service} for all principals in the account that are authorized to use {service}",
                    "Effect": "Allow",
                    "Principal": {"AWS": "*"},
                    "Action": through,
                    "Resource": "*",
                    "Condition": {"StringEquals": via},
                },
                {
                    "Sid": "Allow direct access to key metadata to the account",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                    "Action": ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"],
                    "Resource": "*",
                },
            ],
        }
    )


def judge_policy(text: str, principals: Principals) -> str:
    """The document as it is stored: grammar checked, its principals pinned to their unique ids.

    Raises LimitExceeded when it is too long, MalformedPolicyDocument for bad grammar and unknown principals.
    """
    if len(text.encode()) > LONGEST:
        raise LimitExceeded(f"Policy document must be at most {LONGEST} bytes in length.")
    try:
        pinned = pin(parse(text, Kind.RESOURCE), principals.id_of)
    except PolicyTooLong as long:
        raise LimitExceeded(str(long)) from long
    except MalformedPolicy as malformed:
        raise MalformedPolicyDocument(malformed.reason) from malformed
    return _text(pinned.tree)


def shown_policy(stored: str, principals: Principals) -> str:
    """The document as its readers see it: ARNs, or the ids of principals that are gone."""
    return _text(show(_read(stored), principals.arn_of).tree)


def check_lockout(stored: str, call: Call, arn: str) -> None:
    """Raise MalformedPolicyDocument when the caller could not put a policy again (PutKeyPolicy's safety check)."""
    context = CallContext(call, {"kms:policyname": DEFAULT_NAME, "kms:calleraccount": call.account})
    try:
        may_manage(
            _read(stored), caller_of(call.principal), resource=arn, account=call.account, context=context
        )
    except LockedOut as locked:
        raise MalformedPolicyDocument(
            "The new key policy will not allow you to update the key policy in the future."
        ) from locked


@lru_cache(maxsize=4096)
def compiled(stored: str) -> Policy:
    """The document as the engine evaluates it."""
    return Policy(_read(stored), DEFAULT_NAME)


def check_known(name: str) -> None:
    """Raise ValidationError for a policy name that no key can have, when a policy is to be put."""
    if name not in {DEFAULT_NAME, RAM_NAME}:
        raise ValidationError(f"Invalid policy name '{name}'. The only valid names are default and AWS_RAM.")


def check_ours(name: str) -> None:
    """Raise ValidationError for RAM's policy, which nobody puts by PutKeyPolicy."""
    if name == RAM_NAME:
        raise ValidationError("The AWS_RAM policy can only be managed by the RAM service.")


def _read(stored: str) -> Document:
    return parse(stored, Kind.RESOURCE)


def _text(tree: Mapping[str, Any]) -> str:
    return json.dumps(tree, indent=2)
