"""The model's constraints on single values, and how AWS words a breach of them."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from foundation.wire.errors import ValidationFailure
from foundation.wire.limits import ECHO
from foundation.wire.models import Shape

SHOWN_PROBLEMS = 10
"""Problems that one message spells out; it says how many there are in all."""

Test = Callable[[Any], Sequence[str]]


class Problem(NamedTuple):
    """One breach: where, the value as text (None: not to be shown), and the constraint in AWS's words."""

    path: str
    shown: str | None
    constraint: str


NOT_NULL = "Member must not be null"
NO_NUL = "Member must not contain the character U+0000"  # PostgreSQL's text cannot hold it


def refuse_problems(problems: Sequence[Problem]) -> None:
    """Raise ValidationFailure, in AWS's form, when there is a problem."""
    if not problems:
        return
    count = len(problems)
    spelled = "; ".join(
        f"Value {'' if shown is None else shown + ' '}at '{path}' failed to satisfy constraint: {constraint}"
        for path, shown, constraint in problems[:SHOWN_PROBLEMS]
    )
    raise ValidationFailure(f"{count} validation error{'s' if count > 1 else ''} detected: {spelled}")


def shown(value: Any) -> str | None:
    """A scalar that may be shown, quoted and cut to ECHO characters; None for octets."""
    if isinstance(value, bytes):
        return None
    text = str(value)
    return f"'{text}'" if len(text) <= ECHO else f"'{text[:ECHO]}...'"


def text_test(shape: Shape) -> Test:
    """What a string breaks. A pattern is not tried on a string over its maximum, so its cost is bounded."""
    low, high = _whole(shape.min), _whole(shape.max)
    if shape.enum:
        return _enum_test(shape)
    matches = None if shape.pattern is None else re.compile(shape.pattern, re.ASCII).fullmatch
    breach = f"Member must satisfy regular expression pattern: {shape.java}"

    def test(value: str) -> Sequence[str]:
        length = len(value)
        broken: list[str] = []
        if low is not None and length < low:
            broken.append(f"Member must have length greater than or equal to {low}")
        if high is not None and length > high:
            broken.append(f"Member must have length less than or equal to {high}")
        elif matches is not None and matches(value) is None:
            broken.append(breach)
        if "\0" in value:
            broken.append(NO_NUL)
        return broken

    return test


def length_test(shape: Shape) -> Test:
    """What a blob, list or map breaks by its length."""
    low, high = _whole(shape.min), _whole(shape.max)

    def test(value: Any) -> Sequence[str]:
        length = len(value)
        if low is not None and length < low:
            return (f"Member must have length greater than or equal to {low}",)
        if high is not None and length > high:
            return (f"Member must have length less than or equal to {high}",)
        return ()

    return test


def value_test(shape: Shape) -> Test:
    """What a number breaks by its value."""
    low, high = shape.min, shape.max

    def test(value: float) -> Sequence[str]:
        if low is not None and value < low:
            return (f"Member must have value greater than or equal to {_plain(low)}",)
        if high is not None and value > high:
            return (f"Member must have value less than or equal to {_plain(high)}",)
        return ()

    return test


def no_test(_value: Any) -> Sequence[str]:
    """Booleans and timestamps have no constraints in the models."""
    return ()


TESTS: dict[str, Callable[[Shape], Test]] = {
    "string": text_test,
    "blob": length_test,
    "list": length_test,
    "map": length_test,
    "integer": value_test,
    "long": value_test,
    "float": value_test,
    "double": value_test,
    "boolean": lambda _shape: no_test,
    "timestamp": lambda _shape: no_test,
}


def _enum_test(shape: Shape) -> Test:
    allowed = frozenset(shape.enum)
    breach = (f"Member must satisfy enum value set: [{', '.join(shape.enum)}]",)

    def test(value: str) -> Sequence[str]:
        return () if value in allowed else breach

    return test


def _whole(bound: float | None) -> int | None:
    return None if bound is None else int(bound)


def _plain(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else str(bound)
