"""What cryptographic operations add to the question whether they are allowed: KMS's condition keys of the request.

Names and availability: KMS Developer Guide, "AWS KMS condition keys". Names are in lower case, as the engine asks.
"""

from collections.abc import Mapping
from typing import Final

from foundation.identity.policy import Value
from foundation.wire import Params
from kms.keys.errors import ValidationError
from kms.keys.found import Question
from kms.keys.specs import SYMMETRIC_DEFAULT

LONGEST_CONTEXT: Final = 16 * 1024
LONGEST_PART: Final = 8192
MOST_PAIRS: Final = 64
"""Bounds of an encryption context, in characters: the key core has the same."""

NO_TOKENS: Final[frozenset[str]] = frozenset()
CONDITIONS: Final[Mapping[str, str]] = {
    "EncryptionAlgorithm": "kms:encryptionalgorithm",
    "SigningAlgorithm": "kms:signingalgorithm",
    "MessageType": "kms:messagetype",
    "MacAlgorithm": "kms:macalgorithm",
    "KeyAgreementAlgorithm": "kms:keyagreementalgorithm",
    "KeyPairSpec": "kms:datakeypairspec",
    "WrappingAlgorithm": "kms:wrappingalgorithm",
    "WrappingKeySpec": "kms:wrappingkeyspec",
    "ExpirationModel": "kms:expirationmodel",
}
"""Parameters whose value is a condition key's."""


def asked(
    params: Params,
    *members: str,
    more: Mapping[str, Value] | None = None,
    context: Mapping[str, str] | None = None,
) -> Question:
    """The question of an operation with these parameters among its own.

    `context` is the encryption context; None where the operation takes none.
    """
    facts: dict[str, Value] = {CONDITIONS[member]: params[member] for member in members if member in params}
    if more:
        facts |= more
    if context:
        _add_context(facts, context)
    return Question(facts, None, context, presented(params))


def presented(params: Params) -> frozenset[str]:
    """The grant tokens that the call carries, at most 10 (the model's limit)."""
    tokens = params.get("GrantTokens")
    return frozenset(tokens) if tokens else NO_TOKENS


def judge_context(context: Mapping[str, str], algorithm: str) -> None:
    """Raise ValidationError for a context that is too long, or beside an algorithm that can have none (TRAPS 8)."""
    if not context:
        return
    if algorithm != SYMMETRIC_DEFAULT:
        raise ValidationError(
            f"EncryptionContext is not supported with the encryption algorithm {algorithm}."
        )
    total = longest = 0
    for name, value in context.items():
        total += len(name) + len(value)
        longest = max(longest, len(name), len(value))
    if len(context) > MOST_PAIRS or longest > LONGEST_PART or total > LONGEST_CONTEXT:
        raise ValidationError(
            f"An encryption context has at most {MOST_PAIRS} pairs, {LONGEST_PART} characters in each name and value, "
            f"and {LONGEST_CONTEXT} in all."
        )


def _add_context(facts: dict[str, Value], context: Mapping[str, str]) -> None:
    """kms:EncryptionContext:NAME, whose name has no case, and kms:EncryptionContextKeys, whose values have."""
    facts["kms:encryptioncontextkeys"] = tuple(context)
    for name, value in context.items():
        key = f"kms:encryptioncontext:{name.lower()}"
        known = facts.get(key)
        if known is None:
            facts[key] = value
        else:
            facts[key] = (*((known,) if isinstance(known, str) else tuple(map(str, known))), value)
