"""What each spec's keys do by their operations, judged from outside: by pyca, by openssl, and by the tables."""

import functools
import hashlib
import hmac
import itertools
from typing import get_args

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key
from msgspec.structs import replace

from kms.hsm import CoreClient, InvalidMac, InvalidSignature, KeyLabel, KeyRefused, Side, frames, keypairs
from kms.hsm.algorithms import ALGORITHMS
from kms.hsm.errors import BadPublicKey, BadSeal
from kms.hsm.labels import MessageType
from kms.hsm.rsa_oaep import padding_of
from kms.hsm.specs import SPECS
from tests.kms.hsm.inside import ASKER, label, perform, refusal, result, service

SIGNERS = sorted(
    name for name, spec in SPECS.items() if spec.family in {"rsa", "ec", "koblitz", "ed25519", "ml-dsa"}
)
TYPES: tuple[MessageType, ...] = get_args(MessageType)
KEYS = service()
SIGNS: dict[str, set[str]] = {
    "EC_prime256v1": {"ECDSA_SHA_256"},
    "EC_secp256k1": {"ECDSA_SHA_256"},
    "EC_secp384r1": {"ECDSA_SHA_384"},
    "EC_secp521r1": {"ECDSA_SHA_512"},
    "ED25519": {"ED25519_SHA_512", "ED25519_PH_SHA_512"},
    **{
        f"RSA_{bits}": {
            f"RSASSA_{kind}_SHA_{digest}" for kind in ("PSS", "PKCS1_V1_5") for digest in (256, 384, 512)
        }
        for bits in (2048, 3072, 4096)
    },
    **{f"ML_DSA_{level}": {"ML_DSA_SHAKE_256"} for level in (44, 65, 87)},
}
# Length of a message that an algorithm takes, by message type; no entry: the type is refused.
LENGTHS: dict[str, dict[str, int]] = {
    **{
        name: {"RAW": 4096, "DIGEST": int(name[-3:]) // 8}
        for name in ALGORITHMS
        if name[-3:] in {"256", "384", "512"}
    },
    "ED25519_SHA_512": {"RAW": 4096},
    "ED25519_PH_SHA_512": {"DIGEST": 64},
    "ML_DSA_SHAKE_256": {"RAW": 4096, "EXTERNAL_MU": 64},
}


@functools.cache
def key(spec: str, usage: str = "") -> tuple[bytes, KeyLabel, bytes]:
    """(token, label, SPKI) of one key, made once."""
    named = label("kms", spec, usage=usage)
    made = result(KEYS, frames.GenerateKey(named))
    return made.first, named, made.second


@pytest.mark.parametrize(("spec", "algorithm", "kind"), list(itertools.product(SIGNERS, ALGORITHMS, TYPES)))
def test_a_key_signs_and_verifies_with_its_algorithms_and_message_types_only(
    spec: str, algorithm: str, kind: MessageType
) -> None:
    token, named, _ = key(spec)
    length = LENGTHS[algorithm].get(kind)
    message = bytes(64 if length is None else length)
    sign = frames.Sign(token, named, algorithm, message, "raw", kind)
    verify = frames.Verify(token, named, algorithm, message, b"x", kind)
    if algorithm not in SIGNS[spec] or length is None:
        assert refusal(KEYS, sign).code == "KeyRefused"
        assert refusal(KEYS, verify).code == "KeyRefused"
        return
    assert refusal(KEYS, verify).code == "InvalidSignature"
    signature = result(KEYS, sign).first
    assert result(KEYS, frames.Verify(token, named, algorithm, message, signature, kind)) == frames.Result()
    other = bytes((1,)) + message[1:]
    wrong = frames.Verify(token, named, algorithm, other, signature, kind)
    assert refusal(KEYS, wrong).code == "InvalidSignature"
    for size in {length + 1, length - 1} if kind != "RAW" else {4097}:
        longer = frames.Sign(token, named, algorithm, bytes(size), "raw", kind)
        assert refusal(KEYS, longer).code == "KeyRefused"


def test_a_prehash_signature_is_not_one_of_the_plain_algorithm() -> None:
    token, named, _ = key("ED25519")
    digest = hashlib.sha512(b"m").digest()
    signature = result(KEYS, frames.Sign(token, named, "ED25519_PH_SHA_512", digest, "raw", "DIGEST")).first
    plain = frames.Verify(token, named, "ED25519_SHA_512", digest, signature)
    assert refusal(KEYS, plain).code == "InvalidSignature"


def test_ed25519ph_hashes_what_is_hashed_already() -> None:
    """RFC 8032 7.3 is over "abc": KMS, given SHA-512 of it, signs SHA-512 of that (TRAPS 20)."""
    from Crypto.Hash import SHA512
    from Crypto.Signature import eddsa

    token, named, spki = key("ED25519")
    digest = hashlib.sha512(b"abc").digest()
    signature = result(KEYS, frames.Sign(token, named, "ED25519_PH_SHA_512", digest, "raw", "DIGEST")).first
    public = eddsa.import_public_key(spki[-32:])
    eddsa.new(public, "rfc8032").verify(SHA512.new(digest), signature)
    with pytest.raises(ValueError, match="not authentic"):
        eddsa.new(public, "rfc8032").verify(SHA512.new(b"abc"), signature)


def test_a_certificates_message_has_no_message_type() -> None:
    named = label("ca", "EC_prime256v1")
    token = result(KEYS, frames.GenerateKey(named)).first
    digest = frames.Sign(token, named, "ECDSA_SHA_256", bytes(32), "certificate", "DIGEST")
    assert "signed whole" in refusal(KEYS, digest).message


@pytest.mark.parametrize(
    ("spec", "algorithm", "refused"),
    [
        ("EC_prime256v1", "ECDSA_SHA_512", False),
        ("EC_prime256v1", "RSASSA_PSS_SHA_256", True),
        ("ML_DSA_44", "ML_DSA_SHAKE_256", False),
        ("ML_DSA_44", "ECDSA_SHA_256", True),
        ("ED25519", "ED25519_PH_SHA_512", True),
    ],
)
def test_a_ca_key_issues_with_every_algorithm_of_its_family_and_no_other(
    spec: str, algorithm: str, *, refused: bool
) -> None:
    named = label("ca", spec)
    token = result(KEYS, frames.GenerateKey(named)).first
    message = refusal(KEYS, frames.Sign(token, named, algorithm, b"x", "crl")).message
    assert ("signs no certificates" in message) == refused
    assert ("the bytes to be signed are no crl" in message) != refused


CAPS = {
    ("RSA_2048", "RSAES_OAEP_SHA_1"): 214, ("RSA_2048", "RSAES_OAEP_SHA_256"): 190,
    ("RSA_3072", "RSAES_OAEP_SHA_1"): 342, ("RSA_3072", "RSAES_OAEP_SHA_256"): 318,
    ("RSA_4096", "RSAES_OAEP_SHA_1"): 470, ("RSA_4096", "RSAES_OAEP_SHA_256"): 446,
}  # fmt: skip


@pytest.mark.parametrize(("spec", "algorithm"), CAPS)
def test_an_rsa_key_encrypts_up_to_its_cap_and_opens_what_was_encrypted_outside(
    spec: str, algorithm: str
) -> None:
    token, named, spki = key(spec, "ENCRYPT_DECRYPT")
    cap = CAPS[spec, algorithm]
    blob = result(KEYS, frames.Encrypt(token, named, b"x" * cap, {}, algorithm)).first
    assert result(KEYS, frames.Decrypt(token, named, blob, {}, algorithm)).first == b"x" * cap
    longer = frames.Encrypt(token, named, b"x" * (cap + 1), {}, algorithm)
    assert f"at most {cap} bytes" in refusal(KEYS, longer).message
    public = load_der_public_key(spki)
    assert isinstance(public, rsa.RSAPublicKey)
    outside = public.encrypt(b"from outside", padding_of(algorithm))
    assert result(KEYS, frames.Decrypt(token, named, outside, {}, algorithm)).first == b"from outside"
    other = next(name for _, name in CAPS if name != algorithm)
    assert refusal(KEYS, frames.Decrypt(token, named, outside, {}, other)).code == "BadSeal"
    for broken in (outside[:-1], outside + b"\0", b"", bytes(len(outside))):
        assert refusal(KEYS, frames.Decrypt(token, named, broken, {}, algorithm)).code == "BadSeal"


def test_an_encryption_context_is_refused_by_an_rsa_key() -> None:
    token, named, _ = key("RSA_2048", "ENCRYPT_DECRYPT")
    body = frames.Encrypt(token, named, b"x", {"a": "b"}, "RSAES_OAEP_SHA_256")
    assert "symmetric keys only" in refusal(KEYS, body).message


@pytest.mark.parametrize(
    ("spec", "usage", "algorithm"),
    [
        ("SYMMETRIC_DEFAULT", "", "RSAES_OAEP_SHA_256"),
        ("RSA_2048", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"),
        ("RSA_2048", "ENCRYPT_DECRYPT", "RSAES_PKCS1_V1_5"),
        ("SYMMETRIC_DEFAULT", "", "SM2PKE"),
    ],
)
def test_a_key_does_not_encrypt_with_anothers_algorithm(spec: str, usage: str, algorithm: str) -> None:
    token, named, _ = key(spec, usage)
    assert refusal(KEYS, frames.Encrypt(token, named, b"x", {}, algorithm)).code == "KeyRefused"
    assert refusal(KEYS, frames.Decrypt(token, named, b"x" * 256, {}, algorithm)).code == "KeyRefused"


@pytest.mark.parametrize(("made", "asked"), list(itertools.product((224, 256, 384, 512), repeat=2)))
def test_a_mac_is_rfc_2104s_by_the_keys_own_algorithm(made: int, asked: int) -> None:
    token, named, _ = key(f"HMAC_{made}")
    body = frames.GenerateMac(token, named, f"HMAC_SHA_{asked}", b"message")
    if made != asked:
        assert refusal(KEYS, body).code == "KeyRefused"
        return
    mac = result(KEYS, body).first
    secret = KEYS._backing.open(token, named).secret
    assert len(secret) == made // 8
    assert mac == hmac.digest(secret, b"message", f"sha{made}")
    assert (
        result(KEYS, frames.VerifyMac(token, named, f"HMAC_SHA_{asked}", b"message", mac)) == frames.Result()
    )
    for wrong in (mac[:-1], mac + b"\0", bytes(len(mac)), b"", mac[: len(mac) // 2]):
        verify = frames.VerifyMac(token, named, f"HMAC_SHA_{asked}", b"message", wrong)
        assert refusal(KEYS, verify).code == "InvalidMac"


@pytest.mark.parametrize("spec", ["EC_prime256v1", "EC_secp384r1", "EC_secp521r1"])
def test_both_sides_derive_one_secret(spec: str) -> None:
    token, named, spki = key(spec, "KEY_AGREEMENT")
    peer = ec.generate_private_key(keypairs.CURVES[spec])
    public = load_der_public_key(spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    shared = result(KEYS, frames.DeriveSharedSecret(token, named, keypairs.spki(peer))).first
    assert shared == peer.exchange(ec.ECDH(), public)
    assert len(shared) == SPECS[spec].size


@pytest.mark.parametrize(
    "peer",
    [b"", b"noise", keypairs.spki(ec.generate_private_key(ec.SECP384R1())),
     keypairs.spki(rsa.generate_private_key(65537, 2048)), keypairs.spki(keypairs.generate(SPECS["ML_KEM_768"], bytes))],
    ids=["nothing", "noise", "another curve", "RSA", "ML-KEM"],
)  # fmt: skip
def test_a_peers_key_of_another_kind_is_refused(peer: bytes) -> None:
    token, named, _ = key("EC_prime256v1", "KEY_AGREEMENT")
    assert refusal(KEYS, frames.DeriveSharedSecret(token, named, peer)).code == "BadPublicKey"


@pytest.mark.parametrize(("spec", "size"), [("ML_KEM_512", 768), ("ML_KEM_768", 1088), ("ML_KEM_1024", 1568)])
def test_a_secret_is_encapsulated_and_an_altered_one_gives_another(spec: str, size: int) -> None:
    token, named, spki = key(spec)
    made = result(KEYS, frames.Encapsulate(token, named))
    assert (len(made.first), len(made.second)) == (32, size)
    assert result(KEYS, frames.Decapsulate(token, named, made.second)).first == made.first
    altered = bytes((made.second[0] ^ 1,)) + made.second[1:]
    rejected = result(KEYS, frames.Decapsulate(token, named, altered)).first
    assert len(rejected) == 32
    assert rejected != made.first
    assert result(KEYS, frames.Decapsulate(token, named, altered)).first == rejected
    for wrong in (made.second[:-1], made.second + b"\0", b""):
        assert refusal(KEYS, frames.Decapsulate(token, named, wrong)).code == "BadSeal"
    if spec != "ML_KEM_512":
        public = load_der_public_key(spki)
        assert isinstance(public, (mlkem.MLKEM768PublicKey, mlkem.MLKEM1024PublicKey))
        secret, blob = public.encapsulate()
        assert result(KEYS, frames.Decapsulate(token, named, blob)).first == secret


PAIRS = [*sorted(set(SPECS) - {"RSA_3072", "RSA_4096"}), "ECC_NIST_P256", "ECC_NIST_EDWARDS25519", "SM2"]


@pytest.mark.parametrize("spec", PAIRS)
def test_a_data_key_pair_comes_in_clear_and_as_a_ciphertext(spec: str) -> None:
    token, named, _ = key("SYMMETRIC_DEFAULT")
    body = frames.GenerateDataKeyPair(token, named, spec, {"a": "b"})
    if not spec.startswith(("RSA", "EC", "ED", "ML_KEM")):
        assert refusal(KEYS, body).code == "KeyRefused"
        return
    made = result(KEYS, body)
    assert result(KEYS, frames.Decrypt(token, named, made.second, {"a": "b"})).first == made.first
    if spec == "ML_KEM_512":
        assert keypairs.spki(keypairs.read_foreign(made.first, SPECS[spec])) == made.third
    else:
        assert load_der_private_key(made.first, None).public_key() == load_der_public_key(made.third)
    if spec.startswith("ML_KEM"):
        assert len(made.first) == 86  # a seed, whatever the set (TRAPS 21)


def side(spec: str, usage: str = "", **context: str) -> tuple[bytes, KeyLabel, dict[str, str], str]:
    token, named, _ = key(spec, usage)
    return token, named, context, "RSAES_OAEP_SHA_256" if spec.startswith("RSA") else "SYMMETRIC_DEFAULT"


SIDES = {
    "symmetric": side("SYMMETRIC_DEFAULT", a="b"),
    "symmetric, no context": side("SYMMETRIC_DEFAULT"),
    "rsa": side("RSA_2048", "ENCRYPT_DECRYPT"),
}


@pytest.mark.parametrize(("source", "target"), list(itertools.product(SIDES, SIDES)))
def test_a_ciphertext_moves_from_key_to_key_in_one_step(source: str, target: str) -> None:
    token, named, context, algorithm = SIDES[source]
    blob = result(KEYS, frames.Encrypt(token, named, b"plain", context, algorithm)).first
    outcome = perform(KEYS, frames.ReEncrypt(token, named, blob, context, algorithm, *SIDES[target]))
    assert isinstance(outcome.answer, frames.Result)
    assert b"plain" not in outcome.answer.first
    token, named, context, algorithm = SIDES[target]
    assert (
        result(KEYS, frames.Decrypt(token, named, outcome.answer.first, context, algorithm)).first == b"plain"
    )


def test_a_ciphertext_does_not_move_to_or_from_a_key_that_may_not() -> None:
    token, named, context, algorithm = SIDES["symmetric"]
    blob = result(KEYS, frames.Encrypt(token, named, b"plain", context, algorithm)).first
    signer, signing, _ = key("RSA_2048")
    ask = frames.ReEncrypt(token, named, blob, context, algorithm, signer, signing, {}, "RSAES_OAEP_SHA_256")
    assert "does not encrypt" in refusal(KEYS, ask).message
    ask = frames.ReEncrypt(token, named, blob, {"a": "c"}, algorithm, *SIDES["rsa"])
    assert refusal(KEYS, ask).code == "BadSeal"


def test_what_the_core_does_reaches_callers_through_its_client(core: CoreClient) -> None:
    """Each method once, over the socket, with the helper processes behind it."""
    made = {
        spec: (core.generate_key(named, ASKER), named)
        for spec, named in {
            "symmetric": label("kms", "SYMMETRIC_DEFAULT"), "mac": label("kms", "HMAC_256"),
            "rsa": label("kms", "RSA_2048", usage="ENCRYPT_DECRYPT"), "k1": label("kms", "ECC_SECG_P256K1"),
            "dsa": label("kms", "ML_DSA_44"), "kem": label("kms", "ML_KEM_512"),
            "ecdh": label("kms", "ECC_NIST_P384", usage="KEY_AGREEMENT"),
        }.items()
    }  # fmt: skip
    token = {name: (generated.token, named, ASKER) for name, (generated, named) in made.items()}
    assert len({generated.material_id for generated, _ in made.values()}) == len(made)
    signature = core.sign(*token["k1"], "ECDSA_SHA_256", b"m")
    core.verify(*token["k1"], "ECDSA_SHA_256", b"m", signature)
    with pytest.raises(InvalidSignature):
        core.verify(*token["k1"], "ECDSA_SHA_256", b"n", signature)
    mu = core.sign(*token["dsa"], "ML_DSA_SHAKE_256", bytes(64), message_type="EXTERNAL_MU")
    core.verify(*token["dsa"], "ML_DSA_SHAKE_256", bytes(64), mu, message_type="EXTERNAL_MU")
    mac = core.generate_mac(*token["mac"], "HMAC_SHA_256", b"m")
    core.verify_mac(*token["mac"], "HMAC_SHA_256", b"m", mac)
    with pytest.raises(InvalidMac):
        core.verify_mac(*token["mac"], "HMAC_SHA_256", b"n", mac)
    blob = core.encrypt(*token["symmetric"], b"plain", {"a": "b"})
    source = Side(*token["symmetric"][:2], {"a": "b"})
    target = Side(*token["rsa"][:2], algorithm="RSAES_OAEP_SHA_1")
    moved = core.re_encrypt(source, target, ASKER, blob)
    assert core.decrypt(*token["rsa"], moved, {}, algorithm="RSAES_OAEP_SHA_1") == b"plain"
    peer = ec.generate_private_key(ec.SECP384R1())
    assert len(core.derive_shared_secret(*token["ecdh"], keypairs.spki(peer))) == 48
    with pytest.raises(BadPublicKey):
        core.derive_shared_secret(*token["ecdh"], b"none")
    secret = core.encapsulate(*token["kem"])
    assert core.decapsulate(*token["kem"], secret.ciphertext) == secret.shared_secret
    with pytest.raises(BadSeal):
        core.decapsulate(*token["kem"], secret.ciphertext[1:])
    pair = core.generate_data_key_pair(*token["symmetric"], "RSA_2048", {})
    assert core.decrypt(*token["symmetric"], pair.ciphertext, {}) == pair.private_key
    assert core.generate_data_key(*token["symmetric"], 32, {}, plaintext=False).plaintext == b""
    assert len(core.generate_random(ASKER, 1024)) == 1024
    with pytest.raises(KeyRefused):
        core.generate_mac(*token["symmetric"], "HMAC_SHA_256", b"m")


@pytest.mark.parametrize("spec", [spec for spec in SPECS.values() if spec.kms], ids=lambda spec: spec.name)
def test_both_names_of_a_spec_name_one_key(spec: object) -> None:
    named = label("kms", spec.name)  # type: ignore[attr-defined]  # pytest's ids take objects
    token = result(KEYS, frames.GenerateKey(named)).first
    other = replace(named, spec=spec.kms)  # type: ignore[attr-defined]  # as above
    assert result(KEYS, frames.Reseal(token, other, other.region)).first
