"""What can be asked for, and what is refused before anything is stored."""

import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from acm import (
    AcmSettings,
    InvalidArn,
    InvalidDomainValidationOptions,
    InvalidParameter,
    InvalidTag,
    LimitExceeded,
    ListQuery,
    TooManyTags,
)
from acm.states import Status
from foundation.store import Store
from kms.hsm import CoreClient
from tests.acm.world import World, public_key_of, signing_request, spki


def nothing_is_stored(world: World) -> None:
    everything = ListQuery(key_types=("RSA_2048", "EC_prime256v1"))
    assert world.acm().list(everything).items == ()
    assert world.store.next_due(tuple(world.jobs)) is None


def test_a_request_waits_for_its_proofs(any_world: World) -> None:
    acm = any_world.acm()
    view = acm.view(acm.request("www.example.com"))
    assert view.status == Status.PENDING_VALIDATION
    assert view.key_algorithm == "RSA_2048"
    assert view.type == "AMAZON_ISSUED"
    assert [domain.status for domain in view.domains] == ["PENDING_VALIDATION"]


def test_names_are_kept_once_in_their_only_form_with_the_domain_name_first(world: World) -> None:
    acm = world.acm()
    arn = acm.request("WWW.Example.com", ["a.example.com", "www.example.com", "A.example.com"])
    assert acm.view(arn).names == ("www.example.com", "a.example.com")


@pytest.mark.parametrize(
    "name",
    [
        "host\n.example.com",
        "www.example.com\n",
        "www.exa\x00mple.com",
        "localhost",
        "a.*.example.com",
        "*.*.example.com",
        f"{'a' * 64}.example.com",
        "-a.example.com",
        "example..com",
        "",
    ],
)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_stored(world: World, name: str) -> None:
    with pytest.raises(InvalidParameter):
        world.acm().request(name)
    nothing_is_stored(world)


def test_a_domain_name_has_64_characters_at_most_and_other_names_may_be_longer(world: World) -> None:
    long = f"{'a' * 40}.{'b' * 20}.example.com"
    acm = world.acm()
    with pytest.raises(InvalidParameter, match="64"):
        acm.request(long)
    assert long in acm.view(acm.request("example.com", [long])).names


def test_a_name_with_no_room_for_its_record_can_only_be_private(world: World) -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
    acm = world.acm()
    with pytest.raises(InvalidParameter, match="too long to be proven"):
        acm.request("example.com", [longest])
    arn = acm.request("example.com", [longest], authority_arn=world.private_ca, key_algorithm="EC_prime256v1")
    assert longest in acm.view(arn).names


def test_ten_names_are_the_default_limit(world: World) -> None:
    names = [f"n{number}.example.com" for number in range(10)]
    with pytest.raises(LimitExceeded, match="10 names; this request has 11"):
        world.acm().request("example.com", names)
    nothing_is_stored(world)
    assert len(world.acm().view(world.acm().request("example.com", names[:9])).names) == 10


def test_the_limit_can_be_raised_to_a_hundred_names_and_no_further(store: Store, core: CoreClient) -> None:
    world = World(store, core, AcmSettings(names_per_certificate=100))
    names = [f"n{number}.example.com" for number in range(100)]
    with pytest.raises(LimitExceeded):
        world.acm().request("example.com", names)
    assert len(world.acm().view(world.acm().request("example.com", names[:99])).names) == 100
    with pytest.raises(ValueError, match="names_per_certificate"):
        AcmSettings(names_per_certificate=101)


@pytest.mark.parametrize("algorithm", ["RSA_1024", "RSA_3072", "RSA_4096", "EC_secp521r1"])
def test_algorithms_for_imports_only_cannot_be_requested(world: World, algorithm: str) -> None:
    with pytest.raises(InvalidParameter, match="imported"):
        world.acm().request("example.com", key_algorithm=algorithm)


@pytest.mark.parametrize("algorithm", ["RSA_2048", "EC_prime256v1", "EC_secp384r1"])
def test_each_algorithm_that_can_be_requested_is_issued(world: World, algorithm: str) -> None:
    view = world.issued(key_algorithm=algorithm)
    assert (view.status, view.key_algorithm) == ("ISSUED", algorithm)
    assert world.core.labels[0].spec == algorithm
    assert world.core.labels[0].purpose == "acm"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ([{"DomainName": "other.com", "ValidationDomain": "other.com"}], "not a domain name of this request"),
        ([{"DomainName": "a.example.com", "ValidationDomain": "xample.com"}], "superdomain"),
        ([{"DomainName": "a.example.com", "ValidationDomain": "b.a.example.com"}], "superdomain"),
        ([{"DomainName": "a.example.com", "ValidationDomain": "example.com"}] * 2, "more than one"),
        ([{"DomainName": "a.example.com", "ValidationDomain": "exa\x00mple.com"}], "not a name"),
    ],
)
def test_a_validation_domain_is_the_name_or_a_superdomain(
    world: World, options: list[dict[str, str]], complaint: str
) -> None:
    with pytest.raises(InvalidDomainValidationOptions, match=complaint):
        world.acm().request("a.example.com", validation_options=options)
    nothing_is_stored(world)


def test_a_superdomain_is_taken_and_shown(world: World) -> None:
    acm = world.acm()
    options = [{"DomainName": "*.a.example.com", "ValidationDomain": "example.com"}]
    view = acm.view(acm.request("*.a.example.com", validation_options=options))
    assert view.domains[0].validation_domain == "example.com"


@pytest.mark.parametrize(
    ("tags", "error"),
    [
        ([{"Key": "aws:x"}], InvalidTag),
        ([{"Key": "AWS:x"}], InvalidTag),
        ([{"Key": "x", "Value": "aws:y"}], InvalidTag),
        ([{"Key": "x"}, {"Key": "x", "Value": "1"}], InvalidTag),
        ([{"Key": f"k{number}"} for number in range(51)], TooManyTags),
    ],
)
def test_tags_of_a_request_are_judged_first(
    world: World, tags: list[dict[str, str]], error: type[Exception]
) -> None:
    with pytest.raises(error):
        world.acm().request("example.com", tags=tags)
    nothing_is_stored(world)


def test_the_same_token_gives_the_same_certificate_for_an_hour(any_world: World) -> None:
    world = any_world
    first = world.acm().request("example.com", token="t1")
    world.moment += timedelta(minutes=59)
    assert world.acm().request("example.com", token="t1") == first
    world.moment += timedelta(minutes=2)
    assert world.acm().request("example.com", token="t1") != first
    assert world.acm().request("example.com", token="t2") != first
    assert world.acm().request("example.com") != first


def test_a_token_that_comes_with_another_request_is_refused(any_world: World) -> None:
    any_world.acm().request("example.com", token="t1")
    with pytest.raises(InvalidParameter, match="token"):
        any_world.acm().request("example.org", token="t1")


def test_tokens_of_accounts_and_regions_are_apart(world: World) -> None:
    first = world.acm().request("example.com", token="t1")
    assert world.acm(region="eu-west-1").request("example.org", token="t1") != first
    assert world.acm(account="444455556666").request("example.org", token="t1") != first


def test_the_token_of_a_deleted_certificate_asks_anew(world: World) -> None:
    acm = world.acm()
    first = acm.request("example.com", token="t1")
    acm.delete(first)
    second = acm.request("example.com", token="t1")
    assert second != first
    assert acm.view(second).status == "PENDING_VALIDATION"


def test_a_private_ca_must_be_the_callers_own_and_exist(world: World) -> None:
    private = world.private_ca
    for arn in (
        private.replace("111122223333", "444455556666"),
        private.replace("eu-central-1", "eu-west-1"),
        private[:-12] + "000000000000",
    ):
        with pytest.raises(InvalidArn):
            world.acm().request("example.com", authority_arn=arn, key_algorithm="EC_prime256v1")
    nothing_is_stored(world)


def test_a_private_requests_key_is_of_its_cas_family(world: World) -> None:
    with pytest.raises(InvalidParameter, match="family"):
        world.acm().request("example.com", authority_arn=world.private_ca)  # RSA_2048 by default
    nothing_is_stored(world)


# Signing requests


def test_a_csr_says_which_cnames_to_publish_and_keeps_its_key(any_world: World) -> None:
    world = any_world
    pem, key = signing_request("www.example.com", "example.com")
    view = world.acm().request_from_csr(pem)
    assert view.status == "PENDING_VALIDATION"
    assert view.names == ("www.example.com", "example.com")
    assert view.key_pair_origin == "CUSTOMER_PROVIDED"
    world.publish(view)
    world.advance(timedelta(seconds=10))
    view = world.acm().view(view.arn)
    assert view.status == "ISSUED"
    assert world.core.labels == []
    assert public_key_of(view) == spki(key.public_key())


def test_names_of_a_csr_can_be_chosen_but_not_added(world: World) -> None:
    pem, _ = signing_request("a.example.com", "b.example.com")
    assert world.acm().request_from_csr(pem, ["b.example.com"]).names == ("b.example.com",)
    with pytest.raises(InvalidParameter, match=r"c\.example\.com is not a name of the signing request"):
        world.acm().request_from_csr(pem, ["a.example.com", "c.example.com"])


def test_a_csr_under_a_private_ca_is_issued_in_the_call(any_world: World) -> None:
    world = any_world
    pem, _ = signing_request("db.internal.example.com")
    view = world.acm().request_from_csr(pem, authority_arn=world.private_ca)
    assert view.status == "ISSUED"
    assert view.type == "PRIVATE"
    assert view.certificate_pem is not None
    assert world.claims("acm.issue") == []
    assert view.domains[0].cname_name is None


def test_a_csr_and_its_token_give_one_certificate(any_world: World) -> None:
    world = any_world
    pem, _ = signing_request("db.internal.example.com")
    first = world.acm().request_from_csr(pem, authority_arn=world.private_ca, token="t")
    assert world.acm().request_from_csr(pem, authority_arn=world.private_ca, token="t") == first
    assert len(world.given) == 1


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (b"", "PEM"),
        (b"hello", "PEM"),
        (signing_request("a.example.com", key=rsa.generate_private_key(65537, 1024))[0], "1024"),
        (signing_request()[0], "names nothing"),
        (signing_request("a.example.com")[0].replace(b"MI", b"MJ", 1), "DER|certificate signing request"),
        (signing_request(f"{'a' * 64}.example.com")[0], "label"),
    ],
)
def test_a_csr_that_is_refused_says_why_and_stores_nothing(world: World, pem: bytes, reason: str) -> None:
    with pytest.raises(InvalidParameter, match=reason):
        world.acm().request_from_csr(pem)
    nothing_is_stored(world)


def test_a_csr_with_a_bad_signature_is_refused(world: World) -> None:
    pem, _ = signing_request("a.example.com")
    der = bytearray(x509.load_pem_x509_csr(pem).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    broken = (
        b"-----BEGIN CERTIFICATE REQUEST-----\n"
        + base64.encodebytes(bytes(der))
        + b"-----END CERTIFICATE REQUEST-----\n"
    )
    with pytest.raises(InvalidParameter, match="signature"):
        world.acm().request_from_csr(broken)
    nothing_is_stored(world)


def test_csr_keys_that_acm_has_no_name_for_are_refused(world: World) -> None:
    with pytest.raises(InvalidParameter):
        world.acm().request_from_csr(
            _signed_by_ed25519(),
        )


def _signed_by_ed25519() -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    builder = builder.add_extension(
        x509.SubjectAlternativeName([x509.DNSName("a.example.com")]), critical=False
    )
    return builder.sign(ed25519.Ed25519PrivateKey.generate(), None).public_bytes(serialization.Encoding.PEM)


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 3072), ec.generate_private_key(ec.SECP521R1())]
)
def test_stronger_csr_keys_than_acm_makes_are_taken(world: World, key: object) -> None:
    pem, _ = signing_request("a.example.com", key=key)
    assert world.acm().request_from_csr(pem).status == "PENDING_VALIDATION"


def test_a_disabled_private_ca_takes_no_csr(world: World) -> None:
    world.ca().disable(world.private_ca)
    with pytest.raises(InvalidParameter, match="DISABLED"):
        world.acm().request_from_csr(signing_request("a.example.com")[0], authority_arn=world.private_ca)
    nothing_is_stored(world)
