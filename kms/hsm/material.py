"""Backing keys: made, taken in, sealed into tokens, opened, and kept open for a while."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from kms.hsm import ciphertext, import_token, keypairs, locks, wrapping
from kms.hsm.errors import BadImportToken, BadMaterial, BadSeal, KeyRefused
from kms.hsm.hierarchy import DomainKeys
from kms.hsm.keypairs import PrivateKey
from kms.hsm.labels import KeyLabel, canonical, token_binding
from kms.hsm.specs import SYMMETRIC, Spec, spec_named

CACHE = 4096
_SECRETS = frozenset({"symmetric", "hmac"})
_LOCKABLE = locks.LOCKED[:1]  # how their tokens begin, and no others


@dataclass(frozen=True, slots=True, repr=False)
class OpenedKey:
    """A key in the clear, of one label: either half is set. spki: the public half (DER), b"" if symmetric.

    names: how its ciphertexts begin, where it is symmetric.
    """

    label: KeyLabel
    spec: Spec
    secret: bytes
    private: PrivateKey | None
    spki: bytes
    names: bytes = b""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A backing key as it may leave the core. material_id: 64 hexadecimal digits (see `Backing._identify`)."""

    token: bytes
    spki: bytes
    material_id: str
    version: int


class Backing:
    """Makes and opens backing keys, keeping the most recently used ones open. Not thread-safe: one per process."""

    def __init__(
        self,
        domain: DomainKeys,
        entropy: Callable[[int], bytes],
        wall: Callable[[], datetime],
        size: int = CACHE,
    ) -> None:
        self._domain = domain
        self._entropy = entropy
        self._wall = wall
        self._size = size
        self._opened: OrderedDict[bytes, OpenedKey] = OrderedDict()

    def make(self, label: KeyLabel) -> Sealed:
        """A new key of the label's spec."""
        spec = spec_named(label.spec)
        if spec.family in _SECRETS:
            return self._sealed(label, self._entropy(spec.size), b"")
        private = keypairs.generate(spec, self._entropy)
        return self._sealed(label, keypairs.private_der(private), keypairs.spki(private))

    def open(self, token: bytes, label: KeyLabel) -> OpenedKey:
        """The key of that label; BadSeal when the token is of another label, or no token of ours.

        KeyRefused for a locked one (`kms.hsm.locks`), also when it was open a moment ago.
        """
        if token[:1] == _LOCKABLE:
            locks.check_window(token, self._wall())
        found = self._opened.get(token)
        if found is not None and found.label == label:
            self._opened.move_to_end(token)
            return found
        opened = self._load(label, self._raw(token, label))
        self._opened[token] = opened
        if len(self._opened) > self._size:
            self._opened.popitem(last=False)
        return opened

    def reseal(self, token: bytes, label: KeyLabel, other: KeyLabel) -> bytes:
        """The same key sealed anew, under the newest domain key, for another label. KeyRefused for a lockable one."""
        if token[:1] == _LOCKABLE:
            raise KeyRefused("a key that is locked, or unlocked for a while, is not sealed for another place")
        return self._seal(other, self._raw(token, label))

    def lock(self, token: bytes, label: KeyLabel) -> bytes:
        """The token that no use opens. KeyRefused for a key that is locked."""
        if locks.is_locked(token):
            raise KeyRefused("the key is locked already")
        return locks.lock(self._domain, label, self._raw(token, label))

    def unlock(self, token: bytes, label: KeyLabel, until: int) -> bytes:
        """The token that opens the locked key until then (seconds since 1970)."""
        return locks.unlock(self._domain, label, token, until, self._wall())

    def parameters(self, label: KeyLabel, algorithm: str, spec: Spec, note: bytes) -> tuple[bytes, bytes]:
        """(import token, SPKI DER) of a new wrapping key for the label's material."""
        wrapping.wrapping_for(algorithm, spec, spec_named(label.spec))
        private = keypairs.generate(spec, self._entropy)
        inside = msgspec.msgpack.encode((algorithm, spec.name, keypairs.private_der(private)))
        sealed = self._domain.seal(f"import {label.purpose}", import_token.binding(label, note), inside)
        return import_token.join(note, sealed), keypairs.spki(private)

    def take_in(self, token: bytes, label: KeyLabel, wrapped: bytes, known: dict[str, int]) -> Sealed:
        """Wrapped material as a token: of the version that `known` gives it by its id, else of the label's.

        Raises BadImportToken, BadSeal (it does not unwrap) and BadMaterial (it is not of the label's spec).
        """
        spec = spec_named(label.spec)
        raw, public = self._judge(self._unwrap(token, label, spec, wrapped), spec)
        version = known.get(self._identify(label, raw), label.version)
        return self._sealed(replace(label, version=version), raw, public)

    def _unwrap(self, token: bytes, label: KeyLabel, spec: Spec, wrapped: bytes) -> bytes:
        note, sealed = import_token.split(token)
        try:
            inside = self._domain.open(f"import {label.purpose}", import_token.binding(label, note), sealed)
        except BadSeal as foreign:
            raise BadImportToken("the import token is of another key, or was altered") from foreign
        algorithm, name, der = msgspec.msgpack.decode(inside, type=tuple[str, str, bytes])
        private = keypairs.read_own(der, spec_named(name))
        assert isinstance(private, rsa.RSAPrivateKey)  # `parameters` makes no other
        return wrapping.unwrap(private, wrapping.wrapping_for(algorithm, spec_named(name), spec), wrapped)

    def _judge(self, material: bytes, spec: Spec) -> tuple[bytes, bytes]:
        """(the bytes to be sealed, SPKI DER). Key pairs are written anew, so that one key has one form and one id."""
        if spec.family not in _SECRETS:
            private = keypairs.read_foreign(material, spec)
            return keypairs.private_der(private), keypairs.spki(private)
        if len(material) != spec.size:
            raise BadMaterial(f"key material of {spec.name} has {spec.size} bytes, not {len(material)}")
        return material, b""

    def _identify(self, label: KeyLabel, raw: bytes) -> str:
        """Names the material of one key without giving it away: a MAC, so that nobody can try guesses against it.

        Of account and key id, but no Region and no version: the same for a replica, and for a re-import.
        """
        named = canonical(label.purpose, label.account, label.key_id, spec_named(label.spec).name, raw)
        return self._domain.mac("material id", named).hex()

    def _sealed(self, label: KeyLabel, raw: bytes, public: bytes) -> Sealed:
        return Sealed(self._seal(label, raw), public, self._identify(label, raw), label.version)

    def _seal(self, label: KeyLabel, raw: bytes) -> bytes:
        return self._domain.seal(f"key {label.purpose}", token_binding(label), raw)

    def _raw(self, token: bytes, label: KeyLabel) -> bytes:
        if token[:1] == _LOCKABLE:
            return locks.open_window(self._domain, label, token, self._wall())
        return self._domain.open(f"key {label.purpose}", token_binding(label), token)

    def _load(self, label: KeyLabel, raw: bytes) -> OpenedKey:
        spec = spec_named(label.spec)
        if spec.family in _SECRETS:
            return OpenedKey(
                label, spec, raw, None, b"", ciphertext.names(label) if spec.name == SYMMETRIC else b""
            )
        try:
            private = keypairs.read_own(raw, spec)
        except BadMaterial as other:
            raise BadSeal("the token holds a key of another kind than its spec says") from other
        return OpenedKey(label, spec, b"", private, keypairs.spki(private))
