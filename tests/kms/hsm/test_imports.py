"""Imported key material: wrapped outside as AWS's guide says, unwrapped and judged in the core (TRAPS 18)."""

import itertools
import os

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from kms.hsm import CoreClient, frames, import_note, keypairs
from kms.hsm.errors import BadImportToken, BadMaterial, BadSeal, CoreError, KeyRefused
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.specs import SPECS, Family
from kms.hsm.wrapping import WRAPPINGS
from tests.kms.hsm.imports import NOTE, Importer, external, usual_wrapping, wrap
from tests.kms.hsm.inside import ASKER, label, refusal, result, service

KEYS = service()
IMPORTER = Importer(KEYS)


def material(spec: str) -> bytes:
    if SPECS[spec].family in {"symmetric", "hmac"}:
        return os.urandom(SPECS[spec].size)
    return keypairs.private_der(keypairs.generate(SPECS[spec], os.urandom))


DIRECT: set[Family] = {"symmetric", "hmac", "ec", "koblitz", "ed25519", "ml-dsa", "ml-kem"}
BY_AES: set[Family] = {"rsa", "ec", "koblitz", "ed25519"}


@pytest.mark.parametrize(
    ("spec", "algorithm", "wrapping"),
    list(
        itertools.product(
            SPECS, [*WRAPPINGS, "RSAES_PKCS1_V1_5", "SM2PKE"], ["RSA_2048", "EC_prime256v1", "SM2"]
        )
    ),
)
def test_each_material_is_wrapped_in_the_ways_that_kms_has(spec: str, algorithm: str, wrapping: str) -> None:
    families = BY_AES if algorithm.startswith("RSA_AES") else DIRECT
    lawful = (
        algorithm in WRAPPINGS
        and wrapping == "RSA_2048"
        and SPECS[spec].family in families
        and not (spec == "EC_secp521r1" and algorithm.startswith("RSAES"))
    )
    body = frames.ImportParameters(external(spec), algorithm, wrapping)
    if not lawful:
        assert refusal(KEYS, body).code == "KeyRefused"
        return
    given = IMPORTER.parameters(external(spec), algorithm)
    assert len(given.first) <= 6144
    if spec not in {"RSA_3072", "RSA_4096"}:  # made in seconds, and otherwise as RSA_2048
        assert IMPORTER.take(external(spec), material(spec), algorithm).first


def test_a_p521_key_fits_under_a_longer_wrapping_key() -> None:
    named = external("EC_secp521r1")
    given = result(KEYS, frames.ImportParameters(named, "RSAES_OAEP_SHA_256", "RSA_3072"))
    wrapped = wrap(given.second, "RSAES_OAEP_SHA_256", material("EC_secp521r1"))
    assert result(KEYS, frames.ImportMaterial(given.first, named, wrapped, {})).first


@pytest.mark.parametrize(
    "spec", ["SYMMETRIC_DEFAULT", "HMAC_384", "ED25519", "EC_prime256v1", "ML_KEM_512", "ML_DSA_65"]
)
def test_the_same_material_has_the_same_id_and_other_material_another(spec: str) -> None:
    named, given = external(spec), material(spec)
    first, again = IMPORTER.take(named, given), IMPORTER.take(named, given)
    assert first.third == again.third
    assert first.second == again.second
    assert len(bytes.fromhex(first.third.decode())) == 32
    assert IMPORTER.take(named, material(spec)).third != first.third
    assert IMPORTER.take(replace(named, key_id="key-2"), given).third != first.third
    assert IMPORTER.take(replace(named, account="999900001111"), given).third != first.third
    elsewhere = replace(named, key_id="mrk-1")
    there = IMPORTER.take(replace(elsewhere, region="us-east-1"), given)
    assert IMPORTER.take(elsewhere, given).third == there.third
    assert service(seed=b"e")._backing._identify(named, given) != first.third.decode()


def test_one_key_pair_has_one_id_however_it_was_written() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    der = keypairs.private_der(private)
    point = der[-65:]
    public = bytes.fromhex("a144034200") + point  # the public key, which RFC 5915 lets writers leave out
    assert public in der
    scalar = private.private_numbers().private_value.to_bytes(32, "big")
    short = bytes.fromhex("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420") + scalar
    named = external("EC_prime256v1")
    assert IMPORTER.take(named, short).third == IMPORTER.take(named, der).third


def test_known_material_becomes_the_version_that_it_was() -> None:
    named, given = external("SYMMETRIC_DEFAULT", version=7), material("SYMMETRIC_DEFAULT")
    identity = IMPORTER.take(named, given).third.decode()
    parameters = IMPORTER.parameters(named, usual_wrapping(named.spec))
    wrapped = wrap(parameters.second, usual_wrapping(named.spec), given)
    for known, version in (({identity: 3}, 3), ({"00" * 32: 3}, 7)):
        made = result(KEYS, frames.ImportMaterial(parameters.first, named, wrapped, known))
        assert made.number == version
        assert result(KEYS, frames.Encrypt(made.first, replace(named, version=version), b"x", {})).first


@pytest.mark.parametrize(
    "change", ["account", "region", "key_id", "usage", "spec", "token", "note", "deployment"]
)
def test_an_import_token_is_of_one_key_and_unaltered(change: str) -> None:
    named = external("RSA_2048")
    parameters = IMPORTER.parameters(named, "RSA_AES_KEY_WRAP_SHA_256")
    wrapped = wrap(parameters.second, "RSA_AES_KEY_WRAP_SHA_256", material("RSA_2048"))
    token, other, keys = parameters.first, named, KEYS
    if change == "token":
        token = token[:-1] + bytes((token[-1] ^ 1,))
    elif change == "note":
        token = token.replace(NOTE, NOTE[:-1] + b"!")
        assert import_note(token) != NOTE
    elif change == "deployment":
        keys = service(seed=b"e")
    else:
        value = {"usage": "ENCRYPT_DECRYPT", "spec": "RSA_3072"}.get(change, "other")
        other = replace(named, **{change: value})
    assert refusal(keys, frames.ImportMaterial(token, other, wrapped, {})).code == "BadImportToken"


@pytest.mark.parametrize(
    "token",
    [
        b"",
        b"\x4b\x02",
        b"\x4b\x02\xff\xff",
        b"\x4b\x01\0\0x",
        b"a token of 64 octets that nobody sealed, and no one ever will....",
    ],
)
def test_what_is_no_import_token_is_said_to_be_none(token: bytes) -> None:
    with pytest.raises(BadImportToken):
        import_note(token)
    assert (
        refusal(KEYS, frames.ImportMaterial(token, external("HMAC_256"), b"x", {})).code == "BadImportToken"
    )


def test_an_import_token_tells_its_note() -> None:
    assert import_note(IMPORTER.parameters(external("HMAC_256"), "RSAES_OAEP_SHA_256").first) == NOTE


def pkcs8(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def broken_rsa() -> bytes:
    """An RSA key whose d does not fit."""
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    changed = rsa.RSAPrivateNumbers(
        numbers.p,
        numbers.q,
        numbers.d + 2,
        numbers.dmp1 + 2,
        numbers.dmq1 + 2,
        numbers.iqmp,
        numbers.public_numbers,
    )
    return pkcs8(changed.private_key(unsafe_skip_rsa_key_validation=True))


def traditional() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


@pytest.mark.parametrize(
    ("spec", "given"),
    [
        ("SYMMETRIC_DEFAULT", bytes(31)), ("SYMMETRIC_DEFAULT", bytes(33)), ("SYMMETRIC_DEFAULT", bytes(16)),
        ("HMAC_224", bytes(32)), ("HMAC_256", bytes(28)), ("HMAC_384", bytes(64)), ("HMAC_512", bytes(63)),
        ("RSA_2048", pkcs8(rsa.generate_private_key(65537, 2056))),
        ("RSA_2048", pkcs8(rsa.generate_private_key(3, 2048))),
        ("RSA_2048", broken_rsa()), ("RSA_2048", pkcs8(ec.generate_private_key(ec.SECP256R1()))),
        ("EC_prime256v1", pkcs8(ec.generate_private_key(ec.SECP384R1()))),
        ("EC_prime256v1", pkcs8(ec.generate_private_key(ec.SECP256K1()))), ("EC_prime256v1", bytes(32)),
        ("EC_prime256v1", pkcs8(ec.generate_private_key(ec.SECP256R1())) + b"\0"),
        ("EC_secp256k1", pkcs8(ec.generate_private_key(ec.SECP256R1()))),
        ("ED25519", bytes(32)), ("ED25519", material("EC_prime256v1")),
        ("ML_DSA_44", material("ML_DSA_65")), ("ML_DSA_44", bytes(32)),
        ("ML_KEM_512", material("ML_KEM_768")), ("ML_KEM_768", material("ML_KEM_512")), ("ML_KEM_512", bytes(64)),
    ],
    ids=lambda value: value if isinstance(value, str) else "given",
)  # fmt: skip
def test_material_that_is_not_of_the_keys_spec_is_refused(spec: str, given: bytes) -> None:
    with pytest.raises(BadMaterial):
        IMPORTER.take(external(spec), given)


def test_an_ec_key_in_its_traditional_form_is_not_pkcs8() -> None:
    with pytest.raises(BadMaterial):
        IMPORTER.take(external("EC_prime256v1"), traditional())


@pytest.mark.parametrize("algorithm", list(WRAPPINGS))
def test_what_does_not_unwrap_is_no_ciphertext(algorithm: str) -> None:
    named = external("EC_prime256v1")
    given = IMPORTER.parameters(named, algorithm)
    wrapped = wrap(given.second, algorithm, material("EC_prime256v1"))
    flipped = wrapped[:-1] + bytes((wrapped[-1] ^ 1,))
    other = next(name for name in WRAPPINGS if name != algorithm)
    for wrong in (
        b"",
        wrapped[:-1],
        wrapped + b"\0",
        flipped,
        wrap(given.second, other, material("EC_prime256v1")),
    ):
        assert refusal(KEYS, frames.ImportMaterial(given.first, named, wrong, {})).code == "BadSeal"


@pytest.mark.parametrize("size", [16, 24])
def test_the_wrapped_aes_key_has_256_bits(size: int) -> None:
    named = external("RSA_2048")
    given = IMPORTER.parameters(named, "RSA_AES_KEY_WRAP_SHA_256")
    wrapped = wrap(given.second, "RSA_AES_KEY_WRAP_SHA_256", material("RSA_2048"), size)
    assert "256 bits" in refusal(KEYS, frames.ImportMaterial(given.first, named, wrapped, {})).message


@pytest.mark.parametrize(
    "changes", [{"origin": "KEYSTEAD"}, {"origin": "AWS_KMS"}, {"purpose": "acm"}], ids=str
)
def test_material_is_imported_for_kms_and_ca_keys_of_external_origin_only(changes: dict[str, str]) -> None:
    named = replace(external("EC_prime256v1"), **changes)
    assert (
        refusal(KEYS, frames.ImportParameters(named, "RSAES_OAEP_SHA_256", "RSA_2048")).code == "KeyRefused"
    )
    token = IMPORTER.parameters(external("EC_prime256v1"), "RSAES_OAEP_SHA_256").first
    assert refusal(KEYS, frames.ImportMaterial(token, named, b"x", {})).code == "KeyRefused"


def test_the_core_makes_no_material_for_an_external_key() -> None:
    assert "by import" in refusal(KEYS, frames.GenerateKey(external("HMAC_256"))).message


def test_made_material_has_an_id_too() -> None:
    named = label("kms", "SYMMETRIC_DEFAULT")
    made = [result(KEYS, frames.GenerateKey(named)).third for _ in range(2)]
    assert made[0] != made[1]
    assert all(len(bytes.fromhex(each.decode())) == 32 for each in made)


def test_a_material_id_stays_the_same_when_the_domain_key_rotates() -> None:
    given = bytes(32)
    before, after = service(versions=(1,)), service(versions=(1, 2))
    assert before._backing._identify(external("HMAC_256"), given) == after._backing._identify(
        external("HMAC_256"), given
    )
    assert isinstance(before._domain, DomainKeys)


def test_callers_import_through_the_client(core: CoreClient) -> None:
    named, given = external("SYMMETRIC_DEFAULT"), os.urandom(32)
    parameters = core.import_parameters(named, ASKER, "RSAES_OAEP_SHA_256", "RSA_2048", note=NOTE)
    wrapped = wrap(parameters.public_key, "RSAES_OAEP_SHA_256", given)
    made = core.import_material(parameters.token, named, ASKER, wrapped)
    assert (
        core.import_material(parameters.token, named, ASKER, wrapped, known={made.material_id: 4}).version
        == 4
    )
    assert (
        core.decrypt(made.token, named, ASKER, core.encrypt(made.token, named, ASKER, b"x", {}), {}) == b"x"
    )
    for wrong, expected in (
        ({"import_token": b"none"}, BadImportToken),
        ({"wrapped": bytes(256)}, BadSeal),
        ({"wrapped": wrap(parameters.public_key, "RSAES_OAEP_SHA_256", bytes(5))}, BadMaterial),
        ({"label": replace(named, origin="AWS_KMS")}, KeyRefused),
    ):
        arguments = {
            "import_token": parameters.token,
            "label": named,
            "asker": ASKER,
            "wrapped": wrapped,
        } | wrong
        error: type[CoreError] = expected
        with pytest.raises(error):
            core.import_material(**arguments)  # type: ignore[arg-type]  # one of them is changed
