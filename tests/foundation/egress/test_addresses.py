"""Which addresses may be reached, row by row."""

import ipaddress

import pytest

from foundation.egress import AddressRefused, Network, Policy
from foundation.egress.addresses import RULES, Rule, Verdict, rule_for

EVERYTHING: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


def _nowhere(_address: object) -> bool:
    return False


CLOSED = Policy(is_local=_nowhere)
OPEN = Policy(EVERYTHING, is_local=_nowhere)


def _samples(rule: Rule) -> list[str]:
    """The ends of a network that no earlier row takes."""
    ends = {rule.network[0], rule.network[-1]}
    return [str(end) for end in ends if rule_for(end) is rule]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.network))
def test_every_row_decides_as_it_says(rule: Rule) -> None:
    assert rule.why
    for text in _samples(rule):
        address = ipaddress.ip_address(text)
        if rule.verdict is Verdict.PUBLIC:
            assert CLOSED.judge(address, 443) == address
        elif rule.verdict is Verdict.IF_ALLOWED:
            with pytest.raises(AddressRefused, match="--allow-network"):
                CLOSED.judge(address, 443)
            assert OPEN.judge(address, 443) == address
        elif rule.verdict is Verdict.NEVER:
            with pytest.raises(AddressRefused) as caught:
                OPEN.judge(address, 443)
            assert caught.value.why == rule.why


NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "fd00:ec2::254",
    "fe80::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "255.255.255.255",
    "ff02::1",
    "100.100.100.200",
    "168.63.129.16",
    # IPv6 forms of addresses that are not public
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "::127.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo, client 127.0.0.1
]


@pytest.mark.parametrize("text", NEVER)
def test_some_addresses_are_closed_whatever_the_operator_opens(text: str) -> None:
    with pytest.raises(AddressRefused):
        OPEN.judge(ipaddress.ip_address(text), 443)


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]
)
def test_public_addresses_are_open(text: str) -> None:
    address = ipaddress.ip_address(text)
    assert CLOSED.judge(address, 443) == address


@pytest.mark.parametrize(
    "text", ["127.0.0.1", "::1", "10.1.2.3", "172.31.0.1", "192.168.1.1", "100.64.0.1", "fd12::1"]
)
def test_private_networks_are_open_only_where_the_operator_says(text: str) -> None:
    address = ipaddress.ip_address(text)
    with pytest.raises(AddressRefused, match="--allow-network"):
        CLOSED.judge(address, 443)
    assert Policy((ipaddress.ip_network(text),), is_local=_nowhere).judge(address, 443) == address


def test_an_accounts_list_only_narrows() -> None:
    operator = Policy((ipaddress.ip_network("10.0.0.0/8"),), is_local=_nowhere)
    inside, outside = ipaddress.ip_address("10.1.0.1"), ipaddress.ip_address("10.2.0.1")
    narrow = (ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("192.168.0.0/16"))
    assert operator.judge(inside, 443, narrow) == inside
    with pytest.raises(AddressRefused, match="account's own list"):
        operator.judge(outside, 443, narrow)
    with pytest.raises(AddressRefused, match="--allow-network"):
        operator.judge(ipaddress.ip_address("192.168.0.1"), 443, narrow)


def test_our_own_listeners_are_closed_on_their_port_only() -> None:
    policy = Policy(EVERYTHING, (("127.0.0.1", 8443),), is_local=_nowhere)
    loopback = ipaddress.ip_address("127.0.0.1")
    with pytest.raises(AddressRefused, match="keystead itself"):
        policy.judge(loopback, 8443)
    assert policy.judge(loopback, 8444) == loopback


@pytest.mark.parametrize("bound", ["0.0.0.0", "::"])
def test_a_listener_on_every_address_closes_every_address_of_this_host(bound: str) -> None:
    ours = ipaddress.ip_address("10.0.0.5")
    policy = Policy(EVERYTHING, ((bound, 8443),), is_local=lambda address: address == ours)
    with pytest.raises(AddressRefused, match="keystead itself"):
        policy.judge(ours, 8443)
    assert policy.judge(ipaddress.ip_address("10.0.0.6"), 8443)


def test_a_listener_on_a_public_address_cannot_be_reached_through_its_ipv6_form() -> None:
    policy = Policy((), (("8.8.8.8", 8443),), is_local=_nowhere)
    with pytest.raises(AddressRefused, match="keystead itself"):
        policy.judge(ipaddress.ip_address("::ffff:8.8.8.8"), 8443)
