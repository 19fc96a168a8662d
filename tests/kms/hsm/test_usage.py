"""Who may ask what, and what each key may do: the three tables, cell by cell."""

import itertools
from typing import get_args

import pytest
from msgspec.structs import replace

from kms.hsm import frames, usage
from kms.hsm.labels import KeyLabel, Kind, Role
from kms.hsm.specs import SPECS, Family
from tests.kms.hsm.inside import label, perform, refusal, result, service

ROLES: tuple[Role, ...] = get_args(Role)
KINDS: tuple[Kind, ...] = get_args(Kind)
SYMMETRIC = label("kms", "SYMMETRIC_DEFAULT")
CURVE = label("kms", "EC_prime256v1")

BODIES: dict[type[frames.Body], frames.AnyBody] = {
    type(body): body
    for body in (
        frames.GenerateKey(CURVE),
        frames.Reseal(b"", CURVE, "eu-central-1"),
        frames.Lock(b"", label("ca", "EC_prime256v1")),
        frames.Unlock(b"", label("ca", "EC_prime256v1"), 0),
        frames.Sign(b"", CURVE, "ECDSA_SHA_256", b"", "raw"),
        frames.Verify(b"", CURVE, "ECDSA_SHA_256", b"", b""),
        frames.Encrypt(b"", SYMMETRIC, b"", {}),
        frames.Decrypt(b"", SYMMETRIC, b"", {}),
        frames.ReEncrypt(
            b"", SYMMETRIC, b"", {}, "SYMMETRIC_DEFAULT", b"", SYMMETRIC, {}, "SYMMETRIC_DEFAULT"
        ),
        frames.GenerateDataKey(b"", SYMMETRIC, 32, {}),
        frames.GenerateDataKeyPair(b"", SYMMETRIC, "ECC_NIST_P256", {}),
        frames.GenerateRandom(32),
        frames.GenerateMac(b"", label("kms", "HMAC_256"), "HMAC_SHA_256", b""),
        frames.VerifyMac(b"", label("kms", "HMAC_256"), "HMAC_SHA_256", b"", b""),
        frames.DeriveSharedSecret(b"", label("kms", "EC_prime256v1", usage="KEY_AGREEMENT"), b""),
        frames.Encapsulate(b"", label("kms", "ML_KEM_768")),
        frames.Decapsulate(b"", label("kms", "ML_KEM_768"), b""),
        frames.ImportParameters(
            label("kms", "HMAC_256", origin="EXTERNAL"), "RSAES_OAEP_SHA_256", "RSA_2048"
        ),
        frames.ImportMaterial(b"", label("kms", "HMAC_256", origin="EXTERNAL"), b"", {}),
        frames.Seal("secret", [], b""),
        frames.Open("secret", [], b""),
        frames.Mac("bearer", b""),
        frames.Macs("bearer", [b""]),
        frames.NewAccessKey("1", "AKIA", None),
        frames.SigningKey(b"", "1", "AKIA", "20260101", "r", "s"),
        frames.Append([]),
    )
}
CRYPTOGRAPHY = {
    "Sign", "Verify", "Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyPair", "GenerateRandom",
    "GenerateMac", "VerifyMac", "DeriveSharedSecret", "Encapsulate", "Decapsulate",
}  # fmt: skip
MAY: dict[Role, set[str]] = {
    "worker": CRYPTOGRAPHY
    | {
        "GenerateKey",
        "Reseal",
        "ImportParameters",
        "ImportMaterial",
        "Seal",
        "Open",
        "Mac",
        "Macs",
        "SigningKey",
        "Append",
        "NewAccessKey",
    },
    "admin": {
        "GenerateKey",
        "Reseal",
        "Lock",
        "Unlock",
        "Sign",
        "Seal",
        "Open",
        "Mac",
        "Macs",
        "NewAccessKey",
        "Append",
    },
    "scheduler": {body.__name__ for body in BODIES},
}


def test_every_request_has_its_row() -> None:
    assert {*BODIES, frames.Hello, frames.Ping} == set(get_args(frames.AnyBody))


@pytest.mark.parametrize(("role", "asked"), list(itertools.product(ROLES, BODIES)), ids=str)
def test_a_role_may_ask_what_its_row_says_and_nothing_else(role: Role, asked: type[frames.Body]) -> None:
    answer = perform(service(), BODIES[asked], role).answer
    refused = isinstance(answer, frames.Refusal) and "may not ask" in answer.message
    assert refused == (asked.__name__ not in MAY[role])


def test_a_worker_does_not_choose_the_secret_of_an_access_key() -> None:
    chosen = frames.NewAccessKey("1", "AKIA", "a-secret-that-somebody-knows")
    answer = perform(service(), chosen, "worker").answer
    assert isinstance(answer, frames.Refusal)
    assert "may not choose" in answer.message


USAGES = (
    "SIGN_VERIFY", "ENCRYPT_DECRYPT", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE", "ODD",
)  # fmt: skip
SIGNERS: set[Family] = {"rsa", "ec", "ed25519"}
LAWFUL: dict[tuple[str, str], set[Family]] = {
    ("ca", "SIGN_VERIFY"): {*SIGNERS, "ml-dsa"},
    ("log", "SIGN_VERIFY"): {"ed25519"},
    ("door", "SIGN_VERIFY"): SIGNERS,
    ("acm", "SIGN_VERIFY"): SIGNERS,
    ("kms", "SIGN_VERIFY"): {*SIGNERS, "koblitz", "ml-dsa"},
    ("kms", "ENCRYPT_DECRYPT"): {"symmetric", "rsa"},
    ("kms", "GENERATE_VERIFY_MAC"): {"hmac"},
    ("kms", "KEY_AGREEMENT"): {"ec"},
    ("kms", "ENCAPSULATE_DECAPSULATE"): {"ml-kem"},
}


@pytest.mark.parametrize("spec", sorted(SPECS))
@pytest.mark.parametrize(
    ("purpose", "use"), list(itertools.product(("kms", "ca", "acm", "door", "log", "iam", ""), USAGES))
)
def test_a_key_is_made_only_with_a_spec_that_suits_its_purpose(purpose: str, use: str, spec: str) -> None:
    wanted = label(purpose, spec, usage=use)
    if SPECS[spec].family not in LAWFUL.get((purpose, use), set()):
        assert refusal(service(), frames.GenerateKey(wanted)).code == "KeyRefused"
    elif not spec.startswith("RSA"):
        assert result(service(), frames.GenerateKey(wanted)).first
    else:
        usage.check_label(wanted)


MAY_SIGN: dict[str, set[str]] = {
    "ca": {"certificate", "ca-certificate", "rollover", "crl", "csr"},
    "ocsp": {"ocsp"},
    "door": {"certificate", "ca-certificate", "crl"},
    "acm": {"csr"},
    "kms": {"raw"},
}


@pytest.mark.parametrize(("purpose", "kind"), list(itertools.product(MAY_SIGN, KINDS)))
def test_a_key_signs_only_the_kinds_of_its_purpose(purpose: str, kind: Kind) -> None:
    keys, named = service(), label(purpose, "EC_prime256v1")
    token = result(keys, frames.GenerateKey(named)).first
    body = frames.Sign(token, named, "ECDSA_SHA_256", b"some bytes", kind)
    if kind == "raw" and purpose == "kms":
        assert result(keys, body).first
        return
    message = refusal(keys, body).message
    assert ("does not sign" in message) == (kind not in MAY_SIGN[purpose])
    assert ("the bytes to be signed are no" in message) == (kind in MAY_SIGN[purpose])


@pytest.mark.parametrize("purpose", ["kms", "ca", "ocsp", "acm", "door"])
def test_a_signing_key_neither_encrypts_nor_decrypts_nor_makes_data_keys(purpose: str) -> None:
    keys, named = service(), label(purpose, "EC_prime256v1")
    token = result(keys, frames.GenerateKey(named)).first
    for body in (
        frames.Encrypt(token, named, b"x", {}),
        frames.Decrypt(token, named, b"x", {}),
        frames.GenerateDataKey(token, named, 32, {}),
    ):
        assert refusal(keys, body).code == "KeyRefused"


def test_a_symmetric_key_does_not_sign() -> None:
    keys = service()
    token = result(keys, frames.GenerateKey(SYMMETRIC)).first
    assert refusal(keys, frames.Sign(token, SYMMETRIC, "ECDSA_SHA_256", b"m", "raw")).code == "KeyRefused"


@pytest.mark.parametrize(
    "purpose", [*usage.PURPOSES, "iam", "key ca", "for secret", "mac row", "unknown", ""]
)
def test_a_purpose_seals_and_macs_only_what_its_row_says(purpose: str) -> None:
    row = usage.PURPOSES.get(purpose, usage.Purpose())
    keys = service()
    if row.seals:
        sealed = result(keys, frames.Seal(purpose, ["a"], b"x")).first
        assert result(keys, frames.Open(purpose, ["a"], sealed)).first == b"x"
    else:
        assert refusal(keys, frames.Seal(purpose, ["a"], b"x")).code == "KeyRefused"
        assert refusal(keys, frames.Open(purpose, ["a"], b"x")).code == "KeyRefused"
    if row.macs:
        assert len(result(keys, frames.Mac(purpose, b"x")).first) == 32
    else:
        assert refusal(keys, frames.Mac(purpose, b"x")).code == "KeyRefused"


def test_an_access_keys_secret_has_no_way_out_by_open() -> None:
    keys = service()
    sealed = result(keys, frames.NewAccessKey("1", "AKIA", None)).first
    for purpose in (*usage.PURPOSES, "iam"):
        assert isinstance(perform(keys, frames.Open(purpose, ["1", "AKIA"], sealed)).answer, frames.Refusal)


def test_a_key_token_has_no_way_out_by_open() -> None:
    keys = service()
    token = result(keys, frames.GenerateKey(CURVE)).first
    for purpose in (*usage.PURPOSES, "key kms"):
        assert isinstance(perform(keys, frames.Open(purpose, [], token)).answer, frames.Refusal)


@pytest.mark.parametrize(
    "changed",
    [
        {"purpose": "ca"}, {"account": "999900001111"}, {"region": "us-east-1"}, {"key_id": "key-2"}, {"version": 2},
        {"spec": "EC_secp384r1"}, {"origin": "EXTERNAL"}, {"purpose": "acm"},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("warm", [True, False], ids=["opened before", "not opened before"])
def test_a_token_opens_only_under_the_label_that_it_was_made_for(
    changed: dict[str, object], warm: bool
) -> None:
    keys = service()
    token = result(keys, frames.GenerateKey(CURVE)).first
    if warm:
        result(keys, frames.Sign(token, CURVE, "ECDSA_SHA_256", b"m", "raw"))
    other: KeyLabel = replace(CURVE, **changed)
    body = frames.Reseal(token, other, other.region)
    assert refusal(keys, body).code == "BadSeal"
    if other.purpose == "kms" and other.spec == "EC_prime256v1":
        assert refusal(keys, frames.Sign(token, other, "ECDSA_SHA_256", b"m", "raw")).code == "BadSeal"


def test_the_usage_that_the_spec_suggests_may_be_said_or_left_out() -> None:
    keys = service()
    token = result(keys, frames.GenerateKey(CURVE)).first
    for usage_said in ("SIGN_VERIFY", "", "SIGN_VERIFY"):
        named = replace(CURVE, usage=usage_said)
        assert result(keys, frames.Sign(token, named, "ECDSA_SHA_256", b"m", "raw")).first


def test_a_key_is_sealed_for_another_region_only_when_it_is_a_multi_region_key() -> None:
    keys = service()
    single = result(keys, frames.GenerateKey(CURVE)).first
    assert refusal(keys, frames.Reseal(single, CURVE, "us-east-1")).code == "KeyRefused"
    here = label("kms", "SYMMETRIC_DEFAULT", key_id="mrk-1")
    there = label("kms", "SYMMETRIC_DEFAULT", key_id="mrk-1", region="us-east-1")
    token = result(keys, frames.GenerateKey(here)).first
    replica = result(keys, frames.Reseal(token, here, "us-east-1")).first
    blob = result(keys, frames.Encrypt(token, here, b"plain", {"a": "b"})).first
    assert result(keys, frames.Decrypt(replica, there, blob, {"a": "b"})).first == b"plain"
    assert refusal(keys, frames.Decrypt(token, there, blob, {"a": "b"})).code == "BadSeal"
