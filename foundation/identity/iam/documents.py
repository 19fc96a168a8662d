"""Policy documents on their way in and out: judged by kind and size, trust policies pinned, answers percent-encoded."""

import json
from typing import Any, Final
from urllib.parse import quote

from foundation.identity.errors import LimitExceeded, MalformedPolicyDocument
from foundation.identity.iam.quotas import INLINE_SIZE, MANAGED_SIZE, TRUST_SIZE
from foundation.identity.policy import Kind, MalformedPolicy, parse, pin, show
from foundation.identity.policy.document import from_tree
from foundation.identity.principals import Principals

__all__ = ["encoded", "judge_inline", "judge_managed", "judge_trust", "shown_trust", "size"]

WHITE: Final = str.maketrans("", "", " \t\r\n")


def size(text: str) -> int:
    """Count the characters of a document as IAM does: without white space."""
    return len(text.translate(WHITE))


def judge_managed(text: str) -> str:
    """Return a managed policy's document. Raises MalformedPolicyDocument, LimitExceeded."""
    _judged(text, Kind.IDENTITY)
    _within(size(text), MANAGED_SIZE, "policy")
    return text


def judge_inline(text: str, kind: str, others: int) -> str:
    """Return an inline policy's document; `others` is the size of the other inline policies of the user or role."""
    _judged(text, Kind.IDENTITY)
    if size(text) + others > INLINE_SIZE[kind]:
        raise LimitExceeded(f"Maximum policy size of {INLINE_SIZE[kind]} bytes exceeded for {kind}")
    return text


def judge_trust(text: str, principals: Principals) -> str:
    """Return a role's trust policy as it is stored: its principals must exist, and become unique ids."""
    document = _judged(text, Kind.TRUST)
    _within(size(text), TRUST_SIZE, "ACL")
    try:
        return json.dumps(pin(document, principals.id_of).tree)
    except MalformedPolicy as malformed:
        raise MalformedPolicyDocument(malformed.reason) from malformed


def shown_trust(stored: str, principals: Principals) -> str:
    """Write a stored trust policy as its readers see it: with ARNs, or the ids of principals that are gone."""
    tree = show(from_tree(json.loads(stored), Kind.TRUST), principals.arn_of).tree
    return encoded(json.dumps(tree, separators=(",", ":")))


def encoded(text: str) -> str:
    """Percent-encode a document as IAM's answers have it (RFC 3986)."""
    return quote(text, safe="")


def _judged(text: str, kind: Kind) -> Any:
    try:
        return parse(text, kind)
    except MalformedPolicy as malformed:
        raise MalformedPolicyDocument(malformed.reason) from malformed


def _within(used: int, most: int, what: str) -> None:
    if used > most:
        raise LimitExceeded(f"Cannot exceed quota for {what.title()}Size: {most}")
