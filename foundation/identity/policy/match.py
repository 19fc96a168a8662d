"""Matching text with wildcards in time linear in the text: plain globs, and ARNs component by component.

There are no regular expressions and there is no backtracking. A pattern of stars only is looked for piece by
piece; one with `?`, and many patterns together, run as an automaton whose states are the bits of one integer.
"""

from collections.abc import Callable, Sequence
from typing import Final

from foundation.identity.policy.facts import Context
from foundation.identity.policy.variables import Part, Parts, Pattern, Variable, Wild, resolve

__all__ = ["Alternatives", "Glob", "arns", "glob", "texts"]

Glob = Callable[[str], bool]

ARN_COMPONENTS: Final = 6

FEW: Final = 8
"""Up to so many patterns are tried one after the other; more run together, whatever their number."""

Row = tuple[Parts, ...]
"""One pattern without variables: a text has one component, an ARN six."""


class Alternatives:
    """The patterns of one element, of which one has to match the whole text.

    Those without variables are made ready here; the others when `bind` knows the request.
    """

    __slots__ = ("_make", "_variable", "fixed", "literals")

    def __init__(
        self, patterns: Sequence[tuple[Pattern, ...]], make: Callable[[Sequence[Row]], Glob]
    ) -> None:
        fixed = [row for pattern in patterns if (row := _fixed(pattern)) is not None]
        self._make = make
        self._variable = tuple(pattern for pattern in patterns if _fixed(pattern) is None)
        self.fixed = make(fixed)
        whole = frozenset(text for row in fixed if len(row) == 1 and (text := _literal(row[0])) is not None)
        # The set of texts that is all there is to the patterns, if it is.
        self.literals = whole if len(whole) == len(set(patterns)) else None

    @property
    def variable(self) -> bool:
        """Whether any pattern has a policy variable."""
        return bool(self._variable)

    def bind(self, context: Context) -> Glob:
        """Give the matcher for one request. A pattern with a variable that has no value matches nothing."""
        fixed = self.fixed
        if not self._variable:
            return fixed
        bound = self._make([row for pattern in self._variable if (row := _row(pattern, context)) is not None])
        return lambda text: fixed(text) or bound(text)

    def resolvable(self, context: Context) -> bool:
        """Tell whether the request has a value for each variable of the patterns."""
        return all(_row(pattern, context) is not None for pattern in self._variable)


def texts(patterns: Sequence[Pattern]) -> Alternatives:
    """Make the alternatives of plain texts."""
    return Alternatives([(pattern,) for pattern in patterns], _any_text)


def arns(patterns: Sequence[Pattern]) -> Alternatives:
    """Make the alternatives of ARNs.

    The six components are compared one by one: no wildcard reaches over a colon but in the last. Components
    that a pattern lacks are `*`, so `*` alone matches everything.
    """
    return Alternatives([_split(pattern) for pattern in patterns], _any_arn)


def glob(parts: Parts) -> Glob:
    """Make the matcher of one pattern without variables."""
    if Wild.ONE in parts:
        return _automaton([parts])
    pieces = [part for part in parts if isinstance(part, str)]
    if Wild.STAR not in parts:
        return "".join(pieces).__eq__
    prefix = pieces.pop(0) if pieces and parts[0] is not Wild.STAR else ""
    suffix = pieces.pop() if pieces and parts[-1] is not Wild.STAR else ""
    if not pieces and not suffix:
        return (lambda text: text.startswith(prefix)) if prefix else (lambda _text: True)
    return _pieces(prefix, tuple(pieces), suffix)


def _fixed(pattern: tuple[Pattern, ...]) -> Row | None:
    """Give a pattern without variables as it is; None for others."""
    row = tuple(tuple(part for part in one if not isinstance(part, Variable)) for one in pattern)
    return row if sum(map(len, row)) == sum(map(len, pattern)) else None


def _row(pattern: tuple[Pattern, ...], context: Context) -> Row | None:
    # Components are cut before variables are replaced: no colon in a value makes a component of its own.
    row = tuple(parts for one in pattern if (parts := resolve(one, context)) is not None)
    return row if len(row) == len(pattern) else None


def _literal(parts: Parts) -> str | None:
    """Give the text of a component without wildcards; None for others."""
    return "".join(part for part in parts if isinstance(part, str)) if not _wild(parts) else None


def _wild(parts: Parts) -> bool:
    return any(isinstance(part, Wild) for part in parts)


def _any_text(rows: Sequence[Row]) -> Glob:
    literals = frozenset(text for row in rows if (text := _literal(row[0])) is not None)
    wild = [row[0] for row in rows if _wild(row[0])]
    return _any_of([_automaton(wild)] if len(wild) > FEW else [glob(parts) for parts in wild], literals)


def _any_arn(rows: Sequence[Row]) -> Glob:
    if ((Wild.STAR,),) in rows:
        return lambda _text: True
    plain = [[_literal(parts) or "" for parts in row] for row in rows if not any(map(_wild, row))]
    # A colon in one of the first five components came from a variable's value: no ARN is cut like that.
    literals = frozenset(":".join(row) for row in plain if not any(":" in text for text in row[:-1]))
    return _any_of([_arn(row) for row in rows if any(map(_wild, row))], literals)


def _any_of(matchers: Sequence[Glob], literals: frozenset[str]) -> Glob:
    if not matchers:
        return literals.__contains__
    if len(matchers) == 1 and not literals:
        return matchers[0]
    rest = tuple(matchers)

    def match(text: str) -> bool:
        if text in literals:
            return True
        for one in rest:  # noqa: SIM110 -- a generator costs more than the loop, and this is the hot path
            if one(text):
                return True
        return False

    return match


def _arn(row: Row) -> Glob:
    numbered = [(place, parts) for place, parts in enumerate(row) if parts != (Wild.STAR,)]
    fixed = tuple((place, text) for place, parts in numbered if (text := _literal(parts)) is not None)
    wild = tuple((place, glob(parts)) for place, parts in numbered if _wild(parts))

    def match(text: str) -> bool:
        given = text.split(":", ARN_COMPONENTS - 1)
        if len(given) < ARN_COMPONENTS:
            return False
        for place, wanted in fixed:
            if given[place] != wanted:
                return False
        for place, one in wild:  # noqa: SIM110 -- as above
            if not one(given[place]):
                return False
        return True

    return match


def _split(pattern: Pattern) -> tuple[Pattern, ...]:
    """Cut a pattern at the first five colons of its literal parts (a variable's name has colons of its own)."""
    if pattern == (Wild.STAR,):
        return ((Wild.STAR,),)
    components: list[list[Part | Variable]] = [[]]
    for part in pattern:
        if not isinstance(part, str):
            components[-1].append(part)
            continue
        first, *others = part.split(":", ARN_COMPONENTS - len(components))
        components[-1].append(first)
        components.extend([other] for other in others)
    cut: list[Pattern] = [tuple(part for part in component if part) for component in components]
    return (*cut, *[(Wild.STAR,)] * (ARN_COMPONENTS - len(cut)))


def _pieces(prefix: str, pieces: tuple[str, ...], suffix: str) -> Glob:
    least = len(prefix) + len(suffix)

    def match(text: str) -> bool:
        if len(text) < least or not text.startswith(prefix) or not text.endswith(suffix):
            return False
        place, end = len(prefix), len(text) - len(suffix)
        for piece in pieces:  # the leftmost place of each piece leaves the most room for the next
            place = text.find(piece, place, end)
            if place < 0:
                return False
            place += len(piece)
        return True

    return match


def _automaton(patterns: Sequence[Parts]) -> Glob:
    """Run all places in all patterns at once: a bit is set when a pattern is matched up to its place.

    Each pattern has a bit more than it has characters; the last one is its end.
    """
    accepts: dict[str, int] = {}
    any_one = stays = starts = ends = place = 0
    for parts in patterns:
        starts |= 1 << place
        for part in parts:
            if part is Wild.STAR:
                stays |= 1 << place
            elif part is Wild.ONE:
                any_one |= 1 << place
                place += 1
            else:
                for character in part:
                    accepts[character] = accepts.get(character, 0) | 1 << place
                    place += 1
        ends |= 1 << place
        place += 1

    def match(text: str) -> bool:
        at = starts
        for character in text:
            at = (at & (accepts.get(character, 0) | any_one)) << 1 | at & stays
            if not at:
                return False
        return at & ends != 0

    return match
