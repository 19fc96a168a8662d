"""Publishing by RFC 2136, against the test server's own responder and against servers that refuse."""

import base64
import itertools

import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import pytest

from tests.support.dns import (
    Behaviour,
    FakeClock,
    MemoryWires,
    Reply,
    closing,
    counting_entropy,
    honest,
    silent,
    wrong_id,
)
from validation import (
    BadName,
    Dns,
    Kind,
    Publisher,
    PublishFailed,
    TsigKey,
    UpdateZone,
    ValidationFailed,
    prove_cname,
)

SERVER = ("192.0.2.1", 53)
KEY = TsigKey("keystead", "hmac-sha256", b"a secret of 32 octets, more or so")
OWNER, VALUE = "_p.example.test", "_v.acm-validations.aws"


def _publisher(
    behaviour: Behaviour | None, key: TsigKey | None = KEY, zone: str = "example.test"
) -> Publisher:
    wires = MemoryWires({SERVER: behaviour}, FakeClock())
    return Publisher([UpdateZone(zone, SERVER, key)], wires, counting_entropy())


def _dns(behaviour: Behaviour) -> Dns:
    clock = FakeClock()
    return Dns([SERVER], MemoryWires({SERVER: behaviour}, clock), counting_entropy(), monotonic=clock)


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "hmac-sha384", "hmac-sha512"])
def test_what_is_published_proves_the_name_until_it_is_withdrawn(algorithm: str) -> None:
    key = TsigKey("keystead", algorithm, KEY.secret)
    server = honest(keys=[key])
    publisher, dns = _publisher(server, key), _dns(server)
    for _ in range(2):  # publishing again changes nothing
        publisher.publish(f"{OWNER}.", f"{VALUE}.")
        assert prove_cname(dns, OWNER, VALUE).value == VALUE
    for _ in range(2):
        publisher.withdraw(OWNER, VALUE)
        with pytest.raises(ValidationFailed, match="no CNAME record"):
            prove_cname(dns, OWNER, VALUE)


def test_publishing_corrects_a_wrong_record() -> None:
    server = honest("_p CNAME elsewhere.test.", keys=[KEY])
    _publisher(server).publish(OWNER, VALUE)
    assert prove_cname(_dns(server), OWNER, VALUE).value == VALUE


def test_withdrawing_leaves_another_record_alone() -> None:
    server = honest("_p CNAME elsewhere.test.", keys=[KEY])
    _publisher(server).withdraw(OWNER, VALUE)
    assert _dns(server).cname(OWNER) == "elsewhere.test"


def test_a_server_without_keys_takes_unsigned_updates_from_loopback() -> None:
    server = honest()
    _publisher(server, None).publish(OWNER, VALUE)
    assert _dns(server).cname(OWNER) == VALUE


def test_the_longest_zone_takes_the_record() -> None:
    zones = [UpdateZone(name, SERVER) for name in ("test", "a.example.test", "example.test.", "ample.test")]
    publisher = Publisher(zones, MemoryWires({}, FakeClock()), counting_entropy())
    found = {
        name: zone.zone if (zone := publisher.zone_for(name)) else None
        for name in ("_p.a.example.test", "a.example.test", "b.example.test", "other.test", "test.elsewhere")
    }
    assert list(found.values()) == ["a.example.test", "a.example.test", "example.test", "test", None]


def test_a_name_in_no_zone_is_told_which_zones_there_are() -> None:
    with pytest.raises(
        PublishFailed, match=r"no zone .* holds _p\.other\.test; configured: example\.test"
    ) as caught:
        _publisher(silent).publish("_p.other.test", VALUE)
    assert caught.value.kind is Kind.NO_ZONE


def _saying(rcode: dns.rcode.Rcode, *, signed: bool = False) -> Behaviour:
    def behave(wire: bytes, _udp: bool) -> list[Reply]:
        query = dns.message.from_wire(wire, keyring=KEY.keyring() if signed else False)
        response = dns.message.make_response(query)
        response.set_rcode(rcode)
        return [Reply(response.to_wire())]

    return behave


def _forged(wire: bytes, _udp: bool) -> list[Reply]:
    other = TsigKey(KEY.name, KEY.algorithm, b"not the secret")
    query = dns.message.from_wire(wire, keyring=KEY.keyring())
    response = dns.message.make_response(query)
    response.use_tsig(other.keyring())
    assert query.mac is not None
    response.request_mac = query.mac
    return [Reply(response.to_wire())]


def _as_other(wire: bytes, _udp: bool) -> list[Reply]:
    return [Reply(wrong_id(reply.wire)) for reply in _saying(dns.rcode.NOERROR)(wire, False)]


OTHER_NAME = honest(keys=[TsigKey("other", KEY.algorithm, KEY.secret)])
OTHER_SECRET = honest(keys=[TsigKey(KEY.name, KEY.algorithm, b"another secret")])
OTHER_ALGORITHM = honest(keys=[TsigKey(KEY.name, "hmac-sha512", KEY.secret)])

FAULTS: list[tuple[str, Behaviour | None, Kind, str]] = [
    ("the key is unknown", OTHER_NAME, Kind.BAD_KEY, "BADKEY"),
    ("the algorithm differs", OTHER_ALGORITHM, Kind.BAD_KEY, "algorithm"),
    ("the secret differs", OTHER_SECRET, Kind.BAD_SIGNATURE, "BADSIG"),
    ("another zone is served", honest(zone="other.test", keys=[KEY]), Kind.NOT_AUTHORITATIVE, "NOTAUTH"),
    (
        "refused, signed",
        _saying(dns.rcode.REFUSED, signed=True),
        Kind.UPDATE_REFUSED,
        "allow the key keystead",
    ),
    ("refused, unsigned", _saying(dns.rcode.REFUSED), Kind.UPDATE_REFUSED, "REFUSED"),
    ("not its zone", _saying(dns.rcode.NOTZONE), Kind.NOT_AUTHORITATIVE, "zone"),
    ("it fails", _saying(dns.rcode.SERVFAIL), Kind.UPDATE_FAILED, "SERVFAIL"),
    ("success, unsigned", _saying(dns.rcode.NOERROR), Kind.UNSIGNED_ANSWER, "without the TSIG"),
    ("success, forged", _forged, Kind.UNSIGNED_ANSWER, "TSIG"),
    ("another's answer", _as_other, Kind.UPDATE_FAILED, "another question"),
    ("down", None, Kind.UPDATE_FAILED, "refused"),
    ("silent", silent, Kind.UPDATE_FAILED, "too long"),
    ("closing early", closing, Kind.UPDATE_FAILED, "closed"),
    ("rubbish", lambda wire, udp: [Reply(b"\x00" * 7)], Kind.UPDATE_FAILED, "ShortHeader"),
]


@pytest.mark.parametrize(
    ("server", "kind", "says"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_each_way_to_fail_says_what_to_do(server: Behaviour | None, kind: Kind, says: str) -> None:
    with pytest.raises(PublishFailed) as caught:
        _publisher(server).publish(OWNER, VALUE)
    assert caught.value.kind is kind
    assert says in caught.value.detail
    assert caught.value.detail.isascii()


def test_a_clock_that_is_off_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    server = honest(keys=[KEY])
    ahead = itertools.chain([0.0], itertools.repeat(4_000_000_000.0))  # signed in 1970, read in 2096
    monkeypatch.setattr("dns.message.time.time", lambda: next(ahead))
    with pytest.raises(PublishFailed) as caught:
        _publisher(server).publish(OWNER, VALUE)
    assert caught.value.kind is Kind.BAD_TIME


def test_a_bad_name_is_not_published() -> None:
    with pytest.raises(BadName):
        _publisher(silent).publish("a b.example.test", VALUE)


def test_a_key_is_read_as_tools_print_it_and_never_shows_its_secret() -> None:
    text = base64.b64encode(KEY.secret).decode()
    key = TsigKey.parse("Keystead.", "HMAC-SHA256", text)
    assert key == KEY
    assert "secret" not in repr(key)
    assert text not in repr(key)


@pytest.mark.parametrize(
    ("algorithm", "secret", "says"),
    [("hmac-md5", "AAAA", "none of"), ("hmac-sha256", "???", "not base64"), ("hmac-sha256", "", "empty")],
)
def test_a_key_that_cannot_be_read_is_refused_without_echo(algorithm: str, secret: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        TsigKey.parse("keystead", algorithm, secret)
    assert "???" not in str(caught.value)
