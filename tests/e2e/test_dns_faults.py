"""The DNS and the one way out over real sockets: the table of faults, rebinding, the test server's own sockets."""

import ipaddress
import os
import socket
import threading
import time
from contextlib import ExitStack

import pytest

from foundation.egress import AddressRefused, Egress, EgressFailed, Endpoint
from tests.support.dns import SocketServer, free_port, honest
from tests.support.dns_faults import CASES, OWNER, VALUE, Case, Q
from validation import Dns, ValidationFailed, prove_cname
from validation.exchange import Question
from validation.testdns import DnsServer, ListenFailed, ZoneSpec, run

pytestmark = pytest.mark.e2e

ZONE = "example.test"


def _dns(*servers: Endpoint, query_seconds: float = 5.0) -> Dns:
    return Dns(servers, Egress(), os.urandom, query_seconds=query_seconds, lookup_seconds=4 * query_seconds)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_on_real_sockets_ends_in_its_own_kind_and_in_time(case: Case) -> None:
    for behaviour in filter(None, case.servers):
        list(
            behaviour(Question(OWNER, "CNAME", os.urandom).wire, False)
        )  # what is slow to build is built once
    with ExitStack() as stack:
        servers = [
            ("127.0.0.1", free_port())
            if behaviour is None
            else stack.enter_context(SocketServer(behaviour)).address
            for behaviour in case.servers
        ]
        dns = _dns(*servers, query_seconds=Q)
        begin = time.monotonic()
        if case.kind is None:
            assert prove_cname(dns, OWNER, VALUE).value == VALUE
        else:
            with pytest.raises(ValidationFailed) as caught:
                prove_cname(dns, OWNER, VALUE)
            assert caught.value.kind is case.kind, caught.value.detail
            assert case.says in caught.value.detail
        assert time.monotonic() - begin < 4 * Q + 1


def test_a_hundred_slow_lookups_do_not_hold_up_another() -> None:
    with (
        SocketServer(lambda _wire, _udp: []) as silent,
        DnsServer(("127.0.0.1", 0), [ZoneSpec(ZONE, records=[f"_p CNAME {VALUE}."])]) as good,
    ):
        slow = _dns(silent.address, query_seconds=2.0)

        def wait() -> None:
            with pytest.raises(ValidationFailed):
                prove_cname(slow, OWNER, VALUE)

        threads = [threading.Thread(target=wait) for _ in range(100)]
        for thread in threads:
            thread.start()
        begin = time.monotonic()
        prove_cname(_dns(good.address), OWNER, VALUE)
        assert time.monotonic() - begin < 1.0
        for thread in threads:
            thread.join()


def test_a_name_that_rebinds_to_loopback_is_never_dialled() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as canary,
        SocketServer(honest("www 0 A 127.0.0.1", "www 0 A 8.8.8.8", "meta 0 A 169.254.169.254")) as server,
    ):
        canary.settimeout(0.2)
        port = canary.getsockname()[1]
        dns = _dns(server.address)
        for host in ("www.example.test", "meta.example.test", "127.0.0.1", "[::ffff:127.0.0.1]"):
            with pytest.raises(AddressRefused):
                Egress().dial(host, port, dns.addresses)
        with pytest.raises(TimeoutError):
            canary.accept()


def test_an_allowed_network_is_dialled_and_our_own_listener_is_not() -> None:
    loopback = [ipaddress.ip_network("127.0.0.0/8")]
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        SocketServer(honest("www A 127.0.0.1")) as server,
    ):
        port = listener.getsockname()[1]
        dns = _dns(server.address)
        with (
            Egress(loopback).dial("www.example.test", port, dns.addresses) as connection,
            listener.accept()[0] as client,
        ):
            client.sendall(b"hello")
            assert connection.receive_exactly(5) == b"hello"
        for bound in ("127.0.0.1", "0.0.0.0"):  # both forms in which a door may listen
            with pytest.raises(AddressRefused, match="keystead itself"):
                Egress(loopback, [(bound, port)]).dial("www.example.test", port, dns.addresses)


def test_a_target_that_drips_or_is_down_fails_in_time() -> None:
    egress = Egress([ipaddress.ip_network("127.0.0.0/8")])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        begin = time.monotonic()
        with (
            egress.dial("127.0.0.1", listener.getsockname()[1], lambda _: [], seconds=0.5) as connection,
            listener.accept()[0],
            pytest.raises(EgressFailed, match="too long"),
        ):
            connection.receive_exactly(1)
        assert time.monotonic() - begin < 2
    with pytest.raises(EgressFailed, match="cannot be reached: connection refused"):
        egress.dial("127.0.0.1", free_port(), lambda _: [])


def test_the_test_server_answers_over_udp_and_tcp_and_gives_its_port_back() -> None:
    big = "big TXT " + " ".join(f'"{"x" * 250}"' for _ in range(40))
    with DnsServer(("127.0.0.1", 0), [ZoneSpec(ZONE, records=["www A 192.0.2.1", big])]) as server:
        dns = _dns(server.address)
        assert dns.lookup("www.example.test", "A").records == ("192.0.2.1",)
        assert len(dns.lookup("big.example.test", "TXT").records[0]) > 10_000
        with pytest.raises(ListenFailed, match="address already in use"):
            DnsServer(server.address, [])
    with DnsServer(server.address, [ZoneSpec(ZONE)]):
        pass
    server.stop()  # again: nothing happens


def test_a_flood_of_idle_connections_does_not_stop_the_test_server() -> None:
    with (
        DnsServer(("127.0.0.1", 0), [ZoneSpec(ZONE, records=["www A 192.0.2.1"])]) as server,
        ExitStack() as stack,
    ):
        for _ in range(150):
            client = stack.enter_context(socket.create_connection(server.address))
            client.sendall(b"\xff\xff")
        assert _dns(server.address).lookup("www.example.test", "A").records == ("192.0.2.1",)
        assert threading.active_count() < 20


def test_many_questions_on_one_connection_are_all_answered_and_idle_ones_are_dropped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("validation.testdns.server.IDLE_SECONDS", 0.3)
    big = "big TXT " + " ".join(f'"{"x" * 250}"' for _ in range(200))
    with (
        DnsServer(("127.0.0.1", 0), [ZoneSpec(ZONE, records=[big])]) as server,
        socket.create_connection(server.address, 5) as client,
    ):
        question = Question("big.example.test", "TXT", os.urandom).wire
        framed = len(question).to_bytes(2, "big") + question
        sender = threading.Thread(target=client.sendall, args=(framed * 100,))
        sender.start()
        with client.makefile("rb") as stream:
            for _ in range(100):
                assert stream.read(int.from_bytes(stream.read(2), "big"))[:2] == question[:2]
            sender.join()
            assert stream.read() == b""  # closed by the server


def test_run_serves_until_it_is_stopped() -> None:
    asked: list[tuple[str, ...]] = []

    def ready(server: DnsServer) -> None:
        def ask_and_stop() -> None:
            asked.append(_dns(server.address).lookup("www.example.test", "A").records)
            server.stop()

        threading.Thread(target=ask_and_stop).start()

    run(("127.0.0.1", 0), [ZoneSpec(ZONE, records=["www A 192.0.2.1"])], ready=ready)
    assert asked == [("192.0.2.1",)]
