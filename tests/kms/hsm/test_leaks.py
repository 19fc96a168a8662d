"""No private or secret key byte leaves by any answer or record, and the core's process imports nothing it need not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

import kms
from kms.hsm import frames, keypairs, service
from kms.hsm.labels import KeyLabel
from kms.hsm.service import KeyService
from kms.hsm.specs import SPECS
from tests.kms.hsm import inside
from tests.kms.hsm.inside import label, perform, result

MARKER = b"planted-secret-key-marker-32-byt"
RECIPIENT = keypairs.spki(rsa.generate_private_key(65537, 2048))
PEER = keypairs.spki(ec.generate_private_key(ec.SECP256R1()))
SLOW = {"RSA_3072", "RSA_4096"}  # as RSA_2048, and seconds to make

# What the answer of each request can hold that is secret: these are the ways out, and there are no others.
WAYS_OUT: dict[str, str] = {
    "GenerateDataKey": "a data key",
    "GenerateDataKeyPair": "a data key pair's private key",
    "GenerateRandom": "random bytes",
    "GenerateMac": "a MAC",
    "Mac": "a MAC under a key of the deployment",
    "Macs": "MACs under a key of the deployment",
    "DeriveSharedSecret": "a shared secret",
    "Encapsulate": "a shared secret",
    "Decapsulate": "a shared secret",
    "Decrypt": "what a caller encrypted",
    "Open": "what a caller sealed",
    "NewAccessKey": "a new secret access key",
    "SigningKey": "a key derived from a secret access key, for one scope and day",
}
NOTHING_SECRET = {
    "Hello", "Ping", "GenerateKey", "Reseal", "Lock", "Unlock", "Sign", "Verify", "Encrypt", "ReEncrypt", "VerifyMac",
    "ImportParameters", "ImportMaterial", "Seal", "Append",
}  # fmt: skip
MADE_IN_THE_CORE = {
    frames.GenerateDataKey, frames.GenerateDataKeyPair, frames.GenerateRandom, frames.NewAccessKey,
}  # fmt: skip


def marked(size: int) -> bytes:
    return (MARKER * (size // len(MARKER) + 1))[:size]


def traces(keys: KeyService, named: KeyLabel, token: bytes) -> list[bytes]:
    """How the private part of a key could look in bytes."""
    opened = keys._backing.open(token, named)
    if opened.private is None:
        return [opened.secret]
    der = keypairs.private_der(opened.private)
    if isinstance(opened.private, rsa.RSAPrivateKey):
        numbers = opened.private.private_numbers()
        parts = [numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.iqmp]
        return [der, *(part.to_bytes((part.bit_length() + 7) // 8, "big") for part in parts)]
    if isinstance(opened.private, ec.EllipticCurvePrivateKey):
        value = opened.private.private_numbers().private_value
        return [der, value.to_bytes((value.bit_length() + 7) // 8, "big")]
    return [der, der[-32:]]  # PKCS#8 ends with the raw key or seed


def everything(token: bytes, named: KeyLabel, sealed: bytes) -> Iterator[frames.AnyBody]:
    """Each request that there is, for a key: the right ones and those that are refused."""
    symmetric = "SYMMETRIC_DEFAULT"
    yield frames.GenerateKey(named)
    yield frames.Reseal(token, named, named.region)
    yield frames.Lock(token, named)
    yield frames.Unlock(token, named, 2**40)
    for kind in ("raw", "certificate", "ca-certificate", "crl", "ocsp", "csr", "rollover", "checkpoint"):
        for algorithm in ("ECDSA_SHA_256", "ECDSA_SHA_384", "RSASSA_PSS_SHA_256", "ED25519_SHA_512"):
            yield frames.Sign(token, named, algorithm, b"message", kind)
    for algorithm in ("RSASSA_PKCS1_V1_5_SHA_256", "ECDSA_SHA_512", "ML_DSA_SHAKE_256", "ED25519_PH_SHA_512"):
        yield frames.Sign(token, named, algorithm, bytes(64), "raw", "RAW")
        yield frames.Sign(token, named, algorithm, bytes(64), "raw", "DIGEST")
        yield frames.Sign(token, named, algorithm, bytes(64), "raw", "EXTERNAL_MU")
        yield frames.Verify(token, named, algorithm, bytes(64), b"signature")
    for algorithm in (symmetric, "RSAES_OAEP_SHA_256"):
        for context in ({"a": "b"}, {}):
            yield frames.Encrypt(token, named, b"plain", context, algorithm)
            yield frames.Decrypt(token, named, token, context, algorithm)
            yield frames.ReEncrypt(token, named, token, context, algorithm, token, named, context, algorithm)
    yield frames.GenerateDataKey(token, named, 32, {})
    yield frames.GenerateDataKeyPair(token, named, "ML_KEM_512", {})
    yield frames.GenerateRandom(32)
    yield frames.GenerateMac(token, named, named.spec.replace("HMAC_", "HMAC_SHA_"), b"message")
    yield frames.VerifyMac(token, named, named.spec.replace("HMAC_", "HMAC_SHA_"), b"message", b"mac")
    yield frames.DeriveSharedSecret(token, named, PEER)
    yield frames.Encapsulate(token, named)
    yield frames.Decapsulate(token, named, bytes(1088))
    yield frames.ImportParameters(named, "RSAES_OAEP_SHA_256", "RSA_2048", b"note")
    yield frames.ImportMaterial(token, named, bytes(256), {})
    for purpose in ("secret", "iam", "bearer", f"key {named.purpose}"):
        yield frames.Seal(purpose, [named.key_id], b"value")
        yield frames.Open(purpose, [named.key_id], token)
        yield frames.Mac(purpose, token)
        yield frames.Macs(purpose, [token, b"other"])
    yield frames.NewAccessKey("1", "AKIA", None)
    yield frames.SigningKey(sealed, "1", "AKIA", "20260101", "r", "s")
    yield frames.Append([b'{"eventID":"1"}'])


LABELS = [
    *(label("kms", spec) for spec in sorted(set(SPECS) - SLOW)),
    *(label(purpose, spec) for purpose in ("ca", "acm") for spec in ("RSA_2048", "EC_secp384r1", "ED25519")),
    label("kms", "RSA_2048", usage="ENCRYPT_DECRYPT"),
    label("kms", "EC_prime256v1", usage="KEY_AGREEMENT"),
]


def outgoing(keys: KeyService, body: frames.AnyBody) -> bytes:
    outcome = perform(keys, body)
    return frames.pack(frames.Answer(1, outcome.answer)) + b"".join(record for _, record in outcome.records)


def test_every_request_is_a_named_way_out_or_none() -> None:
    assert set(WAYS_OUT) | NOTHING_SECRET == {body.__name__ for body in get_args(frames.AnyBody)}
    assert not set(WAYS_OUT) & NOTHING_SECRET


@pytest.mark.parametrize("named", LABELS, ids=lambda named: f"{named.purpose} {named.spec} {named.usage}")
def test_no_private_byte_is_in_any_answer_or_record(named: KeyLabel) -> None:
    keys = inside.service()
    seen: set[type[frames.Body]] = set()
    sealed = result(keys, frames.NewAccessKey("1", "AKIA", None)).first
    token = result(keys, frames.GenerateKey(named)).first
    secrets = traces(keys, named, token)
    assert all(len(secret) >= 28 for secret in secrets)
    for body in everything(token, named, sealed):
        seen.add(type(body))
        out = outgoing(keys, body)
        assert not any(secret in out or secret.hex().encode() in out for secret in secrets), body
    assert seen == set(keys._acts) | {frames.Append}


def test_planted_bytes_leave_by_the_named_ways_only() -> None:
    """With the marker for all randomness, every key and secret made in the core is the marker."""
    keys = inside.service(marked)
    named = label("kms", "SYMMETRIC_DEFAULT")
    token = result(keys, frames.GenerateKey(named)).first
    access = result(keys, frames.NewAccessKey("1", "AKIA", None))
    leaks = set()
    for body in everything(token, named, access.first):
        out = outgoing(keys, body)
        if MARKER in out or access.second in out:
            leaks.add(type(body))
    assert leaks == MADE_IN_THE_CORE
    assert {body.__name__ for body in leaks} < set(WAYS_OUT)


def test_for_a_recipient_nothing_leaves_in_clear() -> None:
    keys = inside.service(marked)
    named, external = label("kms", "SYMMETRIC_DEFAULT"), label("kms", "EC_prime256v1", usage="KEY_AGREEMENT")
    token, curve = (result(keys, frames.GenerateKey(each)).first for each in (named, external))
    blob = result(keys, frames.GenerateDataKey(token, named, 32, {})).second
    shared = result(keys, frames.DeriveSharedSecret(curve, external, PEER)).first
    bodies: list[frames.AnyBody] = [
        frames.Decrypt(token, named, blob, {}, recipient=RECIPIENT),
        frames.GenerateDataKey(token, named, 32, {}, recipient=RECIPIENT),
        frames.GenerateDataKeyPair(token, named, "ML_KEM_512", {}, recipient=RECIPIENT),
        frames.GenerateRandom(32, recipient=RECIPIENT),
        frames.DeriveSharedSecret(curve, external, PEER, recipient=RECIPIENT),
    ]
    may = {
        body
        for body in get_args(frames.AnyBody)
        if "recipient" in {f.name for f in msgspec.structs.fields(body)}
    }
    assert {type(body) for body in bodies} == may
    for body in bodies:
        assert MARKER not in outgoing(keys, body), body
        assert shared not in outgoing(keys, body), body


def test_without_plaintext_nothing_leaves_in_clear() -> None:
    keys, named = inside.service(marked), label("kms", "SYMMETRIC_DEFAULT")
    token = result(keys, frames.GenerateKey(named)).first
    for body in (
        frames.GenerateDataKey(token, named, 32, {}, plaintext=False),
        frames.GenerateDataKeyPair(token, named, "ML_KEM_512", {}, plaintext=False),
    ):
        assert result(keys, body).first == b""
        assert MARKER not in outgoing(keys, body)


def test_a_record_never_holds_what_was_signed_encrypted_or_sealed() -> None:
    keys = inside.service()
    curve, symmetric = label("kms", "EC_prime256v1"), label("kms", "SYMMETRIC_DEFAULT")
    for body in (
        frames.Sign(result(keys, frames.GenerateKey(curve)).first, curve, "ECDSA_SHA_256", MARKER, "raw"),
        frames.Encrypt(result(keys, frames.GenerateKey(symmetric)).first, symmetric, MARKER, {}),
        frames.Seal("secret", [], MARKER),
        frames.NewAccessKey("1", "AKIA", MARKER.decode()),
    ):
        records = perform(keys, body).records
        assert records
        assert not any(MARKER in record for _, record in records)


def test_the_core_imports_only_its_own_room_and_the_chain() -> None:
    script = "import sys, kms.hsm.__main__\nprint(*sorted(name for name in sys.modules))"
    root = Path(kms.__path__[0]).parent
    listed = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True, text=True, check=True, cwd="/", env={"PYTHONPATH": str(root)},
    ).stdout.split()  # fmt: skip
    rooms = ("acm", "ca", "kms", "validation", "foundation", "server", "tests")
    ours = {name for name in listed if name.split(".")[0] in rooms}
    assert "kms.hsm.loop" in ours
    assert {name for name in ours if not name.startswith("kms.hsm.")} == {
        "kms", "kms.hsm", "foundation", "foundation.trail", "foundation.trail.chain",
    }  # fmt: skip
    foreign = {
        "sqlmodel",
        "sqlalchemy",
        "botocore",
        "flask",
        "dns",
        "granian",
        "click",
        "structlog",
        "http.server",
    }
    assert not foreign & set(listed)


def test_callers_load_neither_keys_nor_what_works_with_them() -> None:
    script = "import sys, kms.hsm\nprint(*sorted(sys.modules))"
    root = Path(kms.__path__[0]).parent
    listed = subprocess.run(
        [sys.executable, "-P", "-c", script],
        capture_output=True, text=True, check=True, cwd="/", env={"PYTHONPATH": str(root)},
    ).stdout.split()  # fmt: skip
    assert "kms.hsm.client" in listed
    only_the_cores = {"kms.hsm.hierarchy", "kms.hsm.keypairs", "kms.hsm.material", "kms.hsm.uses", "Crypto"}
    assert not only_the_cores & set(listed)


def test_what_is_recorded_is_every_use_of_a_key() -> None:
    assert [body.__name__ for body in service.UNRECORDED] == [
        "Ping", "Mac", "Macs", "Append", "GenerateRandom",
    ]  # fmt: skip
    keys = inside.service()
    named = label("kms", "EC_prime256v1")
    for body in everything(b"", named, b""):
        records = perform(keys, body).records
        if isinstance(body, frames.Append):
            assert [kind for kind, _ in records] == ["event"]
        elif isinstance(body, (frames.Mac, frames.Macs, frames.GenerateRandom)):
            assert records == ()
        elif isinstance(body, frames.ReEncrypt):
            assert [kind for kind, _ in records] == ["use", "use"]
        else:
            assert [kind for kind, _ in records] == ["use"], body
