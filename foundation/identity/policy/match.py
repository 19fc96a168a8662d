"""Matching text with wildcards in time linear in the text: plain globs, and ARNs component by component.

There are no regular expressions and there is no backtracking. A pattern of stars only is looked for piece by
piece; one with `?` runs as an automaton whose states are the bits of one integer.
"""

from collections.abc import Callable, Sequence
from typing import Final

from foundation.identity.policy.facts import Context
from foundation.identity.policy.variables import Part, Parts, Pattern, Variable, Wild, resolve

__all__ = ["Glob", "Matcher", "arn_matcher", "glob", "literal", "matcher", "resolvable"]

Glob = Callable[[str], bool]

Matcher = Callable[[str, Context], bool]
"""Whether a text matches one of several patterns; variables are replaced from the context."""

ARN_COMPONENTS: Final = 6


def glob(parts: Parts) -> Glob:
    """Make the matcher of one pattern without variables."""
    if Wild.ONE in parts:
        return _automaton(parts)
    pieces = [part for part in parts if isinstance(part, str)]
    if Wild.STAR not in parts:
        return "".join(pieces).__eq__
    prefix = pieces.pop(0) if pieces and parts[0] is not Wild.STAR else ""
    suffix = pieces.pop() if pieces and parts[-1] is not Wild.STAR else ""
    if not pieces and not suffix:
        return (lambda text: text.startswith(prefix)) if prefix else (lambda _text: True)
    return _pieces(prefix, tuple(pieces), suffix)


def matcher(patterns: Sequence[Pattern]) -> Matcher:
    """Make the matcher of a list of patterns: whether any of them matches the whole text."""
    return _any_of([_compiled(pattern) for pattern in patterns], _literals(patterns))


def arn_matcher(patterns: Sequence[Pattern]) -> Matcher:
    """Make the matcher of a list of ARN patterns.

    The six components are compared one by one: no wildcard reaches over a colon but in the last. Components
    that a pattern lacks are `*`, so `*` alone matches everything.
    """
    if (Wild.STAR,) in patterns:
        return lambda _text, _context: True
    return _any_of([_arn(pattern) for pattern in patterns], _literals(patterns))


def resolvable(patterns: Sequence[Pattern], context: Context) -> bool:
    """Tell whether the request has a value for each variable of the patterns."""
    return all(resolve(pattern, context) is not None for pattern in patterns)


def _literals(patterns: Sequence[Pattern]) -> frozenset[str]:
    return frozenset(text for pattern in patterns if (text := literal(pattern)) is not None)


def literal(pattern: Pattern) -> str | None:
    """Give the text of a pattern that has neither wildcards nor variables; None for others."""
    texts = [part for part in pattern if isinstance(part, str)]
    return "".join(texts) if len(texts) == len(pattern) else None


def _any_of(compiled: Sequence[Matcher | None], literals: frozenset[str]) -> Matcher:
    """Ask the set of literals first; `compiled` has None for those."""
    rest = tuple(one for one in compiled if one is not None)
    if not rest:
        return lambda text, _context: text in literals
    if len(rest) == 1 and not literals:
        return rest[0]

    def match(text: str, context: Context) -> bool:
        if text in literals:
            return True
        for one in rest:  # noqa: SIM110 -- a generator costs more than the loop, and this is the hot path
            if one(text, context):
                return True
        return False

    return match


def _compiled(pattern: Pattern) -> Matcher | None:
    if any(isinstance(part, Variable) for part in pattern):

        def replaced(text: str, context: Context) -> bool:
            resolved = resolve(pattern, context)
            return resolved is not None and glob(resolved)(text)

        return replaced
    if literal(pattern) is not None:
        return None
    plain = glob(tuple(part for part in pattern if not isinstance(part, Variable)))
    return lambda text, _context: plain(text)


def _arn(pattern: Pattern) -> Matcher | None:
    components = _split(pattern)
    if literal(pattern) is not None and len(components) == ARN_COMPONENTS:
        return None
    numbered = [(place, part) for place, part in enumerate(components) if part != (Wild.STAR,)]
    fixed = tuple((place, text) for place, part in numbered if (text := literal(part)) is not None)
    tests = tuple((place, one) for place, part in numbered if (one := _compiled(part)) is not None)

    def match(text: str, context: Context) -> bool:
        given = text.split(":", ARN_COMPONENTS - 1)
        if len(given) < ARN_COMPONENTS:
            return False
        for place, wanted in fixed:
            if given[place] != wanted:
                return False
        for place, one in tests:  # noqa: SIM110 -- as above
            if not one(given[place], context):
                return False
        return True

    return match


def _split(pattern: Pattern) -> list[Pattern]:
    """Cut a pattern at the first five colons of its literal parts (a variable's name has colons of its own)."""
    components: list[list[Part | Variable]] = [[]]
    for part in pattern:
        if not isinstance(part, str):
            components[-1].append(part)
            continue
        first, *others = part.split(":", ARN_COMPONENTS - len(components))
        components[-1].append(first)
        components.extend([other] for other in others)
    return [tuple(part for part in component if part) for component in components]


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


def _automaton(parts: Parts) -> Glob:
    """Run all places in the pattern at once: bit n is set when the first n characters of it are matched."""
    accepts: dict[str, int] = {}
    any_one = stays = length = 0
    for part in parts:
        if part is Wild.STAR:
            stays |= 1 << length
        elif part is Wild.ONE:
            any_one |= 1 << length
            length += 1
        else:
            for character in part:
                accepts[character] = accepts.get(character, 0) | 1 << length
                length += 1
    done = 1 << length

    def match(text: str) -> bool:
        at = 1
        for character in text:
            at = (at & (accepts.get(character, 0) | any_one)) << 1 | at & stays
            if not at:
                return False
        return at & done != 0

    return match
