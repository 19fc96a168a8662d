"""No private or secret key byte leaves by any answer or record, and the core's process imports nothing it need not."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import kms
from kms.hsm import frames, service
from kms.hsm.labels import KeyLabel
from kms.hsm.service import KeyService
from tests.kms.hsm import inside
from tests.kms.hsm.inside import label, perform, result

MARKER = b"planted-secret-key-marker-32-byt"
SPECS = ["SYMMETRIC_DEFAULT", "RSA_2048", "EC_prime256v1", "EC_secp384r1", "ED25519"]
ALLOWED_OUT = {
    frames.GenerateDataKey,
    frames.NewAccessKey,
}  # the named ways out: what they give is made to leave


def marked(size: int) -> bytes:
    return (MARKER * (size // len(MARKER) + 1))[:size]


def traces(keys: KeyService, named: KeyLabel, token: bytes) -> list[bytes]:
    """How the private part of a key could look in bytes."""
    opened = keys._backing.open(token, named)
    if opened.private is None:
        return [opened.secret]
    der = opened.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    if isinstance(opened.private, rsa.RSAPrivateKey):
        numbers = opened.private.private_numbers()
        parts = [numbers.d, numbers.p, numbers.q, numbers.dmp1, numbers.iqmp]
        return [der, *(part.to_bytes((part.bit_length() + 7) // 8, "big") for part in parts)]
    if isinstance(opened.private, ec.EllipticCurvePrivateKey):
        value = opened.private.private_numbers().private_value
        return [der, value.to_bytes((value.bit_length() + 7) // 8, "big")]
    assert isinstance(opened.private, ed25519.Ed25519PrivateKey)
    return [der, opened.private.private_bytes_raw()]


def everything(token: bytes, named: KeyLabel, sealed: bytes) -> Iterator[frames.AnyBody]:
    """Each request that there is, for a key: the right ones and those that are refused."""
    yield frames.GenerateKey(named)
    yield frames.Reseal(token, named, named.region)
    for kind in ("raw", "certificate", "ca-certificate", "crl", "ocsp", "csr"):
        for algorithm in ("ECDSA_SHA_256", "ECDSA_SHA_384", "RSASSA_PKCS1_V1_5_SHA_256", "ED25519_SHA_512"):
            yield frames.Sign(token, named, algorithm, b"message", kind)
    yield frames.Encrypt(token, named, b"plain", {"a": "b"})
    yield frames.Decrypt(token, named, token, {"a": "b"})
    yield frames.GenerateDataKey(token, named, 32, {})
    for purpose in ("secret", "iam", "bearer", f"key {named.purpose}"):
        yield frames.Seal(purpose, [named.key_id], b"value")
        yield frames.Open(purpose, [named.key_id], token)
        yield frames.Mac(purpose, token)
    yield frames.NewAccessKey("1", "AKIA", None)
    yield frames.SigningKey(sealed, "1", "AKIA", "20260101", "r", "s")
    yield frames.Append([b'{"eventID":"1"}'])


def outgoing(keys: KeyService, body: frames.AnyBody) -> bytes:
    outcome = perform(keys, body)
    return frames.pack(frames.Answer(1, outcome.answer)) + b"".join(record for _, record in outcome.records)


def test_no_private_byte_is_in_any_answer_or_record() -> None:
    keys = inside.service()
    seen: set[type[frames.Body]] = set()
    sealed = result(keys, frames.NewAccessKey("1", "AKIA", None)).first
    for spec in SPECS:
        for purpose in ("kms", "ca", "acm"):
            if spec == "SYMMETRIC_DEFAULT" and purpose != "kms":
                continue
            named = label(purpose, spec)
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
    assert leaks == ALLOWED_OUT


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


def test_what_is_recorded_is_every_use_of_a_key() -> None:
    assert [body.__name__ for body in service.UNRECORDED] == ["Ping", "Mac", "Append"]
    keys = inside.service()
    named = label("kms", "EC_prime256v1")
    for body in everything(b"", named, b""):
        records = perform(keys, body).records
        if isinstance(body, frames.Append):
            assert [kind for kind, _ in records] == ["event"]
        elif isinstance(body, frames.Mac):
            assert records == ()
        else:
            assert [kind for kind, _ in records] == ["use"], body
