"""Resolve once, check every address: without a network."""

import ipaddress

import pytest

from foundation.egress import AddressRefused, BadTarget, Egress, EgressFailed


def test_a_name_is_resolved_once_and_all_its_addresses_are_checked() -> None:
    asked: list[str] = []

    def resolve(name: str) -> list[str]:
        asked.append(name)
        return ["8.8.8.8", "2606:4700::1111"]

    found = Egress().checked("Example.COM.", 443, resolve)
    assert [str(address) for address in found] == ["8.8.8.8", "2606:4700::1111"]
    assert asked == ["example.com"]


def test_one_refused_address_refuses_the_name() -> None:
    with pytest.raises(AddressRefused, match=r"127\.0\.0\.1 port 443"):
        Egress().checked("rebound.example", 443, lambda _: ["8.8.8.8", "127.0.0.1"])


def test_an_address_is_not_resolved() -> None:
    def resolve(name: str) -> list[str]:
        raise AssertionError(name)

    assert Egress().checked("8.8.8.8", 443, resolve) == [ipaddress.ip_address("8.8.8.8")]
    with pytest.raises(AddressRefused):
        Egress().checked("[::1]", 443, resolve)


def test_a_name_without_address_cannot_be_reached() -> None:
    with pytest.raises(EgressFailed, match="has no address"):
        Egress().checked("nothing.example", 443, lambda _: [])


def test_a_clever_host_is_never_resolved() -> None:
    with pytest.raises(BadTarget):
        Egress().checked("0x7f.1", 443, lambda _: ["8.8.8.8"])


def test_nothing_is_sent_while_a_transaction_is_open() -> None:
    class OpenTransactionError(Exception):
        pass

    def refuse() -> None:
        raise OpenTransactionError

    egress = Egress(before_call=refuse)
    with pytest.raises(OpenTransactionError):
        egress.dial("8.8.8.8", 443, lambda _: [])
    with pytest.raises(OpenTransactionError):
        egress.datagram(("127.0.0.1", 53))
    with pytest.raises(OpenTransactionError):
        egress.stream(("127.0.0.1", 53), 1.0)
