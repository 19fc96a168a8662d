r"""Patterns of the service models, which are Java's, rewritten for Python's ``re``.

The result is meant for ``fullmatch`` under ``re.ASCII`` (Java's ``\w``, ``\d`` and ``\s`` are ASCII).
Differences covered: ``\p{...}`` classes, ``.`` (Java stops at five line ends), nested class unions
``[a-z[0-9]]``, ``\z``, surrogate pairs and five-digit ``\u10FFFF`` for what lies beyond the first plane.
Possessive quantifiers and atomic groups mean the same in Python 3.11. Class intersections (``&&``) and
negated nested classes are refused: no served model has them, and guessing would let values through.
"""

import functools
import itertools
import re
import sys
import unicodedata
from typing import Final

POSIX: Final = {
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Upper": "A-Z",
    "Lower": "a-z",
    "Punct": r"!-/:-@\[-`{-~",
    "Graph": "!-~",
    "Print": " -~",
    "Blank": r" \t",
    "Cntrl": r"\x00-\x1F\x7F",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0B\f\r",
    "ASCII": r"\x00-\x7F",
}
JAVA_DOT: Final = r"[^\n\r\u0085\u2028\u2029]"
BEYOND_FIRST_PLANE: Final = r"\U00010000-\U0010FFFF"
SPELLED_BEYOND: Final = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\u10000-\u10FFFF")

_token = re.compile(
    r"""\\[pP]\{\^?(?P<named>\w+)\} | \\[pP](?P<letter>[A-Z])
      | \\x\{(?P<point>[0-9A-Fa-f]+)\} | \\u(?P<unit>[0-9A-Fa-f]{4}) | \\(?P<escaped>.)
      | (?P<single>.)""",
    re.VERBOSE | re.DOTALL,
)


class UntranslatablePattern(ValueError):
    """A model uses a construct of Java's that has no translation here."""


def translate(java: str) -> str:
    """The Python pattern that accepts, by ``fullmatch``, what `java` accepts by ``matches``.

    Raises UntranslatablePattern.
    """
    for spelled in SPELLED_BEYOND:
        java = java.replace(spelled, BEYOND_FIRST_PLANE.replace("\\U00", "\\x{").replace("-", "}-") + "}")
    dot = "." if java.startswith("(?s)") else JAVA_DOT
    out: list[str] = []
    depth = 0
    previous = ""
    for match in _token.finditer(java):
        text, single = match[0], match["single"]
        if single == "[":
            depth += 1
            out.append("[" if depth == 1 else "")
        elif single == "]" and depth and previous not in ("[", "[^"):
            depth -= 1
            out.append("]" if depth == 0 else "")
        elif single == ".":
            out.append(dot if depth == 0 else r"\.")
        elif single is not None:
            out.append(_single(single, previous, depth, java))
        else:
            out.append(_escape(match, depth, java))
        previous = "[^" if single == "^" and previous == "[" else text
    pattern = "".join(out)
    try:
        re.compile(pattern, re.ASCII)
    except re.error as error:
        raise UntranslatablePattern(f"{java!r}: {error}") from error
    return pattern


def _single(single: str, previous: str, depth: int, java: str) -> str:
    if depth == 0:
        return single
    if depth > 1 and single == "^" and previous == "[":
        raise UntranslatablePattern(f"{java!r}: a negated class inside a class")
    if single == "&" and previous == "&":
        raise UntranslatablePattern(f"{java!r}: a class intersection")
    return "\\" + single if single in "[]&~|" else single  # Python reserves their doubles inside a class


def _escape(match: re.Match[str], depth: int, java: str) -> str:
    name = match["named"] or match["letter"]
    if name is not None:
        return _named(match[0], name, depth, java)
    if match["point"] is not None or match["unit"] is not None:
        return f"\\U{int(match['point'] or match['unit'], 16):08X}"
    if match["escaped"] == "z":
        return r"\Z"
    return match[0]


def _named(text: str, name: str, depth: int, java: str) -> str:
    negated = text[1] == "P" or "^" in text
    ranges = POSIX.get(name) or category_ranges(name)
    if not ranges:
        raise UntranslatablePattern(f"{java!r}: no character class {name}")
    if depth == 0:
        return f"[{'^' if negated else ''}{ranges}]"
    if negated:
        raise UntranslatablePattern(f"{java!r}: a negated class inside a class")
    return ranges


@functools.cache
def category_ranges(category: str) -> str:
    """The inside of a character class for a Unicode general category ("L", "Nd"); "" when there is none."""
    return "".join(
        f"\\U{first:08X}-\\U{last:08X}" for name, first, last in _runs() if name.startswith(category)
    )


@functools.cache
def _runs() -> tuple[tuple[str, int, int], ...]:
    """Every run of code points of one general category: (category, first, last)."""
    categories = map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))
    runs: list[tuple[str, int, int]] = []
    first = 0
    for name, members in itertools.groupby(categories):
        length = sum(1 for _ in members)
        runs.append((name, first, first + length - 1))
        first += length
    return tuple(runs)
