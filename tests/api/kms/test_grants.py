"""Grants through a stock client: made, used, listed (TRAPS 10, 11, 13, 14, 16). See test_grant_constraints and test_grants_end too."""

from collections.abc import Callable
from typing import Any

import pytest

from kms.keys.states import TABLE, KeyState
from tests.api.kms.grants import Person, encrypt, grant, listed, user
from tests.api.kms.support import NOBODY, allow, answer, create, describe, policy, refused, root
from tests.api.kms.test_states import REACHED
from tests.support.world import ELSEWHERE, Caller

CONTEXT = {"Department": "sales", "Case": "42"}
SOURCE = "arn:aws:s3:eu-central-1:111122223333:bucket/one"


def test_a_grant_lets_its_grantee_do_what_it_names_and_nothing_else(
    kms: Any, key: dict[str, Any], ann: Person, bob: Person
) -> None:
    with refused("AccessDeniedException"):
        encrypt(ann.kms, key)
    grant(kms, key, ann.arn, "Encrypt", "DescribeKey")
    blob = encrypt(ann.kms, key)
    assert describe(ann.kms, key["Arn"])["KeyId"] == key["KeyId"]
    with refused("AccessDeniedException", "kms:Decrypt"):
        ann.kms.decrypt(CiphertextBlob=blob)
    with refused("AccessDeniedException"):
        encrypt(bob.kms, key)


def test_reencrypt_needs_one_grant_on_either_key(kms: Any, ann: Person) -> None:
    old, new = create(kms), create(kms)
    blob = encrypt(kms, old)
    grant(kms, old, ann.arn, "ReEncryptFrom")
    move = {"CiphertextBlob": blob, "DestinationKeyId": new["Arn"]}
    with refused("AccessDeniedException", "kms:ReEncryptTo"):
        ann.kms.re_encrypt(**move)
    grant(kms, new, ann.arn, "ReEncryptTo")
    assert ann.kms.re_encrypt(**move)["KeyId"] == new["Arn"]


def test_trap_11_an_explicit_deny_wins_over_a_grant(kms: Any, owner: Caller, ann: Person) -> None:
    deny = {**allow(ann.arn, "kms:Encrypt"), "Effect": "Deny"}
    key = create(kms, Policy=policy(allow(root(owner)), deny))
    grant(kms, key, ann.arn, "Encrypt", "Decrypt")
    with refused("AccessDeniedException", "explicit deny"):
        encrypt(ann.kms, key)


def test_trap_11_a_grant_to_another_account_counts_with_that_accounts_own_permission(
    kms: Any, key: dict[str, Any], stranger: Caller
) -> None:
    there = stranger.client("kms")
    carl = user(stranger, "carl")
    with refused("AccessDeniedException", "no resource-based policy"):
        encrypt(there, key)
    grant(kms, key, root(stranger), "Encrypt")
    encrypt(there, key)
    with refused("AccessDeniedException"):
        encrypt(carl.kms, key)
    grant(kms, key, carl.arn, "Encrypt")
    with refused("AccessDeniedException", "no identity-based policy"):
        encrypt(carl.kms, key)


def test_a_grant_names_a_role_for_all_its_sessions_or_one_session(kms: Any, owner: Caller) -> None:
    iam, sts = owner.client("iam", region="us-east-1"), owner.client("sts")
    trust = policy({"Effect": "Allow", "Principal": {"AWS": root(owner)}, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust)["Role"]

    def session(name: str) -> Any:
        given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName=name)["Credentials"]
        return owner.client(
            "kms",
            access_key=given["AccessKeyId"],
            secret_key=given["SecretAccessKey"],
            session_token=given["SessionToken"],
        )

    one, two = session("one"), session("two")
    role_key, session_key = create(kms), create(kms)
    grant(kms, role_key, role["Arn"], "Encrypt")
    grant(kms, session_key, f"arn:aws:sts::{owner.account}:assumed-role/reader/one", "Encrypt")
    for kms_of_session in (one, two):
        encrypt(kms_of_session, role_key)
    encrypt(one, session_key)
    with refused("AccessDeniedException"):
        encrypt(two, session_key)
    (entry,) = listed(kms, session_key)
    assert entry["GranteePrincipal"] == f"arn:aws:sts::{owner.account}:assumed-role/reader/one"


# TRAPS 10: making


def test_trap_10_the_same_name_with_the_same_parameters_is_the_same_grant_with_a_new_token(
    kms: Any, key: dict[str, Any], ann: Person, bob: Person
) -> None:
    same = {"Name": "one", "Constraints": {"EncryptionContextSubset": CONTEXT}, "RetiringPrincipal": bob.arn}
    first = grant(kms, key, ann.arn, "Encrypt", "Decrypt", **same)
    again = grant(kms, key, ann.arn, "Decrypt", "Encrypt", **same)
    assert again["GrantId"] == first["GrantId"]
    assert again["GrantToken"] != first["GrantToken"]
    assert len(listed(kms, key)) == 1
    others = [
        grant(kms, key, ann.arn, "Encrypt", **same),
        grant(kms, key, bob.arn, "Encrypt", "Decrypt", **same),
        grant(kms, key, ann.arn, "Encrypt", "Decrypt", **{**same, "Name": "two"}),
        grant(kms, key, ann.arn, "Encrypt", "Decrypt", **{**same, "RetiringPrincipal": ann.arn}),
        grant(kms, key, ann.arn, "Encrypt", "Decrypt", **{**same, "Constraints": {}}),
    ]
    assert len({made["GrantId"] for made in (first, *others)}) == 6


def test_trap_10_without_a_name_every_call_makes_a_new_grant(
    kms: Any, key: dict[str, Any], ann: Person
) -> None:
    made = {grant(kms, key, ann.arn, "Encrypt")["GrantId"] for _ in range(3)}
    assert {entry["GrantId"] for entry in listed(kms, key)} == made
    assert all(len(grant_id) == 64 for grant_id in made)


def test_trap_10_tokens_of_one_grant_are_interchangeable(kms: Any, key: dict[str, Any], ann: Person) -> None:
    first = grant(kms, key, ann.arn, "Encrypt", Name="one", RetiringPrincipal=ann.arn)
    second = grant(kms, key, ann.arn, "Encrypt", Name="one", RetiringPrincipal=ann.arn)
    for made in (first, second):
        encrypt(ann.kms, key, GrantTokens=[made["GrantToken"]])
    ann.kms.retire_grant(GrantToken=first["GrantToken"])
    with refused("NotFoundException"):
        kms.retire_grant(GrantToken=second["GrantToken"])


def test_trap_10_a_fresh_grant_works_at_once_with_its_token_and_without(
    kms: Any, key: dict[str, Any], ann: Person
) -> None:
    with refused("AccessDeniedException"):
        encrypt(ann.kms, key)
    made = grant(kms, key, ann.arn, "Encrypt")
    encrypt(ann.kms, key, GrantTokens=[made["GrantToken"]])
    encrypt(ann.kms, key)


def test_a_token_that_was_not_made_here_is_refused_where_the_model_lists_that(
    kms: Any, key: dict[str, Any], ann: Person
) -> None:
    made = grant(kms, key, ann.arn, "Encrypt", "DescribeKey")
    for token in ("nonsense", made["GrantToken"][:-2], "é" * 20):
        with refused("InvalidGrantTokenException"):
            encrypt(ann.kms, key, GrantTokens=[token])
        with refused("InvalidGrantTokenException"):
            kms.retire_grant(GrantToken=token)
        with refused("InvalidGrantTokenException"):
            grant(kms, key, ann.arn, "Encrypt", GrantTokens=[token])
        ann.kms.describe_key(KeyId=key["Arn"], GrantTokens=[token])


def test_a_token_gives_nobody_else_anything_and_another_keys_token_adds_nothing(
    kms: Any, key: dict[str, Any], ann: Person, bob: Person
) -> None:
    made = grant(kms, key, ann.arn, "Encrypt")
    other = create(kms)
    with refused("AccessDeniedException"):
        encrypt(bob.kms, key, GrantTokens=[made["GrantToken"]])
    with refused("AccessDeniedException"):
        encrypt(ann.kms, other, GrantTokens=[made["GrantToken"]])
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=made["GrantId"])
    with refused("AccessDeniedException"):
        encrypt(ann.kms, key, GrantTokens=[made["GrantToken"]])


def test_trap_10_operations_must_suit_the_key(kms: Any, key: dict[str, Any], ann: Person) -> None:
    signing = create(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    with refused("ValidationError", "Sign"):
        grant(kms, key, ann.arn, "Encrypt", "Sign")
    with refused("ValidationError", "GenerateDataKey"):
        grant(kms, signing, ann.arn, "GenerateDataKey")
    with refused("ValidationException"):
        grant(kms, key, ann.arn)
    grant(
        kms, signing, ann.arn, "Sign", "Verify", "GetPublicKey", "CreateGrant", "RetireGrant", "DescribeKey"
    )


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"GranteePrincipal": "{ann}", "GranteeServicePrincipal": "acm.eu-central-1.amazonaws.com"},
        {
            "GranteePrincipal": "{ann}",
            "RetiringPrincipal": "{ann}",
            "RetiringServicePrincipal": "acm.eu-central-1.amazonaws.com",
        },
    ],
)
def test_trap_10_there_is_exactly_one_grantee_and_at_most_one_retiring_principal(
    kms: Any, key: dict[str, Any], ann: Person, given: dict[str, str]
) -> None:
    filled = {name: value.format(ann=ann.arn) for name, value in given.items()}
    with refused("ValidationException", "but not both"):
        kms.create_grant(KeyId=key["KeyId"], Operations=["Encrypt"], **filled)


def test_trap_10_a_service_as_grantee_needs_a_source_arn_and_a_retiring_principal(
    kms: Any, key: dict[str, Any], ann: Person
) -> None:
    service = {
        "KeyId": key["KeyId"], "Operations": ["Encrypt"],
        "GranteeServicePrincipal": "acm.eu-central-1.amazonaws.com",
    }  # fmt: skip
    source = {"Constraints": {"SourceArn": SOURCE}}
    for lacking in ({}, source, {"RetiringPrincipal": ann.arn}):
        with refused("ValidationException", "GranteeServicePrincipal"):
            kms.create_grant(**service, **lacking)
    kms.create_grant(**service, **source, RetiringPrincipal=ann.arn)
    kms.create_grant(**service, **source, RetiringServicePrincipal="acm.eu-central-1.amazonaws.com")
    entries = listed(kms, key)
    assert {entry["GranteeServicePrincipal"] for entry in entries} == {service["GranteeServicePrincipal"]}
    assert {entry.get("RetiringPrincipal", entry.get("RetiringServicePrincipal")) for entry in entries} == {
        ann.arn,
        "acm.eu-central-1.amazonaws.com",
    }


@pytest.mark.parametrize(
    "principal",
    [
        "arn:aws:iam::{account}:user/nobody",
        "arn:aws:iam::999988887777:root",
        "arn:aws:s3:::bucket",
        "ann",
        "AIDAAAAAAAAAAAAAAAAAA",
    ],
)
@pytest.mark.parametrize("member", ["GranteePrincipal", "RetiringPrincipal"])
def test_principals_of_a_grant_must_exist(
    kms: Any, key: dict[str, Any], owner: Caller, ann: Person, member: str, principal: str
) -> None:
    given = {"GranteePrincipal": ann.arn, member: principal.format(account=owner.account)}
    with refused("InvalidArnException", "ARN does not refer to a valid principal"):
        kms.create_grant(KeyId=key["KeyId"], Operations=["Encrypt"], **given)


def test_a_deleted_grantee_shows_as_its_id_and_a_new_one_of_that_name_inherits_nothing(
    kms: Any, key: dict[str, Any], owner: Caller
) -> None:
    first = user(owner, "dan")
    made = grant(kms, key, first.arn, "Encrypt", RetiringPrincipal=first.arn)
    iam = owner.client("iam", region="us-east-1")
    iam.delete_access_key(UserName="dan", AccessKeyId=first.credentials["access_key"])
    iam.delete_user(UserName="dan")
    (entry,) = listed(kms, key)
    assert entry["GranteePrincipal"] == entry["RetiringPrincipal"]
    assert entry["GranteePrincipal"].startswith("AIDA")
    assert listed(kms, key, GranteePrincipal=entry["GranteePrincipal"]) == [entry]
    second = user(owner, "dan")
    assert second.arn == first.arn
    with refused("AccessDeniedException"):
        encrypt(second.kms, key, GrantTokens=[made["GrantToken"]])
    with refused("AccessDeniedException"):
        second.kms.retire_grant(GrantToken=made["GrantToken"])


# TRAPS 14: the order of checks, and DryRun


def test_trap_14_parameters_key_permission_state_operations_principals_and_dry_run_in_this_order(
    kms: Any, owner: Caller, ann: Person
) -> None:
    key = create(kms)
    kms.disable_key(KeyId=key["KeyId"])
    good = {"GranteePrincipal": ann.arn, "Operations": ["Encrypt"]}
    wrong = {
        "GranteePrincipal": f"arn:aws:iam::{owner.account}:user/nobody",
        "Operations": ["Sign"],
        "DryRun": True,
    }
    with refused("ValidationException"):
        ann.kms.create_grant(KeyId=NOBODY, Operations=["Sign"], DryRun=True)
    with refused("NotFoundException"):
        ann.kms.create_grant(KeyId=NOBODY, **wrong)
    with refused("AccessDeniedException"):
        ann.kms.create_grant(KeyId=key["KeyId"], **wrong)
    with refused("DisabledException"):
        kms.create_grant(KeyId=key["KeyId"], **wrong)
    kms.enable_key(KeyId=key["KeyId"])
    with refused("ValidationError"):
        kms.create_grant(KeyId=key["KeyId"], **wrong)
    with refused("InvalidArnException"):
        kms.create_grant(KeyId=key["KeyId"], **{**wrong, "Operations": ["Encrypt"]})
    with refused("DryRunOperationException"):
        kms.create_grant(KeyId=key["KeyId"], **good, DryRun=True)
    assert listed(kms, key) == []


def test_trap_13_grants_are_made_on_enabled_keys_and_ended_in_every_state(kms: Any, ann: Person) -> None:
    key = create(kms)
    first, second = grant(kms, key, ann.arn, "Encrypt"), grant(kms, key, ann.arn, "Encrypt")
    kms.schedule_key_deletion(KeyId=key["KeyId"])
    with refused("KMSInvalidStateException", "pending deletion"):
        grant(kms, key, ann.arn, "Encrypt")
    assert len(listed(kms, key)) == 2
    kms.revoke_grant(KeyId=key["KeyId"], GrantId=first["GrantId"])
    kms.retire_grant(KeyId=key["KeyId"], GrantId=second["GrantId"])
    with refused("KMSInvalidStateException", "pending import"):
        grant(kms, create(kms, Origin="EXTERNAL"), ann.arn, "Encrypt")


GRANT_CALLS: dict[str, Callable[[Any, str, str], Any]] = {
    "CreateGrant": lambda kms, key, who: kms.create_grant(
        KeyId=key, GranteePrincipal=who, Operations=["DescribeKey"]
    ),
    "ListGrants": lambda kms, key, _: kms.list_grants(KeyId=key),
    "RetireGrant": lambda kms, key, _: kms.retire_grant(KeyId=key, GrantId="0" * 64),
    "RevokeGrant": lambda kms, key, _: kms.revoke_grant(KeyId=key, GrantId="0" * 64),
}


@pytest.mark.parametrize("operation", GRANT_CALLS)
@pytest.mark.parametrize("state", REACHED)
def test_trap_13_grant_operations_answer_as_the_grid_says(
    kms: Any, ann: Person, state: KeyState, operation: str
) -> None:
    made = REACHED[state](kms)
    refusal = TABLE[operation][state]
    allowed = "" if operation in {"CreateGrant", "ListGrants"} else "NotFoundException"  # no such grant
    answered = answer(lambda: GRANT_CALLS[operation](kms, made["KeyId"], ann.arn))
    assert answered == (refusal.code if refusal else allowed)


def test_a_key_is_named_by_id_or_arn_and_one_of_another_account_by_arn_only(
    kms: Any, key: dict[str, Any], ann: Person, stranger: Caller
) -> None:
    kms.create_alias(AliasName="alias/granted", TargetKeyId=key["KeyId"])
    for name in ("alias/granted", key["Arn"].replace("key/" + key["KeyId"], "alias/granted")):
        with refused("NotFoundException"):
            kms.create_grant(KeyId=name, GranteePrincipal=ann.arn, Operations=["Encrypt"])
    there = stranger.client("kms")
    with refused("NotFoundException"):
        there.list_grants(KeyId=key["KeyId"])
    with refused("AccessDeniedException"):
        there.list_grants(KeyId=key["Arn"])
    with refused("AccessDeniedException"):
        there.list_grants(KeyId=key["Arn"].replace(key["KeyId"], NOBODY))


def test_another_account_makes_and_lists_grants_where_the_key_policy_lets_it(
    owner: Caller, stranger: Caller, ann: Person
) -> None:
    kms, there = owner.client("kms"), stranger.client("kms")
    shared = allow(root(stranger), "kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant")
    key = create(kms, Policy=policy(allow(root(owner)), shared))
    made = grant(there, key, ann.arn, "Encrypt")
    encrypt(ann.kms, key)
    (entry,) = listed(there, key)
    assert entry == listed(kms, key)[0]
    assert entry["IssuingAccount"] == root(stranger)
    there.revoke_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
    assert listed(kms, key) == []


def test_trap_16_grants_are_not_shared_between_regions(owner: Caller, ann: Person) -> None:
    kms, there = owner.client("kms"), owner.client("kms", region=ELSEWHERE)
    world = owner.world
    primary = create(kms, MultiRegion=True)
    made = grant(kms, primary, ann.arn, "DescribeKey", RetiringPrincipal=ann.arn)
    replica = kms.replicate_key(KeyId=primary["KeyId"], ReplicaRegion=ELSEWHERE)["ReplicaKeyMetadata"]
    world.run_due()
    describe(ann.kms, primary["Arn"])
    elsewhere = ann.client(region=ELSEWHERE)
    with refused("AccessDeniedException"):
        elsewhere.describe_key(KeyId=replica["Arn"], GrantTokens=[made["GrantToken"]])
    assert listed(there, replica) == []
    with refused("NotFoundException"):
        elsewhere.retire_grant(GrantToken=made["GrantToken"])


# Lists


def test_an_entry_says_all_that_was_granted(
    kms: Any, key: dict[str, Any], owner: Caller, ann: Person, bob: Person
) -> None:
    constraints = {
        "EncryptionContextSubset": CONTEXT, "EncryptionContextEquals": {"ü": "ß"}, "SourceArn": SOURCE,
    }  # fmt: skip
    made = grant(
        kms, key, ann.arn, "Decrypt", "Encrypt", "Decrypt",
        Name="all", RetiringPrincipal=bob.arn, Constraints=constraints,
    )  # fmt: skip
    (entry,) = listed(kms, key)
    assert entry.pop("CreationDate") is not None
    assert entry == {
        "KeyId": key["Arn"],
        "GrantId": made["GrantId"],
        "Name": "all",
        "GranteePrincipal": ann.arn,
        "RetiringPrincipal": bob.arn,
        "IssuingAccount": root(owner),
        "Operations": ["Decrypt", "Encrypt"],
        "Constraints": constraints,
    }


def test_grants_are_listed_in_pages_of_50_unless_said_and_100_at_most(
    kms: Any, key: dict[str, Any], ann: Person
) -> None:
    made = {grant(kms, key, ann.arn, "Encrypt")["GrantId"] for _ in range(52)}
    first = kms.list_grants(KeyId=key["KeyId"])
    assert (len(first["Grants"]), first["Truncated"]) == (50, True)
    rest = kms.list_grants(KeyId=key["KeyId"], Marker=first["NextMarker"])
    assert (len(rest["Grants"]), rest["Truncated"], "NextMarker" in rest) == (2, False, False)
    assert {entry["GrantId"] for entry in (*first["Grants"], *rest["Grants"])} == made
    assert len(kms.list_grants(KeyId=key["KeyId"], Limit=100)["Grants"]) == 52
    with refused("ValidationException"):
        kms.list_grants(KeyId=key["KeyId"], Limit=101)
    with refused("InvalidMarkerException"):
        kms.list_grants(KeyId=key["KeyId"], Marker="nonsense")
    with refused("InvalidMarkerException"):
        kms.list_grants(KeyId=key["KeyId"], Marker=first["NextMarker"], GranteePrincipal=ann.arn)


def test_grants_are_filtered_by_id_and_by_grantee(
    kms: Any, key: dict[str, Any], ann: Person, bob: Person
) -> None:
    one, two = grant(kms, key, ann.arn, "Encrypt"), grant(kms, key, bob.arn, "Encrypt")
    assert [entry["GrantId"] for entry in listed(kms, key, GranteePrincipal=ann.arn)] == [one["GrantId"]]
    assert [entry["GrantId"] for entry in listed(kms, key, GrantId=two["GrantId"])] == [two["GrantId"]]
    assert listed(kms, key, GrantId=two["GrantId"], GranteePrincipal=ann.arn) == []
    assert listed(kms, key, GrantId="0" * 64) == []
    with refused("InvalidGrantIdException"):
        listed(kms, key, GrantId="nonsense")
    with refused("InvalidArnException"):
        listed(kms, key, GranteePrincipal="arn:aws:iam::123456789012:user/nobody")
    with refused("ValidationException", "but not both"):
        listed(kms, key, GranteePrincipal=ann.arn, GranteeServicePrincipal="acm.eu-central-1.amazonaws.com")
    with refused("AccessDeniedException", "service principal"):
        listed(kms, key, GranteeServicePrincipal="acm.eu-central-1.amazonaws.com")
