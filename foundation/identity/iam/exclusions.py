"""The simulator's PolicyExclusionList: which of a principal's policies a simulation leaves out."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from foundation.identity.errors import InvalidInput
from foundation.identity.names import parse_arn
from foundation.identity.policy.match import glob
from foundation.identity.policy.variables import Variable, parts
from foundation.identity.records import EntityRecord

__all__ = ["BOUNDARY", "Kept", "kept_policies"]

Kept = Callable[[str, str], bool]
"""Whether a policy takes part: (its name or ARN, its type as PolicyIdentifierPolicyType calls it)."""

BOUNDARY: Final = "permission-boundary"


def kept_policies(identifiers: list[Mapping[str, Any]], record: EntityRecord) -> Kept:
    """Read the list; raise InvalidInput for an identifier that is none. What matches nothing is ignored."""
    excluded = [_reader(identifier, record) for identifier in identifiers]
    return lambda name, kind: not any(matches(name, kind) for matches in excluded)


def _reader(identifier: Mapping[str, Any], record: EntityRecord) -> Kept:
    # A union: the wire takes none with several members.
    if "PolicyType" in identifier:
        return lambda _name, kind: kind == identifier["PolicyType"]
    if "PolicyArn" in identifier:
        return _by_arn(identifier["PolicyArn"])
    inline = identifier["InlinePolicyIdentifier"]
    # The model's text has wildcards in AttachmentName, its pattern has none: then there can be none.
    same = (inline["AttachmentType"], inline["AttachmentName"]) == (record.kind, record.name)
    return lambda name, kind: same and kind == "inline" and name == inline["PolicyName"]


def _by_arn(pattern: str) -> Kept:
    # Wildcards may stand in the name only: what precedes it must be an ARN as it is.
    named = parse_arn(pattern.replace("*", "_").replace("?", "_"))
    start = pattern.rpartition("/")[0]
    if named is None or named.kind != "policy" or "*" in start or "?" in start:
        raise InvalidInput(f"{pattern[:128]} is not the ARN of a policy.")
    matches = _wild(pattern)
    return lambda name, kind: kind != "inline" and matches(name)


def _wild(pattern: str) -> Callable[[str], bool]:
    if pattern.count("*") > 1:
        raise InvalidInput("At most one * may be used to match policies.")
    return glob(tuple(one for one in parts(pattern, variables=False) if not isinstance(one, Variable)))
