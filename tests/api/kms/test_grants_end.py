"""How grants end, and who may make, find and end them (TRAPS 10): retire, revoke, the key's end, condition keys."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.kms.grants import Person, encrypt, grant, listed, user
from tests.api.kms.support import allow, answer, create, policy, refused, root
from tests.support.world import REGION, Caller, World

CONTEXT = {"Department": "sales"}


@pytest.mark.parametrize("by", ["token", "id"])
@pytest.mark.parametrize("who", ["retiring principal", "grantee with RetireGrant", "the account"])
def test_trap_10_retire_is_for_the_retiring_principal_the_grantee_if_granted_and_the_account(
    kms: Any, key: dict[str, Any], owner: Caller, ann: Person, bob: Person, carl: Person, who: str, by: str
) -> None:
    operations = ["Encrypt", "RetireGrant"] if who.startswith("grantee") else ["Encrypt"]
    retiring = {"RetiringPrincipal": bob.arn} if who.startswith("retiring") else {}
    made = grant(kms, key, ann.arn, *operations, **retiring)
    named = {"GrantToken": made["GrantToken"]}
    if by == "id":
        named = {"KeyId": key["Arn"], "GrantId": made["GrantId"]}
    clients = {"retiring principal": bob.kms, "grantee with RetireGrant": ann.kms, "the account": kms}
    for name, client in (*clients.items(), ("a stranger", carl.kms)):
        if name not in {who, "the account"}:
            with refused("AccessDeniedException", "kms:RetireGrant"):
                client.retire_grant(**named)
    assert len(listed(kms, key)) == 1
    clients[who].retire_grant(**named)
    assert listed(kms, key) == []
    with refused("AccessDeniedException"):
        encrypt(ann.kms, key)


def test_the_retiring_principal_of_one_grant_retires_no_other(
    kms: Any, key: dict[str, Any], ann: Person, bob: Person
) -> None:
    grant(kms, key, ann.arn, "Encrypt", RetiringPrincipal=bob.arn)
    other = grant(kms, key, ann.arn, "Decrypt", RetiringPrincipal=ann.arn)
    for named in ({"GrantToken": other["GrantToken"]}, {"KeyId": key["Arn"], "GrantId": other["GrantId"]}):
        with refused("AccessDeniedException"):
            bob.kms.retire_grant(**named)


def test_a_retiring_principal_of_another_account_needs_nothing_but_the_grant(
    kms: Any, key: dict[str, Any], ann: Person, carl: Person
) -> None:
    made = grant(kms, key, ann.arn, "Encrypt", RetiringPrincipal=carl.arn)
    carl.kms.retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
    assert listed(kms, key) == []


def test_a_grant_is_retired_by_the_keys_id_at_home_and_by_its_arn_from_elsewhere(
    kms: Any, key: dict[str, Any], ann: Person, bob: Person, carl: Person
) -> None:
    made = grant(kms, key, ann.arn, "Encrypt", RetiringPrincipal=carl.arn)
    with refused("NotFoundException"):
        carl.kms.retire_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    carl.kms.retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
    made = grant(kms, key, ann.arn, "Encrypt", RetiringPrincipal=bob.arn)
    bob.kms.retire_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    assert listed(kms, key) == []


def test_the_account_that_made_a_grant_on_anothers_key_retires_it(
    owner: Caller, stranger: Caller, ann: Person, carl: Person
) -> None:
    kms, there = owner.client("kms"), stranger.client("kms")
    key = create(kms, Policy=policy(allow(root(owner)), allow(root(stranger), "kms:CreateGrant")))
    made = grant(there, key, ann.arn, "Encrypt")
    with refused("AccessDeniedException"):
        carl.kms.retire_grant(GrantToken=made["GrantToken"])
    there.retire_grant(GrantToken=made["GrantToken"])
    assert listed(kms, key) == []


def test_trap_10_revoke_needs_its_own_permission_whatever_the_grant_says(
    kms: Any, key: dict[str, Any], owner: Caller, ann: Person, bob: Person
) -> None:
    made = grant(kms, key, ann.arn, "Encrypt", "RetireGrant", RetiringPrincipal=bob.arn)
    named = {"KeyId": key["Arn"], "GrantId": made["GrantId"]}
    for person in (ann, bob):
        with refused("AccessDeniedException", "kms:RevokeGrant"):
            person.kms.revoke_grant(**named)
    kms.put_key_policy(
        KeyId=key["KeyId"], Policy=policy(allow(root(owner)), allow(bob.arn, "kms:RevokeGrant"))
    )
    bob.kms.revoke_grant(**named)
    with refused("AccessDeniedException"):
        encrypt(ann.kms, key)


@pytest.mark.parametrize(
    "given",
    [("GrantId",), ("KeyId",), (), ("GrantToken", "KeyId"), ("GrantToken", "GrantId"), ("GrantToken", "GrantId", "KeyId")],
)  # fmt: skip
def test_a_grant_to_retire_is_named_by_its_token_or_by_key_and_id(
    kms: Any, key: dict[str, Any], ann: Person, given: tuple[str, ...]
) -> None:
    made = {**grant(kms, key, ann.arn, "Encrypt"), "KeyId": key["KeyId"]}
    with refused("ValidationException", "either a grant token, or both"):
        kms.retire_grant(**{name: made[name] for name in given})


def test_an_id_that_is_none_is_invalid_and_one_that_no_grant_has_is_not_found(
    kms: Any, key: dict[str, Any], carl: Person
) -> None:
    for call in (kms.revoke_grant, kms.retire_grant):
        with refused("InvalidGrantIdException"):
            call(KeyId=key["KeyId"], GrantId="nonsense")
        with refused("NotFoundException", "0" * 64):
            call(KeyId=key["KeyId"], GrantId="0" * 64)
    for call in (carl.kms.revoke_grant, carl.kms.retire_grant):
        with refused("AccessDeniedException"):
            call(KeyId=key["Arn"], GrantId="0" * 64)


def test_dry_runs_end_nothing(kms: Any, key: dict[str, Any], ann: Person) -> None:
    made = grant(kms, key, ann.arn, "Encrypt")
    with refused("DryRunOperationException"):
        kms.retire_grant(GrantToken=made["GrantToken"], DryRun=True)
    with refused("DryRunOperationException"):
        kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"], DryRun=True)
    with refused("AccessDeniedException"):
        ann.kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"], DryRun=True)
    assert len(listed(kms, key)) == 1


def test_grants_end_with_their_key(world: World) -> None:
    owner, other = world.account(), world.account()
    kms, ann = owner.client("kms"), user(other, "ann")
    key = create(kms)
    grant(kms, key, ann.arn, "Encrypt", RetiringPrincipal=root(other))
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    retirable = {"RetiringPrincipal": root(other)}
    assert len(other.client("kms").list_retirable_grants(**retirable)["Grants"]) == 1
    world.advance(timedelta(days=8))
    assert other.client("kms").list_retirable_grants(**retirable)["Grants"] == []
    with world.scheduler.store._reader.connect() as connection:
        for table in ("kms_grant", "kms_retirable_grant"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 0


# ListRetirableGrants


def test_retirable_grants_are_those_of_all_accounts_keys_for_a_principal_of_ones_own(
    shared_world: World, owner: Caller, stranger: Caller, ann: Person
) -> None:
    eve = user(stranger, "eve")
    kms, there = owner.client("kms"), stranger.client("kms")
    keys = [create(kms), create(kms), create(there)]
    made = {
        grant(client, key, ann.arn, "Encrypt", RetiringPrincipal=eve.arn)["GrantId"]
        for client, key in zip((kms, kms, there), keys, strict=True)
    }
    grant(kms, keys[0], eve.arn, "Encrypt", RetiringPrincipal=ann.arn)
    pages = there.get_paginator("list_retirable_grants").paginate(
        RetiringPrincipal=eve.arn, PaginationConfig={"PageSize": 2}
    )
    entries = [entry for page in pages for entry in page["Grants"]]
    assert {entry["GrantId"] for entry in entries} == made
    assert {entry["KeyId"] for entry in entries} == {key["Arn"] for key in keys}
    assert there.list_retirable_grants(RetiringPrincipal=root(stranger))["Grants"] == []
    with refused("AccessDeniedException", "kms:ListRetirableGrants"):
        kms.list_retirable_grants(RetiringPrincipal=eve.arn)
    with refused("AccessDeniedException", eve.arn):
        eve.kms.list_retirable_grants(RetiringPrincipal=eve.arn)
    stranger.client("iam", region="us-east-1").put_user_policy(
        UserName="eve",
        PolicyName="mine",
        PolicyDocument=policy({"Effect": "Allow", "Action": "kms:ListRetirableGrants", "Resource": eve.arn}),
    )
    assert len(eve.kms.list_retirable_grants(RetiringPrincipal=eve.arn)["Grants"]) == 3
    with refused("AccessDeniedException"):
        eve.kms.list_retirable_grants(RetiringPrincipal=root(stranger))


def test_retirable_grants_are_asked_for_by_one_principal_that_exists(kms: Any, owner: Caller) -> None:
    service = "acm.eu-central-1.amazonaws.com"
    with refused("ValidationException", "but not both"):
        kms.list_retirable_grants()
    with refused("ValidationException", "but not both"):
        kms.list_retirable_grants(RetiringPrincipal=root(owner), RetiringServicePrincipal=service)
    with refused("AccessDeniedException", "service principal"):
        kms.list_retirable_grants(RetiringServicePrincipal=service)
    for nobody in ("ann", f"arn:aws:iam::{owner.account}:user/nobody", "AIDAAAAAAAAAAAAAAAAAA"):
        with refused("InvalidArnException"):
            kms.list_retirable_grants(RetiringPrincipal=nobody)
    with refused("ValidationException"):
        kms.list_retirable_grants(RetiringPrincipal=root(owner), Limit=101)
    with refused("InvalidMarkerException"):
        kms.list_retirable_grants(RetiringPrincipal=root(owner), Marker="nonsense")


# Condition keys

ACCEPTED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    # name: (condition, a CreateGrant that meets it, one that does not)
    "GrantOperations": (
        {"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]}},
        {"Operations": ["Encrypt"]},
        {"Operations": ["Encrypt", "GenerateDataKey"]},
    ),
    "GranteePrincipal": (
        {"StringEquals": {"kms:GranteePrincipal": "{bob}"}},
        {"GranteePrincipal": "{bob}"},
        {"GranteePrincipal": "{ann}"},
    ),
    "RetiringPrincipal": (
        {"StringEquals": {"kms:RetiringPrincipal": "{bob}"}},
        {"RetiringPrincipal": "{bob}"},
        {},
    ),
    "GrantConstraintType": (
        {"StringEquals": {"kms:GrantConstraintType": "EncryptionContextEquals"}},
        {"Constraints": {"EncryptionContextEquals": CONTEXT}},
        {"Constraints": {"EncryptionContextSubset": CONTEXT}},
    ),
    "EncryptionContext": (
        {"StringEquals": {"kms:EncryptionContext:Department": "sales"}},
        {"Constraints": {"EncryptionContextSubset": CONTEXT}},
        {"Constraints": {"EncryptionContextSubset": {"Department": "other"}}},
    ),
}


def filled(value: Any, people: dict[str, str]) -> Any:
    """The value with people's ARNs for their names in braces."""
    if isinstance(value, dict):
        return {name: filled(inner, people) for name, inner in value.items()}
    return value.format(**people) if isinstance(value, str) else value


@pytest.mark.parametrize("name", ACCEPTED)
def test_who_may_make_grants_can_be_held_to_some(owner: Caller, ann: Person, bob: Person, name: str) -> None:
    people = {"ann": ann.arn, "bob": bob.arn}
    condition, good, bad = (filled(part, people) for part in ACCEPTED[name])
    limited = {**allow(ann.arn, "kms:CreateGrant"), "Condition": condition}
    key = create(owner.client("kms"), Policy=policy(allow(root(owner)), limited))
    given = {"KeyId": key["Arn"], "GranteePrincipal": bob.arn, "Operations": ["Encrypt"]}
    assert answer(lambda: ann.kms.create_grant(**{**given, **good})) == ""
    assert answer(lambda: ann.kms.create_grant(**{**given, **bad})) == "AccessDeniedException"


@pytest.mark.parametrize("wanted", ["true", "false"])
def test_a_grant_that_a_person_makes_is_for_no_aws_resource(owner: Caller, ann: Person, wanted: str) -> None:
    condition = {"Bool": {"kms:GrantIsForAWSResource": wanted}}
    actions = ("kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
    limited = {**allow(ann.arn, *actions), "Condition": condition}
    kms = owner.client("kms")
    key = create(kms, Policy=policy(allow(root(owner)), limited))
    made = grant(kms, key, ann.arn, "Encrypt")
    expected = "" if wanted == "false" else "AccessDeniedException"
    assert answer(lambda: grant(ann.kms, key, ann.arn, "Encrypt")) == expected
    assert answer(lambda: listed(ann.kms, key)) == expected
    assert answer(lambda: ann.kms.revoke_grant(KeyId=key["Arn"], GrantId=made["GrantId"])) == expected


def test_the_trail_says_who_made_and_ended_a_grant_on_which_key(
    shared_world: World, kms: Any, key: dict[str, Any], owner: Caller, ann: Person
) -> None:
    made = grant(kms, key, ann.arn, "Encrypt")
    kms.revoke_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
    events = [
        event
        for event in shared_world.events(owner, REGION)
        if event["eventName"] in {"CreateGrant", "RevokeGrant"}
        and event["requestParameters"]["KeyId"] == key["Arn"]
    ]
    assert [event["eventName"] for event in events] == ["RevokeGrant", "CreateGrant"]
    assert events[1]["responseElements"]["GrantId"] == made["GrantId"]
    assert events[1]["userIdentity"]["arn"] == owner.made.admin_arn
