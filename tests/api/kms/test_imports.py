"""Imported key material through a stock client: every type of key, every wrapping algorithm, and all that is refused."""

import os
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)

from tests.api.kms.support import allow, create, describe, policy, refused, root
from tests.support.world import ELSEWHERE, Caller, World

FOREVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
SHA_256 = "RSAES_OAEP_SHA_256"


@pytest.fixture(scope="module")
def caller(shared_world: World) -> Caller:
    return shared_world.account()


@pytest.fixture(scope="module")
def kms(caller: Caller) -> Any:
    return caller.client("kms")


def wrap(public_key: bytes, algorithm: str, material: bytes) -> bytes:
    """As the developer guide tells importers to."""
    public = load_der_public_key(public_key)
    assert isinstance(public, rsa.RSAPublicKey)
    digest = hashes.SHA1() if algorithm.endswith("SHA_1") else hashes.SHA256()
    oaep = padding.OAEP(padding.MGF1(digest), digest, None)
    if algorithm.startswith("RSAES"):
        return public.encrypt(material, oaep)
    key = os.urandom(32)
    return public.encrypt(key, oaep) + aes_key_wrap_with_padding(key, material)


def wrapped(
    kms: Any, key_id: str, material: bytes, *, algorithm: str = SHA_256, spec: str = "RSA_2048"
) -> dict[str, Any]:
    """The parameters of ImportKeyMaterial that carry the material."""
    given = kms.get_parameters_for_import(KeyId=key_id, WrappingAlgorithm=algorithm, WrappingKeySpec=spec)
    return {
        "KeyId": key_id,
        "ImportToken": given["ImportToken"],
        "EncryptedKeyMaterial": wrap(given["PublicKey"], algorithm, material),
    }


def bring(kms: Any, key_id: str, material: bytes, *, algorithm: str = SHA_256, **options: Any) -> str:
    """Import; the material's id. Without an expiry, unless ValidTo says one."""
    model = {} if "ValidTo" in options else FOREVER
    answer = kms.import_key_material(
        **wrapped(kms, key_id, material, algorithm=algorithm), **model, **options
    )
    material_id: str = answer["KeyMaterialId"]
    return material_id


def external(kms: Any, **options: Any) -> str:
    made: str = create(kms, Origin="EXTERNAL", **options)["KeyId"]
    return made


def pkcs8(key: Any) -> bytes:
    der: bytes = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def spki(key: Any) -> bytes:
    der: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


def now(world: World) -> datetime:
    return world.worker.clock.now()


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", SHA_256])
@pytest.mark.parametrize("spec", ["RSA_2048", "RSA_3072", "RSA_4096"])
def test_trap_18_a_symmetric_key_is_imported_and_used(kms: Any, algorithm: str, spec: str) -> None:
    key_id = external(kms)
    assert describe(kms, key_id)["KeyState"] == "PendingImport"
    with refused("KMSInvalidStateException", "is pending import"):
        kms.encrypt(KeyId=key_id, Plaintext=b"x")
    sent = wrapped(kms, key_id, os.urandom(32), algorithm=algorithm, spec=spec)
    answer = kms.import_key_material(**sent, **FOREVER)
    shown = describe(kms, key_id)
    assert (shown["KeyState"], shown["ExpirationModel"]) == ("Enabled", "KEY_MATERIAL_DOES_NOT_EXPIRE")
    assert shown["CurrentKeyMaterialId"] == answer["KeyMaterialId"]
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == answer["KeyMaterialId"]


ECC = {
    "ECC_NIST_P256": ec.SECP256R1(), "ECC_NIST_P384": ec.SECP384R1(), "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}  # fmt: skip
KINDS = [
    ("ECC_NIST_P256", SHA_256), ("ECC_NIST_P256", "RSA_AES_KEY_WRAP_SHA_1"), ("ECC_NIST_P384", "RSAES_OAEP_SHA_1"),
    ("ECC_NIST_P521", "RSA_AES_KEY_WRAP_SHA_256"), ("ECC_SECG_P256K1", SHA_256), ("ECC_NIST_EDWARDS25519", SHA_256),
    ("RSA_2048", "RSA_AES_KEY_WRAP_SHA_256"), ("RSA_2048", "RSA_AES_KEY_WRAP_SHA_1"), ("ML_DSA_44", SHA_256),
]  # fmt: skip


def key_pair(spec: str) -> Any:
    if spec in ECC:
        return ec.generate_private_key(ECC[spec])
    if spec == "RSA_2048":
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if "ED" in spec else mldsa.MLDSA44PrivateKey.generate()


@pytest.mark.parametrize(("spec", "algorithm"), KINDS)
def test_trap_18_key_pairs_of_every_type_are_imported(kms: Any, spec: str, algorithm: str) -> None:
    key_id, pair = external(kms, KeySpec=spec, KeyUsage="SIGN_VERIFY"), key_pair(spec)
    bring(kms, key_id, pkcs8(pair), algorithm=algorithm)
    shown = kms.get_public_key(KeyId=key_id)
    assert shown["PublicKey"] == spki(pair)
    asked = {"KeyId": key_id, "Message": b"m", "SigningAlgorithm": shown["SigningAlgorithms"][0]}
    kms.verify(Signature=kms.sign(**asked)["Signature"], **asked)


def test_trap_18_an_hmac_key_is_imported_and_keeps_its_material_for_ever(kms: Any) -> None:
    key_id = external(kms, KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")
    material = os.urandom(32)
    bring(kms, key_id, material)
    asked = {"KeyId": key_id, "Message": b"m", "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.generate_mac(**asked)["Mac"]
    kms.delete_imported_key_material(KeyId=key_id)
    with refused("IncorrectKeyMaterialException"):
        bring(kms, key_id, os.urandom(32))
    with refused("ValidationException", "symmetric encryption keys only"):
        bring(kms, key_id, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    bring(kms, key_id, material)
    kms.verify_mac(Mac=mac, **asked)


REFUSED_PAIRS = [
    ("RSA_2048", SHA_256, "RSA_4096", "UnsupportedOperationException"),
    ("ECC_NIST_P521", SHA_256, "RSA_2048", "UnsupportedOperationException"),
    ("ECC_NIST_P521", "RSAES_OAEP_SHA_1", "RSA_2048", "UnsupportedOperationException"),
    ("ECC_NIST_P521", SHA_256, "RSA_3072", ""),
    ("ECC_NIST_P256", "RSAES_PKCS1_V1_5", "RSA_2048", "UnsupportedOperationException"),
    ("ECC_NIST_P256", "SM2PKE", "SM2", "UnsupportedOperationException"),
    ("ECC_NIST_P256", SHA_256, "SM2", "UnsupportedOperationException"),
]


@pytest.mark.parametrize(("spec", "algorithm", "wrapping", "code"), REFUSED_PAIRS)
def test_trap_18_material_goes_with_its_wrapping_algorithms_only(
    kms: Any, spec: str, algorithm: str, wrapping: str, code: str
) -> None:
    key_id = external(kms, KeySpec=spec, KeyUsage="SIGN_VERIFY")
    asked = {"KeyId": key_id, "WrappingAlgorithm": algorithm, "WrappingKeySpec": wrapping}
    if code:
        with refused(code):
            kms.get_parameters_for_import(**asked)
    else:
        kms.get_parameters_for_import(**asked)


def test_trap_18_aes_wrapping_is_for_rsa_and_ecc_material(kms: Any) -> None:
    with refused("UnsupportedOperationException"):
        kms.get_parameters_for_import(
            KeyId=external(kms), WrappingAlgorithm="RSA_AES_KEY_WRAP_SHA_256", WrappingKeySpec="RSA_2048"
        )


def test_a_key_of_ours_takes_no_material(kms: Any) -> None:
    key_id = create(kms)["KeyId"]
    asked = {"WrappingAlgorithm": SHA_256, "WrappingKeySpec": "RSA_2048"}
    with refused("UnsupportedOperationException", "origin is AWS_KMS which is not valid for this operation"):
        kms.get_parameters_for_import(KeyId=key_id, **asked)
    sent = wrapped(kms, external(kms), os.urandom(32))
    with refused("UnsupportedOperationException", "origin is AWS_KMS"):
        kms.import_key_material(**{**sent, "KeyId": key_id}, **FOREVER)
    with refused("UnsupportedOperationException", "origin is AWS_KMS"):
        kms.delete_imported_key_material(KeyId=key_id)


def test_trap_18_a_token_is_for_its_key_and_its_wrapping_key(kms: Any) -> None:
    mine, other = external(kms), external(kms)
    sent, theirs = wrapped(kms, mine, os.urandom(32)), wrapped(kms, other, os.urandom(32))
    with refused("InvalidImportTokenException"):
        kms.import_key_material(**{**sent, "ImportToken": theirs["ImportToken"]}, **FOREVER)
    with refused("InvalidImportTokenException"):
        kms.import_key_material(**{**sent, "ImportToken": b"no token"}, **FOREVER)
    again = wrapped(kms, mine, os.urandom(32))
    with refused("InvalidCiphertextException"):
        kms.import_key_material(**{**sent, "ImportToken": again["ImportToken"]}, **FOREVER)
    altered = bytearray(sent["ImportToken"])
    altered[13] ^= 1  # in the note, which says until when it is good
    with refused("InvalidImportTokenException"):
        kms.import_key_material(**{**sent, "ImportToken": bytes(altered)}, **FOREVER)
    with refused("IncorrectKeyMaterialException"):
        bring(kms, mine, os.urandom(16))


def test_trap_18_a_token_is_good_for_24_hours(world: World) -> None:
    kms = world.account().client("kms")
    key_id = external(kms)
    given = kms.get_parameters_for_import(KeyId=key_id, WrappingAlgorithm=SHA_256, WrappingKeySpec="RSA_2048")
    left = given["ParametersValidTo"] - now(world)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    sent = {
        "KeyId": key_id, "ImportToken": given["ImportToken"],
        "EncryptedKeyMaterial": wrap(given["PublicKey"], SHA_256, os.urandom(32)),
    }  # fmt: skip
    world.advance(timedelta(hours=24))
    with refused("ExpiredImportTokenException"):
        kms.import_key_material(**sent, **FOREVER)
    bring(kms, key_id, os.urandom(32))


def test_trap_18_an_expiry_is_the_default_and_at_most_a_year_away(shared_world: World, kms: Any) -> None:
    sent = wrapped(kms, external(kms), os.urandom(32))
    today = now(shared_world)
    for options in (
        {},
        {"ExpirationModel": "KEY_MATERIAL_EXPIRES"},
        {**FOREVER, "ValidTo": today + timedelta(days=1)},
        {"ValidTo": today - timedelta(seconds=5)},
        {"ValidTo": today + timedelta(days=365, minutes=5)},
    ):
        with refused("ValidationException", "ValidTo"):
            kms.import_key_material(**sent, **options)
    kms.import_key_material(**sent, ValidTo=today + timedelta(days=365) - timedelta(minutes=5))
    assert describe(kms, sent["KeyId"])["ExpirationModel"] == "KEY_MATERIAL_EXPIRES"


def test_trap_18_expired_material_is_gone_until_the_same_comes_again(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    key_id, material = external(kms), os.urandom(32)
    material_id = bring(kms, key_id, material, ValidTo=now(world) + timedelta(days=2))
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    world.advance(timedelta(days=1))
    kms.decrypt(CiphertextBlob=blob)
    world.advance(timedelta(days=1, seconds=10))
    assert describe(kms, key_id)["KeyState"] == "PendingImport"
    with refused("KMSInvalidStateException"):
        kms.decrypt(CiphertextBlob=blob)
    with refused("IncorrectKeyMaterialException"):
        bring(kms, key_id, os.urandom(32))
    assert bring(kms, key_id, material, KeyMaterialId=material_id) == material_id
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    [event] = [one for one in world.events(caller) if one["eventName"] == "DeleteExpiredKeyMaterial"]
    assert event["userIdentity"]["invokedBy"] == "kms.amazonaws.com"


def pass_by(world: World, time: timedelta) -> None:
    """Time passes, and no job has run yet."""
    deployment = world.scheduler.store.deployment()
    assert deployment is not None
    world.scheduler.store.set_clock_offset(deployment.clock_offset_us + int(time.total_seconds() * 1e6))


def test_trap_18_material_ends_at_its_moment_and_not_when_its_job_runs(world: World) -> None:
    caller = world.account()
    kms = caller.client("kms")
    key_id, material = external(kms), os.urandom(32)
    end = now(world) + timedelta(days=2)
    bring(kms, key_id, material, ValidTo=end)
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    pass_by(world, timedelta(days=1, hours=23, minutes=50))
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    pass_by(world, timedelta(minutes=20))
    for name, params in (
        ("encrypt", {"KeyId": key_id, "Plaintext": b"x"}),
        ("decrypt", {"CiphertextBlob": blob}),
        ("re_encrypt", {"CiphertextBlob": blob, "DestinationKeyId": key_id}),
        ("generate_data_key", {"KeyId": key_id, "KeySpec": "AES_256"}),
        ("create_grant", {"KeyId": key_id, "GranteePrincipal": root(caller), "Operations": ["Decrypt"]}),
        ("enable_key", {"KeyId": key_id}),
        ("disable_key", {"KeyId": key_id}),
    ):
        with refused("KMSInvalidStateException", "pending import"):
            getattr(kms, name)(**params)
    shown = describe(kms, key_id)
    assert (shown["KeyState"], shown["Enabled"], "ValidTo" in shown) == ("PendingImport", False, False)
    bring(kms, key_id, material)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    world.advance(timedelta(days=1))
    assert describe(kms, key_id)["KeyState"] == "Enabled"


def test_material_that_expired_or_went_before_it_was_rotated_in_leaves_the_current_one_in_place(
    world: World,
) -> None:
    kms = world.account().client("kms")
    key_id, first = external(kms), os.urandom(32)
    bring(kms, key_id, first)
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    new = {"ImportType": "NEW_KEY_MATERIAL"}
    second = bring(kms, key_id, os.urandom(32), ValidTo=now(world) + timedelta(hours=1), **new)
    pass_by(world, timedelta(hours=2))
    with refused("KMSInvalidStateException"):
        kms.rotate_key_on_demand(KeyId=key_id)
    world.advance(timedelta(hours=1))
    second = bring(kms, key_id, os.urandom(32), **new)
    kms.rotate_key_on_demand(KeyId=key_id)
    kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=second)
    world.advance(timedelta(hours=1))
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"
    assert kms.encrypt(KeyId=key_id, Plaintext=b"y")["CiphertextBlob"]
    assert "OnDemandRotationStartDate" not in kms.get_key_rotation_status(KeyId=key_id)


def test_an_import_moves_and_lifts_the_expiry(world: World) -> None:
    kms = world.account().client("kms")
    key_id, material = external(kms), os.urandom(32)
    bring(kms, key_id, material, ValidTo=now(world) + timedelta(days=2))
    bring(kms, key_id, material, ValidTo=now(world) + timedelta(days=20))
    world.advance(timedelta(days=10))
    assert describe(kms, key_id)["KeyState"] == "Enabled"
    bring(kms, key_id, material)
    world.advance(timedelta(days=30))
    assert describe(kms, key_id)["KeyState"] == "Enabled"


def test_trap_18_deleted_material_comes_back_as_what_it_was(kms: Any) -> None:
    key_id, material = external(kms), os.urandom(32)
    material_id = bring(kms, key_id, material, KeyMaterialDescription="the first")
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert kms.delete_imported_key_material(KeyId=key_id)["KeyMaterialId"] == material_id
    assert describe(kms, key_id)["KeyState"] == "PendingImport"
    kms.delete_imported_key_material(KeyId=key_id)
    [shown] = kms.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert (shown["ImportState"], shown["KeyMaterialDescription"]) == ("PENDING_IMPORT", "the first")
    with refused("IncorrectKeyMaterialException"):
        bring(kms, key_id, material, ImportType="NEW_KEY_MATERIAL")
    with refused("IncorrectKeyMaterialException"):
        bring(kms, key_id, material, KeyMaterialId="0" * 64)
    with refused("ValidationException", "KeyMaterialId"):
        bring(kms, key_id, material, ImportType="NEW_KEY_MATERIAL", KeyMaterialId=material_id)
    bring(kms, key_id, material, ImportType="EXISTING_KEY_MATERIAL", KeyMaterialId=material_id)
    assert kms.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == material_id


def test_trap_17_new_material_rotates_in_and_all_permanent_material_is_needed(world: World) -> None:
    kms = world.account().client("kms")
    key_id, first, second = external(kms), os.urandom(32), os.urandom(32)
    first_id = bring(kms, key_id, first)
    old = kms.encrypt(KeyId=key_id, Plaintext=b"old")["CiphertextBlob"]
    second_id = bring(kms, key_id, second, ImportType="NEW_KEY_MATERIAL")
    assert describe(kms, key_id)["CurrentKeyMaterialId"] == first_id
    with refused("KMSInvalidStateException", "pending rotation already"):
        bring(kms, key_id, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    kms.rotate_key_on_demand(KeyId=key_id)
    world.run_due()
    assert describe(kms, key_id)["CurrentKeyMaterialId"] == second_id
    new = kms.encrypt(KeyId=key_id, Plaintext=b"new")["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=first_id)
    with refused("KMSInvalidStateException"):
        kms.decrypt(CiphertextBlob=new)
    kms.delete_imported_key_material(KeyId=key_id)
    bring(kms, key_id, second)
    assert describe(kms, key_id)["KeyState"] == "PendingImport"
    bring(kms, key_id, first)
    assert describe(kms, key_id)["KeyState"] == "Enabled"
    assert kms.decrypt(CiphertextBlob=old)["KeyMaterialId"] == first_id
    assert kms.decrypt(CiphertextBlob=new)["KeyMaterialId"] == second_id


def test_material_that_waits_to_rotate_in_can_be_exchanged(kms: Any) -> None:
    key_id = external(kms)
    bring(kms, key_id, os.urandom(32))
    waiting = bring(kms, key_id, os.urandom(32), ImportType="NEW_KEY_MATERIAL")
    kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=waiting)
    assert describe(kms, key_id)["KeyState"] == "Enabled"
    with refused("NotFoundException"):
        kms.delete_imported_key_material(KeyId=key_id, KeyMaterialId=waiting)
    assert bring(kms, key_id, os.urandom(32), ImportType="NEW_KEY_MATERIAL") != waiting


def test_trap_16_new_material_of_a_set_goes_to_the_primary_first_then_to_every_replica(world: World) -> None:
    caller = world.account()
    here, there = caller.client("kms"), caller.client("kms", region=ELSEWHERE)
    key_id, first, second = external(here, MultiRegion=True), os.urandom(32), os.urandom(32)
    first_id = bring(here, key_id, first)
    here.replicate_key(KeyId=key_id, ReplicaRegion=ELSEWHERE)
    world.run_due()
    assert describe(there, key_id)["KeyState"] == "PendingImport"
    with refused("IncorrectKeyMaterialException"):
        bring(there, key_id, second)
    assert bring(there, key_id, first) == first_id
    blob = here.encrypt(KeyId=key_id, Plaintext=b"x")["CiphertextBlob"]
    assert there.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first_id
    with refused("UnsupportedOperationException", "primary key first"):
        bring(there, key_id, second, ImportType="NEW_KEY_MATERIAL")
    second_id = bring(here, key_id, second, ImportType="NEW_KEY_MATERIAL")

    def states(kms: Any) -> dict[str, str]:
        listed = kms.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
        return {one["KeyMaterialId"]: one["KeyMaterialState"] for one in listed}

    assert states(here) == {first_id: "CURRENT", second_id: "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"}
    with refused("KMSInvalidStateException"):
        here.rotate_key_on_demand(KeyId=key_id)
    bring(there, key_id, second)
    assert states(here) == states(there) == {first_id: "CURRENT", second_id: "PENDING_ROTATION"}
    there.delete_imported_key_material(KeyId=key_id, KeyMaterialId=second_id)
    assert states(here)[second_id] == "PENDING_MULTI_REGION_IMPORT_AND_ROTATION"
    bring(there, key_id, second)
    here.rotate_key_on_demand(KeyId=key_id)
    world.run_due()
    newer = there.encrypt(KeyId=key_id, Plaintext=b"y")["CiphertextBlob"]
    assert here.decrypt(CiphertextBlob=newer)["KeyMaterialId"] == second_id
    assert here.decrypt(CiphertextBlob=blob)["KeyMaterialId"] == first_id


def test_waiting_material_deleted_from_the_primary_goes_from_every_replica(world: World) -> None:
    caller = world.account()
    here, there = caller.client("kms"), caller.client("kms", region=ELSEWHERE)
    key_id, first, second = external(here, MultiRegion=True), os.urandom(32), os.urandom(32)
    bring(here, key_id, first)
    here.replicate_key(KeyId=key_id, ReplicaRegion=ELSEWHERE)
    world.run_due()
    bring(there, key_id, first)
    second_id = bring(here, key_id, second, ImportType="NEW_KEY_MATERIAL")
    bring(there, key_id, second)
    here.delete_imported_key_material(KeyId=key_id, KeyMaterialId=second_id)
    listed = there.list_key_rotations(KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL")["Rotations"]
    assert second_id not in {one["KeyMaterialId"] for one in listed}


def test_a_key_without_its_material_waits_for_it_after_a_cancelled_deletion(kms: Any) -> None:
    key_id, material = external(kms), os.urandom(32)
    bring(kms, key_id, material)
    kms.schedule_key_deletion(KeyId=key_id)
    kms.delete_imported_key_material(KeyId=key_id)
    assert describe(kms, key_id)["KeyState"] == "PendingDeletion"
    kms.cancel_key_deletion(KeyId=key_id)
    assert describe(kms, key_id)["KeyState"] == "PendingImport"
    with refused("KMSInvalidStateException"):
        kms.enable_key(KeyId=key_id)
    bring(kms, key_id, material)
    assert describe(kms, key_id)["KeyState"] == "Enabled"


CONDITIONS = [
    ("kms:GetParametersForImport", {"StringEquals": {"kms:WrappingAlgorithm": SHA_256}}, True),
    ("kms:GetParametersForImport", {"StringEquals": {"kms:WrappingKeySpec": "RSA_4096"}}, False),
    (
        "kms:ImportKeyMaterial",
        {"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}},
        True,
    ),
    ("kms:ImportKeyMaterial", {"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_EXPIRES"}}, False),
    ("kms:ImportKeyMaterial", {"Null": {"kms:ValidTo": "false"}}, False),
]


@pytest.mark.parametrize(("action", "condition", "allowed"), CONDITIONS)
def test_policies_see_how_material_is_imported(
    caller: Caller, kms: Any, action: str, condition: dict[str, Any], allowed: bool
) -> None:
    key_id = external(kms)
    others = {"kms:GetParametersForImport", "kms:ImportKeyMaterial"} - {action}
    manage = allow(root(caller), "kms:PutKeyPolicy", "kms:DescribeKey", *sorted(others))
    asked = allow(root(caller), action, Condition=condition)
    kms.put_key_policy(KeyId=key_id, Policy=policy(manage, asked))
    if allowed:
        bring(kms, key_id, os.urandom(32))
    else:
        with refused("AccessDeniedException", action):
            bring(kms, key_id, os.urandom(32))
