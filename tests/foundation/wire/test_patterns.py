"""Java's patterns in Python: what each construct accepts, and every pattern of every served model."""

import re
import time

import pytest

from foundation.wire.patterns import UntranslatablePattern, translate
from foundation.wire.protocols import SERVED
from tests.foundation.wire.calls import the_models

MODELLED = sorted(
    {
        (shape.java, shape.pattern)
        for service in SERVED
        for shape in the_models()[service].shapes.values()
        if shape.java is not None and shape.pattern is not None
    }
)


def accepts(java: str, text: str) -> bool:
    return re.fullmatch(translate(java), text, re.ASCII) is not None


@pytest.mark.parametrize(
    ("java", "accepted", "refused"),
    [
        (r"[\p{L}\p{Z}\p{N}_]*", "Straße ٣\u00a0_", "a-b"),
        (r"\p{Alpha}+", "azAZ", "ä"),
        (r"\p{L}", "ä", "1"),
        (r"\pL", "ä", "1"),
        (r"\P{L}", "1", "ä"),
        (r"\p{^L}", "1", "ä"),
        (r"[\p{Digit}x]+", "0x9", "٣"),
        (r"\p{Nd}", "٣", "Ⅷ"),
        (r"[\p{ASCII}]*", "\x00~", "\x80"),
        (r"[\p{Print}]*", " ~", "\x7f"),
        (r"[a-c[x-z]]+", "ax", "["),
        (r"[a-c[x-z]m]+", "axm", "]"),
        (r"[]a]+", "]a", "b"),
        (r"[^]a]+", "bc", "]"),
        (r"[\w&|~-]+", "a&|~-", "b c "),
        (r"\w+", "az09_", "é"),
        (r"\d+", "12", "٣"),
        (r".", "a", "\u2028"),
        (r"[.]", ".", "a"),
        (r"(?s).", "\n", "ab"),
        (r"a{1,3}+b", "aab", "aaaab"),
        (r"\x{1F600}", "😀", "x"),
        (r"\u0041\z", "A", "A\n"),
        (r"^abc$", "abc", "abc\n"),
        (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "a😀\t", "\ufffe"),
        (r"[\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+", "é😀", "0"),
    ],
)
def test_a_translated_pattern_accepts_what_java_accepts(java: str, accepted: str, refused: str) -> None:
    assert accepts(java, accepted)
    assert not accepts(java, refused)


@pytest.mark.parametrize("java", ["[a-z&&[^b]]", "[a[^b]]", r"[x\P{L}]", r"\p{Nonsense}", r"\Qa\E", "("])
def test_a_construct_without_a_translation_is_refused_and_never_guessed(java: str) -> None:
    with pytest.raises(UntranslatablePattern):
        translate(java)


@pytest.mark.parametrize(("java", "pattern"), MODELLED)
def test_every_pattern_of_every_served_service_compiles(java: str, pattern: str) -> None:
    assert translate(java) == pattern
    re.compile(pattern, re.ASCII)


@pytest.mark.parametrize(("java", "pattern"), MODELLED)
def test_no_pattern_takes_long_on_hostile_text(java: str, pattern: str) -> None:
    matches = re.compile(pattern, re.ASCII).fullmatch
    started = time.monotonic()
    for unit in ("a", "1", "-", "/", ".", "a.", "a-", "/a", " a", ":", "arn:aws:", "\\"):
        matches((unit * 2048)[:2048] + "\0")
        matches("arn:aws:acm:" + (unit * 2048)[:2048] + "\0")
    assert time.monotonic() - started < 2, java
