"""ARNs and unique ids of IAM: how they are made, and what they say."""

import base64
import re
from collections.abc import Callable
from typing import Final, NamedTuple

__all__ = [
    "POLICY_ID",
    "ROLE_ID",
    "SESSION_KEY",
    "USER_ID",
    "Named",
    "account_of_id",
    "entity_arn",
    "letters",
    "parse_arn",
    "policy_arn",
    "role_session_arn",
    "root_arn",
    "unique_id",
]

USER_ID: Final = "AIDA"
ROLE_ID: Final = "AROA"
POLICY_ID: Final = "ANPA"
SESSION_KEY: Final = "ASIA"

_ARN = re.compile(
    r"arn:aws:iam::(?P<account>[0-9]{12}|aws):(?P<kind>root|user|role|policy)"
    r"(?P<path>(?:/[\x21-\x2e\x30-\x7e]+)*/)?(?P<name>[A-Za-z0-9_+=,.@-]{1,128})?"
)
_SESSION_ARN = re.compile(
    r"arn:aws:sts::(?P<account>[0-9]{12}):assumed-role/(?P<name>[A-Za-z0-9_+=,.@-]{1,64})"
    r"/(?P<session>[A-Za-z0-9_+=,.@-]{2,64})"
)
_ACCOUNT_LETTERS: Final = 8  # 40 bits, which is more than 12 digits need


class Named(NamedTuple):
    """What an ARN names. `kind` is root, user, role, policy or session; a session's `name` is its role's."""

    account: str
    kind: str
    path: str
    name: str


def root_arn(account: str) -> str:
    """Give the ARN of an account's root."""
    return f"arn:aws:iam::{account}:root"


def entity_arn(account: str, kind: str, path: str, name: str) -> str:
    """Give the ARN of a user or role."""
    return f"arn:aws:iam::{account}:{kind}{path}{name}"


def policy_arn(account: str, path: str, name: str) -> str:
    """Give the ARN of a managed policy; AWS's own belong to the account `aws`."""
    return f"arn:aws:iam::{account}:policy{path}{name}"


def role_session_arn(account: str, role: str, session: str) -> str:
    """Give the ARN of a role's session. It has no path."""
    return f"arn:aws:sts::{account}:assumed-role/{role}/{session}"


def parse_arn(arn: str) -> Named | None:
    """Say what an ARN of IAM, or of a role's session, names; None for what is not one."""
    session = _SESSION_ARN.fullmatch(arn)
    if session is not None:
        return Named(session["account"], "session", "/", session["name"])
    found = _ARN.fullmatch(arn)
    if found is None or (found["kind"] == "root") != (found["name"] is None):
        return None
    if found["kind"] != "root" and found["path"] is None:
        return None
    return Named(found["account"], found["kind"], found["path"] or "", found["name"] or "")


def letters(entropy: Callable[[int], bytes], count: int) -> str:
    """Draw `count` letters of AWS's alphabet for unique ids (base 32: A-Z, 2-7)."""
    return base64.b32encode(entropy(count)).decode()[:count]


def unique_id(prefix: str, account: str, entropy: Callable[[int], bytes], *, length: int = 21) -> str:
    """Draw a unique id, never to be given again. Its letters 5 to 12 are the account, as in AWS's ids."""
    owner = base64.b32encode(int(account).to_bytes(5)).decode()
    return prefix + owner + letters(entropy, length - len(prefix) - _ACCOUNT_LETTERS)


def account_of_id(unique: str) -> str | None:
    """Give the account in a unique id; None when there is none in it."""
    try:
        number = int.from_bytes(base64.b32decode(unique[4 : 4 + _ACCOUNT_LETTERS]))
    except ValueError:
        return None
    return f"{number:012}" if len(unique) > 4 + _ACCOUNT_LETTERS and number < 10**12 else None
