"""A policy document: parsed and validated, not yet ready to be evaluated.

The grammar is that of the IAM User Guide ("Grammar of the IAM JSON policy language"). Messages are IAM's where
IAM has one.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from foundation.identity.policy.conditions import check_condition
from foundation.identity.policy.elements import Kind, Statement
from foundation.identity.policy.errors import MalformedPolicy
from foundation.identity.policy.reading import LONGEST, LONGEST_STORED, read
from foundation.identity.policy.statements import read_statement

__all__ = ["Document", "from_tree", "parse"]

CURRENT: Final = "2012-10-17"
OLD: Final = "2008-10-17"


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document. `tree` is its JSON, in which numbers have become text."""

    kind: Kind
    variables: bool
    """Whether policy variables are replaced: only in version 2012-10-17."""
    statements: tuple[Statement, ...]
    tree: Mapping[str, Any]

    def text(self) -> str:
        """Write the document as KMS prints it."""
        return json.dumps(self.tree, indent=2, separators=(",", " : "), ensure_ascii=True)


def parse(text: str, kind: Kind, *, stored: bool = False) -> Document:
    """Parse and validate; raise MalformedPolicy (or PolicyTooLong) with a reason for the caller.

    `stored` is for a text that `Document.text` wrote, which may be longer than one from a caller.
    """
    return from_tree(read(text, LONGEST_STORED if stored else LONGEST), kind)


def from_tree(tree: Mapping[str, Any], kind: Kind) -> Document:
    """Validate the JSON of a document."""
    for name in tree:
        if name not in ("Version", "Id", "Statement"):
            raise MalformedPolicy(f"Syntax errors in policy: unknown element {name[:64]!r}.")
    version = tree.get("Version", OLD)
    if version not in (CURRENT, OLD):
        raise MalformedPolicy(f"The policy must contain a valid version string: {CURRENT} or {OLD}.")
    if type(tree.get("Id", "")) is not str:
        raise MalformedPolicy("Syntax errors in policy: Id must be a string.")
    written = tree.get("Statement")
    listed = written if isinstance(written, list) else [written]
    if not listed or written is None:
        raise MalformedPolicy("Syntax errors in policy: there must be a Statement.")
    statements = tuple(read_statement(one, index, kind) for index, one in enumerate(listed))
    sids = [statement.sid for statement in statements if statement.sid]
    if len(set(sids)) < len(sids):
        raise MalformedPolicy("Statement IDs (SID) in a single policy must be unique.")
    variables = version == CURRENT
    for statement in statements:
        for condition in statement.conditions:
            check_condition(condition, variables=variables)
    return Document(kind=kind, variables=variables, statements=statements, tree=tree)
