"""Everything that may be wrong with a proof, a signing request or a name: each its own clear error, nothing kept."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import dns.rcode
import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select
from sqlmodel import SQLModel

from tests.support.dns import Behaviour, code, holding, honest, silent, slow
from tests.support.world import NAMESERVER, Caller, World, csr, problem, records

Resolver = Callable[
    [str, str], Behaviour | None
]  # (owner, value) → what the resolver does; None: nobody listens
Body = dict[str, Any] | str

# What an account has before it asks for anything.
FOUNDATION = {"account", "access_key", "iam_entity", "iam_attached_policy", "bearer_token"}


def kept(world: World, caller: Caller) -> dict[str, int]:
    """How many rows of the account are in each table, those of its foundation aside."""
    found = {}
    with world.worker.store._reader.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            # Another test module may have declared tables of its own; this database has none of them.
            if "account" in table.c and table.name not in FOUNDATION and not table.name.startswith("test_"):
                mine = select(func.count()).select_from(table).where(table.c.account == caller.account)
                found[table.name] = connection.execute(mine).scalar_one()
    return {name: count for name, count in found.items() if count}


def described(acm: Any, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return found


def refused_certificate(acm: Any) -> tuple[str, str, int]:
    """No certificate: the code, the message, the status."""
    with pytest.raises(ClientError) as refused:
        acm()
    answer: Any = refused.value.response
    return (
        answer["Error"]["Code"],
        answer["Error"]["Message"],
        answer["ResponseMetadata"]["HTTPStatusCode"],
    )


WRONG_PROOFS: dict[str, tuple[Resolver, str]] = {
    "absent": (lambda _o, _v: honest(), "no CNAME record"),
    "a wrong target": (lambda o, _v: honest(f"{o} CNAME _x.acm-validations.aws."), "_x.acm-validations.aws"),
    "a TXT record": (lambda o, v: honest(f'{o} TXT "{v}"'), "no CNAME record"),
    "down": (lambda _o, _v: None, "connection refused"),
    "silent": (lambda _o, _v: silent, "did not answer"),
    "too slow": (lambda o, v: slow(honest(f"{o} CNAME {v}"), 30), "did not answer"),
    "refusing": (lambda _o, _v: code(dns.rcode.REFUSED), "REFUSED"),
    "failing": (lambda _o, _v: code(dns.rcode.SERVFAIL), "SERVFAIL"),
    "ambiguous": (
        lambda o, v: holding(f"{o} CNAME {v}", f"{o} CNAME _x.acm-validations.aws."),
        "has 2 CNAME records",
    ),
    "a loop": (lambda o, _v: honest(f"{o} CNAME a.example.test.", f"a.example.test. CNAME {o}"), "loop"),
    "an answer about another name": (lambda _o, v: holding(f"_other.example.test. CNAME {v}"), ""),
}


@pytest.mark.parametrize("fault", WRONG_PROOFS)
def test_a_proof_that_does_not_hold_keeps_the_request_pending_and_says_why(
    shared_world: World, fault: str
) -> None:
    world, caller = shared_world, shared_world.account()
    status, _, _ = requested = ask(caller, {"names": ["www.example.test"]})
    assert status == 201
    shown = requested[2]
    [(owner, value)] = records(shown)
    resolver, says = WRONG_PROOFS[fault]
    world.servers[NAMESERVER] = resolver(owner, value)
    try:
        world.advance(timedelta(seconds=30))
        after = look(caller, shown["id"])
        assert after["status"] == "PENDING_VALIDATION"
        detail = after["domains"][0]["detail"]
        assert says.lower() in detail.lower(), detail
        assert after["certificate"] is None
        assert "ca_certificate" not in kept(world, caller)
        code_, message, _ = refused_certificate(
            lambda: caller.client(region="us-east-1").get_certificate(CertificateArn=shown["arn"])
        )
        assert code_ == "RequestInProgressException"
        assert message
        # And once it is put right, the same request goes through.
        world.servers[NAMESERVER] = honest(f"{owner} CNAME {value}")
        world.advance(timedelta(minutes=6))
        assert look(caller, shown["id"])["status"] == "ISSUED"
    finally:
        world.servers[NAMESERVER] = honest()


def test_a_caa_record_of_somebody_else_fails_the_request_and_names_it(world: World) -> None:
    caller = world.account()
    shown = ask(caller, {"names": ["www.example.test"]})[2]
    [(owner, value)] = records(shown)
    world.servers[NAMESERVER] = honest(f"{owner} CNAME {value}", 'example.test. CAA 0 issue "other-ca.test"')
    world.run_due()
    after = look(caller, shown["id"])
    assert after["status"] == "FAILED"
    assert after["failure_reason"] == "CAA_ERROR"
    assert "ca_certificate" not in kept(world, caller)


def ask(caller: Caller, body: Body) -> tuple[int, str, dict[str, Any]]:
    """POST /v1/certificates: status, problem code ("" for none), the document."""
    answer = caller.v1("POST", "/certificates", body)
    document: dict[str, Any] = json.loads(answer.body)
    return answer.status, str(document.get("code", "")), document


def look(caller: Caller, number: str) -> dict[str, Any]:
    answer = caller.v1("GET", f"/certificates/{number}")
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.body)
    return found


BAD_NAMES = {
    "a label of 64 octets": (f"{'a' * 64}.example.test", "63"),
    "more than 253 octets": (".".join(["a" * 60] * 5), "253"),
    "an IDN": ("bücher.example.test", "xn--"),
    "a line end": ("host.example.test\n", ""),
    "NUL": ("host\x00.example.test", ""),
    "a space": ("host .example.test", ""),
    "one label": ("localhost", ""),
    "an address": ("192.0.2.1", ""),
    "two wildcards": ("*.*.example.test", ""),
    "a wildcard inside": ("www.*.example.test", ""),
    "an empty label": ("www..example.test", ""),
    "nothing": ("", ""),
    "a surrogate": ("\ud800.example.test", "not valid JSON"),
}


@pytest.mark.parametrize("fault", BAD_NAMES)
def test_a_name_that_cannot_be_is_refused_by_the_http_api(shared_world: World, fault: str) -> None:
    caller = shared_world.account()
    name, says = BAD_NAMES[fault]
    answer = caller.v1("POST", "/certificates", {"names": ["good.example.test", name]})
    status, code_, detail = problem(answer)
    assert status == 400
    assert code_ in {"InvalidParameterException", "ValidationException", "SerializationException"}
    assert says in detail
    assert kept(shared_world, caller) == {}


@pytest.mark.parametrize("fault", [name for name in BAD_NAMES if name != "a surrogate"])
def test_a_name_that_cannot_be_is_refused_by_acm(shared_world: World, fault: str) -> None:
    caller = shared_world.account()
    acm = caller.client(checked=False)
    code_, message, status = refused_certificate(
        lambda: acm.request_certificate(DomainName=BAD_NAMES[fault][0], ValidationMethod="DNS")
    )
    assert status == 400
    assert code_ in {"InvalidParameterException", "ValidationException"}
    assert message
    assert kept(shared_world, caller) == {}


def test_a_hundred_and_one_names_are_one_too_many(shared_world: World) -> None:
    caller = shared_world.account()
    names = [f"n{number}.example.test" for number in range(101)]
    status, code_, detail = problem(caller.v1("POST", "/certificates", {"names": names}))
    assert (status, code_) == (429, "LimitExceededException")
    assert "101" in detail
    assert kept(shared_world, caller) == {}


def named(*names: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names])


def bad_signature() -> str:
    pem, _ = csr("www.example.test")
    der = bytearray(x509.load_pem_x509_csr(pem.encode()).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    armoured = base64.encodebytes(bytes(der)).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{armoured}-----END CERTIFICATE REQUEST-----\n"


def changed_names() -> str:
    """Signed for one name, then changed to another of the same length."""
    pem, _ = csr("www.example.test")
    der = x509.load_pem_x509_csr(pem.encode()).public_bytes(serialization.Encoding.DER)
    armoured = base64.encodebytes(der.replace(b"www.example.test", b"www.examp1e.test")).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{armoured}-----END CERTIFICATE REQUEST-----\n"


BAD_REQUESTS: dict[str, tuple[Callable[[], Body], str]] = {
    "a bad signature": (bad_signature, "sign"),
    "names changed after signing": (changed_names, "sign"),
    "RSA-1024": (lambda: csr("www.example.test", key=rsa.generate_private_key(65537, 1024))[0], "1024"),
    "a curve that is not served": (
        lambda: csr("www.example.test", key=ec.generate_private_key(ec.SECP256K1()))[0],
        "",
    ),
    "DSA": (lambda: csr("www.example.test", key=dsa.generate_private_key(2048))[0], ""),
    "no name": (lambda: csr()[0], "name"),
    "a common name outside the names": (
        lambda: csr("www.example.test", subject=named("other.example.test"))[0],
        "other.example.test",
    ),
    "101 names": (lambda: csr(*(f"n{number}.example.test" for number in range(101)))[0], "101"),
    "a label of 64 octets": (lambda: csr(f"{'a' * 64}.example.test")[0], "63"),
    "a line end in a name": (lambda: csr("host.example.test\n")[0], ""),
    "no PEM": (lambda: "hello", "PEM"),
    "two blocks": (lambda: csr("a.example.test")[0] + csr("b.example.test")[0], "one"),
    "a certificate": (
        lambda: "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "CERTIFICATE REQUEST",
    ),
    "cut short": (lambda: csr("a.example.test")[0][:200] + "\n-----END CERTIFICATE REQUEST-----\n", ""),
    "a name outside the request": (
        lambda: {"csr": csr("www.example.test")[0], "names": ["www.example.test", "other.example.test"]},
        "other.example.test",
    ),
    "a key algorithm beside a key": (
        lambda: {"csr": csr("www.example.test")[0], "key_algorithm": "RSA_2048"},
        "key_algorithm",
    ),
    "neither names nor a request": (dict, "CSR"),
    "an unknown member": (lambda: {"names": ["a.example.test"], "comon_name": "x"}, "comon_name"),
    "a Region that is none": (lambda: {"names": ["a.example.test"], "region": "Mars"}, "region"),
}


@pytest.mark.parametrize("fault", BAD_REQUESTS)
def test_a_signing_request_that_does_not_do_is_refused_and_says_why(shared_world: World, fault: str) -> None:
    caller = shared_world.account()
    make, says = BAD_REQUESTS[fault]
    body = make()
    headers = {"content-type": "application/x-pem-file"} if isinstance(body, str) else {}
    status, code_, detail = problem(caller.v1("POST", "/certificates", body, headers=headers))
    assert status in {400, 429}
    assert code_ in {"InvalidParameterException", "ValidationException", "LimitExceededException"}
    assert says in detail
    assert "Traceback" not in detail
    assert kept(shared_world, caller) == {}


def test_a_private_key_sent_by_mistake_is_refused_and_not_repeated(shared_world: World) -> None:
    caller = shared_world.account()
    secret = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    answer = caller.v1("POST", "/certificates", secret, headers={"content-type": "application/x-pem-file"})
    assert problem(answer)[0] == 400
    assert secret.splitlines()[1] not in answer.body
    assert kept(shared_world, caller) == {}
