"""Patterns of a policy with their wildcards and policy variables: `${key}`, `${key, 'default'}`, `${*}`.

A pattern becomes a tuple of parts. A string is literal whatever it holds: `${*}`, `${?}` and `${$}` are the
characters themselves, and so are those of a variable's value; a caller who may choose a tag or a user name
can therefore not widen a policy with a `*`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from foundation.identity.policy.facts import Context

__all__ = ["Part", "Parts", "Pattern", "Variable", "Wild", "parts", "resolve", "value_of"]


class Wild(Enum):
    """A wildcard: any text, or any one character."""

    STAR = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """A policy variable; `key` in lower case, for names of keys have no case."""

    key: str
    default: str | None = None


Part = str | Wild
"""What a pattern consists of once its variables are replaced."""

Parts = tuple[Part, ...]
Pattern = tuple[Part | Variable, ...]

P = TypeVar("P", bound=Part | Variable)

ESCAPED: Final = frozenset("*?$")


def parts(text: str, *, variables: bool, wildcards: bool = True) -> Pattern:
    """Cut a pattern into its parts; without `variables`, `${…}` is literal (documents of version 2008-10-17)."""
    found: list[Part | Variable] = []
    start = 0
    while start < len(text):
        opening = text.find("${", start) if variables else -1
        closing = text.find("}", opening) if opening >= 0 else -1
        if closing < 0:
            _literal(text[start:], found, wildcards=wildcards)
            break
        _literal(text[start:opening], found, wildcards=wildcards)
        inside = text[opening + 2 : closing]
        found.append(inside if inside in ESCAPED else _variable(inside))
        start = closing + 1
    return _joined(found)


def value_of(variable: Variable, context: Context) -> str | None:
    """Give the variable's value; None when the request has no single value for it and there is no default."""
    value = context.get(variable.key)
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) else variable.default


def resolve(pattern: Pattern, context: Context) -> Parts | None:
    """Replace every variable; None when one has no value: such a pattern matches nothing."""
    resolved: list[Part] = []
    for part in pattern:
        value = value_of(part, context) if isinstance(part, Variable) else part
        if value is None:
            return None
        resolved.append(value)
    return _joined(resolved)


def _variable(inside: str) -> Variable:
    key, comma, default = inside.partition(",")
    default = default.strip()
    quoted = comma and len(default) > 1 and default[0] == default[-1] == "'"
    return Variable(key.strip().lower(), default[1:-1] if quoted else None)


def _literal(text: str, found: list[Part | Variable], *, wildcards: bool) -> None:
    if not wildcards or ("*" not in text and "?" not in text):
        found.append(text)
        return
    start = 0
    for place, character in enumerate(text):
        if character in "*?":
            found.append(text[start:place])
            found.append(Wild(character))
            start = place + 1
    found.append(text[start:])


def _joined(found: list[P]) -> tuple[P, ...]:
    """Join neighbouring literals, drop empty ones and repeated stars."""
    joined: list[Any] = []
    for part in found:
        before = joined[-1] if joined else None
        if isinstance(part, str) and isinstance(before, str):
            joined[-1] = before + part
        elif part and not (part is Wild.STAR and before is Wild.STAR):
            joined.append(part)
    return tuple(joined)
