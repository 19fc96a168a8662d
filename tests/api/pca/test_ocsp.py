"""OCSP through the front door: what is switched on by the API, asked over HTTP, and seen revoked."""

import base64
import time
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from ca.ocsp import MAX_REQUEST
from foundation.wire import Response
from tests.api.pca.acting import Hierarchy, create, hierarchy, request
from tests.support.world import Caller, World

ON = {"OcspConfiguration": {"Enabled": True}}


@pytest.fixture(scope="module")
def made(shared_world: World) -> Hierarchy:
    """A hierarchy with OCSP, as AWS's guide switches it on."""
    pca = shared_world.account().client("acm-pca")
    built = hierarchy(pca)
    for arn in (built.root, built.subordinate):
        pca.update_certificate_authority(CertificateAuthorityArn=arn, RevocationConfiguration=ON)
    return built


def issuer(made: Hierarchy) -> x509.Certificate:
    got = made.pca.get_certificate_authority_certificate(CertificateAuthorityArn=made.subordinate)
    return x509.load_pem_x509_certificate(got["Certificate"].encode())


def place(arn: str) -> str:
    return f"/pki/{arn.rpartition('/')[2]}/ocsp"


def asked(certificate: x509.Certificate, by: x509.Certificate, nonce: bytes | None = None) -> bytes:
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, by, hashes.SHA1())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def post(world: World, path: str, body: bytes) -> Response:
    return world.http("POST", path, body=body, headers={"content-type": "application/ocsp-request"})


def read(answer: Response) -> ocsp.OCSPResponse:
    assert (answer.status, dict(answer.headers)["content-type"]) == (200, "application/ocsp-response")
    return ocsp.load_der_ocsp_response(answer.body)


def test_a_certificate_names_the_responder_that_says_it_is_good_and_then_revoked(
    shared_world: World, made: Hierarchy
) -> None:
    leaf, by = made.certificate(made.issue(request("host.example.com"))), issuer(made)
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    (url,) = (
        each.access_location.value
        for each in access
        if each.access_method == AuthorityInformationAccessOID.OCSP
    )
    path = place(made.subordinate)
    assert url.endswith(path)
    text = base64.b64encode(asked(leaf, by)).decode()
    for answer in (
        shared_world.http("GET", f"{path}/{quote(text, safe='')}"),
        post(shared_world, path, asked(leaf, by)),
    ):
        assert read(answer).certificate_status is ocsp.OCSPCertStatus.GOOD
    serial = f"{leaf.serial_number:x}"
    made.pca.revoke_certificate(
        CertificateAuthorityArn=made.subordinate, CertificateSerial=serial, RevocationReason="KEY_COMPROMISE"
    )
    response = read(shared_world.http("GET", f"{path}/{quote(text, safe='')}"))
    assert response.certificate_status is ocsp.OCSPCertStatus.REVOKED
    assert response.revocation_reason is x509.ReasonFlags.key_compromise


def test_an_authority_without_ocsp_is_unauthorized_and_none_at_all_is_not_found(
    shared_world: World, made: Hierarchy, pca: Any
) -> None:
    other = hierarchy(pca)
    leaf = other.certificate(other.issue(request("host.example.com")))
    assert not [
        each
        for each in leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
        if each.access_method == AuthorityInformationAccessOID.OCSP
    ]
    body = asked(leaf, issuer(other))
    unauthorized = ocsp.OCSPResponseStatus.UNAUTHORIZED
    assert read(post(shared_world, place(other.subordinate), body)).response_status is unauthorized
    assert read(post(shared_world, place(made.subordinate), body)).response_status is unauthorized
    for nobody in ("00000000-0000-4000-8000-000000000000", "x" * 36):
        assert post(shared_world, f"/pki/{nobody}/ocsp", body).status == 404


def test_a_path_is_read_as_clients_write_it(shared_world: World, made: Hierarchy) -> None:
    leaf, by = made.certificate(made.issue(request("host.example.com"))), issuer(made)
    plain = base64.b64encode(asked(leaf, by)).decode()
    bare = plain.rstrip("=")
    for text in (
        plain,
        bare,
        quote(plain, safe=""),
        quote(bare, safe=""),
        quote(quote(plain, safe=""), safe=""),
        plain.replace("+", "-").replace("/", "_"),
        f"/{plain}",
    ):
        response = read(shared_world.http("GET", f"{place(made.subordinate)}/{text}"))
        assert response.response_status is ocsp.OCSPResponseStatus.SUCCESSFUL, text


def test_what_is_no_request_is_malformed_and_answered_with_200(shared_world: World, made: Hierarchy) -> None:
    path = place(made.subordinate)
    bad = [
        shared_world.http("GET", path),
        shared_world.http("GET", f"{path}/"),
        shared_world.http("GET", f"{path}/not*base64"),
        shared_world.http("GET", f"{path}/AAAAA"),
        shared_world.http("GET", f"{path}/%C3%A9"),
        shared_world.http("GET", f"{path}/{'A' * 100_000}"),
        post(shared_world, path, b""),
        post(shared_world, path, b"\x30\x00"),
        post(shared_world, path, bytes(MAX_REQUEST + 1)),
    ]
    for answer in bad:
        assert read(answer).response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
        assert dict(answer.headers)["cache-control"] == "no-store"
    assert shared_world.http("PUT", path).status == 405


def test_caches_keep_an_answer_until_it_is_signed_anew(shared_world: World, made: Hierarchy) -> None:
    leaf, by = made.certificate(made.issue(request("host.example.com"))), issuer(made)
    text = base64.b64encode(asked(leaf, by)).decode().replace("/", "%2F")
    path = f"{place(made.subordinate)}/{text}"
    first = shared_world.http("GET", path)
    headers, response = dict(first.headers), read(first)
    assert parsedate_to_datetime(headers["last-modified"]) == response.this_update_utc
    assert parsedate_to_datetime(headers["expires"]) == response.next_update_utc
    directives = headers["cache-control"].split(", ")
    assert directives[1:] == ["public", "no-transform", "must-revalidate"]
    assert 3500 <= int(directives[0].removeprefix("max-age=")) <= 3600
    unchanged = shared_world.http("GET", path, headers={"if-none-match": headers["etag"]})
    assert (unchanged.status, unchanged.body) == (304, b"")
    head = shared_world.http("HEAD", path)
    assert (head.status, head.body, dict(head.headers)["etag"]) == (200, b"", headers["etag"])
    shared_world.advance(timedelta(minutes=61))
    assert dict(shared_world.http("GET", path).headers)["etag"] != headers["etag"]


def test_a_nonce_comes_back_and_its_answer_is_kept_by_nobody(shared_world: World, made: Hierarchy) -> None:
    leaf, by = made.certificate(made.issue(request("host.example.com"))), issuer(made)
    text = quote(base64.b64encode(asked(leaf, by, b"sixteen octets..")).decode(), safe="")
    answer = shared_world.http("GET", f"{place(made.subordinate)}/{text}")
    nonce = read(answer).extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    assert nonce == b"sixteen octets.."
    assert dict(answer.headers)["cache-control"] == "no-store"


def test_ocsp_is_described_as_it_was_switched_on_and_off(both: Any) -> None:
    custom = {"OcspConfiguration": {"Enabled": True, "OcspCustomCname": "ocsp.example.com"}}
    arn = create(both, RevocationConfiguration=custom)
    described = both.describe_certificate_authority(CertificateAuthorityArn=arn)["CertificateAuthority"]
    assert described["RevocationConfiguration"]["OcspConfiguration"] == custom["OcspConfiguration"]


def test_a_cname_has_no_protocol_prefix(pca: Any) -> None:
    custom = {"OcspConfiguration": {"Enabled": True, "OcspCustomCname": "http://ocsp.example.com"}}
    with pytest.raises(pca.exceptions.InvalidArgsException, match="prefix"):
        create(pca, RevocationConfiguration=custom)


def test_a_short_lived_authority_has_no_ocsp(pca: Any) -> None:
    with pytest.raises(pca.exceptions.InvalidArgsException, match="SHORT_LIVED"):
        create(pca, UsageMode="SHORT_LIVED_CERTIFICATE", RevocationConfiguration=ON)


def test_a_disabled_authority_still_answers(shared_world: World, caller: Caller) -> None:
    pca = caller.client("acm-pca")
    made = hierarchy(pca)
    pca.update_certificate_authority(CertificateAuthorityArn=made.subordinate, RevocationConfiguration=ON)
    leaf, by = made.certificate(made.issue(request("host.example.com"))), issuer(made)
    pca.update_certificate_authority(CertificateAuthorityArn=made.subordinate, Status="DISABLED")
    time.sleep(shared_world.worker.store.staleness)
    path = place(made.subordinate)
    assert read(post(shared_world, path, asked(leaf, by))).certificate_status is ocsp.OCSPCertStatus.GOOD
    pca.delete_certificate_authority(CertificateAuthorityArn=made.subordinate)
    time.sleep(shared_world.worker.store.staleness)
    deleted = read(post(shared_world, path, asked(leaf, by)))
    assert deleted.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
