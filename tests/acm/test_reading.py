"""ListCertificates' filters and pages, tags, ARNs; and what Describe says of a certificate."""

from datetime import timedelta
from typing import Any

import pytest

from acm import InvalidArgs, InvalidArn, InvalidTag, ListQuery, ResourceNotFound, TooManyTags
from acm.extensions import EXTENDED_KEY_USAGES, KEY_USAGES, from_bits, to_bits
from acm.listing import judge_query
from acm.shapes import detail, summary
from tests.acm.world import World, signing_request

ALL_KEYS = ("RSA_2048", "EC_prime256v1", "EC_secp384r1")


def names(world: World, **filters: Any) -> list[str]:
    return [view.domain_name for view in world.acm().list(ListQuery(**filters)).items]


def three(world: World) -> None:
    """One certificate of each kind of key, a second apart."""
    acm = world.acm()
    acm.request("rsa.example.com")
    world.moment += timedelta(seconds=1)
    acm.request("p256.example.com", key_algorithm="EC_prime256v1")
    world.moment += timedelta(seconds=1)
    acm.request("p384.example.com", key_algorithm="EC_secp384r1", export="ENABLED", managed_by="CLOUDFRONT")


# TRAPS 28: list defaults hide things


def test_trap_28_only_rsa_2048_is_listed_unless_asked(any_world: World) -> None:
    three(any_world)
    assert names(any_world) == ["rsa.example.com"]
    assert names(any_world, key_types=("EC_prime256v1",)) == ["p256.example.com"]
    assert names(any_world, key_types=ALL_KEYS) == ["rsa.example.com", "p256.example.com", "p384.example.com"]


def test_trap_28_sort_by_and_sort_order_go_together() -> None:
    for alone in ({"SortBy": "CREATED_AT"}, {"SortOrder": "ASCENDING"}):
        with pytest.raises(InvalidArgs, match="together"):
            judge_query(alone)
    assert judge_query({"SortBy": "CREATED_AT", "SortOrder": "DESCENDING"}).newest_first


def test_newest_first(any_world: World) -> None:
    three(any_world)
    listed = names(any_world, key_types=ALL_KEYS, newest_first=True)
    assert listed == ["p384.example.com", "p256.example.com", "rsa.example.com"]


FILTERS: tuple[tuple[dict[str, Any], int], ...] = (
    ({"statuses": ("PENDING_VALIDATION",)}, 2),
    ({"statuses": ("ISSUED",)}, 1),
    ({"statuses": ("FAILED", "REVOKED")}, 0),
    ({"key_usages": ("DIGITAL_SIGNATURE",)}, 1),
    ({"key_usages": ("CRL_SIGNING", "DIGITAL_SIGNATURE")}, 1),
    ({"key_usages": ("CRL_SIGNING",)}, 0),
    ({"extended_key_usages": ("TLS_WEB_SERVER_AUTHENTICATION",)}, 1),
    ({"extended_key_usages": ("CODE_SIGNING",)}, 0),
    ({"export": "ENABLED"}, 1),
    ({"export": "DISABLED"}, 2),
    ({"managed_by": "CLOUDFRONT"}, 1),
    ({"origins": ("CUSTOMER_PROVIDED",)}, 1),
    ({"origins": ("ACME",)}, 0),
    ({"root_hierarchies": ("N2_AMAZON_MANAGED",)}, 0),
)


def test_each_filter(any_world: World) -> None:
    acm = any_world.acm()
    acm.request("a.example.com", key_algorithm="EC_secp384r1", export="ENABLED", managed_by="CLOUDFRONT")
    acm.request_from_csr(signing_request("b.example.com")[0])
    any_world.issued("c.example.com")
    found = [(filters, len(names(any_world, key_types=ALL_KEYS, **filters))) for filters, _ in FILTERS]
    assert found == list(FILTERS)


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_hold_every_certificate_once(any_world: World, newest_first: bool) -> None:
    acm = any_world.acm()
    for number in range(7):
        acm.request(f"n{number}.example.com")
        any_world.moment += timedelta(seconds=number % 2)  # some at the same moment
    seen, token = [], None
    while True:
        page = acm.list(ListQuery(newest_first=newest_first, limit=2, token=token))
        seen += [view.id for view in page.items]
        token = page.next_token
        if token is None:
            break
        assert len(page.items) == 2
    assert len(seen) == len(set(seen)) == 7


def test_a_token_is_good_for_its_own_question_only(world: World) -> None:
    acm = world.acm()
    for number in range(3):
        acm.request(f"n{number}.example.com")
    token = acm.list(ListQuery(limit=1)).next_token
    for query in (
        ListQuery(token=token, newest_first=True),
        ListQuery(token=token, statuses=("ISSUED",)),
        ListQuery(token="rubbish"),
    ):
        with pytest.raises(InvalidArgs):
            acm.list(query)
    with pytest.raises(InvalidArgs):
        world.acm(region="us-east-1").list(ListQuery(token=token))
    assert len(acm.list(ListQuery(token=token)).items) == 2


def test_accounts_and_regions_see_their_own(world: World) -> None:
    arn = world.acm().request("example.com")
    for elsewhere in (world.acm(region="us-east-1"), world.acm(account="444455556666")):
        assert elsewhere.list(ListQuery()).items == ()
        with pytest.raises(ResourceNotFound):
            elsewhere.view(arn)
        with pytest.raises(ResourceNotFound):
            elsewhere.delete(arn)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:acm:eu-central-1:111122223333:certificate/not-a-uuid",
        "arn:aws:acm:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012",
        "arn:aws:acm:eu-central-1:111122223333:certificate/12345678-1234-1234-1234-123456789012/x",
        "arn:aws:acm:eu-central-1:1111:certificate/12345678-1234-1234-1234-123456789012",
        "arn:aws:acm:eu-central-1:111122223333:certificate/12345678-1234-1234-1234-12345678901２",
    ],
)
def test_an_arn_that_no_certificate_has_is_invalid(world: World, arn: str) -> None:
    with pytest.raises(InvalidArn):
        world.acm().view(arn)


# Tags


def test_tags_are_added_replaced_and_removed(any_world: World) -> None:
    acm = any_world.acm()
    arn = acm.request("example.com", tags=[{"Key": "a", "Value": "1"}, {"Key": "b"}])
    acm.add_tags(arn, [{"Key": "b", "Value": "2"}, {"Key": "c", "Value": ""}])
    assert acm.tags(arn) == {"a": "1", "b": "2", "c": ""}
    acm.remove_tags(
        arn, [{"Key": "a", "Value": "other"}, {"Key": "b", "Value": "2"}, {"Key": "c"}, {"Key": "none"}]
    )
    assert acm.tags(arn) == {"a": "1"}
    assert acm.resource(arn).tags == {"a": "1"}


def test_fifty_tags_are_the_most_over_all_calls(any_world: World) -> None:
    acm = any_world.acm()
    arn = acm.request("example.com", tags=[{"Key": f"k{number}"} for number in range(49)])
    acm.add_tags(arn, [{"Key": "k49"}, {"Key": "k0", "Value": "again"}])
    with pytest.raises(TooManyTags):
        acm.add_tags(arn, [{"Key": "k50"}])
    assert len(acm.tags(arn)) == 50


def test_reserved_tags_are_refused(world: World) -> None:
    acm = world.acm()
    arn = acm.request("example.com")
    with pytest.raises(InvalidTag):
        acm.add_tags(arn, [{"Key": "aws:cloudformation:stack", "Value": "x"}])
    assert acm.tags(arn) == {}


# Shapes


def test_describe_tells_only_what_is_true_while_pending(world: World) -> None:
    acm = world.acm()
    shape = detail(acm.view(acm.request("example.com", ["*.example.com"])))
    assert not {"Serial", "Issuer", "NotAfter", "IssuedAt", "RenewalSummary", "FailureReason"} & shape.keys()
    assert shape["RenewalEligibility"] == "INELIGIBLE"
    assert shape["InUseBy"] == shape["KeyUsages"] == shape["ExtendedKeyUsages"] == []
    apex, wildcard = shape["DomainValidationOptions"]
    assert apex["ValidationStatus"] == "PENDING_VALIDATION"
    assert apex["ResourceRecord"] == wildcard["ResourceRecord"]
    assert apex["ResourceRecord"]["Type"] == "CNAME"


def test_describe_of_an_issued_certificate(world: World) -> None:
    view = world.issued("www.example.com", alternative_names=["example.com"])
    shape = detail(view)
    assert shape["Status"] == "ISSUED"
    assert shape["Subject"] == "CN=www.example.com"
    assert "issuing CA" in shape["Issuer"]
    assert shape["SignatureAlgorithm"] == "SHA256WITHECDSA"
    assert shape["SubjectAlternativeNames"] == ["www.example.com", "example.com"]
    assert {"Name": "DIGITAL_SIGNATURE"} in shape["KeyUsages"]
    assert {"Name": "TLS_WEB_SERVER_AUTHENTICATION", "OID": "1.3.6.1.5.5.7.3.1"} in shape["ExtendedKeyUsages"]
    assert shape["RenewalEligibility"] == "ELIGIBLE"
    assert all(len(octet) == 2 for octet in shape["Serial"].split(":"))
    listed = summary(view)
    assert "DIGITAL_SIGNATURE" in listed["KeyUsages"]
    assert listed["HasAdditionalSubjectAlternativeNames"] is False


def test_trap_30_a_renewal_summary_is_for_amazon_issued_only(world: World) -> None:
    acm = world.acm()
    public = world.issued()
    private = acm.request("db.example.com", authority_arn=world.private_ca, key_algorithm="EC_prime256v1")
    world.advance(timedelta(days=160))
    shape = detail(acm.view(public.arn))
    assert shape["RenewalSummary"]["RenewalStatus"] == "SUCCESS"
    assert shape["RenewalSummary"]["DomainValidationOptions"][0]["ValidationStatus"] == "SUCCESS"
    assert acm.view(private).renewal is not None
    assert "RenewalSummary" not in detail(acm.view(private))
    assert "DomainValidationOptions" not in detail(acm.view(private))
    assert "IssuedAt" not in detail(acm.view(private))


@pytest.mark.parametrize("order", [KEY_USAGES, EXTENDED_KEY_USAGES])
def test_usages_survive_as_bits(order: tuple[str, ...]) -> None:
    for name in order:
        assert from_bits(to_bits([name], order), order) == (name,)
    assert from_bits(to_bits(order, order), order) == order
