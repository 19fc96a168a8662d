"""Values that the service models accept: one deterministic sample for each shape, patterns and bounds obeyed."""

import functools
import importlib
import re
from datetime import UTC, datetime
from typing import Any

from foundation.wire.models import ServiceModel, Shape

# The standard library's own regex parser; typeshed leaves it out.
ops: Any = importlib.import_module("re._constants")
parser: Any = importlib.import_module("re._parser")

MOMENT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
NESTING = 4
"""Levels after which optional members are left out: some shapes contain themselves."""


def sample(model: ServiceModel, name: str, level: int = 0) -> Any:
    """A value of the shape as `Params` hold it, with every member set (of a union one)."""
    shape = model.shapes[name]
    if shape.kind == "structure":
        wanted = shape.members if level < NESTING else dict.fromkeys(shape.required)
        if shape.union:
            wanted = dict.fromkeys([list(shape.members)[0 if level < NESTING else -1]])
        return {member: sample(model, shape.members[member], level + 1) for member in wanted}
    if shape.kind == "list":
        length = max(1, int(shape.min or 1))
        return [sample(model, shape.element, level + 1) for _ in range(length)]
    if shape.kind == "map":
        return {sample(model, shape.key, level + 1): sample(model, shape.value, level + 1)}
    return sample_scalar(shape)


def sample_scalar(shape: Shape) -> Any:
    """A value of a scalar shape."""
    if shape.kind == "string":
        return sample_text(shape)
    if shape.kind == "blob":
        return b"\x00\xff" + bytes(max(0, int(shape.min or 0) - 2)) if (shape.max or 2) > 1 else b"\xff"
    if shape.kind == "timestamp":
        return MOMENT
    if shape.kind == "boolean":
        return True
    number = shape.min if shape.min is not None else 1
    return int(number) if shape.kind in ("integer", "long") else float(number)


def sample_text(shape: Shape) -> str:
    """The first enum value, or a shortest string of the pattern that is long enough."""
    if shape.enum:
        return shape.enum[0]
    low = int(shape.min or 1)
    if shape.pattern is None:
        return "a" * low
    return _shortest(shape.pattern, low)


@functools.cache
def _shortest(pattern: str, low: int) -> str:
    parsed = parser.parse(pattern, re.ASCII)
    for repeats in range(low + 2):
        text = _matching(parsed, repeats)
        if len(text) >= low and re.fullmatch(pattern, text, re.ASCII):
            return text
    raise AssertionError(f"no sample for {pattern!r} of at least {low} characters")


def _matching(parsed: Any, repeats: int) -> str:
    return "".join(_item(op, argument, repeats) for op, argument in parsed)


def _item(op: Any, argument: Any, repeats: int) -> str:
    if op in (ops.MAX_REPEAT, ops.MIN_REPEAT, ops.POSSESSIVE_REPEAT):
        low, high, inner = argument
        times: int = min(max(low, repeats), int(high))
        return _matching(inner, repeats) * times
    if op is ops.SUBPATTERN:
        return _matching(argument[-1], repeats)
    if op is ops.BRANCH:
        return _matching(argument[1][0], repeats)
    return _character(op, argument)


def _character(op: Any, argument: Any) -> str:
    if op is ops.LITERAL:
        return chr(argument)
    if op in (ops.NOT_LITERAL, ops.ANY):
        return "a" if argument != ord("a") else "b"
    return _member(argument) if op is ops.IN else ""  # anchors and look-around take no characters


def _member(choices: Any) -> str:
    """A character of a class, a letter or digit where it has one."""
    first, *_ = choices
    if first[0] is ops.NEGATE:
        return "a"
    found: list[str] = []
    for op, argument in choices:
        if op is ops.RANGE:
            found.append(
                chr(argument[1] if argument[0] < ord("0") <= argument[1] < ord("z") else argument[0])
            )
        elif op is ops.LITERAL:
            found.append(chr(argument))
        elif op is ops.CATEGORY:
            found.append(" " if argument is ops.CATEGORY_SPACE else "1")
    return next((character for character in found if character.isalnum()), found[0])
