"""/v1, /pki, health and the front page: plain HTTP, as curl meets them."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from server.admin.commands import COMMANDS
from server.admin.protocol import CommandFailed
from tests.support.world import REGION, Caller, World, csr, problem

PEM = {"content-type": "application/x-pem-file"}


def document(answer: Any, status: int = 200) -> dict[str, Any]:
    assert answer.status == status, answer.body
    found: dict[str, Any] = json.loads(answer.body)
    return found


def spki(key: Any) -> bytes:
    octets: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return octets


@pytest.mark.parametrize("as_json", [True, False])
def test_a_signing_request_is_certified_and_renewed_for_the_same_key(world: World, *, as_json: bool) -> None:
    caller = world.account()
    token = caller.token()
    pem, key = csr("app.example.test", key=rsa.generate_private_key(65537, 2048))
    sent: Any = {"csr": pem} if as_json else pem
    shown = document(
        caller.v1("POST", "/certificates", sent, token=token, headers={} if as_json else PEM), 201
    )
    assert shown["status"] == "PENDING_VALIDATION"
    assert shown["domains"][0]["record"]["type"] == "CNAME"
    where = f"/certificates/{shown['id']}"
    status, code, _ = problem(caller.v1("GET", f"{where}/chain.pem", token=token))
    assert (status, code) == (409, "RequestInProgressException")

    world.publish(shown)
    world.run_due()
    first = document(caller.v1("GET", where, token=token))
    assert first["status"] == "ISSUED"
    chain = x509.load_pem_x509_certificates(caller.v1("GET", f"{where}/chain.pem", token=token).body)
    assert [certificate.issuer for certificate in chain[:-1]] == [
        certificate.subject for certificate in chain[1:]
    ]
    for certificate, issuer in zip(chain, [*chain[1:], chain[-1]], strict=True):
        certificate.verify_directly_issued_by(issuer)
    assert spki(chain[0].public_key()) == spki(key.public_key())

    world.advance(timedelta(days=160))
    second = document(caller.v1("GET", where, token=token))
    renewed = x509.load_pem_x509_certificate(second["certificate"].encode())
    assert second["serial"] != first["serial"]
    assert renewed.not_valid_after_utc > chain[0].not_valid_after_utc
    assert spki(renewed.public_key()) == spki(key.public_key())

    assert caller.v1("DELETE", where, token=token).status == 204
    assert problem(caller.v1("GET", where, token=token))[:2] == (404, "ResourceNotFoundException")


def test_of_a_signing_requests_names_only_the_wanted_are_certified(world: World) -> None:
    caller = world.account()
    authority, _ = world.private_ca(caller)
    pem, _ = csr("a.example.test", "b.example.test")
    wanted = {
        "csr": pem,
        "names": ["b.example.test"],
        "certificate_authority_arn": authority,
        "region": REGION,
    }
    shown = document(caller.v1("POST", "/certificates", wanted), 201)
    assert shown["names"] == ["b.example.test"]


def test_under_a_private_ca_a_signing_request_is_answered_with_its_certificate(world: World) -> None:
    caller = world.account()
    authority, root = world.private_ca(caller, "us-east-1")
    pem, key = csr("db.internal.test")
    query = f"/certificates?certificate_authority_arn={authority}"
    shown = document(caller.v1("POST", query, pem, headers=PEM), 201)
    assert shown["status"] == "ISSUED"
    leaf = x509.load_pem_x509_certificate(shown["certificate"].encode())
    issuer, top = x509.load_pem_x509_certificates(shown["chain"].encode())
    leaf.verify_directly_issued_by(issuer)
    assert top == x509.load_pem_x509_certificate(root.encode())
    assert spki(leaf.public_key()) == spki(key.public_key())


def test_a_certificate_may_have_the_longest_validity_that_may_be_set(
    make_world: Callable[..., World],
) -> None:
    world = make_world({"certificate.validity_days": "824"})
    caller = world.account()
    authority, _ = world.private_ca(caller)
    body = {"csr": csr("a.example.test")[0], "certificate_authority_arn": authority, "region": REGION}
    assert document(caller.v1("POST", "/certificates", body), 201)["status"] == "ISSUED"


def test_a_repeat_with_the_same_token_is_the_same_certificate(world: World) -> None:
    caller = world.account()
    body = {"names": ["a.example.test"], "idempotency_token": "once"}
    first, again = (document(caller.v1("POST", "/certificates", body), 201) for _ in range(2))
    assert first["id"] == again["id"]
    other = {**body, "names": ["b.example.test"]}
    assert problem(caller.v1("POST", "/certificates", other))[0] == 400


def test_lists_page_by_sealed_tokens(world: World) -> None:
    caller, other = world.account(), world.account()
    token = caller.token()
    made = [
        document(caller.v1("POST", "/certificates", {"names": [f"n{n}.example.test"]}, token=token), 201)[
            "id"
        ]
        for n in range(5)
    ]
    page = document(caller.v1("GET", "/certificates?limit=3", token=token))
    rest = document(caller.v1("GET", f"/certificates?limit=3&next_token={page['next_token']}", token=token))
    assert [item["id"] for item in page["certificates"] + rest["certificates"]] == made
    assert rest["next_token"] is None
    assert problem(other.v1("GET", f"/certificates?next_token={page['next_token']}"))[0] == 400
    assert document(other.v1("GET", "/certificates"))["certificates"] == []
    assert problem(other.v1("GET", f"/certificates/{made[0]}"))[0] == 404
    assert problem(other.v1("DELETE", f"/certificates/{made[0]}"))[0] == 404


BAD_TOKENS = {
    "none": {},
    "another scheme": {"authorization": "Basic YTpi"},
    "no token": {"authorization": "Bearer "},
    "unknown": {"authorization": "Bearer ks_" + "A" * 43},
    "not ASCII": {"authorization": "Bearer ks_\xe9"},
    "long": {"authorization": "Bearer " + "x" * 10_000},
}


@pytest.mark.parametrize("fault", BAD_TOKENS)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/certificates"), ("POST", "/v1/certificates"), ("DELETE", "/v1/certificates/x")],
)
def test_no_good_token_no_answer(shared_world: World, fault: str, method: str, path: str) -> None:
    path = path.replace("/x", "/12345678-1234-1234-1234-123456789012")
    headers = {**BAD_TOKENS[fault], "content-type": "application/json"}
    answer = shared_world.http(method, path, body='{"names": ["a.example.test"]}', headers=headers)
    assert problem(answer)[0] == 401
    assert dict(answer.headers)["WWW-Authenticate"] == "Bearer"


def test_a_revoked_token_opens_nothing(world: World) -> None:
    caller = world.account()
    made = world.scheduler.bearer.create(caller.made.admin_arn)
    assert caller.v1("GET", "/certificates", token=made.token).status == 200
    world.scheduler.bearer.revoke(made.token_id)
    assert problem(caller.v1("GET", "/certificates", token=made.token))[0] == 401


BROKEN = {
    "no JSON": ("{", "application/json", 400),
    "a list": ("[]", "application/json", 400),
    "deep": ("[" * 100_000, "application/json", 400),
    "a huge integer": ('{"names": [' + "9" * 5000 + "]}", "application/json", 400),
    "not UTF-8": (b'{"names": ["\xff"]}', "application/json", 400),
    "nothing": ("", "application/json", 400),
    "another content type": ("names=a", "application/x-www-form-urlencoded", 400),
    "too large": ('{"names": ["' + "x" * 1_100_000 + '"]}', "application/json", 413),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_body_that_cannot_be_read_is_a_problem_document(shared_world: World, fault: str) -> None:
    body, content_type, status = BROKEN[fault]
    answer = shared_world.account().v1("POST", "/certificates", body, headers={"content-type": content_type})
    assert problem(answer)[0] == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/certificates/not-an-id", 400),
        ("GET", "/v1/certificates?limit=0", 400),
        ("GET", "/v1/certificates?limit=x", 400),
        ("GET", "/v1/certificates?region=Mars", 400),
        ("GET", "/v1/certificates?region=us-east-99", 400),
        ("GET", "/v1/certificates?unknown=1", 400),
        ("GET", "/v1/certificates?next_token=x", 400),
        ("GET", "/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/v1/certificates", 405),
        ("GET", "/pki/nothing.crt", 404),
        ("GET", "/pki/../../etc/passwd", 404),
        ("GET", "/pki/%2e%2e/%00", 404),
    ],
)
def test_what_is_not_there_is_a_problem_document(
    shared_world: World, method: str, path: str, status: int
) -> None:
    headers = {"authorization": f"Bearer {shared_world.account().token()}"}
    assert problem(shared_world.http(method, path, headers=headers))[0] == status


def test_an_answer_names_its_request_as_the_trail_does(shared_world: World) -> None:
    answer = shared_world.account().v1("GET", "/certificates")
    assert answer.status == 200
    request_id = dict(answer.headers)["x-amzn-RequestId"]
    shared_world.scheduler.shipper.ship()
    (event,) = shared_world.scheduler.trail_index.of_request(request_id)
    assert json.loads(event)["eventName"] == "ListCertificates"


def test_nothing_is_asked_for_in_a_region_that_no_signed_request_could_name(shared_world: World) -> None:
    caller = shared_world.account()
    body = {"names": ["a.example.test"], "region": "xx-nowhere-1"}
    status, code, detail = problem(caller.v1("POST", "/certificates", body))
    assert (status, code) == (400, "ValidationException")
    assert "xx-nowhere-1 is not a Region that is served here" in detail
    with pytest.raises(CommandFailed, match="mars is not a Region that is served here: write one of AWS's"):
        COMMANDS["ca.init"](
            shared_world.scheduler, {"account": caller.account, "region": "mars"}, lambda _: None
        )


def test_the_operators_list_of_regions_binds_the_http_api_too(make_world: Callable[..., World]) -> None:
    world = make_world({"regions": ["eu-central-1"]})
    caller = world.account()
    assert caller.v1("GET", "/certificates?region=eu-central-1").status == 200
    assert problem(caller.v1("GET", "/certificates?region=eu-west-1")) == (
        400,
        "ValidationException",
        "region: eu-west-1 is not a Region that is served here: the served ones are eu-central-1",
    )


def test_the_public_files_of_a_hierarchy(world: World) -> None:
    caller: Caller = world.account()
    token = caller.token()
    shown = document(caller.v1("POST", "/certificates", {"names": ["a.example.test"]}, token=token), 201)
    world.publish(shown)
    world.run_due()
    shown = document(caller.v1("GET", f"/certificates/{shown['id']}", token=token))
    leaf = x509.load_pem_x509_certificate(shown["certificate"].encode())
    issuer, root = x509.load_pem_x509_certificates(shown["chain"].encode())
    roots = world.http("GET", "/pki/roots.pem")
    assert x509.load_pem_x509_certificates(roots.body) == [root]
    assert dict(roots.headers)["Cache-Control"] == "public, max-age=60"

    assert issuer.issuer == root.subject
    leaf.verify_directly_issued_by(issuer)


def test_the_files_of_an_accounts_own_authority_are_public(world: World) -> None:
    caller = world.account()
    authority, root = world.private_ca(caller)
    world.run_due()
    number = authority.rpartition("/")[2]

    def fetched(name: str, content_type: str) -> bytes:
        answer = world.http("GET", f"/pki/{name}")
        assert answer.status == 200, name
        assert dict(answer.headers)["Content-Type"].split(";")[0] == content_type
        return answer.body

    issuer = x509.load_der_x509_certificate(fetched(f"{number}.crt", "application/pkix-cert"))
    assert x509.load_pem_x509_certificate(fetched(f"{number}.pem", "application/x-pem-file")) == issuer
    bundle = x509.load_pem_x509_certificates(fetched(f"{number}/bundle.pem", "application/x-pem-file"))
    assert bundle == [issuer, x509.load_pem_x509_certificate(root.encode())]
    crl = x509.load_der_x509_crl(fetched(f"{number}.crl", "application/pkix-crl"))
    key = issuer.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert crl.is_signature_valid(key)
    assert crl.issuer == issuer.subject
    assert root.encode() not in world.http("GET", "/pki/roots.pem").body


def test_a_browser_is_shown_the_way(shared_world: World) -> None:
    front = shared_world.http("GET", "/")
    assert front.status == 200
    assert b"<h1>keystead</h1>" in front.body
    assert b"/pki/roots.pem" in front.body


def test_operators_see_health_and_numbers(shared_world: World) -> None:
    caller = shared_world.account()
    caller.client("sts").get_caller_identity()
    assert shared_world.http("GET", "/healthz").body == b"ok\n"
    assert shared_world.http("GET", "/readyz").body == b"ready\n"
    numbers = shared_world.http("GET", "/metrics").body.decode()
    assert 'keystead_call_seconds_count{operation="GetCallerIdentity",service="sts"}' in numbers
    assert caller.account not in numbers
