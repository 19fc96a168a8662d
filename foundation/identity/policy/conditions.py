"""The Condition element: one table of operators, and what each makes of absent and of several values.

An absent key is evaluated as AWS does, for Deny too: a plain operator is false, a negated one true, `…IfExists`
true; `ForAllValues` is true and `ForAnyValue` false; `Null` asks for nothing else. Several values of a
policy are alternatives (for a negated operator: none may match). Several values of the request without a set
operator: a plain operator is content with one, a negated one wants none.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from foundation.identity.policy.elements import Condition, Effect, Quantifier
from foundation.identity.policy.errors import MalformedPolicy
from foundation.identity.policy.facts import NO_CONTEXT, Context, Value
from foundation.identity.policy.match import Alternatives, Glob, arns, texts
from foundation.identity.policy.values import (
    read_address,
    read_bytes,
    read_date,
    read_flag,
    read_number,
    read_range,
)
from foundation.identity.policy.variables import Pattern, Variable, parts

__all__ = [
    "OPERATORS",
    "QUANTIFIERS",
    "Check",
    "Operator",
    "SpelledOperator",
    "check_condition",
    "compile_condition",
    "read_operator",
]

Check = Callable[[Context], bool]

Test = Callable[[str | bytes], bool]
"""Whether one value of the request matches any value of the policy."""

R = TypeVar("R")

QUANTIFIERS: Final[tuple[Quantifier, ...]] = ("ForAllValues", "ForAnyValue")
IF_EXISTS: Final = "IfExists"
NULL: Final = "Null"


class Comparison(NamedTuple):
    """What a condition's values are compared by.

    `bind` makes the test for a request and `resolvable` tells whether all policy variables have values in it;
    `fixed` is the test if there are no variables. `literals`, if not None, says the same as `fixed` faster: one
    set of texts, most conditions being so.
    """

    bind: Callable[[Context], Test]
    resolvable: Check
    fixed: Test | None
    literals: frozenset[str] | None = None


def _ready(test: Test) -> Comparison:
    return Comparison(lambda _context: test, lambda _context: True, test)


@dataclass(frozen=True, slots=True)
class Operator:
    """What an operator makes of the policy's values, and whether its answer is turned round."""

    make: Callable[[Sequence[str], bool], Comparison]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class SpelledOperator:
    """An operator as a document spells it, taken apart."""

    name: str
    quantifier: Quantifier
    if_exists: bool


def _compared(alternatives: Alternatives, test: Callable[[Glob], Test]) -> Comparison:
    if not alternatives.variable:
        return _ready(test(alternatives.fixed))
    return Comparison(lambda context: test(alternatives.bind(context)), alternatives.resolvable, None)


def _text(match: Glob) -> Test:
    return lambda value: isinstance(value, str) and match(value)


def _folded_text(match: Glob) -> Test:
    return lambda value: isinstance(value, str) and match(value.casefold())


def _equal(values: Sequence[str], variables: bool) -> Comparison:
    found = texts([parts(value, variables=variables, wildcards=False) for value in values])
    return _compared(found, _text)._replace(literals=found.literals)


def _alike(values: Sequence[str], variables: bool) -> Comparison:
    return _compared(texts([parts(value, variables=variables) for value in values]), _text)


def _equal_arns(values: Sequence[str], variables: bool) -> Comparison:
    # ArnEquals and ArnLike behave identically (IAM User Guide): both know wildcards.
    return _compared(arns([parts(value, variables=variables) for value in values]), _text)


def _equal_but_for_case(values: Sequence[str], variables: bool) -> Comparison:
    found = texts([_folded(parts(value, variables=variables, wildcards=False)) for value in values])
    made = _compared(found, _folded_text)
    return made._replace(bind=lambda context: _folded_text(found.bind(_Folded(context))))


class _Folded:
    """A context whose values have no case."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def get(self, key: str, /) -> Value | None:
        value = self._context.get(key)
        if isinstance(value, tuple):
            return tuple(one.casefold() for one in value)
        return value.casefold() if isinstance(value, str) else value


def _folded(pattern: Pattern) -> Pattern:
    return tuple(
        part.casefold()
        if isinstance(part, str)
        else Variable(part.key, part.default and part.default.casefold())
        if isinstance(part, Variable)
        else part
        for part in pattern
    )


def _typed(
    read: Callable[[str], R | None], compare: Callable[[R, R], bool]
) -> Callable[[Sequence[str], bool], Comparison]:
    """Make an operator of values that are read as a type, with `compare(the request's, the policy's)`."""

    def make(values: Sequence[str], _variables: bool) -> Comparison:
        wanted = [_read(read, value) for value in values]

        def matches(value: str | bytes) -> bool:
            given = read(value) if isinstance(value, str) else None
            return given is not None and any(compare(given, one) for one in wanted)

        return _ready(matches)

    return make


def _read(read: Callable[[str], R | None], value: str) -> R:
    found = read(value)
    if found is None:
        raise MalformedPolicy(
            f"{value[:128]!r} is not a value of the type that its condition operator compares."
        )
    return found


def _within(values: Sequence[str], _variables: bool) -> Comparison:
    ranges = [_read(read_range, value) for value in values]

    def matches(value: str | bytes) -> bool:
        address = read_address(value) if isinstance(value, str) else None
        return address is not None and any(
            version == address[0] and address[1] & mask == first for version, first, mask in ranges
        )

    return _ready(matches)


def _equal_bytes(values: Sequence[str], _variables: bool) -> Comparison:
    wanted = frozenset(_read(read_bytes, value) for value in values)
    return _ready(lambda value: (value if isinstance(value, bytes) else value.encode()) in wanted)


def _flags(values: Sequence[str], variables: bool) -> Comparison:
    if variables and any("${" in value for value in values):
        for value in values:
            if "${" not in value:
                _read(read_flag, value)
        return _equal_but_for_case(values, variables)
    wanted = frozenset(_read(read_flag, value) for value in values)
    return _ready(lambda value: isinstance(value, str) and read_flag(value) in wanted)


def _nothing(values: Sequence[str], _variables: bool) -> Comparison:
    wanted = frozenset(_read(read_flag, value) for value in values)
    return _ready(lambda value: (value == "true") in wanted)


OPERATORS: Final[Mapping[str, Operator]] = {
    "StringEquals": Operator(_equal),
    "StringNotEquals": Operator(_equal, negated=True),
    "StringEqualsIgnoreCase": Operator(_equal_but_for_case),
    "StringNotEqualsIgnoreCase": Operator(_equal_but_for_case, negated=True),
    "StringLike": Operator(_alike),
    "StringNotLike": Operator(_alike, negated=True),
    "ArnEquals": Operator(_equal_arns),
    "ArnNotEquals": Operator(_equal_arns, negated=True),
    "ArnLike": Operator(_equal_arns),
    "ArnNotLike": Operator(_equal_arns, negated=True),
    "NumericEquals": Operator(_typed(read_number, operator.eq)),
    "NumericNotEquals": Operator(_typed(read_number, operator.eq), negated=True),
    "NumericLessThan": Operator(_typed(read_number, operator.lt)),
    "NumericLessThanEquals": Operator(_typed(read_number, operator.le)),
    "NumericGreaterThan": Operator(_typed(read_number, operator.gt)),
    "NumericGreaterThanEquals": Operator(_typed(read_number, operator.ge)),
    "DateEquals": Operator(_typed(read_date, operator.eq)),
    "DateNotEquals": Operator(_typed(read_date, operator.eq), negated=True),
    "DateLessThan": Operator(_typed(read_date, operator.lt)),
    "DateLessThanEquals": Operator(_typed(read_date, operator.le)),
    "DateGreaterThan": Operator(_typed(read_date, operator.gt)),
    "DateGreaterThanEquals": Operator(_typed(read_date, operator.ge)),
    "Bool": Operator(_flags),
    "BinaryEquals": Operator(_equal_bytes),
    "IpAddress": Operator(_within),
    "NotIpAddress": Operator(_within, negated=True),
    NULL: Operator(_nothing),
}

_SPELLINGS: Final = {name.lower(): name for name in OPERATORS}


def read_operator(spelled: str) -> SpelledOperator:
    """Take an operator's name apart, in any case; raise MalformedPolicy for one that does not exist.

    `Null` takes neither a set operator nor `IfExists`: it asks about existence itself.
    """
    rest = spelled
    quantifier: Quantifier = ""
    for one in QUANTIFIERS:
        if rest.lower().startswith(f"{one.lower()}:"):
            quantifier, rest = one, rest[len(one) + 1 :]
            break
    if_exists = rest.lower().endswith(IF_EXISTS.lower())
    name = _SPELLINGS.get((rest[: -len(IF_EXISTS)] if if_exists else rest).lower())
    if name is None or (name == NULL and (quantifier or if_exists)):
        raise MalformedPolicy(f"Invalid Condition type : {spelled[:64]}.")
    return SpelledOperator(name, quantifier, if_exists)


def check_condition(condition: Condition, *, variables: bool) -> None:
    """Raise MalformedPolicy when a value cannot be read as the type that its operator compares."""
    OPERATORS[condition.operator].make(condition.values, variables)


def compile_condition(condition: Condition, effect: Effect, *, variables: bool) -> Check:
    """Make the check of one condition.

    A policy variable without a value matches nothing. Where that would turn a negated operator of an Allow
    true, the check is false instead: what cannot be compared allows nothing.
    """
    entry = OPERATORS[condition.operator]
    comparison = entry.make(condition.values, variables)
    if condition.operator == NULL:
        return _null(condition.key.lower(), comparison)
    if condition.quantifier:
        check = _quantified(condition, comparison, negated=entry.negated)
    else:
        check = _plain(condition, comparison, negated=entry.negated)
    if effect == "Allow" and entry.negated and comparison.fixed is None:
        return lambda context: comparison.resolvable(context) and check(context)
    return check


def _null(key: str, comparison: Comparison) -> Check:
    matches = comparison.bind(NO_CONTEXT)
    return lambda context: matches("true" if context.get(key) in (None, ()) else "false")


def _plain(condition: Condition, comparison: Comparison, *, negated: bool) -> Check:
    key, absent = condition.key.lower(), negated or condition.if_exists
    fixed, bind = comparison.fixed, comparison.bind

    def check(context: Context) -> bool:
        value = context.get(key)
        if value is None or value == ():
            return absent
        matches = fixed or bind(context)
        if isinstance(value, tuple):
            return any(map(matches, value)) is not negated
        return matches(value) is not negated

    literals = comparison.literals
    if literals is None:
        return check

    def check_literals(context: Context) -> bool:
        value = context.get(key)
        return (value in literals) is not negated if isinstance(value, str) else check(context)

    return check_literals


def _quantified(condition: Condition, comparison: Comparison, *, negated: bool) -> Check:
    key = condition.key.lower()
    every = condition.quantifier == "ForAllValues"
    absent = every or condition.if_exists
    fixed, bind = comparison.fixed, comparison.bind

    def check(context: Context) -> bool:
        value = context.get(key)
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        if not values:
            return absent
        matches = fixed or bind(context)
        answers = (matches(one) is not negated for one in values)
        return all(answers) if every else any(answers)

    return check
