"""CRLs as a CA's configuration has them, through boto3: where certificates point, what is there, and in which bucket."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from ca import FolderSink
from ca.errors import SinkUnavailable
from tests.api.pca.acting import Hierarchy, activate, create, hierarchy, request
from tests.api.pca.test_authorities import fails
from tests.support.world import World

HERE = "http://127.0.0.1:8750"
CRL = {"Enabled": True, "ExpirationInDays": 10}


def made_with(pca: Any, crl: dict[str, Any], **more: Any) -> Hierarchy:
    return hierarchy(pca, RevocationConfiguration={"CrlConfiguration": crl, **more})


def leaf(made: Hierarchy) -> x509.Certificate:
    return made.certificate(made.issue(request("host.example.com")))


def crl_url(certificate: x509.Certificate) -> str | None:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    except x509.ExtensionNotFound:
        return None
    (point,) = points.value
    assert point.full_name is not None
    assert not points.critical
    return str(point.full_name[0].value)


def access(certificate: x509.Certificate) -> dict[str, str]:
    """Method to URL of the AIA."""
    extension = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    assert not extension.critical
    return {each.access_method._name: each.access_location.value for each in extension.value}


def identifier(arn: str) -> str:
    return arn.rpartition("/")[2]


def header(answer: Any, name: str) -> str:
    return next(str(value) for key, value in answer.headers if key.lower() == name)


def got(world: World, url: str) -> x509.CertificateRevocationList:
    answer = world.http("GET", url.removeprefix(HERE))
    assert header(answer, "content-type") == "application/pkix-crl"
    return x509.load_der_x509_crl(answer.body)


def bucket(world: World, name: str) -> Path:
    """As the operator makes one."""
    folder = world.data / "buckets" / name
    folder.mkdir(parents=True)
    return folder


def test_a_certificate_says_where_its_crl_and_its_issuers_certificate_are(
    shared_world: World, pca: Any
) -> None:
    made = made_with(pca, CRL)
    certificate, name = leaf(made), identifier(made.subordinate)
    assert crl_url(certificate) == f"{HERE}/pki/{name}.crl"
    assert access(certificate) == {"caIssuers": f"{HERE}/pki/{name}.crt"}
    shared_world.run_due()
    crl = got(shared_world, f"{HERE}/pki/{name}.crl")
    assert crl.next_update_utc is not None
    assert crl.next_update_utc - crl.last_update_utc == timedelta(days=10)
    issuer = x509.load_der_x509_certificate(shared_world.http("GET", f"/pki/{name}.crt").body)
    certificate.verify_directly_issued_by(issuer)
    assert crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # an EC key


def test_without_a_crl_a_certificate_names_none_and_none_is_served(shared_world: World, pca: Any) -> None:
    made = hierarchy(pca)
    assert crl_url(leaf(made)) is None
    shared_world.run_due()
    assert shared_world.http("GET", f"/pki/{identifier(made.subordinate)}.crl").status == 404


def test_a_short_lived_ca_has_neither_crl_nor_ocsp(shared_world: World, pca: Any) -> None:
    made = hierarchy(pca, UsageMode="SHORT_LIVED_CERTIFICATE")
    certificate = made.certificate(
        made.issue(request("host.example.com"), Validity={"Type": "DAYS", "Value": 7})
    )
    assert crl_url(certificate) is None
    assert set(access(certificate)) == {"caIssuers"}
    shared_world.run_due()
    assert shared_world.http("GET", f"/pki/{identifier(made.subordinate)}.crl").status == 404


def test_a_root_names_no_crl_and_a_subordinate_names_its_parents(pca: Any) -> None:
    root = create(pca, RevocationConfiguration={"CrlConfiguration": CRL})
    activate(pca, root, root, "RootCACertificate", "EC_prime256v1", 10)
    subordinate = create(pca, "SUBORDINATE", "Below")
    activate(pca, subordinate, root, "SubordinateCACertificate_PathLen0", "EC_prime256v1", 5)
    own, below = (
        x509.load_pem_x509_certificate(
            pca.get_certificate_authority_certificate(CertificateAuthorityArn=arn)["Certificate"].encode()
        )
        for arn in (root, subordinate)
    )
    assert crl_url(own) is None
    assert crl_url(below) == f"{HERE}/pki/{identifier(root)}.crl"


@pytest.mark.parametrize(
    ("crl", "url"),
    [
        ({"CustomCname": "crl.example.test"}, "http://crl.example.test/crl/{id}.crl"),
        ({"CustomCname": "crl.example.test", "CustomPath": "a/b"}, "http://crl.example.test/a/b/{id}.crl"),
        ({"CrlDistributionPointExtensionConfiguration": {"OmitExtension": True}}, None),
        ({"CrlDistributionPointExtensionConfiguration": {"OmitExtension": False}}, f"{HERE}/pki/{{id}}.crl"),
    ],
)
def test_the_configuration_says_what_certificates_say(
    shared_world: World, pca: Any, crl: dict[str, Any], url: str | None
) -> None:
    made = made_with(pca, CRL | crl)
    name = identifier(made.subordinate)
    assert crl_url(leaf(made)) == (None if url is None else url.replace("{id}", name))
    shared_world.run_due()
    assert got(shared_world, f"/pki/{name}.crl") == got(shared_world, f"/crl/{name}.crl")


def test_an_update_takes_effect_for_the_next_certificate_and_leaves_earlier_ones(
    shared_world: World, pca: Any
) -> None:
    made = hierarchy(pca)
    before = made.issue(request("host.example.com"))
    pca.update_certificate_authority(
        CertificateAuthorityArn=made.subordinate, RevocationConfiguration={"CrlConfiguration": CRL}
    )
    assert crl_url(leaf(made)) is not None
    assert crl_url(made.certificate(before)) is None
    described = pca.describe_certificate_authority(CertificateAuthorityArn=made.subordinate)
    shown = described["CertificateAuthority"]["RevocationConfiguration"]
    assert shown == {"CrlConfiguration": CRL, "OcspConfiguration": {"Enabled": False}}
    pca.update_certificate_authority(
        CertificateAuthorityArn=made.subordinate,
        RevocationConfiguration={"CrlConfiguration": {"Enabled": False}},
    )
    assert crl_url(leaf(made)) is None
    shared_world.run_due()
    assert shared_world.http("GET", f"/pki/{identifier(made.subordinate)}.crl").status == 404


@pytest.mark.parametrize(
    ("crl", "what"),
    [
        ({"S3BucketName": "no-such-bucket"}, "no-such-bucket"),
        ({"S3BucketName": "../buckets"}, "name of a bucket"),
        ({"S3BucketName": "a/b"}, "name of a bucket"),
        ({"CustomCname": "http://crl.example.test"}, "protocol prefix"),
        ({"CustomPath": "a/../b"}, "CustomPath"),
        (
            {
                "CustomCname": "crl.example.test",
                "CrlDistributionPointExtensionConfiguration": {"OmitExtension": True},
            },
            "OmitExtension",
        ),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(pca: Any, crl: dict[str, Any], what: str) -> None:
    given: dict[str, Any] = {"RevocationConfiguration": {"CrlConfiguration": CRL | crl}}
    with pytest.raises(pca.exceptions.InvalidArgsException, match=what):
        create(pca, **given)
    made = hierarchy(pca)
    assert what in fails(
        pca,
        "InvalidArgsException",
        "update_certificate_authority",
        CertificateAuthorityArn=made.subordinate,
        **given,
    )


def test_crls_are_put_into_the_bucket_and_a_new_bucket_gets_the_next(shared_world: World, pca: Any) -> None:
    first, second = bucket(shared_world, "crls"), bucket(shared_world, "more-crls")
    made = made_with(pca, CRL | {"S3BucketName": "crls"})
    name = identifier(made.subordinate)
    shared_world.run_due()
    delivered = first / "crl" / f"{name}.crl"
    assert delivered.read_bytes() == shared_world.http("GET", f"/pki/{name}.crl").body
    assert delivered.stat().st_mode & 0o777 == 0o644
    changed = CRL | {
        "S3BucketName": "more-crls",
        "S3ObjectAcl": "BUCKET_OWNER_FULL_CONTROL",
        "CrlType": "PARTITIONED",
    }
    pca.update_certificate_authority(
        CertificateAuthorityArn=made.subordinate, RevocationConfiguration={"CrlConfiguration": changed}
    )
    old = delivered.read_bytes()
    url = crl_url(leaf(made)) or ""
    shared_world.run_due()
    assert delivered.read_bytes() == old
    partition = second / "crl" / name / url.rpartition("/")[2]
    assert x509.load_der_x509_crl(partition.read_bytes()) == got(shared_world, url)
    assert partition.stat().st_mode & 0o777 == 0o600
    assert len(list((second / "crl" / name).iterdir())) == 16


def test_a_bucket_that_went_away_holds_up_no_crl(shared_world: World, pca: Any) -> None:
    folder = bucket(shared_world, "lost-crls")
    made = made_with(pca, CRL | {"S3BucketName": "lost-crls"})
    name = identifier(made.subordinate)
    folder.rename(folder.with_name("gone"))
    shared_world.run_due()
    first = got(shared_world, f"/pki/{name}.crl")
    folder.with_name("gone").rename(folder)
    shared_world.advance(timedelta(minutes=15))
    assert x509.load_der_x509_crl((folder / "crl" / f"{name}.crl").read_bytes()) != first


def test_a_crl_is_asked_for_again_by_its_entity_tag(shared_world: World, pca: Any) -> None:
    made = made_with(pca, CRL)
    shared_world.run_due()
    path = f"/pki/{identifier(made.subordinate)}.crl"
    answer = shared_world.http("GET", path)
    tag = header(answer, "etag")
    assert "max-age=60" in header(answer, "cache-control")
    assert header(answer, "last-modified").endswith("GMT")
    again = shared_world.http("GET", path, headers={"if-none-match": tag})
    assert (again.status, again.body) == (304, b"")
    pca.revoke_certificate(
        CertificateAuthorityArn=made.subordinate,
        CertificateSerial=f"{leaf(made).serial_number:x}",
        RevocationReason="KEY_COMPROMISE",
    )
    shared_world.advance(timedelta(seconds=60))
    assert shared_world.http("GET", path, headers={"if-none-match": tag}).status == 200


def test_a_revocation_is_published_within_sixty_seconds(shared_world: World, pca: Any) -> None:
    made = made_with(pca, CRL)
    certificate = leaf(made)
    shared_world.run_due()
    pca.revoke_certificate(
        CertificateAuthorityArn=made.subordinate,
        CertificateSerial=f"{certificate.serial_number:x}",
        RevocationReason="SUPERSEDED",
    )
    shared_world.advance(timedelta(seconds=60))
    (entry,) = got(shared_world, crl_url(certificate) or "")
    assert entry.serial_number == certificate.serial_number


def test_openssl_and_gnutls_check_against_the_crl_that_the_certificate_names(
    world: World, tmp_path: Path
) -> None:
    pca = world.account().client("acm-pca")
    made = made_with(pca, CRL | {"CrlType": "PARTITIONED"})
    good, bad = leaf(made), leaf(made)
    pca.revoke_certificate(
        CertificateAuthorityArn=made.subordinate,
        CertificateSerial=f"{bad.serial_number:x}",
        RevocationReason="KEY_COMPROMISE",
    )
    world.advance(timedelta(0))  # certtool believes the system's clock alone
    issuer = pca.get_certificate_authority_certificate(CertificateAuthorityArn=made.subordinate)
    (tmp_path / "ca").write_text(issuer["Certificate"])
    at = str(int(world.worker.clock.now().timestamp()))
    for certificate, code in ((good, 0), (bad, 2)):
        crl = got(world, crl_url(certificate) or "")
        (tmp_path / "crl").write_bytes(crl.public_bytes(Encoding.PEM))
        (tmp_path / "leaf").write_bytes(certificate.public_bytes(Encoding.PEM))
        done = subprocess.run(
            ["openssl", "verify", "-crl_check", "-partial_chain", "-attime", at, "-CAfile", tmp_path / "ca",
             "-CRLfile", tmp_path / "crl", tmp_path / "leaf"],
            check=False, capture_output=True,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        shown = subprocess.run(
            ["openssl", "crl", "-in", tmp_path / "crl", "-noout", "-text"], check=True, capture_output=True
        )
        assert b"Issuing Distribution Point: critical" in shown.stdout
        told = subprocess.run(
            ["certtool", "--verify-crl", "--infile", tmp_path / "crl", "--load-ca-certificate", tmp_path / "ca"],
            check=False, capture_output=True,
        )  # fmt: skip
        assert b"Verified" in told.stdout, told.stdout + told.stderr


def test_a_number_is_never_given_out_twice_when_the_database_was_put_back(world: World) -> None:
    pca = world.account().client("acm-pca")
    made = made_with(pca, CRL)
    name = identifier(made.subordinate)
    for _ in range(3):
        world.run_due()
        world.advance(timedelta(days=5))
    last = number(got(world, f"/pki/{name}.crl"))
    world.scheduler.shipper.ship()
    forget_numbers(world, name)
    world.advance(timedelta(days=5))
    assert number(got(world, f"/pki/{name}.crl")) > last


def number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def forget_numbers(world: World, authority_id: str) -> None:
    """What an older copy of the database would say."""
    from sqlalchemy import delete, update
    from sqlmodel import col

    from ca.tables import AuthorityRow, CrlRow

    with world.worker.store._write_engine.begin() as connection:
        connection.execute(
            update(AuthorityRow).where(col(AuthorityRow.id) == authority_id).values(crl_number=0)
        )
        connection.execute(delete(CrlRow).where(col(CrlRow.authority_id) == authority_id))


def test_a_bucket_that_cannot_be_asked_now_is_refused_by_an_error_of_the_operation(
    pca: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """RequestFailedException is in the model of neither."""
    made = hierarchy(pca)

    def away(*_: Any, **__: Any) -> None:
        raise SinkUnavailable("the S3 server does not answer")

    monkeypatch.setattr(FolderSink, "check", away)
    given: dict[str, Any] = {"RevocationConfiguration": {"CrlConfiguration": CRL | {"S3BucketName": "crls"}}}
    with pytest.raises(pca.exceptions.InvalidArgsException, match="does not answer"):
        create(pca, **given)
    with pytest.raises(pca.exceptions.InvalidArgsException, match="does not answer"):
        pca.update_certificate_authority(CertificateAuthorityArn=made.subordinate, **given)
