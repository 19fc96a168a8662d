"""Strict reading of hosts and URLs: one spelling per target, so that what is checked is what is dialled."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from foundation.egress.addresses import Address
from foundation.egress.errors import BadTarget

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL = 2048

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_LOOKS_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")  # the WHATWG URL standard's "ends in a number"
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_URL = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]+))?(?P<rest>[/?][!-~]*)?"
)
_FORBIDDEN = frozenset('\\#"<>^`{|}')


@dataclass(frozen=True, slots=True)
class Target:
    """Where an outbound call goes. `host` is a lower-case name without trailing dot, or an address."""

    scheme: str
    host: str | Address
    port: int
    path: str  # with the query; begins with "/"

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if isinstance(self.host, ipaddress.IPv6Address) else str(self.host)
        return host if self.port == DEFAULT_PORTS.get(self.scheme) else f"{host}:{self.port}"


def parse_host(text: str) -> str | Address:
    """Read a DNS name or an address in its canonical spelling; raise BadTarget for anything cleverer.

    Refused: `0x7f.1`, `2130706433`, `127.1`, `0177.0.0.1`, zone identifiers, non-ASCII and empty labels.
    """
    if text.startswith("[") and text.endswith("]"):
        return _ipv6(text[1:-1])
    if ":" in text:
        return _ipv6(text)
    name = text.removesuffix(".").lower()
    if not name or len(name) > 253:
        raise BadTarget("the host is empty or longer than 253 characters")
    labels = name.split(".")
    if _LOOKS_NUMERIC.fullmatch(labels[-1]):
        try:
            return ipaddress.IPv4Address(name)  # four plain decimal numbers, without leading zeros
        except ValueError:
            raise BadTarget("a host that ends in a number must be a plain dotted IPv4 address") from None
    for label in labels:
        if not _LABEL.fullmatch(label):
            raise BadTarget(
                "the host has a label that is empty, longer than 63, or not letters, digits and hyphens"
            )
    return name


def _ipv6(text: str) -> Address:
    try:
        if "%" in text:
            raise BadTarget("an IPv6 zone identifier has no meaning to anyone but this host")
        return ipaddress.IPv6Address(text)
    except ValueError:
        raise BadTarget("the host is not an IPv6 address") from None


def parse_url(text: str, schemes: tuple[str, ...] = ("https", "http")) -> Target:
    """Read an absolute URL strictly; raise BadTarget without echoing it.

    Refused: user names, fragments, backslashes, white space, control and non-ASCII characters, percent signs in
    the host, port 0 and ports with leading zeros, schemes that are not in `schemes`.
    """
    if len(text) > MAX_URL:
        raise BadTarget(f"the URL is longer than {MAX_URL} characters")
    if not all("!" <= character <= "~" and character not in _FORBIDDEN for character in text):
        raise BadTarget("the URL has a character that must not stand in one unescaped")
    match = _URL.fullmatch(text)
    if match is None:
        raise BadTarget("the URL is not scheme://host[:port]/path, or carries a user name")
    scheme = match["scheme"]
    if scheme not in schemes:
        raise BadTarget(f"the URL's scheme must be {' or '.join(schemes)}")
    port = DEFAULT_PORTS.get(scheme, 0)
    if match["port"] is not None:
        port = parse_port(match["port"])
    rest = match["rest"] or "/"
    return Target(scheme, parse_host(match["host"]), port, rest if rest.startswith("/") else f"/{rest}")


def parse_port(text: str) -> int:
    """Read a TCP or UDP port from 1 to 65535, without sign, space or leading zero."""
    if not _PORT.fullmatch(text) or int(text) > 65535:
        raise BadTarget("the port must be a number from 1 to 65535")
    return int(text)


def parse_endpoint(text: str, default_port: int) -> tuple[str, int]:
    """Read `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT` of a server that the operator named; names are refused.

    A DNS server is named by address: to look its name up one would already need it.
    """
    host, colon, port = text, "", ""
    if text.startswith("["):
        host, colon, port = text.rpartition("]")
        host, colon, port = host + colon, port[:1], port[1:]
    elif text.count(":") == 1:
        host, colon, port = text.partition(":")
    if colon not in {"", ":"} or (colon and not port):
        raise BadTarget("write ADDRESS, ADDRESS:PORT or [IPv6]:PORT")
    address = parse_host(host)
    if isinstance(address, str):
        raise BadTarget("name the server by its address")
    return str(address), parse_port(port) if port else default_port
