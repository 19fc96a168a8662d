"""The elements of a policy statement as plain values: what was read, before anything is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

__all__ = ["Condition", "Effect", "Element", "Kind", "Named", "Quantifier", "Statement"]

Effect = Literal["Allow", "Deny"]

Quantifier = Literal["", "ForAllValues", "ForAnyValue"]


class Kind(Enum):
    """What a document is attached to. Permissions boundaries and session policies are identity policies."""

    IDENTITY = "identity"
    RESOURCE = "resource"
    TRUST = "trust"


@dataclass(frozen=True, slots=True)
class Element:
    """Action or Resource; `negated` for NotAction and NotResource."""

    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Named:
    """Principal, by type (AWS, Service, Federated, CanonicalUser); `negated` for NotPrincipal.

    `"*"` alone is the AWS principal `*`.
    """

    values: Mapping[str, tuple[str, ...]]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """One key under one operator. `operator` is spelled as in the table of operators, without its affixes."""

    operator: str
    quantifier: Quantifier
    if_exists: bool
    key: str
    values: tuple[str, ...]

    @property
    def spelled(self) -> str:
        """The operator with its affixes, as it stands in a document."""
        prefix = f"{self.quantifier}:" if self.quantifier else ""
        return f"{prefix}{self.operator}{'IfExists' if self.if_exists else ''}"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. A missing Action or Resource is None: in a key policy such a statement has no effect."""

    index: int
    sid: str
    effect: Effect
    principals: Named | None
    actions: Element | None
    resources: Element | None
    conditions: tuple[Condition, ...]

    @property
    def label(self) -> str:
        """The Sid, or the place of the statement: how an explanation names it."""
        return self.sid or f"#{self.index}"
