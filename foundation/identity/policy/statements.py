"""One statement of a policy document: which elements each kind of document has, and what they may hold."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from foundation.identity.policy.conditions import read_operator
from foundation.identity.policy.elements import Condition, Effect, Element, Kind, Named, Statement
from foundation.identity.policy.errors import MalformedPolicy
from foundation.identity.policy.principals import check_principal
from foundation.identity.policy.reading import Number

__all__ = ["read_statement"]

PRINCIPAL_TYPES: Final = ("AWS", "Service", "Federated", "CanonicalUser")
ELEMENTS: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)

T = TypeVar("T")

# Patterns with alternatives of one character only: they take linear time.
_alphanumeric = re.compile(r"[0-9A-Za-z]*")
_action = re.compile(r"\*|[0-9A-Za-z-]+:[0-9A-Za-z*?]+|\*:\*")
_trust_action = re.compile(r"sts:.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Grammar:
    """What the statements of one kind of document must (True), must not (False) or may (None) have."""

    principal: bool
    action: bool | None
    resource: bool | None
    not_principal: bool = False
    plain_sid: bool = True


GRAMMARS: Final = {
    Kind.IDENTITY: Grammar(principal=False, action=True, resource=True),
    # A statement without Action or Resource has no effect and no error (kms, PutKeyPolicy).
    Kind.RESOURCE: Grammar(principal=True, action=None, resource=None, not_principal=True, plain_sid=False),
    Kind.TRUST: Grammar(principal=True, action=True, resource=False),
}

WANTING: Final = {
    "Principal": "Policy statement must contain principals.",
    "Action": "Policy statement must contain actions.",
    "Resource": "Policy statement must contain resources.",
}
FORBIDDEN: Final = {
    "Principal": "Policy document should not specify a principal.",
    "Resource": "Has prohibited field Resource.",
}


def read_statement(written: Any, index: int, kind: Kind) -> Statement:
    """Validate one statement; raise MalformedPolicy."""
    if not isinstance(written, dict):
        raise MalformedPolicy("Syntax errors in policy: a statement must be an object.")
    for name in written:
        if name not in ELEMENTS:
            raise MalformedPolicy(f"Syntax errors in policy: unknown element {name[:64]!r} in a statement.")
    grammar = GRAMMARS[kind]
    if "NotPrincipal" in written and grammar.principal and not grammar.not_principal:
        raise MalformedPolicy("Has prohibited field NotPrincipal.")
    effect = written.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise MalformedPolicy("Syntax errors in policy: Effect must be Allow or Deny.")
    statement = Statement(
        index=index,
        sid=_sid(written.get("Sid", ""), plain=grammar.plain_sid),
        effect=cast("Effect", effect),
        principals=_either(written, "Principal", grammar.principal, _principals),
        actions=_either(written, "Action", grammar.action, _elements),
        resources=_either(written, "Resource", grammar.resource, _elements),
        conditions=_conditions(written.get("Condition", {})),
    )
    _check_actions(statement, kind)
    _check_resources(statement)
    return statement


def _sid(sid: Any, *, plain: bool) -> str:
    if type(sid) is not str:
        raise MalformedPolicy("Syntax errors in policy: Sid must be a string.")
    if plain and not _alphanumeric.fullmatch(sid):
        raise MalformedPolicy(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*"
        )
    return sid


def _either(
    written: dict[str, Any], name: str, wanted: bool | None, make: Callable[[Any, str, bool], T]
) -> T | None:
    """Read an element or its `Not…` form, never both."""
    present = [spelling for spelling in (name, f"Not{name}") if spelling in written]
    if len(present) > 1:
        raise MalformedPolicy(f"Syntax errors in policy: {name} and Not{name} exclude each other.")
    if not present:
        if wanted:
            raise MalformedPolicy(WANTING[name])
        return None
    if wanted is False:
        raise MalformedPolicy(FORBIDDEN[name])
    return make(written[present[0]], name, present[0] != name)


def _strings(written: Any, name: str) -> tuple[str, ...]:
    listed = written if isinstance(written, list) else [written]
    if not listed or any(type(one) is not str for one in listed):
        raise MalformedPolicy(f"Syntax errors in policy: {name} must be a string or a list of strings.")
    return tuple(listed)


def _elements(written: Any, name: str, negated: bool) -> Element:
    return Element(_strings(written, name), negated)


def _principals(written: Any, name: str, negated: bool) -> Named:
    if written == "*":
        return Named({"AWS": ("*",)}, negated)
    if not isinstance(written, dict) or not written:
        raise MalformedPolicy('Syntax errors in policy: a principal is "*" or an object of types.')
    values = {}
    for kind, listed in written.items():
        if kind not in PRINCIPAL_TYPES:
            raise MalformedPolicy(f"Invalid principal in policy: unknown type {kind[:64]!r}.")
        values[kind] = _strings(listed, name)
        for value in values[kind]:
            check_principal(kind, value)
    return Named(values, negated)


def _check_actions(statement: Statement, kind: Kind) -> None:
    for action in statement.actions.values if statement.actions else ():
        if ":" not in action and action != "*":
            raise MalformedPolicy(
                f"Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: {action[:64]!r}"
            )
        if not _action.fullmatch(action):
            raise MalformedPolicy(f"The action {action[:64]!r} is not valid.")
        if kind is Kind.TRUST and not _trust_action.fullmatch(action):
            raise MalformedPolicy("AssumeRole policy may only specify STS AssumeRole actions.")


def _check_resources(statement: Statement) -> None:
    for resource in statement.resources.values if statement.resources else ():
        if resource != "*" and not resource.startswith("arn:"):
            raise MalformedPolicy(f'Resource {resource[:128]} must be in ARN format or "*".')


def _conditions(written: Any) -> tuple[Condition, ...]:
    if not isinstance(written, dict):
        raise MalformedPolicy("Syntax errors in policy: Condition must be an object.")
    read: list[Condition] = []
    for spelled, keys in written.items():
        operator = read_operator(spelled)
        if not isinstance(keys, dict):
            raise MalformedPolicy(f"Syntax errors in policy: {spelled[:64]} must hold an object of keys.")
        for key, values in keys.items():
            if not key or key.isspace():
                raise MalformedPolicy(f"Syntax errors in policy: {spelled[:64]} has a key without a name.")
            condition = Condition(
                operator=operator.name,
                quantifier=operator.quantifier,
                if_exists=operator.if_exists,
                key=key,
                values=_condition_values(values, key),
            )
            read.append(condition)
    return tuple(read)


def _condition_values(written: Any, key: str) -> tuple[str, ...]:
    """Take strings; take numbers and booleans as AWS does, as the text they were written with."""
    values = []
    for value in written if isinstance(written, list) else [written]:
        if isinstance(value, bool):
            values.append("true" if value else "false")
        elif isinstance(value, str | Number):
            values.append(str(value))
        else:
            raise MalformedPolicy(f"Syntax errors in policy: the values of {key[:128]!r} must be strings.")
    return tuple(values)
