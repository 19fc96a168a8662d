"""CAA as RFC 8659 has it: the tree is climbed, the first set decides, doubt forbids."""

import dns.rcode
import pytest

from tests.support.dns import Behaviour, FakeClock, MemoryWires, code, counting_entropy, honest, silent
from validation import BadName, CaaForbids, Dns, Kind, check_caa

SERVER = ("192.0.2.1", 53)
US = ("ca.keystead.test",)


def _dns(behaviour: Behaviour) -> Dns:
    clock = FakeClock()
    return Dns([SERVER], MemoryWires({SERVER: behaviour}, clock), counting_entropy(), monotonic=clock)


def _records(*values: str, at: str = "@") -> Dns:
    return _dns(honest("www A 192.0.2.9", *(f"{at} CAA {value}" for value in values)))


ALLOWED: list[tuple[str, list[str], str]] = [
    ("no records", [], "www.example.test"),
    ("we are named", ['0 issue "ca.keystead.test"'], "www.example.test"),
    ("in other letters", ['0 ISSUE "CA.Keystead.TEST"'], "www.example.test"),
    ("among others", ['0 issue "other.test"', '0 issue "ca.keystead.test"'], "www.example.test"),
    (
        "with white space and parameters",
        ['0 issue "  ca.keystead.test ; account=23; x=y"'],
        "www.example.test",
    ),
    ("critical and known", ['128 issue "ca.keystead.test"'], "www.example.test"),
    ("only other properties", ['0 iodef "mailto:a@example.test"', '0 unknown "x"'], "www.example.test"),
    ("issuewild says nothing of plain names", ['0 issuewild "other.test"'], "www.example.test"),
    ("a wildcard by issue", ['0 issue "ca.keystead.test"'], "*.www.example.test"),
    ("a wildcard by issuewild", ['0 issue "other.test"', '0 issuewild "ca.keystead.test"'], "*.example.test"),
]


@pytest.mark.parametrize(("values", "domain"), [row[1:] for row in ALLOWED], ids=[row[0] for row in ALLOWED])
def test_issuance_is_allowed(values: list[str], domain: str) -> None:
    permit = check_caa(_records(*values), domain, US)
    assert permit.at == ("example.test" if values else None)


FORBIDDEN: list[tuple[str, list[str], str, Kind]] = [
    ("another is named", ['0 issue "other.test"'], "www.example.test", Kind.CAA_FORBIDS),
    ("nobody may", ['0 issue ";"'], "www.example.test", Kind.CAA_FORBIDS),
    ("nobody may, in other words", ['0 issue ""'], "www.example.test", Kind.CAA_FORBIDS),
    ("a value that cannot be read", ['0 issue "%%%%"'], "www.example.test", Kind.CAA_FORBIDS),
    (
        "parameters that cannot be read",
        ['0 issue "ca.keystead.test; ???"'],
        "www.example.test",
        Kind.CAA_FORBIDS,
    ),
    ("a longer name", ['0 issue "ca.keystead.test.evil"'], "www.example.test", Kind.CAA_FORBIDS),
    (
        "critical and unknown",
        ['0 issue "ca.keystead.test"', '128 tbs "x"'],
        "www.example.test",
        Kind.CAA_CRITICAL,
    ),
    ("no wildcard", ['0 issue "ca.keystead.test"', '0 issuewild ";"'], "*.example.test", Kind.CAA_FORBIDS),
    ("no wildcard by issue", ['0 issue "other.test"'], "*.www.example.test", Kind.CAA_FORBIDS),
]


@pytest.mark.parametrize(
    ("values", "domain", "kind"), [row[1:] for row in FORBIDDEN], ids=[row[0] for row in FORBIDDEN]
)
def test_issuance_is_forbidden(values: list[str], domain: str, kind: Kind) -> None:
    with pytest.raises(CaaForbids) as caught:
        check_caa(_records(*values), domain, US)
    assert caught.value.kind is kind
    assert domain in caught.value.detail
    assert not caught.value.transient


def test_the_nearest_set_decides() -> None:
    nearer = _dns(honest('@ CAA 0 issue "other.test"', 'www CAA 0 issue "ca.keystead.test"'))
    assert check_caa(nearer, "a.b.www.example.test", US).at == "www.example.test"
    with pytest.raises(CaaForbids):
        check_caa(nearer, "mail.example.test", US)


def test_an_alias_is_followed_and_the_tree_above_its_target_is_not_climbed() -> None:
    dns = _dns(honest("www CNAME web.hosting", 'hosting CAA 0 issue ";"'))
    assert check_caa(dns, "www.example.test", US).at is None
    dns = _dns(honest("www CNAME web.hosting", 'web.hosting CAA 0 issue ";"'))
    with pytest.raises(CaaForbids):
        check_caa(dns, "www.example.test", US)


@pytest.mark.parametrize(
    "behaviour",
    [code(dns.rcode.SERVFAIL), code(dns.rcode.REFUSED), silent],
    ids=["servfail", "refused", "silent"],
)
def test_no_answer_forbids_for_now(behaviour: Behaviour) -> None:
    with pytest.raises(CaaForbids) as caught:
        check_caa(_dns(behaviour), "www.example.test", US)
    assert caught.value.kind is Kind.CAA_UNKNOWN
    assert caught.value.transient


def test_a_resolver_that_fails_above_a_name_without_records_forbids() -> None:
    zone = honest(zone="www.example.test")

    def broken_above(wire: bytes, udp: bool) -> object:
        return (zone if b"\x03www" in wire.lower() else code(dns.rcode.SERVFAIL))(wire, udp)

    with pytest.raises(CaaForbids) as caught:
        check_caa(_dns(broken_above), "www.example.test", US)  # type: ignore[arg-type]  # an iterable either way
    assert caught.value.kind is Kind.CAA_UNKNOWN


def test_validation_methods_and_accounts_bind() -> None:
    dns = _records(
        '0 issue "ca.keystead.test; validationmethods=dns-01,http-01; accounturi=https://a.test/1"'
    )
    uri = "https://a.test/1"
    assert check_caa(dns, "example.test", US, method="dns-01", account_uri=uri).at == "example.test"
    for method, account in (
        ("tls-alpn-01", uri),
        (None, uri),
        ("dns-01", None),
        ("dns-01", "https://a.test/2"),
    ):
        with pytest.raises(CaaForbids):
            check_caa(dns, "example.test", US, method=method, account_uri=account)


def test_a_bad_name_is_not_looked_up() -> None:
    with pytest.raises(BadName):
        check_caa(_dns(silent), "a b.example", US)
