"""Hosts and URLs have one spelling, or none."""

import ipaddress

import pytest

from foundation.egress import BadTarget, Target, parse_endpoint, parse_host, parse_url


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("https://example.com", Target("https", "example.com", 443, "/")),
        ("http://EXAMPLE.com.:8080/a?b=c%20d", Target("http", "example.com", 8080, "/a?b=c%20d")),
        ("https://example.com?x=1", Target("https", "example.com", 443, "/?x=1")),
        ("https://192.0.2.1/", Target("https", ipaddress.ip_address("192.0.2.1"), 443, "/")),
        ("https://[2001:db8::1]:8443/", Target("https", ipaddress.ip_address("2001:db8::1"), 8443, "/")),
    ],
)
def test_a_plain_url_is_read(text: str, target: Target) -> None:
    assert parse_url(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "//example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "HTTPS://example.com/",
        "https://user@example.com/",
        "https://user:pw@example.com/",
        "https://a.test@127.0.0.1/",
        "https://example.com#f",
        "https://example.com\\@127.0.0.1/",
        "https://example.com/ x",
        "https://example.com/\r\nHost: x",
        "https://example.com\n",
        "https://exa\u0000mple.com/",
        "https://b\u00fccher.example/",
        "https://ex%61mple.com/",
        "https://example.com:0/",
        "https://example.com:065535/",
        "https://example.com:65536/",
        "https://example.com:/",
        "https://example..com/",
        "https://-a.example/",
        "https://0x7f.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://0177.0.0.1/",
        "https://127.0.0.01/",
        "https://1.2.3.4.5/",
        "https://[::1%25eth0]/",
        "https://[::1/",
        "https://[127.0.0.1]/",
        "https://[v1.x]/",
        "https://" + "a" * 64 + ".example/",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_a_clever_url_is_refused(text: str) -> None:
    with pytest.raises(BadTarget) as caught:
        parse_url(text)
    assert "127" not in str(caught.value)  # nothing of the input is echoed


def test_a_scheme_must_be_one_of_those_asked_for() -> None:
    with pytest.raises(BadTarget, match="scheme must be https"):
        parse_url("http://example.com/", schemes=("https",))


@pytest.mark.parametrize(
    "text", ["fe80::1%eth0", "::g", "1.2.3", "a" * 254, ".", "", "a b", "\u0661.example"]
)
def test_a_host_that_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(BadTarget):
        parse_host(text)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://example.com/", "example.com"),
        ("https://example.com:8443/", "example.com:8443"),
        ("http://example.com:443/", "example.com:443"),
        ("http://[::1]:80/", "[::1]"),
        ("http://[::1]:81/", "[::1]:81"),
    ],
)
def test_the_host_header_names_the_port_only_when_it_is_not_the_schemes_own(url: str, authority: str) -> None:
    assert parse_url(url).authority == authority


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]", ("::1", 53)),
        ("[::1]:5353", ("::1", 5353)),
    ],
)
def test_a_dns_server_is_named_by_address(text: str, endpoint: tuple[str, int]) -> None:
    assert parse_endpoint(text, 53) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ns.example",
        "ns.example:53",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:0",
        "[::1]x53",
        "[::1]:",
        "[::1",
    ],
)
def test_an_endpoint_that_is_unclear_is_refused(text: str) -> None:
    with pytest.raises(BadTarget):
        parse_endpoint(text, 53)
