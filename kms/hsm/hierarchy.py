"""From the domain keys down: one derived key per purpose, and what it seals (SECURITY 2.3).

A sealed value is ``01 | domain key version (4) | nonce (16) | AES-256-GCM``, under a key used once:
HKDF-Expand(purpose key, nonce). Its AAD is the header and the caller's binding, so it opens only in its own place.
"""

from collections.abc import Callable, Mapping

from kms.hsm.errors import BadSeal
from kms.hsm.primitives import ONCE, expand, gcm_decrypt, gcm_encrypt, hkdf, mac

FORMAT = 1
NONCE_BYTES = 16
HEADER_BYTES = 1 + 4 + NONCE_BYTES


class DomainKeys:
    """The opened domain keys of this deployment. Lives in the core and its helper processes, nowhere else."""

    def __init__(self, keys: Mapping[int, bytes], entropy: Callable[[int], bytes]) -> None:
        """keys: 32 bytes by version, from 1; the highest seals, all open."""
        self._keys = dict(keys)
        self._entropy = entropy
        self._derived: dict[tuple[str, int], bytes] = {}
        self.active = max(self._keys)

    def seal(self, purpose: str, binding: bytes, plaintext: bytes) -> bytes:
        nonce = self._entropy(NONCE_BYTES)
        header = bytes((FORMAT,)) + self.active.to_bytes(4, "big") + nonce
        key = expand(self._derive(f"seal {purpose}", self.active), nonce)
        return header + gcm_encrypt(key, ONCE, plaintext, header + binding)

    def open(self, purpose: str, binding: bytes, sealed: bytes) -> bytes:
        """What was sealed for this purpose with this binding; BadSeal otherwise."""
        header, version = sealed[:HEADER_BYTES], int.from_bytes(sealed[1:5], "big")
        if len(sealed) < HEADER_BYTES + 16 or header[0] != FORMAT or version not in self._keys:
            raise BadSeal("it was not sealed by this deployment")
        key = expand(self._derive(f"seal {purpose}", version), header[5:])
        return gcm_decrypt(key, ONCE, sealed[HEADER_BYTES:], header + binding)

    def mac(self, purpose: str, data: bytes) -> bytes:
        """A MAC that stays the same when the domain key rotates: look-ups must still find what was stored."""
        return mac(self._derive(f"mac {purpose}", min(self._keys)), data)

    def _derive(self, purpose: str, version: int) -> bytes:
        found = self._derived.get((purpose, version))
        if found is None:
            found = hkdf(self._keys[version], b"keystead domain", purpose.encode())
            self._derived[purpose, version] = found
        return found
