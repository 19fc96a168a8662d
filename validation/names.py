"""What a domain name may look like before anybody asks the DNS about it (RFC 1123, RFC 5890, RFC 6125)."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator

from validation.errors import BadName, Kind

MAX_NAME = 253
MAX_LABEL = 63
_HOST_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_OWNER_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
# Python's codec is IDNA 2003, which maps these away where IDNA 2008 keeps them: no suggestion beats a wrong one.
_DEVIATIONS = frozenset("ßς\u200c\u200d")


def normalise_domain(text: str) -> str:
    """Return the name of a certificate in lower-case A-labels, without the trailing dot; raise BadName.

    A wildcard is the whole leftmost label (`*.example.com`). Names have two labels or more. U-labels are refused
    with the A-label to write instead, never converted: what was asked for and what is issued must be one text.
    """
    name = _tidy(text)
    _refuse_address(text, name)
    labels = name.split(".")
    plain = labels[1:] if labels[0] == "*" else labels
    for label in plain:
        _judge_label(text, label, owner=False)
    if len(plain) < 2:
        raise _bad(text, "it needs at least two labels, as in host.example")
    if plain[-1].isdigit():
        raise _bad(text, "its last label is a number, so it reads as an IP address")
    return name


def normalise_owner(text: str) -> str:
    """Return the owner name or target of a DNS record in the same form; underscores are allowed, wildcards not."""
    name = _tidy(text)
    for label in name.split("."):
        _judge_label(text, label, owner=True)
    return name


def is_wildcard(domain: str) -> bool:
    """Whether a normalised domain is a wildcard."""
    return domain.startswith("*.")


def without_wildcard(domain: str) -> str:
    """The name that is proven for a normalised domain: a wildcard and its parent share one record."""
    return domain.removeprefix("*.")


def parents(domain: str) -> Iterator[str]:
    """`domain` and each name above it, without the root: the tree that CAA climbs (RFC 8659 section 3)."""
    labels = domain.split(".")
    for start in range(len(labels)):
        yield ".".join(labels[start:])


def _bad(text: str, why: str) -> BadName:
    shown = text if len(text) <= 64 else f"{text[:61]}..."
    return BadName(Kind.BAD_NAME, name=ascii(shown), why=why)


def _tidy(text: str) -> str:
    """Lower-case ASCII without the trailing dot and within the total length, or BadName."""
    if not text:
        raise _bad(text, "it is empty")
    for position, character in enumerate(text, 1):
        if character.isspace() or unicodedata.category(character) in {"Cc", "Cf", "Cs"}:
            raise _bad(
                text,
                f"it has white space or a control character (U+{ord(character):04X}) at position {position}",
            )
    if not text.isascii():
        raise _bad(text, _a_label_advice(text))
    name = text.removesuffix(".").lower()
    if len(name) > MAX_NAME:
        raise _bad(text, f"it is {len(name)} characters long, and {MAX_NAME} is the limit")
    return name


def _a_label_advice(text: str) -> str:
    """Tell the reader of a U-label what to write, when that is certain."""
    composed = unicodedata.normalize("NFC", text.lower())
    if not _DEVIATIONS.intersection(composed):
        try:
            ascii_form = composed.encode("idna").decode("ascii")
            if ascii_form.encode("ascii").decode("idna") == composed:
                return f"it is not ASCII; write the A-label form {ascii_form}"
        except UnicodeError:
            pass  # the general advice below says as much as is known
    return "it is not ASCII; write internationalised names as A-labels (xn--...)"


def _refuse_address(text: str, name: str) -> None:
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return
    raise _bad(text, "it is an IP address, and DNS records prove control of names only")


def _judge_label(text: str, label: str, *, owner: bool) -> None:
    """Raise BadName unless `label` may stand in a host name, or in an owner name."""
    if not label:
        raise _bad(text, "it has an empty label (two dots in a row, or one at the beginning)")
    if len(label) > MAX_LABEL:
        raise _bad(text, f"a label is {len(label)} characters long, and {MAX_LABEL} is the limit")
    if "*" in label:
        raise _bad(
            text,
            "a wildcard may only be the whole leftmost label of a certificate's name, as in *.example.com",
        )
    if "_" in label and not owner:
        raise _bad(text, "host names have no underscores")
    if not (_OWNER_LABEL if owner else _HOST_LABEL).fullmatch(label):
        raise _bad(text, f"the label {label!r} must be letters, digits and inner hyphens")
    if label[2:4] == "--" and not owner:
        _judge_a_label(text, label)


def _judge_a_label(text: str, label: str) -> None:
    """Raise BadName unless a label with hyphens in places 3 and 4 is a real A-label (RFC 5890 section 2.3.1)."""
    if not label.startswith("xn--"):
        raise _bad(text, f"the label {label!r} has hyphens in places 3 and 4, which is reserved for A-labels")
    try:
        decoded = label[4:].encode("ascii").decode("punycode")
        if not decoded.isascii() and decoded.encode("punycode").decode("ascii") == label[4:]:
            return
    except (UnicodeError, OverflowError):
        pass
    raise _bad(text, f"the label {label!r} is not a valid A-label (RFC 5891)")
