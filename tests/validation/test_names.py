"""What a name must look like, and what the person who wrote another one is told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation import BadName, is_wildcard, normalise_domain, normalise_owner, without_wildcard
from validation.names import parents


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("example.com", "example.com"),
        ("WWW.Example.COM", "www.example.com"),
        ("example.com.", "example.com"),
        ("*.example.com", "*.example.com"),
        ("a.b", "a.b"),
        ("1.example", "1.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("a" * 63 + ".example", "a" * 63 + ".example"),
        (".".join(["a" * 49] * 5) + ".abc", ".".join(["a" * 49] * 5) + ".abc"),
    ],
)
def test_a_good_name_is_brought_to_its_one_form(text: str, name: str) -> None:
    assert normalise_domain(text) == name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (".", "empty label"),
        ("example.com..", "empty label"),
        (".example.com", "empty label"),
        ("a..example.com", "empty label"),
        ("host\n", r"control character \(U\+000A\) at position 5"),
        ("example.com\n", r"U\+000A"),
        (" example.com", r"U\+0020\) at position 1"),
        ("exam ple.com", r"U\+0020"),
        ("example\x00.com", r"U\+0000"),
        ("example\u200b.com", r"U\+200B"),
        ("example\u2028.com", r"U\+2028"),
        ("\ud800.example", r"U\+D800"),
        ("bücher.example", r"write the A-label form xn--bcher-kva\.example"),
        ("BÜCHER.example", r"write the A-label form xn--bcher-kva\.example"),
        ("例え.テスト", r"write the A-label form xn--r8jz45g\.xn--zckzah"),
        ("straße.example", r"write internationalised names as A-labels"),
        ("exa\u0301mple。com", "A-label"),
        ("ＥＸＡＭＰＬＥ.com", "A-label"),
        ("a_b.example.com", "no underscores"),
        ("_acme.example.com", "no underscores"),
        ("-a.example.com", "letters, digits and inner hyphens"),
        ("a-.example.com", "letters, digits and inner hyphens"),
        ("a/b.example.com", "letters, digits"),
        ("a@example.com", "letters, digits"),
        ("a" * 64 + ".example", "a label is 64 characters long, and 63"),
        (".".join(["a" * 49] * 5) + ".abcd", "254 characters long, and 253"),
        ("a" * 10000 + ".example", "characters long"),
        ("localhost", "two labels"),
        ("*", "two labels|wildcard"),
        ("*.com", "two labels"),
        ("**.example.com", "whole leftmost label"),
        ("a.*.example.com", "whole leftmost label"),
        ("a*.example.com", "whole leftmost label"),
        ("*.*.example.com", "whole leftmost label"),
        ("192.0.2.1", "IP address"),
        ("::1", "IP address"),
        ("[2001:db8::1]", "IP address"),
        ("1.2.3", "reads as an IP address"),
        ("0127.0.0.1", "reads as an IP address"),
        ("ab--cd.example", "reserved for A-labels"),
        ("xn--.example", "letters, digits|A-label"),
        ("xn--zz--.example", "A-label|hyphens"),
        ("xn--abc-.example", "letters, digits|A-label"),
        ("xn--99999999.example", "not a valid A-label"),
    ],
)
def test_a_bad_name_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(BadName, match=why) as caught:
        normalise_domain(text)
    assert caught.value.detail.isascii()
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 500


def test_a_refusal_shows_the_name_once_escaped() -> None:
    with pytest.raises(BadName) as caught:
        normalise_domain("b\xfccher.example\n")
    assert caught.value.detail.startswith(r"'b\xfccher.example\n' is not a name")


def test_owner_names_may_have_underscores_and_one_label() -> None:
    assert normalise_owner("_ABC.Example.com.") == "_abc.example.com"
    assert normalise_owner("test") == "test"
    for text in ("", "a..b", "*.example.com", "a b", "é.example"):
        with pytest.raises(BadName):
            normalise_owner(text)


def test_a_wildcard_and_its_parent_share_one_record() -> None:
    assert without_wildcard("*.example.com") == without_wildcard("example.com") == "example.com"
    assert is_wildcard("*.example.com")
    assert not is_wildcard("a.example.com")


def test_the_tree_is_climbed_to_the_top_level() -> None:
    assert list(parents("a.b.example")) == ["a.b.example", "b.example", "example"]


@given(st.text(max_size=80))
def test_any_text_is_a_name_in_its_one_form_or_a_bad_name(text: str) -> None:
    try:
        name = normalise_domain(text)
    except BadName as error:
        shown, once, again = error.detail, "", ""
    else:
        shown, once, again = name, name, normalise_domain(name)
    assert shown.isascii()
    assert shown.isprintable()
    assert once == again
