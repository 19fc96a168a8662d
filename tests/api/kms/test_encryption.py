"""Encrypt, Decrypt and ReEncrypt through a stock client."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from tests.api.kms.support import allow, create, policy, refused, root
from tests.support.world import ELSEWHERE, REGION, Caller, World

CONTEXT = {"Department": "sales", "case": "42"}
NOT_VALID = "InvalidCiphertextException"


@pytest.fixture(scope="module")
def caller(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.fixture(scope="module")
def kms(caller: Caller) -> Any:
    return caller.client("kms")


@pytest.fixture(scope="module")
def key(kms: Any) -> dict[str, Any]:
    return create(kms)


def sealed(kms: Any, key_id: str, **options: Any) -> bytes:
    blob: bytes = kms.encrypt(KeyId=key_id, Plaintext=b"a secret", **options)["CiphertextBlob"]
    return blob


def test_a_decrypted_blob_names_its_key_and_its_material(kms: Any, key: dict[str, Any]) -> None:
    made = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"a secret", EncryptionContext=CONTEXT)
    assert (made["KeyId"], made["EncryptionAlgorithm"]) == (key["Arn"], "SYMMETRIC_DEFAULT")
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
    assert (opened["KeyId"], opened["Plaintext"]) == (key["Arn"], b"a secret")
    assert opened["KeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert opened["EncryptionAlgorithm"] == "SYMMETRIC_DEFAULT"


def test_trap_7_the_blob_carries_the_key_and_another_key_is_incorrect(kms: Any, key: dict[str, Any]) -> None:
    blob, other = sealed(kms, key["KeyId"]), create(kms)
    for name in (key["KeyId"], key["Arn"]):
        assert kms.decrypt(CiphertextBlob=blob, KeyId=name)["Plaintext"] == b"a secret"
    with refused("IncorrectKeyException"):
        kms.decrypt(CiphertextBlob=blob, KeyId=other["KeyId"])


@pytest.mark.parametrize("damage", ["flipped", "cut", "foreign", "other context", "moved to another key"])
def test_trap_7_a_blob_that_is_not_whole_is_an_invalid_ciphertext(
    kms: Any, key: dict[str, Any], damage: str
) -> None:
    blob = sealed(kms, key["KeyId"], EncryptionContext=CONTEXT)
    context, named = CONTEXT, {}
    if damage == "flipped":
        blob = blob[:-1] + bytes([blob[-1] ^ 1])
    elif damage == "cut":
        blob = blob[:-1]
    elif damage == "foreign":
        blob = bytes(100)
    elif damage == "other context":
        context = {**CONTEXT, "case": "43"}
    else:
        other = create(kms)
        blob = blob.replace(key["KeyId"].encode(), other["KeyId"].encode())
        named = {"KeyId": other["KeyId"]}
    with refused(NOT_VALID):
        kms.decrypt(CiphertextBlob=blob, EncryptionContext=context, **named)


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_trap_7_what_was_encrypted_outside_with_the_public_key_decrypts(kms: Any, algorithm: str) -> None:
    made = create(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    spki = kms.get_public_key(KeyId=made["KeyId"])["PublicKey"]
    public = load_der_public_key(spki)
    assert isinstance(public, rsa.RSAPublicKey)
    digest = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    blob = public.encrypt(b"from outside", padding.OAEP(padding.MGF1(digest), digest, None))
    opened = kms.decrypt(KeyId=made["KeyId"], CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
    assert opened["Plaintext"] == b"from outside"
    assert "KeyMaterialId" not in opened
    with refused("ValidationException", "KeyId is required"):
        kms.decrypt(CiphertextBlob=blob, EncryptionAlgorithm=algorithm)
    with refused("InvalidKeyUsageException"):
        kms.decrypt(CiphertextBlob=blob, KeyId=made["KeyId"])
    with refused(NOT_VALID):
        kms.decrypt(KeyId=made["KeyId"], CiphertextBlob=blob[:-1], EncryptionAlgorithm=algorithm)


def test_trap_8_the_order_of_a_context_does_not_matter_but_its_case_and_its_joints_do(
    kms: Any, key: dict[str, Any]
) -> None:
    blob = sealed(kms, key["KeyId"], EncryptionContext={"ab": "c", "d": "e"})
    assert (
        kms.decrypt(CiphertextBlob=blob, EncryptionContext={"d": "e", "ab": "c"})["Plaintext"] == b"a secret"
    )
    for other in ({"a": "bc", "d": "e"}, {"AB": "c", "d": "e"}, {"ab": "C", "d": "e"}, {"ab": "c"}, {}):
        with refused(NOT_VALID):
            kms.decrypt(CiphertextBlob=blob, EncryptionContext=other)


def test_trap_8_a_context_is_refused_beside_an_asymmetric_algorithm(kms: Any) -> None:
    made = create(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    with refused("ValidationException", "EncryptionContext"):
        sealed(kms, made["KeyId"], EncryptionContext=CONTEXT, EncryptionAlgorithm="RSAES_OAEP_SHA_256")


def test_trap_8_a_context_is_written_to_the_trail_in_clear(shared_world: World, caller: Caller) -> None:
    client = caller.client("kms", region=ELSEWHERE)
    made = create(client)
    sealed(client, made["KeyId"], EncryptionContext=CONTEXT)
    [event] = [
        event for event in shared_world.events(caller, region=ELSEWHERE) if event["eventName"] == "Encrypt"
    ]
    assert event["requestParameters"]["EncryptionContext"] == CONTEXT
    assert "a secret" not in str(event)
    assert event["resources"] == [{"ARN": made["Arn"], "accountId": caller.account, "type": "AWS::KMS::Key"}]
    assert event["readOnly"]


SIZES = [
    ("RSA_2048", 214, 190), ("RSA_3072", 342, 318), ("RSA_4096", 470, 446),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "sha1", "sha256"), SIZES)
def test_trap_22_a_plaintext_may_be_as_long_as_the_key_and_the_algorithm_allow(
    kms: Any, spec: str, sha1: int, sha256: int
) -> None:
    made = create(kms, KeySpec=spec, KeyUsage="ENCRYPT_DECRYPT")
    for algorithm, limit in (("RSAES_OAEP_SHA_1", sha1), ("RSAES_OAEP_SHA_256", sha256)):
        asked = {"KeyId": made["KeyId"], "EncryptionAlgorithm": algorithm}
        blob = kms.encrypt(Plaintext=b"x" * limit, **asked)["CiphertextBlob"]
        assert kms.decrypt(CiphertextBlob=blob, **asked)["Plaintext"] == b"x" * limit
        with refused("ValidationException", f"cannot encrypt data larger than {limit} bytes"):
            kms.encrypt(Plaintext=b"x" * (limit + 1), **asked)


def test_trap_22_a_symmetric_key_encrypts_4096_bytes(kms: Any, key: dict[str, Any]) -> None:
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x" * 4096)["CiphertextBlob"]
    assert len(kms.decrypt(CiphertextBlob=blob)["Plaintext"]) == 4096
    with refused("ValidationException"):
        kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x" * 4097)


def test_a_key_of_another_usage_or_algorithm_does_not_encrypt(kms: Any, key: dict[str, Any]) -> None:
    signer = create(kms, KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")
    with refused("InvalidKeyUsageException", "key usage is SIGN_VERIFY which is not valid for Encrypt"):
        sealed(kms, signer["KeyId"])
    with refused("InvalidKeyUsageException", "incompatible"):
        sealed(kms, key["KeyId"], EncryptionAlgorithm="RSAES_OAEP_SHA_256")
    with refused("InvalidKeyUsageException", "incompatible"):
        sealed(kms, key["KeyId"], EncryptionAlgorithm="SM2PKE")


def test_a_disabled_key_neither_encrypts_nor_decrypts(kms: Any) -> None:
    made = create(kms)
    blob = sealed(kms, made["KeyId"])
    kms.disable_key(KeyId=made["KeyId"])
    with refused("DisabledException"):
        sealed(kms, made["KeyId"])
    with refused("DisabledException"):
        kms.decrypt(CiphertextBlob=blob)
    kms.enable_key(KeyId=made["KeyId"])
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"a secret"


def test_old_material_goes_on_decrypting_and_says_which_it_is(shared_world: World, kms: Any) -> None:
    made = create(kms)
    blob = sealed(kms, made["KeyId"])
    kms.rotate_key_on_demand(KeyId=made["KeyId"])
    shared_world.run_due()
    assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == made["CurrentKeyMaterialId"]
    newer = kms.decrypt(CiphertextBlob=sealed(kms, made["KeyId"]))["KeyMaterialId"]
    assert newer != made["CurrentKeyMaterialId"]


def test_a_key_is_used_by_its_alias(kms: Any, key: dict[str, Any]) -> None:
    kms.create_alias(AliasName="alias/by-alias", TargetKeyId=key["KeyId"])
    blob = sealed(kms, "alias/by-alias")
    assert kms.decrypt(CiphertextBlob=blob, KeyId="alias/by-alias")["KeyId"] == key["Arn"]


def test_a_blob_of_another_region_is_denied_without_saying_more(
    caller: Caller, kms: Any, key: dict[str, Any]
) -> None:
    blob = sealed(kms, key["KeyId"])
    elsewhere = caller.client("kms", region=ELSEWHERE)
    with refused("AccessDeniedException"):
        elsewhere.decrypt(CiphertextBlob=blob)
    with refused("NotFoundException"):
        elsewhere.decrypt(CiphertextBlob=blob, KeyId=key["KeyId"])


def test_another_accounts_blob_opens_when_both_sides_allow(
    shared_world: World, caller: Caller, kms: Any
) -> None:
    friend = shared_world.account()
    theirs = friend.client("kms")
    made = create(kms)
    blob = sealed(kms, made["KeyId"])
    with refused("AccessDeniedException"):
        theirs.decrypt(CiphertextBlob=blob)
    allowed = allow(root(friend), "kms:Decrypt", "kms:Encrypt")
    kms.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller)), allowed))
    for named in ({}, {"KeyId": made["Arn"]}, {"KeyId": made["KeyId"]}):
        assert theirs.decrypt(CiphertextBlob=blob, **named)["KeyId"] == made["Arn"]
    sealed(theirs, made["Arn"])
    with refused("NotFoundException"):
        sealed(theirs, made["KeyId"])


def test_a_blob_of_a_multi_region_key_opens_in_every_region_of_the_set(
    shared_world: World, caller: Caller, kms: Any
) -> None:
    made = create(kms, MultiRegion=True)
    kms.replicate_key(KeyId=made["KeyId"], ReplicaRegion=ELSEWHERE)
    shared_world.run_due()
    elsewhere = caller.client("kms", region=ELSEWHERE)
    for source, target in ((kms, elsewhere), (elsewhere, kms)):
        blob = sealed(source, made["KeyId"], EncryptionContext=CONTEXT)
        opened = target.decrypt(CiphertextBlob=blob, EncryptionContext=CONTEXT)
        assert opened["Plaintext"] == b"a secret"
        assert opened["KeyId"].split(":")[3] == target.meta.region_name
        assert opened["KeyMaterialId"] == made["CurrentKeyMaterialId"]


def test_re_encrypt_moves_a_ciphertext_between_keys_and_contexts(kms: Any, key: dict[str, Any]) -> None:
    new = create(kms)
    blob = sealed(kms, key["KeyId"], EncryptionContext=CONTEXT)
    moved = kms.re_encrypt(
        CiphertextBlob=blob, SourceEncryptionContext=CONTEXT, DestinationKeyId=new["KeyId"],
        DestinationEncryptionContext={"new": "context"},
    )  # fmt: skip
    assert (moved["SourceKeyId"], moved["KeyId"]) == (key["Arn"], new["Arn"])
    assert moved["SourceKeyMaterialId"] == key["CurrentKeyMaterialId"]
    assert moved["DestinationKeyMaterialId"] == new["CurrentKeyMaterialId"]
    opened = kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], EncryptionContext={"new": "context"})
    assert opened["Plaintext"] == b"a secret"


def test_re_encrypt_goes_to_asymmetric_keys_and_back(kms: Any, key: dict[str, Any]) -> None:
    rsa_key = create(kms, KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    out = kms.re_encrypt(
        CiphertextBlob=sealed(kms, key["KeyId"]), DestinationKeyId=rsa_key["KeyId"],
        DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256",
    )  # fmt: skip
    assert "DestinationKeyMaterialId" not in out
    back = kms.re_encrypt(
        CiphertextBlob=out["CiphertextBlob"], SourceKeyId=rsa_key["KeyId"],
        SourceEncryptionAlgorithm="RSAES_OAEP_SHA_256", DestinationKeyId=key["KeyId"],
    )  # fmt: skip
    assert kms.decrypt(CiphertextBlob=back["CiphertextBlob"])["Plaintext"] == b"a secret"
    long = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x" * 191)["CiphertextBlob"]
    with refused("ValidationException", "longer than the destination key"):
        kms.re_encrypt(
            CiphertextBlob=long, DestinationKeyId=rsa_key["KeyId"],
            DestinationEncryptionAlgorithm="RSAES_OAEP_SHA_256",
        )  # fmt: skip


def test_re_encrypt_needs_both_permissions(shared_world: World, caller: Caller, kms: Any) -> None:
    friend = shared_world.account()
    theirs = friend.client("kms")
    old, new = create(kms), create(kms)
    blob = sealed(kms, old["KeyId"])

    def move() -> None:
        theirs.re_encrypt(CiphertextBlob=blob, DestinationKeyId=new["Arn"])

    def permit(key_id: str, action: str, **more: Any) -> None:
        statement = allow(root(friend), action, **more)
        kms.put_key_policy(KeyId=key_id, Policy=policy(allow(root(caller)), statement))

    with refused("AccessDeniedException", "kms:ReEncryptFrom"):
        move()
    permit(old["KeyId"], "kms:ReEncryptFrom")
    with refused("AccessDeniedException", "kms:ReEncryptTo"):
        move()
    permit(new["KeyId"], "kms:ReEncryptTo", Condition={"Bool": {"kms:ReEncryptOnSameKey": "true"}})
    with refused("AccessDeniedException", "kms:ReEncryptTo"):
        move()
    permit(new["KeyId"], "kms:ReEncryptTo", Condition={"Bool": {"kms:ReEncryptOnSameKey": "false"}})
    move()


CONDITIONS = [
    ({"StringEquals": {"kms:EncryptionContext:department": "sales"}}, True),
    ({"StringEquals": {"kms:EncryptionContext:Department": "Sales"}}, False),
    ({"StringEquals": {"kms:EncryptionContext:case": "43"}}, False),
    ({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "Department"}}, True),
    ({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "department"}}, False),
    ({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["Department", "case"]}}, True),
    ({"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}}, True),
    ({"StringEquals": {"kms:EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}}, False),
    ({"Null": {"kms:EncryptionContextKeys": "true"}}, False),
]


@pytest.mark.parametrize(("condition", "allowed"), CONDITIONS)
def test_policies_see_the_encryption_context_and_algorithm(
    shared_world: World, caller: Caller, kms: Any, condition: dict[str, Any], allowed: bool
) -> None:
    friend = shared_world.account()
    made = create(kms)
    statement = allow(root(friend), "kms:Encrypt", Condition=condition)
    kms.put_key_policy(KeyId=made["KeyId"], Policy=policy(allow(root(caller)), statement))
    theirs = friend.client("kms")
    if allowed:
        sealed(theirs, made["Arn"], EncryptionContext=CONTEXT)
    else:
        with refused("AccessDeniedException"):
            sealed(theirs, made["Arn"], EncryptionContext=CONTEXT)


def test_dry_run_is_an_error_and_the_last_of_all(kms: Any, key: dict[str, Any]) -> None:
    blob = sealed(kms, key["KeyId"])
    for call in (
        lambda: sealed(kms, key["KeyId"], DryRun=True),
        lambda: kms.decrypt(CiphertextBlob=blob, DryRun=True),
        lambda: kms.re_encrypt(CiphertextBlob=blob, DestinationKeyId=key["KeyId"], DryRun=True),
        lambda: kms.decrypt(KeyId=key["KeyId"], DryRun=True, DryRunModifiers=["IGNORE_CIPHERTEXT"]),
        lambda: kms.re_encrypt(
            SourceKeyId=key["KeyId"], DestinationKeyId=key["KeyId"], DryRun=True,
            DryRunModifiers=["IGNORE_CIPHERTEXT"],
        ),
    ):  # fmt: skip
        with refused("DryRunOperationException", "The request would have succeeded"):
            call()
    with refused(NOT_VALID):
        kms.decrypt(CiphertextBlob=blob[:-1], DryRun=True)
    with refused("ValidationException", "DryRunModifiers"):
        kms.decrypt(CiphertextBlob=blob, DryRunModifiers=["IGNORE_CIPHERTEXT"])
    with refused("ValidationException", "CiphertextBlob"):
        kms.decrypt(KeyId=key["KeyId"], DryRun=True)
    with refused("ValidationException", "KeyId is required"):
        kms.decrypt(DryRun=True, DryRunModifiers=["IGNORE_CIPHERTEXT"])
    assert REGION


BOUNDS = {
    "65 pairs": {str(number): "x" for number in range(65)},
    "a long value": {"a": "x" * 8193},
    "a long name": {"x" * 8193: "a"},
    "16 KB in all": {"a": "x" * 8190, "b": "x" * 8190, "c": "x" * 10},
}


@pytest.mark.parametrize("beyond", BOUNDS)
def test_an_encryption_context_is_bounded(kms: Any, key: dict[str, Any], beyond: str) -> None:
    with refused("ValidationException", "An encryption context has at most"):
        sealed(kms, key["KeyId"], EncryptionContext=BOUNDS[beyond])
    with refused("ValidationException", "An encryption context has at most"):
        kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", EncryptionContext=BOUNDS[beyond])


def test_the_largest_encryption_context_is_taken(kms: Any, key: dict[str, Any]) -> None:
    context = {f"{number:064}": "x" * 192 for number in range(64)}
    blob = sealed(kms, key["KeyId"], EncryptionContext=context)
    assert kms.decrypt(CiphertextBlob=blob, EncryptionContext=context)["Plaintext"] == b"a secret"
