"""A policy made ready: its statements as immutable matchers, found by action without looking at the others."""

from collections.abc import Callable
from typing import Final

from foundation.identity.policy.conditions import Check, compile_condition
from foundation.identity.policy.document import Document, parse
from foundation.identity.policy.elements import Condition, Element, Kind, Statement
from foundation.identity.policy.facts import Context, Request
from foundation.identity.policy.match import Glob, arns, texts
from foundation.identity.policy.principals import PrincipalMatcher, Strength
from foundation.identity.policy.variables import parts

__all__ = ["CompiledStatement", "Policy", "compile_policy"]

MOST_REMEMBERED: Final = 1_024


NONE, DIRECT = Strength.NONE, Strength.DIRECT

ResourceTest = Callable[[str, Context], bool]


class CompiledStatement:
    """One statement that can apply. Conditions are in the document's order."""

    __slots__ = ("actions", "checks", "conditions", "label", "plain", "principals", "resources", "statement")

    def __init__(self, statement: Statement, *, variables: bool) -> None:
        effect = statement.effect
        self.statement = statement
        self.label = statement.label
        self.principals = (
            None if statement.principals is None else PrincipalMatcher.of(statement.principals, effect)
        )
        self.actions = _actions(statement.actions)
        self.resources = _resources(statement.resources, variables=variables, allow=effect == "Allow")
        self.conditions: tuple[Condition, ...] = statement.conditions
        self.checks: tuple[Check, ...] = tuple(
            compile_condition(condition, effect, variables=variables) for condition in statement.conditions
        )
        named = () if statement.resources is None else statement.resources.values
        self.plain = not self.checks and not any("${" in value for value in named)

    def strength(self, request: Request) -> Strength:
        """Say how strongly the statement applies to a request whose action it names; NONE if it does not."""
        principals, resources, context = self.principals, self.resources, request.context
        strength = DIRECT if principals is None else principals.strength(request.caller)
        if not strength or (resources is not None and not resources(request.resource, context)):
            return NONE
        for check in self.checks:
            if not check(context):
                return NONE
        return strength

    def obstacle(self, request: Request) -> str:
        """Say what keeps the statement from applying to a request whose action it names; "" if nothing does."""
        if self.principals is not None and not self.principals.strength(request.caller):
            return "principal"
        if self.resources is not None and not self.resources(request.resource, request.context):
            return "resource"
        for condition, check in zip(self.conditions, self.checks, strict=True):
            if not check(request.context):
                return f"condition {condition.spelled} {condition.key}"
        return ""


Choice = tuple[tuple[CompiledStatement, ...], tuple[CompiledStatement, ...]]
"""The Deny and the Allow statements that name an action."""


class Policy:
    """A compiled document under the name by which decisions cite it. Immutable but for what it remembers.

    `name` is the policy's ARN, or its name for one that is inline.
    """

    __slots__ = ("_remembered", "_statements", "document", "kind", "name")

    def __init__(self, document: Document, name: str) -> None:
        self.document = document
        self.kind = document.kind
        self.name = name
        self._statements = tuple(
            CompiledStatement(statement, variables=document.variables)
            for statement in document.statements
            if not _void(statement, document.kind)
        )
        self._remembered: dict[str, Choice] = {}

    def choice(self, action: str) -> Choice:
        """Give the statements that name an action, Deny and Allow. Their other elements remain to be checked."""
        try:
            return self._remembered[action]
        except KeyError:
            return self._choose(action)

    def _choose(self, action: str) -> Choice:
        # Actions are compared without case. What is remembered depends on nothing else, so it stays true.
        folded = action.lower()
        named = [statement for statement in self._statements if statement.actions(folded)]
        found = (
            tuple(one for one in named if one.statement.effect == "Deny"),
            tuple(one for one in named if one.statement.effect == "Allow"),
        )
        if len(self._remembered) >= MOST_REMEMBERED:  # the simulator takes any name from its callers
            self._remembered.clear()
        self._remembered[action] = found
        return found

    def plain(self, action: str) -> bool:
        """Whether the statements that name an action look at caller and resource only, at nothing of the call."""
        return all(statement.plain for group in self.choice(action) for statement in group)

    @property
    def context_keys(self) -> frozenset[str]:
        """The condition keys that the conditions ask for, as they are spelled."""
        return frozenset(condition.key for one in self._statements for condition in one.conditions)


def compile_policy(
    text: str | Document, name: str, kind: Kind = Kind.IDENTITY, *, stored: bool = False
) -> Policy:
    """Make a policy ready; raise MalformedPolicy. A text is parsed as a document of `kind` first."""
    return Policy(parse(text, kind, stored=stored) if isinstance(text, str) else text, name)


def _void(statement: Statement, kind: Kind) -> bool:
    """Whether a statement has no effect: one of a key policy without Action or Resource."""
    return statement.actions is None or (statement.resources is None and kind is not Kind.TRUST)


def _actions(element: Element | None) -> Glob:
    values = () if element is None else element.values
    named = texts([parts(value.lower(), variables=False) for value in values]).fixed
    if element is not None and element.negated:
        return lambda action: not named(action)
    return named


def _resources(element: Element | None, *, variables: bool, allow: bool) -> ResourceTest | None:
    """Make the test of a resource; None when every resource passes."""
    if element is None or (not element.negated and "*" in element.values):
        return None
    named = arns([parts(value, variables=variables) for value in element.values])
    if element.negated:
        # Where a variable that must be known is not, an Allow allows nothing.
        return lambda resource, context: (
            not named.bind(context)(resource) and not (allow and not named.resolvable(context))
        )
    if named.variable:
        return lambda resource, context: named.bind(context)(resource)
    fixed = named.fixed
    return lambda resource, _context: fixed(resource)
