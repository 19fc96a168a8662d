"""From the text of a policy to plain JSON values, within bounds: no surprise is left for the grammar."""

import json
import re
from typing import Any, Final, NoReturn

from foundation.identity.policy.errors import MalformedPolicy, PolicyTooLong

__all__ = ["LONGEST", "LONGEST_STORED", "Number", "read"]

LONGEST: Final = 32_768
"""Characters of a key policy (KMS quota). IAM's own, smaller quotas are its operations' business."""

LONGEST_STORED: Final = 16 * LONGEST
"""What is stored was accepted; writing it anew with indents and unique ids may have made it longer."""

DEEPEST: Final = 64

# What the models of kms and iam let a document be written with.
_foreign = re.compile(r"[^\t\n\r\x20-\xff]")
_unspeakable = re.compile(r"[\x00\ud800-\udfff]")
_string = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)


class Number(str):
    """A JSON number as it was spelled: conditions take it as text, and no digit of it is lost."""

    __slots__ = ()


def read(text: str, longest: int = LONGEST) -> dict[str, Any]:
    """Read a JSON object. Raise PolicyTooLong over `longest` characters, MalformedPolicy for all else.

    Refused: characters beyond Latin-1 and control characters, nesting over DEEPEST, a member that is there
    twice, NaN and Infinity, strings with NUL or a lone surrogate (a database may not take them).
    """
    if len(text) > longest:
        raise PolicyTooLong(f"The policy is {len(text)} characters long; {longest} are allowed.")
    found = _foreign.search(text)
    if found:
        raise MalformedPolicy(
            f"The policy has the character U+{ord(found[0]):04X}; only tab, line feed, carriage return and "
            "printable characters through U+00FF are allowed."
        )
    _bound_depth(text)
    try:
        tree = json.loads(
            text, object_pairs_hook=_members, parse_int=Number, parse_float=Number, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        raise MalformedPolicy(f"Syntax errors in policy: {error}.") from error
    if not isinstance(tree, dict):
        raise MalformedPolicy("Syntax errors in policy: it is not a JSON object.")
    if "\\u" in text:
        _refuse_unspeakable(tree)
    return tree


def _bound_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for character in _string.sub("", text):
        if character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        if depth > DEEPEST:
            raise MalformedPolicy(f"Syntax errors in policy: it is nested deeper than {DEEPEST} levels.")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise MalformedPolicy(f"Syntax errors in policy: {_shown(twice)} is there twice.")
    return members


def _refuse(constant: str) -> NoReturn:
    raise MalformedPolicy(f"Syntax errors in policy: {constant} is not JSON.")


def _refuse_unspeakable(value: Any) -> None:
    if isinstance(value, str):
        if _unspeakable.search(value):
            raise MalformedPolicy("Syntax errors in policy: a string has U+0000 or half a surrogate pair.")
    elif isinstance(value, dict):
        for name, member in value.items():
            _refuse_unspeakable(name)
            _refuse_unspeakable(member)
    elif isinstance(value, list):
        for member in value:
            _refuse_unspeakable(member)


def _shown(name: str) -> str:
    return json.dumps(name[:64])
