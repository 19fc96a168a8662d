"""Custody of the domain keys: the unseal secret, the key-encryption key (KEK) from it, and what the database keeps.

The database holds the domain keys sealed under the KEK, and a key-check value that tells a wrong secret from a right one
before anything is written. A key file holds 32 random bytes as text; a passphrase goes through Argon2id (RFC 9106), whose
salt and cost are stored with the sealed domain keys.
"""

import base64
import binascii
import hmac
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from kms.hsm.errors import BadSeal, CustodyError, WrongUnsealSecret
from kms.hsm.labels import canonical
from kms.hsm.primitives import gcm_decrypt, gcm_encrypt, hkdf, mac

Entropy = Callable[[int], bytes]
KEY_FILE_MARK = "keystead-unseal-key-1:"
KEY_BYTES = 32
LONGEST = 4096
SHORTEST_PASSPHRASE = 12
LEAST_SECONDS = 0.5
LANES = 2
MEMORY_KIB = 128 * 1024


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """Argon2id's salt and cost; no salt for a key file."""

    salt: bytes = b""
    iterations: int = 0
    memory_kib: int = 0
    lanes: int = 0


class SealedDomain(msgspec.Struct, frozen=True, array_like=True):
    """What `sealed_domain_keys` in the database holds. keys: sealed 32 bytes by version, from 1."""

    format: int
    stretch: Stretch
    keys: dict[int, bytes]


@dataclass(frozen=True, slots=True, repr=False)
class UnsealSecret:
    """As the operator keeps it. Never printed, never written."""

    passphrase: bool
    value: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Kek:
    """The key-encryption key, 32 bytes, and how it was stretched. The supervisor holds it for core restarts only."""

    value: bytes
    stretch: Stretch


@dataclass(frozen=True, slots=True)
class Domain:
    """For the database: `sealed` domain keys, and the `check` value. Neither opens anything without the secret."""

    sealed: bytes
    check: bytes


def make_key_file(path: Path, entropy: Entropy) -> None:
    """Write a new unseal key, 0600 and durable; FileExistsError rather than replace one."""
    text = KEY_FILE_MARK + base64.b64encode(entropy(KEY_BYTES)).decode() + "\n"
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, text.encode())
        os.fsync(file)
    finally:
        os.close(file)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def read_secret(
    source: str, environ: Mapping[str, str], ask: Callable[[], str] | None = None
) -> UnsealSecret:
    """The unseal secret from where the operator keeps it; CustodyError says what is wrong with it.

    source: file:PATH | fd:N | credential:NAME (systemd's, in $CREDENTIALS_DIRECTORY) for a key;
    passphrase-file:PATH | passphrase-fd:N | passphrase (asked for by `ask`) for a passphrase.
    """
    kind, _, place = source.partition(":")
    if kind in {"passphrase", "passphrase-file", "passphrase-fd"}:
        if kind == "passphrase":
            if ask is None or place:
                raise CustodyError("use passphrase-file:PATH or passphrase-fd:N: there is nobody to ask here")
            value = ask().encode()
        else:
            value = _read(kind.removeprefix("passphrase-"), place, environ)
        value = value.rstrip(b"\r\n")
        if len(value) < SHORTEST_PASSPHRASE:
            raise CustodyError(f"the passphrase is shorter than {SHORTEST_PASSPHRASE} bytes")
        return UnsealSecret(passphrase=True, value=value)
    text = _read(kind, place, environ).strip()
    try:
        if not text.startswith(KEY_FILE_MARK.encode()):
            raise CustodyError(f"{kind}:{place} is no unseal key: it does not start with {KEY_FILE_MARK!r}")
        key = base64.b64decode(text[len(KEY_FILE_MARK) :], validate=True)
    except binascii.Error as damaged:
        raise CustodyError(f"the unseal key in {kind}:{place} is damaged") from damaged
    if len(key) != KEY_BYTES:
        raise CustodyError(f"the unseal key in {kind}:{place} is cut short")
    return UnsealSecret(passphrase=False, value=key)


def _read(kind: str, place: str, environ: Mapping[str, str]) -> bytes:
    try:
        if kind == "fd":
            with os.fdopen(int(place), "rb", closefd=False) as file:
                return file.read(LONGEST)
        if kind == "file":
            path = Path(place)
        elif kind == "credential":
            if "CREDENTIALS_DIRECTORY" not in environ:
                raise CustodyError(
                    "credential: needs systemd's LoadCredential= ($CREDENTIALS_DIRECTORY is not set)"
                )
            if "/" in place or place in {"", ".", ".."}:
                raise CustodyError(f"{place!r} is not the name of a systemd credential")
            path = Path(environ["CREDENTIALS_DIRECTORY"]) / place
        else:
            raise CustodyError(
                "an unseal secret comes from file:PATH, fd:N, credential:NAME, "
                "passphrase, passphrase-file:PATH or passphrase-fd:N"
            )
        with path.open("rb") as file:
            return file.read(LONGEST)
    except (OSError, ValueError) as unreadable:
        raise CustodyError(
            f"the unseal secret in {kind}:{place} cannot be read: {unreadable}"
        ) from unreadable


def new_kek(secret: UnsealSecret, entropy: Entropy) -> Kek:
    """A KEK for a new domain, or for a new secret: a passphrase gets a new salt and a cost of half a second or more."""
    if not secret.passphrase:
        return Kek(_from_key(secret), Stretch())
    salt, iterations = entropy(16), 3
    while True:
        stretch = Stretch(salt, iterations, MEMORY_KIB, LANES)
        started = time.monotonic()
        value = _stretched(secret, stretch)
        taken = time.monotonic() - started
        if taken >= LEAST_SECONDS:
            return Kek(value, stretch)
        iterations = max(iterations + 1, int(iterations * LEAST_SECONDS / taken * 1.2))


def kek_for(secret: UnsealSecret, sealed: bytes) -> Kek:
    """The KEK of an existing domain. Costs half a second for a passphrase: once per start."""
    stretch = _sealed_domain(sealed).stretch
    if secret.passphrase != bool(stretch.salt):
        wanted = "a passphrase" if stretch.salt else "a key file"
        raise WrongUnsealSecret(f"this deployment is unsealed by {wanted}")
    return Kek(_stretched(secret, stretch) if secret.passphrase else _from_key(secret), stretch)


def _from_key(secret: UnsealSecret) -> bytes:
    return hkdf(secret.value, b"", b"keystead kek from key file")


def _stretched(secret: UnsealSecret, stretch: Stretch) -> bytes:
    return Argon2id(
        salt=stretch.salt,
        length=32,
        iterations=stretch.iterations,
        lanes=stretch.lanes,
        memory_cost=stretch.memory_kib,
    ).derive(secret.value)


def new_domain(kek: Kek, deployment_id: str, entropy: Entropy) -> Domain:
    """A first domain key. Called in the one-shot core process: the supervisor never holds it."""
    return _sealed(kek, deployment_id, {1: entropy(KEY_BYTES)}, entropy)


def rotate_domain(kek: Kek, deployment_id: str, domain: Domain, entropy: Entropy) -> Domain:
    """The same domain with one more version, which seals from the next start on; older ones still open."""
    keys = open_domain(kek, deployment_id, domain)
    keys[max(keys) + 1] = entropy(KEY_BYTES)
    return _sealed(kek, deployment_id, keys, entropy)


def move_domain(kek: Kek, other: Kek, deployment_id: str, domain: Domain, entropy: Entropy) -> Domain:
    """The same domain keys under another unseal secret's KEK."""
    return _sealed(other, deployment_id, open_domain(kek, deployment_id, domain), entropy)


def check_secret(kek: Kek, deployment_id: str, domain: Domain) -> None:
    """Raises WrongUnsealSecret unless the KEK is this deployment's; opens no domain key."""
    if not hmac.compare_digest(_check_value(kek, deployment_id), domain.check):
        raise WrongUnsealSecret("the unseal secret is not the one of this deployment; nothing was changed")


def open_domain(kek: Kek, deployment_id: str, domain: Domain) -> dict[int, bytes]:
    """The domain keys by version. In the core process only. WrongUnsealSecret, or BadSeal for damaged rows."""
    check_secret(kek, deployment_id, domain)
    keys = {}
    for version, sealed in _sealed_domain(domain.sealed).keys.items():
        binding = _binding(deployment_id, version)
        keys[version] = gcm_decrypt(_wrapping(kek), sealed[:12], sealed[12:], binding)
    return keys


def _sealed(kek: Kek, deployment_id: str, keys: Mapping[int, bytes], entropy: Entropy) -> Domain:
    sealed = {}
    for version, key in keys.items():
        nonce = entropy(12)
        sealed[version] = nonce + gcm_encrypt(_wrapping(kek), nonce, key, _binding(deployment_id, version))
    packed = msgspec.msgpack.encode(SealedDomain(1, kek.stretch, sealed))
    return Domain(packed, _check_value(kek, deployment_id))


def _sealed_domain(sealed: bytes) -> SealedDomain:
    try:
        found = msgspec.msgpack.decode(sealed, type=SealedDomain)
    except msgspec.DecodeError as damaged:
        raise BadSeal(f"the sealed domain keys are damaged: {damaged}") from damaged
    if found.format != 1 or not found.keys:
        raise BadSeal("the sealed domain keys are of another version of keystead")
    return found


def _wrapping(kek: Kek) -> bytes:
    return hkdf(kek.value, b"", b"keystead domain wrap")


def _check_value(kek: Kek, deployment_id: str) -> bytes:
    return mac(hkdf(kek.value, b"", b"keystead key check"), deployment_id.encode())


def _binding(deployment_id: str, version: int) -> bytes:
    return canonical("keystead domain key", deployment_id, version)
