"""What a grant's constraints hold its grantee to (TRAPS 9)."""

from typing import Any

import pytest

from tests.api.kms.grants import Person, encrypt, grant, listed
from tests.api.kms.support import answer, create, describe, refused

CONTEXT = {"Department": "sales", "Case": "42"}
SOURCE = "arn:aws:s3:eu-central-1:111122223333:bucket/one"


def test_trap_9_constraint_keys_have_no_case_though_values_and_the_context_itself_have(
    kms: Any, key: dict[str, Any], ann: Person
) -> None:
    grant(kms, key, ann.arn, "Encrypt", "Decrypt", Constraints={"EncryptionContextEquals": {"DEPT": "Sales"}})
    blob = encrypt(ann.kms, key, {"dept": "Sales"})
    with refused("AccessDeniedException"):
        encrypt(ann.kms, key, {"dept": "sales"})
    with refused("InvalidCiphertextException"):
        ann.kms.decrypt(CiphertextBlob=blob, EncryptionContext={"DEPT": "Sales"})
    assert ann.kms.decrypt(CiphertextBlob=blob, EncryptionContext={"dept": "Sales"})["KeyId"] == key["Arn"]


@pytest.mark.parametrize(
    ("kind", "context", "fits"),
    [
        ("EncryptionContextSubset", CONTEXT, True),
        ("EncryptionContextSubset", {**CONTEXT, "more": "x"}, True),
        ("EncryptionContextSubset", {"Department": "sales"}, False),
        ("EncryptionContextSubset", {}, False),
        ("EncryptionContextEquals", CONTEXT, True),
        ("EncryptionContextEquals", {**CONTEXT, "more": "x"}, False),
        ("EncryptionContextEquals", {"Department": "sales"}, False),
        ("EncryptionContextEquals", {}, False),
    ],
)
def test_trap_9_subset_allows_extras_and_equals_does_not(
    kms: Any, key: dict[str, Any], ann: Person, kind: str, context: dict[str, str], fits: bool
) -> None:
    grant(kms, key, ann.arn, "Encrypt", Constraints={kind: CONTEXT})
    assert answer(lambda: encrypt(ann.kms, key, context)) == ("" if fits else "AccessDeniedException")


def test_trap_9_constraints_do_not_apply_to_describe_key_and_retire_grant(
    kms: Any, key: dict[str, Any], ann: Person
) -> None:
    constraints = {"EncryptionContextEquals": CONTEXT}
    made = grant(kms, key, ann.arn, "Encrypt", "DescribeKey", "RetireGrant", Constraints=constraints)
    describe(ann.kms, key["Arn"])
    ann.kms.retire_grant(GrantToken=made["GrantToken"])
    assert listed(kms, key) == []


@pytest.mark.parametrize(
    ("pairs", "taken"),
    [
        ({str(number): "v" for number in range(8)}, True),
        ({str(number): "v" for number in range(9)}, False),
        ({"k": "v" * 383}, True),
        ({"k": "v" * 384}, False),
        ({"a" * 100: "v" * 100, "b" * 100: "v" * 85}, False),
    ],
)
@pytest.mark.parametrize("kind", ["EncryptionContextSubset", "EncryptionContextEquals"])
def test_trap_9_a_constraint_has_up_to_8_pairs_and_384_characters(
    kms: Any, key: dict[str, Any], ann: Person, kind: str, pairs: dict[str, str], taken: bool
) -> None:
    code = answer(lambda: grant(kms, key, ann.arn, "Encrypt", Constraints={kind: pairs}))
    assert code == ("" if taken else "ValidationException")


@pytest.mark.parametrize(
    ("constraints", "operations", "made"),
    [
        ({"EncryptionContextSubset": CONTEXT}, ["Encrypt"], True),
        ({"EncryptionContextSubset": {**CONTEXT, "more": "x"}}, ["Encrypt"], True),
        ({"EncryptionContextSubset": {"DEPARTMENT": "sales", "case": "42"}}, ["Encrypt"], True),
        ({"EncryptionContextEquals": CONTEXT}, ["Encrypt"], True),
        ({"EncryptionContextSubset": {"Department": "sales"}}, ["Encrypt"], False),
        ({}, ["Encrypt"], False),
        ({"EncryptionContextSubset": CONTEXT}, ["Encrypt", "Decrypt"], False),
    ],
)
def test_trap_9_who_acts_by_a_grant_makes_children_that_are_equal_or_stricter(
    kms: Any,
    key: dict[str, Any],
    ann: Person,
    bob: Person,
    constraints: Any,
    operations: list[str],
    made: bool,
) -> None:
    grant(kms, key, ann.arn, "CreateGrant", "Encrypt", Constraints={"EncryptionContextSubset": CONTEXT})
    code = answer(lambda: grant(ann.kms, key, bob.arn, *operations, Constraints=constraints))
    assert code == ("" if made else "AccessDeniedException")
    assert answer(lambda: encrypt(bob.kms, key, {**CONTEXT, "more": "x"})) == (
        "" if made and "EncryptionContextEquals" not in constraints else "AccessDeniedException"
    )


def test_who_acts_by_a_grant_bound_to_equals_makes_children_bound_to_the_same(
    kms: Any, key: dict[str, Any], ann: Person, bob: Person
) -> None:
    grant(kms, key, ann.arn, "CreateGrant", "Encrypt", Constraints={"EncryptionContextEquals": CONTEXT})
    with refused("AccessDeniedException"):
        grant(ann.kms, key, bob.arn, "Encrypt", Constraints={"EncryptionContextSubset": CONTEXT})
    grant(ann.kms, key, bob.arn, "Encrypt", Constraints={"EncryptionContextEquals": CONTEXT})
    encrypt(bob.kms, key, CONTEXT)


def test_a_context_constraint_is_refused_on_keys_that_have_no_context(kms: Any, ann: Person) -> None:
    asymmetric = create(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    constraints = {"EncryptionContextSubset": CONTEXT}
    with refused("ValidationException", "asymmetric or HMAC"):
        grant(kms, asymmetric, ann.arn, "Sign", Constraints=constraints)
    grant(kms, asymmetric, ann.arn, "Sign", Constraints={"SourceArn": SOURCE})
    grant(kms, asymmetric, ann.arn, "DescribeKey", Constraints=constraints)


def test_a_source_arn_constraint_asks_for_a_call_on_behalf_of_that_resource(
    kms: Any, key: dict[str, Any], ann: Person
) -> None:
    made = grant(kms, key, ann.arn, "Encrypt", "RetireGrant", Constraints={"SourceArn": SOURCE})
    with refused("AccessDeniedException"):
        encrypt(ann.kms, key)
    ann.kms.retire_grant(KeyId=key["Arn"], GrantId=made["GrantId"])
